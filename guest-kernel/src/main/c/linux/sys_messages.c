/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket calls that send and receive.
 *
 * Entered through the table of system calls (syscalls.c). Each call holds a reference to the file of its socket
 * (socket_hold()), so the descriptor may be closed meanwhile. The structures of messages are copied into the kernel
 * once and checked there; the bytes that are sent and received go through a struct transfer. No lock is held here:
 * user memory may fault, and net/ takes its own.
 */
#include "core/heap.h"
#include "files/file.h"
#include "lib/errno.h"
#include "linux/abi_net.h"
#include "linux/control.h"
#include "linux/signals.h"
#include "linux/syscalls.h"
#include "linux/time_abi.h"
#include "linux/user_sockets.h"
#include "memory/user.h"
#include "threads/thread.h"

/* ---- Sending ---------------------------------------------------------------------------------------------- */

static int64_t send_on(struct socket *socket, struct socket_message *message)
{
    ssize_type sent = socket->operations->send(socket, message);
    if (sent == -EPIPE && socket->type == SOCK_STREAM && !(message->flags & MSG_NOSIGNAL))
        signals_broken_pipe();
    return sent;
}

/* Deviates: MSG_CONFIRM, MSG_DONTROUTE, MSG_FASTOPEN and MSG_ZEROCOPY change nothing. Unix sockets have no byte out of
 * band: MSG_OOB is EOPNOTSUPP. AF_NETLINK only answers questions: what would change something is EOPNOTSUPP. */
SYSCALL_DEFINE6(sendto, int, sockfd, uintptr_t, buffer, size_t, len, uint32_t, flags, uintptr_t, dest_addr, int,
                addrlen)
{
    struct held_socket held;
    struct socket_address address;
    struct transfer transfer;
    int64_t result = socket_hold(sockfd, &held);
    if (result < 0)
        return result;
    if (dest_addr != 0)
        result = socket_address_read(dest_addr, addrlen, &address);
    if (result == 0)
        result = transfer_init_buffer(&transfer, buffer, len);
    struct socket_message message = { .data = &transfer, .flags = flags, .address = dest_addr != 0 ? &address : NULL };
    if (result == 0)
        result = send_on(held.socket, &message);
    file_put(held.file);
    return result;
}

/* The vector of a message; `few` holds a small one. */
struct message_iov {
    struct iovec few[8], *iov;
};

static int read_iov(const struct abi_message *message, struct message_iov *out, struct transfer *transfer)
{
    out->iov = out->few;
    if (message->iov_count > IOVEC_LIMIT)
        return -EMSGSIZE;
    size_t size = message->iov_count * sizeof(struct iovec);
    if (message->iov_count > array_size(out->few)) {
        out->iov = heap_allocate_at(size, PAGES_NEEDED);
        if (!out->iov)
            return -ENOMEM;
    }
    int error = size > 0 ? transfer_read_iovec(out->iov, message->iov, message->iov_count) : 0;
    if (error) {
        if (out->iov != out->few)
            heap_free(out->iov);
        return error;
    }
    transfer_init_iovec(transfer, out->iov, message->iov_count);
    return 0;
}

static void free_iov(struct message_iov *iov)
{
    if (iov->iov != iov->few)
        heap_free(iov->iov);
}

/* sendmsg(2) and recvmsg(2). */
static int64_t move_message(int descriptor, uintptr_t at, uint32_t flags,
                            int64_t (*move)(struct socket *socket, uintptr_t at, uint32_t flags))
{
    struct held_socket held;
    int64_t result = socket_hold(descriptor, &held);
    if (result < 0)
        return result;
    result = move(held.socket, at, flags);
    file_put(held.file);
    return result;
}

/* Unlike connect(2) and similar calls, these cut an address that is too long: net/socket.c of Linux. */
static int read_message_address(const struct abi_message *message, struct socket_address *address)
{
    if (message->name_length < 0)
        return -EINVAL;
    return socket_address_read(message->name, min_of(message->name_length, ADDRESS_LIMIT), address);
}

static int64_t send_one_message(struct socket *socket, uintptr_t at, uint32_t flags)
{
    struct abi_message message;
    struct socket_address address;
    struct message_iov iov;
    struct transfer transfer;
    if (flags & MSG_CMSG_COMPAT)
        return -EINVAL;
    if (user_get(&message, at) < 0)
        return -EFAULT;
    int64_t result = message.name != 0 ? read_message_address(&message, &address) : 0;
    if (result == 0)
        result = read_iov(&message, &iov, &transfer);
    if (result < 0)
        return result;
    struct socket_message sent = { .data = &transfer, .flags = flags, .address = message.name != 0 ? &address : NULL };
    result = control_check(&message, socket, &sent);
    if (result == 0)
        result = send_on(socket, &sent);
    free_iov(&iov);
    return result;
}

/* Deviates: MSG_CONFIRM, MSG_DONTROUTE, MSG_FASTOPEN and MSG_ZEROCOPY change nothing. Unix sockets have no byte out of
 * band: MSG_OOB is EOPNOTSUPP. AF_NETLINK only answers questions: what would change something is EOPNOTSUPP. Control
 * messages of a Unix socket cannot pass descriptors (SCM_RIGHTS is EOPNOTSUPP); those of UDP are IP_PKTINFO, IP_TTL,
 * IP_TOS, IPV6_PKTINFO, IPV6_HOPLIMIT, IPV6_TCLASS, IPV6_DONTFRAG and UDP_SEGMENT, and others are EINVAL. */
SYSCALL_DEFINE3(sendmsg, int, sockfd, uintptr_t, msg, uint32_t, flags)
{
    return move_message(sockfd, msg, flags, send_one_message);
}

/* Deviates: MSG_CONFIRM, MSG_DONTROUTE, MSG_FASTOPEN and MSG_ZEROCOPY change nothing. Unix sockets have no byte out of
 * band: MSG_OOB is EOPNOTSUPP. AF_NETLINK only answers questions: what would change something is EOPNOTSUPP. Control
 * messages of a Unix socket cannot pass descriptors (SCM_RIGHTS is EOPNOTSUPP); those of UDP are IP_PKTINFO, IP_TTL,
 * IP_TOS, IPV6_PKTINFO, IPV6_HOPLIMIT, IPV6_TCLASS, IPV6_DONTFRAG and UDP_SEGMENT, and others are EINVAL. */
SYSCALL_DEFINE4(sendmmsg, int, sockfd, uintptr_t, msgvec, unsigned, vlen, uint32_t, flags)
{
    struct held_socket held;
    int64_t result = socket_hold(sockfd, &held);
    if (result < 0)
        return result;
    uint64_t done = 0, count = min_of(vlen, IOVEC_LIMIT);
    for (; done < count; done++) {
        give_way();
        uintptr_t at = msgvec + done * sizeof(struct abi_message_vector);
        result = send_one_message(held.socket, at, flags);
        if (result < 0)
            break;
        uint32_t length = (uint32_t)result;
        if (user_put(at + offsetof(struct abi_message_vector, length), &length) < 0) {
            result = -EFAULT;
            break;
        }
    }
    file_put(held.file);
    return done > 0 || result >= 0 ? (int64_t)done : result;
}

/* ---- Receiving ------------------------------------------------------------------------------------------- */

SYSCALL_DEFINE6(recvfrom, int, sockfd, uintptr_t, buffer, size_t, len, uint32_t, flags, uintptr_t, src_addr, uintptr_t,
                addrlen)
{
    struct held_socket held;
    struct socket_address address = { 0 };
    struct transfer transfer;
    int64_t result = socket_hold(sockfd, &held);
    if (result < 0)
        return result;
    struct socket_message message = { .data = &transfer, .flags = flags, .address = &address };
    result = transfer_init_buffer(&transfer, buffer, len);
    if (result == 0)
        result = held.socket->operations->receive(held.socket, &message);
    file_put(held.file);
    if (result < 0)
        return result;
    int error = socket_address_return(&address, src_addr, addrlen);
    return error < 0 ? error : result;
}

/* Reports what came with the data. */
static int finish_message(uintptr_t at, struct abi_message *message, const struct socket_message *received)
{
    if (message->name != 0) {
        uint32_t length;
        if (socket_address_write(received->address, message->name, (uint32_t)message->name_length, &length) < 0)
            return -EFAULT;
        message->name_length = (int32_t)length;
    }
    message->flags = (int32_t)received->result_flags;
    int error = control_write(message, received);
    return error < 0 ? error : user_put(at, message);
}

static int64_t receive_one_message(struct socket *socket, uintptr_t at, uint32_t flags)
{
    struct abi_message message;
    struct socket_address address = { 0 };
    struct message_iov iov;
    struct transfer transfer;
    if (flags & MSG_CMSG_COMPAT)
        return -EINVAL;
    if (user_get(&message, at) < 0)
        return -EFAULT;
    if (message.name != 0 && message.name_length < 0)
        return -EINVAL;
    int64_t result = read_iov(&message, &iov, &transfer);
    if (result < 0)
        return result;
    struct socket_message received = { .data = &transfer, .flags = flags, .address = &address };
    result = socket->operations->receive(socket, &received);
    free_iov(&iov);
    if (result < 0)
        return result;
    int error = finish_message(at, &message, &received);
    return error < 0 ? error : result;
}

/* Deviates: Descriptors and credentials never come with a message of a Unix socket. */
SYSCALL_DEFINE3(recvmsg, int, sockfd, uintptr_t, msg, uint32_t, flags)
{
    return move_message(sockfd, msg, flags, receive_one_message);
}

/* The timeout is checked after each message, as on Linux (recvmmsg(2), BUGS). */
/* Deviates: Descriptors and credentials never come with a message of a Unix socket. */
SYSCALL_DEFINE5(recvmmsg, int, sockfd, uintptr_t, msgvec, unsigned, vlen, uint32_t, flags, uintptr_t, timeout)
{
    struct held_socket held;
    struct abi_time time = { 0 };
    nanoseconds deadline = NO_DEADLINE;
    int64_t result = socket_hold(sockfd, &held);
    if (result < 0)
        return result;
    if (timeout != 0) {
        result = user_get(&time, timeout);
        bool valid = time.seconds >= 0 && time.nanoseconds >= 0 && time.nanoseconds < (int64_t)NS_PER_SECOND;
        if (result == 0 && !valid)
            result = -EINVAL;
        if (time.seconds < INT32_MAX)
            deadline = clock_monotonic() + (nanoseconds)time.seconds * NS_PER_SECOND + (nanoseconds)time.nanoseconds;
    }
    uint32_t done = 0;
    while (result >= 0 && done < vlen && (done == 0 || clock_monotonic() < deadline)) {
        give_way();
        uintptr_t at = msgvec + (uint64_t)done * sizeof(struct abi_message_vector);
        result = receive_one_message(held.socket, at, flags & ~MSG_WAITFORONE);
        if (result < 0)
            break;
        uint32_t length = (uint32_t)result;
        result = user_put(at + offsetof(struct abi_message_vector, length), &length);
        done++;
        if (flags & MSG_WAITFORONE)
            flags |= MSG_DONTWAIT;
    }
    file_put(held.file);
    return done > 0 ? (int64_t)done : result;
}

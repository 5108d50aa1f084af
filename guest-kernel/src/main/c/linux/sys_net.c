/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket calls: user addresses and structures in, calls of net/socket.h out.
 *
 * Entered through the table of system calls (syscalls.c). Each call holds a reference to the file of its socket
 * (hold()), so the descriptor may be closed meanwhile. Addresses and the structures of messages are copied into the
 * kernel once and checked there; the bytes that are sent and received go through a struct transfer. No lock is held
 * here: user memory may fault, and net/ takes its own.
 */
#include "core/heap.h"
#include "files/file.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/abi_net.h"
#include "linux/control.h"
#include "linux/signals.h"
#include "linux/syscalls.h"
#include "memory/user.h"
#include "threads/thread.h"

/* A socket with a reference to its file, for the time of one call. */
struct held_socket {
    struct file *file;
    struct socket *socket;
};

static int hold(int descriptor, struct held_socket *held)
{
    held->file = descriptor_get(descriptor);
    if (!held->file)
        return -EBADF;
    held->socket = socket_of(held->file);
    if (held->socket)
        return 0;
    file_put(held->file);
    return -ENOTSOCK;
}

/* ---- Addresses ---------------------------------------------------------------------------------------- */

/* `raw` is zeroed after the bytes that were given. */
static int decode_address(const union abi_address *raw, uint32_t length, struct socket_address *out)
{
    *out = (struct socket_address){ .family = raw->family };
    switch (raw->family) {
    case AF_UNSPEC:
        return 0;
    case AF_INET:
        if (length < sizeof(raw->in))
            return -EINVAL;
        out->in = (struct endpoint){ be32_get(raw->in.address), be16_get(raw->in.port) };
        return 0;
    case AF_UNIX: {
        if (length > sizeof(raw->un))
            return -EINVAL;
        size_t room = length - offsetof(struct abi_unix_address, path);
        bool abstract = room > 0 && raw->un.path[0] == 0;
        out->path_length = (uint8_t)(abstract ? room : strnlen(raw->un.path, room));
        memcpy(out->path, raw->un.path, out->path_length);
        return 0;
    }
    case AF_NETLINK:
        if (length < sizeof(raw->netlink))
            return -EINVAL;
        out->netlink.port = raw->netlink.port;
        out->netlink.groups = raw->netlink.groups;
        return 0;
    default:
        return -EAFNOSUPPORT;
    }
}

static int read_address(uintptr_t from, int32_t given, struct socket_address *out)
{
    union abi_address raw;
    memset(&raw, 0, sizeof(raw));
    if (given < (int32_t)sizeof(raw.family) || given > ADDRESS_LIMIT)
        return -EINVAL;
    /* Longer ones (sockaddr_storage) are cut: nothing after these layouts counts. */
    uint32_t length = min_of((uint32_t)given, (uint32_t)sizeof(raw));
    int error = user_read(&raw, from, length);
    if (error == 0 && raw.family == AF_UNIX)
        length = (uint32_t)given;
    return error < 0 ? error : decode_address(&raw, length, out);
}

static uint32_t encode_address(const struct socket_address *address, union abi_address *raw)
{
    memset(raw, 0, sizeof(*raw));
    raw->family = address->family;
    if (address->family == AF_INET) {
        raw->in.port = be16_of(address->in.port);
        raw->in.address = be32_of(address->in.address);
        return sizeof(raw->in);
    }
    if (address->family == AF_NETLINK) {
        raw->netlink.port = address->netlink.port;
        raw->netlink.groups = address->netlink.groups;
        return sizeof(raw->netlink);
    }
    if (address->family != AF_UNIX)
        return 0;
    memcpy(raw->un.path, address->path, address->path_length);
    uint32_t length = (uint32_t)offsetof(struct abi_unix_address, path) + address->path_length;
    bool named = address->path_length > 0 && address->path_length < UNIX_PATH_SIZE && address->path[0] != 0;
    return length + named; /* path names end with a NUL: unix(7) */
}

/* Writes as much of the address as there is room for, and its true length. */
static int write_address(const struct socket_address *address, uintptr_t to, uint32_t room, uint32_t *length)
{
    union abi_address raw;
    *length = encode_address(address, &raw);
    return user_write(to, &raw, min_of(room, *length));
}

static int return_address(const struct socket_address *address, uintptr_t to, uintptr_t length_at)
{
    int32_t room;
    uint32_t length;
    if (to == 0)
        return 0;
    if (user_get(&room, length_at) < 0)
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    int error = write_address(address, to, (uint32_t)room, &length);
    return error < 0 ? error : user_put(length_at, &length);
}

/* ---- Making sockets ------------------------------------------------------------------------------------ */

static unsigned file_flags(uint32_t type) { return type & SOCK_NONBLOCK ? O_NONBLOCK : 0; }

static bool type_valid(uint32_t type)
{
    return (type & ~(uint32_t)(SOCK_TYPE_MASK | SOCK_NONBLOCK | SOCK_CLOEXEC)) == 0;
}

static int64_t give_descriptor(struct file *file, bool close_on_exec)
{
    int descriptor = descriptor_add(file, close_on_exec, 0);
    if (descriptor < 0)
        file_put(file);
    return descriptor;
}

/* Deviates: The families are AF_INET with TCP and UDP, AF_UNIX, and AF_NETLINK with NETLINK_ROUTE: others are
 * EAFNOSUPPORT, other protocols EPROTONOSUPPORT. SOCK_RAW of AF_INET is EPERM. */
SYSCALL_DEFINE3(socket, int, domain, uint32_t, type, int, protocol)
{
    struct file *file;
    if (!type_valid(type))
        return -EINVAL;
    int error = socket_create(domain, (int)(type & SOCK_TYPE_MASK), protocol, file_flags(type), &file);
    return error < 0 ? error : give_descriptor(file, type & SOCK_CLOEXEC);
}

/* Deviates: SOCK_RAW of AF_INET is EPERM. */
SYSCALL_DEFINE4(socketpair, int, domain, uint32_t, type, int, protocol, uintptr_t, sv)
{
    struct file *files[2];
    int32_t descriptors[2];
    if (!type_valid(type))
        return -EINVAL;
    int error = socket_create_pair(domain, (int)(type & SOCK_TYPE_MASK), protocol, file_flags(type), files);
    if (error < 0)
        return error;
    descriptors[0] = (int32_t)give_descriptor(files[0], type & SOCK_CLOEXEC);
    descriptors[1] = (int32_t)give_descriptor(files[1], type & SOCK_CLOEXEC);
    error = descriptors[0] < 0 ? descriptors[0] : descriptors[1];
    if (descriptors[0] >= 0 && descriptors[1] >= 0) {
        error = user_put(sv, &descriptors);
        if (error == 0)
            return 0;
    }
    for (unsigned i = 0; i < 2; i++)
        if (descriptors[i] >= 0)
            descriptor_close(descriptors[i]);
    return error;
}

/* ---- Naming and connecting ------------------------------------------------------------------------------ */

static int64_t name_socket(int descriptor, uintptr_t address_at, int length, bool connect)
{
    struct held_socket held;
    struct socket_address address;
    int error = hold(descriptor, &held);
    if (error < 0)
        return error;
    error = read_address(address_at, length, &address);
    const struct socket_operations *operations = held.socket->operations;
    if (error == 0)
        error = connect ? operations->connect(held.socket, &address) : operations->bind(held.socket, &address);
    file_put(held.file);
    return error;
}

/* Deviates: A socket of AF_NETLINK may join groups, but none ever gets a message. */
SYSCALL_DEFINE3(bind, int, sockfd, uintptr_t, addr, int, addrlen) { return name_socket(sockfd, addr, addrlen, false); }

SYSCALL_DEFINE3(connect, int, sockfd, uintptr_t, addr, int, addrlen)
{
    return name_socket(sockfd, addr, addrlen, true);
}

SYSCALL_DEFINE2(listen, int, sockfd, int, backlog)
{
    struct held_socket held;
    int error = hold(sockfd, &held);
    if (error < 0)
        return error;
    const struct socket_operations *operations = held.socket->operations;
    error = operations->listen ? operations->listen(held.socket, backlog) : -EOPNOTSUPP;
    file_put(held.file);
    return error;
}

static int64_t accept_on(int descriptor, uintptr_t address_at, uintptr_t length_at, uint32_t flags)
{
    struct held_socket held;
    struct socket_address peer;
    struct file *file;
    if (flags & ~(uint32_t)(SOCK_NONBLOCK | SOCK_CLOEXEC))
        return -EINVAL;
    int error = hold(descriptor, &held);
    if (error < 0)
        return error;
    const struct socket_operations *operations = held.socket->operations;
    /* A connection that got no descriptor would be lost. */
    error = !operations->accept ? -EOPNOTSUPP : descriptor_room();
    if (error == 0)
        error = operations->accept(held.socket, file_flags(flags), &file, &peer);
    file_put(held.file);
    if (error < 0)
        return error;
    error = return_address(&peer, address_at, length_at);
    if (error < 0) {
        file_put(file);
        return error;
    }
    return give_descriptor(file, flags & SOCK_CLOEXEC);
}

SYSCALL_DEFINE3(accept, int, sockfd, uintptr_t, addr, uintptr_t, addrlen)
{
    return accept_on(sockfd, addr, addrlen, 0);
}

SYSCALL_DEFINE4(accept4, int, sockfd, uintptr_t, addr, uintptr_t, addrlen, uint32_t, flags)
{
    return accept_on(sockfd, addr, addrlen, flags);
}

static int64_t tell_name(int descriptor, uintptr_t address_at, uintptr_t length_at, bool peer)
{
    struct held_socket held;
    struct socket_address address;
    int error = hold(descriptor, &held);
    if (error < 0)
        return error;
    const struct socket_operations *operations = held.socket->operations;
    error = peer ? operations->peer_address(held.socket, &address) : operations->local_address(held.socket, &address);
    file_put(held.file);
    if (error == 0 && address_at == 0)
        return -EFAULT;
    return error < 0 ? error : return_address(&address, address_at, length_at);
}

SYSCALL_DEFINE3(getsockname, int, sockfd, uintptr_t, addr, uintptr_t, addrlen)
{
    return tell_name(sockfd, addr, addrlen, false);
}

SYSCALL_DEFINE3(getpeername, int, sockfd, uintptr_t, addr, uintptr_t, addrlen)
{
    return tell_name(sockfd, addr, addrlen, true);
}

SYSCALL_DEFINE2(shutdown, int, sockfd, unsigned, how)
{
    struct held_socket held;
    int error = hold(sockfd, &held);
    if (error < 0)
        return error;
    error = how <= SHUT_RDWR ? held.socket->operations->shutdown(held.socket, (int)how) : -EINVAL;
    file_put(held.file);
    return error;
}

/* ---- Options --------------------------------------------------------------------------------------------- */

/* Deviates: Some options are kept and have no effect, others are ENOPROTOOPT: docs/network.md lists both. */
SYSCALL_DEFINE5(setsockopt, int, sockfd, int, level, int, optname, uintptr_t, optval, int, optlen)
{
    _Alignas(8) uint8_t value[SOCKET_OPTION_SIZE] = { 0 };
    struct held_socket held;
    if (optlen < 0)
        return -EINVAL;
    uint32_t length = min_of((uint32_t)optlen, SOCKET_OPTION_SIZE);
    if (length > 0 && user_read(value, optval, length) < 0)
        return -EFAULT;
    int error = hold(sockfd, &held);
    if (error < 0)
        return error;
    error = socket_set_option(held.socket, level, optname, value, length);
    file_put(held.file);
    return error;
}

/* Deviates: Options that are not offered are ENOPROTOOPT: docs/network.md lists them. TCP_INFO ends with
 * tcpi_total_retrans. */
SYSCALL_DEFINE5(getsockopt, int, sockfd, int, level, int, optname, uintptr_t, optval, uintptr_t, optlen)
{
    _Alignas(8) uint8_t value[SOCKET_OPTION_SIZE];
    struct held_socket held;
    int32_t room;
    if (user_get(&room, optlen) < 0)
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    int error = hold(sockfd, &held);
    if (error < 0)
        return error;
    uint32_t length = min_of((uint32_t)room, SOCKET_OPTION_SIZE);
    error = socket_get_option(held.socket, level, optname, value, &length);
    file_put(held.file);
    if (error < 0)
        return error;
    if (length > 0 && user_write(optval, value, length) < 0)
        return -EFAULT;
    return user_put(optlen, &length);
}

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
    int64_t result = hold(sockfd, &held);
    if (result < 0)
        return result;
    if (dest_addr != 0)
        result = read_address(dest_addr, addrlen, &address);
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

/* Unlike connect(2) and similar calls, these cut an address that is too long: net/socket.c of Linux. */
static int read_message_address(const struct abi_message *message, struct socket_address *address)
{
    if (message->name_length < 0)
        return -EINVAL;
    return read_address(message->name, min_of(message->name_length, ADDRESS_LIMIT), address);
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
 * messages of a Unix socket cannot pass descriptors (SCM_RIGHTS is EOPNOTSUPP); those of UDP are IP_PKTINFO, IP_TTL and
 * IP_TOS, and others are EINVAL. */
SYSCALL_DEFINE3(sendmsg, int, sockfd, uintptr_t, msg, uint32_t, flags)
{
    struct held_socket held;
    int64_t result = hold(sockfd, &held);
    if (result < 0)
        return result;
    result = send_one_message(held.socket, msg, flags);
    file_put(held.file);
    return result;
}

/* Deviates: MSG_CONFIRM, MSG_DONTROUTE, MSG_FASTOPEN and MSG_ZEROCOPY change nothing. Unix sockets have no byte out of
 * band: MSG_OOB is EOPNOTSUPP. AF_NETLINK only answers questions: what would change something is EOPNOTSUPP. Control
 * messages of a Unix socket cannot pass descriptors (SCM_RIGHTS is EOPNOTSUPP); those of UDP are IP_PKTINFO, IP_TTL and
 * IP_TOS, and others are EINVAL. */
SYSCALL_DEFINE4(sendmmsg, int, sockfd, uintptr_t, msgvec, unsigned, vlen, uint32_t, flags)
{
    struct held_socket held;
    int64_t result = hold(sockfd, &held);
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
    int64_t result = hold(sockfd, &held);
    if (result < 0)
        return result;
    struct socket_message message = { .data = &transfer, .flags = flags, .address = &address };
    result = transfer_init_buffer(&transfer, buffer, len);
    if (result == 0)
        result = held.socket->operations->receive(held.socket, &message);
    file_put(held.file);
    if (result < 0)
        return result;
    int error = return_address(&address, src_addr, addrlen);
    return error < 0 ? error : result;
}

/* Reports what came with the data. */
static int finish_message(uintptr_t at, struct abi_message *message, const struct socket_message *received)
{
    if (message->name != 0) {
        uint32_t length;
        if (write_address(received->address, message->name, (uint32_t)message->name_length, &length) < 0)
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
    struct held_socket held;
    int64_t result = hold(sockfd, &held);
    if (result < 0)
        return result;
    result = receive_one_message(held.socket, msg, flags);
    file_put(held.file);
    return result;
}

/* The timeout is checked after each message, as on Linux (recvmmsg(2), BUGS). */
/* Deviates: Descriptors and credentials never come with a message of a Unix socket. */
SYSCALL_DEFINE5(recvmmsg, int, sockfd, uintptr_t, msgvec, unsigned, vlen, uint32_t, flags, uintptr_t, timeout)
{
    struct held_socket held;
    struct abi_time time = { 0 };
    nanoseconds deadline = NO_DEADLINE;
    int64_t result = hold(sockfd, &held);
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

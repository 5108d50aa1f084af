/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control messages, cmsg(3). None is carried in the guest: what would be lost is refused with an error, and what is
 * wrong gives Linux's error.
 */
#define _GNU_SOURCE
#include "suite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FOREIGN_LEVEL 12345

static union {
    struct cmsghdr header;
    char bytes[4096];
} control;

/* Adds a message after `used` bytes; how many are used then. */
static size_t add(size_t used, int level, int type, const void *data, size_t size)
{
    struct cmsghdr *header = (struct cmsghdr *)(control.bytes + used);
    *header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(size), .cmsg_level = level, .cmsg_type = type };
    memcpy(CMSG_DATA(header), data, size);
    return used + CMSG_SPACE(size);
}

static ssize_t send_with(int socket, size_t controls)
{
    struct iovec byte = { "x", 1 };
    struct msghdr message = { .msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = controls };
    return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Takes one byte, and whatever comes with it: how many bytes of control messages. */
static size_t receive_control(int socket, int *flags)
{
    char byte = 0;
    struct iovec to = { &byte, 1 };
    struct msghdr message = {
        .msg_iov = &to, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
    };
    CHECK_EQUAL(recvmsg(socket, &message, MSG_DONTWAIT), 1);
    CHECK_EQUAL(byte, 'x');
    *flags = message.msg_flags;
    return message.msg_controllen;
}

static int ends[2];

static void make_pair(void) { CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0); }

static void close_pair(void)
{
    close(ends[0]);
    close(ends[1]);
}

static void nothing_was_sent(void)
{
    char byte;
    CHECK_ERROR(recv(ends[1], &byte, 1, MSG_DONTWAIT), EAGAIN);
}

/* Linux passes them; the guest says that it does not, and the bytes do not go without them. */
static void descriptors_are_not_lost_in_silence(void)
{
    make_pair();
    size_t used = add(0, SOL_SOCKET, SCM_RIGHTS, ends, sizeof(ends));
    if (!in_guest()) {
        int flags, received[2];
        CHECK_EQUAL(send_with(ends[0], used), 1);
        CHECK_EQUAL(receive_control(ends[1], &flags), CMSG_SPACE(sizeof(ends)));
        memcpy(received, CMSG_DATA(&control.header), sizeof(received));
        close(received[0]);
        close(received[1]);
    } else {
        CHECK_ERROR(send_with(ends[0], used), EOPNOTSUPP);
        struct mmsghdr many = { .msg_hdr = { .msg_control = &control, .msg_controllen = used } };
        CHECK_ERROR(sendmmsg(ends[0], &many, 1, MSG_DONTWAIT), EOPNOTSUPP);
    }
    nothing_was_sent();
    close_pair();
}

static void wrong_descriptors_are_refused(void)
{
    static const int wrong[] = { -1, 900, 65536, INT32_MAX, INT32_MIN };
    int many[254];
    make_pair();
    for (unsigned i = 0; i < COUNT(wrong); i++) {
        int two[] = { ends[0], wrong[i] };
        CHECK_ERROR(send_with(ends[0], add(0, SOL_SOCKET, SCM_RIGHTS, two, sizeof(two))), EBADF);
    }
    for (unsigned i = 0; i < COUNT(many); i++)
        many[i] = ends[0];
    CHECK_ERROR(send_with(ends[0], add(0, SOL_SOCKET, SCM_RIGHTS, many, sizeof(many))), EINVAL);
    nothing_was_sent();
    CHECK_EQUAL(send_with(ends[0], add(0, SOL_SOCKET, SCM_RIGHTS, many, 0)), 1);
    close_pair();
}

static void wrong_lengths_are_refused(void)
{
    static const size_t wrong[] = { 0, 1, 15, CMSG_SPACE(4) + 1, 4096, INT32_MAX, 1UL << 32, SIZE_MAX - 7, SIZE_MAX };
    int value = 0;
    make_pair();
    size_t one = add(0, FOREIGN_LEVEL, 1, &value, sizeof(value));
    size_t two = add(one, FOREIGN_LEVEL, 1, &value, sizeof(value));
    struct cmsghdr *second = (struct cmsghdr *)(control.bytes + one);
    for (unsigned i = 0; i < COUNT(wrong); i++) {
        second->cmsg_len = wrong[i];
        CHECK_ERROR(send_with(ends[0], two), EINVAL);
    }
    second->cmsg_len = CMSG_LEN(4);
    CHECK_ERROR(send_with(ends[0], two - CMSG_SPACE(4) + CMSG_LEN(4) - 1), EINVAL);
    nothing_was_sent();
    /* The last one's padding may lie outside, and too little for a header is nothing. */
    CHECK_EQUAL(send_with(ends[0], one + CMSG_LEN(4)), 1);
    CHECK_EQUAL(send_with(ends[0], one + sizeof(struct cmsghdr) - 1), 1);
    CHECK_EQUAL(send_with(ends[0], sizeof(struct cmsghdr) - 1), 1);
    close_pair();
}

static void buffers_of_control_messages_are_checked(void)
{
    static const size_t huge[] = { 1UL << 20, 1UL << 31, 1UL << 32, SIZE_MAX };
    make_pair();
    for (unsigned i = 0; i < COUNT(huge); i++)
        CHECK_ERROR(send_with(ends[0], huge[i]), ENOBUFS);
    struct msghdr message = { .msg_controllen = 64 };
    CHECK_ERROR(sendmsg(ends[0], &message, 0), EFAULT);
    message.msg_control = (void *)0xffffffff80100000;
    CHECK_ERROR(sendmsg(ends[0], &message, 0), EFAULT);
    message.msg_controllen = 0;
    CHECK_EQUAL(sendmsg(ends[0], &message, 0), 0);
    nothing_was_sent();
    close_pair();
}

static void unknown_kinds_are_as_on_linux(void)
{
    int value = 0;
    make_pair();
    CHECK_ERROR(send_with(ends[0], add(0, SOL_SOCKET, 99, &value, sizeof(value))), EINVAL);
    CHECK_ERROR(send_with(ends[0], add(0, SOL_SOCKET, -1, &value, sizeof(value))), EINVAL);
    CHECK_EQUAL(send_with(ends[0], add(0, FOREIGN_LEVEL, 99, &value, sizeof(value))), 1);
    struct ucred self = { getpid(), getuid(), getgid() }, nobody = { INT32_MAX, getuid(), getgid() };
    CHECK_EQUAL(send_with(ends[0], add(0, SOL_SOCKET, SCM_CREDENTIALS, &self, sizeof(self))), 1);
    CHECK_ERROR(send_with(ends[0], add(0, SOL_SOCKET, SCM_CREDENTIALS, &self, sizeof(self) - 1)), EINVAL);
    CHECK_ERROR(send_with(ends[0], add(0, SOL_SOCKET, SCM_CREDENTIALS, &nobody, sizeof(nobody))),
                getuid() ? EPERM : ESRCH);
    close_pair();
}

static void nothing_that_was_not_sent_is_received(void)
{
    int flags;
    make_pair();
    CHECK_EQUAL(send(ends[0], "x", 1, 0), 1);
    CHECK_EQUAL(receive_control(ends[1], &flags), 0);
    CHECK_EQUAL(flags, 0);
    close_pair();
}

/* Options of one datagram: those that the guest knows are checked as on Linux. */
static void datagrams_take_options(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    int to = socket(AF_INET, SOCK_DGRAM, 0), from = socket(AF_INET, SOCK_DGRAM, 0), value = 8, large = 256;
    struct in_pktinfo information = { 0 };
    CHECK_EQUAL(bind(to, (struct sockaddr *)&address, sizeof(address)), 0);
    CHECK_EQUAL(getsockname(to, (struct sockaddr *)&address, &length), 0);
    CHECK_EQUAL(connect(from, (struct sockaddr *)&address, sizeof(address)), 0);
    CHECK_EQUAL(send_with(from, add(0, IPPROTO_IP, IP_PKTINFO, &information, sizeof(information))), 1);
    CHECK_EQUAL(send_with(from, add(0, IPPROTO_IP, IP_TTL, &value, sizeof(value))), 1);
    CHECK_EQUAL(send_with(from, add(0, IPPROTO_IP, IP_TOS, &value, sizeof(value))), 1);
    CHECK_EQUAL(send_with(from, add(0, IPPROTO_IP, IP_TOS, &value, 1)), 1);
    CHECK_EQUAL(send_with(from, add(0, SOL_SOCKET, SCM_RIGHTS, &value, sizeof(value))), 1);
    CHECK_EQUAL(send_with(from, add(0, FOREIGN_LEVEL, 99, &value, sizeof(value))), 1);
    CHECK_ERROR(send_with(from, add(0, IPPROTO_IP, IP_PKTINFO, &value, sizeof(value))), EINVAL);
    CHECK_ERROR(send_with(from, add(0, IPPROTO_IP, IP_TTL, &large, sizeof(large))), EINVAL);
    CHECK_ERROR(send_with(from, add(0, IPPROTO_IP, IP_TOS, &large, sizeof(large))), EINVAL);
    CHECK_ERROR(send_with(from, add(0, IPPROTO_IP, 99, &value, sizeof(value))), EINVAL);
    CHECK_ERROR(send_with(from, add(0, IPPROTO_UDP, 99, &value, sizeof(value))), EINVAL);
    CHECK_ERROR(send_with(from, add(0, SOL_SOCKET, 99, &value, sizeof(value))), EINVAL);
    control.header.cmsg_len = 15;
    CHECK_ERROR(send_with(from, CMSG_SPACE(4)), EINVAL);
    for (unsigned i = 0; i < 6; i++) {
        int flags;
        CHECK_EQUAL(receive_control(to, &flags), 0);
        CHECK_EQUAL(flags, 0);
    }
    close(to);
    close(from);
}

SUITE(control, TEST(descriptors_are_not_lost_in_silence), TEST(wrong_descriptors_are_refused),
      TEST(wrong_lengths_are_refused), TEST(buffers_of_control_messages_are_checked),
      TEST(unknown_kinds_are_as_on_linux), TEST(nothing_that_was_not_sent_is_received), TEST(datagrams_take_options));

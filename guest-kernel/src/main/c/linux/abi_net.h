/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layouts of the socket calls' arguments (socket(2) and friends, Linux x86-64).
 */
#pragma once

#include "net/bytes.h"
#include "net/ip6.h"
#include "net/socket.h"

#define SOCK_TYPE_MASK 0xf
#define SOCK_NONBLOCK 04000 /* O_NONBLOCK, O_CLOEXEC */
#define SOCK_CLOEXEC 02000000
#define MSG_WAITFORONE 0x10000u
#define MSG_CMSG_COMPAT 0x80000000u /* of 32-bit programs only */
#define ADDRESS_LIMIT 128           /* sizeof(struct sockaddr_storage) */

struct abi_inet_address { /* struct sockaddr_in */
    uint16_t family;
    be16 port;
    be32 address;
    uint8_t zero[8];
};
struct abi_unix_address { /* struct sockaddr_un */
    uint16_t family;
    char path[UNIX_PATH_SIZE];
};
struct abi_netlink_address { /* struct sockaddr_nl */
    uint16_t family, padding;
    uint32_t port, groups;
};
struct abi_inet6_address { /* struct sockaddr_in6 */
    uint16_t family;
    be16 port;
    be32 flow;
    struct ip6_bytes address;
    uint32_t scope;
};
union abi_address {
    uint16_t family;
    struct abi_inet_address in;
    struct abi_inet6_address in6;
    struct abi_unix_address un;
    struct abi_netlink_address netlink;
};
struct abi_message { /* struct msghdr */
    uint64_t name;
    int32_t name_length;
    uint32_t padding;
    uint64_t iov, iov_count;
    uint64_t control, control_length;
    int32_t flags, padding2;
};
struct abi_control { /* struct cmsghdr */
    uint64_t length; /* of this header and the data */
    int32_t level, type;
};
struct abi_message_vector { /* struct mmsghdr */
    struct abi_message message;
    uint32_t length, padding;
};
struct abi_time { /* struct timespec */
    int64_t seconds, nanoseconds;
};

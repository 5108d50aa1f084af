/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small DNS client (RFC 1035) for the kernel's own use: the IPv4 addresses of one name, from the servers of the
 * network's configuration, by UDP, and by TCP if the answer is too long for that. No cache, no search list.
 * dns_message.c makes questions and reads answers and knows nothing of time or sockets; nothing that a server sends is
 * trusted.
 */
#pragma once

#include "net/address.h"

#define DNS_ADDRESSES 8u
/* The first DNS_ADDRESSES different ones, in the order of the answer. */
struct dns_addresses {
    unsigned count;
    ipv4_t items[DNS_ADDRESSES];
};
/*
 * The addresses that `name` stands for, or the one that it is. Each server is asked once, in order, for two seconds by
 * each protocol. 0: at least one; -ENOENT: there is no such name, or it has no IPv4 address; -EINVAL: it cannot be a
 * name; -EDESTADDRREQ: no server is configured; else what went wrong with the last server (-ETIMEDOUT, -EBADMSG, ...).
 * Sleeps.
 */
int dns_resolve(const char *name, struct dns_addresses *out);
/* Whether `host` is an IPv4 address, or can be a name. */
bool dns_host_valid(const char *host);

/* ---- Messages --------------------------------------------------------------------------------------------- */

#define DNS_QUESTION_MAX 271u /* bytes: RFC 1035 4.1.1, 3.1 and 4.1.2: header, name, type and class */
#define DNS_ANSWER_MAX 512u   /* RFC 1035 2.3.4, by UDP */

/* A question for the address of `name`: its length, or 0 if this cannot be a name (RFC 1035 2.3.1, and '_'). */
size_t dns_make(uint8_t to[DNS_QUESTION_MAX], const char *name, uint16_t id);
/*
 * Reads an answer to `question`. 0: at least one address; -ENOENT: no such name or no address; -EAGAIN: not an answer
 * to this question; -EMSGSIZE: cut before there was an address (RFC 2181 9); -EBADMSG: damaged, or the server could not
 * answer.
 */
int dns_read(const uint8_t *message, size_t length, const uint8_t *question, size_t question_length,
             struct dns_addresses *out);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log over the network: each line of the journal (core/journal.h) as a message of RFC 5424, in datagrams (RFC 5426)
 * or over TCP with its length before it (RFC 6587 3.4.1). syslog.c is the kernel thread that sends, syslog_message.c
 * makes messages and reads the setting, and knows nothing of sockets and threads.
 */
#pragma once

#include "core/journal.h"
#include "lib/types.h"

#define SYSLOG_PORT 514 /* RFC 5426 3.3; for TCP, too, as syslog daemons have it */

struct syslog_target {
    bool tcp;
    const char *host; /* a name or an IPv4 address */
    uint16_t port;
};
/* "syslog://HOST:PORT" or "syslog+tcp://HOST:PORT", where ":PORT" may be missing. Puts a NUL after the host; `out`
 * refers to the text. */
bool syslog_target_parse(char *text, struct syslog_target *out);

struct syslog_origin {
    const char *host_name;   /* of at most 64 characters; more are cut */
    const char *application; /* of at most 48 (RFC 5424 6); more are cut */
};
#define SYSLOG_MESSAGE 2048u /* bytes: RFC 5424 6.1: what receivers should take; the text leaves room for the rest */
/* Makes the message for a line: its length. There is no NUL after it. */
size_t syslog_format(char to[SYSLOG_MESSAGE], const struct syslog_origin *origin, const struct journal_line *line);

/* Starts the journal and the thread that sends it, once, after net_init(). The strings stay the caller's, for ever.
 * False: no memory. */
bool syslog_start(const struct syslog_target *target, const struct syslog_origin *origin);
/* The program has ended: sends what is left, for SYSLOG_END_PATIENCE at most. Sleeps. Harmless if not started. */
void syslog_end(void);
#define SYSLOG_END_PATIENCE (2 * NS_PER_SECOND)

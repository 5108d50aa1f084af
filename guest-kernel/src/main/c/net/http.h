/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 (RFC 9112) as far as the kernel needs it. A small client for what is asked once at boot: one request on a
 * connection of its own, an answer of known size, one deadline for everything. No redirects, no chunks, no TLS.
 * http_answer.c reads answers, http_request.c the requests for metrics; they know nothing of time or sockets, and
 * nothing that a peer sends is trusted.
 */
#pragma once

#include "net/address.h"

#define HTTP_HEADER_MAX 4096u /* bytes up to the empty line; common servers take 8 KiB, ours send far less */
#define HTTP_OK 200           /* RFC 9110 15 */
#define HTTP_BAD_REQUEST 400
#define HTTP_FORBIDDEN 403
#define HTTP_NOT_FOUND 404
#define HTTP_METHOD_NOT_ALLOWED 405
#define HTTP_HEADER_TOO_LARGE 431 /* RFC 6585 5 */
#define HTTP_UNAVAILABLE 503

struct http_answer {
    unsigned status;    /* 100..999 */
    size_t body;        /* where it begins, from the start of the answer */
    size_t body_length; /* 0 unless the status is HTTP_OK: the others are not read */
};

/*
 * Looks at the first `length` bytes of an answer. 1: all of it is there; 0: more is to come. -EBADMSG: not HTTP, or
 * without a length; -EMSGSIZE: a body larger than `limit` or a header larger than HTTP_HEADER_MAX; -EOPNOTSUPP: in a
 * transfer coding, such as chunks.
 */
int http_answer_read(const char *text, size_t length, size_t limit, struct http_answer *out);

/*
 * Sends `request`, a whole request that asks to close the connection, and reads the answer into `buffer`, which has
 * room for HTTP_HEADER_MAX + `limit` bytes. Sleeps until `deadline` (monotonic) at most. 0; -ETIMEDOUT; -ECONNRESET
 * when the answer ends early; as http_answer_read(), or as socket(2) and connect(2).
 */
int http_exchange(struct endpoint server, const char *request, char *buffer, size_t limit, nanoseconds deadline,
                  struct http_answer *answer);

/*
 * Looks at the first `length` bytes of a request. 0: more is to come; HTTP_OK: it is GET for `path`, whatever its
 * query, and its header is whole; HTTP_NOT_FOUND: GET for something else; HTTP_METHOD_NOT_ALLOWED; HTTP_BAD_REQUEST:
 * not HTTP/1; HTTP_HEADER_TOO_LARGE: larger than HTTP_HEADER_MAX.
 */
unsigned http_request_read(const char *text, size_t length, const char *path);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking EC2's metadata service for the user data: one exchange for a token and one with it, both in one buffer and
 * until one deadline. What the service answers is not trusted: a token becomes part of a header and so must be visible
 * characters only, and problems are reported in our own words.
 *
 * metadata_read_user_data() is called by linux/instance.c in the boot thread and sleeps; metadata_forbid() is called by
 * main.c after it. No lock but the net lock, for ip_forbid().
 */
#include "net/metadata.h"

#include "core/heap.h"
#include "core/log.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "net/http.h"
#include "net/ip6.h"
#include "net/net.h"

/* EC2 User Guide, "Access instance metadata". */
#define SERVICE ((struct endpoint){ ip_of_ipv4(0xa9fea9feu), 80 })
#define SERVICE_NAME "169.254.169.254"
#define TOKEN_SECONDS 60 /* 1..21600; it is used once and at once */
#define TOKEN_MAX 256u   /* EC2's have 56 characters */

static const char token_request[] = "PUT /latest/api/token HTTP/1.1\r\n"
                                    "Host: " SERVICE_NAME "\r\n"
                                    "X-aws-ec2-metadata-token-ttl-seconds: %d\r\n"
                                    "Content-Length: 0\r\n"
                                    "Connection: close\r\n\r\n";
static const char user_data_request[] = "GET /latest/user-data HTTP/1.1\r\n"
                                        "Host: " SERVICE_NAME "\r\n"
                                        "X-aws-ec2-metadata-token: %.*s\r\n"
                                        "Connection: close\r\n\r\n";

static const char *explain(int error)
{
    switch (-error) {
    case ETIMEDOUT:
        return "no answer from " SERVICE_NAME " in time";
    case ECONNREFUSED:
        return SERVICE_NAME " takes no connections";
    case ENETUNREACH:
    case EHOSTUNREACH:
        return "no way to " SERVICE_NAME;
    case ECONNRESET:
    case EPIPE:
        return SERVICE_NAME " ended the connection early";
    case EBADMSG:
        return "the answer of " SERVICE_NAME " is not HTTP with a length";
    case EMSGSIZE:
        return "the answer of " SERVICE_NAME " is larger than the 16 KiB that user data may have";
    case EOPNOTSUPP:
        return SERVICE_NAME " answers in a transfer coding, which is not supported";
    default:
        return NULL;
    }
}

static enum metadata_outcome failed(struct user_data *out, int error)
{
    const char *problem = explain(error);
    if (problem)
        string_copy(out->problem, problem, sizeof(out->problem));
    else
        format(out->problem, sizeof(out->problem), "%s while asking " SERVICE_NAME, errno_name(error));
    return METADATA_FAILED;
}

static enum metadata_outcome refused(struct user_data *out, const char *what, unsigned status)
{
    const char *hint = status == HTTP_FORBIDDEN ? ": it is switched off for this instance" : "";
    format(out->problem, sizeof(out->problem), SERVICE_NAME " answers status %u for %s%s", status, what, hint);
    return METADATA_FAILED;
}

/* It becomes part of a header, so it may hold nothing that ends one. */
static bool token_valid(const char *token, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (token[i] <= ' ' || token[i] > '~')
            return false;
    return length > 0 && length <= TOKEN_MAX;
}

/* Makes the request for the user data out of the answer with the token. */
static enum metadata_outcome get_token(char *answer, nanoseconds deadline, char *request, size_t size,
                                       struct user_data *out)
{
    struct http_answer http;
    format(request, size, token_request, TOKEN_SECONDS);
    int error = http_exchange(SERVICE, request, answer, USER_DATA_MAX, deadline, &http);
    if (error < 0)
        return failed(out, error);
    if (http.status != HTTP_OK)
        return refused(out, "a token of IMDSv2", http.status);
    if (!token_valid(answer + http.body, http.body_length)) {
        string_copy(out->problem, "the token of " SERVICE_NAME " cannot be one", sizeof(out->problem));
        return METADATA_FAILED;
    }
    format(request, size, user_data_request, (int)http.body_length, answer + http.body);
    return METADATA_FOUND;
}

static enum metadata_outcome get_user_data(char *answer, nanoseconds deadline, struct user_data *out)
{
    char request[sizeof(user_data_request) + TOKEN_MAX];
    struct http_answer http;
    enum metadata_outcome outcome = get_token(answer, deadline, request, sizeof(request), out);
    if (outcome != METADATA_FOUND)
        return outcome;
    int error = http_exchange(SERVICE, request, answer, USER_DATA_MAX, deadline, &http);
    if (error < 0)
        return failed(out, error);
    if (http.status == HTTP_NOT_FOUND)
        return METADATA_ABSENT;
    if (http.status != HTTP_OK)
        return refused(out, "the user data", http.status);
    memmove(answer, answer + http.body, http.body_length);
    out->length = http.body_length;
    return METADATA_FOUND;
}

void metadata_forbid(void)
{
    /* The second one is that of EC2's Nitro instances: EC2 User Guide, "Access instance metadata". */
    const struct ip_address services[] = { SERVICE.address, ip6_address(0xfd000ec200000000u, 0x254) };
    net_lock();
    ip_forbid(services, array_size(services));
    net_unlock();
}

enum metadata_outcome metadata_read_user_data(nanoseconds deadline, struct user_data *out)
{
    *out = (struct user_data){ 0 };
    char *answer = heap_allocate(HTTP_HEADER_MAX + USER_DATA_MAX);
    if (!answer)
        return failed(out, -ENOMEM);
    enum metadata_outcome outcome = get_user_data(answer, deadline, out);
    if (outcome == METADATA_FOUND)
        out->text = answer;
    else
        heap_free(answer);
    return outcome;
}

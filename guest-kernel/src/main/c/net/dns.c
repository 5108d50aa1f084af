/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking name servers (dns.h). An answer that does not fit a datagram is asked for again over TCP. Each question goes
 * out from a socket of its own with a random number: it has a port that is hard to guess, and only the server that was
 * asked can answer. The configuration is copied under the net lock by net_current(); nothing is kept between calls, so
 * any thread may make them.
 */
#include "net/dns.h"

#include "core/heap.h"
#include "core/random.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "net/bytes.h"
#include "net/kernel_socket.h"
#include "platform/platform.h"

#define SERVER_PORT 53
#define ANSWER_PATIENCE (2 * NS_PER_SECOND)

struct question {
    uint8_t bytes[DNS_QUESTION_MAX];
    size_t length;
};

static int exchange_datagrams(struct file *file, const struct question *question, nanoseconds deadline,
                              struct dns_addresses *out)
{
    uint8_t answer[DNS_ANSWER_MAX];
    int result = kernel_socket_send(file, question->bytes, question->length, deadline);
    if (result < 0)
        return result;
    do {
        ssize_type received = kernel_socket_receive(file, answer, sizeof(answer), deadline);
        if (received < 0)
            return (int)received;
        result = dns_read(answer, (size_t)received, question->bytes, question->length, out);
    } while (result == -EAGAIN);
    return result;
}

static int receive_all(struct file *file, uint8_t *to, size_t length, nanoseconds deadline)
{
    while (length > 0) {
        ssize_type received = kernel_socket_receive(file, to, length, deadline);
        if (received <= 0)
            return received == 0 ? -EBADMSG : (int)received;
        to += received;
        length -= (size_t)received;
    }
    return 0;
}

/* Messages have their length in front (RFC 1035 4.2.2). There is one answer, or none that counts. */
static int exchange_by_stream(struct file *file, const struct question *question, nanoseconds deadline,
                              struct dns_addresses *out)
{
    uint8_t prefix[2], message[sizeof(prefix) + DNS_QUESTION_MAX];
    write_be16(message, (uint16_t)question->length);
    memcpy(message + sizeof(prefix), question->bytes, question->length);
    int result = kernel_socket_send(file, message, sizeof(prefix) + question->length, deadline);
    if (result == 0)
        result = receive_all(file, prefix, sizeof(prefix), deadline);
    if (result < 0)
        return result;
    size_t length = read_be16(prefix);
    uint8_t *answer = heap_allocate(length);
    if (!answer)
        return -ENOMEM;
    result = receive_all(file, answer, length, deadline);
    if (result == 0)
        result = dns_read(answer, length, question->bytes, question->length, out);
    heap_free(answer);
    return result == -EAGAIN || result == -EMSGSIZE ? -EBADMSG : result;
}

static int ask_by(int type, ipv4_t server, const struct question *question, struct dns_addresses *out)
{
    struct file *file;
    nanoseconds deadline = clock_monotonic() + ANSWER_PATIENCE;
    int result = kernel_socket_connect(type, (struct endpoint){ ip_of_ipv4(server), SERVER_PORT }, deadline, &file);
    if (result < 0)
        return result;
    result = type == SOCK_DGRAM ? exchange_datagrams(file, question, deadline, out)
                                : exchange_by_stream(file, question, deadline, out);
    file_put(file);
    return result;
}

static int ask(ipv4_t server, const char *name, struct dns_addresses *out)
{
    struct question question;
    question.length = dns_make(question.bytes, name, (uint16_t)random_u64());
    if (question.length == 0)
        return -EINVAL;
    int result = ask_by(SOCK_DGRAM, server, &question, out);
    return result == -EMSGSIZE ? ask_by(SOCK_STREAM, server, &question, out) : result;
}

static bool is_address(const char *text, ipv4_t *address) { return ipv4_parse(&text, address) && *text == 0; }

bool dns_host_valid(const char *host)
{
    uint8_t question[DNS_QUESTION_MAX];
    ipv4_t address;
    return is_address(host, &address) || dns_make(question, host, 0) > 0;
}

int dns_resolve(const char *name, struct dns_addresses *out)
{
    struct net_configuration network;
    if (is_address(name, &out->items[0])) {
        out->count = 1;
        return 0;
    }
    net_current(&network);
    int result = -EDESTADDRREQ;
    for (unsigned i = 0; i < network.dns_count; i++) {
        result = ask(network.dns[i], name, out);
        if (result == 0 || result == -ENOENT || result == -EINVAL)
            break;
    }
    return result;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking name servers (dns.h). Each question goes out from a socket of its own with a random number: it has a port that
 * is hard to guess, and only the server that was asked can answer. The configuration is copied under the net lock by
 * net_current(); nothing is kept between calls, so any thread may make them.
 */
#include "net/dns.h"

#include "core/random.h"
#include "lib/errno.h"
#include "net/kernel_socket.h"
#include "platform/platform.h"

#define SERVER_PORT 53
#define ANSWER_PATIENCE (2 * NS_PER_SECOND)

static int exchange(struct file *file, const uint8_t *question, size_t length, nanoseconds deadline, ipv4_t *address)
{
    uint8_t answer[DNS_ANSWER_MAX];
    int result = kernel_socket_send(file, question, length, deadline);
    if (result < 0)
        return result;
    do {
        ssize_type received = kernel_socket_receive(file, answer, sizeof(answer), deadline);
        if (received < 0)
            return (int)received;
        result = dns_read(answer, (size_t)received, question, length, address);
    } while (result == -EAGAIN);
    return result;
}

static int ask(ipv4_t server, const char *name, ipv4_t *address)
{
    uint8_t question[DNS_QUESTION_MAX];
    struct file *file;
    nanoseconds deadline = clock_monotonic() + ANSWER_PATIENCE;
    size_t length = dns_make(question, name, (uint16_t)random_u64());
    if (length == 0)
        return -EINVAL;
    int result = kernel_socket_connect(SOCK_DGRAM, (struct endpoint){ server, SERVER_PORT }, deadline, &file);
    if (result < 0)
        return result;
    result = exchange(file, question, length, deadline, address);
    file_put(file);
    return result;
}

int dns_resolve(const char *name, ipv4_t *address)
{
    struct net_configuration network;
    const char *rest = name;
    if (ipv4_parse(&rest, address) && *rest == 0)
        return 0;
    net_current(&network);
    int result = -EDESTADDRREQ;
    for (unsigned i = 0; i < network.dns_count; i++) {
        result = ask(network.dns[i], name, address);
        if (result == 0 || result == -ENOENT || result == -EINVAL)
            break;
    }
    return result;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stack against Linux's own over a TAP device: every protocol both ways, with offloads and
 * without, over good and bad lines.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net/linux_tests.h"

#define CHUNK 60000

static struct sockaddr_in stack_address(uint16_t port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x0a090002) };
}

/* ---- The peers' parts, in Linux processes ------------------------------------------------------------------ */

static uint16_t icmp_checksum(const uint8_t *data, size_t length)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < length; i++)
        sum += i % 2 == 0 ? (uint32_t)data[i] << 8 : data[i];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

/* Pings with `length` bytes and compares what comes back. */
int peer_ping(const void *context)
{
    size_t length = *(const size_t *)context;
    uint8_t out[9000] = { 0 }, in[9100];
    struct icmphdr *icmp = (void *)out;
    struct sockaddr_in to = stack_address(0);
    struct timeval patience = { 3, 0 };
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    PEER_CHECK(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    for (size_t i = sizeof(*icmp); i < length; i++)
        out[i] = (uint8_t)(i * 7);
    icmp->type = ICMP_ECHO;
    icmp->un.echo.id = htons(77);
    icmp->checksum = icmp_checksum(out, length);
    PEER_CHECK(sendto(fd, out, length, 0, (void *)&to, sizeof(to)) == (ssize_t)length);
    ssize_t got = recv(fd, in, sizeof(in), 0);
    PEER_CHECK(got == (ssize_t)length + 20);
    PEER_CHECK(in[20] == ICMP_ECHOREPLY);
    PEER_CHECK(memcmp(in + 28, out + 8, length - 8) == 0);
    return 0;
}

/* Sends datagrams of growing size; each must come back as it was. */
int peer_udp_echo(const void *context)
{
    static uint8_t out[65536], in[65536];
    struct sockaddr_in to = stack_address(*(const uint16_t *)context);
    struct timeval patience = { 3, 0 };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    PEER_CHECK(connect(fd, (void *)&to, sizeof(to)) == 0);
    static const size_t sizes[] = { 0, 1, 100, 1472, 1473, 5000, 20000, 65507 };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        memset(out, (int)i + 1, sizes[i]);
        PEER_CHECK(send(fd, out, sizes[i], 0) == (ssize_t)sizes[i]);
        PEER_CHECK(recv(fd, in, sizeof(in), 0) == (ssize_t)sizes[i]);
        PEER_CHECK(memcmp(in, out, sizes[i]) == 0);
    }
    return 0;
}

int peer_udp_refused(const void *context)
{
    struct sockaddr_in to = stack_address(*(const uint16_t *)context);
    struct timeval patience = { 3, 0 };
    char byte = 1;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    PEER_CHECK(connect(fd, (void *)&to, sizeof(to)) == 0 && send(fd, &byte, 1, 0) == 1);
    PEER_CHECK(recv(fd, &byte, 1, 0) < 0 && errno == ECONNREFUSED);
    return 0;
}

/* Both directions at once: a child sends, this one receives and compares. */
int peer_exchange(const void *context)
{
    const struct exchange *x = context;
    static uint8_t out[CHUNK], in[CHUNK];
    int fd = x->listener >= 0 ? accept(x->listener, NULL, NULL) : peer_connect(x->port);
    PEER_CHECK(fd >= 0);
    pid_t sender = fork();
    if (sender == 0) {
        for (uint64_t at = 0; at < x->to_stack; at += CHUNK) {
            size_t length = x->to_stack - at < CHUNK ? x->to_stack - at : CHUNK;
            peer_pattern(x->seed, at, out, length);
            if (peer_send_all(fd, out, length) < 0)
                _exit(1);
        }
        _exit(shutdown(fd, SHUT_WR) == 0 ? 0 : 1);
    }
    uint64_t at = 0;
    for (;;) {
        ssize_t got = recv(fd, in, sizeof(in), 0);
        PEER_CHECK(got >= 0);
        if (got == 0)
            break;
        peer_pattern(x->seed + 1, at, out, (size_t)got);
        PEER_CHECK(memcmp(in, out, (size_t)got) == 0);
        at += (uint64_t)got;
    }
    PEER_CHECK(at == x->from_stack);
    PEER_CHECK(peer_child_result(sender) == 0);
    return 0;
}

/* Opens many connections at once, then uses each: request and answer, several times. */
int peer_many(const void *context)
{
    const struct many *many = context;
    int *fds = calloc(many->count, sizeof(int));
    struct rlimit limit = { 8192, 8192 };
    setrlimit(RLIMIT_NOFILE, &limit);
    for (unsigned i = 0; i < many->count; i++)
        PEER_CHECK((fds[i] = peer_connect(many->port)) >= 0);
    for (unsigned round = 0; round < many->rounds; round++) {
        for (unsigned i = 0; i < many->count; i++) {
            uint32_t request = i * 1000 + round;
            PEER_CHECK(peer_send_all(fds[i], &request, sizeof(request)) == 0);
        }
        for (unsigned i = 0; i < many->count; i++) {
            uint32_t answer;
            PEER_CHECK(peer_receive_all(fds[i], &answer, sizeof(answer)) == 0);
            PEER_CHECK(answer == (i * 1000 + round) * 2 + 1);
        }
    }
    for (unsigned i = 0; i < many->count; i++)
        close(fds[i]);
    free(fds);
    return 0;
}

/* Connects, uses and closes, one after the other. */
int peer_sequential(const void *context)
{
    const struct many *many = context;
    for (unsigned i = 0; i < many->count; i++) {
        uint32_t request = i, answer;
        int fd = peer_connect(many->port);
        PEER_CHECK(fd >= 0);
        PEER_CHECK(peer_send_all(fd, &request, sizeof(request)) == 0);
        PEER_CHECK(peer_receive_all(fd, &answer, sizeof(answer)) == 0 && answer == request * 2 + 1);
        close(fd);
    }
    return 0;
}

/* Sends everything before the stack reads a byte: the window closes and must open again. */
int peer_push(const void *context)
{
    const struct exchange *x = context;
    uint8_t *data = malloc(x->to_stack), last;
    int fd = peer_connect(x->port);
    PEER_CHECK(fd >= 0);
    peer_pattern(x->seed, 0, data, x->to_stack);
    PEER_CHECK(peer_send_all(fd, data, x->to_stack) == 0);
    PEER_CHECK(shutdown(fd, SHUT_WR) == 0);
    PEER_CHECK(recv(fd, &last, 1, 0) == 0);
    free(data);
    return 0;
}

/* Reads nothing for a while, with a small buffer, then everything. */
int peer_slow_reader(const void *context)
{
    const struct exchange *x = context;
    int size = 4096;
    static uint8_t in[CHUNK], expected[CHUNK];
    struct sockaddr_in to = stack_address(x->port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    PEER_CHECK(connect(fd, (void *)&to, sizeof(to)) == 0);
    nanosleep(&(struct timespec){ 1, 500000000 }, NULL); /* the peer's slowness is what is tested */
    uint64_t at = 0;
    for (ssize_t got; (got = recv(fd, in, sizeof(in), 0)) != 0; at += (uint64_t)got) {
        PEER_CHECK(got > 0);
        peer_pattern(x->seed + 1, at, expected, (size_t)got);
        PEER_CHECK(memcmp(in, expected, (size_t)got) == 0);
    }
    PEER_CHECK(at == x->from_stack);
    return 0;
}

/* Ends the connection by a reset. */
int peer_reset(const void *context)
{
    struct linger linger = { 1, 0 };
    char byte = 'x';
    int fd = peer_connect(*(const uint16_t *)context);
    PEER_CHECK(fd >= 0 && peer_send_all(fd, &byte, 1) == 0);
    PEER_CHECK(peer_receive_all(fd, &byte, 1) == 0);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    close(fd);
    return 0;
}

/* Expects the stack to reset it. */
int peer_expect_reset(const void *context)
{
    char byte = 'x';
    int fd = peer_connect(*(const uint16_t *)context);
    PEER_CHECK(fd >= 0 && peer_send_all(fd, &byte, 1) == 0);
    PEER_CHECK(recv(fd, &byte, 1, 0) < 0 && errno == ECONNRESET);
    return 0;
}

int peer_refused(const void *context)
{
    PEER_CHECK(peer_connect(*(const uint16_t *)context) < 0 && errno == ECONNREFUSED);
    return 0;
}

/* Reads to the end what the stack sent before it shut down. */
int peer_reads_to_the_end(const void *context)
{
    const struct exchange *x = context;
    static uint8_t in[CHUNK], expected[CHUNK];
    uint64_t at = 0;
    int fd = peer_connect(x->port);
    PEER_CHECK(fd >= 0);
    for (ssize_t got; (got = recv(fd, in, sizeof(in), 0)) != 0; at += (uint64_t)got) {
        PEER_CHECK(got > 0);
        peer_pattern(x->seed + 1, at, expected, (size_t)got);
        PEER_CHECK(memcmp(in, expected, (size_t)got) == 0);
    }
    PEER_CHECK(at == x->from_stack);
    return 0;
}

int peer_chronyd(const void *pid_file)
{
    char keep[64];
    snprintf(keep, sizeof(keep), "pidfile %s", (const char *)pid_file);
    execlp("chronyd", "chronyd", "-x", "-d", "-u", "root", "-L", "3", keep, "local stratum 8", "allow all", "cmdport 0",
           "bindcmdaddress /", (char *)NULL);
    return __LINE__;
}

static const char rsyslog_configuration[] =
    "global(workDirectory=\"%1$s\")\n"
    "module(load=\"imudp\")\n"
    "module(load=\"imtcp\")\n"
    "template(name=\"fields\" type=\"string\""
    " string=\"%%pri%%|%%hostname%%|%%app-name%%|%%procid%%|%%msgid%%|%%msg%%\\n\")\n"
    "ruleset(name=\"all\") { action(type=\"omfile\" file=\"%1$s/received\" template=\"fields\") }\n"
    "input(type=\"imudp\" address=\"10.9.0.1\" port=\"514\" ruleset=\"all\")\n"
    "input(type=\"imtcp\" address=\"10.9.0.1\" port=\"514\" ruleset=\"all\")\n";

int peer_rsyslogd(const void *directory)
{
    char configuration[128], process[128];
    snprintf(configuration, sizeof(configuration), "%s/configuration", (const char *)directory);
    snprintf(process, sizeof(process), "%s/process", (const char *)directory);
    FILE *file = fopen(configuration, "w");
    PEER_CHECK(file && fprintf(file, rsyslog_configuration, (const char *)directory) > 0 && fclose(file) == 0);
    execlp("rsyslogd", "rsyslogd", "-n", "-f", configuration, "-i", process, (char *)NULL);
    return __LINE__;
}

bool peer_has_rsyslogd(void) { return system("command -v rsyslogd >/dev/null") == 0; }

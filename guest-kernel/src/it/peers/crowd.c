/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many clients of a server in a guest, over Linux's own TCP:
 *
 *   crowd hold COUNT SECONDS     opens COUNT connections and has a request answered on each, keeps all of them for
 *                                SECONDS, and has another answered on each; the server is Crowd.java
 *   crowd keep COUNT SECONDS     the same; the server is target.c
 *   crowd rate RATE SECONDS      opens RATE connections a second, each for one request, after which the server closes
 *                                it; the server is target.c
 *
 * Each answer is compared. A connection that is refused, reset, or ends without its answer ends the program, which says
 * which one it was; only a SYN that was repeated for two minutes in vain is counted instead, for the rate that is too
 * high. What the server reports of its memory and sockets is printed before, during and after. When all is over its
 * sockets must be what they were, and its free memory too, unless that is a JVM's, which keeps what it likes.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest_cpu.h"
#include "protocol.h"

#define TARGET 0x0a090002u
#define FIRST_SOURCE 0x0a090010u
#define SOURCES 32u /* addresses of ours; each has its own ports */
#define PORT 8080
#define OPENING 64u           /* at once, less than the server's backlog */
#define OUTSTANDING 15000u    /* clients of a rate at once; then the server is too slow for it by far */
#define PATIENCE_MS 300000    /* in which nothing at all happens */
#define MEMORY_TOLERANCE 4096 /* KiB: what the kernel's heap keeps for later, and target.c's for a list of sockets */
#define RETURN_TIME 200u      /* seconds: TIME_WAIT takes 60 */
#define STATISTICS UINT32_MAX /* the number of the client that asks for those */

enum state { CLOSED, CONNECTING, ASKING, IDLE };
static struct client {
    int file;
    enum state state;
    uint32_t number;
    unsigned have;
    uint64_t began;
    char answer[600];
} * clients;
static int epoll;
static pid_t emulator;
static unsigned busy; /* clients that connect or wait for an answer */
static uint64_t answered, slowest_ns;
static uint64_t unanswered; /* clients whose SYN was never answered */
static bool http;           /* to Crowd.java, and not to target.c */
static bool closing;        /* connections are for one request each */
/* What the server said last. */
static struct statistics {
    long memory; /* free, KiB */
    unsigned established, others;
} reported;

static _Noreturn void lost(const struct client *client, const char *what)
{
    printf("not ok crowd: client %u, after %lu answers and %.3f s: %s: %s\n", client->number, (unsigned long)answered,
           (double)(now_ns() - client->began) / 1e9, what, strerror(errno));
    exit(1);
}

/* ---- One client --------------------------------------------------------------------------------------------- */

static void watch(struct client *client, int operation, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = client };
    if (epoll_ctl(epoll, operation, client->file, &event) != 0)
        lost(client, "epoll_ctl");
}

static void begin(struct client *client, uint32_t number)
{
    int on = 1;
    struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(FIRST_SOURCE + number % SOURCES) };
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(TARGET) };
    *client = (struct client){ .file = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
                               .state = CONNECTING,
                               .number = number,
                               .began = now_ns() };
    setsockopt(client->file, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    if (client->file < 0 || bind(client->file, (struct sockaddr *)&from, sizeof(from)) != 0)
        lost(client, "bind");
    if (connect(client->file, (struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS)
        lost(client, "connect");
    watch(client, EPOLL_CTL_ADD, EPOLLOUT);
    busy++;
}

/* Of the answer that target.c is asked for: different for each client. */
static unsigned size_of(const struct client *client)
{
    return client->number == STATISTICS ? STATISTICS_LENGTH : 1 + client->number % 500;
}

static int write_request(const struct client *client, char *to, size_t room)
{
    char kind = client->number == STATISTICS ? 's' : closing ? 'c' : 'g';
    if (!http)
        return snprintf(to, room, "%c%06x\n", kind, size_of(client));
    if (client->number == STATISTICS)
        return snprintf(to, room, "GET /statistics HTTP/1.1\r\nHost: target\r\n\r\n");
    return snprintf(to, room, "GET /%u HTTP/1.1\r\nHost: target\r\n\r\n", client->number);
}

static void ask(struct client *client)
{
    char request[200];
    int length = write_request(client, request, sizeof(request));
    client->state = ASKING;
    client->have = 0;
    if (send(client->file, request, (size_t)length, MSG_NOSIGNAL) != length)
        lost(client, "send");
    watch(client, EPOLL_CTL_MOD, EPOLLIN);
}

/* The body of HTTP's answer, when all of it is there. */
static const char *whole_body(struct client *client)
{
    client->answer[client->have] = 0;
    const char *end = strstr(client->answer, "\r\n\r\n"), *length = strcasestr(client->answer, "content-length:");
    if (end == NULL)
        return NULL;
    if (length == NULL || strncmp(client->answer, "HTTP/1.1 200 ", 13) != 0)
        lost(client, client->answer);
    return strlen(end + 4) >= strtoul(length + 15, NULL, 10) ? end + 4 : NULL;
}

static void compare_pattern(const struct client *client)
{
    for (unsigned i = 0; i < client->have; i++)
        if ((unsigned char)client->answer[i] != (i + size_of(client)) % PATTERN_PERIOD)
            lost(client, "an answer has other contents");
}

static void compare_text(const struct client *client, const char *body)
{
    char expected[40];
    snprintf(expected, sizeof(expected), "answer %u\n", client->number);
    if (strcmp(body, expected) != 0)
        lost(client, body);
}

static unsigned long number_after(const char *text, const char *word)
{
    const char *at = strstr(text, word);
    return at == NULL ? 0 : strtoul(at + strlen(word), NULL, 10);
}

static void take_statistics(const char *body)
{
    reported.memory = (long)number_after(body, "free ");
    reported.established = (unsigned)number_after(body, "established ");
    reported.others = (unsigned)(number_after(body, "half-open ") + number_after(body, "time-wait ") +
                                 number_after(body, "closing "));
    printf("# %.*s\n", (int)strcspn(body, "\n"), body);
}

/* Is the answer complete? Then it is compared, or printed. With target.c the end of the connection belongs to it. */
static bool complete(struct client *client, bool ended)
{
    const char *body = http ? whole_body(client) : client->answer;
    bool statistics = client->number == STATISTICS;
    if (http ? body == NULL : client->have < size_of(client) || (closing && !ended && !statistics))
        return false;
    if (statistics)
        take_statistics(body);
    else if (!http)
        compare_pattern(client);
    else
        compare_text(client, body);
    return true;
}

static void finish(struct client *client)
{
    uint64_t took = now_ns() - client->began;
    slowest_ns = took > slowest_ns ? took : slowest_ns;
    busy--;
    if (client->number != STATISTICS)
        answered++;
    bool stays = !closing && client->number != STATISTICS;
    client->state = stays ? IDLE : CLOSED;
    if (!stays)
        close(client->file);
}

static void receive(struct client *client)
{
    ssize_t count = recv(client->file, client->answer + client->have, sizeof(client->answer) - 1 - client->have, 0);
    if (count < 0 && errno == EAGAIN)
        return;
    if (count < 0 || client->state == IDLE)
        lost(client, client->state == IDLE ? "ended while idle" : "no answer");
    client->have += (unsigned)count;
    if (complete(client, count == 0)) {
        finish(client);
    } else if (count == 0) {
        errno = EPIPE;
        lost(client, "no whole answer");
    }
}

/* A server that is asked for more than it can do drops SYNs; Linux gives up after two minutes of repeating them. */
static void turned_away(struct client *client)
{
    close(client->file);
    client->state = CLOSED;
    busy--;
    unanswered++;
}

static void connected(struct client *client)
{
    socklen_t length = sizeof(errno);
    int error = 0;
    getsockopt(client->file, SOL_SOCKET, SO_ERROR, &error, &length);
    errno = error;
    if (closing && error == ETIMEDOUT)
        turned_away(client);
    else if (error != 0)
        lost(client, "connect");
    else
        ask(client);
}

/* ---- All of them ---------------------------------------------------------------------------------------------- */

static void serve(int timeout_ms)
{
    struct epoll_event events[256];
    int count = epoll_wait(epoll, events, 256, timeout_ms);
    for (int i = 0; i < count; i++) {
        struct client *client = events[i].data.ptr;
        if (client->state == CONNECTING)
            connected(client);
        else
            receive(client);
    }
    if (count == 0 && timeout_ms == PATIENCE_MS) {
        printf("not ok crowd: nothing happened for %d s; %u clients wait\n", PATIENCE_MS / 1000, busy);
        exit(1);
    }
}

/* The server counts its sockets. */
static void statistics(const char *when)
{
    static struct client asking;
    printf("# %s:\n", when);
    begin(&asking, STATISTICS);
    while (asking.state != CLOSED)
        serve(PATIENCE_MS);
}

static void open_all(uint32_t count)
{
    for (uint32_t next = 0; next < count || busy > 0;) {
        while (next < count && busy < OPENING) {
            begin(&clients[next], next);
            next++;
        }
        serve(PATIENCE_MS);
    }
}

static void ask_all(uint32_t count)
{
    for (uint32_t next = 0; next < count || busy > 0;) {
        while (next < count && busy < OPENING) {
            clients[next].began = now_ns();
            busy++;
            ask(&clients[next++]);
        }
        serve(PATIENCE_MS);
    }
}

static void serve_for(double seconds)
{
    for (uint64_t end = now_ns() + (uint64_t)(seconds * 1e9); now_ns() < end;)
        serve(100);
}

static bool returned(const struct statistics *start)
{
    return reported.established == start->established && reported.others == 0 &&
           (http || reported.memory + MEMORY_TOLERANCE >= start->memory);
}

/* What is waited for are the guest's own timeouts. */
static bool await_return(const struct statistics *start)
{
    uint64_t began = now_ns();
    statistics("after");
    while (!returned(start) && now_ns() - began < RETURN_TIME * 1000000000ULL) {
        serve_for(5);
        statistics("later");
    }
    printf("%s crowd.%s, %.0f s later\n", returned(start) ? "ok" : "not ok",
           http ? "sockets_return" : "memory_and_sockets_return", (double)(now_ns() - began) / 1e9);
    return returned(start);
}

static void hold(uint32_t count, double seconds)
{
    uint64_t began = now_ns();
    open_all(count);
    printf("# %u connections are open after %.1f s\n", count, (double)(now_ns() - began) / 1e9);
    statistics("all are open");
    serve_for(seconds);
    ask_all(count);
    if (answered != 2ull * count)
        exit(1);
    statistics("all have answered again");
    for (uint32_t i = 0; i < count; i++)
        close(clients[i].file);
    printf("ok crowd.%u connections each answered twice, the slowest answer took %.2f s\n", count,
           (double)slowest_ns / 1e9);
}

/* Clients of the same place in the table do not overlap: a place is taken only when it is free. */
static bool run_rate(double rate, double seconds)
{
    uint64_t began = now_ns(), cpu = guest_cpu_ns(emulator), elapsed = 0;
    uint32_t next = 0, delayed = 0;
    unsigned most = 0;
    while (elapsed < (uint64_t)(seconds * 1e9) || busy > 0) {
        elapsed = now_ns() - began;
        uint64_t due = (uint64_t)((double)elapsed / 1e9 * rate);
        for (; next < due && elapsed < (uint64_t)(seconds * 1e9); next++) {
            if (clients[next % OUTSTANDING].state != CLOSED) {
                delayed++;
                break;
            }
            begin(&clients[next % OUTSTANDING], next);
        }
        most = busy > most ? busy : most;
        serve(busy == 0 || elapsed < (uint64_t)(seconds * 1e9) ? 1 : PATIENCE_MS);
    }
    double wall = (double)(now_ns() - began) / 1e9;
    printf("# %u connections in %.1f s: %.0f a second, at most %u at once, the slowest took %.2f s; the guest used "
           "%.2f of a CPU, %.0f connections for each second of it; %u delayed\n",
           next, wall, next / wall, most, (double)slowest_ns / 1e9, (double)(guest_cpu_ns(emulator) - cpu) / 1e9 / wall,
           next / ((double)(guest_cpu_ns(emulator) - cpu) / 1e9), delayed);
    bool all = answered + unanswered == next;
    printf("%s crowd.%.0f new connections a second for %.0f s: %lu answered, %lu never accepted\n",
           all ? "ok" : "not ok", rate, seconds, (unsigned long)answered, (unsigned long)unanswered);
    return all;
}

static void raise_limit(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max >= OUTSTANDING + 100)
        return;
    printf("not ok crowd: only %lu files may be open here; raise the hard limit (ulimit -Hn) to %u\n",
           (unsigned long)limit.rlim_max, OUTSTANDING + 100);
    exit(1);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    raise_limit();
    epoll = epoll_create1(0);
    if (scanf("%d", &emulator) != 1)
        return 1;
    http = strcmp(argv[1], "hold") == 0;
    closing = strcmp(argv[1], "rate") == 0;
    uint32_t count = closing ? OUTSTANDING : (uint32_t)atoi(argv[2]);
    clients = calloc(count, sizeof(*clients));
    statistics("before");
    struct statistics start = reported;
    bool good = true;
    if (closing)
        good = run_rate(atof(argv[2]), atof(argv[3]));
    else
        hold(count, atof(argv[3]));
    return await_return(&start) && good ? 0 : 1;
}

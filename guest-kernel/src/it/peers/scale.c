/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clients of target.c for guests with several CPUs: `scale CPUS REQUESTS`. FLOWS connections are open at a time,
 * and each waits for one answer. First they are kept for all their requests, then each is closed by the server after
 * one. Each answer is compared, and a connection that ends without one ends the program. For both it prints the CPU
 * time of the guest and the wall-clock time; at the end it has the server end.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest_cpu.h"
#include "protocol.h"

#define TARGET 0x0a090002u
#define PORT 8080
#define FLOWS 32u
#define ANSWER 100u        /* bytes */
#define PATIENCE_MS 300000 /* in which nothing at all happens */

static struct flow {
    int file;
    unsigned have;
} flows[FLOWS];
static int epoll;
static pid_t emulator;
static bool closing; /* connections are for one request each */

static _Noreturn void fail(const char *what)
{
    printf("not ok scale: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void ask(struct flow *flow, char kind)
{
    char request[REQUEST_LENGTH + 1];
    snprintf(request, sizeof(request), "%c%06x\n", kind, ANSWER);
    flow->have = 0;
    if (send(flow->file, request, REQUEST_LENGTH, MSG_NOSIGNAL) != REQUEST_LENGTH)
        fail("send");
}

static void open_flow(struct flow *flow)
{
    int on = 1;
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(TARGET) };
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = flow };
    flow->file = socket(AF_INET, SOCK_STREAM, 0);
    if (flow->file < 0 || connect(flow->file, (struct sockaddr *)&to, sizeof(to)) != 0)
        fail("connect");
    setsockopt(flow->file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, flow->file, &event) != 0)
        fail("epoll_ctl");
}

static void close_flow(struct flow *flow)
{
    close(flow->file);
    flow->file = -1;
}

/* True: the answer is complete, and where the server is to close the connection, it has. */
static bool receive(struct flow *flow)
{
    unsigned char bytes[ANSWER + 1];
    ssize_t count = recv(flow->file, bytes, sizeof(bytes), 0);
    if (count < 0 || (count == 0 && (!closing || flow->have < ANSWER)))
        fail("a connection ended within an answer");
    for (ssize_t i = 0; i < count; i++, flow->have++)
        if (flow->have >= ANSWER || bytes[i] != (flow->have + ANSWER) % PATTERN_PERIOD)
            fail("an answer has other contents");
    return closing ? count == 0 : flow->have == ANSWER;
}

static void next_request(struct flow *flow)
{
    if (closing) {
        close_flow(flow);
        open_flow(flow);
    }
    ask(flow, closing ? 'c' : 'g');
}

static void run_requests(unsigned requests)
{
    unsigned asked = 0, answered = 0;
    for (; asked < FLOWS && asked < requests; asked++) {
        if (closing)
            open_flow(&flows[asked]);
        ask(&flows[asked], closing ? 'c' : 'g');
    }
    while (answered < requests) {
        struct epoll_event events[FLOWS];
        int count = epoll_wait(epoll, events, FLOWS, PATIENCE_MS);
        if (count <= 0)
            fail("the guest does not answer any more");
        for (int i = 0; i < count; i++) {
            struct flow *flow = events[i].data.ptr;
            if (!receive(flow))
                continue;
            answered++;
            if (asked < requests) {
                next_request(flow);
                asked++;
            } else if (closing) {
                close_flow(flow);
            }
        }
    }
}

static void measure(const char *cpus, const char *job, unsigned requests)
{
    uint64_t busy = guest_cpu_ns(emulator), began = now_ns();
    run_requests(requests);
    printf("scale %s %-12s CPU %.3f s, time %.3f s\n", cpus, job, (double)(guest_cpu_ns(emulator) - busy) / 1e9,
           (double)(now_ns() - began) / 1e9);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    char line[64];
    unsigned requests = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    if (requests == 0)
        return 2;
    if (fgets(line, sizeof(line), stdin) == NULL || (emulator = (pid_t)atoi(line)) == 0)
        fail("the guest did not start");
    epoll = epoll_create1(0);
    for (unsigned i = 0; i < FLOWS; i++)
        open_flow(&flows[i]);
    run_requests(requests / 10); /* what is done once is done */
    measure(argv[1], "keep-alive", requests);
    for (unsigned i = 0; i < FLOWS; i++)
        close_flow(&flows[i]);
    closing = true;
    measure(argv[1], "connections", requests);
    open_flow(&flows[0]);
    ask(&flows[0], 'q');
    return 0;
}

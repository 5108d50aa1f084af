/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Throughput over bad lines beside Linux's own TCP: the same line (tap.c) with the same chances once between the stack
 * and Linux and once between two Linux, both at the same time, so that they share the machine's load. Prints, for each
 * line and direction, both rates and their ratio; asserts nothing.
 *
 *   bench_net_lines [SECONDS [ROUNDS [ALGORITHM [LINE]]]]
 *
 * SECONDS of each measurement, default 20; ROUNDS, default 8; ALGORITHM for all of Linux's connections, default cubic,
 * which is that of the stack; LINE, from 1 on, default all.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/errno.h"
#include "net/bench_lines.h"
#include "net/tap.h"

#define ROUNDS 64u
#define RATE 2500000u /* 20 Mbit/s: of the line, not of the busy machine that makes it */

static const struct {
    const char *name;
    struct impairments impairments;
} lines[] = {
    { "50 ms", { .delay = 25 * NS_PER_MS, .rate = RATE } },
    { "50 ms, 1 % loss", { .delay = 25 * NS_PER_MS, .rate = RATE, .loss = 0.01 } },
    { "50 ms, 5 % loss", { .delay = 25 * NS_PER_MS, .rate = RATE, .loss = 0.05 } },
    { "50 ms, 1 % reordered", { .delay = 25 * NS_PER_MS, .rate = RATE, .reordering = 0.01 } },
    { "50 ms, 1 % loss, 1 % reordered", { .delay = 25 * NS_PER_MS, .rate = RATE, .loss = 0.01, .reordering = 0.01 } },
    { "50 ms, 5 % loss, 1 % reordered", { .delay = 25 * NS_PER_MS, .rate = RATE, .loss = 0.05, .reordering = 0.01 } },
};

struct measurement {
    unsigned line;
    bool send; /* the stack, or what is in its place, sends */
    unsigned round;
    nanoseconds time;
};

/* Received, shared with the processes: for each round the stack's, and that of Linux in its place. */
static volatile uint64_t (*bytes)[2];

static void fail(const char *what)
{
    fprintf(stderr, "%s; this needs root and /dev/net/tun\n", what);
    exit(2);
}

/* ---- Linux and Linux ---------------------------------------------------------------------------------------- */

static void between_linux(const struct measurement *m)
{
    uint16_t port;
    uint32_t target = m->send ? LINUX_ADDRESS : STACK_ADDRESS;
    if (!tap_start_between())
        fail("cannot make two name spaces with a TAP device each");
    tap_enter(!m->send);
    int listener = linux_listen(target, &port);
    if (listener < 0)
        fail("cannot listen");
    pid_t receiver = linux_receiver(listener, &bytes[m->round][1]);
    tap_enter(m->send);
    pid_t sender = linux_sender(target, port);
    tap_impairments = lines[m->line].impairments;
    tap_idle(m->time);
    linux_stop(sender);
    linux_stop(receiver);
}

/* ---- The stack and Linux ------------------------------------------------------------------------------------ */

static const struct measurement *current;

static bool send_more(void *context)
{
    static char block[65536];
    while (stack_send(context, block, sizeof(block), MSG_DONTWAIT) > 0)
        ;
    return false;
}

static bool receive_more(void *context)
{
    static char block[65536];
    for (ssize_type got; (got = stack_receive(context, block, sizeof(block), MSG_DONTWAIT)) > 0;)
        bytes[current->round][0] += (uint64_t)got;
    return false;
}

static bool connected(void *context) { return stack_poll(context) & POLLOUT; }

static bool accepted(void *context) { return stack_poll(context) & POLLIN; }

static void stack_sends(const struct measurement *m)
{
    uint16_t port;
    int listener = linux_listen(LINUX_ADDRESS, &port);
    pid_t receiver = linux_receiver(listener, &bytes[m->round][0]);
    struct file *file = stack_socket(SOCK_STREAM);
    nanoseconds end = clock_monotonic() + m->time;
    stack_nonblocking(file);
    stack_connect(file, LINUX_ADDRESS, port);
    if (tap_run(connected, file, m->time))
        tap_run(send_more, file, end - clock_monotonic());
    linux_stop(receiver);
}

static void stack_receives(const struct measurement *m)
{
    struct file *listener = stack_listener(8), *file = NULL;
    pid_t sender = linux_sender(STACK_ADDRESS, stack_port(listener));
    nanoseconds end = clock_monotonic() + m->time;
    if (tap_run(accepted, listener, m->time) && stack_accept(listener, &file) == 0)
        tap_run(receive_more, file, end - clock_monotonic());
    linux_stop(sender);
}

static void measure_stack(void)
{
    tap_impairments = lines[current->line].impairments;
    if (current->send)
        stack_sends(current);
    else
        stack_receives(current);
}

static void with_stack(const struct measurement *m)
{
    if (!tap_start())
        fail("cannot make a name space with a TAP device");
    current = m;
    tap_test(lines[m->line].name, measure_stack);
}

/* ---- Both ---------------------------------------------------------------------------------------------------- */

static pid_t start(void (*work)(const struct measurement *m), const struct measurement *m)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    if (freopen("/dev/null", "w", stdout) == NULL)
        fail("no /dev/null");
    host_init();
    host_real_clock();
    tap_seed(m->round + 1);
    work(m);
    _exit(0);
}

static void print(unsigned line, bool send, nanoseconds time, unsigned rounds)
{
    double kilobytes[2] = { 0, 0 };
    for (unsigned round = 0; round < rounds; round++)
        for (unsigned i = 0; i < 2; i++)
            kilobytes[i] += (double)bytes[round][i] / 1000 / ((double)time / NS_PER_SECOND) / rounds;
    printf("| %s | %s | %.0f | %.0f | %.2f |\n", lines[line].name, send ? "sends" : "receives", kilobytes[0],
           kilobytes[1], kilobytes[0] / kilobytes[1]);
    fflush(stdout);
}

/* Lossy lines carry so little that their rounds run at the same time. */
static void compare(unsigned line, bool send, nanoseconds time, unsigned rounds)
{
    unsigned at_once = lines[line].impairments.loss > 0 ? rounds : 1;
    for (unsigned first = 0; first < rounds; first += at_once) {
        pid_t running[2 * ROUNDS];
        for (unsigned i = 0; i < at_once; i++) {
            struct measurement m = { line, send, first + i, time };
            bytes[m.round][0] = bytes[m.round][1] = 0;
            running[2 * i] = start(with_stack, &m);
            running[2 * i + 1] = start(between_linux, &m);
        }
        for (unsigned i = 0; i < 2 * at_once; i++)
            linux_await(running[i]);
    }
    print(line, send, time, rounds);
}

int main(int argc, char **argv)
{
    nanoseconds time = (nanoseconds)(argc > 1 ? atoi(argv[1]) : 20) * NS_PER_SECOND;
    unsigned rounds = argc > 2 ? min_of((unsigned)atoi(argv[2]), ROUNDS) : 8;
    linux_algorithm = argc > 3 ? argv[3] : "cubic";
    bytes = mmap(NULL, ROUNDS * sizeof(*bytes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    printf("| Line | The stack | kB/s | Linux in its place, kB/s | Ratio |\n|---|---|---|---|---|\n");
    for (unsigned line = 0; line < sizeof(lines) / sizeof(lines[0]); line++)
        for (unsigned send = 2; send-- > 0;)
            if (argc <= 4 || (unsigned)atoi(argv[4]) == line + 1)
                compare(line, send, time, rounds);
    return 0;
}

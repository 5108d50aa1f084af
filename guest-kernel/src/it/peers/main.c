/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile peers against a guest: `peers SECONDS ROUNDS MULTIPLE [ATTACK...]`, in a name space of its own with a TAP
 * interface tap0. A well-behaved client works all the time. Quiet intervals and attacked ones take turns, ROUNDS of
 * each for each attack, SECONDS long; medians are compared. The attacks send MULTIPLE frames for each packet that the
 * client sends while all is quiet. Rates are by the guest's CPU, not by the wall, so that other work on this machine
 * does not make an attack harsher or milder than it is meant to be.
 *
 * A line on standard input with the process of the emulator says that the target serves. Two measures are printed.
 * One is requests for each second of the guest's CPU, which does not depend on who else uses this machine. The other
 * is requests for each second by the wall.
 *
 * With ROUNDS 0 every attack is made once for SECONDS, nothing is measured, and hosts in whose names a flood came
 * answer when it is over, so that half-open connections end before their time. Either way each answer that the client
 * gets is checked, no request may be lost, and when all is over memory and sockets are what they were.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attacks.h"
#include "client.h"
#include "guest_cpu.h"

#define ROUNDS_MAX 100u
#define BURST_MS 20u          /* frames that are due for longer are not made up for */
#define RESETS 10u            /* for each millisecond */
#define MEMORY_TOLERANCE 1024 /* KiB: what the kernel's heap keeps for later */
#define RETURN_TIME 200u      /* seconds: TIME_WAIT takes 60, a half-open connection 63, a lost peer longer */

static _Atomic(const struct attack *) active;
static atomic_uint rate; /* frames for a second of the guest's CPU */
static atomic_ullong attack_frames;
static atomic_bool over, sweep; /* the attacks are over; look once more for connections that are left */
static bool hosts_answer;       /* those of a flood, when it is over */
static pid_t emulator;

/* ---- The wire's thread ------------------------------------------------------------------------------------- */

static void refuse(const struct segment *segment)
{
    struct segment reset = { .from = segment->to,
                             .from_port = segment->to_port,
                             .to_port = segment->from_port,
                             .sequence = segment->acknowledgement,
                             .flags = RST };
    wire_send_tcp(&reset, NULL, 0, NULL);
}

/* A host answers a segment of a connection that it does not have with a reset. Those that do not exist, in whose
 * names a flood comes, are silent, or answer when it is over. */
static void heard(const struct segment *segment)
{
    const struct attack *attack = atomic_load(&active);
    struct hand *hand = hand_of(segment);
    bool silent = !hosts_answer || (attack != NULL && attack->in_others_names);
    bool unknown = hand != NULL ? hand->state == HAND_CLOSED : !silent;
    if (unknown && segment->flags & ACK && !(segment->flags & RST))
        refuse(segment);
    else if (attack != NULL && attack->heard != NULL)
        attack->heard(segment);
}

static double guest_seconds(void) { return (double)guest_cpu_ns(emulator) / 1e9; }

/* Sends what is due since `began`, of which so much was `sent` already in answers. What fell behind by more than a
 * burst is left out, not sent all at once. */
static void attack_some(const struct attack *attack, double *began, uint64_t *number, uint64_t sent)
{
    double frames = atomic_load(&rate), burst = frames * BURST_MS / 1000 + 1, now = guest_seconds();
    *began += (double)sent / frames;
    double due = (now - *began) * frames;
    if (due > burst)
        *began = now - burst / frames;
    for (; *began < now; *began += 1 / frames)
        attack->step((*number)++);
}

/* A few at a time, since a reset that finds no room in the interface's queue would be lost. Whether one was lost
 * is found out when all is over, by a segment that is answered only in a connection. */
static void reset_some(unsigned *next)
{
    for (unsigned i = 0; i < RESETS && *next < HANDS; i++) {
        struct hand *hand = hand_at((*next)++);
        if (atomic_load(&over))
            hand_ask(hand);
        else
            hand_reset(hand);
    }
}

static void *run_wire(void *unused)
{
    const struct attack *before = NULL;
    double began = 0;
    uint64_t number = 0;
    unsigned next = HANDS;
    (void)unused;
    for (;;) {
        struct pollfd wire = { .fd = wire_file(), .events = POLLIN };
        const struct attack *attack = atomic_load(&active);
        poll(&wire, 1, attack != NULL || next < HANDS ? 1 : 10);
        if (attack != before || atomic_exchange(&sweep, false))
            next = 0;
        before = attack;
        uint64_t sent = wire_sent();
        wire_receive(heard);
        if (next < HANDS) {
            reset_some(&next);
            began = guest_seconds();
            number = 0;
        } else if (attack != NULL) {
            attack_some(attack, &began, &number, wire_sent() - sent);
            atomic_fetch_add(&attack_frames, wire_sent() - sent);
        }
    }
    return NULL;
}

/* ---- Measuring ----------------------------------------------------------------------------------------------- */

struct sample {
    uint64_t answered, frames, packets, cpu_ns, wall_ns;
};

/* Towards the guest, the attack's frames included: proc(5), net/dev. */
static uint64_t packets_sent(void)
{
    char line[512];
    unsigned long long count = 0;
    FILE *file = fopen("/proc/net/dev", "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        if (sscanf(line, " " INTERFACE ": %*u %*u %*u %*u %*u %*u %*u %*u %*u %llu", &count) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return count;
}

static struct sample sample(void)
{
    return (struct sample){ client_answered(), atomic_load(&attack_frames), packets_sent(), guest_cpu_ns(emulator),
                            now_ns() };
}

/* One interval; it ends when the client has had an answer and the attack has sent something, however slow this
 * machine is. */
static struct sample interval(const struct attack *attack, double seconds)
{
    struct sample from = sample(), to;
    atomic_store(&active, attack);
    do {
        usleep((useconds_t)(seconds * 1e6));
        to = sample();
        client_check();
    } while (to.answered == from.answered || (attack != NULL && to.frames == from.frames));
    atomic_store(&active, NULL);
    return (struct sample){ to.answered - from.answered, to.frames - from.frames, to.packets - from.packets,
                            to.cpu_ns - from.cpu_ns, to.wall_ns - from.wall_ns };
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, unsigned count)
{
    qsort(values, count, sizeof(*values), compare);
    return count % 2 != 0 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

struct figures {
    double per_cpu[2][ROUNDS_MAX], per_wall[2][ROUNDS_MAX], frames[ROUNDS_MAX];
};

static void note(struct figures *figures, unsigned attacked, unsigned round, const struct sample *sample)
{
    figures->per_cpu[attacked][round] = (double)sample->answered / (double)sample->cpu_ns * 1e9;
    figures->per_wall[attacked][round] = (double)sample->answered / (double)sample->wall_ns * 1e9;
    if (attacked)
        figures->frames[round] = (double)sample->frames / (double)sample->cpu_ns * 1e9;
}

static void measure(const struct attack *attack, double seconds, unsigned rounds)
{
    static struct figures figures;
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned attacked = 0; attacked < 2; attacked++) {
            struct sample got = interval(attacked ? attack : NULL, seconds);
            note(&figures, attacked, round, &got);
        }
    }
    double quiet = median(figures.per_cpu[0], rounds), disturbed = median(figures.per_cpu[1], rounds);
    double quiet_wall = median(figures.per_wall[0], rounds), disturbed_wall = median(figures.per_wall[1], rounds);
    printf("| %s | %s | %.0f | %.0f | %.0f | %.2f | %.0f | %.0f | %.2f |\n", attack->name, attack->what,
           median(figures.frames, rounds), quiet, disturbed, disturbed / quiet, quiet_wall, disturbed_wall,
           disturbed_wall / quiet_wall);
}

static void table_head(void)
{
    printf("| Attack | What it sends | For a second of the guest's CPU: frames | requests, quiet | attacked | "
           "ratio | Requests a second: quiet | attacked | ratio |\n|---|---|---|---|---|---|---|---|---|\n");
}

static void calibrate(double seconds, double multiple)
{
    struct sample quiet = interval(NULL, seconds);
    double packets = (double)quiet.packets / (double)quiet.cpu_ns * 1e9;
    atomic_store(&rate, (unsigned)(packets * multiple) + 1);
    printf("# for each second of the guest's CPU, of which it has %.2f, the client sends %.0f packets for %.0f "
           "requests; an attack sends %u frames\n",
           (double)quiet.cpu_ns / (double)quiet.wall_ns, packets, (double)quiet.answered / (double)quiet.cpu_ns * 1e9,
           atomic_load(&rate));
}

/* ---- Before and after ------------------------------------------------------------------------------------------ */

struct statistics {
    long memory; /* free, KiB */
    unsigned established, half_open, time_wait, closing;
};

static struct statistics ask_statistics(void)
{
    char line[256];
    struct statistics s;
    client_statistics(line, sizeof(line));
    if (sscanf(line, "free %ld established %u half-open %u time-wait %u closing %u", &s.memory, &s.established,
               &s.half_open, &s.time_wait, &s.closing) != 5) {
        printf("not ok statistics: %s\n", line);
        exit(1);
    }
    return s;
}

static void print_statistics(const char *when, const struct statistics *s)
{
    printf("# %s: %ld KiB free, sockets: %u established, %u half-open, %u in TIME-WAIT, %u closing\n", when, s->memory,
           s->established, s->half_open, s->time_wait, s->closing);
}

static bool returned(const struct statistics *start, const struct statistics *now)
{
    return now->established == start->established && now->half_open == 0 && now->time_wait == 0 && now->closing == 0 &&
           now->memory + MEMORY_TOLERANCE >= start->memory;
}

/* A client that worked and stopped is part of the start: what the kernel and the program keep for it is theirs. */
static struct statistics warm_up(double seconds)
{
    client_start();
    interval(NULL, seconds);
    client_stop();
    struct statistics start = ask_statistics();
    print_statistics("start", &start);
    client_start();
    return start;
}

static bool wait_for_return(const struct statistics *start)
{
    uint64_t began = now_ns();
    struct statistics now = ask_statistics();
    atomic_store(&over, true);
    print_statistics("after the attacks", &now);
    while (!returned(start, &now) && now_ns() - began < RETURN_TIME * 1000000000ULL) {
        atomic_store(&sweep, true);
        usleep(1000000); /* what is waited for are the guest's own timeouts */
        now = ask_statistics();
    }
    char when[64];
    snprintf(when, sizeof(when), "%.0f s later", (double)(now_ns() - began) / 1e9);
    print_statistics(when, &now);
    return returned(start, &now);
}

static bool wanted(const struct attack *attack, char **names, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], attack->name) == 0)
            return true;
    return count == 0;
}

int main(int argc, char **argv)
{
    pthread_t wire;
    if (argc < 4)
        return 2;
    double seconds = atof(argv[1]);
    unsigned rounds = (unsigned)atoi(argv[2]);
    hosts_answer = rounds == 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    wire_open();
    pthread_create(&wire, NULL, run_wire, NULL);
    if (scanf("%d", &emulator) != 1)
        return 1;
    struct statistics start = warm_up(seconds);
    calibrate(seconds, atof(argv[3]));
    if (rounds > 0)
        table_head();
    for (unsigned i = 0; i < attack_count; i++) {
        if (!wanted(&attacks[i], argv + 4, argc - 4))
            continue;
        if (rounds > 0)
            measure(&attacks[i], seconds, rounds < ROUNDS_MAX ? rounds : ROUNDS_MAX);
        else
            printf("ok peers.%s, %lu frames\n", attacks[i].name, interval(&attacks[i], seconds).frames);
    }
    client_stop();
    client_check();
    bool back = wait_for_return(&start);
    printf("%s peers.memory_and_sockets_return\n", back ? "ok" : "not ok");
    return back ? 0 : 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model of the ENA device as a PCI function of QEMU's, in a process of its own:
 *
 *   ena_device [llq] [resets] [queues] QEMU OPTION...
 *
 * llq: packets are written into the device's memory. resets: the device asks for a reset after every 2000 packets.
 * queues: there are several of them, over which packets are spread, and interrupts are moderated. It starts QEMU with
 * three sockets: 3 is for x-pci-proxy-dev, 4 for datagrams that are frames (-netdev dgram), and 5 for qtest, by which
 * interrupts are raised, since the proxy passes no messages (MSI) on: a write to the local APIC's address is one. Ends
 * as QEMU does; with status 1 if the driver has broken a rule.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "drivers/ena/model/model.h"
#include "link.h"

#define FIRST_FD 3 /* of QEMU's three */
#define TICK (SECOND / 20)
#define PLACE (5 << 3)     /* QEMU's option is addr=5 */
#define SECOND 1000000000u /* ns */
#define RESET_PACKETS 2000 /* sent and received between two requests for a reset */
#define GROUP_RESET 7u

enum { PROXY, WIRE, QTEST, SOCKETS };

/* Offsets in configuration space (PCI 3.0, 6.1 and 6.8.2), and the windows. */
#define COMMAND 4
#define COMMAND_MASTER 4u
#define BARS 0x10
#define CAPABILITIES 0x34
#define MSIX 0x40
#define MSIX_ENABLED 0x8000u
#define MSIX_MASKED 0x4000u
#define TABLE_BAR 4
#define TABLE_BYTES 0x1000u
#define TABLE_PENDING 0x800u

static struct model model;
static bool llq, resets, queues; /* from the command line */
static int sockets[SOCKETS];
static uint8_t config[256];
static uint8_t table[TABLE_BYTES]; /* of MSI-X, and the pending bits, which stay 0 */
static bool pending[16];
static unsigned raised, raised_elsewhere; /* interrupts, and those for other CPUs than the first */
static uint32_t elsewhere;                /* vectors that have led to those */
static uint32_t low_half;                 /* of 8 bytes for BAR 2, which QEMU writes in halves */

static uint32_t word(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static uint32_t bar_bytes(unsigned bar)
{
    return bar == 0 ? MODEL_BAR0 : bar == 2 ? MODEL_BAR2 : bar == TABLE_BAR ? TABLE_BYTES : 0;
}

static void ask_for_reset(void)
{
    static uint64_t due = RESET_PACKETS;
    uint64_t packets = model.tx_packets + model.rx_packets;
    if (!resets || packets < due)
        return;
    due = packets + RESET_PACKETS;
    (void)model_event(&model, GROUP_RESET, 0, "", 0);
}

static uint64_t time_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

static void advance(void)
{
    uint64_t now = time_now();
    model_advance(&model, now);
    ask_for_reset();
}

/* ---- What the model needs ---- */

static void *memory_of(void *context, uint64_t address, size_t length)
{
    (void)context;
    return config[COMMAND] & COMMAND_MASTER ? link_memory(address, length) : NULL;
}

/* The APIC's number to which an entry of the table leads (SDM 3A 11.11.1). */
static unsigned cpu_of(const uint8_t *entry) { return word(entry) >> 12 & 0xff; }

static void deliver(unsigned vector)
{
    const uint8_t *entry = table + 16 * vector;
    uint32_t control = (uint32_t)(config[MSIX + 2] | config[MSIX + 3] << 8);
    char command[64];
    if (!(control & MSIX_ENABLED) || control & MSIX_MASKED || entry[12] & 1)
        return;
    pending[vector] = false;
    raised++;
    raised_elsewhere += cpu_of(entry) != 0;
    int length = snprintf(command, sizeof(command), "writel 0x%x 0x%x\n", word(entry), word(entry + 8));
    if (send(sockets[QTEST], command, (size_t)length, MSG_NOSIGNAL) != length)
        warn("an interrupt is lost");
}

static void interrupt(void *context, unsigned vector)
{
    (void)context;
    pending[vector] = true;
    deliver(vector);
}

/* What the wire does not take is lost, as on any wire. */
static void sent(void *context, const uint8_t *frame, size_t length)
{
    (void)context;
    (void)send(sockets[WIRE], frame, length, MSG_NOSIGNAL);
}

/* ---- Configuration space ---- */

static void set_up_config(void)
{
    static const uint8_t start[] = { 0x0f, 0x1d, 0x20, 0xec, 0, 0, 0x10, 0, 0, 0, 0, 2 };
    memset(config, 0, sizeof(config));
    memset(table, 0, sizeof(table));
    memset(pending, 0, sizeof(pending));
    memcpy(config, start, sizeof(start));
    config[CAPABILITIES] = MSIX;
    config[MSIX] = 0x11;
    config[MSIX + 2] = (uint8_t)(model.variant.vectors - 1);
    config[MSIX + 4] = TABLE_BAR;
    config[MSIX + 8] = TABLE_BAR;
    config[MSIX + 9] = TABLE_PENDING >> 8;
    for (unsigned i = 0; i < model.variant.vectors; i++)
        table[16 * i + 12] = 1; /* masked */
}

/* The bits of a byte that are written. */
static uint8_t writable(unsigned at)
{
    if (at == COMMAND)
        return 0x06;
    if (at == COMMAND + 1)
        return 0x04;
    if (at == MSIX + 3)
        return 0xc0;
    if (at == 0x3c)
        return 0xff;
    if (at < BARS || at >= BARS + 24 || bar_bytes((at - BARS) / 4) == 0)
        return 0;
    return (uint8_t)(~(bar_bytes((at - BARS) / 4) - 1) >> 8 * (at % 4));
}

static void config_write(const struct link_message *message)
{
    for (unsigned i = 0; i < message->length && message->address + i < sizeof(config); i++) {
        unsigned at = (unsigned)message->address + i;
        uint8_t mask = writable(at), value = (uint8_t)(message->value >> 8 * i);
        config[at] = (uint8_t)((config[at] & ~mask) | (value & mask));
    }
    for (unsigned i = 0; i < model.variant.vectors; i++)
        if (pending[i])
            deliver(i);
}

static uint64_t config_read(const struct link_message *message)
{
    uint64_t value = 0;
    if (message->address + message->length <= sizeof(config) && message->length <= sizeof(value))
        memcpy(&value, config + message->address, message->length);
    return value;
}

/* ---- Windows ---- */

static int find_bar(uint64_t address, uint32_t *offset)
{
    for (unsigned bar = 0; bar <= TABLE_BAR; bar += 2) {
        uint64_t at = address - (word(config + BARS + 4 * bar) & ~15u);
        if (at >= bar_bytes(bar))
            continue;
        *offset = (uint32_t)at;
        return (int)bar;
    }
    return -1;
}

static void table_write(uint32_t offset, const struct link_message *message)
{
    if (offset + message->length > 16 * model.variant.vectors)
        return;
    memcpy(table + offset, &message->value, message->length);
    const uint8_t *entry = table + offset / 16 * 16;
    if (!(entry[12] & 1) && cpu_of(entry) != 0)
        elsewhere |= 1u << offset / 16;
    if (pending[offset / 16])
        deliver(offset / 16);
}

/* The guest's 8 bytes come as 4 and 4. */
static void memory_write(uint32_t offset, const struct link_message *message)
{
    if (message->length != 4)
        model_write(&model, 2, offset, message->value, message->length);
    else if (offset % 8 == 0)
        low_half = (uint32_t)message->value;
    else
        model_write(&model, 2, offset - 4, low_half | message->value << 32, 8);
}

static void bar_write(const struct link_message *message)
{
    uint32_t offset;
    int bar = find_bar(message->address, &offset);
    advance();
    if (bar == TABLE_BAR)
        table_write(offset, message);
    else if (bar == 2)
        memory_write(offset, message);
    else if (bar == 0)
        model_write(&model, 0, offset, message->value, message->length);
}

static uint64_t bar_read(const struct link_message *message)
{
    uint32_t offset;
    uint64_t value = 0;
    int bar = find_bar(message->address, &offset);
    advance();
    if (bar == TABLE_BAR && offset + message->length <= TABLE_BYTES)
        memcpy(&value, table + offset, message->length);
    else if (bar == 0 || bar == 2)
        value = model_read(&model, (unsigned)bar, offset, message->length);
    return value;
}

/* ---- Events ---- */

/* False: QEMU has ended. */
static bool serve_proxy(void)
{
    struct link_message message;
    uint64_t value = 0;
    if (!link_receive(sockets[PROXY], &message))
        return false;
    switch (message.command) {
    case LINK_CONFIG_READ:
        value = config_read(&message);
        break;
    case LINK_CONFIG_WRITE:
        config_write(&message);
        break;
    case LINK_BAR_READ:
        value = bar_read(&message);
        break;
    case LINK_BAR_WRITE:
        bar_write(&message);
        break;
    default:
        model_start(&model);
        set_up_config();
    }
    link_answer(sockets[PROXY], value);
    return true;
}

/* While a queue has no buffers frames stay in the socket, and QEMU holds back more of them, as for its own devices: it
 * sends a burst of the user network's faster than an emulated CPU takes interrupts. Without queues they are lost. */
static bool wants_frames(void)
{
    for (unsigned i = 0; i < model.variant.queues; i++)
        if (model.submission_queues[MODEL_QUEUES + i].exists && model_buffers(&model, i) == 0)
            return false;
    return true;
}

static void take_frame(void)
{
    static uint8_t frame[MODEL_FRAME_MAX];
    ssize_t length = recv(sockets[WIRE], frame, sizeof(frame), MSG_DONTWAIT);
    if (length > 0)
        (void)model_receive(&model, frame, (size_t)length);
}

static void take_answers(void)
{
    char answers[1024]; /* "OK" to each interrupt */
    (void)recv(sockets[QTEST], answers, sizeof(answers), MSG_DONTWAIT);
}

/* Until an interrupt is due, or the next tick. */
static uint64_t time_to_wait(void)
{
    uint64_t due = model_due(&model), now = time_now();
    if (due == 0)
        return TICK;
    return due <= now ? 0 : due - now < TICK ? due - now : TICK;
}

static void serve(void)
{
    struct pollfd fds[SOCKETS];
    for (unsigned i = 0; i < SOCKETS; i++)
        fds[i] = (struct pollfd){ .fd = sockets[i], .events = POLLIN };
    for (;;) {
        fds[WIRE].events = wants_frames() ? POLLIN : 0;
        struct timespec wait = { 0, (long)time_to_wait() };
        if (ppoll(fds, SOCKETS, &wait, NULL) < 0)
            err(1, "poll");
        advance();
        if (fds[QTEST].revents)
            take_answers();
        if (fds[PROXY].revents && !serve_proxy())
            return;
        if (fds[WIRE].revents & POLLIN)
            take_frame();
    }
}

/* ---- Start ---- */

static void make_sockets(int theirs[SOCKETS])
{
    for (unsigned i = 0; i < SOCKETS; i++) {
        int pair[2];
        if (socketpair(AF_UNIX, (i == WIRE ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0, pair) != 0)
            err(1, "socketpair");
        sockets[i] = pair[0];
        theirs[i] = pair[1];
    }
}

static pid_t start(char **command, const int theirs[SOCKETS])
{
    pid_t child = fork();
    if (child < 0)
        err(1, "fork");
    if (child > 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int moved[SOCKETS];
    for (int i = 0; i < SOCKETS; i++)
        moved[i] = fcntl(theirs[i], F_DUPFD_CLOEXEC, FIRST_FD + SOCKETS);
    for (int i = 0; i < SOCKETS; i++)
        dup2(moved[i], FIRST_FD + i);
    execvp(command[0], command);
    err(1, "%s", command[0]);
}

static int outcome(pid_t child)
{
    int status;
    if (waitpid(child, &status, 0) != child)
        err(1, "waitpid");
    fprintf(stderr, "ena: %llu packets sent, %llu received, %llu dropped, ", (unsigned long long)model.tx_packets,
            (unsigned long long)model.rx_packets, (unsigned long long)model.rx_dropped);
    fprintf(stderr, "%u resets, the last for reason %u, %u rules broken%s%s\n", model.resets, model.reset_reason,
            model.violations, model.violations ? ": " : "", model.violations ? model.first_violation : "");
    fprintf(stderr, "ena: %u interrupts, %u of them for other CPUs than the first, to which %d vectors led\n", raised,
            raised_elsewhere, __builtin_popcount(elsewhere));
    if (model.violations != 0)
        return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* The words before QEMU's command; how many they are. */
static int take_words(char **words)
{
    int count = 0;
    for (;; count++) {
        if (words[count] != NULL && strcmp(words[count], "llq") == 0)
            llq = true;
        else if (words[count] != NULL && strcmp(words[count], "resets") == 0)
            resets = true;
        else if (words[count] != NULL && strcmp(words[count], "queues") == 0)
            queues = true;
        else
            return count;
    }
}

static void switch_on(void)
{
    model.variant = model_usual();
    model.variant.llq_sizes = llq ? 1 : 0;
    model.variant.no_meta_caching = llq;
    model.variant.place = PLACE;
    if (queues) {
        model.variant.queues = MODEL_QUEUES;
        model.variant.rss_log2 = 7;
        model.variant.hash_functions = MODEL_TOEPLITZ;
        model.variant.moderation_us = 1;
    }
    model.user = (struct model_user){ NULL, memory_of, interrupt, sent };
    model_start(&model);
    set_up_config();
}

int main(int argc, char **argv)
{
    int theirs[SOCKETS], words = take_words(argv + 1);
    if (argc < 2 + words)
        errx(2, "usage: ena_device [llq] [resets] [queues] QEMU OPTION...");
    switch_on();
    make_sockets(theirs);
    pid_t child = start(argv + 1 + words, theirs);
    for (unsigned i = 0; i < SOCKETS; i++)
        close(theirs[i]);
    serve();
    return outcome(child);
}

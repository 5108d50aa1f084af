/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a guest executes while it starts and while it serves target.c: `cost COUNTS SYMBOLS FUNCTIONS CHECK`. COUNTS is
 * what counter.c writes, SYMBOLS what `nm -n` prints of the kernel. For each job it prints the instructions of kernel
 * and program, the interrupts and the system calls, and the FUNCTIONS functions of the kernel with the most
 * instructions. If CHECK is 1 a job fails that takes more of the kernel's than its limit. The limits are about 1.25
 * times what the jobs took when they were set (docs/network.md); counts of one kernel differ by far less.
 *
 * One client works by itself, so a job does the same each time. What it receives is compared. Then come the attacks of
 * attacks.c, a few frames between two of the client's requests: how much a frame costs.
 */
#define _GNU_SOURCE
#include "attacks.h"
#include "cost.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol.h"

#define TARGET 0x0a090002u
#define PORT 8080
#define REQUESTS 2000u
#define ANSWER 100u /* bytes */
#define TRANSFERS 4u
#define TRANSFER 12500000u /* bytes: 50 MB in all */
#define KERNEL (1UL << 63)
#define REQUEST_MOST 12100u /* instructions of the kernel */
#define CONNECTION_MOST 43500u
#define DOWNLOAD_MOST 29000000u
#define UPLOAD_MOST 33000000u
#define SYMBOLS_MAX 16384u
#define FRAMES (2 * HANDS) /* of an attack */
#define BURST 20u          /* of them at once */

static struct symbol {
    uint64_t address;
    char name[64];
    uint64_t instructions, entries;
} symbols[SYMBOLS_MAX];
static unsigned symbol_count, shown;
static bool checked, exceeded;
static const struct block *blocks;
static struct block before[BLOCKS_MAX];
static char *bytes; /* TRANSFER of them */

static _Noreturn void fail(const char *what)
{
    printf("not ok cost: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- Counting --------------------------------------------------------------------------------------------- */

static void read_symbols(const char *path)
{
    FILE *file = fopen(path, "r");
    char kind;
    if (file == NULL)
        fail(path);
    for (struct symbol *next = symbols; symbol_count < SYMBOLS_MAX; next = &symbols[symbol_count]) {
        if (fscanf(file, "%lx %c %63s", &next->address, &kind, next->name) != 3)
            break;
        symbol_count += strchr("tTwW", kind) != NULL;
    }
    fclose(file);
}

static void map_counts(const char *path)
{
    int file = open(path, O_RDONLY);
    blocks = mmap(NULL, sizeof(before), PROT_READ, MAP_SHARED, file, 0);
    if (blocks == MAP_FAILED)
        fail(path);
    close(file);
}

static int by_address(const void *key, const void *of)
{
    const struct symbol *symbol = of;
    uint64_t address = *(const uint64_t *)key;
    if (address < symbol->address)
        return -1;
    return symbol + 1 < symbols + symbol_count && address >= symbol[1].address;
}

static int by_instructions(const void *a, const void *b)
{
    const struct symbol *const *x = a, *const *y = b;
    return ((*x)->instructions < (*y)->instructions) - ((*x)->instructions > (*y)->instructions);
}

static void print_functions(uint64_t total)
{
    static struct symbol *order[SYMBOLS_MAX];
    for (unsigned i = 0; i < symbol_count; i++)
        order[i] = &symbols[i];
    qsort(order, symbol_count, sizeof(order[0]), by_instructions);
    for (unsigned i = 0; i < shown && i < symbol_count; i++)
        printf("#   %5.1f %% %12lu %9lu times %s\n", 100.0 * (double)order[i]->instructions / (double)total,
               order[i]->instructions, order[i]->entries, order[i]->name);
}

static uint64_t entries_of(const char *name)
{
    for (unsigned i = 0; i < symbol_count; i++)
        if (strcmp(symbols[i].name, name) == 0)
            return symbols[i].entries;
    errno = ENOENT;
    fail(name);
}

static void account(const struct block *block, uint64_t executions)
{
    struct symbol *symbol = bsearch(&block->address, symbols, symbol_count, sizeof(symbols[0]), by_address);
    if (symbol == NULL)
        return;
    symbol->instructions += executions * block->length;
    symbol->entries += block->address == symbol->address ? executions : 0;
}

static void check(const char *job, uint64_t each, uint64_t most)
{
    if (!checked || most == 0)
        return;
    if (each <= most) {
        printf("ok cost.%s\n", job);
        return;
    }
    printf("not ok cost.%s: the kernel executes %lu instructions each, more than %lu; see which with --functions 40\n",
           job, each, most);
    exceeded = true;
}

/* What was executed since the last time, for `units` of a job; `most`: for each of them in the kernel, or 0. */
static void report(const char *job, unsigned units, uint64_t most)
{
    uint64_t kernel = 0, user = 0;
    for (unsigned i = 0; i < symbol_count; i++)
        symbols[i].instructions = symbols[i].entries = 0;
    if (blocks[BLOCKS_MAX - 1].length != 0)
        fail("there are more blocks than counter.c has room for: raise BLOCKS_MAX");
    for (unsigned i = 0; i < BLOCKS_MAX && blocks[i].length != 0; i++) {
        uint64_t executions = blocks[i].executions - before[i].executions;
        *(blocks[i].address & KERNEL ? &kernel : &user) += executions * blocks[i].length;
        account(&blocks[i], executions);
    }
    printf("cost %-18s kernel %12lu  user %12lu  kernel each %9lu  interrupts %7lu  calls %7lu\n", job, kernel, user,
           kernel / units, entries_of("interrupt_dispatch"), entries_of("kernel_system_call"));
    print_functions(kernel);
    check(job, kernel / units, most);
    fflush(stdout);
    memcpy(before, blocks, sizeof(before));
}

/* ---- The jobs --------------------------------------------------------------------------------------------- */

static int connect_target(void)
{
    int on = 1, file = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(TARGET) };
    if (file < 0 || connect(file, (struct sockaddr *)&to, sizeof(to)) != 0)
        fail("connect");
    setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return file;
}

static void ask(int file, char kind, uint32_t size)
{
    char request[REQUEST_LENGTH + 1];
    snprintf(request, sizeof(request), "%c%06x\n", kind, size);
    if (send(file, request, REQUEST_LENGTH, MSG_NOSIGNAL) != REQUEST_LENGTH)
        fail("send");
}

/* An answer of `size` bytes to a request for that many. */
static void receive_answer(int file, uint32_t size)
{
    if (recv(file, bytes, size, MSG_WAITALL) != (ssize_t)size)
        fail("the connection ended within an answer");
    for (uint32_t i = 0; i < size; i++)
        if ((unsigned char)bytes[i] != (i + size) % PATTERN_PERIOD)
            fail("an answer has other contents");
}

static void keep_alive(int file, unsigned requests)
{
    for (unsigned i = 0; i < requests; i++) {
        ask(file, 'g', ANSWER);
        receive_answer(file, ANSWER);
    }
}

static void new_connections(void)
{
    for (unsigned i = 0; i < REQUESTS; i++) {
        int file = connect_target();
        ask(file, 'c', ANSWER);
        receive_answer(file, ANSWER);
        if (recv(file, bytes, 1, 0) != 0)
            fail("the connection did not end with its answer");
        close(file);
    }
}

static void download(int file)
{
    for (unsigned i = 0; i < TRANSFERS; i++) {
        ask(file, 'g', TRANSFER);
        receive_answer(file, TRANSFER);
    }
}

static void upload(int file)
{
    for (unsigned i = 0; i < TRANSFERS; i++) {
        ask(file, 'u', TRANSFER);
        for (size_t sent = 0; sent < TRANSFER;) {
            ssize_t more = send(file, bytes + sent, TRANSFER - sent, MSG_NOSIGNAL);
            if (more <= 0)
                fail("send");
            sent += (size_t)more;
        }
        receive_answer(file, 1);
    }
}

/* ---- Attacks ---------------------------------------------------------------------------------------------- */

/* For each frame of an attack, the client's requests between them included. */
static const struct limit {
    const char *attack;
    uint64_t most;
} limits[] = {
    { "syn-flood", 6300 },    { "connections", 10700 }, { "resets", 2950 },        { "blind-segments", 3400 },
    { "any-segments", 4000 }, { "slow-readers", 4300 }, { "zero-windows", 4300 },  { "slow-writers", 9200 },
    { "pieces", 6200 },       { "fragments", 3500 },    { "arp", 2150 },           { "icmp", 4100 },
    { "dhcp", 3600 },         { "udp", 3900 },          { "broken-frames", 2100 },
};

static uint64_t limit_of(const struct attack *attack)
{
    for (unsigned i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        if (strcmp(limits[i].attack, attack->name) == 0)
            return limits[i].most;
    errno = ENOENT;
    fail(attack->name);
}

static void ignore(const struct segment *segment) { (void)segment; }

static void be_attacked(int file, const struct attack *attack)
{
    for (unsigned i = 0; i < FRAMES; i++) {
        attack->step(i);
        if (i % BURST != BURST - 1)
            continue;
        keep_alive(file, 1); /* once it is answered, so is all before */
        wire_receive(attack->heard != NULL ? attack->heard : ignore);
    }
}

/* Its connections do not count for the next one. */
static void end_attack(int file)
{
    for (unsigned i = 0; i < HANDS; i++) {
        hand_reset(hand_at(i));
        if (i % BURST == BURST - 1)
            keep_alive(file, 1);
    }
    memcpy(before, blocks, sizeof(before));
}

static void be_attacked_in_turn(int file)
{
    struct sockaddr_in own;
    socklen_t length = sizeof(own);
    if (getsockname(file, (struct sockaddr *)&own, &length) != 0)
        fail("getsockname");
    wire_open();
    for (unsigned i = 0; i < CLIENTS; i++)
        client_ports[i] = ntohs(own.sin_port);
    for (unsigned i = 0; i < attack_count; i++) {
        char job[32];
        snprintf(job, sizeof(job), "attack.%s", attacks[i].name);
        be_attacked(file, &attacks[i]);
        report(job, FRAMES, limit_of(&attacks[i]));
        end_attack(file);
    }
}

int main(int argc, char **argv)
{
    char line[64];
    if (argc != 5)
        return 2;
    shown = (unsigned)strtoul(argv[3], NULL, 10);
    checked = argv[4][0] == '1';
    bytes = calloc(1, TRANSFER);
    read_symbols(argv[2]);
    if (bytes == NULL || fgets(line, sizeof(line), stdin) == NULL)
        fail("the guest did not start");
    map_counts(argv[1]);
    report("boot", 1, 0);
    int file = connect_target();
    keep_alive(file, REQUESTS);
    report("keep-alive", REQUESTS, REQUEST_MOST);
    new_connections();
    report("connections", REQUESTS, CONNECTION_MOST);
    download(file);
    report("download", 1, DOWNLOAD_MOST);
    upload(file);
    report("upload", 1, UPLOAD_MOST);
    be_attacked_in_turn(file);
    return exceeded;
}

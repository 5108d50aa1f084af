/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No long call keeps other threads from running: a thread that wakes every 2 ms measures its own longest silence while
 * the call runs. What counts is the ratio to the call's duration, not milliseconds, so that a slow machine passes too:
 * a kernel in which the calls run through is silent for all of the duration, every time. And who wakes runs
 * soon, however many threads are busy.
 */
#define _GNU_SOURCE
#include "latency.h"
#include "suite.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS 1000000LL
#define TICK_NS (2 * NS_PER_MS)
#define SHORT_NS (100 * NS_PER_MS) /* a shorter call proves nothing and delays no other thread */
#define ATTEMPTS 10                /* the host, too, may keep a guest from running: one good attempt is proof */
#define SHARE 2                    /* the longest silence is at most this part of the call */

static _Atomic int64_t last_tick, longest;
static _Atomic bool stop_ticker;

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Of this thread. */
static int64_t cpu_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return used.tv_sec * 1000000000LL + used.tv_nsec;
}

static void *tick(void *unused)
{
    while (!stop_ticker) {
        struct timespec pause = { .tv_nsec = TICK_NS };
        int64_t now = now_ns(), silence = now - last_tick;
        if (silence > longest)
            longest = silence;
        last_tick = now;
        nanosleep(&pause, NULL);
    }
    return unused;
}

struct measured {
    int64_t duration, silence;
};

static struct measured measure(void (*call)(void))
{
    pthread_t ticker;
    int64_t start = now_ns();
    stop_ticker = false;
    last_tick = start;
    CHECK_EQUAL(pthread_create(&ticker, NULL, tick, NULL), 0);
    while (last_tick == start)
        sched_yield();
    start = last_tick = now_ns();
    longest = 0;
    call();
    int64_t end = now_ns(), silence = end - last_tick;
    if (silence < longest)
        silence = longest;
    stop_ticker = true;
    pthread_join(ticker, NULL);
    return (struct measured){ end - start, silence };
}

static int64_t limit_ns(void)
{
    const char *limit = getenv("LATENCY_LIMIT_US");
    return limit == NULL ? 0 : atoll(limit) * 1000;
}

bool latency_is_exact(void) { return limit_ns() != 0; }

static bool is_good(struct measured m)
{
    if (latency_is_exact())
        return m.silence <= limit_ns();
    return m.duration < SHORT_NS || m.silence * SHARE <= m.duration;
}

void check_gives_way(const char *name, void (*call)(void), void (*again)(void))
{
    struct measured m = { 0 };
    for (int i = 0; i < (latency_is_exact() ? 1 : ATTEMPTS); i++) {
        m = measure(call);
        if (again != NULL)
            again();
        if (getenv("LATENCY") != NULL || latency_is_exact())
            fprintf(stderr, "# %s: %lld us, longest silence %lld us\n", name, (long long)m.duration / 1000,
                    (long long)m.silence / 1000);
        if (is_good(m))
            return;
    }
    test_failed(__FILE__, __LINE__, "%s: silence of %lld us in a call of %lld us", name, (long long)m.silence / 1000,
                (long long)m.duration / 1000);
}

size_t some_memory(size_t most)
{
    struct sysinfo info;
    sysinfo(&info);
    size_t share = info.freeram * (size_t)info.mem_unit / 3;
    return (share < most ? share : most) & ~4095UL;
}

/* ---- Calls that move many bytes ---- */

#define BUFFER (1u << 20)
static char *buffer;
static size_t amount;
static int file;

static void take_buffer(void)
{
    buffer = mmap(NULL, BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(buffer != MAP_FAILED);
    memset(buffer, 1, BUFFER);
}

static void get_random(void) { CHECK_EQUAL(getrandom(buffer, BUFFER, 0), BUFFER); }

static void random_bytes(void)
{
    take_buffer();
    check_gives_way("getrandom", get_random, NULL);
    munmap(buffer, BUFFER);
}

static void read_many_zeros(void)
{
    struct iovec vector[256];
    for (int i = 0; i < 256; i++)
        vector[i] = (struct iovec){ buffer, BUFFER };
    CHECK_EQUAL(readv(file, vector, 256), 256L * BUFFER);
}

static void zeros(void)
{
    take_buffer();
    file = open("/dev/zero", O_RDONLY);
    CHECK(file >= 0);
    check_gives_way("readv of /dev/zero", read_many_zeros, NULL);
    close(file);
    munmap(buffer, BUFFER);
}

static void write_file(void)
{
    struct iovec vector[64];
    int count = (int)(amount / BUFFER);
    for (int i = 0; i < count; i++)
        vector[i] = (struct iovec){ buffer, BUFFER };
    CHECK_EQUAL(pwritev(file, vector, count, 0), (long)count * BUFFER);
}

static void cut_file(void) { CHECK_EQUAL(ftruncate(file, 0), 0); }

static void write_to_memory_file(void)
{
    take_buffer();
    amount = some_memory(48u << 20);
    file = memfd_create("large", 0);
    CHECK(file >= 0);
    check_gives_way("pwritev to a memory file", write_file, cut_file);
    close(file);
    munmap(buffer, BUFFER);
}

static void cut_sparse(void)
{
    CHECK_EQUAL(ftruncate(file, 1L << 40), 0);
    CHECK_EQUAL(pwrite(file, "x", 1, (1L << 40) - 1), 1);
    CHECK_EQUAL(pwrite(file, "x", 1, 12345), 1);
    CHECK_EQUAL(ftruncate(file, 12345), 0);
}

/* Looking up every page of the terabyte takes minutes. */
static void sparse_file(void)
{
    char read[2];
    file = memfd_create("sparse", 0);
    CHECK(file >= 0);
    for (int i = 0; i < 20; i++)
        check_gives_way("ftruncate of a sparse file", cut_sparse, NULL);
    CHECK_EQUAL(ftruncate(file, 1L << 20), 0);
    CHECK_EQUAL(pread(file, read, 2, 12345), 2);
    CHECK_EQUAL(read[0], 0);
    close(file);
}

/* ---- Calls that change many pages ---- */

static void *mapping;

static void populate(void)
{
    mapping = mmap(NULL, amount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    CHECK(mapping != MAP_FAILED);
}

static void unmap(void) { CHECK_EQUAL(munmap(mapping, amount), 0); }

static void pages_come(void)
{
    amount = some_memory(64u << 20);
    check_gives_way("mmap with MAP_POPULATE", populate, unmap);
}

static void pages_go(void)
{
    amount = some_memory(64u << 20);
    populate();
    check_gives_way("munmap", unmap, populate);
}

static void protect(void)
{
    CHECK_EQUAL(mprotect(mapping, amount, PROT_READ), 0);
    CHECK_EQUAL(mprotect(mapping, amount, PROT_READ | PROT_WRITE), 0);
}

static void pages_are_protected(void)
{
    amount = some_memory(64u << 20);
    populate();
    check_gives_way("mprotect", protect, NULL);
    unmap();
}

static void move(void)
{
    mapping = mremap(mapping, amount, amount, MREMAP_MAYMOVE | MREMAP_FIXED, (char *)mapping + (1L << 32));
    CHECK(mapping != MAP_FAILED);
}

static void pages_move(void)
{
    amount = some_memory(64u << 20);
    populate();
    mapping = mremap(mapping, amount, amount, MREMAP_MAYMOVE | MREMAP_FIXED, 0x100000000000);
    CHECK(mapping != MAP_FAILED);
    check_gives_way("mremap", move, NULL);
    unmap();
}

/* ---- Calls that look at many things ---- */

static unsigned files;

static unsigned list_files(void)
{
    unsigned found = 0;
    DIR *directory = opendir("many");
    CHECK(directory != NULL);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        found += entry->d_name[0] == 'f';
    closedir(directory);
    return found;
}

static void list(void) { CHECK_EQUAL(list_files(), files); }

/* Of so many listings. */
static int64_t listing_time(int rounds)
{
    int64_t best = INT64_MAX;
    for (int i = 0; i < ATTEMPTS; i++) {
        int64_t start = cpu_ns();
        for (int round = 0; round < rounds; round++)
            list();
        int64_t time = cpu_ns() - start;
        best = time < best ? time : best;
    }
    return best;
}

static void make_files(unsigned from, unsigned to)
{
    char name[32];
    for (unsigned i = from; i < to; i++) {
        snprintf(name, sizeof(name), "many/f%u", i);
        CHECK_EQUAL(mknod(name, S_IFREG | 0600, 0), 0);
    }
    files = to;
}

static void remove_files(void)
{
    char name[32];
    for (unsigned i = 0; i < files; i++) {
        snprintf(name, sizeof(name), "many/f%u", i);
        CHECK_EQUAL(unlink(name), 0);
    }
    CHECK_EQUAL(rmdir("many"), 0);
}

/* Ten listings of so many names take about as long as one of ten times as many, not a tenth of it: measured over the
 * same number of names, since a machine with other work disturbs what takes longer more. A guest of 64 MiB may have
 * 8,192 inodes in memory. */
static void large_directory(void)
{
    CHECK_EQUAL(mkdir("many", 0700), 0);
    make_files(0, 500);
    int64_t few = listing_time(10);
    make_files(files, 5000);
    int64_t many = listing_time(1);
    check_gives_way("listing", list, NULL);
    remove_files();
    if (many > 4 * few)
        test_failed(__FILE__, __LINE__, "10 times 500 names take %lld us, 5,000 names %lld us", (long long)few / 1000,
                    (long long)many / 1000);
}

static struct pollfd *polled;
static unsigned descriptors;

static void poll_all(void) { CHECK_EQUAL(poll(polled, descriptors, 0), 0); }

static void many_descriptors(void)
{
    struct rlimit limit;
    CHECK_EQUAL(getrlimit(RLIMIT_NOFILE, &limit), 0);
    descriptors = limit.rlim_cur < 30000 ? (unsigned)limit.rlim_cur : 30000;
    polled = malloc(descriptors * sizeof(*polled));
    int one = eventfd(0, 0);
    CHECK(one >= 0);
    for (unsigned i = 0; i < descriptors; i++)
        polled[i] = (struct pollfd){ .fd = one, .events = POLLIN };
    check_gives_way("poll", poll_all, NULL);
    close(one);
    free(polled);
}

/* ---- The console ---- */

#define LINES 900 /* of 72 bytes: more than the kernel keeps, so the writer has to sleep */
static char flood[LINES * 72 + 1];

static void write_flood(void)
{
    static int round;
    size_t length = 0;
    round++;
    for (int i = 0; i < LINES; i++)
        length += (size_t)sprintf(flood + length, "# flood %02d %04d %055d\n", round, i, i);
    for (size_t done = 0; done < length;) {
        ssize_t n = write(1, flood + done, length - done);
        CHECK(n > 0);
        done += (size_t)n;
    }
}

static void write_megabyte(void) { CHECK_EQUAL(write(1, buffer, BUFFER), BUFFER); }

/* One call that moves so much. */
static void long_console_output(void)
{
    take_buffer();
    memset(buffer, '.', BUFFER);
    for (size_t i = 63; i < BUFFER; i += 64)
        buffer[i] = '\n';
    check_gives_way("write of 1 MiB to the console", write_megabyte, NULL);
    munmap(buffer, BUFFER);
}

/* The runner looks whether every line came, in order (the first round of them); and that the kernel's line about the
 * call that does not exist begins a line, although the program's has not ended. */
static void console_output(void)
{
    fflush(stdout);
    CHECK_EQUAL(write(1, "# open line", 11), 11);
    CHECK_ERROR(syscall(503), ENOSYS);
    CHECK_EQUAL(write(1, "\n", 1), 1);
    check_gives_way("write to the console", write_flood, NULL);
    if (latency_is_exact())
        long_console_output();
}

/* ---- Waking ---- */

#define BUSY 8
#define WAKE_UPS 40

static _Atomic bool stop_busy;
static _Atomic long counters[BUSY];
static pthread_t busy[BUSY];

static void *count_up(void *counter)
{
    while (!stop_busy)
        ++*(_Atomic long *)counter;
    return NULL;
}

static void start_busy(void)
{
    stop_busy = false;
    for (int i = 0; i < BUSY; i++) {
        counters[i] = 0;
        CHECK_EQUAL(pthread_create(&busy[i], NULL, count_up, &counters[i]), 0);
    }
}

static void end_busy(void)
{
    stop_busy = true;
    for (int i = 0; i < BUSY; i++)
        pthread_join(busy[i], NULL);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* How many of the busy threads ran while this one slept for a millisecond, and how late it was. */
static int64_t sleep_among_busy(int64_t *late)
{
    long before[BUSY];
    int64_t ran = 0;
    for (int i = 0; i < BUSY; i++)
        before[i] = counters[i];
    struct timespec pause = { .tv_nsec = NS_PER_MS };
    int64_t start = now_ns();
    nanosleep(&pause, NULL);
    *late = now_ns() - start - NS_PER_MS;
    for (int i = 0; i < BUSY; i++)
        ran += counters[i] != before[i];
    return ran;
}

/* Queued after BUSY threads, a sleeper would wait until each of them has had its slice. */
static void sleeper_runs_soon(void)
{
    int64_t late[WAKE_UPS], ran[WAKE_UPS];
    start_busy();
    for (int i = 0; i < WAKE_UPS; i++)
        ran[i] = sleep_among_busy(&late[i]);
    end_busy();
    qsort(late, WAKE_UPS, sizeof(late[0]), compare);
    qsort(ran, WAKE_UPS, sizeof(ran[0]), compare);
    if (getenv("LATENCY") != NULL)
        fprintf(stderr, "# 1 ms sleeper, %d busy: late by p50 %lld us, p99 %lld us\n", BUSY,
                (long long)late[WAKE_UPS / 2] / 1000, (long long)late[WAKE_UPS - 1] / 1000);
    if (ran[WAKE_UPS / 2] > BUSY / 2)
        test_failed(__FILE__, __LINE__, "%lld of %d busy threads ran during a sleep of 1 ms",
                    (long long)ran[WAKE_UPS / 2], BUSY);
}

/* Nobody is left out. */
static void busy_threads_share(void)
{
    start_busy();
    for (int done = 0; done < BUSY;) {
        usleep(1000);
        done = 0;
        for (int i = 0; i < BUSY; i++)
            done += counters[i] > 1000;
    }
    end_busy();
}

SUITE(latency, TEST(random_bytes), TEST(zeros), TEST(write_to_memory_file), TEST(sparse_file), TEST(pages_come),
      TEST(pages_go), TEST(pages_are_protected), TEST(pages_move), TEST(large_directory), TEST(many_descriptors),
      TEST(console_output), TEST(sleeper_runs_soon), TEST(busy_threads_share));

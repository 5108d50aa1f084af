/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever a program makes without end, it is an error that ends it, the program goes on afterwards, and when it
 * has given all back the memory is there again. Only in the guest, where nothing else can be harmed.
 */
#define _GNU_SOURCE
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define PAGE 4096UL
#define MIB (1UL << 20)
/* What may stay behind: the tables of descriptors and areas do not shrink, and allocators keep some pages. */
#define TOLERANCE_KB 2048

static long available_kb(void)
{
    FILE *file = fopen("/proc/meminfo", "r");
    char line[128];
    long found = -1;
    while (file != NULL && found < 0 && fgets(line, sizeof(line), file) != NULL)
        sscanf(line, "MemAvailable: %ld", &found);
    if (file != NULL)
        fclose(file);
    return found;
}

/* Runs it in the guest, and sees that memory comes back. The first round leaves behind what only grows. */
static void exhaust(void (*once)(void))
{
    if (!in_guest())
        return;
    once();
    long before = available_kb();
    CHECK(before > 0);
    once();
    CHECK(available_kb() >= before - TOLERANCE_KB);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

/* Maps and touches pieces until there is no more, each linked to the one before. */
static void map_all(void)
{
    char *last = NULL, *piece;
    size_t count = 0;
    while ((piece = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED) {
        memset(piece, 1, MIB);
        *(char **)piece = last;
        last = piece;
        count++;
    }
    int error = errno;
    while (last != NULL) {
        piece = last;
        last = *(char **)piece;
        CHECK_EQUAL(munmap(piece, MIB), 0);
    }
    CHECK_EQUAL(error, ENOMEM);
    CHECK(count > 8);
}

static void touched_memory(void) { exhaust(map_all); }

/* Areas that cannot be joined, none of them touched. */
static void map_small(void)
{
    size_t length = 70000 * 2 * PAGE, made = 0;
    char *at = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(at != MAP_FAILED);
    while (made * 2 * PAGE < length && mprotect(at + made * 2 * PAGE, PAGE, PROT_READ) == 0)
        made++;
    int error = errno;
    CHECK_EQUAL(munmap(at, length), 0);
    CHECK_EQUAL(error, ENOMEM);
    CHECK(made > 1000 && made < 65530);
}

static void areas(void) { exhaust(map_small); }

/* ---- Threads --------------------------------------------------------------------------------- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *wait_at_gate(void *argument)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return argument;
}

#define THREADS 100000

static void start_threads(void)
{
    static pthread_t threads[THREADS];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 << 10);
    unsigned count = 0;
    int error = 0;
    pthread_mutex_lock(&gate);
    while (count < THREADS && (error = pthread_create(&threads[count], &attributes, wait_at_gate, NULL)) == 0)
        count++;
    pthread_mutex_unlock(&gate);
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    pthread_attr_destroy(&attributes);
    CHECK(error == EAGAIN || error == ENOMEM);
    CHECK(count > 100);
}

static void threads_without_end(void) { exhaust(start_threads); }

/* ---- Descriptors ------------------------------------------------------------------------------- */

static int make_pipe(void)
{
    int ends[2];
    if (pipe(ends) != 0)
        return -1;
    if (write(ends[1], "x", 1) != 1 && errno != ENOMEM)
        abort();
    return ends[0];
}

static int make_pair(void)
{
    int ends[2];
    return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 ? ends[0] : -1;
}

static int make_event(void) { return eventfd(0, 0); }
static int make_timer(void) { return timerfd_create(CLOCK_MONOTONIC, 0); }
static int make_epoll(void) { return epoll_create1(0); }
static int make_inotify(void) { return inotify_init1(0); }
static int make_stream(void) { return socket(AF_INET, SOCK_STREAM, 0); }

static int (*make)(void);

static void make_all(void)
{
    int lowest = dup(0);
    CHECK(lowest >= 0);
    close(lowest);
    unsigned count = 0;
    while (make() >= 0)
        count++;
    int error = errno;
    CHECK_EQUAL(close_range((unsigned)lowest, ~0u, 0), 0);
    CHECK(error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS);
    CHECK(count > 1000);
}

#define DESCRIPTORS(name, function) \
    static void name(void) \
    { \
        make = function; \
        exhaust(make_all); \
    }
DESCRIPTORS(pipes_without_end, make_pipe)
DESCRIPTORS(socket_pairs, make_pair)
DESCRIPTORS(event_counters, make_event)
DESCRIPTORS(timers, make_timer)
DESCRIPTORS(epolls, make_epoll)
DESCRIPTORS(inotifies, make_inotify)
DESCRIPTORS(sockets_without_end, make_stream)

/* ---- Files ------------------------------------------------------------------------------------- */

static void fill_tmp(void)
{
    static char block[64 << 10];
    struct statfs before, full, after;
    CHECK_EQUAL(statfs("/tmp", &before), 0);
    int file = open("/tmp/exhaustion", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(file >= 0);
    while (write(file, block, sizeof(block)) > 0)
        ;
    int error = errno;
    CHECK_EQUAL(statfs("/tmp", &full), 0);
    close(file);
    CHECK_EQUAL(unlink("/tmp/exhaustion"), 0);
    CHECK_EQUAL(statfs("/tmp", &after), 0);
    CHECK_EQUAL(error, ENOSPC);
    CHECK(full.f_bfree < before.f_bfree);
    /* What can be had also depends on what the kernel remembers. */
    CHECK(after.f_bfree + 64 >= before.f_bfree);
    CHECK_EQUAL(after.f_ffree, before.f_ffree);
}

/* For whoever looks for the reason of a failure: what is free, and the program's own memory by mapping. */
static void print_memory(void)
{
    static const char *const files[] = { "/proc/meminfo", "/proc/self/smaps" };
    char line[256], mapping[256] = "";
    for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        FILE *info = fopen(files[i], "r");
        while (info && fgets(line, sizeof(line), info)) {
            if (line[0] >= '0' && line[0] <= '9')
                memcpy(mapping, line, sizeof(line));
            bool large = strncmp(line, "Rss:", 4) == 0 && atol(line + 4) > 512;
            if (strncmp(line, "Mem", 3) == 0 || large)
                printf("# %s%s", large ? mapping : "", line);
        }
        if (info)
            fclose(info);
    }
}

/* No file system in memory, and no file of memfd_create(2), ends at a quarter of memory while there is more. */
static void takes_more_than_a_quarter(int file)
{
    off_t size = in_guest() ? sysconf(_SC_PHYS_PAGES) / 32 * 9 * sysconf(_SC_PAGESIZE) : 24 << 20;
    struct statfs status;
    char byte = 0;
    CHECK(file >= 0);
    CHECK_EQUAL(fstatfs(file, &status), 0);
    if (status.f_blocks > 0 && (off_t)status.f_bavail * status.f_bsize < size)
        test_failed(__FILE__, __LINE__, "%lu of %lu blocks are free, too few for %ld bytes", status.f_bavail,
                    status.f_blocks, (long)size);
    int error = posix_fallocate(file, 0, size);
    ssize_t written = pwrite(file, "x", 1, size - 1), got = pread(file, &byte, 1, size - 1);
    close(file);
    if (error != 0)
        print_memory();
    CHECK_EQUAL(error, 0);
    CHECK_EQUAL(written, 1);
    CHECK(got == 1 && byte == 'x');
}

static void big_file_in_tmp(void)
{
    int file = open("/tmp/exhaustion", O_RDWR | O_CREAT | O_TRUNC, 0600);
    unlink("/tmp/exhaustion");
    takes_more_than_a_quarter(file);
}

static void big_memory_file(void) { takes_more_than_a_quarter(memfd_create("big", 0)); }

static void files_in_tmp(void) { exhaust(fill_tmp); }

static void fill_with_names(void)
{
    struct statfs before, after;
    char name[32];
    unsigned count = 0;
    CHECK_EQUAL(statfs("/tmp", &before), 0);
    CHECK_EQUAL(mkdir("/tmp/names", 0700), 0);
    for (int made = 0; made >= 0; count++) {
        snprintf(name, sizeof(name), "/tmp/names/%u", count);
        made = symlink("target", name);
    }
    int error = errno;
    for (unsigned i = 0; i < count - 1; i++) {
        snprintf(name, sizeof(name), "/tmp/names/%u", i);
        CHECK_EQUAL(unlink(name), 0);
    }
    CHECK_EQUAL(rmdir("/tmp/names"), 0);
    CHECK_EQUAL(statfs("/tmp", &after), 0);
    CHECK(error == ENOSPC || error == ENOMEM);
    CHECK(count > 1000 && count <= before.f_files);
    /* The kernel remembers some names that are absent now, and so the directory. */
    CHECK(after.f_ffree >= before.f_ffree - 1);
}

static void names_in_tmp(void) { exhaust(fill_with_names); }

/* ---- The program's own code ---------------------------------------------------------------------- */

#define ROUNDS 500
#define CODE (1UL << 20) /* bytes; a guest has at least 16 times as much */

/* Pages of the mapping that are in memory. */
static size_t resident(char *mapping, size_t pages)
{
    static unsigned char state[CODE / PAGE];
    size_t count = 0;
    CHECK_EQUAL(mincore(mapping, pages * PAGE, state), 0);
    for (size_t i = 0; i < pages; i++)
        count += state[i] & 1;
    return count;
}

/*
 * Each page fault makes room while memory is short, and what it frees is taken by what calls keep: in the end the
 * pages of files that are left would not be enough to run the program. They are not given away to the last.
 */
static void fill_beside_code(void)
{
    static char block[16 * PAGE];
    struct stat status;
    int code = open("/proc/self/exe", O_RDONLY), file = memfd_create("fill", 0);
    CHECK(code >= 0 && file >= 0);
    CHECK_EQUAL(fstat(code, &status), 0);
    size_t pages = ((size_t)status.st_size < CODE ? (size_t)status.st_size : CODE) / PAGE;
    char *mapping = mmap(NULL, pages * PAGE, PROT_READ, MAP_PRIVATE, code, 0);
    char *own = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(mapping != MAP_FAILED && own != MAP_FAILED);
    while (write(file, block, sizeof(block)) > 0)
        ;
    for (size_t i = 0; i < pages; i++)
        (void)*(volatile char *)&mapping[i * PAGE];
    CHECK(resident(mapping, pages) >= pages / 2); /* or there is nothing to lose */
    for (unsigned i = 0; i < ROUNDS; i++) {
        *own = 1;
        CHECK_EQUAL(madvise(own, PAGE, MADV_DONTNEED), 0);
        while (write(file, block, sizeof(block)) > 0)
            ;
    }
    int error = errno;
    size_t left = resident(mapping, pages);
    close(file);
    munmap(own, PAGE);
    munmap(mapping, pages * PAGE);
    close(code);
    CHECK(error == ENOSPC || error == ENOMEM);
    if (left < pages / 2)
        test_failed(__FILE__, __LINE__, "%zu of %zu pages of the program are left", left, pages);
}

static void code_is_left(void) { exhaust(fill_beside_code); }

SUITE(exhaustion, TEST(touched_memory), TEST(areas), TEST(threads_without_end), TEST(pipes_without_end),
      TEST(socket_pairs), TEST(event_counters), TEST(timers), TEST(epolls), TEST(inotifies), TEST(sockets_without_end),
      TEST(files_in_tmp), TEST(big_file_in_tmp), TEST(big_memory_file), TEST(names_in_tmp), TEST(code_is_left));

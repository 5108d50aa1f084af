/* SPDX-License-Identifier: Apache-2.0 */
/* Resource limits, where they bite: getrlimit(2). Those on descriptors, file sizes and addresses are in objects.c. */
#define _GNU_SOURCE
#include "suite.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define MIB (1UL << 20)

static struct rlimit set_soft(int resource, rlim_t soft)
{
    struct rlimit old, limit;
    CHECK_EQUAL(getrlimit(resource, &old), 0);
    limit = (struct rlimit){ soft, old.rlim_max };
    CHECK_EQUAL(setrlimit(resource, &limit), 0);
    return old;
}

static void put_back(int resource, struct rlimit limit) { CHECK_EQUAL(setrlimit(resource, &limit), 0); }

static volatile int signals_seen;
static void count_signal(int signal)
{
    (void)signal;
    signals_seen++;
}

static int64_t cpu_seconds(void)
{
    struct timespec used;
    CHECK_EQUAL(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used), 0);
    return used.tv_sec;
}

/* The signal comes at the limit and with each second of CPU time after it; the limit moves along. */
static void cpu_time_is_limited(void)
{
    signal(SIGXCPU, count_signal);
    int64_t first = cpu_seconds() + 1;
    struct rlimit old = set_soft(RLIMIT_CPU, (rlim_t)first), now;
    for (int wanted = 1; wanted <= 2; wanted++) {
        while (signals_seen < wanted) {}
        /* Linux counts a whole tick for each part of one, so the signal comes early on a busy machine. */
        CHECK(!in_guest() || cpu_seconds() + 1 >= first + wanted - 1);
        CHECK_EQUAL(getrlimit(RLIMIT_CPU, &now), 0);
        CHECK(now.rlim_cur >= (rlim_t)(first + wanted));
    }
    put_back(RLIMIT_CPU, old);
    signal(SIGXCPU, SIG_DFL);
}

static void *map_bytes(size_t bytes, int protection, int flags)
{
    return mmap(NULL, bytes, protection, flags | MAP_ANONYMOUS, -1, 0);
}

static void data_is_limited(void)
{
    struct rlimit old = set_soft(RLIMIT_DATA, 4096);
    CHECK(map_bytes(MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE) == MAP_FAILED);
    CHECK_EQUAL(errno, ENOMEM);
    CHECK(sbrk((intptr_t)MIB) == (void *)-1);
    void *reserved = map_bytes(MIB, PROT_NONE, MAP_PRIVATE);
    void *shared = map_bytes(MIB, PROT_READ | PROT_WRITE, MAP_SHARED);
    void *readable = map_bytes(MIB, PROT_READ, MAP_PRIVATE);
    CHECK(reserved != MAP_FAILED && shared != MAP_FAILED && readable != MAP_FAILED);
    CHECK_ERROR(mprotect(reserved, MIB, PROT_READ | PROT_WRITE), ENOMEM);
    CHECK_ERROR(mprotect(readable, 4096, PROT_READ | PROT_WRITE), ENOMEM);
    put_back(RLIMIT_DATA, old);
    CHECK_EQUAL(mprotect(reserved, MIB, PROT_READ | PROT_WRITE), 0);
    set_soft(RLIMIT_DATA, 4096);
    CHECK_EQUAL(mprotect(reserved, MIB / 2, PROT_READ | PROT_WRITE), 0); /* is data already */
    CHECK(mremap(reserved, MIB, 2 * MIB, MREMAP_MAYMOVE) == MAP_FAILED);
    CHECK_EQUAL(errno, ENOMEM);
    put_back(RLIMIT_DATA, old);
    CHECK_EQUAL(munmap(reserved, MIB), 0);
    CHECK_EQUAL(munmap(shared, MIB), 0);
    CHECK_EQUAL(munmap(readable, MIB), 0);
}

/* What is given back can be had again: the count of data does not drift. */
static void data_is_counted(void)
{
    size_t room = 1;
    struct rlimit old;
    CHECK_EQUAL(getrlimit(RLIMIT_DATA, &old), 0);
    void *most = MAP_FAILED;
    for (; most == MAP_FAILED; room++) {
        set_soft(RLIMIT_DATA, room * MIB);
        most = map_bytes(4 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE);
        CHECK(room < 4096);
    }
    for (int i = 0; i < 200; i++) {
        char *part = (char *)most + MIB;
        CHECK_EQUAL(mprotect(part, MIB, i % 2 ? PROT_READ : PROT_NONE), 0);
        CHECK_EQUAL(mprotect(part, MIB, PROT_READ | PROT_WRITE), 0);
        CHECK_EQUAL(munmap(part, MIB), 0);
        CHECK(mmap(part, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == part);
    }
    CHECK(map_bytes(2 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE) == MAP_FAILED);
    CHECK_EQUAL(munmap(most, 4 * MIB), 0);
    put_back(RLIMIT_DATA, old);
}

/* Writes a byte so far below here. */
static void reach_down(void *distance)
{
    char here;
    *(volatile char *)((uintptr_t)&here - *(size_t *)distance) = 1;
}

/* What other tests have reached, up to 8 MiB, stays theirs. */
static void stack_is_limited(void)
{
    size_t near = 64 * 1024, far = 12 * MIB, beyond = 15 * MIB;
    struct rlimit old = set_soft(RLIMIT_STACK, MIB);
    CHECK_FAULT(reach_down, &near, 0, 0);
    CHECK_FAULT(reach_down, &far, SIGSEGV, SEGV_MAPERR);
    set_soft(RLIMIT_STACK, 16 * MIB);
    CHECK_FAULT(reach_down, &far, 0, 0);
    set_soft(RLIMIT_STACK, 13 * MIB);
    CHECK_FAULT(reach_down, &far, 0, 0);
    CHECK_FAULT(reach_down, &beyond, SIGSEGV, SEGV_MAPERR);
    set_soft(RLIMIT_STACK, 16 * MIB);
    CHECK_FAULT(reach_down, &beyond, 0, 0);
    put_back(RLIMIT_STACK, old);
}

static void limits_that_do_not_hold_root(void)
{
    struct rlimit old = set_soft(RLIMIT_MEMLOCK, 0);
    void *memory = map_bytes(MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    CHECK(memory != MAP_FAILED);
    CHECK_EQUAL(mlock(memory, MIB), 0);
    CHECK_EQUAL(munmap(memory, MIB), 0);
    put_back(RLIMIT_MEMLOCK, old);
}

SUITE(limits, TEST(cpu_time_is_limited), TEST(data_is_limited), TEST(data_is_counted), TEST(stack_is_limited),
      TEST(limits_that_do_not_hold_root));

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several CPUs: what threads on different ones see of each other. With one CPU a test checks what is left of it; CPUS
 * in the environment says how many the guest must have. Threads that spin make no system call, so that only another
 * CPU, or an interrupt, can end what they wait for.
 */
#define _GNU_SOURCE
#include "suite.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL
#define MANY_THREADS 200

static cpu_set_t all;
static int second; /* the number of another CPU than `first`, or the same if there is one */
static int first;

static void find_cpus(void)
{
    CHECK_EQUAL(sched_getaffinity(0, sizeof(all), &all), 0);
    first = second = -1;
    for (int cpu = 0; cpu < CPU_SETSIZE && second < 0; cpu++) {
        if (!CPU_ISSET(cpu, &all))
            continue;
        if (first < 0)
            first = cpu;
        else
            second = cpu;
    }
    if (second < 0)
        second = first;
}

static void pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set) != 0)
        abort();
}

static void unpin(void) { CHECK_EQUAL(sched_setaffinity(0, sizeof(all), &all), 0); }

static pthread_t start_thread(void *(*function)(void *), void *argument)
{
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, NULL, function, argument), 0);
    return thread;
}

static void join(pthread_t thread) { CHECK_EQUAL(pthread_join(thread, NULL), 0); }

static void as_many_as_given(void)
{
    const char *given = getenv("CPUS");
    find_cpus();
    CHECK_EQUAL(sysconf(_SC_NPROCESSORS_ONLN), CPU_COUNT(&all));
    if (given != NULL) {
        CHECK_EQUAL(CPU_COUNT(&all), atoi(given));
        CHECK_EQUAL(sysconf(_SC_NPROCESSORS_CONF), atoi(given));
    }
}

/* ---- Running at once ---- */

static _Atomic int turn, cpu_of_other;

static void *answer_turns(void *unused)
{
    pin(second);
    cpu_of_other = sched_getcpu();
    for (int i = 1; i < 40; i += 2) {
        while (turn != i) {}
        turn = i + 1;
    }
    return unused;
}

/* Neither calls the kernel: with one CPU each turn takes a time slice. */
static void threads_run_at_once(void)
{
    find_cpus();
    turn = 0;
    pthread_t thread = start_thread(answer_turns, NULL);
    pin(first);
    for (int i = 0; i < 40; i += 2) {
        turn = i + 1;
        while (turn != i + 2) {}
    }
    CHECK_EQUAL(sched_getcpu(), first);
    CHECK_EQUAL(cpu_of_other, second);
    unpin();
    join(thread);
}

static _Atomic bool done;
static _Atomic pid_t id_of_other;

static void *tell_cpu(void *unused)
{
    id_of_other = gettid();
    while (!done)
        cpu_of_other = sched_getcpu();
    return unused;
}

/* The one CPU that /proc/PID/task/TID/status allows the other thread. A mask of more than 32 CPUs is not read. */
static int allowed_in_proc(void)
{
    char path[64], line[4096], end;
    unsigned mask = 0, read;
    int cpu = -1;
    snprintf(path, sizeof(path), "/proc/self/task/%d/status", id_of_other);
    FILE *status = fopen(path, "r");
    CHECK(status != NULL);
    while (fgets(line, sizeof(line), status) != NULL) {
        if (sscanf(line, "Cpus_allowed:\t%x%c", &read, &end) == 2 && end == '\n')
            mask = read;
        (void)sscanf(line, "Cpus_allowed_list:\t%d\n", &cpu);
    }
    fclose(status);
    if (in_guest() || mask != 0)
        CHECK_EQUAL(mask, 1u << cpu);
    return cpu;
}

static void affinity_moves_threads(void)
{
    cpu_set_t set;
    find_cpus();
    done = false;
    pthread_t thread = start_thread(tell_cpu, NULL);
    for (int i = 0; i < 20; i++) {
        int cpu = i % 2 ? first : second;
        CPU_ZERO(&set);
        CPU_SET(cpu, &set);
        CHECK_EQUAL(pthread_setaffinity_np(thread, sizeof(set), &set), 0);
        cpu_of_other = -1;
        while (cpu_of_other < 0)
            sched_yield();
        cpu_of_other = -1; /* what it was about to store is past */
        while (cpu_of_other < 0)
            sched_yield();
        CHECK_EQUAL(cpu_of_other, cpu);
        CHECK_EQUAL(pthread_getaffinity_np(thread, sizeof(set), &set), 0);
        CHECK(CPU_COUNT(&set) == 1 && CPU_ISSET(cpu, &set));
        CHECK_EQUAL(allowed_in_proc(), cpu);
    }
    done = true;
    join(thread);
    CPU_ZERO(&set);
    CHECK_ERROR(sched_setaffinity(0, sizeof(set), &set), EINVAL);
}

/* ---- Registers ---- */

struct vectors {
    uint64_t words[16][4]; /* ymm0 to ymm15; without AVX the first two words count */
};

static void set_affinity_between(const struct vectors *in, struct vectors *out, const cpu_set_t *set, bool avx)
{
    long result = SYS_sched_setaffinity;
#define EACH(m) m(0) m(1) m(2) m(3) m(4) m(5) m(6) m(7) m(8) m(9) m(10) m(11) m(12) m(13) m(14) m(15)
#define CLOBBER \
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", \
        "xmm13", "xmm14", "xmm15", "rcx", "r11", "memory"
#define LOAD(n) "movups " #n "*32(%[in]), %%xmm" #n "\n\t"
#define STORE(n) "movups %%xmm" #n ", " #n "*32(%[out])\n\t"
#define LOAD_WIDE(n) "vmovups " #n "*32(%[in]), %%ymm" #n "\n\t"
#define STORE_WIDE(n) "vmovups %%ymm" #n ", " #n "*32(%[out])\n\t"
    if (avx)
        __asm__ volatile(EACH(LOAD_WIDE) "syscall\n\t" EACH(STORE_WIDE) "vzeroupper"
                         : "+a"(result)
                         : [in] "b"(in), [out] "r"(out), "D"(0L), "S"(sizeof(*set)), "d"(set)
                         : CLOBBER);
    else
        __asm__ volatile(EACH(LOAD) "syscall\n\t" EACH(STORE)
                         : "+a"(result)
                         : [in] "b"(in), [out] "r"(out), "D"(0L), "S"(sizeof(*set)), "d"(set)
                         : CLOBBER);
}

static void *move_with_registers(void *argument)
{
    bool avx = __builtin_cpu_supports("avx");
    struct vectors in, out;
    uint64_t seed = (uintptr_t)argument;
    for (int i = 0; i < 200; i++) {
        for (int n = 0; n < 64; n++)
            in.words[n / 4][n % 4] = seed = seed * 6364136223846793005UL + 1442695040888963407UL;
        out = in;
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(i % 2 ? first : second, &set);
        memset(&out, 0, sizeof(out));
        set_affinity_between(&in, &out, &set, avx);
        for (int n = 0; n < 64; n++)
            if ((avx || n % 4 < 2) && in.words[n / 4][n % 4] != out.words[n / 4][n % 4])
                return argument;
    }
    return NULL;
}

static void registers_survive_a_move(void)
{
    pthread_t threads[3];
    find_cpus();
    for (uintptr_t i = 0; i < 3; i++)
        threads[i] = start_thread(move_with_registers, (void *)(i + 1));
    for (int i = 0; i < 3; i++) {
        void *wrong;
        CHECK_EQUAL(pthread_join(threads[i], &wrong), 0);
        CHECK(wrong == NULL);
    }
}

/* ---- Memory ---- */

static __thread sigjmp_buf after_fault;
static volatile uint64_t *_Atomic page_in_use;
static _Atomic bool is_gone;
static _Atomic int reads, read_after_end, faults;

static void leave_fault(int number)
{
    (void)number;
    siglongjmp(after_fault, 1);
}

/* Reads the page that it is given until that faults. */
static void *read_until_fault(void *unused)
{
    pin(second);
    while (!done) {
        volatile uint64_t *page = page_in_use;
        if (page == NULL)
            continue;
        if (sigsetjmp(after_fault, 1) != 0) {
            page_in_use = NULL;
            faults++;
            continue;
        }
        for (;;) {
            bool gone = is_gone;
            (void)*page;
            reads++;
            if (gone)
                read_after_end++;
        }
    }
    return unused;
}

static void take_from_another_cpu(int (*take)(void *page))
{
    find_cpus();
    signal(SIGSEGV, leave_fault);
    done = false;
    faults = read_after_end = 0;
    pthread_t thread = start_thread(read_until_fault, NULL);
    pin(first);
    for (int i = 0; i < 20; i++) {
        uint64_t *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(page != MAP_FAILED);
        *page = 1;
        is_gone = false;
        reads = 0;
        page_in_use = page;
        while (reads < 10)
            sched_yield();
        CHECK_EQUAL(take(page), 0);
        is_gone = true;
        while (page_in_use != NULL)
            sched_yield();
        munmap(page, PAGE);
    }
    done = true;
    unpin();
    join(thread);
    CHECK_EQUAL(read_after_end, 0);
    CHECK_EQUAL(faults, 20);
}

static int unmap(void *page) { return munmap(page, PAGE); }
static int forbid(void *page) { return mprotect(page, PAGE, PROT_NONE); }
static int move_away(void *page)
{
    void *place = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *moved = mremap(page, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
    return moved == place ? munmap(moved, PAGE) : -1;
}

static void unmapped_memory_is_gone_everywhere(void) { take_from_another_cpu(unmap); }
static void protection_holds_everywhere(void) { take_from_another_cpu(forbid); }
static void moved_memory_is_gone_everywhere(void) { take_from_another_cpu(move_away); }

/* ---- Signals, clocks, futexes ---- */

static _Atomic int handled;

static void count_signal(int number)
{
    (void)number;
    handled++;
}

static void *spin(void *unused)
{
    pin(second);
    cpu_of_other = 1;
    while (!done) {}
    return unused;
}

static void signals_reach_a_running_thread(void)
{
    find_cpus();
    signal(SIGUSR1, count_signal);
    done = false;
    handled = 0;
    cpu_of_other = 0;
    pthread_t thread = start_thread(spin, NULL);
    while (cpu_of_other == 0)
        sched_yield();
    for (int i = 1; i <= 50; i++) {
        CHECK_EQUAL(pthread_kill(thread, SIGUSR1), 0);
        while (handled < i)
            sched_yield();
    }
    done = true;
    join(thread);
    CHECK_EQUAL(handled, 50);
}

static _Atomic int64_t latest;
static _Atomic int went_back;

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void *compare_time(void *cpu)
{
    pin(*(int *)cpu);
    for (int i = 0; i < 20000; i++) {
        int64_t seen = latest, now = now_ns();
        went_back += now < seen;
        while (seen < now && !atomic_compare_exchange_weak(&latest, &seen, now)) {}
    }
    return NULL;
}

static void time_is_the_same_everywhere(void)
{
    find_cpus();
    latest = went_back = 0;
    pthread_t thread = start_thread(compare_time, &second);
    compare_time(&first);
    unpin();
    join(thread);
    CHECK_EQUAL(went_back, 0);
}

static _Atomic uint32_t word;

static long futex(_Atomic uint32_t *at, int operation, uint32_t value, uint64_t more, _Atomic uint32_t *at2,
                  uint32_t last)
{
    return syscall(SYS_futex, at, operation, value, more, at2, last);
}

static void wait_for(uint32_t wanted)
{
    for (uint32_t now = word; now != wanted; now = word)
        futex(&word, FUTEX_WAIT_PRIVATE, now, 0, NULL, 0);
}

static void set_word(uint32_t value)
{
    word = value;
    futex(&word, FUTEX_WAKE_PRIVATE, 1, 0, NULL, 0);
}

static void *answer_futex(void *unused)
{
    pin(second);
    for (uint32_t i = 1; i < 400; i += 2) {
        wait_for(i);
        set_word(i + 1);
    }
    return unused;
}

static void futexes_wake_between_cpus(void)
{
    find_cpus();
    word = 0;
    pthread_t thread = start_thread(answer_futex, NULL);
    pin(first);
    for (uint32_t i = 0; i < 400; i += 2) {
        set_word(i + 1);
        wait_for(i + 2);
    }
    unpin();
    join(thread);
    CHECK_EQUAL(word, 400);
}

static void *add_to_word(void *unused)
{
    pin(second);
    while (!done)
        word += 2;
    return unused;
}

/* The kernel sets the lowest bit, and clears it, while the other thread adds: no addition and no bit is lost. */
static void kernel_changes_words_in_one_step(void)
{
    find_cpus();
    word = 0;
    done = false;
    pthread_t thread = start_thread(add_to_word, NULL);
    pin(first);
    uint32_t before = word, lost = 0;
    for (int i = 0; i < 2000; i++) {
        uint32_t operation = i % 2 ? FUTEX_OP(FUTEX_OP_ANDN, 1, FUTEX_OP_CMP_EQ, 0)
                                   : FUTEX_OP(FUTEX_OP_OR, 1, FUTEX_OP_CMP_EQ, 0);
        futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, 1, &word, operation);
        uint32_t now = word;
        lost += (int32_t)(now - before) < -1 || (now & 1) != (i % 2 ? 0 : 1);
        before = now;
    }
    done = true;
    unpin();
    join(thread);
    CHECK_EQUAL(lost, 0);
}

/* ---- Many ---- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int counted;

static void *count_and_allocate(void *unused)
{
    for (int i = 0; i < 20; i++) {
        char *memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
            return &counted;
        memory[PAGE] = 1;
        pthread_mutex_lock(&mutex);
        counted++;
        pthread_mutex_unlock(&mutex);
        if (memory[0] != 0 || memory[PAGE] != 1)
            return &counted;
        munmap(memory, 4 * PAGE);
    }
    return unused;
}

static void many_threads_share_the_cpus(void)
{
    pthread_t threads[MANY_THREADS];
    pthread_attr_t attributes;
    CHECK_EQUAL(pthread_attr_init(&attributes), 0);
    CHECK_EQUAL(pthread_attr_setstacksize(&attributes, 64 * 1024), 0);
    counted = 0;
    for (int i = 0; i < MANY_THREADS; i++)
        CHECK_EQUAL(pthread_create(&threads[i], &attributes, count_and_allocate, NULL), 0);
    for (int i = 0; i < MANY_THREADS; i++) {
        void *wrong;
        CHECK_EQUAL(pthread_join(threads[i], &wrong), 0);
        CHECK(wrong == NULL);
    }
    CHECK_EQUAL(counted, MANY_THREADS * 20);
}

SUITE(cpus, TEST(as_many_as_given), TEST(threads_run_at_once), TEST(affinity_moves_threads),
      TEST(registers_survive_a_move), TEST(unmapped_memory_is_gone_everywhere), TEST(protection_holds_everywhere),
      TEST(moved_memory_is_gone_everywhere), TEST(signals_reach_a_running_thread), TEST(time_is_the_same_everywhere),
      TEST(futexes_wake_between_cpus), TEST(kernel_changes_words_in_one_step), TEST(many_threads_share_the_cpus));

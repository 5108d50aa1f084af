/* SPDX-License-Identifier: Apache-2.0 */
/* Floating-point and vector registers belong to a thread, whoever runs in between. */
#define _GNU_SOURCE
#include "suite.h"

#include <cpuid.h>
#include <errno.h>
#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#define THREADS 6
#define TIME_MS 200

/* Loads a pattern into all vector registers, lets other threads run, and compares. */
static bool sse_survives(uint64_t pattern, bool yield)
{
    uint64_t in[2] = { pattern, ~pattern }, out[4];
    __asm__ volatile("movdqu %0, %%xmm1\n\tmovdqu %0, %%xmm14" : : "m"(in) : "xmm1", "xmm14");
    if (yield)
        sched_yield();
    else
        for (volatile int i = 0; i < 20000; i++)
            ;
    __asm__ volatile("movdqu %%xmm1, %0\n\tmovdqu %%xmm14, %1"
                     : "=m"(*(uint64_t(*)[2])out), "=m"(*(uint64_t(*)[2])(out + 2)));
    return out[0] == in[0] && out[1] == in[1] && out[2] == in[0] && out[3] == in[1];
}

static bool avx_survives(uint64_t pattern, bool yield)
{
    uint64_t in[4] = { pattern, ~pattern, pattern * 3, pattern * 5 }, out[4];
    __asm__ volatile("vmovdqu %0, %%ymm5" : : "m"(in) : "xmm5");
    if (yield)
        sched_yield();
    else
        for (volatile int i = 0; i < 20000; i++)
            ;
    __asm__ volatile("vmovdqu %%ymm5, %0" : "=m"(out));
    return memcmp(in, out, sizeof(in)) == 0;
}

static bool has_avx(void)
{
    unsigned a, b, c, d, low, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_AVX))
        return false;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & 6) == 6;
}

static void *keep_sse(void *number)
{
    int64_t end = now_ms() + TIME_MS;
    for (uint64_t i = 0; now_ms() < end; i++)
        if (!sse_survives((uint64_t)number * 0x0101010101010101 + i, i % 2))
            return NULL;
    return number;
}

static void *keep_avx(void *number)
{
    int64_t end = now_ms() + TIME_MS;
    for (uint64_t i = 0; now_ms() < end; i++)
        if (!avx_survives((uint64_t)number * 0x0101010101010101 + i, i % 2))
            return NULL;
    return number;
}

static void run_in_threads(void *(*function)(void *))
{
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, function, (void *)(i + 1)), 0);
    for (long i = 0; i < THREADS; i++) {
        void *result;
        CHECK_EQUAL(pthread_join(threads[i], &result), 0);
        CHECK_EQUAL((long)result, i + 1);
    }
}

static void sse_registers_survive_other_threads(void) { run_in_threads(keep_sse); }

static void avx_registers_survive_other_threads(void)
{
    if (has_avx())
        run_in_threads(keep_avx);
}

static void *keep_rounding(void *mode)
{
    fesetround((int)(long)mode);
    for (int i = 0; i < 200; i++) {
        sched_yield();
        if (fegetround() != (int)(long)mode)
            return NULL;
    }
    return (void *)1L;
}

static void control_words_belong_to_threads(void)
{
    static const int modes[] = { FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO };
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, keep_rounding, (void *)(long)modes[i]), 0);
    for (int i = 0; i < 3; i++) {
        void *good;
        CHECK_EQUAL(pthread_join(threads[i], &good), 0);
        CHECK(good != NULL);
    }
    CHECK_EQUAL(fegetround(), FE_TONEAREST);
}

static void *initial_state(void *unused)
{
    unsigned mxcsr;
    uint16_t control;
    (void)unused;
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(control));
    return (void *)(uintptr_t)((mxcsr & 0xffc0) == 0x1f80 && control == 0x37f);
}

static void new_threads_start_clean(void)
{
    pthread_t thread;
    void *good;
    CHECK_EQUAL(pthread_create(&thread, NULL, initial_state, NULL), 0);
    CHECK_EQUAL(pthread_join(thread, &good), 0);
    CHECK(good != NULL);
}

static void divide_by_zero(void *unused)
{
    (void)unused;
    volatile double zero = 0, one = 1;
    one = one / zero;
}

static void unmasked_exceptions_become_signals(void)
{
    CHECK(feenableexcept(FE_DIVBYZERO) >= 0);
    struct fault fault = fault_of(divide_by_zero, NULL);
    feclearexcept(FE_ALL_EXCEPT);
    fedisableexcept(FE_ALL_EXCEPT);
    if (in_guest() && fault.signal == 0)
        return; /* QEMU's emulated processor has no unmasked exceptions */
    CHECK_EQUAL(fault.signal, SIGFPE);
    CHECK_EQUAL(fault.code, FPE_FLTDIV);
}

SUITE(fpu, TEST(sse_registers_survive_other_threads), TEST(avx_registers_survive_other_threads),
      TEST(control_words_belong_to_threads), TEST(new_threads_start_clean), TEST(unmasked_exceptions_become_signals));

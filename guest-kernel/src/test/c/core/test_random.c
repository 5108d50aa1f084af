/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generator's account of its entropy, and the judge of timing jitter.
 *
 * The generator itself, so the shim's is not linked (lib/tests.mk), and the CPU's entropy is what a test offers. Run by
 * make test-core.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/jitter.h"
#include "core/log.h"
#include "core/random.h"
#include "host/host.h"
#include "platform/platform.h"
#include "threads/seed.h"

struct platform_information platform;
static size_t offered; /* bytes that the CPU gives at once */

size_t platform_entropy(void *to, size_t length)
{
    size_t n = length < offered ? length : offered;
    memset(to, 0x5a, n);
    return n;
}

/* ---- Jitter ------------------------------------------------------------------------------------------ */

static uint32_t samples[JITTER_WINDOW];

static void truly_random_samples_are_good(void)
{
    srandom(1);
    for (unsigned round = 0; round < 1000; round++) {
        for (unsigned i = 0; i < JITTER_WINDOW; i++)
            samples[i] = 500 + (uint32_t)random() % 64;
        CHECK(jitter_good(samples));
    }
}

static void a_fifth_of_a_bit_is_not_enough(void)
{
    /* The same value in nine of ten samples: -log2(0.9) is 0.15 bit a sample, more than is credited but without
     * margin. */
    srandom(2);
    for (unsigned i = 0; i < JITTER_WINDOW; i++)
        samples[i] = random() % 10 ? 100 : (uint32_t)random() % 256;
    CHECK(!jitter_good(samples));
}

static void patterns_are_not_good(void)
{
    for (unsigned period = 1; period <= JITTER_LAGS; period++) {
        for (unsigned i = 0; i < JITTER_WINDOW; i++)
            samples[i] = 100 + (i % period) * (i % period) * 7;
        CHECK(!jitter_good(samples));
    }
    for (unsigned step = 0; step < 10; step++) {
        for (unsigned i = 0; i < JITTER_WINDOW; i++)
            samples[i] = 1000 + i * step;
        CHECK(!jitter_good(samples));
    }
}

static void samples_are_taken(void)
{
    memset(samples, 0, sizeof(samples));
    jitter_sample(samples);
    for (unsigned i = 0; i < JITTER_WINDOW; i++)
        CHECK(samples[i] != 0);
}

/* ---- The account ------------------------------------------------------------------------------------- */

static unsigned idle_calls;

/* The host's device answers when the boot has slept some times. */
static bool answer_late(void)
{
    uint8_t bytes[64] = { 1 };
    if (++idle_calls == 5)
        random_credit(bytes, sizeof(bytes), 8 * sizeof(bytes), RANDOM_VIRTIO);
    return false;
}

static bool never_answer(void) { return false; }

/* In a process of its own, whose generator has been given jitter only: what the report says after the wait. */
static bool reports(bool asked, bool (*host)(void), nanoseconds most, const char *text)
{
    pid_t child = fork();
    int status = 0;
    if (child == 0) {
        uint8_t bytes[4] = { 0 };
        nanoseconds start = clock_monotonic();
        random_credit(bytes, sizeof(bytes), RANDOM_SEED_BITS, RANDOM_JITTER);
        if (asked)
            random_expect(RANDOM_VIRTIO);
        host_idle = host;
        log_limit = LOG_INFO;
        seed_wait();
        _exit(clock_monotonic() - start > most || !strstr(host_log(), text));
    }
    return waitpid(child, &status, 0) == child && status == 0;
}

static void the_host_is_waited_for_where_there_is_jitter_alone(void)
{
    CHECK(reports(false, never_answer, 0, "seeded from timing jitter alone, since neither"));
    CHECK(reports(true, answer_late, 10 * NS_PER_MS, "seeded from virtio-rng, timing jitter\n"));
    CHECK(reports(true, never_answer, 1001 * NS_PER_MS, "alone: the virtio-rng device has not answered"));
}

static void nothing_is_ready_without_entropy(void)
{
    uint8_t bytes[1000];
    memset(bytes, 1, sizeof(bytes));
    random_add(bytes, sizeof(bytes));
    CHECK(!random_ready());
    random_credit(bytes, sizeof(bytes), RANDOM_SEED_BITS - 2, RANDOM_XENSTORE);
    for (unsigned i = 0; i < 127; i++)
        random_event(i);
    CHECK(!random_ready());
}

static void events_count_one_bit_in_64(void)
{
    random_event(1);
    CHECK(random_ready());
}

static void more_than_enough_stays_enough(void)
{
    uint8_t bytes[4] = { 0 };
    random_credit(bytes, sizeof(bytes), UINT32_MAX, RANDOM_VIRTIO);
    random_credit(bytes, sizeof(bytes), UINT32_MAX, RANDOM_VIRTIO);
    CHECK(random_ready());
}

static void the_report_names_the_sources(void)
{
    log_limit = LOG_INFO;
    random_report();
    CHECK(strstr(host_log(), "seeded from virtio-rng, xenstore, the timing of interrupts"));
    offered = 32;
    random_init();
    random_report();
    CHECK(strstr(host_log(), "seeded from the CPU, virtio-rng, "));
}

static int compare_blocks(const void *a, const void *b) { return memcmp(a, b, 32); }

static void output_does_not_repeat(void)
{
    static uint8_t blocks[2000][32];
    for (unsigned i = 0; i < 2000; i++)
        random_bytes(blocks[i], sizeof(blocks[i]));
    qsort(blocks, 2000, sizeof(blocks[0]), compare_blocks);
    for (unsigned i = 1; i < 2000; i++)
        CHECK(memcmp(blocks[i - 1], blocks[i], 32) != 0);
}

static void every_bit_is_as_often_set_as_not(void)
{
    unsigned set[64] = { 0 };
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t value = random_u64();
        for (unsigned bit = 0; bit < 64; bit++)
            set[bit] += value >> bit & 1;
    }
    /* 5000 expected, standard deviation 50. */
    for (unsigned bit = 0; bit < 64; bit++)
        CHECK(set[bit] > 4650 && set[bit] < 5350);
}

static void below_a_limit_is_uniform(void)
{
    unsigned counts[3] = { 0 };
    for (unsigned i = 0; i < 30000; i++)
        counts[random_below(3)]++;
    for (unsigned i = 0; i < 3; i++)
        CHECK(counts[i] > 9400 && counts[i] < 10600);
}

/* ---- Copies of a machine ------------------------------------------------------------------------------- */

static uint64_t generation[2];

/* Two copies of this process go on from here, the second with this generation: whether they draw the same. */
static void draw_in_copies(uint64_t second, bool same)
{
    uint64_t own, other = 0;
    int ends[2];
    CHECK_EQUAL(pipe(ends), 0);
    pid_t copy = fork();
    if (copy == 0) {
        generation[1] = second;
        own = random_u64();
        _exit(write(ends[1], &own, sizeof(own)) != sizeof(own));
    }
    own = random_u64();
    CHECK_EQUAL(read(ends[0], &other, sizeof(other)), sizeof(other));
    CHECK_EQUAL(waitpid(copy, NULL, 0), copy);
    close(ends[0]);
    close(ends[1]);
    CHECK_EQUAL(own == other, same);
}

static void copies_of_a_machine_draw_different_numbers(void)
{
    offered = 0;
    platform.generation = generation;
    generation[0] = 1;
    (void)random_u64();
    draw_in_copies(0, true);
    draw_in_copies(1, false);
    draw_in_copies(0, true);
    platform.generation = NULL;
}

int main(void)
{
    host_init();
    host_test("jitter: random samples are good", truly_random_samples_are_good);
    host_test("jitter: too little entropy is seen", a_fifth_of_a_bit_is_not_enough);
    host_test("jitter: patterns are seen", patterns_are_not_good);
    host_test("jitter: samples are taken", samples_are_taken);
    host_test("random: the host is waited for where there is jitter alone",
              the_host_is_waited_for_where_there_is_jitter_alone);
    host_test("random: nothing is ready without entropy", nothing_is_ready_without_entropy);
    host_test("random: events count one bit in 64", events_count_one_bit_in_64);
    host_test("random: more than enough stays enough", more_than_enough_stays_enough);
    host_test("random: the report names the sources", the_report_names_the_sources);
    host_test("random: output does not repeat", output_does_not_repeat);
    host_test("random: every bit is as often set as not", every_bit_is_as_often_set_as_not);
    host_test("random: below a limit is uniform", below_a_limit_is_uniform);
    host_test("random: copies of a machine draw different numbers", copies_of_a_machine_draw_different_numbers);
    return host_result();
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layout of the process: many are chosen, and each bit that is to vary does so, as often one as zero, and alone.
 *
 * The bounds leave eight standard deviations, so chance does not fail the test. Run by make test-memory.
 */
#include "host/host.h"
#include "memory/layout.h"
#include "platform/platform.h"

#define SAMPLES 8192
/* Eight standard deviations of a fair coin thrown SAMPLES times, sqrt(SAMPLES) / 2 each: by chance once in 10^15. */
#define TOLERANCE 362

static struct layout samples[SAMPLES];

static void choose_all(void)
{
    for (unsigned i = 0; i < SAMPLES; i++)
        samples[i] = layout_choose();
}

enum part { MAP, PROGRAM, STACK, STACK_POINTER, BREAK, VDSO_ABOVE_STACK, PARTS };
static const struct {
    const char *name;
    unsigned low, high;
} varying[PARTS] = {
    [MAP] = { "mmap", 12, 39 },    [PROGRAM] = { "program", 12, 39 },
    [STACK] = { "stack", 12, 33 }, [STACK_POINTER] = { "stack pointer", 4, 33 },
    [BREAK] = { "break", 12, 29 }, [VDSO_ABOVE_STACK] = { "vDSO above the stack", 12, 20 },
};

static uint64_t part_of(const struct layout *layout, enum part part)
{
    switch (part) {
    case MAP:
        return layout->map_top;
    case PROGRAM:
        return layout->program;
    case STACK:
        return layout->stack_top;
    case STACK_POINTER:
        return layout->stack_top - layout->stack_offset;
    case BREAK:
        return layout->break_offset;
    default:
        return layout->vdso - layout->stack_top;
    }
}

static bool is_fair(unsigned count) { return count + TOLERANCE > SAMPLES / 2 && count < SAMPLES / 2 + TOLERANCE; }

static void test_every_bit_varies(void)
{
    for (enum part part = 0; part < PARTS; part++) {
        for (unsigned bit = varying[part].low; bit <= varying[part].high; bit++) {
            unsigned ones = 0;
            for (unsigned i = 0; i < SAMPLES; i++)
                ones += part_of(&samples[i], part) >> bit & 1;
            if (!is_fair(ones))
                host_fail(__FILE__, __LINE__, "%s: bit %u is one in %u of %u", varying[part].name, bit, ones, SAMPLES);
        }
    }
}

/* Any two varying bits, of one part or of two, are equal half of the time; but for the stack's own two. */
static void test_bits_are_independent(void)
{
    for (enum part a = 0; a < PARTS; a++) {
        for (enum part b = a; b < PARTS; b++) {
            if (a == STACK && b == STACK_POINTER)
                continue;
            for (unsigned low = varying[a].low; low <= varying[a].high; low++) {
                for (unsigned high = varying[b].low + (a == b ? low - varying[a].low + 1 : 0); high <= varying[b].high;
                     high++) {
                    unsigned equal = 0;
                    for (unsigned i = 0; i < SAMPLES; i++)
                        equal += !((part_of(&samples[i], a) >> low ^ part_of(&samples[i], b) >> high) & 1);
                    if (!is_fair(equal))
                        host_fail(__FILE__, __LINE__, "%s bit %u and %s bit %u agree in %u of %u", varying[a].name, low,
                                  varying[b].name, high, equal, SAMPLES);
                }
            }
        }
    }
}

static void test_parts_do_not_meet(void)
{
    for (unsigned i = 0; i < SAMPLES; i++) {
        const struct layout *layout = &samples[i];
        uintptr_t stack_bottom = layout->stack_top - USER_STACK_SIZE;
        CHECK(!((layout->map_top | layout->program | layout->stack_top | layout->break_offset | layout->vdso) &
                PAGE_MASK));
        CHECK_EQUAL(layout->stack_offset % 16, 0);
        CHECK(layout->stack_offset < 2 * PAGE_SIZE);
        CHECK(layout->vdso >= layout->stack_top);
        CHECK(layout->vdso + 2 * PAGE_SIZE <= USER_LIMIT);
        /* No mapping next to the stack, so that no overflow of it reaches one. */
        CHECK(layout->map_top + (128UL << 20) <= stack_bottom);
        /* Terabytes of mappings on both sides of the break. */
        CHECK(layout->program + layout->break_offset + (40UL << 40) < layout->map_top);
        CHECK(layout->program >= (80UL << 40));
    }
}

int main(void)
{
    host_init();
    choose_all();
    host_test("layout: every bit varies", test_every_bit_varies);
    host_test("layout: bits are independent", test_bits_are_independent);
    host_test("layout: parts do not meet", test_parts_do_not_meet);
    return host_result();
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TSC's frequency: from a hypervisor's CPUID leaf, the CPU's own (Intel SDM 2A, CPUID 15H and 16H), or measured
 * against the PC's interval timer (Intel 8254), channel 2. That timer does not work on EC2, so a frequency that CPUID
 * gives is always preferred.
 *
 * tsc_frequency() is called once, by clock.c at boot, on the boot CPU; there is no state and no lock.
 */
#include "core/log.h"
#include "platform/native/clock.h"
#include "platform/native/instructions.h"
#include "platform/x86/processor.h"
#include "platform/xen/leaves.h"

#define TIMING_LEAF 0x40000010 /* EAX: TSC kHz; VMware's, also offered by KVM */
#define CRYSTAL_LEAF 0x15      /* TSC / crystal = EBX / EAX; ECX: crystal in Hz, 0: not known */
#define FREQUENCY_LEAF 0x16    /* EAX 15:0: base frequency in MHz; the TSC's too (SDM 3B 18.7.3) */

#define TIMER_FREQUENCY 1193182
#define TIMER_CHANNEL2 0x42
#define TIMER_MODE 0x43
#define CHANNEL2_MODE0 0xb0 /* both bytes, interrupt on terminal count */
#define CHANNEL2_LATCH 0x80
#define SPEAKER_GATE 0x61 /* bit 0: gate of channel 2, bit 1: speaker */
#define MEASURE_TICKS (TIMER_FREQUENCY / 100)
#define SAMPLES 8

static uint64_t hypervisor_frequency(void)
{
    if (!(processor_identify(1, 0).ecx & 1u << 31))
        return 0;
    uint32_t xen = xen_leaves();
    if (xen != 0)
        return processor_identify(xen + XEN_LEAF_TIME, 0).ecx * 1000UL;
    return processor_identify(TIMING_LEAF, 0).eax * 1000UL;
}

static uint64_t crystal_frequency(void)
{
    struct processor_leaf leaf = processor_identify(CRYSTAL_LEAF, 0);
    if (leaf.eax == 0 || leaf.ebx == 0)
        return 0;
    if (leaf.ecx == 0)
        return (processor_identify(FREQUENCY_LEAF, 0).eax & 0xffff) * 1000000UL;
    return (uint64_t)leaf.ecx * leaf.ebx / leaf.eax;
}

/* A reading of both clocks close together: of several, the one that took least time. */
struct sample {
    uint64_t tsc;
    uint16_t timer;
};

static struct sample take_sample(void)
{
    struct sample best = { 0 };
    uint64_t shortest = UINT64_MAX;
    for (unsigned i = 0; i < SAMPLES; i++) {
        uint64_t before = rdtsc();
        out8(TIMER_MODE, CHANNEL2_LATCH);
        uint64_t after = rdtsc();
        uint16_t value = in8(TIMER_CHANNEL2);
        value |= (uint16_t)(in8(TIMER_CHANNEL2) << 8);
        if (after - before < shortest) {
            shortest = after - before;
            best = (struct sample){ before + shortest / 2, value };
        }
    }
    return best;
}

static uint64_t measured_frequency(void)
{
    out8(SPEAKER_GATE, (in8(SPEAKER_GATE) & ~2) | 1);
    out8(TIMER_MODE, CHANNEL2_MODE0);
    out8(TIMER_CHANNEL2, 0xff);
    out8(TIMER_CHANNEL2, 0xff);
    struct sample first = take_sample(), last;
    uint64_t limit = rdtsc() + (1UL << 34);
    do {
        last = take_sample();
        if (rdtsc() > limit)
            panic("no clock: cannot determine the TSC's frequency from KVM, Xen, CPUID 15H or an interval timer");
    } while ((uint16_t)(first.timer - last.timer) < MEASURE_TICKS);
    return (last.tsc - first.tsc) * TIMER_FREQUENCY / (uint16_t)(first.timer - last.timer);
}

uint64_t tsc_frequency(void)
{
    uint64_t frequency = hypervisor_frequency();
    if (frequency == 0)
        frequency = crystal_frequency();
    return frequency != 0 ? frequency : measured_frequency();
}

struct tsc_scale tsc_scale_of(uint64_t frequency)
{
    struct tsc_scale scale = { .shift = 0 };
    while (frequency <= NS_PER_SECOND) {
        frequency <<= 1;
        scale.shift++;
    }
    while (frequency > 2 * NS_PER_SECOND) {
        frequency >>= 1;
        scale.shift--;
    }
    /* 10^9 < frequency, so this is below 2^32. */
    scale.multiplier = (uint32_t)((NS_PER_SECOND << 32) / frequency);
    return scale;
}

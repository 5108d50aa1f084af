/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the native clock's parts come from: the TSC's frequency (frequency.c), KVM's clock
 * (kvm_clock.c) and the real-time clock (rtc.c). clock.c puts them together.
 */
#pragma once

#include "platform/platform.h"

/* As in struct clock_page (platform.h). */
struct tsc_scale {
    uint32_t multiplier;
    int32_t shift;
};
static inline nanoseconds tsc_scale_apply(struct tsc_scale scale, uint64_t ticks)
{
    return clock_scale(ticks, scale.multiplier, scale.shift);
}
struct tsc_scale tsc_scale_of(uint64_t frequency);

/* Ticks per second: reported by the hypervisor or the CPU, else measured for 10 ms. */
uint64_t tsc_frequency(void);

/* KVM's clock of this CPU: at `tsc` it was `system_time` ns, and goes on with `scale`. */
struct kvm_time {
    uint64_t tsc, system_time;
    struct tsc_scale scale;
};
/* What KVM offers (CPUID 0x40000001, EAX); 0: this is not a guest of KVM's. */
uint32_t kvm_features(void);
/* False if KVM does not offer it. */
bool kvm_clock_init(void);
/* True if the parameters have changed since they were read. */
bool kvm_clock_changed(void);
struct kvm_time kvm_clock_read(void);
/* The parameters are the same on all CPUs, as long as the host says so. */
bool kvm_clock_is_shared(void);
/* UTC in ns since 1970 when the system time was 0. */
uint64_t kvm_wall_base(void);

/* Seconds since 1970 in UTC from the PC's CMOS clock; 0 if there is none. */
uint64_t rtc_seconds(void);

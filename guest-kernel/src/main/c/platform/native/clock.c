/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Monotonic and wall time on the TSC. Under KVM its parameters may change (a migration); they are looked at on every
 * reading and published to the vDSO through the clock page.
 *
 * native_clock_init() chooses the source at boot; after that the functions are those of platform_operations, in any
 * context. The kernel publishes the parameters that it uses itself, so it and the vDSO never disagree. One CPU at a
 * time is in the kernel, so there is one writer, and the sequence number of the page keeps user mode from using
 * parameters that are half written.
 */
#include "platform/native/clock.h"

#include "platform/native/instructions.h"
#include "platform/native/native.h"

static union {
    struct clock_page clock;
    uint8_t bytes[PAGE_SIZE];
} shared __attribute__((aligned(PAGE_SIZE)));

static struct tsc_scale scale;
static uint64_t tsc_base, monotonic_base;
static uint64_t ticks_per_ms;

static bool kvm;
static uint64_t kvm_offset; /* system_time at monotonic 0 */

static void publish(struct wall_time wall)
{
    struct clock_page *clock = &shared.clock;
    write_once(clock->sequence, clock->sequence + 1);
    compiler_barrier();
    clock->tsc_base = tsc_base;
    clock->monotonic_base = monotonic_base;
    clock->multiplier = scale.multiplier;
    clock->shift = scale.shift;
    clock->wall = wall;
    clock->use = CLOCK_USE_PAGE;
    compiler_barrier();
    write_once(clock->sequence, clock->sequence + 1);
}

static nanoseconds read_clock(void)
{
    uint64_t now = rdtsc();
    /* On a clock that was just refreshed the base may lie some ticks ahead. */
    return now < tsc_base ? monotonic_base : monotonic_base + tsc_scale_apply(scale, now - tsc_base);
}

/* Takes over new parameters without ever going back. */
static __attribute__((noinline)) void refresh(void)
{
    nanoseconds before = read_clock();
    struct kvm_time time = kvm_clock_read();
    scale = time.scale;
    tsc_base = time.tsc;
    monotonic_base = time.system_time - kvm_offset;
    nanoseconds after = read_clock();
    if (after < before) {
        monotonic_base += before - after;
        kvm_offset -= before - after;
    }
    publish(shared.clock.wall);
}

nanoseconds native_clock_monotonic(void)
{
    if (kvm && unlikely(kvm_clock_changed()))
        refresh();
    return read_clock();
}

nanoseconds native_clock_wall(void) { return wall_time_at(&shared.clock.wall, native_clock_monotonic()); }

void native_clock_set_wall(const struct wall_time *time) { publish(*time); }

void native_clock_restored(void)
{
    nanoseconds now = native_clock_monotonic();
    nanoseconds host = kvm ? kvm_wall_base() + kvm_offset + now : rtc_seconds() * NS_PER_SECOND;
    nanoseconds least = native_clock_wall() + NS_PER_SECOND;
    publish((struct wall_time){ .monotonic = now, .wall = max_of(host, least) });
}

bool native_clock_is_shared(void) { return !kvm || kvm_clock_is_shared(); }

phys_t native_clock_page_address(void) { return (uintptr_t)&shared - KERNEL_BASE; }

uint64_t native_clock_ticks(nanoseconds duration)
{
    return duration / NS_PER_MS * ticks_per_ms + duration % NS_PER_MS * ticks_per_ms / NS_PER_MS;
}

void native_clock_delay(nanoseconds duration)
{
    uint64_t end = rdtsc() + native_clock_ticks(duration);
    while (rdtsc() < end)
        __asm__ volatile("pause");
}

/* The inverse of a scale, to about 1e-9. */
static uint64_t scale_ticks_per_ms(struct tsc_scale s)
{
    uint64_t ticks = (NS_PER_MS << 32) / s.multiplier;
    return s.shift >= 0 ? ticks >> s.shift : ticks << -s.shift;
}

void native_clock_init(void)
{
    kvm = kvm_clock_init();
    if (kvm) {
        struct kvm_time time = kvm_clock_read();
        scale = time.scale;
        tsc_base = time.tsc;
        monotonic_base = time.system_time;
        kvm_offset = read_clock() - tsc_scale_apply(scale, rdtsc() - native_entry_tsc);
        monotonic_base -= kvm_offset;
        ticks_per_ms = scale_ticks_per_ms(scale);
        publish((struct wall_time){ .wall = kvm_wall_base() + kvm_offset });
        return;
    }
    uint64_t frequency = tsc_frequency();
    scale = tsc_scale_of(frequency);
    tsc_base = native_entry_tsc;
    ticks_per_ms = frequency / 1000;
    publish((struct wall_time){ .monotonic = read_clock(), .wall = rtc_seconds() * NS_PER_SECOND });
}

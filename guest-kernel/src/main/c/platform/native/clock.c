/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Monotonic and wall time on the TSC. Under KVM its parameters may change (a migration); they are looked at on every
 * reading and published to the vDSO through the clock page.
 *
 * native_clock_init() chooses the source at boot; after that the functions are those of platform_operations, in any
 * context. The kernel publishes the parameters that it uses itself, so it and the vDSO never disagree. `changing` lets
 * one CPU at a time change them, and the sequence number of the page, odd meanwhile, keeps the others and user mode
 * from using parameters that are half written. Neither is a lock of lib/lock_class.h, since those read the clock.
 */
#include "platform/native/clock.h"

#include "platform/native/instructions.h"
#include "platform/native/native.h"

static union {
    struct clock_page clock;
    uint8_t bytes[PAGE_SIZE];
} shared __attribute__((aligned(PAGE_SIZE)));

static struct tsc_scale scale;
static uint64_t tsc_base, monotonic_base; /* as in the page, for the kernel */
static uint64_t ticks_per_ms;

static bool kvm;
static uint64_t kvm_offset; /* system_time at monotonic 0 */

static uint32_t changing;

static void begin_change(void)
{
    while (__atomic_exchange_n(&changing, 1, __ATOMIC_ACQUIRE))
        __builtin_ia32_pause();
    write_once(shared.clock.sequence, shared.clock.sequence + 1);
    compiler_barrier(); /* a processor shows its writes in order */
}

static void end_change(void)
{
    __atomic_store_n(&shared.clock.sequence, shared.clock.sequence + 1, __ATOMIC_RELEASE);
    __atomic_store_n(&changing, 0, __ATOMIC_RELEASE);
}

static uint32_t begin_reading(void)
{
    uint32_t sequence;
    while (unlikely((sequence = __atomic_load_n(&shared.clock.sequence, __ATOMIC_ACQUIRE)) & 1))
        __builtin_ia32_pause();
    return sequence;
}

static bool was_changed(uint32_t sequence)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return unlikely(read_once(shared.clock.sequence) != sequence);
}

/* Between begin_change() and end_change(). */
static void show(struct wall_time wall)
{
    struct clock_page *clock = &shared.clock;
    clock->tsc_base = tsc_base;
    clock->monotonic_base = monotonic_base;
    clock->multiplier = scale.multiplier;
    clock->shift = scale.shift;
    clock->wall = wall;
    clock->use = CLOCK_USE_PAGE;
}

static void publish(struct wall_time wall)
{
    begin_change();
    show(wall);
    end_change();
}

static inline __attribute__((always_inline)) nanoseconds read_clock(void)
{
    uint64_t now = rdtsc();
    /* On a clock that was just refreshed the base may lie some ticks ahead. */
    return now < tsc_base ? monotonic_base : monotonic_base + tsc_scale_apply(scale, now - tsc_base);
}

/* Takes over new parameters without ever going back. */
static __attribute__((noinline)) void refresh(void)
{
    begin_change();
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
    show(shared.clock.wall);
    end_change();
}

nanoseconds native_clock_monotonic(void)
{
    if (kvm && unlikely(kvm_clock_changed()))
        refresh();
    uint32_t sequence;
    nanoseconds now;
    do {
        sequence = begin_reading();
        now = read_clock();
    } while (was_changed(sequence));
    return now;
}

nanoseconds native_clock_wall(void)
{
    uint32_t sequence;
    struct wall_time wall;
    do {
        sequence = begin_reading();
        wall = shared.clock.wall;
    } while (was_changed(sequence));
    return wall_time_at(&wall, native_clock_monotonic());
}

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

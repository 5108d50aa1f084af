/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time, from what Xen says of the TSC (xen/xen.h: vcpu_time_info) and the timer of this virtual CPU.
 *
 * Kernel and vDSO read the same parameters, those in the clock page, so they never disagree. Xen changes its own every
 * second and when the virtual CPU moves to another processor; the page follows at the next reading in the kernel. It
 * never goes back: where Xen's new time is earlier than what was shown, by nanoseconds, ours goes on from there.
 *
 * Several CPUs use one page if the TSC is the same on all processors: whichever reads the clock next has it follow its
 * own parameters. If it is not, each has a page for itself, and user mode none. `changing` lets one CPU at a time
 * change a page, and the page's sequence number, odd meanwhile, keeps the others from using what is half written.
 * Neither is a lock of lib/lock_class.h, since those read the clock.
 *
 * User mode must not go on with parameters of another processor. So Xen keeps a second copy of its parameters in the
 * page itself, whose version shows user mode that they changed; the system call it then makes brings the page up to
 * date. Where Xen cannot do that, user mode reads the page only if the TSC runs at one rate and equally on all
 * processors, or is emulated by Xen (its default where it does not); CPUID says which.
 */
#include "core/heap.h"
#include "core/log.h"
#include "lib/errno.h"
#include "platform/platform.h"
#include "platform/x86/processor.h"
#include "platform/xen/events.h"
#include "platform/xen/hypercall.h"
#include "platform/xen/runstate.h"
#include "platform/xen/time.h"
#include "platform/xenpv/xenpv.h"

/* xen/arch-x86/cpuid.h, leaf 4 (0x40000x03): TSC emulated, host's TSC reliable. */
#define XEN_TIME_LEAF 0x40000003
#define XEN_TSC_EMULATED 1u
#define XEN_TSC_RELIABLE 2u

/* A page of its own: user mode may map it. */
static union {
    struct clock_page page;
    uint8_t bytes[PAGE_SIZE];
} clock __attribute__((aligned(PAGE_SIZE)));

/* Xen's struct vcpu_time, which begins with the version, fits at host_version. */
_Static_assert(offsetof(struct clock_page, host_version) % sizeof(uint64_t) == 0, "alignment of struct vcpu_time");
_Static_assert(sizeof(struct vcpu_time) == sizeof(uint32_t[8]), "room for struct vcpu_time");

static struct source {
    struct clock_page *page; /* that this CPU reads: the one that all read, or its own */
    struct clock_page *own;
    uint32_t version;   /* of Xen's parameters for this CPU when it last had the page follow them */
    nanoseconds wanted; /* monotonic */
    nanoseconds armed;  /* monotonic: when Xen will interrupt this CPU; <= wanted */
} sources[CPUS_MAX];    /* by the CPU's id */

static struct runs {
    struct runstate state; /* written by Xen; zeroes where it does not */
    nanoseconds stolen_at_start;
    nanoseconds stolen_before;                 /* when the domain was saved */
} __attribute__((aligned(64))) runs[CPUS_MAX]; /* by the CPU's id */

static bool tsc_is_one;       /* it runs at one rate, and equally on all processors */
static uint32_t wall_version; /* of what the page was made from */
static bool wall_is_set;      /* by clock_set_wall(): Xen's wall clock no longer counts */
static nanoseconds shown;     /* atomic: the latest reading in the kernel */
static uint32_t changing;
static uint64_t monotonic_offset; /* monotonic = system time + this, modulo 2^64 */
static nanoseconds saved_at;      /* monotonic: when the domain was saved */

static struct source *this_source(void) { return &sources[this_cpu()->id]; }

/* The time at a TSC value; one before the parameters' own (another processor's) counts as that. */
static nanoseconds time_at(const struct clock_page *page, uint64_t tsc)
{
    if (tsc < page->tsc_base)
        return page->monotonic_base;
    return page->monotonic_base + clock_scale(tsc - page->tsc_base, page->multiplier, page->shift);
}

/* By how much Xen's calibration may lie before the earlier parameters; more is another processor's TSC. */
#define CORRECTION_LIMIT NS_PER_MS

/* Xen's new time, or what the page shows at the same instant if that is later. */
static nanoseconds never_back(const struct clock_page *page, nanoseconds now, uint64_t tsc)
{
    nanoseconds by_page = time_at(page, tsc);
    if (by_page > now && by_page - now < CORRECTION_LIMIT)
        now = by_page;
    return max_of(now, __atomic_load_n(&shown, __ATOMIC_RELAXED));
}

static void begin_change(struct clock_page *page)
{
    while (__atomic_exchange_n(&changing, 1, __ATOMIC_ACQUIRE))
        __builtin_ia32_pause();
    write_once(page->sequence, page->sequence + 1);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void end_change(struct clock_page *page)
{
    __atomic_store_n(&page->sequence, page->sequence + 1, __ATOMIC_RELEASE);
    __atomic_store_n(&changing, 0, __ATOMIC_RELEASE);
}

static uint32_t begin_reading(const struct clock_page *page)
{
    uint32_t sequence;
    while (unlikely((sequence = __atomic_load_n(&page->sequence, __ATOMIC_ACQUIRE)) & 1))
        __builtin_ia32_pause();
    return sequence;
}

static bool was_changed(const struct clock_page *page, uint32_t sequence)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return read_once(page->sequence) != sequence;
}

/* The page starts again at this instant, not at that of Xen's calibration: since then the rates before and after may
 * have come apart, and what user mode read meanwhile was by the rate before. */
static void follow_xen(struct source *mine)
{
    struct clock_page *page = mine->page;
    uint64_t tsc;
    begin_change(page);
    struct vcpu_time time = xen_time_read(&pv_vcpu()->time, &tsc);
    nanoseconds by_xen = xen_time_at(&time, tsc) + monotonic_offset;
    nanoseconds base = never_back(page, by_xen, tsc);
    nanoseconds wall_at_zero = xen_wall_at_zero(pv_shared, &wall_version) - monotonic_offset;

    page->tsc_base = tsc;
    page->monotonic_base = base;
    page->multiplier = time.multiplier;
    page->shift = time.shift;
    if (!wall_is_set)
        clock.page.wall = (struct wall_time){ .wall = wall_at_zero }; /* user mode has this page or none */
    page->seen_version = mine->version = time.version;
    end_change(page);
}

static bool is_current(const struct source *mine)
{
    return read_once(pv_vcpu()->time.version) == mine->version && read_once(pv_shared->wall_version) == wall_version;
}

nanoseconds pv_clock_monotonic(void)
{
    struct source *mine = this_source();
    nanoseconds now;
    uint32_t sequence;
    do {
        if (!is_current(mine))
            follow_xen(mine);
        sequence = begin_reading(mine->page);
        now = time_at(mine->page, __builtin_ia32_rdtsc());
    } while (!is_current(mine) || was_changed(mine->page, sequence));
    nanoseconds before = __atomic_load_n(&shown, __ATOMIC_RELAXED);
    while (before < now &&
           !__atomic_compare_exchange_n(&shown, &before, now, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
    return max_of(before, now);
}

nanoseconds pv_clock_wall(void)
{
    nanoseconds now = pv_clock_monotonic();
    struct wall_time wall;
    uint32_t sequence;
    do {
        sequence = begin_reading(&clock.page);
        wall = clock.page.wall;
    } while (was_changed(&clock.page, sequence));
    return wall_time_at(&wall, now);
}

void pv_clock_set_wall(const struct wall_time *time)
{
    struct clock_page *page = &clock.page;
    begin_change(page);
    page->wall = *time;
    wall_is_set = true;
    end_change(page);
}

phys_t pv_clock_page_address(void) { return (uintptr_t)&clock - KERNEL_BASE; }

static void arm(struct source *mine)
{
    nanoseconds deadline = mine->wanted;
    struct vcpu_timer timer = { .when = deadline - monotonic_offset };
    int64_t error = hypercall(HYPERCALL_VCPU_OP, VCPU_SET_TIMER, this_cpu()->id, (uintptr_t)&timer, 0);
    if (error != 0)
        panic("Xen refuses a timer: %s", errno_name(error));
    mine->armed = deadline;
}

/* A timer that is set for earlier stays: one needless interrupt is cheaper than a hypercall for each
 * change. */
void pv_clock_set_deadline(nanoseconds deadline)
{
    struct source *mine = this_source();
    mine->wanted = deadline;
    if (mine->wanted < mine->armed)
        arm(mine);
}

static void timer_event(uint32_t port, void *context)
{
    (void)port;
    (void)context;
    struct source *mine = this_source();
    mine->armed = NO_DEADLINE;
    if (mine->wanted != NO_DEADLINE && pv_clock_monotonic() >= mine->wanted) {
        mine->wanted = NO_DEADLINE;
        kernel_timer();
    }
    if (mine->wanted < mine->armed)
        arm(mine);
}

/* Not armed yet. */
static int bind_timer(unsigned cpu)
{
    sources[cpu].armed = NO_DEADLINE;
    int port = event_bind_virtual(VIRTUAL_TIMER, cpu);
    if (port < 0)
        return port;
    event_bind((uint32_t)port, timer_event, NULL);
    event_unmask((uint32_t)port);
    return 0;
}

/* Stolen time goes on from `before`. */
static void start_runs(unsigned id, nanoseconds before)
{
    (void)hypercall(HYPERCALL_VCPU_OP, VCPU_STOP_PERIODIC_TIMER, id, 0, 0);
    (void)runstate_start(&runs[id].state, id);
    runs[id].stolen_at_start = runstate_stolen(&runs[id].state) - before;
}

void pv_clock_load(void) { start_runs(this_cpu()->id, 0); }

static bool tsc_is_trusted(const struct vcpu_time *time)
{
    uint32_t kind = processor_identify(XEN_TIME_LEAF, 0).eax;
    return (kind & (XEN_TSC_EMULATED | XEN_TSC_RELIABLE)) || (time->flags & TIME_TSC_STABLE);
}

/* What Xen writes into the page is about the boot CPU alone. */
static enum clock_use use_of_several(void) { return tsc_is_one ? CLOCK_USE_PAGE : CLOCK_USE_SYSTEM_CALL; }

static enum clock_use choose_use(void)
{
    if (cpus_online > 1)
        return use_of_several();
    uint64_t area = (uintptr_t)&clock.page.host_version;
    if (hypercall(HYPERCALL_VCPU_OP, VCPU_REGISTER_TIME_AREA, this_cpu()->id, (uintptr_t)&area, 0) == 0)
        return CLOCK_USE_PAGE_OF_HOST;
    return tsc_is_one ? CLOCK_USE_PAGE : CLOCK_USE_SYSTEM_CALL;
}

static void choose_page(struct source *its) { its->page = tsc_is_one || !its->own ? &clock.page : its->own; }

int pv_clock_prepare(const struct cpu *cpu)
{
    struct source *its = &sources[cpu->id];
    its->own = heap_allocate_zeroed(sizeof(struct clock_page));
    if (!its->own)
        return -ENOMEM;
    choose_page(its);
    clock.page.use = use_of_several();
    sources[cpu->id].wanted = NO_DEADLINE;
    return bind_timer(cpu->id);
}

nanoseconds pv_stolen_time(const struct cpu *cpu)
{
    const struct runs *its = &runs[cpu->id];
    return runstate_stolen(&its->state) - its->stolen_at_start;
}

void pv_clock_mark(void)
{
    saved_at = pv_clock_monotonic();
    for (unsigned i = 0; i < cpus_online; i++)
        runs[i].stolen_before = pv_stolen_time(cpus[i]);
}

/* No version that Xen gives is odd, so each CPU follows Xen's parameters at its next reading. */
void pv_clock_restored(void)
{
    uint64_t tsc;
    struct vcpu_time time = xen_time_read(&pv_vcpu()->time, &tsc);
    monotonic_offset = saved_at - xen_time_at(&time, tsc);
    tsc_is_one = tsc_is_trusted(&time);
    wall_is_set = false;
    for (unsigned i = 0; i < cpus_online; i++) {
        choose_page(&sources[i]);
        sources[i].version = 1;
        sources[i].armed = NO_DEADLINE;
        start_runs(i, runs[i].stolen_before);
    }
    follow_xen(this_source());
    clock.page.use = choose_use();
}

void pv_clock_start_timer(void)
{
    struct source *mine = this_source();
    if (mine->wanted < mine->armed)
        arm(mine);
}

void pv_clock_start(void)
{
    for (unsigned i = 0; i < cpus_online; i++) {
        int error = bind_timer(i);
        if (error != 0)
            panic("no timer interrupt: %s", errno_name(error));
    }
    pv_clock_start_timer();
}

void pv_clock_init(uint64_t entry_tsc)
{
    uint64_t tsc;
    struct vcpu_time time = xen_time_read(&pv_vcpu()->time, &tsc);
    /* Xen's parameters are mostly older than the entry; zero is at the earlier of the two. */
    uint64_t zero = min_of(time.tsc, entry_tsc);
    monotonic_offset = clock_scale(time.tsc - zero, time.multiplier, time.shift) - time.system;
    platform.entry_time = clock_scale(entry_tsc - zero, time.multiplier, time.shift);
    tsc_is_one = tsc_is_trusted(&time);
    this_source()->page = &clock.page;
    follow_xen(this_source());
    clock.page.use = choose_use();
    this_source()->wanted = NO_DEADLINE;
    pv_clock_load();
    pv_clock_start();
}

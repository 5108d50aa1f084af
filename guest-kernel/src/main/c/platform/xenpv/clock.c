/*
 * Time, from what Xen says of the TSC (xen/xen.h: vcpu_time_info) and the timer of this virtual CPU.
 *
 * Kernel and vDSO read the same parameters, those in the clock page, so they never disagree. Xen changes
 * its own every second and when the virtual CPU moves to another processor; the page follows at the next
 * reading in the kernel. It never goes back: where Xen's new time is behind ours, by nanoseconds, ours goes
 * on from what it showed.
 *
 * User mode may read the TSC with stale parameters for a while. That is right only if the TSC runs at one rate
 * and equally on all processors, or is emulated by Xen (its default where it does not); CPUID tells.
 */
#include "lib/print.h"
#include "platform/platform.h"
#include "platform/x86/processor.h"
#include "platform/xenpv/events.h"
#include "platform/xenpv/hypercall.h"
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

static uint32_t time_version, wall_version;     /* of what the page was made from */
static uint64_t monotonic_offset;               /* monotonic = system time + this, modulo 2^64 */
static nanoseconds wanted = NO_DEADLINE;        /* monotonic */
static nanoseconds armed = NO_DEADLINE;         /* monotonic: when Xen will interrupt; <= wanted */

static nanoseconds scale(uint64_t ticks, uint32_t multiplier, int shift)
{
    ticks = shift >= 0 ? ticks << shift : ticks >> -shift;
    return (nanoseconds)((unsigned __int128)ticks * multiplier >> 32);
}

static struct vcpu_time read_vcpu_time(void)
{
    const struct vcpu_time *source = &pv_vcpu()->time;
    struct vcpu_time copy;
    uint32_t version;
    do {
        version = __atomic_load_n(&source->version, __ATOMIC_ACQUIRE);
        copy = *source;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while ((version & 1) || version != read_once(source->version));
    return copy;
}

/* The time at a TSC value; one before the parameters' own (another processor's) counts as that. */
static nanoseconds time_at(uint64_t tsc)
{
    const struct clock_page *page = &clock.page;
    if (tsc < page->tsc_base)
        return page->monotonic_base;
    return page->monotonic_base + scale(tsc - page->tsc_base, page->multiplier, page->shift);
}

static nanoseconds read_wall_offset(void)
{
    uint64_t wall_at_zero;
    uint32_t version;
    do {
        version = __atomic_load_n(&pv_shared->wall_version, __ATOMIC_ACQUIRE);
        uint64_t seconds = (uint64_t)read_once(pv_shared->wall_seconds_high) << 32 | read_once(pv_shared->wall_seconds);
        wall_at_zero = seconds * NS_PER_SECOND + read_once(pv_shared->wall_nanoseconds);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while ((version & 1) || version != read_once(pv_shared->wall_version));
    wall_version = version;
    return wall_at_zero - monotonic_offset;
}

static void follow_xen(void)
{
    struct clock_page *page = &clock.page;
    struct vcpu_time time = read_vcpu_time();
    nanoseconds shown = time_at(time.tsc);
    nanoseconds now = time.system + monotonic_offset;
    nanoseconds wall_offset = read_wall_offset();

    write_once(page->sequence, page->sequence + 1);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    page->tsc_base = time.tsc;
    page->monotonic_base = max_of(now, shown);
    page->multiplier = time.multiplier;
    page->shift = time.shift;
    page->wall_offset = wall_offset;
    __atomic_store_n(&page->sequence, page->sequence + 1, __ATOMIC_RELEASE);
    time_version = time.version;
}

nanoseconds pv_clock_monotonic(void)
{
    if (read_once(pv_vcpu()->time.version) != time_version || read_once(pv_shared->wall_version) != wall_version)
        follow_xen();
    return time_at(__builtin_ia32_rdtsc());
}

nanoseconds pv_clock_wall(void)
{
    nanoseconds now = pv_clock_monotonic();
    return now + clock.page.wall_offset;
}

phys_t pv_clock_page_address(void) { return (uintptr_t)&clock - KERNEL_BASE; }

static void arm(nanoseconds deadline)
{
    struct vcpu_timer timer = { .when = deadline - monotonic_offset };
    int64_t error = hypercall(HYPERCALL_VCPU_OP, VCPU_SET_TIMER, this_cpu()->id, (uintptr_t)&timer, 0);
    if (error != 0)
        panic("Xen refuses a timer: error %ld", -error);
    armed = deadline;
}

/* A timer that is set for earlier stays: one needless interrupt is cheaper than a hypercall for each
 * change. */
void pv_clock_set_deadline(nanoseconds deadline)
{
    wanted = deadline;
    if (wanted < armed)
        arm(wanted);
}

static void timer_event(uint32_t port, void *context)
{
    (void)port;
    (void)context;
    armed = NO_DEADLINE;
    if (wanted != NO_DEADLINE && pv_clock_monotonic() >= wanted) {
        wanted = NO_DEADLINE;
        kernel_timer();
    }
    if (wanted < armed)
        arm(wanted);
}

static void start_timer(void)
{
    (void)hypercall(HYPERCALL_VCPU_OP, VCPU_STOP_PERIODIC_TIMER, this_cpu()->id, 0, 0);
    int port = event_bind_virtual(VIRTUAL_TIMER);
    if (port < 0)
        panic("no timer interrupt: error %d", -port);
    event_bind((uint32_t)port, timer_event, NULL);
    event_unmask((uint32_t)port);
}

static bool tsc_is_trusted(const struct vcpu_time *time)
{
    uint32_t kind = processor_identify(XEN_TIME_LEAF, 0).eax;
    return (kind & (XEN_TSC_EMULATED | XEN_TSC_RELIABLE)) || (time->flags & TIME_TSC_STABLE);
}

void pv_clock_init(uint64_t entry_tsc)
{
    struct vcpu_time time = read_vcpu_time();
    /* Xen's parameters are mostly older than the entry; zero is at the earlier of the two. */
    bool before_entry = time.tsc <= entry_tsc;
    nanoseconds since_entry = before_entry ? 0 : scale(time.tsc - entry_tsc, time.multiplier, time.shift);
    monotonic_offset = since_entry - time.system;
    follow_xen();
    platform.entry_time = before_entry ? time_at(entry_tsc) : 0;
    clock.page.usable = tsc_is_trusted(&time);
    start_timer();
}

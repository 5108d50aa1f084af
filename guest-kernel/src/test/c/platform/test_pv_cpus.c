/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting CPUs of a Xen PV guest, with a Xen that refuses and CPUs that do not come up: the guest runs on with those
 * it has, and says so in one line. A CPU that Xen starts is a thread here. It and the one of the tests, which is the
 * boot CPU, share what is accessed by __atomic_ functions.
 */
#include <asm/prctl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/heap.h"
#include "core/kernel_lock.h"
#include "host/host.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "platform/xen/events.h"
#include "platform/xen/hypercall.h"
#include "platform/xen/park.h"
#include "platform/xenpv/page_table.h"
#include "platform/xenpv/xenpv.h"

#define NO_CPU UINT32_MAX
#define FRAMES (1UL << 16) /* of the shim's memory, and of this program */

/* What Xen does to a CPU. */
static struct behaviour {
    int64_t initialise, up; /* what these operations return */
    bool is_silent;         /* it is never given a processor */
    bool has_no_root;       /* its own first hypercall is refused */
    bool sees_late;         /* that it is counted: when the next one is being started */
} xen[CPUS_MAX];

static int channels_left;
static bool was_asked[CPUS_MAX], is_down[CPUS_MAX];
static struct guest_context contexts[CPUS_MAX];
static unsigned places[CPUS_MAX]; /* that were registered */
static bool was_restored;
static pthread_t threads[CPUS_MAX];
static bool has_thread[CPUS_MAX];
static bool stay;       /* CPUs that joined look for what others ask, until this is false */
static unsigned joined; /* CPUs that reached kernel_cpu_main() */
static bool waits;      /* the CPU that sees late is about to */
static unsigned yields; /* of CPUs that were started, with nothing to wait for but what is tested */

bool kernel_is_shared;
struct vcpu_info *pv_vcpus[CPUS_MAX];
struct shared_info *pv_shared;
const uint64_t *pv_frames;
uint64_t *pv_kernel_root, *pv_user_root;

/* ---- Xen ---------------------------------------------------------------------------------------------------- */

static void *run(void *context)
{
    const struct guest_context *of = context;
    if (syscall(SYS_arch_prctl, ARCH_SET_GS, of->gs_base_kernel) != 0)
        abort();
    ((void (*)(void))of->registers.rip)();
    abort();
}

static int64_t bring_up(unsigned cpu)
{
    if (was_restored) {
        is_down[cpu] = false;
        return 0;
    }
    if (xen[cpu].up != 0 || xen[cpu].is_silent)
        return xen[cpu].up;
    if (pthread_create(&threads[cpu], NULL, run, &contexts[cpu]) != 0)
        abort();
    has_thread[cpu] = true;
    return 0;
}

/* Xen takes the place of another CPU's events once, and only while that is down. */
static int64_t registered(uint64_t cpu)
{
    if (places[cpu] != 0 || (was_restored && !is_down[cpu]))
        return -EINVAL;
    places[cpu]++;
    return 0;
}

int64_t hypercall(unsigned number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    (void)d;
    if (number == HYPERCALL_MMUEXT_OP)
        return xen[this_cpu()->id].has_no_root ? -EINVAL : 0;
    if (number != HYPERCALL_VCPU_OP || b >= CPUS_MAX)
        abort();
    switch (a) {
    case VCPU_REGISTER_INFO:
        return registered(b);
    case VCPU_INITIALISE:
        __atomic_store_n(&was_asked[b], true, __ATOMIC_SEQ_CST);
        memcpy(&contexts[b], (const void *)c, sizeof(contexts[b]));
        return xen[b].initialise;
    case VCPU_UP:
        return bring_up((unsigned)b);
    case VCPU_DOWN:
        __atomic_store_n(&is_down[b], true, __ATOMIC_SEQ_CST);
        return 0;
    default:
        abort();
    }
}

static void yield_until(const bool *condition)
{
    while (!__atomic_load_n(condition, __ATOMIC_SEQ_CST))
        sched_yield();
}

void hypercall_yield(void)
{
    unsigned id = this_cpu()->id;
    if (__atomic_load_n(&is_down[id], __ATOMIC_SEQ_CST) && !was_restored)
        pthread_exit(NULL);
    if (xen[id].sees_late) {
        __atomic_store_n(&waits, true, __ATOMIC_SEQ_CST);
        yield_until(&was_asked[id + 1]);
    }
    if (id != 0)
        __atomic_fetch_add(&yields, 1, __ATOMIC_SEQ_CST);
    sched_yield();
}

int event_bind_between_cpus(unsigned cpu)
{
    (void)cpu;
    return channels_left-- > 0 ? channels_left + 1 : -ENOSPC;
}

void event_bind(uint32_t port, event_handler *handler, void *context) { (void)port, (void)handler, (void)context; }
void event_unmask(uint32_t port) { (void)port; }
void event_notify(uint32_t port) { (void)port; }
void event_clear(uint32_t port) { (void)port; }

/* ---- The rest of the kernel --------------------------------------------------------------------------------- */

/* The first CPU is up and not yet counted. */
void kernel_lock_share(void)
{
    if (xen[1].sees_late)
        yield_until(&waits);
    kernel_is_shared = true;
}
void kernel_lock_end(void) { kernel_is_shared = false; }

int kernel_prepare_cpu(struct cpu *cpu)
{
    void *stack = heap_allocate(PAGE_SIZE);
    cpu->kernel_stack = (uintptr_t)stack + PAGE_SIZE;
    return stack ? 0 : -ENOMEM;
}

void kernel_cpu_main(void)
{
    __atomic_fetch_add(&joined, cpus[this_cpu()->id] == this_cpu(), __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&stay, __ATOMIC_SEQ_CST)) {
        pv_cpu_answer();
        sched_yield();
    }
    pthread_exit(NULL);
}

static unsigned timers_started; /* by CPUs that were parked */
void pv_clock_start_timer(void) { __atomic_fetch_add(&timers_started, 1, __ATOMIC_SEQ_CST); }
void updates_catch_up(void) {}
/* What another CPU looks at while it waits for the kernel lock is all that it does in these tests. */
void cpu_interrupt(const struct cpu *cpu) { (void)cpu; }
void cpu_rouse(const struct cpu *cpu) { (void)cpu; }

int pv_clock_prepare(const struct cpu *cpu) { return cpu->id < CPUS_MAX ? 0 : -ENOMEM; }
void pv_clock_load(void) {}
void pv_fpu_load(void) {}
void pv_traps_describe(struct guest_context *context) { context->event_entry = 1; }
struct table_update pv_direct_map_update(phys_t address, bool writable)
{
    return (struct table_update){ .entry = address, .value = writable };
}
void updates_add(struct table_update update) { (void)update; }
void updates_commit(void) {}
int updates_prepare(const struct cpu *cpu) { return cpu->id > 0 ? 0 : -EINVAL; }

/* ---- Tests -------------------------------------------------------------------------------------------------- */

/* Ends what the last test left, and begins with one CPU and a Xen that does everything. */
static void begin(void)
{
    for (unsigned i = 0; i < CPUS_MAX; i++) {
        __atomic_store_n(&is_down[i], true, __ATOMIC_SEQ_CST);
        if (has_thread[i])
            pthread_join(threads[i], NULL);
        has_thread[i] = was_asked[i] = is_down[i] = false;
        if (i > 0)
            cpus[i] = NULL;
    }
    memset(xen, 0, sizeof(xen));
    memset(places, 0, sizeof(places));
    was_restored = stay = false;
    timers_started = 0;
    channels_left = 4 * CPUS_MAX;
    cpus_online = 1;
    kernel_is_shared = false;
    joined = yields = 0;
    waits = false;
    host_clock_step = 0;
    (void)host_log();
}

/* True if there is one line, and it says this. */
static bool said(unsigned running, unsigned wanted, const char *reason)
{
    char expected[200];
    format(expected, sizeof(expected), "%u of %u CPUs run; the next one does not: %s", running, wanted, reason);
    const char *log = host_log(), *found = strstr(log, expected), *end = strchr(log, '\n');
    return found && (!end || end[1] == 0);
}

#define YIELDS_MOST 100000 /* each CPU needs few once it is counted */

static bool all_joined(unsigned count)
{
    while (__atomic_load_n(&joined, __ATOMIC_SEQ_CST) < count &&
           __atomic_load_n(&yields, __ATOMIC_SEQ_CST) < YIELDS_MOST)
        sched_yield();
    return joined == count;
}

static void all_come_up(void)
{
    begin();
    pv_cpus_start(4);
    CHECK_EQUAL(cpus_online, 4);
    CHECK(kernel_is_shared);
    CHECK(all_joined(3));
    CHECK_EQUAL(host_log()[0], 0);
    CHECK_EQUAL(contexts[3].registers.rsp % 16, 8);
}

static void refused(void)
{
    static const char reason[] = "Xen refuses to start it; its log (xl dmesg) may say why";
    begin();
    xen[1].initialise = -EINVAL;
    pv_cpus_start(2);
    CHECK(cpus_online == 1 && !kernel_is_shared && said(1, 2, reason));
    begin();
    xen[1].up = -EINVAL;
    pv_cpus_start(2);
    CHECK(cpus_online == 1 && !kernel_is_shared && said(1, 2, reason));
}

static void silent(void)
{
    begin();
    xen[1].is_silent = true;
    host_clock_step = NS_PER_MS;
    pv_cpus_start(2);
    CHECK(cpus_online == 1 && !kernel_is_shared && is_down[1]);
    CHECK(said(1, 2, "it does not come up; give the guest fewer CPUs"));
}

static void without_its_root(void)
{
    begin();
    xen[1].has_no_root = true;
    host_clock_step = NS_PER_MS;
    pv_cpus_start(2);
    CHECK(cpus_online == 1 && is_down[1] && joined == 0);
    CHECK(said(1, 2, "it does not come up; give the guest fewer CPUs"));
}

static void those_after_it_are_left(void)
{
    begin();
    xen[1].sees_late = true;
    xen[2].initialise = -EINVAL;
    pv_cpus_start(5);
    CHECK_EQUAL(cpus_online, 2);
    CHECK(said(2, 5, "Xen refuses"));
    CHECK(was_asked[2] && !was_asked[3] && !was_asked[4]);
    CHECK(all_joined(1));
}

static void without_memory(void)
{
    bool failed = true;
    for (uint64_t n = 1; failed; n++) {
        begin();
        host_fail_allocation(n);
        pv_cpus_start(2);
        host_fail_allocation(0);
        failed = cpus_online == 1;
        CHECK(!failed || said(1, 2, "there is no memory for it; give the guest more"));
        CHECK(failed || n > 4); /* struct cpu, its context, its stack and its descriptors */
    }
}

static void without_channels(void)
{
    for (int channels = 0; channels < 4; channels++) {
        begin();
        channels_left = channels;
        pv_cpus_start(2);
        CHECK(cpus_online == 1 && !kernel_is_shared);
        CHECK(said(1, 2, channels < 2 ? "there is no event channel; use fewer devices" : "Xen refuses"));
    }
}

static unsigned answers;
static void answer(void) { __atomic_fetch_add(&answers, 1, __ATOMIC_SEQ_CST); }

/* While they are parked, the others do nothing but answer; then each has its timer started. */
static void parked_while_saved(void)
{
    static struct shared_info shared;
    begin();
    stay = true;
    pv_cpus_start(4);
    CHECK(all_joined(3));
    pv_shared = &shared;
    for (unsigned round = 1; round < 3; round++) {
        cpus_park(answer);
        CHECK_EQUAL(timers_started, 3 * (round - 1));
        pv_cpus_suspend();
        CHECK(shared.vcpu[1].upcall_mask && shared.vcpu[3].upcall_mask && !shared.vcpu[0].upcall_mask);
        memset(places, 0, sizeof(places));
        was_restored = true;
        for (unsigned i = 1; i < 4; i++)
            pv_vcpus[i]->upcall_mask = 0;
        pv_cpus_restored();
        for (unsigned i = 1; i < 4; i++)
            CHECK(places[i] == 1 && !is_down[i] && pv_vcpus[i]->upcall_mask);
        int channels = channels_left;
        pv_cpus_resume();
        CHECK_EQUAL(channels_left, channels - 8);
        CHECK_EQUAL(timers_started, 3 * (round - 1));
        cpus_release();
        while (__atomic_load_n(&timers_started, __ATOMIC_SEQ_CST) < 3 * round)
            sched_yield();
    }
    CHECK(answers > 0);
    was_restored = false;
    __atomic_store_n(&stay, false, __ATOMIC_SEQ_CST);
}

int main(void)
{
    static uint64_t frames[FRAMES];
    for (uint64_t i = 0; i < FRAMES; i++)
        frames[i] = i;
    pv_frames = frames;
    host_init();
    pv_kernel_root = page_data(page_allocate_zeroed());
    pv_user_root = page_data(page_allocate_zeroed());
    host_test("pv cpus: all come up", all_come_up);
    host_test("pv cpus: one that Xen refuses is one line", refused);
    host_test("pv cpus: one that is silent is taken down", silent);
    host_test("pv cpus: so is one whose tables Xen refuses", without_its_root);
    host_test("pv cpus: none is started after one that does not run", those_after_it_are_left);
    host_test("pv cpus: without memory for one the others run", without_memory);
    host_test("pv cpus: without event channels the boot CPU runs", without_channels);
    host_test("pv cpus: the others are parked while the domain is saved", parked_while_saved);
    begin();
    return host_result();
}

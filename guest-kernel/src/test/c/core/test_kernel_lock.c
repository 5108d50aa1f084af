/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/kernel_lock.h, with a thread of the host for each CPU: one of them at a time is in the kernel, each comes in,
 * and at the end of the machine nobody comes in but the CPU that goes on. Run by make test-core.
 */
#include <asm/prctl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/kernel_lock.h"
#include "core/log.h"
#include "host/host.h"
#include "platform/platform.h"

#define CPUS 4
#define ROUNDS 20000

static struct cpu others[CPUS]; /* [0] is the host shim's */
static sem_t kicks[CPUS];
static atomic_uint inside, most, rounds[CPUS];
static atomic_bool coming[CPUS], held_back;

/* No processor is waited for here, so there is nothing to answer; the turn is for whoever has the lock. */
void cpu_answer(void) { sched_yield(); }

void cpu_halt(void)
{
    while (sem_wait(&kicks[this_cpu()->id]) != 0) {}
}

void cpu_rouse(const struct cpu *cpu) { sem_post(&kicks[cpu->id]); }

static void come_and_go(unsigned id)
{
    coming[id] = true;
    kernel_enter();
    coming[id] = false;
    unsigned now = ++inside;
    if (now > most)
        most = now;
    rounds[id]++;
    inside--;
    kernel_leave();
}

static void *run_cpu(void *cpu)
{
    unsigned id = ((struct cpu *)cpu)->id;
    if (syscall(SYS_arch_prctl, ARCH_SET_GS, cpu) != 0)
        panic("no GS base");
    for (;;) {
        while (id > 1 && held_back)
            sched_yield();
        come_and_go(id);
    }
    return NULL;
}

static void start_cpus(void)
{
    pthread_t thread;
    for (unsigned i = 1; i < CPUS; i++) {
        others[i] = (struct cpu){ .self = &others[i], .id = i };
        cpus[i] = &others[i];
        sem_init(&kicks[i], 0, 0);
    }
    sem_init(&kicks[0], 0, 0);
    cpus_online = CPUS;
    kernel_lock_share();
    for (unsigned i = 1; i < CPUS; i++)
        if (pthread_create(&thread, NULL, run_cpu, cpus[i]) != 0)
            panic("no thread for a CPU");
}

static void test_one_at_a_time(void)
{
    CHECK(kernel_is_shared && kernel_lock_is_mine());
    kernel_leave();
    CHECK(!kernel_lock_is_mine());
    while (rounds[0] < ROUNDS || rounds[1] < ROUNDS || rounds[2] < ROUNDS || rounds[3] < ROUNDS)
        come_and_go(0);
    CHECK_EQUAL(most, 1);
}

static void await_coming(unsigned id)
{
    while (!coming[id])
        sched_yield();
}

/* CPU 1 has the ticket that is due next; the others come when there is a last CPU. */
static void test_one_goes_on_at_the_end(void)
{
    unsigned before[CPUS];
    held_back = true;
    kernel_enter();
    await_coming(1);
    while (coming[2] || coming[3])
        kernel_give_way();
    await_coming(1);
    kernel_lock_end();
    CHECK(!kernel_is_shared && kernel_lock_is_mine());
    for (unsigned i = 1; i < CPUS; i++)
        before[i] = rounds[i];
    held_back = false;
    await_coming(2);
    await_coming(3);
    for (unsigned i = 0; i < ROUNDS; i++) {
        kernel_leave();
        sched_yield();
        kernel_enter();
        CHECK(!kernel_enter_again());
        kernel_give_way();
    }
    for (unsigned i = 1; i < CPUS; i++)
        CHECK_EQUAL(rounds[i], before[i]);
}

int main(void)
{
    host_init();
    start_cpus();
    host_test("kernel lock: one CPU at a time", test_one_at_a_time);
    host_test("kernel lock: at the end one CPU goes on", test_one_goes_on_at_the_end);
    return host_result();
}

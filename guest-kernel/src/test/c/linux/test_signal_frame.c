/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of signals on the user stack, with an FPU whose state is an array of bytes. `live` is the CPU's, `area` the
 * thread's. Reads of user memory are cut in two, before each of which host_user_access may change threads, as a fault
 * that sleeps does. Run by make test-linux, in one thread.
 */
#include "host/host.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/signal_frame.h"

#define AREA 1024u /* bytes of state, of which 464 to 511 are the frame's own */
#define FRAME_PART 464u
#define FRAME_PART_END 512u
#define STACK_BYTES (16u << 10)
#define SA_RESTORER 0x04000000UL

static uint8_t live[AREA]; /* the CPU's */
static uint8_t area[AREA]; /* the thread's */
static uint8_t stack[STACK_BYTES];
static bool state_is_refused;

size_t fpu_area_size(void) { return AREA; }
uint64_t fpu_features(void) { return 7; }
void fpu_save(void *area) { memcpy(area, live, AREA); }
void fpu_restore(const void *area) { memcpy(live, area, AREA); }
void fpu_init_area(void *area) { memset(area, 0, AREA); }
bool fpu_sanitise(void *area)
{
    (void)area;
    return !state_is_refused;
}

static void set_state(uint8_t byte)
{
    memset(live, byte, AREA);
    memset(live + FRAME_PART, 0, FRAME_PART_END - FRAME_PART);
}

static bool state_is(uint8_t byte)
{
    for (unsigned i = 0; i < AREA; i++)
        if ((i < FRAME_PART || i >= FRAME_PART_END) && live[i] != byte)
            return false;
    return true;
}

/* Another thread runs and changes the registers, and then this one again. */
static void threads_change(void)
{
    fpu_save(area);
    memset(live, 0x77, AREA);
    fpu_restore(area);
    thread_current()->sleeps++;
}

static void threads_change_once(void)
{
    static unsigned accesses;
    if (++accesses == 4) /* after two for the frame, and one piece of the state */
        threads_change();
}

/* In two pieces, each of which may sleep before it. */
int __real_user_read(void *to, uintptr_t from, size_t length);
int __wrap_user_read(void *to, uintptr_t from, size_t length)
{
    size_t half = length / 2;
    int error = __real_user_read(to, from, half);
    return error ? error : __real_user_read((uint8_t *)to + half, from + half, length - half);
}

static struct registers registers;
static struct user_thread user;

/* Delivers a signal while the registers hold 1, as which the handler begins with 2 in them. */
static void deliver(void)
{
    struct signal_info info = { .number = SIGURG };
    struct signal_action action = { .handler = 0x1000, .flags = SA_RESTORER, .restorer = 0x2000 };
    thread_current()->fpu_area = area;
    state_is_refused = false;
    registers = (struct registers){ .rsp = (uintptr_t)(stack + STACK_BYTES), .rip = 0x3000, .rbx = 5 };
    set_state(1);
    CHECK_EQUAL(signal_frame_push(&registers, &user, &info, &action, 6), 0);
    CHECK_EQUAL(registers.rip, 0x1000);
    set_state(2);
    registers.rsp += sizeof(uintptr_t); /* the handler has returned */
    registers.rbx = 7;
}

static void state_comes_back(void)
{
    uint64_t mask = 0;
    deliver();
    host_fail_allocation(1); /* it needs no memory */
    CHECK_EQUAL(signal_frame_pop(&registers, &user, &mask), 0);
    CHECK_EQUAL(mask, 6);
    CHECK_EQUAL(registers.rbx, 5);
    CHECK_EQUAL(registers.rip, 0x3000);
    CHECK(state_is(1));
}

/* Reading the frame sleeps, and other threads have the CPU meanwhile. */
static void state_comes_back_after_a_sleep(void)
{
    uint64_t mask;
    deliver();
    host_user_access = threads_change_once;
    CHECK_EQUAL(signal_frame_pop(&registers, &user, &mask), 0);
    host_user_access = NULL;
    CHECK(state_is(1));
}

/* The thread goes on with what it has, to die of SIGSEGV. */
static void state_is_not_taken(void)
{
    uint64_t mask;
    deliver();
    state_is_refused = true;
    CHECK_EQUAL(signal_frame_pop(&registers, &user, &mask), -EFAULT);
    CHECK(state_is(2));
}

int main(void)
{
    host_init();
    host_test("signal frame: the FPU's state comes back", state_comes_back);
    host_test("signal frame: the FPU's state comes back after a sleep", state_comes_back_after_a_sleep);
    host_test("signal frame: state that is not taken", state_is_not_taken);
    return host_result();
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tso.h. The threads are coroutines that stop before each access. An execution is a list of choices: which thread does
 * its next access, or whose oldest store arrives in memory. It is repeated with the last choice changed that has an
 * alternative left, until none has, so every list is taken once. There is one thread of the host and no lock.
 *
 * Only accesses to places that several threads use, of which one writes, can be seen by others; before all else a
 * thread does not stop. Which places these are is learned: when an execution shows a new one, all begins again.
 */
#include "litmus/tso.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define STORES_MAX 16
#define CHOICES_MAX 256
#define SITES_MAX 32
#define PLACES_MAX 64
#define STACK (64 << 10)

struct store {
    void *address;
    size_t size;
    uint64_t value;
};

static struct thread {
    ucontext_t context;
    char *stack;
    void (*run)(void);
    struct store stores[STORES_MAX];
    unsigned store_count;
    bool ended, drains; /* it goes on when its stores have arrived */
    bool *sleeps;       /* it goes on when this is set in memory */
} threads[TSO_THREADS];
static struct thread *running; /* NULL: the explorer */
static ucontext_t explorer;
static unsigned thread_count;

static struct {
    unsigned taken, count;
} choices[CHOICES_MAX];
static unsigned choice_count, depth;

static struct site {
    const char *function;
    unsigned line;
} sites[SITES_MAX];
static unsigned site_count;
static const struct site *left_out;

static struct place {
    const void *address;
    unsigned users; /* a bit for each thread */
    bool written;
} places[PLACES_MAX];
static unsigned place_count;
static bool learned; /* of a place that is shared, in this exploration */

unsigned tso_self(void) { return (unsigned)(running - threads); }

/* ---- Accesses ---- */

static void stop(void)
{
    if (running)
        swapcontext(&running->context, &explorer);
}

static struct place *place_of(const void *address)
{
    for (unsigned i = 0; i < place_count; i++)
        if (places[i].address == address)
            return &places[i];
    if (place_count == PLACES_MAX)
        abort();
    places[place_count].address = address;
    return &places[place_count++];
}

static bool is_shared(const struct place *place) { return place->written && (place->users & (place->users - 1)) != 0; }

static bool shares(const void *address, bool writes)
{
    if (!running)
        return false;
    struct place *place = place_of(address);
    bool before = is_shared(place);
    place->users |= 1u << tso_self();
    place->written |= writes;
    learned |= !before && is_shared(place);
    return is_shared(place);
}

uint64_t tso_load(const void *address, size_t size)
{
    if (shares(address, false))
        stop();
    uint64_t value = 0;
    memcpy(&value, address, size);
    for (unsigned i = 0; running && i < running->store_count; i++)
        if (running->stores[i].address == address)
            value = running->stores[i].value;
    return value;
}

void tso_store(void *address, size_t size, uint64_t value)
{
    if (!shares(address, true)) {
        memcpy(address, &value, size);
        return;
    }
    stop();
    if (running->store_count == STORES_MAX)
        abort();
    running->stores[running->store_count++] = (struct store){ address, size, value };
}

static void drain(void)
{
    if (!running)
        return;
    running->drains = true;
    stop();
    running->drains = false;
}

static const struct site *site_of(const char *function, unsigned line)
{
    for (unsigned i = 0; i < site_count; i++)
        if (sites[i].line == line)
            return &sites[i];
    if (site_count == SITES_MAX)
        abort();
    sites[site_count] = (struct site){ function, line };
    return &sites[site_count++];
}

void tso_barrier(const char *function, unsigned line)
{
    if (running && site_of(function, line) != left_out && running->store_count > 0)
        drain();
}

/* A locked instruction: its own stores arrive first, and nothing comes between. */
uint64_t tso_exchange(void *address, size_t size, uint64_t value)
{
    uint64_t before = 0;
    (void)shares(address, true);
    drain();
    memcpy(&before, address, size);
    memcpy(address, &value, size);
    return before;
}

uint64_t tso_add(void *address, size_t size, uint64_t value)
{
    uint64_t before = 0;
    (void)shares(address, true);
    drain();
    memcpy(&before, address, size);
    value += before;
    memcpy(address, &value, size);
    return before;
}

bool tso_compare_exchange(void *address, size_t size, void *expected, uint64_t value)
{
    (void)shares(address, true);
    drain();
    bool equal = memcmp(address, expected, size) == 0;
    memcpy(equal ? address : expected, equal ? (void *)&value : address, size);
    return equal;
}

void tso_sleep(bool *flag)
{
    running->sleeps = flag;
    stop();
    running->sleeps = NULL;
    *flag = false;
}

/* ---- Executions ---- */

static void start_thread(void)
{
    running->run();
    running->ended = true;
    swapcontext(&running->context, &explorer);
}

static bool can_go_on(const struct thread *thread)
{
    if (thread->ended || (thread->drains && thread->store_count > 0))
        return false;
    return !thread->sleeps || *thread->sleeps;
}

static void go_on(struct thread *thread)
{
    running = thread;
    swapcontext(&explorer, &thread->context);
    running = NULL;
}

static void arrive(struct thread *thread)
{
    struct store store = thread->stores[0];
    memcpy(store.address, &store.value, store.size);
    thread->store_count--;
    memmove(thread->stores, thread->stores + 1, thread->store_count * sizeof(store));
}

/* One of `count` possibilities: as in the execution before, up to the choice that is changed. */
static unsigned choose(unsigned count)
{
    if (depth == CHOICES_MAX)
        abort();
    if (depth == choice_count) {
        choices[choice_count].taken = 0;
        choices[choice_count++].count = count;
    }
    return choices[depth++].taken;
}

/* False: nothing is left to do. */
static bool step(void)
{
    struct {
        void (*act)(struct thread *);
        struct thread *thread;
    } possible[2 * TSO_THREADS];
    unsigned count = 0;
    for (struct thread *thread = threads; thread < threads + thread_count; thread++) {
        if (can_go_on(thread)) {
            possible[count].act = go_on;
            possible[count++].thread = thread;
        }
        if (thread->store_count > 0) {
            possible[count].act = arrive;
            possible[count++].thread = thread;
        }
    }
    if (count == 0)
        return false;
    unsigned chosen = choose(count);
    possible[chosen].act(possible[chosen].thread);
    return true;
}

static void begin(const struct tso_scenario *scenario)
{
    depth = thread_count = 0;
    scenario->reset();
    for (; thread_count < TSO_THREADS && scenario->threads[thread_count]; thread_count++) {
        struct thread *thread = &threads[thread_count];
        char *stack = thread->stack ? thread->stack : malloc(STACK);
        *thread = (struct thread){ .run = scenario->threads[thread_count], .stack = stack };
        if (!stack || getcontext(&thread->context) != 0)
            abort();
        thread->context.uc_stack.ss_sp = stack;
        thread->context.uc_stack.ss_size = STACK;
        makecontext(&thread->context, start_thread, 0);
    }
}

static bool execute(const struct tso_scenario *scenario)
{
    begin(scenario);
    while (step()) {}
    for (unsigned i = 0; i < thread_count; i++)
        if (!threads[i].ended)
            return false; /* it sleeps for ever */
    return !scenario->good || scenario->good();
}

static bool next_execution(void)
{
    while (choice_count > 0 && ++choices[choice_count - 1].taken == choices[choice_count - 1].count)
        choice_count--;
    return choice_count > 0;
}

/* Whether all executions are good, until the first one that is not. */
static bool explore(const struct tso_scenario *scenario, const struct site *without, unsigned long *executions)
{
    bool good;
    left_out = without;
    choice_count = 0;
    *executions = 0;
    do {
        learned = false;
        good = execute(scenario);
        ++*executions;
        if (learned)
            choice_count = *executions = 0;
    } while (good && (learned || next_execution()));
    return good;
}

/* Its place in the list, or that of its end. */
static unsigned place_in_needed(const struct tso_scenario *scenario, const char *function)
{
    unsigned i = 0;
    while (i < TSO_NEEDED && scenario->needed[i] && strcmp(scenario->needed[i], function) != 0)
        i++;
    return i;
}

/* Bits of the functions in the list. */
static unsigned all_needed(const struct tso_scenario *scenario)
{
    unsigned bits = 0;
    for (unsigned i = 0; i < TSO_NEEDED && scenario->needed[i]; i++)
        bits |= 1u << i;
    return bits;
}

bool tso_check(const struct tso_scenario *scenario)
{
    unsigned long executions, some;
    unsigned found = 0;
    site_count = place_count = 0;
    memset(places, 0, sizeof(places));
    if (!explore(scenario, NULL, &executions)) {
        printf("not ok %s: execution %lu goes wrong\n", scenario->name, executions);
        return false;
    }
    for (unsigned i = 0; i < site_count; i++) {
        if (!explore(scenario, &sites[i], &some))
            found |= 1u << place_in_needed(scenario, sites[i].function);
    }
    if (found != all_needed(scenario)) {
        printf("not ok %s: the functions whose barriers it takes are others: %x, not %x\n", scenario->name, found,
               all_needed(scenario));
        return false;
    }
    printf("ok %s: %lu executions, each barrier left out in turn\n", scenario->name, executions);
    return true;
}

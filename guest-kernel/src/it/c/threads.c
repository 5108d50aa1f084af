/* SPDX-License-Identifier: Apache-2.0 */
/* Threads as glibc makes them: creation storms, locks, conditions, thread-local storage. */
#define _GNU_SOURCE
#include "suite.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define THREADS 16

static __thread int own = 7;
static int shared;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *return_argument(void *argument) { return argument; }

static void create_and_join(void)
{
    pthread_t thread;
    void *result;
    CHECK_EQUAL(pthread_create(&thread, NULL, return_argument, (void *)1234L), 0);
    CHECK_EQUAL(pthread_join(thread, &result), 0);
    CHECK_EQUAL((long)result, 1234);
}

static void storm_of_threads(void)
{
    for (long round = 0; round < 50; round++) {
        pthread_t threads[THREADS];
        for (long i = 0; i < THREADS; i++)
            CHECK_EQUAL(pthread_create(&threads[i], NULL, return_argument, (void *)(round + i)), 0);
        for (long i = 0; i < THREADS; i++) {
            void *result;
            CHECK_EQUAL(pthread_join(threads[i], &result), 0);
            CHECK_EQUAL((long)result, round + i);
        }
    }
}

static void *add(void *unused)
{
    for (int i = 0; i < 5000; i++) {
        pthread_mutex_lock(&mutex);
        shared++;
        if (i % 64 == 0)
            sched_yield();
        pthread_mutex_unlock(&mutex);
    }
    return unused;
}

static void mutex_excludes(void)
{
    pthread_t threads[THREADS];
    shared = 0;
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, add, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
    CHECK_EQUAL(shared, THREADS * 5000);
}

static void *set_own(void *value)
{
    int before = own;
    own = (int)(long)value;
    for (int i = 0; i < 100; i++) {
        sched_yield();
        if (own != (int)(long)value)
            return NULL;
    }
    return (void *)(long)(before == 7);
}

static void thread_local_storage_is_separate(void)
{
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, set_own, (void *)(100 + i)), 0);
    for (int i = 0; i < THREADS; i++) {
        void *good;
        CHECK_EQUAL(pthread_join(threads[i], &good), 0);
        CHECK(good != NULL);
    }
    CHECK_EQUAL(own, 7);
}

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int items, taken;
} queue = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 };

static void *consume(void *unused)
{
    for (int i = 0; i < 1000; i++) {
        pthread_mutex_lock(&queue.mutex);
        while (queue.items == 0)
            pthread_cond_wait(&queue.changed, &queue.mutex);
        queue.items--;
        queue.taken++;
        pthread_cond_broadcast(&queue.changed);
        pthread_mutex_unlock(&queue.mutex);
    }
    return unused;
}

static void *produce(void *unused)
{
    for (int i = 0; i < 1000; i++) {
        pthread_mutex_lock(&queue.mutex);
        while (queue.items >= 3)
            pthread_cond_wait(&queue.changed, &queue.mutex);
        queue.items++;
        pthread_cond_broadcast(&queue.changed);
        pthread_mutex_unlock(&queue.mutex);
    }
    return unused;
}

static void condition_variables_hand_over(void)
{
    pthread_t threads[8];
    queue.items = queue.taken = 0;
    for (int i = 0; i < 8; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, i % 2 ? consume : produce, NULL), 0);
    for (int i = 0; i < 8; i++)
        CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
    CHECK_EQUAL(queue.taken, 4000);
    CHECK_EQUAL(queue.items, 0);
}

static void condition_wait_times_out(void)
{
    pthread_condattr_t attributes;
    pthread_cond_t condition;
    struct timespec limit;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&condition, &attributes);
    int64_t start = now_ms(); /* before the other: the thread may be interrupted between the two */
    clock_gettime(CLOCK_MONOTONIC, &limit);
    limit.tv_sec += 1;
    pthread_mutex_lock(&mutex);
    CHECK_EQUAL(pthread_cond_timedwait(&condition, &mutex, &limit), ETIMEDOUT);
    pthread_mutex_unlock(&mutex);
    CHECK(now_ms() - start >= 999);
}

static void *get_id(void *unused)
{
    (void)unused;
    return (void *)(long)gettid();
}

static void ids_are_distinct(void)
{
    pthread_t threads[THREADS];
    long ids[THREADS];
    CHECK_EQUAL(gettid(), getpid());
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, get_id, NULL), 0);
    for (int i = 0; i < THREADS; i++) {
        CHECK_EQUAL(pthread_join(threads[i], (void **)&ids[i]), 0);
        CHECK(ids[i] > 0 && ids[i] != getpid());
        for (int j = 0; j < i; j++)
            CHECK(ids[i] != ids[j]);
    }
}

static atomic_int spinning;
static void *spin_until_told(void *unused)
{
    spinning = 1;
    while (spinning == 1)
        ;
    return unused;
}

/* The thread never calls the kernel, so only preemption lets anyone else run. */
static void busy_threads_are_preempted(void)
{
    pthread_t thread;
    spinning = 0;
    CHECK_EQUAL(pthread_create(&thread, NULL, spin_until_told, NULL), 0);
    while (spinning == 0)
        ;
    spinning = 2;
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
}

static void names_are_kept(void)
{
    char name[16] = "";
    CHECK_EQUAL(prctl(PR_SET_NAME, "a-name-that-is-too-long"), 0);
    CHECK_EQUAL(prctl(PR_GET_NAME, name), 0);
    CHECK(strcmp(name, "a-name-that-is-") == 0);
}

static atomic_int finished;
static void *finish(void *unused)
{
    finished++;
    return unused;
}

static void detached_threads_go_by_themselves(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    finished = 0;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    for (int i = 0; i < 100; i++) {
        CHECK_EQUAL(pthread_create(&thread, &attributes, finish, NULL), 0);
        while (finished <= i)
            sched_yield();
    }
    CHECK_EQUAL(finished, 100);
}

static void affinity_names_a_cpu(void)
{
    cpu_set_t set;
    CHECK_EQUAL(sched_getaffinity(0, sizeof(set), &set), 0);
    CHECK(CPU_COUNT(&set) >= 1);
    CHECK(sched_getcpu() >= 0);
}

SUITE(threads, TEST(create_and_join), TEST(storm_of_threads), TEST(mutex_excludes),
      TEST(thread_local_storage_is_separate), TEST(condition_variables_hand_over), TEST(condition_wait_times_out),
      TEST(ids_are_distinct), TEST(busy_threads_are_preempted), TEST(names_are_kept),
      TEST(detached_threads_go_by_themselves), TEST(affinity_names_a_cpu));

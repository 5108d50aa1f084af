/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pipes, eventfd, timerfd, epoll, poll and the table of descriptors.
 *
 * There is one thread: where a test waits, an idle hook does what another thread would (host.h), and time is virtual.
 * Some tests count the blocks of the heap to show that all was freed. Run by make test-files-streams.
 */
#include "files/epoll.h"
#include "files/poll.h"
#include "files/streams.h"
#include "files/support.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "threads/interval_timer.h"

static char buffer[1 << 17];

static ssize_type put(struct file *file, const void *data, size_t length)
{
    struct transfer transfer;
    transfer_init_kernel(&transfer, (void *)data, length);
    return file_write(file, &transfer);
}

static ssize_type get(struct file *file, void *to, size_t length)
{
    struct transfer transfer;
    transfer_init_kernel(&transfer, to, length);
    return file_read(file, &transfer);
}

static struct file *one, *two; /* what the idle hooks act on */

/* ---- Pipes ---- */

static void pipe_order(void)
{
    struct file *out, *in;
    uint64_t pages = host_pages_in_use();
    CHECK_EQUAL(pipe_create(O_NONBLOCK, &out, &in), 0);
    CHECK_EQUAL(get(out, buffer, 10), -EAGAIN);
    /* Lengths that do not divide the pages, many times round the ring. */
    uint8_t next_in = 0, next_out = 0;
    for (unsigned round = 0; round < 2000; round++) {
        size_t n = 1 + round * 37 % 3000;
        for (size_t i = 0; i < n; i++)
            buffer[i] = (char)next_in++;
        CHECK_EQUAL(put(in, buffer, n), n);
        if (round % 3 == 0)
            continue;
        ssize_type moved;
        while ((moved = get(out, buffer, 1777)) > 0) {
            for (ssize_type i = 0; i < moved; i++)
                CHECK((uint8_t)buffer[i] == next_out++);
        }
        CHECK_EQUAL(moved, -EAGAIN);
        CHECK_EQUAL(host_pages_in_use(), pages);
    }
    file_put(in);
    file_put(out);
    CHECK_EQUAL(host_pages_in_use(), pages);
}

static void pipe_full(void)
{
    struct file *out, *in;
    CHECK_EQUAL(pipe_create(O_NONBLOCK, &out, &in), 0);
    CHECK_EQUAL(file_poll(in), POLLOUT);
    CHECK_EQUAL(put(in, buffer, sizeof(buffer)), PIPE_CAPACITY);
    CHECK_EQUAL(put(in, buffer, 1), -EAGAIN);
    CHECK_EQUAL(file_poll(in), 0);
    CHECK_EQUAL(get(out, buffer, 100), 100);
    CHECK_EQUAL(file_poll(in), 0);
    CHECK_EQUAL(put(in, buffer, 101), -EAGAIN); /* up to PIPE_BUF: all or nothing */
    CHECK_EQUAL(put(in, buffer, 5000), 100);
    CHECK_EQUAL(get(out, buffer, 4096), 4096);
    CHECK_EQUAL(file_poll(in), POLLOUT);
    file_put(out);
    CHECK(file_poll(in) & POLLERR);
    CHECK_EQUAL(put(in, buffer, 1), -EPIPE);
    file_put(in);
}

static void pipe_end(void)
{
    struct file *out, *in;
    CHECK_EQUAL(pipe_create(0, &out, &in), 0);
    CHECK_EQUAL(put(in, "last", 4), 4);
    file_put(in);
    CHECK_EQUAL(file_poll(out), POLLIN | POLLHUP);
    CHECK_EQUAL(get(out, buffer, 10), 4);
    CHECK_EQUAL(get(out, buffer, 10), 0);
    CHECK_EQUAL(file_poll(out), POLLHUP);
    file_put(out);
}

static ssize_type move_nothing(void *context, void *data, size_t length)
{
    (void)context, (void)data, (void)length;
    return -EFAULT;
}

/* The page that the next bytes would go to holds the oldest ones. */
static void pipe_full_and_nothing_comes(void)
{
    struct file *out, *in;
    static char back[PIPE_CAPACITY];
    uint64_t pages = host_pages_in_use();
    CHECK_EQUAL(pipe_create(O_NONBLOCK, &out, &in), 0);
    for (size_t i = 0; i < PIPE_CAPACITY; i++)
        buffer[i] = (char)(i % 251);
    CHECK_EQUAL(put(in, buffer, PIPE_CAPACITY), PIPE_CAPACITY);
    CHECK_EQUAL(get(out, back, 100), 100);
    CHECK_EQUAL(pipe_fill(in, 50, move_nothing, NULL), -EFAULT);
    host_fault_range((uintptr_t)buffer, (uintptr_t)buffer + 10);
    struct transfer transfer;
    transfer_init_user(&transfer, (uintptr_t)buffer, 10);
    CHECK_EQUAL(file_write(in, &transfer), -EFAULT);
    host_fault_range(0, 0);
    CHECK_EQUAL(get(out, back, sizeof(back)), PIPE_CAPACITY - 100);
    CHECK(memcmp(back, buffer + 100, PIPE_CAPACITY - 100) == 0);
    CHECK_EQUAL(put(in, buffer, PAGE_SIZE), PAGE_SIZE);
    uint64_t one_page = host_pages_in_use();
    CHECK_EQUAL(pipe_fill(in, 50, move_nothing, NULL), -EFAULT);
    CHECK_EQUAL(host_pages_in_use(), one_page);
    file_put(in);
    file_put(out);
    CHECK_EQUAL(host_pages_in_use(), pages);
}

static bool write_later(void)
{
    host_idle = NULL;
    return put(one, "late", 4) == 4;
}

static bool drain_later(void)
{
    static char drained[PIPE_CAPACITY];
    return get(two, drained, sizeof(drained)) > 0;
}

static bool signal_later(void)
{
    host_signal_pending = true;
    return true;
}

static void pipe_blocking(void)
{
    CHECK_EQUAL(pipe_create(0, &two, &one), 0);
    host_idle = write_later;
    CHECK_EQUAL(get(two, buffer, 10), 4);
    CHECK(memcmp(buffer, "late", 4) == 0);
    host_idle = drain_later;
    CHECK_EQUAL(put(one, buffer, sizeof(buffer)), sizeof(buffer));
    while (file_poll(two) & POLLIN)
        drain_later();
    host_idle = signal_later;
    CHECK_EQUAL(get(two, buffer, 10), -EINTR);
    host_signal_pending = false;
    file_put(one);
    file_put(two);
}

/* ---- eventfd and timerfd ---- */

static void event_counter(void)
{
    uint64_t value = 3;
    struct file *event = eventfd_create(2, false, O_NONBLOCK);
    CHECK_EQUAL(file_poll(event), POLLIN | POLLOUT);
    CHECK_EQUAL(put(event, &value, 8), 8);
    CHECK_EQUAL(get(event, &value, 8), 8);
    CHECK_EQUAL(value, 5);
    CHECK_EQUAL(get(event, &value, 8), -EAGAIN);
    CHECK_EQUAL(get(event, &value, 7), -EINVAL);
    value = UINT64_MAX;
    CHECK_EQUAL(put(event, &value, 8), -EINVAL);
    value = UINT64_MAX - 1;
    CHECK_EQUAL(put(event, &value, 8), 8);
    CHECK_EQUAL(file_poll(event), POLLIN);
    value = 1;
    CHECK_EQUAL(put(event, &value, 8), -EAGAIN);
    file_put(event);
    event = eventfd_create(2, true, O_NONBLOCK);
    CHECK_EQUAL(get(event, &value, 8), 8);
    CHECK_EQUAL(value, 1);
    CHECK_EQUAL(get(event, &value, 8), 8);
    CHECK_EQUAL(get(event, &value, 8), -EAGAIN);
    file_put(event);
}

static void timers(void)
{
    uint64_t count;
    struct interval_setting setting = { 10 * NS_PER_MS, 0 };
    struct file *timer = timerfd_create(false, 0);
    interval_timer_set(timerfd_timer(timer), &setting, false, NULL);
    CHECK_EQUAL(file_poll(timer), 0);
    CHECK_EQUAL(get(timer, &count, 8), 8); /* sleeps: the virtual clock moves on */
    CHECK_EQUAL(count, 1);
    setting = (struct interval_setting){ 10 * NS_PER_MS, 4 * NS_PER_MS };
    interval_timer_set(timerfd_timer(timer), &setting, false, NULL);
    host_advance(23 * NS_PER_MS);
    CHECK_EQUAL(file_poll(timer), POLLIN);
    CHECK_EQUAL(get(timer, &count, 8), 8);
    CHECK_EQUAL(count, 4); /* at 10, 14, 18, 22 */
    interval_timer_get(timerfd_timer(timer), &setting);
    CHECK_EQUAL(setting.value, 3 * NS_PER_MS);
    CHECK_EQUAL(setting.interval, 4 * NS_PER_MS);
    setting.value = 0;
    interval_timer_set(timerfd_timer(timer), &setting, false, NULL);
    host_advance(NS_PER_SECOND);
    CHECK_EQUAL(file_poll(timer), 0);
    setting = (struct interval_setting){ 1, 0 }; /* absolute and long past */
    interval_timer_set(timerfd_timer(timer), &setting, true, NULL);
    host_advance(1);
    CHECK_EQUAL(file_poll(timer), POLLIN);
    setting = (struct interval_setting){ NS_PER_MS, 1 };
    interval_timer_set(timerfd_timer(timer), &setting, false, NULL);
    host_advance(2 * NS_PER_MS);
    CHECK_EQUAL(host_next_timer(), NO_DEADLINE); /* rests, for no one has read it */
    CHECK_EQUAL(get(timer, &count, 8), 8);
    CHECK_EQUAL(count, NS_PER_MS + 1);
    CHECK_EQUAL(file_poll(timer), 0);
    host_advance(5);
    interval_timer_get(timerfd_timer(timer), &setting);
    CHECK_EQUAL(setting.value, 1);
    host_advance(2);
    CHECK_EQUAL(get(timer, &count, 8), 8);
    CHECK_EQUAL(count, 7); /* asking took none away */
    setting = (struct interval_setting){ NS_PER_SECOND, 1 };
    interval_timer_set(timerfd_timer(timer), &setting, false, NULL);
    file_put(timer);
    CHECK_EQUAL(host_next_timer(), NO_DEADLINE);
}

/* TFD_TIMER_CANCEL_ON_SET: a step of the wall clock is reported once, and nothing is left of what expired before. */
/* The clock of a thread that has ended stands still, as that of one that does not run. */
static void timer_of_a_clock_that_stands_still(void)
{
    struct clock clock = { .kind = CLOCK_OF_THREAD, .thread = 4711 };
    struct interval_setting setting = { .value = 1 };
    struct interval_timer timer;
    interval_timer_init(&timer, &clock, NULL);
    interval_timer_set(&timer, &setting, false, NULL);
    host_advance(1);
    CHECK_EQUAL(host_next_timer() - clock_monotonic(), NS_PER_MS);
    interval_timer_get(&timer, &setting);
    CHECK_EQUAL(setting.value, 1);
    setting.value = 0;
    interval_timer_set(&timer, &setting, false, NULL);
    CHECK_EQUAL(host_next_timer(), NO_DEADLINE);
}

static void timer_is_cancelled(void)
{
    uint64_t count;
    struct interval_setting setting = { clock_wall() + NS_PER_SECOND, NS_PER_SECOND }, old;
    struct file *timer = timerfd_create(true, O_NONBLOCK), *steady = timerfd_create(false, O_NONBLOCK);
    CHECK_EQUAL(timerfd_set(timer, &setting, true, true, &old), 0);
    CHECK_EQUAL(timerfd_set(steady, &setting, true, true, &old), 0);
    CHECK_EQUAL(get(timer, &count, 8), -EAGAIN);
    host_advance(NS_PER_SECOND);
    wake(&clock_steps, 0);
    CHECK_EQUAL(file_poll(timer), POLLIN);
    CHECK_EQUAL(get(timer, &count, 8), -ECANCELED);
    CHECK_EQUAL(file_poll(timer), 0);
    CHECK_EQUAL(get(timer, &count, 8), -EAGAIN);
    CHECK_EQUAL(file_poll(steady), 0); /* another clock */
    host_advance(NS_PER_SECOND);
    CHECK_EQUAL(get(timer, &count, 8), 8); /* it goes on */
    CHECK_EQUAL(count, 1);
    wake(&clock_steps, 0);
    CHECK_EQUAL(timerfd_set(timer, &setting, true, true, &old), -ECANCELED); /* set all the same */
    CHECK_EQUAL(old.interval, NS_PER_SECOND);
    CHECK_EQUAL(timerfd_set(timer, &setting, false, true, &old), 0);
    wake(&clock_steps, 0);
    CHECK_EQUAL(get(timer, &count, 8), -EAGAIN); /* no absolute time */
    CHECK_EQUAL(timerfd_set(timer, &setting, true, false, &old), 0);
    wake(&clock_steps, 0);
    CHECK(get(timer, &count, 8) != -ECANCELED); /* not asked for */
    file_put(timer);
    file_put(steady);
    wake(&clock_steps, 0);
}

/* ---- epoll ---- */

static struct epoll_event want(uint32_t events, uint64_t data) { return (struct epoll_event){ events, data }; }

static int wait_until_then(struct file *epoll, struct epoll_event *out, unsigned limit, nanoseconds deadline)
{
    struct epoll_events events;
    int count = epoll_wait(epoll, &events, limit, deadline);
    if (count <= 0)
        return count;
    memcpy(out, events.list, (unsigned)count * sizeof(*out));
    epoll_events_free(&events);
    return count;
}

static int wait_now(struct file *epoll, struct epoll_event *out) { return wait_until_then(epoll, out, 8, 0); }

static void epoll_level(void)
{
    struct file *out, *in, *epoll = epoll_create(0);
    struct epoll_event event = want(POLLIN, 77), found[8];
    CHECK_EQUAL(pipe_create(O_NONBLOCK, &out, &in), 0);
    CHECK_EQUAL(epoll_control(epoll, EPOLL_CTL_ADD, 5, out, &event), 0);
    CHECK_EQUAL(epoll_control(epoll, EPOLL_CTL_ADD, 5, out, &event), -EEXIST);
    CHECK_EQUAL(epoll_control(epoll, EPOLL_CTL_ADD, 6, out, &event), 0);
    CHECK_EQUAL(epoll_control(epoll, EPOLL_CTL_DEL, 6, out, NULL), 0);
    CHECK_EQUAL(epoll_control(epoll, EPOLL_CTL_DEL, 6, out, NULL), -ENOENT);
    CHECK_EQUAL(wait_now(epoll, found), 0);
    CHECK_EQUAL(put(in, "xy", 2), 2);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQUAL(wait_now(epoll, found), 1);
        CHECK_EQUAL(found[0].events, POLLIN);
        CHECK_EQUAL(found[0].data, 77);
    }
    CHECK_EQUAL(get(out, buffer, 2), 2);
    CHECK_EQUAL(wait_now(epoll, found), 0);
    file_put(in);
    CHECK_EQUAL(wait_now(epoll, found), 1);
    CHECK_EQUAL(found[0].events, POLLHUP);
    file_put(out); /* closing takes it out */
    CHECK_EQUAL(wait_now(epoll, found), 0);
    file_put(epoll);
}

static void epoll_edge(void)
{
    struct file *out, *in, *epoll = epoll_create(0);
    struct epoll_event event = want(POLLIN | EPOLLET, 1), found[8];
    CHECK_EQUAL(pipe_create(O_NONBLOCK, &out, &in), 0);
    CHECK_EQUAL(put(in, "x", 1), 1);
    CHECK_EQUAL(epoll_control(epoll, EPOLL_CTL_ADD, 5, out, &event), 0);
    CHECK_EQUAL(wait_now(epoll, found), 1);
    CHECK_EQUAL(wait_now(epoll, found), 0);
    CHECK_EQUAL(put(in, "x", 1), 1);
    CHECK_EQUAL(wait_now(epoll, found), 1);
    CHECK_EQUAL(wait_now(epoll, found), 0);
    CHECK_EQUAL(epoll_control(epoll, EPOLL_CTL_MOD, 5, out, &event), 0);
    CHECK_EQUAL(wait_now(epoll, found), 1);
    CHECK_EQUAL(wait_now(epoll, found), 0);
    file_put(in);
    file_put(epoll); /* with an interest left */
    file_put(out);
}

static void epoll_one_shot(void)
{
    struct file *out, *in, *epoll = epoll_create(0);
    struct epoll_event event = want(POLLIN | EPOLLONESHOT, 1), found[8];
    CHECK_EQUAL(pipe_create(O_NONBLOCK, &out, &in), 0);
    CHECK_EQUAL(epoll_control(epoll, EPOLL_CTL_ADD, 5, out, &event), 0);
    CHECK_EQUAL(put(in, "x", 1), 1);
    CHECK_EQUAL(wait_now(epoll, found), 1);
    CHECK_EQUAL(put(in, "x", 1), 1);
    CHECK_EQUAL(wait_now(epoll, found), 0);
    CHECK_EQUAL(epoll_control(epoll, EPOLL_CTL_MOD, 5, out, &event), 0);
    CHECK_EQUAL(wait_now(epoll, found), 1);
    CHECK_EQUAL(wait_now(epoll, found), 0);
    file_put(in);
    file_put(out);
    file_put(epoll);
}

static bool write_event_later(void)
{
    uint64_t value = 1;
    host_idle = NULL;
    return put(one, &value, 8) == 8;
}

static void epoll_sleeping(void)
{
    struct epoll_event event = want(POLLIN, 9), found[8];
    struct file *epoll = epoll_create(0);
    one = eventfd_create(0, false, 0);
    CHECK_EQUAL(epoll_control(epoll, EPOLL_CTL_ADD, 3, one, &event), 0);
    host_idle = write_event_later;
    CHECK_EQUAL(wait_until_then(epoll, found, 8, NO_DEADLINE), 1);
    CHECK_EQUAL(found[0].data, 9);
    uint64_t value;
    CHECK_EQUAL(get(one, &value, 8), 8);
    nanoseconds start = clock_monotonic();
    CHECK_EQUAL(wait_until_then(epoll, found, 8, start + 5 * NS_PER_MS), 0);
    CHECK_EQUAL(clock_monotonic(), start + 5 * NS_PER_MS);
    host_signal_pending = true;
    CHECK_EQUAL(wait_until_then(epoll, found, 8, NO_DEADLINE), -EINTR);
    host_signal_pending = false;
    file_put(one);
    file_put(epoll);
}

static void epoll_nested(void)
{
    struct epoll_event event = want(POLLIN, 1), found[8];
    struct file *outer = epoll_create(0), *inner = epoll_create(0), *file = eventfd_create(0, false, O_NONBLOCK);
    CHECK_EQUAL(epoll_control(inner, EPOLL_CTL_ADD, 3, file, &event), 0);
    CHECK_EQUAL(epoll_control(outer, EPOLL_CTL_ADD, 4, inner, &event), 0);
    CHECK_EQUAL(epoll_control(inner, EPOLL_CTL_ADD, 5, outer, &event), -ELOOP);
    CHECK_EQUAL(epoll_control(inner, EPOLL_CTL_ADD, 6, inner, &event), -EINVAL);
    CHECK_EQUAL(wait_now(outer, found), 0);
    uint64_t value = 1;
    CHECK_EQUAL(put(file, &value, 8), 8);
    CHECK_EQUAL(wait_now(outer, found), 1);
    CHECK_EQUAL(get(file, &value, 8), 8);
    CHECK_EQUAL(wait_now(inner, found), 0);
    CHECK_EQUAL(wait_now(outer, found), 0);
    file_put(inner);
    file_put(outer);
    file_put(file);
}

static int watch(struct file *epoll, struct file *file)
{
    struct epoll_event event = want(POLLIN, 1);
    return epoll_control(epoll, EPOLL_CTL_ADD, 3, file, &event);
}

/* Four steps between instances at most, whichever end the chain grows at and however it is joined. */
static void epoll_depth(void)
{
    struct file *chain[6], *file = eventfd_create(0, false, O_NONBLOCK);
    for (unsigned direction = 0; direction < 3; direction++) {
        for (unsigned i = 0; i < 6; i++)
            chain[i] = epoll_create(0);
        for (unsigned i = 0; direction == 0 && i < 5; i++)
            CHECK_EQUAL(watch(chain[i], chain[i + 1]), i < 4 ? 0 : -ELOOP);
        for (unsigned i = 5; direction == 1 && i-- > 0;)
            CHECK_EQUAL(watch(chain[i], chain[i + 1]), i > 0 ? 0 : -ELOOP);
        for (unsigned i = 0; direction == 2 && i < 5; i++)
            CHECK_EQUAL(i == 2 ? 0 : watch(chain[i], chain[i + 1]), 0);
        if (direction == 2)
            CHECK_EQUAL(watch(chain[2], chain[3]), -ELOOP);
        CHECK_EQUAL(watch(chain[5], file), 0);
        for (unsigned i = 0; i < 6; i++)
            file_put(chain[i]);
    }
    file_put(file);
}

static void epoll_cycles(void)
{
    struct file *a = epoll_create(0), *b = epoll_create(0), *c = epoll_create(0);
    CHECK_EQUAL(watch(a, b), 0);
    CHECK_EQUAL(watch(b, c), 0);
    CHECK_EQUAL(watch(c, a), -ELOOP);
    CHECK_EQUAL(watch(c, b), -ELOOP);
    CHECK_EQUAL(watch(a, c), 0);
    file_put(b);
    CHECK_EQUAL(watch(c, a), -ELOOP);
    file_put(a);
    file_put(c);
}

/* Instances that watch the end of a chain of `steps` - 1 more: one file wakes only so many. */
static void epoll_paths_over(unsigned steps, unsigned limit)
{
    static struct file *wide[502];
    struct file *chain[4], *file = eventfd_create(0, false, O_NONBLOCK);
    uint64_t blocks = host_heap_blocks();
    for (unsigned i = 0; i < steps; i++) {
        chain[i] = epoll_create(0);
        CHECK_EQUAL(watch(chain[i], i == 0 ? file : chain[i - 1]), 0);
    }
    for (unsigned i = 0; i <= limit; i++) {
        wide[i] = epoll_create(0);
        CHECK_EQUAL(watch(wide[i], chain[steps - 1]), i < limit ? 0 : -EINVAL);
    }
    /* The one refused left nothing behind: it can watch something else, and what it was to watch. */
    CHECK_EQUAL(watch(wide[limit], file), 0);
    file_put(wide[0]);
    CHECK_EQUAL(watch(wide[limit], chain[steps - 1]), 0);
    uint64_t value = 1;
    struct epoll_event found[8];
    CHECK_EQUAL(put(file, &value, 8), 8);
    CHECK_EQUAL(wait_now(wide[limit - 1], found), 1);
    for (unsigned i = 1; i <= limit; i++)
        file_put(wide[i]);
    for (unsigned i = 0; i < steps; i++)
        file_put(chain[i]);
    CHECK_EQUAL(host_heap_blocks(), blocks);
    file_put(file);
}

static void epoll_paths(void)
{
    epoll_paths_over(1, 500);
    epoll_paths_over(2, 100);
    epoll_paths_over(3, 50);
    epoll_paths_over(4, 10);
}

/* Without a file there is nothing to wake; the file that comes last is refused. */
static void epoll_paths_before_the_file(void)
{
    static struct file *wide[501];
    struct file *inner = epoll_create(0), *file = eventfd_create(0, false, O_NONBLOCK);
    for (unsigned i = 0; i < 501; i++) {
        wide[i] = epoll_create(0);
        CHECK_EQUAL(watch(wide[i], inner), 0);
    }
    CHECK_EQUAL(watch(inner, file), -EINVAL);
    file_put(wide[0]);
    CHECK_EQUAL(watch(inner, file), 0);
    for (unsigned i = 1; i < 501; i++)
        file_put(wide[i]);
    file_put(inner);
    file_put(file);
}

/* Many ways between few instances: looking at all of them again and again would take for ever. */
static void epoll_dense(void)
{
    enum { LAYERS = 5, WIDTH = 3 };
    struct file *layers[LAYERS][WIDTH], *file = eventfd_create(0, false, O_NONBLOCK);
    struct epoll_event event = want(POLLIN, 1);
    for (unsigned layer = 0; layer < LAYERS; layer++) {
        for (unsigned i = 0; i < WIDTH; i++) {
            layers[layer][i] = epoll_create(0);
            for (unsigned below = 0; layer > 0 && below < WIDTH; below++) {
                struct file *file = layers[layer - 1][below];
                CHECK_EQUAL(epoll_control(layers[layer][i], EPOLL_CTL_ADD, (int)below, file, &event), 0);
            }
        }
    }
    /* 3, 9, 27 and 81 ways up from each of the lowest: the last are too many. */
    CHECK_EQUAL(watch(layers[0][0], file), -EINVAL);
    for (unsigned i = 0; i < WIDTH; i++)
        file_put(layers[4][i]);
    CHECK_EQUAL(watch(layers[0][0], file), 0);
    for (unsigned layer = 0; layer < 4; layer++)
        for (unsigned i = 0; i < WIDTH; i++)
            file_put(layers[layer][i]);
    file_put(file);
}

/* All ready ones get their turn although each call hands out few. */
static void epoll_fair(void)
{
    struct file *files[20], *epoll = epoll_create(0);
    struct epoll_event found[8];
    uint32_t seen = 0;
    for (unsigned i = 0; i < 20; i++) {
        struct epoll_event event = want(POLLIN, i);
        files[i] = eventfd_create(1, false, 0);
        CHECK_EQUAL(epoll_control(epoll, EPOLL_CTL_ADD, (int)i, files[i], &event), 0);
    }
    for (unsigned round = 0; round < 3; round++) {
        int count = wait_now(epoll, found);
        CHECK_EQUAL(count, 8);
        for (int i = 0; i < count; i++)
            seen |= 1u << found[i].data;
    }
    CHECK_EQUAL(seen, (1u << 20) - 1);
    for (unsigned i = 0; i < 20; i++)
        file_put(files[i]);
    CHECK_EQUAL(wait_now(epoll, found), 0);
    file_put(epoll);
}

/* One call reports all that are ready, each once. Without memory for them it reports a few, and the rest later. */
static void epoll_many(void)
{
    enum { FILES = 200 };
    static struct epoll_event found[FILES];
    struct file *files[FILES], *epoll = epoll_create(0);
    bool seen[FILES] = { false };
    for (unsigned i = 0; i < FILES; i++) {
        struct epoll_event event = want(POLLIN | EPOLLET, i);
        files[i] = eventfd_create(1, false, 0);
        CHECK_EQUAL(epoll_control(epoll, EPOLL_CTL_ADD, (int)i, files[i], &event), 0);
    }
    host_fail_one_allocation(1);
    CHECK_EQUAL(wait_until_then(epoll, found, FILES, 0), EPOLL_FEW);
    host_fail_one_allocation(0);
    uint64_t blocks = host_heap_blocks();
    CHECK_EQUAL(wait_until_then(epoll, found + EPOLL_FEW, INT32_MAX, 0), FILES - EPOLL_FEW);
    CHECK_EQUAL(host_heap_blocks(), blocks);
    for (unsigned i = 0; i < FILES; i++) {
        CHECK(!seen[found[i].data]);
        seen[found[i].data] = true;
    }
    CHECK_EQUAL(wait_until_then(epoll, found, FILES, 0), 0);
    for (unsigned i = 0; i < FILES; i++)
        file_put(files[i]);
    file_put(epoll);
}

/* ---- poll ---- */

/* A wake-up goes through all that wait, so there is a limit; what it refuses leaves nothing behind. */
static void waiters_of_a_file_are_limited(void)
{
    uint64_t blocks = host_heap_blocks();
    struct epoll_event event = want(POLLIN, 1), found[8];
    struct file *first = epoll_create(0), *second = epoll_create(0), *file = eventfd_create(0, false, 0);
    for (int i = 0; i < (int)WAIT_QUEUE_LIMIT - 1; i++)
        CHECK_EQUAL(epoll_control(first, EPOLL_CTL_ADD, i, file, &event), 0);
    CHECK_EQUAL(epoll_control(second, EPOLL_CTL_ADD, 1, file, &event), 0);
    CHECK_EQUAL(epoll_control(second, EPOLL_CTL_ADD, 2, file, &event), -ENOSPC);
    CHECK_EQUAL(epoll_control(second, EPOLL_CTL_DEL, 2, file, NULL), -ENOENT);
    struct poll_entry entry = { .file = file, .wanted = POLLIN };
    struct poll_table table = { .count = 1, .blocks = { &entry } };
    CHECK_EQUAL(poll_files(&table, clock_monotonic() + NS_PER_MS), -ENOMEM);
    CHECK_EQUAL(epoll_control(first, EPOLL_CTL_DEL, 7, file, NULL), 0);
    CHECK_EQUAL(poll_files(&table, clock_monotonic() + NS_PER_MS), 0);
    CHECK_EQUAL(epoll_control(second, EPOLL_CTL_ADD, 2, file, &event), 0);
    uint64_t value = 1;
    CHECK_EQUAL(put(file, &value, 8), 8);
    CHECK_EQUAL(wait_now(second, found), 2);
    CHECK_EQUAL(poll_files(&table, 0), 1);
    file_put(first);
    file_put(second);
    file_put(file);
    CHECK_EQUAL(host_heap_blocks(), blocks);
}

static void polling(void)
{
    struct file *out, *in;
    CHECK_EQUAL(pipe_create(O_NONBLOCK, &out, &in), 0);
    struct poll_entry entries[2] = { { .file = out, .wanted = POLLIN }, { .file = in, .wanted = 0 } };
    struct poll_table table = { .count = 2, .blocks = { entries } };
    CHECK_EQUAL(poll_files(&table, 0), 0);
    nanoseconds start = clock_monotonic();
    CHECK_EQUAL(poll_files(&table, start + NS_PER_MS), 0);
    CHECK_EQUAL(clock_monotonic(), start + NS_PER_MS);
    one = in;
    host_idle = write_later;
    CHECK_EQUAL(poll_files(&table, NO_DEADLINE), 1);
    CHECK_EQUAL(entries[0].found, POLLIN);
    CHECK_EQUAL(entries[1].found, 0);
    CHECK_EQUAL(get(out, buffer, 10), 4);
    host_signal_pending = true;
    CHECK_EQUAL(poll_files(&table, NO_DEADLINE), -EINTR);
    host_signal_pending = false;
    file_put(in);
    file_put(out);
}

/* ---- Descriptors ---- */

static void descriptors(void)
{
    uint64_t blocks = host_heap_blocks();
    struct file *file = eventfd_create(0, false, 0);
    for (int i = 0; i < 100; i++)
        CHECK_EQUAL(descriptor_add(file_get(file), false, 0), i);
    CHECK_EQUAL(descriptor_close(7), 0);
    CHECK_EQUAL(descriptor_close(7), -EBADF);
    CHECK_EQUAL(descriptor_close(-1), -EBADF);
    CHECK_EQUAL(descriptor_close(1 << 20), -EBADF);
    CHECK(!descriptor_get(7));
    CHECK_EQUAL(descriptor_add(file_get(file), true, 10), 100);
    CHECK_EQUAL(descriptor_add(file_get(file), true, 0), 7);
    CHECK_EQUAL(descriptor_close_on_exec(7), 1);
    CHECK_EQUAL(descriptor_close_on_exec(8), 0);
    CHECK_EQUAL(descriptor_duplicate(7, 5000, false), 5000);
    CHECK_EQUAL(descriptor_duplicate(7, 7, false), 7);
    CHECK_EQUAL(descriptor_duplicate(4000, 7, false), -EBADF);
    CHECK_EQUAL(descriptor_duplicate(7, (int)descriptor_limit, false), -EBADF);
    CHECK_EQUAL(descriptor_next(101), 5000);
    CHECK_EQUAL(descriptor_close_range(0, UINT32_MAX, false), 0);
    CHECK_EQUAL(descriptor_next(0), -1);
    CHECK_EQUAL(file->references, 1);
    file_put(file);
    CHECK(host_heap_blocks() <= blocks + 1); /* the table */
}

int main(void)
{
    host_init();
    host_test("pipe order", pipe_order);
    host_test("pipe full", pipe_full);
    host_test("pipe: a full one to which nothing comes", pipe_full_and_nothing_comes);
    host_test("pipe end", pipe_end);
    host_test("pipe blocking", pipe_blocking);
    host_test("eventfd", event_counter);
    host_test("timerfd", timers);
    host_test("timer of a clock that stands still", timer_of_a_clock_that_stands_still);
    host_test("timerfd is cancelled", timer_is_cancelled);
    host_test("epoll level-triggered", epoll_level);
    host_test("epoll edge-triggered", epoll_edge);
    host_test("epoll one-shot", epoll_one_shot);
    host_test("epoll sleeping", epoll_sleeping);
    host_test("epoll nested", epoll_nested);
    host_test("epoll depth", epoll_depth);
    host_test("epoll cycles", epoll_cycles);
    host_test("epoll paths", epoll_paths);
    host_test("epoll paths before the file", epoll_paths_before_the_file);
    host_test("epoll dense", epoll_dense);
    host_test("epoll fair", epoll_fair);
    host_test("epoll many", epoll_many);
    host_test("waiters of a file are limited", waiters_of_a_file_are_limited);
    host_test("poll", polling);
    host_test("descriptors", descriptors);
    return host_result();
}

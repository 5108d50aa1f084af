/* SPDX-License-Identifier: Apache-2.0 */
/*
 * epoll instances. Locks, and their order: epoll.h.
 *
 * An interest holds no reference to its file: the last file_put() takes it out of the instance first (epoll_forget()),
 * under "epoll control" and the instance's mutex. So the holder of either may use interest->file, even if its count of
 * references is 0 already, as long as it keeps one of the two. An interest is freed only with both held.
 *
 * A file that becomes ready wakes every instance that watches it, every instance that watches those, and so on, in one
 * go, on the kernel stack, with spinlocks held. Their number is limited when an interest is added.
 *
 * Threads wait for an instance exclusively: an event wakes one of them, and that one wakes the next if it leaves
 * something on the ready list. An interest with EPOLLEXCLUSIVE waits for its file exclusively, too: it takes an event
 * if a thread was woken for it, and otherwise another interest is tried. It is on the ready list in both cases. If it
 * is removed before a thread has looked at its file, wait_remove() passes the event on.
 */
#include "core/debug.h"
#include "core/heap.h"
#include "core/lock.h"
#include "files/epoll.h"
#include "files/file.h"
#include "lib/errno.h"
#include "lib/tree.h"
#include "threads/failing.h"
#include "threads/thread.h"

/* As in Linux: instances may watch instances over this many steps (epoll_ctl(2), ELOOP), and the paths on which a file
 * reaches instances over 1, 2, ... steps more than its own watchers are at most this many (EINVAL). */
#define NESTING_LIMIT 4
#define INTERESTS_AT_ONCE 64 /* removed, or looked at, before others may run */
static const uint16_t path_limits[NESTING_LIMIT + 1] = { UINT16_MAX, 500, 100, 50, 10 };
#define ALWAYS (POLLERR | POLLHUP)
#define MODES (EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE)
/* What may go with EPOLLEXCLUSIVE (epoll_ctl(2)). */
#define BESIDE_EXCLUSIVE (POLLIN | POLLOUT | ALWAYS | EPOLLET | EPOLLWAKEUP)

struct epoll {
    struct mutex mutex;
    struct tree interests; /* epoll control; by descriptor and file */
    struct spinlock lock;
    struct list ready;    /* lock */
    unsigned ready_count; /* lock */
    struct wait_queue queue;
    struct file *file; /* which the instance is of; its watchers are the instances above */
    /* Epoll control: results of looking at the instances around an interest to be added, valid while the number of
     * the search is the current one. */
    uint64_t below_search, above_search, files_search;
    unsigned below;                    /* most steps down from here */
    uint16_t paths[NESTING_LIMIT + 1]; /* ways up from here over this many steps, saturating */
};

struct interest {
    struct tree_node node;    /* epoll control */
    struct list watcher_link; /* epoll control: file->watchers */
    struct epoll *epoll;
    struct file *file; /* no reference: freed when the file is */
    int descriptor;
    struct waiter waiter;   /* on the file's queue */
    struct list ready_link; /* epoll->lock */
    bool ready;             /* epoll->lock */
    uint32_t events;        /* what is waited for; MODES only: disarmed. One word, read by callbacks */
    uint64_t data;          /* epoll->mutex */
};

static struct mutex control = MUTEX(control, LOCK_EPOLL_CONTROL);

static const struct file_operations epoll_operations;

static struct epoll *epoll_of(struct file *file)
{
    return file->operations == &epoll_operations ? file->private : NULL;
}

/* ---- The ready list ---- */

static void make_ready(struct interest *interest)
{
    struct epoll *epoll = interest->epoll;
    spin_lock(&epoll->lock);
    if (!interest->ready) {
        interest->ready = true;
        list_push_back(&epoll->ready, &interest->ready_link);
        epoll->ready_count++;
    }
    spin_unlock(&epoll->lock);
}

static void make_unready(struct interest *interest)
{
    struct epoll *epoll = interest->epoll;
    spin_lock(&epoll->lock);
    if (interest->ready) {
        interest->ready = false;
        list_remove(&interest->ready_link);
        epoll->ready_count--;
    }
    spin_unlock(&epoll->lock);
}

static struct interest *pop_ready(struct epoll *epoll)
{
    spin_lock(&epoll->lock);
    struct list *node = list_pop_front(&epoll->ready);
    struct interest *interest = node ? list_entry(node, struct interest, ready_link) : NULL;
    if (interest) {
        interest->ready = false;
        epoll->ready_count--;
    }
    spin_unlock(&epoll->lock);
    return interest;
}

static unsigned count_ready(struct epoll *epoll)
{
    spin_lock(&epoll->lock);
    unsigned count = epoll->ready_count;
    spin_unlock(&epoll->lock);
    return count;
}

static uint32_t wanted(const struct interest *interest) { return read_once(interest->events) & ~MODES; }

/* The watched file's queue is being woken. */
static bool watched(struct waiter *waiter, unsigned events)
{
    struct interest *interest = container_of(waiter, struct interest, waiter);
    uint32_t mask = wanted(interest);
    if (!mask || (events && !(events & mask)))
        return false;
    make_ready(interest);
    return wake(&interest->epoll->queue, POLLIN);
}

/* ---- Interests, under "epoll control" ---- */

static bool before(const struct tree_node *a, const struct tree_node *b)
{
    const struct interest *x = tree_entry(a, struct interest, node), *y = tree_entry(b, struct interest, node);
    if (x->descriptor != y->descriptor)
        return x->descriptor < y->descriptor;
    return (uintptr_t)x->file < (uintptr_t)y->file;
}

static struct interest *find(struct epoll *epoll, int descriptor, struct file *file)
{
    struct interest key = { .descriptor = descriptor, .file = file };
    struct tree_node *node = epoll->interests.root;
    while (node) {
        if (before(&key.node, node))
            node = node->left;
        else if (before(node, &key.node))
            node = node->right;
        else
            return tree_entry(node, struct interest, node);
    }
    return NULL;
}

static void remove_interest(struct interest *interest)
{
    must_hold_mutex(&control);
    struct epoll *epoll = interest->epoll;
    mutex_lock(&epoll->mutex);
    wait_remove(&interest->waiter);
    make_unready(interest);
    tree_remove(&epoll->interests, &interest->node);
    list_remove(&interest->watcher_link);
    mutex_unlock(&epoll->mutex);
    heap_free(interest);
}

/* Looks at the file as it is now: events that came before the interest count too. */
static void check_now(struct interest *interest)
{
    if (!(file_poll(interest->file) & wanted(interest)))
        return;
    make_ready(interest);
    wake(&interest->epoll->queue, POLLIN);
}

/* ---- How deep instances are nested, under "epoll control" ---- */

static uint64_t search; /* epoll control: every instance is looked at once in each */

/* Interests can be counted in millions. "Epoll control" is kept, so that they stay as they are. */
static void look_at_one(void)
{
    static unsigned looked_at; /* epoll control */
    must_hold_mutex(&control);
    if (++looked_at % INTERESTS_AT_ONCE == 0)
        give_way();
}

/* The most steps down from an instance to others; more than the limit where one of them is `target`. */
static unsigned steps_below(struct epoll *epoll, const struct epoll *target)
{
    if (epoll == target)
        return NESTING_LIMIT + 1;
    if (epoll->below_search == search)
        return epoll->below;
    unsigned most = 0;
    for (struct tree_node *node = tree_first(&epoll->interests); node; node = tree_next(node)) {
        struct epoll *next = epoll_of(tree_entry(node, struct interest, node)->file);
        look_at_one();
        if (next)
            most = max_of(most, 1 + steps_below(next, target));
    }
    epoll->below_search = search;
    epoll->below = most;
    return most;
}

static void add_paths(uint16_t *to, const uint16_t *more, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        to[i] = (uint16_t)min_of(to[i] + more[i], UINT16_MAX);
}

static void count_paths_above(struct epoll *epoll)
{
    if (epoll->above_search == search)
        return;
    epoll->above_search = search;
    for (unsigned i = 0; i <= NESTING_LIMIT; i++)
        epoll->paths[i] = i == 0;
    list_for_each (node, &epoll->file->watchers) {
        struct epoll *above = list_entry(node, struct interest, watcher_link)->epoll;
        look_at_one();
        count_paths_above(above);
        add_paths(epoll->paths + 1, above->paths, NESTING_LIMIT);
    }
}

static unsigned steps_above(struct epoll *epoll)
{
    unsigned steps = NESTING_LIMIT;
    count_paths_above(epoll);
    while (epoll->paths[steps] == 0)
        steps--;
    return steps;
}

static bool few_paths_from(const struct file *file)
{
    uint16_t paths[NESTING_LIMIT + 1] = { 0 };
    list_for_each (node, &file->watchers) {
        struct epoll *above = list_entry(node, struct interest, watcher_link)->epoll;
        look_at_one();
        count_paths_above(above);
        add_paths(paths, above->paths, array_size(paths));
    }
    bool few = true;
    for (unsigned i = 1; i < array_size(paths); i++)
        few &= paths[i] <= path_limits[i];
    return few;
}

/* The same for all files that an instance watches, itself or through others. */
static bool few_paths_through(struct epoll *epoll)
{
    bool few = true;
    if (epoll->files_search == search)
        return true;
    epoll->files_search = search;
    for (struct tree_node *node = tree_first(&epoll->interests); few && node; node = tree_next(node)) {
        struct file *file = tree_entry(node, struct interest, node)->file;
        struct epoll *next = epoll_of(file);
        few = next ? few_paths_through(next) : few_paths_from(file);
    }
    return few;
}

/* With the interest entered in both lists. */
static bool few_paths_with(struct epoll *epoll, struct file *file)
{
    struct epoll *nested = epoll_of(file);
    if (!nested && list_empty(&epoll->file->watchers))
        return true; /* one wake-up more, of its own watcher */
    search++;
    return nested ? few_paths_through(nested) : few_paths_from(file);
}

/* ---- Adding and changing, under "epoll control" ---- */

static struct interest *create_interest(struct epoll *epoll, int descriptor, struct file *file,
                                        const struct epoll_event *event)
{
    struct interest *interest = heap_allocate_zeroed(sizeof(*interest));
    if (!interest)
        return NULL;
    interest->epoll = epoll;
    interest->file = file;
    interest->descriptor = descriptor;
    interest->events = event->events | ALWAYS;
    interest->data = event->data;
    list_init(&interest->ready_link);
    waiter_init_callback(&interest->waiter, watched);
    if (event->events & EPOLLEXCLUSIVE)
        interest->waiter.exclusive = wanted(interest);
    return interest;
}

static int add(struct epoll *epoll, int descriptor, struct file *file, const struct epoll_event *event)
{
    must_hold_mutex(&control);
    struct epoll *nested = epoll_of(file);
    search++;
    if (nested && steps_below(nested, epoll) + 1 + steps_above(epoll) > NESTING_LIMIT)
        return -ELOOP;
    struct interest *interest = create_interest(epoll, descriptor, file, event);
    if (!interest)
        return -ENOMEM;
    mutex_lock(&epoll->mutex);
    tree_insert(&epoll->interests, &interest->node);
    list_push_back(&file->watchers, &interest->watcher_link);
    mutex_unlock(&epoll->mutex);
    if (!few_paths_with(epoll, file)) {
        remove_interest(interest);
        return -EINVAL;
    }
    mutex_lock(&epoll->mutex);
    struct wait_queue *queue = file->operations->queue ? file->operations->queue(file) : NULL;
    bool added = !queue || wait_try_add(queue, &interest->waiter);
    if (added)
        check_now(interest);
    mutex_unlock(&epoll->mutex);
    if (added)
        return 0;
    remove_interest(interest);
    return -ENOSPC;
}

static int modify(struct interest *interest, const struct epoll_event *event)
{
    if (interest->events & EPOLLEXCLUSIVE)
        return -EINVAL;
    mutex_lock(&interest->epoll->mutex);
    interest->data = event->data;
    write_once(interest->events, event->events | ALWAYS);
    check_now(interest);
    mutex_unlock(&interest->epoll->mutex);
    return 0;
}

static int control_locked(struct epoll *epoll, int operation, int descriptor, struct file *file,
                          const struct epoll_event *event)
{
    must_hold_mutex(&control);
    struct interest *interest = find(epoll, descriptor, file);
    switch (operation) {
    case EPOLL_CTL_ADD:
        return interest ? -EEXIST : add(epoll, descriptor, file, event);
    case EPOLL_CTL_MOD:
        return interest ? modify(interest, event) : -ENOENT;
    case EPOLL_CTL_DEL:
        if (!interest)
            return -ENOENT;
        remove_interest(interest);
        return 0;
    default:
        return -EINVAL;
    }
}

static bool may_be_exclusive(int operation, const struct file *target, uint32_t others)
{
    return operation == EPOLL_CTL_ADD && target->operations != &epoll_operations && !(others & ~BESIDE_EXCLUSIVE);
}

int epoll_control(struct file *file, int operation, int descriptor, struct file *target,
                  const struct epoll_event *event)
{
    struct epoll *epoll = epoll_of(file);
    if (!epoll || target == file)
        return -EINVAL;
    if (!target->operations->poll)
        return -EPERM;
    bool exclusive = operation != EPOLL_CTL_DEL && event->events & EPOLLEXCLUSIVE;
    if (exclusive && !may_be_exclusive(operation, target, event->events & ~EPOLLEXCLUSIVE))
        return -EINVAL;
    mutex_lock(&control);
    int error = control_locked(epoll, operation, descriptor, target, event);
    mutex_unlock(&control);
    return error;
}

/* False when none is left. */
static bool forget_some(struct file *file)
{
    mutex_lock(&control);
    for (unsigned i = 0; i < INTERESTS_AT_ONCE && !list_empty(&file->watchers); i++)
        remove_interest(list_entry(file->watchers.next, struct interest, watcher_link));
    bool more = !list_empty(&file->watchers);
    mutex_unlock(&control);
    return more;
}

void epoll_forget(struct file *file)
{
    if (list_empty(&file->watchers))
        return;
    while (forget_some(file))
        give_way();
}

/* ---- Waiting ---- */

/* Asks one ready file what it has. True: *out was filled. */
static bool report(struct interest *interest, struct epoll_event *out)
{
    uint32_t modes = interest->events & MODES;
    (void)wait_chosen(&interest->waiter);
    uint32_t events = file_poll(interest->file) & wanted(interest);
    if (!events)
        return false;
    *out = (struct epoll_event){ events, interest->data };
    if (modes & EPOLLONESHOT)
        write_once(interest->events, modes);
    else if (!(modes & EPOLLET))
        make_ready(interest); /* level-triggered: asked again next time */
    return true;
}

/* Room for `wanted` events, or for a few if there is no memory for more. */
static unsigned make_room(struct epoll_events *events, unsigned wanted)
{
    events->list = events->few;
    if (wanted <= EPOLL_FEW)
        return wanted;
    failing_spare(); /* a program that failing=calls runs would notice that it gets fewer */
    struct epoll_event *many = heap_allocate_at(wanted * sizeof(*many), PAGES_NEEDED);
    failing_spare_end();
    if (!many)
        return EPOLL_FEW;
    events->list = many;
    return wanted;
}

void epoll_events_free(struct epoll_events *events)
{
    if (events->list != events->few)
        heap_free(events->list);
}

static int collect(struct epoll *epoll, struct epoll_events *out, unsigned limit)
{
    unsigned found = 0;
    mutex_lock(&epoll->mutex);
    unsigned left = count_ready(epoll), room = make_room(out, min_of(left, limit));
    /* Interests that report() puts back come after the ones counted here. */
    for (; left && found < room; left--) {
        struct interest *interest = pop_ready(epoll);
        if (!interest)
            break;
        found += report(interest, &out->list[found]);
        give_way();
    }
    mutex_unlock(&epoll->mutex);
    if (!found)
        epoll_events_free(out);
    else if (count_ready(epoll))
        wake_exclusive(&epoll->queue, POLLIN);
    return (int)found;
}

int epoll_wait(struct file *file, struct epoll_events *out, unsigned limit, nanoseconds deadline)
{
    struct epoll *epoll = epoll_of(file);
    if (!epoll)
        return -EINVAL;
    for (;;) {
        int found = collect(epoll, out, limit);
        if (found)
            return found;
        int error = wait_until_exclusive(&epoll->queue, POLLIN, count_ready(epoll), deadline, SLEEP_INTERRUPTIBLE);
        if (error)
            return error == -ETIMEDOUT ? 0 : error;
    }
}

/* ---- The file ---- */

static unsigned poll_epoll(struct file *file) { return count_ready(file->private) ? POLLIN : 0; }

static struct wait_queue *epoll_queue(struct file *file)
{
    struct epoll *epoll = file->private;
    return &epoll->queue;
}

/* False when none is left. */
static bool remove_some(struct epoll *epoll)
{
    struct tree_node *node = NULL;
    mutex_lock(&control);
    for (unsigned i = 0; i < INTERESTS_AT_ONCE && (node = tree_first(&epoll->interests)); i++)
        remove_interest(tree_entry(node, struct interest, node));
    mutex_unlock(&control);
    return node;
}

static void release_epoll(struct file *file)
{
    struct epoll *epoll = file->private;
    while (remove_some(epoll))
        give_way();
    heap_free(epoll);
}

static const struct file_operations epoll_operations = {
    .poll = poll_epoll,
    .queue = epoll_queue,
    .release = release_epoll,
};

struct file *epoll_create(uint32_t flags)
{
    struct epoll *epoll = heap_allocate_zeroed(sizeof(*epoll));
    if (!epoll)
        return NULL;
    mutex_init(&epoll->mutex, LOCK_EPOLL_INSTANCE);
    tree_init(&epoll->interests, before);
    spinlock_init(&epoll->lock, LOCK_EPOLL);
    list_init(&epoll->ready);
    wait_queue_init(&epoll->queue);
    epoll->file = file_create(&epoll_operations, O_RDWR | flags, epoll);
    struct file *file = epoll->file;
    if (!file)
        heap_free(epoll);
    return file;
}

#include "files/epoll.h"
#include "files/file.h"
#include "lib/errno.h"
#include "lib/heap.h"
#include "lib/lock.h"
#include "lib/tree.h"

#define NESTING_LIMIT 5              /* instances watching instances, epoll_ctl(2) ELOOP */
#define ALWAYS (POLL_ERROR | POLL_HANGUP)
#define MODES (EPOLL_EDGE_TRIGGERED | EPOLL_ONE_SHOT | EPOLL_WAKE_UP | EPOLL_EXCLUSIVE)

struct epoll {
    struct mutex mutex;
    struct tree interests;           /* epoll control; by descriptor and file */
    struct spinlock lock;
    struct list ready;               /* lock */
    struct wait_queue queue;
};

struct interest {
    struct tree_node node;           /* epoll control */
    struct list watcher_link;        /* epoll control: file->watchers */
    struct epoll *epoll;
    struct file *file;               /* no reference: goes when the file goes */
    int descriptor;
    struct waiter waiter;            /* on the file's queue */
    struct list ready_link;          /* epoll->lock */
    bool ready;                      /* epoll->lock */
    uint32_t events;                 /* what is waited for; MODES only: disarmed. One word, read by callbacks */
    uint64_t data;                   /* epoll->mutex */
};

static struct mutex control = {
    .lock = SPINLOCK("epoll control"), .waiters = LIST_INIT(control.waiters), .name = "epoll control",
};

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
    }
    spin_unlock(&epoll->lock);
}

static struct interest *pop_ready(struct epoll *epoll)
{
    spin_lock(&epoll->lock);
    struct list *node = list_pop_front(&epoll->ready);
    struct interest *interest = node ? list_entry(node, struct interest, ready_link) : NULL;
    if (interest)
        interest->ready = false;
    spin_unlock(&epoll->lock);
    return interest;
}

static bool any_ready(struct epoll *epoll)
{
    spin_lock(&epoll->lock);
    bool any = !list_empty(&epoll->ready);
    spin_unlock(&epoll->lock);
    return any;
}

static uint32_t wanted(const struct interest *interest)
{
    uint32_t events = read_once(interest->events) & ~MODES;
    return events ? events | ALWAYS : 0;
}

/* The watched file's queue is being woken. */
static void watched(struct waiter *waiter, unsigned events)
{
    struct interest *interest = container_of(waiter, struct interest, waiter);
    uint32_t mask = wanted(interest);
    if (!mask || (events && !(events & mask)))
        return;
    make_ready(interest);
    wake(&interest->epoll->queue, POLL_IN);
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
    struct epoll *epoll = interest->epoll;
    mutex_lock(&epoll->mutex);
    wait_remove(&interest->waiter);
    make_unready(interest);
    tree_remove(&epoll->interests, &interest->node);
    list_remove(&interest->watcher_link);
    mutex_unlock(&epoll->mutex);
    heap_free(interest);
}

/* Looks at the file as it is now; events that came before the interest count too. */
static void check_now(struct interest *interest)
{
    if (!(file_poll(interest->file) & wanted(interest)))
        return;
    make_ready(interest);
    wake(&interest->epoll->queue, POLL_IN);
}

/* True if `target` can be reached from `from` by at most `depth` steps, or that many do not suffice to tell. */
static bool reaches(struct epoll *from, const struct epoll *target, unsigned depth)
{
    if (from == target || depth == 0)
        return true;
    for (struct tree_node *node = tree_first(&from->interests); node; node = tree_next(node)) {
        struct epoll *next = epoll_of(tree_entry(node, struct interest, node)->file);
        if (next && reaches(next, target, depth - 1))
            return true;
    }
    return false;
}

static int add(struct epoll *epoll, int descriptor, struct file *file, const struct epoll_event *event)
{
    struct epoll *nested = epoll_of(file);
    if (nested && reaches(nested, epoll, NESTING_LIMIT))
        return -ELOOP;
    struct interest *interest = heap_allocate_zeroed(sizeof(*interest));
    if (!interest)
        return -ENOMEM;
    interest->epoll = epoll;
    interest->file = file;
    interest->descriptor = descriptor;
    interest->events = event->events;
    interest->data = event->data;
    list_init(&interest->ready_link);
    waiter_init_callback(&interest->waiter, watched);
    mutex_lock(&epoll->mutex);
    tree_insert(&epoll->interests, &interest->node);
    list_push_back(&file->watchers, &interest->watcher_link);
    struct wait_queue *queue = file->operations->queue ? file->operations->queue(file) : NULL;
    if (queue)
        wait_add(queue, &interest->waiter);
    check_now(interest);
    mutex_unlock(&epoll->mutex);
    return 0;
}

static int modify(struct interest *interest, const struct epoll_event *event)
{
    if (interest->events & EPOLL_EXCLUSIVE || event->events & EPOLL_EXCLUSIVE)
        return -EINVAL;
    mutex_lock(&interest->epoll->mutex);
    interest->data = event->data;
    write_once(interest->events, event->events);
    check_now(interest);
    mutex_unlock(&interest->epoll->mutex);
    return 0;
}

static int control_locked(struct epoll *epoll, int operation, int descriptor, struct file *file,
                          const struct epoll_event *event)
{
    struct interest *interest = find(epoll, descriptor, file);
    switch (operation) {
    case EPOLL_ADD:
        return interest ? -EEXIST : add(epoll, descriptor, file, event);
    case EPOLL_MODIFY:
        return interest ? modify(interest, event) : -ENOENT;
    case EPOLL_DELETE:
        if (!interest)
            return -ENOENT;
        remove_interest(interest);
        return 0;
    default:
        return -EINVAL;
    }
}

int epoll_control(struct file *file, int operation, int descriptor, struct file *target,
                  const struct epoll_event *event)
{
    struct epoll *epoll = epoll_of(file);
    if (!epoll || target == file)
        return -EINVAL;
    if (!target->operations->poll)
        return -EPERM;
    mutex_lock(&control);
    int error = control_locked(epoll, operation, descriptor, target, event);
    mutex_unlock(&control);
    return error;
}

void epoll_forget(struct file *file)
{
    if (list_empty(&file->watchers))
        return;
    mutex_lock(&control);
    list_for_each_safe(node, &file->watchers)
        remove_interest(list_entry(node, struct interest, watcher_link));
    mutex_unlock(&control);
}

/* ---- Waiting ---- */

/* Asks one ready file what it has. True: *out was filled. */
static bool report(struct interest *interest, struct epoll_event *out)
{
    uint32_t modes = interest->events & MODES;
    uint32_t events = file_poll(interest->file) & wanted(interest);
    if (!events)
        return false;
    *out = (struct epoll_event){ events, interest->data };
    if (modes & EPOLL_ONE_SHOT)
        write_once(interest->events, modes);
    else if (!(modes & EPOLL_EDGE_TRIGGERED))
        make_ready(interest);        /* level-triggered: asked again next time */
    return true;
}

static unsigned count_ready(struct epoll *epoll)
{
    unsigned count = 0;
    spin_lock(&epoll->lock);
    list_for_each(node, &epoll->ready)
        count++;
    spin_unlock(&epoll->lock);
    return count;
}

static int collect(struct epoll *epoll, struct epoll_event *out, unsigned limit)
{
    unsigned found = 0;
    mutex_lock(&epoll->mutex);
    /* Those that report() puts back come behind the ones counted here. */
    for (unsigned left = count_ready(epoll); left && found < limit; left--) {
        struct interest *interest = pop_ready(epoll);
        if (!interest)
            break;
        found += report(interest, &out[found]);
    }
    mutex_unlock(&epoll->mutex);
    return (int)found;
}

int epoll_wait(struct file *file, struct epoll_event *out, unsigned limit, nanoseconds deadline)
{
    struct epoll *epoll = epoll_of(file);
    if (!epoll)
        return -EINVAL;
    for (;;) {
        int found = collect(epoll, out, limit);
        if (found)
            return found;
        int error = wait_until(&epoll->queue, any_ready(epoll), deadline, SLEEP_KILLABLE_BY_SIGNAL);
        if (error)
            return error == -ETIMEDOUT ? 0 : error;
    }
}

/* ---- The file ---- */

static unsigned poll_epoll(struct file *file) { return any_ready(file->private) ? POLL_IN : 0; }

static struct wait_queue *epoll_queue(struct file *file)
{
    struct epoll *epoll = file->private;
    return &epoll->queue;
}

static void release_epoll(struct file *file)
{
    struct epoll *epoll = file->private;
    mutex_lock(&control);
    struct tree_node *node;
    while ((node = tree_first(&epoll->interests)))
        remove_interest(tree_entry(node, struct interest, node));
    mutex_unlock(&control);
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
    mutex_init(&epoll->mutex, "epoll instance");
    tree_init(&epoll->interests, before);
    spinlock_init(&epoll->lock, "epoll");
    list_init(&epoll->ready);
    wait_queue_init(&epoll->queue);
    struct file *file = file_create(&epoll_operations, O_RDWR | flags, epoll);
    if (!file)
        heap_free(epoll);
    return file;
}

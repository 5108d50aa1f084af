/* SPDX-License-Identifier: Apache-2.0 */
#include "net/name_servers.h"

#include "platform/platform.h"
#include "threads/thread.h"

static struct {
    struct ip_address address;
    nanoseconds valid_until;
} servers[NET_MAX_DNS]; /* net lock; a row whose time is over is free */
static struct wait_queue queue = WAIT_QUEUE(queue);
static bool others; /* they have changed: set under the net lock */
static void (*notify)(void);

void name_servers_heard(struct ip_address address, nanoseconds valid_until)
{
    must_hold_net();
    nanoseconds now = net_now();
    unsigned free = NET_MAX_DNS, known = NET_MAX_DNS;
    for (unsigned i = NET_MAX_DNS; i-- > 0;) {
        if (servers[i].valid_until <= now)
            free = i;
        else if (ip_same(servers[i].address, address))
            known = i;
    }
    bool lasts = valid_until > now;
    unsigned place = known < NET_MAX_DNS ? known : lasts ? free : NET_MAX_DNS;
    if (place == NET_MAX_DNS)
        return;
    servers[place].address = address;
    servers[place].valid_until = valid_until;
    if (lasts == (known < NET_MAX_DNS))
        return;
    write_once(others, true);
    wake(&queue, 0);
}

unsigned name_servers_current(struct ip_address out[NET_MAX_DNS])
{
    unsigned count = 0;
    net_lock();
    for (unsigned i = 0; i < NET_MAX_DNS; i++)
        if (servers[i].valid_until > net_now())
            out[count++] = servers[i].address;
    net_unlock();
    return count;
}

/* When the first of them is over. */
static nanoseconds next_end(void)
{
    nanoseconds next = NO_DEADLINE;
    net_lock();
    for (unsigned i = 0; i < NET_MAX_DNS; i++)
        if (servers[i].valid_until > net_now())
            next = min_of(next, servers[i].valid_until);
    net_unlock();
    return next;
}

static void run(void *unused)
{
    (void)unused;
    for (;;) {
        nanoseconds end = next_end();
        (void)wait_until(&queue, read_once(others), end, SLEEP_UNINTERRUPTIBLE);
        write_once(others, false);
        notify();
    }
}

void name_servers_start(void (*changed)(void))
{
    notify = changed;
    thread_start_kernel("name servers", run, NULL);
}

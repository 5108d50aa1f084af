/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which connections are dropped when peers make the stack hold too much memory (net.h has the levels).
 *
 * Each connection is charged for what it truly holds: itself, the packets it has received, the pages it is sending. As
 * long as memory is short a timer looks at all of them. A peer that reads slowly, keeps its window shut or never fills
 * a hole causes old data to be held, and old data is what counts: its age, then what the peer's address holds in all,
 * then what the connection holds. The worst are reset first, and no more of them than needed:
 *
 *   memory full          connections with data older than a second, until there is room again
 *   memory under pressure   connections with data older than half a minute; and peers that have been silent for long
 * are
 *                        asked whether they are still there, and given up when they do not answer
 *
 * Established connections stop taking data when memory is full, but the last part of the budget is kept for new ones,
 * so an attacker who holds all the rest keeps other hosts out only until the timer has done its work. Net lock.
 */
#include "core/log.h"
#include "core/random.h"
#include "lib/errno.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "net/tcp_private.h"

#define PERIOD (250 * NS_PER_MS)
#define STALE_WHEN_FULL 1000u /* ms */
#define STALE_UNDER_PRESSURE 30000u
#define VICTIMS 64u                   /* for each look; more than an attacker opens in that time */
#define SOURCES 256u                  /* addresses beyond that share an account, by a keyed hash */
#define SILENCE (120 * NS_PER_SECOND) /* after which a peer is asked whether it is there */
#define SILENT_PROBES 3u
#define PROBE_INTERVAL (10 * NS_PER_SECOND)
#define LOG_INTERVAL (60 * NS_PER_SECOND)

struct victim {
    struct tcp *tcp;
    uint64_t score;
};

static struct timer timer;
static struct hash_key source_key;
static uint64_t held_by_source[SOURCES];
static struct victim victims[VICTIMS]; /* the worst first */
static unsigned victim_count;
static uint32_t stale_after; /* ms */
static nanoseconds last_logged;

static struct tcp *connection_of(struct tcp_entry *entry)
{
    return entry->kind == TCP_ENTRY_CONNECTION ? container_of(entry, struct tcp, entry) : NULL;
}

static uint64_t *account_of(const struct tcp *tcp)
{
    struct ip_address address = tcp->entry.remote.address;
    return &held_by_source[siphash13(&source_key, &address, sizeof(address)) % SOURCES];
}

/* The age of the oldest data that the peer or the application should have taken, in ms; 0: there is none. */
static uint32_t oldest_data(const struct tcp *tcp)
{
    uint32_t now = tcp_clock_ms(), age = 0;
    uint32_t since;
    if (tcp_queue_oldest(tcp, &since))
        age = now - since;
    if (!list_empty(&tcp->received))
        age = max_of(age, now - tcp_piece(list_entry(tcp->received.next, struct packet, link))->arrived);
    if (tcp_out_of_order_oldest(tcp, &since))
        age = max_of(age, now - since);
    return age;
}

static uint32_t data_held(const struct tcp *tcp) { return tcp->received_memory + tcp->send_memory; }

static void add_to_account(struct tcp_entry *entry, void *context)
{
    struct tcp *tcp = connection_of(entry);
    (void)context;
    if (tcp)
        *account_of(tcp) += data_held(tcp);
}

/* Ages that differ by less than a factor of two are the same, or a little more time would outweigh all memory. */
static uint64_t score_of(const struct tcp *tcp, uint32_t age)
{
    uint64_t age_class = 63u - (unsigned)__builtin_clzll(age);
    uint64_t source = min_of(*account_of(tcp) / 4096, (1UL << 28) - 1);
    uint64_t own = min_of((uint64_t)data_held(tcp) / 64, (1UL << 28) - 1);
    return age_class << 56 | source << 28 | own;
}

static void note_victim(struct tcp *tcp, uint64_t score)
{
    unsigned at = victim_count;
    if (at == VICTIMS && victims[at - 1].score >= score)
        return;
    if (at == VICTIMS)
        at--;
    else
        victim_count++;
    for (; at > 0 && victims[at - 1].score < score; at--)
        victims[at] = victims[at - 1];
    victims[at] = (struct victim){ tcp, score };
}

static void ask_whether_there(struct tcp *tcp)
{
    nanoseconds now = net_now();
    bool open = tcp->state == TCP_ESTABLISHED || tcp->state == TCP_CLOSE_WAIT;
    if (!open || now - max_of(tcp->last_received, tcp->last_sent) < (tcp->probes == 0 ? SILENCE : PROBE_INTERVAL))
        return;
    if (tcp->probes >= SILENT_PROBES) {
        tcp_abort(tcp, ETIMEDOUT);
        return;
    }
    tcp->probes++;
    tcp_send_probe(tcp);
}

static void examine(struct tcp_entry *entry, void *context)
{
    struct tcp *tcp = connection_of(entry);
    (void)context;
    if (!tcp || tcp->being_read)
        return;
    uint32_t age = oldest_data(tcp);
    if (age >= stale_after)
        note_victim(tcp, score_of(tcp, age));
    else if (age == 0 && tcp->send_next == tcp->send_unacknowledged)
        ask_whether_there(tcp);
}

static void log_victims(unsigned count, uint64_t freed, struct ip_address worst)
{
    char address[IP_TEXT];
    nanoseconds now = net_now();
    if (last_logged != 0 && now - last_logged < LOG_INTERVAL)
        return;
    last_logged = now;
    log_error("network memory is low: reset %u connections that held %lu KiB without progress, the worst from %s; give "
              "the machine more memory, or keep that peer out, if this continues",
              count, (unsigned long)(freed >> 10), ip_format(address, worst));
}

static void drop_victims(uint64_t target)
{
    uint64_t before = net_memory_charged();
    unsigned count = 0;
    struct ip_address worst = victim_count > 0 ? victims[0].tcp->entry.remote.address : (struct ip_address){ 0 };
    while (count < victim_count && net_memory_charged() > target) {
        struct tcp *tcp = tcp_get(victims[count++].tcp);
        tcp_abort(tcp, ECONNRESET);
        tcp_free_received(tcp);
        tcp_put(tcp);
    }
    if (count > 0)
        log_victims(count, before - net_memory_charged(), worst);
}

static void look(struct timer *expired)
{
    net_lock();
    bool full = net_memory() == NET_MEMORY_FULL;
    stale_after = full ? STALE_WHEN_FULL : STALE_UNDER_PRESSURE;
    victim_count = 0;
    memset(held_by_source, 0, sizeof(held_by_source));
    tcp_table_for_each(add_to_account, NULL);
    tcp_table_for_each(examine, NULL);
    drop_victims(net_memory_limit(NET_MEMORY_PRESSURE));
    if (net_memory() != NET_MEMORY_PLENTY)
        timer_start(expired, net_now() + PERIOD);
    net_unlock();
}

void tcp_memory_init(void)
{
    timer_init(&timer, look);
    random_bytes(&source_key, sizeof(source_key));
}

void tcp_memory_charge(uint32_t bytes)
{
    must_hold_net();
    net_charge(bytes);
    if (net_memory() != NET_MEMORY_PLENTY && !timer.active)
        timer_start(&timer, net_now() + PERIOD);
}

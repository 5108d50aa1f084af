/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The watch over a NIC, and its recovery. The stack has a thread for it (drivers/device.h: service), since a reset and
 * the commands after it take longer than an interrupt handler may. The network device stays while the NIC is reset; it
 * is not running meanwhile, what is sent is dropped, and connections live on by what they send again.
 *
 * Faults are noted where they are found (ena_fault()). There is at most one reset in RESET_INTERVAL, and a NIC that
 * does not come up is tried again every RETRY_INTERVAL, for ever. Locks are those of pairs and events; none is held
 * while the NIC is waited for.
 */
#include "core/log.h"
#include "drivers/ena/nic.h"
#include "lib/errno.h"
#include "platform/platform.h"

#define WATCH_INTERVAL NS_PER_SECOND
#define REFILL_INTERVAL (10 * NS_PER_MS) /* while memory lacks for buffers */
#define RESET_INTERVAL NS_PER_SECOND
#define RETRY_INTERVAL (10 * NS_PER_SECOND)
#define REPORTS_MAX 16 /* resets that are logged */

/* Where the NIC hints at nothing else: amzn-drivers' ena_netdev.h. */
#define KEEP_ALIVE_TIME (6 * NS_PER_SECOND)
#define SENT_TIME (5 * NS_PER_SECOND)
#define SENT_MISSING_MAX 128
#define STALLED_MAX 3 /* looks in a row at which an interrupt is missing */

/* ---- The watch ---- */

static bool keep_alive_lost(struct ena_nic *nic, nanoseconds now)
{
    bool watched = nic->limits.events & 1u << ENA_EVENT_KEEP_ALIVE && nic->hints.keep_alive != ENA_NEVER;
    return watched && now - nic->events.alive_at > ena_hint_time(nic->hints.keep_alive, KEEP_ALIVE_TIME);
}

static bool status_bad(struct ena_nic *nic)
{
    uint32_t status = ena_read(nic, ENA_STATUS);
    return status == ENA_GONE || status & ENA_STATUS_FATAL;
}

static bool sent_missing(const struct ena_nic *nic, const struct ena_pair *pair, nanoseconds now)
{
    nanoseconds patience = ena_hint_time(nic->hints.sent, SENT_TIME);
    unsigned most = nic->hints.sent_missing != 0 ? nic->hints.sent_missing : SENT_MISSING_MAX;
    unsigned late = now > patience ? ena_sent_before(pair, now - patience) : 0;
    /* A ring that is full may hold fewer, and nothing more is sent then. */
    return nic->hints.sent != ENA_NEVER && (late > most || (pair->send.full && late > 0));
}

/* Completions wait, and no interrupt has come since the last look. While a thread polls there is none. */
static bool interrupt_missing(const struct network_device *network, struct ena_pair *pair)
{
    bool missing = !network->polled && !network->crowded && pair->interrupts == pair->watched &&
                   (ena_send_pending(pair) || ena_receive_pending(pair));
    pair->watched = pair->interrupts;
    pair->stalled = missing ? pair->stalled + 1 : 0;
    return pair->stalled >= STALLED_MAX;
}

static enum ena_reason look_at_pair(struct ena_nic *nic, struct ena_pair *pair, nanoseconds now)
{
    enum ena_reason reason = ENA_NORMAL;
    spin_lock(&pair->lock);
    if (pair->up && sent_missing(nic, pair, now))
        reason = ENA_SENT_MISSING;
    else if (pair->up && interrupt_missing(&nic->network, pair))
        reason = ENA_INTERRUPT_MISSING;
    spin_unlock(&pair->lock);
    return reason;
}

static enum ena_reason look(struct ena_nic *nic)
{
    nanoseconds now = clock_monotonic();
    if (keep_alive_lost(nic, now))
        return ENA_KEEP_ALIVE_LOST;
    if (status_bad(nic))
        return ENA_GENERIC;
    for (unsigned i = 0; i < nic->pair_count; i++) {
        enum ena_reason reason = look_at_pair(nic, &nic->pairs[i], now);
        if (reason != ENA_NORMAL)
            return reason;
    }
    return ENA_NORMAL;
}

static void watch(struct ena_nic *nic)
{
    nanoseconds now = clock_monotonic();
    if (now < nic->watch_at)
        return;
    nic->watch_at = now + WATCH_INTERVAL;
    enum ena_reason reason = look(nic);
    if (reason != ENA_NORMAL)
        ena_fault(nic, reason);
}

/* A ring that is empty raises no interrupt. False: memory lacks for some buffers. */
static bool refill(struct ena_nic *nic)
{
    bool full = true;
    for (unsigned i = 0; i < nic->pair_count; i++) {
        struct ena_pair *pair = &nic->pairs[i];
        spin_lock(&pair->lock);
        if (pair->up && !ena_receive_fill(pair))
            full = false;
        spin_unlock(&pair->lock);
    }
    return full;
}

/* ---- Recovery ---- */

/* The stack sends what has waited, and it is dropped. */
static void take_down(struct ena_nic *nic)
{
    bool waited = false;
    nic->up = false;
    for (unsigned i = 0; i < nic->pair_count; i++) {
        struct ena_pair *pair = &nic->pairs[i];
        spin_lock(&pair->lock);
        pair->up = false;
        waited |= pair->send.full;
        pair->send.full = false;
        spin_unlock(&pair->lock);
    }
    ena_events_stop(nic);
    ena_link_changed(nic);
    if (waited && nic->network.transmit_ready)
        nic->network.transmit_ready(&nic->network);
}

static bool worth_reporting(struct ena_nic *nic) { return nic->failures == 0 && nic->reports < REPORTS_MAX; }

static void recover(struct ena_nic *nic)
{
    enum ena_reason reason = nic->fault != ENA_NORMAL ? nic->fault : ENA_START_FAILED;
    bool report = worth_reporting(nic);
    if (report) {
        nic->reports++;
        log_error("%s: the NIC is reset, for reason %u%s", nic->network.name, reason,
                  nic->reports == REPORTS_MAX ? "; further resets are not logged" : "");
    }
    int error = ena_bring_up(nic, reason, false);
    nic->retry_at = clock_monotonic() + (error == 0 ? RESET_INTERVAL : RETRY_INTERVAL);
    if (error == 0) {
        nic->failures = 0;
        nic->watch_at = clock_monotonic() + WATCH_INTERVAL;
        ena_events_take(nic);
        return;
    }
    ena_events_stop(nic);
    if (report)
        log_error("%s: the NIC does not come up again: %s; it is tried every %lu s. See the instance's status checks",
                  nic->network.name, errno_name(error), RETRY_INTERVAL / NS_PER_SECOND);
    nic->failures++;
}

nanoseconds ena_service(struct network_device *network, void (*rest)(void))
{
    struct ena_nic *nic = container_of(network, struct ena_nic, network);
    nic->rest = rest;
    ena_events_take(nic);
    if (nic->up && nic->fault == ENA_NORMAL)
        watch(nic);
    if (nic->up && nic->fault != ENA_NORMAL)
        take_down(nic);
    if (!nic->up && clock_monotonic() >= nic->retry_at)
        recover(nic);
    bool full = refill(nic);
    nic->rest = NULL;
    if (!nic->up)
        return nic->retry_at;
    return clock_monotonic() + (full ? WATCH_INTERVAL : REFILL_INTERVAL);
}

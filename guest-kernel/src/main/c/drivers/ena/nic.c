/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A NIC's interrupts, and what brings it up at the start and after a reset. Memory that the NIC was given is its own
 * until a reset has ended well; what it was to send is lost then, and its buffers are freed and made again. Interrupt
 * vectors, rings and mapped windows are kept for ever.
 *
 * Locks are those that nic.h names. Management and each pair have an interrupt. That of a pair is masked by the NIC
 * when it comes, and asked for again at the end of a round of reception, which also frees what was sent.
 */
#include "core/debug.h"
#include "drivers/ena/nic.h"

#include "platform/native/instructions.h"
#include "platform/native/interrupts.h"

/* Written to a queue's register: its interrupt is wanted; for packets that were sent after a delay, in the NIC's own
 * unit. */
#define UNMASK 0x40000000u
#define UNMASK_SENT_DELAY(units) ((units) << 15)
#define UNMASK_DELAY_MAX 0x7fffu

/* us. What is received is reported at once. That packets were sent is no news unless the stack waits for room: they are
 * freed with the next packet that comes or goes, or else after the time that Linux's driver takes. */
#define SENT_DELAY 64u

nanoseconds ena_hint_time(uint16_t milliseconds, nanoseconds usual)
{
    return milliseconds == 0 || milliseconds == ENA_NEVER ? usual : milliseconds * NS_PER_MS;
}

/* ---- Interrupts ---- */

/* With the lock, which it gives up in between. How many packets there were, counting those dropped. */
static unsigned receive_some(struct ena_pair *pair, unsigned most)
{
    must_hold(&pair->lock);
    unsigned received = 0;
    struct packet *packet;
    while (received < most && ena_receive(pair, &packet)) {
        received++;
        if (!packet)
            continue;
        spin_unlock(&pair->lock);
        network_device_received(&pair->nic->network, packet);
        spin_lock(&pair->lock);
    }
    if (pair->up)
        ena_notify(&pair->receive.submissions);
    return received;
}

/* With the lock. */
static void unmask(struct ena_pair *pair)
{
    must_hold(&pair->lock);
    unsigned unit = pair->nic->limits.moderation;
    uint32_t delay = unit != 0 && !pair->send.full ? min_of(SENT_DELAY / unit, UNMASK_DELAY_MAX) : 0;
    mmio_write32(pair->unmask, UNMASK | UNMASK_SENT_DELAY(delay));
}

/* Completions that come before the interrupt is unmasked may raise none, so they are looked for afterwards. Each turn
 * takes one at least; at most those of packets under way and `most` packets. It is still due if there were so many. */
static unsigned serve(struct network_device *network, unsigned number, unsigned most, bool *ready)
{
    struct ena_pair *pair = &container_of(network, struct ena_nic, network)->pairs[number];
    unsigned received = 0;
    if (!pair->due)
        return 0;
    spin_lock(&pair->lock);
    do {
        *ready |= ena_reclaim(pair);
        received += receive_some(pair, most - received);
        pair->due = received == most;
        if (!pair->due && pair->up)
            unmask(pair);
    } while (!pair->due && pair->up && (ena_send_pending(pair) || ena_receive_pending(pair)));
    spin_unlock(&pair->lock);
    return received;
}

bool ena_receive_round(struct network_device *network)
{
    struct ena_nic *nic = container_of(network, struct ena_nic, network);
    return network_device_round(network, nic->pair_count, &nic->turn, serve);
}

static void handle_interrupt(void *context)
{
    struct ena_pair *pair = context;
    spin_lock(&pair->lock);
    pair->interrupts++;
    pair->due = true;
    spin_unlock(&pair->lock);
    if (pair->nic->up)
        network_device_interrupt(&pair->nic->network);
}

void ena_fault(struct ena_nic *nic, enum ena_reason reason)
{
    if (nic->fault == ENA_NORMAL)
        nic->fault = reason;
    if (nic->network.want_service)
        nic->network.want_service(&nic->network);
}

void ena_link_changed(struct ena_nic *nic)
{
    struct network_device *network = &nic->network;
    bool running = nic->up && nic->events.link;
    if (network->running == running)
        return;
    network->running = running;
    if (network->link_changed)
        network->link_changed(network);
}

/* ---- Bringing it up ---- */

static int connect_interrupt(struct ena_nic *nic, unsigned entry, interrupt_handler *handler, void *context)
{
    if (nic->vectors[entry] == 0) {
        int vector = interrupt_allocate(handler, context);
        if (vector < 0)
            return vector;
        nic->vectors[entry] = (unsigned)vector;
    }
    return pci_msix_set(&nic->function, entry, nic->vectors[entry]);
}

static int connect_interrupts(struct ena_nic *nic)
{
    int error = connect_interrupt(nic, 0, ena_events_interrupt, nic);
    for (unsigned i = 0; i < nic->pair_count && error == 0; i++)
        error = connect_interrupt(nic, 1 + i, handle_interrupt, &nic->pairs[i]);
    if (error != 0)
        return error;
    nic->spread.function = &nic->function;
    nic->spread.first = 1;
    nic->spread.count = nic->pair_count;
    nic->spread.vectors = &nic->vectors[1];
    pci_spread_route(&nic->spread);
    ena_write(nic, ENA_INTERRUPT_MASK, 0);
    ena_events_open(nic);
    return 0;
}

/* Nothing that the NIC was given is its own any more. */
static void forget_queues(struct ena_nic *nic)
{
    for (unsigned i = 0; i < nic->pair_count; i++) {
        struct ena_pair *pair = &nic->pairs[i];
        ena_pair_forget(pair);
        ena_send_forget(pair);
        ena_receive_forget(pair);
    }
}

static void start_pair(struct ena_pair *pair)
{
    spin_lock(&pair->lock);
    ena_send_start(pair);
    ena_receive_start(pair);
    (void)ena_receive_fill(pair); /* service() looks after what is missing */
    pair->up = true;
    pair->stalled = 0;
    unmask(pair);
    spin_unlock(&pair->lock);
}

static int begin(struct ena_nic *nic, enum ena_reason reason)
{
    ena_write_read_answer(nic);
    int error = ena_reset(nic, reason);
    if (error != 0)
        return error;
    nic->fault = ENA_NORMAL;
    forget_queues(nic);
    error = ena_check_versions(nic);
    return error == 0 ? ena_admin_start(nic) : error;
}

int ena_bring_up(struct ena_nic *nic, enum ena_reason reason, bool first)
{
    int error = begin(nic, reason);
    if (error != 0)
        return error;
    ena_events_start(nic);
    ena_write(nic, ENA_INTERRUPT_MASK, 1);
    error = ena_features_settle(nic, first);
    if (error == 0 && first)
        error = ena_pairs_init(nic);
    if (error == 0)
        error = connect_interrupts(nic);
    if (error == 0)
        error = ena_pairs_create(nic);
    if (error == 0)
        error = ena_spread_set(nic);
    if (error == 0)
        error = ena_features_set_mtu(nic);
    if (error != 0)
        return error;
    for (unsigned i = 0; i < nic->pair_count; i++)
        start_pair(&nic->pairs[i]);
    nic->up = true;
    return 0;
}

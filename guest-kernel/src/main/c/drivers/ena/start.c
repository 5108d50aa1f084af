/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding a NIC, its windows and its memory, announcing it, and stopping it at the end of the machine. Runs on the
 * boot CPU while devices are started, without locks, and at the end when no other thread runs. A NIC that does not
 * come up is reset once more and kept from memory; only if that reset ends well is what it was given freed.
 */
#include "drivers/ena/ena.h"

#include "core/heap.h"
#include "core/log.h"
#include "core/pages.h"
#include "drivers/ena/nic.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "platform/native/native.h"

#define VENDOR_AMAZON 0x1d0f
#define REVISION 0x08 /* in configuration space */
#define REVISION_READS_DIRECTLY 0x01

/* Base address registers. */
#define WINDOW_REGISTERS 0
#define WINDOW_MEMORY 2
#define WINDOW_MAX (16UL << 20)

/* That there is a link is said soon after the start; the first packet of DHCP should not be lost. */
#define LINK_PATIENCE (500 * NS_PER_MS)

static unsigned nics;
static struct list all = LIST_INIT(all);

static void map_window(struct ena_nic *nic, unsigned index, struct ena_window *window)
{
    uint64_t length;
    phys_t address = pci_whole_window(&nic->function, index, &length);
    if (address == 0 || length < PAGE_SIZE)
        return;
    window->length = min_of(length, WINDOW_MAX);
    window->base = mmio_map(address, window->length);
}

static int open_nic(struct ena_nic *nic)
{
    pci_enable(&nic->function);
    nic->reads_directly = pci_read8(&nic->function, REVISION) & REVISION_READS_DIRECTLY;
    map_window(nic, WINDOW_REGISTERS, &nic->registers);
    map_window(nic, WINDOW_MEMORY, &nic->memory);
    if (!nic->registers.base)
        return -ENODEV;
    int error = pci_msix_enable(&nic->function);
    if (error != 0)
        return error;
    nic->pair_count = min_of(min_of(nic->function.msix_vectors - 1, ENA_PAIRS), platform.cpus);
    return nic->pair_count > 0 ? 0 : -ENOSPC;
}

static void *zeroed_page(void)
{
    struct page *page = device_page();
    return page ? page_data(page) : NULL;
}

static int make_memory(struct ena_nic *nic)
{
    nic->read_answer = zeroed_page();
    nic->host_page = zeroed_page();
    nic->spread_page = zeroed_page();
    nic->admin.commands = zeroed_page();
    nic->admin.answers = zeroed_page();
    nic->events.ring = zeroed_page();
    bool complete = nic->read_answer && nic->host_page && nic->spread_page && nic->admin.commands &&
                    nic->admin.answers && nic->events.ring;
    return complete ? 0 : -ENOMEM;
}

static void free_page(void *data)
{
    if (data)
        page_put(page_of(virt_to_phys(data)));
}

/* The structure stays, since interrupts refer to it. */
static void free_memory(struct ena_nic *nic)
{
    free_page(nic->read_answer);
    free_page(nic->host_page);
    free_page(nic->spread_page);
    free_page(nic->admin.commands);
    free_page(nic->admin.answers);
    free_page(nic->events.ring);
    for (unsigned i = 0; i < nic->pairs_made; i++)
        ena_pair_release(&nic->pairs[i]);
}

/* Whatever it was given is its own until a reset has ended well. */
static void close_nic(struct ena_nic *nic)
{
    ena_events_stop(nic);
    bool given = nic->read_answer && nic->registers.base;
    if (given)
        ena_write_read_answer(nic);
    bool stopped = !given || ena_reset(nic, ENA_START_FAILED) == 0;
    pci_disconnect(&nic->function);
    if (stopped)
        free_memory(nic);
}

static void announce(struct ena_nic *nic)
{
    struct network_device *network = &nic->network;
    const uint8_t *mac = network->mac;
    format(network->name, sizeof(network->name), "eth%u", nics++);
    network->transmit = ena_transmit;
    network->flush = ena_flush;
    network->receive_round = ena_receive_round;
    network->service = ena_service;
    list_push_back(&all, &nic->link);
    pci_spread_add(&nic->spread);
    network_device_add(network);
    log_info("%s: %02x:%02x:%02x:%02x:%02x:%02x, ENA at %02x:%02x.%u, pairs of queues: %u, packets %s", network->name,
             mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], nic->function.bus, nic->function.device,
             nic->function.function, nic->pair_count,
             nic->limits.push_entry_size != 0 ? "pushed" : "fetched from memory");
}

static void wait_link(struct ena_nic *nic)
{
    struct ena_wait wait = ena_wait_begin(LINK_PATIENCE);
    do
        ena_events_take(nic);
    while (!nic->network.running && ena_wait_more(nic, &wait));
}

static int start(struct ena_nic *nic)
{
    spinlock_init(&nic->events.lock, LOCK_NIC);
    int error = open_nic(nic);
    if (error == 0)
        error = make_memory(nic);
    if (error == 0)
        error = ena_bring_up(nic, ENA_NORMAL, true);
    if (error != 0) {
        close_nic(nic);
        return error;
    }
    announce(nic);
    wait_link(nic);
    return 0;
}

static bool is_ena(const struct pci_function *function)
{
    static const uint16_t ids[] = { 0xec20, 0xec21, 0x0ec2, 0x1ec2 };
    for (unsigned i = 0; i < array_size(ids); i++) {
        if (function->vendor == VENDOR_AMAZON && function->id == ids[i])
            return true;
    }
    return false;
}

bool ena_start(const struct pci_function *function)
{
    if (!is_ena(function))
        return false;
    struct ena_nic *nic = heap_allocate_zeroed(sizeof(*nic));
    int error = -ENOMEM;
    if (nic) {
        nic->function = *function;
        error = start(nic);
    }
    if (error != 0)
        log_error("ENA network card at %02x:%02x.%u does not start: %s", function->bus, function->device,
                  function->function, errno_name(error));
    return true;
}

/* ---- The end ---- */

void ena_shut_down(void)
{
    list_for_each (link, &all) {
        struct ena_nic *nic = list_entry(link, struct ena_nic, link);
        bool was_up = nic->up;
        nic->up = false;
        nic->rest = NULL;
        for (unsigned i = 0; i < nic->pair_count; i++)
            nic->pairs[i].up = false;
        if (was_up)
            ena_pairs_destroy(nic);
        if (!was_up || ena_reset(nic, ENA_SHUT_DOWN) != 0)
            pci_disconnect(&nic->function);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of interfaces: loopback at 0, then the devices in order of announcement. It is filled by interfaces_init()
 * and does not change afterwards, so it is read without a lock.
 *
 * Packets wait in four lists: `received` until the driver's round is over; loopback_queue and `looped`, for ourselves,
 * until interfaces_finish(), so that what is sent is never received in the middle of sending; and `waiting` while the
 * device is full, and only then.
 *
 * Called by ethernet.c, ip_output.c, net.c and code that looks for an interface; from below by drivers, in interrupt
 * context or by the thread "network". Net lock, but `received`, the account of time and `polled` belong to the receiver
 * of the device, of which there is one at a time.
 */
#include "net/interface.h"

#include "core/heap.h"
#include "core/log.h"
#include "core/random.h"
#include "lib/string.h"
#include "net/arp.h"
#include "net/capture.h"
#include "net/ethernet.h"
#include "net/ip.h"
#include "net/ip6.h"
#include "net/multicast_report.h"
#include "net/nd.h"
#include "net/neighbour.h"
#include "platform/platform.h"
#include "threads/thread.h"
#include "threads/wait.h"

#define RECEPTION_WINDOW (10 * NS_PER_MS) /* reception may have half of it in interrupt handlers */
#define LOOPBACK_MTU 65535                /* the largest IPv4 packet: nothing is segmented */

static struct interface *interfaces[INTERFACE_LIMIT];
static unsigned count;
static struct list loopback_queue = LIST_INIT(loopback_queue);
bool interfaces_unfinished;

/* ---- Receiving ----------------------------------------------------------------------------------------
 *
 * Packets are received by the interrupt handler, a round at a time. When a round was not enough, or when reception has
 * had half of the CPU's time lately, it goes on in a thread, which shares the CPU with the others; what the device has
 * no room for then is dropped before it has cost anything.
 */

static struct wait_queue polling;

static bool anything_polled(void)
{
    for (unsigned i = 1; i < count; i++)
        if (interfaces[i]->device->polled)
            return true;
    return false;
}

void interfaces_poll(void)
{
    for (unsigned i = 1; i < count; i++) {
        struct network_device *device = interfaces[i]->device;
        if (!device->polled)
            continue;
        device->polled = false; /* before, so that an interrupt that comes after the round is not lost */
        if (device->receive_round(device))
            device->polled = true;
    }
}

static void poll_devices(void *unused)
{
    (void)unused;
    for (;;) {
        (void)wait_until(&polling, anything_polled(), NO_DEADLINE, SLEEP_UNINTERRUPTIBLE);
        interfaces_poll();
        thread_yield();
    }
}

static void receive_more(struct network_device *device)
{
    device->polled = true;
    wake(&polling, 0);
}

/* Adds the time since reception began to what it had in this window. */
static void account_reception(struct interface *interface)
{
    nanoseconds now = clock_monotonic();
    if (now - interface->window_began >= RECEPTION_WINDOW) {
        interface->window_began = now;
        interface->window_used = 0;
    }
    interface->window_used += now - interface->reception_began;
    interface->device->crowded = interface->window_used > RECEPTION_WINDOW / 2;
}

static void receive(struct network_device *device, struct packet *packet)
{
    struct interface *interface = device->stack;
    if (list_empty(&interface->received))
        interface->reception_began = clock_monotonic();
    capture(packet);
    list_push_back(&interface->received, &packet->link);
}

static void receive_done(struct network_device *device)
{
    struct interface *interface = device->stack;
    random_event((uint32_t)interface->index);
    net_lock_since(list_empty(&interface->received) ? 0 : interface->reception_began);
    for (struct list *node; (node = list_pop_front(&interface->received));)
        ethernet_input(interface, list_entry(node, struct packet, link));
    net_unlock();
    account_reception(interface);
}

/* ---- Sending ------------------------------------------------------------------------------------------ */

static void give_to_device(struct interface *interface, struct packet *packet)
{
    struct network_device *device = interface->device;
    interface->flush_needed = interfaces_unfinished = true;
    capture(packet);
    interface->device_full = !device->transmit(device, packet);
}

static void transmit_ready(struct network_device *device)
{
    struct interface *interface = device->stack;
    net_lock();
    interface->device_full = false;
    while (!interface->device_full && !list_empty(&interface->waiting)) {
        struct packet *packet = list_entry(list_pop_front(&interface->waiting), struct packet, link);
        interface->waiting_count--;
        give_to_device(interface, packet);
    }
    net_unlock();
}

/* The NIC is connected again, perhaps to another switch: our neighbours' packets have to reach us there. That of a
 * machine that was restored may have another address. */
static void link_changed(struct network_device *device)
{
    struct interface *interface = device->stack;
    net_lock();
    memcpy(interface->mac, device->mac, sizeof(interface->mac));
    if (device->running && interface->configuration.address != IPV4_ANY)
        arp_announce(interface);
    if (device->running) {
        nd_announce(interface);
        multicast_report_again(interface, true);
        multicast_report_again(interface, false);
    }
    net_unlock();
}

static struct interface *add(const char *name, uint16_t mtu)
{
    struct interface *interface = heap_allocate_zeroed(sizeof(*interface));
    if (!interface)
        panic("no memory for network interface %s", name);
    string_copy(interface->name, name, sizeof(interface->name));
    interface->mtu = mtu;
    list_init(&interface->received);
    list_init(&interface->looped);
    list_init(&interface->waiting);
    interfaces[count++] = interface;
    interface->index = (int)count;
    return interface;
}

static void add_loopback(void)
{
    struct interface *interface = add("lo", LOOPBACK_MTU);
    interface->loopback = true;
    interface->configuration.address = IPV4_LOOPBACK;
    interface->configuration.prefix = 8;
}

static void add_device(struct network_device *device)
{
    struct interface *interface = add(device->name, device->mtu);
    memcpy(interface->mac, device->mac, sizeof(interface->mac));
    interface->device = device;
    device->stack = interface;
    device->receive_done = receive_done;
    device->transmit_ready = transmit_ready;
    device->receive_more = receive_more;
    device->link_changed = link_changed;
    device->receive = receive;
}

/* ---- All of them -------------------------------------------------------------------------------------- */

void interfaces_init(void)
{
    wait_queue_init(&polling);
    add_loopback();
    struct network_device *device;
    for (unsigned i = 0; count < INTERFACE_LIMIT && (device = network_device_at(i)); i++)
        add_device(device);
}

void interfaces_start(void)
{
    if (count > 1)
        thread_start_kernel("network", poll_devices, NULL);
}

unsigned interface_count(void) { return count; }
struct interface *interface_at(unsigned position) { return position < count ? interfaces[position] : NULL; }

struct interface *interface_by_name(const char *name)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(interfaces[i]->name, name) == 0)
            return interfaces[i];
    return NULL;
}

struct interface *interface_first_device(void) { return interface_at(1); }

struct interface *interface_of_address(struct ip_address own)
{
    if (!ip_is_ipv4(own))
        return ip6_interface_of(own);
    ipv4_t address = ipv4_of(own);
    if (ipv4_is_loopback(address))
        return interfaces[0];
    for (unsigned i = 1; i < count && address != IPV4_ANY; i++)
        if (interfaces[i]->configuration.address == address)
            return interfaces[i];
    return NULL;
}

void interface_configure(struct interface *interface, const struct net_configuration *configuration)
{
    must_hold_net();
    interface->configuration = *configuration;
    unsigned mtu = configuration->mtu >= IP_MINIMUM_MTU ? configuration->mtu : interface->device->mtu;
    interface->mtu = (uint16_t)min_of(mtu, (unsigned)interface->device->max_mtu);
    neighbour_forget(interface, true);
    if (configuration->address != IPV4_ANY)
        arp_announce(interface);
}

void interface_restored(struct interface *interface)
{
    must_hold_net();
    neighbour_forget(interface, true);
    multicast_report_again(interface, true);
    if (interface->configuration.address != IPV4_ANY)
        arp_announce(interface);
    ip6_restored(interface); /* reports groups when it has an address again */
}

void interface_transmit(struct interface *interface, struct packet *packet)
{
    must_hold_net();
    if (interface->loopback) {
        interfaces_unfinished = true;
        list_push_back(&loopback_queue, &packet->link);
        return;
    }
    if (!interface->device_full) {
        give_to_device(interface, packet);
        return;
    }
    if (interface->waiting_count == INTERFACE_QUEUE_LIMIT) {
        interface->device->dropped++;
        packet_free(packet);
        return;
    }
    interface->waiting_count++;
    list_push_back(&interface->waiting, &packet->link);
}

void interface_loop(struct interface *interface, const struct packet *packet)
{
    struct packet *copy = packet_copy(packet, 0, packet->length);
    if (!copy)
        return;
    copy->flags = PACKET_LOOPED | PACKET_CHECKSUM_VALID;
    list_push_back(&interface->looped, &copy->link);
    interfaces_unfinished = true;
}

/* There is no frame that says which IP it is. */
static void receive_ip(struct interface *interface, struct packet *packet, bool unicast)
{
    const uint8_t *first = packet_pull(packet, 1);
    if (first && *first >> 4 == 6)
        ip6_input(interface, packet, unicast);
    else
        ip_input(interface, packet, unicast);
}

/* What is received may cause more to be sent. */
static void receive_looped(void)
{
    for (struct list *node; (node = list_pop_front(&loopback_queue));)
        receive_ip(interfaces[0], list_entry(node, struct packet, link), true);
    for (unsigned i = 1; i < count; i++)
        for (struct list *node; (node = list_pop_front(&interfaces[i]->looped));)
            receive_ip(interfaces[i], list_entry(node, struct packet, link), false);
}

void interfaces_finish_now(void)
{
    must_hold_net();
    while (interfaces_unfinished) {
        interfaces_unfinished = false;
        receive_looped();
    }
    for (unsigned i = 1; i < count; i++) {
        if (!interfaces[i]->flush_needed)
            continue;
        interfaces[i]->flush_needed = false;
        interfaces[i]->device->flush(interfaces[i]->device);
    }
}

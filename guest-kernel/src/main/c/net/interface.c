#include "net/interface.h"

#include "lib/heap.h"
#include "lib/print.h"
#include "lib/random.h"
#include "lib/string.h"
#include "net/arp.h"
#include "net/ethernet.h"
#include "net/ip.h"

#define LOOPBACK_MTU 65535           /* the largest IPv4 packet: nothing is segmented */

static struct interface *interfaces[INTERFACE_LIMIT];
static unsigned count;
static struct list loopback_queue = LIST_INIT(loopback_queue);

static void receive(struct network_device *device, struct packet *packet)
{
    struct interface *interface = device->stack;
    list_push_back(&interface->received, &packet->link);
}

static void receive_done(struct network_device *device)
{
    struct interface *interface = device->stack;
    random_event((uint32_t)interface->index);
    net_lock();
    for (struct list *node; (node = list_pop_front(&interface->received)) != NULL;)
        ethernet_input(interface, list_entry(node, struct packet, link));
    net_unlock();
}

static void give_to_device(struct interface *interface, struct packet *packet)
{
    struct network_device *device = interface->device;
    interface->flush_needed = true;
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

static struct interface *add(const char *name, uint16_t mtu)
{
    struct interface *interface = heap_allocate_zeroed(sizeof(*interface));
    if (interface == NULL)
        panic("no memory for network interface %s", name);
    string_copy(interface->name, name, sizeof(interface->name));
    interface->mtu = mtu;
    list_init(&interface->received);
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
    device->receive = receive;
}

void interfaces_init(void)
{
    add_loopback();
    struct network_device *device;
    for (unsigned i = 0; count < INTERFACE_LIMIT && (device = network_device_at(i)) != NULL; i++)
        add_device(device);
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

struct interface *interface_of_address(ipv4_t address)
{
    if (ipv4_is_loopback(address))
        return interfaces[0];
    for (unsigned i = 1; i < count && address != IPV4_ANY; i++)
        if (interfaces[i]->configuration.address == address)
            return interfaces[i];
    return NULL;
}

void interface_configure(struct interface *interface, const struct net_configuration *configuration)
{
    interface->configuration = *configuration;
    unsigned mtu = configuration->mtu >= IP_MINIMUM_MTU ? configuration->mtu : interface->device->mtu;
    interface->mtu = (uint16_t)min_of(mtu, (unsigned)interface->device->max_mtu);
    arp_forget(interface);
    if (configuration->address != IPV4_ANY)
        arp_announce(interface);
}

void interface_transmit(struct interface *interface, struct packet *packet)
{
    if (interface->loopback) {
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

void interfaces_finish(void)
{
    for (struct list *node; (node = list_pop_front(&loopback_queue)) != NULL;)
        ip_input(interfaces[0], list_entry(node, struct packet, link), true);
    for (unsigned i = 1; i < count; i++) {
        if (!interfaces[i]->flush_needed)
            continue;
        interfaces[i]->flush_needed = false;
        interfaces[i]->device->flush(interfaces[i]->device);
    }
}

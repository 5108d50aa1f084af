/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ioctls of netdevice(7), which only ask. struct ifreq is copied from the program, answered in the kernel under the
 * net lock and copied back without it; parts that an answer does not fill are zeros, or what the program had there.
 *
 * Called by socket.c for requests that a socket's protocol does not know, without locks, since user memory may fault.
 */
#include "net/interface_ioctl.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "memory/user.h"
#include "net/bytes.h"
#include "net/interface.h"

#define SIOCGIFNAME 0x8910u /* asm-generic/sockios.h, linux/sockios.h */
#define SIOCGIFCONF 0x8912u
#define SIOCGIFFLAGS 0x8913u
#define SIOCGIFADDR 0x8915u
#define SIOCGIFDSTADDR 0x8917u
#define SIOCGIFBRDADDR 0x8919u
#define SIOCGIFNETMASK 0x891bu
#define SIOCGIFMETRIC 0x891du
#define SIOCGIFMTU 0x8921u
#define SIOCGIFHWADDR 0x8927u
#define SIOCGIFINDEX 0x8933u
#define SIOCGIFTXQLEN 0x8942u

#define IFF_UP 0x1 /* netdevice(7) */
#define IFF_BROADCAST 0x2
#define IFF_LOOPBACK 0x8
#define IFF_RUNNING 0x40
#define IFF_MULTICAST 0x1000

#define ARPHRD_ETHER 1 /* linux/if_arp.h */
#define ARPHRD_LOOPBACK 772
#define FAMILY_INET 2

struct interface_request { /* struct ifreq */
    char name[16];
    union {
        struct {
            uint16_t family;
            be16 port;
            be32 address;
            uint8_t zero[8];
        } address;
        struct {
            uint16_t type;
            uint8_t mac[6];
            uint8_t zero[8];
        } hardware;
        int16_t flags;
        int32_t number;
        uint8_t bytes[24];
    };
};
_Static_assert(sizeof(struct interface_request) == 40, "layout of struct ifreq");

struct interface_list { /* struct ifconf */
    int32_t length, padding;
    uint64_t requests;
};

static void put_address(struct interface_request *request, ipv4_t address)
{
    request->address.family = FAMILY_INET;
    request->address.address = be32_of(address);
}

static int64_t list_interfaces(uintptr_t argument)
{
    struct interface_list list;
    if (user_get(&list, argument) < 0)
        return -EFAULT;
    struct interface_request requests[INTERFACE_LIMIT] = { 0 };
    unsigned count = 0;
    net_lock();
    for (unsigned i = 0; i < interface_count(); i++) {
        struct interface *interface = interface_at(i);
        if (interface->configuration.address == IPV4_ANY)
            continue;
        string_copy(requests[count].name, interface->name, sizeof(requests[count].name));
        put_address(&requests[count], interface->configuration.address);
        count++;
    }
    net_unlock();
    if (list.requests != 0) {
        count = min_of(count, (unsigned)(max_of(list.length, 0) / (int)sizeof(requests[0])));
        if (count > 0 && user_write(list.requests, requests, count * sizeof(requests[0])) < 0)
            return -EFAULT;
    }
    list.length = (int32_t)(count * sizeof(requests[0]));
    return user_put(argument, &list);
}

static int16_t flags_of(const struct interface *interface)
{
    if (interface->loopback)
        return IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
    return IFF_UP | IFF_BROADCAST | (interface->device->running ? IFF_RUNNING : 0) | IFF_MULTICAST;
}

/* Fills the answer about one interface. 0 or -errno. */
static int answer(const struct interface *interface, uint32_t what, struct interface_request *request)
{
    bool configured = interface->configuration.address != IPV4_ANY;
    switch (what) {
    case SIOCGIFFLAGS:
        request->flags = flags_of(interface);
        return 0;
    case SIOCGIFMTU:
        request->number = interface->mtu;
        return 0;
    case SIOCGIFINDEX:
        request->number = interface->index;
        return 0;
    case SIOCGIFMETRIC:
        request->number = 0;
        return 0;
    case SIOCGIFTXQLEN:
        request->number = interface->loopback ? 0 : INTERFACE_QUEUE_LIMIT;
        return 0;
    case SIOCGIFHWADDR:
        request->hardware.type = interface->loopback ? ARPHRD_LOOPBACK : ARPHRD_ETHER;
        memcpy(request->hardware.mac, interface->mac, sizeof(interface->mac));
        return 0;
    case SIOCGIFADDR:
    case SIOCGIFDSTADDR:
        put_address(request, interface->configuration.address);
        return configured ? 0 : -EADDRNOTAVAIL;
    case SIOCGIFNETMASK:
        put_address(request, interface_netmask(interface));
        return configured ? 0 : -EADDRNOTAVAIL;
    case SIOCGIFBRDADDR:
        put_address(request, interface->loopback ? IPV4_ANY : interface_broadcast(interface));
        return configured ? 0 : -EADDRNOTAVAIL;
    default:
        return -ENOTTY;
    }
}

static int64_t name_of_index(uintptr_t argument)
{
    struct interface_request request;
    if (user_get(&request, argument) < 0)
        return -EFAULT;
    net_lock();
    struct interface *interface = request.number > 0 ? interface_at((unsigned)request.number - 1) : NULL;
    net_unlock();
    if (!interface)
        return -ENODEV;
    string_copy(request.name, interface->name, sizeof(request.name));
    return user_put(argument, &request);
}

static bool about_one_interface(uint32_t request)
{
    struct interface_request unused;
    return interface_count() > 0 && answer(interface_at(0), request, &unused) != -ENOTTY;
}

int64_t interface_ioctl(uint32_t what, uintptr_t argument)
{
    struct interface_request request;
    if (what == SIOCGIFCONF)
        return list_interfaces(argument);
    if (what == SIOCGIFNAME)
        return name_of_index(argument);
    if (!about_one_interface(what))
        return -ENOTTY;
    if (user_get(&request, argument) < 0)
        return -EFAULT;
    request.name[sizeof(request.name) - 1] = 0;
    memset(request.bytes, 0, sizeof(request.bytes));
    net_lock();
    struct interface *interface = interface_by_name(request.name);
    int result = interface ? answer(interface, what, &request) : -ENODEV;
    net_unlock();
    return result < 0 ? result : user_put(argument, &request);
}

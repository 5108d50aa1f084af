/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "net/linux_tap.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool configure_linux(const char *name, uint32_t own)
{
    struct ifreq request = { 0 };
    struct sockaddr_in *address = (void *)&request.ifr_addr;
    int control = socket(AF_INET, SOCK_DGRAM, 0);
    strcpy(request.ifr_name, name);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(own);
    bool ok = ioctl(control, SIOCSIFADDR, &request) == 0;
    address->sin_addr.s_addr = htonl(0xffffff00);
    ok = ok && ioctl(control, SIOCSIFNETMASK, &request) == 0;
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    ok = ok && ioctl(control, SIOCSIFFLAGS, &request) == 0;
    strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    ok = ok && ioctl(control, SIOCSIFFLAGS, &request) == 0;
    close(control);
    return ok;
}

int linux_tap_open(uint32_t own_address)
{
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    strcpy(request.ifr_name, "tap0");
    if (unshare(CLONE_NEWNET) < 0)
        return -1;
    int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (tap < 0 || ioctl(tap, TUNSETIFF, &request) < 0 || !configure_linux("tap0", own_address))
        return -1;
    return tap;
}

bool linux_tap_mtu(unsigned mtu)
{
    struct ifreq request = { .ifr_mtu = (int)mtu };
    int control = socket(AF_INET, SOCK_DGRAM, 0);
    strcpy(request.ifr_name, "tap0");
    bool ok = ioctl(control, SIOCSIFMTU, &request) == 0;
    close(control);
    return ok;
}

bool linux_tap_offload(int tap, bool on) { return ioctl(tap, TUNSETOFFLOAD, on ? TUN_F_CSUM | TUN_F_TSO4 : 0) == 0; }

int linux_tap_space(void) { return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC); }

bool linux_tap_enter(int space) { return setns(space, CLONE_NEWNET) == 0; }

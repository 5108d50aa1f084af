/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/xen/devices.h"

#include "core/log.h"
#include "drivers/xen/blkfront.h"
#include "drivers/xen/channel.h"
#include "drivers/xen/control.h"
#include "drivers/xen/grant.h"
#include "drivers/xen/netfront.h"
#include "drivers/xen/settings.h"
#include "drivers/xen/xenbus.h"
#include "lib/errno.h"
#include "lib/string.h"

/* More devices than this of one class are reported and left out. */
#define DEVICES_MAX 16
/* Grant references that every Xen allows a guest: 32 frames of them, the default before 4.10. */
#define GRANTS_EXPECTED (32 * GRANTS_PER_FRAME)

struct device_class {
    const char *directory; /* in our xenstore directory */
    unsigned grants;       /* one device's need */
    int (*start)(const char *path, uint64_t number);
    unsigned count;
    uint64_t numbers[DEVICES_MAX]; /* ascending */
};

static struct device_class disks = { .directory = "device/vbd", .grants = BLKFRONT_GRANTS, .start = blkfront_start };
static struct device_class nics = { .directory = "device/vif", .grants = NETFRONT_GRANTS, .start = netfront_start };
static struct device_class channels = {
    .directory = "device/console",
    .grants = CHANNEL_GRANTS,
    .start = xen_channel_start,
};

static void insert_sorted(struct device_class *class, uint64_t number)
{
    unsigned i = class->count++;
    for (; i > 0 && class->numbers[i - 1] > number; i--)
        class->numbers[i] = class->numbers[i - 1];
    class->numbers[i] = number;
}

static void list_devices(struct device_class *class)
{
    char names[512];
    int length = xenbus_directory(class->directory, names, sizeof(names));
    for (int at = 0; at < length; at += (int)strlen(names + at) + 1) {
        uint64_t number;
        if (!parse_decimal(names + at, &number) || class->count == DEVICES_MAX)
            log_error("device %s/%s is ignored", class->directory, names + at);
        else
            insert_sorted(class, number);
    }
}

static void start_devices_of(struct device_class *class)
{
    for (unsigned i = 0; i < class->count; i++) {
        char path[64];
        format(path, sizeof(path), "%s/%lu", class->directory, (unsigned long)class->numbers[i]);
        int error = class->start(path, class->numbers[i]);
        if (error != 0)
            log_error("cannot start device %s: %s; see the log of the host's backend", path, errno_name(error));
    }
}

/* The references that all devices together need at most: one queue of a NIC in any case, and more as far as they go. */
static unsigned count_grants(void)
{
    unsigned of_others = disks.count * disks.grants + channels.count * channels.grants;
    unsigned rest = GRANTS_EXPECTED - min_of(GRANTS_EXPECTED, of_others);
    nics.grants *= netfront_limit_queues(nics.count, rest);
    return of_others + nics.count * nics.grants;
}

void xen_start_devices(void)
{
    xen_read_seed();
    list_devices(&disks);
    list_devices(&nics);
    list_devices(&channels);
    unsigned grants = count_grants();
    xen_control_start();
    if (grants == 0)
        return;
    int error = grants_init(grants);
    if (error != 0) {
        log_error("no grant table for %u references: %s; no devices", grants, errno_name(error));
        return;
    }
    start_devices_of(&disks);
    start_devices_of(&nics);
    start_devices_of(&channels);
}

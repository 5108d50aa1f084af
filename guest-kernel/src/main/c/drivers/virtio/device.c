/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all virtio devices have in common (VIRTIO 1.1, 2.1 and 3.1): reset, features, status, and finding the driver.
 *
 * A device that is lost stays lost: its status is not read again. Features are agreed on once; a device that offers
 * others after a reset is lost as well. There is no lock here: virtio_check() and virtio_restart() run under the lock
 * of the driver's queues, everything else while the kernel starts.
 */
#include "drivers/virtio/virtio.h"

#include "core/log.h"
#include "lib/errno.h"
#include "platform/platform.h"

/* A device that is reset says so by its status (2.1.2); one that does not answer gives all ones. */
static int reset(struct virtio_device *device, nanoseconds time)
{
    nanoseconds limit = clock_monotonic() + time;
    device->transport->write_status(device, 0);
    while (device->transport->read_status(device) != 0) {
        if (clock_monotonic() >= limit)
            return -ETIMEDOUT;
        __builtin_ia32_pause();
    }
    return 0;
}

void virtio_config_unsettled(const struct virtio_device *device)
{
    log_error("virtio device %s keeps changing its configuration; what it reports may be inconsistent", device->place);
}

static int negotiate(struct virtio_device *device, uint64_t wanted, nanoseconds time)
{
    const struct virtio_transport *transport = device->transport;
    int error = reset(device, time);
    if (error != 0)
        return error;
    transport->write_status(device, VIRTIO_ACKNOWLEDGE);
    transport->write_status(device, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);

    uint64_t offered = transport->read_features(device);
    if (!(offered & VIRTIO_FEATURE_VERSION_1))
        return -EOPNOTSUPP;
    device->features = offered & (wanted | VIRTIO_FEATURE_VERSION_1 | VIRTIO_FEATURE_EVENT_INDEX);
    transport->write_features(device, device->features);
    transport->write_status(device, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
    return transport->read_status(device) & VIRTIO_FEATURES_OK ? 0 : -EOPNOTSUPP;
}

int virtio_negotiate(struct virtio_device *device, uint64_t wanted)
{
    return negotiate(device, wanted, VIRTIO_RESET_TIME);
}

int virtio_restart(struct virtio_device *device)
{
    uint64_t before = device->features;
    int error = negotiate(device, before, VIRTIO_RESTART_TIME);
    /* What is above the driver goes by them. */
    return error == 0 && device->features != before ? -EOPNOTSUPP : error;
}

static bool give_up(struct virtio_device *device, const char *why)
{
    device->lost = true;
    device->transport->write_status(device, VIRTIO_FAILED);
    log_error("virtio device %s %s: all further requests to it fail; see the host's log", device->place, why);
    return false;
}

bool virtio_check(struct virtio_device *device, int (*restart)(struct virtio_device *device))
{
    if (device->lost)
        return true; /* the driver knows */
    uint8_t status = device->transport->read_status(device);
    if (status == VIRTIO_GONE)
        return give_up(device, "is gone");
    if (!(status & VIRTIO_NEEDS_RESET))
        return true;
    if (device->restarts == VIRTIO_RESTARTS)
        return give_up(device, "asks for a reset again and again");
    if (device->restarts++ == 0)
        log_info("virtio device %s asked for a reset, and is started again", device->place);
    return restart(device) == 0 || give_up(device, "does not come up again after a reset");
}

void virtio_ready(struct virtio_device *device)
{
    if (device->transport->connect_configuration)
        device->transport->connect_configuration(device);
    device->transport->write_status(device, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
}

static int start(struct virtio_device *device)
{
    switch (device->type) {
    case VIRTIO_NETWORK:
        return virtio_network_start(device);
    case VIRTIO_BLOCK:
        return virtio_block_start(device);
    case VIRTIO_CONSOLE:
        return virtio_console_start(device);
    case VIRTIO_ENTROPY:
        return virtio_entropy_start(device);
    default:
        log_info("virtio device %s: no driver for type %u", device->place, device->type);
        return 0;
    }
}

void virtio_start(struct virtio_device *device)
{
    int error = start(device);
    if (error == 0)
        return;
    device->transport->write_status(device, VIRTIO_FAILED);
    log_error("virtio device %s of type %u does not start: %s", device->place, device->type, errno_name(error));
}

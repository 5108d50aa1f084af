#include "drivers/virtio/virtio.h"

#include "lib/errno.h"
#include "lib/print.h"
#include "platform/platform.h"

/* A device that is reset says so by its status (2.1.2); one that does not answer gives all ones. */
static int reset(struct virtio_device *device)
{
    nanoseconds limit = clock_monotonic() + VIRTIO_RESET_TIME;
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
    log_error("virtio device %s changes its configuration all the time; what it says may not hold together",
              device->place);
}

int virtio_negotiate(struct virtio_device *device, uint64_t wanted)
{
    const struct virtio_transport *transport = device->transport;
    int error = reset(device);
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

void virtio_ready(struct virtio_device *device)
{
    device->transport->write_status(device, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
}

static int start(struct virtio_device *device)
{
    switch (device->type) {
    case VIRTIO_NETWORK:
        return virtio_network_start(device);
    case VIRTIO_BLOCK:
        return virtio_block_start(device);
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
    log_error("virtio device %s of type %u does not start: error %d", device->place, device->type, -error);
}

# Virtio drivers against a fake device, well behaved and hostile.
include src/test/c/host/host.mk

VIRTIO_SOURCES := src/main/c/drivers/device.c \
    $(addprefix src/main/c/drivers/virtio/,device.c queue.c block.c network.c network_receive.c network_transmit.c entropy.c)
VIRTIO_HEADERS := $(wildcard src/main/c/drivers/*.h src/main/c/drivers/*/*.h src/test/c/virtio/*.h \
    src/test/c/virtio/*/*.h src/test/c/virtio/transport/platform/pvh/*.h) $(HOST_HEADERS)

target/test/virtio: $(VIRTIO_SOURCES) $(wildcard src/test/c/virtio/*.c) $(HOST_SOURCES) $(VIRTIO_HEADERS)
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_CFLAGS) $(filter %.c,$^) -o $@

# The register accesses of the transports are those of transport/platform/pvh/instructions.h.
target/test/virtio_transport: $(VIRTIO_SOURCES) src/main/c/drivers/pci/pci.c src/main/c/drivers/virtio/pci.c \
    src/main/c/drivers/virtio/mmio.c $(wildcard src/test/c/virtio/transport/*.c) $(HOST_SOURCES) $(VIRTIO_HEADERS)
	@mkdir -p $(@D)
	$(HOST_CC) -I src/test/c/virtio/transport $(HOST_CFLAGS) $(filter %.c,$^) -o $@

.PHONY: test-virtio
# Devices are for ever, so their memory counts as lost; what packets and requests use is counted by the tests.
test-virtio: target/test/virtio target/test/virtio_transport
	@set -e; for test in $^; do \
	    ASAN_OPTIONS=detect_leaks=0 $$test 2>$$test.log || { grep -v '^#' $$test.log; exit 1; }; done
TESTS += test-virtio

# SPDX-License-Identifier: Apache-2.0
# Virtio drivers against a fake device, well behaved and hostile.
include src/test/c/host/host.mk

VIRTIO_SOURCES := $(BLOCK_SOURCES) \
    $(addprefix src/main/c/drivers/,flow.c \
    $(addprefix virtio/,device.c queue.c block.c network.c network_pairs.c network_receive.c network_transmit.c entropy.c console.c))

target/test/virtio: $(call host,$(VIRTIO_SOURCES) $(wildcard src/test/c/drivers/virtio/*.c) src/test/c/drivers/machine.c $(HOST_SOURCES))
	$(host_link)

# The register accesses of the transports are those of transport/platform/native/instructions.h, which the other directories
# know nothing of.
TRANSPORT_SOURCES := $(addprefix src/main/c/drivers/,pci/pci.c pci/messages.c pci/spread.c virtio/pci.c virtio/mmio.c) \
    $(wildcard src/test/c/drivers/virtio/transport/*.c) src/test/c/drivers/pci/mappings.c
$(call host,$(TRANSPORT_SOURCES)): HOST_CFLAGS := -I src/test/c/drivers/virtio/transport $(HOST_CFLAGS)
target/test/virtio_transport: $(call host,$(VIRTIO_SOURCES) $(TRANSPORT_SOURCES) src/test/c/drivers/machine.c $(HOST_SOURCES))
	$(host_link)

.PHONY: test-virtio
# Devices are for ever, so their memory counts as lost; what packets and requests use is counted by the tests.
test-virtio: target/test/virtio target/test/virtio_transport
	@set -e; for test in $^; do \
	    ASAN_OPTIONS=detect_leaks=0 $$test 2>$$test.log || { grep -v '^#' $$test.log; exit 1; }; done
TESTS += test-virtio

target/test/fuzz_virtio_%: $(call fuzz,src/test/c/drivers/virtio/fuzz/fuzz_%.c src/test/c/drivers/virtio/fuzz/device.c \
    src/test/c/drivers/virtio/fake_device.c src/test/c/drivers/machine.c $(FUZZ_DRIVER) $(VIRTIO_SOURCES) $(HOST_SOURCES))
	$(fuzz_link)

fuzz-virtio-%: target/test/fuzz_virtio_%
	$(fuzz_run)
ifneq ($(shell command -v clang),)
TESTS += fuzz-virtio-net fuzz-virtio-blk
endif

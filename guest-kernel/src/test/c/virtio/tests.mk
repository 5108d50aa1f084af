# Virtio drivers against a fake device, well behaved and hostile.
include src/test/c/host/host.mk

VIRTIO_SOURCES := src/main/c/drivers/device.c \
    $(addprefix src/main/c/drivers/virtio/,device.c queue.c block.c network.c network_receive.c network_transmit.c entropy.c) \
    $(wildcard src/test/c/virtio/*.c)

target/test/virtio: $(VIRTIO_SOURCES) $(HOST_SOURCES) $(HOST_HEADERS) \
    $(wildcard src/main/c/drivers/*.h src/main/c/drivers/virtio/*.h src/test/c/virtio/*.h)
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_CFLAGS) $(VIRTIO_SOURCES) $(HOST_SOURCES) -o $@

.PHONY: test-virtio
# Devices are for ever, so their memory counts as lost; what packets and requests use is counted by the tests.
test-virtio: target/test/virtio
	@ASAN_OPTIONS=detect_leaks=0 $< >$<.log; status=$$?; grep -v '^#' $<.log; exit $$status
TESTS += test-virtio

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

target/test/fuzz_virtio_%: src/test/c/virtio/fuzz/fuzz_%.c src/test/c/virtio/fuzz/device.c \
    src/test/c/drivers/fuzz/requests.c src/test/c/drivers/fuzz/packets.c \
    $(wildcard src/test/c/drivers/fuzz/*.h) src/test/c/virtio/fake_device.c $(VIRTIO_SOURCES) $(HOST_SOURCES) $(VIRTIO_HEADERS)
	@mkdir -p $(@D)
	clang $(HOST_CFLAGS) -fsanitize=fuzzer $(filter %.c,$^) -o $@

# Without what the drivers log: each input breaks a device.
fuzz-virtio-%: target/test/fuzz_virtio_%
	@mkdir -p target/test/corpus-virtio-$*
	@nice $< -max_total_time=$(FUZZ_SECONDS) -max_len=1024 -detect_leaks=0 -close_fd_mask=2 \
	    -artifact_prefix=target/test/ -verbosity=0 target/test/corpus-virtio-$* >$<.log 2>&1 || { cat $<.log; exit 1; }
	@echo "ok fuzz virtio $*"
ifneq ($(shell command -v clang),)
TESTS += fuzz-virtio-net fuzz-virtio-blk
endif

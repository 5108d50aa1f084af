# SPDX-License-Identifier: Apache-2.0
# The NVMe driver against a fake controller, well behaved and hostile. Register accesses are those of
# virtio/transport/platform/native/instructions.h, as for the transports of virtio.
include src/test/c/host/host.mk

NVME_DRIVER := $(wildcard src/main/c/drivers/nvme/*.c) src/main/c/drivers/pci/spread.c
NVME_TESTS := $(wildcard src/test/c/drivers/nvme/*.c) src/test/c/drivers/disk/requests.c src/test/c/drivers/machine.c \
    src/test/c/drivers/pci/mappings.c
$(call host,$(NVME_DRIVER) $(NVME_TESTS)): HOST_CFLAGS := -I src/test/c/drivers/virtio/transport $(HOST_CFLAGS)
target/test/nvme: $(call host,$(NVME_DRIVER) $(NVME_TESTS) $(BLOCK_SOURCES) $(HOST_SOURCES))
	$(host_link)

.PHONY: test-nvme
# Controllers are for ever, so their memory counts as lost; that of those that do not start is counted by the tests.
test-nvme: target/test/nvme
	@ASAN_OPTIONS=detect_leaks=0 $< 2>$<.log || { grep -v '^#' $<.log; exit 1; }
TESTS += test-nvme

NVME_FUZZ := $(NVME_DRIVER) $(addprefix src/test/c/drivers/nvme/,fake_controller.c fake_pci.c fuzz/fuzz_nvme.c) \
    src/test/c/drivers/machine.c src/test/c/drivers/pci/mappings.c
$(call fuzz,$(NVME_FUZZ)): HOST_CFLAGS := -I src/test/c/drivers/virtio/transport $(HOST_CFLAGS)
target/test/fuzz_nvme: $(call fuzz,$(NVME_FUZZ) $(FUZZ_DRIVER) $(BLOCK_SOURCES) $(HOST_SOURCES))
	$(fuzz_link)

.PHONY: fuzz-nvme
fuzz-nvme: target/test/fuzz_nvme
	$(fuzz_run)
ifneq ($(shell command -v clang),)
TESTS += fuzz-nvme
endif

# SPDX-License-Identifier: Apache-2.0
# The AHCI driver against a fake controller, well behaved and hostile. Register accesses are those of
# virtio/transport/platform/native/instructions.h, as for NVMe.
include src/test/c/host/host.mk

AHCI_DRIVER := $(wildcard src/main/c/drivers/ahci/*.c)
AHCI_TESTS := $(wildcard src/test/c/drivers/ahci/*.c) src/test/c/drivers/disk/requests.c src/test/c/drivers/machine.c \
    src/test/c/drivers/pci/mappings.c
$(call host,$(AHCI_DRIVER) $(AHCI_TESTS)): HOST_CFLAGS := -I src/test/c/drivers/virtio/transport $(HOST_CFLAGS)
target/test/ahci: $(call host,$(AHCI_DRIVER) $(AHCI_TESTS) $(BLOCK_SOURCES) $(HOST_SOURCES))
	$(host_link)

.PHONY: test-ahci
# Disks are for ever, so their memory counts as lost; that of those that do not start is counted by the tests.
test-ahci: target/test/ahci
	@ASAN_OPTIONS=detect_leaks=0 $< 2>$<.log || { grep -v '^#' $<.log; exit 1; }
TESTS += test-ahci

AHCI_FUZZ := $(AHCI_DRIVER) $(addprefix src/test/c/drivers/,ahci/fake_hba.c ahci/fuzz/fuzz_ahci.c machine.c pci/mappings.c)
$(call fuzz,$(AHCI_FUZZ)): HOST_CFLAGS := -I src/test/c/drivers/virtio/transport $(HOST_CFLAGS)
target/test/fuzz_ahci: $(call fuzz,$(AHCI_FUZZ) $(FUZZ_DRIVER) $(BLOCK_SOURCES) $(HOST_SOURCES))
	$(fuzz_link)

.PHONY: fuzz-ahci
fuzz-ahci: target/test/fuzz_ahci
	$(fuzz_run)
ifneq ($(shell command -v clang),)
TESTS += fuzz-ahci
endif

# SPDX-License-Identifier: Apache-2.0
# The ENA driver against the model of its device (model/model.h), well behaved and hostile, and the model itself against
# a driver that breaks each of its rules.
include src/test/c/host/host.mk

ENA_MODEL := $(wildcard src/test/c/drivers/ena/model/*.c)
target/test/ena_model: $(call host,$(ENA_MODEL) $(addprefix src/test/c/drivers/ena/,test_model.c test_packets.c test_rules.c script.c) src/test/c/drivers/machine.c \
    $(HOST_SOURCES))
	$(host_link)

ENA_DRIVER := $(wildcard src/main/c/drivers/ena/*.c) src/main/c/drivers/pci/spread.c src/main/c/drivers/flow.c
ENA_TESTS := $(addprefix src/test/c/drivers/ena/,fake_pci.c test_ena.c test_bring_up.c test_traffic.c test_recovery.c test_hostile.c test_endurance.c test_spread.c)
$(call host,$(ENA_DRIVER) $(ENA_TESTS)): HOST_CFLAGS := -I src/test/c/drivers/virtio/transport $(HOST_CFLAGS)
target/test/ena: $(call host,$(ENA_DRIVER) $(ENA_TESTS) $(ENA_MODEL) src/main/c/drivers/device.c $(HOST_SOURCES))
	$(host_link)

.PHONY: test-ena
# Cards are for ever, so their memory counts as lost; that of those that do not start is counted by the tests.
test-ena: target/test/ena_model target/test/ena
	@ASAN_OPTIONS=detect_leaks=0 target/test/ena 2>target/test/ena.log || { grep -v '^#' target/test/ena.log; exit 1; }
	@$< 2>$<.log || { grep -v '^#' $<.log; exit 1; }
	@$< rules >$<.rules
	@if grep '^| `[A-Z]' docs/ena-model.md | cmp - $<.rules; then echo "ok ena model: the rules in the document are those of the model"; \
	else echo "not ok ena model: the rules in the document are those of the model: correct the table of docs/ena-model.md" \
	    "with the rows of $<.rules"; exit 1; fi
TESTS += test-ena

# The stack against Linux's over the driver, the model and a TAP device. As root; the long form is by hand.
ENA_LINUX := $(addprefix src/test/c/drivers/ena/,test_linux_ena.c fake_pci.c) $(addprefix src/test/c/net/,streams.c linux_peers.c \
    peer.c linux_tap.c)
$(call host,src/test/c/drivers/ena/test_linux_ena.c): HOST_CFLAGS := -I src/test/c/drivers/virtio/transport $(HOST_CFLAGS)
target/test/ena_linux: $(call host,$(ENA_LINUX) $(ENA_MODEL) $(ENA_DRIVER) $(NET_SOURCES) $(HOST_SOURCES))
	$(host_link)
.PHONY: test-ena-linux
test-ena-linux: target/test/ena_linux
	@ASAN_OPTIONS=detect_leaks=0 $< 2>$<.log || { grep -v '^#' $<.log; exit 1; }
TESTS += test-ena-linux

# A card that keeps to no rule, and the model with faults.
ENA_FUZZ := $(ENA_DRIVER) $(addprefix src/test/c/drivers/ena/,fuzz/fuzz_ena.c fuzz/fuzz_model.c fake_pci.c)
$(call fuzz,$(ENA_FUZZ)): HOST_CFLAGS := -I src/test/c/drivers/virtio/transport $(HOST_CFLAGS)
target/test/fuzz_ena: $(call fuzz,$(ENA_DRIVER) src/test/c/drivers/ena/fuzz/fuzz_ena.c src/main/c/drivers/device.c $(HOST_SOURCES))
	$(fuzz_link)
target/test/fuzz_ena_model: $(call fuzz,$(ENA_DRIVER) $(addprefix src/test/c/drivers/ena/,fuzz/fuzz_model.c fake_pci.c) $(ENA_MODEL) \
    src/test/c/drivers/fuzz/packets.c src/main/c/drivers/device.c $(HOST_SOURCES))
	$(fuzz_link)

# Without what the driver logs: most inputs end in a reset.
.PHONY: fuzz-ena fuzz-ena-model
fuzz-ena: target/test/fuzz_ena
fuzz-ena-model: target/test/fuzz_ena_model
fuzz-ena fuzz-ena-model:
	@mkdir -p target/test/corpus-$(@:fuzz-%=%)
	@nice $< -max_total_time=$(FUZZ_SECONDS) -max_len=2048 -len_control=0 -detect_leaks=0 -close_fd_mask=2 \
	    -artifact_prefix=target/test/ -verbosity=0 target/test/corpus-$(@:fuzz-%=%) >$<.log 2>&1 || { cat $<.log; exit 1; }
	@echo "ok $(subst -, ,$@)"
ifneq ($(shell command -v clang),)
TESTS += fuzz-ena fuzz-ena-model
endif

# SPDX-License-Identifier: Apache-2.0
# The platforms in machines of their own: Xen PV in the lab, as the first domain, so it takes
# seconds; the native platform in QEMU. Skipped where the tools are not installed (lab/setup).
# Not among TESTS: test-xen-pvh, native in a Xen domain, which takes a minute.
PLATFORM_OUT := target/test/platform
PLATFORM_SOURCES := $(filter src/main/c/lib/% src/main/c/core/% src/main/c/platform/% src/main/c/drivers/% src/main/c/machine/%,$(SOURCES)) \
    $(filter-out %/test_speculation.c %/test_frequency.c %/test_mp_table.c %/test_acpi.c %/test_uart.c %/test_steal.c %/test_pv_cpus.c,$(wildcard src/test/c/platform/*.c src/test/c/platform/*.S))
PLATFORM_OBJECTS := $(patsubst src/%,$(PLATFORM_OUT)/%.o,$(PLATFORM_SOURCES))
PLATFORM_FLAGS = $(CFLAGS) -I src/test/c/platform

$(PLATFORM_OUT)/%.c.o: src/%.c
	@mkdir -p $(@D)
	@$(CC) $(PLATFORM_FLAGS) -MMD -MP -c $< -o $@
$(PLATFORM_OUT)/%.S.o: src/%.S
	@mkdir -p $(@D)
	@$(CC) $(PLATFORM_FLAGS) -D__ASSEMBLY__ -MMD -MP -c $< -o $@

$(PLATFORM_OUT)/first.elf: $(PLATFORM_OBJECTS) $(SRC)/kernel.lds
	@$(CC) $(LDFLAGS) $(PLATFORM_OBJECTS) -o $@
$(PLATFORM_OUT)/symbols.S: $(PLATFORM_OUT)/first.elf tools/symbols.awk
	@$(NM) -n $< | awk -v kernel=$< -v addr2line=$(ADDR2LINE) -f tools/symbols.awk >$@
$(PLATFORM_OUT)/second.elf: $(PLATFORM_OBJECTS) $(PLATFORM_OUT)/symbols.o
	@$(CC) $(LDFLAGS) -Wl,--emit-relocs $^ -o $@
$(PLATFORM_OUT)/relocations.S: $(PLATFORM_OUT)/second.elf tools/relocations.awk
	@readelf -rW $< | awk -f tools/relocations.awk >$@.tmp && mv $@.tmp $@
$(PLATFORM_OUT)/%.o: $(PLATFORM_OUT)/%.S
	@$(CC) -c $< -o $@
$(PLATFORM_OUT)/test.elf: $(PLATFORM_OBJECTS) $(PLATFORM_OUT)/symbols.o $(PLATFORM_OUT)/relocations.o
	@$(CC) $(LDFLAGS) $^ -o $@.debug
	@strip --strip-all -o $@ $@.debug

PLATFORM_BOOT := src/test/c/platform/boot $(PLATFORM_OUT)
MISSING_CPU := src/test/c/platform/missing-cpu $(PLATFORM_OUT)
.PHONY: test-xenpv test-native test-xen-pvh
ifneq ($(and $(shell command -v qemu-system-x86_64),$(wildcard /boot/xen-*.gz)),)
test-xenpv: $(PLATFORM_OUT)/test.elf
	@$(PLATFORM_BOOT) xenpv 0 xen --dom0-kernel-is-guest --kernel $<
	@$(MISSING_CPU) xenpv-missing-cpu \
	    'Xen refuses to start it; its log (xl dmesg) may say why, and the guest can be given fewer CPUs' \
	    xen --dom0-kernel-is-guest --kernel $<
test-xen-pvh: $(PLATFORM_OUT)/test.elf
	@$(PLATFORM_BOOT) xen-pvh 0 xen --pvh --kernel $<
	@$(MISSING_CPU) xen-pvh-missing-cpu 'it does not answer; give the guest fewer CPUs' xen --pvh --kernel $<
else
test-xenpv test-xen-pvh:
	@echo "skipped: no Xen or no QEMU here; see lab/setup"
endif

ifneq ($(shell command -v qemu-system-x86_64),)
test-native: $(PLATFORM_OUT)/test.elf
	@src/test/c/platform/native $(PLATFORM_OUT)
else
test-native:
	@echo "skipped: no QEMU here; see lab/setup"
endif
TESTS += test-xenpv test-native

include src/test/c/host/host.mk
SPECULATION_SOURCES := src/test/c/platform/test_speculation.c src/main/c/platform/x86/speculation.c
target/test/speculation: $(call host,$(SPECULATION_SOURCES) $(HOST_SOURCES))
	$(host_link)

FREQUENCY_SOURCES := src/test/c/platform/test_frequency.c src/main/c/platform/native/frequency.c \
    src/main/c/platform/xen/leaves.c
target/test/frequency: $(call host,$(FREQUENCY_SOURCES) $(HOST_SOURCES))
	$(host_link)
target/test/acpi: $(call host,src/test/c/platform/test_acpi.c src/main/c/platform/native/acpi.c $(HOST_SOURCES))
	$(host_link)
.PHONY: test-acpi
test-acpi: target/test/acpi
	@ASAN_OPTIONS=detect_leaks=0 $< 2>$<.log || { grep -v '^#' $<.log; exit 1; }
TESTS += test-acpi

.PHONY: test-frequency
test-frequency: target/test/frequency
	target/test/frequency
TESTS += test-frequency

MP_TABLE_SOURCES := src/test/c/platform/test_mp_table.c src/main/c/platform/native/mp_table.c
target/test/mp_table: $(call host,$(MP_TABLE_SOURCES) $(HOST_SOURCES))
	$(host_link)
.PHONY: test-mp-table
test-mp-table: target/test/mp_table
	$<
TESTS += test-mp-table

# Ports and registers are those of the test.
UART_SOURCES := src/test/c/platform/test_uart.c src/main/c/platform/native/uart.c
$(call host,$(UART_SOURCES)): HOST_CFLAGS := -I src/test/c/drivers/virtio/transport $(HOST_CFLAGS)
target/test/uart: $(call host,$(UART_SOURCES) $(HOST_SOURCES))
	$(host_link)
.PHONY: test-uart
test-uart: target/test/uart
	@$<
TESTS += test-uart

# Ports, model-specific registers and hypercalls are those of hvm/, which the other directories know nothing of; so these
# are compiled on their own.
HVM_SOURCES := $(wildcard src/test/c/platform/hvm/*.c) \
    $(addprefix src/main/c/platform/,native/xen.c native/unplug.c xen/leaves.c xen/park.c xen/time.c xen/host.c)
target/test/hvm: $(HVM_SOURCES) $(wildcard src/test/c/platform/hvm/*.h src/test/c/platform/hvm/platform/*/*.h) \
    $(call host,$(HOST_SOURCES))
	@mkdir -p $(@D) && $(HOST_CC) -I src/test/c/platform/hvm $(HOST_CFLAGS) $(filter-out %.h,$^) -o $@
STEAL_SOURCES := src/test/c/platform/test_steal.c \
    $(addprefix src/main/c/platform/,native/steal.c native/kvm_clock.c xen/runstate.c xen/leaves.c)
target/test/steal: $(STEAL_SOURCES) $(wildcard src/test/c/platform/hvm/platform/*/*.h) $(call host,$(HOST_SOURCES))
	@mkdir -p $(@D) && $(HOST_CC) -I src/test/c/platform/hvm $(HOST_CFLAGS) $(filter-out %.h,$^) -o $@
.PHONY: test-steal
test-steal: target/test/steal
	$<
TESTS += test-steal

# Addresses in it become page numbers, as in the kernel's image.
target/test/pv_cpus: src/test/c/platform/test_pv_cpus.c src/main/c/platform/xenpv/cpus.c src/main/c/platform/xen/park.c \
    $(wildcard src/test/c/platform/hvm/platform/*/*.h) $(call host,$(HOST_SOURCES))
	@mkdir -p $(@D) && $(HOST_CC) -I src/test/c/platform/hvm $(HOST_CFLAGS) -pthread \
	    -Wl,--defsym=kernel_base=__executable_start $(filter-out %.h,$^) -o $@
.PHONY: test-pv-cpus
test-pv-cpus: target/test/pv_cpus
	@ASAN_OPTIONS=detect_leaks=0 $< 2>$<.log || { cat $<.log; exit 1; }
TESTS += test-pv-cpus

.PHONY: test-hvm
test-hvm: target/test/hvm
	@$< 2>$<.log || { cat $<.log; exit 1; }
TESTS += test-hvm

# Every indirect branch goes through a thunk of platform/x86/thunks.S; but the jumps of the entries. Those of the thunks
# lie in the upper half of their cache line (bit 5 of the address).
.PHONY: test-speculation
test-speculation: target/test/speculation $(OUT)/unikernel.debug
	target/test/speculation
	@found=$$(objdump -d --no-show-raw-insn $(OUT)/unikernel.debug | awk '/^[0-9a-f]+ </ { name = $$2 } \
	    /(call|jmp) +\*/ && name !~ /^<(__x86_indirect_thunk_|pvh_entry|xenpv_entry)/ { print name, $$0 }'); \
	if [ -z "$$found" ]; then echo "ok speculation: no indirect branch but in thunks"; \
	else echo "not ok speculation: no indirect branch but in thunks: $$found"; exit 1; fi
	@found=$$(objdump -d --no-show-raw-insn $(OUT)/unikernel.debug | awk '/^[0-9a-f]+ </ { thunk = $$2 ~ /__x86_indirect_thunk_/ } \
	    thunk && /jmp +\*/ { print ($$1 ~ /[2367abef][0-9a-f]:$$/ ? "upper" : "lower") }' | sort | uniq -c | tr -s ' \n' ' '); \
	if [ "$$found" = ' 15 upper ' ]; then echo "ok speculation: jumps of thunks lie in the upper half of a cache line"; \
	else echo "not ok speculation: jumps of thunks lie in the upper half of a cache line: $$found"; exit 1; fi

.PHONY: test-relocations
test-relocations: $(OUT)/unikernel.debug
	@$(CC) $(LDFLAGS) -Wl,--emit-relocs $(OBJECTS) $(OUT)/symbols.o $(OUT)/relocations.o -o $(OUT)/again.elf
	@if readelf -rW $(OUT)/again.elf | awk -f tools/relocations.awk | cmp - $(OUT)/relocations.S; \
	then echo "ok relocations: the table has all of the last link"; \
	else echo "not ok relocations: the table has all of the last link"; exit 1; fi
TESTS += test-relocations test-speculation

# What a boot seeds its random numbers from where neither the CPU nor the host offers entropy. BOOTS=200 is the long form.
BOOTS ?= 10
SEED_MACHINES ?= q35 microvm
.PHONY: test-seeds
test-seeds: $(PLATFORM_OUT)/test.elf $(PLATFORM_OUT)/min_entropy
	@src/test/c/platform/seeds $(PLATFORM_OUT) $(BOOTS) $(SEED_MACHINES)
$(PLATFORM_OUT)/min_entropy: src/test/c/core/min_entropy.c
	@mkdir -p $(@D)
	@$(HOST_CC) -std=gnu11 -O1 -g -Wall -Wextra -Werror $< -lm -o $@
ifneq ($(shell command -v qemu-system-x86_64),)
TESTS += test-seeds
endif

-include $(PLATFORM_OBJECTS:.o=.d)

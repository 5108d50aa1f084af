# SPDX-License-Identifier: Apache-2.0
# Xen front ends against a fake host.
include src/test/c/host/host.mk

DRIVER_SOURCES := $(BLOCK_SOURCES) \
    $(filter-out %/devices.c,$(wildcard src/main/c/drivers/xen/*.c)) src/main/c/drivers/flow.c \
    src/main/c/threads/cpu_wait.c
DRIVER_TEST_SOURCES := $(filter-out %/test_events.c,$(wildcard src/test/c/drivers/xen/*.c))

target/test/test_xen: $(call host,$(DRIVER_SOURCES) $(DRIVER_TEST_SOURCES) $(HOST_SOURCES))
	$(host_link)

# Compiled on their own, since their hypercalls go to the test.
EVENTS_SOURCES := src/test/c/drivers/xen/test_events.c src/main/c/platform/xen/events.c src/main/c/threads/interrupts.c
target/test/test_events: $(EVENTS_SOURCES) src/test/c/drivers/xen/fakes/platform/xen/hypercall.h $(call host,$(HOST_SOURCES))
	@mkdir -p $(@D) && $(HOST_CC) -I src/test/c/drivers/xen/fakes $(HOST_CFLAGS) $(filter-out %.h,$^) -o $@

.PHONY: test-drivers
test-drivers: target/test/test_xen target/test/test_events
	@target/test/test_xen >$<.log; status=$$?; grep -v '^#' $<.log; exit $$status
	@target/test/test_events
TESTS += test-drivers

# Each against a backend or daemon that does what the fuzzer's bytes say.
FUZZ_DRIVER_FAKES := $(addprefix src/test/c/drivers/xen/,fake_xen.c fake_store.c fake_backends.c fuzz/stubs.c)

target/test/fuzz_drivers_net target/test/fuzz_drivers_blk: target/test/fuzz_drivers_%: \
    $(call fuzz,src/test/c/drivers/xen/fuzz/fuzz_%.c $(FUZZ_DRIVER) $(FUZZ_DRIVER_FAKES) $(DRIVER_SOURCES) $(HOST_SOURCES))
	$(fuzz_link)

# It includes xenbus.c.
target/test/fuzz_drivers_xenstore: $(call fuzz,src/test/c/drivers/xen/fuzz/fuzz_xenstore.c src/test/c/drivers/xen/fuzz/stubs.c \
    $(addprefix src/main/c/drivers/xen/,control.c settings.c) $(HOST_SOURCES))
	$(fuzz_link)

target/test/fuzz_drivers_console: $(call fuzz,src/test/c/drivers/xen/fuzz/fuzz_console.c src/main/c/drivers/xen/console.c \
    $(HOST_SOURCES))
	$(fuzz_link)

fuzz-drivers-%: target/test/fuzz_drivers_%
	$(fuzz_run)
ifneq ($(shell command -v clang),)
TESTS += fuzz-drivers-net fuzz-drivers-blk fuzz-drivers-xenstore fuzz-drivers-console
endif

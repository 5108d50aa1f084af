# Xen front ends against a fake host.
include src/test/c/host/host.mk

DRIVER_SOURCES := src/main/c/drivers/device.c \
    $(filter-out %/devices.c,$(wildcard src/main/c/drivers/xen/*.c))
DRIVER_TEST_SOURCES := $(wildcard src/test/c/drivers/*.c)

target/test/test_xen: $(DRIVER_SOURCES) $(DRIVER_TEST_SOURCES) $(HOST_SOURCES) $(HOST_HEADERS) \
    $(wildcard src/main/c/drivers/*.h src/main/c/drivers/xen/*.h src/test/c/drivers/*.h)
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_CFLAGS) $(DRIVER_SOURCES) $(DRIVER_TEST_SOURCES) $(HOST_SOURCES) -o $@

.PHONY: test-drivers
test-drivers: target/test/test_xen
	@target/test/test_xen >$<.log; status=$$?; grep -v '^#' $<.log; exit $$status
TESTS += test-drivers

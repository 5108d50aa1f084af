# platform/xenpv in a Xen domain, in the lab: as the first domain, so it takes seconds. Skipped where
# the lab's tools are not installed (lab/setup).
XENPV_OUT := target/test/xenpv
XENPV_SOURCES := $(wildcard src/main/c/lib/*.c src/main/c/platform/x86/*.c src/main/c/platform/x86/*.S \
    src/main/c/platform/xenpv/*.c src/main/c/platform/xenpv/*.S) src/main/c/platform/dispatch.c \
    src/main/c/drivers/xen/console.c src/test/c/xenpv/test_xenpv.c src/test/c/xenpv/user.S
XENPV_OBJECTS := $(patsubst src/%,$(XENPV_OUT)/%.o,$(XENPV_SOURCES))
XENPV_FLAGS = $(CFLAGS) -I src/test/c/xenpv

$(XENPV_OUT)/%.c.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(XENPV_FLAGS) -MMD -c $< -o $@
$(XENPV_OUT)/%.S.o: src/%.S
	@mkdir -p $(@D)
	$(CC) $(XENPV_FLAGS) -D__ASSEMBLY__ -MMD -c $< -o $@

$(XENPV_OUT)/first.elf: $(XENPV_OBJECTS) $(SRC)/kernel.lds
	$(CC) $(LDFLAGS) $(XENPV_OBJECTS) -o $@
$(XENPV_OUT)/symbols.S: $(XENPV_OUT)/first.elf tools/symbols.awk
	$(NM) -n $< | awk -f tools/symbols.awk >$@
$(XENPV_OUT)/test.elf: $(XENPV_OUT)/symbols.S
	$(CC) -c $< -o $(XENPV_OUT)/symbols.o
	$(CC) $(LDFLAGS) $(XENPV_OBJECTS) $(XENPV_OUT)/symbols.o -o $@.debug
	strip --strip-all -o $@ $@.debug

.PHONY: test-xenpv
ifneq ($(and $(shell command -v qemu-system-x86_64),$(wildcard /boot/xen-*.gz)),)
test-xenpv: $(XENPV_OUT)/test.elf
	../lab/xen --dom0-kernel-is-guest --kernel $< --memory 64 --timeout 60
else
test-xenpv:
	@echo "skipped: no Xen or no QEMU here; see lab/setup"
endif
TESTS += test-xenpv

-include $(XENPV_OBJECTS:.o=.d)

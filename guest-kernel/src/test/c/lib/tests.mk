# SPDX-License-Identifier: Apache-2.0
include src/test/c/host/host.mk

target/test/lib: $(call host,src/test/c/lib/test_lib.c $(HOST_SOURCES))
	$(host_link)

# Assembly for the host; libc has functions of the first names.
$(HOST_OBJECTS)/src/main/c/%.S.o: src/main/c/%.S
	@mkdir -p $(@D)
	@$(HOST_CC) -D__ASSEMBLY__ -D memcpy=kernel_memcpy -D memset=kernel_memset -I src/main/c -MMD -MP -c $< -o $@

COPIES_ASSEMBLY := $(patsubst %,$(HOST_OBJECTS)/src/main/c/%.S.o,lib/memory platform/x86/user_copy)
target/test/copies: $(call host,src/test/c/lib/test_copies.c $(HOST_SOURCES)) $(COPIES_ASSEMBLY)
	$(host_link)

.PHONY: test-lib
test-lib: target/test/lib target/test/copies
	target/test/lib
	target/test/copies
TESTS += test-lib

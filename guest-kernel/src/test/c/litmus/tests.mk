# SPDX-License-Identifier: Apache-2.0
# Sources that rely on barriers, in all executions that x86 allows, and without each barrier.
include src/test/c/host/host.mk

# Each includes the source that it tests. Casts to the types of what is loaded repeat their qualifiers.
LITMUS_CFLAGS := $(FAST_CFLAGS) -Wno-ignored-qualifiers

target/test/litmus_ring: src/main/c/drivers/xen/ring.c src/main/c/drivers/xen/ring.h
target/test/litmus_kernel_lock: src/main/c/core/kernel_lock.c src/main/c/core/kernel_lock.h
target/test/litmus_%: src/test/c/litmus/test_%.c src/test/c/litmus/tso.c src/test/c/litmus/tso.h
	@mkdir -p $(@D) && $(HOST_CC) $(LITMUS_CFLAGS) $(filter src/test/c/litmus/%.c,$^) -o $@

.PHONY: test-litmus
test-litmus: target/test/litmus_ring target/test/litmus_kernel_lock
	@target/test/litmus_ring
	@target/test/litmus_kernel_lock
TESTS += test-litmus

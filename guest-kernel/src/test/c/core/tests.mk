# SPDX-License-Identifier: Apache-2.0
include src/test/c/host/host.mk

target/test/lock_order: $(call host,src/test/c/core/test_lock_order.c $(HOST_SOURCES))
	$(host_link)

target/test/kernel_lock: $(call host,src/test/c/core/test_kernel_lock.c src/main/c/core/kernel_lock.c $(HOST_SOURCES))
	$(host_link)

# The allocators themselves, so without the shim's.
PAGES_TEST_SOURCES := src/test/c/core/test_pages.c src/main/c/core/pages.c src/main/c/core/heap.c \
    $(filter-out %/memory.c,$(HOST_SOURCES))
target/test/pages: $(call host,$(PAGES_TEST_SOURCES))
	$(host_link)

# The generator itself, so without the shim's.
RANDOM_TEST_SOURCES := src/test/c/core/test_random.c src/main/c/core/random.c src/main/c/core/jitter.c src/main/c/threads/seed.c \
    $(filter-out %/random.c,$(HOST_SOURCES))
target/test/random: $(call host,$(RANDOM_TEST_SOURCES))
	$(host_link)

.PHONY: test-core
test-core: target/test/lock_order target/test/kernel_lock target/test/pages target/test/random
	target/test/lock_order
	target/test/kernel_lock
	target/test/pages
	target/test/random
TESTS += test-core

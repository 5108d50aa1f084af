include src/test/c/host/host.mk

target/test/lib: $(call host,src/test/c/lib/test_lib.c $(HOST_SOURCES))
	$(host_link)

target/test/lock_order: $(call host,src/test/c/lib/test_lock_order.c $(HOST_SOURCES))
	$(host_link)

# The allocators themselves, so without the shim's.
PAGES_TEST_SOURCES := src/test/c/lib/test_pages.c src/main/c/core/pages.c src/main/c/core/heap.c \
    $(filter-out %/memory.c,$(HOST_SOURCES))
target/test/pages: $(call host,$(PAGES_TEST_SOURCES))
	$(host_link)

# The generator itself, so without the shim's.
RANDOM_TEST_SOURCES := src/test/c/lib/test_random.c src/main/c/core/random.c src/main/c/core/jitter.c \
    $(filter-out %/random.c,$(HOST_SOURCES))
target/test/random: $(call host,$(RANDOM_TEST_SOURCES))
	$(host_link)

.PHONY: test-lib
test-lib: target/test/lib target/test/lock_order target/test/pages target/test/random
	target/test/lib
	target/test/lock_order
	target/test/pages
	target/test/random
TESTS += test-lib

.PHONY: test-indexes
test-indexes:
	tools/check-indexes $(SRC)
TESTS += test-indexes

.PHONY: test-openings
test-openings:
	tools/check-openings $(SRC) src/test/c
TESTS += test-openings

.PHONY: test-layers
test-layers: $(OBJECTS)
	tools/check-layers.test
	tools/check-layers docs/layers.md $(SRC) $(OUT)
TESTS += test-layers

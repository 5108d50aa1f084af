include src/test/c/host/host.mk

target/test/lib: src/test/c/lib/test_lib.c $(HOST_SOURCES) $(HOST_HEADERS)
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_CFLAGS) src/test/c/lib/test_lib.c $(HOST_SOURCES) -o $@

# The allocators themselves, so without the shim's.
PAGES_TEST_SOURCES := src/test/c/lib/test_pages.c src/main/c/lib/pages.c src/main/c/lib/heap.c \
    $(filter-out %/memory.c,$(HOST_SOURCES))
target/test/pages: $(PAGES_TEST_SOURCES) $(HOST_HEADERS)
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_CFLAGS) $(PAGES_TEST_SOURCES) -o $@

# The generator itself, so without the shim's.
RANDOM_TEST_SOURCES := src/test/c/lib/test_random.c src/main/c/lib/random.c src/main/c/lib/jitter.c \
    $(filter-out %/random.c,$(HOST_SOURCES))
target/test/random: $(RANDOM_TEST_SOURCES) $(HOST_HEADERS)
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_CFLAGS) $(RANDOM_TEST_SOURCES) -o $@

.PHONY: test-lib
test-lib: target/test/lib target/test/pages target/test/random
	target/test/lib
	target/test/pages
	target/test/random
TESTS += test-lib

.PHONY: test-indexes
test-indexes:
	tools/check-indexes $(SRC)
TESTS += test-indexes

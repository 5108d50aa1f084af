include src/test/c/host/host.mk

target/test/lib: src/test/c/lib/test_lib.c $(HOST_SOURCES) $(HOST_HEADERS)
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_CFLAGS) src/test/c/lib/test_lib.c $(HOST_SOURCES) -o $@

.PHONY: test-lib
test-lib: target/test/lib
	$<
TESTS += test-lib

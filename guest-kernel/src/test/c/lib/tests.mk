# SPDX-License-Identifier: Apache-2.0
include src/test/c/host/host.mk

target/test/lib: $(call host,src/test/c/lib/test_lib.c $(HOST_SOURCES))
	$(host_link)

.PHONY: test-lib
test-lib: target/test/lib
	target/test/lib
TESTS += test-lib

# SPDX-License-Identifier: Apache-2.0
include src/test/c/host/host.mk

# Includes threads/cpu_time.c.
target/test/cpu_time: $(call host,src/test/c/threads/test_cpu_time.c $(HOST_SOURCES))
	$(host_link)
.PHONY: test-cpu-time
test-cpu-time: target/test/cpu_time
	$<
TESTS += test-cpu-time

# SPDX-License-Identifier: Apache-2.0
include src/test/c/host/host.mk

# Includes threads/cpu_time.c.
target/test/cpu_time: $(call host,src/test/c/threads/test_cpu_time.c $(HOST_SOURCES))
	$(host_link)
.PHONY: test-cpu-time
test-cpu-time: target/test/cpu_time
	$<
TESTS += test-cpu-time

target/test/profiler: $(call host,src/test/c/threads/test_profiler.c src/main/c/threads/profile.c $(HOST_SOURCES))
	$(host_link)
.PHONY: test-profiler
test-profiler: target/test/profiler
	$<
TESTS += test-profiler

# Threads of the host stand for CPUs, so this one has no shim. Includes linux/sys_futex.c.
SMP_SOURCES := src/test/c/threads/test_smp.c \
    $(addprefix src/main/c/threads/,scheduler.c thread.c wait.c mutex.c timer.c cpu_time.c) \
    $(addprefix src/main/c/core/,kernel_lock.c lock.c lock_order.c lock_statistics.c) \
    $(addprefix src/main/c/lib/,tree.c hash.c format.c text.c)
target/test/smp: $(SMP_SOURCES)
	@mkdir -p $(@D)
	$(HOST_CC) $(COMMON_CFLAGS) -O1 -fno-omit-frame-pointer -fsanitize=thread -D KERNEL_DEBUG -pthread $^ -o $@
.PHONY: test-smp
test-smp: target/test/smp
	$<
TESTS += test-smp

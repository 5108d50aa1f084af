# SPDX-License-Identifier: Apache-2.0
# What a directory's tests.mk needs to build programs against the host shim:
#
#   include src/test/c/host/host.mk          (once or often)
#   target/test/NAME: $(call host,SOURCES... $(HOST_SOURCES))
#   	$(host_link)
#
# and `fuzz`, `fuzz_link` for a fuzzer, `fast`, `fast_link` for a benchmark. Each source is compiled once for all tests,
# once for all fuzzers and once for all benchmarks. The kernel
# sources under test are named by each tests.mk; HOST_SOURCES is the shim and the parts of lib/ that need nothing from a
# machine.
ifndef HOST_SOURCES
HOST_CC ?= gcc
COMMON_CFLAGS := -std=gnu11 -g -Wall -Wextra -Werror -fno-strict-aliasing -D DIRECT_MAP=0x200000000000UL \
    -I src/main/c -I src/test/c
HOST_CFLAGS := $(COMMON_CFLAGS) -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all \
    -D KERNEL_DEBUG
FAST_CFLAGS := $(COMMON_CFLAGS) -O2
HOST_SOURCES := $(wildcard src/test/c/host/*.c) \
    $(addprefix src/main/c/lib/,checksum.c crc32.c date.c errno.c format.c hash.c text.c tree.c) \
    $(addprefix src/main/c/core/,console.c journal.c lock_order.c lock_statistics.c packet.c) \
    $(addprefix src/main/c/threads/,timer.c wait.c)

# For tests of drivers with disks, and for fuzzers of drivers (drivers/fuzz/driver.h).
BLOCK_SOURCES := $(addprefix src/main/c/drivers/,device.c numbers.c)
FUZZ_DRIVER := $(addprefix src/test/c/drivers/fuzz/,driver.c requests.c packets.c)

HOST_OBJECTS := target/test/host
FUZZ_OBJECTS := target/test/fuzz
FAST_OBJECTS := target/test/fast
host = $(patsubst %.c,$(HOST_OBJECTS)/%.o,$(1))
fuzz = $(patsubst %.c,$(FUZZ_OBJECTS)/%.o,$(1))
fast = $(patsubst %.c,$(FAST_OBJECTS)/%.o,$(1))
host_link = @mkdir -p $(@D) && $(HOST_CC) $(HOST_CFLAGS) $^ -o $@
fuzz_link = @mkdir -p $(@D) && clang $(HOST_CFLAGS) -fsanitize=fuzzer $^ -o $@
fast_link = @mkdir -p $(@D) && $(HOST_CC) $(FAST_CFLAGS) $^ -o $@

$(HOST_OBJECTS)/%.o: %.c
	@mkdir -p $(@D)
	@$(HOST_CC) $(HOST_CFLAGS) -MMD -MP -c $< -o $@
$(FUZZ_OBJECTS)/%.o: %.c
	@mkdir -p $(@D)
	@clang $(HOST_CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c $< -o $@
$(FAST_OBJECTS)/%.o: %.c
	@mkdir -p $(@D)
	@$(HOST_CC) $(FAST_CFLAGS) -MMD -MP -c $< -o $@
-include $(shell find $(HOST_OBJECTS) $(FUZZ_OBJECTS) $(FAST_OBJECTS) -name '*.d' 2>/dev/null)
# No object is a by-product that make deletes.
.SECONDARY:

# Each fuzzer's run, where clang with libFuzzer is installed; FUZZ_SECONDS=600 for a long one.
FUZZ_SECONDS ?= 10
# The recipe of fuzz-NAME, for a driver's fuzzer: without what the driver logs, since most inputs break a device.
fuzz_run = @mkdir -p target/test/corpus-$(@:fuzz-%=%); \
    nice $< -max_total_time=$(FUZZ_SECONDS) -max_len=1024 -detect_leaks=0 -close_fd_mask=2 \
    -artifact_prefix=target/test/ -verbosity=0 target/test/corpus-$(@:fuzz-%=%) >$<.log 2>&1 || { cat $<.log; exit 1; }; \
    echo "ok $(subst -, ,$@)"
endif

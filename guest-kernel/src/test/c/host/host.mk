# What a directory's tests.mk needs to build programs against the host shim:
#
#   include src/test/c/host/host.mk          (once or often)
#   target/test/NAME: SOURCES...             with  $(HOST_CC) $(HOST_CFLAGS) SOURCES $(HOST_SOURCES) -o $@
#
# The kernel sources under test are named by each tests.mk; HOST_SOURCES is the shim and the parts of
# lib/ that need nothing from a machine.
ifndef HOST_SOURCES
HOST_CC ?= gcc
HOST_CFLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Werror -fno-strict-aliasing -fno-omit-frame-pointer \
    -fsanitize=address,undefined -fno-sanitize-recover=all \
    -D KERNEL_DEBUG -D DIRECT_MAP=0x200000000000UL -I src/main/c -I src/test/c
HOST_SOURCES := $(wildcard src/test/c/host/*.c) \
    src/main/c/lib/console.c src/main/c/lib/format.c src/main/c/lib/hash.c src/main/c/lib/text.c src/main/c/lib/tree.c
HOST_HEADERS := $(wildcard src/test/c/host/*.h)
# Each fuzzer's run, where clang with libFuzzer is installed; FUZZ_SECONDS=600 for a long one.
FUZZ_SECONDS ?= 10
endif

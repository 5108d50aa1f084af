# SPDX-License-Identifier: Apache-2.0
# The network stack against Linux's own over TAP, crafted segments, and the parsers.
include src/test/c/host/host.mk

NET_SOURCES := $(wildcard src/main/c/net/*.c src/main/c/net/*/*.c) src/main/c/drivers/device.c src/main/c/memory/transfer.c \
    src/main/c/files/text.c src/main/c/threads/cpu_wait.c src/test/c/net/support.c src/test/c/net/files_stub.c

target/test/test_net_linux: $(call host,$(addprefix src/test/c/net/,test_linux.c streams.c linux_peers.c peer.c tap.c linux_tap.c) \
    $(NET_SOURCES) $(HOST_SOURCES))
	$(host_link)

target/test/test_net_%: $(call host,src/test/c/net/test_%.c src/test/c/net/wire.c $(NET_SOURCES) $(HOST_SOURCES))
	$(host_link)

target/test/fuzz_net_%: $(call fuzz,src/test/c/net/fuzz_%.c src/test/c/net/wire.c $(NET_SOURCES) $(HOST_SOURCES))
	$(fuzz_link)

# Throughput over bad lines beside Linux's own TCP: a benchmark, not a test, so optimised and without sanitizers.
# docs/network.md has the results.
target/test/bench_net_lines: $(call fast,$(addprefix src/test/c/net/,bench_lines.c bench_lines_linux.c tap.c linux_tap.c) \
    $(NET_SOURCES) $(HOST_SOURCES))
	$(fast_link)
.PHONY: bench-net-lines
bench-net-lines: target/test/bench_net_lines
	@$<

fuzz-net-%: target/test/fuzz_net_%
	@mkdir -p target/test/corpus-net-$*
	@nice $< -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -artifact_prefix=target/test/ -verbosity=0 \
	    target/test/corpus-net-$* >$<.log 2>&1 || { cat $<.log; exit 1; }
	@echo "ok fuzz net $*"
ifneq ($(shell command -v clang),)
TESTS += fuzz-net-frames fuzz-net-ip6 fuzz-net-dhcp fuzz-net-dhcp6 fuzz-net-http fuzz-net-requests fuzz-net-dns fuzz-net-sntp
endif

NET_TESTS := counters ip6 dhcp6 http dns syslog metrics service segments send_queue recovery throughput protocols multicast mld path_mtu lifetimes attacks unix sntp \
    sntp_leap sntp_names linux
.PHONY: test-net
test-net: $(NET_TESTS:%=target/test/test_net_%)
	@set -e; for test in $^; do $$test; done
TESTS += test-net

# Parts of test-net, for src/it/without.
.PHONY: test-net-ip6 test-net-dhcp6 test-net-mld test-net-path_mtu
test-net-ip6 test-net-dhcp6 test-net-mld test-net-path_mtu: test-net-%: target/test/test_net_%
	@$<

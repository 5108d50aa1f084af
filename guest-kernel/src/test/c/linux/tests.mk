# SPDX-License-Identifier: Apache-2.0
# What a start is given from outside: its texts, and the lookup on top of the whole network stack.
include src/test/c/host/host.mk

LINUX_TEST := target/test/linux
ENVIRONMENT_SOURCES := $(addprefix src/main/c/linux/,environment.c string_list.c user_data.c)
INSTANCE_SOURCES := src/main/c/linux/instance.c src/main/c/linux/diagnostics.c $(wildcard src/main/c/net/*.c src/main/c/net/*/*.c) \
    $(addprefix src/main/c/,drivers/device.c memory/transfer.c threads/cpu_wait.c files/text.c) \
    $(addprefix src/test/c/net/,support.c files_stub.c wire.c)

$(LINUX_TEST)/test_environment: $(call host,$(ENVIRONMENT_SOURCES))
$(LINUX_TEST)/test_instance: $(call host,$(ENVIRONMENT_SOURCES) $(INSTANCE_SOURCES))
$(LINUX_TEST)/test_pending: $(call host,src/main/c/linux/pending.c)
$(LINUX_TEST)/test_signal_frame: $(call host,src/main/c/linux/signal_frame.c)
$(LINUX_TEST)/test_signal_frame: WRAPPED := -Wl,--wrap=user_read
$(LINUX_TEST)/test_%: $(call host,src/test/c/linux/test_%.c $(HOST_SOURCES))
	$(host_link) $(WRAPPED)

.PHONY: test-linux
test-linux: $(addprefix $(LINUX_TEST)/test_,environment instance pending signal_frame)
	@for test in $^; do $$test 2>$$test.log || { cat $$test.log; exit 1; }; done
TESTS += test-linux

$(LINUX_TEST)/fuzz_user_data: $(call fuzz,src/test/c/linux/fuzz_user_data.c $(ENVIRONMENT_SOURCES) $(HOST_SOURCES))
	$(fuzz_link)

ELF_FUZZ_SOURCES := src/test/c/linux/fuzz_elf.c src/main/c/linux/elf.c src/main/c/memory/layout.c
$(LINUX_TEST)/fuzz_elf: $(call fuzz,$(ELF_FUZZ_SOURCES) $(HOST_SOURCES))
	$(fuzz_link) -Wl,--wrap=user_clear

# Beginnings of real programs, which hold all headers.
ELF_SEEDS := $(wildcard /bin/sh /bin/ls /lib64/ld-linux-x86-64.so.2)
$(LINUX_TEST)/corpus_elf.done: $(ELF_SEEDS)
	@mkdir -p $(LINUX_TEST)/corpus_elf
	@for seed in $^; do head -c 2048 $$seed >$(LINUX_TEST)/corpus_elf/$$(basename $$seed); done
	@touch $@
$(LINUX_TEST)/corpus_user_data.done:
	@mkdir -p $(LINUX_TEST)/corpus_user_data
	@touch $@

.PHONY: fuzz-linux-user_data fuzz-linux-elf
fuzz-linux-user_data fuzz-linux-elf: fuzz-linux-%: $(LINUX_TEST)/fuzz_% $(LINUX_TEST)/corpus_%.done
	@nice $< -max_total_time=$(or $(FUZZ_SECONDS),10) -max_len=2048 -artifact_prefix=$(LINUX_TEST)/ -verbosity=0 \
	    $(LINUX_TEST)/corpus_$* >$<.log 2>&1 || { cat $<.log; exit 1; }
	@echo "ok fuzz $*"
ifneq ($(shell command -v clang),)
TESTS += fuzz-linux-user_data fuzz-linux-elf
endif

# What a start is told from outside: its texts, and the lookup on top of the whole network stack.
include src/test/c/host/host.mk

LINUX_TEST := target/test/linux
ENVIRONMENT_SOURCES := $(addprefix src/main/c/linux/,environment.c string_list.c user_data.c)
INSTANCE_SOURCES := src/main/c/linux/instance.c $(wildcard src/main/c/net/*.c) src/main/c/drivers/device.c src/main/c/memory/transfer.c \
    src/test/c/net/support.c src/test/c/net/files_stub.c src/test/c/net/wire.c
LINUX_TEST_HEADERS := $(wildcard src/main/c/linux/*.h src/main/c/net/*.h src/test/c/net/*.h) $(HOST_HEADERS)

$(LINUX_TEST)/test_environment: $(ENVIRONMENT_SOURCES)
$(LINUX_TEST)/test_instance: $(ENVIRONMENT_SOURCES) $(INSTANCE_SOURCES)
$(LINUX_TEST)/test_%: src/test/c/linux/test_%.c $(HOST_SOURCES) $(LINUX_TEST_HEADERS)
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_CFLAGS) $(filter %.c,$^) -o $@

.PHONY: test-linux
test-linux: $(LINUX_TEST)/test_environment $(LINUX_TEST)/test_instance
	@for test in $^; do $$test 2>$$test.log || { cat $$test.log; exit 1; }; done
TESTS += test-linux

$(LINUX_TEST)/fuzz_user_data: src/test/c/linux/fuzz_user_data.c $(ENVIRONMENT_SOURCES) $(HOST_SOURCES) \
    $(LINUX_TEST_HEADERS)
	@mkdir -p $(@D)
	clang $(HOST_CFLAGS) -fsanitize=fuzzer $(filter %.c,$^) -o $@

.PHONY: fuzz-linux-user-data
fuzz-linux-user-data: $(LINUX_TEST)/fuzz_user_data
	@mkdir -p $(LINUX_TEST)/corpus-user-data
	@nice $< -max_total_time=$(or $(FUZZ_SECONDS),10) -max_len=2048 -artifact_prefix=$(LINUX_TEST)/ -verbosity=0 \
	    $(LINUX_TEST)/corpus-user-data >$<.log 2>&1 || { cat $<.log; exit 1; }
	@echo "ok fuzz user data"
ifneq ($(shell command -v clang),)
TESTS += fuzz-linux-user-data
endif

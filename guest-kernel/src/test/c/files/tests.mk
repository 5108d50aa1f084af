# SPDX-License-Identifier: Apache-2.0
include src/test/c/host/host.mk

FILES_TEST := target/test/files
FILES_SOURCES := $(wildcard src/main/c/files/*.c src/main/c/files/*/*.c) src/main/c/memory/page_cache.c \
    src/main/c/drivers/partition.c src/main/c/drivers/numbers.c src/main/c/memory/transfer.c src/main/c/threads/interval_timer.c src/test/c/files/support.c $(HOST_SOURCES)

$(FILES_TEST)/test_%: $(call host,src/test/c/files/test_%.c $(FILES_SOURCES))
	$(host_link)

$(FILES_TEST)/images.done: src/test/c/files/images.sh
	@mkdir -p $(@D)
	@src/test/c/files/images.sh $(FILES_TEST)
	@touch $@

.PHONY: test-files-ext2
test-files-ext2: $(FILES_TEST)/test_ext2 $(FILES_TEST)/images.done
	@$< $(FILES_TEST)/ext2-1024-r1.img 70000000
	@$< $(FILES_TEST)/ext2-2048-r1.img 600000000
	@$< $(FILES_TEST)/ext2-4096-r1.img 4500000000
	@$< $(FILES_TEST)/ext2-1024-r0.img 70000000
TESTS += test-files-ext2

.PHONY: test-files-tmpfs test-files-streams test-files-pseudo test-files-failing
test-files-tmpfs test-files-streams test-files-pseudo test-files-failing: test-files-%: $(FILES_TEST)/test_%
	@$<
TESTS += test-files-tmpfs test-files-streams test-files-pseudo test-files-failing

.PHONY: test-files-scratch
test-files-scratch: $(FILES_TEST)/test_scratch
	@$< $(FILES_TEST) 2>$<.log || { cat $<.log; exit 1; }
TESTS += test-files-scratch

.PHONY: test-files-data-disk
test-files-data-disk: $(FILES_TEST)/test_data_disk $(FILES_TEST)/images.done
	@$< $(FILES_TEST)/data-1024.img 1024 250 2>$<.log || { tail -n 20 $<.log; exit 1; }
	@$< $(FILES_TEST)/data-4096.img 4096 250 2>$<.log || { tail -n 20 $<.log; exit 1; }
TESTS += test-files-data-disk

.PHONY: test-files-layer
test-files-layer: $(FILES_TEST)/test_layer $(FILES_TEST)/images.done
	@$< $(FILES_TEST)/ext2-app.img
TESTS += test-files-layer

.PHONY: test-files-root
test-files-root: $(FILES_TEST)/test_root
	@$< $(FILES_TEST) 2>$<.log || { cat $<.log; exit 1; }
TESTS += test-files-root

$(FILES_TEST)/test_gpt $(FILES_TEST)/test_root: $(HOST_OBJECTS)/src/test/c/files/gpt_image.o

.PHONY: test-files-gpt
test-files-gpt: $(FILES_TEST)/test_gpt
	@$<
TESTS += test-files-gpt

FUZZ_SOURCES := src/test/c/files/fuzz_ext2.c $(filter-out src/test/c/files/support.c,$(FILES_SOURCES))
$(FILES_TEST)/fuzz_ext2: $(call fuzz,$(FUZZ_SOURCES))
	$(fuzz_link)

.PHONY: fuzz-files-ext2
fuzz-files-ext2: $(FILES_TEST)/fuzz_ext2 $(FILES_TEST)/images.done
	@ASAN_OPTIONS=detect_leaks=0 EXT2_IMAGE=$(FILES_TEST)/ext2-small.img nice $< -max_total_time=$(FUZZ_SECONDS) -max_len=64 \
	    -rss_limit_mb=4000 -timeout=5 -artifact_prefix=$(FILES_TEST)/ -verbosity=0 >$<.log 2>&1 || { cat $<.log; exit 1; }
	@echo "ok fuzz ext2"

$(FILES_TEST)/fuzz_gpt: $(call fuzz,src/test/c/files/fuzz_gpt.c src/test/c/files/gpt_image.c $(FILES_SOURCES))
	$(fuzz_link)

.PHONY: fuzz-files-gpt
fuzz-files-gpt: $(FILES_TEST)/fuzz_gpt
	@nice $< -max_total_time=$(FUZZ_SECONDS) -max_len=64 -timeout=5 -artifact_prefix=$(FILES_TEST)/ -verbosity=0 >$<.log 2>&1 || \
	    { cat $<.log; exit 1; }
	@echo "ok fuzz gpt"
ifneq ($(shell command -v clang),)
TESTS += fuzz-files-ext2 fuzz-files-gpt
endif

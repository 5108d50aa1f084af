# SPDX-License-Identifier: Apache-2.0
# The ENA driver against the model of its device (model/model.h), well behaved and hostile, and the model itself against
# a driver that breaks each of its rules.
include src/test/c/host/host.mk

ENA_MODEL := $(wildcard src/test/c/drivers/ena/model/*.c)
target/test/ena_model: $(call host,$(ENA_MODEL) $(addprefix src/test/c/drivers/ena/,test_model.c test_packets.c test_rules.c script.c) \
    $(HOST_SOURCES))
	$(host_link)

.PHONY: test-ena
test-ena: target/test/ena_model
	@$< 2>$<.log || { grep -v '^#' $<.log; exit 1; }
	@$< rules >$<.rules
	@if grep '^| `[A-Z]' docs/ena-model.md | cmp - $<.rules; then echo "ok ena model: the rules in the document are those of the model"; \
	else echo "not ok ena model: the rules in the document are those of the model: correct the table of docs/ena-model.md" \
	    "with the rows of $<.rules"; exit 1; fi
TESTS += test-ena

# SPDX-License-Identifier: Apache-2.0
include src/test/c/host/host.mk

PAGE_CACHE_SOURCES := src/test/c/memory/test_page_cache.c src/main/c/memory/page_cache.c
target/test/page_cache: $(call host,$(PAGE_CACHE_SOURCES) $(HOST_SOURCES))
	$(host_link)

# The address space without faults.
SPACE_SOURCES := $(addprefix src/main/c/memory/,areas.c large.c layout.c mappings.c protection.c remap.c sources.c)
AREAS_SOURCES := src/test/c/memory/test_areas.c $(SPACE_SOURCES)
target/test/areas: $(call host,$(AREAS_SOURCES) $(HOST_SOURCES))
	$(host_link)

LAYOUT_SOURCES := src/test/c/memory/test_layout.c src/main/c/memory/layout.c
target/test/layout: $(call host,$(LAYOUT_SOURCES) $(HOST_SOURCES))
	$(host_link)

FAULT_SOURCES := src/test/c/memory/test_fault.c $(addprefix src/main/c/memory/,fault.c page_cache.c) $(SPACE_SOURCES)
target/test/fault: $(call host,$(FAULT_SOURCES) $(HOST_SOURCES))
	$(host_link)

EXHAUSTION_SOURCES := src/test/c/memory/test_exhaustion.c $(filter src/main/%,$(FAULT_SOURCES))
target/test/exhaustion: $(call host,$(EXHAUSTION_SOURCES) $(HOST_SOURCES))
	$(host_link)

# Over page tables as the native platform has them.
LARGE_SOURCES := src/test/c/memory/test_large.c $(filter src/main/%,$(FAULT_SOURCES))
target/test/large: $(call host,$(LARGE_SOURCES) $(HOST_SOURCES))
	$(host_link)

.PHONY: test-memory
test-memory: target/test/page_cache target/test/areas target/test/layout target/test/fault target/test/exhaustion \
    target/test/large
	target/test/page_cache
	target/test/areas
	target/test/layout
	target/test/fault
	target/test/exhaustion
	target/test/large
TESTS += test-memory

include src/test/c/host/host.mk

PAGE_CACHE_SOURCES := src/test/c/memory/test_page_cache.c src/main/c/memory/page_cache.c
target/test/page_cache: $(PAGE_CACHE_SOURCES) $(HOST_SOURCES) $(HOST_HEADERS)
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_CFLAGS) $(PAGE_CACHE_SOURCES) $(HOST_SOURCES) -o $@

AREAS_SOURCES := src/test/c/memory/test_areas.c src/main/c/memory/areas.c src/main/c/memory/mappings.c \
    src/main/c/memory/layout.c
target/test/areas: $(AREAS_SOURCES) src/main/c/memory/areas.h $(HOST_SOURCES) $(HOST_HEADERS)
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_CFLAGS) $(AREAS_SOURCES) $(HOST_SOURCES) -o $@

LAYOUT_SOURCES := src/test/c/memory/test_layout.c src/main/c/memory/layout.c
target/test/layout: $(LAYOUT_SOURCES) src/main/c/memory/layout.h $(HOST_SOURCES) $(HOST_HEADERS)
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_CFLAGS) $(LAYOUT_SOURCES) $(HOST_SOURCES) -o $@

FAULT_SOURCES := src/test/c/memory/test_fault.c $(addprefix src/main/c/memory/, fault.c areas.c mappings.c layout.c \
    page_cache.c)
target/test/fault: $(FAULT_SOURCES) src/main/c/memory/areas.h $(HOST_SOURCES) $(HOST_HEADERS)
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_CFLAGS) $(FAULT_SOURCES) $(HOST_SOURCES) -o $@

EXHAUSTION_SOURCES := src/test/c/memory/test_exhaustion.c $(filter src/main/%,$(FAULT_SOURCES))
target/test/exhaustion: $(EXHAUSTION_SOURCES) src/main/c/memory/areas.h $(HOST_SOURCES) $(HOST_HEADERS)
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_CFLAGS) $(EXHAUSTION_SOURCES) $(HOST_SOURCES) -o $@

.PHONY: test-memory
test-memory: target/test/page_cache target/test/areas target/test/layout target/test/fault target/test/exhaustion
	target/test/page_cache
	target/test/areas
	target/test/layout
	target/test/fault
	target/test/exhaustion
TESTS += test-memory

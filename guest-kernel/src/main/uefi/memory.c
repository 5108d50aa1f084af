/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory as the firmware gives it and describes it (UEFI specification 2.10, 7.2), and the end of the firmware's
 * services (7.4.6).
 *
 * The memory map changes whenever the firmware allocates something, and its services end only for the caller who has
 * the newest one. So there is a buffer for it with room to spare before it is read; between reading it and ending the
 * services nothing is called; and if the map has changed by then, it is read once more. What of the loader stays in
 * memory then is RAM to the kernel, which copies what it is given before it uses any.
 */
#include "lib/string.h"
#include "uefi.h"

#define CLAIMS_MAX 40 /* segments of the kernel (linux/elf.h: ELF_MAX_PROGRAM_HEADERS) and what is allocated */
#define SPARE_BYTES EFI_PAGE_SIZE /* for descriptors that come up after the map's size was asked */
#define ATTEMPTS 8

/* Types of ranges (ACPI 6.5, 15.4: address range types). */
#define TYPE_RAM 1
#define TYPE_RESERVED 2
#define TYPE_ACPI 3
#define TYPE_NVS 4
#define TYPE_UNUSABLE 5

static struct claim {
    uint64_t address, pages;
} claims[CLAIMS_MAX];
static unsigned claims_count;

static struct {
    struct efi_memory_descriptor *buffer;
    uint64_t room, size, key, descriptor_size;
} firmware_map;

static struct memory_map_entry *entries;
static uint32_t entries_count;

static bool allocate(enum efi_allocate_type how, enum efi_memory_type type, uint64_t pages, uint64_t *address)
{
    if (claims_count == CLAIMS_MAX)
        fail("the kernel has too many segments; build the image again");
    if (efi_system->boot->allocate_pages(how, type, pages, address) != EFI_SUCCESS)
        return false;
    claims[claims_count++] = (struct claim){ *address, pages };
    return true;
}

void memory_claim(uint64_t start, uint64_t end)
{
    uint64_t first = align_down(start, EFI_PAGE_SIZE);
    uint64_t pages = (align_up(end, EFI_PAGE_SIZE) - first) >> EFI_PAGE_SHIFT;
    if (pages > 0 && !allocate(ALLOCATE_ADDRESS, EFI_LOADER_DATA, pages, &first))
        fail("no free memory from 0x%llx to 0x%llx for the kernel; give the machine more memory, or use another"
             " machine type",
             (unsigned long long)start, (unsigned long long)end);
}

void *memory_allocate(size_t size)
{
    uint64_t address = EARLY_LIMIT - 1;
    if (!allocate(ALLOCATE_MAX_ADDRESS, EFI_LOADER_CODE, align_up(size, EFI_PAGE_SIZE) >> EFI_PAGE_SHIFT, &address))
        fail("no %u bytes of memory below 4 GiB; give the machine more memory", (unsigned)size);
    return (void *)(uintptr_t)address;
}

void memory_release(void)
{
    while (claims_count > 0) {
        const struct claim *claim = &claims[--claims_count];
        efi_system->boot->free_pages(claim->address, claim->pages);
    }
}

/* What the kernel may use once the firmware's services have ended (7.2.3, tables 7.5 and 7.6). */
static uint32_t type_of(uint32_t type)
{
    switch (type) {
    case EFI_LOADER_CODE:
    case EFI_LOADER_DATA:
    case EFI_BOOT_SERVICES_CODE:
    case EFI_BOOT_SERVICES_DATA:
    case EFI_CONVENTIONAL:
        return TYPE_RAM;
    case EFI_ACPI_RECLAIM:
        return TYPE_ACPI;
    case EFI_ACPI_NVS:
        return TYPE_NVS;
    case EFI_UNUSABLE:
        return TYPE_UNUSABLE;
    default:
        return TYPE_RESERVED;
    }
}

/* The descriptors' size is the firmware's, which may know longer ones. */
static const struct efi_memory_descriptor *descriptor_at(uint64_t offset)
{
    return (const struct efi_memory_descriptor *)((const char *)firmware_map.buffer + offset);
}

/* The descriptor with the lowest address that is not below `from`; NULL: none. The firmware's order is any. */
static const struct efi_memory_descriptor *next_descriptor(uint64_t from)
{
    const struct efi_memory_descriptor *next = NULL;
    for (uint64_t at = 0; firmware_map.size - at >= firmware_map.descriptor_size; at += firmware_map.descriptor_size) {
        const struct efi_memory_descriptor *descriptor = descriptor_at(at);
        if (descriptor->pages > 0 && descriptor->physical_start >= from &&
            (!next || descriptor->physical_start < next->physical_start))
            next = descriptor;
    }
    return next;
}

static void add_entry(uint64_t start, uint64_t size, uint32_t type)
{
    struct memory_map_entry *last = entries_count > 0 ? &entries[entries_count - 1] : NULL;
    if (last && last->type == type && last->address + last->size == start) {
        last->size += size;
        return;
    }
    if (entries_count == MAP_ENTRIES_MAX)
        fail("the firmware's memory map has more than %u ranges; use another machine type", MAP_ENTRIES_MAX);
    entries[entries_count++] = (struct memory_map_entry){ .address = start, .size = size, .type = type };
}

/* Makes entries of the firmware's map, in the order of their addresses, neighbours of one type together. */
static void translate_map(void)
{
    const struct efi_memory_descriptor *descriptor;
    entries_count = 0;
    for (uint64_t from = 0; (descriptor = next_descriptor(from)); from = descriptor->physical_start + 1) {
        uint64_t pages_after = (UINT64_MAX - descriptor->physical_start) >> EFI_PAGE_SHIFT;
        if (descriptor->pages > pages_after)
            fail("the firmware's memory map has a range of %llu pages from 0x%llx; use another machine type",
                 (unsigned long long)descriptor->pages, (unsigned long long)descriptor->physical_start);
        add_entry(descriptor->physical_start, descriptor->pages << EFI_PAGE_SHIFT, type_of(descriptor->type));
    }
}

static void allocate_map(void)
{
    uint64_t size = 0, key, descriptor_size = 0;
    uint32_t version;
    efi_status status = efi_system->boot->get_memory_map(&size, NULL, &key, &descriptor_size, &version);
    if (status != EFI_BUFFER_TOO_SMALL)
        fail("the firmware says no size of its memory map (status 0x%llx); use another machine type",
             (unsigned long long)status);
    firmware_map.room = align_up(size + SPARE_BYTES, EFI_PAGE_SIZE);
    firmware_map.buffer = memory_allocate(firmware_map.room);
    entries = memory_allocate(MAP_ENTRIES_MAX * sizeof(*entries));
}

static void read_map(void)
{
    uint32_t version;
    firmware_map.size = firmware_map.room;
    efi_status status = efi_system->boot->get_memory_map(&firmware_map.size, firmware_map.buffer, &firmware_map.key,
                                                         &firmware_map.descriptor_size, &version);
    if (status != EFI_SUCCESS)
        fail("the firmware gives no memory map (status 0x%llx); use another machine type", (unsigned long long)status);
    if (firmware_map.size > firmware_map.room || firmware_map.descriptor_size < sizeof(struct efi_memory_descriptor))
        fail("the firmware's memory map has %llu bytes, with %llu for each range; use another machine type",
             (unsigned long long)firmware_map.size, (unsigned long long)firmware_map.descriptor_size);
}

/* The RSDP of ACPI 2.0, or that of 1.0, or 0 (4.6.1). */
static uint64_t find_acpi_root(void)
{
    static const struct efi_guid guids[] = { EFI_ACPI_20_GUID, EFI_ACPI_10_GUID };
    for (unsigned wanted = 0; wanted < array_size(guids); wanted++) {
        for (uint64_t i = 0; i < efi_system->configuration_count; i++) {
            if (!memcmp(&efi_system->configuration[i].guid, &guids[wanted], sizeof(guids[wanted])))
                return (uintptr_t)efi_system->configuration[i].table;
        }
    }
    return 0;
}

void memory_take_over(struct start_info *info)
{
    info->acpi_root = find_acpi_root();
    allocate_map();
    efi_status status = EFI_INVALID_PARAMETER;
    for (unsigned i = 0; i < ATTEMPTS && status == EFI_INVALID_PARAMETER; i++) {
        read_map();
        translate_map();
        status = efi_system->boot->exit_boot_services(efi_image, firmware_map.key);
        /* After a failure, too, nothing but the memory map may be asked for. */
        console_without_firmware();
    }
    if (status != EFI_SUCCESS)
        fail("the firmware does not end its services (status 0x%llx); start the machine again",
             (unsigned long long)status);
    info->memory_map = (uintptr_t)entries;
    info->memory_map_entries = entries_count;
}

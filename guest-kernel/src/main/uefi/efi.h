/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this loader uses of the Unified Extensible Firmware Interface (UEFI specification 2.10; the section is with each
 * part). Names are the specification's in the style of the kernel. Members that are not used have no types.
 */
#pragma once

#include "lib/types.h"

#define efi_call __attribute__((ms_abi)) /* 2.3.4.2 */

/* ---- Appendix D: status codes ---------------------------------------------------------------------- */

typedef uint64_t efi_status;

#define EFI_SUCCESS 0
#define EFI_ERROR(n) (1ULL << 63 | (n))
#define EFI_LOAD_ERROR EFI_ERROR(1)
#define EFI_INVALID_PARAMETER EFI_ERROR(2)
#define EFI_BUFFER_TOO_SMALL EFI_ERROR(5)
#define EFI_NOT_FOUND EFI_ERROR(14)

/* ---- 7.2: memory ----------------------------------------------------------------------------------- */

#define EFI_PAGE_SIZE 4096UL
#define EFI_PAGE_SHIFT 12

enum efi_allocate_type { ALLOCATE_ANY_PAGES, ALLOCATE_MAX_ADDRESS, ALLOCATE_ADDRESS };

enum efi_memory_type {
    EFI_RESERVED,
    EFI_LOADER_CODE,
    EFI_LOADER_DATA,
    EFI_BOOT_SERVICES_CODE,
    EFI_BOOT_SERVICES_DATA,
    EFI_RUNTIME_SERVICES_CODE,
    EFI_RUNTIME_SERVICES_DATA,
    EFI_CONVENTIONAL,
    EFI_UNUSABLE,
    EFI_ACPI_RECLAIM,
    EFI_ACPI_NVS,
};

struct efi_memory_descriptor {
    uint32_t type, padding;
    uint64_t physical_start, virtual_start, pages, attribute;
};

/* ---- 9.1, 12.4, 13.4, 13.5: protocols -------------------------------------------------------------- */

struct efi_guid {
    uint32_t a;
    uint16_t b, c;
    uint8_t d[8];
};

struct efi_loaded_image {
    uint32_t revision;
    void *parent;
    struct efi_system_table *system;
    void *device; /* the handle that the image was loaded from */
};
#define EFI_LOADED_IMAGE_GUID \
    { \
        0x5b1b31a1, 0x9562, 0x11d2, { 0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b } \
    }

struct efi_text_output {
    void *reset;
    efi_status(efi_call *output_string)(struct efi_text_output *this, const uint16_t *text);
};

#define EFI_FILE_MODE_READ 1
#define EFI_FILE_END UINT64_MAX /* the position after the last byte */

struct efi_file {
    uint64_t revision;
    efi_status(efi_call *open)(struct efi_file *this, struct efi_file **out, const uint16_t *name, uint64_t mode,
                               uint64_t attributes);
    efi_status(efi_call *close)(struct efi_file *this);
    void *delete;
    efi_status(efi_call *read)(struct efi_file *this, uint64_t *size, void *buffer);
    void *write;
    efi_status(efi_call *get_position)(struct efi_file *this, uint64_t *position);
    efi_status(efi_call *set_position)(struct efi_file *this, uint64_t position);
};

struct efi_simple_file_system {
    uint64_t revision;
    efi_status(efi_call *open_volume)(struct efi_simple_file_system *this, struct efi_file **root);
};
#define EFI_SIMPLE_FILE_SYSTEM_GUID \
    { \
        0x964e5b22, 0x6459, 0x11d2, { 0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b } \
    }

/* ---- 4.3, 4.4, 4.6: tables ------------------------------------------------------------------------- */

struct efi_table_header {
    uint64_t signature;
    uint32_t revision, header_size, crc32, reserved;
};

struct efi_boot_services {
    struct efi_table_header header;
    void *task_priority[2];
    efi_status(efi_call *allocate_pages)(enum efi_allocate_type type, enum efi_memory_type memory_type, uint64_t pages,
                                         uint64_t *address);
    efi_status(efi_call *free_pages)(uint64_t address, uint64_t pages);
    efi_status(efi_call *get_memory_map)(uint64_t *size, struct efi_memory_descriptor *map, uint64_t *key,
                                         uint64_t *descriptor_size, uint32_t *descriptor_version);
    void *pools[2];
    void *events[6];
    void *protocols[3];
    efi_status(efi_call *handle_protocol)(void *handle, const struct efi_guid *protocol, void **interface);
    void *more_protocols[5];
    void *load_image, *start_image;
    efi_status(efi_call *exit)(void *image, efi_status status, uint64_t data_size, uint16_t *data);
    void *unload_image;
    efi_status(efi_call *exit_boot_services)(void *image, uint64_t map_key);
};

struct efi_configuration_table {
    struct efi_guid guid;
    void *table;
};
#define EFI_ACPI_20_GUID \
    { \
        0x8868e871, 0xe4f1, 0x11d3, { 0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 } \
    }
#define EFI_ACPI_10_GUID \
    { \
        0xeb9d2d30, 0x2d88, 0x11d3, { 0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d } \
    }

struct efi_system_table {
    struct efi_table_header header;
    uint16_t *vendor;
    uint32_t vendor_revision;
    void *input_handle, *input;
    void *output_handle;
    struct efi_text_output *output;
    void *error_handle, *error;
    void *runtime;
    struct efi_boot_services *boot;
    uint64_t configuration_count;
    struct efi_configuration_table *configuration;
};

_Static_assert(offsetof(struct efi_boot_services, handle_protocol) == 152, "as in 4.4.1");
_Static_assert(offsetof(struct efi_boot_services, exit) == 216, "as in 4.4.1");
_Static_assert(offsetof(struct efi_boot_services, exit_boot_services) == 232, "as in 4.4.1");

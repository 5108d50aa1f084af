/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ELF-64 as the loader needs it (System V ABI, gabi ch. 4 and 5; x86-64 psABI).
 */
#pragma once

#include "lib/types.h"

#define ELF_TYPE_EXECUTABLE 2
#define ELF_TYPE_DYNAMIC 3
#define ELF_MACHINE_X86_64 62
#define ELF_LOAD 1
#define ELF_INTERPRETER 3
#define ELF_PROGRAM_HEADERS 6
#define ELF_EXECUTE 1u
#define ELF_WRITE 2u
#define ELF_READ 4u
#define ELF_MAX_PROGRAM_HEADERS 32

struct elf_header {
    uint8_t magic[4], class, data, version, os_abi, padding[8];
    uint16_t type, machine;
    uint32_t file_version;
    uint64_t entry, program_headers, section_headers;
    uint32_t flags;
    uint16_t header_size, program_header_size, program_header_count;
    uint16_t section_header_size, section_header_count, section_names;
};

struct elf_program_header {
    uint32_t type, flags;
    uint64_t offset, virtual, physical, file_size, memory_size, alignment;
};

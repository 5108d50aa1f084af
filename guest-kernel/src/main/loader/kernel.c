/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading the kernel, an ELF-64 file with a PVH entry: each segment goes to its physical address, which must be RAM
 * above 1 MiB, since a BIOS's loader, its buffer and the BIOS's data are below, and which is claimed before. No two
 * segments share a page. The file is checked as far as a wrong one would overwrite what is not the kernel's.
 */
#include "lib/string.h"
#include "linux/elf.h"
#include "loader.h"

#define LOWEST 0x100000
#define ADDRESSABLE (1ULL << 32)
#define ELF_NOTE 4
#define NOTES_SIZE 1024

/* The owner and type of the note with the entry (xen/include/public/elfnote.h). */
#define NOTE_OWNER "Xen"
#define NOTE_PHYS32_ENTRY 18

struct note {
    uint32_t owner_size, value_size, type;
};

static struct elf_header header;
static struct elf_program_header programs[ELF_MAX_PROGRAM_HEADERS];

static void read_headers(void)
{
    file_read(FILE_KERNEL, 0, &header, sizeof(header));
    if (memcmp(header.magic, "\177ELF", 4) || header.class != 2 || header.machine != ELF_MACHINE_X86_64 ||
        header.program_header_size != sizeof(programs[0]) || header.program_header_count > ELF_MAX_PROGRAM_HEADERS ||
        header.program_headers > file_size(FILE_KERNEL))
        fail("the kernel is not a 64-bit ELF file; build the image again");
    file_read(FILE_KERNEL, (uint32_t)header.program_headers, programs,
              header.program_header_count * sizeof(programs[0]));
}

static void load_segment(const struct elf_program_header *segment)
{
    unsigned long long start = segment->physical, end = start + segment->memory_size;
    if (start < LOWEST || end < start || end > ADDRESSABLE || segment->file_size > segment->memory_size ||
        segment->offset > file_size(FILE_KERNEL))
        fail("the kernel has a segment from 0x%llx to 0x%llx, where it cannot be; build the image again", start, end);
    memory_claim(start, end);
    char *to = (char *)(uintptr_t)start;
    file_read(FILE_KERNEL, (uint32_t)segment->offset, to, (uint32_t)segment->file_size);
    memset(to + segment->file_size, 0, (uint32_t)(segment->memory_size - segment->file_size));
}

/* The entry that one of these notes has, or 0. */
static uint32_t find_entry(const char *notes, uint32_t size)
{
    uint32_t at = 0;
    while (size - at >= sizeof(struct note)) {
        const struct note *note = (const struct note *)(notes + at);
        uint32_t rest = size - at - sizeof(*note);
        if (note->owner_size > rest || note->value_size > rest)
            return 0;
        uint32_t owner = align_up(note->owner_size, 4), value = align_up(note->value_size, 4);
        if (owner + value > rest)
            return 0;
        const char *text = (const char *)(note + 1);
        if (note->type == NOTE_PHYS32_ENTRY && note->owner_size == sizeof(NOTE_OWNER) &&
            !memcmp(text, NOTE_OWNER, sizeof(NOTE_OWNER)) && value >= sizeof(uint32_t))
            return *(const uint32_t *)(text + owner);
        at += sizeof(*note) + owner + value;
    }
    return 0;
}

static uint32_t read_entry(const struct elf_program_header *segment)
{
    static char notes[NOTES_SIZE];
    if (segment->offset > file_size(FILE_KERNEL))
        return 0;
    uint32_t size = (uint32_t)min_of(segment->file_size, (uint64_t)NOTES_SIZE);
    file_read(FILE_KERNEL, (uint32_t)segment->offset, notes, size);
    return find_entry(notes, size);
}

uint32_t kernel_load(void)
{
    uint32_t entry = 0;
    read_headers();
    for (unsigned i = 0; i < header.program_header_count; i++) {
        if (programs[i].type == ELF_LOAD)
            load_segment(&programs[i]);
        else if (programs[i].type == ELF_NOTE && entry == 0)
            entry = read_entry(&programs[i]);
    }
    if (entry < LOWEST)
        fail("the kernel has no PVH entry; build the image with another kernel");
    return entry;
}

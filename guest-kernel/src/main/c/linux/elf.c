/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads a program and its interpreter. Everything in the file is checked before it is used: the build made the image,
 * but a kernel does not trust a file.
 */
#include "core/log.h"
#include "files/file.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/elf.h"
#include "linux/process.h"
#include "memory/address_space.h"
#include "memory/layout.h"
#include "memory/user.h"

#define INTERPRETER_PATH_MAX 256

struct elf_file {
    struct file *file;
    const char *path;
    struct elf_header header;
    struct elf_program_header programs[ELF_MAX_PROGRAM_HEADERS];
    uintptr_t low, high; /* of all loaded segments, unbiased, page-aligned */
    uintptr_t bias;
    char interpreter[INTERPRETER_PATH_MAX];
};

static int bad(const struct elf_file *elf, const char *why)
{
    log_error("cannot run %s: %s", elf->path, why);
    return -ENOEXEC;
}

static int check_header(const struct elf_file *elf)
{
    const struct elf_header *h = &elf->header;
    if (memcmp(h->magic, "\177ELF", 4) || h->class != 2 || h->data != 1)
        return bad(elf, "it is not a 64-bit little-endian ELF file");
    if (h->machine != ELF_MACHINE_X86_64)
        return bad(elf, "it is not for x86-64; use a program for Linux on x86-64");
    if (h->type != ELF_TYPE_EXECUTABLE && h->type != ELF_TYPE_DYNAMIC)
        return bad(elf, "it is neither an executable nor a shared object");
    if (h->program_header_size != sizeof(struct elf_program_header) || !h->program_header_count ||
        h->program_header_count > ELF_MAX_PROGRAM_HEADERS)
        return bad(elf, "its program headers are malformed");
    return 0;
}

static int check_segment(struct elf_file *elf, const struct elf_program_header *p)
{
    if (p->file_size > p->memory_size || p->virtual > USER_LIMIT || p->memory_size > USER_LIMIT - p->virtual)
        return bad(elf, "a segment lies outside user memory");
    if ((p->virtual ^ p->offset) & PAGE_MASK)
        return bad(elf, "a segment is not aligned like its file offset");
    uintptr_t start = align_down(p->virtual, PAGE_SIZE);
    uintptr_t end = align_up(p->virtual + p->memory_size, PAGE_SIZE);
    if (elf->high && start < elf->high)
        return bad(elf, "its segments overlap or are not ascending");
    if (!elf->high)
        elf->low = start;
    elf->high = end;
    return 0;
}

static int read_interpreter(struct elf_file *elf, const struct elf_program_header *p)
{
    if (p->file_size == 0 || p->file_size > INTERPRETER_PATH_MAX)
        return bad(elf, "the path of its interpreter is malformed");
    ssize_type n = file_read_kernel(elf->file, elf->interpreter, p->file_size, p->offset);
    if (n != (ssize_type)p->file_size || elf->interpreter[p->file_size - 1])
        return bad(elf, "the path of its interpreter is malformed");
    return 0;
}

static int read_headers(struct elf_file *elf)
{
    ssize_type n = file_read_kernel(elf->file, &elf->header, sizeof(elf->header), 0);
    if (n != sizeof(elf->header))
        return bad(elf, "it is too short to be an ELF file");
    int error = check_header(elf);
    if (error)
        return error;
    size_t size = elf->header.program_header_count * sizeof(elf->programs[0]);
    n = file_read_kernel(elf->file, elf->programs, size, elf->header.program_headers);
    if (n != (ssize_type)size)
        return bad(elf, "its program headers lie outside the file");
    for (unsigned i = 0; i < elf->header.program_header_count && !error; i++) {
        if (elf->programs[i].type == ELF_LOAD)
            error = check_segment(elf, &elf->programs[i]);
        else if (elf->programs[i].type == ELF_INTERPRETER)
            error = read_interpreter(elf, &elf->programs[i]);
    }
    if (!error && !elf->high)
        return bad(elf, "it has nothing to load");
    return error;
}

static unsigned protection_of(const struct elf_program_header *p)
{
    return (p->flags & ELF_READ ? MMU_READ : 0) | (p->flags & ELF_WRITE ? MMU_WRITE : 0) |
           (p->flags & ELF_EXECUTE ? MMU_EXECUTE : 0);
}

static int map_anonymous(uintptr_t start, uintptr_t end, unsigned protection)
{
    struct map_request request = { .where = start, .length = end - start, .fixed = true, .protection = protection };
    int64_t address = start < end ? address_space_map(&request) : 0;
    return address < 0 ? (int)address : 0;
}

/* The file part, then zeros: the rest of its last page is cleared, whole pages are anonymous. */
static int map_segment(const struct elf_file *elf, const struct elf_program_header *p)
{
    uintptr_t start = align_down(elf->bias + p->virtual, PAGE_SIZE);
    uintptr_t file_end = elf->bias + p->virtual + p->file_size;
    uintptr_t end = align_up(elf->bias + p->virtual + p->memory_size, PAGE_SIZE);
    unsigned protection = protection_of(p);
    if (p->file_size) {
        struct map_request request = { .where = start,
                                       .length = file_end - start,
                                       .fixed = true,
                                       .protection = protection,
                                       .object = &elf->file->mappable,
                                       .offset = align_down(p->offset, PAGE_SIZE) };
        int64_t address = address_space_map(&request);
        if (address < 0)
            return (int)address;
    }
    uintptr_t file_pages_end = p->file_size ? align_up(file_end, PAGE_SIZE) : start;
    if (p->memory_size > p->file_size && (protection & MMU_WRITE) && file_end < file_pages_end) {
        int error = user_clear(file_end, file_pages_end - file_end);
        if (error)
            return error;
    }
    return map_anonymous(file_pages_end, end, protection);
}

/* Reserves the whole span first, so that no segment can land on something else. */
static int choose_bias(struct elf_file *elf, bool is_interpreter)
{
    struct map_request request = {
        .length = elf->high - elf->low, .fixed = true, .no_replace = true, .where = elf->low
    };
    if (elf->header.type == ELF_TYPE_DYNAMIC) {
        request.fixed = request.no_replace = !is_interpreter;
        request.where = is_interpreter ? 0 : process_layout.program;
    }
    int64_t address = address_space_map(&request);
    if (address < 0)
        return (int)address;
    elf->bias = (uintptr_t)address - elf->low;
    return 0;
}

static int load_file(struct elf_file *elf, bool is_interpreter)
{
    int error = file_open(NULL, elf->path, O_RDONLY, 0, &elf->file);
    if (error) {
        log_error("cannot open %s (%s): check that the image contains it", elf->path, errno_name(error));
        return error;
    }
    error = read_headers(elf);
    if (!error)
        error = choose_bias(elf, is_interpreter);
    for (unsigned i = 0; i < elf->header.program_header_count && !error; i++)
        if (elf->programs[i].type == ELF_LOAD)
            error = map_segment(elf, &elf->programs[i]);
    file_put(elf->file);
    return error;
}

/* Where the program finds its own headers: at PT_PHDR, or inside the segment that holds them. */
static uintptr_t header_address(const struct elf_file *elf)
{
    for (unsigned i = 0; i < elf->header.program_header_count; i++) {
        const struct elf_program_header *p = &elf->programs[i];
        if (p->type == ELF_PROGRAM_HEADERS)
            return elf->bias + p->virtual;
        if (p->type == ELF_LOAD && elf->header.program_headers >= p->offset &&
            elf->header.program_headers < p->offset + p->file_size)
            return elf->bias + p->virtual + (elf->header.program_headers - p->offset);
    }
    return 0;
}

int elf_load(const char *path, struct loaded_program *out)
{
    static struct elf_file program, interpreter; /* one process, loaded once: too big for the stack */
    program = (struct elf_file){ .path = path };
    int error = load_file(&program, false);
    if (error)
        return error;
    *out = (struct loaded_program){
        .entry = program.bias + program.header.entry,
        .program_entry = program.bias + program.header.entry,
        .program_headers = header_address(&program),
        .program_header_count = program.header.program_header_count,
        .program_header_size = program.header.program_header_size,
        .break_start = program.bias + program.high + process_layout.break_offset,
    };
    if (!program.interpreter[0])
        return 0;
    interpreter = (struct elf_file){ .path = program.interpreter };
    error = load_file(&interpreter, true);
    out->interpreter_base = interpreter.bias;
    out->entry = interpreter.bias + interpreter.header.entry;
    return error;
}

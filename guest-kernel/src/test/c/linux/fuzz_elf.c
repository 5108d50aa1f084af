/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the ELF loader: whatever the file says, what is mapped and cleared lies page-aligned within the one span
 * that was reserved for it in user memory. The same file is program and interpreter.
 */
#include <string.h>

#include "files/file.h"
#include "host/host.h"
#include "lib/errno.h"
#include "linux/elf.h"
#include "linux/process.h"
#include "memory/address_space.h"
#include "memory/user.h"

#define ANYWHERE 0x7f0000000000UL

static const uint8_t *content;
static size_t content_size;
static unsigned files_open;
static uintptr_t span_start, span_end; /* of the file being loaded; equal: none yet */

static void require(bool condition)
{
    if (!condition)
        __builtin_trap();
}

int file_open(struct file *directory, const char *path, uint32_t flags, uint32_t mode, struct file **out)
{
    (void)directory, (void)flags, (void)mode;
    static struct file file;
    require(memchr(path, 0, 256) != NULL);
    files_open++;
    span_start = span_end = 0;
    *out = &file;
    return 0;
}

void file_put(struct file *file)
{
    (void)file;
    files_open--;
}

ssize_type file_read_kernel(struct file *file, void *to, size_t length, uint64_t offset)
{
    (void)file;
    if (offset >= content_size)
        return 0;
    size_t count = length < content_size - offset ? length : content_size - offset;
    memcpy(to, content + offset, count);
    return (ssize_type)count;
}

static int64_t reserve(const struct map_request *request)
{
    uintptr_t where = request->where ? request->where : ANYWHERE;
    require(request->protection == 0 && request->object == NULL);
    if (where < USER_LOWEST || request->length == 0 || request->length > USER_LIMIT ||
        where > USER_LIMIT - request->length)
        return -EINVAL;
    span_start = where;
    span_end = where + request->length;
    return (int64_t)where;
}

static bool in_span(uintptr_t start, size_t length)
{
    return start >= span_start && length <= span_end - span_start &&
           start - span_start <= span_end - span_start - length;
}

int64_t address_space_map(const struct map_request *request)
{
    require((request->where & PAGE_MASK) == 0 && (request->offset & PAGE_MASK) == 0);
    if (span_start == span_end)
        return reserve(request);
    require(request->fixed && !request->no_replace && request->length > 0);
    require(in_span(request->where, align_up(request->length, PAGE_SIZE)));
    return (int64_t)request->where;
}

/* Linked in place of the shim's, which would write there. */
int __wrap_user_clear(uintptr_t to, size_t length);
int __wrap_user_clear(uintptr_t to, size_t length)
{
    require(in_span(to, length) && length < PAGE_SIZE);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct loaded_program program;
    content = data;
    content_size = size;
    (void)elf_load("/program", &program);
    require(files_open == 0);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    host_init();
    return 0;
}

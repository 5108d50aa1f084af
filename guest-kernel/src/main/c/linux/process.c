/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting the one process. Its first stack is built as the System V ABI 3.4 has it, from the top down: strings and
 * random bytes, then in one piece, with the stack pointer at its start and a multiple of 16, the count of arguments,
 * the vectors argv and envp and the auxiliary vector. VECTOR_ENTRIES is the number of entries in fill_vector().
 *
 * process_start() is called once, by the boot thread of main.c, and may sleep. The thread is made ready last, and
 * nothing else uses the process before, so nothing is locked here. Nothing is undone after an error, since the boot
 * ends with it.
 */
#include "core/heap.h"
#include "core/log.h"
#include "core/random.h"
#include "files/file.h"
#include "files/process_view.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/process.h"
#include "linux/signal_frame.h"
#include "linux/signals.h"
#include "linux/vdso.h"
#include "memory/address_space.h"
#include "memory/layout.h"
#include "memory/user.h"

#define CLOCK_TICKS 100           /* sysconf(_SC_CLK_TCK), the unit of /proc/self/stat */
#define USER_FLAGS_AT_START 0x202 /* IF and the reserved bit */

/* Auxiliary vector types (System V x86-64 psABI, getauxval(3)). */
enum {
    AT_NULL,
    AT_PHDR = 3,
    AT_PHENT,
    AT_PHNUM,
    AT_PAGESZ,
    AT_BASE,
    AT_FLAGS,
    AT_ENTRY,
    AT_UID = 11,
    AT_EUID,
    AT_GID,
    AT_EGID,
    AT_PLATFORM,
    AT_HWCAP,
    AT_CLKTCK,
    AT_SECURE = 23,
    AT_RANDOM = 25,
    AT_EXECFN = 31,
    AT_SYSINFO_EHDR = 33,
    AT_MINSIGSTKSZ = 51
};

struct stack_builder {
    uintptr_t sp;
    int error;
};

static uintptr_t push_bytes(struct stack_builder *stack, const void *data, size_t length)
{
    stack->sp -= length;
    if (!stack->error)
        stack->error = user_write(stack->sp, data, length);
    return stack->sp;
}

static uintptr_t push_string(struct stack_builder *stack, const char *text)
{
    return push_bytes(stack, text, strlen(text) + 1);
}

static size_t count_of(const char *const *strings)
{
    size_t n = 0;
    while (strings[n])
        n++;
    return n;
}

/* The strings' user addresses, in order, NULL-terminated. */
static void push_strings(struct stack_builder *stack, const char *const *strings, uint64_t *addresses)
{
    size_t n = count_of(strings);
    addresses[n] = 0;
    while (n-- > 0)
        addresses[n] = push_string(stack, strings[n]);
}

static int map_stack(uintptr_t *top)
{
    struct map_request request = {
        .where = process_layout.stack_top - USER_STACK_SIZE,
        .length = USER_STACK_SIZE,
        .fixed = true,
        .no_replace = true,
        .protection = MMU_READ | MMU_WRITE,
        .flags = AREA_STACK,
        .name = "[stack]",
    };
    int64_t address = address_space_map(&request);
    if (address < 0)
        return (int)address;
    *top = process_layout.stack_top - process_layout.stack_offset;
    return 0;
}

static void fill_vector(uint64_t (*vector)[2], const struct loaded_program *p, uintptr_t random, uintptr_t name,
                        uintptr_t platform_name)
{
    uint64_t entries[][2] = {
        { AT_SYSINFO_EHDR, vdso_address() },
        { AT_HWCAP, vdso_cpu_features() },
        { AT_PAGESZ, PAGE_SIZE },
        { AT_CLKTCK, CLOCK_TICKS },
        { AT_PHDR, p->program_headers },
        { AT_PHENT, p->program_header_size },
        { AT_PHNUM, p->program_header_count },
        { AT_BASE, p->interpreter_base },
        { AT_FLAGS, 0 },
        { AT_ENTRY, p->program_entry },
        { AT_UID, 0 },
        { AT_EUID, 0 },
        { AT_GID, 0 },
        { AT_EGID, 0 },
        { AT_SECURE, 0 },
        { AT_RANDOM, random },
        { AT_EXECFN, name },
        { AT_PLATFORM, platform_name },
        { AT_MINSIGSTKSZ, signal_frame_size_max() },
        { AT_NULL, 0 },
    };
    static uint64_t shown[array_size(entries)][2];
    memcpy(vector, entries, sizeof(entries));
    memcpy(shown, entries, sizeof(entries));
    process_view.auxiliary_vector = shown;
    process_view.auxiliary_size = sizeof(shown);
}
#define VECTOR_ENTRIES 20

static void push_vectors(struct stack_builder *stack, const struct process_arguments *arguments,
                         const struct loaded_program *program, uint64_t *table)
{
    uint8_t random[16];
    size_t argc = count_of(arguments->arguments), envc = count_of(arguments->environment);
    random_bytes(random, sizeof(random));
    uintptr_t name = push_string(stack, arguments->path);
    uintptr_t platform_name = push_string(stack, "x86_64");
    uintptr_t random_at = push_bytes(stack, random, sizeof(random));
    table[0] = argc;
    push_strings(stack, arguments->environment, table + 1 + argc + 1);
    push_strings(stack, arguments->arguments, table + 1);
    size_t words = 1 + argc + 1 + envc + 1;
    fill_vector((uint64_t(*)[2])(table + words), program, random_at, name, platform_name);
    words += 2 * VECTOR_ENTRIES;
    stack->sp = align_down(stack->sp - words * sizeof(uint64_t), 16) + words * sizeof(uint64_t);
    push_bytes(stack, table, words * sizeof(uint64_t));
}

int64_t process_build_stack(const struct process_arguments *arguments, const struct loaded_program *program)
{
    struct stack_builder stack = { 0 };
    int error = map_stack(&stack.sp);
    if (error)
        return error;
    size_t words = 3 + count_of(arguments->arguments) + count_of(arguments->environment) + 2 * VECTOR_ENTRIES;
    uint64_t *table = heap_allocate(words * sizeof(*table));
    if (!table)
        return -ENOMEM;
    push_vectors(&stack, arguments, program, table);
    heap_free(table);
    return stack.error ? stack.error : (int64_t)stack.sp;
}

/* Loading touches user memory, which is the same for every thread; so the boot thread can do it. */
int process_start(const struct process_arguments *arguments)
{
    struct loaded_program program;
    int error = elf_load(arguments->path, &program);
    if (!error)
        error = vdso_map();
    if (error)
        return error;
    error = files_prepare_process(arguments->directory);
    if (error)
        return error;
    address_space_set_break(program.break_start);
    process_describe(arguments);
    int64_t sp = process_build_stack(arguments, &program);
    if (sp < 0)
        return (int)sp;
    struct thread *thread = thread_create_user();
    struct user_thread *user = thread ? user_thread_create(thread, 0) : NULL;
    if (!user)
        return -ENOMEM;
    thread->user = user;
    const char *slash = strrchr(arguments->path, '/');
    string_copy(thread->name, slash ? slash + 1 : arguments->path, sizeof(thread->name));
    struct registers *registers = thread_registers(thread);
    registers->rip = program.entry;
    registers->rsp = (uint64_t)sp;
    registers->rflags = USER_FLAGS_AT_START;
    thread_make_ready(thread);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one process: starting it from the image's configuration, and its end.
 */
#pragma once

#include "lib/types.h"

#define PROCESS_ID 1
#define CAPABILITY_LAST 40u /* CAP_CHECKPOINT_RESTORE, linux/capability.h */

struct process_arguments {
    const char *path;               /* of the program, absolute */
    const char *const *arguments;   /* argv, NULL-terminated; [0] is the path */
    const char *const *environment; /* NULL-terminated */
    const char *directory;          /* cwd, absolute */
};

/* Loads the program and makes its first thread ready. On an error logs what is wrong and returns it. */
int process_start(const struct process_arguments *arguments);
/* exit_group(2): reports the end on the console, closes the network's connections, powers off. */
noreturn void process_exit(int status);
noreturn void process_killed(int signal);
/* True if this is the number of one of its threads; 0 names the caller. Takes the lock "threads". */
bool process_has_thread(int32_t id);

/* Gives /proc what the process may do. */
void identity_describe(void);

/* Loads an ELF file and its interpreter (elf.c). */
struct loaded_program {
    uintptr_t entry; /* where to start: the interpreter's if there is one */
    uintptr_t program_entry, program_headers, interpreter_base, break_start;
    uint16_t program_header_count, program_header_size;
};
int elf_load(const char *path, struct loaded_program *out);

/* Builds the initial stack (argv, envp, auxv: System V ABI 3.4). The stack pointer or -errno. */
int64_t process_build_stack(const struct process_arguments *arguments, const struct loaded_program *program);

/* Fills what /proc shows of the process (files/process_view.h); `arguments` must stay. */
void process_describe(const struct process_arguments *arguments);

/* Boot milestones for `timings`. */
void timing_mark(const char *phase, nanoseconds since);

/* SPDX-License-Identifier: Apache-2.0 */
#include "core/dump.h"
#include "files/process_view.h"
#include "lib/string.h"
#include "linux/paths.h"
#include "linux/process.h"
#include "linux/signals.h"
#include "linux/system.h"

static const struct process_arguments *process;

DUMP_ADDRESS("process_view", process_view);
DUMP_OFFSET(process_view, executable);
DUMP_OFFSET(process_view, auxiliary_vector);
DUMP_OFFSET(process_view, auxiliary_size);

static void put_all(struct text *out, const char *const *strings)
{
    for (; *strings; strings++)
        text_bytes(out, *strings, strlen(*strings) + 1);
}

static void command_line(struct text *out) { put_all(out, process->arguments); }
static void environment(struct text *out) { put_all(out, process->environment); }

static void limit(unsigned resource, struct process_limit *out)
{
    if (process_limit_get(resource, out))
        *out = (struct process_limit){ 0 };
}

void process_describe(const struct process_arguments *arguments)
{
    process = arguments;
    process_view.id = PROCESS_ID;
    process_view.started = clock_monotonic();
    process_view.release = SYSTEM_RELEASE;
    process_view.executable = arguments->path;
    process_view.umask = &file_creation_mask;
    process_view.command_line = command_line;
    process_view.environment = environment;
    process_view.signals = signals_describe;
    process_view.limit = limit;
    identity_describe();
}

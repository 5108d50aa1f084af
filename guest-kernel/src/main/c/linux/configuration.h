/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two things that configure a guest: the kernel's command line and the image's
 * /etc/unikernel.conf (docs/configuration.md).
 */
#pragma once

#include "lib/types.h"
#include "linux/instance.h"
#include "linux/process.h"

enum network_mode { NETWORK_DHCP, NETWORK_STATIC, NETWORK_NONE };

struct memory_mount {
    char *path;
    uint64_t limit;                      /* bytes, 0: what all together may take */
    bool over_image;                     /* what the image has there is in it */
};

#define MAX_MEMORY_MOUNTS 16

struct configuration {
    struct process_arguments process;    /* without its environment, to which an instance may add */
    struct environment environment;
    bool no_instance_metadata;           /* the program may not ask the instance metadata service */
    unsigned sources;                    /* instance.h: SOURCE_* */
    enum network_mode network;
    const char *network_text;            /* behind "static " */
    struct memory_mount mounts[MAX_MEMORY_MOUNTS];
    unsigned mount_count;
};

/* Options on the command line. */
struct boot_options {
    bool timings;
    const char *configuration_path;
    struct string_list environment;      /* env.NAME=VALUE, without "env." */
};

/* Applies quiet, verbose, timings, trace=, capture=, profile=, conf=, env. Panics with the bad word: a typing error
 * must not pass silently. */
void boot_options_parse(struct boot_options *options);
/* Reads the file; lives for ever. 0, or -errno after logging what is wrong and where. */
int configuration_read(const char *path, struct configuration *out);

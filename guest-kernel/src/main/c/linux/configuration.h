/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two things that configure a guest: the kernel's command line and the image's
 * /etc/unikernel.conf (docs/configuration.md).
 */
#pragma once

#include "files/root.h"
#include "lib/types.h"
#include "linux/instance.h"
#include "linux/process.h"
#include "net/net.h"
#include "net/sntp.h"
#include "net/syslog.h"

enum network_mode { NETWORK_DHCP, NETWORK_STATIC, NETWORK_NONE };

enum time_mode { TIME_AUTO, TIME_NONE, TIME_SERVERS };

struct memory_mount {
    char *path;
    uint64_t limit;  /* bytes, 0: what all of them together may take */
    bool over_image; /* it shows what the image has there */
};

#define MAX_MEMORY_MOUNTS 16

struct data_disk {
    char *label, *path;
    bool read_only;
};

#define MAX_DATA_DISKS 8

struct configuration {
    struct process_arguments process; /* without its environment, to which an instance may add */
    struct environment environment;
    bool no_instance_metadata; /* the program may not ask the instance metadata service */
    unsigned sources;          /* instance.h: SOURCE_* */
    unsigned diagnostics;      /* diagnostics.h: what a start may set, by 1 << number */
    enum network_mode network;
    const char *network_text; /* after "static " */
    enum time_mode time;
    struct sntp_source time_servers[SNTP_SERVERS];
    unsigned time_server_count;
    const char *application;  /* its name, in what is sent of the log */
    struct syslog_target log; /* host NULL: the log goes to the console alone */
    bool log_on_console;      /* the program's output, where `log` has a host */
    uint16_t metrics_port;    /* 0: none */
    struct memory_mount mounts[MAX_MEMORY_MOUNTS];
    unsigned mount_count;
    struct data_disk data_disks[MAX_DATA_DISKS];
    unsigned data_disk_count;
    const char *scratch; /* where the scratch disk is mounted; NULL: none is wanted */
};

/* Options on the command line. */
struct boot_options {
    bool timings;
    const char *configuration_path;
    struct net_ipv6 ipv6;
    bool root_is_named;
    struct uuid root;               /* of the root file system, if it is named */
    struct string_list environment; /* env.NAME=VALUE, without "env." */
};

/* Applies the words of configuration.md. Panics with the bad word: a typing error must not pass
 * silently. */
void boot_options_parse(struct boot_options *options);
/* Reads the file; the result is never freed. 0, or -errno after logging what is wrong and where. */
int configuration_read(const char *path, struct configuration *out);

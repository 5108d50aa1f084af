/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What configures a guest from outside the kernel. boot_options_parse() is called by kernel_main() before devices are
 * started, configuration_read() by the boot thread when the root is mounted; each once and before there is a process,
 * so there are no locks.
 *
 * Except for the host name, results point into the text that was parsed, a copy of the command line or of the file,
 * which is never freed. Words and directives that are not known end the boot, since a typing error must not pass
 * silently; words that loaders add to the command line are ignored, and a name in trace= that is unknown is logged. The
 * first line of the file with a problem is logged with its number and ends the reading.
 */
#include "core/heap.h"
#include "core/lock_statistics.h"
#include "core/log.h"
#include "files/ext2/format.h"
#include "files/file.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/configuration.h"
#include "linux/diagnostics.h"
#include "linux/profile_output.h"
#include "linux/syscalls.h"
#include "linux/system.h"
#include "net/capture.h"
#include "platform/platform.h"
#include "threads/failing.h"
#include "threads/profile.h"

#define FILE_LIMIT (256UL << 10)

/* Words that loaders add for a Linux kernel (Firecracker: where the root disk is and how it may be used). */
static bool is_loaders_word(const char *word)
{
    return starts_with(word, "virtio_mmio.device=") || starts_with(word, "root=") || starts_with(word, "pci=") ||
           !strcmp(word, "ro") || !strcmp(word, "rw");
}

static void add_outside_variable(struct boot_options *options, const char *text)
{
    size_t name_length = environment_name_length(text, strlen(text));
    if (name_length == 0 || text[name_length] != '=')
        panic("a variable on the command line must look like env.NAME=VALUE, with letters, digits and _ in its name");
    if (!string_list_add(&options->environment, text))
        panic("there is no memory for the variables on the command line");
}

/* `root=UUID=` is ours; loaders name the root in other ways, too (is_loaders_word). */
static void set_root(struct boot_options *options, const char *text)
{
    if (!uuid_parse(text, &options->root))
        panic("root=UUID=%s is not a UUID; write its 32 hexadecimal digits as 8-4-4-4-12", text);
    options->root_is_named = true;
}

/* The platform has acted on it already (platform/x86/speculation.c). */
static void check_mitigations(const char *value)
{
    if (strcmp(value, "auto") && strcmp(value, "off") && strcmp(value, "on"))
        panic("mitigations=%s is unknown; use auto, off or on", value);
}

static void set_ipv6(struct boot_options *options, const char *value)
{
    if (!net_parse_ipv6(value, &options->ipv6))
        panic("ipv6=%s is not `no`, `random` or an address with its prefix; write it as ipv6=2001:db8::2/64", value);
}

/* An option that only a kernel built with DEBUG=1 has. */
static bool is_word_for_tests(const char *word) { return starts_with(word, "failing=") && failing_parse(word + 8); }

static void apply_option(struct boot_options *options, const char *word)
{
    if (!strcmp(word, "quiet"))
        log_limit = LOG_ERROR;
    else if (!strcmp(word, "verbose"))
        log_limit = LOG_INFO;
    else if (!strcmp(word, "timings"))
        options->timings = true;
    else if (!strcmp(word, "crash=keep"))
        platform.keeps_crashed = true;
    else if (!strcmp(word, "nokaslr"))
        ; /* the platform's entry read it */
    else if (starts_with(word, "root=UUID="))
        set_root(options, word + 10);
    else if (starts_with(word, "conf="))
        options->configuration_path = word + 5;
    else if (starts_with(word, "mitigations="))
        check_mitigations(word + 12);
    else if (starts_with(word, "env."))
        add_outside_variable(options, word + 4);
    else if (starts_with(word, "ipv6="))
        set_ipv6(options, word + 5);
    else if (starts_with(word, "trace="))
        (void)system_calls_trace(word + 6);
    else if (starts_with(word, "lockstat=")) {
        if (!lock_statistics_parse(word + 9))
            panic("lockstat=%s is neither 1 nor 0", word + 9);
    } else if (starts_with(word, "capture=")) {
        if (!capture_parse(word + 8))
            panic("capture=%s is not a number of bytes from 0 to %u", word + 8, CAPTURE_MOST);
    } else if (starts_with(word, "profile=")) {
        if (!profile_parse(word + 8, &profile_wanted) || profile_wanted == 0)
            panic("profile=%s is not a number of samples a second from 1 to %u; use profile=99", word + 8,
                  PROFILE_HZ_MOST);
    } else if (!is_loaders_word(word) && !is_word_for_tests(word)) {
        panic("unknown kernel option %s; "
              "known are quiet verbose timings capture= profile= lockstat= trace= conf= crash=keep ipv6= mitigations= "
              "nokaslr env.NAME= root=UUID=",
              word);
    }
}

void boot_options_parse(struct boot_options *options)
{
    static char words[sizeof(platform.command_line)];
    string_copy(words, platform.command_line, sizeof(words));
    *options = (struct boot_options){ .configuration_path = "/etc/unikernel.conf" };
    for (char *at = words; *at;) {
        char *space = strchr(at, ' ');
        if (space)
            *space = 0;
        if (*at)
            apply_option(options, at);
        if (!space)
            break;
        at = space + 1;
    }
}

struct reader {
    struct configuration *configuration;
    struct string_list arguments;
    const char *problem;
};

static void add_argument(struct reader *reader, const char *text)
{
    if (!string_list_add(&reader->arguments, text))
        reader->problem = "there is no memory for it";
}

static void add_variable(struct reader *reader, const char *text)
{
    if (!strchr(text, '='))
        reader->problem = "env needs NAME=VALUE";
    else if (!environment_set(&reader->configuration->environment, text))
        reader->problem = "there is no memory for it";
}

static void allow_variable(struct reader *reader, const char *pattern)
{
    const char *problem;
    if (!environment_allow(&reader->configuration->environment, pattern, &problem))
        reader->problem = problem;
}

static void set_instance_metadata(struct reader *reader, const char *value)
{
    reader->configuration->no_instance_metadata = !strcmp(value, "no");
    if (strcmp(value, "no") && strcmp(value, "yes"))
        reader->problem = "instance-metadata is yes or no";
}

static void set_diagnostics(struct reader *reader, const char *value)
{
    if (!diagnostics_parse(value, &reader->configuration->diagnostics))
        reader->problem = "diagnostics are trace, capture, profile and lockstat, with blanks between them";
}

static void set_sources(struct reader *reader, const char *value)
{
    if (!sources_parse(value, &reader->configuration->sources))
        reader->problem = "sources are user-data, host and command-line, with blanks between them";
}

/* \n and \\ in place. */
static bool unescape(char *text)
{
    char *to = text;
    for (; *text; text++) {
        if (*text == '\\') {
            text++;
            if (*text != 'n' && *text != '\\')
                return false;
            *to++ = *text == 'n' ? '\n' : '\\';
        } else {
            *to++ = *text;
        }
    }
    *to = 0;
    return true;
}

static void set_network(struct reader *reader, char *value)
{
    struct configuration *configuration = reader->configuration;
    if (!strcmp(value, "dhcp"))
        configuration->network = NETWORK_DHCP;
    else if (!strcmp(value, "none"))
        configuration->network = NETWORK_NONE;
    else if (starts_with(value, "static ")) {
        configuration->network = NETWORK_STATIC;
        configuration->network_text = value + 7;
    } else {
        reader->problem = "network must be dhcp, none or static ADDRESS/PREFIX ...";
    }
}

static bool add_time_server(struct configuration *configuration, const char *host)
{
    if (configuration->time_server_count == SNTP_SERVERS || !dns_host_valid(host))
        return false;
    configuration->time_servers[configuration->time_server_count++] = (struct sntp_source){ .name = host };
    return true;
}

static void set_time_servers(struct reader *reader, char *value)
{
    reader->configuration->time = TIME_SERVERS;
    for (char *word = value; word;) {
        char *comma = strchr(word, ',');
        if (comma)
            *comma = 0;
        if (!add_time_server(reader->configuration, word))
            reader->problem = "time must be auto, none, or up to four host names or IPv4 addresses with commas between";
        word = comma ? comma + 1 : NULL;
    }
}

static void set_time(struct reader *reader, char *value)
{
    if (!strcmp(value, "auto"))
        reader->configuration->time = TIME_AUTO;
    else if (!strcmp(value, "none"))
        reader->configuration->time = TIME_NONE;
    else
        set_time_servers(reader, value);
}

/* One word of `log`. */
static bool set_log_target(struct configuration *configuration, char *word)
{
    if (!strcmp(word, "console"))
        return configuration->log_on_console = true;
    return !configuration->log.host && syslog_target_parse(word, &configuration->log);
}

static void set_log(struct reader *reader, char *value)
{
    reader->configuration->log_on_console = false;
    for (char *word = value; word;) {
        char *comma = strchr(word, ',');
        if (comma)
            *comma = 0;
        if (!set_log_target(reader->configuration, word))
            reader->problem = "log must be console, syslog://HOST:PORT or syslog+tcp://HOST:PORT, "
                              "or console and one of the others with a comma between them";
        word = comma ? comma + 1 : NULL;
    }
}

static void set_metrics_port(struct reader *reader, const char *value)
{
    uint64_t port;
    if (!parse_decimal(value, &port) || port < 1 || port > UINT16_MAX)
        reader->problem = "metrics needs a port from 1 to 65535";
    else
        reader->configuration->metrics_port = (uint16_t)port;
}

static void add_mount(struct reader *reader, char *value, bool over_image)
{
    struct configuration *configuration = reader->configuration;
    struct memory_mount mount = { .path = value, .over_image = over_image };
    char *space = strchr(value, ' ');
    if (space) {
        *space = 0;
        if (!parse_decimal(space + 1, &mount.limit))
            reader->problem = "the size must be a number of bytes";
    }
    if (configuration->mount_count == MAX_MEMORY_MOUNTS)
        reader->problem = "there are too many tmpfs and writable directives";
    else
        configuration->mounts[configuration->mount_count++] = mount;
}

static void set_scratch(struct reader *reader, const char *path)
{
    if (*path != '/')
        reader->problem = "scratch needs the absolute path of a directory of the image";
    reader->configuration->scratch = path;
}

/* Cuts the text after its first word. The rest, or NULL: there is none. */
static char *cut_word(char *text)
{
    char *space = strchr(text, ' ');
    if (!space)
        return NULL;
    *space = 0;
    return space + 1;
}

static void add_data_disk(struct reader *reader, char *value)
{
    struct configuration *configuration = reader->configuration;
    struct data_disk disk = { .label = value, .path = cut_word(value) };
    char *mode = disk.path ? cut_word(disk.path) : NULL;
    disk.read_only = mode && !strcmp(mode, "read-only");
    if (!disk.path || !*value || strlen(value) > EXT2_LABEL_SIZE)
        reader->problem = "data needs a label of 1 to 16 characters and the path of a directory of the image";
    else if (*disk.path != '/')
        reader->problem = "data needs the absolute path of a directory of the image after the label";
    else if (mode && !disk.read_only && strcmp(mode, "read-write"))
        reader->problem = "data can be followed by read-only or read-write";
    else if (configuration->data_disk_count == MAX_DATA_DISKS)
        reader->problem = "there are too many data directives";
    else
        configuration->data_disks[configuration->data_disk_count++] = disk;
}

static void apply_directive(struct reader *reader, const char *name, char *value)
{
    struct process_arguments *process = &reader->configuration->process;
    if (!unescape(value))
        reader->problem = "only \\n and \\\\ may follow a backslash";
    else if (!strcmp(name, "exec"))
        process->path = value;
    else if (!strcmp(name, "arg"))
        add_argument(reader, value);
    else if (!strcmp(name, "env"))
        add_variable(reader, value);
    else if (!strcmp(name, "allow"))
        allow_variable(reader, value);
    else if (!strcmp(name, "diagnostics"))
        set_diagnostics(reader, value);
    else if (!strcmp(name, "sources"))
        set_sources(reader, value);
    else if (!strcmp(name, "instance-metadata"))
        set_instance_metadata(reader, value);
    else if (!strcmp(name, "cwd"))
        process->directory = value;
    else if (!strcmp(name, "hostname"))
        string_copy(host_name, value, sizeof(host_name));
    else if (!strcmp(name, "network"))
        set_network(reader, value);
    else if (!strcmp(name, "time"))
        set_time(reader, value);
    else if (!strcmp(name, "application"))
        reader->configuration->application = value;
    else if (!strcmp(name, "log"))
        set_log(reader, value);
    else if (!strcmp(name, "metrics"))
        set_metrics_port(reader, value);
    else if (!strcmp(name, "tmpfs"))
        add_mount(reader, value, false);
    else if (!strcmp(name, "writable"))
        add_mount(reader, value, true);
    else if (!strcmp(name, "scratch"))
        set_scratch(reader, value);
    else if (!strcmp(name, "data"))
        add_data_disk(reader, value);
    else
        reader->problem = "it is not a known directive; the kernel and the plugin that made the image differ";
}

static void apply_line(struct reader *reader, char *line)
{
    if (!*line || *line == '#')
        return;
    char *space = strchr(line, ' ');
    static char nothing[1];
    if (space)
        *space = 0;
    apply_directive(reader, line, space ? space + 1 : nothing);
}

/* argv[0] is the program's path. */
static int finish(struct reader *reader, const char *path)
{
    struct process_arguments *process = &reader->configuration->process;
    if (!process->path) {
        log_error("%s has no exec directive", path);
        return -EINVAL;
    }
    struct string_list all = { 0 };
    bool complete = string_list_add(&all, process->path);
    for (size_t i = 0; complete && i < reader->arguments.count; i++)
        complete = string_list_add(&all, reader->arguments.items[i]);
    process->arguments = string_list_array(&all);
    if (!process->directory)
        process->directory = "/";
    return complete ? 0 : -ENOMEM;
}

static char *read_text(const char *path)
{
    struct file *file;
    int error = file_open(NULL, path, O_RDONLY, 0, &file);
    if (error) {
        log_error("cannot open %s (%s): the image must contain it", path, errno_name(error));
        return NULL;
    }
    char *text = heap_allocate_zeroed(FILE_LIMIT);
    ssize_type n = text ? file_read_kernel(file, text, FILE_LIMIT - 1, 0) : -ENOMEM;
    file_put(file);
    if (n < 0 || n == FILE_LIMIT - 1) {
        log_error("cannot read %s: it is larger than %lu bytes or unreadable", path, FILE_LIMIT);
        heap_free(text);
        return NULL;
    }
    char *copy = heap_allocate((size_t)n + 1);
    if (copy)
        memcpy(copy, text, (size_t)n + 1);
    heap_free(text);
    return copy;
}

int configuration_read(const char *path, struct configuration *out)
{
    *out = (struct configuration){ .sources = SOURCES_ALL, .application = "program", .log_on_console = true };
    struct reader reader = { .configuration = out };
    char *line = read_text(path);
    if (!line)
        return -ENOENT;
    for (unsigned number = 1; line; number++) {
        char *end = strchr(line, '\n');
        if (end)
            *end = 0;
        apply_line(&reader, line);
        if (reader.problem) {
            log_error("%s line %u (%s): %s", path, number, line, reader.problem);
            return -EINVAL;
        }
        line = end ? end + 1 : NULL;
    }
    return finish(&reader, path);
}

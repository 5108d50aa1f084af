/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one start receives from outside (instance.h). The sources are read in the order in which they override each
 * other. Each variable passes offer(), the one place that decides: the image must allow its name, or for the name of a
 * switch (linux/diagnostics.h) that switch. What is refused is
 * logged by name, up to REFUSALS_LOGGED for each source, and never ends the boot. If one line of the user data is
 * wrong, none of it is used.
 *
 * instance_configure() is called once, by the boot thread before the process is made, so there are no locks; it sleeps
 * for user data, until USER_DATA_PATIENCE is over. sources_parse() serves configuration.c.
 */
#include "linux/instance.h"

#include "core/heap.h"
#include "core/log.h"
#include "core/random.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/diagnostics.h"
#include "linux/user_data.h"
#include "net/metadata.h"
#include "platform/platform.h"

/* A boot may lose a second to a service that is not there; this leaves time for what else is done in that second. */
#define USER_DATA_PATIENCE (800 * NS_PER_MS)
#define REFUSALS_LOGGED 8 /* per source; the rest is counted */
#define NAME_SHOWN 64     /* characters of a name in the log */
#define VALUE_MOST 1024   /* bytes that the value of a switch takes at most, with its NUL */

struct source {
    const char *name; /* for the log */
    struct environment *environment;
    unsigned diagnostics; /* switches that it may set, by 1 << number */
    unsigned refused;
};

static const struct {
    const char *name;
    unsigned source;
} source_names[] = {
    { "user-data", SOURCE_USER_DATA },
    { "host", SOURCE_HOST },
    { "command-line", SOURCE_COMMAND_LINE },
};

static unsigned source_named(const char *text, size_t length)
{
    for (size_t i = 0; i < array_size(source_names); i++)
        if (strlen(source_names[i].name) == length && !memcmp(source_names[i].name, text, length))
            return source_names[i].source;
    return 0;
}

bool sources_parse(const char *text, unsigned *sources)
{
    *sources = 0;
    for (;;) {
        const char *space = strchr(text, ' ');
        unsigned source = source_named(text, space ? (size_t)(space - text) : strlen(text));
        *sources |= source;
        if (!space || !source)
            return source != 0;
        text = space + 1;
    }
}

static void refuse(struct source *source, const char *name, size_t length, const char *why)
{
    if (source->refused++ < REFUSALS_LOGGED)
        log_error("%s: %.*s is ignored: %s", source->name, (int)min_of(length, (size_t)NAME_SHOWN), name, why);
}

static void set(struct source *source, const char *name, size_t name_length, const char *value, size_t value_length)
{
    char *variable = heap_allocate(name_length + value_length + 2);
    if (variable) {
        memcpy(variable, name, name_length);
        variable[name_length] = '=';
        memcpy(variable + name_length + 1, value, value_length);
        variable[name_length + 1 + value_length] = 0;
    }
    if (!variable || !environment_set(source->environment, variable)) {
        heap_free(variable);
        refuse(source, name, name_length, "there is no memory for it");
        return;
    }
    log_info("%s: %.*s is set", source->name, (int)min_of(name_length, (size_t)NAME_SHOWN), name);
}

/* The number of the switch with the name UNIKERNEL_..., or -1. */
static int diagnostic_named(const char *name, size_t length)
{
    static const char prefix[] = "UNIKERNEL_";
    char small[16];
    size_t start = sizeof(prefix) - 1;
    if (length < start || length - start > sizeof(small) || memcmp(name, prefix, start))
        return -1;
    for (size_t i = start; i < length; i++) {
        if (name[i] < 'A' || name[i] > 'Z')
            return -1;
        small[i - start] = (char)(name[i] - 'A' + 'a');
    }
    return diagnostics_find(small, length - start);
}

static void set_diagnostic(struct source *source, unsigned number, const char *name, size_t name_length,
                           const char *value, size_t value_length)
{
    char text[VALUE_MOST] = { 0 };
    int error = value_length < sizeof(text) ? 0 : -EINVAL;
    if (!(source->diagnostics & 1u << number)) {
        refuse(source, name, name_length, "the image does not allow it; name it in instanceDiagnostics");
        return;
    }
    if (error == 0) {
        memcpy(text, value, value_length);
        error = diagnostics_set(number, text);
    }
    if (error)
        refuse(source, name, name_length, error == -ENOMEM ? "there is no memory for it" : "it cannot have this value");
    else
        log_always("%s: %.*s is set", source->name, (int)name_length, name);
}

/* Every variable of every source passes through here. Its name has been checked. */
static void offer(void *context, const char *name, size_t name_length, const char *value, size_t value_length)
{
    struct source *source = context;
    int diagnostic = diagnostic_named(name, name_length);
    if (diagnostic >= 0)
        set_diagnostic(source, (unsigned)diagnostic, name, name_length, value, value_length);
    else if (environment_allows(source->environment, name, name_length))
        set(source, name, name_length, value, value_length);
    else
        refuse(source, name, name_length, "the image does not allow it; name it in instanceEnvironment");
}

static void finish(const struct source *source)
{
    if (source->refused > REFUSALS_LOGGED)
        log_error("%s: %u more are ignored", source->name, source->refused - REFUSALS_LOGGED);
}

/* ---- User data --------------------------------------------------------------------------------------- */

static void use_user_data(struct source *source, const struct user_data *data)
{
    unsigned line;
    const char *problem = user_data_read(data->text, data->length, offer, source, &line);
    if (problem && line > 0)
        log_error("none of the user data is used: line %u %s", line, problem);
    else if (problem)
        log_error("the user data is not used: it %s", problem);
}

/* True if the service answered. */
static bool read_user_data(struct source *source)
{
    struct user_data data;
    enum metadata_outcome outcome = metadata_read_user_data(clock_monotonic() + USER_DATA_PATIENCE, &data);
    switch (outcome) {
    case METADATA_FOUND:
        /* No entropy is credited for it: it is the same at each start, and on every instance of a group. */
        random_add(data.text, data.length);
        use_user_data(source, &data);
        heap_free(data.text);
        break;
    case METADATA_ABSENT:
        log_info("this instance has no user data");
        break;
    case METADATA_FAILED:
        log_error("continuing without user data: %s", data.problem);
        break;
    }
    return outcome != METADATA_FAILED;
}

/* ---- The host's settings ------------------------------------------------------------------------------ */

static void offer_setting(void *context, const char *name, const char *value, size_t length)
{
    size_t name_length = strlen(name);
    if (environment_name_length(name, name_length) != name_length)
        refuse(context, name, name_length, "only letters, digits and _ can be in a name");
    else if (memchr(value, 0, length))
        refuse(context, name, name_length, "its value holds a NUL");
    else
        offer(context, name, name_length, value, length);
}

static void read_settings(struct source *source)
{
    int error = platform_settings(offer_setting, source);
    if (error)
        log_error("continuing without settings of the host: %s", errno_name(error));
}

/* ---- The command line --------------------------------------------------------------------------------- */

static void read_command_line(struct source *source, const struct instance *instance)
{
    for (size_t i = 0; i < instance->command_line->count; i++) {
        const char *text = instance->command_line->items[i];
        size_t name_length = environment_name_length(text, strlen(text));
        const char *value = text + name_length + 1;
        if (instance->sources & SOURCE_COMMAND_LINE)
            offer(source, text, name_length, value, strlen(value));
        else
            refuse(source, text, name_length, "the image does not read it here; see instanceSources");
    }
}

void instance_configure(struct instance *instance)
{
    unsigned diagnostics = instance->diagnostics;
    struct source user_data = { "user data", instance->environment, diagnostics, 0 };
    struct source settings = { "settings of the host", instance->environment, diagnostics, 0 };
    struct source command_line = { "command line", instance->environment, diagnostics, 0 };
    bool any = instance->environment->allowed.count > 0 || diagnostics != 0;
    if (any && instance->sources & SOURCE_USER_DATA && instance->network)
        instance->metadata_service = read_user_data(&user_data);
    if (any && instance->sources & SOURCE_HOST)
        read_settings(&settings);
    read_command_line(&command_line, instance);
    finish(&user_data);
    finish(&settings);
    finish(&command_line);
}

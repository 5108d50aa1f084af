/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/environment.h"

#include "lib/string.h"

/* What the dynamic loader reads (ld.so(8)), the C library (glibc's sysdeps/generic/unsecvars.h) and the JVM
 * (java(1); JVM TI, "The JAVA_TOOL_OPTIONS Environment Variable"). The Maven plugin knows the same list. */
static const char *const guarded[] = {
    "LD_*",        "GLIBC_TUNABLES",    "MALLOC_*", "GCONV_PATH", "GETCONF_DIR",      "HOSTALIASES",
    "LOCALDOMAIN", "LOCPATH",           "NIS_PATH", "NLSPATH",    "RESOLV_HOST_CONF", "RES_OPTIONS",
    "TZDIR",       "JAVA_TOOL_OPTIONS", "_JAVA_*",  "JDK_JAVA_*", "CLASSPATH",        "PATH",
};

static bool starts_name(char c) { return is_letter(c) || c == '_'; }

size_t environment_name_length(const char *text, size_t limit)
{
    size_t length = 0;
    while (length < limit && (starts_name(text[length]) || (length > 0 && is_digit(text[length]))))
        length++;
    return length;
}

static bool is_prefix(const char *pattern) { return pattern[strlen(pattern) - 1] == '*'; }

static bool matches(const char *pattern, const char *name, size_t length)
{
    size_t fixed = strlen(pattern) - (is_prefix(pattern) ? 1 : 0);
    return is_prefix(pattern) ? length >= fixed && memcmp(name, pattern, fixed) == 0
                              : length == fixed && memcmp(name, pattern, fixed) == 0;
}

static bool is_guarded(const char *name, size_t length)
{
    for (size_t i = 0; i < array_size(guarded); i++)
        if (matches(guarded[i], name, length))
            return true;
    return false;
}

bool environment_allows(const struct environment *environment, const char *name, size_t length)
{
    bool exactly_only = is_guarded(name, length);
    for (size_t i = 0; i < environment->allowed.count; i++) {
        const char *pattern = environment->allowed.items[i];
        if (matches(pattern, name, length) && !(exactly_only && is_prefix(pattern)))
            return true;
    }
    return false;
}

bool environment_allow(struct environment *environment, const char *pattern, const char **problem)
{
    size_t length = environment_name_length(pattern, strlen(pattern));
    bool good = length > 0 && (pattern[length] == 0 || (pattern[length] == '*' && pattern[length + 1] == 0));
    *problem = good ? "there is no memory for it" : "allow needs the NAME of a variable, or PREFIX*";
    return good && string_list_add(&environment->allowed, pattern);
}

bool environment_set(struct environment *environment, const char *variable)
{
    size_t length = (size_t)(strchr(variable, '=') - variable) + 1;
    struct string_list *list = &environment->variables;
    for (size_t i = 0; i < list->count; i++) {
        if (!strncmp(list->items[i], variable, length)) {
            list->items[i] = variable;
            return true;
        }
    }
    return string_list_add(list, variable);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may come from outside, and how user data is read.
 *
 * linux/environment.c and linux/user_data.c alone; the sources of variables and their order are in test_instance.c. Run
 * by make test-linux.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "lib/errno.h"
#include "linux/environment.h"
#include "linux/user_data.h"

/* A configuration lives as long as the machine, so nothing in the kernel frees one. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; }

static bool allows(const struct environment *environment, const char *name)
{
    return environment_allows(environment, name, strlen(name));
}

static void patterns_cover_names(void)
{
    struct environment environment = { 0 };
    const char *problem;
    CHECK(!allows(&environment, "A"));
    CHECK(environment_allow(&environment, "DB_*", &problem) && environment_allow(&environment, "port1", &problem));
    CHECK(allows(&environment, "DB_URL") && allows(&environment, "DB_") && allows(&environment, "port1"));
    CHECK(!allows(&environment, "DB") && !allows(&environment, "port") && !allows(&environment, "port12"));
    CHECK(!allows(&environment, "PORT1"));
}

static void patterns_are_checked(void)
{
    static const char *const bad[] = { "", "*", "A B", "A=", "1A", "A**", "A*B", "A-B", "*A", "\xc3\x84" };
    struct environment environment = { 0 };
    for (size_t i = 0; i < array_size(bad); i++) {
        const char *problem = NULL;
        CHECK(!environment_allow(&environment, bad[i], &problem));
        CHECK(strcmp(problem, "allow needs the NAME of a variable, or PREFIX*") == 0);
    }
    CHECK_EQUAL(environment.allowed.count, 0);
}

static void no_pattern_covers_what_steers_the_jvm(void)
{
    static const char *const guarded[] = {
        "LD_PRELOAD",        "LD_LIBRARY_PATH", "LD_AUDIT",         "GLIBC_TUNABLES", "MALLOC_ARENA_MAX",
        "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS",   "JDK_JAVA_OPTIONS", "CLASSPATH",      "PATH",
        "LOCPATH",           "GCONV_PATH",      "RES_OPTIONS",
    };
    struct environment environment = { 0 };
    const char *problem;
    for (char c = 'A'; c <= 'Z'; c++) {
        char *pattern = malloc(3);
        sprintf(pattern, "%c*", c);
        CHECK(environment_allow(&environment, pattern, &problem));
    }
    CHECK(environment_allow(&environment, "_*", &problem) && environment_allow(&environment, "LD_*", &problem));
    for (size_t i = 0; i < array_size(guarded); i++)
        CHECK(!allows(&environment, guarded[i]));
    CHECK(allows(&environment, "LDAP_URL") && allows(&environment, "JAVA_X") && allows(&environment, "PATH_TO_IT"));
    CHECK(environment_allow(&environment, "JAVA_TOOL_OPTIONS", &problem));
    CHECK(allows(&environment, "JAVA_TOOL_OPTIONS") && !allows(&environment, "LD_PRELOAD"));
}

static void variables_take_the_place_of_others(void)
{
    struct environment environment = { 0 };
    CHECK(environment_set(&environment, "A=1") && environment_set(&environment, "AB=2"));
    CHECK(environment_set(&environment, "A=3") && environment_set(&environment, "B="));
    const char *const *items = string_list_array(&environment.variables);
    CHECK(strcmp(items[0], "A=3") == 0 && strcmp(items[1], "AB=2") == 0 && strcmp(items[2], "B=") == 0);
    CHECK(items[3] == NULL);
}

static char seen[4096];

static void see(void *context, const char *name, size_t name_length, const char *value, size_t value_length)
{
    CHECK(context == seen);
    sprintf(seen + strlen(seen), "[%.*s][%.*s]", (int)name_length, name, (int)value_length, value);
}

/* The problem, and the line in front of it: "2 is not NAME=VALUE". "": none. */
static const char *read_text(const char *text, size_t length)
{
    static char result[128];
    unsigned line;
    char *exact = malloc(max_of(length, (size_t)1));
    memcpy(exact, text, length);
    seen[0] = 0;
    const char *problem = user_data_read(exact, length, see, seen, &line);
    free(exact);
    sprintf(result, problem != NULL ? "%u %s" : "", line, problem);
    return result;
}

#define READ(text) read_text(text, sizeof(text) - 1)

static void user_data_has_lines(void)
{
    CHECK(strcmp(READ(""), "") == 0 && seen[0] == 0);
    CHECK(strcmp(READ("# for the web\r\n\r\nDB_URL=jdbc:x?a=b \r\nEMPTY=\n_q=\"quoted\"\n#END=1"), "") == 0);
    CHECK(strcmp(seen, "[DB_URL][jdbc:x?a=b ][EMPTY][][_q][\"quoted\"]") == 0);
    CHECK(strcmp(READ("A=1\r\r\nB=\xff"), "") == 0);
    CHECK(strcmp(seen, "[A][1\r][B][\xff]") == 0);
}

static void other_user_data_is_refused_whole(void)
{
    CHECK(strcmp(READ("A=1\nB\nC=2\n"), "2 is not NAME=VALUE") == 0 && seen[0] == 0);
    CHECK(strcmp(READ("#!/bin/sh\nexport A=1\n"), "2 is not NAME=VALUE") == 0);
    CHECK(strcmp(READ("#cloud-config\nhostname: web\n"), "2 is not NAME=VALUE") == 0);
    CHECK(strcmp(READ(" A=1"), "1 is not NAME=VALUE") == 0);
    CHECK(strcmp(READ("=1"), "1 is not NAME=VALUE") == 0);
    CHECK(strcmp(READ("A.B=1"), "1 is not NAME=VALUE") == 0);
    CHECK(strcmp(READ("A=1\nB=\0x"), "2 holds a NUL") == 0 && seen[0] == 0);
    CHECK(strcmp(READ("\x1f\x8b\x08\0"), "0 is compressed; give lines of NAME=VALUE") == 0);
    CHECK(strcmp(READ("REJfVVJMPWpkYmM6eDp5Cg==\n"), "0 is encoded in base64; give lines of NAME=VALUE") == 0);
    CHECK(strcmp(READ("REJfVVJMPWpkYmM6eD\r\np5Cg==\n"), "0 is encoded in base64; give lines of NAME=VALUE") == 0);
    CHECK(strcmp(READ("DEBUG=\n"), "") == 0);
}

int main(void)
{
    host_init();
    host_test("environment: patterns cover names", patterns_cover_names);
    host_test("environment: patterns are checked", patterns_are_checked);
    host_test("environment: no pattern covers what steers the jvm", no_pattern_covers_what_steers_the_jvm);
    host_test("environment: variables take the place of others", variables_take_the_place_of_others);
    host_test("user data: lines", user_data_has_lines);
    host_test("user data: other text is refused whole", other_user_data_is_refused_whole);
    return host_result();
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Shows what a program gets from the system that starts it, and ends as its first argument says: "status-N", or
 * "signal-N" for a death by that signal. What it shows is the same on Linux and in a guest: arguments, environment,
 * working directory, the auxiliary vector as far as it does not depend on the machine, thread-local storage, threads,
 * and a file in the directory for temporary ones.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>

#ifdef GREETING
const char *greeting(void);
#else
static const char *greeting(void)
{
    return "own";
}
#endif

extern char **environ;
extern void _start(void);
static _Thread_local int local = 42;
static _Thread_local char zeros[5000];

static void *thread(void *unused)
{
    int fresh = local == 42 && !zeros[0] && !zeros[sizeof(zeros) - 1];
    local = 1;
    zeros[0] = 1;
    return fresh ? unused : NULL;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The variables come in the order of the configuration, which has no meaning. */
static void show_environment(void)
{
    size_t count = 0;
    while (environ[count])
        count++;
    qsort(environ, count, sizeof(*environ), compare);
    for (size_t i = 0; i < count; i++)
        printf("variable %s\n", environ[i]);
}

static int find_tls(struct dl_phdr_info *info, size_t size, void *found)
{
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_TLS)
            *(int *)found = 1;
    return 1;
}

static void show_auxiliary_vector(void)
{
    const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
    const char *name = (const char *)getauxval(AT_EXECFN);
    const ElfW(Phdr) *headers = (const ElfW(Phdr) *)getauxval(AT_PHDR);
    const ElfW(Ehdr) *vdso = (const ElfW(Ehdr) *)getauxval(AT_SYSINFO_EHDR);
    int differ = 0, tls = 0;
    for (int i = 1; i < 16; i++)
        differ |= random[i] != random[0];
    dl_iterate_phdr(find_tls, &tls);
    printf("random %d, name %s, entry %d, headers %d of %lu bytes, loadable %d, TLS %d, vDSO %d\n", differ,
           strrchr(name, '/') + 1, getauxval(AT_ENTRY) == (unsigned long)_start, getauxval(AT_PHNUM) > 0,
           getauxval(AT_PHENT), headers[0].p_type != PT_NULL, tls, vdso && !memcmp(vdso->e_ident, ELFMAG, SELFMAG));
    printf("page size %lu, secure %lu, platform %s\n", getauxval(AT_PAGESZ), getauxval(AT_SECURE),
           (const char *)getauxval(AT_PLATFORM));
}

static void show_system(void)
{
    static int fresh;
    pthread_t other;
    void *result = NULL;
    struct timespec now = { 0 };
    if (pthread_create(&other, NULL, thread, &fresh) || pthread_join(other, &result))
        perror("thread");
    FILE *file = fopen("/tmp/unikernel-it-executable", "w+");
    int written = file ? fprintf(file, "text\n") : -1;
    printf("thread %d, local %d, clock %d, file %d\n", result == &fresh, local,
           clock_gettime(CLOCK_REALTIME, &now) == 0 && now.tv_sec > 1700000000, written);
    if (file)
        fclose(file);
    unlink("/tmp/unikernel-it-executable");
}

int main(int count, char **arguments)
{
    char directory[200] = "";
    for (int i = 1; i < count; i++)
        printf("argument %s\n", arguments[i]);
    show_environment();
    printf("directory %s, library %s\n", getcwd(directory, sizeof(directory)) ? strrchr(directory, '/') : "?",
           greeting());
    show_auxiliary_vector();
    show_system();
    fflush(stdout);
    int number = 0;
    if (count > 1 && sscanf(arguments[1], "signal-%d", &number) == 1)
        raise(number);
    return count > 1 && sscanf(arguments[1], "status-%d", &number) == 1 ? number : 2;
}

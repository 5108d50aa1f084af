/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the calls of the table, each in the same world: a directory of files, one descriptor of each kind, and
 * structures in memory. A call that waits is woken by a signal and its line says so. The process is root of a working
 * directory that is on a memory file system.
 *
 *   calls           prints a line "call NAME(ARGUMENTS) = RESULT" for each
 *   calls NAME...   of these calls only
 */
#define _GNU_SOURCE
#include "calls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define TICK_NS 3000000 /* a call that has not returned after two of these is woken */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct data data;
static struct data pristine;
static char home[4096];
static pthread_t caller;
static atomic_ulong calls_begun, calls_ended;

static void must(bool condition, const char *what)
{
    if (condition)
        return;
    printf("not ok calls: %s: %s\n", what, strerrorname_np(errno));
    fflush(stdout);
    _exit(1);
}

/* ---- Memory -------------------------------------------------------------------------------------------- */

static void name_unix(struct sockaddr_un *address, const char *path, size_t length)
{
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length);
}

static void describe_addresses(struct data *d)
{
    d->any = (struct sockaddr_in){ .sin_family = AF_INET };
    d->loopback = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    d->wrong_family = (struct sockaddr_in){ .sin_family = 77 };
    d->closed_port = d->loopback;
    d->closed_port.sin_port = htons(1);
    name_unix(&d->unix_path, "named", 6);
    name_unix(&d->unix_missing, "none/x", 7);
    name_unix(&d->unix_not_socket, "f", 2);
    name_unix(&d->unix_abstract, "\0abs", 4);
    d->length_16 = 16;
    d->length_2 = 2;
    d->length_128 = 128;
    d->negative_length = UINT32_MAX;
}

static void describe_times(struct data *d)
{
    d->negative_time = (struct timespec){ -1, 0 };
    d->wrong_time = (struct timespec){ 0, 1000000000 };
    d->hour = (struct timespec){ 3600, 0 };
    d->two_times[0] = d->two_times[1] = (struct timespec){ 1000000, 5 };
    d->omitted[0] = d->omitted[1] = (struct timespec){ 7, UTIME_OMIT };
    d->wrong_times[0] = d->wrong_times[1] = (struct timespec){ 0, -1 };
    d->two_timevals[0] = d->two_timevals[1] = (struct timeval){ 1000000, 5 };
    d->wrong_timevals[0] = d->wrong_timevals[1] = (struct timeval){ 0, 1000000 };
    d->far_timer = (struct itimerspec){ { 5, 0 }, { 3600, 0 } };
    d->wrong_timer = (struct itimerspec){ { 0, 0 }, { 0, -1 } };
    d->far_alarm = (struct itimerval){ { 5, 0 }, { 3600, 0 } };
    d->wrong_alarm = (struct itimerval){ { 0, 0 }, { 0, 1000000 } };
}

static void describe_vectors(struct data *d)
{
    for (unsigned i = 0; i < COUNT(d->vector); i++)
        d->vector[i] = (struct iovec){ data.buffer + i * 100, 2 };
    d->bad_vector[0] = (struct iovec){ (void *)8, 5 };
    d->bad_vector[1] = (struct iovec){ data.buffer, 5 };
    d->huge_vector[0] = (struct iovec){ data.buffer, SIZE_MAX };
    d->huge_vector[1] = (struct iovec){ data.buffer, 1 };
    d->message = (struct msghdr){ .msg_iov = data.vector, .msg_iovlen = 2 };
    d->bad_message = (struct msghdr){ .msg_iov = data.bad_vector, .msg_iovlen = 1 };
    d->many_spans = (struct msghdr){ .msg_iov = data.vector, .msg_iovlen = 1025 };
    d->polled[0] = (struct pollfd){ FILE_FD, POLLIN | POLLOUT, 0 };
    d->polled[1] = (struct pollfd){ CLOSED_FD, POLLIN, 0 };
    d->closed_poll[0] = (struct pollfd){ PIPE_IN, POLLOUT, 0 };
}

static void describe_flags(struct data *d)
{
    d->how_create[0] = O_CREAT | O_RDWR;
    d->how_create[1] = 0644;
    d->how_wrong_flag[0] = 1UL << 40;
    d->how_mode[1] = 0644;
    d->how_resolve[2] = 1UL << 40;
    d->how_beneath[2] = 0x08; /* RESOLVE_BENEATH */
    d->limit_low[0] = 50;
    d->limit_low[1] = 20000;
    d->limit_wrong[0] = 100;
    d->limit_wrong[1] = 99;
    d->limit_infinite[0] = d->limit_infinite[1] = UINT64_MAX;
    d->ignore_action[0] = 1;
    d->one = 1;
    d->minus_one = -1;
    d->offset_5 = 5;
    d->negative_offset = -1;
    d->capability_header[0] = d->capability_other[0] = _LINUX_CAPABILITY_VERSION_3;
    d->capability_other[1] = 999999999;
    d->capability_wrong[0] = 1;
    d->all_signals = UINT64_MAX;
    d->user_signal = 1UL << (SIGUSR2 - 1);
    d->event[0] = EPOLLIN;
    d->event_signal[1] = SIGUSR2; /* sigev_value, then sigev_signo and sigev_notify in one word */
    d->event_none[1] = 1UL << 32;
    d->event_wrong[1] = 77UL << 32;
}

static void describe_memory(void)
{
    struct data *d = &pristine;
    strcpy(d->text, "text");
    memset(d->long_name, 'n', LONG_NAME - 1);
    for (unsigned i = 0; i < LONG_PATH - 1; i++)
        d->long_path[i] = i % 2 ? '/' : '.';
    describe_addresses(d);
    describe_times(d);
    describe_vectors(d);
    describe_flags(d);
}

/* ---- Files --------------------------------------------------------------------------------------------- */

static void remove_tree(const char *path)
{
    if (unlink(path) == 0 || errno == ENOENT)
        return;
    static const char *const inside[] = { "f", "g", "x", "l", "new", "none" };
    char name[256];
    for (unsigned i = 0; i < COUNT(inside); i++) {
        snprintf(name, sizeof(name), "%s/%s", path, inside[i]);
        if (unlink(name) != 0)
            rmdir(name);
    }
    rmdir(path);
}

static void write_file(const char *name)
{
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
    must(fd >= 0 && write(fd, "0123456789", 10) == 10, name);
    close(fd);
}

static void make_files(void)
{
    static const char *const all[] = { "f", "g", "l", "loop", "dangling", "d", "empty", "new", "named", "none" };
    must(chdir(home) == 0, "chdir");
    umask(022);
    for (unsigned i = 0; i < COUNT(all); i++)
        remove_tree(all[i]);
    must(mkdir("d", 0755) == 0 && mkdir("empty", 0755) == 0, "mkdir");
    write_file("f");
    write_file("g");
    write_file("d/x");
    must(symlink("f", "l") == 0 && symlink("loop", "loop") == 0 && symlink("none", "dangling") == 0, "symlink");
}

/* ---- Descriptors --------------------------------------------------------------------------------------- */

static void keep(int number, int fd)
{
    must(fd >= 0, "a descriptor of the world");
    if (fd == number)
        return;
    must(dup2(fd, number) == number, "dup2");
    close(fd);
}

static void open_files(void)
{
    keep(FILE_FD, open("f", O_RDWR));
    keep(READ_FD, open("f", O_RDONLY));
    keep(WRITE_FD, open("f", O_WRONLY));
    keep(APPEND_FD, open("f", O_RDWR | O_APPEND));
    keep(DIRECTORY_FD, open("d", O_RDONLY | O_DIRECTORY));
    keep(PATH_FD, open("f", O_PATH));
}

static void open_others(void)
{
    keep(MEMORY_FD, memfd_create("calls", MFD_ALLOW_SEALING));
    keep(NULL_FD, open("/dev/null", O_RDWR));
    keep(ZERO_FD, open("/dev/zero", O_RDWR));
    keep(PROC_FD, open("/proc/self/status", O_RDONLY));
    keep(SETTING_FD, open("/proc/sys/vm/overcommit_memory", O_RDONLY));
    keep(SYS_FD, open("/sys/devices/system/cpu/online", O_RDONLY));
    must(write(MEMORY_FD, "memory", 6) == 6, "write");
}

static void open_pipes(void)
{
    static char filler[4096];
    int ends[2];
    must(pipe(ends) == 0, "pipe");
    keep(PIPE_OUT, ends[0]);
    keep(PIPE_IN, ends[1]);
    must(write(PIPE_IN, "pipe", 4) == 4 && pipe2(ends, O_NONBLOCK) == 0, "pipe2");
    keep(FULL_PIPE_OUT, ends[0]);
    keep(FULL_PIPE_IN, ends[1]);
    while (write(FULL_PIPE_IN, filler, sizeof(filler)) > 0)
        continue;
    must(pipe(ends) == 0, "pipe");
    close(ends[0]);
    keep(BROKEN_PIPE, ends[1]);
}

static void open_sockets(void)
{
    int pair[2];
    keep(STREAM_FD, socket(AF_INET, SOCK_STREAM, 0));
    keep(LISTENER_FD, socket(AF_INET, SOCK_STREAM, 0));
    must(bind(LISTENER_FD, (struct sockaddr *)&data.loopback, 16) == 0 && listen(LISTENER_FD, 5) == 0, "listen");
    keep(DATAGRAM_FD, socket(AF_INET, SOCK_DGRAM, 0));
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
    keep(PAIR_FD, pair[0]);
    keep(PAIR_PEER_FD, pair[1]);
    must(write(PAIR_PEER_FD, "pair", 4) == 4, "write");
    keep(UNIX_FD, socket(AF_UNIX, SOCK_STREAM, 0));
}

static void open_epoll(void)
{
    struct epoll_event event = { .events = EPOLLIN };
    keep(EPOLL_FD, epoll_create1(0));
    must(epoll_ctl(EPOLL_FD, EPOLL_CTL_ADD, PIPE_OUT, &event) == 0, "epoll_ctl");
}

static void open_counters(void)
{
    keep(EVENT_FD, eventfd(1, 0));
    keep(TIMER_FD, timerfd_create(CLOCK_MONOTONIC, 0));
}

/* Numbers from first up to last are among the arguments. */
static bool is_used(const uint64_t a[ARGUMENTS], uint64_t first, uint64_t last)
{
    for (unsigned i = 0; i < ARGUMENTS; i++)
        if (a[i] >= first && a[i] <= last)
            return true;
    return false;
}

/* Only what the call is given, or it takes long; what poll(2) is given lies in memory. */
static void open_world(const uint64_t a[ARGUMENTS])
{
    bool polled = is_used(a, (uintptr_t)data.polled, (uintptr_t)(data.closed_poll + 1));
    if (polled || is_used(a, FILE_FD, PATH_FD))
        open_files();
    if (polled || is_used(a, PIPE_OUT, BROKEN_PIPE) || is_used(a, EPOLL_FD, EPOLL_FD))
        open_pipes();
    if (is_used(a, STREAM_FD, UNIX_FD))
        open_sockets();
    if (is_used(a, EPOLL_FD, EPOLL_FD))
        open_epoll();
    if (is_used(a, EVENT_FD, TIMER_FD))
        open_counters();
    if (is_used(a, INOTIFY_FD, INOTIFY_FD))
        keep(INOTIFY_FD, inotify_init1(0));
    if (is_used(a, MEMORY_FD, SYS_FD))
        open_others();
}

static void map(uint64_t where, int protection, int flags, int fd)
{
    must(mmap((void *)where, 4096, protection, flags | MAP_FIXED, fd, 0) == (void *)where, "mmap");
}

static void map_memory(void)
{
    const int both = PROT_READ | PROT_WRITE;
    int file = open("f", O_RDWR), read_only = open("f", O_RDONLY);
    map(PRIVATE, both, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    map(SHARED, both, MAP_SHARED | MAP_ANONYMOUS, -1);
    map(PRIVATE_FILE, both, MAP_PRIVATE, file);
    map(SHARED_FILE, both, MAP_SHARED, file);
    map(READ_ONLY_FILE, PROT_READ, MAP_SHARED, read_only);
    map(NO_ACCESS, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    map(GAP, both, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    map(GAP + 2 * 4096, both, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    close(file);
    close(read_only);
}

static void restore_limits(void)
{
    static const struct rlimit descriptors = { 20000, 20000 }, infinite = { RLIM_INFINITY, RLIM_INFINITY };
    setrlimit(RLIMIT_NOFILE, &descriptors);
    setrlimit(RLIMIT_FSIZE, &infinite);
}

static void make_world(const uint64_t arguments[ARGUMENTS])
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGUSR2, SIG_IGN);
    syscall(SYS_close_range, 3, ~0U, 0);
    restore_limits();
    data = pristine;
    munmap((void *)PRIVATE, MEMORY_END - PRIVATE);
    make_files();
    if (is_used(arguments, PRIVATE, MEMORY_END))
        map_memory();
    open_world(arguments);
}

/* ---- Calls --------------------------------------------------------------------------------------------- */

static uint64_t resolve(uint64_t value)
{
    switch (value) {
    case SELF_PID:
        return (uint64_t)getpid();
    case SELF_TID:
        return (uint64_t)gettid();
    default:
        return value;
    }
}

static void print_result(const struct row *row, long result, int error)
{
    if (result == -1 && error == EINTR)
        puts("waits");
    else if (result == -1 && error != 0)
        puts(strerrorname_np(error) ? strerrorname_np(error) : "unknown");
    else if (row->shown == OK)
        puts("ok");
    else
        printf("%ld\n", result);
}

static void make_call(const struct row *row, const unsigned chosen[ARGUMENTS])
{
    uint64_t a[ARGUMENTS] = { 0 };
    printf("call %s(", row->name);
    for (unsigned i = 0; i < ARGUMENTS && row->arguments[i]; i++) {
        printf("%s%s", i ? ", " : "", row->arguments[i][chosen[i]].text);
        a[i] = resolve(row->arguments[i][chosen[i]].value);
    }
    printf(") = ");
    make_world(a);
    errno = 0;
    calls_begun++;
    long result = syscall(row->number, a[0], a[1], a[2], a[3], a[4], a[5]);
    int error = errno;
    calls_ended++;
    print_result(row, result, error);
}

/* All values of one argument, the others being the first of theirs; from `from` on. */
static void vary(const struct row *row, unsigned argument, unsigned chosen[ARGUMENTS], unsigned from)
{
    for (unsigned i = from; row->arguments[argument][i].text; i++) {
        chosen[argument] = i;
        make_call(row, chosen);
    }
    chosen[argument] = 0;
}

static void cross(const struct row *row, unsigned chosen[ARGUMENTS])
{
    for (unsigned i = 1; row->arguments[0][i].text; i++) {
        chosen[0] = i;
        vary(row, 1, chosen, 1);
    }
    chosen[0] = 0;
}

static void make_calls(const struct row *row)
{
    unsigned chosen[ARGUMENTS] = { 0 };
    make_call(row, chosen);
    for (unsigned i = 0; i < ARGUMENTS && row->arguments[i]; i++)
        vary(row, i, chosen, 1);
    if (row->crossed)
        cross(row, chosen);
}

/* ---- Waking what waits --------------------------------------------------------------------------------- */

static void ignore(int number) { (void)number; }

/* Wakes calls, never what is done between them: that cannot wait. */
static void *wake(void *argument)
{
    const struct timespec tick = { .tv_nsec = TICK_NS };
    unsigned long seen = 0;
    (void)argument;
    for (;;) {
        clock_nanosleep(CLOCK_MONOTONIC, 0, &tick, NULL);
        unsigned long begun = calls_begun;
        if (begun == seen && calls_ended != begun)
            pthread_kill(caller, SIGUSR1);
        seen = begun;
    }
    return NULL;
}

static void start_waking(void)
{
    struct sigaction action = { .sa_handler = ignore };
    sigset_t set;
    pthread_t thread;
    caller = pthread_self();
    sigaction(SIGUSR1, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    sigfillset(&set);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
    must(pthread_create(&thread, NULL, wake, NULL) == 0, "a thread");
    sigemptyset(&set);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
}

int main(int argc, char **argv)
{
    static char output[1 << 16];
    setvbuf(stdout, output, _IOLBF, sizeof(output));
    must(getcwd(home, sizeof(home)) != NULL, "getcwd");
    describe_memory();
    start_waking();
    for (unsigned i = 0; i < call_row_count; i++) {
        bool wanted = argc == 1;
        for (int a = 1; a < argc; a++)
            wanted |= strcmp(argv[a], call_rows[i].name) == 0;
        if (wanted)
            make_calls(&call_rows[i]);
    }
    puts("ok calls");
    return 0;
}

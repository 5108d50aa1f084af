/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls with random arguments, and sequences of calls on what earlier ones made (storm_steps.c), from several
 * threads at once: `storm SEED CALLS [THREADS]`. Only for the guest, where nothing can be harmed. What must hold is
 * that the kernel goes on: every call returns once a signal interrupts it, the program's own text stays as it was, and
 * memory comes back when everything is closed: so half of the calls, after the other half, leave no less of it. Prints
 * "ok storm", or "not ok storm: why" and the calls before.
 */
#define _GNU_SOURCE
#include "numbers.h"
#include "storm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#define THREADS 3 /* unless the command line says */
#define THREADS_MAX 16
#define NUMBERS 470            /* one more than the highest system call tried */
#define FILES 40               /* descriptors 3..42 are played with; 0..2 are the console */
#define REPORTED 20000         /* calls between two lines, which show the lab that the guest is alive */
#define PATIENCE_MS 60000      /* without a single call that returned, on the guest's clock */
#define TIMERS 1024            /* as many as the kernel gives one process */
#define LEAK_LIMIT (2UL << 20) /* bytes that one round may leave less of than the one before: TIME-WAIT, caches */
#define ROUNDS 2
#define DESCRIPTORS 1024 /* at most: their table does not shrink */

static struct player players[THREADS_MAX];
static pthread_t threads[THREADS_MAX];
static unsigned thread_count = THREADS;
__thread struct player *self;
uintptr_t region;
static atomic_long returned;
static long wanted;
extern const char __executable_start[], etext[];
static char *text_copy;

uint64_t below(uint64_t limit) { return next_number(&self->random, limit); }

/* ---- Ending ------------------------------------------------------------------------------------ */

static void print_calls(const struct player *player)
{
    unsigned first = player->count > REMEMBERED ? player->count - REMEMBERED : 0;
    printf("# thread %d\n", (int)(player - players));
    for (unsigned i = first; i < player->count; i++) {
        const struct call *call = &player->calls[i % REMEMBERED];
        printf("#   %ld(", call->number);
        for (int a = 0; a < 6; a++)
            printf("%#lx%s", call->arguments[a], a < 5 ? ", " : ")");
        printf(" = %ld\n", call->result);
    }
}

_Noreturn void fail(const char *fmt, ...)
{
    va_list args;
    printf("not ok storm: ");
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    printf(", after %ld calls\n", returned);
    for (unsigned i = 0; i < thread_count; i++)
        print_calls(&players[i]);
    _exit(1);
}

static void check_text(void)
{
    size_t length = (size_t)(etext - __executable_start);
    if (memcmp(text_copy, __executable_start, length) == 0)
        return;
    for (size_t i = 0; i < length; i++)
        if (text_copy[i] != __executable_start[i])
            fail("the text changed at +%#zx", i);
}

static void handle_fault(int number, siginfo_t *information, void *context)
{
    (void)context;
    if (self != NULL && self->may_fault)
        siglongjmp(self->fault, 1);
    fail("died of signal %d at %p", number, information->si_addr);
}

/* ---- Arguments --------------------------------------------------------------------------------- */

static bool copy_guarded(void *to, const void *from, size_t length)
{
    bool done = false;
    if (sigsetjmp(self->fault, 1) == 0) {
        self->may_fault = 1;
        memcpy(to, from, length);
        done = true;
    }
    self->may_fault = 0;
    return done;
}

bool write_region(uintptr_t to, const void *from, size_t length) { return copy_guarded((void *)to, from, length); }
bool read_region(void *to, uintptr_t from, size_t length) { return copy_guarded(to, (const void *)from, length); }

static uint64_t page_in_region(void) { return region + below(REGION / PAGE) * PAGE; }
static uint64_t file(void) { return 3 + below(FILES); }

uint64_t path_in_region(void)
{
    static const char *const paths[] = {
        "/tmp/a",
        "/tmp/b",
        "/tmp/d/c",
        "/tmp/d/../a",
        "/tmp",
        "/",
        "",
        "relative",
        "/proc/self/maps",
        "/proc/self",
        "/proc/self/fd/5",
        "/proc/self/exe",
        "/proc/self/task",
        "/proc/meminfo",
        "/proc/cpuinfo",
        "/dev/urandom",
        "/dev/zero",
        "/dev/null",
        "/dev/shm",
        "/etc/passwd",
        "/sys/devices/system/cpu",
        "/test/storm",
        "/image/there/numbers",
        "/image/there/lib/one",
        "/image/there/lib",
        "/image/there/deep/er",
        "/image/there/link",
        "/image/written",
        "/image/written/many/entry-7",
        "/image/written/new",
    };
    const char *name = paths[below(sizeof(paths) / sizeof(paths[0]))];
    uint64_t at = region + below(REGION - PAGE);
    write_region(at, name, strlen(name) + 1);
    return at;
}

/* Where checks of addresses go wrong: the end of the user half, the hole of non-canonical ones, and wrapping round. */
static const uint64_t edges[] = {
    0x1000,
    0x10000,
    0x7fffffffe000,
    0x7ffffffff000,
    0x800000000000,
    0x800000001000,
    0x8000000000000000,
    0x7fffffffffffffff,
    0xffff7fffffffffff,
    0xffff800000000000,
    0xffffffff80000000,
    0xfffffffffffff000,
    UINT64_MAX,
};

static uint64_t address(void)
{
    switch (below(8)) {
    case 0:
        return self->random;
    case 1:
        return 0xffff800000000000UL + below(1UL << 40); /* the kernel's half */
    case 2:
        return edges[below(sizeof(edges) / sizeof(edges[0]))] + below(3) - 1;
    case 3:
        return page_in_region() + PAGE - 1 - below(64); /* across two pages */
    case 4:
        return region + REGION - 1 - below(128);
    default:
        return region + below(REGION);
    }
}

static uint64_t argument(void)
{
    switch (below(12)) {
    case 0:
        return 0;
    case 1:
        return below(2) ? UINT64_MAX : edges[below(sizeof(edges) / sizeof(edges[0]))];
    case 2:
        return below(64);
    case 3:
    case 4:
        return file();
    case 5:
        return 1UL << below(64);
    case 6:
        return below(1UL << 32);
    case 7:
        return below(70000);
    case 8:
        return -below(200);
    case 9:
        return path_in_region();
    default:
        return address();
    }
}

/* Structures for calls to come. */
static void scribble(void)
{
    uint64_t words[16];
    for (int i = 0; i < 16; i++)
        words[i] = argument();
    write_region(region + below(REGION - sizeof(words)), words, sizeof(words));
}

/* ---- Calls ------------------------------------------------------------------------------------- */

static bool is_among(long number, const short *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (number == numbers[i])
            return true;
    return false;
}

/* What would end the program or take from it what it stands on, in its own right and on Linux too. */
static bool is_spared(long number)
{
    static const short spared[] = {
        SYS_exit,
        SYS_exit_group,
        SYS_reboot,
        SYS_kill,
        SYS_tkill,
        SYS_tgkill,
        SYS_rt_sigqueueinfo,
        SYS_rt_tgsigqueueinfo,
        SYS_timer_create,
        SYS_clone,
        SYS_clone3,
        SYS_fork,
        SYS_vfork,
        SYS_rt_sigreturn,
        SYS_rt_sigaction,
        SYS_rt_sigprocmask,
        SYS_rt_sigsuspend,
        SYS_rt_sigtimedwait,
        SYS_sigaltstack,
        SYS_arch_prctl,
        SYS_set_tid_address,
        SYS_set_robust_list,
        SYS_rseq,
        SYS_brk,
        SYS_prctl,
        SYS_setrlimit,
        SYS_prlimit64,
        SYS_shmat,
        SYS_close_range,
        /* These have turns of their own, with addresses of the region and files that are played with. */
        SYS_mmap,
        SYS_munmap,
        SYS_mprotect,
        SYS_mremap,
        SYS_madvise,
        SYS_close,
        SYS_dup2,
        SYS_dup3,
    };
    return is_among(number, spared, sizeof(spared) / sizeof(spared[0]));
}

/* Calls that the console would show or feel. */
static bool takes_file_first(long number)
{
    static const short numbers[] = { SYS_read,     SYS_write,  SYS_pread64, SYS_pwrite64, SYS_readv,
                                     SYS_writev,   SYS_preadv, SYS_pwritev, SYS_preadv2,  SYS_pwritev2,
                                     SYS_sendfile, SYS_ioctl,  SYS_fcntl,   SYS_dup };
    return is_among(number, numbers, sizeof(numbers) / sizeof(numbers[0]));
}

static void choose_memory_call(struct call *call)
{
    uint64_t *a = call->arguments, pages = 1 + below(64);
    a[0] = region + below(REGION / PAGE - 128) * PAGE;
    a[1] = pages * PAGE - (below(5) == 0 ? below(PAGE) : 0);
    a[2] = below(8); /* PROT_* */
    switch (below(5)) {
    case 0:
        call->number = SYS_mmap;
        a[3] = MAP_FIXED | (below(3) ? MAP_PRIVATE | MAP_ANONYMOUS : 1 + below(2));
        a[4] = a[3] & MAP_ANONYMOUS ? UINT64_MAX : file();
        a[5] = a[3] & MAP_ANONYMOUS ? 0 : below(8) * PAGE;
        break;
    case 1:
        call->number = SYS_munmap;
        break;
    case 2:
        call->number = SYS_mprotect;
        break;
    case 3:
        call->number = SYS_madvise;
        a[2] = below(26);
        break;
    default:
        call->number = SYS_mremap;
        a[2] = (pages + below(4)) * PAGE;
        a[3] = MREMAP_MAYMOVE | (below(2) ? MREMAP_FIXED : 0);
        a[4] = region + below(REGION / PAGE - 128) * PAGE;
    }
}

/* Keeps files of many kinds open. */
static void choose_file_call(struct call *call)
{
    uint64_t *a = call->arguments;
    static const short makers[] = { SYS_eventfd2, SYS_epoll_create1, SYS_pipe2, SYS_socketpair, SYS_timerfd_create };
    switch (below(4)) {
    case 0:
        call->number = SYS_close;
        a[0] = file();
        break;
    case 1:
        call->number = SYS_dup2;
        a[0] = file();
        a[1] = file();
        break;
    case 2:
        call->number = SYS_open;
        a[0] = path_in_region();
        a[1] = below(3) | (below(2) ? O_CREAT : 0) | (below(8) ? 0 : O_TRUNC) | O_NONBLOCK;
        a[2] = 0777;
        break;
    default:
        call->number = makers[below(sizeof(makers) / sizeof(makers[0]))];
        a[0] = below(2);
        if (call->number == SYS_pipe2) {
            a[0] = region + below(REGION - 8);
            a[1] = below(2) ? O_NONBLOCK : 0;
        } else if (call->number == SYS_socketpair) {
            a[0] = a[1] = 1; /* AF_UNIX, SOCK_STREAM */
            a[2] = 0;
            a[3] = region + below(REGION - 8);
        }
    }
}

static void choose(struct call *call)
{
    for (int i = 0; i < 6; i++)
        call->arguments[i] = argument();
    switch (below(16)) {
    case 0:
        choose_memory_call(call);
        return;
    case 1:
    case 2:
        choose_file_call(call);
        return;
    case 3:
        call->number = SYS_socket;
        call->arguments[0] = below(4) ? 2 : below(12); /* AF_INET */
        call->arguments[1] = 1 + below(3);
        call->arguments[2] = 0;
        return;
    default:
        do
            call->number = (long)below(NUMBERS);
        while (is_spared(call->number));
    }
    if (takes_file_first(call->number))
        call->arguments[0] = file();
}

struct call *next_call(void) { return &self->calls[self->count % REMEMBERED]; }

void make(struct call *call)
{
    const uint64_t *a = call->arguments;
    call->result = 0;
    self->count++;
    long result = syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
    call->result = result < 0 ? -errno : result;
    returned++;
}

static void make_random_call(void)
{
    if (below(8) == 0)
        scribble();
    choose(next_call());
    make(next_call());
}

static void *play(void *player)
{
    static __thread char stack[65536];
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
    self = player;
    sigaltstack(&alternate, NULL);
    while (returned < wanted) {
        if (below(2))
            make_step();
        else
            make_random_call();
        if (self->count % 64 == 0)
            check_text();
    }
    return NULL;
}

/* ---- Watching ---------------------------------------------------------------------------------- */

static void ignore(int number) { (void)number; }

static void prepare_signals(void)
{
    struct sigaction fault = { .sa_sigaction = handle_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    struct sigaction wake = { .sa_handler = ignore };
    static const int ignored[] = { SIGPIPE, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGURG, SIGHUP };
    sigaction(SIGSEGV, &fault, NULL);
    sigaction(SIGBUS, &fault, NULL);
    sigaction(SIGUSR1, &wake, NULL);
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        signal(ignored[i], SIG_IGN);
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
        signal(number, SIG_IGN);
}

/* The first time, or afresh. */
static void map_region(void)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (region != 0 ? MAP_FIXED : 0);
    void *own = mmap((void *)region, REGION, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (own == MAP_FAILED)
        fail("no region: errno %d", errno);
    region = (uintptr_t)own;
}

static void prepare(void)
{
    size_t length = (size_t)(etext - __executable_start);
    const struct rlimit descriptors = { DESCRIPTORS, DESCRIPTORS };
    setvbuf(stdout, NULL, _IOLBF, 0);
    prepare_signals();
    map_region(); /* below all that comes after: what goes beyond its end must do no harm */
    text_copy = malloc(length);
    if (text_copy == NULL || setrlimit(RLIMIT_NOFILE, &descriptors) != 0)
        fail("cannot prepare: errno %d", errno);
    memcpy(text_copy, __executable_start, length);
}

/* Bytes that are free or can be at once. */
static uint64_t memory_left(void)
{
    struct sysinfo info;
    sysinfo(&info);
    return (info.freeram + info.bufferram) * info.mem_unit;
}

static void start(uint64_t seed)
{
    for (unsigned i = 0; i < thread_count; i++) {
        players[i].random = (seed * THREADS_MAX + i + 1) * 0x9e3779b97f4a7c15UL;
        if (pthread_create(&threads[i], NULL, play, &players[i]) != 0)
            fail("no thread");
    }
}

/* Interrupts what waits, and fails when nothing moves for long. */
static void watch(void)
{
    const struct timespec moment = { .tv_nsec = 20000000 };
    long before = -1, silent_ms = 0, reported = returned;
    while (returned < wanted) {
        nanosleep(&moment, NULL);
        silent_ms = returned == before ? silent_ms + 20 : 0;
        before = returned;
        if (before - reported >= REPORTED) {
            reported = before;
            printf("# %ld calls\n", reported);
        }
        if (silent_ms >= PATIENCE_MS)
            fail("nothing returns");
        for (unsigned i = 0; i < thread_count; i++)
            pthread_kill(threads[i], SIGUSR1);
    }
}

static void stop(void)
{
    struct timespec limit;
    for (unsigned i = 0; i < thread_count; i++) {
        do {
            pthread_kill(threads[i], SIGUSR1);
            clock_gettime(CLOCK_REALTIME, &limit);
            limit.tv_sec++;
        } while (pthread_timedjoin_np(threads[i], NULL, &limit) != 0);
    }
}

static void remove_all(const char *directory);

static void remove_entry(const char *directory, const char *name)
{
    char path[600];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    if (unlink(path) != 0 && errno == EISDIR) {
        remove_all(path);
        rmdir(path);
    }
}

static void remove_all(const char *directory)
{
    DIR *entries = opendir(directory);
    struct dirent *entry;
    while (entries != NULL && (entry = readdir(entries)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove_entry(directory, entry->d_name);
    if (entries != NULL)
        closedir(entries);
}

/* Everything that was made goes away. */
static void clean(void)
{
    end_steps();
    syscall(SYS_close_range, 3, UINT32_MAX, 0);
    for (int timer = 0; timer < TIMERS; timer++)
        syscall(SYS_timer_delete, timer);
    map_region();
    if (chdir("/tmp") != 0)
        fail("/tmp is gone");
    static const char *const stores[] = { "/tmp", "/run", "/var/tmp", "/dev/shm", "/image" };
    for (unsigned i = 0; i < sizeof(stores) / sizeof(stores[0]); i++)
        remove_all(stores[i]);
}

/* Bytes that are left after it. */
static uint64_t play_round(uint64_t seed, long calls)
{
    if (mkdir("/tmp/d", 0777) != 0)
        fail("cannot prepare a round: errno %d", errno);
    wanted = returned + calls;
    start(seed);
    watch();
    stop();
    clean();
    return memory_left();
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4 || access("/etc/unikernel.conf", F_OK) != 0) {
        fprintf(stderr, "usage, and only in the guest: storm SEED CALLS [THREADS]\n");
        return 2;
    }
    long calls = atol(argv[2]);
    uint64_t seed = strtoull(argv[1], NULL, 10);
    thread_count = argc == 4 ? (unsigned)atoi(argv[3]) : THREADS;
    if (thread_count < 1 || thread_count > THREADS_MAX)
        return 2;
    prepare();
    uint64_t before = play_round(seed, calls / ROUNDS), after = before;
    for (uint64_t round = 1; round < ROUNDS; round++)
        after = play_round(seed + (round << 32), calls / ROUNDS);
    printf("# %ld KiB did not come back from the last rounds\n", ((long)before - (long)after) / 1024);
    if (after + LEAK_LIMIT < before)
        fail("%lu KiB did not come back", (before - after) / 1024);
    printf("# %ld calls, seed %s\nok storm\n", (long)returned, argv[1]);
    _exit(0);
}

/*
 * System calls with arguments nobody means, from several threads at once: `storm SEED CALLS`. Only for the guest, where
 * nothing can be harmed. What must hold is that the kernel goes on: every call returns once a signal interrupts it, and
 * the program's own text stays as it was. Prints "ok storm", or "not ok storm: why" and the calls before.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define THREADS 3
#define PAGE 4096UL
#define REGION (64UL << 20)          /* where arguments point to, and what the memory calls work on */
#define NUMBERS 452                  /* one more than the highest system call tried */
#define FILES 40                     /* descriptors 3..42 are played with; 0..2 are the console */
#define REMEMBERED 32
#define PATIENCE_MS 20000            /* without a single call that returned */

struct call {
    long number;
    uint64_t arguments[6];
    long result;
};

struct player {
    pthread_t thread;
    uint64_t random;
    struct call calls[REMEMBERED];
    unsigned count;
    sigjmp_buf fault;
    volatile sig_atomic_t may_fault;
};

static struct player players[THREADS];
static __thread struct player *self;
static uintptr_t region;
static atomic_long returned;
static long wanted;
extern const char __executable_start[], etext[];
static char *text_copy;

static uint64_t below(uint64_t limit)
{
    self->random ^= self->random << 13;
    self->random ^= self->random >> 7;
    self->random ^= self->random << 17;
    return self->random % limit;
}

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

static _Noreturn void fail(const char *fmt, ...)
{
    va_list args;
    printf("not ok storm: ");
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    printf(", after %ld calls\n", returned);
    for (int i = 0; i < THREADS; i++)
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

/* Into the region, where there may be no page, or none that can be written. */
static void write_region(uintptr_t to, const void *from, size_t length)
{
    if (sigsetjmp(self->fault, 1) == 0) {
        self->may_fault = 1;
        memcpy((void *)to, from, length);
    }
    self->may_fault = 0;
}

static uint64_t page_in_region(void) { return region + below(REGION / PAGE) * PAGE; }
static uint64_t file(void) { return 3 + below(FILES); }

static uint64_t path(void)
{
    static const char *const paths[] = {
        "/tmp/a", "/tmp/b", "/tmp/d/c", "/tmp/d/../a", "/tmp", "/", "", "relative", "/proc/self/maps", "/proc/self",
        "/proc/self/fd/5", "/proc/self/exe", "/proc/self/task", "/proc/meminfo", "/proc/cpuinfo", "/dev/urandom",
        "/dev/zero", "/dev/null", "/dev/shm", "/etc/passwd", "/sys/devices/system/cpu", "/test/storm",
    };
    const char *name = paths[below(sizeof(paths) / sizeof(paths[0]))];
    uint64_t at = region + below(REGION - PAGE);
    write_region(at, name, strlen(name) + 1);
    return at;
}

static uint64_t address(void)
{
    switch (below(8)) {
    case 0: return self->random;
    case 1: return 0xffff800000000000UL + below(1UL << 40);       /* the kernel's half */
    case 2: return 0x7fffffffe000UL + below(0x4000);              /* about its border */
    case 3: return page_in_region() + PAGE - 1 - below(64);       /* across two pages */
    case 4: return region + REGION - 1 - below(128);
    default: return region + below(REGION);
    }
}

static uint64_t argument(void)
{
    switch (below(12)) {
    case 0: return 0;
    case 1: return UINT64_MAX;
    case 2: return below(64);
    case 3: case 4: return file();
    case 5: return 1UL << below(64);
    case 6: return below(1UL << 32);
    case 7: return below(70000);
    case 8: return -below(200);
    case 9: return path();
    default: return address();
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
        SYS_exit, SYS_exit_group, SYS_reboot, SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo,
        SYS_rt_tgsigqueueinfo, SYS_alarm, SYS_setitimer, SYS_timer_create, SYS_clone, SYS_clone3, SYS_fork, SYS_vfork,
        SYS_rt_sigreturn, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigsuspend, SYS_rt_sigtimedwait, SYS_sigaltstack,
        SYS_arch_prctl, SYS_set_tid_address, SYS_set_robust_list, SYS_rseq, SYS_brk, SYS_prctl, SYS_setrlimit,
        SYS_prlimit64, SYS_shmat, SYS_close_range,
        /* These have turns of their own, with addresses of the region and files that are played with. */
        SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_madvise, SYS_close, SYS_dup2, SYS_dup3,
    };
    return is_among(number, spared, sizeof(spared) / sizeof(spared[0]));
}

/* Calls that the console would show or feel. */
static bool takes_file_first(long number)
{
    static const short numbers[] = { SYS_read, SYS_write, SYS_pread64, SYS_pwrite64, SYS_readv, SYS_writev, SYS_preadv,
                                     SYS_pwritev, SYS_preadv2, SYS_pwritev2, SYS_sendfile, SYS_ioctl, SYS_fcntl,
                                     SYS_dup };
    return is_among(number, numbers, sizeof(numbers) / sizeof(numbers[0]));
}

static void choose_memory_call(struct call *call)
{
    uint64_t *a = call->arguments, pages = 1 + below(64);
    a[0] = region + below(REGION / PAGE - 128) * PAGE;
    a[1] = pages * PAGE - (below(5) == 0 ? below(PAGE) : 0);
    a[2] = below(8);                                             /* PROT_* */
    switch (below(5)) {
    case 0:
        call->number = SYS_mmap;
        a[3] = MAP_FIXED | (below(3) ? MAP_PRIVATE | MAP_ANONYMOUS : 1 + below(2));
        a[4] = a[3] & MAP_ANONYMOUS ? UINT64_MAX : file();
        a[5] = a[3] & MAP_ANONYMOUS ? 0 : below(8) * PAGE;
        break;
    case 1: call->number = SYS_munmap; break;
    case 2: call->number = SYS_mprotect; break;
    case 3: call->number = SYS_madvise; a[2] = below(26); break;
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
    case 0: call->number = SYS_close; a[0] = file(); break;
    case 1: call->number = SYS_dup2; a[0] = file(); a[1] = file(); break;
    case 2:
        call->number = SYS_open;
        a[0] = path();
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
            a[0] = a[1] = 1;                                     /* AF_UNIX, SOCK_STREAM */
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
    case 0: choose_memory_call(call); return;
    case 1: case 2: choose_file_call(call); return;
    case 3:
        call->number = SYS_socket;
        call->arguments[0] = below(4) ? 2 : below(12);           /* AF_INET */
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

static void make_call(void)
{
    struct call *call = &self->calls[self->count % REMEMBERED];
    if (below(8) == 0)
        scribble();
    choose(call);
    call->result = 0;
    self->count++;
    const uint64_t *a = call->arguments;
    long result = syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
    call->result = result < 0 ? -errno : result;
    returned++;
}

static void *play(void *player)
{
    static __thread char stack[65536];
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
    self = player;
    sigaltstack(&alternate, NULL);
    while (returned < wanted) {
        make_call();
        if (self->count % 64 == 0)
            check_text();
    }
    return NULL;
}

/* ---- Watching ---------------------------------------------------------------------------------- */

static void ignore(int number) { (void)number; }

static void prepare(void)
{
    size_t length = (size_t)(etext - __executable_start);
    struct sigaction fault = { .sa_sigaction = handle_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    struct sigaction wake = { .sa_handler = ignore };
    static const int ignored[] = { SIGPIPE, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGURG, SIGHUP };
    setvbuf(stdout, NULL, _IOLBF, 0);
    sigaction(SIGSEGV, &fault, NULL);
    sigaction(SIGBUS, &fault, NULL);
    sigaction(SIGUSR1, &wake, NULL);
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        signal(ignored[i], SIG_IGN);
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
        signal(number, SIG_IGN);
    void *own = mmap(NULL, REGION, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    text_copy = malloc(length);
    if (own == MAP_FAILED || text_copy == NULL || mkdir("/tmp/d", 0777) != 0)
        fail("cannot prepare: errno %d", errno);
    region = (uintptr_t)own;
    memcpy(text_copy, __executable_start, length);
}

int main(int argc, char **argv)
{
    if (argc != 3 || access("/etc/unikernel.conf", F_OK) != 0) {
        fprintf(stderr, "usage, and only in the guest: storm SEED CALLS\n");
        return 2;
    }
    uint64_t seed = strtoull(argv[1], NULL, 10);
    wanted = atol(argv[2]);
    prepare();
    for (uint64_t i = 0; i < THREADS; i++) {
        players[i].random = (seed * THREADS + i + 1) * 0x9e3779b97f4a7c15UL;
        if (pthread_create(&players[i].thread, NULL, play, &players[i]) != 0)
            fail("no thread");
    }
    const struct timespec moment = { .tv_nsec = 20000000 };
    long before = -1, silent_ms = 0;
    while (returned < wanted) {
        nanosleep(&moment, NULL);
        silent_ms = returned == before ? silent_ms + 20 : 0;
        before = returned;
        if (silent_ms >= PATIENCE_MS)
            fail("nothing returns");
        for (int i = 0; i < THREADS; i++)
            pthread_kill(players[i].thread, SIGUSR1);
    }
    printf("# %ld calls, seed %lu\nok storm\n", (long)returned, seed);
    _exit(0);
}

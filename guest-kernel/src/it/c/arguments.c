/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers from the program that become addresses, lengths or bases: at and around every limit, for every call that
 * takes one. What cannot be is refused with Linux's error, and the kernel goes on.
 */
#define _GNU_SOURCE
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#define USER_END 0x7ffffffff000UL
#define PAGE 4096UL
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* No page of these is the program's. */
static const uint64_t outside[] = {
    USER_END,           0x800000000000,     0x4000000000000000, 0x8000000000000000, 0xffff7ffffffff000,
    0xffff800000000000, 0xffff880000100000, 0xffffd00000000000, 0xffffffff80100000, 0xffffffffff000000,
};
#define WRAPPING 0xfffffffffffff000UL

/* ---- Ranges --------------------------------------------------------------------------------------------- */

static long map_fixed(uint64_t at, uint64_t length)
{
    return syscall(SYS_mmap, at, length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}
static long map_populated(uint64_t at, uint64_t length)
{
    return syscall(SYS_mmap, at, length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_POPULATE,
                   -1, 0);
}
static long unmap(uint64_t at, uint64_t length) { return syscall(SYS_munmap, at, length); }
static long protect(uint64_t at, uint64_t length) { return syscall(SYS_mprotect, at, length, PROT_READ); }
static long residency(uint64_t at, uint64_t length)
{
    unsigned char found[8];
    return syscall(SYS_mincore, at, length, found);
}
static long synchronise(uint64_t at, uint64_t length) { return syscall(SYS_msync, at, length, MS_ASYNC); }
static long lock(uint64_t at, uint64_t length) { return syscall(SYS_mlock, at, length); }
static long unlock(uint64_t at, uint64_t length) { return syscall(SYS_munlock, at, length); }
static long move_from(uint64_t at, uint64_t length) { return syscall(SYS_mremap, at, length, length, 0); }

static const struct {
    const char *name;
    long (*call)(uint64_t at, uint64_t length);
    int outside, wrapping, all; /* errors, 0: none: a page outside; one that wraps; SIZE_MAX bytes from a good
                                            address */
} range_calls[] = {
    { "mmap", map_fixed, ENOMEM, ENOMEM, ENOMEM },
    { "mmap populated", map_populated, ENOMEM, ENOMEM, ENOMEM },
    { "munmap", unmap, EINVAL, EINVAL, EINVAL },
    { "mprotect", protect, ENOMEM, ENOMEM, ENOMEM },
    { "mincore", residency, ENOMEM, ENOMEM, ENOMEM },
    { "msync", synchronise, ENOMEM, ENOMEM, 0 },
    { "mlock", lock, ENOMEM, EINVAL, 0 },
    { "munlock", unlock, ENOMEM, EINVAL, 0 },
    { "mremap", move_from, EFAULT, EFAULT, EINVAL },
};

static void check_error(const char *name, uint64_t at, uint64_t length, long result, int expected)
{
    if (expected == 0 ? result != 0 : result != -1 || errno != expected)
        test_failed(__FILE__, __LINE__, "%s(%lx, %lx) gives %ld, errno %d, not errno %d", name, at, length, result,
                    errno, expected);
}

static void memory_calls_refuse_ranges_outside(void)
{
    char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (unsigned i = 0; i < COUNT(range_calls); i++) {
        const char *name = range_calls[i].name;
        for (unsigned a = 0; a < COUNT(outside); a++)
            check_error(name, outside[a], PAGE, range_calls[i].call(outside[a], PAGE), range_calls[i].outside);
        check_error(name, WRAPPING, PAGE, range_calls[i].call(WRAPPING, PAGE), range_calls[i].wrapping);
        check_error(name, (uintptr_t)page, SIZE_MAX, range_calls[i].call((uintptr_t)page, SIZE_MAX),
                    range_calls[i].all);
        /* Reaches across the end of the user half. */
        CHECK_EQUAL(range_calls[i].call(USER_END - PAGE, 2 * PAGE), -1);
        CHECK_EQUAL(range_calls[i].call(0x7f0000000000, 1UL << 46), -1);
    }
    touch_write(page);
    munmap(page, PAGE);
}

static void advice_is_refused_outside(void)
{
    static const int
        advice[] = { MADV_NORMAL, MADV_RANDOM,   MADV_SEQUENTIAL, MADV_WILLNEED,          MADV_DONTNEED,
                     MADV_FREE,   MADV_DONTDUMP, MADV_DODUMP,     22 /* POPULATE_READ */, 23 /* POPULATE_WRITE */ };
    for (unsigned i = 0; i < COUNT(advice); i++) {
        for (unsigned a = 0; a < COUNT(outside); a++) {
            CHECK_ERROR(syscall(SYS_madvise, outside[a], PAGE, advice[i]), ENOMEM);
            CHECK_ERROR(syscall(SYS_madvise, outside[a] + 1, PAGE, advice[i]), EINVAL);
            CHECK_EQUAL(syscall(SYS_madvise, outside[a], 0, advice[i]), 0);
        }
        CHECK_ERROR(syscall(SYS_madvise, WRAPPING, PAGE, advice[i]), EINVAL);
        CHECK_ERROR(syscall(SYS_madvise, USER_END - PAGE, SIZE_MAX, advice[i]), EINVAL);
        CHECK_ERROR(syscall(SYS_madvise, USER_END - PAGE, 1UL << 62, advice[i]), ENOMEM);
    }
}

static void break_stays_below_the_limit(void)
{
    char *end = sbrk(PAGE);
    static const uint64_t wanted[] = { USER_END,           0x800000000000,    0x8000000000000000,
                                       0xffffffff80100000, UINT64_MAX - PAGE, UINT64_MAX };
    *end = 1;
    uintptr_t now = (uintptr_t)syscall(SYS_brk, 0);
    for (unsigned i = 0; i < COUNT(wanted); i++)
        CHECK_EQUAL(syscall(SYS_brk, wanted[i]), now);
    CHECK_EQUAL(*end, 1);
    CHECK_EQUAL(syscall(SYS_brk, 0), now);
}

/* ---- Pointers ------------------------------------------------------------------------------------------- */

/* Placeholders for arguments that are known when the tests run. */
#define PIPE_OUT 0xf1000000f1UL
#define PIPE_IN 0xf2000000f2UL
#define FILE_FD 0xf3000000f3UL
#define TIMER_FD 0xf4000000f4UL
#define EPOLL_FD 0xf5000000f5UL
#define SOCKET_FD 0xf6000000f6UL
#define NOTIFY_FD 0xf7000000f7UL
#define GOOD 0xf8000000f8UL /* memory full of zeros */
#define DIRECTORY_FD 0xf9000000f9UL
#define BAD 0xbad00000badUL

/* clang-format off */
#define ROW(call, ...) { #call, SYS_##call, { __VA_ARGS__ } }
static const struct pointer_call {
    const char *name;
    long number;
    uint64_t arguments[6];
} pointer_calls[] = {
    ROW(read, PIPE_OUT, BAD, 1), ROW(read, PIPE_OUT, BAD, SIZE_MAX), ROW(write, PIPE_IN, BAD, 1),
    ROW(readv, PIPE_OUT, BAD, 1), ROW(writev, PIPE_IN, BAD, 2), ROW(pread64, FILE_FD, BAD, 1, 0),
    ROW(pwrite64, FILE_FD, BAD, 1, 0), ROW(preadv, FILE_FD, BAD, 1, 0), ROW(pwritev, FILE_FD, BAD, 1, 0),
    ROW(open, BAD, O_RDONLY), ROW(openat, AT_FDCWD, BAD, O_RDONLY), ROW(stat, BAD, GOOD), ROW(lstat, BAD, GOOD),
    ROW(fstat, FILE_FD, BAD), ROW(newfstatat, AT_FDCWD, BAD, GOOD, 0), ROW(statx, AT_FDCWD, BAD, 0, 0x7ff, GOOD),
    ROW(access, BAD, 0), ROW(faccessat, AT_FDCWD, BAD, 0), ROW(readlink, BAD, GOOD, 64), ROW(statfs, BAD, GOOD),
    ROW(fstatfs, FILE_FD, BAD), ROW(getcwd, BAD, 4096), ROW(chdir, BAD), ROW(mkdir, BAD, 0755),
    ROW(getdents64, DIRECTORY_FD, BAD, 4096), ROW(rmdir, BAD), ROW(unlink, BAD), ROW(rename, BAD, BAD),
    ROW(link, BAD, BAD),
    ROW(symlink, BAD, BAD), ROW(chmod, BAD, 0644), ROW(truncate, BAD, 0), ROW(utimensat, FILE_FD, 0, BAD, 0),
    ROW(utimensat, AT_FDCWD, BAD, 0, 0), ROW(sendfile, PIPE_IN, FILE_FD, BAD, 1),
    ROW(pipe, BAD), ROW(pipe2, BAD, 0), ROW(poll, BAD, 1, 0), ROW(ppoll, GOOD, 1, BAD, 0, 8),
    ROW(ppoll, GOOD, 0, 0, BAD, 8),
    ROW(select, 1, BAD, 0, 0, GOOD), ROW(select, 0, 0, 0, 0, BAD), ROW(pselect6, 1, BAD, 0, 0, GOOD, 0),
    ROW(pselect6, 0, 0, 0, 0, BAD, 0), ROW(pselect6, 0, 0, 0, 0, GOOD, BAD),
    ROW(epoll_ctl, EPOLL_FD, EPOLL_CTL_ADD, PIPE_OUT, BAD), ROW(epoll_wait, EPOLL_FD, BAD, 1, 0),
    ROW(epoll_pwait, EPOLL_FD, GOOD, 1, 0, BAD, 8), ROW(timerfd_settime, TIMER_FD, 0, BAD, 0),
    ROW(timerfd_gettime, TIMER_FD, BAD), ROW(inotify_add_watch, NOTIFY_FD, BAD, IN_CREATE), ROW(memfd_create, BAD, 0),
    ROW(socketpair, AF_UNIX, SOCK_STREAM, 0, BAD), ROW(bind, SOCKET_FD, BAD, 16), ROW(connect, SOCKET_FD, BAD, 16),
    ROW(getsockname, SOCKET_FD, GOOD, BAD), ROW(getpeername, SOCKET_FD, GOOD, BAD),
    ROW(setsockopt, SOCKET_FD, SOL_SOCKET, SO_REUSEADDR, BAD, 4),
    ROW(getsockopt, SOCKET_FD, SOL_SOCKET, SO_TYPE, BAD, GOOD),
    ROW(getsockopt, SOCKET_FD, SOL_SOCKET, SO_TYPE, GOOD, BAD), ROW(sendto, SOCKET_FD, BAD, 1, 0, 0, 0),
    ROW(recvfrom, SOCKET_FD, BAD, 1, MSG_DONTWAIT, 0, 0), ROW(recvfrom, SOCKET_FD, BAD, SIZE_MAX, MSG_DONTWAIT, 0, 0),
    ROW(sendmsg, SOCKET_FD, BAD, 0), ROW(recvmsg, SOCKET_FD, BAD, MSG_DONTWAIT), ROW(sendmmsg, SOCKET_FD, BAD, 1, 0),
    ROW(recvmmsg, SOCKET_FD, BAD, 1, MSG_DONTWAIT, 0), ROW(uname, BAD), ROW(gettimeofday, BAD, 0),
    ROW(gettimeofday, 0, BAD),
    ROW(time, BAD), ROW(times, BAD), ROW(clock_gettime, 1, BAD), ROW(clock_getres, 1, BAD), ROW(nanosleep, BAD, 0),
    ROW(clock_nanosleep, 1, 0, BAD, 0), ROW(getrusage, 0, BAD), ROW(sysinfo, BAD), ROW(getrlimit, 7, BAD),
    ROW(setrlimit, 7, BAD), ROW(prlimit64, 0, 7, 0, BAD), ROW(getrandom, BAD, 1, 0),
    ROW(sched_getaffinity, 0, 128, BAD),
    ROW(sched_getparam, 0, BAD), ROW(getcpu, BAD, 0), ROW(getcpu, 0, BAD), ROW(rt_sigaction, SIGUSR1, BAD, 0, 8),
    ROW(rt_sigaction, SIGUSR1, 0, BAD, 8), ROW(rt_sigprocmask, SIG_BLOCK, BAD, 0, 8), ROW(rt_sigprocmask, 0, 0, BAD, 8),
    ROW(rt_sigpending, BAD, 8), ROW(rt_sigsuspend, BAD, 8), ROW(rt_sigtimedwait, BAD, 0, GOOD, 8),
    ROW(rt_sigtimedwait, GOOD, 0, BAD, 8), ROW(sigaltstack, BAD, 0), ROW(sigaltstack, 0, BAD),
    ROW(futex, BAD, FUTEX_WAIT, 0, 0),
    ROW(futex, BAD, FUTEX_WAKE, 1), ROW(futex, GOOD, FUTEX_WAIT, 0, BAD),
    ROW(futex, BAD, FUTEX_CMP_REQUEUE, 1, 1, GOOD, 0),
    ROW(futex, GOOD, FUTEX_CMP_REQUEUE, 1, 1, BAD, 0), ROW(futex, GOOD, FUTEX_WAKE_OP, 1, 1, BAD, 0),
    ROW(prctl, PR_SET_NAME, BAD), ROW(prctl, PR_GET_NAME, BAD), ROW(arch_prctl, 0x1003 /* ARCH_GET_FS */, BAD),
    ROW(clone3, BAD, 64), ROW(mincore, GOOD, 1, BAD),
};
/* clang-format on */

static int pipe_ends[2], file_fd, timer_fd, epoll_fd, sockets[2], notify_fd, directory_fd;
static char zeros[4096] __attribute__((aligned(4096)));

static void open_everything(void)
{
    CHECK_EQUAL(pipe2(pipe_ends, O_NONBLOCK), 0);
    CHECK_EQUAL(write(pipe_ends[1], "data", 4), 4);
    file_fd = memfd_create("arguments", 0);
    CHECK_EQUAL(write(file_fd, "data", 4), 4);
    timer_fd = timerfd_create(CLOCK_MONOTONIC, 0);
    epoll_fd = epoll_create1(0);
    notify_fd = inotify_init1(0);
    directory_fd = open("/", O_RDONLY | O_DIRECTORY);
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    CHECK_EQUAL(write(sockets[1], "data", 4), 4);
    struct epoll_event event = { .events = EPOLLIN };
    CHECK_EQUAL(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, sockets[0], &event), 0);
    CHECK(file_fd >= 0 && timer_fd >= 0 && epoll_fd >= 0 && notify_fd >= 0 && directory_fd >= 0);
}

static void close_everything(void)
{
    int all[] = { pipe_ends[0], pipe_ends[1], file_fd,   timer_fd,    epoll_fd,
                  sockets[0],   sockets[1],   notify_fd, directory_fd };
    for (unsigned i = 0; i < COUNT(all); i++)
        close(all[i]);
}

static uint64_t resolve(uint64_t argument, uint64_t bad)
{
    switch (argument) {
    case PIPE_OUT:
        return (uint64_t)pipe_ends[0];
    case PIPE_IN:
        return (uint64_t)pipe_ends[1];
    case FILE_FD:
        return (uint64_t)file_fd;
    case TIMER_FD:
        return (uint64_t)timer_fd;
    case EPOLL_FD:
        return (uint64_t)epoll_fd;
    case SOCKET_FD:
        return (uint64_t)sockets[0];
    case NOTIFY_FD:
        return (uint64_t)notify_fd;
    case DIRECTORY_FD:
        return (uint64_t)directory_fd;
    case GOOD:
        return (uintptr_t)zeros;
    case BAD:
        return bad;
    default:
        return argument;
    }
}

static void check_pointer(const struct pointer_call *row, uint64_t bad)
{
    uint64_t a[6];
    for (unsigned i = 0; i < 6; i++)
        a[i] = resolve(row->arguments[i], bad);
    errno = 0;
    memset(zeros, 0, sizeof(zeros));
    *(int *)zeros = row->number == SYS_getsockopt ? 4 : 0;
    long result = syscall(row->number, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (result != -1 || errno != EFAULT)
        test_failed(__FILE__, __LINE__, "%s, row %ld, address %lx: %ld, errno %d, not EFAULT", row->name,
                    (long)(row - pointer_calls), bad, result, errno);
}

static void pointers_outside_are_refused(void)
{
    static const uint64_t more[] = { 8, USER_END - 1, 0x7ffffffffff8, 0xfffffffffffffff8 };
    open_everything();
    for (unsigned i = 0; i < COUNT(pointer_calls); i++) {
        for (unsigned a = 0; a < COUNT(outside); a++)
            check_pointer(&pointer_calls[i], outside[a]);
        for (unsigned a = 0; a < COUNT(more); a++)
            if (pointer_calls[i].number != SYS_futex) /* a wake-up without sleepers needs no memory there */
                check_pointer(&pointer_calls[i], more[a]);
    }
    close_everything();
}

/* A message's lengths may not add up past what there is. */
static void vectors_that_wrap_are_refused_by_sockets(void)
{
    char bytes[64];
    int ends[2];
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    struct iovec vector[3] = { { bytes, 16 }, { bytes, SIZE_MAX - 7 }, { bytes, 16 } };
    struct msghdr message = { .msg_iov = vector, .msg_iovlen = 3 };
    CHECK_EQUAL(write(ends[1], bytes, sizeof(bytes)), sizeof(bytes));
    CHECK_ERROR(recvmsg(ends[0], &message, MSG_DONTWAIT), EINVAL);
    CHECK_ERROR(sendmsg(ends[0], &message, MSG_DONTWAIT), EINVAL);
    vector[1].iov_len = INT64_MAX;
    CHECK_ERROR(recvmsg(ends[0], &message, MSG_DONTWAIT), EFAULT);
    CHECK_ERROR(sendmsg(ends[0], &message, MSG_DONTWAIT), EFAULT);
    CHECK_ERROR(readv(ends[0], vector, 3), EFAULT);
    CHECK_ERROR(writev(ends[0], vector, 3), EFAULT);
    vector[1] = (struct iovec){ (void *)0xffffffff80100000, 4 };
    CHECK_ERROR(recvmsg(ends[0], &message, MSG_DONTWAIT), EFAULT);
    CHECK_EQUAL(read(ends[0], bytes, sizeof(bytes)), sizeof(bytes));
    close(ends[0]);
    close(ends[1]);
}

/* ---- Bases ------------------------------------------------------------------------------------------------ */

#define ARCH_SET_FS 0x1002
#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

struct clone_arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

static void thread_bases_outside_are_refused(void)
{
    static char stack[65536] __attribute__((aligned(16)));
    uint64_t good = (uintptr_t)stack;
    for (unsigned i = 0; i < COUNT(outside); i++) {
        CHECK_ERROR(syscall(SYS_arch_prctl, ARCH_SET_FS, outside[i]), EPERM);
        CHECK_ERROR(syscall(SYS_clone, THREAD_FLAGS | CLONE_SETTLS, good + sizeof(stack), 0, 0, outside[i]), EPERM);
        struct clone_arguments clone = {
            .flags = THREAD_FLAGS | CLONE_SETTLS, .stack = good, .stack_size = sizeof(stack), .tls = outside[i]
        };
        CHECK_ERROR(syscall(SYS_clone3, &clone, sizeof(clone)), EPERM);
        clone = (struct clone_arguments){ .flags = THREAD_FLAGS, .stack = outside[i], .stack_size = sizeof(stack) };
        CHECK_ERROR(syscall(SYS_clone3, &clone, sizeof(clone)), EINVAL);
    }
    struct clone_arguments clone = { .flags = THREAD_FLAGS, .stack = good, .stack_size = SIZE_MAX };
    CHECK_ERROR(syscall(SYS_clone3, &clone, sizeof(clone)), EINVAL);
    clone = (struct clone_arguments){ .flags = THREAD_FLAGS, .stack = good };
    CHECK_ERROR(syscall(SYS_clone3, &clone, sizeof(clone)), EINVAL);
}

static int done_pipe[2];

/* Its last acts in the kernel use addresses that are not its own. */
static void *die_with_bad_lists(void *bad)
{
    syscall(SYS_set_robust_list, bad, 24);
    syscall(SYS_set_tid_address, bad);
    (void)!write(done_pipe[1], "x", 1);
    syscall(SYS_exit, 0);
    return NULL;
}

static void lists_outside_are_harmless(void)
{
    CHECK_EQUAL(pipe(done_pipe), 0);
    for (unsigned i = 0; i < COUNT(outside); i++) {
        pthread_t thread;
        char byte;
        CHECK_EQUAL(pthread_create(&thread, NULL, die_with_bad_lists, (void *)outside[i]), 0);
        pthread_detach(thread);
        CHECK_EQUAL(read(done_pipe[0], &byte, 1), 1);
        sched_yield();
    }
    close(done_pipe[0]);
    close(done_pipe[1]);
}

/* The stack pointer and the clock may be anything; the child only exits. */
static long clone_with_stack(uint64_t stack)
{
    register uint64_t none __asm__("r10") = 0;
    long result;
    __asm__ volatile("syscall\n"
                     "test %%rax, %%rax\n"
                     "jnz 1f\n"
                     "mov $60, %%eax\n"
                     "xor %%edi, %%edi\n"
                     "syscall\n"
                     "1:\n"
                     : "=a"(result)
                     : "a"((long)SYS_clone), "D"((long)THREAD_FLAGS), "S"(stack), "d"(0L), "r"(none)
                     : "rcx", "r11", "memory");
    return result;
}

/* Not on Linux: a hypervisor below it that keeps frames of its own on user stacks ends the process. */
static void threads_may_start_with_any_stack_pointer(void)
{
    if (!in_guest())
        return;
    for (unsigned i = 0; i < COUNT(outside); i++)
        CHECK(clone_with_stack(outside[i]) > 0);
    for (unsigned i = 0; i < 100; i++)
        sched_yield();
}

/* The runner looks whether the guest's kernel says so once only. */
static void unknown_calls_are_refused(void)
{
    static const long numbers[] = { 500, 511, 512, 100000, 200000, -1 };
    for (unsigned i = 0; i < 10 * COUNT(numbers); i++)
        CHECK_ERROR(syscall(numbers[i % COUNT(numbers)], 0, 0, 0), ENOSYS);
}

SUITE(arguments, TEST(memory_calls_refuse_ranges_outside), TEST(advice_is_refused_outside),
      TEST(break_stays_below_the_limit), TEST(pointers_outside_are_refused),
      TEST(vectors_that_wrap_are_refused_by_sockets), TEST(thread_bases_outside_are_refused),
      TEST(lists_outside_are_harmless), TEST(threads_may_start_with_any_stack_pointer),
      TEST(unknown_calls_are_refused));

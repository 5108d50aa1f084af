/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers from the program that have a type narrower than a register, or a range: Linux cuts `int` and `unsigned`
 * arguments to 32 bits and refuses what is out of range, and so does the guest. One row for each call and what it
 * gives.
 */
#define _GNU_SOURCE
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Descriptors at fixed numbers, so that they can stand in tables. */
enum { FILE_FD = 100, PIPE_OUT, PIPE_IN, STREAM, STREAM_PEER, EPOLL, TIMER, NOTIFY, DATAGRAM, SPARE, CLOSED = 900 };

static char zeros[8192] __attribute__((aligned(4096)));
static int one = 1, four = 4;
static struct iovec byte = { zeros, 1 };
static struct msghdr message_of_byte = { .msg_iov = &byte, .msg_iovlen = 1 };
#define BYTE (uintptr_t) & byte
#define GOOD (uintptr_t) zeros
#define DOT (uintptr_t) "."
#define MINUS (uint64_t) - 1
#define LOWEST (uint64_t) INT_MIN
#define HERE (uint64_t) AT_FDCWD

static void open_at_number(int descriptor, int number)
{
    CHECK(descriptor >= 0);
    CHECK_EQUAL(dup2(descriptor, number), number);
    close(descriptor);
}

static void open_everything(void)
{
    int ends[2];
    CHECK_EQUAL(pipe(ends), 0);
    open_at_number(ends[0], PIPE_OUT);
    open_at_number(ends[1], PIPE_IN);
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    open_at_number(ends[0], STREAM);
    open_at_number(ends[1], STREAM_PEER);
    open_at_number(memfd_create("truncation", 0), FILE_FD);
    open_at_number(epoll_create1(0), EPOLL);
    open_at_number(timerfd_create(CLOCK_MONOTONIC, 0), TIMER);
    open_at_number(inotify_init1(0), NOTIFY);
    open_at_number(socket(AF_INET, SOCK_DGRAM, 0), DATAGRAM);
}

static void close_everything(void)
{
    for (int descriptor = FILE_FD; descriptor <= SPARE; descriptor++)
        close(descriptor);
}

struct row {
    const char *name;
    long number;
    unsigned cut;                        /* bit i: argument i is narrower than a register */
    enum { NOTHING, RESULT, PAIR } made; /* descriptors to close: what the call gives, or two in zeros */
    int error;                           /* 0: it succeeds */
    uint64_t arguments[6];
};

static long call_row(const struct row *row, const uint64_t *a)
{
    memset(zeros, 0, sizeof(zeros));
    four = 4;
    errno = 0;
    long result = syscall(row->number, a[0], a[1], a[2], a[3], a[4], a[5]);
    int error = errno;
    int pair[2];
    memcpy(pair, zeros, sizeof(pair));
    if (result >= 0 && row->made == RESULT)
        close((int)result);
    for (unsigned i = 0; result >= 0 && row->made == PAIR && i < 2; i++)
        close(pair[i]);
    return result < 0 ? -error : row->made == RESULT ? 0 : result;
}

#define A 1
#define B 2
#define C 4
#define D 8
#define E 16
#define F 32
/* clang-format off */
#define ROW(cut, made, error, call, ...) { #call, SYS_##call, cut, made, error, { __VA_ARGS__ } }

static const struct row cut_calls[] = {
    ROW(A, NOTHING, 0, read, FILE_FD, GOOD, 0), ROW(A, NOTHING, 0, write, FILE_FD, GOOD, 0),
    ROW(A | C, NOTHING, 0, readv, FILE_FD, GOOD, 1), ROW(A | C, NOTHING, 0, writev, FILE_FD, GOOD, 0),
    ROW(A | C, NOTHING, 0, preadv2, FILE_FD, GOOD, 0, 0, 0, 0), ROW(A | C, NOTHING, 0, lseek, FILE_FD, 0, SEEK_END),
    ROW(A, NOTHING, EBADF, close, CLOSED), ROW(A, RESULT, 0, dup, FILE_FD),
    ROW(A | B, NOTHING, 0, dup2, FILE_FD, SPARE), ROW(A | B | C, NOTHING, 0, dup3, FILE_FD, SPARE, O_CLOEXEC),
    ROW(A | B | C, NOTHING, EINVAL, dup3, FILE_FD, FILE_FD, 0),
    ROW(A | B | C, NOTHING, 0, close_range, 3000, 3001, 0), ROW(A | B, NOTHING, 0, fcntl, FILE_FD, F_GETFD),
    ROW(A | B, NOTHING, 0, fcntl, FILE_FD, F_GETFL), ROW(A | B, NOTHING, 0, fcntl, FILE_FD, F_SETFD, 0),
    ROW(A | B, RESULT, 0, fcntl, FILE_FD, F_DUPFD, 200), ROW(A | B, NOTHING, 0, ioctl, FILE_FD, FIOCLEX),
    ROW(A | B, NOTHING, 0, ioctl, PIPE_IN, FIONBIO, GOOD), ROW(B | C, NOTHING, 0, poll, GOOD, 0, 0),
    ROW(A, NOTHING, 0, select, 0, 0, 0, 0, GOOD), ROW(A, RESULT, 0, epoll_create1, EPOLL_CLOEXEC),
    ROW(A, RESULT, 0, epoll_create, 1), ROW(A | B | C, NOTHING, ENOENT, epoll_ctl, EPOLL, EPOLL_CTL_DEL, PIPE_OUT, 0),
    ROW(A | B | C, NOTHING, ENOENT, epoll_ctl, EPOLL, EPOLL_CTL_MOD, PIPE_OUT, GOOD),
    ROW(A | C | D, NOTHING, 0, epoll_wait, EPOLL, GOOD, 1, 0),
    ROW(A | B, RESULT, 0, eventfd2, 1, EFD_SEMAPHORE | EFD_CLOEXEC), ROW(A, RESULT, 0, eventfd, 1),
    ROW(A | B, RESULT, 0, timerfd_create, CLOCK_MONOTONIC, TFD_CLOEXEC),
    ROW(A | B, NOTHING, 0, timerfd_settime, TIMER, TFD_TIMER_ABSTIME, GOOD, 0),
    ROW(B, PAIR, 0, pipe2, GOOD, O_CLOEXEC), ROW(A, RESULT, 0, inotify_init1, IN_CLOEXEC),
    ROW(A | B, NOTHING, EINVAL, inotify_rm_watch, NOTIFY, 99),
    ROW(A | C, NOTHING, ENOENT, inotify_add_watch, NOTIFY, GOOD, IN_CREATE),
    ROW(B, RESULT, 0, memfd_create, GOOD, MFD_CLOEXEC),
    ROW(A | B | C, RESULT, 0, socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
    ROW(A | B | C, PAIR, 0, socketpair, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, GOOD),
    ROW(A | D, NOTHING, EINVAL, accept4, STREAM, 0, 0, SOCK_CLOEXEC),
    ROW(A | C, NOTHING, EINVAL, bind, DATAGRAM, GOOD, 1), ROW(A | C, NOTHING, EINVAL, connect, DATAGRAM, GOOD, 1),
    ROW(A | B, NOTHING, EINVAL, shutdown, STREAM, 3),
    ROW(A | B | C | E, NOTHING, 0, setsockopt, DATAGRAM, SOL_SOCKET, SO_REUSEADDR, (uintptr_t)&one, 4),
    ROW(A | B | C, NOTHING, 0, getsockopt, DATAGRAM, SOL_SOCKET, SO_TYPE, GOOD, (uintptr_t)&four),
    ROW(A | D, NOTHING, 0, sendto, STREAM, GOOD, 0, MSG_DONTWAIT, 0, 0),
    ROW(A | D, NOTHING, EAGAIN, recvfrom, STREAM, GOOD, 1, MSG_DONTWAIT, 0, 0),
    ROW(A | C | D, NOTHING, 0, sendmmsg, STREAM, GOOD, 0, 0),
    ROW(A | C | D, NOTHING, 0, recvmmsg, STREAM, GOOD, 0, 0, 0),
    ROW(A | C, NOTHING, EAGAIN, recvmsg, STREAM, (uintptr_t)&message_of_byte, MSG_DONTWAIT),
    ROW(A | C, NOTHING, 0, sendmsg, STREAM, GOOD, MSG_DONTWAIT),
    ROW(A | C | D, RESULT, 0, openat, HERE, DOT, O_RDONLY | O_CLOEXEC, 0),
    ROW(A | D, NOTHING, 0, newfstatat, HERE, DOT, GOOD, 0),
    ROW(A | C | D, NOTHING, 0, statx, HERE, DOT, AT_SYMLINK_NOFOLLOW, 0x7ff, GOOD),
    ROW(A | C, NOTHING, 0, faccessat, HERE, DOT, R_OK),
    ROW(A | C | D, NOTHING, 0, faccessat2, HERE, DOT, R_OK, AT_SYMLINK_NOFOLLOW),
    ROW(A | C, NOTHING, EINVAL, unlinkat, HERE, DOT, 1), ROW(A | D, NOTHING, EINVAL, readlinkat, HERE, DOT, GOOD, 0),
    ROW(C, NOTHING, EINVAL, readlink, DOT, GOOD, 0), ROW(A | B, NOTHING, 0, fallocate, FILE_FD, 1, 0, 1),
    ROW(A | B, NOTHING, 0, fchmod, FILE_FD, 0600), ROW(A | C, NOTHING, ENOTDIR, getdents64, FILE_FD, GOOD, 4096),
    ROW(A | D, NOTHING, 0, fadvise64, FILE_FD, 0, 0, 0), ROW(A | B, NOTHING, 0, flock, FILE_FD, LOCK_UN),
    ROW(A | F, NOTHING, 0, preadv2, FILE_FD, GOOD, 0, 0, 0, 0), ROW(A | B, NOTHING, 0, getpriority, PRIO_PROCESS, 0),
    ROW(A, NOTHING, 0, sched_get_priority_max, SCHED_FIFO), ROW(A, NOTHING, 0, sched_get_priority_min, SCHED_OTHER),
    ROW(A, NOTHING, 0, sched_getscheduler, 0), ROW(A | B, NOTHING, 0, sched_getaffinity, 0, 1024, GOOD),
    ROW(A, NOTHING, 0, sched_getparam, 0, GOOD), ROW(A, NOTHING, 0, getrusage, RUSAGE_SELF, GOOD),
    ROW(A, NOTHING, 0, getrusage, (uint64_t)RUSAGE_CHILDREN, GOOD),
    ROW(A, NOTHING, 0, getrusage, RUSAGE_THREAD, GOOD), ROW(A, NOTHING, 0, getpgid, 0), ROW(A, NOTHING, 0, getsid, 0),
    ROW(A, NOTHING, 0, getgroups, 0, 0), ROW(A | C, NOTHING, ECHILD, wait4, MINUS, 0, WNOHANG, 0),
    ROW(A | B, NOTHING, 0, prlimit64, 0, RLIMIT_NOFILE, 0, GOOD), ROW(A, NOTHING, 0, getrlimit, RLIMIT_NOFILE, GOOD),
    ROW(C, NOTHING, 0, getrandom, GOOD, 8, 1), ROW(A | B, NOTHING, 0, kill, 0, 0),
    ROW(A | B, NOTHING, ESRCH, tkill, INT_MAX, 0), ROW(A | B | C, NOTHING, ESRCH, tgkill, INT_MAX, INT_MAX, 0),
    ROW(A, NOTHING, 0, rt_sigaction, SIGUSR1, 0, GOOD, 8),
    ROW(A, NOTHING, 0, rt_sigprocmask, SIG_UNBLOCK, GOOD, 0, 8),
    ROW(A, NOTHING, 0, rt_sigprocmask, SIG_SETMASK, GOOD, 0, 8),
    ROW(A, NOTHING, 0, clock_gettime, CLOCK_MONOTONIC, GOOD), ROW(A, NOTHING, 0, clock_getres, CLOCK_MONOTONIC, GOOD),
    ROW(A | B, NOTHING, 0, clock_nanosleep, CLOCK_MONOTONIC, 1, GOOD, 0),
    ROW(B | C, NOTHING, 0, futex, GOOD, FUTEX_WAKE, 1),
    ROW(B | C | F, NOTHING, EINVAL, futex, GOOD, FUTEX_WAKE_BITSET, 1, 0, 0, 0),
    ROW(B | C | F, NOTHING, EAGAIN, futex, GOOD, FUTEX_WAIT, 1, 0, 0, 0),
    ROW(C, NOTHING, 0, madvise, GOOD, 4096, MADV_NORMAL),
    ROW(C, NOTHING, 0, madvise, GOOD, 4096, MADV_POPULATE_WRITE), ROW(C, NOTHING, 0, msync, GOOD, 4096, MS_ASYNC),
    ROW(A, NOTHING, 0, prctl, PR_GET_NAME, GOOD), ROW(A, NOTHING, 0, arch_prctl, 0x1003 /* ARCH_GET_FS */, GOOD),
};
/* clang-format on */

static void check_row(const struct row *row, const uint64_t *arguments)
{
    long result = call_row(row, arguments);
    if (row->error ? result != -row->error : result < 0)
        test_failed(__FILE__, __LINE__, "%s(%lx, %lx, %lx, %lx, %lx, %lx) gives %ld, not -%d", row->name, arguments[0],
                    arguments[1], arguments[2], arguments[3], arguments[4], arguments[5], result, row->error);
}

static void upper_halves_do_not_count(void)
{
    static const uint64_t upper[] = { 0, 1UL << 32, 0xdeadbeef00000000, 0x7fffffff00000000, 0xffffffff00000000 };
    open_everything();
    for (unsigned i = 0; i < COUNT(cut_calls); i++) {
        for (unsigned argument = 0; argument < 6; argument++) {
            if (!(cut_calls[i].cut >> argument & 1))
                continue;
            for (unsigned u = 0; u < COUNT(upper); u++) {
                uint64_t arguments[6];
                memcpy(arguments, cut_calls[i].arguments, sizeof(arguments));
                arguments[argument] = (uint32_t)arguments[argument] | upper[u];
                check_row(&cut_calls[i], arguments);
            }
        }
    }
    close_everything();
}

#define REFUSED(error, call, ...) ROW(0, NOTHING, error, call, __VA_ARGS__)

static const struct row refused_calls[] = {
    REFUSED(EINVAL, lseek, FILE_FD, 0, MINUS),
    REFUSED(EINVAL, lseek, FILE_FD, 0, INT_MAX),
    REFUSED(EINVAL, lseek, FILE_FD, MINUS, 0),
    REFUSED(EINVAL, readv, FILE_FD, GOOD, 1025),
    REFUSED(EINVAL, readv, FILE_FD, GOOD, INT_MAX),
    REFUSED(EINVAL, readv, FILE_FD, GOOD, MINUS),
    REFUSED(EINVAL, writev, FILE_FD, GOOD, 1025),
    REFUSED(EINVAL, writev, FILE_FD, GOOD, MINUS),
    REFUSED(EINVAL, pread64, FILE_FD, GOOD, 1, MINUS),
    REFUSED(EINVAL, pwrite64, FILE_FD, GOOD, 1, MINUS),
    REFUSED(EINVAL, preadv, FILE_FD, GOOD, 0, MINUS),
    REFUSED(EINVAL, preadv2, FILE_FD, GOOD, 0, (uint64_t)-2, 0, 0),
    REFUSED(EOPNOTSUPP, preadv2, FILE_FD, BYTE, 1, 0, 0, MINUS),
    REFUSED(EOPNOTSUPP, pwritev2, FILE_FD, BYTE, 1, 0, 0, INT_MAX),
    REFUSED(EBADF, dup2, FILE_FD, MINUS),
    REFUSED(EBADF, dup2, FILE_FD, INT_MAX),
    REFUSED(EBADF, dup3, FILE_FD, MINUS, 0),
    REFUSED(EINVAL, dup3, FILE_FD, SPARE, MINUS),
    REFUSED(EINVAL, dup3, FILE_FD, SPARE, 1),
    REFUSED(EINVAL, fcntl, FILE_FD, MINUS),
    REFUSED(EINVAL, fcntl, FILE_FD, INT_MAX),
    REFUSED(EINVAL, fcntl, FILE_FD, F_DUPFD, MINUS),
    REFUSED(EINVAL, fcntl, FILE_FD, F_DUPFD, INT_MAX),
    REFUSED(EINVAL, close_range, 2, 1, 0),
    REFUSED(EINVAL, close_range, 3000, 3001, MINUS),
    REFUSED(EINVAL, close_range, 3000, 3001, LOWEST),
    REFUSED(EINVAL, poll, GOOD, MINUS, 0),
    REFUSED(EINVAL, poll, GOOD, INT_MAX, 0),
    REFUSED(EINVAL, select, MINUS, 0, 0, 0, GOOD),
    REFUSED(EINVAL, select, LOWEST, 0, 0, 0, GOOD),
    REFUSED(EINVAL, epoll_create1, MINUS),
    REFUSED(EINVAL, epoll_create1, 1),
    REFUSED(EINVAL, epoll_create, 0),
    REFUSED(EINVAL, epoll_create, MINUS),
    REFUSED(EINVAL, epoll_wait, EPOLL, GOOD, 0, 0),
    REFUSED(EINVAL, epoll_wait, EPOLL, GOOD, MINUS, 0),
    REFUSED(EINVAL, epoll_wait, EPOLL, GOOD, LOWEST, 0),
    REFUSED(EINVAL, epoll_wait, EPOLL, GOOD, INT_MAX, 0),
    REFUSED(EINVAL, epoll_wait, EPOLL, GOOD, INT_MAX / 12 + 1, 0),
    REFUSED(EINVAL, epoll_ctl, EPOLL, MINUS, PIPE_OUT, GOOD),
    REFUSED(EBADF, epoll_ctl, EPOLL, EPOLL_CTL_ADD, MINUS, GOOD),
    REFUSED(EINVAL, eventfd2, 0, MINUS),
    REFUSED(EINVAL, timerfd_create, MINUS, 0),
    REFUSED(EINVAL, timerfd_create, INT_MAX, 0),
    REFUSED(EINVAL, timerfd_create, CLOCK_MONOTONIC, MINUS),
    REFUSED(EINVAL, timerfd_settime, TIMER, MINUS, GOOD, 0),
    REFUSED(EINVAL, inotify_init1, MINUS),
    REFUSED(EINVAL, inotify_add_watch, NOTIFY, DOT, 0),
    REFUSED(EINVAL, inotify_rm_watch, NOTIFY, MINUS),
    REFUSED(EINVAL, pipe2, GOOD, MINUS),
    REFUSED(EINVAL, memfd_create, GOOD, MINUS),
    REFUSED(EINVAL, memfd_create, GOOD, LOWEST),
    REFUSED(EINVAL, socket, AF_UNIX, MINUS, 0),
    REFUSED(EINVAL, socket, AF_UNIX, 15, 0),
    REFUSED(EAFNOSUPPORT, socket, MINUS, SOCK_STREAM, 0),
    REFUSED(EAFNOSUPPORT, socket, INT_MAX, SOCK_STREAM, 0),
    REFUSED(EINVAL, socket, AF_INET, SOCK_STREAM, MINUS),
    REFUSED(EINVAL, socket, AF_INET, SOCK_STREAM, INT_MAX),
    REFUSED(EPROTONOSUPPORT, socket, AF_UNIX, SOCK_STREAM, MINUS),
    REFUSED(EINVAL, socketpair, AF_UNIX, MINUS, 0, GOOD),
    REFUSED(EINVAL, socketpair, AF_UNIX, 15, 0, GOOD),
    REFUSED(EINVAL, accept4, STREAM, 0, 0, MINUS),
    REFUSED(EINVAL, bind, DATAGRAM, GOOD, MINUS),
    REFUSED(EINVAL, bind, DATAGRAM, GOOD, 129),
    REFUSED(EINVAL, bind, DATAGRAM, GOOD, INT_MAX),
    REFUSED(EINVAL, connect, DATAGRAM, GOOD, MINUS),
    REFUSED(EINVAL, connect, DATAGRAM, GOOD, 129),
    REFUSED(EINVAL, sendto, DATAGRAM, GOOD, 1, 0, GOOD, MINUS),
    REFUSED(EINVAL, sendto, DATAGRAM, GOOD, 1, 0, GOOD, 129),
    REFUSED(EINVAL, shutdown, STREAM, MINUS),
    REFUSED(EINVAL, shutdown, STREAM, 3),
    REFUSED(EINVAL, shutdown, STREAM, INT_MAX),
    REFUSED(EINVAL, setsockopt, DATAGRAM, SOL_SOCKET, SO_REUSEADDR, (uintptr_t)&one, MINUS),
    REFUSED(EINVAL, setsockopt, DATAGRAM, SOL_SOCKET, SO_REUSEADDR, (uintptr_t)&one, LOWEST),
    REFUSED(EINVAL, sendmsg, STREAM, GOOD, LOWEST),
    REFUSED(EINVAL, recvmsg, STREAM, GOOD, LOWEST),
    REFUSED(EINVAL, newfstatat, HERE, DOT, GOOD, MINUS),
    REFUSED(EINVAL, statx, HERE, DOT, MINUS, 0, GOOD),
    REFUSED(EINVAL, statx, HERE, DOT, 0, LOWEST, GOOD),
    REFUSED(EINVAL, statx, HERE, DOT, 0x6000, 0, GOOD),
    REFUSED(EINVAL, access, DOT, MINUS),
    REFUSED(EINVAL, faccessat, HERE, DOT, 8),
    REFUSED(EINVAL, faccessat2, HERE, DOT, 0, MINUS),
    REFUSED(EINVAL, fchownat, HERE, DOT, MINUS, MINUS, MINUS),
    REFUSED(EINVAL, linkat, HERE, DOT, HERE, DOT, MINUS),
    REFUSED(EINVAL, unlinkat, HERE, DOT, MINUS),
    REFUSED(EINVAL, renameat2, HERE, DOT, HERE, DOT, MINUS),
    REFUSED(EINVAL, utimensat, HERE, DOT, 0, MINUS),
    REFUSED(EINVAL, readlinkat, HERE, DOT, GOOD, MINUS),
    REFUSED(EINVAL, truncate, DOT, MINUS),
    REFUSED(EINVAL, ftruncate, FILE_FD, MINUS),
    REFUSED(EINVAL, fallocate, FILE_FD, 0, MINUS, 1),
    REFUSED(EINVAL, fallocate, FILE_FD, 0, 0, 0),
    REFUSED(EOPNOTSUPP, fallocate, FILE_FD, LOWEST, 0, 1),
    REFUSED(EINVAL, fadvise64, FILE_FD, 0, 0, MINUS),
    REFUSED(EINVAL, fadvise64, FILE_FD, 0, MINUS, 0),
    REFUSED(EINVAL, flock, FILE_FD, 0),
    REFUSED(EINVAL, getpriority, MINUS, 0),
    REFUSED(EINVAL, getpriority, 3, 0),
    REFUSED(EINVAL, setpriority, INT_MAX, 0, 0),
    REFUSED(EINVAL, sched_get_priority_max, MINUS),
    REFUSED(EINVAL, sched_get_priority_min, INT_MAX),
    REFUSED(EINVAL, sched_setscheduler, 0, MINUS, GOOD),
    REFUSED(EINVAL, sched_setscheduler, 0, INT_MAX, GOOD),
    REFUSED(EINVAL, sched_setscheduler, 0, 0, 0),
    REFUSED(EINVAL, sched_setscheduler, MINUS, 0, GOOD),
    REFUSED(EINVAL, sched_getscheduler, MINUS),
    REFUSED(ESRCH, sched_getscheduler, INT_MAX),
    REFUSED(EINVAL, sched_getparam, MINUS, GOOD),
    REFUSED(EINVAL, sched_getparam, 0, 0),
    REFUSED(ESRCH, sched_getaffinity, INT_MAX, 1024, GOOD),
    REFUSED(ESRCH, sched_getaffinity, MINUS, 1024, GOOD),
    REFUSED(EINVAL, sched_getaffinity, 0, 0, GOOD),
    REFUSED(EINVAL, sched_getaffinity, 0, 1023, GOOD),
    REFUSED(ESRCH, sched_setaffinity, INT_MAX, 8, GOOD),
    REFUSED(EINVAL, getrusage, 2, GOOD),
    REFUSED(EINVAL, getrusage, LOWEST, GOOD),
    REFUSED(ESRCH, getpgid, INT_MAX),
    REFUSED(ESRCH, getpgid, MINUS),
    REFUSED(ESRCH, getsid, INT_MAX),
    REFUSED(EINVAL, getgroups, MINUS, 0),
    REFUSED(EINVAL, wait4, MINUS, 0, MINUS, 0),
    REFUSED(ESRCH, wait4, LOWEST, 0, 0, 0),
    REFUSED(ESRCH, prlimit64, MINUS, RLIMIT_NOFILE, 0, GOOD),
    REFUSED(ESRCH, prlimit64, INT_MAX, RLIMIT_NOFILE, 0, GOOD),
    REFUSED(EINVAL, prlimit64, 0, MINUS, 0, GOOD),
    REFUSED(EINVAL, prlimit64, 0, 16, 0, GOOD),
    REFUSED(EINVAL, getrlimit, MINUS, GOOD),
    REFUSED(EINVAL, setrlimit, INT_MAX, GOOD),
    REFUSED(EINVAL, getrandom, GOOD, 8, MINUS),
    REFUSED(EINVAL, getrandom, GOOD, 8, 8),
    REFUSED(EINVAL, getrandom, GOOD, 8, 6),
    REFUSED(EINVAL, kill, 0, MINUS),
    REFUSED(EINVAL, kill, 0, 65),
    REFUSED(ESRCH, kill, INT_MAX, MINUS),
    REFUSED(ESRCH, kill, LOWEST, 0),
    REFUSED(EINVAL, tkill, 0, 0),
    REFUSED(EINVAL, tkill, MINUS, 0),
    REFUSED(ESRCH, tkill, INT_MAX, MINUS),
    REFUSED(EINVAL, tgkill, MINUS, 1, 0),
    REFUSED(EINVAL, tgkill, 1, 0, 0),
    REFUSED(EINVAL, rt_sigaction, MINUS, 0, GOOD, 8),
    REFUSED(EINVAL, rt_sigaction, 0, 0, GOOD, 8),
    REFUSED(EINVAL, rt_sigaction, 65, 0, GOOD, 8),
    REFUSED(EINVAL, rt_sigaction, SIGUSR1, 0, GOOD, (1UL << 32) + 8),
    REFUSED(EINVAL, rt_sigprocmask, MINUS, GOOD, 0, 8),
    REFUSED(EINVAL, rt_sigprocmask, 3, GOOD, 0, 8),
    REFUSED(EINVAL, rt_sigprocmask, 0, GOOD, 0, (1UL << 32) + 8),
    REFUSED(EINVAL, clock_gettime, INT_MAX, GOOD),
    REFUSED(EINVAL, clock_gettime, MINUS, GOOD),
    REFUSED(EINVAL, clock_gettime, LOWEST, GOOD),
    REFUSED(EINVAL, clock_getres, INT_MAX, GOOD),
    REFUSED(EINVAL, clock_nanosleep, INT_MAX, 0, GOOD, 0),
    REFUSED(ENOSYS, futex, GOOD, INT_MAX, 1),
    REFUSED(EINVAL, futex, GOOD, FUTEX_REQUEUE, MINUS, 1, GOOD),
    REFUSED(EINVAL, futex, GOOD, FUTEX_REQUEUE, 1, MINUS, GOOD),
    REFUSED(EINVAL, futex, GOOD, FUTEX_CMP_REQUEUE, LOWEST, 1, GOOD, 0),
    REFUSED(EINVAL, madvise, GOOD, 4096, MINUS),
    REFUSED(EINVAL, madvise, GOOD, 4096, INT_MAX),
    REFUSED(EINVAL, msync, GOOD, 4096, MINUS),
    REFUSED(EINVAL, msync, GOOD, 4096, MS_SYNC | MS_ASYNC),
    REFUSED(EINVAL, mlockall, 0),
    REFUSED(EINVAL, mlockall, MINUS),
    REFUSED(EINVAL, mremap, GOOD, 4096, 4096, MINUS),
    REFUSED(EBADF, mmap, 0, 4096, PROT_READ, MAP_PRIVATE, MINUS, 0),
    REFUSED(EINVAL, prctl, MINUS),
    REFUSED(EINVAL, prctl, INT_MAX),
    REFUSED(EINVAL, arch_prctl, MINUS, GOOD),
};

static void numbers_out_of_range_are_refused(void)
{
    open_everything();
    for (unsigned i = 0; i < COUNT(refused_calls); i++)
        check_row(&refused_calls[i], refused_calls[i].arguments);
    close_everything();
}

static const struct row descriptor_calls[] = {
    REFUSED(EBADF, read, 0, GOOD, 1),
    REFUSED(EBADF, write, 0, GOOD, 1),
    REFUSED(EBADF, fstat, 0, GOOD),
    REFUSED(EBADF, lseek, 0, 0, 0),
    REFUSED(EBADF, close, 0),
    REFUSED(EBADF, dup, 0),
    REFUSED(EBADF, dup2, 0, SPARE),
    REFUSED(EBADF, dup3, 0, SPARE, 0),
    REFUSED(EBADF, fcntl, 0, F_GETFD),
    REFUSED(EBADF, fcntl, 0, F_GETFL),
    REFUSED(EBADF, ioctl, 0, FIOCLEX),
    REFUSED(EBADF, fsync, 0),
    REFUSED(EBADF, ftruncate, 0, 0),
    REFUSED(EBADF, getdents64, 0, GOOD, 64),
    REFUSED(EBADF, fchmod, 0, 0600),
    REFUSED(EBADF, fchown, 0, MINUS, MINUS),
    REFUSED(EBADF, fchdir, 0),
    REFUSED(EBADF, fstatfs, 0, GOOD),
    REFUSED(EBADF, flock, 0, LOCK_UN),
    REFUSED(EBADF, fadvise64, 0, 0, 0, 0),
    REFUSED(EBADF, fallocate, 0, 0, 0, 1),
    REFUSED(EBADF, epoll_wait, 0, GOOD, 1, 0),
    REFUSED(EBADF, timerfd_gettime, 0, GOOD),
    REFUSED(EBADF, inotify_rm_watch, 0, 1),
    REFUSED(EBADF, listen, 0, 1),
    REFUSED(EBADF, accept, 0, 0, 0),
    REFUSED(EBADF, shutdown, 0, 0),
    REFUSED(EBADF, getsockname, 0, GOOD, GOOD),
    REFUSED(EBADF, recvfrom, 0, GOOD, 1, 0, 0, 0),
    REFUSED(EBADF, sendmsg, 0, GOOD, 0),
    REFUSED(EBADF, recvmsg, 0, GOOD, 0),
};

static void descriptors_out_of_range_are_bad(void)
{
    static const uint64_t bad[] = { MINUS, LOWEST, INT_MAX, 0xffffffff, 0x7fffffff80000000, 65536, CLOSED };
    for (unsigned i = 0; i < COUNT(descriptor_calls); i++) {
        for (unsigned b = 0; b < COUNT(bad); b++) {
            uint64_t arguments[6];
            memcpy(arguments, descriptor_calls[i].arguments, sizeof(arguments));
            arguments[0] = bad[b];
            check_row(&descriptor_calls[i], arguments);
        }
    }
}

static void only_32_bits_of_a_call_number_count(void)
{
    CHECK_EQUAL(syscall(SYS_getpid | 1L << 32), getpid());
    CHECK_EQUAL(syscall(SYS_getpid | (long)0xffffffff00000000), getpid());
    CHECK_ERROR(syscall(INT_MAX), ENOSYS);
    CHECK_ERROR(syscall(0xffffffffL), ENOSYS);
    CHECK_ERROR(syscall(SYS_getpid | 0x80000000L), ENOSYS);
}

/* ---- Many at once ----------------------------------------------------------------------------------------- */

/* As many descriptors as may be open; the guest's limit is fixed, and Linux's may be raised to it. */
static unsigned raise_limit(void)
{
    const rlim_t wanted = 65536;
    struct rlimit limit;
    CHECK_EQUAL(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return (unsigned)limit.rlim_cur;
}

static void poll_takes_as_many_as_may_be_open(void)
{
    unsigned count = raise_limit(), ready = 0;
    int ends[2];
    struct pollfd *entries = calloc(count + 1, sizeof(*entries));
    CHECK(entries != NULL);
    CHECK_EQUAL(pipe(ends), 0);
    for (unsigned i = 0; i <= count; i++)
        entries[i] = (struct pollfd){ .fd = i % 3 ? ends[0] : -1, .events = POLLIN, .revents = 1 };
    CHECK_EQUAL(poll(entries, count, 1), 0);
    for (unsigned i = 0; i < count; i++)
        CHECK_EQUAL(entries[i].revents, 0);
    CHECK_EQUAL(write(ends[1], "x", 1), 1);
    for (unsigned i = 0; i < count; i++)
        ready += i % 3 != 0;
    CHECK_EQUAL(poll(entries, count, -1), ready);
    for (unsigned i = 0; i < count; i++)
        CHECK_EQUAL(entries[i].revents, i % 3 ? POLLIN : 0);
    entries[count - 1].fd = CLOSED;
    CHECK_EQUAL(poll(entries, count, -1), ready + ((count - 1) % 3 == 0));
    CHECK_EQUAL(entries[count - 1].revents, POLLNVAL);
    CHECK_ERROR(poll(entries, count + 1, 0), EINVAL);
    close(ends[0]);
    close(ends[1]);
    free(entries);
}

/* Sets as large as there can be descriptors; fd_set has 1024. */
static uint64_t bits[65536 / 64];

static void set_only(unsigned descriptor)
{
    memset(bits, 0, sizeof(bits));
    bits[descriptor / 64] = 1UL << descriptor % 64;
}

static void select_looks_at_all_that_can_be_open(void)
{
    enum { LOW = 60, HIGH = 2000 };
    static const long counts[] = { HIGH + 1, 65536, 100000, INT_MAX, 0x100000000L + HIGH + 1 };
    struct timeval now = { 0, 0 };
    CHECK(raise_limit() > HIGH);
    int ends[2];
    CHECK_EQUAL(pipe(ends), 0);
    CHECK_EQUAL(dup2(ends[0], LOW), LOW);
    CHECK_EQUAL(dup2(ends[0], HIGH), HIGH);
    CHECK_EQUAL(write(ends[1], "x", 1), 1);
    for (unsigned i = 0; i < COUNT(counts); i++) {
        for (unsigned descriptor = LOW; descriptor <= HIGH; descriptor += HIGH - LOW) {
            set_only(descriptor);
            CHECK_EQUAL(syscall(SYS_select, counts[i], bits, NULL, NULL, &now), 1);
            CHECK_EQUAL(bits[descriptor / 64], 1UL << descriptor % 64);
        }
        set_only(CLOSED);
        CHECK_ERROR(syscall(SYS_select, counts[i], bits, NULL, NULL, &now), EBADF);
        set_only(65535); /* beyond the descriptors that there are: ignored */
        CHECK_EQUAL(syscall(SYS_select, counts[i], bits, NULL, NULL, &now), 0);
    }
    set_only(LOW);
    CHECK_EQUAL(syscall(SYS_select, LOW, bits, NULL, NULL, &now), 0);
    close(LOW);
    close(HIGH);
    close(ends[0]);
    close(ends[1]);
}

/* At most 1024 of them at one time, however many are named. */
static void long_vectors_of_messages_are_cut(void)
{
    enum { MESSAGES = 1100 };
    static const long counts[] = { 1025, MESSAGES, INT_MAX, 0xffffffff, -1 };
    struct mmsghdr *messages = calloc(MESSAGES, sizeof(*messages));
    int ends[2];
    CHECK(messages != NULL);
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    for (unsigned i = 0; i < COUNT(counts); i++)
        CHECK_EQUAL(syscall(SYS_sendmmsg, ends[0], messages, counts[i], MSG_DONTWAIT), 1024);
    struct msghdr message = { .msg_iov = (struct iovec *)messages, .msg_iovlen = 1025 };
    CHECK_ERROR(sendmsg(ends[0], &message, 0), EMSGSIZE);
    CHECK_ERROR(recvmsg(ends[0], &message, MSG_DONTWAIT), EMSGSIZE);
    message.msg_iovlen = SIZE_MAX;
    CHECK_ERROR(sendmsg(ends[0], &message, 0), EMSGSIZE);
    close(ends[0]);
    close(ends[1]);
    free(messages);
}

SUITE(truncation, TEST(upper_halves_do_not_count), TEST(numbers_out_of_range_are_refused),
      TEST(descriptors_out_of_range_are_bad), TEST(only_32_bits_of_a_call_number_count),
      TEST(poll_takes_as_many_as_may_be_open), TEST(select_looks_at_all_that_can_be_open),
      TEST(long_vectors_of_messages_are_cut));

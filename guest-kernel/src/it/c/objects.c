/* SPDX-License-Identifier: Apache-2.0 */
/* What calls make and keep, with its contents: timers that send signals, signalfd, splicing, attributes, seals, files
 * without names, limits, Unix datagrams, netlink. */
#define _GNU_SOURCE
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/openat2.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

/* On a memory file system also where the tests run on Linux. */
#define PLACE "/dev/shm"

static const char *place(void) { return in_guest() ? "/tmp" : PLACE; }

static const char *in_place(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/objects.%d.%s", place(), getpid(), name);
    return path;
}

/* ---- Signals ---- */

static volatile sig_atomic_t arrived, last_value, last_overrun, last_code;

static void note(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    arrived++;
    last_value = info->si_value.sival_int;
    last_overrun = info->si_overrun;
    last_code = info->si_code;
}

static void catch_signal(int number)
{
    struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };
    arrived = 0;
    CHECK_EQUAL(sigaction(number, &action, NULL), 0);
}

static void mask_signal(int how, int number)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    CHECK_EQUAL(sigprocmask(how, &set, NULL), 0);
}

static void wait_for_signals(int count)
{
    const struct timespec moment = { 0, 1000000 };
    while (arrived < count)
        nanosleep(&moment, NULL);
}

static void timers_send_their_value(void)
{
    timer_t timer;
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
                              .sigev_signo = SIGRTMIN + 1,
                              .sigev_value.sival_int = 4711 };
    struct itimerspec setting = { { 0, 2000000 }, { 0, 1000000 } }, left;
    catch_signal(SIGRTMIN + 1);
    CHECK_EQUAL(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    CHECK_EQUAL(timer_settime(timer, 0, &setting, NULL), 0);
    wait_for_signals(3);
    CHECK_EQUAL(last_value, 4711);
    CHECK_EQUAL(last_code, SI_TIMER);
    CHECK_EQUAL(timer_gettime(timer, &left), 0);
    CHECK_EQUAL(left.it_interval.tv_nsec, 2000000);
    CHECK_EQUAL(timer_delete(timer), 0);
    int before = arrived;
    nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
    CHECK_EQUAL(arrived, before);
    CHECK_ERROR(timer_delete(timer), EINVAL);
}

static void timers_count_what_was_not_taken(void)
{
    timer_t timer;
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 };
    struct itimerspec setting = { { 0, 1000000 }, { 0, 1000000 } };
    catch_signal(SIGUSR2);
    mask_signal(SIG_BLOCK, SIGUSR2);
    CHECK_EQUAL(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    CHECK_EQUAL(timer_settime(timer, 0, &setting, NULL), 0);
    nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
    CHECK_EQUAL(arrived, 0);
    mask_signal(SIG_UNBLOCK, SIGUSR2);
    CHECK(arrived >= 1);
    CHECK(last_overrun >= 5 || timer_getoverrun(timer) >= 0);
    CHECK_EQUAL(timer_delete(timer), 0);
    signal(SIGUSR2, SIG_IGN);
}

static void interval_timers_repeat(void)
{
    struct itimerval setting = { { 0, 2000 }, { 0, 1000 } }, stopped = { { 0, 0 }, { 0, 0 } }, old;
    catch_signal(SIGALRM);
    CHECK_EQUAL(setitimer(ITIMER_REAL, &setting, NULL), 0);
    wait_for_signals(3);
    CHECK_EQUAL(setitimer(ITIMER_REAL, &stopped, &old), 0);
    CHECK_EQUAL(old.it_interval.tv_usec, 2000);
    CHECK_EQUAL(alarm(100), 0);
    CHECK_EQUAL(alarm(0), 100);
    catch_signal(SIGPROF);
    CHECK_EQUAL(setitimer(ITIMER_PROF, &setting, NULL), 0);
    while (arrived < 3)
        continue; /* it counts the CPU's time */
    CHECK_EQUAL(setitimer(ITIMER_PROF, &stopped, NULL), 0);
}

static void pause_ends_with_a_signal(void)
{
    struct itimerval setting = { { 0, 1000 }, { 0, 1000 } }, stopped = { { 0, 0 }, { 0, 0 } };
    catch_signal(SIGALRM);
    CHECK_EQUAL(setitimer(ITIMER_REAL, &setting, NULL), 0);
    CHECK_ERROR(pause(), EINTR);
    CHECK_EQUAL(setitimer(ITIMER_REAL, &stopped, NULL), 0);
}

static void signals_are_read(void)
{
    sigset_t set;
    struct signalfd_siginfo info[2];
    struct epoll_event event = { .events = EPOLLIN }, got;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 2);
    CHECK_EQUAL(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    int fd = signalfd(-1, &set, SFD_NONBLOCK), epoll = epoll_create1(0);
    CHECK(fd >= 0);
    CHECK_ERROR(read(fd, info, sizeof(info)), EAGAIN);
    CHECK_ERROR(read(fd, info, 100), EINVAL);
    CHECK_EQUAL(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
    CHECK_EQUAL(epoll_wait(epoll, &got, 1, 0), 0);
    CHECK_EQUAL(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){ .sival_int = 77 }), 0);
    CHECK_EQUAL(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){ .sival_int = 78 }), 0);
    CHECK_EQUAL(epoll_wait(epoll, &got, 1, -1), 1);
    CHECK_EQUAL(read(fd, info, sizeof(info)), (int)sizeof(info));
    CHECK_EQUAL(info[0].ssi_signo, SIGRTMIN + 2);
    CHECK_EQUAL(info[0].ssi_int, 77);
    CHECK_EQUAL(info[1].ssi_int, 78);
    CHECK_EQUAL(info[0].ssi_pid, getpid());
    CHECK_EQUAL(info[0].ssi_code, SI_QUEUE);
    CHECK_EQUAL(epoll_wait(epoll, &got, 1, 0), 0);
    close(epoll);
    close(fd);
    CHECK_EQUAL(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
}

/* ---- Splicing ---- */

static int file_with(const char *name, const char *text)
{
    int fd = open(in_place(name), O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0);
    unlink(in_place(name));
    CHECK_EQUAL(write(fd, text, strlen(text)), (int)strlen(text));
    return fd;
}

static void check_text(int fd, const char *text)
{
    char got[64] = "";
    CHECK_EQUAL(pread(fd, got, sizeof(got) - 1, 0), (int)strlen(text));
    CHECK_EQUAL(strcmp(got, text), 0);
}

static void spliced_bytes_arrive(void)
{
    int first[2], second[2], from = file_with("from", "0123456789"), to = file_with("to", "");
    loff_t at = 2;
    char got[16] = "";
    CHECK(pipe(first) == 0 && pipe(second) == 0);
    CHECK_EQUAL(splice(from, &at, first[1], NULL, 6, 0), 6);
    CHECK_EQUAL(at, 8);
    CHECK_EQUAL(lseek(from, 0, SEEK_CUR), 10);
    CHECK_EQUAL(tee(first[0], second[1], 4, 0), 4);
    CHECK_EQUAL(read(second[0], got, sizeof(got)), 4);
    CHECK_EQUAL(memcmp(got, "2345", 4), 0);
    CHECK_EQUAL(splice(first[0], NULL, second[1], NULL, 2, 0), 2);
    CHECK_EQUAL(read(second[0], got, sizeof(got)), 2);
    CHECK_EQUAL(memcmp(got, "23", 2), 0);
    CHECK_EQUAL(splice(first[0], NULL, to, NULL, 100, 0), 4);
    check_text(to, "4567");
    CHECK_ERROR(splice(first[0], NULL, to, NULL, 100, SPLICE_F_NONBLOCK), EAGAIN);
    close(first[1]);
    CHECK_EQUAL(splice(first[0], NULL, to, NULL, 100, 0), 0);
    close(first[0]);
    close(second[0]);
    close(second[1]);
    close(from);
    close(to);
}

/* More than a pipe holds, through a pipe into a socket and out of it, with a reader on the other side. */
static void spliced_sockets_lose_nothing(void)
{
    int pair[2], ends[2], from = file_with("large", "");
    static char block[4096], got[4096];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && pipe(ends) == 0);
    for (unsigned i = 0; i < 64; i++) {
        memset(block, (int)i + 1, sizeof(block));
        CHECK_EQUAL(write(from, block, sizeof(block)), (int)sizeof(block));
    }
    loff_t at = 0;
    size_t sent = 0, received = 0;
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    while (received < 64 * sizeof(block)) {
        ssize_t n = at < (loff_t)(64 * sizeof(block)) ? splice(from, &at, ends[1], NULL, 20000, SPLICE_F_NONBLOCK) : 0;
        CHECK(n >= 0 || errno == EAGAIN);
        n = splice(ends[0], NULL, pair[0], NULL, 1 << 20, SPLICE_F_NONBLOCK);
        sent += n > 0 ? (size_t)n : 0;
        CHECK(n >= 0 || errno == EAGAIN);
        n = recv(pair[1], got, sizeof(got), MSG_DONTWAIT);
        for (ssize_t i = 0; i < n; i++, received++)
            CHECK_EQUAL(got[i], (char)(received / sizeof(block) + 1));
    }
    CHECK_EQUAL(sent, received);
    close(pair[0]);
    close(pair[1]);
    close(ends[0]);
    close(ends[1]);
    close(from);
}

static void user_memory_is_spliced(void)
{
    int ends[2];
    char one[] = "abc", two[] = "defg", got[16] = "";
    struct iovec spans[2] = { { one, 3 }, { two, 4 } }, space = { got, 16 };
    CHECK_EQUAL(pipe(ends), 0);
    CHECK_EQUAL(vmsplice(ends[1], spans, 2, 0), 7);
    CHECK_EQUAL(vmsplice(ends[0], &space, 1, 0), 7);
    CHECK_EQUAL(memcmp(got, "abcdefg", 7), 0);
    close(ends[0]);
    close(ends[1]);
}

static void splice_ends_with_a_signal(void)
{
    int ends[2], to = file_with("to", "");
    struct itimerval setting = { { 0, 1000 }, { 0, 1000 } }, stopped = { { 0, 0 }, { 0, 0 } };
    CHECK_EQUAL(pipe(ends), 0);
    catch_signal(SIGALRM);
    CHECK_EQUAL(setitimer(ITIMER_REAL, &setting, NULL), 0);
    CHECK_ERROR(splice(ends[0], NULL, to, NULL, 10, 0), EINTR);
    CHECK_EQUAL(setitimer(ITIMER_REAL, &stopped, NULL), 0);
    close(ends[0]);
    close(ends[1]);
    close(to);
}

static void ranges_of_files_are_copied(void)
{
    int from = file_with("from", "0123456789"), to = file_with("to", "abcdefghij");
    off64_t in = 3, out = 5;
    CHECK_EQUAL(copy_file_range(from, &in, to, &out, 4, 0), 4);
    check_text(to, "abcde3456j");
    CHECK_EQUAL(in, 7);
    CHECK_EQUAL(out, 9);
    CHECK_EQUAL(copy_file_range(from, &in, to, &out, 100, 0), 3);
    check_text(to, "abcde3456789");
    in = 0, out = 2;
    CHECK_ERROR(copy_file_range(from, &in, from, &out, 4, 0), EINVAL);
    close(from);
    close(to);
}

/* ---- Files ---- */

static void files_without_names_get_one(void)
{
    int fd = open(place(), O_TMPFILE | O_RDWR, 0600);
    struct stat status;
    CHECK(fd >= 0);
    CHECK_EQUAL(write(fd, "nameless", 8), 8);
    CHECK(fstat(fd, &status) == 0 && status.st_nlink == 0 && status.st_size == 8);
    CHECK_EQUAL(linkat(fd, "", AT_FDCWD, in_place("linked"), AT_EMPTY_PATH), 0);
    CHECK(stat(in_place("linked"), &status) == 0 && status.st_nlink == 1 && status.st_size == 8);
    CHECK_EQUAL(unlink(in_place("linked")), 0);
    close(fd);
    fd = open(place(), O_TMPFILE | O_RDWR | O_EXCL, 0600);
    CHECK(fd >= 0);
    CHECK_ERROR(linkat(fd, "", AT_FDCWD, in_place("linked"), AT_EMPTY_PATH), ENOENT);
    close(fd);
    CHECK_ERROR(open(place(), O_TMPFILE | O_RDONLY, 0600), EINVAL);
}

static long open_how(int directory, const char *path, uint64_t resolve)
{
    struct open_how how = { .flags = O_RDONLY, .resolve = resolve };
    return syscall(SYS_openat2, directory, path, &how, sizeof(how));
}

static void check_opens(long fd)
{
    CHECK(fd >= 0);
    close((int)fd);
}

static void walks_stay_where_they_should(void)
{
    const char *top = in_place("top");
    CHECK_EQUAL(mkdir(top, 0755), 0);
    int directory = open(top, O_RDONLY | O_DIRECTORY);
    CHECK_EQUAL(mkdirat(directory, "in", 0755), 0);
    CHECK_EQUAL(symlinkat("/in", directory, "absolute"), 0);
    CHECK_EQUAL(symlinkat("../..", directory, "out"), 0);
    check_opens(open_how(directory, "in/../in", RESOLVE_BENEATH));
    CHECK_ERROR(open_how(directory, "in/../..", RESOLVE_BENEATH), EXDEV);
    CHECK_ERROR(open_how(directory, "absolute", RESOLVE_BENEATH), EXDEV);
    CHECK_ERROR(open_how(directory, "out", RESOLVE_BENEATH), EXDEV);
    CHECK_ERROR(open_how(directory, "/", RESOLVE_BENEATH), EXDEV);
    check_opens(open_how(directory, "absolute", RESOLVE_IN_ROOT));
    check_opens(open_how(directory, "/../../in", RESOLVE_IN_ROOT));
    CHECK_ERROR(open_how(directory, "absolute/x", RESOLVE_NO_SYMLINKS), ELOOP);
    CHECK_ERROR(open_how(AT_FDCWD, "/proc/self/stat", RESOLVE_NO_XDEV), EXDEV);
    CHECK(unlinkat(directory, "absolute", 0) == 0 && unlinkat(directory, "out", 0) == 0 &&
          unlinkat(directory, "in", AT_REMOVEDIR) == 0);
    close(directory);
    CHECK_EQUAL(rmdir(top), 0);
}

static void seals_hold(void)
{
    int fd = memfd_create("seals", MFD_ALLOW_SEALING), plain = memfd_create("plain", 0);
    CHECK(fd >= 0 && plain >= 0);
    CHECK_EQUAL(write(fd, "sealed", 6), 6);
    CHECK_EQUAL(fcntl(plain, F_GET_SEALS), F_SEAL_SEAL);
    CHECK_ERROR(fcntl(plain, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
    CHECK_EQUAL(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
    CHECK_ERROR(ftruncate(fd, 3), EPERM);
    CHECK_ERROR(ftruncate(fd, 30), EPERM);
    CHECK_ERROR(pwrite(fd, "more", 4, 6), EPERM);
    CHECK_EQUAL(pwrite(fd, "S", 1, 0), 1);
    void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED);
    CHECK_ERROR(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
    munmap(map, 4096);
    CHECK_EQUAL(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
    CHECK_ERROR(pwrite(fd, "s", 1, 0), EPERM);
    CHECK_ERROR(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0, EPERM);
    map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED && memcmp(map, "Sealed", 6) == 0);
    CHECK_ERROR(mprotect(map, 4096, PROT_READ | PROT_WRITE), EACCES);
    munmap(map, 4096);
    CHECK_EQUAL(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL), 0);
    CHECK_ERROR(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), EPERM);
    close(fd);
    close(plain);
}

static void attributes_are_kept(void)
{
    char got[64] = "", names[64];
    int fd = file_with("attributes", "");
    CHECK_EQUAL(fsetxattr(fd, "trusted.first", "value", 5, 0), 0);
    CHECK_EQUAL(fgetxattr(fd, "trusted.first", got, sizeof(got)), 5);
    CHECK_EQUAL(memcmp(got, "value", 5), 0);
    CHECK_EQUAL(fgetxattr(fd, "trusted.first", NULL, 0), 5);
    CHECK_ERROR(fgetxattr(fd, "trusted.first", got, 2), ERANGE);
    CHECK_ERROR(fgetxattr(fd, "trusted.other", got, sizeof(got)), ENODATA);
    CHECK_ERROR(fsetxattr(fd, "trusted.first", "x", 1, XATTR_CREATE), EEXIST);
    CHECK_ERROR(fsetxattr(fd, "trusted.other", "x", 1, XATTR_REPLACE), ENODATA);
    CHECK_EQUAL(fsetxattr(fd, "trusted.first", "", 0, XATTR_REPLACE), 0);
    CHECK_EQUAL(fgetxattr(fd, "trusted.first", got, sizeof(got)), 0);
    CHECK_EQUAL(flistxattr(fd, names, sizeof(names)), (int)sizeof("trusted.first"));
    CHECK_EQUAL(strcmp(names, "trusted.first"), 0);
    CHECK_EQUAL(fremovexattr(fd, "trusted.first"), 0);
    CHECK_ERROR(fremovexattr(fd, "trusted.first"), ENODATA);
    CHECK_EQUAL(flistxattr(fd, names, sizeof(names)), 0);
    close(fd);
}

static void times_before_1970_are_kept(void)
{
    int fd = file_with("old", "");
    struct timespec times[2] = { { -1, 999999999 }, { -86400 * 365, 5 } };
    struct stat status;
    CHECK_EQUAL(futimens(fd, times), 0);
    CHECK_EQUAL(fstat(fd, &status), 0);
    CHECK_EQUAL(status.st_atim.tv_sec, -1);
    CHECK_EQUAL(status.st_atim.tv_nsec, 999999999);
    CHECK_EQUAL(status.st_mtim.tv_sec, -86400 * 365);
    CHECK_EQUAL(status.st_mtim.tv_nsec, 5);
    close(fd);
}

/* ---- Limits and memory ---- */

static void limits_are_in_effect(void)
{
    struct rlimit old, limit;
    int fds[64], count = 0, file = file_with("limit", "");
    CHECK_EQUAL(getrlimit(RLIMIT_NOFILE, &old), 0);
    limit = (struct rlimit){ 40, old.rlim_max };
    CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
    while (count < 64 && (fds[count] = dup(0)) >= 0)
        count++;
    int error = errno;
    CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &old), 0);
    CHECK(count < 40 && error == EMFILE && fds[count - 1] == 39);
    while (count > 0)
        close(fds[--count]);
    catch_signal(SIGXFSZ);
    CHECK_EQUAL(getrlimit(RLIMIT_FSIZE, &old), 0);
    limit = (struct rlimit){ 5, old.rlim_max };
    CHECK_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ssize_t part = write(file, "1234567", 7), rest = write(file, "8", 1);
    error = errno;
    CHECK_EQUAL(setrlimit(RLIMIT_FSIZE, &old), 0);
    CHECK(part == 5 && rest == -1 && error == EFBIG && arrived == 1);
    close(file);
    CHECK_EQUAL(getrlimit(RLIMIT_AS, &old), 0);
    limit = (struct rlimit){ 1 << 20, old.rlim_max };
    CHECK_EQUAL(setrlimit(RLIMIT_AS, &limit), 0);
    void *map = mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    error = errno;
    CHECK_EQUAL(setrlimit(RLIMIT_AS, &old), 0);
    CHECK(map == MAP_FAILED && error == ENOMEM);
}

static void shared_memory_keeps_its_contents(void)
{
    char *shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *private = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED && private != MAP_FAILED);
    shared[0] = shared[4096] = private[0] = 1;
    CHECK_EQUAL(madvise(shared, 8192, MADV_DONTNEED), 0);
    CHECK_EQUAL(madvise(private, 8192, MADV_DONTNEED), 0);
    CHECK(shared[0] == 1 && shared[4096] == 1 && private[0] == 0);
    munmap(shared, 8192);
    munmap(private, 8192);
}

/* ---- Unix sockets that keep messages apart ---- */

static struct sockaddr_un unix_name(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    return address;
}

static void datagrams_keep_their_limits(void)
{
    struct sockaddr_un name = unix_name(in_place("socket")), from;
    int receiver = socket(AF_UNIX, SOCK_DGRAM, 0), sender = socket(AF_UNIX, SOCK_DGRAM, 0),
        stream = socket(AF_UNIX, SOCK_STREAM, 0);
    socklen_t length = sizeof(from);
    char got[16];
    CHECK_EQUAL(bind(receiver, (struct sockaddr *)&name, sizeof(name)), 0);
    CHECK_EQUAL(bind(sender, (struct sockaddr *)&name, 2), 0); /* a name of the kernel's choice */
    CHECK_ERROR(connect(stream, (struct sockaddr *)&name, sizeof(name)), EPROTOTYPE);
    CHECK_ERROR(send(sender, "x", 1, 0), ENOTCONN);
    CHECK_EQUAL(sendto(sender, "first", 5, 0, (struct sockaddr *)&name, sizeof(name)), 5);
    CHECK_EQUAL(connect(sender, (struct sockaddr *)&name, sizeof(name)), 0);
    CHECK_EQUAL(send(sender, "", 0, 0), 0);
    CHECK_EQUAL(send(sender, "third", 5, 0), 5);
    CHECK_EQUAL(recvfrom(receiver, got, 3, MSG_PEEK, (struct sockaddr *)&from, &length), 3);
    CHECK_EQUAL(recvfrom(receiver, got, 3, MSG_TRUNC, (struct sockaddr *)&from, &length), 5);
    CHECK(length == 8 && from.sun_path[0] == 0);
    CHECK_EQUAL(recv(receiver, got, sizeof(got), 0), 0);
    CHECK_EQUAL(recv(receiver, got, sizeof(got), 0), 5);
    CHECK_EQUAL(memcmp(got, "third", 5), 0);
    CHECK_ERROR(recv(receiver, got, sizeof(got), MSG_DONTWAIT), EAGAIN);
    close(receiver);
    CHECK_ERROR(send(sender, "x", 1, 0), ECONNREFUSED);
    close(sender);
    close(stream);
    CHECK_EQUAL(unlink(name.sun_path), 0);
}

static void full_receivers_hold_senders_up(void)
{
    int pair[2];
    static char block[4096];
    struct pollfd polled = { .events = POLLOUT };
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
    unsigned sent = 0;
    while (send(pair[0], block, sizeof(block), 0) == (int)sizeof(block))
        sent++;
    CHECK(errno == EAGAIN && sent > 0);
    polled.fd = pair[0];
    CHECK_EQUAL(poll(&polled, 1, 0), 0);
    for (unsigned i = 0; i < sent; i++)
        CHECK_EQUAL(recv(pair[1], block, sizeof(block), 0), (int)sizeof(block));
    CHECK_EQUAL(poll(&polled, 1, -1), 1);
    CHECK_EQUAL(send(pair[0], block, 10, 0), 10);
    close(pair[0]);
    close(pair[1]);
}

static void packets_come_in_order_and_end(void)
{
    struct sockaddr_un name = unix_name(in_place("packets"));
    int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0), client = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    char got[16];
    CHECK_EQUAL(bind(listener, (struct sockaddr *)&name, sizeof(name)), 0);
    CHECK_EQUAL(listen(listener, 1), 0);
    CHECK_EQUAL(connect(client, (struct sockaddr *)&name, sizeof(name)), 0);
    int server = accept(listener, NULL, NULL);
    CHECK(server >= 0);
    CHECK(send(client, "one", 3, 0) == 3 && send(client, "three", 5, 0) == 5);
    CHECK_EQUAL(recv(server, got, sizeof(got), 0), 3);
    CHECK_EQUAL(recv(server, got, 2, 0), 2);
    CHECK_ERROR(recv(server, got, sizeof(got), MSG_DONTWAIT), EAGAIN);
    CHECK_EQUAL(send(client, "last", 4, 0), 4);
    close(client);
    CHECK_EQUAL(recv(server, got, sizeof(got), 0), 4);
    CHECK_EQUAL(recv(server, got, sizeof(got), 0), 0);
    CHECK_ERROR(send(server, "x", 1, MSG_NOSIGNAL), EPIPE);
    close(server);
    close(listener);
    CHECK_EQUAL(unlink(name.sun_path), 0);
}

static void interfaces_are_listed(void)
{
    struct ifaddrs *all, *one;
    bool link = false, address = false;
    CHECK_EQUAL(getifaddrs(&all), 0);
    for (one = all; one != NULL; one = one->ifa_next) {
        if (strcmp(one->ifa_name, "lo") != 0 || one->ifa_addr == NULL)
            continue;
        const struct sockaddr_in *in = (const struct sockaddr_in *)one->ifa_addr;
        link |= one->ifa_addr->sa_family == AF_PACKET && one->ifa_flags & IFF_LOOPBACK;
        address |= in->sin_family == AF_INET && in->sin_addr.s_addr == htonl(INADDR_LOOPBACK);
    }
    freeifaddrs(all);
    CHECK(link && address);
    CHECK_EQUAL(if_nametoindex("lo"), 1);
}

/* One question to NETLINK_ROUTE; the first message of the answer. */
static struct nlmsghdr *ask_netlink(uint16_t type, uint16_t flags, const void *body, size_t length)
{
    static _Alignas(struct nlmsghdr) char answer[8192];
    struct {
        struct nlmsghdr header;
        char body[64];
    } question = { .header = { .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags, .nlmsg_seq = 7 } };
    memcpy(question.body, body, length);
    question.header.nlmsg_len = (uint32_t)(sizeof(question.header) + length);
    int netlink = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    CHECK_EQUAL(send(netlink, &question, question.header.nlmsg_len, 0), question.header.nlmsg_len);
    ssize_t got = recv(netlink, answer, sizeof(answer), 0);
    struct nlmsghdr *first = (struct nlmsghdr *)answer;
    CHECK(got > 0 && NLMSG_OK(first, (uint32_t)got) && first->nlmsg_seq == 7);
    close(netlink);
    return first;
}

static int error_of(const struct nlmsghdr *answer)
{
    CHECK_EQUAL(answer->nlmsg_type, NLMSG_ERROR);
    return -((const struct nlmsgerr *)NLMSG_DATA(answer))->error;
}

struct route_question {
    struct rtmsg route;
    struct rtattr attribute;
    uint32_t address;
};

/* The value of an attribute with four bytes. */
static uint32_t route_word(struct nlmsghdr *answer, unsigned short type)
{
    struct rtmsg *route = NLMSG_DATA(answer);
    int left = (int)RTM_PAYLOAD(answer);
    for (struct rtattr *at = RTM_RTA(route); RTA_OK(at, left); at = RTA_NEXT(at, left))
        if (at->rta_type == type)
            return *(uint32_t *)RTA_DATA(at);
    return UINT32_MAX;
}

static void one_route_is_asked_for(void)
{
    struct route_question question = { .route = { .rtm_family = AF_INET, .rtm_dst_len = 32 },
                                       .attribute = { RTA_LENGTH(4), RTA_DST },
                                       .address = htonl(0x7f010203) };
    struct nlmsghdr *answer = ask_netlink(RTM_GETROUTE, 0, &question, sizeof(question));
    struct rtmsg *route = NLMSG_DATA(answer);
    CHECK_EQUAL(answer->nlmsg_type, RTM_NEWROUTE);
    CHECK_EQUAL(answer->nlmsg_flags, 0);
    CHECK(route->rtm_family == AF_INET && route->rtm_dst_len == 32 && route->rtm_src_len == 0);
    CHECK_EQUAL(route->rtm_table, RT_TABLE_MAIN);
    CHECK_EQUAL(route->rtm_type, RTN_LOCAL);
    CHECK(route->rtm_scope == RT_SCOPE_UNIVERSE && route->rtm_protocol == RTPROT_UNSPEC);
    CHECK_EQUAL(route->rtm_flags, 0x80000200u);
    CHECK_EQUAL(route_word(answer, RTA_TABLE), RT_TABLE_MAIN);
    CHECK_EQUAL(route_word(answer, RTA_DST), question.address);
    CHECK_EQUAL(route_word(answer, RTA_OIF), 1);
    CHECK_EQUAL(route_word(answer, RTA_PREFSRC), htonl(INADDR_LOOPBACK));
    CHECK_EQUAL(route_word(answer, RTA_GATEWAY), UINT32_MAX);
    CHECK_EQUAL(error_of(ask_netlink(RTM_GETROUTE, 0, &question, 4)), EINVAL);
}

static void one_route_of_ipv6_is_asked_for(void)
{
    struct {
        struct rtmsg route;
        struct rtattr attribute;
        struct in6_addr address;
    } question = { .route = { .rtm_family = AF_INET6, .rtm_dst_len = 128 },
                   .attribute = { RTA_LENGTH(16), RTA_DST },
                   .address = IN6ADDR_LOOPBACK_INIT };
    struct nlmsghdr *answer = ask_netlink(RTM_GETROUTE, 0, &question, sizeof(question));
    struct rtmsg *route = NLMSG_DATA(answer);
    CHECK_EQUAL(answer->nlmsg_type, RTM_NEWROUTE);
    CHECK(route->rtm_family == AF_INET6 && route->rtm_dst_len == 128 && route->rtm_protocol == RTPROT_KERNEL);
    CHECK_EQUAL(route->rtm_flags, 0);
    CHECK_EQUAL(route->rtm_table, RT_TABLE_LOCAL);
    CHECK_EQUAL(route->rtm_type, RTN_LOCAL);
    CHECK_EQUAL(route_word(answer, RTA_TABLE), RT_TABLE_LOCAL);
    CHECK_EQUAL(route_word(answer, RTA_OIF), 1);
    CHECK_EQUAL(route_word(answer, RTA_GATEWAY), UINT32_MAX);
    CHECK_EQUAL(error_of(ask_netlink(RTM_GETROUTE, 0, &question, 4)), EINVAL);
    answer = ask_netlink(RTM_GETROUTE, NLM_F_DUMP, &question.route, sizeof(question.route));
    int local = 0;
    for (int left = 8192; NLMSG_OK(answer, left) && answer->nlmsg_type == RTM_NEWROUTE;
         answer = NLMSG_NEXT(answer, left)) {
        route = NLMSG_DATA(answer);
        CHECK_EQUAL(route->rtm_family, AF_INET6);
        CHECK(answer->nlmsg_flags & NLM_F_MULTI);
        local += route->rtm_type == RTN_LOCAL && route->rtm_dst_len == 128 && route_word(answer, RTA_OIF) == 1 &&
                 route_word(answer, RTA_PRIORITY) == 0;
    }
    CHECK_EQUAL(local, 1);
}

/* The address of loopback in the table of routes. */
static void routes_of_ipv6_are_listed(void)
{
    char line[300], to[33], from[33], gateway[33], name[16];
    unsigned prefix, from_prefix, metric, flags, found = 0;
    FILE *file = fopen("/proc/net/ipv6_route", "r");
    CHECK(file != NULL);
    while (fgets(line, sizeof(line), file)) {
        CHECK_EQUAL(sscanf(line, "%32s %x %32s %x %32s %x %*x %*x %x %15s", to, &prefix, from, &from_prefix, gateway,
                           &metric, &flags, name),
                    8);
        CHECK_EQUAL(strlen(line), 150);
        found += strcmp(to, "00000000000000000000000000000001") == 0 && prefix == 128 && from_prefix == 0 &&
                 metric == 0 && flags == 0x80200001 && strcmp(name, "lo") == 0;
    }
    fclose(file);
    CHECK_EQUAL(found, 1);
}

static void one_link_is_asked_for(void)
{
    struct {
        struct ifinfomsg link;
        struct rtattr attribute;
        char name[8];
    } question = { .attribute = { RTA_LENGTH(3), IFLA_IFNAME }, .name = "lo" };
    struct nlmsghdr *answer = ask_netlink(RTM_GETLINK, 0, &question, sizeof(question));
    struct ifinfomsg *link = NLMSG_DATA(answer);
    CHECK_EQUAL(answer->nlmsg_type, RTM_NEWLINK);
    CHECK(link->ifi_index == 1 && link->ifi_flags & IFF_LOOPBACK);
    strcpy(question.name, "no");
    CHECK_EQUAL(error_of(ask_netlink(RTM_GETLINK, 0, &question, sizeof(question))), ENODEV);
    CHECK_EQUAL(error_of(ask_netlink(RTM_GETLINK, 0, &question, sizeof(question.link))), EINVAL);
    question.link.ifi_index = 1;
    CHECK_EQUAL(ask_netlink(RTM_GETLINK, 0, &question, sizeof(question.link))->nlmsg_type, RTM_NEWLINK);
    struct ndmsg neighbour = { .ndm_family = AF_INET };
    answer = ask_netlink(RTM_GETNEIGH, NLM_F_DUMP, &neighbour, sizeof(neighbour));
    CHECK(answer->nlmsg_type == NLMSG_DONE || answer->nlmsg_type == RTM_NEWNEIGH);
}

/* ---- /proc and /sys ---- */

static bool file_has(const char *path, const char *text)
{
    static char contents[65536];
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    ssize_t n = 0, got;
    while ((got = read(fd, contents + n, sizeof(contents) - 1 - (size_t)n)) > 0)
        n += got;
    close(fd);
    contents[n] = 0;
    return strstr(contents, text) != NULL;
}

static void sockets_are_in_proc(void)
{
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(any);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    char line[64];
    CHECK_EQUAL(bind(listener, (struct sockaddr *)&any, sizeof(any)), 0);
    CHECK(listen(listener, 1) == 0 && getsockname(listener, (struct sockaddr *)&any, &length) == 0);
    snprintf(line, sizeof(line), ": 0100007F:%04X 00000000:0000 0A ", ntohs(any.sin_port));
    CHECK(file_has("/proc/net/tcp", line));
    close(listener);
    CHECK(!file_has("/proc/net/tcp", line));
    CHECK(file_has("/proc/net/dev", "lo:"));
    CHECK(file_has("/proc/net/route", "Iface"));
    struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "in-proc" };
    int local = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQUAL(bind(local, (struct sockaddr *)&name, sizeof(name)), 0);
    CHECK(listen(local, 1) == 0 && file_has("/proc/net/unix", "RefCount"));
    CHECK(file_has("/proc/net/unix", " 00010000 0001 01 ") && file_has("/proc/net/unix", " in-proc\n"));
    close(local);
    CHECK(!file_has("/proc/net/unix", " in-proc\n"));
    CHECK_EQUAL(unlink("in-proc"), 0);
    CHECK(file_has("/sys/class/net/lo/mtu", "65536"));
}

/* The guest's root is a disk, from which this program was read; Linux may have been read from elsewhere. */
static void transfers_are_counted(void)
{
    struct stat root;
    unsigned major, minor;
    unsigned long reads, sectors, of_root = 0;
    FILE *disks = fopen("/proc/diskstats", "r");
    CHECK(disks != NULL && stat("/", &root) == 0);
    while (fscanf(disks, "%u %u %*s %lu %*u %lu%*[^\n]", &major, &minor, &reads, &sectors) == 4) {
        CHECK(sectors >= reads);
        if (makedev(major, minor) == root.st_dev)
            of_root = reads;
    }
    fclose(disks);
    CHECK(!in_guest() || of_root > 0);
}

static void the_process_is_in_proc(void)
{
    unsigned long vector[64] = { 0 };
    int fd = open("/proc/self/auxv", O_RDONLY);
    CHECK(read(fd, vector, sizeof(vector)) > 0);
    close(fd);
    for (unsigned i = 0; vector[i] != AT_NULL; i += 2)
        CHECK(vector[i] == AT_HWCAP || vector[i + 1] == getauxval(vector[i]));
    CHECK(file_has("/proc/self/io", "rchar: "));
    CHECK(file_has("/proc/self/smaps_rollup", "[rollup]"));
    CHECK(file_has("/proc/self/limits", "Max open files"));
    CHECK(file_has("/proc/self/status", "CapEff:"));
    CHECK(file_has("/proc/vmstat", "nr_free_pages "));
}

SUITE(objects, TEST(timers_send_their_value), TEST(timers_count_what_was_not_taken), TEST(interval_timers_repeat),
      TEST(pause_ends_with_a_signal), TEST(signals_are_read), TEST(spliced_bytes_arrive),
      TEST(spliced_sockets_lose_nothing), TEST(user_memory_is_spliced), TEST(splice_ends_with_a_signal),
      TEST(ranges_of_files_are_copied), TEST(files_without_names_get_one), TEST(walks_stay_where_they_should),
      TEST(seals_hold), TEST(attributes_are_kept), TEST(times_before_1970_are_kept), TEST(limits_are_in_effect),
      TEST(shared_memory_keeps_its_contents), TEST(datagrams_keep_their_limits), TEST(full_receivers_hold_senders_up),
      TEST(packets_come_in_order_and_end), TEST(interfaces_are_listed), TEST(one_route_is_asked_for),
      TEST(one_route_of_ipv6_is_asked_for), TEST(routes_of_ipv6_are_listed), TEST(one_link_is_asked_for),
      TEST(sockets_are_in_proc), TEST(transfers_are_counted), TEST(the_process_is_in_proc));

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls whose work the program decides, each with a thread beside it that must go on (latency.h). The amounts are
 * small, so that the suite is short; with `run --icount stalls` they are those that an application may reach, and no
 * call may keep other threads silent for 20 ms.
 */
#define _GNU_SOURCE
#include "latency.h"
#include "suite.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define MIB (1UL << 20)

/* `large` where figures are wanted, else `small`. */
static size_t sized(size_t small, size_t large) { return latency_is_exact() ? large : small; }

static char *memory;
static size_t amount;
static int file, other;

static void take_memory(size_t most)
{
    amount = some_memory(most);
    memory = mmap(NULL, amount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    CHECK(memory != MAP_FAILED);
}
static void give_memory(void) { CHECK_EQUAL(munmap(memory, amount), 0); }

/* The numbers [FIRST, FIRST + opened) are free in every test. */
#define FIRST 100
static unsigned opened;

static void choose_opened(size_t wanted)
{
    struct rlimit limit;
    CHECK_EQUAL(getrlimit(RLIMIT_NOFILE, &limit), 0);
    opened = (unsigned)(wanted < limit.rlim_cur - FIRST ? wanted : limit.rlim_cur - FIRST);
}

static void give_number(int descriptor, unsigned i)
{
    CHECK_EQUAL(dup2(descriptor, FIRST + (int)i), FIRST + (int)i);
    close(descriptor);
}

/* `call` ends what `again` makes once more for the next attempt. */
static void check_end(const char *name, void (*call)(void), void (*again)(void))
{
    check_gives_way(name, call, again);
    call();
}

static void close_all(void) { CHECK_EQUAL(close_range(FIRST, FIRST + opened - 1, 0), 0); }

/* ---- Bytes ---- */

static void get_random(void)
{
    for (size_t done = 0; done < amount;) {
        ssize_t n = getrandom(memory + done, amount - done, 0);
        CHECK(n > 0);
        done += (size_t)n;
    }
}
static void read_file(void) { CHECK_EQUAL(pread(file, memory, amount, 0), amount); }
static void write_file(void) { CHECK_EQUAL(pwrite(file, memory, amount, 0), amount); }
static void cut_file(void) { CHECK_EQUAL(ftruncate(file, 0), 0); }
static void cut_other(void) { CHECK_EQUAL(ftruncate(other, 0), 0); }

static void one_buffer(void)
{
    take_memory(sized(2 * MIB, 64 * MIB));
    check_gives_way("getrandom into one buffer", get_random, NULL);
    file = open("/dev/zero", O_RDONLY);
    check_gives_way("read of /dev/zero into one buffer", read_file, NULL);
    close(file);
    give_memory();
}

static void send_file(void)
{
    off_t from = 0;
    CHECK_EQUAL(lseek(other, 0, SEEK_SET), 0);
    while ((size_t)from < amount)
        CHECK(sendfile(other, file, &from, amount - (size_t)from) > 0);
}
static void copy_range(void)
{
    off_t from = 0, to = 0;
    while ((size_t)from < amount)
        CHECK(copy_file_range(file, &from, other, &to, amount - (size_t)from, 0) > 0);
}
static void punch(void)
{
    CHECK_EQUAL(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)amount), 0);
}
static void reserve(void) { CHECK_EQUAL(fallocate(file, 0, 0, (off_t)amount), 0); }
static void synchronise(void) { CHECK_EQUAL(fsync(file), 0); }
static void close_file(void) { CHECK_EQUAL(close(file), 0); }
static void make_large_file(void)
{
    file = memfd_create("large", 0);
    CHECK_EQUAL(fallocate(file, 0, 0, (off_t)amount), 0);
}

static void files_in_memory(void)
{
    take_memory(sized(2 * MIB, 48 * MIB));
    file = memfd_create("one", 0);
    other = memfd_create("other", 0);
    check_gives_way("pwrite of one buffer to a memory file", write_file, NULL);
    check_gives_way("pread of a memory file", read_file, NULL);
    give_memory();
    check_gives_way("fsync", synchronise, NULL);
    check_gives_way("sendfile", send_file, cut_other);
    check_gives_way("copy_file_range", copy_range, cut_other);
    check_gives_way("fallocate to punch a hole", punch, reserve);
    check_gives_way("fallocate", reserve, cut_file);
    reserve();
    check_gives_way("ftruncate", cut_file, reserve);
    check_end("close of a large file without a name", close_file, make_large_file);
    close(other);
}

#define VECTORS 1024
static void many_vectors(void)
{
    struct iovec vector[VECTORS];
    for (int i = 0; i < VECTORS; i++)
        vector[i] = (struct iovec){ memory + (size_t)i * (amount / VECTORS), amount / VECTORS };
    CHECK_EQUAL(preadv(file, vector, VECTORS, 0), (long)(amount / VECTORS) * VECTORS);
}

static void vectors(void)
{
    take_memory(sized(2 * MIB, 16 * MIB));
    file = memfd_create("vectors", 0);
    CHECK_EQUAL(pwrite(file, memory, amount, 0), amount);
    check_gives_way("preadv of 1024 vectors", many_vectors, NULL);
    close(file);
    give_memory();
}

/* ---- Pages ---- */

static void *vector;
static void resident(void) { CHECK_EQUAL(mincore(memory, amount, vector), 0); }
static void forget(void) { CHECK_EQUAL(madvise(memory, amount, MADV_DONTNEED), 0); }
static void fill(void) { CHECK_EQUAL(madvise(memory, amount, MADV_POPULATE_WRITE), 0); }
static void sync_memory(void) { CHECK_EQUAL(msync(memory, amount, MS_SYNC), 0); }

static void advice(void)
{
    take_memory(sized(2 * MIB, 64 * MIB));
    check_gives_way("madvise(MADV_DONTNEED)", forget, fill);
    check_gives_way("msync", sync_memory, NULL);
    give_memory();
}

static void large_pages(void)
{
    amount = some_memory(sized(4 * MIB, 64 * MIB));
    memory = mmap(NULL, amount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    CHECK_EQUAL(madvise(memory, amount, MADV_HUGEPAGE), 0);
    check_gives_way("madvise(MADV_POPULATE_WRITE) of large pages", fill, forget);
    fill();
    check_gives_way("madvise(MADV_DONTNEED) of large pages", forget, fill);
    give_memory();
}

static void sparse_areas(void)
{
    amount = sized(1UL << 30, 64UL << 30);
    memory = mmap(NULL, amount, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(memory != MAP_FAILED);
    vector = malloc(amount / 4096);
    CHECK(vector != NULL);
    check_gives_way("mincore", resident, NULL);
    free(vector);
    check_gives_way("munmap of nothing", give_memory, NULL);
}

/* A file that is mapped loses its pages. */
static void mapped_file(void)
{
    amount = some_memory(sized(2 * MIB, 48 * MIB));
    file = memfd_create("mapped", 0);
    CHECK_EQUAL(ftruncate(file, (off_t)amount), 0);
    memory = mmap(NULL, amount, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
    CHECK(memory != MAP_FAILED);
    check_gives_way("msync of a file", sync_memory, NULL);
    check_gives_way("ftruncate of a mapped file", cut_file, NULL);
    close(file);
    give_memory();
}

static unsigned count_lines(const char *path)
{
    static char text[65536];
    unsigned lines = 0;
    int file = open(path, O_RDONLY);
    for (ssize_t n; (n = read(file, text, sizeof(text))) > 0;)
        for (ssize_t i = 0; i < n; i++)
            lines += text[i] == '\n';
    close(file);
    return lines;
}

static unsigned areas;
static void read_maps(void) { CHECK(count_lines("/proc/self/maps") >= areas); }
static void protect_all(void) { CHECK_EQUAL(mprotect(memory, amount, PROT_NONE), 0); }

/* Every second page has other rights. */
static void many_areas(void)
{
    areas = (unsigned)sized(2000, 60000);
    amount = (size_t)areas * 4096;
    memory = mmap(NULL, amount, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(memory != MAP_FAILED);
    for (unsigned i = 0; i < areas; i += 2)
        CHECK_EQUAL(mprotect(memory + (size_t)i * 4096, 4096, PROT_NONE), 0);
    check_gives_way("read of /proc/self/maps", read_maps, NULL);
    check_gives_way("mprotect that joins areas", protect_all, NULL);
    for (unsigned i = 0; i < areas; i += 2)
        CHECK_EQUAL(mprotect(memory + (size_t)i * 4096, 4096, PROT_READ), 0);
    check_gives_way("munmap of areas", give_memory, NULL);
}

/* ---- Names ---- */

static unsigned names;
static void list_names(void)
{
    unsigned found = 0;
    DIR *directory = opendir("crowd");
    CHECK(directory != NULL);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        found += entry->d_name[0] == 'n';
    closedir(directory);
    CHECK_EQUAL(found, names);
}
static void rename_directory(void) { CHECK_EQUAL(rename("crowd", "moved"), 0); }
static void rename_back(void) { CHECK_EQUAL(rename("moved", "crowd"), 0); }
static void rename_name(void)
{
    CHECK_EQUAL(rename("crowd/n1", "crowd/n0"), 0);
    CHECK_EQUAL(rename("crowd/n0", "crowd/n1"), 0);
}
static void remove_full(void) { CHECK_ERROR(rmdir("crowd"), ENOTEMPTY); }

/* So many names of one file. */
static void many_names(void)
{
    char name[32];
    names = (unsigned)sized(2000, 60000);
    CHECK_EQUAL(mkdir("crowd", 0700), 0);
    CHECK_EQUAL(mknod("crowd/n1", S_IFREG | 0600, 0), 0);
    for (unsigned i = 2; i <= names; i++) {
        snprintf(name, sizeof(name), "crowd/n%u", i);
        CHECK_EQUAL(link("crowd/n1", name), 0);
    }
    check_gives_way("listing of a directory", list_names, NULL);
    check_gives_way("rename of a large directory", rename_directory, rename_back);
    check_gives_way("rmdir of a directory that is not empty", remove_full, NULL);
    for (unsigned i = 2; i <= names; i++) {
        snprintf(name, sizeof(name), "crowd/n%u", i);
        CHECK_EQUAL(unlink(name), 0);
    }
    check_gives_way("rename in a directory that was large", rename_name, NULL);
    CHECK_EQUAL(unlink("crowd/n1"), 0);
    CHECK_EQUAL(rmdir("crowd"), 0);
}

#define LINKS 39 /* one less than a walk follows */
static void rename_through_links(void)
{
    CHECK_EQUAL(rename("link0", "moved"), 0);
    CHECK_EQUAL(rename("moved", "link0"), 0);
    CHECK_ERROR(rename("link1/name", "link1/other"), ENOENT);
}

/* Each link leads through as many names as a path has room for, and then to the next link. */
static void long_links(void)
{
    char target[4080], name[16];
    CHECK_EQUAL(mkdir("d", 0700), 0);
    for (int i = 0; i <= LINKS; i++) {
        size_t length = 0;
        while (length < sizeof(target) - 40) {
            memcpy(target + length, "d/../", 5);
            length += 5;
        }
        snprintf(target + length, sizeof(target) - length, i < LINKS ? "link%d" : "d", i + 1);
        snprintf(name, sizeof(name), "link%d", i);
        CHECK_EQUAL(symlink(target, name), 0);
    }
    check_gives_way("rename through links", rename_through_links, NULL);
    for (int i = 0; i <= LINKS; i++) {
        snprintf(name, sizeof(name), "link%d", i);
        CHECK_EQUAL(unlink(name), 0);
    }
    CHECK_EQUAL(rmdir("d"), 0);
}

/* The last of many nested directories stays open while all are removed, so each is kept by the next one alone. */
static void make_removed_chain(void)
{
    unsigned levels = (unsigned)sized(200, 50000);
    char start[4096];
    CHECK(getcwd(start, sizeof(start)) != NULL);
    for (unsigned i = 0; i < levels; i++) {
        CHECK_EQUAL(mkdir("n", 0700), 0);
        CHECK_EQUAL(chdir("n"), 0);
    }
    file = open(".", O_RDONLY | O_DIRECTORY);
    CHECK(file >= 0);
    for (unsigned i = 0; i < levels; i++) {
        CHECK_EQUAL(chdir(".."), 0);
        CHECK_EQUAL(rmdir("n"), 0);
    }
    CHECK_EQUAL(chdir(start), 0);
}
static void removed_chain(void)
{
    make_removed_chain();
    check_end("close of the last of many removed directories", close_file, make_removed_chain);
}

/* ---- Descriptors ---- */

static struct epoll_event *events;

static void wait_all(void) { CHECK(epoll_wait(file, events, (int)opened, 0) > 0); }
static void list_descriptors(void) { CHECK(count_names("/proc/self/fd") > opened); }

static void open_events(void)
{
    for (unsigned i = 0; i < opened; i++)
        give_number(eventfd(1, 0), i);
}

static void watch_events(void)
{
    file = epoll_create1(0);
    for (unsigned i = 0; i < opened; i++) {
        struct epoll_event event = { .events = EPOLLIN };
        CHECK_EQUAL(epoll_ctl(file, EPOLL_CTL_ADD, FIRST + (int)i, &event), 0);
    }
}

static void many_events(void)
{
    choose_opened(sized(1000, 30000));
    events = calloc(opened, sizeof(*events));
    open_events();
    watch_events();
    check_gives_way("epoll_wait", wait_all, NULL);
    check_gives_way("listing of /proc/self/fd", list_descriptors, NULL);
    check_end("close of an epoll instance", close_file, watch_events);
    check_end("close_range", close_all, open_events);
    free(events);
}

/* One file, watched by several instances under each of its numbers. */
#define INSTANCES 4
static int instances[INSTANCES];

static void watch_one(void)
{
    file = eventfd(0, 0);
    for (unsigned i = 0; i < opened; i++)
        CHECK_EQUAL(dup2(file, FIRST + (int)i), FIRST + (int)i);
    for (unsigned n = 0; n < INSTANCES; n++)
        for (unsigned i = 0; i < opened; i++) {
            struct epoll_event event = { .events = EPOLLIN };
            if (epoll_ctl(instances[n], EPOLL_CTL_ADD, FIRST + (int)i, &event) != 0)
                CHECK_EQUAL(errno, ENOSPC); /* no more for this file */
        }
    close_all();
}

static void open_instances(void)
{
    for (unsigned n = 0; n < INSTANCES; n++)
        instances[n] = epoll_create1(0);
}
static void close_instances(void)
{
    for (unsigned n = 0; n < INSTANCES; n++)
        close(instances[n]);
}

static void many_watchers(void)
{
    choose_opened(sized(500, 30000));
    open_instances();
    watch_one();
    check_end("close of a file with many watchers", close_file, watch_one);
    close_instances();
}

static void nest(void)
{
    struct epoll_event event = { .events = EPOLLIN };
    CHECK_EQUAL(epoll_ctl(other, EPOLL_CTL_ADD, FIRST, &event), 0);
    CHECK_EQUAL(epoll_ctl(other, EPOLL_CTL_DEL, FIRST, NULL), 0);
}

/* The first fifth are instances that all watch each of the others; how many paths lead from those is counted. */
static void many_paths(void)
{
    choose_opened(sized(80, 2000));
    for (unsigned i = 0; i < opened; i++)
        give_number(i < opened / 5 ? epoll_create1(0) : eventfd(0, 0), i);
    for (unsigned i = 0; i < opened / 5; i++)
        for (unsigned k = opened / 5; k < opened; k++) {
            struct epoll_event event = { .events = EPOLLIN };
            CHECK_EQUAL(epoll_ctl(FIRST + (int)i, EPOLL_CTL_ADD, FIRST + (int)k, &event), 0);
        }
    other = epoll_create1(0);
    check_gives_way("epoll_ctl that nests instances", nest, NULL);
    close(other);
    close_all();
}

static void wake_interests(void)
{
    uint64_t one = 1;
    CHECK_EQUAL(write(file, &one, sizeof(one)), sizeof(one));
    CHECK_EQUAL(read(file, &one, sizeof(one)), sizeof(one));
}

/* One file that several instances watch under each of its numbers, and that changes. */
static void many_interests(void)
{
    choose_opened(sized(500, 50000));
    open_instances();
    watch_one();
    check_gives_way("a file with many watchers that becomes ready", wake_interests, NULL);
    close(file);
    close_instances();
}

/* All at one instant. */
static void expire(void)
{
    struct itimerspec at = { 0 };
    clock_gettime(CLOCK_MONOTONIC, &at.it_value);
    at.it_value.tv_sec += 1;
    for (unsigned i = 0; i < opened; i++)
        CHECK_EQUAL(timerfd_settime(FIRST + (int)i, TFD_TIMER_ABSTIME, &at, NULL), 0);
    CHECK_EQUAL(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at.it_value, NULL), 0);
    uint64_t count;
    CHECK_EQUAL(read(FIRST + (int)opened - 1, &count, sizeof(count)), sizeof(count));
}

static void many_timers(void)
{
    choose_opened(sized(500, 10000));
    for (unsigned i = 0; i < opened; i++)
        give_number(timerfd_create(CLOCK_MONOTONIC, 0), i);
    check_gives_way("timers that expire at once", expire, NULL);
    close_all();
}

/* ---- Sockets ---- */

static void close_other(void) { CHECK_EQUAL(close(other), 0); }

static void fill_queue(int type, size_t length)
{
    int pair[2], size = (int)(8 * MIB);
    char block[4096] = { 0 };
    CHECK_EQUAL(socketpair(AF_UNIX, type, 0, pair), 0);
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    while (send(pair[0], block, length, MSG_DONTWAIT) > 0)
        ;
    close(pair[0]);
    other = pair[1];
}
static void fill_datagrams(void) { fill_queue(SOCK_DGRAM, 1); }
static void fill_stream(void) { fill_queue(SOCK_STREAM, 4096); }

static void full_queues(void)
{
    fill_datagrams();
    check_end("close of a socket with a full queue", close_other, fill_datagrams);
    fill_stream();
    check_end("close of a stream with a full queue", close_other, fill_stream);
}

static void read_sockets(void) { CHECK(count_lines("/proc/net/tcp") > opened); }

static void open_sockets(void)
{
    for (unsigned i = 0; i < opened; i++) {
        struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int listener = socket(AF_INET, SOCK_STREAM, 0);
        CHECK_EQUAL(bind(listener, (struct sockaddr *)&any, sizeof(any)), 0);
        CHECK_EQUAL(listen(listener, 1), 0);
        give_number(listener, i);
    }
}

static void many_sockets(void)
{
    choose_opened(sized(200, 5000));
    open_sockets();
    check_gives_way("read of /proc/net/tcp", read_sockets, NULL);
    check_end("close_range of sockets", close_all, open_sockets);
}

/* A group in this machine, of which each socket hears. */
static void send_to_group(void)
{
    struct sockaddr_in group = { .sin_family = AF_INET, .sin_port = htons(4711) };
    inet_pton(AF_INET, "239.1.2.3", &group.sin_addr);
    CHECK_EQUAL(sendto(other, memory, 60000, 0, (struct sockaddr *)&group, sizeof(group)), 60000);
}

static void many_members(void)
{
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(4711) };
    struct in_addr loopback = { htonl(INADDR_LOOPBACK) };
    struct ip_mreq request = { .imr_interface = loopback };
    int one = 1;
    inet_pton(AF_INET, "239.1.2.3", &request.imr_multiaddr);
    choose_opened(sized(50, 5000));
    for (unsigned i = 0; i < opened; i++) {
        int member = socket(AF_INET, SOCK_DGRAM, 0);
        CHECK_EQUAL(setsockopt(member, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
        CHECK_EQUAL(bind(member, (struct sockaddr *)&any, sizeof(any)), 0);
        if (i == 0) /* the others hear what is for a group of the interface */
            CHECK_EQUAL(setsockopt(member, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof(request)), 0);
        give_number(member, i);
    }
    take_memory(MIB);
    other = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_EQUAL(setsockopt(other, IPPROTO_IP, IP_MULTICAST_IF, &loopback, sizeof(loopback)), 0);
    check_gives_way("a long datagram to a large group", send_to_group, NULL);
    close(other);
    give_memory();
    close_all();
}

/* ---- Threads ---- */

static unsigned waiters;
static int word;
static pthread_t *waiting;

static void *wait_for_word(void *unused)
{
    while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) == 0)
        syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    return unused;
}
static void wake_all(void)
{
    __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
    CHECK(syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0) >= 0);
}
static void do_nothing(int number) { (void)number; }
static void signal_all(void)
{
    for (unsigned i = 0; i < waiters; i++)
        CHECK_EQUAL(pthread_kill(waiting[i], SIGUSR1), 0);
}
static void signal_process(void) { CHECK_EQUAL(kill(getpid(), SIGUSR1), 0); }

static void many_waiters(void)
{
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 128 << 10);
    struct sigaction action = { .sa_handler = do_nothing, .sa_flags = SA_RESTART };
    sigaction(SIGUSR1, &action, NULL);
    waiters = (unsigned)sized(50, 1000);
    waiting = calloc(waiters, sizeof(*waiting));
    word = 0;
    for (unsigned i = 0; i < waiters; i++)
        CHECK_EQUAL(pthread_create(&waiting[i], &small, wait_for_word, NULL), 0);
    check_gives_way("signals to many threads", signal_all, NULL);
    check_gives_way("a signal to a process of many threads", signal_process, NULL);
    check_gives_way("futex that wakes many", wake_all, NULL);
    for (unsigned i = 0; i < waiters; i++)
        pthread_join(waiting[i], NULL);
    free(waiting);
    signal(SIGUSR1, SIG_DFL);
}

SUITE(stalls, TEST(one_buffer), TEST(files_in_memory), TEST(vectors), TEST(advice), TEST(large_pages),
      TEST(sparse_areas), TEST(mapped_file), TEST(many_areas), TEST(many_names), TEST(long_links), TEST(removed_chain),
      TEST(many_events), TEST(many_watchers), TEST(many_interests), TEST(many_paths), TEST(many_timers),
      TEST(full_queues), TEST(many_sockets), TEST(many_members), TEST(many_waiters));

/* SPDX-License-Identifier: Apache-2.0 */
/* What a JVM reads below /proc and /sys, and what the system says of itself. */
#define _GNU_SOURCE
#include "suite.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static char text[65536];

static const char *read_file(const char *path)
{
    int file = open(path, O_RDONLY);
    if (file < 0)
        test_failed(__FILE__, __LINE__, "%s does not open, errno %d", path, errno);
    ssize_t length, total = 0;
    while ((length = read(file, text + total, sizeof(text) - 1 - (size_t)total)) > 0)
        total += length;
    close(file);
    text[total] = '\0';
    return text;
}

static void files_exist_and_are_not_empty(void)
{
    static const char *const paths[] = {
        "/proc/self/maps",
        "/proc/self/stat",
        "/proc/self/status",
        "/proc/self/cmdline",
        "/proc/self/cgroup",
        "/proc/self/mountinfo",
        "/proc/self/coredump_filter",
        "/proc/cpuinfo",
        "/proc/meminfo",
        "/proc/stat",
        "/proc/mounts",
        "/proc/cgroups",
        "/proc/sys/net/core/somaxconn",
        "/proc/sys/vm/overcommit_memory",
        "/proc/sys/vm/max_map_count",
        "/proc/sys/vm/mmap_min_addr",
        "/sys/devices/system/cpu/online",
        "/sys/devices/system/cpu/possible",
        "/sys/kernel/mm/transparent_hugepage/enabled",
    };
    for (unsigned i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (strlen(read_file(paths[i])) == 0)
            test_failed(__FILE__, __LINE__, "%s is empty", paths[i]);
}

/* What a reader that goes by size or end gets: of /proc nothing, of /sys a page. */
static void sizes_say_nothing_of_contents(void)
{
    static const struct {
        const char *path;
        long size, end; /* end below 0: an errno */
    } files[] = {
        { "/proc/cpuinfo", 0, -EINVAL },          { "/proc/self/maps", 0, -EINVAL },
        { "/proc/self/environ", 0, 0 },           { "/proc/self/auxv", 0, 0 },
        { "/proc/self/oom_score_adj", 0, 0 },     { "/proc/sys/kernel/osrelease", 0, 0 },
        { "/proc/sys/net/core/somaxconn", 0, 0 }, { "/sys/devices/system/cpu/online", 4096, 4096 },
        { "/sys/class/net/lo/mtu", 4096, 4096 },
    };
    for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct stat status;
        int file = open(files[i].path, O_RDONLY);
        CHECK_EQUAL(fstat(file, &status), 0);
        CHECK_EQUAL(status.st_size, files[i].size);
        CHECK_EQUAL(status.st_blocks, 0);
        if (files[i].end < 0)
            CHECK_ERROR(lseek(file, 0, SEEK_END), (int)-files[i].end);
        else
            CHECK_EQUAL(lseek(file, 0, SEEK_END), files[i].end);
        CHECK_EQUAL(lseek(file, 0, SEEK_SET), 0);
        CHECK(read(file, text, sizeof(text)) > 0);
        close(file);
    }
}

static void maps_show_a_new_mapping(void)
{
    char needle[64];
    unsigned long start, end;
    char permissions[5];
    snprintf(needle, sizeof(needle), "[stack]");
    CHECK(strstr(read_file("/proc/self/maps"), needle) != NULL);
    CHECK_EQUAL(sscanf(text, "%lx-%lx %4s", &start, &end, permissions), 3);
    CHECK(start < end);
    CHECK_EQUAL(permissions[3], 'p');
}

static void stat_has_its_fields(void)
{
    int id, threads;
    char state;
    char *rest = strrchr(read_file("/proc/self/stat"), ')');
    CHECK(rest != NULL);
    CHECK_EQUAL(atoi(text), getpid());
    CHECK_EQUAL(sscanf(rest, ") %c %d", &state, &id), 2);
    CHECK_EQUAL(state, 'R');
    CHECK_EQUAL(sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d", &threads), 1);
    CHECK(threads >= 1);
    CHECK(strstr(read_file("/proc/self/status"), "VmRSS:") != NULL);
    CHECK(strstr(text, "Threads:") != NULL);
}

static void memory_and_cpus_are_told(void)
{
    struct sysinfo information;
    unsigned long total;
    const char *line = strstr(read_file("/proc/meminfo"), "MemTotal:");
    CHECK(line != NULL);
    CHECK_EQUAL(sscanf(line, "MemTotal: %lu kB", &total), 1);
    CHECK(strstr(text, "MemAvailable:") != NULL);
    CHECK_EQUAL(sysinfo(&information), 0);
    CHECK(information.totalram * information.mem_unit / 1024 == total);
    CHECK(strstr(read_file("/proc/cpuinfo"), "processor") != NULL);
    CHECK(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
    CHECK(strncmp(read_file("/proc/stat"), "cpu ", 4) == 0);
}

#define TICK 10000000 /* ns */
#define STEAL 7

/* The times of all CPUs, in ticks: 0 is user mode, 2 the kernel, STEAL the host. */
static uint64_t ticks_of(unsigned field)
{
    uint64_t fields[8] = { 0 };
    if (sscanf(read_file("/proc/stat"), "cpu %lu %lu %lu %lu %lu %lu %lu %lu", &fields[0], &fields[1], &fields[2],
               &fields[3], &fields[4], &fields[5], &fields[6], &fields[7]) != 8)
        return 0;
    return fields[field];
}

static void computes(void)
{
    static volatile unsigned number;
    for (unsigned i = 0; i < 100000; i++)
        number = number * 5 + 1;
}

static void has_the_kernel_work(void)
{
    static char page[1 << 20];
    int file = open("/dev/zero", O_RDONLY);
    CHECK_EQUAL(read(file, page, sizeof(page)), sizeof(page));
    close(file);
}

/* Works until a quarter of a second counts as that field; in the guest, where no other program runs, less counts as
 * the other. */
static bool counts_as(unsigned field, unsigned other, void (*work)(void))
{
    uint64_t before = ticks_of(field), other_before = ticks_of(other);
    do
        work();
    while (ticks_of(field) - before < 25);
    return !in_guest() || ticks_of(other) - other_before < ticks_of(field) - before;
}

static void times_of_cpus_are_told_apart(void)
{
    CHECK(counts_as(0, 2, computes));
    CHECK(counts_as(2, 0, has_the_kernel_work));
}

/* Whether there is any depends on the host. */
static void stolen_time_only_grows(void)
{
    struct timespec now;
    uint64_t before = ticks_of(STEAL), cpus = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
    for (unsigned i = 0; i < 100; i++) {
        uint64_t stolen = ticks_of(STEAL);
        computes();
        CHECK(stolen >= before);
        before = stolen;
    }
    CHECK_EQUAL(clock_gettime(CLOCK_BOOTTIME, &now), 0);
    CHECK(before <= cpus * (uint64_t)(now.tv_sec * 100 + now.tv_nsec / TICK + 1));
}

/* A number of /proc/net/snmp, which has a line of names for each protocol, and then one of numbers. */
static long snmp(const char *protocol, const char *name)
{
    char *names = strstr(read_file("/proc/net/snmp"), protocol), *numbers = names ? strchr(names, '\n') : NULL;
    char *name_end, *number_end;
    CHECK(numbers && numbers[1]);
    *numbers++ = '\0';
    char *word = strtok_r(names, " ", &name_end), *number = strtok_r(numbers, " \n", &number_end);
    while (word && number && strcmp(word, name)) {
        word = strtok_r(NULL, " ", &name_end);
        number = strtok_r(NULL, " \n", &number_end);
    }
    CHECK(word && number);
    return strtol(number, NULL, 10);
}

static long snmp6(const char *name)
{
    const char *line = strstr(read_file("/proc/net/snmp6"), name);
    CHECK(line);
    return strtol(line + strlen(name), NULL, 10);
}

/* A socket sends itself a datagram. */
static void send_datagram(int family)
{
    struct sockaddr_storage address = { .ss_family = (sa_family_t)family };
    socklen_t length = sizeof(address);
    char byte = 1;
    if (family == AF_INET)
        ((struct sockaddr_in *)&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        ((struct sockaddr_in6 *)&address)->sin6_addr = in6addr_loopback;
    int fd = socket(family, SOCK_DGRAM, 0);
    CHECK(bind(fd, (struct sockaddr *)&address, length) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
    CHECK(sendto(fd, &byte, 1, 0, (struct sockaddr *)&address, length) == 1);
    CHECK(recv(fd, &byte, 1, 0) == 1);
    close(fd);
}

/* Others of the machine may send, too. */
static void datagrams_are_counted(void)
{
    long sent = snmp("Udp: ", "OutDatagrams"), received = snmp("Udp: ", "InDatagrams");
    long packets = snmp("Ip: ", "OutRequests");
    send_datagram(AF_INET);
    CHECK(snmp("Udp: ", "OutDatagrams") > sent && snmp("Udp: ", "InDatagrams") > received);
    CHECK(snmp("Ip: ", "OutRequests") > packets && snmp("Tcp: ", "MaxConn") == -1);
    if (access("/proc/net/if_inet6", R_OK) != 0 || !*read_file("/proc/net/if_inet6"))
        return;
    sent = snmp6("Udp6OutDatagrams");
    received = snmp6("Udp6InDatagrams");
    packets = snmp6("Ip6OutRequests");
    send_datagram(AF_INET6);
    CHECK(snmp6("Udp6OutDatagrams") > sent && snmp6("Udp6InDatagrams") > received);
    CHECK(snmp6("Ip6OutRequests") > packets);
}

/* The text of a file with # for each number that is a word. */
static const char *shape_of(const char *path)
{
    char *to = text, last = ' ';
    bool in_number = false;
    for (const char *from = read_file(path); *from; from++) {
        char c = *from; /* `to` may write there */
        bool begins = isdigit((unsigned char)c) && !isalnum((unsigned char)last);
        in_number = begins || (in_number && isdigit((unsigned char)c));
        last = c;
        if (begins || !in_number)
            *to++ = begins ? '#' : c;
    }
    *to = '\0';
    return text;
}

static long sockets_in_use(const char *path, const char *start)
{
    const char *line = strstr(read_file(path), start);
    CHECK(line);
    return strtol(line + strlen(start), NULL, 10);
}

/* Others of the machine may open and close some, too; in the guest there are no others. */
static void expect_in_use(const char *path, const char *start, long number)
{
    long now = sockets_in_use(path, start);
    if (in_guest() ? now != number : now < 0)
        test_failed(__FILE__, __LINE__, "%s: %s%ld, not %ld", path, start, now, number);
}

static void sockets_are_counted(void)
{
    enum { FILES = 16 };
    static const char *const stat = "/proc/net/sockstat", *const stat6 = "/proc/net/sockstat6";
    int files[FILES];
    CHECK(!strcmp(shape_of(stat), "sockets: used #\nTCP: inuse # orphan # tw # alloc # mem #\nUDP: inuse # mem #\n"
                                  "UDPLITE: inuse #\nRAW: inuse #\nFRAG: inuse # memory #\n"));
    bool has_ipv6 = access("/proc/net/if_inet6", R_OK) == 0 && *read_file("/proc/net/if_inet6");
    CHECK(!has_ipv6 || !strcmp(shape_of(stat6), "TCP6: inuse #\nUDP6: inuse #\nUDPLITE6: inuse #\nRAW6: inuse #\n"
                                                "FRAG6: inuse # memory #\n"));
    long used = sockets_in_use(stat, "sockets: used "), udp = sockets_in_use(stat, "UDP: inuse ");
    long udp6 = has_ipv6 ? sockets_in_use(stat6, "UDP6: inuse ") : 0;
    for (unsigned i = 0; i < FILES; i++) {
        struct sockaddr_in6 address = { .sin6_family = has_ipv6 && i % 2 ? AF_INET6 : AF_INET };
        files[i] = socket(address.sin6_family, SOCK_DGRAM, 0);
        CHECK(bind(files[i], (struct sockaddr *)&address, sizeof(address)) == 0);
    }
    expect_in_use(stat, "sockets: used ", used + FILES);
    expect_in_use(stat, "UDP: inuse ", udp + (has_ipv6 ? FILES / 2 : FILES));
    CHECK(sockets_in_use(stat, "UDP: inuse ") >= FILES / 2);
    if (has_ipv6) {
        expect_in_use(stat6, "UDP6: inuse ", udp6 + FILES / 2);
        CHECK(sockets_in_use(stat6, "UDP6: inuse ") >= FILES / 2);
    }
    for (unsigned i = 0; i < FILES; i++)
        close(files[i]);
    expect_in_use(stat, "sockets: used ", used);
    expect_in_use(stat, "UDP: inuse ", udp);
}

static void neighbours_have_linux_columns(void)
{
    const char *line = read_file("/proc/net/arp");
    static const char header[] = "IP address       HW type     Flags       HW address            Mask     Device\n";
    CHECK(strncmp(line, header, strlen(header)) == 0);
    for (line += strlen(header); *line; line = strchr(line, '\n') + 1) {
        char address[32], mac[32], mask[8], device[32];
        unsigned type, flags;
        int end = 0;
        CHECK_EQUAL(sscanf(line, "%31s 0x%x 0x%x %31s %7s %31s%n", address, &type, &flags, mac, mask, device, &end), 6);
        CHECK(line[end] == '\n' && !strcmp(mask, "*") && strlen(mac) == strlen("00:00:00:00:00:00"));
    }
}

static void own_program_is_known(void)
{
    char path[256] = "";
    CHECK(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
    CHECK_EQUAL(path[0], '/');
    CHECK_EQUAL(access(path, R_OK), 0);
    int file = open("/tmp", O_RDONLY);
    char name[32];
    snprintf(name, sizeof(name), "/proc/self/fd/%d", file);
    memset(path, 0, sizeof(path));
    CHECK(readlink(name, path, sizeof(path) - 1) == 4);
    CHECK(strcmp(path, "/tmp") == 0);
    close(file);
    CHECK_ERROR(readlink(name, path, sizeof(path)), ENOENT);
}

static void system_has_a_name(void)
{
    struct utsname name;
    CHECK_EQUAL(uname(&name), 0);
    CHECK(strcmp(name.sysname, "Linux") == 0);
    CHECK(strcmp(name.machine, "x86_64") == 0);
    CHECK(atoi(name.release) >= 4);
}

static void auxiliary_vector_is_complete(void)
{
    CHECK_EQUAL(getauxval(AT_PAGESZ), 4096);
    CHECK(getauxval(AT_PHDR) != 0);
    CHECK(getauxval(AT_ENTRY) != 0);
    CHECK(getauxval(AT_RANDOM) != 0);
    CHECK(getauxval(AT_SYSINFO_EHDR) != 0);
    CHECK_EQUAL(getauxval(AT_SECURE), 0);
    CHECK(memcmp((void *)getauxval(AT_SYSINFO_EHDR), "\177ELF", 4) == 0);
}

static void limits_can_be_read_and_lowered(void)
{
    struct rlimit limit;
    CHECK_EQUAL(getrlimit(RLIMIT_STACK, &limit), 0);
    CHECK(limit.rlim_cur >= 1 << 20);
    CHECK_EQUAL(getrlimit(RLIMIT_NOFILE, &limit), 0);
    CHECK(limit.rlim_cur >= 256);
    limit.rlim_cur = limit.rlim_max;
    CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void random_bytes_differ(void)
{
    unsigned char a[64] = { 0 }, b[64] = { 0 };
    CHECK_EQUAL(getrandom(a, sizeof(a), 0), 64);
    CHECK_EQUAL(getrandom(b, sizeof(b), GRND_NONBLOCK), 64);
    CHECK(memcmp(a, b, 64) != 0);
    CHECK_ERROR(getrandom(a, sizeof(a), 0x80), EINVAL);
    CHECK_ERROR(syscall(SYS_getrandom, (void *)8, 16, 0), EFAULT);
}

static void unknown_calls_are_refused(void)
{
    CHECK_ERROR(syscall(1999), ENOSYS);
    CHECK_ERROR(syscall(-1L), ENOSYS);
}

SUITE(proc, TEST(datagrams_are_counted), TEST(sockets_are_counted), TEST(neighbours_have_linux_columns),
      TEST(files_exist_and_are_not_empty), TEST(sizes_say_nothing_of_contents), TEST(maps_show_a_new_mapping),
      TEST(stat_has_its_fields), TEST(memory_and_cpus_are_told), TEST(times_of_cpus_are_told_apart),
      TEST(stolen_time_only_grows), TEST(own_program_is_known), TEST(system_has_a_name),
      TEST(auxiliary_vector_is_complete), TEST(limits_can_be_read_and_lowered), TEST(random_bytes_differ),
      TEST(unknown_calls_are_refused));

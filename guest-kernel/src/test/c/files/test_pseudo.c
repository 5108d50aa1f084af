/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc, /sys and /dev: that the files a JVM reads are there and parse, and the devices do what they promise.
 *
 * The kernel's own trees, mounted over an empty memory file system; process and address space are those of support.c
 * and of main() here. The last test reads files many times and counts the blocks of the heap. Run by make
 * test-files-pseudo.
 */
#include "core/log.h"
#include "files/process_view.h"
#include "files/pseudo_trees.h"
#include "files/support.h"
#include "files/tmpfs.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/platform.h"

static char buffer[1 << 16];

/* The whole text of a file, NUL-terminated; "" if it cannot be read. */
static const char *text_of(const char *path)
{
    ssize_type n = test_read_file(path, buffer, sizeof(buffer) - 1);
    buffer[n < 0 ? 0 : n] = 0;
    return buffer;
}

static bool has_line(const char *text, const char *line)
{
    size_t length = strlen(line);
    while (*text) {
        const char *end = strchr(text, '\n');
        if (!end)
            return false;
        if ((size_t)(end - text) == length && memcmp(text, line, length) == 0)
            return true;
        text = end + 1;
    }
    return false;
}

static bool has(const char *text, const char *part)
{
    for (size_t length = strlen(part); *text; text++) {
        if (strncmp(text, part, length) == 0)
            return true;
    }
    return false;
}

static unsigned fields(const char *text)
{
    unsigned count = 0;
    for (bool in = false; *text; text++) {
        bool word = *text != ' ' && *text != '\n';
        count += word && !in;
        in = word;
    }
    return count;
}

/* Of the host's only thread, as on machines with more CPUs. */
static void allowed_cpus_are_shown(void)
{
    uint64_t before = thread_current()->affinity;
    thread_current()->affinity = 0xb;
    cpus_online = 4;
    CHECK(has_line(text_of("/proc/self/status"), "Cpus_allowed:\tb"));
    CHECK(has_line(buffer, "Cpus_allowed_list:\t0-1,3"));
    thread_current()->affinity = UINT64_MAX << 31;
    cpus_online = 40;
    CHECK(has_line(text_of("/proc/self/status"), "Cpus_allowed:\t000000ff,80000000"));
    CHECK(has_line(buffer, "Cpus_allowed_list:\t31-39"));
    thread_current()->affinity = before;
    cpus_online = 1;
}

static void proc_self(void)
{
    CHECK_EQUAL(fields(text_of("/proc/self/stat")), 52);
    CHECK(strncmp(buffer, "1 (main) R 0 1 1 ", 17) == 0);
    CHECK_EQUAL(fields(text_of("/proc/self/task/1/stat")), 52);
    CHECK_EQUAL(fields(text_of("/proc/1/statm")), 7);
    CHECK(has_line(text_of("/proc/self/status"), "Threads:\t1"));
    CHECK(has_line(buffer, "Cpus_allowed:\t1") && has_line(buffer, "Cpus_allowed_list:\t0"));
    allowed_cpus_are_shown();
    CHECK(has_line(text_of("/proc/self/cmdline"), "") == false);
    CHECK_EQUAL(test_read_file("/proc/self/cmdline", buffer, 100), 9);
    CHECK(memcmp(buffer, "/bin/x\0-y", 9) == 0);
    CHECK(strcmp(text_of("/proc/self/comm"), "main\n") == 0);
    CHECK(strcmp(text_of("/proc/self/coredump_filter"), "00000033\n") == 0);
    CHECK_EQUAL(test_write_file("/proc/self/coredump_filter", "0x3f"), 0);
    CHECK(strcmp(text_of("/proc/self/cgroup"), "0::/\n") == 0);
    CHECK(has(text_of("/proc/self/limits"), "Max open files"));
    CHECK(strncmp(text_of("/proc/self/maps"), "00400000-00402000 r-xp 00000000 00:00 0 ", 40) == 0);
    CHECK(strcmp(buffer + 73, "[test]\n") == 0);
    CHECK(has(text_of("/proc/self/smaps"), "Size:                  8 kB\n"));
    CHECK(has(text_of("/proc/mounts"), "tmpfs /tmp tmpfs rw,"));
    CHECK(has(text_of("/proc/self/mountinfo"), " / /proc rw,nosuid,relatime - proc proc rw\n"));
    CHECK_EQUAL(test_read_file("/proc/2/stat", buffer, 1), -ENOENT);
    CHECK_EQUAL(test_read_file("/proc/01/stat", buffer, 1), -ENOENT);
    CHECK_EQUAL(test_read_file("/proc/self/task/9/stat", buffer, 1), -ENOENT);
    struct dentry *exe;
    CHECK_EQUAL(path_find(NULL, "/proc/self/exe", 0, &exe), 0);
    CHECK_EQUAL(exe->inode->operations->read_link(exe->inode, buffer, 100), 6);
    CHECK(memcmp(buffer, "/bin/x", 6) == 0);
    dentry_put(exe);
}

static void proc_descriptors(void)
{
    struct file *file;
    CHECK_EQUAL(file_open(NULL, "/tmp/open", O_RDWR | O_CREAT, 0600, &file), 0);
    CHECK_EQUAL(descriptor_add(file, false, 5), 5);
    CHECK_EQUAL(test_write_file("/tmp/open", "seen"), 0);
    CHECK(strcmp(text_of("/proc/self/fd/5"), "seen") == 0);
    CHECK_EQUAL(descriptor_close(5), 0);
    CHECK_EQUAL(test_read_file("/proc/self/fd/5", buffer, 10), -ENOENT);
    CHECK_EQUAL(name_unlink(NULL, "/tmp/open"), 0);
}

static void proc_system(void)
{
    text_of("/proc/meminfo");
    CHECK(has(buffer, "MemTotal:         262144 kB\n") && has(buffer, "MemAvailable: ") && has(buffer, "SwapTotal: "));
    CHECK(has(text_of("/proc/cpuinfo"), "processor\t: 0\n") && has(buffer, "\nflags\t\t: fpu "));
    char times[80];
    uint64_t tick = NS_PER_SECOND / 100, eighth = clock_monotonic() / 8;
    format(times, sizeof(times), "cpu  %lu 0 %lu %lu 0 0 0 %lu 0 0\ncpu0 ", eighth / tick, 3 * eighth / tick,
           3 * eighth / tick, eighth / tick);
    CHECK(strncmp(text_of("/proc/stat"), times, strlen(times)) == 0);
    CHECK(has(buffer, "\ncpu0 ") && has(buffer, "\nbtime "));
    struct block_device *disk = test_disk("/dev/null");
    disk->major = 8;
    disk->minor = 16;
    disk->reads = 3;
    disk->read_bytes = 5 * SECTOR_SIZE;
    disk->writes = 7;
    disk->written_bytes = 11 * SECTOR_SIZE;
    CHECK(strcmp(text_of("/proc/diskstats"), "   8      16 test 3 0 5 0 7 0 11 0 0 0 0 0 0 0 0 0 0\n") == 0);
    CHECK_EQUAL(fields(text_of("/proc/uptime")), 2);
    CHECK_EQUAL(fields(text_of("/proc/loadavg")), 5);
    CHECK(has(text_of("/proc/lock_stat"), "class name  contentions  waittime-min  waittime-max waittime-total"));
    CHECK(has(text_of("/proc/cgroups"), "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"));
    CHECK(strcmp(text_of("/proc/sys/vm/max_map_count"), "65530\n") == 0);
    CHECK(strcmp(text_of("/proc/sys/vm/overcommit_memory"), "0\n") == 0);
    CHECK(strcmp(text_of("/proc/sys/net/core/somaxconn"), "4096\n") == 0);
    char first[40], second[40];
    CHECK_EQUAL(strlen(text_of("/proc/sys/kernel/random/boot_id")), 37);
    string_copy(first, buffer, sizeof(first));
    string_copy(second, text_of("/proc/sys/kernel/random/boot_id"), sizeof(second));
    CHECK(strcmp(first, second) == 0 && first[14] == '4');
    CHECK(strcmp(text_of("/proc/sys/kernel/random/uuid"), first) != 0);
    CHECK(strcmp(text_of("/proc/net/if_inet6"), "") == 0 && strcmp(text_of("/proc/net/tcp6"), "") == 0);
    CHECK_EQUAL(test_write_file("/proc/meminfo", "x"), -EACCES);
    CHECK_EQUAL(test_write_file("/proc/new", "x"), -EPERM);
    CHECK_EQUAL(name_unlink(NULL, "/proc/meminfo"), -EPERM);
}

static void sys_files(void)
{
    CHECK(strcmp(text_of("/sys/devices/system/cpu/online"), "0\n") == 0);
    CHECK(strcmp(text_of("/sys/devices/system/cpu/possible"), "0\n") == 0);
    CHECK(strcmp(text_of("/sys/devices/system/node/node0/cpumap"), "1\n") == 0);
    CHECK(has(text_of("/sys/kernel/mm/transparent_hugepage/enabled"), "[never]"));
    CHECK_EQUAL(test_read_file("/sys/fs/cgroup", buffer, 1), -ENOENT);
    CHECK_EQUAL(test_read_file("/sys/kernel/mm/hugepages", buffer, 1), -EISDIR);
}

struct names {
    struct listing listing;
    char text[512];
};

static bool take_name(struct listing *listing, const struct listed_name *name)
{
    struct names *names = container_of(listing, struct names, listing);
    size_t length = strlen(names->text);
    format(names->text + length, sizeof(names->text) - length, "%.*s ", (int)name->length, name->name);
    return strlen(names->text) % 3 != 0; /* ends early now and then: but the name was taken */
}

static bool take_all(struct listing *listing, const struct listed_name *name)
{
    take_name(listing, name);
    return true;
}

static void listings(void)
{
    struct names names = { .listing.take = take_all };
    struct file *directory;
    CHECK_EQUAL(file_open(NULL, "/proc/self/task", O_RDONLY | O_DIRECTORY, 0, &directory), 0);
    CHECK_EQUAL(file_list(directory, &names.listing), 0);
    CHECK(strcmp(names.text, ". .. 1 ") == 0);
    file_put(directory);
    names.text[0] = 0;
    CHECK_EQUAL(file_open(NULL, "/proc", O_RDONLY | O_DIRECTORY, 0, &directory), 0);
    CHECK_EQUAL(file_list(directory, &names.listing), 0);
    CHECK(has(names.text, "meminfo ") && has(names.text, " vmstat 1 "));
    file_put(directory);
}

static void devices(void)
{
    struct file *file;
    struct transfer transfer;
    CHECK_EQUAL(test_read_file("/dev/null", buffer, 10), 0);
    CHECK_EQUAL(test_write_file("/dev/null", "gone"), 0);
    CHECK_EQUAL(test_write_file("/dev/full", "gone"), -ENOSPC);
    memset(buffer, 'x', 100);
    CHECK_EQUAL(file_open(NULL, "/dev/zero", O_RDONLY, 0, &file), 0);
    transfer_init_kernel(&transfer, buffer, 50);
    CHECK_EQUAL(file_read(file, &transfer), 50);
    CHECK(buffer[0] == 0 && buffer[49] == 0 && buffer[50] == 'x');
    file_put(file);
    CHECK_EQUAL(file_open(NULL, "/dev/urandom", O_RDONLY, 0, &file), 0);
    transfer_init_kernel(&transfer, buffer, 1000);
    CHECK_EQUAL(file_read(file, &transfer), 1000);
    unsigned different = 0;
    for (unsigned i = 1; i < 1000; i++)
        different += buffer[i] != buffer[i - 1];
    CHECK(different > 900);
    struct file_status status;
    CHECK_EQUAL(file_status(file, &status), 0);
    CHECK_EQUAL(status.mode, S_IFCHR | 0666);
    CHECK_EQUAL(status.device_number, 0x109);
    file_put(file);
}

static void console(void)
{
    struct file *file;
    struct transfer transfer;
    CHECK_EQUAL(file_open(NULL, "/dev/console", O_RDWR | O_NONBLOCK, 0, &file), 0);
    transfer_init_kernel(&transfer, "a\nb\n", 4);
    CHECK_EQUAL(file_write(file, &transfer), 4);
    CHECK(strcmp(host_console(), "a\r\nb\r\n") == 0);
    transfer_init_kernel(&transfer, buffer, 100);
    CHECK_EQUAL(file_read(file, &transfer), -EAGAIN);
    kernel_console_input("li\177", 3);
    CHECK_EQUAL(file_poll(file), POLLOUT);
    kernel_console_input("ne\rnext", 7);
    CHECK_EQUAL(file_poll(file), POLLIN | POLLOUT);
    CHECK(strcmp(host_console(), "li\b \bne\r\nnext") == 0);
    CHECK_EQUAL(file_read(file, &transfer), 4);
    CHECK(memcmp(buffer, "lne\n", 4) == 0);
    CHECK_EQUAL(file_read(file, &transfer), -EAGAIN);
    kernel_console_input("\004\004", 2);
    CHECK_EQUAL(file_read(file, &transfer), 4);
    CHECK_EQUAL(file_read(file, &transfer), 0);
    CHECK_EQUAL(file_read(file, &transfer), -EAGAIN);
    for (unsigned i = 0; i < 300; i++)
        kernel_console_input("0123456789", 10); /* more than is kept */
    kernel_console_input("\n", 1);
    CHECK_EQUAL(file_poll(file), POLLOUT);
    kernel_console_input("\025ok\n", 4);
    CHECK_EQUAL(file_read(file, &transfer), 3);
    file_put(file);
}

static bool takes_again(void)
{
    host_serial_takes = 7;
    return false;
}

/* Longer than a piece, with every byte as it was; a port that takes nothing for a while is waited for. */
static void serial_port(void)
{
    struct file *file;
    struct transfer transfer;
    size_t length;
    host_console();
    CHECK_EQUAL(file_open(NULL, "/dev/ttyS2", O_WRONLY | O_CREAT | O_TRUNC, 0666, &file), 0);
    for (unsigned i = 0; i < 1000; i++)
        buffer[i] = (char)i;
    host_serial_takes = -EIO;
    transfer_init_kernel(&transfer, buffer, 1000);
    CHECK_EQUAL(file_write(file, &transfer), -EIO);
    host_serial_takes = 0;
    host_idle = takes_again;
    transfer_init_kernel(&transfer, buffer, 1000);
    CHECK_EQUAL(file_write(file, &transfer), 1000);
    CHECK(memcmp(host_serial(&length), buffer, 1000) == 0);
    CHECK_EQUAL(length, 1000);
    host_serial_takes = 0;
    host_idle = NULL;
    host_signal_pending = true;
    transfer_init_kernel(&transfer, buffer, 10);
    CHECK_EQUAL(file_write(file, &transfer), -EINTR);
    host_signal_pending = false;
    CHECK(strcmp(host_console(), "") == 0);
    file_put(file);
}

static void nothing_leaks(void)
{
    text_of("/proc/self/maps");
    uint64_t blocks = host_heap_blocks();
    for (unsigned i = 0; i < 100; i++) {
        text_of("/proc/self/maps");
        text_of("/proc/self/task/1/stat");
    }
    CHECK_EQUAL(host_heap_blocks(), blocks);
}

static void command_line(struct text *out) { text_bytes(out, "/bin/x\0-y", 9); }

int main(void)
{
    host_init();
    page_cache_init();
    test_memory_root(64 << 20);
    process_view.executable = "/bin/x";
    process_view.command_line = command_line;
    static const char *const directories[] = { "/proc", "/sys", "/dev" };
    const struct pseudo_entry *roots[] = { &proc_root, &sys_root, &dev_root };
    for (unsigned i = 0; i < 3; i++) {
        if (name_make(NULL, directories[i], S_IFDIR | 0755, NULL) ||
            mount_at(directories[i], pseudo_create(directories[i] + 1, 1, roots[i])))
            panic("cannot mount %s", directories[i]);
    }
    if (mount_at("/tmp", tmpfs_create(1 << 20, 0777)))
        panic("cannot mount /tmp");
    host_test("proc self", proc_self);
    host_test("proc descriptors", proc_descriptors);
    host_test("proc system", proc_system);
    host_test("sys", sys_files);
    host_test("pseudo listings", listings);
    host_test("devices", devices);
    host_test("console", console);
    host_test("serial port", serial_port);
    host_test("pseudo leaks", nothing_leaks);
    return host_result();
}

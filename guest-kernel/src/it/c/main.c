/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the suites named as arguments, or all of them; their files are made in the working directory. For the runner:
 * `addresses` prints where the parts of the process lie, which are to differ between two boots, and `environment`
 * prints that; `cpu-limit` ends at its limit; `host-name` prints the address of the machine's own name; `metadata`
 * prints what reaching the instance metadata service gives, and the environment; `read-disk FILE` prints what each page
 * of a file holds, or why it cannot be read; `failing-disk FILE` prints what a program sees when the file cannot be
 * written. */
#define _GNU_SOURCE
#include "suite.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern const struct suite memory_suite, signals_suite, threads_suite, futex_suite, clocks_suite, pipes_suite,
    epoll_suite, sockets_suite, files_suite, proc_suite, fpu_suite, security_suite, races_suite, gates_suite,
    arguments_suite, truncation_suite, control_suite, exhaustion_suite, latency_suite, streams_suite, writable_suite,
    options_suite, effects_suite, objects_suite, nodes_suite, limits_suite, datagrams_suite, groups_suite, stalls_suite,
    cpus_suite, ipv6_suite, accepts_suite, scratch_suite, datadisk_suite, keptdisk_suite;
static const struct suite *const suites[] = {
    &memory_suite,  &signals_suite, &threads_suite,   &futex_suite,      &clocks_suite,   &pipes_suite,
    &epoll_suite,   &sockets_suite, &files_suite,     &proc_suite,       &fpu_suite,      &security_suite,
    &races_suite,   &gates_suite,   &arguments_suite, &truncation_suite, &control_suite,  &exhaustion_suite,
    &latency_suite, &streams_suite, &writable_suite,  &options_suite,    &effects_suite,  &objects_suite,
    &nodes_suite,   &limits_suite,  &datagrams_suite, &groups_suite,     &stalls_suite,   &cpus_suite,
    &ipv6_suite,    &accepts_suite, &scratch_suite,   &datadisk_suite,   &keptdisk_suite,
};
#define SUITES (sizeof(suites) / sizeof(suites[0]))

static sigjmp_buf test_end, fault_end;
static volatile bool in_test, in_fault;
static struct fault last_fault;
static char reason[512];
static int failures;

void test_failed(const char *file, int line, const char *fmt, ...)
{
    const char *name = strrchr(file, '/');
    int length = snprintf(reason, sizeof(reason), "%s:%d: ", name == NULL ? file : name + 1, line);
    va_list args;
    va_start(args, fmt);
    vsnprintf(reason + length, sizeof(reason) - (size_t)length, fmt, args);
    va_end(args);
    siglongjmp(test_end, 1);
}

/* Where a test died, for who looks into it; comparisons pass over lines that begin with #. */
static void describe_fault(const siginfo_t *information, const ucontext_t *context)
{
    static const char *const names[] = { "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15", "rdi",
                                         "rsi", "rbp", "rbx", "rdx", "rax", "rcx", "rsp", "rip" };
    const greg_t *registers = context->uc_mcontext.gregs;
    Dl_info object = { .dli_fname = "no object" };
    (void)dladdr((void *)registers[REG_RIP], &object);
    printf("# signal %d, code %d, address %p, error %llx, in %s, loaded at %p, thread %d\n#", information->si_signo,
           information->si_code, information->si_addr, registers[REG_ERR], object.dli_fname, object.dli_fbase,
           gettid());
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        printf(" %s %llx", names[i], registers[i]);
    printf("\n");
}

static void handle_fault(int number, siginfo_t *information, void *context)
{
    last_fault = (struct fault){ number, information->si_code, information->si_addr };
    if (in_fault)
        siglongjmp(fault_end, 1);
    if (!in_test)
        _exit(99);
    describe_fault(information, context);
    snprintf(reason, sizeof(reason), "died of signal %d, code %d", number, information->si_code);
    siglongjmp(test_end, 1);
}

static void catch_faults(void)
{
    static char stack[65536];
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
    struct sigaction action = { .sa_sigaction = handle_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
    sigaltstack(&alternate, NULL);
    for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &action, NULL);
}

struct fault fault_of(void (*function)(void *), void *argument)
{
    last_fault = (struct fault){ 0, 0, NULL };
    if (sigsetjmp(fault_end, 1) == 0) {
        in_fault = true;
        function(argument);
    }
    in_fault = false;
    return last_fault;
}

void write_fully(int file, const void *data, size_t length)
{
    for (size_t at = 0; at < length;) {
        ssize_t written = write(file, (const char *)data + at, length - at);
        CHECK(written > 0);
        at += (size_t)written;
    }
}

unsigned count_names(const char *path)
{
    unsigned count = 0;
    DIR *directory = opendir(path);
    CHECK(directory != NULL);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

bool in_guest(void) { return access("/etc/unikernel.conf", F_OK) == 0; }

bool allocations_fail(void) { return getenv("ALLOCATIONS_FAIL") != NULL; }

void touch_read(void *at) { (void)*(volatile char *)at; }
void touch_write(void *at) { *(volatile char *)at = 1; }
void touch_call(void *at) { ((void (*)(void))(uintptr_t)at)(); }

static void run_test(const char *suite, const struct test *test)
{
    catch_faults();
    if (sigsetjmp(test_end, 1) == 0) {
        in_test = true;
        test->run();
        printf("ok %s.%s\n", suite, test->name);
    } else {
        printf("not ok %s.%s: %s\n", suite, test->name, reason);
        failures++;
    }
    in_test = false;
}

/* Of the first thread, in whole pages. */
static unsigned long stack_end(void)
{
    char line[512];
    unsigned long end = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps != NULL && fgets(line, sizeof(line), maps) != NULL)
        if (strstr(line, "[stack]") != NULL)
            sscanf(line, "%*x-%lx", &end);
    return end;
}

static int print_addresses(void)
{
    int local;
    void *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned long random_bytes = getauxval(AT_RANDOM);
    printf("program %p\nstack %p\nstack_offset %#lx\nmap %p\nheap %p\nlibrary %p\nvdso %#lx\nvdso_beside_stack %#lx\n"
           "heap_beside_program %#lx\n",
           (void *)(uintptr_t)print_addresses, (void *)&local, random_bytes % 4096, map, sbrk(0),
           (void *)(uintptr_t)write, getauxval(AT_SYSINFO_EHDR), getauxval(AT_SYSINFO_EHDR) - stack_end(),
           (unsigned long)sbrk(0) - (unsigned long)(uintptr_t)print_addresses);
    return 0;
}

static int print_environment(void)
{
    for (char **variable = environ; *variable != NULL; variable++)
        puts(*variable);
    return 0;
}

/* What InetAddress.getLocalHost() of Java gives. */
static int print_host_name(void)
{
    char name[256], address[INET_ADDRSTRLEN] = "unknown";
    struct addrinfo wanted = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found;
    gethostname(name, sizeof(name));
    if (getaddrinfo(name, NULL, &wanted, &found) == 0)
        inet_ntop(AF_INET, &((struct sockaddr_in *)found->ai_addr)->sin_addr, address, sizeof(address));
    printf("%s is %s\n", name, address);
    return 0;
}

/* What connecting and sending to the instance metadata service gives. */
static int print_metadata(void)
{
    struct sockaddr_in service = { .sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(0xa9fea9fe) };
    int stream = socket(AF_INET, SOCK_STREAM, 0), datagram = socket(AF_INET, SOCK_DGRAM, 0);
    bool connected = connect(stream, (struct sockaddr *)&service, sizeof(service)) == 0;
    printf("connect %s\n", connected ? "works" : strerrorname_np(errno));
    bool sent = sendto(datagram, "x", 1, 0, (struct sockaddr *)&service, sizeof(service)) == 1;
    printf("send %s\n", sent ? "works" : strerrorname_np(errno));
    return print_environment();
}

static int print_pages(const char *path)
{
    uint64_t words[512];
    int file = open(path, O_RDONLY);
    ssize_t length;
    for (unsigned page = 0; (length = pread(file, words, sizeof(words), page * (off_t)sizeof(words))) != 0; page++) {
        uint64_t sum = 0;
        for (unsigned i = 0; i < (size_t)length / sizeof(words[0]) && length > 0; i++)
            sum = (sum ^ words[i]) * 0x100000001b3;
        if (length < 0)
            printf("page %u %s\n", page, strerrorname_np(errno));
        else
            printf("page %u %016lx\n", page, (unsigned long)sum);
    }
    return 0;
}

static void print_result(const char *call, int64_t result)
{
    printf("%s %s\n", call, result < 0 ? strerrorname_np(errno) : "done");
}

/* Writes until the disk has failed, which the first fsync(2) reports if no write does, and then tries the rest. The
 * file is as large as is needed for pages to leave memory. */
static int use_failing_disk(const char *path)
{
    static char page[4096] = "data";
    struct stat before;
    off_t not_in_memory = stat(path, &before) == 0 ? before.st_size - 4096 : 0;
    int file = open(path, O_RDWR | O_CREAT, 0600), second = open(path, O_RDWR);
    ssize_t written = 1;
    for (unsigned i = 0; i < 8192 && written > 0; i++)
        written = pwrite(file, page, sizeof(page), (off_t)i * 4096);
    int stored = fsync(file);
    print_result("write or fsync", written < 0 ? written : stored);
    print_result("fsync", fsync(file));
    print_result("fdatasync of another descriptor", fdatasync(second));
    print_result("write", pwrite(second, page, sizeof(page), 1 << 26));
    if (not_in_memory)
        print_result("read of what is not in memory", pread(second, page, sizeof(page), not_in_memory));
    return 0;
}

/* Runs until the limit on CPU time ends it. */
static void use_the_cpu_up(void)
{
    struct rlimit limit = { 1, 2 };
    setrlimit(RLIMIT_CPU, &limit);
    signal(SIGXCPU, SIG_IGN);
    for (;;) {}
}

static bool needs_disk(const struct suite *suite)
{
    return suite == &scratch_suite || suite == &datadisk_suite || suite == &keptdisk_suite;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 2 && strcmp(argv[1], "addresses") == 0)
        return print_addresses();
    if (argc == 2 && strcmp(argv[1], "environment") == 0)
        return print_environment();
    if (argc == 2 && strcmp(argv[1], "host-name") == 0)
        return print_host_name();
    if (argc == 2 && strcmp(argv[1], "cpu-limit") == 0)
        use_the_cpu_up();
    if (argc == 2 && strcmp(argv[1], "metadata") == 0)
        return print_metadata();
    if (argc == 3 && strcmp(argv[1], "read-disk") == 0)
        return print_pages(argv[2]);
    if (argc == 3 && strcmp(argv[1], "failing-disk") == 0)
        return use_failing_disk(argv[2]);
    for (unsigned i = 0; i < SUITES; i++) {
        bool wanted = argc == 1 && !needs_disk(suites[i]);
        for (int a = 1; a < argc; a++)
            wanted |= strcmp(argv[a], suites[i]->name) == 0;
        for (unsigned t = 0; wanted && t < suites[i]->count; t++)
            run_test(suites[i]->name, &suites[i]->tests[t]);
    }
    printf("end, %d failed\n", failures);
    if (failures == 0 && in_guest())
        end_with_two_threads();
    return failures == 0 ? 0 : 1;
}

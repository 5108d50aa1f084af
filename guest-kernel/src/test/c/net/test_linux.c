/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stack against Linux's own over a TAP device: every protocol both ways, with offloads and
 * without, over good lines and bad ones.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/checksum.h"
#include "lib/errno.h"
#include "net/bytes.h"
#include "net/ip.h"
#include "net/linux_tests.h"
#include "net/streams.h"
#include "net/syslog.h"
#include "net/tap.h"

/* ---- Small things ---------------------------------------------------------------------------------------- */

static void ping(void)
{
    static const size_t sizes[] = { 8, 64, 1480, 1481, 8000 };
    for (unsigned i = 0; i < array_size(sizes); i++)
        CHECK_EQUAL(peer_result(peer_start(peer_ping, &sizes[i]), PATIENCE), 0);
}

static bool echo_datagrams(struct file *file, pid_t peer)
{
    static uint8_t data[65536];
    struct socket_address from;
    for (unsigned i = 0; i < 8; i++) {
        ssize_type length = stack_receive_from(file, data, sizeof(data), &from);
        if (length < 0 || stack_send_to(file, data, (size_t)length, ipv4_of(from.in.address), from.in.port) != length)
            return false;
    }
    return peer_result(peer, PATIENCE) == 0;
}

static void udp_echo(void)
{
    struct file *file = stack_socket(SOCK_DGRAM);
    CHECK_EQUAL(stack_bind(file, IPV4_ANY, 0), 0);
    uint16_t port = stack_port(file);
    CHECK(echo_datagrams(file, peer_start(peer_udp_echo, &port)));
    file_put(file);
    CHECK_EQUAL(peer_result(peer_start(peer_udp_refused, &port), PATIENCE), 0);
}

static void refusals(void)
{
    uint16_t closed = 1;
    CHECK_EQUAL(peer_result(peer_start(peer_refused, &closed), PATIENCE), 0);
    struct file *file = stack_socket(SOCK_STREAM);
    CHECK_EQUAL(stack_connect(file, LINUX_ADDRESS, 1), -ECONNREFUSED);
    CHECK_EQUAL(stack_connect(file, NOBODY_ADDRESS, 80), -EHOSTUNREACH);
    file_put(file);
    file = stack_socket(SOCK_DGRAM);
    uint8_t byte = 0;
    CHECK_EQUAL(stack_connect(file, LINUX_ADDRESS, 1), 0);
    CHECK_EQUAL(stack_send(file, &byte, 1, 0), 1);
    CHECK_EQUAL(stack_receive(file, &byte, 1, 0), -ECONNREFUSED);
    file_put(file);
}

/* ---- Streams ---------------------------------------------------------------------------------------------- */

static void stream_up(void) { stream_serve(20 << 20, 0); }
static void stream_down(void) { stream_serve(0, 20 << 20); }
static void stream_both(void) { stream_serve(8 << 20, 8 << 20); }
static void stream_client(void) { stream_call(4 << 20, 4 << 20); }
static void stream_tiny(void) { stream_serve(1, 1); }

static void stream_offloaded(void)
{
    tap_offload = true;
    tap_update();
    tap_largest = 0;
    stream_serve(20 << 20, 20 << 20);
    CHECK(tap_largest > 20000);
    stream_call(1 << 20, 1 << 20);
    tap_offload = false;
    tap_update();
}

/* As in EC2, where DHCP says 9001: frames of that size each way, none larger. */
static void stream_of_large_frames(void)
{
    tap_mtu(9001);
    tap_largest = tap_largest_received = 0;
    stream_serve(8 << 20, 8 << 20);
    CHECK_EQUAL(tap_largest, 9001 + 14);
    CHECK_EQUAL(tap_largest_received, 9001 + 14);
    stream_call(1 << 20, 1 << 20);
    udp_echo();
    tap_mtu(1500);
}

static void bad_line(struct impairments impairments, uint64_t bytes)
{
    tap_impairments = impairments;
    stream_serve(bytes, 0);
    stream_serve(0, bytes);
    stream_serve(bytes / 2, bytes / 2);
    stream_call(bytes / 4, bytes / 4);
    tap_impairments = (struct impairments){ 0 };
}

static void line_with_loss(void) { bad_line((struct impairments){ .loss = 0.02, .delay = 2 * NS_PER_MS }, 2 << 20); }
static void line_with_much_loss(void) { bad_line((struct impairments){ .loss = 0.1, .delay = NS_PER_MS }, 200 << 10); }
static void line_with_reordering(void)
{
    bad_line((struct impairments){ .reordering = 0.1, .delay = 3 * NS_PER_MS }, 2 << 20);
}
static void line_with_duplicates(void)
{
    bad_line((struct impairments){ .duplication = 0.2, .reordering = 0.05, .delay = NS_PER_MS }, 2 << 20);
}
static void line_with_everything(void)
{
    tap_offload = true;
    tap_update();
    bad_line((struct impairments){ .loss = 0.02, .duplication = 0.02, .reordering = 0.05, .delay = 5 * NS_PER_MS },
             1 << 20);
    tap_offload = false;
    tap_update();
}

/* The same by Linux's own means, from Linux to the stack, where this kernel has them. */
static void line_by_netem(void)
{
    if (system("tc qdisc add dev tap0 root netem loss 2% delay 4ms 2ms reorder 10% duplicate 1% 2>/dev/null") != 0) {
        printf("# no netem in this kernel: only the test's own lines\n");
        return;
    }
    stream_serve(1 << 20, 1 << 20);
    stream_call(1 << 20, 1 << 20);
    CHECK_EQUAL(system("tc qdisc del dev tap0 root"), 0);
}

/* ---- Windows ------------------------------------------------------------------------------------------------ */

static void closed_window(void)
{
    struct file *listener = stack_listener(8), *file = NULL;
    struct exchange x = { stack_port(listener), -1, 3 << 20, 0, 5 };
    pid_t peer = peer_start(peer_push, &x);
    CHECK_EQUAL(stack_accept(listener, &file), 0);
    tap_idle(NS_PER_SECOND);
    struct stream stream = { .file = file, .exchange = &x };
    CHECK(tap_run(stream_move, &stream, PATIENCE));
    CHECK(!stream.wrong);
    CHECK_EQUAL(stream.received, x.to_stack);
    file_put(file);
    CHECK_EQUAL(peer_result(peer, PATIENCE), 0);
    file_put(listener);
}

static void slow_reader(void)
{
    struct file *listener = stack_listener(8), *file = NULL;
    struct exchange x = { stack_port(listener), -1, 0, 300000, 5 };
    pid_t peer = peer_start(peer_slow_reader, &x);
    CHECK_EQUAL(stack_accept(listener, &file), 0);
    stream_exchange(file, &x, peer);
    file_put(file);
    file_put(listener);
}

/* ---- Ends ------------------------------------------------------------------------------------------------- */

static void resets(void)
{
    struct file *listener = stack_listener(8), *file = NULL;
    uint16_t port = stack_port(listener);
    char byte;
    pid_t peer = peer_start(peer_reset, &port);
    CHECK_EQUAL(stack_accept(listener, &file), 0);
    CHECK_EQUAL(stack_receive(file, &byte, 1, 0), 1);
    CHECK_EQUAL(stack_send(file, &byte, 1, 0), 1);
    CHECK_EQUAL(stack_receive(file, &byte, 1, 0), -ECONNRESET);
    CHECK_EQUAL(stack_receive(file, &byte, 1, 0), 0);
    CHECK_EQUAL(stack_send(file, &byte, 1, 0), -EPIPE);
    CHECK_EQUAL(stack_shutdown(file, SHUT_RDWR), -ENOTCONN);
    CHECK_EQUAL(peer_result(peer, PATIENCE), 0);
    file_put(file);

    peer = peer_start(peer_expect_reset, &port);
    CHECK_EQUAL(stack_accept(listener, &file), 0);
    CHECK_EQUAL(stack_receive(file, &byte, 1, MSG_PEEK), 1);
    file_put(file); /* with a byte unread */
    CHECK_EQUAL(peer_result(peer, PATIENCE), 0);
    file_put(listener);
}

/* ---- Many connections -------------------------------------------------------------------------------------- */

#define SERVER_LIMIT 1024
struct server {
    struct file *listener, *files[SERVER_LIMIT];
    unsigned count, closed, served;
    unsigned wanted;
};

/* Answers every 4-byte request n by 2n + 1, on every connection that is ready. */
static bool serve_ready(void *context)
{
    struct server *server = context;
    struct file *file;
    while (server->count < SERVER_LIMIT && stack_accept(server->listener, &file) == 0) {
        stack_nonblocking(file);
        server->files[server->count++] = file;
    }
    for (unsigned i = 0; i < server->count; i++) {
        uint32_t request;
        if (!(stack_poll(server->files[i]) & POLLIN))
            continue;
        ssize_type got = stack_receive(server->files[i], &request, sizeof(request), 0);
        if (got == (ssize_type)sizeof(request)) {
            request = request * 2 + 1;
            server->served += stack_send(server->files[i], &request, sizeof(request), 0) == sizeof(request);
            continue;
        }
        file_put(server->files[i]);
        server->files[i--] = server->files[--server->count];
        server->closed++;
    }
    return server->closed == server->wanted;
}

static void run_server(int (*act)(const void *), unsigned connections, unsigned rounds)
{
    struct server *server = calloc(1, sizeof(*server));
    server->listener = stack_listener(128);
    server->wanted = connections;
    stack_nonblocking(server->listener);
    struct many many = { stack_port(server->listener), connections, rounds };
    pid_t peer = peer_start(act, &many);
    CHECK(tap_run(serve_ready, server, PATIENCE));
    CHECK_EQUAL(server->served, connections * rounds);
    CHECK_EQUAL(peer_result(peer, PATIENCE), 0);
    file_put(server->listener);
    free(server);
}

static void many_at_once(void) { run_server(peer_many, 500, 5); }
static void many_in_turn(void) { run_server(peer_sequential, 1000, 1); }

/* ---- A flood of SYNs ---------------------------------------------------------------------------------------- */

static void inject_syn(uint32_t source, uint16_t source_port, uint16_t port)
{
    uint8_t frame[54] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 9, 8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6 };
    uint8_t *ip = frame + 14, *tcp = ip + 20;
    write_be32(ip + 12, source);
    write_be32(ip + 16, STACK_ADDRESS);
    write_be16(ip + 10, checksum_finish(checksum_add(0, ip, 20)));
    write_be16(tcp, source_port);
    write_be16(tcp + 2, port);
    write_be32(tcp + 4, source ^ 0x5a5a5a5a);
    tcp[12] = 5 << 4;
    tcp[13] = 2;
    write_be16(tcp + 14, 1000);
    uint64_t pseudo = checksum_pseudo(ip_of_ipv4(source), ip_of_ipv4(STACK_ADDRESS), 6, 20);
    write_be16(tcp + 16, checksum_finish(checksum_add(pseudo, tcp, 20)));
    tap_inject(frame, sizeof(frame));
}

static void syn_flood(void)
{
    struct file *listener = stack_listener(16), *file = NULL;
    uint16_t port = stack_port(listener);
    uint64_t before = host_heap_blocks();
    for (unsigned i = 0; i < 5000; i++)
        inject_syn(0xc0a80000 + i, (uint16_t)(1024 + i), port);
    CHECK(host_heap_blocks() - before < 200); /* cookies, not requests */
    struct exchange x = { port, -1, 1 << 20, 1 << 20, 3 };
    pid_t peer = peer_start(peer_exchange, &x);
    CHECK_EQUAL(stack_accept(listener, &file), 0);
    stream_exchange(file, &x, peer);
    file_put(file);
    file_put(listener);
}

/* ---- The end ------------------------------------------------------------------------------------------------ */

/* What was sent before the end arrives, over a slow line too, and the end does not wait for the dead. */
static void shut_down(void)
{
    static uint8_t data[60000];
    struct file *listener = stack_listener(8), *file = NULL, *waiting = NULL;
    struct exchange x = { stack_port(listener), -1, 0, sizeof(data), 5 };
    pid_t peer = peer_start(peer_reads_to_the_end, &x);
    CHECK_EQUAL(stack_accept(listener, &file), 0);
    pattern_fill(x.seed + 1, 0, data, sizeof(data));
    tap_impairments = (struct impairments){ .delay = 20 * NS_PER_MS };
    CHECK_EQUAL(stack_send(file, data, sizeof(data), 0), sizeof(data));
    nanoseconds start = clock_monotonic();
    net_shut_down(5 * NS_PER_SECOND, true);
    CHECK(clock_monotonic() - start < 2 * NS_PER_SECOND);
    CHECK_EQUAL(peer_result(peer, PATIENCE), 0);
    CHECK_EQUAL(stack_accept(listener, &waiting), -EINVAL);
    tap_impairments = (struct impairments){ 0 };
    file_put(file);
    file_put(listener);
}

/* Asks chronyd until it has started; its clock is this machine's. */
static bool ask_chronyd(struct file *file, struct sntp_sample *sample)
{
    uint8_t message[SNTP_MESSAGE_SIZE];
    struct sntp_answer answer;
    for (nanoseconds limit = clock_monotonic() + PATIENCE; clock_monotonic() < limit;) {
        nanoseconds asked = clock_wall();
        sntp_make(message, 4711);
        if (stack_send(file, message, sizeof(message), 0) != sizeof(message))
            continue; /* the port is closed yet, as ICMP said */
        ssize_type length = stack_receive(file, message, sizeof(message), 0);
        if (length > 0 && sntp_read(message, (size_t)length, 4711, &answer) == SNTP_TIME) {
            *sample = sntp_sample_of(asked, clock_wall(), &answer);
            return true;
        }
    }
    return false;
}

static void time_from_chrony(void)
{
    char pid_file[] = "/tmp/chronyd-XXXXXX";
    struct sntp_sample sample = { 0 };
    struct file *file = stack_socket(SOCK_DGRAM);
    close(mkstemp(pid_file));
    CHECK_EQUAL(stack_connect(file, LINUX_ADDRESS, 123), 0);
    socket_of(file)->receive_timeout = 100 * NS_PER_MS;
    pid_t peer = peer_start(peer_chronyd, pid_file);
    bool answered = ask_chronyd(file, &sample);
    kill(peer, SIGTERM);
    (void)peer_result(peer, PATIENCE);
    unlink(pid_file);
    file_put(file);
    CHECK(answered && sample.usable);
    CHECK(sample.delay < NS_PER_SECOND);
    CHECK((sample.offset < 0 ? -sample.offset : sample.offset) <= (int64_t)sample.error);
}

/* ---- rsyslog --------------------------------------------------------------------------------------------------- */

extern void (*thread_entry)(void *);
extern void *thread_argument;

static struct {
    jmp_buf end;
    bool (*device)(void);
    char directory[32];
    pid_t server;
    bool restarted;
    nanoseconds limit;
} rsyslog;

/* Has it received a line of these fields? */
static bool has_received(void *line)
{
    char path[64], text[256];
    bool found = false;
    snprintf(path, sizeof(path), "%s/received", rsyslog.directory);
    FILE *file = fopen(path, "r");
    while (file && !found && fgets(text, sizeof(text), file))
        found = strncmp(text, line, strlen(line)) == 0 && text[strlen(line)] == '\n';
    if (file)
        fclose(file);
    return found;
}

static void start_rsyslogd(void) { rsyslog.server = peer_start(peer_rsyslogd, rsyslog.directory); }

static void stop_rsyslogd(void)
{
    kill(rsyslog.server, SIGTERM);
    waitpid(rsyslog.server, NULL, 0);
}

static void write_line(enum journal_source source, const char *text) { journal_program(source, text, strlen(text)); }

/* While the kernel's thread sleeps: the daemon goes and comes back when it has all lines. */
static bool rsyslog_idle(void)
{
    bool any = rsyslog.device();
    if (clock_monotonic() > rsyslog.limit || (rsyslog.restarted && has_received("14|web-1|shop|1|stdout|after it")))
        longjmp(rsyslog.end, 1);
    if (rsyslog.restarted || !has_received("3|web-1|unikernel|-|kernel|the last line"))
        return any;
    rsyslog.restarted = true;
    stop_rsyslogd();
    while (rsyslog.device())
        ; /* the connection's end is here: what is sent before it is lost, with any server */
    start_rsyslogd();
    write_line(JOURNAL_OUTPUT, "after it\n");
    return true;
}

static void send_by_tcp(void)
{
    static const struct syslog_target target = { .tcp = true, .host = "10.9.0.1", .port = 514 };
    static const struct syslog_origin origin = { "web-1", "shop" };
    rsyslog.device = host_idle;
    rsyslog.limit = clock_monotonic() + PATIENCE;
    if (!syslog_start(&target, &origin))
        return;
    write_line(JOURNAL_OUTPUT, "12 first, with \xc3\xa4 and <1>\nsecond\r\n");
    write_line(JOURNAL_ERRORS, "an exception\n");
    journal_kernel(SEVERITY_ERROR, "the last line", 13);
    host_idle = rsyslog_idle;
    if (setjmp(rsyslog.end) == 0)
        thread_entry(thread_argument);
    host_idle = rsyslog.device;
}

static bool send_by_udp(void)
{
    char message[SYSLOG_MESSAGE];
    struct syslog_origin origin = { "web-1", "shop" };
    static struct journal_line line = { .source = JOURNAL_ERRORS, .severity = SEVERITY_NOTICE, .length = 4 };
    memcpy(line.text, "udp!", 4);
    size_t length = syslog_format(message, &origin, &line);
    struct file *file = stack_socket(SOCK_DGRAM);
    bool sent = stack_send_to(file, message, length, LINUX_ADDRESS, SYSLOG_PORT) == (ssize_type)length;
    file_put(file);
    return sent && tap_run(has_received, "13|web-1|shop|1|stderr|udp!", PATIENCE);
}

static void remove_directory(void)
{
    static const char *const names[] = { "received", "configuration", "process" };
    for (size_t i = 0; i < array_size(names); i++) {
        char path[64];
        snprintf(path, sizeof(path), "%s/%s", rsyslog.directory, names[i]);
        unlink(path);
    }
    rmdir(rsyslog.directory);
}

static void log_to_rsyslog(void)
{
    strcpy(rsyslog.directory, "/tmp/rsyslog-XXXXXX");
    CHECK(mkdtemp(rsyslog.directory));
    start_rsyslogd();
    send_by_tcp();
    bool all = has_received("14|web-1|shop|1|stdout|12 first, with \xc3\xa4 and <1>") &&
               has_received("14|web-1|shop|1|stdout|second") && has_received("13|web-1|shop|1|stderr|an exception");
    bool again = has_received("14|web-1|shop|1|stdout|after it");
    bool udp = send_by_udp();
    stop_rsyslogd();
    remove_directory();
    CHECK(all);
    CHECK(again);
    CHECK(udp);
}

/* Everything is given back but what TIME_WAIT, ARP and the interfaces keep. */
static void nothing_is_lost(void)
{
    tap_idle(NS_PER_SECOND);
    CHECK_EQUAL(host_pages_in_use(), 0);
    CHECK_EQUAL(net_memory_charged(), 0);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    host_init();
    host_real_clock();
    if (!tap_start()) {
        printf("ok net against Linux # skipped: no permission for a network name space and a TAP device\n");
        return 0;
    }
    tap_test("ping", ping);
    tap_test("udp echo, fragments both ways", udp_echo);
    tap_test("refused and unreachable", refusals);
    tap_test("tcp: one byte each way", stream_tiny);
    tap_test("tcp: upload", stream_up);
    tap_test("tcp: download", stream_down);
    tap_test("tcp: both ways", stream_both);
    tap_test("tcp: as a client", stream_client);
    tap_test("tcp: segmentation and checksum offload", stream_offloaded);
    tap_test("frames of 9001 bytes", stream_of_large_frames);
    tap_test("tcp: closed window opens again", closed_window);
    tap_test("tcp: slow reader", slow_reader);
    tap_test("tcp: resets both ways", resets);
    tap_test("tcp: 500 connections at once", many_at_once);
    tap_test("tcp: 1000 connections in turn", many_in_turn);
    tap_test("tcp: a flood of SYNs", syn_flood);
    tap_test("tcp: 2 % loss", line_with_loss);
    tap_test("tcp: 10 % loss", line_with_much_loss);
    tap_test("tcp: reordering", line_with_reordering);
    tap_test("tcp: duplicates", line_with_duplicates);
    tap_test("tcp: loss, duplicates, reordering, delay and offload", line_with_everything);
    tap_test("tcp: a line made bad by tc netem", line_by_netem);
    tap_test("time from chrony", time_from_chrony);
    tap_test("tcp: the end of the process", shut_down);
    tap_test("tcp: connections after the end", many_in_turn);
    tap_test("memory is given back", nothing_is_lost);
    /* The last, since its thread keeps a connection. */
    if (peer_has_rsyslogd())
        tap_test("log to rsyslog", log_to_rsyslog);
    else
        printf("ok log to rsyslog # skipped: there is no rsyslogd; lab/setup installs it\n");
    return host_result();
}

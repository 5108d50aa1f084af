/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics: how requests are read; the text with the numbers of the stack, of the shim and of the stubs; and the server,
 * on the wire: what it answers, and how long a client that stalls can occupy it.
 *
 * The server's thread is the test's own; its clients are played one after the other while it sleeps, on the virtual
 * clock. Requests are read at their exact length, so that the sanitizer sees what is read beyond it. Run by make
 * test-net.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/device.h"
#include "files/process_view.h"
#include "host/host.h"
#include "net/http.h"
#include "net/metrics.h"
#include "net/tcp.h"
#include "net/wire.h"
#include "threads/timer.h"

/* ---- Requests ---------------------------------------------------------------------------------------------- */

/* The sanitizer sees every byte that is read beyond the end. */
static unsigned read_exactly(const char *text, size_t length)
{
    char *exact = malloc(length ? length : 1);
    memcpy(exact, text, length);
    unsigned status = http_request_read(exact, length, "/metrics");
    free(exact);
    return status;
}

static void requests_are_read(void)
{
    static const struct {
        const char *text;
        unsigned expected;
    } cases[] = {
        { "GET /metrics HTTP/1.1\r\nHost: guest:9100\r\nAccept: text/plain;version=0.0.4\r\n\r\n", 200 },
        { "GET /metrics HTTP/1.0\n\n", 200 },
        { "GET /metrics?collect=all HTTP/1.1\r\n\r\nmore", 200 },
        { "GET / HTTP/1.1\r\n\r\n", 404 },
        { "GET /metricsx HTTP/1.1\r\n\r\n", 404 },
        { "GET /metric HTTP/1.1\r\n\r\n", 404 },
        { "POST /metrics HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", 405 },
        { "get /metrics HTTP/1.1\r\n\r\n", 405 },
        { "GET /metrics HTTP/2.0\r\n", 400 },
        { "GET /metrics HTTP/1.1 \r\n", 400 },
        { "GET /metrics\r\n", 400 },
        { "GET  /metrics HTTP/1.1\r\n", 400 },
        { " GET /metrics HTTP/1.1\r\n", 400 },
        { "GET /\x80 HTTP/1.1\r\n", 400 },
        { "\r\n", 400 },
        { "\x16\x03\x01\x02\n", 400 },
        { "GET /metrics HTTP/1.1", 0 },
        { "GET /metrics HTTP/1.1\r\nHost: guest\r\n", 0 },
        { "GET /metrics HTTP/1.1\r\nHost: guest\r\n\r", 0 },
        { "", 0 },
    };
    for (size_t i = 0; i < array_size(cases); i++)
        if (read_exactly(cases[i].text, strlen(cases[i].text)) != cases[i].expected)
            host_fail(__FILE__, __LINE__, "case %lu: not %u", i, cases[i].expected);
}

static void requests_end_somewhere(void)
{
    static char text[2 * HTTP_HEADER_MAX] = "GET /metrics HTTP/1.1\r\nX: ";
    size_t length = strlen(text);
    memset(text + length, 'x', sizeof(text) - length);
    CHECK_EQUAL(read_exactly(text, HTTP_HEADER_MAX - 1), 0);
    CHECK_EQUAL(read_exactly(text, HTTP_HEADER_MAX), 431);
    memset(text, 'x', sizeof(text));
    CHECK_EQUAL(read_exactly(text, HTTP_HEADER_MAX), 431);
}

/* ---- The text ------------------------------------------------------------------------------------------------ */

static char printed[16384];

static void print_all(void)
{
    struct text text;
    text_init(&text);
    metrics_print(&text);
    if (text.failed || text.length >= sizeof(printed))
        abort();
    memcpy(printed, text.data, text.length);
    printed[text.length] = 0;
    text_free(&text);
}

static bool has_line(const char *line)
{
    const char *at = strstr(printed, line);
    if (at && (at == printed || at[-1] == '\n') && at[strlen(line)] == '\n')
        return true;
    printf("# no line %s\n", line);
    return false;
}

/* Each family is introduced once, by help and type, and its samples follow at once. */
static bool families_are_whole(void)
{
    char name[128] = "", type[16], copy[sizeof(printed)], *rest = copy;
    unsigned samples = 1;
    strcpy(copy, printed);
    for (char *line; (line = strsep(&rest, "\n")) && *line;) {
        if (strncmp(line, "# HELP ", 7) == 0) {
            char again[160];
            if (samples == 0 || sscanf(line, "# HELP %127s", name) != 1)
                return false;
            snprintf(again, sizeof(again), "# HELP %s ", name);
            if (strstr(strstr(printed, again) + 1, again))
                return false;
            line = strsep(&rest, "\n");
            char typed[128];
            if (sscanf(line, "# TYPE %127s %15s", typed, type) != 2 || strcmp(typed, name) != 0)
                return false;
            bool total = strlen(name) > 6 && strcmp(name + strlen(name) - 6, "_total") == 0;
            if (total != (strcmp(type, "counter") == 0))
                return false;
            samples = 0;
            continue;
        }
        size_t length = strlen(name);
        if (strncmp(line, name, length) != 0 || (line[length] != ' ' && line[length] != '{'))
            return false;
        samples++;
    }
    return samples > 0;
}

static void the_text_has_the_numbers(void)
{
    static struct block_device disk = { .name = "vda", .reads = 6, .writes = 7, .read_bytes = 8, .written_bytes = 9 };
    struct network_device *device = wire_device();
    wire_configure();
    block_device_add(&disk);
    process_view.release = "6.1.0-unikernel";
    device->received_bytes = 18446744073709551615UL;
    device->received_packets = 2;
    device->sent_bytes = 3;
    device->sent_packets = 4;
    device->dropped = 5;
    print_all();
    CHECK(families_are_whole());
    CHECK(has_line("unikernel_info{release=\"6.1.0-unikernel\",platform=\"host\"} 1"));
    CHECK(has_line("unikernel_uptime_seconds 1.000000000"));
    CHECK(has_line("unikernel_boot_time_seconds 1700000000.000000000"));
    CHECK(has_line("unikernel_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 0.125000000"));
    CHECK(has_line("unikernel_cpu_seconds_total{cpu=\"0\",mode=\"system\"} 0.375000000"));
    CHECK(has_line("unikernel_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 0.375000000"));
    CHECK(has_line("unikernel_cpu_seconds_total{cpu=\"0\",mode=\"steal\"} 0.125000000"));
    CHECK(has_line("unikernel_memory_page_cache_bytes 45056"));
    CHECK(has_line("unikernel_memory_program_bytes 94208"));
    CHECK(has_line("unikernel_memory_available_bytes 3686400"));
    CHECK(has_line("unikernel_network_receive_bytes_total{device=\"eth0\"} 18446744073709551615"));
    CHECK(has_line("unikernel_network_receive_packets_total{device=\"eth0\"} 2"));
    CHECK(has_line("unikernel_network_transmit_bytes_total{device=\"eth0\"} 3"));
    CHECK(has_line("unikernel_network_transmit_packets_total{device=\"eth0\"} 4"));
    CHECK(has_line("unikernel_network_dropped_packets_total{device=\"eth0\"} 5"));
    CHECK(has_line("unikernel_tcp_connections{state=\"established\"} 0"));
    CHECK(has_line("unikernel_disk_reads_total{device=\"vda\"} 6"));
    CHECK(has_line("unikernel_disk_writes_total{device=\"vda\"} 7"));
    CHECK(has_line("unikernel_disk_read_bytes_total{device=\"vda\"} 8"));
    CHECK(has_line("unikernel_disk_written_bytes_total{device=\"vda\"} 9"));
    CHECK(has_line("unikernel_log_lost_lines_total 0"));
}

static void connections_are_counted(void)
{
    struct file *listener = stack_listener(1), *file;
    struct hand hand = { .port = 5000, .stack_port = stack_port(listener) };
    CHECK(hand_open(&hand, listener, &file, "", 0));
    print_all();
    CHECK(has_line("unikernel_tcp_connections{state=\"established\"} 1"));
    CHECK(has_line("unikernel_tcp_opened_connections_total{by=\"peer\"} 1"));
    CHECK(has_line("unikernel_tcp_opened_connections_total{by=\"machine\"} 0"));
    file_put(file);
    file_put(listener);
    wire_drop_all();
}

/* ---- The server ---------------------------------------------------------------------------------------------- */

#define PORT 9100
#define GOOD "GET /metrics HTTP/1.1\r\nHost: guest\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define PATIENCE (5 * NS_PER_SECOND)

extern void (*thread_entry)(void *);
extern void *thread_argument;

static char too_much[5000];
static const struct client {
    const char *what, *request;
    size_t piece;       /* bytes sent at once */
    nanoseconds pause;  /* before each */
    const char *answer; /* its beginning; "": none */
    nanoseconds lasts;  /* until the server closes the connection */
    bool deaf;          /* takes no answer: its window is closed, and the next client comes at once */
} clients[] = {
    { "a good request", GOOD, 1000, 0, OK, 0, false },
    { "another path", "GET / HTTP/1.1\r\n\r\n", 1000, 0, "HTTP/1.1 404 Not Found\r\n", 0, false },
    { "another method", "PUT /metrics HTTP/1.1\r\n\r\n", 1000, 0, "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\n",
      0, false },
    { "no request", "nonsense\r\n", 1000, 0, "HTTP/1.1 400 Bad Request\r\n", 0, false },
    { "bytes one by one", GOOD, 1, 10 * NS_PER_MS, OK, (sizeof(GOOD) - 1) * 10 * NS_PER_MS, false },
    { "nothing", "", 1, 0, "", PATIENCE, false },
    { "bytes that are too slow", GOOD, 1, NS_PER_SECOND / 2, "", PATIENCE, false },
    { "too much", too_much, 1000, 0, "HTTP/1.1 431 Request Header Fields Too Large\r\n", 0, false },
    { "deaf", GOOD, 1000, 0, "", 0, true },
    { "the last one", GOOD, 1000, 0, OK, 0, false },
};

static struct {
    jmp_buf end;
    struct hand hand;
    struct timer tick; /* for the next piece */
    size_t number, sent, received;
    bool open, closed, ended;
    nanoseconds began, due;
    char answer[16384], failure[256];
} now;

static void tick(struct timer *timer) { (void)timer; }

static void next_client(void)
{
    const struct client *client = &clients[now.number];
    now.hand = (struct hand){ .port = (uint16_t)(30000 + now.number), .stack_port = PORT, .sequence = 1000 };
    now.hand.window = client->deaf ? 0 : 65535;
    now.sent = now.received = 0;
    now.open = now.closed = false;
    now.began = clock_monotonic();
    now.due = now.began + client->pause;
    hand_send(&now.hand, HAND_SYN, 0);
    now.hand.sequence++;
}

static bool answered_well(const struct client *client)
{
    now.answer[now.received] = 0;
    char *body = strstr(now.answer, "\r\n\r\n"), *length = strstr(now.answer, "\r\nContent-Length: ");
    if (*client->answer == 0)
        return now.received == 0;
    if (strncmp(now.answer, client->answer, strlen(client->answer)) != 0)
        return false;
    if (client->request == too_much)
        return true; /* what was not read makes the end a reset, before which the rest may be lost */
    return body && length && strstr(now.answer, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n") &&
           strstr(now.answer, "\r\nConnection: close\r\n") && (size_t)atol(length + 18) == strlen(body + 4) &&
           (strcmp(client->answer, OK) != 0 || strstr(body, "\nunikernel_uptime_seconds "));
}

static void end_client(void)
{
    const struct client *client = &clients[now.number];
    nanoseconds lasted = clock_monotonic() - now.began;
    if (!client->deaf && (!answered_well(client) || lasted < client->lasts || lasted > client->lasts + 100 * NS_PER_MS))
        snprintf(now.failure, sizeof(now.failure), "%s: after %lu ms: %.100s", client->what,
                 (unsigned long)(lasted / NS_PER_MS), now.answer);
    if (now.failure[0])
        longjmp(now.end, 1);
    if (++now.number < array_size(clients))
        next_client();
}

/* A segment from the server, in order; those of earlier clients do not count. */
static void take_segment(const struct hand_segment *segment)
{
    bool first = segment->flags & HAND_SYN;
    if (segment->port != now.hand.port || (!first && segment->sequence != now.hand.acknowledgement))
        return;
    if (first)
        now.hand.acknowledgement = segment->sequence;
    memcpy(now.answer + now.received, segment->data, segment->length);
    now.received += segment->length;
    now.hand.acknowledgement += segment->length + first + !!(segment->flags & HAND_FIN);
    now.open = true;
    now.closed |= (segment->flags & (HAND_FIN | HAND_RST)) != 0;
    if (first || segment->length > 0 || now.closed)
        hand_send(&now.hand, now.closed ? HAND_ACK | HAND_FIN : HAND_ACK, 0);
}

static void send_piece(void)
{
    const struct client *client = &clients[now.number];
    size_t length = min_of(client->piece, strlen(client->request) - now.sent);
    hand_send_text(&now.hand, client->request + now.sent, (uint32_t)length);
    now.hand.sequence += (uint32_t)length;
    now.sent += length;
    now.due += client->pause;
}

/* What accept() had made ready is freed; when the server sleeps again it is left. */
static bool end_server(void)
{
    if (now.ended)
        longjmp(now.end, 1);
    now.ended = true;
    net_lock();
    tcp_close_all();
    net_unlock();
    thread_wake(thread_current());
    return true;
}

static bool play_client(void)
{
    const struct client *client = &clients[now.number];
    struct hand_segment segment;
    bool any = false;
    if (now.number == array_size(clients))
        return end_server();
    for (; !now.closed && hand_receive(&segment); any = true)
        take_segment(&segment);
    bool done = now.sent == strlen(client->request);
    if (now.closed || (client->deaf && done)) {
        end_client();
        return true;
    }
    if (!now.open || done)
        return any;
    if (clock_monotonic() < now.due) {
        timer_start(&now.tick, now.due);
        return any;
    }
    send_piece();
    return true;
}

static void a_port_that_is_taken_is_reported(void)
{
    struct file *program = stack_listener(1);
    char expected[128];
    snprintf(expected, sizeof(expected), "metrics cannot be served on port %u (EADDRINUSE); choose another port\n",
             stack_port(program));
    (void)host_log();
    metrics_start(stack_port(program));
    CHECK(strcmp(host_log(), expected) == 0);
    file_put(program);
}

static void the_server_answers_and_gives_up(void)
{
    wire_configure();
    memset(too_much, 'x', sizeof(too_much) - 1);
    timer_init(&now.tick, tick);
    metrics_start(PORT);
    CHECK(host_reported_number != PORT);
    host_idle = play_client;
    next_client();
    if (setjmp(now.end) == 0)
        thread_entry(thread_argument);
    if (now.failure[0])
        host_fail(__FILE__, __LINE__, "%s", now.failure);
    CHECK_EQUAL(now.number, array_size(clients));
}

int main(void)
{
    host_init();
    wire_start();
    host_test("metrics: requests are read", requests_are_read);
    host_test("metrics: requests end somewhere", requests_end_somewhere);
    host_test("metrics: the text has the numbers", the_text_has_the_numbers);
    host_test("metrics: connections are counted", connections_are_counted);
    host_test("metrics: a port that is taken is reported", a_port_that_is_taken_is_reported);
    host_test("metrics: the server answers, and gives up", the_server_answers_and_gives_up);
    return host_result();
}

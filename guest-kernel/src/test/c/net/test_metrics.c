/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics: how requests are read, and the text with the numbers of the stack, of the shim and of the stubs.
 *
 * Requests are read at their exact length, so that the sanitizer sees what is read beyond it. Run by make test-net.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/device.h"
#include "files/process_view.h"
#include "host/host.h"
#include "net/http.h"
#include "net/metrics.h"
#include "net/wire.h"

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
    CHECK(has_line("unikernel_cpu_seconds_total{cpu=\"0\",mode=\"busy\"} 0.500000000"));
    CHECK(has_line("unikernel_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 0.500000000"));
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

int main(void)
{
    host_init();
    wire_start();
    host_test("metrics: requests are read", requests_are_read);
    host_test("metrics: requests end somewhere", requests_end_somewhere);
    host_test("metrics: the text has the numbers", the_text_has_the_numbers);
    host_test("metrics: connections are counted", connections_are_counted);
    return host_result();
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log over the network: the journal, the messages, the setting, and the thread, whose datagrams are read on the
 * wire. That rsyslog understands them, over TCP too, is tested in test_linux.c.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "net/net.h"
#include "net/syslog.h"
#include "net/wire.h"

static struct journal_line line;

static bool took(enum journal_source source, const char *text)
{
    return journal_take(&line) && line.source == source && line.length == strlen(text) &&
           memcmp(line.text, text, line.length) == 0;
}

static void write_program(enum journal_source source, const char *text) { journal_program(source, text, strlen(text)); }

/* ---- The journal ------------------------------------------------------------------------------------------- */

static void nothing_is_kept_before_the_start(void)
{
    static const struct syslog_target target = { .host = "10.20.0.5", .port = 514 };
    static const struct syslog_origin origin = { "web-1", "shop" };
    journal_kernel(SEVERITY_INFO, "early", 5);
    write_program(JOURNAL_OUTPUT, "early\n");
    journal_end_lines();
    CHECK(!journal_started());
    CHECK(syslog_start(&target, &origin));
    CHECK(journal_started() && journal_empty() && !journal_take(&line));
}

static void lines_are_put_together(void)
{
    write_program(JOURNAL_OUTPUT, "one\ntw");
    write_program(JOURNAL_ERRORS, "Exception\r\n\tat x\n\n\r\n");
    journal_kernel(SEVERITY_ERROR, "disk", 4);
    write_program(JOURNAL_OUTPUT, "o\nthree");
    CHECK(took(JOURNAL_OUTPUT, "one") && line.severity == SEVERITY_INFO && line.lost == 0);
    CHECK_EQUAL(line.time, clock_wall());
    CHECK(took(JOURNAL_ERRORS, "Exception") && line.severity == SEVERITY_NOTICE);
    CHECK(took(JOURNAL_ERRORS, "\tat x"));
    CHECK(took(JOURNAL_KERNEL, "disk") && line.severity == SEVERITY_ERROR);
    CHECK(took(JOURNAL_OUTPUT, "two"));
    CHECK(!journal_take(&line));
    journal_end_lines();
    CHECK(took(JOURNAL_OUTPUT, "three"));
    CHECK(journal_empty());
}

/* A line of `length` letters and then `character` again and again, cut into lines, each of which must end whole. */
static bool cut_well(size_t letters, const char *character)
{
    static char text[3 * JOURNAL_TEXT], joined[3 * JOURNAL_TEXT];
    size_t length = letters, at = 0, size = strlen(character);
    memset(text, 'x', letters);
    for (; length < 2 * JOURNAL_TEXT; length += size)
        memcpy(text + length, character, size);
    journal_program(JOURNAL_OUTPUT, text, length);
    journal_program(JOURNAL_OUTPUT, "\n", 1);
    for (unsigned i = 0; journal_take(&line); i++, at += line.length) {
        if (line.length > JOURNAL_TEXT || (at > letters && (at - letters) % size != 0) ||
            (i == 0 && line.length + size <= JOURNAL_TEXT))
            return false;
        memcpy(joined + at, line.text, line.length);
    }
    return at == length && memcmp(joined, text, length) == 0;
}

static void long_lines_are_cut_between_characters(void)
{
    for (size_t letters = 0; letters < 5; letters++) {
        CHECK(cut_well(letters, "y"));
        CHECK(cut_well(letters, "\xc3\xa4"));
        CHECK(cut_well(letters, "\xe2\x82\xac"));
        CHECK(cut_well(letters, "\xf0\x9f\x90\x84"));
    }
    CHECK(cut_well(0, "\x80")); /* no UTF-8 at all */
}

static void the_oldest_lines_are_lost_and_counted(void)
{
    static char text[1001];
    const unsigned written = 1000;
    for (unsigned i = 0; i < written; i++) {
        snprintf(text, sizeof(text), "%04u%996s", i, "");
        journal_kernel(SEVERITY_INFO, text, 1000);
    }
    uint64_t kept = JOURNAL_SIZE / (1000 + 16);
    CHECK_EQUAL(journal_lost(), written - kept);
    CHECK(journal_take(&line));
    CHECK_EQUAL(line.lost, written - kept);
    CHECK_EQUAL(atoi(line.text), (int)(written - kept));
    unsigned taken = 1;
    for (; journal_take(&line); taken++)
        CHECK(line.lost == 0 && line.length == 1000 && line.text[999] == ' ');
    CHECK_EQUAL(taken, kept);
    CHECK_EQUAL(journal_lost(), written - kept);
}

/* ---- Messages ---------------------------------------------------------------------------------------------- */

static bool formats_as(const char *host, const char *application, nanoseconds time, enum journal_source source,
                       enum severity severity, const char *expected)
{
    char message[SYSLOG_MESSAGE];
    struct syslog_origin origin = { host, application };
    line = (struct journal_line){ .time = time, .source = source, .severity = severity, .length = 5 };
    memcpy(line.text, "text!", 5);
    size_t length = syslog_format(message, &origin, &line);
    if (length == strlen(expected) && memcmp(message, expected, length) == 0)
        return true;
    printf("# %.*s\n", (int)length, message);
    return false;
}

static void messages_have_the_form_of_rfc_5424(void)
{
    nanoseconds time = 1795805271 * NS_PER_SECOND + 123456789;
    CHECK(formats_as("web-1", "shop", time, JOURNAL_OUTPUT, SEVERITY_INFO,
                     "<14>1 2026-11-27T18:47:51.123456Z web-1 shop 1 stdout - text!"));
    CHECK(formats_as("web-1", "shop", time, JOURNAL_ERRORS, SEVERITY_NOTICE,
                     "<13>1 2026-11-27T18:47:51.123456Z web-1 shop 1 stderr - text!"));
    CHECK(formats_as("web-1", "shop", time, JOURNAL_KERNEL, SEVERITY_ERROR,
                     "<3>1 2026-11-27T18:47:51.123456Z web-1 unikernel - kernel - text!"));
    CHECK(formats_as("", "a b\xc3\xa4\n", time, JOURNAL_OUTPUT, SEVERITY_INFO,
                     "<14>1 2026-11-27T18:47:51.123456Z - a_b___ 1 stdout - text!"));
    CHECK(formats_as("h", "0123456789012345678901234567890123456789012345678", time, JOURNAL_OUTPUT, SEVERITY_INFO,
                     "<14>1 2026-11-27T18:47:51.123456Z h 012345678901234567890123456789012345678901234567 1 stdout "
                     "- text!"));
}

static void dates_are_right(void)
{
    static const struct {
        uint64_t seconds;
        const char *expected;
    } dates[] = {
        { 0, "1970-01-01T00:00:00" },          { 68255999, "1972-02-29T23:59:59" },
        { 951782400, "2000-02-29T00:00:00" },  { 978307199, "2000-12-31T23:59:59" },
        { 1709251200, "2024-03-01T00:00:00" }, { 4107542400, "2100-03-01T00:00:00" },
        { 4107542399, "2100-02-28T23:59:59" },
    };
    for (size_t i = 0; i < array_size(dates); i++) {
        char expected[100];
        snprintf(expected, sizeof(expected), "<14>1 %s.000000Z h a 1 stdout - text!", dates[i].expected);
        CHECK(formats_as("h", "a", dates[i].seconds * NS_PER_SECOND, JOURNAL_OUTPUT, SEVERITY_INFO, expected));
    }
}

static void the_longest_line_is_one_message(void)
{
    char message[SYSLOG_MESSAGE], name[100];
    memset(name, 'n', 99);
    name[99] = 0;
    memset(line.text, 't', JOURNAL_TEXT);
    line.source = JOURNAL_ERRORS;
    line.length = JOURNAL_TEXT;
    size_t length = syslog_format(message, &(struct syslog_origin){ name, name }, &line);
    CHECK(length <= SYSLOG_MESSAGE && length > JOURNAL_TEXT + 130);
    CHECK(message[length - JOURNAL_TEXT - 1] == ' ' && message[length - JOURNAL_TEXT] == 't');
}

static void targets_are_read(void)
{
    static const struct {
        const char *text, *host;
        bool tcp;
        unsigned port;
    } good[] = {
        { "syslog://10.0.0.5", "10.0.0.5", false, 514 },
        { "syslog://10.0.0.5:5514", "10.0.0.5", false, 5514 },
        { "syslog+tcp://logs.example.com:65535", "logs.example.com", true, 65535 },
    };
    static const char *const bad[] = { "syslog:10.0.0.5",     "syslog://",        "syslog://a b",
                                       "syslog://h:0",        "syslog://h:65536", "syslog://h:",
                                       "syslog://h:514/path", "syslog://[::1]",   "tcp://h" };
    char text[64];
    for (size_t i = 0; i < array_size(good); i++) {
        struct syslog_target target = { 0 };
        strcpy(text, good[i].text);
        CHECK(syslog_target_parse(text, &target));
        CHECK(strcmp(target.host, good[i].host) == 0);
        CHECK(target.tcp == good[i].tcp && target.port == good[i].port);
    }
    for (size_t i = 0; i < array_size(bad); i++) {
        struct syslog_target target = { 0 };
        strcpy(text, bad[i]);
        CHECK(!syslog_target_parse(text, &target));
    }
}

/* ---- The thread ---------------------------------------------------------------------------------------------- */

#define SERVER 0x0a140005u /* beyond the gateway */

extern void (*thread_entry)(void *);
extern void *thread_argument;

static struct {
    jmp_buf end;
    char messages[8][SYSLOG_MESSAGE];
    unsigned count, wanted, others; /* others: to other servers */
    nanoseconds at[8];
    bool refuse;
    uint8_t refused[64];
    bool queued;
} story;

static void story_sent(const uint8_t *frame, uint32_t length)
{
    if (read_be16(frame + 12) != 0x0800 || frame[23] != 17 || read_be16(frame + 36) != 514)
        return;
    story.others += read_be32(frame + 30) != SERVER;
    if (story.count < array_size(story.messages)) {
        memcpy(story.messages[story.count], frame + 42, length - 42);
        story.messages[story.count][length - 42] = 0;
        story.at[story.count] = clock_monotonic();
    }
    story.count++;
    memcpy(story.refused, frame + 14, 28);
    story.queued = story.refuse;
}

/* ICMP: the port is unreachable, with the header of the datagram. */
static void refuse(void)
{
    uint8_t icmp[36] = { 3, 3 };
    memcpy(icmp + 8, story.refused, 28);
    write_be16(icmp + 2, (uint16_t)~0);
    uint32_t sum = 0;
    write_be16(icmp + 2, 0);
    for (size_t i = 0; i < sizeof(icmp); i += 2)
        sum += read_be16(icmp + i);
    sum = (sum & 0xffff) + (sum >> 16);
    write_be16(icmp + 2, (uint16_t) ~((sum & 0xffff) + (sum >> 16)));
    wire_inject_ip(SERVER, WIRE_STACK, 1, 0, 0, icmp, sizeof(icmp));
}

static bool story_idle(void)
{
    wire_answer_arp();
    if (story.queued) {
        story.queued = false;
        refuse();
        return true;
    }
    if (story.count >= story.wanted)
        longjmp(story.end, 1);
    return false;
}

/* Runs the thread until so many messages have come and it sleeps. */
static bool run_until(unsigned messages)
{
    story.wanted = messages;
    if (setjmp(story.end) == 0)
        thread_entry(thread_argument);
    return story.count == messages && story.others == 0;
}

static bool ends_with(unsigned message, const char *text)
{
    size_t length = strlen(story.messages[message]), size = strlen(text);
    return length >= size && strcmp(story.messages[message] + length - size, text) == 0;
}

static void start_story(void)
{
    unsigned refusals = story.refuse;
    memset(&story, 0, sizeof(story));
    story.refuse = refusals;
    wire_sent = story_sent;
    host_idle = story_idle;
    (void)host_log();
}

static void lines_are_sent_in_order(void)
{
    wire_configure();
    start_story();
    write_program(JOURNAL_OUTPUT, "first\nsecond\n");
    CHECK(run_until(2));
    CHECK(ends_with(0, "Z web-1 shop 1 stdout - first") && ends_with(1, " stdout - second"));
    CHECK(strncmp(story.messages[0], "<14>1 2023-11-14T22:13:2", 24) == 0);
}

static void a_loss_is_reported_before_what_follows(void)
{
    static char text[1000];
    start_story();
    memset(text, 'a', sizeof(text));
    for (unsigned i = 0; i < 300; i++)
        journal_kernel(SEVERITY_INFO, text, sizeof(text));
    CHECK(run_until(1 + 300 - 42));
    CHECK(strncmp(story.messages[0], "<4>1 ", 5) == 0);
    CHECK(ends_with(0,
                    " unikernel - kernel - 42 lines of the log were lost before this one, since more was written than "
                    "could be sent"));
    CHECK(ends_with(1, "aaa"));
}

/* A server that refuses: the line is sent again after a pause, from a new socket, and the log says so once. */
static void a_refused_line_is_sent_again(void)
{
    start_story();
    story.refuse = true;
    write_program(JOURNAL_OUTPUT, "one\n");
    CHECK(run_until(1));
    write_program(JOURNAL_OUTPUT, "two\n");
    story.refuse = false;
    CHECK(run_until(2));
    CHECK(ends_with(1, " - two"));
    CHECK(story.at[1] - story.at[0] >= NS_PER_SECOND && story.at[1] - story.at[0] < 2 * NS_PER_SECOND);
    CHECK(strstr(host_log(), "the log cannot be sent to 10.20.0.5 port 514 (ECONNREFUSED) and is sent later"));
    story.refuse = true;
    write_program(JOURNAL_OUTPUT, "three\n");
    CHECK(run_until(3));
    write_program(JOURNAL_OUTPUT, "four\n");
    CHECK(run_until(4));
    CHECK(ends_with(3, " - four"));
    CHECK(!strstr(host_log(), "cannot be sent"));
}

static void what_is_begun_is_sent_at_the_end(void)
{
    start_story();
    story.refuse = false;
    write_program(JOURNAL_ERRORS, "unfinished");
    CHECK(run_until(0));
    nanoseconds began = clock_monotonic();
    story.wanted = array_size(story.messages) + 1;
    syslog_end(); /* the thread does not run meanwhile */
    CHECK_EQUAL(clock_monotonic() - began, SYSLOG_END_PATIENCE);
    CHECK(run_until(1));
    CHECK(ends_with(0, " shop 1 stderr - unfinished"));
    story.wanted = 2;
    began = clock_monotonic();
    syslog_end();
    CHECK_EQUAL(clock_monotonic(), began);
}

int main(void)
{
    host_init();
    wire_start();
    host_test("syslog: nothing is kept before the start", nothing_is_kept_before_the_start);
    host_test("syslog: lines are put together", lines_are_put_together);
    host_test("syslog: long lines are cut between characters", long_lines_are_cut_between_characters);
    host_test("syslog: the oldest lines are lost and counted", the_oldest_lines_are_lost_and_counted);
    host_test("syslog: messages have the form of RFC 5424", messages_have_the_form_of_rfc_5424);
    host_test("syslog: dates are right", dates_are_right);
    host_test("syslog: the longest line is one message", the_longest_line_is_one_message);
    host_test("syslog: targets are read", targets_are_read);
    host_test("syslog: lines are sent in order", lines_are_sent_in_order);
    host_test("syslog: a loss is reported before what follows", a_loss_is_reported_before_what_follows);
    host_test("syslog: a refused line is sent again", a_refused_line_is_sent_again);
    host_test("syslog: what is begun is sent at the end", what_is_begun_is_sent_at_the_end);
    return host_result();
}

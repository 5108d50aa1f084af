/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SNTP client: its messages, its choice among servers, and its thread against servers on the wire whose clocks run
 * at another rate than the stack's, on the virtual clock.
 */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "lib/list.h"
#include "net/arp.h"
#include "net/net.h"
#include "net/sntp.h"
#include "net/wire.h"
#include "threads/timer.h"

#define UNIX_EPOCH 2208988800u
#define NONCE 0x0123456789abcdefUL
#define MICROSECOND 1000L

/* ---- Messages ----------------------------------------------------------------------------------------------- */

static void put_stamp(uint8_t *to, nanoseconds time)
{
    write_be32(to, (uint32_t)(time / NS_PER_SECOND) + UNIX_EPOCH);
    write_be32(to + 4, (uint32_t)((time % NS_PER_SECOND << 32) / NS_PER_SECOND));
}

/* A good answer to the question. */
static void make_answer(uint8_t to[SNTP_MESSAGE_SIZE], const uint8_t *question, nanoseconds received, nanoseconds sent)
{
    memset(to, 0, SNTP_MESSAGE_SIZE);
    to[0] = 4 << 3 | 4;
    to[1] = 2;
    write_be32(to + 4, 0x00000800); /* root delay: 1/32 s */
    write_be32(to + 8, 0x00000400); /* dispersion: 1/64 s */
    memcpy(to + 24, question + 40, 8);
    put_stamp(to + 32, received);
    put_stamp(to + 40, sent);
}

static uint8_t question[SNTP_MESSAGE_SIZE], message[SNTP_MESSAGE_SIZE];

static enum sntp_kind read_exactly(size_t length, struct sntp_answer *answer)
{
    uint8_t *exact = malloc(length ? length : 1); /* the sanitizer sees every byte that is read beyond the end */
    memcpy(exact, message, length);
    enum sntp_kind kind = sntp_read(exact, length, NONCE, answer);
    free(exact);
    return kind;
}

static void a_question_tells_nothing(void)
{
    sntp_make(question, NONCE);
    CHECK_EQUAL(question[0], 0x23);
    for (unsigned i = 1; i < 40; i++)
        CHECK_EQUAL(question[i], 0);
    CHECK_EQUAL(read_be32(question + 40), NONCE >> 32);
    CHECK_EQUAL(read_be32(question + 44), (uint32_t)NONCE);
}

static void a_good_answer_is_read(void)
{
    nanoseconds received = 1700000000 * NS_PER_SECOND + 250 * NS_PER_MS, sent = received + NS_PER_MS;
    struct sntp_answer answer;
    sntp_make(question, NONCE);
    make_answer(message, question, received, sent);
    CHECK_EQUAL(read_exactly(SNTP_MESSAGE_SIZE, &answer), SNTP_TIME);
    CHECK(answer.received <= received && received - answer.received <= 1);
    CHECK(answer.sent <= sent && sent - answer.sent <= 1);
    CHECK_EQUAL(answer.distance, NS_PER_SECOND / 32); /* half of 1/32, and 1/64 */
    for (size_t length = 0; length < SNTP_MESSAGE_SIZE; length++)
        CHECK_EQUAL(read_exactly(length, &answer), SNTP_INVALID);
}

/* 7 February 2036, 06:28:16 UTC is second 0 of the next era. */
static void the_era_ends(void)
{
    struct sntp_answer answer;
    sntp_make(question, NONCE);
    make_answer(message, question, 2085978496 * NS_PER_SECOND, 2085978497 * NS_PER_SECOND);
    CHECK_EQUAL(read_be32(message + 32), 0);
    write_be32(message + 36, 1u << 31);
    CHECK_EQUAL(read_exactly(SNTP_MESSAGE_SIZE, &answer), SNTP_TIME);
    CHECK_EQUAL(answer.received, 2085978496 * NS_PER_SECOND + NS_PER_SECOND / 2);
}

/* One byte of a good answer set to something else. */
static const struct {
    const char *what;
    unsigned at;
    uint8_t value;
    enum sntp_kind expected;
} bad_bytes[] = {
    { "a question", 0, 4 << 3 | 3, SNTP_INVALID },
    { "a broadcast", 0, 4 << 3 | 5, SNTP_INVALID },
    { "version 0", 0, 4, SNTP_INVALID },
    { "version 5", 0, 5 << 3 | 4, SNTP_INVALID },
    { "version 3", 0, 3 << 3 | 4, SNTP_TIME },
    { "a leap second to come", 0, 1 << 6 | 4 << 3 | 4, SNTP_TIME },
    { "a second to be deleted", 0, 2 << 6 | 4 << 3 | 4, SNTP_TIME },
    { "a clock that is not synchronised", 0, 3 << 6 | 4 << 3 | 4, SNTP_INVALID },
    { "stratum 16", 1, 16, SNTP_INVALID },
    { "stratum 15", 1, 15, SNTP_TIME },
    { "another question's answer", 24, 0x77, SNTP_INVALID },
    { "the last byte of the nonce", 31, 0x77, SNTP_INVALID },
    { "a root delay of 4 s", 5, 4, SNTP_INVALID },
    { "a dispersion of 2 s", 9, 2, SNTP_INVALID },
    { "sent before it was received", 41, 0, SNTP_INVALID },
};

static void bad_answers_are_refused(void)
{
    nanoseconds time = 1700000000 * NS_PER_SECOND;
    for (size_t i = 0; i < array_size(bad_bytes); i++) {
        struct sntp_answer answer;
        sntp_make(question, NONCE);
        make_answer(message, question, time, time);
        message[bad_bytes[i].at] = bad_bytes[i].value;
        if (read_exactly(SNTP_MESSAGE_SIZE, &answer) != bad_bytes[i].expected)
            host_fail(__FILE__, __LINE__, "%s", bad_bytes[i].what);
    }
}

static void kisses_of_death(void)
{
    static const struct {
        const char *code;
        enum sntp_kind expected;
    } kisses[] = { { "RATE", SNTP_RATE }, { "DENY", SNTP_DENIED }, { "RSTR", SNTP_DENIED }, { "INIT", SNTP_INVALID } };
    for (size_t i = 0; i < array_size(kisses); i++) {
        struct sntp_answer answer;
        sntp_make(question, NONCE);
        make_answer(message, question, 0, 0);
        message[1] = 0;
        memcpy(message + 12, kisses[i].code, 4);
        CHECK_EQUAL(read_exactly(SNTP_MESSAGE_SIZE, &answer), kisses[i].expected);
        message[24] ^= 1; /* by somebody who did not see the question */
        CHECK_EQUAL(read_exactly(SNTP_MESSAGE_SIZE, &answer), SNTP_INVALID);
    }
}

/* ---- The choice --------------------------------------------------------------------------------------------- */

static struct sntp_sample sample(int64_t offset, nanoseconds error)
{
    return (struct sntp_sample){ .offset = offset, .delay = error, .shortest = error, .error = error, .usable = true };
}

static void a_liar_is_outvoted(void)
{
    struct sntp_sample three[] = { sample(1000, 50), sample(-500000, 1), sample(1030, 40) };
    CHECK_EQUAL(sntp_choose(three, 3), 2);
    CHECK_EQUAL(sntp_choose(three, 2), -1); /* one word against another */
    CHECK_EQUAL(sntp_choose(three + 1, 1), 0);
    three[1].usable = false;
    CHECK_EQUAL(sntp_choose(three, 2), 0);
    CHECK_EQUAL(sntp_choose(three, 0), -1);
}

static void absurd_delays_do_not_count(void)
{
    struct sntp_answer answer = { .received = 50 * NS_PER_SECOND, .sent = 50 * NS_PER_SECOND, .distance = 7 };
    struct sntp_sample good = sntp_sample_of(10 * NS_PER_SECOND, 10 * NS_PER_SECOND + 2000, &answer);
    CHECK(good.usable);
    CHECK_EQUAL(good.offset, (int64_t)(40 * NS_PER_SECOND - 1000));
    CHECK_EQUAL(good.delay, 2000);
    CHECK_EQUAL(good.error, 1007);
    CHECK(!sntp_sample_of(10 * NS_PER_SECOND, 11 * NS_PER_SECOND, &answer).usable);
    answer.sent += 3000; /* longer on its way than we waited */
    CHECK(!sntp_sample_of(10 * NS_PER_SECOND, 10 * NS_PER_SECOND + 2000, &answer).usable);
}

/* ---- The thread --------------------------------------------------------------------------------------------- */

#define SECOND_SERVER 0x0a140005u /* beyond the gateway */
#define DRIFT_PPM 50

enum phase { LIES_FIRST, HOUR, SLOW_DOWN, SILENCE, REFUSED, END };

static struct {
    jmp_buf end;
    enum phase phase;
    const char *failure;
    unsigned questions, asked_second, answered;
    nanoseconds phase_since, last_question, worst, last_wall;
    uint64_t seed;
    bool queued;
    ipv4_t to;
    uint16_t port;
    uint8_t question[SNTP_MESSAGE_SIZE];
} story;

extern void (*thread_entry)(void *);
extern void *thread_argument;

#define EXPECT(condition) \
    do { \
        if (!(condition)) { \
            story.failure = #condition; \
            longjmp(story.end, 1); \
        } \
    } while (0)

/* The right time: 5 s ahead of the stack's at first, and gaining. */
static nanoseconds true_time(void)
{
    nanoseconds now = clock_monotonic();
    return 1700000005 * NS_PER_SECOND + now + now / 1000000 * DRIFT_PPM;
}

static nanoseconds clock_error(void)
{
    nanoseconds right = true_time(), wall = clock_wall();
    return right > wall ? right - wall : wall - right;
}

/* Up to `most`, the same in every run. */
static nanoseconds some(nanoseconds most)
{
    story.seed = story.seed * 6364136223846793005UL + 1442695040888963407UL;
    return (story.seed >> 33) % (most + 1);
}

static void story_sent(const uint8_t *frame, uint32_t length)
{
    if (read_be16(frame + 12) != 0x0800 || frame[23] != 17 || read_be16(frame + 36) != 123)
        return;
    EXPECT(length == 42 + SNTP_MESSAGE_SIZE);
    memcpy(story.question, frame + 42, SNTP_MESSAGE_SIZE);
    story.to = read_be32(frame + 30);
    story.port = read_be16(frame + 34);
    story.queued = true;
}

static void send_message(ipv4_t from, const uint8_t *body)
{
    uint8_t udp[8 + SNTP_MESSAGE_SIZE] = { 0, 123 };
    write_be16(udp + 2, story.port);
    write_be16(udp + 4, sizeof(udp));
    memcpy(udp + 8, body, SNTP_MESSAGE_SIZE);
    wire_inject_ip(from, WIRE_STACK, 17, 0, 0, udp, sizeof(udp));
}

/* The way there and back takes 200 us, and at times up to 2 ms more on one side. */
static void answer_rightly(void)
{
    bool queue = some(9) == 0;
    host_advance(100 * MICROSECOND + (queue ? some(2 * NS_PER_MS) : some(20 * MICROSECOND)));
    make_answer(message, story.question, true_time(), true_time());
    host_advance(100 * MICROSECOND + some(20 * MICROSECOND));
    send_message(story.to, message);
    story.answered++;
}

static void kiss(const char *code)
{
    make_answer(message, story.question, 0, 0);
    message[1] = 0;
    memcpy(message + 12, code, 4);
    send_message(story.to, message);
}

static void next_phase(void)
{
    story.phase++;
    story.phase_since = clock_monotonic();
    story.questions = story.answered = 0;
    story.worst = 0;
}

/* What is no answer of the server does not count; its answer after that sets the clock. */
static void lie_first(void)
{
    EXPECT(clock_error() > 4 * NS_PER_SECOND);
    make_answer(message, story.question, NS_PER_SECOND, NS_PER_SECOND);
    message[24] ^= 1;
    send_message(story.to, message); /* of another question */
    message[24] ^= 1;
    send_message(SECOND_SERVER, message); /* of a server that was not asked */
    answer_rightly();
    next_phase();
}

static void serve(void)
{
    nanoseconds period = clock_monotonic() - story.last_question;
    story.last_question = clock_monotonic();
    story.questions++;
    switch (story.phase) {
    case LIES_FIRST:
        lie_first();
        return;
    case HOUR:
        EXPECT(story.questions == 1 ? clock_error() < 2 * NS_PER_MS : period >= 15 * NS_PER_SECOND);
        answer_rightly();
        if (clock_monotonic() - story.phase_since > 3600 * NS_PER_SECOND)
            next_phase();
        return;
    case SLOW_DOWN:
        if (story.questions == 1)
            kiss("RATE");
        else
            answer_rightly();
        EXPECT(story.questions == 1 || period >= 64 * NS_PER_SECOND);
        EXPECT(story.questions <= 2 || period >= 127 * NS_PER_SECOND);
        if (story.questions == 3)
            next_phase();
        return;
    case SILENCE: /* 20 minutes */
        if (clock_monotonic() - story.phase_since < 1200 * NS_PER_SECOND)
            return;
        EXPECT(story.worst < 5 * NS_PER_MS); /* by the drift that was learnt */
        sntp_use((const struct sntp_source[]){ { .address = SECOND_SERVER }, { .address = WIRE_PEER } }, 2);
        next_phase();
        return;
    case REFUSED:
        story.asked_second += story.to == SECOND_SERVER;
        if (story.to == SECOND_SERVER)
            kiss("DENY");
        else
            answer_rightly();
        if (story.answered == 5)
            next_phase();
        return;
    case END:
        longjmp(story.end, 1);
    }
}

/* Looks at the clock whenever the thread sleeps: it is near the right time, and does not go back. */
static bool story_idle(void)
{
    wire_answer_arp();
    if (story.phase > LIES_FIRST) {
        nanoseconds wall = clock_wall();
        EXPECT(wall >= story.last_wall);
        story.last_wall = wall;
        if (clock_monotonic() - story.phase_since > 1800 * NS_PER_SECOND || story.phase == SILENCE)
            story.worst = max_of(story.worst, clock_error());
        EXPECT(story.phase != HOUR || story.worst <= NS_PER_MS);
    }
    if (!story.queued)
        return false;
    story.queued = false;
    serve();
    return true;
}

static unsigned steps;

static bool count_step(struct waiter *waiter, unsigned events)
{
    (void)waiter;
    (void)events;
    steps++;
    return true;
}

static void the_clock_follows_its_servers(void)
{
    struct waiter step;
    waiter_init_callback(&step, count_step);
    wait_add(&clock_steps, &step);
    wire_configure();
    wire_sent = story_sent;
    host_idle = story_idle;
    sntp_use((const struct sntp_source[]){ { .address = WIRE_PEER } }, 1);
    if (setjmp(story.end) == 0)
        thread_entry(thread_argument);
    if (story.failure)
        host_fail(__FILE__, __LINE__, "phase %d, question %u, %lu s in, clock wrong by %lu us, worst %lu us: %s",
                  story.phase, story.questions,
                  (unsigned long)((clock_monotonic() - story.phase_since) / NS_PER_SECOND),
                  (unsigned long)(clock_error() / 1000), (unsigned long)(story.worst / 1000), story.failure);
    wait_remove(&step);
    CHECK_EQUAL(story.phase, END);
    CHECK_EQUAL(steps, 1); /* by the first answer; what it corrects later is no step */
    CHECK_EQUAL(story.asked_second, 1);
    CHECK(clock_error() < NS_PER_MS);
}

int main(void)
{
    host_init();
    wire_start();
    host_test("sntp: a question tells nothing", a_question_tells_nothing);
    host_test("sntp: a good answer is read", a_good_answer_is_read);
    host_test("sntp: the era ends in 2036", the_era_ends);
    host_test("sntp: bad answers are refused", bad_answers_are_refused);
    host_test("sntp: kisses of death", kisses_of_death);
    host_test("sntp: a liar is outvoted", a_liar_is_outvoted);
    host_test("sntp: absurd delays do not count", absurd_delays_do_not_count);
    host_test("sntp: the clock follows its servers", the_clock_follows_its_servers);
    return host_result();
}

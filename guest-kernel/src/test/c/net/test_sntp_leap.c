/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leap seconds, and jumps of servers' clocks: the SNTP client's thread against three servers on the wire, whose clocks
 * run at another rate than the stack's, on the virtual clock. Each story is the hours around one midnight, in a process
 * of its own, since the thread lives as long as the kernel.
 *
 * Whatever the servers do, the wall clock never goes back, and after an hour it is right again. When they are silent
 * after that, it stays right, by the drift that it learnt before.
 */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/host.h"
#include "net/net.h"
#include "net/sntp.h"
#include "net/wire.h"

#define UNIX_EPOCH 2208988800u
#define DRIFT_PPM 50
#define SECOND ((int64_t)NS_PER_SECOND)
#define HOUR (3600 * SECOND)
#define MILLISECOND (SECOND / 1000)
#define SERVERS 3
#define ALL 7u /* bits: servers */
#define FIRST_ONLY 1u
#define NEVER INT64_MAX

static const ipv4_t addresses[SERVERS] = { WIRE_PEER, 0x0a140005, 0x0a140006 };

#define NEW_YEAR_2017 1483228800 /* after the last leap second so far */
#define MARCH_2019 1551398400
#define MID_MARCH_2019 1552608000

/* Times are of the servers, in ns from midnight, as if there were no leap second. */
struct story {
    const char *name;
    int64_t midnight;       /* seconds since 1970 */
    int64_t begin;          /* 0: two hours before */
    int announced;          /* the leap second in their answers, ... */
    unsigned announcing;    /* ... by these, ... */
    int64_t withdrawn;      /* ... until then */
    int64_t step;           /* what is added to their clocks, ... */
    unsigned stepping;      /* ... to those of these, ... */
    int64_t from;           /* ... then, ... */
    int64_t smeared;        /* ... spread over this time */
    int64_t silent_from;    /* no server answers for an hour */
    bool seldom;            /* they want to be asked seldom */
    int64_t right_until;    /* since half an hour after the begin: 1 ms at most, and 2 ms while they are silent; ... */
    int64_t right_again;    /* ... and again from then on */
    const char *log;        /* what has to be logged, ... */
    const char *not_logged; /* ... and what must not */
};

#define INSERTED "the time servers announce a leap second, which is inserted"
#define DELETED "the time servers announce a leap second, which is deleted"
#define ANNOUNCED "announce a leap second"
#define WITHDRAWN "no longer announce a leap second"

/* clang-format off */
static const struct story stories[] = {
    { .name = "a second is inserted", .midnight = NEW_YEAR_2017, .announced = 1, .announcing = ALL, .withdrawn = NEVER,
      .step = -SECOND, .stepping = ALL, .right_again = 2010 * SECOND, .log = INSERTED, .not_logged = WITHDRAWN },
    { .name = "a second is deleted", .midnight = NEW_YEAR_2017, .announced = -1, .announcing = ALL, .withdrawn = NEVER,
      .step = SECOND, .stepping = ALL, .from = -SECOND, .right_until = -SECOND, .right_again = 2010 * SECOND,
      .log = DELETED, .not_logged = WITHDRAWN },
    { .name = "the warning ends with the day", .midnight = NEW_YEAR_2017, .announced = 1, .announcing = ALL,
      .withdrawn = 0, .step = -SECOND, .stepping = ALL, .right_again = 2010 * SECOND, .log = INSERTED,
      .not_logged = WITHDRAWN },
    { .name = "the end of any month may have a leap second", .midnight = MARCH_2019, .announced = 1, .announcing = ALL,
      .withdrawn = NEVER, .step = -SECOND, .stepping = ALL, .right_again = 2010 * SECOND, .log = INSERTED },
    { .name = "no other day has a leap second", .midnight = MID_MARCH_2019, .announced = 1, .announcing = ALL,
      .withdrawn = NEVER, .right_until = NEVER, .not_logged = ANNOUNCED },
    { .name = "an announcement is withdrawn", .midnight = NEW_YEAR_2017, .announced = 1, .announcing = ALL,
      .withdrawn = -600 * SECOND, .right_until = NEVER, .log = WITHDRAWN },
    { .name = "one of three servers announces and steps", .midnight = NEW_YEAR_2017, .announced = 1,
      .announcing = FIRST_ONLY, .withdrawn = NEVER, .step = -SECOND, .stepping = FIRST_ONLY, .right_until = NEVER,
      .not_logged = ANNOUNCED },
    { .name = "two of three servers announce", .midnight = NEW_YEAR_2017, .announced = 1, .announcing = 6,
      .withdrawn = NEVER, .step = -SECOND, .stepping = ALL, .right_again = 2010 * SECOND, .log = INSERTED },
    { .name = "what was announced does not happen", .midnight = NEW_YEAR_2017, .announced = 1, .announcing = ALL,
      .withdrawn = NEVER, .right_again = HOUR, .log = INSERTED },
    { .name = "a leap second that nobody announced", .midnight = NEW_YEAR_2017, .step = -SECOND, .stepping = ALL,
      .right_again = 2100 * SECOND, .not_logged = ANNOUNCED },
    { .name = "a jump leaves the drift as it is", .midnight = MID_MARCH_2019, .step = SECOND, .stepping = ALL,
      .silent_from = 70 * SECOND, .right_again = 2200 * SECOND },
    { .name = "servers jump for another reason", .midnight = MID_MARCH_2019, .step = 3 * SECOND / 2, .stepping = ALL,
      .from = -1700 * SECOND, .right_until = -1700 * SECOND, .right_again = HOUR },
    { .name = "servers smear", .midnight = NEW_YEAR_2017, .begin = -16 * HOUR, .step = -SECOND, .stepping = ALL,
      .from = -12 * HOUR, .smeared = 24 * HOUR, .right_until = NEVER, .not_logged = ANNOUNCED },
    { .name = "no server answers around midnight", .midnight = NEW_YEAR_2017, .announced = 1, .announcing = ALL,
      .withdrawn = NEVER, .step = -SECOND, .stepping = ALL, .silent_from = -1200 * SECOND,
      .right_again = 2010 * SECOND, .log = INSERTED },
    { .name = "a guest asks seldom", .midnight = NEW_YEAR_2017, .announced = 1, .announcing = ALL, .withdrawn = NEVER,
      .step = -SECOND, .stepping = ALL, .seldom = true, .right_again = HOUR, .log = INSERTED },
};
/* clang-format on */

static struct {
    const struct story *story;
    jmp_buf end;
    const char *failure;
    nanoseconds last_wall;
    uint64_t seed;
    unsigned kisses;
    bool queued;
    ipv4_t to;
    uint16_t port;
    uint8_t question[SNTP_MESSAGE_SIZE];
} now;

extern void (*thread_entry)(void *);
extern void *thread_argument;

#define EXPECT(condition) \
    do { \
        if (!(condition)) { \
            now.failure = #condition; \
            longjmp(now.end, 1); \
        } \
    } while (0)

/* ---- The servers' time -------------------------------------------------------------------------------------- */

/* From midnight, by a clock that does not leap. */
static int64_t elapsed(void)
{
    int64_t passed = (int64_t)clock_monotonic();
    return now.story->begin + passed + passed / 1000000 * DRIFT_PPM;
}

static int64_t step_at(int64_t time)
{
    const struct story *story = now.story;
    if (time < story->from)
        return 0;
    if (time - story->from >= story->smeared)
        return story->step;
    return (int64_t)((__int128)story->step * (time - story->from) / story->smeared);
}

static nanoseconds time_of(unsigned server)
{
    int64_t time = elapsed();
    return (nanoseconds)(now.story->midnight * SECOND + time + (now.story->stepping >> server & 1 ? step_at(time) : 0));
}

/* Of most servers; a step of one alone is a fault of it. */
static int64_t clock_error(void)
{
    int64_t error = (int64_t)(time_of(SERVERS - 1) - clock_wall());
    return error < 0 ? -error : error;
}

static bool is_silent(void)
{
    int64_t silence = now.story->silent_from, time = elapsed();
    return (silence && time >= silence && time < silence + HOUR) || time > now.story->smeared / 2 + HOUR + 600 * SECOND;
}

/* ---- The servers -------------------------------------------------------------------------------------------- */

/* Up to `most`, the same in every run. */
static nanoseconds some(nanoseconds most)
{
    now.seed = now.seed * 6364136223846793005UL + 1442695040888963407UL;
    return (now.seed >> 33) % (most + 1);
}

static void put_stamp(uint8_t *to, nanoseconds time)
{
    write_be32(to, (uint32_t)(time / NS_PER_SECOND) + UNIX_EPOCH);
    write_be32(to + 4, (uint32_t)((time % NS_PER_SECOND << 32) / NS_PER_SECOND));
}

static void on_sent(const uint8_t *frame, uint32_t length)
{
    if (read_be16(frame + 12) != 0x0800 || frame[23] != 17 || read_be16(frame + 36) != 123)
        return;
    EXPECT(length == 42 + SNTP_MESSAGE_SIZE);
    memcpy(now.question, frame + 42, SNTP_MESSAGE_SIZE);
    now.to = read_be32(frame + 30);
    now.port = read_be16(frame + 34);
    now.queued = true;
}

static void send_message(const uint8_t *body)
{
    uint8_t udp[8 + SNTP_MESSAGE_SIZE] = { 0, 123 };
    write_be16(udp + 2, now.port);
    write_be16(udp + 4, sizeof(udp));
    memcpy(udp + 8, body, SNTP_MESSAGE_SIZE);
    wire_inject_ip(now.to, WIRE_STACK, 17, 0, 0, udp, sizeof(udp));
}

/* Nobody is asked near an announced leap second, when answers may be of either side of it. */
static void check_distance_of_leap(void)
{
    const struct story *story = now.story;
    int64_t since = elapsed() - story->from;
    bool announced = story->log && story->withdrawn >= 0;
    EXPECT(!announced || since > 4 * SECOND || since < -SECOND);
}

static unsigned leap_indicator(unsigned server)
{
    const struct story *story = now.story;
    bool announces = story->announcing >> server & 1 && elapsed() < story->withdrawn;
    return !announces ? 0 : story->announced > 0 ? 1 : 2;
}

/* The way there and back takes 200 us, and at times up to 2 ms more on one side. */
static void answer(unsigned server)
{
    uint8_t message[SNTP_MESSAGE_SIZE] = { 0 };
    bool kiss = now.story->seldom && elapsed() > now.story->begin + HOUR / 4 && now.kisses < 5;
    now.kisses += kiss;
    host_advance(100 * NS_PER_US + some(some(9) == 0 ? 2 * NS_PER_MS : 20 * NS_PER_US));
    message[0] = (uint8_t)(leap_indicator(server) << 6 | 4 << 3 | 4);
    message[1] = kiss ? 0 : 2;
    write_be32(message + 4, 0x00000080); /* root delay and dispersion: 2 ms */
    write_be32(message + 8, 0x00000080);
    memcpy(message + 12, "RATE", 4);
    memcpy(message + 24, now.question + 40, 8);
    put_stamp(message + 32, time_of(server));
    put_stamp(message + 40, time_of(server));
    host_advance(100 * NS_PER_US + some(20 * NS_PER_US));
    send_message(message);
}

static void look_at_the_clock(void)
{
    const struct story *story = now.story;
    int64_t time = elapsed();
    bool settled = time > story->begin + HOUR / 2;
    nanoseconds wall = clock_wall();
    EXPECT(now.last_wall <= wall || !settled); /* the first answer sets it */
    now.last_wall = wall;
    if (settled && (time < story->right_until || time > story->right_again))
        EXPECT(clock_error() <= (is_silent() ? 2 * MILLISECOND : MILLISECOND));
    if (time > story->smeared / 2 + 2 * HOUR)
        longjmp(now.end, 1);
}

static bool on_idle(void)
{
    wire_answer_arp();
    look_at_the_clock();
    if (!now.queued)
        return false;
    now.queued = false;
    check_distance_of_leap();
    for (unsigned i = 0; i < SERVERS && !is_silent(); i++)
        if (now.to == addresses[i])
            answer(i);
    return true;
}

/* ---- The stories -------------------------------------------------------------------------------------------- */

static void check_log(const struct story *story)
{
    const char *log = host_log();
    if (story->log && !strstr(log, story->log))
        now.failure = story->log;
    if (story->not_logged && strstr(log, story->not_logged))
        now.failure = story->not_logged;
    if (strstr(log, "contradict"))
        now.failure = "the servers contradict each other";
}

static void live_through(void)
{
    struct sntp_source sources[SERVERS] = { 0 };
    for (unsigned i = 0; i < SERVERS; i++)
        sources[i].address = addresses[i];
    wire_configure();
    wire_sent = on_sent;
    host_idle = on_idle;
    sntp_use(sources, SERVERS);
    if (setjmp(now.end) == 0)
        thread_entry(thread_argument);
    if (!now.failure)
        check_log(now.story);
}

/* In a process of its own, which says on stderr what went wrong. */
static bool goes_well(const struct story *story)
{
    int status = 1;
    pid_t child = fork();
    if (child == 0) {
        now.story = story;
        live_through();
        if (now.failure)
            fprintf(stderr, "# begun %ld s before midnight, %ld s after it, clock wrong by %ld us: %s\n",
                    (long)(-story->begin / SECOND), (long)(elapsed() / SECOND), (long)(clock_error() / 1000),
                    now.failure);
        _exit(now.failure != NULL);
    }
    return waitpid(child, &status, 0) == child && status == 0;
}

/* Rounds a minute apart come at any second of midnight's. */
static void live_at_any_second(void)
{
    struct story story = *now.story;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        story.begin = (now.story->begin ? now.story->begin : -2 * HOUR) - shift * SECOND;
        CHECK(goes_well(&story));
    }
}

int main(void)
{
    host_init();
    wire_start();
    for (size_t i = 0; i < array_size(stories); i++) {
        char name[80];
        snprintf(name, sizeof(name), "sntp: %s", stories[i].name);
        now.story = &stories[i];
        host_test(name, live_at_any_second);
    }
    return host_result();
}

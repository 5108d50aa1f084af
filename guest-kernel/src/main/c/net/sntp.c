/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SNTP client's thread. Each round asks every server once, chooses one answer (sntp_choose()), lets the clock
 * follow it (sntp_follow()) and sleeps for a period, at whose end, and when a leap second comes, the clock goes on
 * without an answer (sntp_coast()). A question goes out from a socket of its own: it has a port that is hard to guess,
 * and only the server that was asked can answer.
 *
 * sntp_use() is called when the network changes. Spinlock "time servers" guards `wanted`, which the thread
 * copies before a round if it has changed; the rest is the thread's, but for sntp_restored(), which is called by an
 * interrupt handler.
 */
#include "net/sntp.h"

#include "core/debug.h"
#include "core/log.h"
#include "core/random.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "net/kernel_socket.h"
#include "threads/thread.h"
#include "threads/timer.h"
#include "threads/wait.h"

#define SERVER_PORT 123
#define ANSWER_PATIENCE NS_PER_SECOND
#define FIRST_ROUNDS 4                    /* until the drift is known roughly, ... */
#define FIRST_PERIOD (16 * NS_PER_SECOND) /* ... MINPOLL: RFC 5905 7.2 */
#define PERIOD (64 * NS_PER_SECOND)
#define LONGEST_PERIOD (1024 * NS_PER_SECOND) /* RFC 5905 7.2: where servers are asked for long */

static struct spinlock lock = SPINLOCK(LOCK_TIME_SERVERS);
static struct { /* lock */
    struct sntp_source sources[SNTP_SERVERS];
    unsigned count;
    unsigned generation; /* changes with the sources and in sntp_restored(); 0: there were none yet */
} wanted;
static struct wait_queue changed = WAIT_QUEUE(changed);

static struct {
    struct sntp_servers servers;
    unsigned generation; /* of what the servers are from */
    struct sntp_clock clock;
    struct wall_time wall;
    unsigned rounds;
    nanoseconds period; /* the least that the servers want */
    bool silence_reported;
} client = { .period = PERIOD };

/* ---- One question ------------------------------------------------------------------------------------------- */

/* Waits for the answer to this question; others are dropped. */
static enum sntp_kind receive_answer(struct file *file, uint64_t nonce, nanoseconds deadline,
                                     struct sntp_answer *answer)
{
    enum sntp_kind kind = SNTP_INVALID;
    while (kind == SNTP_INVALID) {
        uint8_t message[SNTP_MESSAGE_SIZE];
        ssize_type length = kernel_socket_receive(file, message, sizeof(message), deadline);
        if (length < 0)
            break;
        kind = sntp_read(message, (size_t)length, nonce, answer);
    }
    return kind;
}

static enum sntp_kind ask(ipv4_t server, struct sntp_sample *sample)
{
    struct file *file;
    struct sntp_answer answer;
    uint8_t message[SNTP_MESSAGE_SIZE];
    enum sntp_kind kind = SNTP_INVALID;
    nanoseconds deadline = clock_monotonic() + ANSWER_PATIENCE;
    if (kernel_socket_connect(SOCK_DGRAM, (struct endpoint){ ip_of_ipv4(server), SERVER_PORT }, deadline, &file) < 0)
        return kind;
    uint64_t nonce = random_u64();
    sntp_make(message, nonce);
    nanoseconds asked = clock_wall();
    if (kernel_socket_send(file, message, sizeof(message), deadline) == 0)
        kind = receive_answer(file, nonce, deadline, &answer);
    if (kind == SNTP_TIME)
        *sample = sntp_sample_of(asked, clock_wall(), &answer);
    file_put(file);
    /* The clock may have been set in between. */
    return read_once(wanted.generation) == client.generation ? kind : SNTP_INVALID;
}

/* ---- A round ------------------------------------------------------------------------------------------------ */

static void deny(struct sntp_server *server)
{
    char text[IPV4_TEXT];
    server->denied = true;
    log_error("the time server %s refuses to serve this machine; name another one in the image's time setting",
              ipv4_format(text, server->address));
}

static void heed_failure(enum sntp_kind kind, struct sntp_server *server)
{
    if (kind == SNTP_DENIED)
        deny(server);
    else if (kind == SNTP_RATE)
        client.period = min_of(2 * client.period, (nanoseconds)LONGEST_PERIOD);
    else
        server->missed++;
}

/* True: it has given a sample. */
static bool sample_from(struct sntp_server *server, struct sntp_sample *sample)
{
    enum sntp_kind kind = ask(server->address, sample);
    if (kind == SNTP_TIME)
        sntp_server_answered(server, sample);
    else
        heed_failure(kind, server);
    return kind == SNTP_TIME;
}

static void report_leap(int before)
{
    int leap = client.clock.leap;
    if (leap != 0 && leap != before)
        log_info("the time servers announce a leap second, which is %s at the end of this UTC day; the clock works it "
                 "off in the half hour after that",
                 leap > 0 ? "inserted" : "deleted");
    else if (leap == 0 && before != 0)
        log_info("the time servers no longer announce a leap second");
}

static void follow(const struct sntp_sample *sample, ipv4_t server, nanoseconds period)
{
    bool first = !client.clock.met, stepped;
    int leap = client.clock.leap;
    char text[IPV4_TEXT];
    client.wall = sntp_follow(&client.clock, &client.wall, clock_monotonic(), sample, period, &stepped);
    clock_set_wall(&client.wall);
    if (stepped)
        wake(&clock_steps, 0);
    client.silence_reported = false;
    report_leap(leap);
    if (first)
        log_info("time from %s: the clock was off by %ld us and %s", ipv4_format(text, server),
                 (long)(sample->offset / 1000), stepped ? "was set" : "is corrected gradually");
}

static void report_silence(bool answers)
{
    if (client.silence_reported)
        return;
    client.silence_reported = true;
    log_error(answers ? "the time servers contradict each other, so the clock follows none of them; check them"
                      : "no time server answers; check the network, or the servers in the image's time setting");
}

static void ask_all(nanoseconds period)
{
    struct sntp_sample samples[SNTP_SERVERS];
    ipv4_t from[SNTP_SERVERS];
    unsigned asked = 0, answered = 0;
    for (unsigned i = 0; i < client.servers.count; i++) {
        struct sntp_server *server = &client.servers.items[i];
        if (server->denied)
            continue;
        asked++;
        if (sample_from(server, &samples[answered]))
            from[answered++] = server->address;
    }
    int chosen = sntp_choose(samples, answered);
    if (chosen >= 0) {
        samples[chosen].leap = sntp_leap_of(samples, answered, (unsigned)chosen);
        follow(&samples[chosen], from[chosen], period);
    } else if (asked > 0) {
        report_silence(answered > 0);
    }
}

/* Machines that start together soon ask at different times. */
static nanoseconds next_period(void)
{
    nanoseconds period = client.rounds < FIRST_ROUNDS ? FIRST_PERIOD : client.period;
    client.rounds++;
    return period + random_below(period / 16);
}

static void take_wanted(void)
{
    spin_lock(&lock);
    if (client.generation != wanted.generation)
        sntp_servers_begin(&client.servers, wanted.sources, wanted.count);
    client.generation = wanted.generation;
    spin_unlock(&lock);
}

/* Until `end`, or until other servers are to be asked. */
static void wait_for_next_round(nanoseconds end, nanoseconds period)
{
    bool stay;
    do {
        nanoseconds leap = sntp_leap_due(&client.clock, &client.wall, clock_monotonic());
        (void)wait_until(&changed, read_once(wanted.generation) != client.generation, min_of(end, leap),
                         SLEEP_UNINTERRUPTIBLE);
        stay = read_once(wanted.generation) == client.generation && clock_monotonic() < end;
        if (!client.clock.met)
            continue;
        client.wall = sntp_coast(&client.clock, &client.wall, clock_monotonic(), period);
        clock_set_wall(&client.wall);
    } while (stay);
}

static void begin(void)
{
    client.wall = (struct wall_time){ .monotonic = clock_monotonic(), .wall = clock_wall() };
    client.clock = (struct sntp_clock){ 0 };
    client.rounds = 0;
}

/* The thread is not interrupted where it uses the clock's state, but where it waits. */
void sntp_restored(void)
{
    begin();
    spin_lock(&lock);
    if (wanted.generation > 0)
        wanted.generation++;
    spin_unlock(&lock);
    wake(&changed, 0);
}

static void run(void *unused)
{
    (void)unused;
    begin();
    for (;;) {
        nanoseconds period = next_period(), now = clock_monotonic(), end = now + period;
        take_wanted();
        sntp_servers_look_up(&client.servers, now);
        if (!sntp_leap_is_near(&client.clock, clock_wall()))
            ask_all(period);
        wait_for_next_round(end, period);
    }
}

/* Under the lock. A name is always the same string. */
static bool are_wanted(const struct sntp_source *sources, unsigned count)
{
    must_hold(&lock);
    bool same = count == wanted.count;
    for (unsigned i = 0; same && i < count; i++)
        same = wanted.sources[i].name == sources[i].name && wanted.sources[i].address == sources[i].address;
    return same;
}

void sntp_use(const struct sntp_source *sources, unsigned count)
{
    count = min_of(count, (unsigned)SNTP_SERVERS);
    spin_lock(&lock);
    if (are_wanted(sources, count)) {
        spin_unlock(&lock);
        return;
    }
    bool start = wanted.generation == 0 && count > 0;
    wanted.count = count;
    for (unsigned i = 0; i < count; i++)
        wanted.sources[i] = sources[i];
    if (start || wanted.generation > 0)
        wanted.generation++;
    spin_unlock(&lock);
    if (start)
        thread_start_kernel("sntp", run, NULL);
    wake(&changed, 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that sends the journal. It takes one line at a time and tries until that line is sent, while the journal
 * keeps what comes and drops the oldest when it is full; so the program never waits for the network. After a failure
 * the thread closes its socket, waits, for twice as long each time, and looks the name up again. What UDP loses on the
 * way, and what TCP had taken when a connection ended, is not known here.
 *
 * `sender` is the thread's; `ending` and `idle` are flags for syslog_end(), written by one side each.
 */
#include "net/syslog.h"

#include "core/log.h"
#include "core/random.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"
#include "net/dns.h"
#include "net/kernel_socket.h"
#include "threads/thread.h"
#include "threads/wait.h"

#define SEND_PATIENCE (10 * NS_PER_SECOND) /* for connecting, and for each message */
#define FIRST_PAUSE NS_PER_SECOND
#define LONGEST_PAUSE (60 * NS_PER_SECOND)
#define REPORT_PERIOD (600 * NS_PER_SECOND)  /* between two lines about failures */
#define UDP_LIFETIME (300 * NS_PER_SECOND)   /* until a name is looked up again, since UDP does not say that it fails */
#define LENGTH_MAX 8                         /* "2048 ", before a message over TCP */
#define OVER (POLLERR | POLLHUP | POLLRDHUP) /* what poll() says of a connection that the peer has ended */

static struct {
    struct thread *thread; /* NULL: not started yet */
    struct syslog_target target;
    struct syslog_origin origin;
    struct file *file; /* NULL: not connected */
    nanoseconds connected, reported;
    char buffer[LENGTH_MAX + SYSLOG_MESSAGE];
} sender;
static bool ending, idle;
static struct wait_queue end_wanted = WAIT_QUEUE(end_wanted), all_sent = WAIT_QUEUE(all_sent);

/* ---- Sending ---------------------------------------------------------------------------------------------- */

static void disconnect(void)
{
    if (sender.file)
        file_put(sender.file);
    sender.file = NULL;
}

static bool is_usable(void)
{
    if (!sender.file)
        return false;
    if (!sender.target.tcp)
        return clock_monotonic() - sender.connected < UDP_LIFETIME;
    struct socket *socket = socket_of(sender.file);
    return !(socket->operations->poll(socket) & OVER);
}

static int connect(void)
{
    struct endpoint peer = { .port = sender.target.port };
    disconnect();
    struct dns_addresses addresses;
    int error = dns_resolve(sender.target.host, &addresses);
    if (error < 0)
        return error;
    peer.address = ip_of_ipv4(addresses.items[0]);
    sender.connected = clock_monotonic();
    int type = sender.target.tcp ? SOCK_STREAM : SOCK_DGRAM;
    error = kernel_socket_connect(type, peer, sender.connected + SEND_PATIENCE, &sender.file);
    if (error < 0)
        sender.file = NULL;
    return error;
}

static int send(const char *data, size_t length)
{
    int error = is_usable() ? 0 : connect();
    if (error == 0)
        error = kernel_socket_send(sender.file, data, length, clock_monotonic() + SEND_PATIENCE);
    if (error < 0)
        disconnect();
    return error;
}

/* The line about a failure becomes part of the journal: a line that cannot be sent must not always cause another. */
static void report(int error)
{
    nanoseconds now = clock_monotonic();
    if (sender.reported != 0 && now - sender.reported < REPORT_PERIOD)
        return;
    sender.reported = now;
    log_error("the log cannot be sent to %s port %u (%s) and is sent later; check that machine, the network and the "
              "image's logTo setting",
              sender.target.host, sender.target.port, errno_name(error));
}

/* Waits between two attempts, for about that long, or until the end. */
static void pause(nanoseconds time)
{
    nanoseconds until = clock_monotonic() + time + random_below(time / 4);
    (void)wait_until(&end_wanted, read_once(ending), until, SLEEP_UNINTERRUPTIBLE);
}

/* Sends until it works; at the end, until the second failure, since the first may be an old one that UDP reports. */
static void deliver(const struct journal_line *line)
{
    char *message = sender.buffer + LENGTH_MAX, prefix[LENGTH_MAX] = "";
    size_t length = syslog_format(message, &sender.origin, line), prefix_length = 0;
    if (sender.target.tcp)
        prefix_length = (size_t)format(prefix, sizeof(prefix), "%lu ", length);
    memcpy(message - prefix_length, prefix, prefix_length);
    for (nanoseconds time = FIRST_PAUSE;; time = min_of(2 * time, (nanoseconds)LONGEST_PAUSE)) {
        bool last = read_once(ending) && time > FIRST_PAUSE;
        int error = send(message - prefix_length, prefix_length + length);
        if (error == 0 || last)
            return;
        report(error);
        pause(time);
    }
}

/* ---- The thread ------------------------------------------------------------------------------------------- */

static void deliver_loss(const struct journal_line *before)
{
    static struct journal_line line = { .source = JOURNAL_KERNEL, .severity = SEVERITY_WARNING };
    line.time = before->time;
    line.length = (size_t)format(line.text, sizeof(line.text),
                                 "%lu lines of the log were lost before this one, since "
                                 "more was written than could be sent",
                                 before->lost);
    deliver(&line);
}

static void take(struct journal_line *line)
{
    for (;;) {
        sleep_prepare();
        write_once(idle, false);
        if (journal_take(line))
            return;
        write_once(idle, true);
        wake(&all_sent, 0);
        (void)sleep_until(NO_DEADLINE, SLEEP_UNINTERRUPTIBLE);
    }
}

static void run(void *unused)
{
    static struct journal_line line;
    (void)unused;
    (void)net_wait_configured(NO_DEADLINE);
    for (;;) {
        take(&line);
        if (line.lost > 0)
            deliver_loss(&line);
        deliver(&line);
    }
}

static void filled(void)
{
    if (sender.thread)
        thread_wake_later(sender.thread);
}

bool syslog_start(const struct syslog_target *target, const struct syslog_origin *origin)
{
    sender.target = *target;
    sender.origin = *origin;
    if (!journal_start(filled))
        return false;
    sender.thread = thread_start_kernel("syslog", run, NULL);
    return true;
}

void syslog_end(void)
{
    if (!journal_started())
        return;
    journal_end_lines();
    write_once(ending, true);
    wake(&end_wanted, 0);
    (void)wait_until(&all_sent, read_once(idle) && journal_empty(), clock_monotonic() + SYSLOG_END_PATIENCE,
                     SLEEP_UNINTERRUPTIBLE);
}

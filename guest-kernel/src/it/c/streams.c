/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which a TCP socket says what happened: ends, resets, corks, and bytes out of band. */
#define _GNU_SOURCE
#include "connections.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>

/* ---- How a connection ends ------------------------------------------------------------------------------------- */

static void close_with_reset(int socket)
{
    struct linger reset = { .l_onoff = 1, .l_linger = 0 };
    CHECK_EQUAL(setsockopt(socket, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
    close(socket);
}

static int pending_error(int socket)
{
    int error = -1;
    socklen_t length = sizeof(error);
    CHECK_EQUAL(getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length), 0);
    return error;
}

/* A connection whose client got `data`, then the server's FIN if `fin`, then its reset. */
static int client_of_gone_server(const char *data, bool fin)
{
    int client, server;
    connected_pair(&client, &server);
    if (data[0] != 0) {
        CHECK_EQUAL(send(server, data, strlen(data), 0), strlen(data));
        CHECK(events_of(client, POLLIN, -1) & POLLIN); /* the reset would throw away what is not sent yet */
    }
    if (fin) {
        CHECK_EQUAL(shutdown(server, SHUT_WR), 0);
        CHECK(events_of(client, POLLRDHUP, -1) & POLLRDHUP);
    }
    close_with_reset(server);
    while (!(events_of(client, POLLHUP, -1) & POLLHUP))
        ;
    return client;
}

static void queued_data_outlives_a_reset(void)
{
    char text[16];
    int client = client_of_gone_server("answer", false);
    CHECK_EQUAL(events_of(client, POLLIN | POLLOUT | POLLRDHUP | POLLPRI, 0),
                POLLIN | POLLOUT | POLLRDHUP | POLLERR | POLLHUP);
    CHECK_EQUAL(recv(client, text, 3, 0), 3);
    CHECK_EQUAL(recv(client, text, sizeof(text), 0), 3);
    CHECK(memcmp(text, "wer", 3) == 0);
    CHECK_ERROR(recv(client, text, sizeof(text), 0), ECONNRESET);
    CHECK_EQUAL(recv(client, text, sizeof(text), 0), 0);
    CHECK_EQUAL(recv(client, text, sizeof(text), 0), 0);
    CHECK_ERROR(send(client, "x", 1, MSG_NOSIGNAL), EPIPE);
    close(client);
}

static void writer_hears_of_a_reset_first(void)
{
    char text[16];
    int client = client_of_gone_server("answer", false);
    CHECK_ERROR(send(client, "x", 1, MSG_NOSIGNAL), ECONNRESET);
    CHECK_ERROR(send(client, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_EQUAL(recv(client, text, sizeof(text), 0), 6);
    CHECK_EQUAL(recv(client, text, sizeof(text), 0), 0);
    CHECK_EQUAL(pending_error(client), 0);
    CHECK_EQUAL(events_of(client, POLLIN | POLLOUT | POLLRDHUP, 0), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
    close(client);
}

static void reset_after_the_end_leaves_the_end(void)
{
    char text[16];
    int client = client_of_gone_server("answer", true);
    CHECK_EQUAL(recv(client, text, sizeof(text), 0), 6);
    CHECK_EQUAL(recv(client, text, sizeof(text), 0), 0);
    CHECK_EQUAL(recv(client, text, sizeof(text), MSG_DONTWAIT), 0);
    CHECK_EQUAL(pending_error(client), EPIPE);
    CHECK_EQUAL(pending_error(client), 0);
    CHECK_EQUAL(recv(client, text, sizeof(text), 0), 0);
    CHECK_ERROR(send(client, "x", 1, MSG_NOSIGNAL), EPIPE);
    close(client);
}

static void writer_after_end_and_reset(void)
{
    char text[16];
    int client = client_of_gone_server("", true);
    CHECK_ERROR(send(client, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_EQUAL(recv(client, text, sizeof(text), 0), 0);
    CHECK_EQUAL(pending_error(client), 0);
    close(client);
}

static void peek_and_error_option_after_a_reset(void)
{
    char text[16];
    int waiting = -1, client = client_of_gone_server("answer", false);
    CHECK_EQUAL(recv(client, text, sizeof(text), MSG_PEEK), 6);
    CHECK_EQUAL(ioctl(client, FIONREAD, &waiting), 0);
    CHECK_EQUAL(waiting, 6);
    CHECK_EQUAL(pending_error(client), ECONNRESET);
    CHECK_EQUAL(recv(client, text, sizeof(text), MSG_WAITALL), 6);
    CHECK_EQUAL(recv(client, text, sizeof(text), 0), 0);
    close(client);
}

/* A server that answers before it has read the question, as one does that says 413, and closes: its answer is read. */
static void early_answer_is_not_lost(void)
{
    static char block[100000];
    char text[16];
    int client, server;
    ssize_t sent;
    connected_pair(&client, &server);
    CHECK_EQUAL(fcntl(client, F_SETFL, O_NONBLOCK), 0);
    while (send(client, block, sizeof(block), MSG_NOSIGNAL) > 0)
        ;
    CHECK_EQUAL(errno, EAGAIN);
    CHECK_EQUAL(send(server, "413", 3, 0), 3);
    CHECK_EQUAL(shutdown(server, SHUT_WR), 0);
    CHECK(events_of(client, POLLRDHUP, -1) & POLLRDHUP);
    close(server);
    while (!(events_of(client, POLLHUP, -1) & POLLHUP))
        ;
    do
        sent = send(client, block, sizeof(block), MSG_NOSIGNAL);
    while (sent > 0);
    CHECK_EQUAL(errno, EPIPE);
    CHECK_EQUAL(recv(client, text, sizeof(text), 0), 3);
    CHECK(memcmp(text, "413", 3) == 0);
    CHECK_EQUAL(recv(client, text, sizeof(text), 0), 0);
    close(client);
}

static void data_is_read_after_shutdown_of_reading(void)
{
    char text[16];
    int client, server;
    connected_pair(&client, &server);
    CHECK_EQUAL(send(server, "one", 3, 0), 3);
    CHECK(events_of(client, POLLIN, -1) & POLLIN);
    CHECK_EQUAL(shutdown(client, SHUT_RD), 0);
    CHECK_EQUAL(events_of(client, POLLIN | POLLOUT | POLLRDHUP, 0), POLLIN | POLLOUT | POLLRDHUP);
    CHECK_EQUAL(recv(client, text, sizeof(text), 0), 3);
    CHECK_EQUAL(recv(client, text, sizeof(text), 0), 0);
    CHECK_EQUAL(send(server, "two", 3, 0), 3);
    int waiting = 0;
    while (waiting < 3)
        CHECK_EQUAL(ioctl(client, FIONREAD, &waiting), 0);
    CHECK_EQUAL(recv(client, text, sizeof(text), 0), 3);
    CHECK_EQUAL(recv(client, text, sizeof(text), 0), 0);
    CHECK_EQUAL(send(client, "still", 5, 0), 5);
    CHECK_EQUAL(recv(server, text, sizeof(text), 0), 5);
    close(client);
    close(server);
}

static void data_after_shutdown_of_both_is_refused(void)
{
    char text[16];
    int client, server;
    connected_pair(&client, &server);
    CHECK_EQUAL(shutdown(client, SHUT_RDWR), 0);
    CHECK(events_of(client, POLLIN, 0) & POLLHUP);
    CHECK_EQUAL(recv(server, text, sizeof(text), 0), 0);
    CHECK_EQUAL(send(server, "two", 3, MSG_NOSIGNAL), 3);
    while (!(events_of(server, POLLHUP, -1) & POLLHUP))
        ;
    CHECK_ERROR(send(server, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_EQUAL(recv(server, text, sizeof(text), 0), 0);
    CHECK_EQUAL(pending_error(client), ECONNRESET);
    CHECK_EQUAL(recv(client, text, sizeof(text), 0), 0);
    close(client);
    close(server);
}

static void sockets_without_a_peer(void)
{
    char text[4];
    struct sockaddr_in address = loopback(0);
    int listening = listener(), lonely = socket(AF_INET, SOCK_STREAM, 0), refused = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERROR(recv(lonely, text, sizeof(text), 0), ENOTCONN);
    CHECK_ERROR(send(lonely, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_ERROR(recv(listening, text, sizeof(text), 0), ENOTCONN);
    CHECK_ERROR(send(listening, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_ERROR(shutdown(lonely, SHUT_WR), ENOTCONN);
    address.sin_port = htons(port_of(listening));
    close(listening);
    CHECK_ERROR(connect(refused, (struct sockaddr *)&address, sizeof(address)), ECONNREFUSED);
    CHECK_ERROR(recv(refused, text, sizeof(text), 0), ENOTCONN);
    CHECK_ERROR(send(refused, "x", 1, MSG_NOSIGNAL), EPIPE);
    close(lonely);
    close(refused);
}

/* ---- Corks ----------------------------------------------------------------------------------------------------- */

static void set(int socket, int level, int name, int value)
{
    CHECK_EQUAL(setsockopt(socket, level, name, &value, sizeof(value)), 0);
}

static int waiting_bytes(int socket)
{
    int waiting = -1;
    CHECK_EQUAL(ioctl(socket, FIONREAD, &waiting), 0);
    return waiting;
}

static int unsent_bytes(int socket)
{
    int count = -1;
    CHECK_EQUAL(ioctl(socket, SIOCOUTQNSD, &count), 0);
    return count;
}

/* Something short that is corked waits, and then goes by itself: about 200 ms later. */
static void held_back_and_sent_in_time(int client, int server, int flags)
{
    char text[16];
    int64_t begin = now_ms();
    CHECK_EQUAL(send(client, "corked", 6, flags), 6);
    CHECK_EQUAL(events_of(server, POLLIN, -1), POLLIN);
    CHECK(now_ms() - begin >= 150);
    CHECK_EQUAL(recv(server, text, sizeof(text), 0), 6);
}

static void cork_lets_go_after_a_while(void)
{
    int client, server;
    connected_pair(&client, &server);
    set(client, IPPROTO_TCP, TCP_CORK, 1);
    held_back_and_sent_in_time(client, server, 0);
    held_back_and_sent_in_time(client, server, 0);
    set(client, IPPROTO_TCP, TCP_CORK, 0);
    held_back_and_sent_in_time(client, server, MSG_MORE);
    set(client, IPPROTO_TCP, TCP_NODELAY, 1);
    held_back_and_sent_in_time(client, server, MSG_MORE);
    close(client);
    close(server);
}

static void cork_holds_what_the_next_write_completes(void)
{
    char text[16];
    int client, server;
    connected_pair(&client, &server);
    CHECK_EQUAL(send(client, "head ", 5, MSG_MORE), 5);
    CHECK_EQUAL(send(client, "body", 4, 0), 4);
    CHECK_EQUAL(recv(server, text, sizeof(text), 0), 9);
    set(client, IPPROTO_TCP, TCP_CORK, 1);
    CHECK_EQUAL(send(client, "un", 2, 0), 2);
    CHECK_EQUAL(send(client, "cork", 4, 0), 4);
    set(client, IPPROTO_TCP, TCP_CORK, 0);
    CHECK_EQUAL(recv(server, text, sizeof(text), 0), 6);
    set(client, IPPROTO_TCP, TCP_CORK, 1);
    CHECK_EQUAL(send(client, "flush", 5, 0), 5);
    set(client, IPPROTO_TCP, TCP_NODELAY, 1);
    CHECK(unsent_bytes(client) == 0 || allocations_fail());
    CHECK_EQUAL(recv(server, text, sizeof(text), 0), 5);
    CHECK_EQUAL(send(client, "end", 3, 0), 3);
    CHECK_EQUAL(shutdown(client, SHUT_WR), 0);
    CHECK_EQUAL(recv(server, text, sizeof(text), MSG_WAITALL), 3);
    CHECK_EQUAL(recv(server, text, sizeof(text), 0), 0);
    close(client);
    close(server);
}

/* Full segments are never held back; the rest of a long write is. */
static void full_segments_pass_a_cork(void)
{
    static char block[200000];
    int client, server, segment;
    socklen_t length = sizeof(segment);
    connected_pair(&client, &server);
    CHECK_EQUAL(getsockopt(client, IPPROTO_TCP, TCP_MAXSEG, &segment, &length), 0);
    set(client, IPPROTO_TCP, TCP_CORK, 1);
    CHECK(2 * segment + 100 < (int)sizeof(block));
    CHECK_EQUAL(send(client, block, (size_t)segment + 100, 0), segment + 100);
    CHECK(unsent_bytes(client) <= 100);
    CHECK_EQUAL(recv(server, block, (size_t)segment, MSG_WAITALL), segment);
    set(client, IPPROTO_TCP, TCP_CORK, 0);
    CHECK_EQUAL(recv(server, block, 100, MSG_WAITALL), 100);
    close(client);
    close(server);
}

/* ---- Out of band ----------------------------------------------------------------------------------------------- */

static int at_mark(int socket)
{
    int mark = -1;
    CHECK_EQUAL(ioctl(socket, SIOCATMARK, &mark), 0);
    return mark;
}

static void await_bytes(int socket, int count)
{
    while (waiting_bytes(socket) < count)
        usleep(1000);
}

static void urgent_byte_leaves_the_stream(void)
{
    char text[16], byte = 0;
    int client, server;
    connected_pair(&client, &server);
    CHECK_ERROR(recv(server, &byte, 1, MSG_OOB), EINVAL);
    CHECK_EQUAL(send(client, "ab!", 3, MSG_OOB), 3);
    CHECK_EQUAL(events_of(server, POLLPRI, -1), POLLPRI);
    CHECK_EQUAL(send(client, "cd", 2, 0), 2);
    await_bytes(server, 2);
    CHECK_EQUAL(waiting_bytes(server), 2);
    CHECK_EQUAL(at_mark(server), 0);
    CHECK_EQUAL(recv(server, text, sizeof(text), 0), 2);
    CHECK(memcmp(text, "ab", 2) == 0);
    CHECK_EQUAL(at_mark(server), 1);
    CHECK_EQUAL(recv(server, &byte, 1, MSG_OOB | MSG_PEEK), 1);
    CHECK_EQUAL(recv(server, &byte, 1, MSG_OOB), 1);
    CHECK_EQUAL(byte, '!');
    CHECK_ERROR(recv(server, &byte, 1, MSG_OOB), EINVAL);
    CHECK_EQUAL(events_of(server, POLLPRI, 0), 0);
    CHECK_EQUAL(at_mark(server), 1);
    CHECK_EQUAL(recv(server, text, 2, MSG_WAITALL), 2);
    CHECK(memcmp(text, "cd", 2) == 0);
    CHECK_EQUAL(at_mark(server), 0);
    CHECK_ERROR(recv(server, &byte, 1, MSG_OOB), EINVAL);
    close(client);
    close(server);
}

static void urgent_byte_alone(void)
{
    char text[16], byte = 0;
    int client, server;
    connected_pair(&client, &server);
    CHECK_EQUAL(send(client, "!", 1, MSG_OOB), 1);
    CHECK_EQUAL(events_of(server, POLLPRI | POLLIN, -1), POLLPRI);
    CHECK_EQUAL(at_mark(server), 1);
    CHECK_EQUAL(waiting_bytes(server), 0);
    CHECK_ERROR(recv(server, text, sizeof(text), MSG_DONTWAIT), EAGAIN);
    /* The reader stepped over it, and with that the byte is gone. */
    CHECK_EQUAL(at_mark(server), 0);
    CHECK_ERROR(recv(server, &byte, 1, MSG_OOB), EINVAL);
    CHECK_EQUAL(send(client, "x", 1, 0), 1);
    CHECK_EQUAL(recv(server, text, sizeof(text), 0), 1);
    close(server);
    close(client);
}

static void urgent_byte_in_line(void)
{
    char text[16], byte;
    int client, server;
    connected_pair(&client, &server);
    set(server, SOL_SOCKET, SO_OOBINLINE, 1);
    CHECK_EQUAL(send(client, "ab", 2, 0), 2);
    CHECK_EQUAL(send(client, "!", 1, MSG_OOB), 1);
    CHECK_EQUAL(send(client, "cd", 2, 0), 2);
    await_bytes(server, 5);
    CHECK_EQUAL(events_of(server, POLLPRI | POLLIN, 0), POLLPRI | POLLIN);
    CHECK_ERROR(recv(server, &byte, 1, MSG_OOB), EINVAL);
    CHECK_EQUAL(recv(server, text, sizeof(text), 0), 2);
    CHECK_EQUAL(at_mark(server), 1);
    CHECK_EQUAL(recv(server, text, sizeof(text), 0), 3);
    CHECK(memcmp(text, "!cd", 3) == 0);
    CHECK_EQUAL(at_mark(server), 0);
    CHECK_EQUAL(events_of(server, POLLPRI | POLLIN, 0), 0);
    close(client);
    close(server);
}

static void reads_stop_at_the_mark(void)
{
    char text[16];
    int client, server;
    connected_pair(&client, &server);
    CHECK_EQUAL(send(client, "abc!", 4, MSG_OOB), 4);
    CHECK_EQUAL(send(client, "de", 2, 0), 2);
    await_bytes(server, 3);
    usleep(20000);
    CHECK_EQUAL(recv(server, text, sizeof(text), MSG_PEEK), 3);
    CHECK_EQUAL(recv(server, text, 5, MSG_WAITALL), 3);
    CHECK_EQUAL(recv(server, text, sizeof(text), MSG_PEEK), 2);
    CHECK(memcmp(text, "de", 2) == 0);
    CHECK_EQUAL(at_mark(server), 1);
    CHECK_EQUAL(recv(server, text, sizeof(text), 0), 2);
    close(client);
    close(server);
}

static void newer_urgent_byte_replaces_the_older(void)
{
    char text[16], byte = 0;
    int client, server;
    connected_pair(&client, &server);
    CHECK_EQUAL(send(client, "a1", 2, MSG_OOB), 2);
    CHECK_EQUAL(events_of(server, POLLPRI, -1), POLLPRI);
    CHECK_EQUAL(send(client, "b2", 2, MSG_OOB), 2);
    await_bytes(server, 3);
    usleep(20000);
    CHECK_EQUAL(recv(server, &byte, 1, MSG_OOB), 1);
    CHECK_EQUAL(byte, '2');
    CHECK_EQUAL(recv(server, text, sizeof(text), 0), 3);
    CHECK(memcmp(text, "a1b", 3) == 0);
    close(client);
    close(server);
}

static volatile sig_atomic_t urgent_signals;
static void count_urgent(int number) { urgent_signals += number == SIGURG; }

static void urgent_byte_is_signalled_to_the_owner(void)
{
    char byte;
    int client, server;
    connected_pair(&client, &server);
    signal(SIGURG, count_urgent);
    urgent_signals = 0;
    CHECK_EQUAL(fcntl(server, F_GETOWN), 0);
    CHECK_EQUAL(send(client, "1", 1, MSG_OOB), 1);
    CHECK_EQUAL(events_of(server, POLLPRI, -1), POLLPRI);
    CHECK_EQUAL(urgent_signals, 0);
    CHECK_EQUAL(recv(server, &byte, 1, MSG_OOB), 1);
    CHECK_EQUAL(fcntl(server, F_SETOWN, getpid()), 0);
    CHECK_EQUAL(fcntl(server, F_GETOWN), getpid());
    CHECK_EQUAL(send(client, "2", 1, MSG_OOB), 1);
    while (urgent_signals == 0)
        usleep(1000);
    CHECK_EQUAL(urgent_signals, 1);
    CHECK_EQUAL(recv(server, &byte, 1, MSG_OOB), 1);
    CHECK_EQUAL(byte, '2');
    CHECK_EQUAL(fcntl(server, F_SETOWN, 0), 0);
    CHECK_ERROR(fcntl(server, F_SETOWN, 99999999), ESRCH);
    signal(SIGURG, SIG_DFL);
    close(client);
    close(server);
}

static void unsent_bytes_are_counted(void)
{
    int client, server, count = -1;
    connected_pair(&client, &server);
    CHECK_EQUAL(ioctl(client, SIOCOUTQ, &count), 0);
    CHECK_EQUAL(count, 0);
    int64_t begin = now_ms();
    CHECK_EQUAL(send(client, "corked", 6, MSG_MORE), 6);
    int unsent = unsent_bytes(client);
    CHECK_EQUAL(ioctl(client, SIOCOUTQ, &count), 0);
    CHECK((unsent == 6 && count == 6) || now_ms() - begin >= 150);
    close(server);
    close(client);
}

SUITE(streams, TEST(queued_data_outlives_a_reset), TEST(writer_hears_of_a_reset_first),
      TEST(reset_after_the_end_leaves_the_end), TEST(writer_after_end_and_reset),
      TEST(peek_and_error_option_after_a_reset), TEST(early_answer_is_not_lost),
      TEST(data_is_read_after_shutdown_of_reading), TEST(data_after_shutdown_of_both_is_refused),
      TEST(sockets_without_a_peer), TEST(cork_lets_go_after_a_while), TEST(cork_holds_what_the_next_write_completes),
      TEST(full_segments_pass_a_cork), TEST(urgent_byte_leaves_the_stream), TEST(urgent_byte_alone),
      TEST(urgent_byte_in_line), TEST(reads_stop_at_the_mark), TEST(newer_urgent_byte_replaces_the_older),
      TEST(urgent_byte_is_signalled_to_the_owner), TEST(unsent_bytes_are_counted));

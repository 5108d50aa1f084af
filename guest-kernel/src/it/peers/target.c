/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server that hostile peers attack, in the guest: `target PORT [THREADS]`. A request is eight bytes, a letter, six
 * hexadecimal digits and a line feed: `g` asks for so many bytes of a pattern, `s` for a block of text about memory
 * and sockets, `c` is `g` for a connection that ends with it, `u` announces so many bytes, which one byte answers when
 * they have come, `q` ends the program. A connection serves any number of requests. One thread waits for all of them
 * and never for one: what cannot be sent yet is sent later, so a peer that does not read, or asks byte by byte, holds
 * no one up. Each of several threads has a socket of its own that listens at the port (SO_REUSEPORT), and the
 * connections that it accepts.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol.h"

#define FILES_MAX 16384
#define BACKLOG 512
#define THREADS_MAX 16u

static struct client {
    char request[REQUEST_LENGTH];
    unsigned have;       /* bytes of the request */
    uint32_t announced;  /* bytes that are to come before the next request */
    const char *data;    /* of the answer; NULL: the pattern */
    uint32_t size, sent; /* of the answer */
    bool waits;          /* for room to send */
    bool last;           /* the connection ends with this answer */
} clients[FILES_MAX];
static char pattern[PATTERN_PERIOD * 256 + PATTERN_PERIOD];
static _Thread_local char statistics[STATISTICS_LENGTH];
static _Thread_local char announced[65536]; /* where such bytes go */
static _Thread_local int epoll;

static _Noreturn void fail(const char *what)
{
    printf("not ok target: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- What there is --------------------------------------------------------------------------------------- */

static char *read_whole(const char *path)
{
    size_t room = 65536, length = 0;
    char *text = malloc(room);
    int file = open(path, O_RDONLY);
    if (file < 0 || text == NULL)
        fail(path);
    for (ssize_t count; (count = read(file, text + length, room - length - 1)) != 0; length += (size_t)count) {
        if (count < 0)
            fail(path);
        if (room - length - (size_t)count < 4096 && (text = realloc(text, room *= 2)) == NULL)
            fail(path);
    }
    close(file);
    text[length] = 0;
    return text;
}

/* Sockets by the state in which /proc/net/tcp shows them. */
static void count_states(unsigned counts[16])
{
    char *text = read_whole("/proc/net/tcp");
    for (char *line = strchr(text, '\n'); line != NULL && line[1] != 0; line = strchr(line + 1, '\n')) {
        unsigned state;
        if (sscanf(line + 1, " %*u: %*x:%*x %*x:%*x %x", &state) == 1 && state < 16)
            counts[state]++;
    }
    free(text);
}

static void collect_statistics(void)
{
    unsigned counts[16] = { 0 };
    unsigned long free_memory = 0;
    count_states(counts);
    char *text = read_whole("/proc/meminfo");
    const char *line = strstr(text, "MemFree:");
    if (line == NULL || sscanf(line, "MemFree: %lu", &free_memory) != 1)
        fail("/proc/meminfo");
    free(text);
    unsigned others = 0;
    for (unsigned i = 0; i < 16; i++)
        others += i != 1 && i != 3 && i != 6 && i != 10 ? counts[i] : 0;
    memset(statistics, ' ', sizeof(statistics));
    snprintf(statistics, sizeof(statistics), "free %lu established %u half-open %u time-wait %u closing %u\n",
             free_memory, counts[1], counts[3], counts[6], others);
}

/* ---- Connections ------------------------------------------------------------------------------------------- */

static void watch(int operation, int file, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.fd = file };
    if (epoll_ctl(epoll, operation, file, &event) != 0)
        fail("epoll_ctl");
}

static bool send_more(int file, struct client *client)
{
    while (client->sent < client->size) {
        uint32_t count = client->size - client->sent;
        const char *from = client->data != NULL ? client->data + client->sent
                                                : pattern + (client->sent + client->size) % PATTERN_PERIOD;
        if (client->data == NULL && count > PATTERN_PERIOD * 256)
            count = PATTERN_PERIOD * 256;
        ssize_t sent = send(file, from, count, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return false;
        if (sent < 0)
            break;
        client->sent += (uint32_t)sent;
    }
    bool waits = client->sent < client->size;
    if (waits != client->waits)
        watch(EPOLL_CTL_MOD, file, waits ? EPOLLOUT : EPOLLIN);
    client->waits = waits;
    return waits || !client->last;
}

/* Whoever asks may be hostile: anything but digits is refused. */
static bool read_size(const char *digits, uint32_t *size)
{
    *size = 0;
    for (unsigned i = 0; i < 6; i++) {
        if (!isxdigit((unsigned char)digits[i]))
            return false;
        int value = isdigit((unsigned char)digits[i]) ? digits[i] - '0' : (digits[i] | 32) - 'a' + 10;
        *size = *size * 16 + (uint32_t)value;
    }
    return digits[6] == '\n';
}

static bool obey(int file, struct client *client)
{
    char kind = client->request[0];
    uint32_t size;
    client->have = 0;
    if (!memchr("gcsuq", kind, 5) || !read_size(client->request + 1, &size))
        return false;
    if (kind == 'q')
        exit(0);
    client->announced = kind == 'u' ? size : 0;
    if (client->announced > 0)
        return true;
    if (kind == 's')
        collect_statistics();
    client->data = kind == 's' ? statistics : NULL;
    client->size = kind == 's' ? sizeof(statistics) : size;
    client->sent = 0;
    client->last = kind == 'c';
    return send_more(file, client);
}

static bool receive_announced(int file, struct client *client)
{
    size_t room = client->announced < sizeof(announced) ? client->announced : sizeof(announced);
    ssize_t count = recv(file, announced, room, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN)
        return true;
    if (count <= 0)
        return false;
    client->announced -= (uint32_t)count;
    client->data = NULL;
    client->size = 1;
    client->sent = 0;
    return client->announced > 0 || send_more(file, client);
}

static bool receive_more(int file, struct client *client)
{
    if (client->announced > 0)
        return receive_announced(file, client);
    ssize_t count = recv(file, client->request + client->have, REQUEST_LENGTH - client->have, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN)
        return true;
    if (count <= 0)
        return false;
    client->have += (unsigned)count;
    return client->have < REQUEST_LENGTH || obey(file, client);
}

static void serve(int file)
{
    struct client *client = &clients[file];
    if (!(client->waits ? send_more(file, client) : receive_more(file, client)))
        close(file);
}

/* A peer may be gone before it is accepted. */
static void accept_all(int listening)
{
    for (int file; (file = accept4(listening, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        if (file >= FILES_MAX) {
            close(file);
            continue;
        }
        clients[file] = (struct client){ .have = 0 };
        watch(EPOLL_CTL_ADD, file, EPOLLIN);
    }
}

static int listen_at(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    int on = 1, listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (setsockopt(listening, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0 ||
        bind(listening, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(listening, BACKLOG) != 0)
        fail("listen");
    return listening;
}

static void *serve_all(void *argument)
{
    int listening = *(const int *)argument;
    epoll = epoll_create1(0);
    watch(EPOLL_CTL_ADD, listening, EPOLLIN);
    for (;;) {
        struct epoll_event events[64];
        int count = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listening)
                accept_all(listening);
            else
                serve(events[i].data.fd);
        }
    }
    return NULL;
}

static void start(uint16_t port, unsigned threads)
{
    static int listening[THREADS_MAX];
    pthread_t thread;
    for (unsigned i = 0; i < threads; i++)
        listening[i] = listen_at(port);
    printf("serving\n");
    fflush(stdout);
    for (unsigned i = 1; i < threads; i++)
        if ((errno = pthread_create(&thread, NULL, serve_all, &listening[i])) != 0)
            fail("pthread_create");
    serve_all(&listening[0]);
}

int main(int argc, char **argv)
{
    struct rlimit limit;
    unsigned threads = argc == 3 ? (unsigned)atoi(argv[2]) : 1;
    if (argc < 2 || argc > 3 || threads < 1 || threads > THREADS_MAX)
        return 2;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    for (unsigned i = 0; i < sizeof(pattern); i++)
        pattern[i] = (char)(i % PATTERN_PERIOD);
    start((uint16_t)atoi(argv[1]), threads);
}

/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attacks.h"
#include "protocol.h"

#define PATIENCE 120 /* seconds without a byte: lost, not slow */

static pthread_t threads[CLIENTS];
static atomic_bool stopping;
static atomic_ullong answered;
static _Atomic(const char *) trouble;
static atomic_int trouble_error;

static bool report(const char *what)
{
    atomic_store(&trouble_error, errno);
    atomic_store(&trouble, what);
    return false;
}

static int connect_to_target(void)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(TARGET_PORT),
                              .sin_addr.s_addr = htonl(ADDRESS_TARGET) };
    struct timeval patience = { PATIENCE, 0 };
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(file, (struct sockaddr *)&to, sizeof(to)) == 0)
        return file;
    report("connect");
    close(file);
    return -1;
}

static bool receive_all(int file, uint8_t *to, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t count = recv(file, to + done, length - done, 0);
        if (count == 0)
            errno = EPIPE;
        if (count <= 0)
            return report("receive");
        done += (size_t)count;
    }
    return true;
}

static bool ask(int file, const char *request)
{
    return send(file, request, REQUEST_LENGTH, MSG_NOSIGNAL) == REQUEST_LENGTH || report("send");
}

static bool fetch(int file)
{
    uint8_t data[FETCH];
    char request[REQUEST_LENGTH + 1];
    snprintf(request, sizeof(request), "g%06x\n", FETCH);
    if (!ask(file, request) || !receive_all(file, data, sizeof(data)))
        return false;
    for (unsigned i = 0; i < FETCH; i++)
        if (data[i] != (i + FETCH) % PATTERN_PERIOD)
            return report("an answer has other contents");
    atomic_fetch_add(&answered, 1);
    return true;
}

static bool use_one_connection(unsigned number)
{
    struct sockaddr_in own;
    socklen_t length = sizeof(own);
    int file = connect_to_target();
    if (file < 0)
        return false;
    getsockname(file, (struct sockaddr *)&own, &length);
    client_ports[number] = ntohs(own.sin_port);
    bool ok = true;
    for (unsigned i = 0; ok && i < FETCHES && !atomic_load(&stopping); i++)
        ok = fetch(file);
    close(file);
    return ok;
}

static void *run(void *number)
{
    while (!atomic_load(&stopping) && use_one_connection((unsigned)(uintptr_t)number))
        ;
    return NULL;
}

void client_start(void)
{
    atomic_store(&stopping, false);
    for (unsigned i = 0; i < CLIENTS; i++)
        pthread_create(&threads[i], NULL, run, (void *)(uintptr_t)i);
}

void client_stop(void)
{
    atomic_store(&stopping, true);
    for (unsigned i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
}

uint64_t client_answered(void) { return atomic_load(&answered); }

void client_check(void)
{
    if (atomic_load(&trouble) == NULL)
        return;
    printf("not ok client: %s: %s\n", atomic_load(&trouble), strerror(atomic_load(&trouble_error)));
    exit(1);
}

void client_statistics(char *line, unsigned size)
{
    uint8_t block[STATISTICS_LENGTH];
    int file = connect_to_target();
    if (file >= 0 && ask(file, "s000000\n") && receive_all(file, block, sizeof(block)))
        snprintf(line, size, "%.*s", (int)strcspn((char *)block, "\n"), block);
    close(file);
    client_check();
}

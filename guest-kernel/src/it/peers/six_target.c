/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program in the guest: a server of both families on one socket of AF_INET6. Its commands are in six.h.
 */
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "six.h"

static int bound(int type)
{
    struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(SIX_PORT) };
    int file = socket(AF_INET6, type, 0);
    if (file < 0 || bind(file, (struct sockaddr *)&any, sizeof(any)) != 0) {
        perror("bind");
        exit(1);
    }
    return file;
}

static void *echo(void *unused)
{
    static char bytes[65536];
    int file = bound(SOCK_DGRAM);
    (void)unused;
    for (;;) {
        struct sockaddr_in6 from;
        socklen_t size = sizeof(from);
        ssize_t length = recvfrom(file, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &size);
        if (length >= 0 && sendto(file, bytes, (size_t)length, 0, (struct sockaddr *)&from, size) != length)
            perror("sendto");
    }
    return NULL;
}

static int call_back(int file, uint16_t port, size_t length)
{
    struct sockaddr_in6 peer;
    socklen_t size = sizeof(peer);
    int other = socket(AF_INET6, SOCK_STREAM, 0);
    if (other < 0 || getpeername(file, (struct sockaddr *)&peer, &size) != 0)
        return -1;
    peer.sin6_port = htons(port);
    int result = connect(other, (struct sockaddr *)&peer, size) != 0 || six_send(other, length) != 0 ? -1 : 0;
    close(other);
    return result;
}

static void answer(int file, int result)
{
    const char *text = result == 0 ? "ok\n" : "bad\n";
    if (write(file, text, strlen(text)) < 0)
        perror("write");
}

static void tell_name_servers(int file)
{
    char text[512];
    FILE *names = fopen("/run/resolv.conf", "r");
    size_t length = names ? fread(text, 1, sizeof(text), names) : 0;
    if (names)
        fclose(names);
    if (write(file, text, length) != (ssize_t)length)
        perror("write");
}

static void serve(int file)
{
    char line[64];
    size_t length = 0, bytes;
    unsigned port;
    while (length < sizeof(line) - 1 && read(file, line + length, 1) == 1 && line[length++] != '\n')
        ;
    line[length] = 0;
    if (sscanf(line, "send %zu", &bytes) == 1) {
        if (six_send(file, bytes) != 0)
            perror("send");
    } else if (sscanf(line, "take %zu", &bytes) == 1) {
        answer(file, six_take(file, bytes));
    } else if (sscanf(line, "call %u %zu", &port, &bytes) == 2) {
        answer(file, call_back(file, (uint16_t)port, bytes));
    } else if (strcmp(line, "names\n") == 0) {
        tell_name_servers(file);
    }
    close(file);
}

int main(void)
{
    pthread_t thread;
    int listening = bound(SOCK_STREAM);
    if (listen(listening, 16) != 0 || pthread_create(&thread, NULL, echo, NULL) != 0) {
        perror("listen");
        return 1;
    }
    printf("serving\n");
    fflush(stdout);
    for (;;) {
        int file = accept(listening, NULL, NULL);
        if (file < 0) {
            perror("accept");
            return 1;
        }
        serve(file);
    }
}

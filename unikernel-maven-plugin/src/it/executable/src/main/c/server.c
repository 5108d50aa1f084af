// SPDX-License-Identifier: Apache-2.0
/*
 * A small HTTP server: one request for each connection, answered with its first line, until SIGTERM ends it with
 * status 0. One thread; the handler only sets a flag, and a signal interrupts accept().
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT 8080

static volatile sig_atomic_t asked;

static void ask(int signal)
{
    asked = signal;
}

static void answer(int connection)
{
    char request[2000], text[2200];
    ssize_t size = read(connection, request, sizeof(request) - 1);
    if (size < 0)
        return;
    request[size] = 0;
    request[strcspn(request, "\r\n")] = 0;
    int length = snprintf(text, sizeof(text),
                          "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n"
                          "Content-Length: %zu\r\n\r\n%s\n",
                          strlen(request) + 1, request);
    if (write(connection, text, (size_t)length) != length)
        perror("write");
}

int main(void)
{
    struct sigaction action = { .sa_handler = ask };
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(PORT) };
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    sigaction(SIGTERM, &action, NULL);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 16)) {
        perror("listen");
        return 1;
    }
    printf("Listening on %d\n", PORT);
    fflush(stdout);
    while (!asked) {
        int connection = accept(listener, NULL, NULL);
        if (connection >= 0) {
            answer(connection);
            close(connection);
        }
    }
    printf("Ended by signal %d\n", (int)asked);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "net/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Not net/tap.h: its constants and Linux's headers name the same things. */
bool tap_run(bool (*done)(void *context), void *context, nanoseconds time);
#define STACK_ADDRESS 0x0a090002u
#define LINUX_ADDRESS 0x0a090001u

pid_t peer_start(int (*act)(const void *context), const void *context)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(act(context) % 256);
    return pid;
}

struct ending {
    pid_t pid;
    int status;
};

static bool ended(void *context)
{
    struct ending *ending = context;
    return waitpid(ending->pid, &ending->status, WNOHANG) == ending->pid;
}

int peer_result(pid_t peer, nanoseconds time)
{
    struct ending ending = { .pid = peer };
    if (!tap_run(ended, &ending, time)) {
        kill(peer, SIGKILL);
        waitpid(peer, &ending.status, 0);
        return -1;
    }
    return WIFEXITED(ending.status) ? WEXITSTATUS(ending.status) : -2;
}

int peer_connect(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(STACK_ADDRESS) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (void *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

int peer_listen(uint16_t *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(LINUX_ADDRESS) };
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (void *)&address, length) < 0 || listen(fd, 128) < 0)
        return -1;
    getsockname(fd, (void *)&address, &length);
    *port = ntohs(address.sin_port);
    return fd;
}

int peer_send_all(int fd, const void *data, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t sent = send(fd, (const char *)data + done, length - done, MSG_NOSIGNAL);
        if (sent <= 0)
            return -1;
        done += (size_t)sent;
    }
    return 0;
}

int peer_receive_all(int fd, void *data, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t got = recv(fd, (char *)data + done, length - done, 0);
        if (got <= 0)
            return -1;
        done += (size_t)got;
    }
    return 0;
}

int peer_child_result(pid_t child)
{
    int status;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

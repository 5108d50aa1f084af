/* SPDX-License-Identifier: Apache-2.0 */
#include "net/bench_lines.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

const char *linux_algorithm;

static int stream(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, linux_algorithm, (socklen_t)strlen(linux_algorithm)) < 0)
        perror("TCP_CONGESTION");
    return fd;
}

static struct sockaddr_in at(uint32_t address, uint16_t port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address) };
}

int linux_listen(uint32_t address, uint16_t *port)
{
    struct sockaddr_in name = at(address, 0);
    socklen_t length = sizeof(name);
    int fd = stream();
    if (bind(fd, (void *)&name, length) < 0 || listen(fd, 8) < 0 || getsockname(fd, (void *)&name, &length) < 0)
        return -1;
    *port = ntohs(name.sin_port);
    return fd;
}

pid_t linux_receiver(int listener, volatile uint64_t *bytes)
{
    static char block[65536];
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* nothing stays when the benchmark is stopped */
    int fd = accept(listener, NULL, NULL);
    for (ssize_t got; (got = recv(fd, block, sizeof(block), 0)) > 0;)
        *bytes += (uint64_t)got;
    pause();
    _exit(1);
}

pid_t linux_sender(uint32_t address, uint16_t port)
{
    static char block[65536];
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* nothing stays when the benchmark is stopped */
    struct sockaddr_in name = at(address, port);
    int fd = stream();
    if (connect(fd, (void *)&name, sizeof(name)) == 0)
        while (send(fd, block, sizeof(block), MSG_NOSIGNAL) > 0)
            ;
    pause();
    _exit(1);
}

void linux_stop(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

void linux_await(pid_t pid) { waitpid(pid, NULL, 0); }

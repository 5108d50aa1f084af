/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join SOCKET ADDRESS PORT: copies bytes both ways between a socket of this machine (unix(7)) and a TCP port, until
 * either side ends. For the control domain, whose busybox has nothing that connects to a socket of the first kind.
 */
#include <arpa/inet.h>
#include <err.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_local(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (strlen(path) >= sizeof(address.sun_path))
        errx(1, "%s is too long for a socket", path);
    strcpy(address.sun_path, path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        err(1, "%s", path);
    return fd;
}

static int connect_remote(const char *host, const char *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
        errx(1, "%s is no address", host);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        err(1, "%s port %s", host, port);
    return fd;
}

static void copy(int from, int to)
{
    static char buffer[65536];
    ssize_t length, written;
    while ((length = read(from, buffer, sizeof(buffer))) > 0)
        for (ssize_t done = 0; done < length; done += written)
            if ((written = write(to, buffer + done, (size_t)(length - done))) < 0)
                return;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        errx(2, "usage: join SOCKET ADDRESS PORT");
    int local = connect_local(argv[1]), remote = connect_remote(argv[2], argv[3]);
    signal(SIGPIPE, SIG_IGN);
    pid_t child = fork();
    if (child < 0)
        err(1, "fork");
    if (child == 0)
        copy(remote, local);
    else
        copy(local, remote);
    shutdown(local, SHUT_RDWR); /* ends the other process, too */
    shutdown(remote, SHUT_RDWR);
    return 0;
}

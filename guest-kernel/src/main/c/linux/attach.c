/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side of HotSpot's attach mechanism (attach.h). Called by the thread of linux/host_channel.c only, so
 * there are no locks. The file that asks the JVM to listen is there only while its socket is waited for; SIGQUIT is
 * sent only then, and only to a program that handles it.
 */
#include "linux/attach.h"

#include "files/inotify.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"
#include "linux/process.h"
#include "linux/signal_frame.h"
#include "linux/signals.h"
#include "net/kernel_socket.h"

#define DIRECTORY "/tmp"
#define PROTOCOL "1" /* version of the request */
#define ARGUMENTS 3  /* of each request */

static int connect_now(const struct socket_address *address, struct file **out)
{
    int error = socket_create(AF_UNIX, SOCK_STREAM, 0, 0, out);
    if (error)
        return error;
    error = socket_of(*out)->operations->connect(socket_of(*out), address);
    if (error)
        file_put(*out);
    return error;
}

/* The names in DIRECTORY that change from now on, as a file to poll; NULL without memory. */
static struct file *watch_names(void)
{
    struct file *directory, *events = NULL;
    if (file_open(NULL, DIRECTORY, O_RDONLY | O_DIRECTORY, 0, &directory))
        return NULL;
    events = inotify_create(O_NONBLOCK);
    if (events && inotify_add(events, directory->inode, IN_MOVED_TO) < 0) {
        file_put(events);
        events = NULL;
    }
    file_put(directory);
    return events;
}

static void forget_events(struct file *events)
{
    char text[512];
    struct transfer transfer;
    do
        transfer_init_kernel(&transfer, text, sizeof(text));
    while (file_read(events, &transfer) > 0);
}

/* Tries again whenever a name has come, since the JVM moves its socket to its name when it listens. */
static int connect_when_there(struct file *events, const struct socket_address *address, nanoseconds deadline,
                              struct file **out)
{
    for (;;) {
        int error = connect_now(address, out);
        if (error != -ENOENT && error != -ECONNREFUSED)
            return error;
        error = wait_until(events->operations->queue(events), file_poll(events) & POLLIN, deadline,
                           SLEEP_UNINTERRUPTIBLE);
        if (error)
            return error;
        forget_events(events);
    }
}

/* Without a handler the signal would end the program. */
static bool program_handles_quit(void)
{
    struct signal_action action;
    signal_action_get(SIGQUIT, &action);
    return action.handler > SIG_IGN;
}

static int start_listener(const struct socket_address *address, nanoseconds deadline, struct file **out)
{
    char trigger[64];
    struct signal_info quit = { .number = SIGQUIT, .code = SI_KERNEL };
    if (!program_handles_quit())
        return -EOPNOTSUPP;
    struct file *events = watch_names();
    if (!events)
        return -ENOMEM;
    format(trigger, sizeof(trigger), DIRECTORY "/.attach_pid%u", PROCESS_ID);
    int error = file_write_kernel(trigger, "", 0);
    if (!error) {
        signal_send_process(&quit);
        error = connect_when_there(events, address, deadline, out);
        (void)name_unlink(NULL, trigger); /* the program may have done so */
    }
    file_put(events);
    return error;
}

static int connect(nanoseconds deadline, struct file **out)
{
    struct socket_address address = { .family = AF_UNIX };
    address.path_length = (uint8_t)format(address.path, sizeof(address.path), DIRECTORY "/.java_pid%u", PROCESS_ID);
    int error = connect_now(&address, out);
    return error == -ENOENT || error == -ECONNREFUSED ? start_listener(&address, deadline, out) : error;
}

/* The version, the name of the request and its arguments, each with its NUL. */
static int send_request(struct file *file, const char *command, nanoseconds deadline)
{
    static const char begin[] = PROTOCOL "\0jcmd", no_more_arguments[ARGUMENTS - 1];
    int error = kernel_socket_send(file, begin, sizeof(begin), deadline);
    if (!error)
        error = kernel_socket_send(file, command, strlen(command) + 1, deadline);
    return error ? error : kernel_socket_send(file, no_more_arguments, sizeof(no_more_arguments), deadline);
}

int attach_command(const char *command, nanoseconds deadline, struct file **out)
{
    int error = connect(deadline, out);
    if (error)
        return error;
    error = send_request(*out, command, deadline);
    if (error)
        file_put(*out);
    return error;
}

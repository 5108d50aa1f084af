/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of system calls: calls_table.c describes each call by values for its arguments, calls.c makes the calls
 * that follow from that and prints each in a line of its own with its result. The lines are the same on Linux and in
 * the guest except for those that calls.differences names.
 */
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>

/* One value of an argument, and how it is printed. A NULL text ends a list. */
struct value {
    const char *text;
    uint64_t value;
};
#define ARGUMENTS 6
/* Resolved when the call is made. */
#define SELF_PID 0x5e1f000000000001UL
#define SELF_TID 0x5e1f000000000002UL

/* What is printed of a result that is no error. */
enum shown {
    NUMBER, /* it */
    OK,     /* that there was none: it depends on the time or on the machine */
};
struct row {
    const char *name;
    long number;
    enum shown shown;
    const struct value *arguments[ARGUMENTS]; /* lists; NULL: 0, not printed */
    bool crossed;                             /* the first two arguments in all combinations, not one after the other */
};
extern const struct row call_rows[];
extern const unsigned call_row_count;

/* Descriptors of the world that each call finds. All others are closed. */
enum {
    FILE_FD = 20,
    READ_FD,
    WRITE_FD,
    APPEND_FD,
    DIRECTORY_FD,
    PATH_FD,
    PIPE_OUT,
    PIPE_IN,
    FULL_PIPE_OUT,
    FULL_PIPE_IN,
    BROKEN_PIPE,
    STREAM_FD,
    LISTENER_FD,
    DATAGRAM_FD,
    PAIR_FD,
    PAIR_PEER_FD,
    UNIX_FD,
    EPOLL_FD,
    EVENT_FD,
    TIMER_FD,
    INOTIFY_FD,
    MEMORY_FD,
    NULL_FD,
    ZERO_FD,
    PROC_FD,    /* a file of /proc without an end */
    SETTING_FD, /* one of /proc/sys */
    SYS_FD,     /* one of /sys */
    WORLD_END,
    CLOSED_FD = 99,
};

/* Memory of the world, a page of each kind; in NO_MEMORY there is nothing, and GAP has a page missing in the middle of
 * three. */
#define NO_MEMORY 0x10000000UL
#define PRIVATE 0x20000000UL
#define SHARED 0x20100000UL
#define PRIVATE_FILE 0x20200000UL
#define SHARED_FILE 0x20300000UL
#define READ_ONLY_FILE 0x20400000UL /* shared, of a file that is open for reading */
#define NO_ACCESS 0x20500000UL
#define GAP 0x20600000UL
#define MEMORY_END 0x20700000UL

#define BUFFER_SIZE 65536
#define LONG_NAME 300  /* bytes, more than a name may have */
#define LONG_PATH 5000 /* more than a path may have */

/* What addresses point to, initialized again before each call. */
struct data {
    char buffer[BUFFER_SIZE], text[64], long_name[LONG_NAME], long_path[LONG_PATH];
    struct timespec zero_time, negative_time, wrong_time, hour, two_times[2], omitted[2], wrong_times[2];
    struct timeval zero_timeval, two_timevals[2], wrong_timevals[2];
    struct itimerspec disarmed, far_timer, wrong_timer;
    struct itimerval no_alarm, far_alarm, wrong_alarm;
    struct sockaddr_in any, loopback, wrong_family, closed_port;
    struct sockaddr_un unix_path, unix_missing, unix_not_socket, unix_abstract;
    struct iovec vector[3], bad_vector[2], huge_vector[2];
    struct msghdr message, empty_message, bad_message, many_spans;
    struct pollfd polled[2], closed_poll[1];
    uint64_t no_signals, all_signals, user_signal, event[2], bad_mask;
    uint64_t how_read[3], how_create[3], how_wrong_flag[3], how_mode[3], how_resolve[3], how_beneath[3];
    uint64_t words[64];
    uint64_t limit_low[2], limit_wrong[2], limit_infinite[2];
    uint64_t signal_action[4], ignore_action[4];
    uint32_t length_16, length_2, length_0, length_128, negative_length;
    int32_t zero, one, minus_one;
    int64_t offset_0, offset_5, negative_offset;
    uint32_t capability_header[2], capability_wrong[2], capability_other[2];
    uint64_t event_signal[8], event_none[8], event_wrong[8];
};
extern struct data data;

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sequences of calls that make sense: each step of a player uses what earlier steps, its own or those of other players,
 * have made, so that calls get past their first checks and meet each other on one connection, pipe, file or mapping.
 * The steps are described by the table below; a new call is a line there.
 *
 * What was made is remembered by kind in `pools`, which all players share without a lock: a descriptor may be closed,
 * or be of another kind by now, when a step uses it. That is wanted.
 */
#define _GNU_SOURCE
#include "storm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 6 /* of each kind */
#define PORTS 4 /* that sockets of loopback meet on */
#define FIRST_PORT 7000
#define BUFFER 70000u /* bytes, at most, that a step moves, but for a few huge ones */
#define FDS 4         /* descriptors sent in one message */

enum kind {
    PIPE_IN,
    PIPE_OUT,
    TCP,
    LISTENER,
    UDP,
    UNIX,
    UNIX_LISTENER,
    EPOLL,
    EVENT,
    TIMER,
    INOTIFY,
    MEMFD,
    FILE_,
    DIRECTORY,
    SIGNALS,
    NETLINK,
    DATAGRAM,
    PACKETS,
    KINDS
};

static atomic_int pools[KINDS][SLOTS]; /* descriptor, or 0 for none */

/* What an argument is made of. */
enum form {
    NOTHING,
    VALUE,
    FD,
    ANY_FD,
    BUFFER_IN,
    BUFFER_OUT,
    LENGTH,
    OFFSET,
    FLAGS,
    ONE_OF_FEW,
    PATH,
    ADDRESS,
    ADDRESS_LENGTH,
    UNIX_ADDRESS,
    IOV,
    MESSAGE,
    EPOLL_EVENT,
    POLL_FDS,
    SHORT_TIME,
    TIMER_SETTING,
    WORD,
    FIXED_PAGES,
    PAGES,
    PAIR,
    SIZE_WORD,
    SIGNAL_MASK,
    REALTIME_MASK,
    REALTIME,
    SIGNAL_EVENT,
    QUESTION,
    OPEN_HOW,
    ATTRIBUTE,
};
struct argument {
    enum form form;
    uint64_t value; /* VALUE: it; FD: its kind; FLAGS: a mask; ONE_OF_FEW: how many */
};

enum makes { MAKES_NOTHING, MAKES_FD, MAKES_PAIR, ENDS_FD };
struct step {
    short number;
    enum makes makes;
    enum kind kind, other; /* of what is made; of a pair the second */
    struct argument arguments[6];
};

/* clang-format off */
#define V(x) { VALUE, (uint64_t)(x) }
#define F(kind) { FD, kind }
#define ANY { ANY_FD, 0 }
#define DATA { BUFFER_IN, 0 }, { LENGTH, 0 }
#define SPACE { BUFFER_OUT, 0 }, { LENGTH, 0 }
#define SOME(mask) { FLAGS, mask }
#define FEW(count) { ONE_OF_FEW, count }
#define P { PATH, 0 }
#define NEW(kind) MAKES_FD, kind, 0

static const struct step steps[] = {
    /* Streams of loopback. */
    { SYS_socket, NEW(TCP), { V(AF_INET), V(SOCK_STREAM | SOCK_NONBLOCK), V(0) } },
    { SYS_socket, NEW(LISTENER), { V(AF_INET), V(SOCK_STREAM | SOCK_NONBLOCK), V(0) } },
    { SYS_setsockopt, 0, 0, 0, { F(LISTENER), V(SOL_SOCKET), V(SO_REUSEADDR), { WORD, 0 }, V(4) } },
    { SYS_bind, 0, 0, 0, { F(LISTENER), { ADDRESS, 0 }, V(16) } },
    { SYS_listen, 0, 0, 0, { F(LISTENER), FEW(6) } },
    { SYS_connect, 0, 0, 0, { F(TCP), { ADDRESS, 0 }, V(16) } },
    { SYS_connect, 0, 0, 0, { F(TCP), { ADDRESS, 0 }, V(16) } },
    { SYS_accept4, NEW(TCP), { F(LISTENER), { BUFFER_OUT, 0 }, { SIZE_WORD, 0 }, SOME(SOCK_NONBLOCK) } },
    { SYS_accept4, NEW(TCP), { F(LISTENER), V(0), V(0), V(SOCK_NONBLOCK) } },
    { SYS_sendto, 0, 0, 0, { F(TCP), DATA, SOME(MSG_DONTWAIT | MSG_MORE | MSG_OOB | MSG_NOSIGNAL), V(0), V(0) } },
    { SYS_sendto, 0, 0, 0, { F(TCP), DATA, V(MSG_DONTWAIT | MSG_NOSIGNAL), V(0), V(0) } },
    { SYS_recvfrom, 0, 0, 0, { F(TCP), SPACE, SOME(MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC | MSG_WAITALL | MSG_OOB), V(0),
      V(0) } },
    { SYS_recvfrom, 0, 0, 0, { F(TCP), SPACE, V(MSG_DONTWAIT), V(0), V(0) } },
    { SYS_readv, 0, 0, 0, { F(TCP), { IOV, 0 }, FEW(9) } },
    { SYS_writev, 0, 0, 0, { F(TCP), { IOV, 0 }, FEW(9) } },
    { SYS_shutdown, 0, 0, 0, { F(TCP), FEW(3) } },
    { SYS_shutdown, 0, 0, 0, { F(LISTENER), FEW(3) } },
    { SYS_setsockopt, 0, 0, 0, { F(TCP), V(IPPROTO_TCP), FEW(40), { WORD, 0 }, V(4) } },
    { SYS_setsockopt, 0, 0, 0, { F(TCP), V(SOL_SOCKET), FEW(70), { WORD, 0 }, { LENGTH, 0 } } },
    { SYS_getsockopt, 0, 0, 0, { F(TCP), V(IPPROTO_TCP), FEW(40), { BUFFER_OUT, 0 }, { SIZE_WORD, 0 } } },
    { SYS_getsockopt, 0, 0, 0, { ANY, V(SOL_SOCKET), FEW(70), { BUFFER_OUT, 0 }, { SIZE_WORD, 0 } } },
    { SYS_getpeername, 0, 0, 0, { ANY, { BUFFER_OUT, 0 }, { SIZE_WORD, 0 } } },
    { SYS_getsockname, 0, 0, 0, { ANY, { BUFFER_OUT, 0 }, { SIZE_WORD, 0 } } },
    { SYS_ioctl, 0, 0, 0, { ANY, V(0x541b), { BUFFER_OUT, 0 } } },                /* FIONREAD */
    { SYS_close, ENDS_FD, TCP, 0, { F(TCP) } },
    { SYS_close, ENDS_FD, LISTENER, 0, { F(LISTENER) } },
    /* Datagrams. */
    { SYS_socket, NEW(UDP), { V(AF_INET), V(SOCK_DGRAM | SOCK_NONBLOCK), V(0) } },
    { SYS_bind, 0, 0, 0, { F(UDP), { ADDRESS, 0 }, V(16) } },
    { SYS_connect, 0, 0, 0, { F(UDP), { ADDRESS, 0 }, V(16) } },
    { SYS_sendto, 0, 0, 0, { F(UDP), DATA, V(MSG_DONTWAIT), { ADDRESS, 0 }, V(16) } },
    { SYS_recvfrom, 0, 0, 0, { F(UDP), SPACE, SOME(MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC), { BUFFER_OUT, 0 },
      { SIZE_WORD, 0 } } },
    { SYS_close, ENDS_FD, UDP, 0, { F(UDP) } },
    /* Unix sockets, and descriptors that travel in them. */
    { SYS_socketpair, MAKES_PAIR, UNIX, UNIX, { V(AF_UNIX), V(SOCK_STREAM | SOCK_NONBLOCK), V(0), { PAIR, 0 } } },
    { SYS_socket, NEW(UNIX), { V(AF_UNIX), V(SOCK_STREAM | SOCK_NONBLOCK), V(0) } },
    { SYS_socket, NEW(UNIX_LISTENER), { V(AF_UNIX), V(SOCK_STREAM | SOCK_NONBLOCK), V(0) } },
    { SYS_bind, 0, 0, 0, { F(UNIX_LISTENER), { UNIX_ADDRESS, 0 }, { ADDRESS_LENGTH, 0 } } },
    { SYS_listen, 0, 0, 0, { F(UNIX_LISTENER), FEW(4) } },
    { SYS_connect, 0, 0, 0, { F(UNIX), { UNIX_ADDRESS, 0 }, { ADDRESS_LENGTH, 0 } } },
    { SYS_accept4, NEW(UNIX), { F(UNIX_LISTENER), V(0), V(0), V(SOCK_NONBLOCK) } },
    { SYS_sendmsg, 0, 0, 0, { F(UNIX), { MESSAGE, 0 }, V(MSG_DONTWAIT | MSG_NOSIGNAL) } },
    { SYS_recvmsg, 0, 0, 0, { F(UNIX), { MESSAGE, 0 }, SOME(MSG_DONTWAIT | MSG_PEEK | MSG_CMSG_CLOEXEC) } },
    { SYS_sendmmsg, 0, 0, 0, { F(UNIX), { MESSAGE, 0 }, FEW(3), V(MSG_DONTWAIT | MSG_NOSIGNAL) } },
    { SYS_recvmmsg, 0, 0, 0, { F(UNIX), { MESSAGE, 0 }, FEW(3), V(MSG_DONTWAIT), V(0) } },
    { SYS_sendmsg, 0, 0, 0, { F(DATAGRAM), { MESSAGE, 0 }, V(MSG_DONTWAIT | MSG_NOSIGNAL) } },
    { SYS_recvmsg, 0, 0, 0, { F(DATAGRAM), { MESSAGE, 0 }, SOME(MSG_DONTWAIT | MSG_PEEK | MSG_CMSG_CLOEXEC) } },
    { SYS_write, 0, 0, 0, { F(UNIX), DATA } },
    { SYS_read, 0, 0, 0, { F(UNIX), SPACE } },
    { SYS_shutdown, 0, 0, 0, { F(UNIX), FEW(3) } },
    { SYS_close, ENDS_FD, UNIX, 0, { F(UNIX) } },
    { SYS_close, ENDS_FD, UNIX_LISTENER, 0, { F(UNIX_LISTENER) } },
    /* Unix sockets that keep messages apart. */
    { SYS_socketpair, MAKES_PAIR, DATAGRAM, DATAGRAM, { V(AF_UNIX), V(SOCK_DGRAM | SOCK_NONBLOCK), V(0),
      { PAIR, 0 } } },
    { SYS_socket, NEW(DATAGRAM), { V(AF_UNIX), V(SOCK_DGRAM | SOCK_NONBLOCK), V(0) } },
    { SYS_bind, 0, 0, 0, { F(DATAGRAM), { UNIX_ADDRESS, 0 }, { ADDRESS_LENGTH, 0 } } },
    { SYS_connect, 0, 0, 0, { F(DATAGRAM), { UNIX_ADDRESS, 0 }, { ADDRESS_LENGTH, 0 } } },
    { SYS_sendto, 0, 0, 0, { F(DATAGRAM), DATA, V(MSG_DONTWAIT), { UNIX_ADDRESS, 0 }, { ADDRESS_LENGTH, 0 } } },
    { SYS_write, 0, 0, 0, { F(DATAGRAM), DATA } },
    { SYS_recvfrom, 0, 0, 0, { F(DATAGRAM), SPACE, SOME(MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC), { BUFFER_OUT, 0 },
      { SIZE_WORD, 0 } } },
    { SYS_shutdown, 0, 0, 0, { F(DATAGRAM), FEW(3) } },
    { SYS_socketpair, MAKES_PAIR, PACKETS, PACKETS, { V(AF_UNIX), V(SOCK_SEQPACKET | SOCK_NONBLOCK), V(0),
      { PAIR, 0 } } },
    { SYS_connect, 0, 0, 0, { F(PACKETS), { UNIX_ADDRESS, 0 }, { ADDRESS_LENGTH, 0 } } },
    { SYS_write, 0, 0, 0, { F(PACKETS), DATA } },
    { SYS_read, 0, 0, 0, { F(PACKETS), SPACE } },
    { SYS_close, ENDS_FD, DATAGRAM, 0, { F(DATAGRAM) } },
    { SYS_close, ENDS_FD, PACKETS, 0, { F(PACKETS) } },
    { SYS_socket, NEW(NETLINK), { V(AF_NETLINK), V(SOCK_RAW), V(0) } },
    { SYS_sendto, 0, 0, 0, { F(NETLINK), { QUESTION, 0 }, V(20), V(MSG_DONTWAIT), V(0), V(0) } },
    { SYS_recvfrom, 0, 0, 0, { F(NETLINK), SPACE, SOME(MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC), { BUFFER_OUT, 0 },
      { SIZE_WORD, 0 } } },
    { SYS_close, ENDS_FD, NETLINK, 0, { F(NETLINK) } },
    /* Splicing. */
    { SYS_splice, 0, 0, 0, { F(PIPE_OUT), V(0), F(FILE_), V(0), { LENGTH, 0 }, V(2) } },
    { SYS_splice, 0, 0, 0, { F(MEMFD), V(0), F(PIPE_IN), V(0), { LENGTH, 0 }, V(2) } },
    { SYS_splice, 0, 0, 0, { F(PIPE_OUT), V(0), F(PIPE_IN), V(0), { LENGTH, 0 }, SOME(2) } },
    { SYS_splice, 0, 0, 0, { F(PIPE_OUT), V(0), F(TCP), V(0), { LENGTH, 0 }, V(2) } },
    { SYS_splice, 0, 0, 0, { F(UNIX), V(0), F(PIPE_IN), V(0), { LENGTH, 0 }, V(2) } },
    { SYS_tee, 0, 0, 0, { F(PIPE_OUT), F(PIPE_IN), { LENGTH, 0 }, SOME(2) } },
    { SYS_vmsplice, 0, 0, 0, { F(PIPE_IN), { IOV, 0 }, FEW(9), SOME(2) } },
    { SYS_vmsplice, 0, 0, 0, { F(PIPE_OUT), { IOV, 0 }, FEW(9), SOME(2) } },
    { SYS_copy_file_range, 0, 0, 0, { F(FILE_), V(0), F(MEMFD), V(0), { LENGTH, 0 }, V(0) } },
    /* Timers and signals; no signal has a handler. */
    { SYS_signalfd4, NEW(SIGNALS), { V(-1), { SIGNAL_MASK, 0 }, V(8), V(O_NONBLOCK) } },
    { SYS_signalfd4, 0, 0, 0, { F(SIGNALS), { SIGNAL_MASK, 0 }, V(8), V(O_NONBLOCK) } },
    { SYS_read, 0, 0, 0, { F(SIGNALS), SPACE } },
    { SYS_close, ENDS_FD, SIGNALS, 0, { F(SIGNALS) } },
    { SYS_timer_create, 0, 0, 0, { FEW(4), { SIGNAL_EVENT, 0 }, { BUFFER_OUT, 0 } } },
    { SYS_timer_settime, 0, 0, 0, { FEW(20), SOME(1), { TIMER_SETTING, 0 }, { BUFFER_OUT, 0 } } },
    { SYS_timer_gettime, 0, 0, 0, { FEW(20), { BUFFER_OUT, 0 } } },
    { SYS_timer_delete, 0, 0, 0, { FEW(1100) } },
    { SYS_setitimer, 0, 0, 0, { FEW(3), { TIMER_SETTING, 0 }, { BUFFER_OUT, 0 } } },
    { SYS_rt_sigprocmask, 0, 0, 0, { FEW(3), { REALTIME_MASK, 0 }, V(0), V(8) } },
    { SYS_rt_sigtimedwait, 0, 0, 0, { { REALTIME_MASK, 0 }, { BUFFER_OUT, 0 }, { SHORT_TIME, 0 }, V(8) } },
    { SYS_tgkill, 0, 0, 0, { V(1), FEW(12), { REALTIME, 0 } } },
    { SYS_rt_sigqueueinfo, 0, 0, 0, { V(1), { REALTIME, 0 }, { BUFFER_IN, 0 } } },
    { SYS_rt_tgsigqueueinfo, 0, 0, 0, { V(1), FEW(12), { REALTIME, 0 }, { BUFFER_IN, 0 } } },
    /* What belongs to a thread or the process. */
    { SYS_prctl, 0, 0, 0, { V(PR_SET_NAME), P } },
    { SYS_prctl, 0, 0, 0, { V(PR_GET_NAME), { BUFFER_OUT, 0 } } },
    { SYS_prlimit64, 0, 0, 0, { V(0), FEW(17), V(0), { BUFFER_OUT, 0 } } },
    { SYS_close_range, 0, 0, 0, { V(3), { LENGTH, 0 }, V(CLOSE_RANGE_CLOEXEC) } },
    /* Pipes. */
    { SYS_pipe2, MAKES_PAIR, PIPE_OUT, PIPE_IN, { { PAIR, 0 }, V(O_NONBLOCK) } },
    { SYS_write, 0, 0, 0, { F(PIPE_IN), DATA } },
    { SYS_read, 0, 0, 0, { F(PIPE_OUT), SPACE } },
    { SYS_fcntl, 0, 0, 0, { F(PIPE_IN), V(1031), { LENGTH, 0 } } },              /* F_SETPIPE_SZ */
    { SYS_close, ENDS_FD, PIPE_IN, 0, { F(PIPE_IN) } },
    { SYS_close, ENDS_FD, PIPE_OUT, 0, { F(PIPE_OUT) } },
    /* A reader that waits until a signal interrupts it, or another player writes or closes. */
    { SYS_pipe2, MAKES_PAIR, PIPE_OUT, PIPE_IN, { { PAIR, 0 }, V(0) } },
    /* Waiting. */
    { SYS_epoll_create1, NEW(EPOLL), { V(0) } },
    { SYS_epoll_ctl, 0, 0, 0, { F(EPOLL), V(EPOLL_CTL_ADD), ANY, { EPOLL_EVENT, 0 } } },
    { SYS_epoll_ctl, 0, 0, 0, { F(EPOLL), V(EPOLL_CTL_ADD), F(EPOLL), { EPOLL_EVENT, 0 } } },
    { SYS_epoll_ctl, 0, 0, 0, { F(EPOLL), V(EPOLL_CTL_MOD), ANY, { EPOLL_EVENT, 0 } } },
    { SYS_epoll_ctl, 0, 0, 0, { F(EPOLL), V(EPOLL_CTL_DEL), ANY, V(0) } },
    { SYS_epoll_wait, 0, 0, 0, { F(EPOLL), { BUFFER_OUT, 0 }, FEW(100), FEW(3) } },
    { SYS_epoll_pwait2, 0, 0, 0, { F(EPOLL), { BUFFER_OUT, 0 }, FEW(100), { SHORT_TIME, 0 }, V(0), V(8) } },
    { SYS_poll, 0, 0, 0, { { POLL_FDS, 0 }, FEW(8), FEW(3) } },
    { SYS_ppoll, 0, 0, 0, { { POLL_FDS, 0 }, FEW(8), { SHORT_TIME, 0 }, V(0), V(8) } },
    { SYS_pselect6, 0, 0, 0, { FEW(64), { BUFFER_OUT, 0 }, { BUFFER_OUT, 0 }, V(0), { SHORT_TIME, 0 }, V(0) } },
    { SYS_eventfd2, NEW(EVENT), { FEW(4), SOME(O_NONBLOCK | 1) } },
    { SYS_write, 0, 0, 0, { F(EVENT), { WORD, 0 }, V(8) } },
    { SYS_read, 0, 0, 0, { F(EVENT), { BUFFER_OUT, 0 }, V(8) } },
    { SYS_timerfd_create, NEW(TIMER), { FEW(2), V(O_NONBLOCK) } },
    { SYS_timerfd_settime, 0, 0, 0, { F(TIMER), FEW(2), { TIMER_SETTING, 0 }, { BUFFER_OUT, 0 } } },
    { SYS_read, 0, 0, 0, { F(TIMER), { BUFFER_OUT, 0 }, V(8) } },
    { SYS_close, ENDS_FD, EPOLL, 0, { F(EPOLL) } },
    { SYS_close, ENDS_FD, EVENT, 0, { F(EVENT) } },
    { SYS_close, ENDS_FD, TIMER, 0, { F(TIMER) } },
    { SYS_futex, 0, 0, 0, { { WORD, 0 }, V(FUTEX_WAIT), FEW(3), { SHORT_TIME, 0 } } },
    { SYS_futex, 0, 0, 0, { { WORD, 0 }, V(FUTEX_WAKE_PRIVATE), FEW(5) } },
    { SYS_futex, 0, 0, 0, { { WORD, 0 }, V(FUTEX_CMP_REQUEUE_PRIVATE), FEW(3), FEW(5), { WORD, 0 }, FEW(3) } },
    { SYS_futex, 0, 0, 0, { { WORD, 0 }, V(FUTEX_WAKE_OP), FEW(3), FEW(3), { WORD, 0 }, { LENGTH, 0 } } },
    { SYS_nanosleep, 0, 0, 0, { { SHORT_TIME, 0 }, V(0) } },
    /* Files and directories of memory. */
    { SYS_open, NEW(FILE_), { P, V(O_RDWR | O_CREAT), V(0644) } },
    { SYS_open, NEW(FILE_), { P, SOME(O_RDWR | O_CREAT | O_APPEND | O_TRUNC | O_EXCL), V(0644) } },
    { SYS_open, NEW(FILE_), { P, V(O_RDONLY) } },
    { SYS_open, NEW(DIRECTORY), { P, V(O_RDONLY | O_DIRECTORY) } },
    { SYS_memfd_create, NEW(MEMFD), { P, V(2) } },                               /* MFD_ALLOW_SEALING */
    { SYS_ftruncate, 0, 0, 0, { F(MEMFD), { OFFSET, 0 } } },
    { SYS_fcntl, 0, 0, 0, { F(MEMFD), V(1033), SOME(0x1e) } },                   /* F_ADD_SEALS, but for the last */
    { SYS_open, NEW(FILE_), { P, V(O_RDWR | O_TMPFILE), V(0644) } },
    { SYS_openat2, NEW(DIRECTORY), { F(DIRECTORY), P, { OPEN_HOW, 0 }, V(24) } },
    { SYS_linkat, 0, 0, 0, { F(FILE_), { ATTRIBUTE, 1 }, V(AT_FDCWD), P, V(AT_EMPTY_PATH) } },
    { SYS_fsetxattr, 0, 0, 0, { F(FILE_), { ATTRIBUTE, 0 }, DATA, SOME(3) } },
    { SYS_fgetxattr, 0, 0, 0, { F(FILE_), { ATTRIBUTE, 0 }, SPACE } },
    { SYS_flistxattr, 0, 0, 0, { F(FILE_), SPACE } },
    { SYS_fremovexattr, 0, 0, 0, { F(FILE_), { ATTRIBUTE, 0 } } },
    { SYS_getdents, 0, 0, 0, { F(DIRECTORY), SPACE } },
    { SYS_ftruncate, 0, 0, 0, { F(FILE_), { OFFSET, 0 } } },
    { SYS_fallocate, 0, 0, 0, { F(MEMFD), SOME(3), { OFFSET, 0 }, { LENGTH, 0 } } },
    { SYS_write, 0, 0, 0, { F(FILE_), DATA } },
    { SYS_pwrite64, 0, 0, 0, { F(MEMFD), DATA, { OFFSET, 0 } } },
    { SYS_pread64, 0, 0, 0, { F(MEMFD), SPACE, { OFFSET, 0 } } },
    { SYS_read, 0, 0, 0, { F(FILE_), SPACE } },
    { SYS_lseek, 0, 0, 0, { F(FILE_), { OFFSET, 0 }, FEW(5) } },
    { SYS_sendfile, 0, 0, 0, { F(TCP), F(FILE_), V(0), { LENGTH, 0 } } },
    { SYS_sendfile, 0, 0, 0, { F(PIPE_IN), F(MEMFD), V(0), { LENGTH, 0 } } },
    { SYS_getdents64, 0, 0, 0, { F(DIRECTORY), SPACE } },
    { SYS_fstat, 0, 0, 0, { ANY, { BUFFER_OUT, 0 } } },
    { SYS_rename, 0, 0, 0, { P, P } },
    { SYS_link, 0, 0, 0, { P, P } },
    { SYS_symlink, 0, 0, 0, { P, P } },
    { SYS_unlink, 0, 0, 0, { P } },
    { SYS_mkdir, 0, 0, 0, { P, V(0755) } },
    { SYS_rmdir, 0, 0, 0, { P } },
    { SYS_open, NEW(DIRECTORY), { P, V(O_PATH) } },
    { SYS_openat, NEW(FILE_), { F(DIRECTORY), P, SOME(O_RDWR | O_CREAT | O_NOFOLLOW), V(0644) } },
    { SYS_mkdirat, 0, 0, 0, { F(DIRECTORY), P, V(0755) } },
    { SYS_unlinkat, 0, 0, 0, { F(DIRECTORY), P, SOME(AT_REMOVEDIR) } },
    { SYS_renameat2, 0, 0, 0, { F(DIRECTORY), P, F(DIRECTORY), P, FEW(5) } },
    { SYS_statx, 0, 0, 0, { F(DIRECTORY), P, SOME(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW), V(0xfff), { BUFFER_OUT, 0 } } },
    { SYS_utimensat, 0, 0, 0, { F(DIRECTORY), P, V(0), SOME(AT_SYMLINK_NOFOLLOW) } },
    { SYS_truncate, 0, 0, 0, { P, { OFFSET, 0 } } },
    { SYS_fallocate, 0, 0, 0, { F(FILE_), SOME(3), { OFFSET, 0 }, { LENGTH, 0 } } },
    { SYS_flock, 0, 0, 0, { F(FILE_), SOME(15) } },
    { SYS_inotify_init1, NEW(INOTIFY), { V(O_NONBLOCK) } },
    { SYS_inotify_add_watch, 0, 0, 0, { F(INOTIFY), P, SOME(0xfff) } },
    { SYS_inotify_rm_watch, 0, 0, 0, { F(INOTIFY), FEW(20) } },
    { SYS_read, 0, 0, 0, { F(INOTIFY), SPACE } },
    { SYS_close, ENDS_FD, FILE_, 0, { F(FILE_) } },
    { SYS_close, ENDS_FD, DIRECTORY, 0, { F(DIRECTORY) } },
    { SYS_close, ENDS_FD, MEMFD, 0, { F(MEMFD) } },
    { SYS_close, ENDS_FD, INOTIFY, 0, { F(INOTIFY) } },
    /* Mappings. */
    { SYS_mmap, 0, 0, 0, { { FIXED_PAGES, 0 }, { PAGES, 0 }, V(PROT_READ | PROT_WRITE), V(MAP_SHARED | MAP_FIXED),
      F(MEMFD), V(0) } },
    { SYS_mmap, 0, 0, 0, { { FIXED_PAGES, 0 }, { PAGES, 0 }, SOME(7), V(MAP_PRIVATE | MAP_FIXED), F(FILE_), V(0) } },
    { SYS_mmap, 0, 0, 0, { { FIXED_PAGES, 0 }, { PAGES, 0 }, V(PROT_READ | PROT_WRITE),
      V(MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED), V(-1), V(0) } },
    { SYS_mmap, 0, 0, 0, { { FIXED_PAGES, 0 }, { PAGES, 0 }, V(PROT_READ | PROT_WRITE),
      V(MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE), V(-1), V(0) } },
    { SYS_madvise, 0, 0, 0, { { FIXED_PAGES, 0 }, { PAGES, 0 }, FEW(26) } },
    { SYS_mremap, 0, 0, 0, { { FIXED_PAGES, 0 }, { PAGES, 0 }, { PAGES, 0 }, V(MREMAP_MAYMOVE | MREMAP_FIXED),
      { FIXED_PAGES, 0 } } },
    { SYS_mprotect, 0, 0, 0, { { FIXED_PAGES, 0 }, { PAGES, 0 }, SOME(7) } },
    { SYS_mmap, 0, 0, 0, { { FIXED_PAGES, 0 }, { PAGES, 0 }, V(PROT_READ | PROT_WRITE), V(MAP_SHARED | MAP_FIXED),
      F(FILE_), V(0) } },
    { SYS_mincore, 0, 0, 0, { { FIXED_PAGES, 0 }, { PAGES, 0 }, { BUFFER_OUT, 0 } } },
    { SYS_mlock, 0, 0, 0, { { FIXED_PAGES, 0 }, { PAGES, 0 } } },
    { SYS_msync, 0, 0, 0, { { FIXED_PAGES, 0 }, { PAGES, 0 }, FEW(8) } },
    { SYS_munmap, 0, 0, 0, { { FIXED_PAGES, 0 }, { PAGES, 0 } } },
    /* The same descriptor under other numbers. */
    { SYS_dup, NEW(TCP), { F(TCP) } },
    { SYS_dup, NEW(FILE_), { ANY } },
    { SYS_dup3, 0, 0, 0, { ANY, ANY, V(0) } },
    { SYS_fcntl, 0, 0, 0, { ANY, V(F_SETFL), SOME(O_NONBLOCK | O_APPEND) } },
};
/* clang-format on */
#define STEPS (sizeof(steps) / sizeof(steps[0]))

/* ---- Arguments --------------------------------------------------------------------------------- */

static int fd_of(enum kind kind) { return pools[kind][below(SLOTS)]; }

static int any_fd(void)
{
    for (unsigned attempt = 0; attempt < 8; attempt++) {
        int fd = fd_of((enum kind)below(KINDS));
        if (fd != 0)
            return fd;
    }
    return 3;
}

static uint64_t place(uint64_t size) { return region + below(REGION - size); }

static uint64_t put(const void *data, uint64_t size)
{
    uint64_t at = place(size);
    write_region(at, data, size);
    return at;
}

static uint64_t length(void)
{
    switch (below(10)) {
    case 0:
        return 0;
    case 1:
        return 1UL << below(32);
    case 2:
        return below(2) ? UINT64_MAX : INT32_MAX;
    case 3:
    case 4:
        return below(BUFFER);
    default:
        return 1 + below(3000);
    }
}

static uint64_t offset(void)
{
    switch (below(6)) {
    case 0:
        return 0;
    case 1:
        return 1UL << below(63);
    default:
        return below(1UL << 20);
    }
}

static uint64_t internet_address(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)(FIRST_PORT + below(PORTS))),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (below(20) == 0)
        address.sin_family = (sa_family_t)below(12); /* AF_UNSPEC dissolves a connection */
    return put(&address, sizeof(address));
}

static uint64_t unix_address(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    address.sun_path[0] = below(2) ? 0 : '/';
    memcpy(address.sun_path + 1, "tmp/s", 5);
    address.sun_path[6] = (char)('0' + below(4));
    return put(&address, sizeof(address));
}

static uint64_t vector(void)
{
    struct iovec pieces[8];
    for (unsigned i = 0; i < 8; i++)
        pieces[i] = (struct iovec){ (void *)place(BUFFER), below(12) ? below(5000) : length() };
    return put(pieces, sizeof(pieces));
}

/* With descriptors, for both directions. */
static uint64_t message(void)
{
    struct {
        struct cmsghdr header;
        int fds[FDS];
    } control = { .header = { CMSG_LEN(sizeof(control.fds)), SOL_SOCKET, SCM_RIGHTS } };
    for (unsigned i = 0; i < FDS; i++)
        control.fds[i] = any_fd();
    struct msghdr header = { .msg_iov = (void *)vector(),
                             .msg_iovlen = below(9),
                             .msg_control = (void *)put(&control, sizeof(control)),
                             .msg_controllen = below(4) ? sizeof(control) : below(100) };
    return put(&header, sizeof(header));
}

static uint64_t poll_set(void)
{
    struct pollfd set[8];
    for (unsigned i = 0; i < 8; i++)
        set[i] = (struct pollfd){ any_fd(), (short)below(0x2000), 0 };
    return put(set, sizeof(set));
}

static uint64_t epoll_event(void)
{
    static const uint32_t modes[] = { 0, EPOLLET, EPOLLONESHOT, EPOLLEXCLUSIVE };
    struct epoll_event event = { .events = (uint32_t)below(0x20) | modes[below(4)], .data.u64 = below(1000) };
    return put(&event, sizeof(event));
}

static uint64_t timer_setting(void)
{
    struct itimerspec setting = { .it_interval.tv_nsec = (long)below(2) * 1000000,
                                  .it_value.tv_nsec = (long)below(3) * 1000000 };
    return put(&setting, sizeof(setting));
}

static uint64_t signal_mask(void)
{
    uint64_t mask = below(2) ? UINT64_MAX : 1UL << below(64);
    return put(&mask, sizeof(mask));
}

/* Of SIGRTMIN (34) and above, which prepare() has ignored: they wait only while they are blocked. Not in the region,
 * where another player may write a mask that blocks SIGSEGV. */
static uint64_t realtime_mask(void)
{
    static const uint64_t masks[] = { UINT64_MAX << 33, 1UL << 33, 1UL << 34, 3UL << 35 };
    return (uint64_t)(uintptr_t)&masks[below(4)];
}

/* Of a signal that prepare() has ignored. */
static uint64_t signal_event(void)
{
    struct sigevent event = { .sigev_notify = below(4) ? SIGEV_SIGNAL : SIGEV_NONE,
                              .sigev_signo = SIGRTMIN + (int)below(4),
                              .sigev_value.sival_int = (int)below(100) };
    return put(&event, sizeof(event));
}

/* Of netlink, for all interfaces, addresses or routes. */
static uint64_t question(void)
{
    uint32_t header[5] = { 20, (uint32_t)(16 + below(12)) | (uint32_t)(below(4) ? 0x301 : below(0x400)) << 16,
                           (uint32_t)below(100), 0, (uint32_t)below(4) };
    return put(header, sizeof(header));
}

static uint64_t open_how(void)
{
    uint64_t how[3] = { O_RDONLY, 0, below(2) ? below(32) : 0 };
    return put(how, sizeof(how));
}

static uint64_t attribute_name(bool empty)
{
    static const char *const names[] = { "user.a", "user.b", "trusted.c", "security.d", "system.e", "user." };
    const char *name = empty ? "" : names[below(6)];
    return put(name, strlen(name) + 1);
}

static uint64_t size_word(void)
{
    uint32_t size = (uint32_t)below(below(4) ? 200 : UINT32_MAX);
    return put(&size, sizeof(size));
}

static uint64_t short_time(void)
{
    struct timespec time = { .tv_nsec = (long)below(200000) };
    return put(&time, sizeof(time));
}

/* One of a few words, so that waiters and wakers meet. */
static uint64_t word(void) { return region + below(16) * 4; }

static uint64_t build(const struct argument *argument)
{
    switch (argument->form) {
    case NOTHING:
        return 0;
    case VALUE:
        return argument->value;
    case FD:
        return (uint64_t)fd_of((enum kind)argument->value);
    case ANY_FD:
        return (uint64_t)any_fd();
    case BUFFER_IN:
    case BUFFER_OUT:
        return place(BUFFER);
    case LENGTH:
        return length();
    case OFFSET:
        return offset();
    case FLAGS:
        return below(UINT32_MAX) & argument->value;
    case ONE_OF_FEW:
        return below(argument->value);
    case PATH:
        return path_in_region();
    case ADDRESS:
        return internet_address();
    case ADDRESS_LENGTH:
        return 2 + 7;
    case UNIX_ADDRESS:
        return unix_address();
    case IOV:
        return vector();
    case MESSAGE:
        return message();
    case EPOLL_EVENT:
        return epoll_event();
    case POLL_FDS:
        return poll_set();
    case SHORT_TIME:
        return short_time();
    case TIMER_SETTING:
        return timer_setting();
    case WORD:
        return word();
    case FIXED_PAGES:
        return region + PAGE + below(REGION / PAGE - 130) * PAGE;
    case PAGES:
        return (1 + below(64)) * PAGE;
    case PAIR:
        return region + below(REGION / 8) * 8;
    case SIZE_WORD:
        return size_word();
    case SIGNAL_MASK:
        return signal_mask();
    case REALTIME_MASK:
        return realtime_mask();
    case REALTIME:
        return (uint64_t)SIGRTMIN + below(4);
    case SIGNAL_EVENT:
        return signal_event();
    case QUESTION:
        return question();
    case OPEN_HOW:
        return open_how();
    case ATTRIBUTE:
        return attribute_name(argument->value);
    }
    return 0;
}

/* ---- Steps ------------------------------------------------------------------------------------- */

static void close_fd(int fd)
{
    if (fd > 2)
        close(fd);
}

/* Takes the place of another of its kind, which is closed. */
static void remember(enum kind kind, int fd)
{
    if (fd > 2)
        close_fd(atomic_exchange(&pools[kind][below(SLOTS)], fd));
}

static void remember_pair(const struct step *step, uint64_t at)
{
    int pair[2];
    if (!read_region(pair, at, sizeof(pair)))
        return;
    remember(step->kind, pair[0]);
    remember(step->other, pair[1]);
}

static void forget(enum kind kind, int fd)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        int expected = fd;
        atomic_compare_exchange_strong(&pools[kind][i], &expected, 0);
    }
}

/* Its list of robust futexes is whatever lies there. */
static void *short_life(void *list)
{
    if (list != NULL)
        syscall(SYS_set_robust_list, list, 24);
    return NULL;
}

/* Threads that come and go, with what their end does: the word that is cleared, the robust list, the stack. */
static void start_and_join(void)
{
    pthread_t thread;
    void *list = below(2) ? (void *)place(24) : NULL;
    if (pthread_create(&thread, NULL, short_life, list) == 0)
        pthread_join(thread, NULL);
}

/* Faults, while other players map, unmap and move these pages. */
static void touch_pages(void)
{
    uint64_t count = 1 + below(64), at = region + below(REGION / PAGE - 64) * PAGE, word = below(1000);
    for (uint64_t i = 0; i < count; i++)
        if (below(2))
            write_region(at + i * PAGE, &word, sizeof(word));
        else
            read_region(&word, at + i * PAGE, sizeof(word));
}

void make_step(void)
{
    if (below(500) == 0) {
        start_and_join();
        return;
    }
    if (below(50) == 0)
        touch_pages();
    const struct step *step = &steps[below(STEPS)];
    struct call *call = next_call();
    call->number = step->number;
    for (unsigned i = 0; i < 6; i++)
        call->arguments[i] = build(&step->arguments[i]);
    bool console = call->arguments[0] <= 2 && step->arguments[0].form == FD;
    if (console)
        return; /* nothing of this kind has been made yet */
    if (step->makes == ENDS_FD)
        forget(step->kind, (int)call->arguments[0]);
    make(call);
    if (call->result < 0)
        return;
    if (step->makes == MAKES_FD)
        remember(step->kind, (int)call->result);
    else if (step->makes == MAKES_PAIR)
        remember_pair(step, call->arguments[step->number == SYS_pipe2 ? 0 : 3]);
}

void end_steps(void)
{
    for (unsigned kind = 0; kind < KINDS; kind++)
        for (unsigned i = 0; i < SLOTS; i++)
            close_fd(atomic_exchange(&pools[kind][i], 0));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The description: for each call the values of its arguments. The first values together are a call that can succeed;
 * every other value is tried with the first values of the rest, and in a crossed row all pairs of the first two
 * arguments.
 *
 * What is not here would change the machine the table runs on (reboot, settimeofday) or end the program (exit, a fatal
 * signal).
 */
#define _GNU_SOURCE
#include "calls.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* clang-format off */
#define N(x) { #x, (uint64_t)(x) }
#define AT(member) { #member, (uint64_t)(uintptr_t)&data.member }
#define TEXT(string) { #string, (uint64_t)(uintptr_t)string }
/* clang-format on */
#define LIST(name, ...) static const struct value name[] = { __VA_ARGS__, { 0 } }
#define ONE_OF(...) ((const struct value[]){ __VA_ARGS__, { 0 } })
#define WRONG N(0x40000000)
/* clang-format off */
#define BAD { "8", 8 }
#define KERNEL { "kernel address", 0xffff800000001000UL }
#define NULL_ADDRESS { "NULL", 0 }
/* clang-format on */

#define NO_FILE N(CLOSED_FD), N(-1), N(INT32_MAX), N(AT_FDCWD)
#define EACH_FILE \
    N(READ_FD), N(WRITE_FD), N(APPEND_FD), N(DIRECTORY_FD), N(PATH_FD), N(PIPE_OUT), N(PIPE_IN), N(FULL_PIPE_IN), \
        N(BROKEN_PIPE), N(STREAM_FD), N(LISTENER_FD), N(DATAGRAM_FD), N(PAIR_FD), N(UNIX_FD), N(EPOLL_FD), \
        N(EVENT_FD), N(TIMER_FD), N(INOTIFY_FD), N(MEMORY_FD), N(NULL_FD), N(ZERO_FD), N(PROC_FD)
LIST(fds, N(FILE_FD), EACH_FILE, NO_FILE);
LIST(few_fds, N(FILE_FD), N(READ_FD), N(WRITE_FD), N(DIRECTORY_FD), N(PATH_FD), N(PIPE_OUT), N(PIPE_IN), N(PAIR_FD),
     N(EVENT_FD), N(MEMORY_FD), N(NULL_FD), N(CLOSED_FD), N(-1));
LIST(socket_fds, N(PAIR_FD), N(STREAM_FD), N(LISTENER_FD), N(DATAGRAM_FD), N(UNIX_FD), N(FILE_FD), N(PIPE_OUT),
     N(CLOSED_FD), N(-1), N(PATH_FD));
LIST(directories, N(AT_FDCWD), N(DIRECTORY_FD), N(FILE_FD), N(PATH_FD), N(PIPE_OUT), N(CLOSED_FD), N(-1));

/* Not the parent and not the root, which are not the table's to change. */
#define EACH_OWN_PATH \
    TEXT("d"), TEXT("g"), TEXT("none"), TEXT("none/x"), TEXT("f/x"), TEXT("l"), TEXT("loop"), TEXT("dangling"), \
        TEXT("d/"), TEXT("f/"), TEXT("d/x"), TEXT("l/"), TEXT("."), TEXT(""), TEXT("d/../f"), AT(long_name), \
        AT(long_path), NULL_ADDRESS, BAD, KERNEL
#define EACH_PATH EACH_OWN_PATH, TEXT(".."), TEXT("/")
LIST(own_paths, TEXT("f"), EACH_OWN_PATH);
LIST(paths, TEXT("f"), EACH_PATH);
LIST(new_paths, TEXT("new"), TEXT("f"), EACH_PATH);
LIST(directory_paths, TEXT("empty"), TEXT("f"), EACH_PATH);
LIST(buffers, AT(buffer), NULL_ADDRESS, BAD, KERNEL, TEXT("constant"));
LIST(sources, AT(buffer), NULL_ADDRESS, BAD, KERNEL);
LIST(sizes, N(5), N(0), N(1), N(4096), N(-1), N(INT64_MAX), N(8));
LIST(offsets, N(0), N(5), N(100), N(-1), N(INT64_MAX), N(INT64_MIN));
LIST(vectors, AT(vector), NULL_ADDRESS, BAD, AT(bad_vector), AT(huge_vector));
LIST(counts, N(1), N(0), N(2), N(-1), N(1024), N(1025));
LIST(modes, N(0644), N(0), N(07777), N(-1));
LIST(flags_at, N(0), N(AT_SYMLINK_NOFOLLOW), N(AT_EMPTY_PATH), N(AT_REMOVEDIR), WRONG);
LIST(open_flags, N(O_RDONLY), N(O_WRONLY), N(O_RDWR), N(3), N(O_RDWR | O_TRUNC), N(O_CREAT | O_WRONLY),
     N(O_CREAT | O_EXCL), N(O_DIRECTORY), N(O_DIRECTORY | O_CREAT), N(O_NOFOLLOW), N(O_PATH), N(O_PATH | O_NOFOLLOW),
     N(O_APPEND | O_RDWR), N(O_TMPFILE | O_RDWR), N(O_TMPFILE | O_RDONLY), N(O_NONBLOCK), N(O_CLOEXEC), N(O_NOATIME),
     N(0x40000000));
LIST(pids, { "self", SELF_PID }, N(0), N(999999999), N(-5), N(INT32_MIN));
LIST(tids, { "self", SELF_TID }, N(0), N(999999999), N(-5));
LIST(signals, N(0), N(SIGUSR2), N(65), N(-1), N(SIGWINCH));
LIST(masks, AT(user_signal), NULL_ADDRESS, BAD, AT(no_signals), AT(all_signals));
LIST(mask_sizes, N(8), N(0), N(4), N(16), N(-1));
LIST(old_masks, NULL_ADDRESS, AT(words), BAD, KERNEL);
LIST(timeouts, AT(zero_time), AT(negative_time), AT(wrong_time), BAD);
LIST(clocks, N(CLOCK_REALTIME), N(CLOCK_MONOTONIC), N(CLOCK_PROCESS_CPUTIME_ID), N(CLOCK_THREAD_CPUTIME_ID),
     N(CLOCK_MONOTONIC_RAW), N(CLOCK_REALTIME_COARSE), N(CLOCK_MONOTONIC_COARSE), N(CLOCK_BOOTTIME), N(10),
     N(CLOCK_TAI), N(12), N(99), N(-1), N(-2), N(-6));
LIST(outputs, AT(words), NULL_ADDRESS, BAD, KERNEL);
LIST(user_ids, N(0), N(-1), N(-1L));
LIST(names, TEXT("user.a"), TEXT("trusted.a"), TEXT("security.a"), TEXT("system.a"), TEXT("unknown.a"), TEXT("user."),
     TEXT("plain"), TEXT(""), AT(long_name), NULL_ADDRESS, BAD);
LIST(attribute_sizes, N(4), N(0), N(65536), N(65537), N(-1));
LIST(attribute_flags, N(0), N(1), N(2), N(3), N(4));
LIST(addresses, AT(loopback), AT(any), AT(wrong_family), AT(unix_abstract), AT(unix_path), AT(zero), NULL_ADDRESS, BAD);
LIST(unix_addresses, AT(unix_path), AT(unix_abstract), AT(unix_missing), AT(unix_not_socket), AT(loopback),
     NULL_ADDRESS, BAD);
LIST(address_lengths, N(16), N(0), N(1), N(2), N(3), N(110), N(128), N(129), N(-1));
LIST(unix_lengths, N(110), N(7), N(6), N(5), N(2), N(1), N(0), N(111), N(-1));
LIST(lengths, AT(length_16), AT(length_0), AT(length_2), AT(length_128), AT(negative_length), NULL_ADDRESS, BAD);
LIST(message_flags, N(MSG_DONTWAIT), N(0), N(MSG_PEEK | MSG_DONTWAIT), N(MSG_OOB), N(MSG_TRUNC | MSG_DONTWAIT),
     N(MSG_ERRQUEUE), N(MSG_DONTWAIT | MSG_NOSIGNAL));
LIST(messages, AT(message), AT(empty_message), AT(bad_message), AT(many_spans), NULL_ADDRESS, BAD);
LIST(creation_flags, N(0), N(O_CLOEXEC), N(O_NONBLOCK), N(O_CLOEXEC | O_NONBLOCK), N(1), N(O_APPEND), WRONG);

LIST(memory, N(PRIVATE), N(SHARED), N(PRIVATE_FILE), N(SHARED_FILE), N(READ_ONLY_FILE), N(NO_ACCESS), N(GAP),
     N(NO_MEMORY), N(1), N(-4096), N(0x7ffffffff000));
LIST(memory_lengths, N(4096), N(0), N(1), N(12288), N(-1));
/* Not 100 and 101, which take pages of the machine out of use. */
LIST(advice, N(MADV_NORMAL), N(MADV_RANDOM), N(MADV_SEQUENTIAL), N(MADV_WILLNEED), N(MADV_DONTNEED), N(5), N(7),
     N(MADV_FREE), N(MADV_REMOVE), N(MADV_DONTFORK), N(MADV_DOFORK), N(MADV_MERGEABLE), N(MADV_UNMERGEABLE),
     N(MADV_HUGEPAGE), N(MADV_NOHUGEPAGE), N(MADV_DONTDUMP), N(MADV_DODUMP), N(MADV_WIPEONFORK), N(MADV_KEEPONFORK),
     N(MADV_COLD), N(MADV_PAGEOUT), N(MADV_POPULATE_READ), N(MADV_POPULATE_WRITE), N(24 /* MADV_DONTNEED_LOCKED */),
     N(99), N(-1));
LIST(sought, N(FILE_FD), N(PIPE_OUT), N(MEMORY_FD), N(NULL_FD), N(ZERO_FD), N(PROC_FD), N(SETTING_FD), N(SYS_FD));

/* clang-format off */
#define ROW(call, ...) { .name = #call, .number = SYS_##call, .arguments = { __VA_ARGS__ } }
#define ROW_OK(call, ...) { .name = #call, .number = SYS_##call, .shown = OK, .arguments = { __VA_ARGS__ } }
#define CROSSED(call, ...) { .name = #call, .number = SYS_##call, .crossed = true, .arguments = { __VA_ARGS__ } }
#define CROSSED_OK(call, ...) { .name = #call, .number = SYS_##call, .shown = OK, .crossed = true, \
    .arguments = { __VA_ARGS__ } }
#define ADVISED(where) ROW(madvise, ONE_OF({ #where, where }), ONE_OF(N(4096), N(12288)), advice)
#define SOUGHT(whence) CROSSED(lseek, sought, offsets, ONE_OF(N(whence)))

const struct row call_rows[] = {
    /* Moving data. */
    ROW_OK(read, fds, buffers, sizes),
    ROW_OK(write, fds, sources, sizes),
    ROW_OK(pread64, fds, buffers, sizes, offsets),
    ROW(pwrite64, fds, sources, sizes, offsets),
    ROW_OK(readv, fds, vectors, counts),
    ROW_OK(writev, fds, vectors, counts),
    ROW_OK(preadv, fds, vectors, counts, offsets),
    ROW(pwritev, fds, vectors, counts, offsets),
    ROW_OK(preadv2, few_fds, vectors, counts, offsets, ONE_OF(N(0)), ONE_OF(N(0), N(1), N(8), N(16), N(0x8000))),
    ROW_OK(pwritev2, few_fds, vectors, counts, offsets, ONE_OF(N(0)), ONE_OF(N(0), N(1), N(16), N(0x8000))),
    ROW(lseek, fds, offsets, ONE_OF(N(SEEK_SET), N(SEEK_CUR), N(SEEK_END), N(SEEK_DATA), N(SEEK_HOLE), N(5), N(-1))),
    SOUGHT(SEEK_SET), SOUGHT(SEEK_CUR), SOUGHT(SEEK_END), SOUGHT(SEEK_DATA), SOUGHT(SEEK_HOLE), SOUGHT(5),
    CROSSED(sendfile, ONE_OF(N(FILE_FD), N(PIPE_IN), N(PAIR_FD), N(READ_FD), N(APPEND_FD), N(NULL_FD), N(EVENT_FD),
            N(CLOSED_FD)), ONE_OF(N(READ_FD), N(MEMORY_FD), N(WRITE_FD), N(DIRECTORY_FD), N(PIPE_OUT), N(PATH_FD),
            N(PAIR_FD), N(CLOSED_FD)), ONE_OF(NULL_ADDRESS, AT(offset_0), AT(offset_5), AT(negative_offset), BAD),
            ONE_OF(N(5), N(0), N(-1))),
    CROSSED(copy_file_range, few_fds, ONE_OF(NULL_ADDRESS, AT(offset_5), AT(negative_offset), BAD),
            ONE_OF(N(MEMORY_FD), N(APPEND_FD), N(READ_FD), N(WRITE_FD), N(PIPE_IN), N(FILE_FD), N(DIRECTORY_FD),
            N(CLOSED_FD)), ONE_OF(NULL_ADDRESS, AT(offset_5), AT(negative_offset), BAD), sizes, ONE_OF(N(0), N(1))),
    ROW(splice, ONE_OF(N(PIPE_OUT), N(FILE_FD), N(READ_FD), N(PIPE_IN), N(FULL_PIPE_OUT), N(PAIR_FD), N(MEMORY_FD),
        N(DIRECTORY_FD), N(EVENT_FD), N(CLOSED_FD), N(-1)), ONE_OF(NULL_ADDRESS, AT(offset_0), BAD), ONE_OF(N(FILE_FD),
        N(MEMORY_FD), N(READ_FD), N(APPEND_FD), N(PIPE_IN), N(PIPE_OUT), N(FULL_PIPE_IN), N(PAIR_FD), N(NULL_FD),
        N(DIRECTORY_FD), N(CLOSED_FD)), ONE_OF(NULL_ADDRESS, AT(offset_0), AT(offset_5), AT(negative_offset), BAD),
        ONE_OF(N(4), N(0), N(1), N(100)), ONE_OF(N(0), N(2), N(15), N(16))),
    ROW(splice, ONE_OF(N(FILE_FD), N(MEMORY_FD), N(READ_FD), N(WRITE_FD), N(DIRECTORY_FD), N(PAIR_FD), N(ZERO_FD),
        N(NULL_FD), N(FULL_PIPE_OUT)), ONE_OF(NULL_ADDRESS, AT(offset_0), AT(offset_5), AT(negative_offset), BAD),
        ONE_OF(N(PIPE_IN), N(PIPE_OUT), N(BROKEN_PIPE), N(FULL_PIPE_IN)), ONE_OF(NULL_ADDRESS, AT(offset_0)),
        ONE_OF(N(4), N(0), N(100)), ONE_OF(N(2), N(0), N(16))),
    CROSSED(tee, ONE_OF(N(PIPE_OUT), N(FULL_PIPE_OUT), N(PIPE_IN), N(FILE_FD), N(PAIR_FD), N(CLOSED_FD)),
            ONE_OF(N(PIPE_IN), N(FULL_PIPE_IN), N(BROKEN_PIPE), N(PIPE_OUT), N(FILE_FD), N(CLOSED_FD)), ONE_OF(N(4),
            N(0), N(2)), ONE_OF(N(2), N(0), N(16))),
    CROSSED(vmsplice, ONE_OF(N(PIPE_IN), N(PIPE_OUT), N(FULL_PIPE_IN), N(BROKEN_PIPE), N(FILE_FD), N(PAIR_FD),
            N(CLOSED_FD)), vectors, counts, ONE_OF(N(2), N(0), N(16))),
    ROW(fsync, fds), ROW(fdatasync, fds), ROW(syncfs, fds), ROW(sync),
    ROW(sync_file_range, fds, offsets, offsets, ONE_OF(N(0), N(7), N(8))),
    ROW(readahead, fds, offsets, sizes),
    ROW(fadvise64, fds, offsets, offsets, ONE_OF(N(0), N(1), N(2), N(3), N(4), N(5), N(6), N(-1))),
    ROW(flock, fds, ONE_OF(N(1), N(2), N(8), N(6), N(0), N(3), N(32), N(-1))),
    ROW(ftruncate, fds, offsets), ROW(truncate, own_paths, offsets),
    CROSSED(fallocate, few_fds, ONE_OF(N(0), N(1), N(2), N(3), N(8), N(16), N(0x80)), offsets, ONE_OF(N(5), N(0),
            N(-1), N(4096))),

    /* Descriptors. */
    ROW(close, fds),
    ROW_OK(dup, fds),
    CROSSED(dup2, ONE_OF(N(FILE_FD), N(PATH_FD), N(CLOSED_FD), N(-1)), ONE_OF(N(50), N(FILE_FD), N(PATH_FD),
            N(CLOSED_FD), N(-1), N(INT32_MAX), N(19999), N(20000))),
    CROSSED(dup3, ONE_OF(N(FILE_FD), N(PATH_FD), N(CLOSED_FD), N(-1)), ONE_OF(N(50), N(FILE_FD), N(PATH_FD),
            N(CLOSED_FD), N(-1), N(20000)), ONE_OF(N(0), N(O_CLOEXEC), N(1))),
    ROW(close_range, ONE_OF(N(50), N(60), N(0x80000000)), ONE_OF(N(60), N(50), N(-1)), ONE_OF(N(0), N(2), N(4), N(1))),
    CROSSED_OK(fcntl, fds, ONE_OF(N(F_GETFL), N(F_DUPFD), N(F_DUPFD_CLOEXEC), N(F_GETFD), N(F_SETFD), N(F_SETFL),
               N(F_GETOWN), N(F_GETPIPE_SZ), N(F_GET_SEALS), N(F_GETSIG), N(F_GETLEASE), N(99), N(-1))),
    ROW(fcntl, ONE_OF(N(FILE_FD), N(MEMORY_FD), N(PIPE_IN)), ONE_OF(N(F_DUPFD)), ONE_OF(N(50), N(-1), N(20000),
        N(19999))),
    ROW(fcntl, fds, ONE_OF(N(F_GETFL))), ROW(fcntl, fds, ONE_OF(N(F_GETFD))),
    CROSSED(fcntl, ONE_OF(N(MEMORY_FD), N(FILE_FD), N(PIPE_IN), N(DIRECTORY_FD), N(CLOSED_FD)), ONE_OF(N(F_ADD_SEALS),
            N(F_GET_SEALS)), ONE_OF(N(F_SEAL_WRITE), N(0), N(F_SEAL_SEAL), N(31), N(64))),
    CROSSED(fcntl, ONE_OF(N(FILE_FD), N(READ_FD), N(DIRECTORY_FD), N(MEMORY_FD), N(PATH_FD), N(CLOSED_FD)),
            ONE_OF(N(F_GET_RW_HINT), N(F_SET_RW_HINT)), ONE_OF(AT(words), NULL_ADDRESS, BAD)),
    ROW(fcntl, ONE_OF(N(PIPE_IN), N(FILE_FD), N(PAIR_FD)), ONE_OF(N(F_SETPIPE_SZ)), ONE_OF(N(65536), N(4096), N(0),
        N(-1))),
    ROW(fcntl, few_fds, ONE_OF(N(F_SETLK), N(F_GETLK), N(F_OFD_SETLK)), ONE_OF(AT(words), NULL_ADDRESS, BAD)),
    CROSSED_OK(ioctl, fds, ONE_OF(N(FIONREAD), N(FIONBIO), N(FIOCLEX), N(FIONCLEX), N(TCGETS), N(TIOCGWINSZ), N(0),
               N(-1)), ONE_OF(AT(words), NULL_ADDRESS, BAD)),
    ROW_OK(pipe, outputs), ROW_OK(pipe2, outputs, creation_flags),

    /* Names. */
    CROSSED_OK(open, own_paths, open_flags, modes),
    ROW_OK(open, new_paths, ONE_OF(N(O_CREAT | O_RDWR), N(O_CREAT | O_EXCL), N(O_CREAT | O_NOFOLLOW))),
    ROW_OK(openat, directories, paths, open_flags, modes),
    ROW_OK(openat2, directories, paths, ONE_OF(AT(words), AT(how_create), AT(how_wrong_flag), AT(how_mode),
           AT(how_resolve), AT(how_beneath), NULL_ADDRESS, BAD), ONE_OF(N(24), N(0), N(23), N(32), N(4097))),
    ROW_OK(creat, new_paths, modes),
    ROW(mkdir, new_paths, modes), ROW(mkdirat, directories, new_paths, modes),
    ROW(rmdir, directory_paths), ROW(unlink, own_paths), CROSSED(unlinkat, directories, own_paths, flags_at),
    ROW(unlinkat, directories, directory_paths, ONE_OF(N(AT_REMOVEDIR))),
    ROW(mknod, new_paths, ONE_OF(N(S_IFREG | 0644), N(0644), N(S_IFIFO | 0644), N(S_IFSOCK | 0644), N(S_IFDIR | 0755),
        N(S_IFLNK | 0777), N(0170000)), ONE_OF(N(0))),
    ROW(mknodat, directories, new_paths, ONE_OF(N(S_IFREG | 0644), N(S_IFDIR | 0755)), ONE_OF(N(0))),
    CROSSED(link, own_paths, new_paths), ROW(linkat, directories, paths, directories, new_paths, ONE_OF(N(0),
            N(AT_SYMLINK_FOLLOW), N(AT_EMPTY_PATH), WRONG)),
    ROW(symlink, ONE_OF(TEXT("f"), TEXT(""), TEXT("none"), AT(long_name), AT(long_path), NULL_ADDRESS, BAD),
        new_paths), ROW(symlinkat, ONE_OF(TEXT("f"), TEXT("")), directories, new_paths),
    CROSSED(rename, own_paths, new_paths), ROW(renameat, directories, paths, directories, new_paths),
    ROW(rename, ONE_OF(TEXT("empty"), TEXT("d"), TEXT("l"), TEXT("dangling")), ONE_OF(TEXT("d"), TEXT("empty"),
        TEXT("empty/x"), TEXT("f"), TEXT("new/"), TEXT("d/new"))),
    ROW(renameat2, directories, paths, directories, new_paths, ONE_OF(N(0), N(1), N(2), N(3), N(4), N(8), WRONG)),
    ROW(renameat2, ONE_OF(N(AT_FDCWD)), paths, ONE_OF(N(AT_FDCWD)), ONE_OF(TEXT("g"), TEXT("none"), TEXT("d")),
        ONE_OF(N(2), N(1))),
    ROW_OK(readlink, ONE_OF(TEXT("l"), TEXT("f"), EACH_PATH), buffers, ONE_OF(N(64), N(0), N(1), N(-1))),
    ROW_OK(readlinkat, directories, ONE_OF(TEXT("l"), TEXT("f"), EACH_PATH), buffers, ONE_OF(N(64), N(0), N(1), N(-1))),
    ROW(chdir, directory_paths), ROW(fchdir, fds), ROW_OK(getcwd, buffers, ONE_OF(N(4096), N(0), N(1), N(-1))),
    ROW(chmod, own_paths, modes), ROW(fchmod, fds, modes), ROW(fchmodat, directories, own_paths, modes),
    ROW(chown, own_paths, user_ids, user_ids), ROW(lchown, own_paths, user_ids, user_ids), ROW(fchown, fds, user_ids,
        user_ids), ROW(fchownat, directories, own_paths, user_ids, user_ids, flags_at),
    ROW(access, paths, ONE_OF(N(0), N(R_OK), N(W_OK), N(X_OK), N(7), N(8), N(-1))), ROW(faccessat, directories, paths,
        ONE_OF(N(0), N(X_OK), N(8))),
    ROW(faccessat2, directories, paths, ONE_OF(N(0), N(X_OK), N(8)), ONE_OF(N(0), N(AT_EACCESS),
        N(AT_SYMLINK_NOFOLLOW), N(AT_EMPTY_PATH), WRONG)),
    ROW_OK(umask, ONE_OF(N(022), N(-1))),
    ROW(utime, own_paths, ONE_OF(NULL_ADDRESS, AT(words), BAD)), ROW(utimes, own_paths, ONE_OF(NULL_ADDRESS,
        AT(two_timevals), AT(wrong_timevals), BAD)),
    ROW(futimesat, directories, own_paths, ONE_OF(NULL_ADDRESS, AT(two_timevals), AT(wrong_timevals), BAD)),
    ROW(utimensat, directories, own_paths, ONE_OF(NULL_ADDRESS, AT(two_times), AT(omitted), AT(wrong_times),
        AT(negative_time), BAD), flags_at),
    ROW(utimensat, fds, ONE_OF(NULL_ADDRESS), ONE_OF(NULL_ADDRESS, AT(two_times), AT(omitted), AT(wrong_times)),
        flags_at),

    /* What files are. */
    ROW(stat, paths, outputs), ROW(lstat, paths, outputs), ROW(fstat, fds, outputs), ROW(newfstatat, directories,
        paths, outputs, flags_at),
    ROW(statx, directories, paths, ONE_OF(N(0), N(AT_SYMLINK_NOFOLLOW), N(AT_EMPTY_PATH), N(0x2000), N(0x4000),
        N(0x6000), WRONG), ONE_OF(N(0x7ff), N(0), N(-1), N(0x80000000)), outputs),
    ROW(statfs, paths, outputs), ROW(fstatfs, fds, outputs), ROW_OK(getdents64, fds, buffers, ONE_OF(N(4096), N(0),
        N(1), N(-1))),
    ROW_OK(getdents, fds, buffers, ONE_OF(N(4096), N(0), N(1))),
    ROW(setxattr, own_paths, names, sources, attribute_sizes, attribute_flags), ROW(lsetxattr, own_paths, names,
        sources, attribute_sizes, attribute_flags),
    ROW(fsetxattr, fds, names, sources, attribute_sizes, attribute_flags),
    ROW(getxattr, paths, names, buffers, attribute_sizes), ROW(lgetxattr, paths, names, buffers, attribute_sizes),
        ROW(fgetxattr, fds, names, buffers, attribute_sizes),
    ROW(listxattr, paths, buffers, attribute_sizes), ROW(llistxattr, paths, buffers, attribute_sizes), ROW(flistxattr,
        fds, buffers, attribute_sizes),
    ROW(removexattr, own_paths, names), ROW(lremovexattr, own_paths, names), ROW(fremovexattr, fds, names),
    ROW_OK(memfd_create, ONE_OF(TEXT("name"), TEXT(""), AT(long_name), NULL_ADDRESS, BAD), ONE_OF(N(0), N(1), N(2),
           N(3), N(8), N(16), N(24), N(4), WRONG)),
    ROW(inotify_add_watch, fds, paths, ONE_OF(N(IN_CREATE), N(0), N(-1))), ROW(inotify_add_watch, ONE_OF(N(INOTIFY_FD),
        N(PATH_FD)), paths, ONE_OF(N(IN_CREATE), N(0), N(IN_ONLYDIR | IN_CREATE), N(IN_DONT_FOLLOW | IN_CREATE),
        N(0x1000000), N(IN_MASK_ADD | IN_MASK_CREATE | IN_CREATE))),
    ROW(inotify_rm_watch, fds, ONE_OF(N(1), N(-1))), ROW(inotify_rm_watch, ONE_OF(N(INOTIFY_FD)), ONE_OF(N(1), N(0))),
    ROW_OK(inotify_init1, creation_flags), ROW_OK(inotify_init),

    /* Waiting for files. */
    ROW_OK(eventfd2, ONE_OF(N(0), N(-1)), creation_flags), ROW_OK(eventfd, ONE_OF(N(0), N(5))),
    ROW_OK(epoll_create1, creation_flags), ROW_OK(epoll_create, ONE_OF(N(1), N(0), N(-1))),
    CROSSED(epoll_ctl, ONE_OF(N(EPOLL_FD), N(FILE_FD), N(PIPE_OUT), N(CLOSED_FD)), ONE_OF(N(EPOLL_CTL_ADD),
            N(EPOLL_CTL_DEL), N(EPOLL_CTL_MOD), N(0), N(4)), ONE_OF(N(EVENT_FD), N(PIPE_OUT), N(FILE_FD),
            N(DIRECTORY_FD), N(EPOLL_FD), N(STREAM_FD), N(TIMER_FD), N(PATH_FD), N(NULL_FD), N(PROC_FD), N(MEMORY_FD),
            N(CLOSED_FD), N(-1)), ONE_OF(AT(event), NULL_ADDRESS, BAD)),
    ROW(epoll_wait, ONE_OF(N(EPOLL_FD), N(FILE_FD), N(PATH_FD), N(CLOSED_FD)), outputs, ONE_OF(N(5), N(1), N(0), N(-1),
        N(INT32_MAX)), ONE_OF(N(0), N(-1))),
    ROW(epoll_pwait, ONE_OF(N(EPOLL_FD), N(FILE_FD), N(CLOSED_FD)), outputs, ONE_OF(N(5), N(0)), ONE_OF(N(0)), masks,
        mask_sizes),
    ROW(epoll_pwait2, ONE_OF(N(EPOLL_FD), N(FILE_FD), N(CLOSED_FD)), outputs, ONE_OF(N(5), N(0)), timeouts, masks,
        mask_sizes),
    ROW(poll, ONE_OF(AT(polled), AT(closed_poll), NULL_ADDRESS, BAD), ONE_OF(N(1), N(0), N(2), N(-1)), ONE_OF(N(0))),
    ROW(ppoll, ONE_OF(AT(polled), NULL_ADDRESS), ONE_OF(N(1), N(0), N(-1)), timeouts, masks, mask_sizes),
    ROW(select, ONE_OF(N(0), N(1), N(64), N(-1), N(2000)), outputs, ONE_OF(NULL_ADDRESS, BAD), ONE_OF(NULL_ADDRESS,
        BAD), ONE_OF(AT(zero_timeval), BAD)),
    ROW(pselect6, ONE_OF(N(0), N(1), N(64), N(-1)), outputs, ONE_OF(NULL_ADDRESS), ONE_OF(NULL_ADDRESS), timeouts,
        ONE_OF(NULL_ADDRESS, BAD)),
    ROW_OK(signalfd4, ONE_OF(N(-1), N(FILE_FD), N(CLOSED_FD), N(-2)), masks, mask_sizes, creation_flags),
           ROW_OK(signalfd, ONE_OF(N(-1), N(FILE_FD), N(CLOSED_FD)), masks, mask_sizes),
    CROSSED_OK(timerfd_create, clocks, creation_flags),
    ROW(timerfd_settime, ONE_OF(N(TIMER_FD), N(FILE_FD), N(PATH_FD), N(CLOSED_FD)), ONE_OF(N(0), N(1), N(2), N(3),
        N(4)), ONE_OF(AT(far_timer), AT(disarmed), AT(wrong_timer), NULL_ADDRESS, BAD), old_masks),
    ROW(timerfd_gettime, fds, outputs),

    /* Sockets. */
    CROSSED_OK(socket, ONE_OF(N(AF_INET), N(AF_UNIX), N(AF_UNSPEC), N(46), N(-1)), ONE_OF(N(SOCK_STREAM),
               N(SOCK_DGRAM), N(SOCK_SEQPACKET), N(SOCK_RAW), N(0), N(SOCK_STREAM | SOCK_NONBLOCK), N(11), N(0x100)),
               ONE_OF(N(0), N(6), N(17), N(1), N(-1), N(256))),
    CROSSED_OK(socket, ONE_OF(N(AF_NETLINK)), ONE_OF(N(SOCK_RAW), N(SOCK_DGRAM), N(SOCK_STREAM)), ONE_OF(N(0), N(99))),
    CROSSED_OK(socketpair, ONE_OF(N(AF_UNIX), N(AF_INET), N(46)), ONE_OF(N(SOCK_STREAM), N(SOCK_DGRAM),
               N(SOCK_SEQPACKET), N(SOCK_RAW), N(0)), ONE_OF(N(0), N(1), N(2)), outputs),
    ROW(bind, ONE_OF(N(STREAM_FD), N(DATAGRAM_FD), N(LISTENER_FD), N(FILE_FD), N(CLOSED_FD)), addresses,
        address_lengths),
    ROW(bind, ONE_OF(N(UNIX_FD), N(PAIR_FD)), unix_addresses, unix_lengths),
    ROW(connect, ONE_OF(N(DATAGRAM_FD), N(LISTENER_FD), N(FILE_FD), N(CLOSED_FD)), addresses, address_lengths),
    ROW(connect, ONE_OF(N(UNIX_FD), N(PAIR_FD)), unix_addresses, unix_lengths),
    ROW(connect, ONE_OF(N(STREAM_FD)), ONE_OF(AT(closed_port), AT(wrong_family)), address_lengths),
    ROW(listen, socket_fds, ONE_OF(N(5), N(0), N(-1))), ROW_OK(accept, ONE_OF(N(STREAM_FD), N(DATAGRAM_FD), N(PAIR_FD),
        N(UNIX_FD), N(FILE_FD), N(CLOSED_FD), N(LISTENER_FD)), outputs, lengths), ROW_OK(accept4, ONE_OF(N(STREAM_FD),
        N(FILE_FD), N(CLOSED_FD)), ONE_OF(NULL_ADDRESS), ONE_OF(NULL_ADDRESS), ONE_OF(N(0), N(SOCK_NONBLOCK), N(1))),
    ROW(getsockname, socket_fds, outputs, lengths), ROW(getpeername, socket_fds, outputs, lengths), ROW(shutdown,
        socket_fds, ONE_OF(N(0), N(1), N(2), N(3), N(-1))),
    CROSSED(getsockopt, socket_fds, ONE_OF(N(SOL_SOCKET), N(IPPROTO_TCP), N(IPPROTO_IP), N(-1), N(99)),
            ONE_OF(N(SO_TYPE), N(SO_ERROR), N(SO_ACCEPTCONN), N(SO_PROTOCOL), N(SO_DOMAIN), N(99), N(-1)), outputs,
            lengths),
    ROW(setsockopt, socket_fds, ONE_OF(N(SOL_SOCKET)), ONE_OF(N(SO_REUSEADDR), N(SO_KEEPALIVE), N(SO_TYPE),
        N(SO_LINGER), N(SO_RCVTIMEO), N(99), N(-1)), ONE_OF(AT(words), NULL_ADDRESS, BAD), ONE_OF(N(4), N(0), N(1),
        N(16), N(-1))),
    ROW(sendto, socket_fds, sources, sizes, message_flags, ONE_OF(NULL_ADDRESS, AT(closed_port), AT(wrong_family),
        BAD), address_lengths),
    ROW(recvfrom, socket_fds, buffers, sizes, message_flags, ONE_OF(NULL_ADDRESS, AT(words), BAD), lengths),
    ROW(sendmsg, socket_fds, messages, message_flags), ROW(recvmsg, socket_fds, messages, message_flags), ROW(sendmmsg,
        socket_fds, messages, ONE_OF(N(1), N(0)), message_flags), ROW(recvmmsg, socket_fds, messages, ONE_OF(N(1),
        N(0)), message_flags, ONE_OF(NULL_ADDRESS, AT(zero_time), AT(negative_time), AT(wrong_time), BAD)),

    /* Memory. */
    CROSSED_OK(mmap, ONE_OF(NULL_ADDRESS, N(1), N(0x7ffffffff000), N(-4096)), ONE_OF(N(4096), N(0), N(1), N(-1),
               N(INT64_MAX)), ONE_OF(N(PROT_READ), N(PROT_READ | PROT_WRITE), N(0), N(7), N(8)), ONE_OF(N(MAP_PRIVATE),
               N(MAP_SHARED), N(MAP_SHARED_VALIDATE), N(0), N(4), N(MAP_SHARED_VALIDATE | 0x80000)), fds, ONE_OF(N(0),
               N(4096), N(1), N(-4096))),
    ROW_OK(mmap, ONE_OF(NULL_ADDRESS), ONE_OF(N(4096), N(0), N(-1)), ONE_OF(N(PROT_READ | PROT_WRITE), N(0)),
           ONE_OF(N(MAP_PRIVATE | MAP_ANONYMOUS), N(MAP_SHARED | MAP_ANONYMOUS), N(MAP_ANONYMOUS)), ONE_OF(N(-1),
           N(CLOSED_FD), N(FILE_FD)), ONE_OF(N(0), N(4096), N(1))),
    ROW_OK(mmap, ONE_OF(NULL_ADDRESS), ONE_OF(N(4096)), ONE_OF(N(PROT_READ | PROT_WRITE)), ONE_OF(N(MAP_SHARED)), fds,
           ONE_OF(N(0))),
    CROSSED(munmap, memory, memory_lengths),
    CROSSED(mprotect, memory, memory_lengths, ONE_OF(N(1), N(8), N(-1))),
    CROSSED(mprotect, memory, ONE_OF(N(4096)), ONE_OF(N(PROT_READ | PROT_WRITE))),
    CROSSED(mprotect, memory, ONE_OF(N(4096)), ONE_OF(N(PROT_READ | PROT_EXEC))),
    ADVISED(NO_MEMORY), ADVISED(PRIVATE), ADVISED(SHARED), ADVISED(PRIVATE_FILE), ADVISED(SHARED_FILE),
    ADVISED(READ_ONLY_FILE), ADVISED(NO_ACCESS), ADVISED(GAP),
    CROSSED(madvise, memory, memory_lengths, advice),
    CROSSED(mincore, memory, memory_lengths, outputs),
    CROSSED(mlock, memory, memory_lengths),
    CROSSED(munlock, memory, memory_lengths),
    CROSSED(mlock2, memory, memory_lengths, ONE_OF(N(0), N(1), N(2))),
        ROW(mlockall, ONE_OF(N(4), N(0), N(8))), ROW(munlockall),
    CROSSED(msync, memory, memory_lengths, ONE_OF(N(MS_SYNC), N(0), N(MS_ASYNC), N(MS_INVALIDATE), N(5), N(8))),
    CROSSED_OK(mremap, memory, memory_lengths, ONE_OF(N(8192), N(0), N(-1)), ONE_OF(N(1), N(0), N(2), N(3), N(4), N(5),
               N(8)), ONE_OF(N(GAP + 0x10000), N(1))),
    ROW(membarrier, ONE_OF(N(MEMBARRIER_CMD_GLOBAL), N(MEMBARRIER_CMD_GLOBAL_EXPEDITED),
        N(MEMBARRIER_CMD_PRIVATE_EXPEDITED), N(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED),
        N(MEMBARRIER_CMD_PRIVATE_EXPEDITED), N(1 << 20), N(-1)), ONE_OF(N(0), N(1))),

    /* Signals and time. */
    ROW(kill, ONE_OF({ "self", SELF_PID }, N(999999999), N(INT32_MIN)), signals), ROW(tkill, tids, signals),
        ROW(tgkill, pids, tids, signals),
    ROW(rt_sigqueueinfo, ONE_OF({ "self", SELF_PID }, N(999999999), N(0)), signals, outputs), ROW(rt_tgsigqueueinfo,
        ONE_OF({ "self", SELF_PID }, N(999999999), N(0)), tids, signals, outputs),
    ROW(rt_sigprocmask, ONE_OF(N(SIG_BLOCK), N(SIG_UNBLOCK), N(SIG_SETMASK), N(3), N(-1)), masks, old_masks,
        mask_sizes), ROW(rt_sigaction, ONE_OF(N(SIGUSR2), N(0), N(65), N(-1), N(SIGKILL), N(SIGSTOP), N(64)),
        ONE_OF(AT(ignore_action), NULL_ADDRESS, BAD), old_masks, mask_sizes),
    ROW(rt_sigpending, outputs, mask_sizes), ROW(rt_sigsuspend, ONE_OF(AT(no_signals), NULL_ADDRESS, BAD), mask_sizes),
        ROW(rt_sigtimedwait, ONE_OF(AT(user_signal), NULL_ADDRESS, BAD), old_masks, timeouts, mask_sizes),
        ROW(sigaltstack, ONE_OF(NULL_ADDRESS, BAD, KERNEL), old_masks),
    ROW(pause), ROW(alarm, ONE_OF(N(0))), ROW(getitimer, ONE_OF(N(0), N(1), N(2), N(3), N(-1)), outputs),
        CROSSED(setitimer, ONE_OF(N(0), N(1), N(2), N(3), N(-1)), ONE_OF(AT(no_alarm), NULL_ADDRESS, AT(wrong_alarm),
        BAD), old_masks),
    CROSSED_OK(timer_create, clocks, ONE_OF(AT(event_none), AT(event_wrong), NULL_ADDRESS, AT(event_signal), BAD),
               outputs), ROW(timer_delete, ONE_OF(N(99999), N(-1))), ROW(timer_gettime, ONE_OF(N(99999), N(-1)),
               outputs), ROW(timer_getoverrun, ONE_OF(N(99999), N(-1))), ROW(timer_settime, ONE_OF(N(99999), N(-1)),
               ONE_OF(N(0), N(1), N(2)), ONE_OF(AT(far_timer), AT(wrong_timer), NULL_ADDRESS, BAD), old_masks),
    CROSSED_OK(clock_gettime, clocks, outputs), CROSSED_OK(clock_getres, clocks, outputs), CROSSED(clock_nanosleep,
               clocks, ONE_OF(N(1), N(3), N(2)), ONE_OF(AT(zero_time), AT(negative_time), AT(wrong_time), NULL_ADDRESS,
               BAD), old_masks),
    ROW(clock_nanosleep, ONE_OF(N(CLOCK_MONOTONIC)), ONE_OF(N(0)), ONE_OF(AT(hour))),
    ROW(nanosleep, ONE_OF(AT(hour), AT(negative_time), AT(wrong_time), NULL_ADDRESS, BAD), old_masks),
        ROW_OK(gettimeofday, outputs, outputs), ROW_OK(time, outputs), ROW_OK(times, outputs), ROW(getrusage,
        ONE_OF(N(0), N(1), N(-1), N(2), N(-2)), outputs),
    ROW(futex, ONE_OF(AT(zero), N(1), NULL_ADDRESS, BAD), ONE_OF(N(FUTEX_WAKE), N(FUTEX_WAIT), N(FUTEX_FD),
        N(FUTEX_REQUEUE), N(FUTEX_CMP_REQUEUE), N(FUTEX_WAKE_OP), N(FUTEX_WAIT_BITSET), N(FUTEX_WAKE_BITSET), N(99)),
        ONE_OF(N(1), N(0), N(-1)), ONE_OF(NULL_ADDRESS), outputs, ONE_OF(N(0), N(1))),
    ROW(futex, ONE_OF(AT(zero), AT(one)), ONE_OF(N(FUTEX_WAIT), N(FUTEX_WAIT_PRIVATE)), ONE_OF(N(0), N(1)),
        ONE_OF(NULL_ADDRESS, AT(zero_time), AT(negative_time), AT(wrong_time), BAD)),

    /* Who and how much. */
    ROW_OK(getpid), ROW_OK(gettid), ROW_OK(getpgrp), ROW_OK(getpgid, pids), ROW_OK(getsid, pids), ROW(getuid),
           ROW(geteuid), ROW(getgid), ROW(getegid), ROW(getresuid, outputs, outputs, outputs), ROW(getresgid, outputs,
           outputs, outputs), ROW_OK(getgroups, ONE_OF(N(100), N(-1)), outputs),
    ROW(setuid, user_ids), ROW(setgid, user_ids), ROW(setreuid, user_ids, user_ids), ROW(setregid, user_ids, user_ids),
        ROW(setresuid, user_ids, user_ids, user_ids), ROW(setresgid, user_ids, user_ids, user_ids), ROW(setfsuid,
        user_ids), ROW(setfsgid, user_ids), ROW(setgroups, ONE_OF(N(0), N(-1), N(65537), N(1)), outputs),
    ROW(capget, ONE_OF(AT(capability_header), AT(capability_wrong), AT(capability_other), NULL_ADDRESS, BAD),
        ONE_OF(AT(words), NULL_ADDRESS, BAD)), ROW(capset, ONE_OF(AT(capability_wrong), AT(capability_other),
        NULL_ADDRESS, BAD), ONE_OF(AT(words), NULL_ADDRESS, BAD)),
    ROW_OK(uname, outputs), ROW_OK(sysinfo, outputs), CROSSED_OK(getrlimit, ONE_OF(N(0), N(1), N(2), N(3), N(4), N(5),
           N(6), N(7), N(8), N(9), N(10), N(11), N(12), N(13), N(14), N(15), N(16), N(-1)), outputs), ROW(setrlimit,
           ONE_OF(N(RLIMIT_NOFILE), N(16), N(-1)), ONE_OF(AT(limit_low), AT(limit_wrong), NULL_ADDRESS, BAD)),
           ROW(prlimit64, pids, ONE_OF(N(RLIMIT_NOFILE), N(RLIMIT_STACK), N(16)), ONE_OF(NULL_ADDRESS, AT(limit_wrong),
           BAD), old_masks),
    ROW(getrandom, buffers, ONE_OF(N(16), N(0)), ONE_OF(N(0), N(1), N(2), N(4), N(6), N(8))), ROW_OK(getcpu, outputs,
        outputs), ROW(getpriority, ONE_OF(N(0), N(1), N(2), N(3), N(-1)), pids), ROW(setpriority, ONE_OF(N(0), N(3),
        N(-1)), pids, ONE_OF(N(0))),
    ROW(sched_yield), ROW_OK(sched_getaffinity, tids, ONE_OF(N(128), N(0), N(7), N(9)), outputs),
        ROW(sched_getscheduler, tids), ROW(sched_getparam, tids, outputs), ROW(sched_setparam, tids, ONE_OF(AT(words),
        NULL_ADDRESS, BAD)), ROW(sched_setscheduler, tids, ONE_OF(N(0), N(3), N(4), N(99), N(-1)), ONE_OF(AT(words),
        NULL_ADDRESS, BAD)), ROW(sched_get_priority_max, ONE_OF(N(0), N(1), N(2), N(3), N(4), N(5), N(6), N(7),
        N(-1))), ROW(sched_get_priority_min, ONE_OF(N(0), N(1), N(2), N(3), N(4), N(5), N(6), N(-1))),
        ROW(sched_rr_get_interval, tids, outputs),
    ROW(sched_getattr, tids, outputs, ONE_OF(N(48), N(56), N(0), N(47), N(5000)), ONE_OF(N(0), N(1))),
    ROW(personality, ONE_OF(N(0xffffffff))), ROW(wait4, ONE_OF(N(-1), N(0), N(5), N(INT32_MIN)), old_masks,
        ONE_OF(N(0), N(WNOHANG), N(0x80)), old_masks), ROW(waitid, ONE_OF(N(P_ALL), N(P_PID), N(99)), ONE_OF(N(0),
        N(5)), outputs, ONE_OF(N(WEXITED), N(0), N(WNOHANG | WEXITED), N(0x80))),
    ROW(get_robust_list, ONE_OF({ "self", SELF_TID }, N(0), N(999999999)), outputs, outputs), ROW(ioprio_get,
        ONE_OF(N(1), N(2), N(4), N(-1)), ONE_OF(N(0), N(999999999))), ROW(chroot, ONE_OF(TEXT("none"), TEXT("f"),
        NULL_ADDRESS)),
    ROW(prctl, ONE_OF(N(PR_GET_NAME), N(99), N(-1)), outputs), ROW(prctl, ONE_OF(N(PR_GET_KEEPCAPS),
        N(PR_GET_TIMERSLACK), N(PR_GET_SECCOMP), N(PR_GET_NO_NEW_PRIVS)), ONE_OF(N(0)), ONE_OF(N(0)), ONE_OF(N(0)),
        ONE_OF(N(0))), ROW(arch_prctl, ONE_OF(N(0x1003), N(99)), outputs),
    ROW(set_robust_list, ONE_OF(AT(words)), ONE_OF(N(23), N(0))), ROW(io_uring_setup, ONE_OF(N(1)),
        ONE_OF(NULL_ADDRESS)),
};
/* clang-format on */
const unsigned call_row_count = sizeof(call_rows) / sizeof(call_rows[0]);

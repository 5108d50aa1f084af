/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/errno.h"
#include "lib/string.h"

#define NAME(error) [error] = #error
static const char *const names[] = {
    NAME(EPERM),        NAME(ENOENT),       NAME(ESRCH),        NAME(EINTR),           NAME(EIO),
    NAME(ENXIO),        NAME(E2BIG),        NAME(ENOEXEC),      NAME(EBADF),           NAME(ECHILD),
    NAME(EAGAIN),       NAME(ENOMEM),       NAME(EACCES),       NAME(EFAULT),          NAME(EBUSY),
    NAME(EEXIST),       NAME(EXDEV),        NAME(ENODEV),       NAME(ENOTDIR),         NAME(EISDIR),
    NAME(EINVAL),       NAME(ENFILE),       NAME(EMFILE),       NAME(ENOTTY),          NAME(ETXTBSY),
    NAME(EFBIG),        NAME(ENOSPC),       NAME(ESPIPE),       NAME(EROFS),           NAME(EMLINK),
    NAME(EPIPE),        NAME(EDOM),         NAME(ERANGE),       NAME(EDEADLK),         NAME(ENAMETOOLONG),
    NAME(ENOSYS),       NAME(ENOTEMPTY),    NAME(ELOOP),        NAME(ENODATA),         NAME(EPROTO),
    NAME(EBADMSG),      NAME(EOVERFLOW),    NAME(EILSEQ),       NAME(ENOTSOCK),        NAME(EDESTADDRREQ),
    NAME(EMSGSIZE),     NAME(EPROTOTYPE),   NAME(ENOPROTOOPT),  NAME(EPROTONOSUPPORT), NAME(ESOCKTNOSUPPORT),
    NAME(EOPNOTSUPP),   NAME(EPFNOSUPPORT), NAME(EAFNOSUPPORT), NAME(EADDRINUSE),      NAME(EADDRNOTAVAIL),
    NAME(ENETDOWN),     NAME(ENETUNREACH),  NAME(ECONNABORTED), NAME(ECONNRESET),      NAME(ENOBUFS),
    NAME(EISCONN),      NAME(ENOTCONN),     NAME(ETIMEDOUT),    NAME(ECONNREFUSED),    NAME(EHOSTDOWN),
    NAME(EHOSTUNREACH), NAME(EALREADY),     NAME(EINPROGRESS),  NAME(ESTALE),          NAME(ECANCELED),
};

const char *errno_name(int64_t error)
{
    bool known = error < 0 && error > -(int64_t)array_size(names) && names[-error];
    return known ? names[-error] : "an unknown error";
}

int errno_number(const char *name, size_t length)
{
    for (int i = 1; i < (int)array_size(names); i++)
        if (names[i] && strlen(names[i]) == length && !memcmp(names[i], name, length))
            return i;
    return 0;
}

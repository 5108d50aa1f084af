/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of syslog (RFC 5424 6) and the setting that says where they go, for syslog.c. There is no state and no lock
 * here. A header is at most HEADER_MAX long, so a line always fits. The text goes out as it is, without the mark that
 * would say it is UTF-8, since the program writes what it likes.
 */
#include "lib/date.h"
#include "lib/format.h"
#include "lib/string.h"
#include "net/dns.h"
#include "net/syslog.h"

#define FACILITY_KERNEL 0 /* RFC 5424 6.2.1 */
#define FACILITY_USER 1
#define HOST_NAME_MAX 64   /* of what uname(2) reports */
#define APPLICATION_MAX 48 /* RFC 5424 6: APP-NAME */
#define HEADER_MAX 192u

_Static_assert(HEADER_MAX + JOURNAL_TEXT <= SYSLOG_MESSAGE, "a whole line is one message");

static const struct kind {
    int facility;
    const char *process, *name; /* PROCID, MSGID */
} kinds[] = {
    [JOURNAL_KERNEL] = { FACILITY_KERNEL, "-", "kernel" },
    [JOURNAL_OUTPUT] = { FACILITY_USER, "1", "stdout" },
    [JOURNAL_ERRORS] = { FACILITY_USER, "1", "stderr" },
};

/* ---- Time ------------------------------------------------------------------------------------------------- */

/* "2026-11-26T18:47:51.123456Z": RFC 5424 6.2.3. */
static int put_time(char *to, size_t size, nanoseconds time)
{
    uint64_t seconds = time / NS_PER_SECOND;
    struct date date = date_of((unsigned)(seconds / 86400));
    unsigned second = (unsigned)(seconds % 86400);
    return format(to, size, "%04u-%02u-%02uT%02u:%02u:%02u.%06luZ", date.year, date.month, date.day, second / 3600,
                  second / 60 % 60, second % 60, time % NS_PER_SECOND / NS_PER_US);
}

/* ---- Messages --------------------------------------------------------------------------------------------- */

/* A name of a header is of visible ASCII; what is not becomes '_', and an empty one '-' (RFC 5424 6). */
static void put_name(char *to, const char *name, size_t most)
{
    size_t length = min_of(strlen(name), most);
    for (size_t i = 0; i < length; i++)
        to[i] = name[i] > ' ' && name[i] <= '~' ? name[i] : '_';
    to[length] = 0;
    if (length == 0)
        string_copy(to, "-", 2);
}

size_t syslog_format(char to[SYSLOG_MESSAGE], const struct syslog_origin *origin, const struct journal_line *line)
{
    const struct kind *kind = &kinds[line->source];
    bool kernel = line->source == JOURNAL_KERNEL;
    char time[32], host[HOST_NAME_MAX + 1], application[APPLICATION_MAX + 1];
    put_time(time, sizeof(time), line->time);
    put_name(host, origin->host_name, HOST_NAME_MAX);
    put_name(application, kernel ? "unikernel" : origin->application, APPLICATION_MAX);
    int header = format(to, HEADER_MAX, "<%d>1 %s %s %s %s %s - ", kind->facility * 8 + (int)line->severity, time, host,
                        application, kind->process, kind->name);
    memcpy(to + header, line->text, line->length);
    return (size_t)header + line->length;
}

/* ---- The setting ------------------------------------------------------------------------------------------ */

/* Moves after `word` if the text begins with it. */
static bool take(char **text, const char *word)
{
    if (!starts_with(*text, word))
        return false;
    *text += strlen(word);
    return true;
}

bool syslog_target_parse(char *text, struct syslog_target *out)
{
    uint64_t port = SYSLOG_PORT;
    out->tcp = take(&text, "syslog+tcp://");
    if (!out->tcp && !take(&text, "syslog://"))
        return false;
    char *colon = strchr(text, ':');
    if (colon) {
        if (!parse_decimal(colon + 1, &port) || port < 1 || port > UINT16_MAX)
            return false;
        *colon = 0;
    }
    out->host = text;
    out->port = (uint16_t)port;
    return dns_host_valid(text);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/xen/report.h"

#include "core/log.h"
#include "drivers/xen/console.h"
#include "drivers/xen/xenbus.h"
#include "lib/errno.h"

/* Whoever waits for a node may end the domain when it is there, so the console's text goes first. */
void xen_report(const char *event, unsigned number)
{
    char path[XENBUS_PATH_MAX], value[16];
    format(path, sizeof(path), "data/unikernel/%s", event);
    format(value, sizeof(value), "%u", number);
    xen_console_drain();
    int error = xenbus_write(path, value);
    if (error != 0)
        log_info("%s is not reported to the host: %s", path, errno_name(error));
}

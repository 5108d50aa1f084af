/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/xen/suspend.h"

#include "core/log.h"
#include "drivers/xen/frontend.h"
#include "drivers/xen/grant.h"
#include "drivers/xen/settings.h"
#include "drivers/xen/xenbus.h"
#include "platform/platform.h"
#include "platform/xen/host.h"

/* The toolstack waits for the acknowledgement, a request like others; and the rings in which messages travel are saved
 * as they are. So there must be none. */
bool xen_suspend(void)
{
    xenbus_settle();
    if (!grants_suspend()) {
        log_error("the host wants to save this domain, for which there is no memory now; try again later");
        return false;
    }
    bool restored = xen_host->suspend();
    grants_resume(restored);
    if (!restored)
        return false;
    frontends_disconnect();
    xen_host->resume();
    xenbus_watch_again();
    frontends_attach();
    xen_read_seed();
    return true;
}

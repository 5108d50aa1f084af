/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One watch for each of the two nodes, and one request at a time for each: the order is read, emptying the node is
 * requested, the order is obeyed. A change while a request is under way sets `again`, and the node is read once more
 * afterwards, so no order is missed. Emptying the node is such a change too; what is read then is empty, and that ends
 * it.
 *
 * xen_control_start() is called by xen_start_devices(), all else by xenbus.c in interrupt context, on the CPU that
 * gets the store's events. The kernel lock is held, and there is no other. An order that is not known is logged.
 */
#include "drivers/xen/control.h"

#include "core/log.h"
#include "drivers/xen/xenbus.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/platform.h"

/* A node into which the toolstack writes requests. One request at a time: reads it, then empties the node; a
 * change in the meantime is looked at afterwards. */
struct node {
    struct xenbus_watch watch;
    struct xenbus_request request;
    void (*obey)(const char *order);
    char order[32];
    bool busy, again;
};

static void read_order(struct node *node);

static void acknowledged(struct xenbus_request *request)
{
    struct node *node = request->context;
    if (request->result < 0)
        log_error("%s cannot be emptied: %s", request->path, errno_name(request->result));
    node->busy = false;
    if (node->again)
        read_order(node);
}

static void order_read(struct xenbus_request *request)
{
    struct node *node = request->context;
    if (request->result <= 0) { /* no such node, or already empty */
        if (request->result < 0 && request->result != -ENOENT)
            log_error("%s cannot be read: %s", request->path, errno_name(request->result));
        node->busy = false;
        if (node->again)
            read_order(node);
        return;
    }
    node->order[request->result] = '\0';
    request->operation = XENBUS_WRITE;
    request->value = "";
    request->value_length = 0;
    request->reply = NULL;
    request->done = acknowledged;
    xenbus_submit(request);
    node->obey(node->order);
}

static void read_order(struct node *node)
{
    node->busy = true;
    node->again = false;
    node->request = (struct xenbus_request){
        .operation = XENBUS_READ,
        .reply = node->order,
        .reply_size = sizeof(node->order) - 1,
        .done = order_read,
        .context = node,
    };
    string_copy(node->request.path, node->watch.path, sizeof(node->request.path));
    xenbus_submit(&node->request);
}

static void node_changed(struct xenbus_watch *watch)
{
    struct node *node = watch->context;
    if (node->busy)
        node->again = true;
    else
        read_order(node);
}

static void obey_shutdown(const char *order)
{
    if (strcmp(order, "poweroff") == 0 || strcmp(order, "halt") == 0)
        kernel_control(CONTROL_POWER_OFF);
    else if (strcmp(order, "reboot") == 0)
        kernel_control(CONTROL_REBOOT);
    else if (strcmp(order, "suspend") == 0)
        kernel_control(CONTROL_SUSPEND);
    else
        log_error("the host asks for '%s', which is not supported: use poweroff, reboot or suspend", order);
}

static void obey_sysrq(const char *order) { kernel_control_key(order[0]); }

static struct node shutdown_node = { .watch.path = "control/shutdown", .obey = obey_shutdown };
static struct node sysrq_node = { .watch.path = "control/sysrq", .obey = obey_sysrq };

static void watch_node(struct node *node)
{
    node->watch.changed = node_changed;
    node->watch.context = node;
    xenbus_watch(&node->watch);
}

void xen_control_start(void)
{
    watch_node(&shutdown_node);
    watch_node(&sysrq_node);
}

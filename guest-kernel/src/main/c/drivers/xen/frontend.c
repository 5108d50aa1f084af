#include "drivers/xen/frontend.h"

#include "lib/errno.h"
#include "lib/pages.h"
#include "lib/print.h"
#include "lib/string.h"
#include "platform/platform.h"
#include "platform/xenpv/events.h"

#define STATE_TIME (30 * NS_PER_SECOND)
#define FRONTEND_SETTINGS_MAX 8

static void backend_changed(struct xenbus_watch *watch)
{
    struct frontend *frontend = watch->context;
    frontend->changed = true;
}

int frontend_open(struct frontend *frontend, const char *path)
{
    struct xenbus_node nodes[] = { { .name = "backend" }, { .name = "backend-id" } };
    if (string_copy(frontend->path, path, sizeof(frontend->path)) >= sizeof(frontend->path))
        return -ENAMETOOLONG;
    int result = xenbus_read_nodes(path, nodes, array_size(nodes));
    if (result != 0)
        return result;
    uint64_t domain = xenbus_number(&nodes[1], UINT64_MAX);
    if (nodes[0].result <= 0 || domain > UINT16_MAX)
        return -EPROTO;
    string_copy(frontend->backend, nodes[0].value, sizeof(frontend->backend));
    frontend->backend_domain = (uint16_t)domain;
    format(frontend->state_path, sizeof(frontend->state_path), "%s/state", frontend->backend);
    frontend->watch.path = frontend->state_path;
    frontend->watch.changed = backend_changed;
    frontend->watch.context = frontend;
    xenbus_watch(&frontend->watch);
    return 0;
}

static void state_node(struct xenbus_node *node, enum frontend_state state)
{
    node->name = "state";
    format(node->value, sizeof(node->value), "%d", (int)state);
}

int frontend_set_state(struct frontend *frontend, enum frontend_state state)
{
    struct xenbus_node node;
    state_node(&node, state);
    return xenbus_write_nodes(frontend->path, &node, 1);
}

int frontend_offer(struct frontend *frontend, const struct frontend_setting *settings, unsigned count,
                   enum frontend_state state)
{
    struct xenbus_node nodes[FRONTEND_SETTINGS_MAX + 1];
    assert(count <= FRONTEND_SETTINGS_MAX);
    for (unsigned i = 0; i < count; i++) {
        nodes[i].name = settings[i].name;
        if (settings[i].text != NULL)
            string_copy(nodes[i].value, settings[i].text, sizeof(nodes[i].value));
        else
            format(nodes[i].value, sizeof(nodes[i].value), "%u", settings[i].value);
    }
    state_node(&nodes[count], state);
    return xenbus_write_nodes(frontend->path, nodes, count + 1);
}

static unsigned backend_state(struct frontend *frontend)
{
    uint64_t state;
    frontend->changed = false;
    if (xenbus_read_number(frontend->state_path, &state) != 0 || state > STATE_CLOSED)
        return STATE_UNKNOWN;
    return (unsigned)state;
}

int frontend_wait(struct frontend *frontend, unsigned states)
{
    nanoseconds limit = clock_monotonic() + STATE_TIME;
    while (!(1u << backend_state(frontend) & states)) {
        while (!read_once(frontend->changed)) {
            if (clock_monotonic() >= limit)
                return -ETIMEDOUT;
            clock_set_deadline(limit);
            cpu_wait();
        }
    }
    return 0;
}

int frontend_reset(struct frontend *frontend)
{
    int result = 0;
    switch (backend_state(frontend)) {
    case STATE_INIT_WAIT:
        return 0;                    /* nobody was there, or it has taken its leave */
    case STATE_INITIALISED:
    case STATE_CONNECTED:
        result = frontend_set_state(frontend, STATE_CLOSING);
        if (result == 0)
            result = frontend_wait(frontend, 1u << STATE_CLOSING | 1u << STATE_CLOSED);
        if (result != 0)
            return result;
        /* fall through */
    case STATE_CLOSING:
        result = frontend_set_state(frontend, STATE_CLOSED);
        if (result == 0)
            result = frontend_wait(frontend, 1u << STATE_CLOSED | 1u << STATE_INIT_WAIT);
        if (result != 0)
            return result;
        /* fall through */
    default:
        result = frontend_set_state(frontend, STATE_INITIALISING);
    }
    return result != 0 ? result : frontend_wait(frontend, 1u << STATE_INIT_WAIT);
}

grant_reference frontend_share_page(struct frontend *frontend, void **data)
{
    struct page *page = page_allocate_zeroed();
    if (page == NULL)
        return GRANT_NONE;
    grant_reference reference = grant_page(frontend->backend_domain, page, false);
    if (reference == GRANT_NONE) {
        page_put(page);
        return GRANT_NONE;
    }
    *data = page_data(page);
    return reference;
}

int frontend_event_channel(struct frontend *frontend, void (*handler)(uint32_t port, void *context),
                           void *context)
{
    int port = event_allocate_unbound(frontend->backend_domain);
    if (port < 0)
        return port;
    event_bind((uint32_t)port, handler, context);
    event_unmask((uint32_t)port);
    return port;
}

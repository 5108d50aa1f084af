/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/errno.h"
#include "net/interface.h"
#include "net/tcp_private.h"

static struct tcp *connection_of(struct tcp_entry *entry)
{
    return entry->kind == TCP_ENTRY_CONNECTION ? container_of(entry, struct tcp, entry) : NULL;
}

static void close_one(struct tcp_entry *entry, void *context)
{
    struct tcp *tcp = connection_of(entry);
    (void)context;
    /* Connections that wait to be accepted are closed with their listener. */
    if (!tcp || tcp->listener || !tcp->socket)
        return;
    const struct socket *socket = &tcp->socket->socket;
    tcp_orphan(tcp, socket->kept.linger && socket->kept.linger_seconds == 0);
}

void tcp_close_all(void)
{
    for (unsigned i = 0; i < PORT_BUCKETS; i++) {
        list_for_each_safe (node, &tcp_ports.buckets[i]) {
            struct port_binding *binding = list_entry(node, struct port_binding, link);
            if (binding->listening)
                tcp_listener_close(container_of(binding, struct tcp_socket, binding));
        }
    }
    tcp_table_for_each(close_one, NULL);
}

static void lose_one(struct tcp_entry *entry, void *context)
{
    struct tcp *tcp = connection_of(entry);
    const struct interface *interface = interface_of_address(entry->local.address);
    (void)context;
    if (tcp && !(interface && interface->loopback))
        tcp_close(tcp, ECONNRESET);
}

void tcp_restored(void)
{
    must_hold_net();
    tcp_table_for_each(lose_one, NULL);
    tcp_table_restored();
}

static void note_pending(struct tcp_entry *entry, void *context)
{
    struct tcp *tcp = connection_of(entry);
    bool *pending = context;
    if (tcp && tcp->send_unacknowledged != tcp->send_end + tcp->fin_queued)
        *pending = true;
}

bool tcp_anything_pending(void)
{
    bool pending = false;
    tcp_table_for_each(note_pending, &pending);
    return pending;
}

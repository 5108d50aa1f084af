/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of Unix sockets: paths in a memory file system, and abstract names, which begin with a NUL and which no path is
 * taken for.
 *
 * `named_sockets` has every socket with a name; net lock. A socket has at most one, and `binding` keeps other threads
 * from giving it another while the path is made, which sleeps. An inode points to the socket of its name without a
 * reference: unix_forget_name() clears that pointer under the lock, so it is followed under the lock only.
 * Called by unix.c and packets.c, and for /proc/net/unix.
 */
#include "core/heap.h"
#include "core/log.h"
#include "files/network_view.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "net/unix/private.h"
#include "threads/thread.h"

static struct list named_sockets = LIST_INIT(named_sockets); /* net lock */

static struct unix_socket *of(struct socket *socket) { return unix_of(socket); }

static bool is_abstract(const struct socket_address *name) { return name->path_length > 0 && name->path[0] == 0; }

static void path_text(const struct socket_address *name, char to[UNIX_PATH_SIZE + 1])
{
    memcpy(to, name->path, name->path_length);
    to[name->path_length] = 0;
}

static bool same_name(const struct socket_address *a, const struct socket_address *b)
{
    return a->path_length == b->path_length && memcmp(a->path, b->path, a->path_length) == 0;
}

static struct unix_socket *find_abstract(const struct socket_address *name)
{
    list_for_each (node, &named_sockets) {
        struct unix_socket *u = list_entry(node, struct unix_socket, name_link);
        if (same_name(&u->name, name))
            return u;
    }
    return NULL;
}

static int bind_abstract(struct unix_socket *u, const struct socket_address *name)
{
    if (find_abstract(name))
        return -EADDRINUSE;
    list_push_back(&named_sockets, &u->name_link);
    u->name = *name;
    return 0;
}

/* Sleeps. The caller has set u->binding, which ends here. */
static int bind_path(struct unix_socket *u, const struct socket_address *name)
{
    char path[UNIX_PATH_SIZE + 1];
    struct inode *inode;
    path_text(name, path);
    struct dentry *start = working_directory();
    int error = name_make_node(start, path, S_IFSOCK | 0777, &inode);
    dentry_put(start);
    net_lock();
    u->binding = false;
    if (error == 0) {
        inode->private = u;
        u->inode = inode;
        u->name = *name;
        list_push_back(&named_sockets, &u->name_link);
    }
    net_unlock();
    return error == -EEXIST ? -EADDRINUSE : error;
}

/* An abstract name of five digits that no socket has: unix(7), Autobind. Net lock. */
static int bind_anywhere(struct unix_socket *u)
{
    static uint32_t last;
    struct socket_address name = { .family = AF_UNIX, .path_length = 6 };
    do
        format(name.path + 1, sizeof(name.path) - 1, "%05x", ++last & 0xfffffu);
    while (find_abstract(&name));
    return bind_abstract(u, &name);
}

static int bind_unnamed(struct unix_socket *u)
{
    net_lock();
    int result = u->name.path_length > 0 || u->binding ? 0 : bind_anywhere(u);
    net_unlock();
    return result;
}

int unix_bind(struct socket *socket, const struct socket_address *address)
{
    struct unix_socket *u = of(socket);
    if (address->family != AF_UNIX)
        return -EINVAL;
    if (address->path_length == 0)
        return bind_unnamed(u);
    int result = 0;
    bool abstract = is_abstract(address);
    net_lock();
    if (u->name.path_length > 0 || u->binding)
        result = -EINVAL;
    else if (abstract)
        result = bind_abstract(u, address);
    else
        u->binding = true;
    net_unlock();
    return result < 0 || abstract ? result : bind_path(u, address);
}

int unix_local_address(struct socket *socket, struct socket_address *out)
{
    net_lock();
    *out = of(socket)->name;
    net_unlock();
    out->family = AF_UNIX;
    return 0;
}

int unix_peer_address(struct socket *socket, struct socket_address *out)
{
    struct unix_socket *u = of(socket);
    net_lock();
    *out = u->peer_name;
    bool connected = u->state == UNIX_CONNECTED;
    net_unlock();
    out->family = AF_UNIX;
    return connected ? 0 : -ENOTCONN;
}

/* Finds the listener of a path; *inode, if set, has a reference for the caller. */
static int find_inode(const struct socket_address *name, struct inode **inode)
{
    char path[UNIX_PATH_SIZE + 1];
    struct dentry *dentry;
    path_text(name, path);
    struct dentry *start = working_directory();
    int error = path_find(start, path, WALK_FOLLOW, &dentry);
    dentry_put(start);
    if (error < 0)
        return error;
    *inode = is_type(dentry->inode, S_IFSOCK) ? inode_get(dentry->inode) : NULL;
    dentry_put(dentry);
    return *inode ? 0 : -ECONNREFUSED;
}

struct inode *unix_forget_name(struct unix_socket *u)
{
    must_hold_net();
    struct inode *inode = u->inode;
    list_remove(&u->name_link);
    if (inode)
        inode->private = NULL;
    return inode;
}

int unix_find(const struct socket_address *name, struct inode **inode)
{
    *inode = NULL;
    return is_abstract(name) ? 0 : find_inode(name, inode);
}

struct unix_socket *unix_owner(const struct socket_address *name, const struct inode *inode)
{
    return inode ? inode->private : find_abstract(name);
}

/* ---- /proc/net/unix: those with a name. They are copied under the net lock and printed without it ---- */

#define SPARE_RECORDS 16u /* for sockets that are named between counting and copying */
#define LINES_AT_ONCE 64u /* between points where others may run */

struct named_record {
    uint32_t references, flags, type, state;
    uint64_t number;
    struct socket_address name;
};

static void fill_record(struct named_record *record, const struct unix_socket *u)
{
    *record = (struct named_record){
        .references = u->references,
        .flags = u->state == UNIX_LISTENING ? 0x10000u : 0,
        .type = u->socket.type,
        .state = u->state == UNIX_CONNECTED ? 3 : 1,
        .number = u->socket.number,
        .name = u->name,
    };
}

/* Copies up to `room` of them; how many there are. */
static uint32_t copy_named(struct named_record *records, uint32_t room)
{
    uint32_t count = 0;
    net_lock();
    list_for_each (node, &named_sockets) {
        if (count < room)
            fill_record(&records[count], list_entry(node, struct unix_socket, name_link));
        count++;
    }
    net_unlock();
    return count;
}

static void print_named(struct text *out, const struct named_record *r)
{
    bool abstract = is_abstract(&r->name);
    text_print(out, "0000000000000000: %08X 00000000 %08X %04X %02X %5lu ", r->references, r->flags, r->type, r->state,
               r->number);
    text_print(out, "%s%.*s\n", abstract ? "@" : "", r->name.path_length - abstract, r->name.path + abstract);
}

static void show_named(struct text *out)
{
    uint32_t room = copy_named(NULL, 0) + SPARE_RECORDS;
    struct named_record *records = heap_allocate_at(room * sizeof(*records), PAGES_NEEDED);
    if (!records) {
        out->failed = true;
        return;
    }
    uint32_t count = min_of(copy_named(records, room), room);
    for (uint32_t i = 0; i < count; i++) {
        print_named(out, &records[i]);
        if (i % LINES_AT_ONCE == 0)
            give_way();
    }
    heap_free(records);
}

void unix_init(void) { network_view.unix_sockets = show_named; }

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving bytes between an application and a connection: send() and recv() on TCP sockets.
 *
 * Copying from and to user memory may sleep, so it happens without the net lock. Whoever copies has a reference to the
 * connection it found under the lock, and looks at its state again before it touches it: meanwhile it may have been
 * closed, and another connect() may have replaced it. The socket's mutexes `reading` and `writing` let one reader and
 * one writer do so at a time; a reader's packets stay in the queue while `being_read` says so.
 */
#include "core/heap.h"
#include "core/pages.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "net/tcp_private.h"

#define BATCH 16 /* pages filled before they are queued and sent */

/* ---- Sending --------------------------------------------------------------------------------------------- */

/* The reason why nothing can be sent now, negative; 0: go on; -EAGAIN: not yet. Net lock. */
static int send_obstacle(struct tcp_socket *socket)
{
    struct tcp *tcp = socket->connection;
    if (!tcp)
        return -EPIPE;
    if (tcp->error != 0)
        return -socket->socket.operations->take_error(&socket->socket);
    if (tcp->fin_queued || tcp->state == TCP_CLOSED)
        return -EPIPE;
    if (tcp->state == TCP_SYN_SENT || tcp->state == TCP_SYN_RECEIVED)
        return -EAGAIN;
    if (tcp_queue_room(tcp) > 0)
        return 0;
    tcp->writer_waits = true;
    return -EAGAIN;
}

struct filled_page {
    struct page *page;
    uint32_t offset, length;
};

/* What one writer moves at a time: pages, or a small chunk. They belong to no connection until they are queued. */
struct batch {
    struct tcp_chunk *small; /* or NULL */
    uint32_t small_length;
    struct filled_page filled[BATCH];
    unsigned count;
    struct page *rest; /* the last page if it has space left, or NULL; one reference */
    uint32_t rest_used;
};

/* A page of which the first `length` bytes are to be written. The rest is cleared: a NIC's backend sees whole
 * pages (drivers/device.h). */
static struct page *send_page(uint64_t length)
{
    struct page *page = page_allocate_at(PAGES_NEEDED);
    if (page && length < PAGE_SIZE)
        memset((uint8_t *)page_data(page) + length, 0, PAGE_SIZE - length);
    return page;
}

/* Copies all that the writer has left, which is little, into a chunk. No lock is held: the copy may sleep. 0 or
 * -errno. */
static int fill_small(struct batch *batch, struct transfer *from)
{
    batch->small = tcp_chunk_small((uint32_t)from->remaining);
    if (!batch->small)
        return -ENOBUFS;
    ssize_type moved = transfer_in(from, batch->small->own, from->remaining);
    batch->small_length = moved > 0 ? (uint32_t)moved : 0;
    return moved > 0 ? 0 : -EFAULT;
}

/* Copies up to `room` bytes from the writer into pages. No lock is held: the copy may sleep. 0 or -errno. */
static int fill_pages(struct batch *batch, struct transfer *from, uint32_t room)
{
    if (!batch->rest) {
        batch->rest_used = 0;
        batch->rest = send_page(min_of((uint64_t)room, (uint64_t)from->remaining));
    }
    if (!batch->rest)
        return -ENOBUFS;
    while (batch->rest && room > 0 && from->remaining > 0 && batch->count < BATCH) {
        uint32_t used = batch->rest_used;
        uint32_t length = (uint32_t)min_of(min_of(PAGE_SIZE - used, (uint64_t)room), (uint64_t)from->remaining);
        ssize_type moved = transfer_in(from, (uint8_t *)page_data(batch->rest) + used, length);
        if (moved <= 0) {
            memset((uint8_t *)page_data(batch->rest) + used, 0, PAGE_SIZE - used);
            return -EFAULT;
        }
        page_get(batch->rest);
        batch->filled[batch->count++] = (struct filled_page){ batch->rest, used, (uint32_t)moved };
        batch->rest_used += (uint32_t)moved;
        room -= (uint32_t)moved;
        if (batch->rest_used == PAGE_SIZE) {
            page_put(batch->rest);
            batch->rest_used = 0;
            batch->rest = room > 0 && from->remaining > 0 && batch->count < BATCH
                              ? send_page(min_of((uint64_t)room, (uint64_t)from->remaining))
                              : NULL;
        }
    }
    return 0;
}

/* Queues the small chunk, or frees it; the bytes queued. Net lock. */
static ssize_type queue_small(struct tcp *tcp, struct batch *batch, bool open)
{
    must_hold_net();
    if (!open || batch->small_length == 0) {
        heap_free(batch->small);
        return 0;
    }
    tcp_queue_append_small(tcp, batch->small, batch->small_length);
    return batch->small_length;
}

/* Queues the pages as far as the connection still takes them, and keeps the last one for the next writer; the bytes
 * queued. Net lock. */
static ssize_type queue_pages(struct tcp *tcp, struct batch *batch, bool open)
{
    must_hold_net();
    ssize_type queued = 0;
    for (unsigned i = 0; i < batch->count; i++) {
        struct filled_page *filled = &batch->filled[i];
        open = open && tcp_queue_append(tcp, filled->page, filled->offset, filled->length);
        if (open)
            queued += filled->length;
        else
            page_put(filled->page);
    }
    if (queued > 0 && batch->rest) {
        tcp->send_page = batch->rest;
        tcp->send_page_used = batch->rest_used;
    } else if (batch->rest) {
        page_put(batch->rest);
    }
    return queued;
}

/* Queues what was filled as far as the connection still takes it, and sends what may go. The bytes queued. Net lock. */
static ssize_type queue_batch(struct tcp *tcp, struct batch *batch, bool urgent, bool more)
{
    must_hold_net();
    bool open = tcp->state != TCP_CLOSED && !tcp->fin_queued;
    ssize_type queued = batch->small ? queue_small(tcp, batch, open) : queue_pages(tcp, batch, open);
    if (urgent && queued > 0) {
        tcp->urgent = true;
        tcp->urgent_end = tcp->send_end;
    }
    tcp->more = more;
    if (queued > 0)
        tcp_output(tcp);
    tcp->more = false;
    return queued;
}

/* Why nothing of a batch could be queued: the connection ended meanwhile, or memory did. Net lock. */
static int queue_obstacle(struct tcp_socket *socket, const struct tcp *tcp)
{
    if (socket->connection != tcp)
        return -EPIPE; /* connect() has put another connection in its place */
    int error = send_obstacle(socket);
    return error < 0 && error != -EAGAIN ? error : -ENOBUFS;
}

/* True if a chunk of its own is to hold what is written: a little, with nothing before it. Net lock. */
static bool write_is_small(const struct tcp *tcp, uint32_t room, size_t length)
{
    must_hold_net();
    return length <= TCP_SMALL_WRITE && length <= room && list_empty(&tcp->chunks) && !tcp->send_page;
}

/* Moves one batch. Bytes, or -errno; -EAGAIN: no room. `writing` is held. */
static ssize_type send_batch(struct tcp_socket *socket, struct socket_message *message)
{
    struct batch batch;
    batch.small = NULL;
    batch.count = 0;
    net_lock();
    int error = send_obstacle(socket);
    if (error < 0) {
        net_unlock();
        return error;
    }
    struct tcp *tcp = tcp_get(socket->connection);
    uint32_t room = tcp_queue_room(tcp);
    bool small = write_is_small(tcp, room, message->data->remaining);
    batch.rest = tcp->send_page;
    batch.rest_used = tcp->send_page_used;
    tcp->send_page = NULL;
    net_unlock();
    error = small ? fill_small(&batch, message->data) : fill_pages(&batch, message->data, room);
    bool urgent = message->flags & MSG_OOB && message->data->remaining == 0;
    net_lock();
    ssize_type queued = queue_batch(tcp, &batch, urgent, message->flags & MSG_MORE);
    if (queued == 0 && error == 0)
        error = queue_obstacle(socket, tcp);
    tcp_put(tcp);
    net_unlock();
    return queued > 0 ? queued : error;
}

static bool send_ready(struct tcp_socket *socket)
{
    net_lock();
    struct tcp *tcp = socket->connection; /* NULL: connect() failed and let go of it */
    bool over = !tcp || tcp->error != 0 || tcp->fin_queued;
    int obstacle = over ? 0 : send_obstacle(socket);
    bool ready = over || (obstacle != -EAGAIN && (obstacle != 0 || tcp_writable(tcp)));
    if (!ready)
        tcp->writer_waits = true;
    net_unlock();
    return ready;
}

ssize_type tcp_stream_send(struct socket *base, struct socket_message *message)
{
    struct tcp_socket *socket = tcp_socket_of(base);
    nanoseconds deadline = socket_deadline(base->send_timeout);
    ssize_type done = 0;
    mutex_lock(&base->writing);
    while (message->data->remaining > 0) {
        size_t before = message->data->remaining;
        ssize_type moved = send_batch(socket, message);
        if (moved > 0) {
            done += moved;
            if (before - message->data->remaining != (size_t)moved)
                break; /* some that was read from the writer was not queued: nothing may follow it */
            continue;
        }
        if (moved == 0 || moved != -EAGAIN || socket_nonblocking(base, message->flags)) {
            done = done > 0 ? done : moved;
            break;
        }
        mutex_unlock(&base->writing);
        int waited = wait_until(&base->queue, send_ready(socket), deadline, SLEEP_INTERRUPTIBLE);
        mutex_lock(&base->writing);
        if (waited < 0) {
            done = done > 0 ? done : socket_wait_result(waited);
            break;
        }
    }
    mutex_unlock(&base->writing);
    return done;
}

/* ---- Receiving -------------------------------------------------------------------------------------------- */

static struct packet *packet_at(struct list *node) { return list_entry(node, struct packet, link); }

/* Why there is nothing to read: 0 end of stream, negative error; -EAGAIN not yet. Net lock. */
static int nothing_to_read(struct tcp_socket *socket)
{
    struct tcp *tcp = socket->connection;
    if (!tcp)
        return -ENOTCONN;
    if (tcp->fin_received) /* the end was reached: a reset after it takes nothing back */
        return 0;
    if (tcp->error != 0)
        return -socket->socket.operations->take_error(&socket->socket);
    if (tcp->shut_read || tcp->state == TCP_CLOSED)
        return 0;
    return -EAGAIN;
}

static void remove_read_packet(struct tcp *tcp, struct packet *packet)
{
    net_lock();
    list_remove(&packet->link);
    tcp->received_memory -= tcp_piece(packet)->memory;
    net_uncharge(tcp_piece(packet)->memory);
    net_unlock();
    packet_free(packet);
}

/* Copies out up to `left` bytes that are there, without a lock: the copy may sleep. The caller has a reference to the
 * connection and holds `reading`, so no other thread removes packets; they are only ever added at the end. `skip`: the
 * first byte is passed over, which only a reader that peeks asks for. */
static ssize_type copy_received(struct tcp *tcp, struct list *node, uint32_t left, bool skip,
                                struct socket_message *message)
{
    ssize_type done = 0;
    bool peek = message->flags & MSG_PEEK;
    while (left > 0 && message->data->remaining > 0) {
        struct packet *packet = packet_at(node);
        uint32_t from = tcp_piece(packet)->consumed + skip;
        skip = false;
        if (from == packet->length) {
            node = node->next;
            continue;
        }
        uint32_t length = (uint32_t)min_of((size_t)min_of(packet->length - from, left), message->data->remaining);
        ssize_type moved = packet_transfer_out(packet, from, message->data, length);
        if (moved <= 0) {
            done = done > 0 ? done : -EFAULT;
            break;
        }
        done += moved;
        left -= (uint32_t)moved;
        node = node->next;
        if (peek)
            continue;
        tcp_piece(packet)->consumed += (uint32_t)moved;
        if (tcp_piece(packet)->consumed == packet->length)
            remove_read_packet(tcp, packet);
    }
    return done;
}

/* What one reader takes at a time. */
struct portion {
    struct list *first; /* packets from here on */
    uint32_t left;      /* bytes at most */
    bool skip;          /* not the first byte */
};

/* What there is to read up to the mark, stepping over an urgent byte. False: nothing. Net lock. */
static bool find_portion(struct tcp *tcp, bool peek, struct portion *out)
{
    out->skip = false;
    if (tcp->received_bytes > 0 && tcp_mark_skipped(tcp)) {
        out->skip = peek;
        if (!peek)
            tcp_skip_byte(tcp);
        tcp_urgent_passed(tcp);
    }
    out->first = tcp->received.next;
    out->left = tcp->received_bytes - out->skip;
    uint32_t to_mark = tcp->urgent_sequence - tcp_read_sequence(tcp);
    if (tcp->urgent_state != TCP_URGENT_NONE && to_mark > 0 && !out->skip)
        out->left = min_of(out->left, to_mark);
    return out->left > 0;
}

/* Reads what is there, without waiting. `reading` is held. `begun`: not the first time in this call, which ends at the
 * mark. Bytes, 0 at an end, or -errno. */
static ssize_type read_available(struct tcp_socket *socket, struct socket_message *message, bool begun)
{
    struct portion portion;
    bool peek = message->flags & MSG_PEEK;
    net_lock();
    struct tcp *tcp = socket->connection;
    bool at_mark = tcp && tcp_at_mark(tcp);
    if ((begun && at_mark) || !tcp || !find_portion(tcp, peek, &portion)) {
        int why = begun && at_mark ? 0 : nothing_to_read(socket);
        net_unlock();
        return why;
    }
    tcp_get(tcp); /* connect() on the same descriptor may let go of it meanwhile */
    tcp->being_read = true;
    net_unlock();
    ssize_type done = copy_received(tcp, portion.first, portion.left, portion.skip, message);
    net_lock();
    tcp->being_read = false;
    if (done > 0 && !peek) {
        tcp->received_bytes -= (uint32_t)done;
        tcp_urgent_passed(tcp);
        tcp_window_opened(tcp, (uint32_t)done);
    }
    tcp_put(tcp);
    net_unlock();
    return done;
}

static ssize_type receive_urgent(struct tcp_socket *socket, struct socket_message *message)
{
    uint8_t byte;
    net_lock();
    struct tcp *tcp = socket->connection;
    int result = tcp ? tcp_urgent_take(tcp, message->flags & MSG_PEEK, &byte) : -EINVAL;
    if (socket->listening)
        result = -ENOTCONN;
    net_unlock();
    if (result <= 0)
        return result;
    message->result_flags |= MSG_OOB;
    if (message->data->remaining == 0) {
        message->result_flags |= MSG_TRUNC;
        return 0;
    }
    return transfer_out(message->data, &byte, 1) == 1 ? 1 : -EFAULT;
}

static bool receive_ready(struct tcp_socket *socket)
{
    net_lock();
    struct tcp *tcp = socket->connection;
    bool ready = !tcp || tcp_readable(tcp) > 0 || tcp->error != 0 || tcp->fin_received || tcp->shut_read ||
                 tcp->state == TCP_CLOSED;
    net_unlock();
    return ready;
}

ssize_type tcp_stream_receive(struct socket *base, struct socket_message *message)
{
    struct tcp_socket *socket = tcp_socket_of(base);
    nanoseconds deadline = socket_deadline(base->receive_timeout);
    size_t wanted = message->data->remaining, done = 0;
    if (message->flags & MSG_ERRQUEUE)
        return -EAGAIN; /* TCP's errors all end the connection: there is never one to be queued */
    if (message->flags & MSG_OOB)
        return receive_urgent(socket, message);
    if (!(message->flags & MSG_WAITALL))
        wanted = min_of(wanted, (size_t)base->kept.receive_low);
    if (message->data->remaining == 0)
        return 0;
    for (;;) {
        mutex_lock(&base->reading);
        ssize_type moved = read_available(socket, message, done > 0);
        mutex_unlock(&base->reading);
        if (moved > 0)
            done += (size_t)moved;
        bool enough = moved > 0 && (done >= wanted || message->flags & MSG_PEEK || message->data->remaining == 0 ||
                                    socket_nonblocking(base, message->flags));
        bool over = moved == 0 || (moved < 0 && (moved != -EAGAIN || socket_nonblocking(base, message->flags)));
        if (enough || over)
            return done > 0 ? (ssize_type)done : moved;
        int waited = wait_until(&base->queue, receive_ready(socket), deadline, SLEEP_INTERRUPTIBLE);
        if (waited < 0)
            return done > 0 ? (ssize_type)done : socket_wait_result(waited);
    }
}

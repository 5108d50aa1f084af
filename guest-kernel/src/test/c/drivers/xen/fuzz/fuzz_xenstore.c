/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A xenstore daemon that answers with the input's bytes. The connection's own state is that of xenbus.c, which is part
 * of this file so that each input can begin with a new one; when the input is used up the daemon breaks the protocol,
 * which ends every request.
 */
#include "drivers/xen/xenbus.c"

#include "drivers/xen/control.h"
#include "drivers/xen/settings.h"
#include "host/fuzz.h"
#include "host/host.h"
#include "platform/xen/host.h"

#define PORT 1U
#define REPLY_MAX 4200U

static struct fuzz_input input;
static event_handler *handler;
static char reply[REPLY_MAX];
static uint32_t reply_length, reply_sent;

void event_bind(uint32_t port, event_handler *function, void *context)
{
    (void)port;
    (void)context;
    handler = function;
}

void event_unmask(uint32_t port) { (void)port; }
void event_notify(uint32_t port) { (void)port; }

/* A message whose header makes sense if the input says so, with a body of it. */
static void make_reply(void)
{
    static const uint8_t types[] = { XENBUS_READ,  XENBUS_DIRECTORY, XENBUS_WRITE,
                                     XENBUS_WATCH, TYPE_WATCH_EVENT, TYPE_ERROR };
    uint8_t how = fuzz_8(&input);
    uint16_t length = how & 0x80 ? fuzz_16(&input) : fuzz_8(&input);
    struct header header = {
        .type = types[how % array_size(types)],
        .id = next_id - 1 - (how >> 4 & 7),
        .length = length,
    };
    uint8_t body = fuzz_8(&input);
    if (body == 0xff)
        (void)fuzz_bytes(&input, &header, sizeof(header));
    memcpy(reply, &header, sizeof(header));
    reply_length = (uint32_t)sizeof(header) + min_of(header.length, REPLY_MAX - (uint32_t)sizeof(header));
    memset(reply + sizeof(header), body, reply_length - sizeof(header));
    (void)fuzz_bytes(&input, reply + sizeof(header), min_of(reply_length - sizeof(header), input.left));
    if (body & 1)
        reply[reply_length - 1] = 0;
    reply_sent = 0;
}

static void step(void)
{
    ring->requests_consumed = ring->requests_produced;
    if (reply_sent == reply_length)
        make_reply();
    while (reply_sent < reply_length && ring->replies_produced - ring->replies_consumed < STORE_RING_SIZE)
        ring->replies[ring->replies_produced++ % STORE_RING_SIZE] = reply[reply_sent++];
    if (input.left == 0)
        ring->replies_produced = ring->replies_consumed + STORE_RING_SIZE + 1;
    handler(PORT, NULL);
}

void cpu_wait(void) { step(); }
void cpu_interrupt(const struct cpu *cpu) { (void)cpu; }

static void see(void *context, const char *name, const char *value, size_t length)
{
    (void)context;
    FUZZ_CHECK(strlen(name) < XENBUS_PATH_MAX && value[length] == 0);
}

/* A new connection, with the watches of control.c. */
static void connect(struct store_ring *shared)
{
    broken = false;
    memset(&outgoing, 0, sizeof(outgoing));
    memset(&incoming, 0, sizeof(incoming));
    list_init(&watches);
    watch_count = 0;
    next_id = FIRST_ID;
    reply_length = reply_sent = 0;
    memset(shared, 0, sizeof(*shared));
    xenbus_init(shared, PORT);
    xen_control_start();
}

static void ask(void)
{
    struct xenbus_node nodes[3] = { { .name = "a" }, { .name = "b" }, { .name = "c" } };
    char small[8], names[64];
    uint64_t number;
    int length = xenbus_read("x", small, sizeof(small));
    FUZZ_CHECK(length < (int)sizeof(small) && strlen(small) < sizeof(small));
    (void)xenbus_read_number("x", &number);
    length = xenbus_directory("x", names, sizeof(names));
    FUZZ_CHECK(length <= (int)sizeof(names) && (length <= 0 || names[length - 1] == 0));
    (void)xenbus_read_nodes("x", nodes, array_size(nodes));
    for (unsigned i = 0; i < array_size(nodes); i++)
        FUZZ_CHECK(strlen(nodes[i].value) < sizeof(nodes[i].value));
    (void)xenbus_write_nodes("x", nodes, array_size(nodes));
    (void)xenbus_write("x", "value");
    (void)xen_settings(see, NULL);
    xen_read_seed();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct store_ring *shared;
    if (shared == NULL) {
        host_init();
        shared = __builtin_malloc(sizeof(*shared));
    }
    uint64_t blocks = host_heap_blocks();
    input = (struct fuzz_input){ data, size };
    connect(shared);
    ask();
    while (!broken)
        step();
    FUZZ_CHECK(list_empty(&requests) && host_heap_blocks() == blocks);
    return 0;
}

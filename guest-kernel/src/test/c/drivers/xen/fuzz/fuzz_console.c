/* SPDX-License-Identifier: Apache-2.0 */
/* A console daemon that writes the input's bytes anywhere in the ring, while the guest writes and reads. */
#include "drivers/xen/console.h"
#include "host/fuzz.h"
#include "host/host.h"
#include "platform/platform.h"
#include "platform/xen/events.h"
#include "platform/xen/host.h"

#define PORT 2U
#define STEPS 100

/* xen/io/console.h: struct xencons_interface. */
struct console {
    char input[1024], output[2048];
    uint32_t indices[4];
};

static event_handler *handler;
static struct console *shared;
static size_t typed;

void event_bind(uint32_t port, event_handler *function, void *context)
{
    (void)port;
    (void)context;
    handler = function;
}

void event_unmask(uint32_t port) { (void)port; }
void event_notify(uint32_t port) { (void)port; }

void kernel_console_input(const char *text, size_t length)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + text[i]); /* every byte is there */
    typed += length + (sum & 0);
}

/* The daemon sleeps for as long as the guest waits. */
static void yield(void) { host_advance(NS_PER_MS); }
static void write_without_ring(const char *text, size_t length) { (void)text, (void)length; }
static const struct xen_host host = { .write_without_ring = write_without_ring, .yield = yield };
const struct xen_host *xen_host = &host;

static void act(struct fuzz_input *input)
{
    static const char text[3000];
    uint8_t what = fuzz_8(input);
    uint16_t length = (uint16_t)(fuzz_16(input) % sizeof(text));
    switch (what & 7) {
    case 0:
        shared->indices[what >> 3 & 3] = fuzz_32(input);
        break;
    case 1:
        shared->indices[what >> 3 & 3] += fuzz_16(input);
        break;
    case 2:
        ((uint8_t *)shared)[length % sizeof(*shared)] = fuzz_8(input);
        break;
    case 3:
        FUZZ_CHECK(xen_console_send(text, length) <= length);
        break;
    case 4:
        xen_console_write(text, length);
        break;
    case 5:
        xen_console_drain();
        break;
    default:
        typed = 0;
        handler(PORT, NULL);
        FUZZ_CHECK(typed <= sizeof(shared->input));
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    if (shared == NULL) {
        host_init();
        shared = __builtin_malloc(sizeof(*shared));
    }
    memset(shared, 0, sizeof(*shared));
    xen_console_init(shared, PORT);
    for (unsigned i = 0; i < STEPS && input.left > 0; i++)
        act(&input);
    return 0;
}

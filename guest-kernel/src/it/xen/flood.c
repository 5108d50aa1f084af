/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A control domain that floods a guest, run there by lab/xen: `flood GUEST events` notifies the guest without end on
 * each event channel that leads from the control domain to it, as the backends of its devices might do; `flood GUEST
 * store` changes nodes that the guest watches without end. Prints what it does once it has begun.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Linux's xen/privcmd.h */
struct privcmd_hypercall {
    uint64_t operation, arguments[5];
};
#define IOCTL_PRIVCMD_HYPERCALL _IOC(_IOC_NONE, 'P', 0, sizeof(struct privcmd_hypercall))

/* xen/xen.h, xen/event_channel.h */
#define MULTICALL 13
#define EVENT_CHANNEL_OP 32
#define EVTCHNOP_SEND 4
#define EVTCHNOP_STATUS 5
#define DOMID_SELF 0x7ff0
#define STATUS_INTERDOMAIN 2
#define PORTS_MAX 4096u
#define BATCH 512u /* hypercalls that Linux passes on at once: fewer would leave the guest most of the time alone */
#define BEGUN 100u /* batches, or changes of a node */

/* xen/io/xs_wire.h */
#define XS_WRITE 11
#define STORE "/run/xenstored/socket"

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- Event channels ---------------------------------------------------------------------------------------- */

struct status {
    uint16_t domain;
    uint32_t port;
    uint32_t status, vcpu;
    union {
        struct {
            uint16_t domain;
            uint32_t port;
        } other;
        uint32_t number;
    } of;
};

struct multicall_entry {
    uint64_t operation, result, arguments[6];
};

/* Xen reads arguments of hypercalls from memory that must be there: it does not wait for a page fault. */
static struct status status;
static uint32_t ports[PORTS_MAX];
static struct multicall_entry batch[BATCH];

static int hypercall(int privcmd, uint64_t operation, uint64_t first, uint64_t second)
{
    struct privcmd_hypercall call = { operation, { first, second } };
    return ioctl(privcmd, IOCTL_PRIVCMD_HYPERCALL, &call);
}

static unsigned find_channels(int privcmd, unsigned guest)
{
    unsigned count = 0;
    for (uint32_t port = 1; port < PORTS_MAX; port++) {
        status = (struct status){ .domain = DOMID_SELF, .port = port };
        if (hypercall(privcmd, EVENT_CHANNEL_OP, EVTCHNOP_STATUS, (uintptr_t)&status) != 0)
            continue;
        if (status.status == STATUS_INTERDOMAIN && status.of.other.domain == guest)
            ports[count++] = port;
    }
    return count;
}

static void flood_events(unsigned guest)
{
    int privcmd = open("/dev/xen/privcmd", O_RDWR);
    if (privcmd < 0 || mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
        fail("/dev/xen/privcmd");
    unsigned count = find_channels(privcmd, guest);
    for (unsigned i = 0; i < BATCH && count > 0; i++)
        batch[i] = (struct multicall_entry){ EVENT_CHANNEL_OP, 0, { EVTCHNOP_SEND, (uintptr_t)&ports[i % count] } };
    for (uint64_t sent = 0; count > 0; sent++) {
        if (hypercall(privcmd, MULTICALL, (uintptr_t)batch, BATCH) != 0 || batch[0].result != 0)
            fail("the event channels are gone");
        if (sent == BEGUN) {
            printf("flooding %u event channels\n", count);
            fflush(stdout);
        }
    }
}

/* ---- xenstore ----------------------------------------------------------------------------------------------- */

struct message {
    uint32_t type, id, transaction, length;
    char body[256];
};

static void write_node(int store, const char *path)
{
    struct message message = { .type = XS_WRITE };
    message.length = (uint32_t)strlen(strcpy(message.body, path)) + 1;
    size_t size = offsetof(struct message, body) + message.length;
    if (write(store, &message, size) != (ssize_t)size)
        fail("xenstore");
    if (read(store, &message, offsetof(struct message, body)) != offsetof(struct message, body) ||
        read(store, message.body, message.length) != (ssize_t)message.length)
        fail("xenstore");
}

/* An empty node orders nothing. */
static void flood_store(unsigned guest)
{
    char path[128];
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = STORE };
    int store = socket(AF_UNIX, SOCK_STREAM, 0);
    if (store < 0 || connect(store, (struct sockaddr *)&address, sizeof(address)) != 0)
        fail(STORE);
    snprintf(path, sizeof(path), "/local/domain/%u/control/shutdown", guest);
    for (uint64_t written = 0;; written++) {
        write_node(store, path);
        if (written == BEGUN) {
            printf("flooding a node\n");
            fflush(stdout);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    unsigned guest = (unsigned)strtoul(argv[1], NULL, 10);
    if (strcmp(argv[2], "events") == 0)
        flood_events(guest);
    if (strcmp(argv[2], "store") == 0)
        flood_store(guest);
    return 2;
}

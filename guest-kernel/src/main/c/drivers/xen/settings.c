/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/xen/settings.h"

#include "core/heap.h"
#include "core/log.h"
#include "core/random.h"
#include "drivers/xen/xenbus.h"
#include "lib/errno.h"
#include "lib/string.h"

/* Relative to the domain's own directory. vm-data is where toolstacks put what guests are given (XCP-ng:
 * `xe vm-param-set xenstore-data:vm-data/...`); a domain can read it and not write it. */
#define DIRECTORY "vm-data/unikernel"
#define SEED "vm-data/unikernel-seed"
#define SEED_MAX 256          /* bytes of it that are used */
#define BITS_PER_CHARACTER 4u /* as of a hexadecimal digit, whatever it is */

struct buffers {
    char names[XENBUS_BODY_MAX];
    char value[XENBUS_BODY_MAX + 1];
};

/* A node that was taken away since it was listed is none. */
static int visit_node(const char *name, struct buffers *buffers, platform_setting_visit *visit, void *context)
{
    char path[XENBUS_PATH_MAX];
    if (format(path, sizeof(path), DIRECTORY "/%s", name) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    int length = xenbus_read(path, buffers->value, sizeof(buffers->value));
    if (length >= 0)
        visit(context, name, buffers->value, (size_t)length);
    return length == -ENOENT ? 0 : min_of(length, 0);
}

static int visit_all(struct buffers *buffers, platform_setting_visit *visit, void *context)
{
    int result = 0;
    int length = xenbus_directory(DIRECTORY, buffers->names, sizeof(buffers->names));
    for (int at = 0; result == 0 && at < length; at += (int)strlen(buffers->names + at) + 1)
        result = visit_node(buffers->names + at, buffers, visit, context);
    if (length == -ENOENT)
        return 0;
    return length < 0 ? length : result;
}

int xen_settings(platform_setting_visit *visit, void *context)
{
    struct buffers *buffers = heap_allocate(sizeof(*buffers));
    if (!buffers)
        return -ENOMEM;
    int result = visit_all(buffers, visit, context);
    heap_free(buffers);
    return result;
}

void xen_read_seed(void)
{
    char seed[SEED_MAX + 1];
    int length = xenbus_read(SEED, seed, sizeof(seed));
    if (length > 0)
        random_credit(seed, (size_t)length, (unsigned)length * BITS_PER_CHARACTER, RANDOM_XENSTORE);
    else if (length != 0 && length != -ENOENT)
        log_error("the seed in " SEED " cannot be read: %s",
                  length == -EOVERFLOW ? "it is longer than 256 bytes" : "I/O error");
    memset(seed, 0, sizeof(seed));
    compiler_barrier();
}

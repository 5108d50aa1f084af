/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests on a pair of queues. A request becomes one command, or several where PRPs cannot describe its segments
 * together or the controller takes less at a time. A flush is one command without data.
 *
 * A slot belongs to a request from the sending of a command until the controller has completed it; its index is the
 * command's identifier. Completions are not trusted: one for a queue or an identifier that is not under way ends the
 * use of the controller, as do the faults that nvme_fault() finds. Then the requests of all pairs fail, once the
 * controller has been stopped. There is no time limit: network storage may take as long as it likes.
 *
 * The lock is that of struct nvme_io; those of two pairs are never held together. Requests end after it has been
 * released, through a list of the caller. A request goes to the pair of the CPU that submits it, and all of its
 * commands stay there.
 */
#include "core/debug.h"
#include "core/log.h"
#include "core/pages.h"
#include "drivers/nvme/nvme.h"
#include "lib/errno.h"
#include "platform/platform.h"

/* Of a command that the controller permits to be sent again. */
#define ATTEMPTS_MAX 5
/* How long a controller may take to stop in interrupt context. */
#define STOP_TIME (10 * NS_PER_MS)
/* Errors that are logged. */
/* When a controller that does not answer is logged. */
#define SLOW_TIME (30 * NS_PER_SECOND)

#define LIST_ENTRIES (sizeof(*((struct nvme_io *)0)->lists) / sizeof(uint64_t))
_Static_assert(BLOCK_MAX_SEGMENTS - 1 <= LIST_ENTRIES, "the pages after the first one fit into a list");

static struct nvme_disk *disk_of(struct block_device *block) { return container_of(block, struct nvme_disk, block); }

static struct nvme_io *io_of_this_cpu(const struct nvme_controller *controller)
{
    return controller->io[this_cpu()->id % controller->io_count];
}

/* ---- Sending ---- */

/* PRPs describe pages, of which only the first may begin, and only the last may end, within (4.3). */
static bool continues(const struct block_segment *before, const struct block_segment *segment)
{
    return ((before->address + before->length) & PAGE_MASK) == 0 && (segment->address & PAGE_MASK) == 0;
}

/* How many segments of the request, from the next on, one command can do. */
static unsigned segments_of_command(const struct block_request *request, uint32_t most, uint32_t *bytes)
{
    const struct block_segment *first = &request->segments[request->next_segment];
    unsigned left = request->segment_count - request->next_segment, count = 1;
    *bytes = first->length;
    while (count < left && continues(&first[count - 1], &first[count]) && *bytes + first[count].length <= most)
        *bytes += first[count++].length;
    return count;
}

static void describe_data(struct nvme_io *io, unsigned slot, const struct block_segment *segments, unsigned count)
{
    struct nvme_command *command = &io->slots[slot].command;
    command->data[0] = segments[0].address;
    if (count == 2)
        command->data[1] = segments[1].address;
    if (count <= 2)
        return;
    uint64_t *list = io->lists[slot];
    for (unsigned i = 1; i < count; i++)
        list[i - 1] = segments[i].address;
    command->data[1] = virt_to_phys(list);
}

static void fill_transfer(struct nvme_io *io, unsigned slot, struct block_request *request)
{
    struct nvme_disk *disk = disk_of(request->device);
    struct nvme_command *command = &io->slots[slot].command;
    uint32_t bytes;
    unsigned count = segments_of_command(request, io->controller->transfer_max, &bytes);
    uint64_t block = request->next_sector * SECTOR_SIZE >> disk->block_shift;
    command->opcode = request->write ? NVME_WRITE : NVME_READ;
    command->arguments[0] = (uint32_t)block;
    command->arguments[1] = (uint32_t)(block >> 32);
    command->arguments[2] = (bytes >> disk->block_shift) - 1;
    describe_data(io, slot, &request->segments[request->next_segment], count);
    request->next_segment += count;
    request->next_sector += bytes / SECTOR_SIZE;
}

/* Sends the next command of a request. False if all slots are in use. */
static bool send_command(struct nvme_io *io, struct block_request *request)
{
    must_hold(&io->lock);
    if (io->free == 0)
        return false;
    unsigned index = (unsigned)__builtin_ctz(io->free);
    struct nvme_slot *slot = &io->slots[index];
    *slot = (struct nvme_slot){
        .request = request,
        .command = { .id = (uint16_t)index, .namespace = disk_of(request->device)->namespace },
    };
    io->free &= ~(1u << index);
    request->under_way++;
    if (request->flush)
        slot->command.opcode = NVME_FLUSH;
    else
        fill_transfer(io, index, request);
    nvme_queue_add(&io->queue, &slot->command);
    return true;
}

static void send_pending(struct nvme_io *io)
{
    must_hold(&io->lock);
    while (!list_empty(&io->pending)) {
        struct block_request *request = list_entry(io->pending.next, struct block_request, link);
        if (!send_command(io, request))
            break;
        if (request->next_segment == request->segment_count)
            list_remove(&request->link);
    }
    nvme_queue_notify(&io->queue);
}

/* ---- Ends ---- */

static void finish(struct list *ended)
{
    for (struct list *node; (node = list_pop_front(ended));) {
        struct block_request *request = list_entry(node, struct block_request, link);
        request->done(request, request->error);
    }
}

static void take_back_slots(struct nvme_io *io, struct list *ended)
{
    must_hold(&io->lock);
    for (unsigned i = 0; i < array_size(io->slots); i++) {
        struct block_request *request = io->slots[i].request;
        io->slots[i].request = NULL;
        /* One of which not all has been sent is still in `pending`. */
        if (request && --request->under_way == 0 && request->next_segment == request->segment_count)
            list_push_back(ended, &request->link);
    }
}

static void fail_requests(struct nvme_io *io, struct list *ended)
{
    struct list failed = LIST_INIT(failed);
    spin_lock(&io->lock);
    io->failed = true;
    take_back_slots(io, &failed);
    for (struct list *node; (node = list_pop_front(&io->pending));)
        list_push_back(&failed, node);
    for (struct list *node; (node = list_pop_front(&failed));) {
        list_entry(node, struct block_request, link)->error = -EIO;
        list_push_back(ended, node);
    }
    spin_unlock(&io->lock);
}

/* Nothing can be expected of the controller any more. */
static void give_up(struct nvme_controller *c, const char *why, struct list *ended)
{
    if (__atomic_exchange_n(&c->failed, true, __ATOMIC_SEQ_CST))
        return;
    log_error("%s %s: all further requests to it fail; see the host's log", c->name, why);
    if (!nvme_stop(c, STOP_TIME))
        pci_disconnect(&c->function);
    for (unsigned i = 0; i < c->io_count; i++)
        fail_requests(c->io[i], ended);
}

static void report(const struct nvme_slot *slot, uint16_t status)
{
    const struct nvme_command *command = &slot->command;
    uint64_t block = (uint64_t)command->arguments[1] << 32 | command->arguments[0];
    struct block_device *device = slot->request->device;
    char text[16];
    format(text, sizeof(text), "status %x", NVME_STATUS(status));
    block_report(slot->request, block * device->block_size / SECTOR_SIZE, text);
}

/* False: the controller completes what it was not given. */
static bool take_completion(struct nvme_io *io, const struct nvme_completion *completion, struct list *ended)
{
    must_hold(&io->lock);
    if (completion->queue != io->queue.id || completion->id >= NVME_COMMANDS_MAX || !io->slots[completion->id].request)
        return false;
    struct nvme_slot *slot = &io->slots[completion->id];
    struct block_request *request = slot->request;
    bool good = NVME_STATUS(completion->status) == 0;
    io->completed++;
    if (!good && !(completion->status & NVME_STATUS_FINAL) && ++slot->attempts <= ATTEMPTS_MAX) {
        nvme_queue_add(&io->queue, &slot->command);
        return true;
    }
    if (!good) {
        report(slot, completion->status);
        request->error = -EIO;
    }
    slot->request = NULL;
    io->free |= 1u << completion->id;
    if (--request->under_way == 0 && request->next_segment == request->segment_count)
        list_push_back(ended, &request->link);
    return true;
}

/* Takes what the controller has completed, and sends what waits. NULL, or why the controller cannot be used any
 * more. */
static const char *serve(struct nvme_io *io, struct list *ended)
{
    must_hold(&io->lock);
    struct nvme_completion completion;
    while (!io->failed && nvme_queue_take(&io->queue, &completion)) {
        if (!take_completion(io, &completion, ended))
            return "completes commands that it was not given";
    }
    if (io->failed)
        return NULL;
    nvme_queue_acknowledge(&io->queue);
    send_pending(io);
    return NULL;
}

/* The boot CPU looks at all pairs: it is interrupted for those of CPUs that messages do not reach, at the end of the
 * machine for all, and may have an interrupt left from before they were spread. */
void nvme_interrupt(void *context)
{
    struct nvme_controller *c = context;
    struct list ended = LIST_INIT(ended);
    const char *fault = NULL;
    unsigned cpu = this_cpu()->id;
    for (unsigned i = 0; i < c->io_count && !fault; i++) {
        if (cpu != 0 && cpu != i)
            continue;
        spin_lock(&c->io[i]->lock);
        fault = serve(c->io[i], &ended);
        spin_unlock(&c->io[i]->lock);
    }
    if (fault)
        give_up(c, fault, &ended);
    finish(&ended);
}

void nvme_submit(struct block_device *device, struct block_request *request)
{
    struct nvme_io *io = io_of_this_cpu(disk_of(device)->controller);
    request->next_segment = 0;
    request->next_sector = request->sector;
    request->under_way = 0;
    request->error = 0;
    spin_lock(&io->lock);
    bool failed = io->failed;
    /* The controller has until now had nothing to do: the next check finds another value. */
    if (io->free == io->usable)
        io->checked = io->completed - 1;
    if (!failed) {
        list_push_back(&io->pending, &request->link);
        send_pending(io);
    }
    spin_unlock(&io->lock);
    if (failed)
        request->done(request, -EIO);
}

/* Says once that nothing has been completed for a while. */
static void look_at_progress(struct nvme_io *io)
{
    must_hold(&io->lock);
    nanoseconds now = clock_monotonic();
    if (io->free == io->usable || io->completed != io->checked) {
        io->checked = io->completed;
        io->checked_at = now;
        io->slow = false;
    } else if (!io->slow && now - io->checked_at >= SLOW_TIME) {
        log_error("%s has completed nothing of queue %u for %lu s, and is waited for; see the host's log",
                  io->controller->name, io->queue.id, SLOW_TIME / NS_PER_SECOND);
        io->slow = true;
    }
}

/* Completions are looked for too, should an interrupt have been lost. The request that is waited for may have been
 * submitted by another CPU, so all pairs are looked at. */
void nvme_check(struct block_device *device)
{
    struct nvme_controller *c = disk_of(device)->controller;
    struct list ended = LIST_INIT(ended);
    const char *fault = NULL;
    for (unsigned i = 0; i < c->io_count && !fault; i++) {
        spin_lock(&c->io[i]->lock);
        fault = serve(c->io[i], &ended);
        if (!fault && !c->io[i]->failed)
            look_at_progress(c->io[i]);
        spin_unlock(&c->io[i]->lock);
    }
    if (!fault)
        fault = nvme_fault(c);
    if (fault)
        give_up(c, fault, &ended);
    finish(&ended);
}

/* ---- Start ---- */

/* Doorbells alternate: commands, completions (3.1.16, 3.1.17). */
int nvme_io_init(struct nvme_io *io, struct nvme_controller *controller, uint16_t id)
{
    uint16_t size = controller->entries;
    volatile uint8_t *doorbell = controller->doorbells + 2 * id * controller->stride;
    struct page *lists = device_page();
    if (!lists)
        return -ENOMEM;
    int error = nvme_queue_init(&io->queue, id, size, doorbell, doorbell + controller->stride);
    if (error != 0) {
        page_put(lists);
        return error;
    }
    spinlock_init(&io->lock, LOCK_DISK);
    list_init(&io->pending);
    io->controller = controller;
    io->lists = page_data(lists);
    /* One entry of a ring stays empty (4.1.1). */
    io->usable = size > NVME_COMMANDS_MAX ? UINT32_MAX : (1u << (size - 1)) - 1;
    io->free = io->usable;
    return 0;
}

void nvme_io_release(struct nvme_io *io)
{
    if (!io->lists)
        return;
    page_put(page_of(virt_to_phys(io->lists)));
    nvme_queue_release(&io->queue);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of QEMU's to a device in another process: a head of 16 bytes with the command and the length, then the data.
 * Memory comes as descriptors of files, with where each part of the guest's memory lies in them, and again with each
 * change; it and the descriptors for interrupts are not answered.
 */
#define _GNU_SOURCE
#include "link.h"

#include <err.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define PARTS 8

struct head {
    int32_t command;
    uint32_t padding;
    uint64_t length;
};
union data {
    uint64_t value;
    struct {
        uint32_t address, value, length;
    } config;
    struct {
        uint64_t address, value;
        uint32_t length;
        uint8_t memory, padding[3];
    } bar;
    struct {
        uint64_t addresses[PARTS], lengths[PARTS], offsets[PARTS];
    } memory;
};

static struct part {
    uint64_t address, length;
    uint8_t *bytes;
} parts[PARTS];
static unsigned part_count;

/* Reads all of it, and the descriptors that come with it; false at the end. */
static bool receive_all(int socket, void *to, size_t length, int *fds, unsigned *fd_count)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(PARTS * sizeof(int))];
    } control;
    for (size_t done = 0; done < length;) {
        struct iovec piece = { (char *)to + done, length - done };
        struct msghdr message = {
            .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
        };
        ssize_t count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
        if (count == 0)
            return false;
        if (count < 0)
            err(1, "the socket to QEMU");
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        if (head != NULL && head->cmsg_type == SCM_RIGHTS) {
            *fd_count = (unsigned)((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            memcpy(fds, CMSG_DATA(head), *fd_count * sizeof(int));
        }
        done += (size_t)count;
    }
    return true;
}

static void map_memory(const union data *data, const int *fds, unsigned fd_count)
{
    for (unsigned i = 0; i < part_count; i++)
        munmap(parts[i].bytes, parts[i].length);
    part_count = 0;
    for (; part_count < fd_count; part_count++) {
        struct part *part = &parts[part_count];
        part->address = data->memory.addresses[part_count];
        part->length = data->memory.lengths[part_count];
        part->bytes = mmap(NULL, part->length, PROT_READ | PROT_WRITE, MAP_SHARED, fds[part_count],
                           (off_t)data->memory.offsets[part_count]);
        if (part->bytes == MAP_FAILED)
            err(1, "the guest's memory at 0x%llx cannot be mapped", (unsigned long long)part->address);
    }
}

void *link_memory(uint64_t address, size_t length)
{
    for (unsigned i = 0; i < part_count; i++) {
        uint64_t offset = address - parts[i].address;
        if (offset < parts[i].length && length <= parts[i].length - offset)
            return parts[i].bytes + offset;
    }
    return NULL;
}

static void read_out(const struct head *head, const union data *data, struct link_message *message)
{
    *message = (struct link_message){ .command = (enum link_command)head->command };
    if (message->command == LINK_CONFIG_READ || message->command == LINK_CONFIG_WRITE) {
        message->address = data->config.address;
        message->value = data->config.value;
        message->length = data->config.length;
    }
    if (message->command == LINK_BAR_READ || message->command == LINK_BAR_WRITE) {
        message->address = data->bar.address;
        message->value = data->bar.value;
        message->length = data->bar.length;
    }
}

bool link_receive(int socket, struct link_message *message)
{
    for (;;) {
        struct head head;
        union data data = { 0 };
        int fds[PARTS];
        unsigned fd_count = 0;
        if (!receive_all(socket, &head, sizeof(head), fds, &fd_count))
            return false;
        if (head.length > sizeof(data) || head.command < 0 || head.command > LINK_RESET)
            errx(1, "QEMU sends command %d of %llu bytes; this device is for QEMU 7.2", head.command,
                 (unsigned long long)head.length);
        if (head.length > 0 && !receive_all(socket, &data, head.length, fds, &fd_count))
            return false;
        if (head.command == LINK_MEMORY)
            map_memory(&data, fds, fd_count);
        while (fd_count > 0)
            close(fds[--fd_count]);
        read_out(&head, &data, message);
        if (head.command != LINK_MEMORY && head.command != LINK_INTERRUPT_FDS)
            return true;
    }
}

void link_answer(int socket, uint64_t value)
{
    struct {
        struct head head;
        uint64_t value;
    } answer = { { LINK_REPLY, 0, sizeof(value) }, value };
    if (send(socket, &answer, sizeof(answer), MSG_NOSIGNAL) != sizeof(answer))
        err(1, "the socket to QEMU");
}

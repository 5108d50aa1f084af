/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all tests of the network stack stand on (support.h): the few functions of the kernel that the host shim does not
 * have, calls on sockets without descriptors, and data that can be checked at any offset. The DHCP client's thread is
 * not started: its test calls thread_entry itself.
 */
#include "net/support.h"

#include <string.h>

#include "lib/hash.h"
#include "platform/platform.h"
#include "threads/thread.h"

/* ---- What the stack needs that the host shim does not have ---------------------------------------------- */

void (*thread_entry)(void *);
void *thread_argument;

/* There is one thread: the test calls the entry itself. */
struct thread *thread_start_kernel(const char *name, void (*entry)(void *), void *argument)
{
    (void)name;
    thread_entry = entry;
    thread_argument = argument;
    return thread_current();
}

/* Interrupts are what the idle hook and the timers do. */
void cpu_wait(void)
{
    sleep_prepare();
    (void)sleep_until(clock_monotonic() + NS_PER_MS, SLEEP_UNINTERRUPTIBLE);
}

/* ---- Calls -------------------------------------------------------------------------------------------------- */

static const struct socket_operations *operations(struct file *file) { return socket_of(file)->operations; }

struct file *stack_socket(int type)
{
    struct file *file;
    return socket_create(AF_INET, type, 0, 0, &file) == 0 ? file : NULL;
}

static struct socket_address inet(ipv4_t address, uint16_t port)
{
    return (struct socket_address){ .family = AF_INET, .in = { ip_of_ipv4(address), port } };
}

int stack_bind(struct file *file, ipv4_t address, uint16_t port)
{
    struct socket_address a = inet(address, port);
    return operations(file)->bind(socket_of(file), &a);
}

int stack_listen(struct file *file, int backlog) { return operations(file)->listen(socket_of(file), backlog); }

int stack_accept(struct file *file, struct file **out)
{
    return operations(file)->accept(socket_of(file), 0, out, NULL);
}

int stack_connect(struct file *file, ipv4_t address, uint16_t port)
{
    struct socket_address a = inet(address, port);
    return operations(file)->connect(socket_of(file), &a);
}

static ssize_type send(struct file *file, const void *data, size_t length, unsigned flags, struct socket_address *to)
{
    struct transfer transfer;
    transfer_init_kernel(&transfer, (void *)(uintptr_t)data, length);
    struct socket_message message = { .data = &transfer, .flags = flags, .address = to };
    return operations(file)->send(socket_of(file), &message);
}

static ssize_type receive(struct file *file, void *data, size_t length, unsigned flags, struct socket_address *from)
{
    struct transfer transfer;
    transfer_init_kernel(&transfer, data, length);
    struct socket_message message = { .data = &transfer, .flags = flags, .address = from };
    return operations(file)->receive(socket_of(file), &message);
}

ssize_type stack_send(struct file *file, const void *data, size_t length, unsigned flags)
{
    return send(file, data, length, flags, NULL);
}

ssize_type stack_receive(struct file *file, void *data, size_t length, unsigned flags)
{
    return receive(file, data, length, flags, NULL);
}

ssize_type stack_send_to(struct file *file, const void *data, size_t length, ipv4_t address, uint16_t port)
{
    struct socket_address to = inet(address, port);
    return send(file, data, length, 0, &to);
}

ssize_type stack_receive_from(struct file *file, void *data, size_t length, struct socket_address *from)
{
    return receive(file, data, length, 0, from);
}

int stack_shutdown(struct file *file, int how) { return operations(file)->shutdown(socket_of(file), how); }
unsigned stack_poll(struct file *file) { return operations(file)->poll(socket_of(file)); }

int stack_set(struct file *file, int level, int name, int value)
{
    return socket_set_option(socket_of(file), level, name, &value, sizeof(value));
}

int stack_get(struct file *file, int level, int name)
{
    int value = 0;
    uint32_t length = sizeof(value);
    int error = socket_get_option(socket_of(file), level, name, &value, &length);
    return error < 0 ? error : value;
}

uint16_t stack_port(struct file *file)
{
    struct socket_address address;
    operations(file)->local_address(socket_of(file), &address);
    return address.in.port;
}

void stack_nonblocking(struct file *file) { file->flags |= O_NONBLOCK; }

struct file *stack_listener(int backlog)
{
    struct file *file = stack_socket(SOCK_STREAM);
    if (stack_bind(file, IPV4_ANY, 0) < 0 || stack_listen(file, backlog) < 0)
        return NULL;
    return file;
}

/* ---- Data ---------------------------------------------------------------------------------------------------- */

uint8_t pattern_byte(uint32_t seed, uint64_t at)
{
    return (uint8_t)(hash_mix(((uint64_t)seed << 32) + at / 8) >> (at % 8 * 8));
}

void pattern_fill(uint32_t seed, uint64_t at, void *to, size_t length)
{
    for (size_t i = 0; i < length; i++)
        ((uint8_t *)to)[i] = pattern_byte(seed, at + i);
}

bool pattern_matches(uint32_t seed, uint64_t at, const void *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (((const uint8_t *)data)[i] != pattern_byte(seed, at + i))
            return false;
    return true;
}

void peer_pattern(uint32_t seed, uint64_t at, void *to, size_t length) { pattern_fill(seed, at, to, length); }

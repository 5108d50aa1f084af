/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all network tests share: sockets of the stack under test as one-line calls (kernel
 * buffers, no descriptors), and a device whose frames the test sees.
 */
#pragma once

#include "host/host.h"
#include "net/socket.h"

/* ---- Calls on the stack's sockets ------------------------------------------------------------------------ */

struct file *stack_socket(int type);
int stack_bind(struct file *file, ipv4_t address, uint16_t port);
int stack_listen(struct file *file, int backlog);
int stack_accept(struct file *file, struct file **out);
int stack_connect(struct file *file, ipv4_t address, uint16_t port);
ssize_type stack_send(struct file *file, const void *data, size_t length, unsigned flags);
ssize_type stack_receive(struct file *file, void *data, size_t length, unsigned flags);
ssize_type stack_send_to(struct file *file, const void *data, size_t length, ipv4_t address, uint16_t port);
ssize_type stack_receive_from(struct file *file, void *data, size_t length, struct socket_address *from);
int stack_shutdown(struct file *file, int how);
unsigned stack_poll(struct file *file);
int stack_set(struct file *file, int level, int name, int value);
int stack_get(struct file *file, int level, int name);
uint16_t stack_port(struct file *file);
void stack_nonblocking(struct file *file);
/* A bound listener on a random port. */
struct file *stack_listener(int backlog);

/* ---- Deterministic data ------------------------------------------------------------------------------------ */

/* Byte number `at` of the stream with this seed. */
uint8_t pattern_byte(uint32_t seed, uint64_t at);
void pattern_fill(uint32_t seed, uint64_t at, void *to, size_t length);
bool pattern_matches(uint32_t seed, uint64_t at, const void *data, size_t length);

#define OPTION_SOCKET 1
#define OPTION_ERROR 4
#define OPTION_SEND_BUFFER 7
#define OPTION_RECEIVE_BUFFER 8
#define OPTION_KEEP_ALIVE 9
#define OPTION_TCP 6
#define OPTION_NO_DELAY 1

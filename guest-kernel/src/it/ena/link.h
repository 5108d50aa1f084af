/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket to QEMU's x-pci-proxy-dev, which passes accesses to a PCI device on to another process (QEMU 7.2,
 * include/hw/remote/mpqemu-link.h). One thread; what is wrong with the socket ends the process with a message.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum link_command {
    LINK_MEMORY,
    LINK_REPLY,
    LINK_CONFIG_WRITE,
    LINK_CONFIG_READ,
    LINK_BAR_WRITE,
    LINK_BAR_READ,
    LINK_INTERRUPT_FDS,
    LINK_RESET
};

/* A message without its descriptors. */
struct link_message {
    enum link_command command;
    uint64_t address; /* in configuration space, or in memory */
    uint64_t value;
    unsigned length; /* 1, 2, 4 or 8 bytes */
};

/* Receives one; false: QEMU has ended. Memory is mapped here, and is no message for the caller. */
bool link_receive(int socket, struct link_message *message);
/* Answers CONFIG, BAR and RESET. */
void link_answer(int socket, uint64_t value);
/* The guest's memory, or NULL if not all of this is memory. */
void *link_memory(uint64_t address, size_t length);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disks on AHCI controllers (Serial ATA AHCI 1.3.1; section numbers refer to it, those with "ACS" to ATA/ATAPI Command
 * Set 3). controller.c starts a controller and finds its disks, port.c drives the registers of one port, identity.c
 * reads what a disk says of itself, io.c does requests. Only ahci_start() and ahci_shut_down() are for others; the rest
 * is between these files.
 */
#pragma once

#include "core/lock.h"
#include "drivers/device.h"
#include "drivers/pci/pci.h"

/* Starts the controller if this function is one (class 01, 06, 01), and announces its disks. False: it is not. A
 * controller that does not come up is reported and left alone. Called while devices are started. */
bool ahci_start(const struct pci_function *function);

/* Lets every disk end the command that it does, and then, with `power_off`, park its heads; keeps controllers from
 * memory. For the end of the machine, when no other thread runs. Waits for the disks, each of them a minute at most. */
void ahci_shut_down(bool power_off);

#define AHCI_PORTS_MAX 32

/* Registers of the controller (3.1) that more than one file uses. */
#define AHCI_INTERRUPTS 0x08 /* a bit for each port; written ones clear it */

/* Registers of a port (3.3). */
#define AHCI_PORT_LIST 0x00
#define AHCI_PORT_RECEIVED 0x08
#define AHCI_PORT_EVENTS 0x10 /* written ones clear it */
#define AHCI_PORT_EVENTS_ENABLED 0x14
#define AHCI_PORT_COMMAND 0x18
#define AHCI_PORT_TASK 0x20 /* the disk's status in bits 7:0, its error in bits 15:8 */
#define AHCI_PORT_SIGNATURE 0x24
#define AHCI_PORT_LINK 0x28
#define AHCI_PORT_LINK_CONTROL 0x2c
#define AHCI_PORT_LINK_ERRORS 0x30 /* written ones clear it */
#define AHCI_PORT_ISSUED 0x38      /* a bit for each slot */
#define AHCI_PORT_LENGTH 0x80
#define AHCI_GONE UINT32_MAX /* what a removed controller reads as */

/* AHCI_PORT_EVENTS (3.3.5). */
#define AHCI_EVENT_REGISTERS (1u << 0) /* the disk has sent its registers: the end of a command or of a reset */
#define AHCI_EVENT_LINK (1u << 22)     /* PhyRdy has changed */
#define AHCI_EVENT_OVERFLOW (1u << 24)
#define AHCI_EVENT_INTERFACE (1u << 27)
#define AHCI_EVENT_HOST_DATA (1u << 28)
#define AHCI_EVENT_HOST (1u << 29)
#define AHCI_EVENT_TASK (1u << 30) /* the disk reports an error */
#define AHCI_EVENTS_OF_LINK (AHCI_EVENT_OVERFLOW | AHCI_EVENT_INTERFACE | AHCI_EVENT_HOST_DATA | AHCI_EVENT_HOST)
#define AHCI_ERRORS (AHCI_EVENTS_OF_LINK | AHCI_EVENT_TASK)

/* AHCI_PORT_TASK (ACS 6.2). */
#define AHCI_TASK_ERROR 0x01
#define AHCI_TASK_DATA 0x08
#define AHCI_TASK_FAULT 0x20
#define AHCI_TASK_BUSY 0x80

#define AHCI_LINK_DETECTED(link) ((link)&0xf) /* 1: a device; 3: and communication with it */
#define AHCI_LINK_UP 3

/* Commands (ACS 7). */
#define ATA_READ 0x25     /* READ DMA EXT */
#define ATA_WRITE 0x35    /* WRITE DMA EXT */
#define ATA_STANDBY 0xe0  /* STANDBY IMMEDIATE */
#define ATA_FLUSH 0xea    /* FLUSH CACHE EXT */
#define ATA_IDENTIFY 0xec /* IDENTIFY DEVICE, 512 bytes */
#define ATA_IDENTITY_LENGTH 512

/* What a port and the controller share, in one page: a list of commands (4.2.2) of which the first slot is used, the
 * place for what the disk sends (4.2.1), the command (4.2.3), and the answer of IDENTIFY DEVICE. */
struct ahci_header {
    uint16_t options;     /* length of the command in words of 32 bits; and: */
    uint16_t segments;    /* of the table */
    uint32_t transferred; /* bytes, written by the controller */
    uint64_t table;
    uint32_t reserved[4];
};
#define AHCI_HEADER_WRITE 0x40
struct ahci_segment {
    uint64_t address;
    uint32_t reserved;
    uint32_t last; /* bytes less one */
};
struct ahci_table {
    uint8_t command[64];
    uint8_t packet[64]; /* for ATAPI, and reserved */
    struct ahci_segment segments[BLOCK_MAX_SEGMENTS];
};
struct ahci_memory {
    struct ahci_header headers[32]; /* aligned to 1024 bytes */
    uint8_t received[256];          /* aligned to 256 bytes */
    struct ahci_table table;        /* aligned to 128 bytes */
    uint8_t identity[ATA_IDENTITY_LENGTH];
};
_Static_assert(sizeof(struct ahci_header) == 32 && sizeof(struct ahci_segment) == 16, "4.2.2, 4.2.3.3");
_Static_assert(offsetof(struct ahci_memory, received) == 1024 && offsetof(struct ahci_memory, table) == 1280 &&
                   offsetof(struct ahci_table, segments) == 128 && sizeof(struct ahci_memory) <= PAGE_SIZE,
               "4.2");

struct ahci_controller {
    struct pci_function function;
    unsigned number;
    volatile uint8_t *registers;
    uint32_t capabilities;
    uint32_t implemented;                    /* ports, as bits */
    bool disconnected;                       /* from memory, since a port did not stop */
    struct ahci_port *ports[AHCI_PORTS_MAX]; /* NULL: no disk */
    struct list link;                        /* of those that work; changed while devices are started */
};

/* A port with a disk. Its requests are done one at a time. */
struct ahci_port {
    struct block_device block;
    struct ahci_controller *controller;
    unsigned number;
    volatile uint8_t *registers;
    struct ahci_memory *memory;
    unsigned block_shift;          /* of the disk's blocks' size */
    struct spinlock lock;          /* guards the rest */
    bool failed;                   /* the disk is not used any more */
    bool resetting;                /* the link has been reset, and the disk is not ready yet */
    struct list pending;           /* requests that have not been sent */
    struct block_request *current; /* the one that is done; NULL: none */
    unsigned attempts;             /* of its command that failed */
    nanoseconds since;             /* when the command was sent, or the link reset */
};

/* A command to a disk. */
struct ahci_command {
    uint8_t code;
    bool write; /* memory is read */
    uint64_t block;
    uint16_t blocks;
    const struct block_segment *segments;
    unsigned segment_count;
};

/* ---- port.c ---- */

/* The port's part of the registers, and memory. NULL without memory. Nothing is running. */
struct ahci_port *ahci_port_create(struct ahci_controller *controller, unsigned number);
/* Stops the port, and frees it unless the controller may still use its memory. */
void ahci_port_release(struct ahci_port *port);
/* Waits for the disk to be ready after a reset of the controller, and lets the port do commands. 0, -ENODEV: there is
 * no disk, -ETIMEDOUT. Called while devices are started. */
must_check int ahci_port_open(struct ahci_port *port);
/* Starts a command in the slot, which is free. */
void ahci_port_send(struct ahci_port *port, const struct ahci_command *command);
/* Sends a command and waits for its end. 0, -EIO, -ETIMEDOUT. Called while devices are started, and at the end of the
 * machine. */
must_check int ahci_port_do(struct ahci_port *port, const struct ahci_command *command);
/* After the end of a command: whether the disk says that it has failed. */
bool ahci_port_task_failed(const struct ahci_port *port);
/* Lets commands be done, with nothing left of earlier errors. */
void ahci_port_run(struct ahci_port *port);
/* Stops doing commands, so that the controller does not use memory for the port any more; false: it still does. Any
 * context. */
bool ahci_port_stop(struct ahci_port *port);
/* Resets the stopped port's link and disk, which needs time until ahci_port_ready(). */
void ahci_port_reset(struct ahci_port *port);
/* Whether commands can be sent to the disk. */
bool ahci_port_ready(const struct ahci_port *port);
/* Whether the disk is still there; if not, what happened. Any context. */
const char *ahci_port_fault(const struct ahci_port *port);

uint32_t ahci_port_read(const struct ahci_port *port, unsigned offset);
void ahci_port_write(const struct ahci_port *port, unsigned offset, uint32_t value);
/* Waits until the register has this value in the bits of the mask. False: not within `patience`, or the controller is
 * gone. */
must_check bool ahci_wait(const volatile uint8_t *at, uint32_t mask, uint32_t value, nanoseconds patience);

/* ---- identity.c ---- */

/* Asks the disk what it is. 0; -EOPNOTSUPP: it cannot be used, which is logged; or as ahci_port_do(). */
must_check int ahci_identify(struct ahci_port *port);

/* ---- io.c ---- */

/* Announces the disk of a port that is open. */
void ahci_announce(struct ahci_port *port);
/* What has happened at a port. */
void ahci_port_interrupt(struct ahci_port *port);
/* The end of the machine: waits for the command under way, and takes no other request. False: the disk has failed. */
must_check bool ahci_quiesce(struct ahci_port *port);

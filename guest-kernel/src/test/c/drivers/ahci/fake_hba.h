/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The controller's side of AHCI for tests: a PCI function whose registers are here, and disks whose commands are ended
 * when a test says so, rightly or wrongly; IDENTIFY DEVICE and STANDBY IMMEDIATE are answered at once. Whatever the
 * driver does against the rules is kept in `fake.violation`. One controller at a time works; those of earlier tests
 * stay the driver's, and are gone.
 */
#pragma once

#include "drivers/ahci/ahci.h"
#include "lib/types.h"

#define FAKE_PORTS 4
#define FAKE_DISK_BYTES (1u << 20)
#define FAKE_STEPS_MAX 10000000UL
#define FAKE_STATUS_GOOD 0x50

/* Bits of a port's command register, AHCI 3.3.7. */
#define FAKE_START 0x1u
#define FAKE_SPIN_UP 0x2u
#define FAKE_RECEIVE 0x10u

struct fake_port {
    /* What it is; a test may change it before fake_find(). */
    bool present;
    uint32_t signature;
    uint16_t identity[256];
    uint8_t *data;
    bool never_stops, never_receives, never_ready, link_stays_down, silent;
    uint8_t identify_status; /* that IDENTIFY DEVICE ends with */
    /* Its state. */
    bool link_down, busy;
    uint64_t list, received;
    uint32_t events, enabled, command, task, link_control, issued;
    unsigned link_resets, commands, standbys;
};

struct fake_hba {
    /* What it says; a test may change it before fake_find(). */
    uint32_t capabilities, capabilities_2, implemented;
    uint64_t window_length;
    bool has_msi, never_resets, window_absent;
    bool keeps_issued;      /* a command that fails stays issued, as it should; QEMU 7.2 differs */
    unsigned handoff_steps; /* looks that firmware needs to let go; 0: never */
    bool handoff_busy;      /* it says that it is busy meanwhile */
    /* Its state. */
    struct fake_port ports[FAKE_PORTS];
    bool gone, disconnected, was_reset, msi;
    uint32_t control, interrupts, handoff;
    void (*handler)(void *context);
    void *context;
    unsigned long steps;
    const char *violation;
};
extern struct fake_hba fake;

/* What a command asks for. */
struct fake_command {
    uint8_t code;
    uint64_t block;
    uint32_t blocks;
};

/* A good controller with four ports and one disk of FAKE_DISK_BYTES, in blocks of 512 bytes and without a write cache,
 * at port 1, not yet found. */
void fake_init(void);
/* Gives it another disk; `shift` is that of its block size. */
void fake_add_disk(unsigned port, unsigned shift);
/* Has the driver find it; true if it took the function. */
bool fake_find(void);
/* The command that is issued at a port; false: there is none. */
bool fake_look(unsigned port, struct fake_command *command);
/* Moves the data of the command between memory and disk. */
void fake_transfer(unsigned port);
/* Ends the command with this status of the disk, and interrupts. */
void fake_end(unsigned port, uint8_t status);
/* An event at a port that is not the end of a command, such as a link that failed. */
void fake_event(unsigned port, uint32_t events);
/* Does and ends all commands that there are, and those that follow; how many. */
unsigned fake_serve(unsigned port);
/* Calls the handler of the interrupt, whether there is something or not. */
void fake_interrupt(void);

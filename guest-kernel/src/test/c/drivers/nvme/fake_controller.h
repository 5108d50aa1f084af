/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The controller's side of NVM Express for tests: a PCI function whose registers are here, administrative commands that
 * are answered at once, and commands for the disks that are taken and completed when a test says so, rightly or
 * wrongly. Whatever the driver does against the rules is kept in `fake.violation`. One controller at a time works;
 * those of earlier tests stay the driver's, and are gone.
 */
#pragma once

#include "drivers/nvme/queue.h"
#include "drivers/pci/pci.h"
#include "lib/types.h"

#define FAKE_NAMESPACES 3
#define FAKE_DISK_BYTES (1u << 20)
#define FAKE_QUEUES 9 /* with the administrative pair */
#define FAKE_VECTORS 64
#define FAKE_WINDOW 0xfe0000000UL /* where its registers are: above 4 GiB */
#define FAKE_STEPS_MAX 10000000UL

/* A pair of queues as the controller knows it. */
struct fake_queue {
    bool commands_exist, completions_exist;
    phys_t commands, completions;
    uint32_t command_entries, completion_entries;
    uint32_t head, tail;           /* of the commands */
    uint32_t posted, acknowledged; /* entries of completions, counted */
    uint32_t vector;
    uint32_t under_way[8]; /* bits: identifiers taken and not completed */
    unsigned count_under_way;
};

struct fake_namespace {
    uint32_t id; /* 0: there is none */
    uint8_t identity[4096];
    uint8_t *data; /* FAKE_DISK_BYTES */
};

struct fake_controller {
    /* What it says; a test may change it before fake_find(). */
    uint64_t capabilities;
    uint32_t version;
    uint8_t identity[4096];
    struct fake_namespace namespaces[FAKE_NAMESPACES];
    uint32_t *list; /* of namespaces, instead of the right one */
    unsigned vectors;
    phys_t window_length;
    bool never_ready, never_stops;
    unsigned silent_at, fails_at; /* the administrative command, counted from 1, that is not answered, or badly */
    uint16_t wrong_id;            /* added to the identifiers of administrative completions */
    uint32_t granted;             /* pairs of queues: the result of Set Features */
    nanoseconds shutdown_takes;
    /* Its state. */
    bool fatal, gone;
    bool disconnected; /* from memory, by the driver */
    uint32_t configuration, status, admin_sizes;
    uint64_t admin_commands, admin_completions;
    unsigned commands_answered;
    unsigned shutdowns; /* that the driver has asked for */
    nanoseconds shutdown_ends;
    uint32_t asked; /* by Set Features, as `granted` */
    struct fake_queue queues[FAKE_QUEUES];
    unsigned pair;                  /* which the functions below are about: 1, unless a test says another */
    void (*handler)(void *context); /* of its interrupts, once one is connected */
    void *context;
    bool connected[FAKE_VECTORS];  /* entries of the interrupt table that are set and not masked */
    unsigned routes[FAKE_VECTORS]; /* the CPU of each */
    unsigned raised;               /* interrupts by the driver itself */
    unsigned long steps;
    const char *violation;
};
extern struct fake_controller fake;

/* A good controller with one disk of FAKE_DISK_BYTES in blocks of 512 bytes, not yet found. */
void fake_init(void);
/* Gives it another disk; `shift` is that of its block size. */
void fake_add_namespace(unsigned place, uint32_t id, uint8_t shift);
/* Has the driver find it; true if it took the function. */
bool fake_find(void);
/* Takes the next command of the pair for a disk; false: there is none. */
bool fake_take(struct nvme_command *command);
/* Moves the data of a command as it says, between memory and disk. */
void fake_transfer(const struct nvme_command *command);
/* Completes one with this status (figure 126: bits 15:1 of the completion's last word, without the phase). */
void fake_complete(const struct nvme_command *command, uint16_t status);
/* Writes a completion into the pair's ring, whatever it says, and raises no interrupt. */
void fake_post(uint16_t id, uint16_t queue, uint16_t status);
/* Raises the interrupt of the pair on the CPU that it goes to. */
void fake_interrupt(void);
/* Takes, does and completes all commands of all pairs that there are, and those that follow; how many. */
unsigned fake_serve(void);

/* For the parts of the double: keeps the first rule that the driver breaks. */
void fake_rule(bool kept, const char *what);

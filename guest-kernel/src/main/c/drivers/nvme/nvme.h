/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disks on NVM Express controllers (NVM Express 1.4; section numbers refer to it). controller.c starts a controller,
 * pairs.c gives it a pair of queues for each CPU, namespaces.c finds its disks, io.c does their requests. Only the
 * first two functions are for others; the rest is between these files.
 */
#pragma once

#include "core/lock.h"
#include "drivers/device.h"
#include "drivers/nvme/queue.h"
#include "drivers/pci/pci.h"
#include "platform/platform.h"

/* Starts the controller if this function is one (class 01, 08, 02), and announces its disks. False: it is not. A
 * controller that does not come up is reported and left alone. Called while devices are started. */
bool nvme_start(const struct pci_function *function);
/* Has every controller shut down, so that none loses what it holds or reaches memory any more; for the end of the
 * machine, when no other thread runs. Waits for them, for NVME_SHUTDOWN_MAX at most. */
void nvme_shut_down(void);
#define NVME_SHUTDOWN_MAX (60 * NS_PER_SECOND)

/* Commands (5, 6). */
#define NVME_CREATE_SUBMISSION_QUEUE 0x01
#define NVME_CREATE_COMPLETION_QUEUE 0x05
#define NVME_IDENTIFY 0x06
#define NVME_SET_FEATURES 0x09
#define NVME_FLUSH 0x00
#define NVME_WRITE 0x01
#define NVME_READ 0x02

/* Pairs of queues for requests that a controller has, at most. */
#define NVME_PAIRS_MAX CPUS_MAX
/* Commands of one pair of queues under way at a time, at most: bits of a word, and lists of a page. */
#define NVME_COMMANDS_MAX 32

/* A command under way. */
struct nvme_slot {
    struct block_request *request; /* NULL: not in use */
    unsigned attempts;             /* that failed */
    struct nvme_command command;   /* as it was given to the controller, which cannot change this copy */
};

/* Requests on a pair of queues: those of one CPU, or of several where there are fewer pairs. A request stays on its
 * pair. */
struct nvme_io {
    struct nvme_controller *controller;
    struct spinlock lock; /* guards the rest */
    struct nvme_queue queue;
    bool failed;           /* the controller is not used any more */
    struct list pending;   /* requests of which commands are still to be sent */
    uint32_t usable, free; /* a bit for each slot */
    struct nvme_slot slots[NVME_COMMANDS_MAX];
    uint64_t (*lists)[PAGE_SIZE / sizeof(uint64_t) / NVME_COMMANDS_MAX]; /* of each slot: addresses of pages */
    uint64_t completed;                                                  /* commands */
    uint64_t checked;       /* `completed` at the last check that found another value, ... */
    nanoseconds checked_at; /* ... and when that was */
    bool slow;              /* that has been logged */
};

struct nvme_controller {
    struct pci_function function;
    unsigned number;
    char name[8]; /* "nvme0" */
    volatile uint8_t *registers;
    uint64_t capabilities;
    uint32_t version;
    struct nvme_queue admin;          /* used only while the controller is started, one command at a time */
    bool silent;                      /* it left a command there without its answer, and is not asked again */
    volatile uint8_t *doorbells;      /* of the administrative pair, then of the others */
    uint32_t stride;                  /* bytes from one doorbell to the next */
    uint16_t entries;                 /* of a queue for requests, 2..NVME_QUEUE_SIZE_MAX */
    unsigned vectors[NVME_PAIRS_MAX]; /* of the pairs: all the same one */
    struct pci_spread spread;         /* the pairs' entries of the interrupt table */
    unsigned io_count;                /* pairs in use; those of `io` after them may have memory, and nothing else */
    struct nvme_io *io[NVME_PAIRS_MAX];
    bool failed;               /* it is not used any more; changed with an atomic operation, as the next one */
    struct list link;          /* of those that work; changed while devices are started */
    nanoseconds shutdown_time; /* that it may take, as it says */
    bool shutting_down;        /* and has not failed before */
    uint32_t transfer_max;     /* bytes of one command */
    bool write_cache;          /* a completed write is durable only after a flush */
    uint32_t namespaces;       /* the highest identifier one can have */
};

/* A namespace as a disk. */
struct nvme_disk {
    struct block_device block;
    struct nvme_controller *controller;
    uint32_t namespace;
    unsigned block_shift; /* of its blocks' size */
};

/* ---- controller.c ---- */

/* Does an administrative command; `result`, if it is not NULL, becomes the answer's. 0, -EIO when the controller
 * answers with an error, which is logged, -ENODEV or -ETIMEDOUT when it does not answer. */
must_check int nvme_admin(struct nvme_controller *controller, struct nvme_command *command, uint32_t *result);
/* Fills the page `to` with an Identify structure (5.15). As nvme_admin(). */
must_check int nvme_identify(struct nvme_controller *controller, uint8_t structure, uint32_t namespace, void *to);
/* Whether the controller still works; if not, why. Any context. */
const char *nvme_fault(const struct nvme_controller *controller);
/* Stops the controller, so that it does not use memory any more; waits for `patience` at most. False if it still runs.
 * Any context. */
bool nvme_stop(struct nvme_controller *controller, nanoseconds patience);

/* ---- pairs.c ---- */

/* Makes as many pairs as there are CPUs, if controller, interrupt table, doorbells and memory allow: one at least.
 * `doorbell_pairs` have doorbells, without the administrative pair. 0 or a negative errno. */
must_check int nvme_pairs_create(struct nvme_controller *controller, unsigned doorbell_pairs);
/* Connects their interrupts, all to the boot CPU. 0 or a negative errno. */
must_check int nvme_pairs_connect(struct nvme_controller *controller);
/* Frees their memory, which the controller must not use any more. */
void nvme_pairs_release(struct nvme_controller *controller);

/* ---- namespaces.c ---- */

/* Announces every namespace that can be used as a disk; those that cannot are reported. `page` is for answers. */
void nvme_namespaces_find(struct nvme_controller *controller, void *page);

/* ---- io.c ---- */

/* For the controller's pair of queues with this identifier, 1..NVME_PAIRS_MAX, whose memory it makes. 0 or -ENOMEM. */
must_check int nvme_io_init(struct nvme_io *io, struct nvme_controller *controller, uint16_t id);
void nvme_io_release(struct nvme_io *io);
/* The interrupt of completions; `context` is the struct nvme_controller. Which pairs are looked at depends on the CPU
 * that it interrupts. */
void nvme_interrupt(void *context);
/* block_device.submit and .check of a disk. */
void nvme_submit(struct block_device *device, struct block_request *request);
void nvme_check(struct block_device *device);

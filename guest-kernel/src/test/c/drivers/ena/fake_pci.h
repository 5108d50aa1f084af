/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine around the model of the device, for tests of the driver: configuration space, windows, interrupts, memory
 * and time of drivers/pci/pci.h and platform/native, of which the device is the only PCI function. Interrupts wait
 * until the test lets them in, as for a CPU that has masked them. One device works at a time; those of earlier tests
 * stay the driver's, and are gone.
 */
#pragma once

#include "drivers/ena/model/model.h"
#include "drivers/device.h"
#include "lib/types.h"

#define FAKE_FRAMES 256
#define FAKE_STEPS_MAX 200000000UL /* accesses of the driver's before interrupts are let in again */
#define FAKE_PLACE 5               /* the device's number on bus 0 */

struct fake_frame {
    uint32_t length;
    uint8_t bytes[9100];
};
struct fake_machine {
    struct model model;
    bool enabled;                                      /* by pci_enable(), and not disconnected since */
    bool gone;                                         /* reads give all ones, and nothing else happens */
    bool no_device_memory;                             /* there is no BAR 2 */
    void (*wire)(const uint8_t *frame, size_t length); /* NULL, or where frames go as well */
    unsigned routes[2 * MODEL_QUEUES + 1];             /* by the device's number of an interrupt: to which CPU */
    unsigned raised;                                   /* of the device's vectors, by the driver */
    unsigned interrupts;                               /* that were let in */
    unsigned frames;                                   /* that left, of which the last FAKE_FRAMES are kept */
    struct fake_frame sent[FAKE_FRAMES];
};
extern struct fake_machine fake;

/* A device that the driver has not found yet, with the model's `variant`. */
void fake_init(struct model_variant variant);
/* Has the driver find it; true if it took the function. */
bool fake_find(void);
/* Lets interrupts in that wait, and those that follow. */
void fake_interrupts(void);
/* Lets time pass, with the device's signs of life and interrupts every 100 ms. */
void fake_advance(nanoseconds time);
/* The n-th of the frames that left, from 0. */
const struct fake_frame *fake_frame(unsigned n);

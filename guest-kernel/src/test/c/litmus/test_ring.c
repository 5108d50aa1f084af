/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rings of Xen's devices: whoever sleeps is notified of what comes after it has looked for the last time. The front
 * end is drivers/xen/ring.c; the other end is here, as xen/io/ring.h has it. One request, or response, has been taken
 * before, and no notification of the next has been asked for yet.
 */
#include <stdlib.h>
#include <string.h>

#define TSO_TESTED_SOURCE
#include "litmus/tso.h"

#include "drivers/xen/ring.c"

#define SLOT 16U
#define COUNT 2U /* requests, and responses, with the one that has been taken before */

static struct ring front;
static uint8_t page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static uint32_t back_consumed, back_produced;
static bool event; /* that the sleeping end waits for */

/* The hypervisor executes locked instructions, so what was stored before arrives first. */
static void notify(void) { (void)tso_exchange(&event, sizeof(event), true); }

static void put_requests(unsigned count)
{
    uint8_t request[SLOT] = { 0 };
    while (count-- > 0)
        ring_put(&front, request, sizeof(request));
}

static void reset_for_requests(void)
{
    ring_init(&front, page, SLOT);
    put_requests(1);
    if (!ring_push(&front))
        abort(); /* a new ring asks for the first one */
    back_consumed = 1;
    event = false;
}

static void reset_for_responses(void)
{
    uint8_t response[SLOT];
    ring_init(&front, page, SLOT);
    put_requests(COUNT);
    if (!ring_push(&front))
        abort();
    front.shared->responses_produced = back_produced = 1;
    ring_take(&front, response, sizeof(response));
    event = false;
}

/* ---- Requests ---- */

static void put_a_request(void)
{
    put_requests(1);
    if (ring_push(&front))
        notify();
}

static void take_requests(void)
{
    struct ring_header *shared = (struct ring_header *)page;
    while (back_consumed < COUNT) {
        while (back_consumed != read_once(shared->requests_produced))
            back_consumed++;
        if (back_consumed == COUNT)
            return;
        write_once(shared->request_event, back_consumed + 1);
        tso_barrier("the backend", 0);
        if (read_once(shared->requests_produced) == back_consumed)
            tso_sleep(&event);
    }
}

/* ---- Responses ---- */

static void put_a_response(void)
{
    struct ring_header *shared = (struct ring_header *)page;
    uint32_t before = back_produced++;
    write_once(shared->responses_produced, back_produced);
    tso_barrier("the backend", 0);
    if (back_produced - read_once(shared->response_event) < back_produced - before)
        notify();
}

static void take_responses(void)
{
    uint8_t response[SLOT];
    while (front.responses_consumed < COUNT) {
        do {
            for (int pending = ring_pending(&front); pending > 0; pending--)
                ring_take(&front, response, sizeof(response));
        } while (front.responses_consumed < COUNT && ring_wait_for(&front, 1));
        if (front.responses_consumed < COUNT)
            tso_sleep(&event);
    }
}

int main(void)
{
    static const struct tso_scenario requests = { "a backend is notified of every request",
                                                  reset_for_requests,
                                                  { put_a_request, take_requests },
                                                  NULL,
                                                  { "ring_push", "the backend" } };
    static const struct tso_scenario responses = { "a front end is notified of every response",
                                                   reset_for_responses,
                                                   { put_a_response, take_responses },
                                                   NULL,
                                                   { "the backend", "ring_wait_for" } };
    bool good = tso_check(&requests);
    return tso_check(&responses) && good ? 0 : 1;
}

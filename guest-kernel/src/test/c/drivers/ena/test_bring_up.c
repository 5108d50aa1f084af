/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How cards of every kind are started, by the rules of the model: what is learnt of them and what is chosen; and cards
 * that cannot be used, which are left alone with one line in the log.
 */
#include <string.h>

#include "core/pages.h"
#include "drivers/ena/driver.h"
#include "drivers/ena/ena.h"
#include "host/host.h"

static struct model_submission_queue *sender(void) { return &fake.model.submission_queues[0]; }

static void starts_a_usual_card(void)
{
    struct model_variant v = model_usual();
    CHECK(driver_start(v));
    NO_VIOLATION();
    CHECK(memcmp(stack.device->mac, v.mac, 6) == 0);
    CHECK(stack.device->running);
    CHECK_EQUAL(stack.device->mtu, 1500);
    CHECK_EQUAL(stack.device->max_mtu, 9001);
    CHECK_EQUAL(fake.model.mtu, 9001);
    CHECK(stack.device->checksum_offload && stack.device->segmentation_offload);
    CHECK_EQUAL(fake.model.resets, 1);
    CHECK_EQUAL(fake.model.reset_reason, 0);
    CHECK(sender()->exists && !sender()->llq);
    CHECK(strstr(host_log(), "02:45:4e:41:00:01, ENA at 00:05.0") != NULL);
}

void test_bring_up(void)
{
    host_test("ena: a usual card is started", starts_a_usual_card);
}

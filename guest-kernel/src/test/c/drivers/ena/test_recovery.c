/* SPDX-License-Identifier: Apache-2.0 */
/* Resets of every reason: the device comes up again with the same address, and what was under way is lost and freed. */
#include "drivers/ena/driver.h"
#include "host/host.h"

static void lives_on(void)
{
    CHECK(driver_start(model_usual()));
    driver_run(20 * NS_PER_SECOND);
    NO_VIOLATION();
    CHECK_EQUAL(fake.model.resets, 1);
    CHECK(stack.device->running);
}

void test_recovery(void) { host_test("ena: a card that works is left alone", lives_on); }

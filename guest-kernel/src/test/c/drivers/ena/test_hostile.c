/* SPDX-License-Identifier: Apache-2.0 */
/* Cards that answer, complete and report what they were not asked for: each ends in a reset with the right reason. */
#include "drivers/ena/driver.h"
#include "host/host.h"

void test_hostile(void) {}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of NVMe share. */
#pragma once

#include "drivers/disk/requests.h"

/* Finds the controller, which has one disk at least, and makes its first one `disk`. */
bool start_disk(void);

void test_disks(void);
void test_controllers(void);
void test_pairs(void);

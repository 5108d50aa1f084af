/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of NVMe share. */
#pragma once

#include "drivers/disk/requests.h"

void test_disks(void);
void test_controllers(void);
void test_pairs(void);

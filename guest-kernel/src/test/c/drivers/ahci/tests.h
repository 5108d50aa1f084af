/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of AHCI share. */
#pragma once

#include "drivers/disk/requests.h"

#define LARGEST (BLOCK_MAX_SEGMENTS * (uint32_t)PAGE_SIZE)

/* Finds the controller, which has one disk at least, and makes its first one `disk`. */
bool start_disk(void);

void test_disks(void);
void test_errors(void);
void test_controllers(void);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Saving and restoring the domain (xl save, xl restore, xl migrate): platform.h, platform_suspend().
 */
#pragma once

#include "lib/types.h"

bool xen_suspend(void);

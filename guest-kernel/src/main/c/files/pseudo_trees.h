/* SPDX-License-Identifier: Apache-2.0 */
/* The roots of /dev, /proc and /sys. */
#pragma once

#include "files/pseudo.h"

extern const struct pseudo_entry dev_root, proc_root, sys_root;

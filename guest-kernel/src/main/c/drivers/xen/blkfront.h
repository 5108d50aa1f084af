/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The paravirtual disk (xen/io/blkif.h): one ring page, up to 32 requests of 11 segments under way, the rest queued in
 * the driver. Pages are granted for the time of a request. Lock "disk" of each; done() is called without it.
 */
#pragma once

#include "lib/types.h"

/* Grant references one disk needs at most. */
#define BLKFRONT_GRANTS (1 + 32 * 11)

/* Connects the device at xenstore path "device/vbd/<number>" and announces it.
 * 0 or a negative errno. */
must_check int blkfront_start(const char *path, uint64_t number);

/* SPDX-License-Identifier: Apache-2.0 */
/* What a fuzzer's network stack does. */
#pragma once

#include "drivers/device.h"
#include "host/fuzz.h"

/* Checks that a received packet is whole, and frees it. */
void fuzz_packet(struct packet *packet);
/* Sends one of the input's shape. */
void fuzz_transmit(struct network_device *device, struct fuzz_input *input);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offsets in struct registers (platform.h) for entry.S; checked in traps.c.
 */
#pragma once

#define REGISTERS_ERROR 128
#define REGISTERS_CS 144

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's serial port, /dev/ttyS2: what is written goes to the program that started the guest, byte for byte and
 * apart from the console. There is nothing to read. Without such a port writing fails with EIO, as on Linux.
 */
#pragma once

#include "files/file.h"

extern const struct file_operations serial_operations;

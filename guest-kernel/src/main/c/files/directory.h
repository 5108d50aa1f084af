/* SPDX-License-Identifier: Apache-2.0 */
/* Open directories: their offset is a cursor into the listing. */
#pragma once

#include "files/file.h"

extern const struct file_operations directory_operations;

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of CPUs that machines without ACPI have (Intel MultiProcessor Specification 1.4): QEMU's microvm with
 * `acpi=off`, and Firecracker.
 */
#pragma once

#include "lib/types.h"

/* Memory that the table lies in. */
#define MP_TABLE_MEMORY (1u << 20)

/* Stores the local APIC ids of the CPUs that can be used, at most `most`, and returns their number; 0 without a table
 * that is complete and has the right checksums. `memory` is the first MiB, MP_TABLE_MEMORY bytes. */
unsigned mp_table_cpus(const uint8_t *memory, uint32_t *apic, unsigned most);

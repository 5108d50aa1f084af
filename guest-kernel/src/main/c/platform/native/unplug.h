/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The emulated disks and network cards that a Xen HVM guest has for its firmware. They are the same as its paravirtual
 * ones, so a kernel that drives those has them taken away (docs/misc/hvm-emulated-unplug.pandoc of Xen).
 */
#pragma once

/* Before devices are looked for; NVMe controllers stay. Nothing where the host does not offer it, as in PVH guests. */
void xen_unplug_emulated(void);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instructions that only some processors need or have. Each such place in the assembly holds no-operations, which
 * patches_apply() overwrites with the real instructions once, at boot, while text is still writable. In assembly:
 *
 *     patch_begin PATCH_...
 *     ...                              instructions that mean the same wherever they lie
 *     patch_end
 */
#pragma once

#define PATCH_USER_ACCESS 0   /* STAC, CLAC: undefined without supervisor-mode access prevention */
#define PATCH_ISOLATION 1     /* two page-table roots (Meltdown) */
#define PATCH_RETPOLINE 2     /* indirect branches without the predictor (Spectre v2) */
#define PATCH_ENTRY_IBRS 3    /* predictions of user mode are not used after an entry (Spectre v2, Retbleed) */
#define PATCH_ENTRY_BARRIER 4 /* the branch predictors are emptied at an entry (Retbleed, SRSO) */
#define PATCH_CLEAR_HISTORY 5 /* of branches, at an entry (branch history injection) */
#define PATCH_FILL_RETURNS 6  /* harmless return predictions at a change of threads (SpectreRSB) */
#define PATCH_FENCE_SWAPGS 7  /* no speculation with the wrong GS base (Spectre v1) */
#define PATCH_CLEAR_BUFFERS 8 /* at an exit (microarchitectural data sampling) */
#define PATCHES 9

#ifdef __ASSEMBLY__
/* clang-format off */
    .macro patch_begin condition
    .set patch_condition, \condition
    .pushsection .rodata.patch_instructions, "a"
7710:
    .endm
    .macro patch_end
7711:
    .popsection
7712:
    .nops 7711b - 7710b
    .pushsection .rodata.patches, "a"
    .long 7712b - ., 7710b - .
    .short 7711b - 7710b, patch_condition
    .popsection
    .endm
/* clang-format on */
#else
#include "lib/types.h"

/* Writes the instructions of each condition in the mask (1 << PATCH_...). Once, with text writable. */
void patches_apply(uint32_t conditions);
#endif

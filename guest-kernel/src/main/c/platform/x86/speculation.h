/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done against leaks by speculative execution, decided once at boot from what the processor says of itself, by
 * the same rules as Linux (Documentation/admin-guide/hw-vuln): CPUID, IA32_ARCH_CAPABILITIES (Intel SDM 4) and AMD's
 * leaves 80000008H and 80000021H (APM 3 appendix E). `mitigations=` on the command line: `auto`, `off`, or `on` for all
 * that the processor can execute, needed or not. docs/native.md says what is decided and why.
 */
#pragma once

#include "lib/types.h"

#define SPECULATION_IBRS (1u << 0) /* bits of IA32_SPEC_CTRL */
#define SPECULATION_SSBD (1u << 2)
#define SPECULATION_NO_HISTORY (1u << 10) /* BHI_DIS_S */

enum mitigations { MITIGATIONS_AUTO, MITIGATIONS_OFF, MITIGATIONS_ON };

struct speculation_facts {
    bool intel, amd;  /* amd: Hygon too; neither: some other maker */
    bool paravirtual; /* a Xen PV guest: kernel and user run in one privilege level */
    unsigned family, model;
    uint32_t features_b, features_d; /* CPUID 7.0 EBX, EDX */
    uint32_t controls_d;             /* CPUID 7.2 EDX */
    uint32_t amd_b, amd_a, amd_c;    /* CPUID 80000008H EBX, 80000021H EAX and ECX */
    uint64_t capabilities;           /* IA32_ARCH_CAPABILITIES, 0 without it */
};

struct speculation_plan {
    uint32_t patches;         /* 1 << PATCH_... (patch.h), without PATCH_USER_ACCESS */
    uint32_t control;         /* for IA32_SPEC_CTRL; IBRS with PATCH_ENTRY_IBRS: in the kernel only */
    bool automatic_ibrs;      /* AMD: EFER bit 21 */
    bool unprotected_returns; /* the processor has a flaw that only mitigations=on closes */
};

/* Pure. */
struct speculation_plan speculation_choose(const struct speculation_facts *facts, enum mitigations mode);

/* Decides and patches the kernel; fills platform.protections. With the command line read and text writable. */
struct speculation_plan speculation_init(bool paravirtual, uint32_t other_patches);

/* IA32_SPEC_CTRL in kernel mode; for entry code. */
extern uint32_t speculation_control;

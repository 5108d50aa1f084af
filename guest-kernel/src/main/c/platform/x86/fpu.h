/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FPU state (platform.h: fpu_*), the same on every platform.
 */
#pragma once

/* Chooses and enables what user threads may use. The platform has made FPU instructions usable
 * before: CR0.TS and EM clear, CR4.OSFXSR, and CR4.OSXSAVE where CPUID offers XSAVE. */
void fpu_init(void);
/* On another CPU, as chosen on the boot CPU. */
void fpu_load(void);

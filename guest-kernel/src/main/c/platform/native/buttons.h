/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a host asks a guest without a hypervisor channel to shut down cleanly: the ACPI power button
 * (QEMU: system_powerdown) and Ctrl-Alt-Delete on the PC keyboard (Firecracker: SendCtrlAltDel;
 * QEMU: sendkey). Both become kernel_control(CONTROL_POWER_OFF).
 */
#pragma once

/* After native_interrupts_init(); devices that are not there are left out. */
void native_buttons_start(void);

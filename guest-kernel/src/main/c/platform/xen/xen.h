/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Xen's interface as far as the kernel uses it. Structures shared with the hypervisor and the
 * numbers that go with them; the public header that defines each is named. Nothing here is
 * younger than Xen 4.2.
 */
#pragma once

/* Hypercall numbers, xen/xen.h: __HYPERVISOR_*. */
#define HYPERCALL_SET_TRAP_TABLE 0
#define HYPERCALL_MMU_UPDATE 1
#define HYPERCALL_STACK_SWITCH 3
#define HYPERCALL_FPU_TASKSWITCH 5
#define HYPERCALL_MULTICALL 13
#define HYPERCALL_UPDATE_VA_MAPPING 14
#define HYPERCALL_CONSOLE_IO 18
#define HYPERCALL_GRANT_TABLE_OP 20
#define HYPERCALL_VM_ASSIST 21
#define HYPERCALL_IRET 23
#define HYPERCALL_VCPU_OP 24
#define HYPERCALL_SET_SEGMENT_BASE 25
#define HYPERCALL_MMUEXT_OP 26
#define HYPERCALL_SCHED_OP 29
#define HYPERCALL_CALLBACK_OP 30
#define HYPERCALL_EVENT_CHANNEL_OP 32

/* Bytes a hypercall page holds for each number, and of the page. */
#define HYPERCALL_ENTRY_SIZE 32
#define HYPERCALL_PAGE_SIZE 4096

/* Selectors of Xen's GDT, xen/arch-x86/xen-x86_64.h: FLAT_USER_CS64, FLAT_USER_CS32, FLAT_USER_SS64. Kernel
 * and user mode use the same ones; which it is, Xen keeps apart. */
#define XEN_CODE_SELECTOR 0xe033
#define XEN_CODE_SELECTOR_32BIT 0xe023
#define XEN_STACK_SELECTOR 0xe02b

/* HYPERCALL_IRET frame flags, xen/arch-x86/xen-x86_64.h: VGCF_in_syscall. */
#define IRET_BY_SYSRET 0x100

/* xen/elfnote.h */
#define ELFNOTE_ENTRY 1
#define ELFNOTE_HYPERCALL_PAGE 2
#define ELFNOTE_VIRT_BASE 3
#define ELFNOTE_PADDR_OFFSET 4
#define ELFNOTE_XEN_VERSION 5
#define ELFNOTE_GUEST_OS 6
#define ELFNOTE_GUEST_VERSION 7
#define ELFNOTE_LOADER 8
#define ELFNOTE_FEATURES 10

#ifndef __ASSEMBLY__
#include "lib/types.h"

#define DOMID_SELF 0x7ff0U /* xen/xen.h */

/* ---- Start of day, xen/xen.h: struct start_info --------------------------------------------- */

#define XEN_COMMAND_LINE_SIZE 1024 /* MAX_GUEST_CMDLINE */
#define START_INITIAL_DOMAIN 2     /* SIF_INITDOMAIN */

struct start_info {
    char magic[32]; /* "xen-3.0-x86_64" */
    uint64_t page_count;
    uint64_t shared_info; /* machine address */
    uint32_t flags;
    uint64_t store_frame; /* machine frame, 0: no xenstore */
    uint32_t store_port;
    uint64_t console_frame; /* not for the initial domain */
    uint32_t console_port;
    uint64_t root_table;   /* virtual address */
    uint64_t table_frames; /* from root_table on */
    uint64_t frame_list;   /* virtual address: machine frame of each page */
    uint64_t module_start, module_length;
    char command_line[XEN_COMMAND_LINE_SIZE];
};

/* ---- Shared information, xen/xen.h -------------------------------------------------------- */

#define XEN_VCPUS_IN_SHARED_INFO 32 /* XEN_LEGACY_MAX_VCPUS */
#define EVENT_WORDS 64              /* of 64 ports each */

struct vcpu_time {    /* vcpu_time_info */
    uint32_t version; /* odd while Xen changes it */
    uint32_t reserved0;
    uint64_t tsc;        /* TSC when `system` was now */
    uint64_t system;     /* ns since the host's boot */
    uint32_t multiplier; /* ns = (ticks << shift) * multiplier >> 32 */
    int8_t shift;        /* < 0: to the right */
    uint8_t flags;       /* TIME_*; always 0 before Xen 4.7 */
    uint8_t reserved1[2];
};

#define TIME_TSC_STABLE 1 /* XEN_PVCLOCK_TSC_STABLE_BIT: one TSC for all processors */

struct vcpu_info {
    uint8_t upcall_pending;
    uint8_t upcall_mask;
    uint64_t pending_words; /* a bit for each word of event_pending; set atomically */
    uint64_t cr2;
    uint64_t reserved;
    struct vcpu_time time;
};
_Static_assert(sizeof(struct vcpu_info) == 64, "xen/xen.h");

struct shared_info {
    struct vcpu_info vcpu[XEN_VCPUS_IN_SHARED_INFO];
    uint64_t event_pending[EVENT_WORDS];
    uint64_t event_mask[EVENT_WORDS];
    uint32_t wall_version; /* as vcpu_time.version */
    uint32_t wall_seconds; /* UTC when system time was 0 */
    uint32_t wall_nanoseconds;
    uint32_t wall_seconds_high;
    /* arch_shared_info, xen/arch-x86/xen.h. For who saves a PV domain; ours to fill in. */
    uint64_t page_count;      /* max_pfn: of how many pages there are machine frames */
    uint64_t list_list_frame; /* pfn_to_mfn_frame_list_list: of a page with the frames of pages with the frames of the
                                 frame list */
};

/* ---- Memory, xen/xen.h ---------------------------------------------------------------------- */

/* Machine frame to page number, readable in kernel mode (MACH2PHYS_VIRT_START). */
#define XEN_PAGE_OF_FRAME ((const uint64_t *)0xffff800000000000UL)

struct table_update { /* mmu_update */
    uint64_t entry;   /* machine address of the entry | one of: */
    uint64_t value;
};
#define UPDATE_NORMAL 0              /* MMU_NORMAL_PT_UPDATE */
#define UPDATE_KEEP_ACCESSED_DIRTY 2 /* MMU_PT_UPDATE_PRESERVE_AD */

struct memory_operation { /* mmuext_op */
    uint32_t command;
    uint64_t argument; /* machine frame or linear address */
    uint64_t argument2;
};
#define MEMORY_PIN_L4 3 /* MMUEXT_* */
#define MEMORY_UNPIN 4
#define MEMORY_NEW_ROOT 5
#define MEMORY_FLUSH_HERE 6    /* the TLB of this processor */
#define MEMORY_FLUSH_OF 8      /* those of the virtual CPUs in the mask of 64 bits to which argument2 points */
#define MEMORY_FLUSH_PAGE_OF 9 /* the same for one page */
#define MEMORY_NEW_USER_ROOT 15

#define VA_MAPPING_FLUSH_PAGE 2 /* UVMF_INVLPG, on this processor */

struct multicall { /* multicall_entry */
    uint64_t number;
    int64_t result;
    uint64_t arguments[6];
};

/* ---- Processors: xen/arch-x86/xen.h, xen/arch-x86/xen-x86_64.h, xen/callback.h, xen/vcpu.h -------- */

struct trap_entry { /* trap_info */
    uint8_t vector;
    uint8_t flags;
    uint16_t selector;
    uint64_t address; /* 0 ends a table */
};
#define TRAP_FROM_USER 3    /* user mode may raise it itself (TI_SET_DPL) */
#define TRAP_MASKS_EVENTS 4 /* TI_SET_IF */

struct callback { /* callback_register */
    uint16_t type, flags;
    uint64_t address;
};
#define CALLBACK_REGISTER 0
#define CALLBACK_EVENT 0
#define CALLBACK_FAILSAFE 1
#define CALLBACK_SYSTEM_CALL 2
#define CALLBACK_MASKS_EVENTS 1

#define SEGMENT_FS 0 /* SEGBASE_FS */
#define SEGMENT_GS_USER 1
#define SEGMENT_GS_KERNEL 2

#define VCPU_INITIALISE 0 /* VCPUOP_*; argument: struct guest_context */
#define VCPU_UP 1
#define VCPU_DOWN 2
#define VCPU_IS_UP 3               /* 0 or 1; -ENOENT: the domain has no such CPU */
#define VCPU_REGISTER_RUNSTATE 5   /* argument: the address of the address of struct runstate */
#define VCPU_STOP_PERIODIC_TIMER 7 /* of any CPU; the next one: of the caller */
#define VCPU_SET_TIMER 8
#define VCPU_REGISTER_INFO 10      /* argument: struct vcpu_place; of the caller or of a CPU that is down */
#define VCPU_REGISTER_TIME_AREA 13 /* since Xen 4.0, 64-bit guests; argument: the address of struct vcpu_time */
struct vcpu_timer {                /* vcpu_set_singleshot_timer */
    uint64_t when;                 /* system time, ns */
    uint32_t flags;
};

#define VM_ASSIST_ENABLE 0 /* xen/xen.h: VMASST_CMD_enable, VMASST_TYPE_runstate_update_flag */
#define VM_ASSIST_RUNSTATE_UPDATE 5

struct vcpu_place { /* vcpu_register_vcpu_info: where struct vcpu_info is, in one page */
    uint64_t frame;
    uint32_t offset, reserved;
};

/* What a CPU begins with: vcpu_guest_context, cpu_user_regs (xen/arch-x86/xen.h, xen/arch-x86/xen-x86_64.h). */
struct guest_context {
    uint8_t fpu[512];
    uint64_t flags; /* CONTEXT_* */
    struct {
        uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, error, rip, cs, rflags, rsp;
        uint64_t ss, es, ds, fs, gs;
    } registers;
    struct trap_entry traps[256]; /* by vector */
    uint64_t ldt_base, ldt_entries;
    uint64_t gdt_frames[16], gdt_entries; /* machine frames, nowhere mapped writable */
    uint64_t kernel_ss, kernel_sp;
    uint64_t control[8]; /* 3: root table, as its machine frame << 12 */
    uint64_t debug[8];
    uint64_t event_entry, failsafe_entry, system_call_entry;
    uint64_t vm_assist;
    uint64_t fs_base, gs_base_kernel, gs_base_user;
};
_Static_assert(sizeof(struct guest_context) == 5168, "xen/arch-x86/xen.h");
#define CONTEXT_IN_KERNEL 4 /* VGCF_* */
#define CONTEXT_FAILSAFE_MASKS_EVENTS 8
#define CONTEXT_SYSTEM_CALL_MASKS_EVENTS 16

/* ---- Scheduling, xen/sched.h ---------------------------------------------------------------- */

#define SCHEDULE_YIELD 0
#define SCHEDULE_BLOCK 1
#define SCHEDULE_SHUTDOWN 2
#define SCHEDULE_POLL 3
struct event_poll { /* sched_poll: sleeps until one of the ports is pending, masked or not */
    const uint32_t *ports;
    uint32_t count;
    uint64_t timeout; /* system time, ns; 0: none */
};
#define SHUTDOWN_POWER_OFF 0
#define SHUTDOWN_REBOOT 1
#define SHUTDOWN_SUSPEND 2 /* PV: a further argument, the machine frame of start_info; 1 if it did not happen */
#define SHUTDOWN_CRASH 3

/* ---- Event channels, xen/event_channel.h ---------------------------------------------------- */

#define EVENT_BIND_VIRTUAL_INTERRUPT 1
#define EVENT_CLOSE 3
#define EVENT_SEND 4
#define EVENT_ALLOCATE_UNBOUND 6
#define EVENT_BIND_BETWEEN_CPUS 7 /* EVTCHNOP_bind_ipi */
#define EVENT_BIND_TO_CPU 8       /* EVTCHNOP_bind_vcpu */
#define EVENT_UNMASK 9
#define VIRTUAL_TIMER 0 /* VIRQ_TIMER, xen/xen.h */

/* ---- Grant tables, xen/grant_table.h -------------------------------------------------------- */

#define GRANT_SETUP_TABLE 2
struct grant_setup_table {
    uint16_t domain;
    uint32_t frame_count;
    int16_t status;
    uint64_t *frames; /* out: machine frames */
};

/* ---- Console, xen/xen.h ----------------------------------------------------------------------- */

#define CONSOLE_WRITE 0
#endif

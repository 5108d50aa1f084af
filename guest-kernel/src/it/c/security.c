/* SPDX-License-Identifier: Apache-2.0 */
/* One test for each protection, showing it bite. */
#define _GNU_SOURCE
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KERNEL_HALF 0xffff880000100000UL
#define KERNEL_IMAGE 0xffffffff80100000UL
#define XEN_AREA 0xffff800000000000UL
#define IMAGE_SPACE 0xffffffff80000000UL
#define IMAGE_SPACE_SIZE (1UL << 30)

static const unsigned char return_code[] = { 0xc3 };

static void data_is_not_executable(void)
{
    static unsigned char data[64];
    memcpy(data, return_code, sizeof(return_code));
    CHECK_FAULT(touch_call, data, SIGSEGV, SEGV_ACCERR);
}

static void stack_is_not_executable(void)
{
    unsigned char local[64];
    memcpy(local, return_code, sizeof(return_code));
    CHECK_FAULT(touch_call, local, SIGSEGV, SEGV_ACCERR);
}

static void heap_is_not_executable(void)
{
    unsigned char *block = malloc(64);
    memcpy(block, return_code, sizeof(return_code));
    CHECK_FAULT(touch_call, block, SIGSEGV, SEGV_ACCERR);
    free(block);
}

static void text_is_not_writable(void)
{
    CHECK_FAULT(touch_write, (void *)(uintptr_t)data_is_not_executable, SIGSEGV, SEGV_ACCERR);
}

/* The clock's parameters and the vDSO's code are the kernel's own pages in the guest. */
static void kernel_pages_in_user_reach_stay_as_they_are(void)
{
    if (!in_guest())
        return;
    char *vdso = (char *)getauxval(AT_SYSINFO_EHDR), *clock = vdso - 4096;
    for (char *page = clock; page <= vdso; page += 4096) {
        CHECK_FAULT(touch_write, page, SIGSEGV, SEGV_ACCERR);
        CHECK_ERROR(mprotect(page, 4096, PROT_READ | PROT_WRITE), EACCES);
        CHECK_EQUAL((intptr_t)mremap(page, 4096, 8192, MREMAP_MAYMOVE), -1);
    }
    CHECK_ERROR(mprotect(clock, 8192, PROT_READ | PROT_WRITE), EACCES);
    touch_read(clock);
}

static void null_page_is_not_mapped(void)
{
    CHECK_FAULT(touch_read, (void *)8, SIGSEGV, SEGV_MAPERR);
    CHECK_FAULT(touch_write, (void *)8, SIGSEGV, SEGV_MAPERR);
}

static void null_page_cannot_be_mapped_in_the_guest(void)
{
    if (!in_guest())
        return;
    CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED);
}

static void kernel_memory_is_out_of_reach(void)
{
    static const uintptr_t addresses[] = { KERNEL_HALF, KERNEL_IMAGE, XEN_AREA, 0xffffffffff000000 };
    for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        CHECK_EQUAL(fault_of(touch_read, (void *)addresses[i]).signal, SIGSEGV);
        CHECK_EQUAL(fault_of(touch_write, (void *)addresses[i]).signal, SIGSEGV);
        CHECK_EQUAL(fault_of(touch_call, (void *)addresses[i]).signal, SIGSEGV);
    }
    /* The image, which is larger than the step, lies somewhere in here. */
    for (uintptr_t at = IMAGE_SPACE; in_guest() && at < IMAGE_SPACE + IMAGE_SPACE_SIZE; at += 256 << 10)
        CHECK_EQUAL(fault_of(touch_read, (void *)at).signal, SIGSEGV);
}

static void kernel_addresses_cannot_be_passed_in(void)
{
    static const uintptr_t bad[] = { KERNEL_HALF, KERNEL_IMAGE,   XEN_AREA, 0x7ffffffff000, 0x800000000000,
                                     8,           UINTPTR_MAX - 3 };
    int ends[2];
    CHECK_EQUAL(pipe2(ends, O_NONBLOCK), 0);
    CHECK_EQUAL(write(ends[1], "data", 4), 4);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        void *at = (void *)bad[i];
        CHECK_ERROR(read(ends[0], at, 4), EFAULT);
        CHECK_ERROR(write(ends[1], at, 4), EFAULT);
        CHECK_ERROR(open(at, O_RDONLY), EFAULT);
        CHECK_ERROR(syscall(SYS_uname, at), EFAULT);
        CHECK_ERROR(syscall(SYS_pipe2, at, 0), EFAULT);
        CHECK_ERROR(syscall(SYS_clock_gettime, 1, at), EFAULT);
        CHECK_ERROR(syscall(SYS_nanosleep, at, NULL), EFAULT);
        CHECK_ERROR(syscall(SYS_rt_sigaction, SIGUSR1, at, NULL, 8), EFAULT);
        CHECK_ERROR(syscall(SYS_newfstatat, AT_FDCWD, "/", at, 0), EFAULT);
    }
    close(ends[0]);
    close(ends[1]);
}

static void mapping_stops_at_the_user_limit(void)
{
    CHECK(mmap((void *)KERNEL_HALF, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED);
    CHECK(mmap((void *)0x7ffffffff000, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED);
    CHECK(munmap((void *)0x7ffffffff000, 1UL << 40) == -1);
    CHECK(mprotect((void *)KERNEL_IMAGE, 4096, PROT_READ) == -1);
    CHECK(mprotect((void *)0x7fffffffe000, UINTPTR_MAX - 4095, PROT_READ) == -1);
}

static void lengths_that_wrap_are_refused(void)
{
    char byte;
    int ends[2];
    CHECK_EQUAL(pipe2(ends, O_NONBLOCK), 0);
    CHECK_EQUAL(write(ends[1], "x", 1), 1);
    struct {
        void *base;
        size_t length;
    } vector[2] = { { &byte, 1 }, { &byte, SIZE_MAX } };
    CHECK_ERROR(syscall(SYS_readv, ends[0], vector, 2), EINVAL);
    CHECK_ERROR(syscall(SYS_readv, ends[0], vector, -1), EINVAL);
    CHECK_ERROR(syscall(SYS_readv, ends[0], vector, 100000), EINVAL);
    close(ends[0]);
    close(ends[1]);
}

static void kernel_flags_stay_sane(void)
{
    /* A user program that set the direction and alignment flags still gets right answers. */
    long result;
    __asm__ volatile("std\n\tsyscall\n\tcld" : "=a"(result) : "a"((long)SYS_getpid) : "rcx", "r11", "memory");
    CHECK_EQUAL(result, getpid());
}

static void root_is_read_only_in_the_guest(void)
{
    if (!in_guest())
        return;
    CHECK_ERROR(open("/new-file", O_WRONLY | O_CREAT, 0600), EROFS);
    CHECK_ERROR(open("/etc/unikernel.conf", O_WRONLY), EROFS);
    CHECK_ERROR(mkdir("/new-directory", 0755), EROFS);
    CHECK_ERROR(unlink("/etc/unikernel.conf"), EROFS);
    CHECK_ERROR(rename("/etc/unikernel.conf", "/etc/other"), EROFS);
    CHECK_ERROR(chmod("/etc/unikernel.conf", 0777), EROFS);
    CHECK_ERROR(truncate("/etc/unikernel.conf", 0), EROFS);
}

static void no_second_program_in_the_guest(void)
{
    if (!in_guest())
        return;
    char *const arguments[] = { "/proc/self/exe", NULL };
    CHECK_ERROR(syscall(SYS_fork), ENOSYS);
    CHECK_ERROR(execve("/proc/self/exe", arguments, arguments), ENOSYS);
    CHECK_ERROR(syscall(SYS_ptrace, 0, 0, 0, 0), ENOSYS);
    CHECK_ERROR(syscall(SYS_init_module, 0, 0, 0), ENOSYS);
}

SUITE(security, TEST(data_is_not_executable), TEST(stack_is_not_executable), TEST(heap_is_not_executable),
      TEST(text_is_not_writable), TEST(kernel_pages_in_user_reach_stay_as_they_are), TEST(null_page_is_not_mapped),
      TEST(null_page_cannot_be_mapped_in_the_guest), TEST(kernel_memory_is_out_of_reach),
      TEST(kernel_addresses_cannot_be_passed_in), TEST(mapping_stops_at_the_user_limit),
      TEST(lengths_that_wrap_are_refused), TEST(kernel_flags_stay_sane), TEST(root_is_read_only_in_the_guest),
      TEST(no_second_program_in_the_guest));

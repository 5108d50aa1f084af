/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KVM's paravirtual clock (Linux Documentation/virt/kvm/x86/msr.rst, cpuid.rst).
 */
#include "lib/string.h"
#include "platform/native/clock.h"
#include "platform/native/instructions.h"
#include "platform/native/native.h"
#include "platform/x86/processor.h"

#define CPUID_SIGNATURE 0x40000000
#define CPUID_FEATURES 0x40000001
#define FEATURE_CLOCK (1u << 3)
#define FEATURE_STABLE (1u << 24) /* the flag below counts */
#define FLAG_STABLE 1u            /* PVCLOCK_TSC_STABLE_BIT */
#define MSR_WALL_CLOCK 0x4b564d00
#define MSR_SYSTEM_TIME 0x4b564d01
#define SYSTEM_TIME_ENABLE 1

struct wall_clock {
    uint32_t version, seconds, nanoseconds;
};
/* Written by the host; odd version: being written. */
struct system_time {
    uint32_t version, reserved0;
    uint64_t tsc, time;
    uint32_t multiplier;
    int8_t shift;
    uint8_t flags, reserved1[2];
};

/* Neither crosses a page. */
static struct system_time system_time __attribute__((aligned(64)));
static struct wall_clock wall_clock __attribute__((aligned(16)));
static uint32_t seen_version;

uint32_t kvm_features(void)
{
    if (!(processor_identify(1, 0).ecx & 1u << 31))
        return 0;
    struct processor_leaf signature = processor_identify(CPUID_SIGNATURE, 0);
    uint32_t name[3] = { signature.ebx, signature.ecx, signature.edx };
    bool is_kvm = memcmp(name, "KVMKVMKVM\0\0\0", sizeof(name)) == 0;
    return is_kvm ? processor_identify(CPUID_FEATURES, 0).eax : 0;
}

bool kvm_clock_init(void)
{
    if (!(kvm_features() & FEATURE_CLOCK))
        return false;
    msr_write(MSR_SYSTEM_TIME, ((uintptr_t)&system_time - KERNEL_BASE) | SYSTEM_TIME_ENABLE);
    return read_once(system_time.version) != 0;
}

bool kvm_clock_changed(void) { return read_once(system_time.version) != seen_version; }

struct kvm_time kvm_clock_read(void)
{
    struct kvm_time time;
    uint32_t version;
    do {
        do
            version = read_once(system_time.version);
        while (version & 1);
        compiler_barrier();
        time.tsc = read_once(system_time.tsc);
        time.system_time = read_once(system_time.time);
        time.scale.multiplier = read_once(system_time.multiplier);
        time.scale.shift = read_once(system_time.shift);
        compiler_barrier();
    } while (version != read_once(system_time.version));
    seen_version = version;
    return time;
}

bool kvm_clock_is_shared(void)
{
    return (kvm_features() & FEATURE_STABLE) && (read_once(system_time.flags) & FLAG_STABLE);
}

uint64_t kvm_wall_base(void)
{
    msr_write(MSR_WALL_CLOCK, (uintptr_t)&wall_clock - KERNEL_BASE);
    return read_once(wall_clock.seconds) * NS_PER_SECOND + read_once(wall_clock.nanoseconds);
}

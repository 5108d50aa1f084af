/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which components of FPU state the program may use, and saving and loading them. fpu_init() chooses once on the boot
 * CPU, called by both platforms; after that features, size and mask are constant. Areas are in the standard format,
 * since they become part of signal frames; each is aligned to 64 bytes and no larger than a page. What the program
 * changed in one goes through fpu_sanitise(), after which loading it does not fault.
 *
 * The kernel itself uses no FPU. Called by threads/scheduler.c, where a CPU's registers change owner, and by
 * linux/signal_frame.c and linux/sys_threads.c for the current thread. An area belongs to its thread: there are no
 * locks.
 */
#include "platform/x86/fpu.h"

#include "lib/string.h"
#include "platform/platform.h"
#include "platform/x86/processor.h"

/* XCR0 components (Intel SDM 1 13.1). */
#define X87 (1UL << 0)
#define SSE (1UL << 1)
#define AVX (1UL << 2)
#define AVX512 (7UL << 5)

#define HAS_XSAVE (1u << 26) /* leaf 1 ecx */
#define LEAF_XSAVE 0xd

/* The legacy area and the XSAVE header (SDM 1 13.4.1, 13.4.2); FXSAVE has only the former. */
struct fpu_area {
    uint16_t control;
    uint8_t reserved0[22];
    uint32_t mxcsr;
    uint32_t mxcsr_mask;
    uint8_t registers[480];
    uint64_t components; /* XSTATE_BV: which are not in their initial state */
    uint64_t header[7];  /* XCOMP_BV and reserved: zero in the standard format */
};
_Static_assert(offsetof(struct fpu_area, components) == 512, "SDM 1 13.4.2");

#define CONTROL_INITIAL 0x37f     /* all exceptions masked, extended precision */
#define MXCSR_INITIAL 0x1f80      /* all exceptions masked, round to nearest */
#define MXCSR_MASK_DEFAULT 0xffbf /* SDM 1 11.6.6 */

static uint64_t features = X87 | SSE;
static size_t area_size = 512;
static uint32_t mxcsr_mask = MXCSR_MASK_DEFAULT;
static bool has_xsave;

static void xcr0_write(uint64_t value)
{
    __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

/* Size of the standard-format area for a set of components. */
static size_t size_of(uint64_t components)
{
    size_t size = sizeof(struct fpu_area);
    for (uint32_t i = 2; i < 63; i++) {
        if (!(components & 1UL << i))
            continue;
        struct processor_leaf leaf = processor_identify(LEAF_XSAVE, i);
        size = max_of(size, (size_t)leaf.eax + leaf.ebx);
    }
    return size;
}

static void choose_components(void)
{
    struct processor_leaf leaf = processor_identify(LEAF_XSAVE, 0);
    uint64_t offered = (uint64_t)leaf.edx << 32 | leaf.eax;
    features = X87 | SSE;
    if (offered & AVX)
        features |= AVX;
    if ((features & AVX) && (offered & AVX512) == AVX512 && size_of(features | AVX512) <= PAGE_SIZE)
        features |= AVX512;
    area_size = size_of(features);
}

static void find_mxcsr_mask(void)
{
    static struct fpu_area probe __attribute__((aligned(64)));
    __asm__ volatile("fxsave64 %0" : "=m"(probe));
    if (probe.mxcsr_mask != 0)
        mxcsr_mask = probe.mxcsr_mask;
}

void fpu_init(void)
{
    find_mxcsr_mask();
    has_xsave = processor_identify(1, 0).ecx & HAS_XSAVE;
    if (!has_xsave)
        return;
    choose_components();
    fpu_load();
}

void fpu_load(void)
{
    if (has_xsave)
        xcr0_write(features);
}

size_t fpu_area_size(void) { return area_size; }
uint64_t fpu_features(void) { return features; }

void fpu_save(void *area)
{
    if (has_xsave)
        __asm__ volatile("xsave64 (%0)"
                         :
                         : "r"(area), "a"((uint32_t)features), "d"((uint32_t)(features >> 32))
                         : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

void fpu_restore(const void *area)
{
    if (has_xsave)
        __asm__ volatile("xrstor64 (%0)"
                         :
                         : "r"(area), "a"((uint32_t)features), "d"((uint32_t)(features >> 32))
                         : "memory");
    else
        __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

void fpu_init_area(void *to)
{
    struct fpu_area *area = to;
    memset(area, 0, area_size);
    area->control = CONTROL_INITIAL;
    area->mxcsr = MXCSR_INITIAL;
    area->mxcsr_mask = mxcsr_mask;
    if (has_xsave)
        area->components = X87 | SSE;
}

bool fpu_sanitise(void *from)
{
    struct fpu_area *area = from;
    area->mxcsr &= mxcsr_mask;
    if (!has_xsave)
        return true;
    area->components &= features;
    memset(area->header, 0, sizeof(area->header));
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decides what is done against speculative execution (speculation.h), says so in platform.protections, and has it
 * written into the kernel's code. speculation_choose() is a function of the facts alone, so that host tests can ask it
 * about processors that cannot be had here. Boot only, one CPU: no locks.
 */
#include "core/log.h"
#include "lib/string.h"
#include "platform/platform.h"
#include "platform/x86/patch.h"
#include "platform/x86/processor.h"
#include "platform/x86/speculation.h"

#define MSR_ARCH_CAPABILITIES 0x10a

/* Bits of IA32_ARCH_CAPABILITIES. */
#define RDCL_NO (1u << 0)  /* no Meltdown, no L1TF */
#define IBRS_ALL (1u << 1) /* enhanced IBRS: set once */
#define RSBA (1u << 2)     /* an empty return buffer falls back to the branch predictor */
#define MDS_NO (1u << 5)
#define TAA_NO (1u << 8)
#define BHI_NO (1u << 20)
#define RFDS_NO (1u << 27)
#define RFDS_CLEAR (1u << 28)

#define HAS_RTM (1u << 11)      /* CPUID 7.0 EBX */
#define HAS_MD_CLEAR (1u << 10) /* CPUID 7.0 EDX */
#define HAS_IBRS (1u << 26)
#define HAS_ARCH_CAPABILITIES (1u << 29)
#define HAS_SSBD (1u << 31)
#define HAS_BHI_CONTROL (1u << 4) /* CPUID 7.2 EDX */
#define AMD_HAS_IBPB (1u << 12)   /* CPUID 80000008H EBX */
#define AMD_HAS_SSBD (1u << 24)
#define AMD_NO_RETBLEED (1u << 29) /* BTC_NO */
#define AMD_VERW_CLEARS (1u << 5)  /* CPUID 80000021H EAX */
#define AMD_HAS_AUTOMATIC_IBRS (1u << 8)
#define AMD_NO_SRSO (1u << 29)
#define AMD_NO_TSA (3u << 1) /* CPUID 80000021H ECX: TSA_SQ_NO, TSA_L1_NO */

#define BIT(patch) (1u << (patch))

uint32_t speculation_control;

/* Skylake and its successors with the same branch predictor, which takes predictions of returns from it (Retbleed). */
static bool is_skylake(const struct speculation_facts *facts)
{
    static const uint8_t models[] = { 0x4e, 0x55, 0x5e, 0x66, 0x8e, 0x9e, 0xa5, 0xa6 };
    return facts->intel && facts->family == 6 && memchr(models, (int)facts->model, sizeof(models));
}

static bool leaks_buffers(const struct speculation_facts *facts)
{
    uint64_t capabilities = facts->capabilities;
    if (facts->amd)
        return (facts->amd_a & AMD_VERW_CLEARS) && (facts->amd_c & AMD_NO_TSA) != AMD_NO_TSA;
    if (!facts->intel)
        return false;
    bool sampling = (facts->features_d & HAS_MD_CLEAR) &&
                    (!(capabilities & MDS_NO) || ((facts->features_b & HAS_RTM) && !(capabilities & TAA_NO)));
    return sampling || ((capabilities & RFDS_CLEAR) && !(capabilities & RFDS_NO));
}

/* AMD's flaws of return prediction: before Zen 3 Retbleed, Zen 3 and 4 SRSO. */
static bool mispredicts_returns(const struct speculation_facts *facts)
{
    if (!facts->amd)
        return false;
    if (facts->family >= 0x15 && facts->family <= 0x18)
        return !(facts->amd_b & AMD_NO_RETBLEED);
    return facts->family == 0x19 && !(facts->amd_a & AMD_NO_SRSO);
}

static void choose_history(const struct speculation_facts *facts, struct speculation_plan *plan)
{
    if (!facts->intel || (facts->capabilities & BHI_NO))
        return;
    if (facts->controls_d & HAS_BHI_CONTROL)
        plan->control |= SPECULATION_NO_HISTORY;
    else
        plan->patches |= BIT(PATCH_CLEAR_HISTORY);
}

/* One of: IBRS that distinguishes kernel from user by itself; IBRS at each entry; retpolines. */
static void choose_branches(const struct speculation_facts *facts, struct speculation_plan *plan)
{
    plan->patches |= BIT(PATCH_FILL_RETURNS);
    if (facts->paravirtual) {
        plan->patches |= BIT(PATCH_RETPOLINE);
    } else if (facts->amd && (facts->amd_a & AMD_HAS_AUTOMATIC_IBRS)) {
        plan->automatic_ibrs = true;
    } else if (facts->intel && (facts->capabilities & IBRS_ALL)) {
        plan->control |= SPECULATION_IBRS;
        choose_history(facts, plan);
    } else if (facts->intel && (facts->features_d & HAS_IBRS) && (is_skylake(facts) || (facts->capabilities & RSBA))) {
        plan->control |= SPECULATION_IBRS;
        plan->patches |= BIT(PATCH_ENTRY_IBRS);
    } else {
        plan->patches |= BIT(PATCH_RETPOLINE);
    }
}

/* Beyond need: what a user of `mitigations=on` pays for. */
static void choose_rest(const struct speculation_facts *facts, struct speculation_plan *plan)
{
    plan->patches |= BIT(PATCH_RETPOLINE);
    if (facts->paravirtual)
        return;
    plan->patches |= BIT(PATCH_ISOLATION) | BIT(PATCH_CLEAR_HISTORY) | BIT(PATCH_FENCE_SWAPGS) |
                     BIT(PATCH_CLEAR_BUFFERS);
    if ((facts->features_d & HAS_SSBD) || (facts->amd_b & AMD_HAS_SSBD))
        plan->control |= SPECULATION_SSBD;
    if (mispredicts_returns(facts) && (facts->amd_b & AMD_HAS_IBPB))
        plan->patches |= BIT(PATCH_ENTRY_BARRIER);
}

struct speculation_plan speculation_choose(const struct speculation_facts *facts, enum mitigations mode)
{
    struct speculation_plan plan = { 0 };
    if (mode == MITIGATIONS_OFF)
        return plan;
    choose_branches(facts, &plan);
    if (!facts->paravirtual) {
        if (!facts->amd && !(facts->capabilities & RDCL_NO))
            plan.patches |= BIT(PATCH_ISOLATION);
        if (!facts->amd)
            plan.patches |= BIT(PATCH_FENCE_SWAPGS);
        if (leaks_buffers(facts))
            plan.patches |= BIT(PATCH_CLEAR_BUFFERS);
    }
    if (mode == MITIGATIONS_ON)
        choose_rest(facts, &plan);
    plan.unprotected_returns = mispredicts_returns(facts) && !(plan.patches & BIT(PATCH_ENTRY_BARRIER));
    return plan;
}

static uint64_t read_capabilities(void)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_ARCH_CAPABILITIES));
    return (uint64_t)high << 32 | low;
}

static struct speculation_facts read_facts(bool paravirtual)
{
    struct processor_leaf vendor = processor_identify(0, 0), version = processor_identify(1, 0);
    struct processor_leaf features = processor_identify(7, 0), rest = processor_identify(0x80000021, 0);
    unsigned family = version.eax >> 8 & 0xf, model = version.eax >> 4 & 0xf;
    bool extended = family == 0xf || family == 6;
    struct speculation_facts facts = {
        .intel = vendor.ebx == 0x756e6547,                           /* "Genu"ineIntel */
        .amd = vendor.ebx == 0x68747541 || vendor.ebx == 0x6f677948, /* "Auth"enticAMD, "Hygo"nGenuine */
        .paravirtual = paravirtual,
        .family = family == 0xf ? family + (version.eax >> 20 & 0xff) : family,
        .model = extended ? model | (version.eax >> 12 & 0xf0) : model,
        .features_b = features.ebx,
        .features_d = features.edx,
        .controls_d = features.eax >= 2 ? processor_identify(7, 2).edx : 0,
        .amd_b = processor_identify(0x80000008, 0).ebx,
        .amd_a = rest.eax,
        .amd_c = rest.ecx,
    };
    if (!paravirtual && (features.edx & HAS_ARCH_CAPABILITIES))
        facts.capabilities = read_capabilities();
    return facts;
}

/* The last of the words on the command line counts. linux/configuration.c complains about others. */
static enum mitigations read_mode(void)
{
    enum mitigations mode = MITIGATIONS_AUTO;
    static const char option[] = "mitigations=";
    for (const char *word = platform.command_line; *word; word++) {
        bool starts = word == platform.command_line || word[-1] == ' ';
        if (!starts || strncmp(word, option, sizeof(option) - 1))
            continue;
        const char *value = word + sizeof(option) - 1;
        bool off = !strncmp(value, "off", 3), on = !strncmp(value, "on", 2);
        mode = off ? MITIGATIONS_OFF : on ? MITIGATIONS_ON : MITIGATIONS_AUTO;
    }
    return mode;
}

static void append(const char *text)
{
    size_t length = strlen(platform.protections);
    (void)format(platform.protections + length, sizeof(platform.protections) - length, "%s%s", length ? ", " : "",
                 text);
}

static void describe(const struct speculation_plan *plan)
{
    static const char *const names[PATCHES] = {
        [PATCH_USER_ACCESS] = "user memory closed to the kernel (SMAP)",
        [PATCH_ISOLATION] = "kernel not mapped in user mode",
        [PATCH_RETPOLINE] = "retpolines",
        [PATCH_ENTRY_IBRS] = "IBRS at each entry",
        [PATCH_ENTRY_BARRIER] = "branch predictors emptied at each entry",
        [PATCH_CLEAR_HISTORY] = "branch history cleared at each entry",
        [PATCH_FILL_RETURNS] = "return predictions filled at changes of threads",
        [PATCH_FENCE_SWAPGS] = "SWAPGS fenced",
        [PATCH_CLEAR_BUFFERS] = "processor buffers cleared at each exit",
    };
    for (unsigned i = 0; i < PATCHES; i++)
        if (plan->patches & 1u << i)
            append(names[i]);
    if (plan->automatic_ibrs || ((plan->control & SPECULATION_IBRS) && !(plan->patches & BIT(PATCH_ENTRY_IBRS))))
        append("IBRS of the processor");
    if (plan->control & SPECULATION_NO_HISTORY)
        append("branch history of user mode not used");
    if (plan->control & SPECULATION_SSBD)
        append("no loads before older stores");
    if (plan->unprotected_returns)
        append("returns NOT protected on this processor unless mitigations=on");
}

struct speculation_plan speculation_init(bool paravirtual, uint32_t other_patches)
{
    struct speculation_facts facts = read_facts(paravirtual);
    struct speculation_plan plan = speculation_choose(&facts, read_mode());
    plan.patches |= other_patches;
    speculation_control = plan.control;
    describe(&plan);
    patches_apply(plan.patches);
    return plan;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is decided about speculative execution for processors that nobody has here: facts as the makers publish them
 * for each generation, with the microcode of its last years, and what Linux decides for it.
 */
#include "host/host.h"
#include "platform/platform.h"
#include "platform/x86/patch.h"
#include "platform/x86/processor.h"
#include "platform/x86/speculation.h"

#define ISOLATION (1u << PATCH_ISOLATION)
#define RETPOLINE (1u << PATCH_RETPOLINE)
#define ENTRY_IBRS (1u << PATCH_ENTRY_IBRS)
#define ENTRY_BARRIER (1u << PATCH_ENTRY_BARRIER)
#define CLEAR_HISTORY (1u << PATCH_CLEAR_HISTORY)
#define FILL_RETURNS (1u << PATCH_FILL_RETURNS)
#define FENCE_SWAPGS (1u << PATCH_FENCE_SWAPGS)
#define CLEAR_BUFFERS (1u << PATCH_CLEAR_BUFFERS)
#define ALL_INTEL (FILL_RETURNS | FENCE_SWAPGS)

/* CPUID 7.0 EDX of Intel with microcode: MD_CLEAR, IBRS, STIBP, ARCH_CAPABILITIES, SSBD. */
#define MICROCODE (1u << 10 | 1u << 26 | 1u << 27 | 1u << 31)
#define CAPABLE (1u << 29)

/* Not the kernel's, which patches itself. */
struct platform_information platform;
struct processor_leaf processor_identify(uint32_t leaf, uint32_t subleaf)
{
    (void)leaf, (void)subleaf;
    return (struct processor_leaf){ 0 };
}
void patches_apply(uint32_t conditions) { (void)conditions; }

static const struct {
    const char *name;
    struct speculation_facts facts;
    uint32_t patches, control;
    bool automatic_ibrs, unprotected_returns;
} cases[] = {
    { "Haswell without microcode",
      { .intel = true, .family = 6, .model = 0x3c },
      ALL_INTEL | ISOLATION | RETPOLINE,
      0,
      false,
      false },
    { "Haswell",
      { .intel = true, .family = 6, .model = 0x3f, .features_d = MICROCODE },
      ALL_INTEL | ISOLATION | RETPOLINE | CLEAR_BUFFERS,
      0,
      false,
      false },
    { "Skylake server",
      { .intel = true, .family = 6, .model = 0x55, .features_d = MICROCODE, .features_b = 1u << 11 },
      ALL_INTEL | ISOLATION | ENTRY_IBRS | CLEAR_BUFFERS,
      SPECULATION_IBRS,
      false,
      false },
    { "Skylake server without microcode",
      { .intel = true, .family = 6, .model = 0x55 },
      ALL_INTEL | ISOLATION | RETPOLINE,
      0,
      false,
      false },
    { "Cascade Lake, transactions on",
      { .intel = true,
        .family = 6,
        .model = 0x55,
        .features_d = MICROCODE | CAPABLE,
        .features_b = 1u << 11,
        .capabilities = 0x2b },
      ALL_INTEL | CLEAR_HISTORY | CLEAR_BUFFERS,
      SPECULATION_IBRS,
      false,
      false },
    { "Cascade Lake, transactions off",
      { .intel = true, .family = 6, .model = 0x55, .features_d = MICROCODE | CAPABLE, .capabilities = 0x2b },
      ALL_INTEL | CLEAR_HISTORY,
      SPECULATION_IBRS,
      false,
      false },
    { "Sapphire Rapids",
      { .intel = true,
        .family = 6,
        .model = 0x8f,
        .features_d = MICROCODE | CAPABLE,
        .controls_d = 1u << 4,
        .features_b = 1u << 11,
        .capabilities = 0x1 | 0x2 | 1u << 5 | 1u << 8 },
      ALL_INTEL,
      SPECULATION_IBRS | SPECULATION_NO_HISTORY,
      false,
      false },
    { "a later one without branch history injection",
      { .intel = true,
        .family = 6,
        .model = 0xcf,
        .features_d = MICROCODE | CAPABLE,
        .capabilities = 0x1 | 0x2 | 1u << 5 | 1u << 8 | 1u << 20 },
      ALL_INTEL,
      SPECULATION_IBRS,
      false,
      false },
    { "Gracemont with register file data sampling",
      { .intel = true,
        .family = 6,
        .model = 0xbe,
        .features_d = MICROCODE | CAPABLE,
        .capabilities = 0x1 | 0x2 | 1u << 5 | 1u << 8 | 1u << 20 | 1u << 28 },
      ALL_INTEL | CLEAR_BUFFERS,
      SPECULATION_IBRS,
      false,
      false },
    { "Zen 2",
      { .amd = true, .family = 0x17, .model = 0x31, .amd_b = 1u << 12 | 1u << 24 },
      FILL_RETURNS | RETPOLINE,
      0,
      false,
      true },
    { "Zen 3",
      { .amd = true, .family = 0x19, .model = 0x01, .amd_b = 1u << 12 | 1u << 24 | 1u << 29 },
      FILL_RETURNS | RETPOLINE,
      0,
      false,
      true },
    { "Zen 4 with leaking buffers",
      { .amd = true, .family = 0x19, .model = 0x11, .amd_b = 1u << 12 | 1u << 29, .amd_a = 1u << 5 | 1u << 8 },
      FILL_RETURNS | CLEAR_BUFFERS,
      0,
      true,
      true },
    { "Zen 5",
      { .amd = true, .family = 0x1a, .model = 0x02, .amd_b = 1u << 12 | 1u << 29, .amd_a = 1u << 8 | 1u << 29 },
      FILL_RETURNS,
      0,
      true,
      false },
    { "another maker", { .family = 7, .model = 0xb }, ALL_INTEL | ISOLATION | RETPOLINE, 0, false, false },
    { "Xen PV on Skylake",
      { .intel = true, .paravirtual = true, .family = 6, .model = 0x55, .features_d = MICROCODE },
      FILL_RETURNS | RETPOLINE,
      0,
      false,
      false },
};

static void test_automatic(void)
{
    for (unsigned i = 0; i < array_size(cases); i++) {
        struct speculation_plan plan = speculation_choose(&cases[i].facts, MITIGATIONS_AUTO);
        if (plan.patches != cases[i].patches || plan.control != cases[i].control ||
            plan.automatic_ibrs != cases[i].automatic_ibrs || plan.unprotected_returns != cases[i].unprotected_returns)
            host_fail(__FILE__, __LINE__, "%s: patches %x control %x automatic %d unprotected %d", cases[i].name,
                      plan.patches, plan.control, plan.automatic_ibrs, plan.unprotected_returns);
    }
}

static void test_off(void)
{
    for (unsigned i = 0; i < array_size(cases); i++) {
        struct speculation_plan plan = speculation_choose(&cases[i].facts, MITIGATIONS_OFF);
        CHECK_EQUAL(plan.patches, 0);
        CHECK_EQUAL(plan.control, 0);
        CHECK(!plan.automatic_ibrs);
    }
}

/* Never less than by itself, no model-specific register that the processor does not have, and returns protected. */
static void test_on(void)
{
    const uint32_t always = ISOLATION | RETPOLINE | FILL_RETURNS | FENCE_SWAPGS | CLEAR_BUFFERS | CLEAR_HISTORY;
    for (unsigned i = 0; i < array_size(cases); i++) {
        struct speculation_plan plan = speculation_choose(&cases[i].facts, MITIGATIONS_ON);
        CHECK_EQUAL(plan.patches & cases[i].patches, cases[i].patches);
        CHECK_EQUAL(plan.control & cases[i].control, cases[i].control);
        CHECK(!plan.unprotected_returns);
        if (cases[i].facts.paravirtual) {
            CHECK_EQUAL(plan.patches, FILL_RETURNS | RETPOLINE);
            continue;
        }
        CHECK_EQUAL(plan.patches & always, always);
        CHECK(!(plan.patches & ENTRY_BARRIER) || (cases[i].facts.amd_b & 1u << 12));
        CHECK(!(plan.control & SPECULATION_SSBD) || (cases[i].facts.features_d & 1u << 31) ||
              (cases[i].facts.amd_b & 1u << 24));
    }
}

int main(void)
{
    host_init();
    host_test("speculation: mitigations=auto", test_automatic);
    host_test("speculation: mitigations=off", test_off);
    host_test("speculation: mitigations=on", test_on);
    return host_result();
}

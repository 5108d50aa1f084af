/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/cpuinfo from the CPUID instruction (Intel SDM 2A, CPUID; the brand string is leaf 0x80000002). */
#include "files/proc/proc.h"
#include "lib/string.h"

struct leaf {
    uint32_t a, b, c, d;
};

static struct leaf cpuid(uint32_t number)
{
    struct leaf leaf;
    __asm__ volatile("cpuid" : "=a"(leaf.a), "=b"(leaf.b), "=c"(leaf.c), "=d"(leaf.d) : "a"(number), "c"(0));
    return leaf;
}

/* Names of the bits of leaf 1, as Linux spells them; NULL: reserved or of no interest to programs. */
static const char *const leaf1_d[32] = {
    "fpu",  "vme", "de",    "pse", "tsc",     "msr", "pae", "mce", "cx8", "apic", NULL,  "sep",  "mtrr", "pge", "mca",
    "cmov", "pat", "pse36", NULL,  "clflush", NULL,  NULL,  NULL,  "mmx", "fxsr", "sse", "sse2", NULL,   "ht",
};
static const char *const leaf1_c[32] = {
    "pni",   "pclmulqdq", NULL,   NULL,  NULL,    NULL,      NULL,  NULL,   NULL,     "ssse3",      NULL,
    NULL,    "fma",       "cx16", NULL,  NULL,    NULL,      NULL,  NULL,   "sse4_1", "sse4_2",     NULL,
    "movbe", "popcnt",    NULL,   "aes", "xsave", "osxsave", "avx", "f16c", "rdrand", "hypervisor",
};

static void show_flags(struct text *out, uint32_t bits, const char *const names[32])
{
    for (unsigned i = 0; i < 32; i++) {
        if (bits >> i & 1 && names[i])
            text_print(out, " %s", names[i]);
    }
}

static void brand_name(char name[49])
{
    memset(name, 0, 49);
    if (cpuid(0x80000000).a < 0x80000004)
        return;
    for (uint32_t i = 0; i < 3; i++) {
        struct leaf part = cpuid(0x80000002 + i);
        memcpy(name + 16 * i, &part, sizeof(part));
    }
}

/* What the CPU on which this runs reports, which is taken to be true of all CPUs. */
static void show_cpu(struct text *out, unsigned cpu)
{
    struct leaf first = cpuid(0), version = cpuid(1);
    uint32_t family = version.a >> 8 & 15, model = version.a >> 4 & 15;
    if (family == 6 || family == 15)
        model |= version.a >> 12 & 0xf0;
    if (family == 15)
        family += version.a >> 20 & 255;
    char vendor[13] = { 0 }, name[49];
    memcpy(vendor, &first.b, 4);
    memcpy(vendor + 4, &first.d, 4);
    memcpy(vendor + 8, &first.c, 4);
    brand_name(name);
    text_print(out, "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n", cpu, vendor, family, model);
    text_print(out, "model name\t: %s\nstepping\t: %u\n", name, version.a & 15);
    text_print(out, "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n", cpus_online, cpu,
               cpus_online);
    text_print(out, "flags\t\t:");
    show_flags(out, version.d, leaf1_d);
    show_flags(out, version.c, leaf1_c);
    text_print(out, "\nclflush size\t: %u\n\n", (version.b >> 8 & 255) * 8);
}

void show_cpuinfo(struct text *out, uint32_t number)
{
    (void)number;
    for (unsigned i = 0; i < cpus_online; i++)
        show_cpu(out, i);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/x86/slide.h"

#include "lib/hash.h"
#include "lib/string.h"
#include "platform/platform.h"
#include "platform/x86/processor.h"

/* CPUID leaves to the hypervisor, whose way there and back takes never quite the same time. */
#define CLOCK_READINGS 32

bool slide_wanted(const char *command_line, size_t limit)
{
    static const char word[] = "nokaslr";
    const size_t length = sizeof(word) - 1;
    size_t end = strnlen(command_line, limit);
    for (size_t at = 0; at + length <= end; at++) {
        bool starts = at == 0 || command_line[at - 1] == ' ';
        bool ends = at + length == end || command_line[at + length] == ' ';
        if (starts && ends && memcmp(command_line + at, word, length) == 0)
            return false;
    }
    return true;
}

uint64_t slide_random(uint64_t limit)
{
    uint64_t value = 0;
    (void)platform_entropy(&value, sizeof(value));
    for (int i = 0; i < CLOCK_READINGS; i++) {
        (void)processor_identify(0, 0);
        value = hash_mix(value + __builtin_ia32_rdtsc());
    }
    return value % limit;
}

/* Addresses of the image have the same upper halves wherever it lies in IMAGE_SPACE, so the lower ones are enough. */
void slide_apply(uintptr_t slide, const uint32_t *places, const uint32_t *end)
{
    for (const uint32_t *place = places; place < end; place++) {
        char *at = (char *)(LINKED_BASE + *place);
        uint32_t address;
        memcpy(&address, at, sizeof(address));
        address += (uint32_t)slide;
        memcpy(at, &address, sizeof(address));
    }
    /* CPUID serialises: what is executed from here on are the instructions as they are now. */
    (void)processor_identify(0, 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/string.h"
#include "platform/x86/patch.h"
#include "platform/x86/processor.h"

/* Distances are from the member itself, so that they hold wherever the kernel runs. */
struct patch {
    int32_t place, instructions;
    uint16_t length, condition;
};
extern struct patch patches_start[], patches_end[]; /* kernel.lds */

static uint8_t *at_distance(int32_t *distance) { return (uint8_t *)distance + *distance; }

void patches_apply(uint32_t conditions)
{
    for (struct patch *patch = patches_start; patch < patches_end; patch++) {
        if (conditions & 1u << patch->condition)
            memcpy(at_distance(&patch->place), at_distance(&patch->instructions), patch->length);
    }
    /* CPUID serialises: the new instructions are what is executed from here on. */
    (void)processor_identify(0, 0);
}

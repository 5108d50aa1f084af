/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a disk says of itself (ACS 7.12, IDENTIFY DEVICE: 256 words of 16 bits), and whether it can be used: addresses
 * of 48 bits, blocks of 512 to 4096 bytes, as many as can be counted. Runs while the controller is started.
 */
#include "core/log.h"
#include "core/pages.h"
#include "drivers/ahci/ahci.h"
#include "lib/errno.h"
#include "lib/string.h"

/* Words. */
#define MODEL 27 /* 20 words of two characters each, the first in the upper byte */
#define MODEL_WORDS 20
#define SETS 83 /* bits 15:14 are 01 if the word is valid */
#define SETS_ADDRESSES_48 (1u << 10)
#define SETS_FLUSH (1u << 13) /* FLUSH CACHE EXT */
#define ENABLED 85
#define ENABLED_WRITE_CACHE (1u << 5)
#define BLOCKS 100 /* four words */
#define BLOCK_SIZE 106
#define BLOCK_SIZE_STATED (1u << 12) /* in words 117 and 118, in units of two bytes; else 512 bytes */
#define BLOCK_SIZE_WORDS 117
#define VALID(word) ((word) >> 14 == 1)

#define BLOCK_SHIFT_MIN 9
#define BLOCK_SHIFT_MAX PAGE_SHIFT
#define BLOCKS_MAX (1UL << 48)

/* Without the blanks at its end; what is not printable becomes a question mark. */
static void copy_model(char *to, const uint16_t *words)
{
    unsigned length = 2 * MODEL_WORDS;
    for (unsigned i = 0; i < length; i++) {
        char c = (char)(i % 2 == 0 ? words[MODEL + i / 2] >> 8 : words[MODEL + i / 2]);
        to[i] = c < ' ' || c > '~' ? '?' : c;
    }
    while (length > 0 && to[length - 1] == ' ')
        length--;
    to[length] = 0;
}

static uint64_t block_bytes(const uint16_t *words)
{
    if (!VALID(words[BLOCK_SIZE]) || !(words[BLOCK_SIZE] & BLOCK_SIZE_STATED))
        return SECTOR_SIZE;
    return 2 * (words[BLOCK_SIZE_WORDS] | (uint64_t)words[BLOCK_SIZE_WORDS + 1] << 16);
}

/* Why it cannot be a disk, or NULL. */
static const char *refusal(const uint16_t *words, uint64_t blocks)
{
    uint64_t bytes = block_bytes(words);
    if (!VALID(words[SETS]) || !(words[SETS] & SETS_ADDRESSES_48) || !(words[SETS] & SETS_FLUSH))
        return "it has no 48-bit addresses (LBA48); use a newer one";
    if (bytes < 1u << BLOCK_SHIFT_MIN || bytes > 1u << BLOCK_SHIFT_MAX || (bytes & (bytes - 1)) != 0)
        return "its blocks do not have 512 to 4096 bytes; use another disk";
    if (blocks == 0 || blocks > BLOCKS_MAX)
        return "it reports a size that no disk has; use another disk";
    return NULL;
}

int ahci_identify(struct ahci_port *port)
{
    uint16_t words[ATA_IDENTITY_LENGTH / 2];
    char model[2 * MODEL_WORDS + 1];
    struct block_segment segment = { virt_to_phys(port->memory->identity), ATA_IDENTITY_LENGTH };
    struct ahci_command identify = { .code = ATA_IDENTIFY, .segments = &segment, .segment_count = 1 };
    int error = ahci_port_do(port, &identify);
    if (error != 0)
        return error;
    memcpy(words, port->memory->identity, sizeof(words));
    uint64_t blocks;
    memcpy(&blocks, words + BLOCKS, sizeof(blocks));
    copy_model(model, words);
    const char *why = refusal(words, blocks);
    if (why) {
        log_error("ahci%u port %u: %s is not usable as a disk: %s", port->controller->number, port->number, model, why);
        return -EOPNOTSUPP;
    }
    port->block_shift = (unsigned)__builtin_ctzl(block_bytes(words));
    port->block.block_size = 1u << port->block_shift;
    port->block.sectors = blocks << (port->block_shift - BLOCK_SHIFT_MIN);
    port->block.flushes = words[ENABLED] & ENABLED_WRITE_CACHE;
    log_info("ahci%u port %u: %s", port->controller->number, port->number, model);
    return 0;
}

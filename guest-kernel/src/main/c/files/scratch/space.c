/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Free blocks as bitmaps of a page each, which exist only for parts of the disk that are in use. So memory is taken as
 * the disk fills, giving back never needs any, and a search looks at one bitmap and the list of chunks.
 */
#include "files/scratch/space.h"

#include "core/debug.h"
#include "core/heap.h"
#include "lib/errno.h"
#include "platform/platform.h"

#define WORD_BLOCKS 64
#define CHUNK_WORDS (PAGE_SIZE / sizeof(uint64_t))
#define CHUNK_BLOCKS (CHUNK_WORDS * WORD_BLOCKS)

int space_init(struct space *space, uint64_t blocks)
{
    uint32_t count = (uint32_t)((blocks + CHUNK_BLOCKS - 1) / CHUNK_BLOCKS);
    *space = (struct space){ .chunks = heap_allocate_zeroed(count * sizeof(*space->chunks)),
                             .chunk_count = count,
                             .blocks = blocks,
                             .free = blocks };
    if (!space->chunks)
        return -ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        space->chunks[i].free = (uint32_t)min_of(CHUNK_BLOCKS, blocks - (uint64_t)i * CHUNK_BLOCKS);
    return 0;
}

void space_release(struct space *space)
{
    for (uint32_t i = 0; i < space->chunk_count; i++)
        heap_free(space->chunks[i].used);
    heap_free(space->chunks);
}

static struct space_chunk *chunk_of(const struct space *space, uint32_t block)
{
    return &space->chunks[block / CHUNK_BLOCKS];
}

static uint32_t size_of(const struct space *space, const struct space_chunk *chunk)
{
    uint64_t first = (uint64_t)(chunk - space->chunks) * CHUNK_BLOCKS;
    return (uint32_t)min_of(CHUNK_BLOCKS, space->blocks - first);
}

/* The last chunk's bitmap has bits that stand for no block: they are set. */
static bool make_bitmap(const struct space *space, struct space_chunk *chunk)
{
    if (chunk->used)
        return true;
    chunk->used = heap_allocate_zeroed(PAGE_SIZE);
    if (!chunk->used)
        return false;
    for (uint32_t i = size_of(space, chunk); i < CHUNK_BLOCKS; i++)
        chunk->used[i / WORD_BLOCKS] |= 1UL << i % WORD_BLOCKS;
    return true;
}

static bool is_free(const struct space *space, uint64_t block)
{
    if (block >= space->blocks)
        return false;
    const struct space_chunk *chunk = chunk_of(space, (uint32_t)block);
    uint32_t bit = (uint32_t)block % CHUNK_BLOCKS;
    return !chunk->used || !(chunk->used[bit / WORD_BLOCKS] & 1UL << bit % WORD_BLOCKS);
}

static uint32_t take(struct space *space, uint32_t block)
{
    struct space_chunk *chunk = chunk_of(space, block);
    if (!make_bitmap(space, chunk))
        return SPACE_NONE;
    uint32_t bit = block % CHUNK_BLOCKS;
    chunk->used[bit / WORD_BLOCKS] |= 1UL << bit % WORD_BLOCKS;
    chunk->free--;
    space->free--;
    return block;
}

/* A free block of the chunk: the first of a word that is free as a whole, else of any. The chunk has one. */
static uint32_t find_in(struct space *space, uint32_t number)
{
    const struct space_chunk *chunk = &space->chunks[number];
    uint32_t any = CHUNK_WORDS, word = space->current_word;
    for (uint32_t i = 0; i < CHUNK_WORDS; i++, word = (word + 1) % CHUNK_WORDS) {
        if (chunk->used[word] == 0) {
            any = word;
            break;
        }
        if (any == CHUNK_WORDS && ~chunk->used[word])
            any = word;
    }
    assert(any < CHUNK_WORDS);
    space->current_word = any;
    return (uint32_t)(number * CHUNK_BLOCKS + any * WORD_BLOCKS + (uint32_t)__builtin_ctzl(~chunk->used[any]));
}

uint32_t space_take(struct space *space, uint32_t near)
{
    if (near != SPACE_NONE && is_free(space, (uint64_t)near + 1))
        return take(space, near + 1);
    if (!space->free)
        return SPACE_NONE;
    while (!space->chunks[space->current].free) {
        space->current = (space->current + 1) % space->chunk_count;
        space->current_word = 0;
    }
    if (!make_bitmap(space, &space->chunks[space->current]))
        return SPACE_NONE;
    return take(space, find_in(space, space->current));
}

static void give(struct space *space, uint32_t block)
{
    struct space_chunk *chunk = chunk_of(space, block);
    uint32_t bit = block % CHUNK_BLOCKS;
    assert(!is_free(space, block));
    chunk->used[bit / WORD_BLOCKS] &= ~(1UL << bit % WORD_BLOCKS);
    chunk->free++;
    space->free++;
    if (chunk->free == size_of(space, chunk)) {
        heap_free(chunk->used);
        chunk->used = NULL;
    }
}

void space_give(struct space *space, uint32_t block, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        give(space, block + i);
}

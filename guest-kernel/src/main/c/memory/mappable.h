/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What mmap(2) can map, as memory/ sees it: something with pages that may be referred to. It is embedded in its owner
 * (struct file), whose operations get back to it with container_of(), so memory/ knows nothing about files.
 */
#pragma once

struct mappable;
struct page_source;

struct mappable_operations {
    /* The pages to map; NULL: it cannot be mapped. May change once in the life of a mapping:
     * address_space_move_source().
     * Does not sleep. */
    struct page_source *(*pages)(struct mappable *object);
    void (*get)(struct mappable *object); /* one more reference */
    void (*put)(struct mappable *object); /* one less; the last one may sleep */
};

struct mappable {
    const struct mappable_operations *operations;
};

static inline struct page_source *mappable_pages(struct mappable *object) { return object->operations->pages(object); }

static inline struct mappable *mappable_get(struct mappable *object)
{
    object->operations->get(object);
    return object;
}

static inline void mappable_put(struct mappable *object) { object->operations->put(object); }

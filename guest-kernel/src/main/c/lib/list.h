/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Doubly linked lists, the node inside the element. A list is a node that points to itself
 * when empty. Nothing here locks: the owner of a list says which lock guards it.
 */
#pragma once

#include "lib/types.h"

struct list {
    struct list *next, *prev;
};

/* clang-format off */
#define LIST_INIT(l) { &(l), &(l) }
/* clang-format on */
#define list_entry(node, type, member) container_of(node, type, member)
/* The head is evaluated once: it is the node before the first. */
#define list_for_each(node, head) \
    for (struct list *node = (head)->next, *node##_list = node->prev; node != node##_list; node = node->next)
/* Safe against removal of the current node. */
#define list_for_each_safe(node, head) \
    for (struct list *node = (head)->next, *node##_list = node->prev, *node##_next = node->next; node != node##_list; \
         node = node##_next, node##_next = node->next)

static inline void list_init(struct list *l) { l->next = l->prev = l; }
static inline bool list_empty(const struct list *l) { return l->next == l; }

static inline void list_insert_after(struct list *where, struct list *node)
{
    node->next = where->next;
    node->prev = where;
    where->next->prev = node;
    where->next = node;
}

static inline void list_push_front(struct list *l, struct list *node) { list_insert_after(l, node); }
static inline void list_push_back(struct list *l, struct list *node) { list_insert_after(l->prev, node); }

/* Leaves the node self-linked, so removing twice is harmless and list_empty(node) says so. */
static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* Moves all elements of `from` to the end of `to`. */
static inline void list_splice_back(struct list *to, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

static inline struct list *list_pop_front(struct list *l)
{
    struct list *node = l->next;
    if (node == l)
        return NULL;
    list_remove(node);
    return node;
}

/*
 * Ordered trees, the node inside the element: a treap, so O(log n) expected whatever the order of
 * insertion. Keys belong to the element; the caller gives the comparison. Equal keys are allowed,
 * later ones sort behind. Nothing here locks.
 */
#pragma once

#include "lib/types.h"

struct tree_node {
    struct tree_node *left, *right, *parent;
    uint64_t priority;
};
/* True if a sorts before b. */
typedef bool tree_before(const struct tree_node *a, const struct tree_node *b);

struct tree {
    struct tree_node *root;
    struct tree_node *first;         /* kept, so the smallest is O(1) */
    tree_before *before;
};

#define tree_entry(node, type, member) container_of(node, type, member)

static inline void tree_init(struct tree *tree, tree_before *before)
{
    tree->root = tree->first = NULL;
    tree->before = before;
}
void tree_insert(struct tree *tree, struct tree_node *node);
void tree_remove(struct tree *tree, struct tree_node *node);
static inline struct tree_node *tree_first(const struct tree *tree) { return tree->first; }
struct tree_node *tree_next(const struct tree_node *node);
struct tree_node *tree_previous(const struct tree_node *node);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ordered trees, the node inside the element: a treap, so O(log n) expected whatever the order of insertion. Keys
 * belong to the element; the caller gives the comparison. Equal keys are allowed, later ones sort after earlier ones.
 * An element may also know something of the subtree below it, such as a maximum, so that it can be searched for;
 * `update` keeps that true. Nothing here locks.
 */
#pragma once

#include "lib/types.h"

struct tree_node {
    struct tree_node *left, *right, *parent;
    uint64_t priority;
};
/* True if a sorts before b. */
typedef bool tree_before(const struct tree_node *a, const struct tree_node *b);
/* Computes what `node` knows of its subtree from its own value and its children's. */
typedef void tree_update(struct tree_node *node);

struct tree {
    struct tree_node *root;
    struct tree_node *first; /* kept, so the smallest is O(1) */
    tree_before *before;
    tree_update *update; /* NULL: elements know nothing of their subtrees */
};

#define tree_entry(node, type, member) container_of(node, type, member)

static inline void tree_init(struct tree *tree, tree_before *before)
{
    tree->root = tree->first = NULL;
    tree->before = before;
    tree->update = NULL;
}
void tree_insert(struct tree *tree, struct tree_node *node);
void tree_remove(struct tree *tree, struct tree_node *node);
/* After a change of what `node` contributes: updates it and all above it. */
void tree_changed(struct tree *tree, struct tree_node *node);
static inline struct tree_node *tree_first(const struct tree *tree) { return tree->first; }
struct tree_node *tree_last(const struct tree *tree);
struct tree_node *tree_next(const struct tree_node *node);
struct tree_node *tree_previous(const struct tree_node *node);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A treap: in order by `before` from left to right, and by priority downwards, as no node's priority is higher than its
 * parent's. Priorities are random, which keeps the expected depth at O(log n). An equal key is inserted to the right of
 * those that are there. `first` is always the leftmost node. After each change `update` has been called for every node
 * whose subtree has changed, children before parents.
 *
 * Nothing here locks or allocates: whoever owns a tree guards it (the run queue, timers, areas, directories, epoll,
 * TCP). The generator of priorities is shared by all trees without a lock; an update that is lost costs balance only.
 */
#include "lib/tree.h"

/* xorshift64* (Marsaglia 2003; Vigna 2014): balance needs unrelated priorities, not secret ones. */
static uint64_t next_priority(void)
{
    static uint64_t state = 0x853c49e6748fea9bUL;
    uint64_t x = read_once(state);
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    write_once(state, x);
    return x * 0x2545f4914f6cdd1dUL;
}

static struct tree_node **slot_of(struct tree *tree, struct tree_node *node)
{
    struct tree_node *parent = node->parent;
    if (!parent)
        return &tree->root;
    return parent->left == node ? &parent->left : &parent->right;
}

/* Lifts `node`, a child of `parent`, into its parent's place. */
static void rotate_up(struct tree *tree, struct tree_node *node)
{
    struct tree_node *parent = node->parent;
    struct tree_node *moved;
    *slot_of(tree, parent) = node;
    node->parent = parent->parent;
    if (parent->left == node) {
        moved = parent->left = node->right;
        node->right = parent;
    } else {
        moved = parent->right = node->left;
        node->left = parent;
    }
    if (moved)
        moved->parent = parent;
    parent->parent = node;
    if (tree->update) {
        tree->update(parent);
        tree->update(node);
    }
}

void tree_changed(struct tree *tree, struct tree_node *node)
{
    for (; node && tree->update; node = node->parent)
        tree->update(node);
}

void tree_insert(struct tree *tree, struct tree_node *node)
{
    struct tree_node **slot = &tree->root;
    struct tree_node *parent = NULL;
    bool first = true;
    while (*slot) {
        parent = *slot;
        if (tree->before(node, parent)) {
            slot = &parent->left;
        } else {
            slot = &parent->right;
            first = false;
        }
    }
    *node = (struct tree_node){ NULL, NULL, parent, next_priority() };
    *slot = node;
    if (first)
        tree->first = node;
    tree_changed(tree, node);
    while (node->parent && node->priority > node->parent->priority)
        rotate_up(tree, node);
}

void tree_remove(struct tree *tree, struct tree_node *node)
{
    if (tree->first == node)
        tree->first = tree_next(node);
    while (node->left || node->right) {
        struct tree_node *child = node->left;
        if (!child || (node->right && node->right->priority > child->priority))
            child = node->right;
        rotate_up(tree, child);
    }
    *slot_of(tree, node) = NULL;
    tree_changed(tree, node->parent);
    node->parent = NULL;
}

struct tree_node *tree_last(const struct tree *tree)
{
    struct tree_node *last = tree->root;
    while (last && last->right)
        last = last->right;
    return last;
}

struct tree_node *tree_next(const struct tree_node *node)
{
    if (node->right) {
        struct tree_node *next = node->right;
        while (next->left)
            next = next->left;
        return next;
    }
    while (node->parent && node->parent->right == node)
        node = node->parent;
    return node->parent;
}

struct tree_node *tree_previous(const struct tree_node *node)
{
    if (node->left) {
        struct tree_node *previous = node->left;
        while (previous->right)
            previous = previous->right;
        return previous;
    }
    while (node->parent && node->parent->left == node)
        node = node->parent;
    return node->parent;
}

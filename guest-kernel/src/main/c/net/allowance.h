/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits on what any host can make us send without being known: errors, echo replies, resets. One limit for all hosts
 * would reveal how much of it others have used up, and so which ports of ours answer (CVE-2020-25705): as in Linux
 * since, what each second allows is a random number, and addresses have limits of their own as well. Those share a
 * table by a keyed hash, so that no host can know which other one shares its place. Under the network's lock.
 */
#pragma once

#include "lib/hash.h"
#include "lib/types.h"
#include "net/address.h"

#define ALLOWANCES 256 /* addresses beyond that share */

struct allowance {
    nanoseconds window; /* when the second began */
    unsigned left;
};

struct allowances {
    unsigned for_all, for_one; /* in a second, at most; at least half of it */
    bool has_key;
    struct hash_key key;
    struct allowance everybody, some[ALLOWANCES];
};

/* True: one more may be sent to this address, and has been counted. */
bool allowance_take(struct allowances *allowances, struct ip_address to);

/* SPDX-License-Identifier: Apache-2.0 */
#include "net/allowance.h"

#include "core/random.h"
#include "net/net.h"

static bool take(struct allowance *allowance, unsigned most)
{
    nanoseconds now = net_now();
    if (allowance->window == 0 || now - allowance->window >= NS_PER_SECOND) {
        allowance->window = now;
        allowance->left = most - (unsigned)random_below(most / 2 + 1);
    }
    if (allowance->left == 0)
        return false;
    allowance->left--;
    return true;
}

/* The address's own limit is checked first: a host that has used that up takes nothing from the others. */
bool allowance_take(struct allowances *allowances, struct ip_address to)
{
    if (!allowances->has_key) {
        random_bytes(&allowances->key, sizeof(allowances->key));
        allowances->has_key = true;
    }
    uint64_t place = siphash13(&allowances->key, &to, sizeof(to)) % ALLOWANCES;
    return take(&allowances->some[place], allowances->for_one) && take(&allowances->everybody, allowances->for_all);
}

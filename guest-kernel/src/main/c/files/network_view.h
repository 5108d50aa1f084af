/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What /proc/net shows and only net/ knows: net_init() fills the table. A member that is NULL leaves its file empty.
 */
#pragma once

#include "files/text.h"

struct network_view {
    void (*tcp)(struct text *out);
    void (*udp)(struct text *out);
    void (*tcp6)(struct text *out);
    void (*udp6)(struct text *out);
    void (*addresses6)(struct text *out);
    void (*unix_sockets)(struct text *out);
    void (*sockets)(struct text *out);
    void (*sockets6)(struct text *out);
    void (*neighbours)(struct text *out);
    void (*routes)(struct text *out);
    void (*routes6)(struct text *out);
    void (*groups)(struct text *out);
    void (*groups6)(struct text *out);
    void (*group_sources)(struct text *out);
    void (*group_sources6)(struct text *out);
    void (*counters)(struct text *out);
    void (*counters6)(struct text *out);
    void (*more_counters)(struct text *out);
};
extern struct network_view network_view;

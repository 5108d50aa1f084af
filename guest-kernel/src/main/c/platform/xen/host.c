/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/xen/host.h"

const struct xen_host *xen_host;

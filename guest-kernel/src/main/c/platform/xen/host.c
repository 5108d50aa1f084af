#include "platform/xen/host.h"

const struct xen_host *xen_host;

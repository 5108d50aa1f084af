/*
 * Grant references: permission for another domain to use a page of ours (xen/grant_table.h,
 * version 1, as every Xen since 4.0 has it). Lock "grants", taken inside; any context.
 */
#pragma once

#include "lib/types.h"

typedef uint32_t grant_reference;

/* A reference that is never valid: Xen keeps the first eight for itself. */
#define GRANT_NONE 0U
#define GRANTS_PER_FRAME 512U

/* Makes at least `count` references available. 0, or -ENOMEM when Xen refuses the table. */
must_check int grants_init(unsigned count);
/* Lets `domain` use the page at `address`. GRANT_NONE when no reference is free. */
must_check grant_reference grant_page(uint16_t domain, phys_t address, bool read_only);
/* Takes the permission back. False if the other domain still uses the page: it must then not be used
 * for anything else; neither page nor reference come back. */
must_check bool grant_revoke(grant_reference reference);
unsigned grants_free_count(void);

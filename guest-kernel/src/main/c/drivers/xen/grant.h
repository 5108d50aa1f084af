/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grant references: permission for another domain to use a page of ours (xen/grant_table.h,
 * version 1, as every Xen since 4.0 has it). Lock "grants", taken inside; any context.
 */
#pragma once

#include "core/pages.h"
#include "lib/types.h"

typedef uint32_t grant_reference;

/* A reference that is never valid: Xen keeps the first eight for itself. */
#define GRANT_NONE 0U
#define GRANTS_PER_FRAME 512U

/* Makes at least `count` references available. 0, or -ENOMEM when Xen refuses the table. */
must_check int grants_init(unsigned count);
/* Before the domain is suspended: remembers what the table itself remembers. False: there is no memory. */
must_check bool grants_suspend(void);
/* Afterwards. `restored`: no reference is valid any more, but each is its owner's until it is revoked. */
void grants_resume(bool restored);
/* Lets `domain` use `page`, all of it: nothing else may be in it, now or while the grant lasts, and what was in it
 * before must have been cleared. The other domain may map it from now on, whether it knows the reference or not.
 * GRANT_NONE when no reference is free. */
must_check grant_reference grant_page(uint16_t domain, struct page *page, bool read_only);
/* Takes the permission back. False if the other domain still uses the page: the page then has one reference more,
 * which is never dropped, so that the frame is not used again, and the grant reference does not come back either. */
bool grant_revoke(grant_reference reference, struct page *page);
/* The same, and drops a reference to the page. */
void grant_end(grant_reference reference, struct page *page);

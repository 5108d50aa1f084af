/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the system reports about itself.
 */
#pragma once

#define SYSTEM_NAME_SIZE 65 /* utsname field, uname(2) */
/* The Linux whose ABI is offered: glibc and HotSpot look at it. */
#define SYSTEM_RELEASE "6.1.0-unikernel"

extern char host_name[SYSTEM_NAME_SIZE];

/* getrlimit(2); UINT64_MAX: unlimited. 0, or -EINVAL for an unknown resource. */
struct process_limit;
int process_limit_get(unsigned resource, struct process_limit *out);

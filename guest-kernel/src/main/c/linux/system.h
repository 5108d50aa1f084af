/*
 * What the system says of itself.
 */
#pragma once

#define SYSTEM_NAME_SIZE 65              /* utsname field, uname(2) */
/* The Linux whose ABI is offered: glibc and HotSpot look at it. */
#define SYSTEM_RELEASE "6.1.0-unikernel"

extern char host_name[SYSTEM_NAME_SIZE];

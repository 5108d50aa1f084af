/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one start of an image receives from outside: variables of the environment that the image allows
 * (docs/configuration.md). Three sources, each of which overrides those before it: EC2's user data, the host's settings
 * (platform.h; xenstore under Xen), the kernel's command line. Names are logged, values never.
 *
 * Of the names UNIKERNEL_TRACE, UNIKERNEL_CAPTURE, UNIKERNEL_PROFILE and UNIKERNEL_LOCKSTAT none becomes a variable:
 * they set the switches of linux/diagnostics.h that the image allows.
 */
#pragma once

#include "linux/environment.h"

#define SOURCE_USER_DATA 1u
#define SOURCE_HOST 2u
#define SOURCE_COMMAND_LINE 4u
#define SOURCES_ALL 7u

/* Reads "user-data host command-line" or some of these words. False: another word. */
bool sources_parse(const char *text, unsigned *sources);

struct instance {
    struct environment *environment;        /* to be added to */
    unsigned sources;                       /* SOURCE_* that may be read */
    unsigned diagnostics;                   /* diagnostics.h: what may be set, by 1 << number */
    const struct string_list *command_line; /* NAME=VALUE, checked names; they must stay */
    bool network;                           /* there is an address from which to ask for user data */
    bool metadata_service;                  /* out: the instance metadata service answered, so this is EC2 */
};
/*
 * Reads the sources, for the boot thread only; none is asked when nothing is allowed. Never fails: what cannot be read
 * is logged and left out. Takes less than a second, most of which is for user data.
 */
void instance_configure(struct instance *instance);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instance metadata service of EC2, version 2 (EC2 User Guide, "Use IMDSv2"): a token by PUT, then what is wanted
 * with the token. Version 1, which has no token, is never used: an account can forbid it, and a request that another
 * host makes the guest send could use it too. Firecracker's MMDS answers in the same way.
 */
#pragma once

#include "lib/types.h"

#define USER_DATA_MAX 16384u /* bytes: EC2 User Guide, "Work with instance user data" */

enum metadata_outcome {
    METADATA_FOUND,
    METADATA_ABSENT, /* the service is there and holds no user data */
    METADATA_FAILED, /* `problem` says why */
};

struct user_data {
    char *text;       /* on the heap, the caller's to free; no NUL after it. NULL unless found */
    size_t length;    /* 0..USER_DATA_MAX */
    char problem[96]; /* a sentence without its end; never anything the service sent */
};

/* From now on nothing is sent to the service: connect(2) and send(2) give EACCES. */
void metadata_forbid(void);
/* Asks for the user data; sleeps until `deadline` (monotonic) at most. */
enum metadata_outcome metadata_read_user_data(nanoseconds deadline, struct user_data *out);

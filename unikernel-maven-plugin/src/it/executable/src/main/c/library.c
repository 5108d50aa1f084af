// SPDX-License-Identifier: Apache-2.0
/* A library that lies beside its program. */

const char *greeting(void);

const char *greeting(void)
{
    return "beside";
}

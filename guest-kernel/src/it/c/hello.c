/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest program: linked statically, so that it needs no dynamic linker. */
#include <stdio.h>

int main(int argc, char **argv)
{
    printf("hello from %s with %d arguments\n", argv[0], argc - 1);
    return 7;
}

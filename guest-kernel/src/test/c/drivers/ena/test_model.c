/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the tests of the ENA model, or with an argument prints its rules. Run by make test-ena. */
#include "drivers/ena/tests.h"
#include "host/host.h"

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        print_rules();
        return 0;
    }
    host_init();
    test_rules();
    test_packets();
    return host_result();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Waits until it is asked to end, and then ends in good order. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    sigset_t asked;
    int signal;
    sigemptyset(&asked);
    sigaddset(&asked, SIGTERM);
    sigprocmask(SIG_BLOCK, &asked, NULL);
    puts("waiting");
    fflush(stdout);
    if (sigwait(&asked, &signal) != 0)
        return 1;
    puts("ends in good order");
    return 0;
}

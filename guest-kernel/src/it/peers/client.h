/* SPDX-License-Identifier: Apache-2.0 */
/* The well-behaved client: threads that fetch data over Linux's own TCP all the time, check every byte, and
 * connect again now and then. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define FETCH 16384u /* bytes of one request */
#define FETCHES 64u  /* over one connection */

/* Waits for a target that does not listen yet. */
void client_start(void);
/* Ends the connections, and the threads. */
void client_stop(void);
/* Requests that were answered rightly. */
uint64_t client_answered(void);
/* Ends the program when an answer was wrong or did not come. */
void client_check(void);
/* Asks for the line about memory and sockets, over a connection of its own. */
void client_statistics(char *line, unsigned size);

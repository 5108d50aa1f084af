/* SPDX-License-Identifier: Apache-2.0 */
/* A program that needs more memory than the machine has, from its start. */
static volatile char space[1UL << 30];

int main(void) { return space[0]; }

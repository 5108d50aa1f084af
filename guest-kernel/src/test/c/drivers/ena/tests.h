/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

void test_rules(void);
/* The rules and what breaks each, as rows of the table of guest-kernel/docs/ena-model.md. */
void print_rules(void);
void test_packets(void);

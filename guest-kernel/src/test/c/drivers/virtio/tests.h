/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

void test_queues(void);
void test_blocks(void);
void test_networks(void);
void test_pairs(void);
void test_lies(void);
void test_resets(void);
void test_consoles(void);

/* SPDX-License-Identifier: Apache-2.0 */
/* What the target and its peers agree on. */
#pragma once

#define REQUEST_LENGTH 8      /* a letter, six hexadecimal digits, a line feed */
#define STATISTICS_LENGTH 256 /* a line of text, then blanks or anything */
#define PATTERN_PERIOD 251u   /* byte i of an answer of n bytes is (i + n) % PATTERN_PERIOD */

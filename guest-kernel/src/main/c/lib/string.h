/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory and string functions with their C meaning (C11 7.24). The compiler calls the first
 * four on its own, so they exist even where no source names them.
 */
#pragma once

#include "lib/types.h"

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int byte, size_t n);

/* A few bytes of a known number are moved without a call; with -ffreestanding alone the compiler would make one. */
#define memcpy __builtin_memcpy
#define memset __builtin_memset

size_t strlen(const char *s);
size_t strnlen(const char *s, size_t limit);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);

static inline bool starts_with(const char *text, const char *prefix) { return !strncmp(text, prefix, strlen(prefix)); }

/* ASCII. */
static inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
/* 0..15, or -1 for what is not a hexadecimal digit. */
int hex_digit(char c);

/*
 * Copies at most size - 1 characters and always ends with NUL (size > 0).
 * Returns the length of the source; >= size means it was cut.
 */
size_t string_copy(char *to, const char *from, size_t size);

/*
 * Reads a whole string of decimal digits. Returns false on anything else or on overflow.
 */
bool parse_decimal(const char *s, uint64_t *value);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Estimates the min-entropy of timing samples, in bits a sample, from files with one boot's samples each, a decimal
 * number a line: NIST SP 800-90B 6.3.1 (most common value), 6.3.8 (prediction from an earlier sample), and the restart
 * tests of 3.1.4, which take the samples of one place in all boots. Only the low byte of a sample counts, as in the
 * kernel.
 *
 *   min_entropy FILE...
 *
 * Prints the lowest estimate within one boot and, from RESTARTS boots on, the lowest at one place of all boots.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES 1024
#define LAGS 16
#define RESTARTS 100

/* Bits a sample, when one guess in `total` was right `right` times: the upper end of a 99 % confidence interval. */
static double bits(unsigned right, unsigned total)
{
    double p = (double)right / total;
    p += 2.576 * sqrt(p * (1 - p) / (total - 1));
    return p >= 1 ? 0 : -log2(p);
}

static double most_common(const uint8_t *values, size_t count, size_t stride)
{
    unsigned counts[256] = { 0 }, most = 0;
    for (size_t i = 0; i < count; i++)
        if (++counts[values[i * stride]] > most)
            most = counts[values[i * stride]];
    return bits(most, (unsigned)count);
}

static double within_boot(const uint8_t *values)
{
    double least = most_common(values, SAMPLES, 1);
    for (unsigned lag = 1; lag <= LAGS; lag++) {
        unsigned right = 0;
        for (unsigned i = lag; i < SAMPLES; i++)
            right += values[i] == values[i - lag];
        least = fmin(least, bits(right, SAMPLES - lag));
    }
    return least;
}

static void read_boot(const char *path, uint8_t *values)
{
    FILE *file = fopen(path, "r");
    unsigned count = 0;
    unsigned long value;
    while (file && count < SAMPLES && fscanf(file, "%lu", &value) == 1)
        values[count++] = (uint8_t)value;
    if (count < SAMPLES) {
        fprintf(stderr, "%s holds %u samples instead of %u\n", path, count, SAMPLES);
        exit(2);
    }
    fclose(file);
}

int main(int count, char **arguments)
{
    size_t boots = (size_t)count - 1;
    uint8_t *values = calloc(boots + 1, SAMPLES);
    double within = 8, across = 8;
    for (size_t boot = 0; boot < boots; boot++) {
        read_boot(arguments[boot + 1], values + boot * SAMPLES);
        within = fmin(within, within_boot(values + boot * SAMPLES));
    }
    printf("within %.3f\n", within);
    for (unsigned place = 0; place < SAMPLES && boots >= RESTARTS; place++)
        across = fmin(across, most_common(values + place, boots, SAMPLES));
    if (boots >= RESTARTS)
        printf("across %.3f\n", across);
    free(values);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "net/capture.h"
#include "core/log.h"
#include "lib/string.h"
#include "platform/platform.h"

uint32_t capture_bytes;

bool capture_parse(const char *value)
{
    uint64_t bytes;
    if (!parse_decimal(value, &bytes) || bytes > CAPTURE_MOST)
        return false;
    write_once(capture_bytes, (uint32_t)bytes);
    return true;
}

static void print_piece(const struct packet *frame, nanoseconds now, uint32_t offset, uint32_t length)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t data[CAPTURE_LINE];
    char text[2 * CAPTURE_LINE + 1];
    packet_copy_out(frame, offset, data, length);
    for (uint32_t i = 0; i < length; i++) {
        text[2 * i] = digits[data[i] >> 4];
        text[2 * i + 1] = digits[data[i] & 15];
    }
    text[2 * length] = 0;
    log_console("capture %lu.%06lu %u %u %s", now / NS_PER_SECOND, now % NS_PER_SECOND / NS_PER_US, frame->length,
                offset, text);
}

void capture_frame(const struct packet *frame)
{
    nanoseconds now = clock_monotonic();
    uint32_t end = min_of(frame->length, read_once(capture_bytes));
    for (uint32_t offset = 0; offset < end; offset += CAPTURE_LINE)
        print_piece(frame, now, offset, min_of(end - offset, CAPTURE_LINE));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PC's CMOS real-time clock (Motorola MC146818A), taken to run in UTC.
 */
#include "lib/date.h"
#include "platform/native/clock.h"
#include "platform/native/instructions.h"

#define INDEX 0x70
#define DATA 0x71

#define STATUS_A 0x0a
#define STATUS_B 0x0b
#define UPDATE_IN_PROGRESS 0x80
#define B_24_HOURS 0x02
#define B_BINARY 0x04
#define HOUR_PM 0x80

#define TRIES 100000

static uint8_t read_register(uint8_t index)
{
    out8(INDEX, index);
    return in8(DATA);
}

struct reading {
    uint8_t second, minute, hour, day, month, year;
};

static bool read_all(struct reading *r)
{
    for (unsigned i = 0; read_register(STATUS_A) & UPDATE_IN_PROGRESS; i++) {
        if (i == TRIES)
            return false;
    }
    *r = (struct reading){
        .second = read_register(0),
        .minute = read_register(2),
        .hour = read_register(4),
        .day = read_register(7),
        .month = read_register(8),
        .year = read_register(9),
    };
    return true;
}

static uint8_t from_bcd(uint8_t value) { return (uint8_t)((value >> 4) * 10 + (value & 15)); }

static void decode(struct reading *r, uint8_t mode)
{
    bool afternoon = !(mode & B_24_HOURS) && (r->hour & HOUR_PM);
    if (!(mode & B_24_HOURS))
        r->hour &= (uint8_t)~HOUR_PM;
    if (!(mode & B_BINARY)) {
        r->second = from_bcd(r->second);
        r->minute = from_bcd(r->minute);
        r->hour = from_bcd(r->hour);
        r->day = from_bcd(r->day);
        r->month = from_bcd(r->month);
        r->year = from_bcd(r->year);
    }
    if (!(mode & B_24_HOURS))
        r->hour = (uint8_t)(r->hour % 12 + (afternoon ? 12 : 0));
}

uint64_t rtc_seconds(void)
{
    struct reading first, second;
    if (read_register(STATUS_A) == 0xff)
        return 0;
    do {
        if (!read_all(&first) || !read_all(&second))
            return 0;
        /* An update may have begun between two registers. */
    } while (first.second != second.second || first.minute != second.minute || first.hour != second.hour);
    decode(&second, read_register(STATUS_B));
    if (second.month < 1 || second.month > 12 || second.day < 1 || second.day > 31)
        return 0;
    const struct date date = { .year = 2000u + second.year, .month = second.month, .day = second.day };
    return date_days(&date) * 86400UL + second.hour * 3600u + second.minute * 60u + second.second;
}

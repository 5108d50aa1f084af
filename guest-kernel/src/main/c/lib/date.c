/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/date.h"

#include "lib/types.h"

static unsigned leap_days_before(unsigned year) { return (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400; }

static unsigned days_before(unsigned year)
{
    return (year - 1970) * 365 + leap_days_before(year) - leap_days_before(1970);
}

static unsigned length_of(unsigned year, unsigned month)
{
    static const uint8_t lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = leap_days_before(year + 1) > leap_days_before(year);
    return lengths[month - 1] + (leap && month == 2);
}

struct date date_of(unsigned days)
{
    struct date date = { .year = 1970 + days / 366, .month = 1 };
    while (days_before(date.year + 1) <= days)
        date.year++;
    days -= days_before(date.year);
    for (unsigned length; days >= (length = length_of(date.year, date.month)); days -= length)
        date.month++;
    date.day = days + 1;
    return date;
}

unsigned date_days(const struct date *date)
{
    unsigned days = days_before(date->year) + date->day - 1;
    for (unsigned month = 1; month < date->month; month++)
        days += length_of(date->year, month);
    return days;
}

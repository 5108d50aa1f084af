/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/date.h"

#include "lib/types.h"

static unsigned leap_days_before(unsigned year) { return (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400; }

static unsigned days_before(unsigned year)
{
    return (year - 1970) * 365 + leap_days_before(year) - leap_days_before(1970);
}

struct date date_of(unsigned days)
{
    static const unsigned lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    struct date date = { .year = 1970 + days / 366, .month = 1 };
    while (days_before(date.year + 1) <= days)
        date.year++;
    days -= days_before(date.year);
    bool leap = leap_days_before(date.year + 1) > leap_days_before(date.year);
    for (unsigned length; days >= (length = lengths[date.month - 1] + (leap && date.month == 2)); days -= length)
        date.month++;
    date.day = days + 1;
    return date;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Dates of the Gregorian calendar, from 1970 on. Pure. */
#pragma once

struct date {
    unsigned year, month, day; /* January and the first of a month are 1 */
};
/* The date that is so many days after 1 January 1970; and how many days after it a date is. */
struct date date_of(unsigned days);
unsigned date_days(const struct date *date);

//! The civil calendar: days since 1970 as dates. The launcher uses it from here; no part of the API.

/// The year, month and day of a number of days since 1970. Years are taken to begin in March, so
/// that the leap day is their last, and 400 of them have 146,097 days (Hinnant 2013,
/// `civil_from_days`).
pub fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// The number of days from 1970 to the beginning of a month (Hinnant 2013, `days_from_civil`).
pub fn days_to_month(year: i64, month: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day = (153 * ((month + 9) % 12) + 2) / 5;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day - 719_468
}

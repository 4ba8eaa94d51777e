//! Dates along an axis.

use jiff::civil::{Date, DateTime};

/// Returns a time as seconds since 1970, of a date (`2024-05`, `2024-05-06`) or a date with a time. Zones are left out:
/// charts show times as they are written.
pub(super) fn read(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = |text: &str| text.bytes().all(|it| it.is_ascii_digit());
    let (date, time) = match text.get(10..11) {
        Some("T" | " ") => (&text[..10], text.get(11..)),
        _ => (text, None),
    };
    let well_formed =
        matches!(date.as_bytes(), [_, _, _, _, b'-', _, _] | [_, _, _, _, b'-', _, _, b'-', _, _]);
    if !well_formed || !digits(&date.replace('-', "")) {
        return None;
    }
    let date = if date.len() == 7 { format!("{date}-01") } else { date.to_owned() };
    let date: Date = date.parse().ok()?;
    let time = match time {
        None => jiff::civil::Time::midnight(),
        Some(time) => {
            let time = time.strip_suffix('Z').unwrap_or(time);
            time.split(['+', '-']).next()?.parse().ok()?
        }
    };
    Some(seconds(date.to_datetime(time)))
}

fn seconds(at: DateTime) -> f64 {
    let since = at.duration_since(DateTime::new(1970, 1, 1, 0, 0, 0, 0).unwrap_or_default());
    since.as_secs_f64()
}

/// Distances between ticks.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Step {
    Seconds(i64),
    Months(i32),
}

impl Step {
    const ALL: [Self; 26] = [
        Self::Seconds(1),
        Self::Seconds(5),
        Self::Seconds(15),
        Self::Seconds(30),
        Self::Seconds(60),
        Self::Seconds(5 * 60),
        Self::Seconds(15 * 60),
        Self::Seconds(30 * 60),
        Self::Seconds(3_600),
        Self::Seconds(3 * 3_600),
        Self::Seconds(6 * 3_600),
        Self::Seconds(12 * 3_600),
        Self::Seconds(DAY),
        Self::Seconds(2 * DAY),
        Self::Seconds(7 * DAY),
        FORTNIGHT,
        Self::Months(1),
        Self::Months(2),
        Self::Months(3),
        Self::Months(6),
        Self::Months(12),
        Self::Months(24),
        Self::Months(60),
        Self::Months(120),
        Self::Months(240),
        Self::Months(1_200),
    ];

    fn seconds(self) -> f64 {
        match self {
            Self::Seconds(seconds) => seconds as f64,
            Self::Months(months) => f64::from(months) * 30.44 * DAY as f64,
        }
    }
}

const DAY: i64 = 86_400;
const FORTNIGHT: Step = Step::Seconds(14 * DAY);
/// A Monday, from which weeks are counted.
const MONDAY: i64 = 4 * DAY;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Times within a range, at most about `count`, each with its label. What is the same in all of them stands in the
/// first one only.
pub(super) fn ticks(low: f64, high: f64, count: usize) -> Vec<(f64, String)> {
    let span = (high - low).max(1.0);
    // Over several months their beginnings say more than weeks.
    let fits =
        |it: &Step| span / it.seconds() <= count as f64 && (*it != FORTNIGHT || span < 80.0 * DAY as f64);
    let step = Step::ALL.into_iter().find(fits);
    let step = step.unwrap_or(Step::Months(1_200));
    let times = times(low, high, step);
    let mut before: Option<DateTime> = None;
    let mut labelled = Vec::with_capacity(times.len());
    for time in times {
        let label = label(time, before, step);
        before = Some(time);
        labelled.push((seconds(time), label));
    }
    labelled
}

fn times(low: f64, high: f64, step: Step) -> Vec<DateTime> {
    let epoch = DateTime::new(1970, 1, 1, 0, 0, 0, 0).unwrap_or_default();
    let of_seconds = |seconds: i64| epoch.checked_add(jiff::SignedDuration::from_secs(seconds)).ok();
    match step {
        Step::Seconds(step) => {
            let base = if step % (7 * DAY) == 0 { MONDAY } else { 0 };
            let first = ((low - base as f64) / step as f64 - 1e-9).ceil() as i64;
            let last = ((high - base as f64) / step as f64 + 1e-9).floor() as i64;
            (first..=last).take(1_000).filter_map(|nth| of_seconds(nth * step + base)).collect()
        }
        Step::Months(step) => {
            let Some(start) = of_seconds(low as i64) else { return Vec::new() };
            let months = i32::from(start.year()) * 12 + i32::from(start.month()) - 1;
            let first = months.div_euclid(step);
            let of_months = |months: i32| {
                let year = i16::try_from(months.div_euclid(12)).ok()?;
                let month = i8::try_from(months.rem_euclid(12)).ok()? + 1;
                DateTime::new(year, month, 1, 0, 0, 0, 0).ok()
            };
            let all = (first..).take(1_000).map_while(|nth| of_months(nth.checked_mul(step)?));
            all.skip_while(|it| seconds(*it) < low - 1.0)
                .take_while(|it| seconds(*it) <= high + 1.0)
                .collect()
        }
    }
}

fn label(time: DateTime, before: Option<DateTime>, step: Step) -> String {
    let month = MONTHS[usize::try_from(time.month() - 1).unwrap_or_default().min(11)];
    let new_year = before.is_none_or(|before| before.year() != time.year());
    let new_day = before.is_none_or(|before| before.date() != time.date());
    match step {
        Step::Months(step) if step >= 12 => time.year().to_string(),
        Step::Months(_) if new_year => format!("{month} {}", time.year()),
        Step::Months(_) => month.to_owned(),
        Step::Seconds(step) if step >= DAY && new_year => format!("{} {month} {}", time.day(), time.year()),
        Step::Seconds(step) if step >= DAY => format!("{} {month}", time.day()),
        Step::Seconds(step) => {
            let seconds = if step < 60 { format!(":{:02}", time.second()) } else { String::new() };
            let clock = format!("{:02}:{:02}{seconds}", time.hour(), time.minute());
            if new_day { format!("{} {month} {clock}", time.day()) } else { clock }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: &str, high: &str) -> Vec<String> {
        ticks(read(low).unwrap(), read(high).unwrap(), 8).into_iter().map(|it| it.1).collect()
    }

    #[test]
    fn dates_are_read_as_they_are_written() {
        assert_eq!(
            (read("1970-01-02"), read("1970-02"), read("1970-01-01T01:00:30Z")),
            (Some(86_400.0), Some(31.0 * 86_400.0), Some(3_630.0))
        );
        assert_eq!(read("1970-01-01 01:00"), Some(3_600.0));
        for text in ["2024", "2024-13", "2024-02-30", "12-05-2024", "2024-5-6", "a", "2024-05-06x"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn ticks_are_at_the_starts_of_days_months_and_years() {
        assert_eq!(labels("2023-11-20", "2024-04-10"), ["Dec 2023", "Jan 2024", "Feb", "Mar", "Apr"]);
        assert_eq!(
            labels("2024-05-06", "2024-05-11"),
            ["6 May 2024", "7 May", "8 May", "9 May", "10 May", "11 May"]
        );
        assert_eq!(
            labels("2024-05-06T22:10", "2024-05-07T01:50"),
            ["6 May 22:30", "23:00", "23:30", "7 May 00:00", "00:30", "01:00", "01:30"]
        );
        assert_eq!(labels("2001-05-06", "2031-05-07"), ["2005", "2010", "2015", "2020", "2025", "2030"]);
    }
}

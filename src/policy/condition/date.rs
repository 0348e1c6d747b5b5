use std::time::{SystemTime, UNIX_EPOCH};

use jiff::civil::{Date, Time};
use jiff::tz::Offset;

const NANOSECONDS: i128 = 1_000_000_000;

/// A moment in nanoseconds since 1970.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Moment(i128);

impl Moment {
    pub(super) fn from_seconds(seconds: i64) -> Self {
        Self(i128::from(seconds) * NANOSECONDS)
    }

    /// Reads a date of the W3C profile, or seconds since 1970 in 5 to 11 digits: four digits could be a year.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return matches!(text.len(), 5..=11).then(|| text.parse().ok().map(Self::from_seconds)).flatten();
        }
        let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
        let mut parts = date.split('-');
        let year = digits(parts.next()?, 4)?;
        let month = digits(parts.next()?, 2)?;
        let day = match parts.next() {
            Some(day) => digits(day, 2)?,
            None if time.is_none() => 1,
            None => return None,
        };
        if parts.next().is_some() {
            return None;
        }
        let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
        let (time, offset) = match time {
            Some(time) => parse_time(time)?,
            None => (Time::midnight(), Offset::UTC),
        };
        // By hand, because the last day of the year 9999, which people write for "never", is out of jiff's range.
        let days = date.duration_since(Date::constant(1970, 1, 1)).as_nanos();
        let clock = time.duration_since(Time::midnight()).as_nanos();
        Some(Self(days + clock - i128::from(offset.seconds()) * NANOSECONDS))
    }
}

impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Self {
        let nanoseconds =
            |duration: std::time::Duration| i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX);
        match time.duration_since(UNIX_EPOCH) {
            Ok(since) => Self(nanoseconds(since)),
            Err(before) => Self(-nanoseconds(before.duration())),
        }
    }
}

/// Seconds since 1970, rounded down.
pub(super) fn epoch_seconds(time: SystemTime) -> i64 {
    i64::try_from(Moment::from(time).0.div_euclid(NANOSECONDS)).unwrap_or(i64::MAX)
}

/// The moment as `aws:CurrentTime` shows it.
pub(super) fn to_text(time: SystemTime) -> String {
    jiff::Timestamp::from_second(epoch_seconds(time))
        .map_or_else(|_| String::new(), |stamp| stamp.to_string())
}

/// `hh:mm`, `hh:mm:ss` or `hh:mm:ss.fraction`, and a zone.
fn parse_time(text: &str) -> Option<(Time, Offset)> {
    let (clock, offset) = if let Some(clock) = text.strip_suffix('Z') {
        (clock, Offset::UTC)
    } else {
        let at = text.rfind(['+', '-'])?;
        let (clock, zone) = text.split_at_checked(at)?;
        let (hours, minutes) = zone.get(1..)?.split_once(':')?;
        let (hours, minutes) = (i32::from(digits(hours, 2)?), i32::from(digits(minutes, 2)?));
        if hours > 23 || minutes > 59 {
            return None;
        }
        let seconds = hours * 3600 + minutes * 60;
        (clock, Offset::from_seconds(if zone.starts_with('-') { -seconds } else { seconds }).ok()?)
    };
    let mut parts = clock.split(':');
    let hour = digits(parts.next()?, 2)?;
    let minute = digits(parts.next()?, 2)?;
    let (second, nanosecond) = match parts.next() {
        None => (0, 0),
        Some(seconds) => match seconds.split_once('.') {
            None => (digits(seconds, 2)?, 0),
            Some((seconds, fraction)) => (digits(seconds, 2)?, parse_fraction(fraction)?),
        },
    };
    if parts.next().is_some() {
        return None;
    }
    let small = |value: i16| i8::try_from(value).ok();
    let time = Time::new(small(hour)?, small(minute)?, small(second)?, nanosecond).ok()?;
    Some((time, offset))
}

fn parse_fraction(text: &str) -> Option<i32> {
    if text.is_empty() || text.len() > 9 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{text:0<9}").parse().ok()
}

fn digits(text: &str, count: usize) -> Option<i16> {
    (text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::{Moment, to_text};

    fn seconds(text: &str) -> Option<i128> {
        Moment::parse(text).map(|moment| moment.0 / super::NANOSECONDS)
    }

    #[test]
    fn dates_are_read() {
        for (text, expected) in [
            ("1970-01-01", 0),
            ("1970-01", 0),
            ("1970-01-01T00:00Z", 0),
            ("2020-04-01T00:00:00Z", 1_585_699_200),
            ("2020-04-01T02:00:00+02:00", 1_585_699_200),
            ("2020-03-31T23:30:00-00:30", 1_585_699_200),
            ("2020-04-01T00:00:00.999Z", 1_585_699_200),
            ("1585699200", 1_585_699_200),
            ("10000", 10_000),
            ("0001-01-01", -62_135_596_800),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
            ("9999-12-31T23:59:59-12:00", 253_402_343_999),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        assert!(Moment::parse("2020-04-01T00:00:00.1Z") < Moment::parse("2020-04-01T00:00:00.15Z"));
    }

    #[test]
    fn what_could_be_misread_is_malformed() {
        for bad in [
            "",
            "2020",
            "999",
            "1585699200000",
            "2020-04-01T00:00:00",
            "2020-04-01T00:00:60Z",
            "2020-04-01T24:00:00Z",
            "2020-02-30",
            "2020-4-1",
            "2020-04T00:00Z",
            "2020-04-01 00:00:00Z",
            "2020-04-01t00:00:00z",
            "2020-04-01T00:00:00.Z",
            "2020-04-01T00Z",
            "2020-04-01T00:00:00+0200",
            "+2020-04-01",
            "-1585699200",
        ] {
            assert_eq!(Moment::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_clock_is_a_moment() {
        let time = UNIX_EPOCH + Duration::from_millis(1_585_699_200_500);
        assert!(Moment::from(time) > Moment::parse("1585699200").unwrap());
        assert!(Moment::from(UNIX_EPOCH - Duration::from_secs(1)) < Moment::from_seconds(0));
        assert_eq!(to_text(time), "2020-04-01T00:00:00Z");
    }
}

//! Times as the Cognito authorizer of a REST API prints them: `Fri Jul 29 18:52:53 UTC 2016`.

use std::time::Duration;

use jiff::Timestamp;

const FORM: &str = "%a %b %d %H:%M:%S UTC %Y";

/// Seconds since 1970 in that form.
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
pub(crate) fn print(time: Duration) -> Option<String> {
    use std::fmt::Write;

    let time = Timestamp::from_second(i64::try_from(time.as_secs()).ok()?).ok()?;
    let mut text = String::new();
    write!(text, "{}", time.strftime(FORM)).ok()?;
    Some(text)
}

/// Reads that form; `None` for any other, and for what lies before 1970.
#[cfg(feature = "lambda-http")]
pub(crate) fn read(text: &str) -> Option<Duration> {
    use jiff::civil::DateTime;
    use jiff::tz::Offset;

    let time: Timestamp = Offset::UTC.to_timestamp(DateTime::strptime(FORM, text).ok()?).ok()?;
    u64::try_from(time.as_second()).ok().map(Duration::from_secs)
}

#[cfg(all(test, feature = "lambda-http", any(feature = "jwt", feature = "jwt-rust-crypto")))]
mod tests {
    use super::*;

    #[test]
    fn dates_are_printed_and_read() {
        for (seconds, text) in [
            (0, "Thu Jan 01 00:00:00 UTC 1970"),
            (1_469_818_373, "Fri Jul 29 18:52:53 UTC 2016"),
            (1_709_251_199, "Thu Feb 29 23:59:59 UTC 2024"),
        ] {
            let time = Duration::from_secs(seconds);
            assert_eq!(print(time).as_deref(), Some(text));
            assert_eq!(read(text), Some(time));
        }
        assert_eq!(print(Duration::MAX), None);
        for bad in [
            "",
            "1469818373",
            "2016-07-29T18:52:53Z",
            "Mon Jul 29 18:52:53 UTC 2016",
            "Fri Jul 29 18:52:53 CET 2016",
            "Fri Jul 32 18:52:53 UTC 2016",
            "Fri Jul 29 18:52 UTC 2016",
            "Fri Jul 29 18:52:53 UTC 2016 or so",
            "Wed Dec 31 23:59:59 UTC 1969",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}

use std::cmp::Ordering;

/// A decimal number, compared digit by digit: nothing is rounded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
}

impl<'a> Decimal<'a> {
    /// Reads `-?digits(.digits)?`.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (minus, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (digits, ""),
        };
        let only_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !only_digits(whole) || !only_digits(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        let negative = minus && !(whole.is_empty() && fraction.is_empty());
        Some(Self { negative, whole, fraction })
    }

    /// The number, when it is whole and not too large.
    pub(super) fn to_whole(self) -> Option<i64> {
        if !self.fraction.is_empty() || self.whole.len() > 18 {
            return None;
        }
        let magnitude = if self.whole.is_empty() { 0 } else { self.whole.parse::<i64>().ok()? };
        Some(if self.negative { -magnitude } else { magnitude })
    }

    fn compare_magnitude(self, other: Self) -> Ordering {
        // Without zeros at the outer ends the longer whole part is larger, and fractions compare as text.
        (self.whole.len().cmp(&other.whole.len()))
            .then_with(|| self.whole.cmp(other.whole))
            .then_with(|| self.fraction.cmp(other.fraction))
    }
}

impl Ord for Decimal<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.compare_magnitude(*other),
            (true, true) => other.compare_magnitude(*self),
        }
    }
}

impl PartialOrd for Decimal<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::Decimal;

    #[test]
    fn numbers_compare_exactly() {
        let order = [
            "-10.5",
            "-10.25",
            "-2",
            "0",
            "0.1",
            "0.10000000000000000001",
            "1",
            "9",
            "10",
            "99999999999999999999",
        ];
        for (left, small) in order.iter().enumerate() {
            for (right, large) in order.iter().enumerate() {
                let compared = Decimal::parse(small).unwrap().cmp(&Decimal::parse(large).unwrap());
                assert_eq!(compared, left.cmp(&right), "{small} {large}");
            }
        }
        for (left, right) in [("-0", "0"), ("1.50", "1.5"), ("007", "7"), ("-0.0", "0.000")] {
            assert_eq!(Decimal::parse(left).unwrap(), Decimal::parse(right).unwrap());
        }
    }

    #[test]
    fn only_plain_decimals_are_numbers() {
        for bad in ["", "-", "+5", ".5", "5.", "1e3", "NaN", "inf", " 1", "1_000", "٣", "--1", "1.2.3", "0x1"]
        {
            assert_eq!(Decimal::parse(bad), None, "{bad}");
        }
        assert_eq!(Decimal::parse("-042").unwrap().to_whole(), Some(-42));
        assert_eq!(Decimal::parse("4.2").unwrap().to_whole(), None);
    }
}

//! Amounts of money, exactly.

use serde::{Serialize, Serializer};
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub};
use std::str::FromStr;

/// Millionths of a unit.
const UNIT: i64 = 1_000_000;
/// Digits behind the point.
const DIGITS: usize = 6;

/// An amount in whole millionths of a currency's unit: prices of a minute have four digits behind the point, and their thirds
/// and sixtieths are rounded where [`Money::times`] says so, nowhere else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

/// ISO 4217.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currency {
    /// `EUR`
    pub name: &'static str,
    /// Digits behind the point of what is paid.
    pub digits: usize,
}

/// Those in which invoices may be.
const CURRENCIES: [(&str, usize); 25] = [
    ("AED", 2),
    ("ARS", 2),
    ("AUD", 2),
    ("BRL", 2),
    ("CAD", 2),
    ("CHF", 2),
    ("CLP", 0),
    ("COP", 2),
    ("CZK", 2),
    ("DKK", 2),
    ("EUR", 2),
    ("GBP", 2),
    ("HUF", 2),
    ("INR", 2),
    ("JPY", 0),
    ("MAD", 2),
    ("MXN", 2),
    ("NOK", 2),
    ("PEN", 2),
    ("PHP", 2),
    ("PLN", 2),
    ("RON", 2),
    ("SEK", 2),
    ("TND", 3),
    ("USD", 2),
];

impl Currency {
    /// That of a code.
    pub fn named(code: &str) -> Option<Self> {
        let found = CURRENCIES.iter().find(|(name, _)| *name == code);
        found.map(|(name, digits)| Self { name, digits: *digits })
    }

    /// All codes.
    pub fn names() -> impl Iterator<Item = &'static str> {
        CURRENCIES.iter().map(|(name, _)| *name)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many whole units.
    pub const fn units(units: i32) -> Self {
        Self(units as i64 * UNIT)
    }

    /// `part / whole` times as much, rounded to a millionth, halves away from zero. `whole` is not 0.
    #[must_use]
    pub fn times(self, part: u64, whole: u64) -> Self {
        Self::divided(i128::from(self.0) * i128::from(part), i128::from(whole))
    }

    /// Rounded to so many digits behind the point, halves away from zero.
    #[must_use]
    pub fn rounded(self, digits: usize) -> Self {
        let step = 10_i64.pow(u32::try_from(DIGITS.saturating_sub(digits)).unwrap_or(0));
        let Self(steps) = Self::divided(i128::from(self.0), i128::from(step));
        Self(steps.saturating_mul(step))
    }

    /// With so many digits behind the point, which it is rounded to: `-1234.50`.
    pub fn text(self, digits: usize) -> String {
        let Self(millionths) = self.rounded(digits);
        let sign = if millionths < 0 { "-" } else { "" };
        let (units, rest) = (
            millionths.unsigned_abs() / UNIT.unsigned_abs(),
            millionths.unsigned_abs() % UNIT.unsigned_abs(),
        );
        match digits.min(DIGITS) {
            0 => format!("{sign}{units}"),
            digits => format!("{sign}{units}.{}", &format!("{rest:06}")[..digits]),
        }
    }

    fn divided(product: i128, whole: i128) -> Self {
        let half = whole / 2 * product.signum();
        let rounded = if whole % 2 == 0 {
            (product + half) / whole
        } else {
            (2 * product + whole * product.signum()) / (2 * whole)
        };
        Self(i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX }))
    }
}

/// As short as it is exact, with two digits at least: `0.0125`, `12.00`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text(DIGITS);
        let shortest = text.trim_end_matches('0').len();
        let least = text.len() - (DIGITS - 2);
        f.write_str(&text[..shortest.max(least)])
    }
}

impl FromStr for Money {
    type Err = &'static str;

    /// `12`, `12.5`, `0.0125`: not negative, below a thousand million, six digits behind the point at most.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "an amount is written like 12.50, with six digits behind the point at most";
        let (units, rest) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(units) || !is_number(rest) || rest.len() > DIGITS || units.len() > 9 {
            return Err(WRONG);
        }
        let (units, millionths) = (units.parse::<i64>(), format!("{rest:0<6}").parse::<i64>());
        Ok(Self(units.map_err(|_| WRONG)? * UNIT + millionths.map_err(|_| WRONG)?))
    }
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Money {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Money {
    type Output = Self;

    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}

/// As a text: a JSON number is a floating-point one to most who read it.
impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn money(text: &str) -> Money {
        text.parse().expect(text)
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        for (amount, digits, expected) in [
            ("0.005", 2, "0.01"),
            ("0.004999", 2, "0.00"),
            ("1.115", 2, "1.12"),
            ("2.5", 0, "3"),
            ("1234.5678", 3, "1234.568"),
        ] {
            assert_eq!(money(amount).text(digits), expected, "{amount}");
            let negative = (-money(amount)).text(digits);
            assert_eq!(negative.trim_start_matches('-'), expected, "-{amount}");
        }
        assert_eq!((-money("1.115")).text(2), "-1.12");
        assert_eq!((-money("0.004")).text(2), "0.00", "no minus before nothing");
        // A minute at one unit: a second is 0.0166667.
        assert_eq!(Money::units(1).times(1, 60).to_string(), "0.016667");
        assert_eq!(Money::units(1).times(1, 3).to_string(), "0.333333");
        assert_eq!(Money::units(2).times(1, 3).to_string(), "0.666667");
    }

    #[test]
    fn what_is_no_amount_is_not_taken() {
        for wrong in ["", ".", "1.", ".5", "-1", "+1", "1,5", "1e3", "1.1234567", "1234567890", "0x1", " 1"] {
            assert!(wrong.parse::<Money>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(millionths in 0..999_999_999_000_000_i64) {
            let money = Money(millionths);
            prop_assert_eq!(money.to_string().parse(), Ok(money));
        }

        #[test]
        fn rounding_is_never_off_by_more_than_a_half(millionths in any::<i32>(), digits in 0..=6_usize) {
            let money = Money(i64::from(millionths));
            let off = (money.rounded(digits) - money).0.abs() * 2;
            prop_assert!(off <= 10_i64.pow(6 - u32::try_from(digits).expect("small")));
        }
    }
}

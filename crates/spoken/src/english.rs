//! English numbers.

use crate::Out;
use crate::number::of;

const UNITS: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] =
    ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const ORDINALS: [&str; 20] = [
    "",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
];
const SCALES: [(u64, &str); 4] = [
    (1_000_000_000_000, "trillion"),
    (1_000_000_000, "billion"),
    (1_000_000, "million"),
    (1_000, "thousand"),
];
/// Up to here ordinals are recorded whole: the days of a month.
const WHOLE: u64 = 31;

pub(crate) fn cardinal(value: u64, out: &mut Out) {
    let mut rest = value;
    for (scale, name) in SCALES {
        if rest >= scale {
            below_1000(rest / scale, out);
            out.word(name, name);
            rest %= scale;
        }
    }
    if rest > 0 || value == 0 {
        below_1000(rest, out);
    }
}

fn below_1000(value: u64, out: &mut Out) {
    let (hundreds, rest) = (value / 100, value % 100);
    if hundreds > 0 {
        out.word(format!("{hundreds}00"), format!("{} hundred", of(&UNITS, hundreds)));
    }
    if rest > 0 || value == 0 {
        out.word(rest.to_string(), below_100(rest));
    }
}

fn below_100(value: u64) -> String {
    match (value / 10, value % 10) {
        (0 | 1, _) => of(&UNITS, value).to_owned(),
        (tens, 0) => of(&TENS, tens).to_owned(),
        (tens, unit) => format!("{} {}", of(&TENS, tens), of(&UNITS, unit)),
    }
}

pub(crate) fn ordinal(value: u64, out: &mut Out) {
    let last = value % 100;
    if last > 0 {
        if value > 100 {
            cardinal(value - last, out);
        }
        return ordinal_below_100(last, out);
    }
    let hundreds = value % 1_000 / 100;
    if hundreds > 0 {
        if value > 1_000 {
            cardinal(value - hundreds * 100, out);
        }
        out.word(format!("ordinal-{hundreds}00"), format!("{} hundredth", of(&UNITS, hundreds)));
    } else {
        cardinal(value / 1_000, out);
        out.word("ordinal-thousand", "thousandth");
    }
}

fn ordinal_below_100(value: u64, out: &mut Out) {
    let (tens, unit) = (value / 10, value % 10);
    if value > WHOLE && unit > 0 {
        out.word((tens * 10).to_string(), of(&TENS, tens));
        return out.word(format!("ordinal-{unit}"), of(&ORDINALS, unit));
    }
    let text = match (tens, unit) {
        (0 | 1, _) => of(&ORDINALS, value).to_owned(),
        (_, 0) => format!("{}ieth", of(&TENS, tens).trim_end_matches('y')),
        _ => format!("{} {}", of(&TENS, tens), of(&ORDINALS, unit)),
    };
    out.word(format!("ordinal-{value}"), text);
}

/// A year is read in two halves, but for those at the beginning of a millennium.
pub(crate) fn year(value: u64, out: &mut Out) {
    let (century, rest) = (value / 100, value % 100);
    if century.is_multiple_of(10) && rest < 10 {
        return cardinal(value, out);
    }
    cardinal(century, out);
    match rest {
        0 => out.word("hundred", "hundred"),
        1..10 => minutes(rest, out),
        _ => cardinal(rest, out),
    }
}

/// What stands behind an hour or a century, a zero as `oh`.
pub(crate) fn minutes(value: u64, out: &mut Out) {
    if value < 10 {
        out.word("oh", "oh");
    }
    out.word(value.to_string(), below_100(value));
}

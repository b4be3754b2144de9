//! German numbers.

use crate::number::of;
use crate::{Gender, Out};

const UNITS: [&str; 20] = [
    "null",
    "ein",
    "zwei",
    "drei",
    "vier",
    "fünf",
    "sechs",
    "sieben",
    "acht",
    "neun",
    "zehn",
    "elf",
    "zwölf",
    "dreizehn",
    "vierzehn",
    "fünfzehn",
    "sechzehn",
    "siebzehn",
    "achtzehn",
    "neunzehn",
];
const TENS: [&str; 10] =
    ["", "", "zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"];
/// Without their endings.
const ORDINALS: [&str; 20] = [
    "",
    "erst",
    "zweit",
    "dritt",
    "viert",
    "fünft",
    "sechst",
    "siebt",
    "acht",
    "neunt",
    "zehnt",
    "elft",
    "zwölft",
    "dreizehnt",
    "vierzehnt",
    "fünfzehnt",
    "sechzehnt",
    "siebzehnt",
    "achtzehnt",
    "neunzehnt",
];
/// Name of one, of several, and how they are written.
const SCALES: [(u64, &str, &str, &str, &str); 3] = [
    (1_000_000_000_000, "trillion", "Billion", "trillions", "Billionen"),
    (1_000_000_000, "billion", "Milliarde", "billions", "Milliarden"),
    (1_000_000, "million", "Million", "millions", "Millionen"),
];
/// Up to here ordinals are recorded whole: the days of a month.
const WHOLE: u64 = 31;

pub(crate) fn cardinal(value: u64, gender: Option<Gender>, out: &mut Out) {
    let mut rest = value;
    for (scale, name, text, names, texts) in SCALES {
        match rest / scale {
            0 => {}
            1 => {
                one(Some(Gender::Feminine), out);
                out.word(name, text);
            }
            count => {
                below_1000(count, Some(Gender::Feminine), out);
                out.word(names, texts);
            }
        }
        rest %= scale;
    }
    if rest >= 1_000 {
        below_1000(rest / 1_000, Some(Gender::Masculine), out);
        out.word("thousand", "tausend");
    }
    if !rest.is_multiple_of(1_000) || value == 0 {
        below_1000(rest % 1_000, gender, out);
    }
}

fn below_1000(value: u64, gender: Option<Gender>, out: &mut Out) {
    let (hundreds, rest) = (value / 100, value % 100);
    if hundreds > 0 {
        out.word(format!("{hundreds}00"), format!("{}hundert", of(&UNITS, hundreds)));
    }
    match rest {
        0 if value > 0 => {}
        1 => one(gender, out),
        rest => out.word(rest.to_string(), below_100(rest)),
    }
}

fn one(gender: Option<Gender>, out: &mut Out) {
    match gender {
        None => out.word("1", "eins"),
        Some(Gender::Masculine | Gender::Neuter) => out.word("1m", "ein"),
        Some(Gender::Feminine) => out.word("1f", "eine"),
    }
}

fn below_100(value: u64) -> String {
    match (value / 10, value % 10) {
        (0 | 1, _) => of(&UNITS, value).to_owned(),
        (tens, 0) => of(&TENS, tens).to_owned(),
        (tens, unit) => format!("{}und{}", of(&UNITS, unit), of(&TENS, tens)),
    }
}

pub(crate) fn ordinal(value: u64, gender: Option<Gender>, out: &mut Out) {
    let (mark, ending) = match gender {
        None | Some(Gender::Feminine) => ("", "e"),
        Some(Gender::Masculine) => ("m", "er"),
        Some(Gender::Neuter) => ("n", "es"),
    };
    let last = value % 100;
    if last > 0 {
        if value > 100 {
            cardinal(value - last, None, out);
        }
        let (tens, unit) = (last / 10, last % 10);
        if last <= WHOLE || unit == 0 {
            let stem =
                if last < 20 { of(&ORDINALS, last).to_owned() } else { format!("{}st", below_100(last)) };
            return out.word(format!("ordinal-{last}{mark}"), format!("{stem}{ending}"));
        }
        out.word(format!("{unit}-and"), format!("{}und", of(&UNITS, unit)));
        return out.word(format!("ordinal-{tens}0{mark}"), format!("{}st{ending}", of(&TENS, tens)));
    }
    let hundreds = value % 1_000 / 100;
    if hundreds > 0 {
        if value > 1_000 {
            cardinal(value - hundreds * 100, None, out);
        }
        let text = format!("{}hundertst{ending}", of(&UNITS, hundreds));
        out.word(format!("ordinal-{hundreds}00{mark}"), text);
    } else {
        below_1000(value / 1_000, Some(Gender::Masculine), out);
        out.word(format!("ordinal-thousand{mark}"), format!("tausendst{ending}"));
    }
}

/// Years from 1100 to 1999 are read in hundreds.
pub(crate) fn year(value: u64, out: &mut Out) {
    if !(1_100..2_000).contains(&value) {
        return cardinal(value, None, out);
    }
    cardinal(value / 100, None, out);
    out.word("hundred", "hundert");
    if !value.is_multiple_of(100) {
        cardinal(value % 100, None, out);
    }
}

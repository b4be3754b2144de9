//! French numbers.

use crate::number::of;
use crate::{Gender, Out};

const UNITS: [&str; 20] = [
    "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze",
    "treize", "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf",
];
/// Those that units from 0 to 19 are counted on from.
const TENS: [&str; 10] = [
    "",
    "",
    "vingt",
    "trente",
    "quarante",
    "cinquante",
    "soixante",
    "soixante",
    "quatre-vingt",
    "quatre-vingt",
];
const ORDINALS: [&str; 20] = [
    "",
    "unième",
    "deuxième",
    "troisième",
    "quatrième",
    "cinquième",
    "sixième",
    "septième",
    "huitième",
    "neuvième",
    "dixième",
    "onzième",
    "douzième",
    "treizième",
    "quatorzième",
    "quinzième",
    "seizième",
    "dix-septième",
    "dix-huitième",
    "dix-neuvième",
];
const ORDINAL_TENS: [&str; 10] = [
    "",
    "",
    "vingtième",
    "trentième",
    "quarantième",
    "cinquantième",
    "soixantième",
    "",
    "quatre-vingtième",
    "",
];
const SCALES: [(u64, &str, &str); 3] = [
    (1_000_000_000_000, "trillion", "billion"),
    (1_000_000_000, "billion", "milliard"),
    (1_000_000, "million", "million"),
];

/// Whether `vingts` and `cents` have their s: at the end alone. It is not heard.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Last,
    Before,
}

pub(crate) fn cardinal(value: u64, gender: Option<Gender>, out: &mut Out) {
    let mut rest = value;
    for (scale, name, text) in SCALES {
        let count = rest / scale;
        if count > 0 {
            below_1000(count, None, Place::Last, out);
            out.word(name, if count > 1 { format!("{text}s") } else { text.to_owned() });
        }
        rest %= scale;
    }
    if rest >= 1_000 {
        if rest >= 2_000 {
            below_1000(rest / 1_000, None, Place::Before, out);
        }
        out.word("thousand", "mille");
    }
    if !rest.is_multiple_of(1_000) || value == 0 {
        below_1000(rest % 1_000, gender, Place::Last, out);
    }
}

fn below_1000(value: u64, gender: Option<Gender>, place: Place, out: &mut Out) {
    let (hundreds, rest) = (value / 100, value % 100);
    if hundreds > 0 {
        out.word(format!("{hundreds}00"), hundred(hundreds, rest == 0 && place == Place::Last));
    }
    if rest == 0 && value > 0 {
        return;
    }
    let is_feminine = gender == Some(Gender::Feminine) && rest % 10 == 1 && !matches!(rest, 11 | 71 | 91);
    if is_feminine {
        out.word(format!("{rest}f"), format!("{}e", below_100(rest)));
    } else if rest == 80 && place == Place::Last {
        out.word("80", "quatre-vingts");
    } else {
        out.word(rest.to_string(), below_100(rest));
    }
}

fn hundred(hundreds: u64, is_last: bool) -> String {
    match hundreds {
        1 => "cent".to_owned(),
        _ => format!("{} cent{}", of(&UNITS, hundreds), if is_last { "s" } else { "" }),
    }
}

fn below_100(value: u64) -> String {
    let tens = value / 10;
    let unit = value - base(value);
    match (tens, unit) {
        (0 | 1, _) => of(&UNITS, value).to_owned(),
        (_, 0) => of(&TENS, tens).to_owned(),
        (2..8, 1 | 11) => format!("{} et {}", of(&TENS, tens), of(&UNITS, unit)),
        _ => format!("{}-{}", of(&TENS, tens), of(&UNITS, unit)),
    }
}

/// What is counted on from, below 100: 60 for 60 to 79, 80 for 80 to 99.
fn base(value: u64) -> u64 {
    match value {
        0..20 => 0,
        60..80 => 60,
        80.. => 80,
        _ => value / 10 * 10,
    }
}

pub(crate) fn ordinal(value: u64, gender: Option<Gender>, out: &mut Out) {
    if value == 1 {
        return match gender {
            Some(Gender::Feminine) => out.word("ordinal-1f", "première"),
            _ => out.word("ordinal-1", "premier"),
        };
    }
    let last = value % 100;
    if last > 0 {
        before(value - last, out);
        return ordinal_below_100(last, out);
    }
    let hundreds = value % 1_000 / 100;
    if hundreds > 0 {
        before(value - hundreds * 100, out);
        return out.word(format!("ordinal-{hundreds}00"), format!("{}ième", hundred(hundreds, false)));
    }
    if value > 1_000 {
        below_1000(value / 1_000, None, Place::Before, out);
    }
    out.word("ordinal-thousand", "millième");
}

/// What stands before an ordinal's last word, if anything.
fn before(value: u64, out: &mut Out) {
    if value >= 2_000 {
        below_1000(value / 1_000, None, Place::Before, out);
    }
    if value >= 1_000 {
        out.word("thousand", "mille");
    }
    if !value.is_multiple_of(1_000) {
        below_1000(value % 1_000, None, Place::Before, out);
    }
}

fn ordinal_below_100(value: u64, out: &mut Out) {
    let base = base(value);
    let unit = value - base;
    if unit == 0 {
        return out.word(format!("ordinal-{value}"), of(&ORDINAL_TENS, value / 10));
    }
    if base > 0 {
        out.word(base.to_string(), of(&TENS, base / 10));
    }
    match unit {
        1 | 11 if (20..80).contains(&base) => {
            out.word(format!("ordinal-and-{unit}"), format!("et {}", of(&ORDINALS, unit)));
        }
        1 => out.word("ordinal-unth", "unième"),
        _ => out.word(format!("ordinal-{unit}"), of(&ORDINALS, unit)),
    }
}

//! Spanish numbers.

use crate::number::of;
use crate::{Gender, Out};

const UNITS: [&str; 30] = [
    "cero",
    "uno",
    "dos",
    "tres",
    "cuatro",
    "cinco",
    "seis",
    "siete",
    "ocho",
    "nueve",
    "diez",
    "once",
    "doce",
    "trece",
    "catorce",
    "quince",
    "dieciséis",
    "diecisiete",
    "dieciocho",
    "diecinueve",
    "veinte",
    "veintiuno",
    "veintidós",
    "veintitrés",
    "veinticuatro",
    "veinticinco",
    "veintiséis",
    "veintisiete",
    "veintiocho",
    "veintinueve",
];
const TENS: [&str; 10] =
    ["", "", "", "treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa"];
/// Without the `os` or `as` of those above 100.
const HUNDREDS: [&str; 10] = [
    "",
    "cien",
    "doscient",
    "trescient",
    "cuatrocient",
    "quinient",
    "seiscient",
    "setecient",
    "ochocient",
    "novecient",
];
/// Without their last letter, as those below.
const ORDINALS: [&str; 20] = [
    "",
    "primer",
    "segund",
    "tercer",
    "cuart",
    "quint",
    "sext",
    "séptim",
    "octav",
    "noven",
    "décim",
    "decimoprimer",
    "decimosegund",
    "decimotercer",
    "decimocuart",
    "decimoquint",
    "decimosext",
    "decimoséptim",
    "decimoctav",
    "decimonoven",
];
const ORDINAL_TENS: [&str; 10] = [
    "",
    "",
    "vigésim",
    "trigésim",
    "cuadragésim",
    "quincuagésim",
    "sexagésim",
    "septuagésim",
    "octogésim",
    "nonagésim",
];
const ORDINAL_HUNDREDS: [&str; 10] = [
    "",
    "centésim",
    "ducentésim",
    "tricentésim",
    "cuadringentésim",
    "quingentésim",
    "sexcentésim",
    "septingentésim",
    "octingentésim",
    "noningentésim",
];

pub(crate) fn cardinal(value: u64, gender: Option<Gender>, out: &mut Out) {
    const MILLION: u64 = 1_000_000;
    let (trillions, millions, rest) =
        (value / (MILLION * MILLION), value / MILLION % MILLION, value % MILLION);
    for (count, name, text, names, texts) in [
        (trillions, "trillion", "billón", "trillions", "billones"),
        (millions, "million", "millón", "millions", "millones"),
    ] {
        match count {
            0 => {}
            1 => {
                one("1", Some(Gender::Masculine), out);
                out.word(name, text);
            }
            _ => {
                below_million(count, Some(Gender::Masculine), out);
                out.word(names, texts);
            }
        }
    }
    if rest > 0 || value == 0 {
        below_million(rest, gender, out);
    }
}

fn below_million(value: u64, gender: Option<Gender>, out: &mut Out) {
    let (thousands, rest) = (value / 1_000, value % 1_000);
    if thousands > 1 {
        below_1000(thousands, Some(Gender::Masculine), out);
    }
    if thousands > 0 {
        out.word("thousand", "mil");
    }
    if rest > 0 || value == 0 {
        below_1000(rest, gender, out);
    }
}

fn below_1000(value: u64, gender: Option<Gender>, out: &mut Out) {
    let (hundreds, rest) = (value / 100, value % 100);
    match (hundreds, gender) {
        (0, _) => {}
        (1, _) if rest > 0 => out.word("100-and", "ciento"),
        (1, _) => out.word("100", "cien"),
        (_, Some(Gender::Feminine)) => {
            out.word(format!("{hundreds}00f"), format!("{}as", of(&HUNDREDS, hundreds)));
        }
        _ => out.word(format!("{hundreds}00"), format!("{}os", of(&HUNDREDS, hundreds))),
    }
    match rest {
        0 if value > 0 => {}
        _ if rest % 10 == 1 && rest != 11 => one(&rest.to_string(), gender, out),
        _ => out.word(rest.to_string(), below_100(rest)),
    }
}

/// 1, 21, 31 and so on, which bend to what is counted.
fn one(name: &str, gender: Option<Gender>, out: &mut Out) {
    let text = below_100(name.parse().unwrap_or(1));
    let stem = text.trim_end_matches("uno");
    match gender {
        None => out.word(name, text),
        Some(Gender::Feminine) => out.word(format!("{name}f"), format!("{stem}una")),
        Some(_) if name == "21" => out.word("21m", "veintiún"),
        Some(_) => out.word(format!("{name}m"), format!("{stem}un")),
    }
}

fn below_100(value: u64) -> String {
    match (value / 10, value % 10) {
        (0..3, _) => of(&UNITS, value).to_owned(),
        (tens, 0) => of(&TENS, tens).to_owned(),
        (tens, unit) => format!("{} y {}", of(&TENS, tens), of(&UNITS, unit)),
    }
}

pub(crate) fn ordinal(value: u64, gender: Option<Gender>, out: &mut Out) {
    let (mark, ending) = if gender == Some(Gender::Feminine) { ("f", "a") } else { ("", "o") };
    let word = |name: String, stem: &str, out: &mut Out| {
        out.word(format!("ordinal-{name}{mark}"), format!("{stem}{ending}"));
    };
    let (thousands, rest) = (value / 1_000, value % 1_000);
    if thousands > 1 {
        below_1000(thousands, Some(Gender::Masculine), out);
    }
    if thousands > 0 {
        word("thousand".to_owned(), "milésim", out);
    }
    if rest >= 100 {
        word(format!("{}00", rest / 100), of(&ORDINAL_HUNDREDS, rest / 100), out);
    }
    let rest = rest % 100;
    if rest >= 20 {
        word(format!("{}0", rest / 10), of(&ORDINAL_TENS, rest / 10), out);
    }
    let rest = if rest < 20 { rest } else { rest % 10 };
    if rest > 0 {
        word(rest.to_string(), of(&ORDINALS, rest), out);
    }
}

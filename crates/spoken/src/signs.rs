//! What is said sign by sign.

use crate::number::natural;
use crate::{Language, Out, Unspeakable};

/// Marks that are named behind their letters: the sign, the recording, and its text in each of [`Language::ALL`].
const ACCENTS: [(&str, &str, [&str; 4]); 6] = [
    ("áéíóúý", "acute", ["acute", "Akut", "accent aigu", "con acento"]),
    ("àèìòù", "grave", ["grave", "Gravis", "accent grave", "con acento grave"]),
    ("âêîôû", "circumflex", ["circumflex", "Zirkumflex", "accent circonflexe", "con circunflejo"]),
    ("äëïöüÿ", "diaeresis", ["umlaut", "mit Trema", "tréma", "con diéresis"]),
    ("ãñõ", "tilde", ["tilde", "mit Tilde", "tilde", "con virgulilla"]),
    ("ç", "cedilla", ["cedilla", "mit Cedille", "cédille", "con cedilla"]),
];
const PLAIN: [&str; 6] = ["aeiouy", "aeiou", "aeiou", "aeiouy", "ano", "c"];

/// Signs of addresses, likewise.
const SIGNS: [(char, &str, [&str; 4]); 6] = [
    ('@', "at", ["at", "at", "arobase", "arroba"]),
    ('.', "dot", ["dot", "Punkt", "point", "punto"]),
    ('-', "dash", ["dash", "Minus", "tiret", "guion"]),
    ('_', "underscore", ["underscore", "Unterstrich", "tiret bas", "guion bajo"]),
    ('+', "plus", ["plus", "plus", "plus", "más"]),
    ('/', "slash", ["slash", "Schrägstrich", "barre oblique", "barra"]),
];

/// Letters that a language has a name for, besides those from a to z.
const fn letters(language: Language) -> &'static str {
    match language {
        Language::English | Language::French => "",
        Language::German => "äöüß",
        Language::Spanish => "ñ",
    }
}

pub(crate) fn digits(text: &str, out: &mut Out) -> Result<(), Unspeakable> {
    for sign in text.chars().filter(|sign| !matches!(sign, ' ' | '-')) {
        let digit = sign.to_digit(10).ok_or(Unspeakable::Sign(sign))?;
        natural(digit.into(), None, out);
    }
    Ok(())
}

pub(crate) fn spelled(text: &str, out: &mut Out) -> Result<(), Unspeakable> {
    for sign in text.chars().filter(|sign| !sign.is_whitespace()).flat_map(char::to_lowercase) {
        spell(sign, out)?;
    }
    Ok(())
}

fn spell(sign: char, out: &mut Out) -> Result<(), Unspeakable> {
    if let Some(digit) = sign.to_digit(10) {
        natural(digit.into(), None, out);
        return Ok(());
    }
    if sign.is_ascii_lowercase() || letters(out.language).contains(sign) {
        let text = sign.to_uppercase().to_string();
        // Recordings have plain names, wherever they are kept.
        let name = match sign {
            'ä' => "letter-ae".to_owned(),
            'ö' => "letter-oe".to_owned(),
            'ü' => "letter-ue".to_owned(),
            'ß' => "letter-sz".to_owned(),
            'ñ' => "letter-nh".to_owned(),
            plain => format!("letter-{plain}"),
        };
        out.word(name, if sign == 'ß' { "ß".to_owned() } else { text });
        return Ok(());
    }
    let place = out.language as usize;
    if let Some((_, name, texts)) = SIGNS.iter().find(|(known, ..)| *known == sign) {
        out.word(*name, texts[place]);
        return Ok(());
    }
    for ((marked, name, texts), plain) in ACCENTS.iter().zip(PLAIN) {
        let letter = marked.chars().zip(plain.chars()).find(|(known, _)| *known == sign);
        if let Some((_, letter)) = letter {
            spell(letter, out)?;
            out.word(*name, texts[place]);
            return Ok(());
        }
    }
    Err(Unspeakable::Sign(sign))
}

pub(crate) fn phone(text: &str, out: &mut Out) -> Result<(), Unspeakable> {
    let mut number: Vec<char> =
        text.chars().filter(|sign| !matches!(sign, ' ' | '-' | '.' | '/' | '(' | ')')).collect();
    if number.first() == Some(&'+') {
        number.remove(0);
        spell('+', out)?;
        let code = number.len().min(country_code(&number));
        let rest = number.split_off(code);
        group(&number, out)?;
        number = rest;
        if !number.is_empty() {
            pause(out);
        }
    }
    let mut rest = number.as_slice();
    while !rest.is_empty() {
        let (first, later) = rest.split_at(next_group(out.language, rest.len()));
        group(first, out)?;
        rest = later;
        if !rest.is_empty() {
            pause(out);
        }
    }
    Ok(())
}

/// How many digits are read together when so many are left.
fn next_group(language: Language, left: usize) -> usize {
    match language {
        Language::French => 2 - left % 2,
        // Pairs, the first with three if there is one too many.
        Language::German => left.min(2 + left % 2),
        // Threes, and four at the end rather than one alone.
        Language::English | Language::Spanish if left <= 4 => left,
        Language::English | Language::Spanish => 3,
    }
}

/// Digit by digit; in French as a number, a leading zero before it.
fn group(digits: &[char], out: &mut Out) -> Result<(), Unspeakable> {
    let values: Vec<u64> = digits
        .iter()
        .map(|sign| sign.to_digit(10).map(u64::from).ok_or(Unspeakable::Sign(*sign)))
        .collect::<Result<_, _>>()?;
    match *values.as_slice() {
        [tens, unit] if out.language == Language::French && tens > 0 => natural(tens * 10 + unit, None, out),
        _ => values.into_iter().for_each(|value| natural(value, None, out)),
    }
    Ok(())
}

/// Silence between groups.
fn pause(out: &mut Out) {
    out.word("pause", "");
}

/// How many digits the country code has that a number begins with (ITU-T E.164 annex D: those of one and two digits).
fn country_code(number: &[char]) -> usize {
    const TWO: &str = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 \
                       65 66 81 82 84 86 90 91 92 93 94 95 98";
    let first: String = number.iter().take(2).collect();
    match number.first() {
        Some('1' | '7') => 1,
        _ if TWO.split_whitespace().any(|code| code == first) => 2,
        _ => 3,
    }
}

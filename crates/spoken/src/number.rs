//! What the languages have in common about numbers.

use crate::{Gender, Language, Out, Unspeakable, english, french, german, spanish};

/// The largest number, and with a minus the smallest.
pub(crate) const LARGEST: i64 = 1_000_000_000_000;
const LARGEST_ORDINAL: i64 = 999_999;

pub(crate) fn cardinal(value: i64, gender: Option<Gender>, out: &mut Out) -> Result<(), Unspeakable> {
    if !(-LARGEST..=LARGEST).contains(&value) {
        return Err(Unspeakable::Range(value));
    }
    if value < 0 {
        minus(out);
    }
    natural(value.unsigned_abs(), gender, out);
    Ok(())
}

/// The word before what is less than nothing.
pub(crate) fn minus(out: &mut Out) {
    let text = match out.language {
        Language::English | Language::German => "minus",
        Language::French => "moins",
        Language::Spanish => "menos",
    };
    out.word("minus", text);
}

/// A number from 0 to [`LARGEST`].
pub(crate) fn natural(value: u64, gender: Option<Gender>, out: &mut Out) {
    match out.language {
        Language::English => english::cardinal(value, out),
        Language::German => german::cardinal(value, gender, out),
        Language::French => french::cardinal(value, gender, out),
        Language::Spanish => spanish::cardinal(value, gender, out),
    }
}

pub(crate) fn ordinal(value: i64, gender: Option<Gender>, out: &mut Out) -> Result<(), Unspeakable> {
    if !(1..=LARGEST_ORDINAL).contains(&value) {
        return Err(Unspeakable::Range(value));
    }
    let value = value.unsigned_abs();
    match out.language {
        Language::English => english::ordinal(value, out),
        Language::German => german::ordinal(value, gender, out),
        Language::French => french::ordinal(value, gender, out),
        Language::Spanish => spanish::ordinal(value, gender, out),
    }
    Ok(())
}

/// The word of a table by its place.
pub(crate) fn of(table: &[&'static str], place: u64) -> &'static str {
    usize::try_from(place).ok().and_then(|place| table.get(place)).copied().unwrap_or_default()
}

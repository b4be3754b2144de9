//! Amounts.

use crate::calendar::and;
use crate::number::{LARGEST, minus, natural};
use crate::{Currency, Gender, Language, Out, Unspeakable};

/// A unit of money.
struct Unit {
    gender: Gender,
    /// Name and text of one.
    one: (&'static str, &'static str),
    /// Of several; the same name where it sounds alike.
    several: (&'static str, &'static str),
    /// Of several behind a round million, in French alone: `un million d'euros`.
    of_millions: Option<(&'static str, &'static str)>,
}

const fn unit(
    gender: Gender,
    one: (&'static str, &'static str),
    several: (&'static str, &'static str),
) -> Unit {
    Unit { gender, one, several, of_millions: None }
}

const fn unit_of(
    gender: Gender,
    one: (&'static str, &'static str),
    several: (&'static str, &'static str),
    of_millions: (&'static str, &'static str),
) -> Unit {
    Unit { gender, one, several, of_millions: Some(of_millions) }
}

fn whole(currency: Currency, language: Language) -> Unit {
    use Gender::{Feminine, Masculine, Neuter};
    match (language, currency) {
        (Language::English, Currency::Eur) => unit(Masculine, ("euro", "euro"), ("euros", "euros")),
        (Language::English, Currency::Usd) => unit(Masculine, ("dollar", "dollar"), ("dollars", "dollars")),
        (Language::English, Currency::Gbp) => unit(Masculine, ("pound", "pound"), ("pounds", "pounds")),
        (Language::German, Currency::Eur) => unit(Masculine, ("euro", "Euro"), ("euro", "Euro")),
        (Language::German, Currency::Usd) => unit(Masculine, ("dollar", "Dollar"), ("dollar", "Dollar")),
        (Language::German, Currency::Gbp) => unit(Neuter, ("pound", "Pfund"), ("pound", "Pfund")),
        (Language::French, Currency::Eur) => {
            unit_of(Masculine, ("euro", "euro"), ("euro", "euros"), ("of-euros", "d'euros"))
        }
        (Language::French, Currency::Usd) => {
            unit_of(Masculine, ("dollar", "dollar"), ("dollar", "dollars"), ("of-dollars", "de dollars"))
        }
        (Language::French, Currency::Gbp) => {
            unit_of(Feminine, ("pound", "livre"), ("pound", "livres"), ("of-pounds", "de livres"))
        }
        (Language::Spanish, Currency::Eur) => {
            unit_of(Masculine, ("euro", "euro"), ("euros", "euros"), ("of-euros", "de euros"))
        }
        (Language::Spanish, Currency::Usd) => {
            unit_of(Masculine, ("dollar", "dólar"), ("dollars", "dólares"), ("of-dollars", "de dólares"))
        }
        (Language::Spanish, Currency::Gbp) => {
            unit_of(Feminine, ("pound", "libra"), ("pounds", "libras"), ("of-pounds", "de libras"))
        }
    }
}

fn hundredth(currency: Currency, language: Language) -> Unit {
    use Gender::Masculine;
    match (language, currency) {
        (Language::English, Currency::Gbp) => unit(Masculine, ("penny", "penny"), ("pence", "pence")),
        (Language::English, _) => unit(Masculine, ("cent", "cent"), ("cents", "cents")),
        (Language::German, Currency::Gbp) => unit(Masculine, ("penny", "Penny"), ("pence", "Pence")),
        (Language::German, _) => unit(Masculine, ("cent", "Cent"), ("cent", "Cent")),
        (Language::French, Currency::Eur) => unit(Masculine, ("centime", "centime"), ("centime", "centimes")),
        (Language::French, Currency::Usd) => unit(Masculine, ("cent", "cent"), ("cent", "cents")),
        (Language::French, Currency::Gbp) => unit(Masculine, ("penny", "penny"), ("pence", "pence")),
        (Language::Spanish, Currency::Eur) => unit(Masculine, ("cent", "céntimo"), ("cents", "céntimos")),
        (Language::Spanish, Currency::Usd) => {
            unit(Masculine, ("centavo", "centavo"), ("centavos", "centavos"))
        }
        (Language::Spanish, Currency::Gbp) => unit(Masculine, ("penny", "penique"), ("pence", "peniques")),
    }
}

pub(crate) fn money(hundredths: i64, currency: Currency, out: &mut Out) -> Result<(), Unspeakable> {
    let (units, rest) = (hundredths.unsigned_abs() / 100, hundredths.unsigned_abs() % 100);
    if units > LARGEST.unsigned_abs() {
        return Err(Unspeakable::Range(hundredths));
    }
    if hundredths < 0 {
        minus(out);
    }
    if units > 0 || rest == 0 {
        amount(units, &whole(currency, out.language), out);
    }
    if units > 0 && rest > 0 {
        and(out);
    }
    if rest > 0 {
        amount(rest, &hundredth(currency, out.language), out);
    }
    Ok(())
}

fn amount(count: u64, unit: &Unit, out: &mut Out) {
    natural(count, Some(unit.gender), out);
    let is_one = count == 1 || count == 0 && out.language == Language::French;
    let several = match unit.of_millions {
        Some(of_millions) if count > 0 && count.is_multiple_of(1_000_000) => of_millions,
        _ => unit.several,
    };
    let (name, text) = if is_one { unit.one } else { several };
    out.word(name, text);
}

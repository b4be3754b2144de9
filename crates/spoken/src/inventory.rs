//! What has to be recorded.

use crate::number::LARGEST;
use crate::{Currency, Gender, Kind, Language, What, Word, say};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Every recording that things of a kind may need, sorted by name, each once.
pub fn inventory(kind: Kind, language: Language) -> &'static [Word] {
    static FOUND: [[OnceLock<Vec<Word>>; Language::ALL.len()]; Kind::ALL.len()] =
        [const { [const { OnceLock::new() }; Language::ALL.len()] }; Kind::ALL.len()];
    FOUND[kind as usize][language as usize].get_or_init(|| needed(kind, language))
}

fn needed(kind: Kind, language: Language) -> Vec<Word> {
    let mut found: BTreeMap<String, Word> = BTreeMap::new();
    let mut add = |what: What<'_>| {
        for word in say(&what, language).unwrap_or_default() {
            found.entry(word.name.clone()).or_insert(word);
        }
    };
    match kind {
        Kind::Cardinal => cardinals(&mut add),
        Kind::Ordinal => ordinals(&mut add),
        Kind::Digits => add(What::Digits("0123456789")),
        Kind::Spelled => {
            // One by one, since not every language has a name for each.
            for sign in "abcdefghijklmnopqrstuvwxyz0123456789@.-_+/äöüßñáàâïãç".chars() {
                add(What::Spelled(&sign.to_string()));
            }
        }
        Kind::Phone => {
            (0..100).for_each(|pair| add(What::Phone(&format!("+33{pair:02}"))));
        }
        Kind::Date => {
            (1..=31).for_each(|day| add(What::Date { year: 2000, month: 1, day }));
            (1..=12).for_each(|month| add(What::Date { year: 2000, month, day: 1 }));
            (1_000..3_000).for_each(|year| add(What::Date { year, month: 1, day: 1 }));
        }
        Kind::Time => {
            (0..24).for_each(|hour| add(What::Time { hour, minute: 0 }));
            (0..60).for_each(|minute| add(What::Time { hour: 1, minute }));
        }
        Kind::Duration => {
            // Each unit by itself, two together, and the thousands of days.
            for unit in [1, 60, 3_600, 86_400] {
                (0..1_000).for_each(|count| add(What::Duration { seconds: count * unit }));
            }
            (1..1_000).for_each(|count| add(What::Duration { seconds: count * 86_400_000 }));
            add(What::Duration { seconds: 61 });
        }
        Kind::Money => {
            for currency in Currency::ALL {
                (0..1_000).for_each(|hundredths| add(What::Money { hundredths, currency }));
                for units in counts() {
                    add(What::Money { hundredths: -100 * units, currency });
                }
            }
        }
    }
    found.into_values().collect()
}

/// All numbers below a thousand, and those that need a word for each power of a thousand.
fn counts() -> impl Iterator<Item = i64> {
    let scales = [1_000, 1_000_000, 1_000_000_000];
    let scaled = scales.into_iter().flat_map(|scale| (1..1_000).map(move |count| count * scale));
    (0..1_000).chain(scaled).chain([LARGEST])
}

fn cardinals(add: &mut impl FnMut(What<'_>)) {
    for gender in [None, Some(Gender::Masculine), Some(Gender::Feminine), Some(Gender::Neuter)] {
        for count in counts() {
            add(What::Cardinal { value: -count, gender });
        }
    }
}

fn ordinals(add: &mut impl FnMut(What<'_>)) {
    for gender in [None, Some(Gender::Masculine), Some(Gender::Feminine), Some(Gender::Neuter)] {
        for value in (1..2_000).chain((2..1_000).map(|thousands| thousands * 1_000)) {
            add(What::Ordinal { value, gender });
        }
    }
}

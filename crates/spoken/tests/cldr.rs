//! Numbers and years against CLDR's spell-out rules, from 0 to 1,000,000 and at 400 places up to 10¹². `cldr/make` wrote what
//! they have to be; no ICU is needed here.

use spoken::{Gender, Language, What, say};

const FILES: [(Language, &str); 4] = [
    (Language::English, include_str!("cldr/en.tsv")),
    (Language::German, include_str!("cldr/de.tsv")),
    (Language::French, include_str!("cldr/fr.tsv")),
    (Language::Spanish, include_str!("cldr/es.tsv")),
];

/// Our text of a number in a form (`cardinal-f`), without blanks and hyphens.
fn text(language: Language, form: &str, value: i64) -> String {
    let (kind, gender) = form.split_once('-').map_or((form, None), |(kind, mark)| {
        let gender = match mark {
            "m" => Gender::Masculine,
            "f" => Gender::Feminine,
            _ => Gender::Neuter,
        };
        (kind, Some(gender))
    });
    let words = match kind {
        "cardinal" => say(&What::Cardinal { value, gender }, language),
        "ordinal" => say(&What::Ordinal { value, gender }, language),
        _ => return year(language, value),
    };
    let text = words.expect("it can be said").into_iter().map(|word| word.text).collect::<Vec<_>>().join(" ");
    normal(language, kind, &text)
}

/// A year is what a date ends with.
fn year(language: Language, value: i64) -> String {
    let date = |year| say(&What::Date { year, month: 1, day: 2 }, language).expect("a date");
    let whole = date(u16::try_from(value).expect("a year"));
    // Day and month are two words, and in Spanish the year has a `de`.
    let before = if language == Language::Spanish { 3 } else { 2 };
    let text = whole.into_iter().skip(before).map(|word| word.text).collect::<Vec<_>>().join(" ");
    normal(language, "year", &text)
}

/// Without blanks and hyphens. In French without what CLDR has wrong, see `cldr/make`.
fn normal(language: Language, kind: &str, text: &str) -> String {
    let words = text.split([' ', '-']);
    if language != Language::French {
        return words.collect();
    }
    let words = words.filter(|word| kind != "ordinal" || *word != "et");
    words
        .map(|word| if matches!(word, "vingts" | "cents") { word.trim_end_matches('s') } else { word })
        .collect()
}

/// FNV-1a over texts that each end with a line feed.
fn hash(texts: impl Iterator<Item = String>) -> u64 {
    let bytes = texts.flat_map(|text| text.into_bytes().into_iter().chain([b'\n']));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn check(language: Language, file: &str) -> usize {
    let (mut checked, mut form) = (0, "");
    for line in file.lines().filter(|line| !line.starts_with('#')) {
        let number = |text: &str| text.parse::<i64>().expect("a number");
        match line.split('\t').collect::<Vec<_>>().as_slice() {
            ["form", name] => form = name,
            [value, expected] => {
                assert_eq!(text(language, form, number(value)), *expected, "{language:?} {form} {value}");
                checked += 1;
            }
            [first, last, expected] => {
                let texts = (number(first)..=number(last)).map(|value| text(language, form, value));
                let found = format!("{:08x}", hash(texts) & 0xffff_ffff);
                assert_eq!(found, *expected, "{language:?} {form} {first} to {last}");
                checked += 1;
            }
            _ => panic!("{line}"),
        }
    }
    checked
}

#[test]
fn english_is_that_of_cldr() {
    assert!(check(FILES[0].0, FILES[0].1) > 4_500);
}

#[test]
fn german_is_that_of_cldr() {
    assert!(check(FILES[1].0, FILES[1].1) > 14_000);
}

#[test]
fn french_is_that_of_cldr() {
    assert!(check(FILES[2].0, FILES[2].1) > 9_000);
}

#[test]
fn spanish_is_that_of_cldr() {
    assert!(check(FILES[3].0, FILES[3].1) > 11_000);
}

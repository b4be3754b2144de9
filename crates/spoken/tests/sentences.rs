//! What is said besides plain numbers.

use spoken::{Currency, Gender, Kind, Language, Unspeakable, What, inventory, say};
use std::collections::HashSet;

/// The text of what is said in each of [`Language::ALL`]; a pause is a comma.
fn texts(what: What<'_>) -> [String; 4] {
    Language::ALL.map(|language| {
        let words = say(&what, language).expect("it can be said");
        let text: Vec<_> =
            words.iter().map(|word| if word.name == "pause" { "," } else { &word.text }).collect();
        text.join(" ")
    })
}

const fn euros(hundredths: i64) -> What<'static> {
    What::Money { hundredths, currency: Currency::Eur }
}

#[test]
fn days_are_read_as_each_language_reads_them() {
    let date = |year, month, day| texts(What::Date { year, month, day });
    assert_eq!(
        date(2026, 1, 1),
        [
            "January first twenty twenty six",
            "erster Januar zwei tausend sechsundzwanzig",
            "premier janvier deux mille vingt-six",
            "uno de enero de dos mil veintiséis"
        ]
    );
    assert_eq!(
        date(1905, 12, 31),
        [
            "December thirty first nineteen oh five",
            "einunddreißigster Dezember neunzehn hundert fünf",
            "trente et un décembre mille neuf cent cinq",
            "treinta y uno de diciembre de mil novecientos cinco"
        ]
    );
}

#[test]
fn there_are_only_days_of_the_calendar() {
    let date =
        |year, month, day| say(&What::Date { year, month, day }, Language::German).map(|words| words.len());
    assert!(date(2024, 2, 29).is_ok() && date(2000, 2, 29).is_ok());
    for (year, month, day) in
        [(2026, 2, 29), (1900, 2, 29), (2026, 4, 31), (2026, 13, 1), (2026, 0, 1), (2026, 1, 0)]
    {
        assert_eq!(date(year, month, day), Err(Unspeakable::Moment), "{year}-{month}-{day}");
    }
    assert_eq!(date(999, 1, 1), Err(Unspeakable::Moment));
    assert_eq!(date(3000, 1, 1), Err(Unspeakable::Moment));
}

#[test]
fn times_of_day() {
    let time = |hour, minute| texts(What::Time { hour, minute });
    assert_eq!(
        time(9, 5),
        ["nine oh five a.m.", "neun Uhr fünf", "neuf heures cinq", "las nueve y cinco de la mañana"]
    );
    assert_eq!(time(1, 0), ["one a.m.", "ein Uhr", "une heure", "la una de la madrugada"]);
    assert_eq!(
        time(21, 21),
        [
            "nine twenty one p.m.",
            "einundzwanzig Uhr einundzwanzig",
            "vingt et une heures vingt et un",
            "las nueve y veintiuno de la noche"
        ]
    );
    assert_eq!(time(12, 0)[0], "twelve p.m.");
    assert_eq!(
        time(0, 30),
        ["twelve thirty a.m.", "null Uhr dreißig", "zéro heure trente", "las doce y treinta de la madrugada"]
    );
    for (hour, minute) in [(24, 0), (0, 60)] {
        assert_eq!(say(&What::Time { hour, minute }, Language::English), Err(Unspeakable::Moment));
    }
}

#[test]
fn durations_have_the_genders_of_their_units() {
    let duration = |seconds| texts(What::Duration { seconds });
    assert_eq!(
        duration(86_400 + 3_600 + 21 * 60 + 1),
        [
            "one day one hour twenty one minutes and one second",
            "ein Tag eine Stunde einundzwanzig Minuten und eine Sekunde",
            "un jour une heure vingt et une minutes et une seconde",
            "un día una hora veintiún minutos y un segundo"
        ]
    );
    assert_eq!(duration(0), ["zero seconds", "null Sekunden", "zéro seconde", "cero segundos"]);
    assert_eq!(duration(120), ["two minutes", "zwei Minuten", "deux minutes", "dos minutos"]);
    assert_eq!(say(&What::Duration { seconds: -1 }, Language::English), Err(Unspeakable::Range(-1)));
}

#[test]
fn money() {
    assert_eq!(
        texts(euros(2_101)),
        [
            "twenty one euros and one cent",
            "einundzwanzig Euro und ein Cent",
            "vingt et un euros et un centime",
            "veintiún euros y un céntimo"
        ]
    );
    assert_eq!(
        texts(euros(200_000_000)),
        ["two million euros", "zwei Millionen Euro", "deux millions d'euros", "dos millones de euros"]
    );
    assert_eq!(
        texts(What::Money { hundredths: 20_102, currency: Currency::Gbp }),
        [
            "two hundred one pounds and two pence",
            "zweihundert ein Pfund und zwei Pence",
            "deux cent une livres et deux pence",
            "doscientas una libras y dos peniques"
        ]
    );
    assert_eq!(
        texts(euros(-50)),
        ["minus fifty cents", "minus fünfzig Cent", "moins cinquante centimes", "menos cincuenta céntimos"]
    );
    assert_eq!(texts(euros(0)), ["zero euros", "null Euro", "zéro euro", "cero euros"]);
    let dollar = texts(What::Money { hundredths: 100, currency: Currency::Usd });
    assert_eq!(dollar, ["one dollar", "ein Dollar", "un dollar", "un dólar"]);
}

#[test]
fn telephone_numbers_are_read_in_groups() {
    assert_eq!(
        texts(What::Phone("+34 911 000-123")),
        [
            "plus three four , nine one one , zero zero zero , one two three",
            "plus drei vier , neun eins eins , null null , null eins , zwei drei",
            "plus trente-quatre , neuf , onze , zéro zéro , zéro un , vingt-trois",
            "más tres cuatro , nueve uno uno , cero cero cero , uno dos tres"
        ]
    );
    let unspeakable = say(&What::Phone("911x"), Language::French);
    assert_eq!(unspeakable, Err(Unspeakable::Sign('x')));
    assert_eq!(texts(What::Phone("1234"))[0], "one two three four");
    assert_eq!(texts(What::Phone("+15550100"))[0], "plus one , five five five , zero one zero zero");
}

#[test]
fn letters_and_digits_one_by_one() {
    assert_eq!(
        texts(What::Digits("10 4-2")),
        ["one zero four two", "eins null vier zwei", "un zéro quatre deux", "uno cero cuatro dos"]
    );
    assert_eq!(say(&What::Digits("1.2"), Language::English), Err(Unspeakable::Sign('.')));
    assert_eq!(say(&What::Digits(" "), Language::English), Err(Unspeakable::Empty));
    assert_eq!(
        texts(What::Spelled("Ä1 é@")),
        [
            "A umlaut one E acute at",
            "Ä eins E Akut at",
            "A tréma un E accent aigu arobase",
            "A con diéresis uno E con acento arroba"
        ]
    );
    assert_eq!(say(&What::Spelled("漢"), Language::English), Err(Unspeakable::Sign('漢')));
}

#[test]
fn numbers_end_somewhere() {
    let largest = 1_000_000_000_000;
    let cardinal =
        |value| say(&What::Cardinal { value, gender: None }, Language::Spanish).map(|words| words.len());
    assert_eq!((cardinal(largest), cardinal(-largest)), (Ok(2), Ok(3)));
    assert_eq!(cardinal(largest + 1), Err(Unspeakable::Range(largest + 1)));
    assert_eq!(cardinal(i64::MIN), Err(Unspeakable::Range(i64::MIN)));
    for value in [0, -1, 1_000_000] {
        let ordinal = say(&What::Ordinal { value, gender: Some(Gender::Feminine) }, Language::German);
        assert_eq!(ordinal, Err(Unspeakable::Range(value)));
    }
    assert!(matches!(say(&euros(i64::MIN), Language::English), Err(Unspeakable::Range(_))));
}

/// Names in the inventory of a kind.
fn names(kind: Kind, language: Language) -> HashSet<String> {
    inventory(kind, language).iter().map(|word| word.name.clone()).collect()
}

#[test]
fn the_inventory_has_every_word() {
    for language in Language::ALL {
        let has = |kind, what: What<'_>| {
            let known = names(kind, language);
            let words = say(&what, language).expect("it can be said");
            let missing = words.into_iter().find(|word| !known.contains(&word.name));
            assert_eq!(missing, None, "{what:?}");
        };
        for value in [999_999_999_999, 101_021_001_071, 21_000_000, 1_001_001_001_i64] {
            for gender in [None, Some(Gender::Masculine), Some(Gender::Feminine), Some(Gender::Neuter)] {
                has(Kind::Cardinal, What::Cardinal { value, gender });
                has(Kind::Ordinal, What::Ordinal { value: value % 999_999 + 1, gender });
            }
            has(Kind::Duration, What::Duration { seconds: value % 86_400_000_000 });
            for currency in Currency::ALL {
                has(Kind::Money, What::Money { hundredths: value * 100 + 21, currency });
            }
        }
        has(Kind::Phone, What::Phone("+4930123456789012"));
        has(Kind::Spelled, What::Spelled("áéíóúýàèìòùâêîôûäëïöüÿãñõç"));
    }
}

#[test]
fn names_are_unique_and_fit_for_files() {
    for language in Language::ALL {
        let all: HashSet<String> = Kind::ALL.into_iter().flat_map(|kind| names(kind, language)).collect();
        assert!(all.len() > 150, "{}", all.len());
        assert!(
            all.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')),
            "{all:?}"
        );
    }
}

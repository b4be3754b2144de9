//! Days, times of day and durations.

use crate::number::{natural, of, ordinal};
use crate::{Gender, Language, Out, Unspeakable, english, german};

const MONTHS: [(Language, [&str; 12]); 4] = [
    (
        Language::English,
        [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ],
    ),
    (
        Language::German,
        [
            "Januar",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ],
    ),
    (
        Language::French,
        [
            "janvier",
            "février",
            "mars",
            "avril",
            "mai",
            "juin",
            "juillet",
            "août",
            "septembre",
            "octobre",
            "novembre",
            "décembre",
        ],
    ),
    (
        Language::Spanish,
        [
            "de enero",
            "de febrero",
            "de marzo",
            "de abril",
            "de mayo",
            "de junio",
            "de julio",
            "de agosto",
            "de septiembre",
            "de octubre",
            "de noviembre",
            "de diciembre",
        ],
    ),
];

const YEARS: std::ops::RangeInclusive<u16> = 1_000..=2_999;
const DAY: i64 = 86_400;
const MOST_DAYS: i64 = 999_999;

pub(crate) fn date(year: u16, month: u8, day: u8, out: &mut Out) -> Result<(), Unspeakable> {
    if !YEARS.contains(&year) || day == 0 || day > days(year, month) {
        return Err(Unspeakable::Moment);
    }
    let day = u64::from(day);
    match out.language {
        Language::English => {
            name_of_month(month, out);
            english::ordinal(day, out);
            english::year(year.into(), out);
        }
        Language::German => {
            german::ordinal(day, Some(Gender::Masculine), out);
            name_of_month(month, out);
            german::year(year.into(), out);
        }
        Language::French => {
            if day == 1 {
                ordinal(1, None, out)?
            } else {
                natural(day, None, out)
            }
            name_of_month(month, out);
            natural(year.into(), None, out);
        }
        Language::Spanish => {
            natural(day, None, out);
            name_of_month(month, out);
            out.word("of", "de");
            natural(year.into(), None, out);
        }
    }
    Ok(())
}

/// How many days a month has; none if there is no such month.
fn days(year: u16, month: u8) -> u8 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u8::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

fn name_of_month(month: u8, out: &mut Out) {
    let names = MONTHS.iter().find(|(language, _)| *language == out.language).map(|(_, names)| names);
    let place = u64::from(month.saturating_sub(1));
    let text = names.map_or("", |names| of(names, place));
    out.word(format!("month-{month}"), text);
}

pub(crate) fn time(hour: u8, minute: u8, out: &mut Out) -> Result<(), Unspeakable> {
    if hour > 23 || minute > 59 {
        return Err(Unspeakable::Moment);
    }
    let (hour, minute) = (u64::from(hour), u64::from(minute));
    let on_the_dial = if hour.is_multiple_of(12) { 12 } else { hour % 12 };
    match out.language {
        Language::English => {
            natural(on_the_dial, None, out);
            if minute > 0 {
                english::minutes(minute, out);
            }
            if hour < 12 { out.word("am", "a.m.") } else { out.word("pm", "p.m.") }
        }
        Language::German => {
            natural(hour, Some(Gender::Masculine), out);
            out.word("oclock", "Uhr");
            if minute > 0 {
                natural(minute, None, out);
            }
        }
        Language::French => {
            natural(hour, Some(Gender::Feminine), out);
            out.word("hour", if hour < 2 { "heure" } else { "heures" });
            if minute > 0 {
                natural(minute, None, out);
            }
        }
        Language::Spanish => spanish_time(hour, on_the_dial, minute, out),
    }
    Ok(())
}

fn spanish_time(hour: u64, on_the_dial: u64, minute: u64, out: &mut Out) {
    if on_the_dial == 1 {
        out.word("the", "la")
    } else {
        out.word("the-many", "las")
    }
    natural(on_the_dial, Some(Gender::Feminine), out);
    if minute > 0 {
        out.word("and", "y");
        natural(minute, None, out);
    }
    match hour {
        0..6 => out.word("at-night", "de la madrugada"),
        6..12 => out.word("am", "de la mañana"),
        12..20 => out.word("pm", "de la tarde"),
        _ => out.word("in-the-evening", "de la noche"),
    }
}

/// What is counted: gender, name and text of one, and of several.
type Unit = (Gender, (&'static str, &'static str), (&'static str, &'static str));

/// Days, hours, minutes, seconds. What sounds alike in French is one recording.
const fn units(language: Language) -> [Unit; 4] {
    use Gender::{Feminine, Masculine};
    match language {
        Language::English => [
            (Masculine, ("day", "day"), ("days", "days")),
            (Masculine, ("hour", "hour"), ("hours", "hours")),
            (Masculine, ("minute", "minute"), ("minutes", "minutes")),
            (Masculine, ("second", "second"), ("seconds", "seconds")),
        ],
        Language::German => [
            (Masculine, ("day", "Tag"), ("days", "Tage")),
            (Feminine, ("hour", "Stunde"), ("hours", "Stunden")),
            (Feminine, ("minute", "Minute"), ("minutes", "Minuten")),
            (Feminine, ("second", "Sekunde"), ("seconds", "Sekunden")),
        ],
        Language::French => [
            (Masculine, ("day", "jour"), ("day", "jours")),
            (Feminine, ("hour", "heure"), ("hour", "heures")),
            (Feminine, ("minute", "minute"), ("minute", "minutes")),
            (Feminine, ("second", "seconde"), ("second", "secondes")),
        ],
        Language::Spanish => [
            (Masculine, ("day", "día"), ("days", "días")),
            (Feminine, ("hour", "hora"), ("hours", "horas")),
            (Masculine, ("minute", "minuto"), ("minutes", "minutos")),
            (Masculine, ("second", "segundo"), ("seconds", "segundos")),
        ],
    }
}

pub(crate) fn duration(seconds: i64, out: &mut Out) -> Result<(), Unspeakable> {
    if !(0..=MOST_DAYS * DAY).contains(&seconds) {
        return Err(Unspeakable::Range(seconds));
    }
    let counts =
        [seconds / DAY, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60].map(i64::unsigned_abs);
    let last = counts.iter().rposition(|count| *count > 0).unwrap_or(3);
    let parts = counts.iter().filter(|count| **count > 0).count();
    for (place, (count, (gender, one, several))) in counts.into_iter().zip(units(out.language)).enumerate() {
        if count == 0 && !(parts == 0 && place == last) {
            continue;
        }
        if parts > 1 && place == last {
            and(out);
        }
        natural(count, Some(gender), out);
        let is_one = count == 1 || count == 0 && out.language == Language::French;
        let (name, text) = if is_one { one } else { several };
        out.word(name, text);
    }
    Ok(())
}

/// Before the last of several.
pub(crate) fn and(out: &mut Out) {
    let text = match out.language {
        Language::English => "and",
        Language::German => "und",
        Language::French => "et",
        Language::Spanish => "y",
    };
    out.word("and", text);
}

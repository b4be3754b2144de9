//! Numbers, dates, money and so on as the recorded words of four languages; pure.
//!
//! [`say`] turns [`What`] is to be said into [`Word`]s by the grammar of a [`Language`]; each is a recording, and played one
//! after the other they are the sentence. Numbers below 100, hundreds and days are recorded whole, so that speech flows.
//! [`inventory`] lists every recording that a [`Kind`] may need, with the text to be recorded: it is made by [`say`] itself.
//!
//! Grammar is that of Unicode CLDR's spell-out rules, which the tests hold it against.

mod calendar;
mod english;
mod french;
mod german;
mod inventory;
mod money;
mod number;
mod signs;
mod spanish;
mod unspeakable;
mod what;

pub use inventory::inventory;
pub use unspeakable::Unspeakable;
pub use what::{Currency, Gender, Kind, What};

use std::fmt;

/// What is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// American English: `one hundred one`, the month before the day.
    English,
    /// German.
    German,
    /// French of France: `soixante-dix`.
    French,
    /// Spanish of Spain: `uno de enero`.
    Spanish,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::English, Self::German, Self::French, Self::Spanish];

    /// ISO 639-1: `en`, `de`, `fr`, `es`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::French => "fr",
            Self::Spanish => "es",
        }
    }

    /// The language of that code.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }
}

/// One recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The language, and with it the folder of the recording.
    pub language: Language,
    /// Its name there, without `.wav`: `20`, `month-1`.
    pub name: String,
    /// How it is written here. What sounds alike is one recording: `quatre-vingt` and `quatre-vingts`.
    pub text: String,
}

impl fmt::Display for Word {
    /// As prompts are named: `en/20`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.language.code(), self.name)
    }
}

/// The words for something, at least one.
///
/// # Errors
/// It is outside of what can be said: see each of [`What`].
pub fn say(what: &What<'_>, language: Language) -> Result<Vec<Word>, Unspeakable> {
    let mut out = Out { language, words: Vec::new() };
    match *what {
        What::Cardinal { value, gender } => number::cardinal(value, gender, &mut out)?,
        What::Ordinal { value, gender } => number::ordinal(value, gender, &mut out)?,
        What::Digits(text) => signs::digits(text, &mut out)?,
        What::Spelled(text) => signs::spelled(text, &mut out)?,
        What::Phone(text) => signs::phone(text, &mut out)?,
        What::Date { year, month, day } => calendar::date(year, month, day, &mut out)?,
        What::Time { hour, minute } => calendar::time(hour, minute, &mut out)?,
        What::Duration { seconds } => calendar::duration(seconds, &mut out)?,
        What::Money { hundredths, currency } => money::money(hundredths, currency, &mut out)?,
    }
    if out.words.is_empty() { Err(Unspeakable::Empty) } else { Ok(out.words) }
}

/// Words being put together.
struct Out {
    language: Language,
    words: Vec<Word>,
}

impl Out {
    fn word(&mut self, name: impl Into<String>, text: impl Into<String>) {
        self.words.push(Word { language: self.language, name: name.into(), text: text.into() });
    }
}

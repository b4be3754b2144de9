//! Numbers between the dialplan, which has E.164 with its `+`, and what a trunk writes.

mod country;
#[cfg(test)]
mod tests;

pub(crate) use country::COUNTRIES;
pub use country::Country;

use crate::number;
use std::sync::Arc;

/// E.164 section 6.2.
const LONGEST_E164: usize = 15;

/// How a trunk writes numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbering {
    /// Where its numbers without a country code are.
    pub country: &'static Country,
    /// What its numbers without `+` or prefix are where they could be both.
    pub receive: Bare,
    /// What it puts before numbers, and is taken off.
    pub strip: Vec<Arc<str>>,
    /// How it wants numbers.
    pub send: Format,
    /// What it wants before them; taken off what comes from it, too.
    pub prefix: Arc<str>,
}

/// A number that has neither `+` nor prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bare {
    /// With its country code.
    E164,
    /// Without.
    National,
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `34911000100`
    E164,
    /// `+34911000100`
    PlusE164,
    /// `030123456`, and those of other countries as in [`Format::International`].
    National,
    /// `0034911000100`
    International,
}

impl Numbering {
    /// What comes from the trunk, the user part of a URI, as E.164 with `+`. Names, extensions and what fits no plan
    /// stay as they are.
    pub fn inbound(&self, user: &str) -> String {
        let own = std::iter::once(&self.prefix).filter(|prefix| !prefix.is_empty());
        let prefixes = self.strip.iter().chain(own);
        let longest =
            prefixes.filter(|prefix| user.starts_with(&***prefix)).max_by_key(|prefix| prefix.len());
        let rest = longest.map_or(user, |prefix| &user[prefix.len()..]);
        // A number that is nothing but the prefix is a number.
        let rest = if rest.is_empty() { user } else { rest };
        self.e164(rest).unwrap_or_else(|| rest.to_owned())
    }

    /// A number to be called as the trunk wants it, for the user part of a SIP URI. What is no number is left as it is;
    /// an extension has only the prefix before it.
    pub fn called(&self, number: &str) -> String {
        if number::cleaned(number).is_none() {
            return number.to_owned();
        }
        // RFC 3261 section 25.1: the user part has no `#`.
        self.prefix.replace('#', "%23") + &self.calling(number)
    }

    /// What [`Numbering::called`] was made of, in E.164 if it is a number of a country.
    pub fn sent(&self, user: &str) -> String {
        let prefix = self.prefix.replace('#', "%23");
        let rest = user.strip_prefix(&*prefix).filter(|rest| !rest.is_empty()).unwrap_or(user);
        if self.send == Format::E164 && number::cleaned(rest).is_some_and(|(plus, _)| !plus) {
            let whole = format!("+{rest}");
            return self.e164(&whole).unwrap_or_else(|| rest.to_owned());
        }
        let sent = Self { receive: Bare::National, ..self.clone() };
        sent.e164(rest).unwrap_or_else(|| rest.to_owned())
    }

    /// A caller's number as the trunk wants it, without the prefix that chooses a route.
    pub fn calling(&self, number: &str) -> String {
        let Some(e164) = self.e164(number) else { return number.to_owned() };
        let digits = e164.trim_start_matches('+');
        let Country { code, international, trunk, length, .. } = self.country;
        let own = digits.strip_prefix(code).filter(|rest| length.contains(&rest.len()));
        match (self.send, own) {
            (Format::E164, _) => digits.to_owned(),
            (Format::PlusE164, _) => format!("+{digits}"),
            (Format::National, Some(national)) => format!("{trunk}{national}"),
            (Format::National, None) | (Format::International, _) => {
                format!("{international}{digits}")
            }
        }
    }

    /// `None` if it is no number, or too short or too long for one of a country.
    pub(crate) fn e164(&self, text: &str) -> Option<String> {
        let (plus, digits) = number::cleaned(text)?;
        let Country { code, international, trunk, length, .. } = self.country;
        let fits = |rest: &&str| length.contains(&rest.len());
        let whole = |digits: &str| {
            let is_whole = (*length.start()..=LONGEST_E164).contains(&digits.len());
            (is_whole && !digits.starts_with('0')).then(|| format!("+{digits}"))
        };
        if plus {
            return whole(&digits);
        }
        if let Some(found) = digits.strip_prefix(international).and_then(whole) {
            return Some(found);
        }
        let national = |rest: &str| format!("+{code}{rest}");
        if let Some(rest) = digits.strip_prefix(trunk).filter(|_| !trunk.is_empty()).filter(fits) {
            return Some(national(rest));
        }
        let as_national = || Some(&*digits).filter(fits).map(national);
        let as_e164 = || digits.strip_prefix(code).filter(fits).map(national);
        let found = match self.receive {
            Bare::E164 => as_e164().or_else(as_national),
            Bare::National => as_national().or_else(as_e164),
        };
        let is_foreign = digits.len() > *length.end();
        found.or_else(|| whole(&digits).filter(|_| is_foreign))
    }
}

//! What a client's calls out may cost before somebody has to look: whoever has stolen a password calls far and long.

use crate::faults::Faults;
use crate::fields::Fields;
use crate::node::country;
use crate::number;
use crate::numbering::{Bare, Country, Format, Numbering};
use crate::yaml::{Key, Node};

const MOST_CALLS: u32 = 1_000_000;
const MOST_MINUTES: u32 = 10_000_000;

/// The limits of a client's calls by trunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fraud {
    home: &'static Country,
    /// Prefixes in E.164 that may be called; all if there are none. Of these and the barred ones the longest counts.
    allowed: Vec<Box<str>>,
    barred: Vec<Box<str>>,
    /// Of all its calls together.
    pub client: Spending,
    /// Of those of each user.
    pub user: Spending,
}

/// What may be used; without bound where nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spending {
    /// Calls begun within any hour.
    pub calls_per_hour: Option<u32>,
    /// Minutes talked within any hour; no further call begins then.
    pub minutes_per_hour: Option<u32>,
    /// Calls to other countries at once.
    pub international: Option<u32>,
}

impl Fraud {
    /// Whether a number may be called. Services and extensions, what is shorter than the numbers of the country, may always.
    pub fn permits(&self, number: &str) -> bool {
        let Some(number) = self.e164(number) else { return true };
        let longest = |prefixes: &[Box<str>]| {
            let fitting = prefixes.iter().filter(|prefix| number.starts_with(&***prefix));
            fitting.map(|prefix| prefix.len()).max()
        };
        let (allowed, barred) = (longest(&self.allowed), longest(&self.barred));
        (self.allowed.is_empty() || allowed.is_some()) && allowed.unwrap_or(0) >= barred.unwrap_or(0)
    }

    /// Whether a number is in another country. Countries that share a code (`+1`) count as one.
    pub fn is_abroad(&self, number: &str) -> bool {
        let code = self.home.code();
        self.e164(number)
            .is_some_and(|number| !number.strip_prefix('+').is_some_and(|digits| digits.starts_with(code)))
    }

    /// A number as E.164; one that is too long for the country and fits no plan as if its digits were that.
    fn e164(&self, text: &str) -> Option<String> {
        let numbering = Numbering {
            country: self.home,
            receive: Bare::National,
            strip: Vec::new(),
            send: Format::PlusE164,
            prefix: "".into(),
        };
        let (plus, digits) = number::cleaned(text)?;
        numbering
            .e164(text)
            .or_else(|| (plus || digits.len() > self.home.longest()).then(|| format!("+{digits}")))
    }
}

pub(crate) fn read(key: &Key, node: &Node, faults: &mut Faults<'_>) -> Option<Fraud> {
    const KNOWN: [&str; 7] =
        ["country", "destinations", "barred", "calls_per_hour", "minutes_per_hour", "international", "user"];
    let fields = Fields::of(node, key.span, "`fraud`", &KNOWN, faults)?;
    let home = fields.require("country", faults).and_then(|node| country(node, faults));
    let mut prefixes = |name: &str| -> Vec<Box<str>> {
        let nodes = fields.get(name).map_or(&[][..], Node::items);
        nodes.iter().filter_map(|node| prefix(node, name, faults)).collect()
    };
    let (allowed, barred) = (prefixes("destinations"), prefixes("barred"));
    let client = spending(&fields, faults);
    let user = fields.entry("user").and_then(|(key, node)| {
        let known = ["calls_per_hour", "minutes_per_hour", "international"];
        Some(spending(&Fields::of(node, key.span, "`user`", &known, faults)?, faults))
    });
    Some(Fraud { home: home?, allowed, barred, client, user: user.unwrap_or_default() })
}

fn spending(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Spending {
    let mut number = |name: &str, from, most| {
        fields.get(name).and_then(|node| node.number(&format!("`{name}`"), from, most, faults))
    };
    Spending {
        calls_per_hour: number("calls_per_hour", 1, MOST_CALLS),
        minutes_per_hour: number("minutes_per_hour", 1, MOST_MINUTES),
        international: number("international", 0, MOST_CALLS),
    }
}

/// `+34`, `+34 803`.
fn prefix(node: &Node, field: &str, faults: &mut Faults<'_>) -> Option<Box<str>> {
    let text = node.text(&format!("a prefix of `{field}`"), faults)?;
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.')).collect();
    let is_prefix = digits
        .strip_prefix('+')
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    if !is_prefix {
        faults.hinted(
            node.span,
            format!("`{text}` is not the beginning of an international number"),
            "write it with its country code: \"+34\" or \"+34 803\"",
        );
        return None;
    }
    Some(digits.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fraud(allowed: &[&str], barred: &[&str]) -> Fraud {
        let boxed = |prefixes: &[&str]| prefixes.iter().map(|prefix| Box::from(*prefix)).collect();
        Fraud {
            home: Country::find("ES").expect("Spain"),
            allowed: boxed(allowed),
            barred: boxed(barred),
            client: Spending::default(),
            user: Spending::default(),
        }
    }

    #[test]
    fn of_what_is_allowed_and_barred_the_longest_prefix_counts() {
        let fraud = fraud(&["+34", "+44", "+34803111"], &["+34803", "+447"]);
        for (number, permitted) in [
            ("+34911000100", true),
            ("911000100", true),
            ("+34803000100", false),
            ("803000100", false),
            ("00 34 803 111 000", true),
            ("+442012345678", true),
            ("00447700900123", false),
            ("+88216000000", false),
            ("0088216000000", false),
        ] {
            assert_eq!(fraud.permits(number), permitted, "{number}");
        }
    }

    #[test]
    fn services_extensions_and_names_may_always_be_called() {
        let fraud = fraud(&["+34"], &[]);
        assert!(["112", "061", "ivr", "4711"].into_iter().all(|number| fraud.permits(number)));
        assert!(!["112", "061", "ivr", "4711"].into_iter().any(|number| fraud.is_abroad(number)));
    }

    #[test]
    fn without_destinations_all_is_allowed_that_is_not_barred() {
        let fraud = fraud(&[], &["+882"]);
        assert!(fraud.permits("+442012345678") && !fraud.permits("+88216000000"));
    }

    #[test]
    fn abroad_is_every_other_country_code() {
        let fraud = fraud(&[], &[]);
        let abroad = ["+34911000100", "911000100", "+442012345678", "00442012345678", "99999999999999"];
        assert_eq!(abroad.map(|number| fraud.is_abroad(number)), [false, false, true, true, true]);
    }
}

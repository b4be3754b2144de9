//! Who calls: what an INVITE says of its caller, and how much of it is believed.

use crate::inbound::user_part;
use dialplan::{Attestation, Claim, Trunk, User, Verstat};
use sip::{Message, Name, NameAddr, Uri};
use std::sync::Arc;

/// What stands for a number that is not told.
pub(crate) const ANONYMOUS: &str = "anonymous";
/// A longer display name is cut: a phone shows no more.
const LONGEST_DISPLAY: usize = 64;

/// Who calls, as others may be told.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// The number in E.164, or the user's name; [`ANONYMOUS`] where it is withheld or none can be read.
    pub(crate) number: Arc<str>,
    /// For people.
    pub(crate) display: Option<Arc<str>>,
    /// Whether it is outside: it came by a trunk.
    pub(crate) outside: bool,
    /// The caller wants nobody to be told its number (RFC 3323).
    pub(crate) withheld: bool,
    /// The client's number that its calls show on trunks.
    pub(crate) shown: Option<Arc<str>>,
    /// The number that has passed the call on to the one dialled; empty if none did.
    pub(crate) diverted_by: Arc<str>,
    /// Whether somebody answers for the caller, and how well.
    pub(crate) word: (Verstat, Option<Attestation>),
}

impl Identity {
    /// As a trunk says it.
    pub(crate) fn told_by(trunk: &Trunk, message: &Message) -> Self {
        let from = message.from().ok();
        let asserted = asserted_to(trunk, message);
        let withheld = is_withheld(message);
        let display = [asserted, from].into_iter().flatten().find_map(|address| display(&address));
        let number = claimed_number(trunk, message).filter(|_| !withheld);
        let e164 = |user: String| trunk.inbound(&user).into();
        Self {
            number: number.map_or_else(|| ANONYMOUS.into(), e164),
            display: display.filter(|_| !withheld),
            outside: true,
            withheld,
            shown: None,
            diverted_by: diverted_by(message).map(e164).unwrap_or_default(),
            word: (Verstat::None, None),
        }
    }

    /// As a user has proved it, whatever its From says.
    pub(crate) fn of_user(user: &User, message: &Message) -> Self {
        Self {
            number: Arc::clone(&user.name),
            display: user.display_name.clone(),
            outside: false,
            withheld: is_withheld(message),
            shown: user.caller_id.clone(),
            diverted_by: Arc::default(),
            word: (Verstat::None, None),
        }
    }
}

/// The caller's number as a trunk writes it, withheld or not.
pub(crate) fn claimed_number(trunk: &Trunk, message: &Message) -> Option<String> {
    number(&asserted_to(trunk, message).or_else(|| message.from().ok())?)
}

/// P-Asserted-Identity, where it counts.
fn asserted_to<'m>(trunk: &Trunk, message: &'m Message) -> Option<NameAddr<'m>> {
    match trunk.caller_id.receive {
        Claim::Asserted => asserted(message),
        Claim::From => None,
    }
}

/// RFC 3323 section 4.2: every value but `none` and `critical` hides something. A caller may also have done it itself
/// (section 4.1.1.3).
fn is_withheld(message: &Message) -> bool {
    let hides = |value: &str| !["none", "critical", ""].iter().any(|it| value.eq_ignore_ascii_case(it));
    let values = message.header_values(Name::Privacy).flat_map(|value| value.split(';'));
    let from = message.from().ok();
    let user = from.as_ref().map(|from| user_part(from.uri_text()));
    user.is_some_and(|user| user.eq_ignore_ascii_case(ANONYMOUS)) || values.map(str::trim).any(hides)
}

/// RFC 3325 section 9.1: one value, or a SIP and a telephone URI.
fn asserted(message: &Message) -> Option<NameAddr<'_>> {
    let mut values = message.header_values(Name::PAssertedIdentity);
    values.find_map(|value| {
        NameAddr::parse(Name::PAssertedIdentity, value).ok().filter(|it| number(it).is_some())
    })
}

/// Who has passed the call on last: the first Diversion (RFC 5806 section 3.2), or what History-Info tells (RFC 7044).
fn diverted_by(message: &Message) -> Option<String> {
    let mut diversions = message.header_values(Name::Diversion);
    let first = diversions.find_map(|value| number(&NameAddr::parse(Name::Diversion, value).ok()?));
    first.or_else(|| from_history(message))
}

/// The number of the last entry that was mapped to another one: the entry that names it by `mp` (RFC 7044 section 10.2),
/// or the one before an entry whose URI has a cause (RFC 4458).
fn from_history(message: &Message) -> Option<String> {
    let entries = message.header_values(Name::HistoryInfo);
    let entries: Vec<_> = entries.filter_map(|it| NameAddr::parse(Name::HistoryInfo, it).ok()).collect();
    let (place, mapped) =
        entries.iter().enumerate().rfind(|(_, entry)| entry.param("mp").is_some() || has_cause(entry))?;
    let from = match mapped.param("mp") {
        Some(index) => entries.iter().find(|entry| entry.param("index") == Some(index))?,
        None => entries.get(place.checked_sub(1)?)?,
    };
    number(from)
}

fn has_cause(entry: &NameAddr<'_>) -> bool {
    entry.uri().is_ok_and(|uri| uri.as_sip().is_some_and(|sip| sip.params.has("cause")))
}

/// The user part, if it can stand in a URI of ours unescaped.
fn number(address: &NameAddr<'_>) -> Option<String> {
    let uri = Uri::parse(address.uri_text()).ok()?;
    let user = uri.user()?.into_owned();
    (!user.is_empty() && user.bytes().all(is_plain_user)).then_some(user)
}

/// What may stand in a SIP URI's user part unescaped: the caller's number is written into ours.
fn is_plain_user(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,".contains(&byte)
}

fn display(address: &NameAddr<'_>) -> Option<Arc<str>> {
    let shown: String = address.display().chars().filter(|c| !c.is_control()).take(LONGEST_DISPLAY).collect();
    let shown = shown.trim();
    (!shown.is_empty()).then(|| shown.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who calls by a request with these header fields.
    fn caller(fields: &[&str], receive: Claim) -> Identity {
        let caller_id = dialplan::CallerIds { receive, ..dialplan::CallerIds::default() };
        let trunk = Trunk { caller_id, ..Trunk::named("carrier") };
        let has_from = fields.iter().any(|field| field.starts_with("From:"));
        let from = if has_from { "" } else { "From: \"Ann\" <sip:+44201@h>;tag=1\r\n" };
        let text = format!(
            "INVITE sip:+34911@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n{from}To: <sip:+34911@h>\r\n\
             Call-ID: c\r\nCSeq: 1 INVITE\r\n{}\r\n\r\n",
            fields.join("\r\n")
        );
        Identity::told_by(&trunk, &Message::parse(text.into_bytes().into()).expect("an INVITE"))
    }

    #[test]
    fn rfc3325_9_1_what_the_carrier_answers_for_is_taken_before_what_the_caller_wrote() {
        let asserted = ["P-Asserted-Identity: \"Bob\" <sip:+44202@h>, <tel:+44203>"];
        let it = caller(&asserted, Claim::Asserted);
        assert_eq!((&*it.number, it.display.as_deref()), ("+44202", Some("Bob")));
        let it = caller(&asserted, Claim::From);
        assert_eq!((&*it.number, it.display.as_deref()), ("+44201", Some("Ann")));
        assert_eq!(&*caller(&["P-Asserted-Identity: <tel:+44203>"], Claim::Asserted).number, "+44203");
        // Nothing that can be used: as if it were not there.
        for broken in ["<sip:h>", "<sip:a%40b@h>", "nonsense", "<urn:x>"] {
            let it = caller(&[&format!("P-Asserted-Identity: {broken}")], Claim::Asserted);
            assert_eq!(&*it.number, "+44201", "{broken}");
        }
    }

    #[test]
    fn rfc3323_4_2_a_number_that_is_withheld_is_told_nobody() {
        let asserted = "P-Asserted-Identity: \"Bob\" <sip:+44202@h>";
        for fields in [
            &[asserted, "Privacy: id"][..],
            &[asserted, "Privacy: critical; user"],
            &[asserted, "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1"],
            &["From: <sip:Anonymous@h>;tag=1"],
        ] {
            let it = caller(fields, Claim::Asserted);
            assert_eq!((&*it.number, it.display, it.withheld), (ANONYMOUS, None, true), "{fields:?}");
        }
        assert!(!caller(&[asserted, "Privacy: none"], Claim::Asserted).withheld);
    }

    #[test]
    fn who_passed_the_call_on_last_is_known_by_diversion_or_by_history_info() {
        let cases = [
            ("Diversion: <sip:+34922@h>;reason=no-answer, <sip:+34933@h>", "+34922"),
            ("Diversion: <tel:+34922>", "+34922"),
            ("History-Info: <sip:+34922@h>;index=1, <sip:+34911@h>;index=1.1;mp=1", "+34922"),
            (
                "History-Info: <sip:+34933@h>;index=1, <sip:+34922@h>;index=1.1;mp=1, <sip:+34911@h>;index=1.2;mp=1.1",
                "+34922",
            ),
            ("History-Info: <sip:+34922@h>;index=1, <sip:+34911@h;cause=486>;index=1.1", "+34922"),
            // The same number at another place, and nobody's number.
            ("History-Info: <sip:+34911@h>;index=1, <sip:+34911@192.0.2.1>;index=1.1;rc=1", ""),
            ("Diversion: <sip:h>", ""),
            ("Diversion: nonsense", ""),
        ];
        for (field, number) in cases {
            assert_eq!(&*caller(&[field], Claim::Asserted).diverted_by, number, "{field}");
        }
    }

    #[test]
    fn a_display_name_has_no_line_breaks_and_an_end() {
        let long = format!("From: \"{}\" <sip:1@h>;tag=1", "ü".repeat(99));
        assert_eq!(caller(&[&long], Claim::From).display, Some("ü".repeat(LONGEST_DISPLAY).into()));
        assert_eq!(caller(&["From: \"a\tb \" <sip:1@h>;tag=1"], Claim::From).display.as_deref(), Some("ab"));
    }
}

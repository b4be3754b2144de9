//! The calls of a user as a lamp shows them: `application/dialog-info+xml` (RFC 4235).

use super::Address;
use crate::Switch;
use crate::contact::Contact;
use crate::identity::{ANONYMOUS, Identity};
use crate::leg::{Leg, State};
use events::{Direction, LegId};
use sip::{Body, DialogId, Endpoint, InviteId};
use std::fmt::{self, Write as _};
use std::sync::Arc;

/// The media type.
pub(super) const DIALOG_INFO: &str = "application/dialog-info+xml";
/// Calls that one NOTIFY lists: a datagram with more would be cut to many pieces. Those that last longest come first.
const MOST_LISTED: usize = 4;
/// Longer names and numbers are cut, or left out.
const LONGEST_NAME: usize = 32;
const LONGEST_NUMBER: usize = 64;
/// A dialog whose Call-ID or tag is longer is told without them: nobody can pick it up.
const LONGEST_ID: usize = 128;

/// How far a call is, in the order in which calls are listed (RFC 4235 section 3.7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Confirmed,
    Early,
    Trying,
}

/// One call of a user, seen from its phone.
#[derive(Clone, Debug)]
pub(super) struct Dialog {
    leg: LegId,
    stage: Stage,
    /// Whether the user has placed it.
    is_caller: bool,
    invite: Option<InviteId>,
    /// Whom it speaks with; `None` if nobody is to know.
    remote: Option<Remote>,
}

#[derive(Clone, Debug)]
struct Remote {
    number: Arc<str>,
    display: Option<Arc<str>>,
}

/// What a subscriber has been told.
#[derive(Debug, Default)]
pub(super) struct Dialogs {
    /// Of the next document.
    version: u64,
    listed: Vec<(LegId, Stage)>,
}

impl Switch {
    /// The calls of a user that are not over.
    pub(super) fn dialogs_of(&self, user: &str) -> Vec<Dialog> {
        let contacts = self.core.users.contacts_of(user).iter().filter_map(|id| self.contacts.get(id));
        let is_theirs =
            |leg: &Leg| leg.state != State::Over && leg.user().is_some_and(|owner| **owner == *user);
        let dialogs = contacts.flat_map(|contact| {
            contact.legs().filter(|leg| is_theirs(leg)).filter_map(move |leg| Dialog::of(contact, leg))
        });
        let mut dialogs: Vec<_> = dialogs.collect();
        dialogs.sort_by_key(|dialog| (dialog.stage, dialog.leg));
        dialogs.truncate(MOST_LISTED);
        dialogs
    }
}

impl Dialog {
    fn of(contact: &Contact, leg: &Leg) -> Option<Self> {
        let stage = match leg.state {
            State::Early { ringing: false } => Stage::Trying,
            State::Early { ringing: true } => Stage::Early,
            State::Answered { .. } => Stage::Confirmed,
            State::Over => return None,
        };
        let is_caller = leg.direction() == Direction::Inbound;
        let remote = if is_caller {
            Some(Remote { number: Arc::clone(&contact.called), display: None })
        } else {
            Remote::of(&contact.identity)
        };
        Some(Self { leg: leg.id, stage, is_caller, invite: leg.invite, remote })
    }
}

impl Remote {
    /// A caller, unless it wants nobody to know (RFC 3323).
    fn of(Identity { number, display, withheld, .. }: &Identity) -> Option<Self> {
        let is_told = !withheld && **number != *ANONYMOUS;
        is_told.then(|| Self { number: Arc::clone(number), display: display.clone() })
    }
}

impl Dialogs {
    /// Whether the subscriber has been told something else.
    pub(super) fn differ(&self, present: &[Dialog]) -> bool {
        !present.iter().map(|it| (it.leg, it.stage)).eq(self.listed.iter().copied())
    }

    /// The next document: what is up, and that what was listed before and is not up any more is over.
    pub(super) fn next(&mut self, endpoint: &Endpoint, address: &Address, present: &[Dialog]) -> Body {
        let before = std::mem::take(&mut self.listed);
        self.listed = present.iter().map(|it| (it.leg, it.stage)).collect();
        let mut text = String::with_capacity(1_024);
        let entity = address.of_record();
        let version = self.version;
        self.version += 1;
        let written = write!(
            text,
            "<?xml version=\"1.0\"?>\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"{version}\" \
             state=\"full\" entity=\"{}\">\n",
            Escaped(&entity)
        )
        .and_then(|()| {
            let mut present = present.iter();
            present.try_for_each(|dialog| dialog.write(&mut text, endpoint, address))
        })
        .and_then(|()| {
            let is_over = |(leg, _): &&(LegId, Stage)| present.iter().all(|it| it.leg != *leg);
            before.iter().filter(is_over).try_for_each(|(leg, _)| {
                writeln!(text, "<dialog id=\"{}\"><state>terminated</state></dialog>", leg.0)
            })
        });
        debug_assert!(written.is_ok(), "a String grows");
        text.push_str("</dialog-info>\n");
        Body { content_type: DIALOG_INFO.into(), bytes: text.into() }
    }
}

impl Dialog {
    fn write(&self, text: &mut String, endpoint: &Endpoint, address: &Address) -> fmt::Result {
        write!(text, "<dialog id=\"{}\"", self.leg.0)?;
        // The phone's tag is ours to the switch, and the other way round.
        let ids = self.invite.and_then(|invite| endpoint.dialog_id(invite));
        let is_short = |it: &DialogId| it.call_id.len().max(it.remote_tag.len()) <= LONGEST_ID;
        if let Some(DialogId { call_id, local_tag, remote_tag }) = ids.filter(is_short) {
            let (call_id, theirs) = (Escaped(&call_id), Escaped(&remote_tag));
            write!(text, " call-id=\"{call_id}\" local-tag=\"{theirs}\" remote-tag=\"{local_tag}\"")?;
        }
        let direction = if self.is_caller { "initiator" } else { "recipient" };
        let stage = match self.stage {
            Stage::Trying => "trying",
            Stage::Early => "early",
            Stage::Confirmed => "confirmed",
        };
        writeln!(text, " direction=\"{direction}\">\n<state>{stage}</state>")?;
        writeln!(text, "<local><identity>{}</identity></local>", Escaped(&address.of_record()))?;
        if let Some(Remote { number, display }) = &self.remote
            && number.len() <= LONGEST_NUMBER
        {
            text.push_str("<remote><identity");
            if let Some(display) = display {
                let cut: String = display.chars().take(LONGEST_NAME).collect();
                write!(text, " display=\"{}\"", Escaped(&cut))?;
            }
            writeln!(text, ">{}</identity></remote>", Escaped(&address.of(number)))?;
        }
        text.push_str("</dialog>\n");
        Ok(())
    }
}

/// Text within XML, in an element or an attribute. What XML 1.0 has no way to say is left out.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&apos;")?,
                '\u{fffe}' | '\u{ffff}' => {}
                c if c.is_control() => {}
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sip::EndpointConfig;

    fn endpoint() -> Endpoint {
        let config = EndpointConfig {
            user_agent: String::new(),
            allow: "",
            shown: Default::default(),
            shown_to: std::collections::HashMap::new(),
            max_usages: 1,
            max_transactions: 1,
            timers: sip::TimerValues::default(),
            session_timers: sip::SessionTimers::default(),
            events: sip::Events::default(),
        };
        Endpoint::new(config, [1; 32])
    }

    fn dialog(leg: u64, stage: Stage, number: &str, display: Option<&str>) -> Dialog {
        let remote = Some(Remote { number: number.into(), display: display.map(Into::into) });
        Dialog { leg: LegId(leg), stage, is_caller: false, invite: None, remote }
    }

    fn next(dialogs: &mut Dialogs, present: &[Dialog]) -> String {
        let address = Address { user: "o'bob".into(), host: "h".into() };
        String::from_utf8(dialogs.next(&endpoint(), &address, present).bytes.to_vec()).expect("UTF-8")
    }

    #[test]
    fn rfc4235_4_1_versions_count_up_and_what_was_listed_is_told_to_be_over_once() {
        let mut dialogs = Dialogs::default();
        assert!(!dialogs.differ(&[]));
        assert!(
            next(&mut dialogs, &[]).contains("version=\"0\" state=\"full\" entity=\"sip:o&apos;bob@h\">\n</")
        );
        let rings = [dialog(7, Stage::Early, "+44201", None)];
        assert!(dialogs.differ(&rings));
        let text = next(&mut dialogs, &rings);
        assert!(text.contains("version=\"1\"") && text.contains("<state>early</state>"), "{text}");
        assert!(text.contains("<remote><identity>sip:+44201@h</identity></remote>"), "{text}");
        assert!(!dialogs.differ(&rings) && dialogs.differ(&[dialog(7, Stage::Confirmed, "+44201", None)]));
        let text = next(&mut dialogs, &[]);
        assert!(text.contains("<dialog id=\"7\"><state>terminated</state></dialog>"), "{text}");
        let text = next(&mut dialogs, &[]);
        assert!(text.contains("version=\"3\"") && !text.contains("<dialog "), "{text}");
    }

    #[test]
    fn rfc3323_4_2_a_caller_that_wants_nobody_to_know_is_not_told() {
        let caller = Identity {
            number: "+44201".into(),
            display: Some("Ann".into()),
            outside: true,
            withheld: false,
            shown: None,
            diverted_by: Arc::default(),
            word: (dialplan::Verstat::None, None),
        };
        assert_eq!(Remote::of(&caller).map(|it| it.number), Some("+44201".into()));
        assert!(Remote::of(&Identity { withheld: true, ..caller.clone() }).is_none(), "a user of ours");
        assert!(Remote::of(&Identity { number: ANONYMOUS.into(), ..caller }).is_none(), "by a trunk");
    }

    #[test]
    fn names_are_escaped_and_cut_and_numbers_without_end_left_out() {
        let long = "9".repeat(LONGEST_NUMBER + 1);
        let name = format!("<&\"\u{1}{}", "x".repeat(99));
        let text = next(
            &mut Dialogs::default(),
            &[dialog(1, Stage::Trying, "1<2", Some(&name)), dialog(2, Stage::Trying, &long, None)],
        );
        let shown = format!("display=\"&lt;&amp;&quot;{}\">sip:1&lt;2@h<", "x".repeat(LONGEST_NAME - 4));
        assert!(text.contains(&shown), "{text}");
        assert!(!text.contains(&long), "{text}");
    }
}

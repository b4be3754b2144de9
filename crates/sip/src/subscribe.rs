//! What a SUBSCRIBE asks for: Event and Accept (RFC 6665 sections 4.1.2 and 8.2.1).

use crate::{Message, Name, Params};

/// A longer `id` of an Event is refused: it is kept as long as the subscription.
const LONGEST_ID: usize = 64;

/// The state that a SUBSCRIBE asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribe {
    /// The event package: `dialog`.
    pub package: String,
    /// What tells several subscriptions in one dialog apart.
    pub id: Option<String>,
}

impl Subscribe {
    /// Reads the Event; `None` if there is none, or one that cannot be read (489).
    pub fn read(request: &Message) -> Option<Self> {
        let value = request.header(Name::Event)?;
        let (package, params) = value.split_once(';').unwrap_or((value, ""));
        let package = package.trim_ascii();
        let id = Params::new(params).get("id");
        let is_token = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        let reads = is_token(package) && id.is_none_or(|id| is_token(id) && id.len() <= LONGEST_ID);
        reads.then(|| Self { package: package.to_owned(), id: id.map(str::to_owned) })
    }

    /// As NOTIFY has it in Event: package and `id`, which the subscriber compares byte by byte.
    pub fn event(&self) -> String {
        match &self.id {
            Some(id) => format!("{};id={id}", self.package),
            None => self.package.clone(),
        }
    }

    /// Whether the sender takes a body of this media type: without Accept, what the package has by default.
    pub fn accepts(request: &Message, media_type: &str) -> bool {
        let kind = media_type.split('/').next().unwrap_or(media_type);
        let fits = |value: &str| {
            let range = value.split(';').next().unwrap_or(value).trim_ascii();
            range == "*/*"
                || range.eq_ignore_ascii_case(media_type)
                || range.strip_suffix("/*").is_some_and(|range| range.eq_ignore_ascii_case(kind))
        };
        request.header(Name::Accept).is_none() || request.header_values(Name::Accept).any(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(fields: &str) -> Message {
        let text = format!(
            "SUBSCRIBE sip:bob@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n\
             To: <sip:bob@h>\r\nCall-ID: c\r\nCSeq: 1 SUBSCRIBE\r\n{fields}\r\n"
        );
        Message::parse(text.into()).unwrap()
    }

    #[test]
    fn rfc6665_8_2_1_an_event_is_a_package_and_an_id() {
        let event = |fields: &str| Subscribe::read(&request(fields)).map(|it| it.event());
        assert_eq!(event("Event: dialog\r\n").as_deref(), Some("dialog"));
        assert_eq!(event("o: dialog ; call-id=x;ID=7\r\n").as_deref(), Some("dialog;id=7"));
        let long = format!("Event: dialog;id={}\r\n", "x".repeat(LONGEST_ID + 1));
        for broken in ["", "Event: \r\n", "Event: ;id=7\r\n", "Event: dialog;id\r\n", &long] {
            assert_eq!(event(broken), None, "{broken}");
        }
    }

    #[test]
    fn rfc3261_20_1_accept_names_types_and_ranges() {
        let accepts = |fields: &str| Subscribe::accepts(&request(fields), "application/dialog-info+xml");
        for taken in [
            "",
            "Accept: a/b, Application/Dialog-Info+XML;q=1\r\n",
            "Accept: application/*\r\n",
            "Accept: */*\r\n",
        ] {
            assert!(accepts(taken), "{taken}");
        }
        for refused in ["Accept: application/pidf+xml\r\n", "Accept: text/*\r\n", "Accept: \r\n"] {
            assert!(!accepts(refused), "{refused}");
        }
    }
}

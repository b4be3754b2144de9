//! Transfers as messages ask for them: Refer-To, Replaces and Refer-Sub (RFC 3515, 3891, 4488).

use crate::header::is_token;
use crate::{Message, Name, Params, Uri};
use std::fmt;

/// What a REFER asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refer {
    /// Who is to be called: the user of the Refer-To URI with its escapes resolved, or the number of a `tel:` URI.
    pub to: String,
    /// The dialog that the call is to take the place of: an attended transfer (RFC 5589 section 7).
    pub replaces: Option<Replaces>,
    /// `Refer-Sub: false`: nobody wants to hear how it goes (RFC 4488 section 4).
    pub silent: bool,
    /// The value of Referred-By, which goes on to the one who is called (RFC 3892 section 2.2).
    pub by: Option<String>,
}

/// The dialog that a call is to take the place of (RFC 3891 section 6.1), seen from who receives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaces {
    /// Its Call-ID.
    pub call_id: String,
    /// The tag of the one who receives this.
    pub to_tag: String,
    /// The tag of the other party.
    pub from_tag: String,
    /// Only if nobody has answered yet.
    pub early_only: bool,
}

impl Refer {
    /// Reads a REFER.
    ///
    /// # Errors
    /// The status to refuse it with: 400 without exactly one Refer-To (RFC 3515 section 2.4.2) or with one that
    /// cannot be read, 416 for a scheme that is neither `sip`, `sips` nor `tel`, 501 for another method than INVITE.
    pub fn read(request: &Message) -> Result<Self, u16> {
        let mut found = request.headers().filter(|(name, _)| Name::parse(name) == Some(Name::ReferTo));
        if found.next().is_none() || found.next().is_some() {
            return Err(400);
        }
        let address = request.address(Name::ReferTo).map_err(|_| 400_u16)?;
        let uri = address.uri().map_err(|_| 400_u16)?;
        let replaces = match &uri {
            Uri::Sip(sip) => {
                if sip.params.get("method").is_some_and(|method| !method.eq_ignore_ascii_case("INVITE")) {
                    return Err(501);
                }
                let mut pairs = sip.header_pairs();
                let value = pairs.find(|(name, _)| name.eq_ignore_ascii_case("Replaces"));
                value
                    .map(|(_, value)| Replaces::parse(&crate::uri::unescape(value)).ok_or(400_u16))
                    .transpose()?
            }
            Uri::Tel(_) => None,
            Uri::Other(_) => return Err(416),
        };
        let silent = request.header_text("Refer-Sub").and_then(|value| value.split(';').next());
        Ok(Self {
            to: uri.user().unwrap_or_default().into_owned(),
            replaces,
            silent: silent.is_some_and(|value| value.trim_ascii().eq_ignore_ascii_case("false")),
            by: request.header(Name::ReferredBy).map(str::to_owned),
        })
    }
}

/// What a NOTIFY tells of a REFER of ours (RFC 3515 section 2.4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReferState {
    /// The status of the call that was asked for; `None` if it cannot be read.
    pub status: Option<u16>,
    /// Whether nothing follows.
    pub is_over: bool,
}

impl ReferState {
    /// Reads a NOTIFY.
    ///
    /// # Errors
    /// The status to refuse it with: 489 for another event than `refer`.
    pub fn read(notify: &Message) -> Result<Self, u16> {
        let first = |value: &str| value.split(';').next().unwrap_or("").trim_ascii().to_ascii_lowercase();
        if notify.header(Name::Event).map(first).as_deref() != Some("refer") {
            return Err(489);
        }
        let body = std::str::from_utf8(notify.body()).unwrap_or("");
        let status = body.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let state = notify.header(Name::SubscriptionState).map(first);
        Ok(Self { status, is_over: state.as_deref() == Some("terminated") })
    }
}

impl Replaces {
    /// Reads the value of a Replaces header field; `None` if a tag is missing, there twice, or no token.
    pub fn parse(value: &str) -> Option<Self> {
        let (call_id, params) = value.split_once(';')?;
        let params = Params::new(params);
        let one = |name: &str| {
            let mut values = params.iter().filter(|(have, _)| have.eq_ignore_ascii_case(name));
            let found = values.next()?.1?;
            (values.next().is_none() && is_token(found)).then(|| found.to_owned())
        };
        let call_id = call_id.trim_ascii();
        (!call_id.is_empty()).then_some(())?;
        Some(Self {
            call_id: call_id.to_owned(),
            to_tag: one("to-tag")?,
            from_tag: one("from-tag")?,
            early_only: params.has("early-only"),
        })
    }

    /// The Replaces of an INVITE; `None` if it has none.
    ///
    /// # Errors
    /// 400 if it has more than one, or one that cannot be read (RFC 3891 section 3).
    pub fn of(invite: &Message) -> Result<Option<Self>, u16> {
        let mut found = invite.headers().filter(|(name, _)| Name::parse(name) == Some(Name::Replaces));
        let Some((_, value)) = found.next() else { return Ok(None) };
        let parsed = Self::parse(value).filter(|_| found.next().is_none());
        parsed.map(Some).ok_or(400)
    }
}

impl fmt::Display for Replaces {
    /// As the header field has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};to-tag={};from-tag={}", self.call_id, self.to_tag, self.from_tag)?;
        if self.early_only { f.write_str(";early-only") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refer(more: &str) -> Result<Refer, u16> {
        let text = format!(
            "REFER sip:ringdown@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n\
             From: <sip:alice@192.0.2.1>;tag=1\r\nTo: <sip:bob@192.0.2.1>;tag=2\r\nCall-ID: c\r\n\
             CSeq: 2 REFER\r\n{more}\r\n"
        );
        Refer::read(&Message::parse(text.into()).unwrap())
    }

    #[test]
    fn rfc3515_2_4_2_there_is_exactly_one_refer_to() {
        assert_eq!(refer(""), Err(400));
        assert_eq!(refer("Refer-To: <sip:a@b>\r\nr: <sip:c@d>\r\n"), Err(400));
        assert_eq!(refer("Refer-To: <sip:a@b\r\n"), Err(400));
        assert_eq!(refer("r: <sip:%2b49@b>\r\n").map(|refer| refer.to), Ok("+49".to_owned()));
        assert_eq!(refer("Refer-To: <tel:+49-30-1>\r\n").map(|refer| refer.to), Ok("+49301".to_owned()));
    }

    #[test]
    fn rfc3515_2_1_only_calls_are_placed() {
        assert_eq!(refer("Refer-To: <http://example.com/>\r\n"), Err(416));
        assert_eq!(refer("Refer-To: <sip:a@b;method=SUBSCRIBE>\r\n"), Err(501));
        assert!(refer("Refer-To: <sip:a@b;method=INVITE>\r\n").is_ok());
    }

    #[test]
    fn rfc5589_7_replaces_stands_escaped_in_the_uri() {
        let found = refer(
            "Refer-To: <sip:a@b?Replaces=425928%40phone.example%3Bto-tag%3D7743%3Bfrom-tag%3D6472&Require=replaces>\r\n\
             Refer-Sub: false\r\nReferred-By: <sip:alice@b>\r\n",
        )
        .unwrap();
        let replaces = found.replaces.unwrap();
        assert_eq!(replaces.to_string(), "425928@phone.example;to-tag=7743;from-tag=6472");
        assert!(found.silent && found.by.as_deref() == Some("<sip:alice@b>"));
        assert_eq!(refer("Refer-To: <sip:a@b?Replaces=nothing>\r\n"), Err(400));
    }

    #[test]
    fn rfc3515_2_4_4_a_notify_tells_how_far_the_call_is() {
        let read = |more: &str| {
            let text = format!(
                "NOTIFY sip:ringdown@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n\
                 From: <sip:a@192.0.2.9>;tag=1\r\nTo: <sip:b@192.0.2.1>;tag=2\r\nCall-ID: c\r\nCSeq: 2 NOTIFY\r\n{more}"
            );
            ReferState::read(&Message::parse(text.into()).unwrap()).map(|it| (it.status, it.is_over))
        };
        let trying =
            "Event: refer;id=3\r\nSubscription-State: active;expires=60\r\n\r\nSIP/2.0 100 Trying\r\n";
        assert_eq!(read(trying), Ok((Some(100), false)));
        let busy = "o: Refer\r\nSubscription-State: terminated;reason=noresource\r\n\r\nSIP/2.0 486 Busy\r\n";
        assert_eq!(read(busy), Ok((Some(486), true)));
        assert_eq!(read("Event: refer\r\nSubscription-State: terminated\r\n\r\n"), Ok((None, true)));
        assert_eq!(read("Event: dialog\r\n\r\n"), Err(489));
        assert_eq!(read("\r\n"), Err(489));
    }

    #[test]
    fn rfc3891_6_1_a_replaces_has_both_tags_once() {
        let parsed =
            Replaces::parse("98732@sip.example ;from-tag=r33th4x0r;to-tag=ff87ff;early-only").unwrap();
        assert!(parsed.early_only && parsed.to_tag == "ff87ff" && parsed.from_tag == "r33th4x0r");
        for broken in [
            "c",
            "c;to-tag=1",
            "c;to-tag=1;from-tag",
            ";to-tag=1;from-tag=2",
            "c;to-tag=1;to-tag=2;from-tag=3",
            "c;from-tag=1;to-tag=\"open",
        ] {
            assert_eq!(Replaces::parse(broken), None, "{broken}");
        }
    }
}

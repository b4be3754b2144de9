use crate::header::text::{cut, cut_before, is_token, quotes_are_closed};
use crate::message::digits;
use crate::{Host, Name, Params, ParseError, Transport};
use memchr::memchr2;
use std::net::IpAddr;

/// One hop of a Via header field (RFC 3261 section 20.42).
#[derive(Clone, Copy, Debug)]
pub struct Via<'a> {
    transport: &'a str,
    sent_by: &'a str,
    host: Host<'a>,
    port: Option<u16>,
    params: Params<'a>,
}

impl<'a> Via<'a> {
    /// Reads one value.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] with [`Name::Via`].
    pub fn parse(value: &'a str) -> Result<Self, ParseError> {
        Self::read(value).ok_or(ParseError::Invalid(Name::Via))
    }

    fn read(value: &'a str) -> Option<Self> {
        let (hop, params) = cut_before(value, b';');
        let (protocol, rest) = cut(hop, b'/')?;
        let (version, rest) = cut(rest, b'/')?;
        let rest = rest.trim_ascii_start();
        let gap = memchr2(b' ', b'\t', rest.as_bytes())?;
        let (transport, sent_by) = rest.split_at(gap);
        let sent_by = sent_by.trim_ascii();
        let (host, port) = Host::parse_with_port(sent_by)?;
        let tokens = [protocol.trim_ascii_end(), version.trim_ascii(), transport];
        let well_formed = tokens.into_iter().all(is_token) && quotes_are_closed(params);
        well_formed.then_some(Self { transport, sent_by, host, port, params: Params::new(params) })
    }

    /// The transport as written: `UDP`, or one that Ringdown does not speak.
    pub const fn transport_text(&self) -> &'a str {
        self.transport
    }

    /// The transport, if it is one of ours.
    pub fn transport(&self) -> Option<Transport> {
        Transport::from_token(self.transport)
    }

    /// Host and port as written: one part of the key that matches a transaction.
    pub const fn sent_by(&self) -> &'a str {
        self.sent_by
    }

    /// The host of sent-by.
    pub const fn host(&self) -> Host<'a> {
        self.host
    }

    /// The port of sent-by, if it names one.
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The branch; `None` if absent or empty. It is unique only behind
    /// [`MAGIC_COOKIE`](Via::MAGIC_COOKIE).
    pub fn branch(&self) -> Option<&'a str> {
        self.params.get("branch").filter(|branch| !branch.is_empty())
    }

    /// What a branch of RFC 3261 begins with; one without it is of RFC 2543 (section 8.1.1.7).
    pub const MAGIC_COOKIE: &'static str = "z9hG4bK";

    /// The source address that a server noted, with or without brackets around IPv6 (RFC 5118
    /// section 4.5).
    pub fn received(&self) -> Option<IpAddr> {
        let text = self.params.get("received")?;
        text.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    /// RFC 3581: `Some(None)` where the client asks for the port, `Some(Some(port))` where a server noted it.
    pub fn rport(&self) -> Option<Option<u16>> {
        self.params.get("rport").map(|port| digits(port).and_then(|port| u16::try_from(port).ok()))
    }

    /// All parameters.
    pub const fn params(&self) -> Params<'a> {
        self.params
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_3581_rport_is_asked_for_or_noted() {
        let via = Via::parse("SIP/2.0/UDP h.example:5070;rport;branch=z9hG4bKx").unwrap();
        assert_eq!(
            (via.transport(), via.port(), via.rport()),
            (Some(Transport::Udp), Some(5070), Some(None))
        );
        assert_eq!((via.sent_by(), via.branch()), ("h.example:5070", Some("z9hG4bKx")));
        let via = Via::parse("SIP/2.0/TCP [2001:db8::1];rport=9;received=192.0.2.1").unwrap();
        assert_eq!(via.rport(), Some(Some(9)));
        assert_eq!(via.received(), Some("192.0.2.1".parse().unwrap()));
        assert_eq!(via.host(), Host::V6("2001:db8::1".parse().unwrap()));
    }

    #[test]
    fn rfc_4475_spaces_may_stand_around_every_separator() {
        let via =
            Via::parse("SIP  / 2.0\t/ TCP   spindle.example :  5061 ;\tbranch  =   z9hG4bK9ikj8  ; x = y")
                .unwrap();
        assert_eq!((via.transport(), via.port()), (Some(Transport::Tcp), Some(5061)));
        assert_eq!(via.host(), Host::Name("spindle.example"));
        assert_eq!(via.branch(), Some("z9hG4bK9ikj8"));
    }

    #[test]
    fn rfc_5118_section_4_5_received_with_and_without_brackets() {
        for value in ["SIP/2.0/UDP h;received=2001:db8::9", "SIP/2.0/UDP h;received=[2001:db8::9]"] {
            assert_eq!(Via::parse(value).unwrap().received(), Some("2001:db8::9".parse().unwrap()));
        }
    }

    #[test]
    fn broken_hops_are_refused() {
        for value in [
            "",
            "SIP/2.0/UDP",
            "SIP/2.0 h",
            "SIP/2.0/UDP h:99999",
            "SIP/2.0/UDP ;branch=x",
            "SIP/2.0/UDP a b",
        ] {
            assert!(Via::parse(value).is_err(), "{value}");
        }
    }
}

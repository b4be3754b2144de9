//! Who calls, as those are told that are rung.

use super::dial::Destination;
use super::{Contact, Phase};
use crate::core::Core;
use crate::identity::{ANONYMOUS, Identity};
use dialplan::{CallerId, CallerIds, Diversion, Show, Trunk};
use sip::Address;
use std::borrow::Cow;

/// RFC 3323 section 4.1.1.3.
const NOBODY: &str = "sip:anonymous@anonymous.invalid";

/// What an INVITE says of its caller.
pub(super) struct Introduction {
    pub(super) from: Address,
    pub(super) headers: Vec<(Cow<'static, str>, String)>,
}

impl Contact {
    /// The caller as a destination is told of it.
    ///
    /// A phone is told what is known. A trunk is told a number that the client owns, or, where it is to show the caller's,
    /// which of them passes the call on.
    pub(super) fn introduce(&self, core: &Core, to: &Destination) -> Introduction {
        let listener = core.listener(to.flow.transport, Some(to.flow.local));
        let host = listener.map_or(to.flow.local, |listener| listener.shown).to_string();
        match self.trunk(&to.party) {
            Some(trunk) => {
                let asked = match &self.phase {
                    Phase::Dialing(dial) => dial.caller_id(),
                    _ => None,
                };
                to_trunk(&self.identity, asked, trunk, &host, &to.request_uri)
            }
            None if self.identity.withheld => Introduction { from: nobody(), headers: Vec::new() },
            None => {
                let display = self.identity.display.as_deref().map(str::to_owned);
                let uri = format!("sip:{}@{host}", self.identity.number);
                Introduction { from: Address { display, uri }, headers: Vec::new() }
            }
        }
    }
}

/// What a trunk is told of a caller, by an INVITE to `target`: `asked` is what the dial is to show, and `host` is ours.
fn to_trunk(
    caller: &Identity,
    asked: Option<&CallerId>,
    trunk: &Trunk,
    host: &str,
    target: &str,
) -> Introduction {
    let CallerIds { show, assert, diversion, domain, .. } = &trunk.caller_id;
    let host = domain.as_deref().or_else(|| registrar_host(trunk)).unwrap_or(host);
    let uri = |number: &str| format!("sip:{}@{host}", trunk.calling(number));
    let own = match asked {
        Some(CallerId::Number(number)) => Some(number),
        _ => caller.shown.as_ref(),
    };
    let own = own.map(|number| uri(number));
    let passes_on = *show == Show::Caller && asked.is_none() && caller.outside;
    let withheld = match asked {
        Some(asked) => *asked == CallerId::Withheld,
        None => caller.withheld && (passes_on || !caller.outside),
    };
    let is_known = &*caller.number != ANONYMOUS;
    let shown = if passes_on && is_known { Some(uri(&caller.number)) } else { own.clone() };
    let from = shown.filter(|_| !withheld).map_or_else(nobody, |uri| Address { display: None, uri });
    let mut headers = Vec::new();
    if withheld {
        headers.push(("Privacy".into(), "id".into()));
    }
    if let Some(own) = own {
        if *assert {
            headers.push(("P-Asserted-Identity".into(), format!("<{own}>")));
        }
        if passes_on {
            headers.extend(diverted(*diversion, &own, target));
        }
    }
    Introduction { from, headers }
}

/// The host of the address-of-record that the node registers.
fn registrar_host(trunk: &Trunk) -> Option<&str> {
    let registrar = &trunk.register.as_ref()?.registrar;
    let host = registrar.strip_prefix("sip:")?.split([';', '?']).next()?;
    // The port is the registrar's, and no part of the domain.
    let end = host.rfind(':').filter(|end| !host[*end..].contains(']'));
    Some(end.map_or(host, |end| &host[..end]))
}

/// That `own` passes the call on to `target`.
fn diverted(how: Diversion, own: &str, target: &str) -> Vec<(Cow<'static, str>, String)> {
    let mut headers = Vec::new();
    if matches!(how, Diversion::Diversion | Diversion::Both) {
        headers.push(("Diversion".into(), format!("<{own}>;reason=unconditional;counter=1")));
    }
    if matches!(how, Diversion::HistoryInfo | Diversion::Both) {
        let value = format!("<{own}>;index=1, <{target};cause=302>;index=1.1;mp=1");
        headers.push(("History-Info".into(), value));
    }
    headers
}

fn nobody() -> Address {
    Address { display: Some("Anonymous".into()), uri: NOBODY.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dialplan::Claim;
    use std::sync::Arc;

    const TARGET: &str = "sip:+49301@192.0.2.9";

    fn trunk(caller_id: CallerIds) -> Trunk {
        Trunk { caller_id, ..Trunk::named("carrier") }
    }

    fn customer() -> Identity {
        Identity {
            number: "+44201".into(),
            display: Some("Ann".into()),
            outside: true,
            withheld: false,
            shown: Some("+34911".into()),
            diverted_by: Arc::default(),
            word: (dialplan::Verstat::None, None),
        }
    }

    /// From, and the header fields beside it.
    fn told(caller: &Identity, asked: Option<&CallerId>, ids: CallerIds) -> Vec<String> {
        let Introduction { from, headers } = to_trunk(caller, asked, &trunk(ids), "192.0.2.1", TARGET);
        let headers = headers.into_iter().map(|(name, value)| format!("{name}: {value}"));
        std::iter::once(from.uri).chain(headers).collect()
    }

    #[test]
    fn a_trunk_is_shown_a_number_of_the_client_whoever_calls() {
        let ids = CallerIds::default;
        assert_eq!(told(&customer(), None, ids()), ["sip:+34911@192.0.2.1"]);
        let other = CallerId::Number("+34922".into());
        assert_eq!(told(&customer(), Some(&other), ids()), ["sip:+34922@192.0.2.1"]);
        let unknown = Identity { shown: None, ..customer() };
        assert_eq!(told(&unknown, None, ids()), [NOBODY]);
        // It is not its caller whose number is shown.
        let withheld = Identity { withheld: true, number: ANONYMOUS.into(), ..customer() };
        assert_eq!(told(&withheld, None, ids()), ["sip:+34911@192.0.2.1"]);
    }

    #[test]
    fn rfc5806_and_rfc7044_who_passes_a_call_on_is_named_beside_its_caller() {
        let ids = |diversion| CallerIds {
            show: Show::Caller,
            assert: true,
            diversion,
            domain: Some("a.example".into()),
            receive: Claim::Asserted,
        };
        let told_both = told(&customer(), None, ids(Diversion::Both));
        assert_eq!(
            told_both,
            [
                "sip:+44201@a.example",
                "P-Asserted-Identity: <sip:+34911@a.example>",
                "Diversion: <sip:+34911@a.example>;reason=unconditional;counter=1",
                "History-Info: <sip:+34911@a.example>;index=1, <sip:+49301@192.0.2.9;cause=302>;index=1.1;mp=1",
            ]
        );
        assert_eq!(told(&customer(), None, ids(Diversion::Diversion))[..], told_both[..3]);
        assert_eq!(told(&customer(), None, ids(Diversion::HistoryInfo))[2..], told_both[3..]);
        // What the dial asks for is the client's own word, and so is a user's call: nobody passes anything on.
        let asked = CallerId::Number("+34922".into());
        let own = told(&customer(), Some(&asked), ids(Diversion::Both));
        assert_eq!(own, ["sip:+34922@a.example", "P-Asserted-Identity: <sip:+34922@a.example>"]);
        let user = Identity { outside: false, number: "alice".into(), ..customer() };
        assert_eq!(told(&user, None, ids(Diversion::Both))[0], "sip:+34911@a.example");
    }

    #[test]
    fn rfc3323_who_wants_to_stay_unknown_does() {
        let user = Identity { outside: false, withheld: true, number: "alice".into(), ..customer() };
        assert_eq!(told(&user, None, CallerIds::default()), [NOBODY, "Privacy: id"]);
        let asserting = CallerIds { assert: true, ..CallerIds::default() };
        let told_asserted = told(&customer(), Some(&CallerId::Withheld), asserting);
        assert_eq!(told_asserted, [NOBODY, "Privacy: id", "P-Asserted-Identity: <sip:+34911@192.0.2.1>"]);
        let caller = Identity { withheld: true, number: ANONYMOUS.into(), ..customer() };
        let showing = CallerIds { show: Show::Caller, ..CallerIds::default() };
        assert_eq!(told(&caller, None, showing)[..2], [NOBODY, "Privacy: id"]);
    }

    #[test]
    fn the_domain_is_that_of_the_registrar() {
        for (registrar, host) in [
            ("sip:sip.carrier.example", "sip.carrier.example"),
            ("sip:192.0.2.9:5080;transport=tcp", "192.0.2.9"),
            ("sip:[2001:db8::1]:5080", "[2001:db8::1]"),
            ("sip:[2001:db8::1]", "[2001:db8::1]"),
        ] {
            let register = dialplan::Register {
                registrar: registrar.into(),
                user: "u".into(),
                auth_user: "u".into(),
                secret: "s".into(),
                realm: None,
                expires: clock::Duration::from_secs(600),
            };
            let trunk = Trunk { register: Some(register), ..trunk(CallerIds::default()) };
            let from = to_trunk(&customer(), None, &trunk, "192.0.2.1", TARGET).from;
            assert_eq!(from.uri, format!("sip:+34911@{host}"));
        }
    }
}

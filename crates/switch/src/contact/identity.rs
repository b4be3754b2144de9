//! Who calls, as those are told that are rung.

use super::dial::Destination;
use super::{Contact, Phase};
use crate::core::Core;
use crate::identity::{ANONYMOUS, Identity};
use crate::stir::Outgoing;
use dialplan::{AutoAnswer, CallerId, CallerIds, Diversion, Show, Trunk};
use events::Party;
use sip::Address;
use std::borrow::Cow;
use std::sync::Arc;

/// RFC 3323 section 4.1.1.3.
const NOBODY: &str = "sip:anonymous@anonymous.invalid";

/// What an INVITE says of its caller.
pub(super) struct Introduction {
    pub(super) from: Address,
    pub(super) headers: Vec<(Cow<'static, str>, String)>,
}

/// The caller's number as a trunk is told it.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    number: Arc<str>,
    /// Whether it is the client's; else it is that of a caller whose call is passed on.
    is_owned: bool,
}

impl Contact {
    /// The caller as a destination is told of it.
    ///
    /// A phone is told what is known. A trunk is told a number that the client owns, or, where it is to show the caller's,
    /// which of them passes the call on.
    pub(super) fn introduce(&self, core: &Core, to: &Destination) -> Introduction {
        let host = core.shown(&to.flow).to_string();
        match self.trunk(&to.party) {
            Some(trunk) => {
                let asked = match &self.phase {
                    Phase::Dialing(dial) => dial.caller_id(),
                    _ => None,
                };
                let (mut introduction, told) = to_trunk(&self.identity, asked, trunk, &host, &to.request_uri);
                if let (Some(told), Some(called)) = (told, &to.number) {
                    let call = Outgoing { orig: &told.number, is_owned: told.is_owned, dest: called };
                    introduction.headers.extend(core.answer_for(&self.plan.node.name, trunk, &call));
                }
                introduction
            }
            None => {
                let from = if self.identity.withheld {
                    nobody()
                } else {
                    let display = self.identity.display.as_deref().map(str::to_owned);
                    Address { display, uri: format!("sip:{}@{host}", self.identity.number) }
                };
                let headers = to.resumes.map(|_| self.to_page()).unwrap_or_default();
                self.to_agent(core, &to.party, Introduction { from, headers })
            }
        }
    }

    /// What a page is told that is rung into a call of its own again.
    fn to_page(&self) -> Vec<(Cow<'static, str>, String)> {
        vec![("X-Resumes".into(), self.id.0.to_string()), auto_answer(AutoAnswer::AnswerMode)]
    }

    /// What the phone of an agent is told besides, if it is rung for a queue.
    fn to_agent(&self, core: &Core, party: &Party, told: Introduction) -> Introduction {
        let (Party::User(user), Some((order, entered))) = (party, self.queued_in()) else { return told };
        let Some(queue) = self.plan.queue(&self.client, &order.queue) else { return told };
        let Introduction { mut from, mut headers } = told;
        if let Some(display) = &queue.to_agent.display {
            let who = from.display.take().unwrap_or_else(|| self.identity.number.to_string());
            from.display = Some(format!("{display} {who}"));
        }
        headers.push(("X-Contact".into(), self.id.0.to_string()));
        headers.push(("X-Client".into(), self.client.to_string()));
        headers.push(("X-Queue".into(), order.queue.to_string()));
        headers.push(("X-Queue-Wait".into(), (core.now - entered).as_secs().to_string()));
        if self.called.bytes().all(|byte| byte.is_ascii_graphic()) {
            headers.push(("X-Called".into(), self.called.to_string()));
        }
        let agent = core.queues.agent_at(user).and_then(|agent| self.plan.agent(agent));
        let own = agent.and_then(|agent| agent.auto_answer.as_ref());
        let ways = own.unwrap_or(&queue.to_agent.auto_answer);
        headers.extend(ways.iter().map(|way| auto_answer(*way)));
        Introduction { from, headers }
    }
}

/// What a trunk is told of a caller, by an INVITE to `target`: `asked` is what the dial is to show, and `host` is ours.
fn to_trunk(
    caller: &Identity,
    asked: Option<&CallerId>,
    trunk: &Trunk,
    host: &str,
    target: &str,
) -> (Introduction, Option<Told>) {
    let CallerIds { show, assert, diversion, domain, .. } = &trunk.caller_id;
    let host = domain.as_deref().or_else(|| registrar_host(trunk)).unwrap_or(host);
    let uri = |number: &str| format!("sip:{}@{host}", trunk.calling(number));
    let own_number = match asked {
        Some(CallerId::Number(number)) => Some(number),
        _ => caller.shown.as_ref(),
    };
    let own = own_number.map(|number| uri(number));
    let passes_on = *show == Show::Caller && asked.is_none() && caller.outside;
    let withheld = match asked {
        Some(asked) => *asked == CallerId::Withheld,
        None => caller.withheld && (passes_on || !caller.outside),
    };
    let is_known = &*caller.number != ANONYMOUS;
    let shown = if passes_on && is_known { Some(uri(&caller.number)) } else { own.clone() };
    // Whoever reads P-Asserted-Identity takes it before From.
    let told = match own_number {
        Some(number) if *assert => Some((number, true)),
        _ if withheld => None,
        _ if passes_on && is_known => Some((&caller.number, false)),
        own => own.map(|number| (number, true)),
    };
    let told = told.map(|(number, is_owned)| Told { number: Arc::clone(number), is_owned });
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
    (Introduction { from, headers }, told)
}

/// How a phone is asked to answer by itself. The URIs of `Call-Info` and `Alert-Info` lead nowhere.
fn auto_answer(way: AutoAnswer) -> (Cow<'static, str>, String) {
    let (name, value) = match way {
        AutoAnswer::CallInfo => ("Call-Info", "<sip:ringdown.invalid>;answer-after=0"),
        AutoAnswer::AlertInfo => ("Alert-Info", "<http://ringdown.invalid>;info=alert-autoanswer;delay=0"),
        // RFC 5373 section 4.
        AutoAnswer::AnswerMode => ("Answer-Mode", "Auto"),
        AutoAnswer::PAutoAnswer => ("P-Auto-Answer", "normal"),
    };
    (name.into(), value.to_owned())
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
        let (Introduction { from, headers }, _) = to_trunk(caller, asked, &trunk(ids), "192.0.2.1", TARGET);
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
    fn rfc8224_8_the_node_answers_for_the_number_that_the_trunk_reads() {
        let numbers = |caller: &Identity, asked: Option<&CallerId>, ids: CallerIds| {
            let (_, told) = to_trunk(caller, asked, &trunk(ids), "192.0.2.1", TARGET);
            told.map(|told| (told.number.to_string(), told.is_owned))
        };
        let own = Some(("+34911".to_owned(), true));
        let ids = |show, assert| CallerIds { show, assert, ..CallerIds::default() };
        assert_eq!(numbers(&customer(), None, CallerIds::default()), own);
        assert_eq!(numbers(&customer(), None, ids(Show::Caller, false)), Some(("+44201".into(), false)));
        assert_eq!(numbers(&customer(), None, ids(Show::Caller, true)), own, "it is asserted");
        let asked = CallerId::Number("+34922".into());
        assert_eq!(numbers(&customer(), Some(&asked), CallerIds::default()), Some(("+34922".into(), true)));
        assert_eq!(numbers(&customer(), Some(&CallerId::Withheld), ids(Show::Owned, false)), None);
        assert_eq!(numbers(&customer(), Some(&CallerId::Withheld), ids(Show::Owned, true)), own);
        let nobody = Identity { number: ANONYMOUS.into(), shown: None, ..customer() };
        assert_eq!(numbers(&nobody, None, ids(Show::Caller, true)), None);
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
            let from = to_trunk(&customer(), None, &trunk, "192.0.2.1", TARGET).0.from;
            assert_eq!(from.uri, format!("sip:+34911@{host}"));
        }
    }
}

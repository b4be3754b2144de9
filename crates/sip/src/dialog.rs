//! Dialogs: what two user agents know of each other between INVITE and BYE (RFC 3261 section 12).

use crate::endpoint::{Body, EndpointConfig};
use crate::transaction::Outgoing;
use crate::transaction::client::ClientKey;
use crate::transaction::server::has_cookie;
use crate::{
    Flow, Host, Message, Method, Name, NameAddr, ParseError, RequestBuilder, SipUri, Transport, Uri,
};
use std::net::{IpAddr, SocketAddr};

/// Proxies that a dialog may run through; a longer Record-Route list is refused.
pub(crate) const MAX_ROUTES: usize = 32;

/// A confirmed dialog, or the early dialog of a call that we were offered.
#[derive(Debug)]
pub(crate) struct Dialog {
    call_id: Box<str>,
    /// Our From or To value, tag and all.
    local: Box<str>,
    /// The peer's From or To value, tag and all.
    remote: Box<str>,
    remote_tag: Box<str>,
    local_cseq: u32,
    remote_cseq: Option<u32>,
    target: Box<str>,
    routes: Box<[Box<str>]>,
    flow: Flow,
    /// Whether we sent the INVITE that made it, and so own the Call-ID (14.1).
    pub(crate) is_caller: bool,
}

/// How our tags are written.
pub(crate) fn tag_text(tag: u64) -> String {
    format!("{tag:016x}")
}

/// The tag of ours that a text is.
pub(crate) fn own_tag(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok().filter(|_| text.len() == 16)
}

impl Dialog {
    /// The dialog that an INVITE offers us (12.1.1). `None` if the INVITE has too long a route, or no Contact:
    /// only one of RFC 2543 may go without, and is then reached by its From.
    pub(crate) fn offered(invite: &Message, flow: Flow, local_tag: u64) -> Option<Self> {
        let routes = record_route(invite)?;
        let is_of_rfc_2543 = || !invite.via().is_ok_and(|via| has_cookie(via.branch().unwrap_or("")));
        let from = invite.from().ok()?;
        let contact = match contact(invite) {
            None if invite.header(Name::Contact).is_none() && is_of_rfc_2543() => from.uri_text(),
            contact => contact?,
        };
        let (cseq, _) = invite.cseq().ok()?;
        Some(Self {
            call_id: invite.call_id().into(),
            local: format!("{};tag={}", invite.header(Name::To)?, tag_text(local_tag)).into(),
            remote: invite.header(Name::From)?.into(),
            remote_tag: from.tag().unwrap_or("").into(),
            local_cseq: 0,
            remote_cseq: Some(cseq),
            target: contact.into(),
            routes: routes.into(),
            flow,
            is_caller: false,
        })
    }

    /// The dialog that a 2xx to our INVITE makes (12.1.2), or one that is to be ended at once because the
    /// 2xx is not what it should be. `None` if nothing can be sent to its sender at all.
    pub(crate) fn answered(response: &Message, flow: Flow) -> Option<Self> {
        let mut routes = record_route(response)?;
        routes.reverse();
        let to = response.to().ok().filter(|to| to.uri().is_ok())?;
        let (cseq, _) = response.cseq().ok()?;
        Some(Self {
            call_id: response.call_id().into(),
            local: response.header(Name::From)?.into(),
            remote: response.header(Name::To)?.into(),
            remote_tag: to.tag().unwrap_or("").into(),
            local_cseq: cseq,
            remote_cseq: None,
            // A 2xx without Contact breaks 12.1.1; who was called is the best guess for the ACK.
            target: contact(response).unwrap_or(to.uri_text()).into(),
            routes: routes.into(),
            flow,
            is_caller: true,
        })
    }

    /// The Call-ID.
    pub(crate) fn call_id(&self) -> &str {
        &self.call_id
    }

    /// The peer's tag; empty if it is of RFC 2543 and has none.
    pub(crate) fn remote_tag(&self) -> &str {
        &self.remote_tag
    }

    /// Whether a request with our tag in To is of this dialog.
    pub(crate) fn matches(&self, request: &Message) -> bool {
        let from_tag = request.from().ok().and_then(|from| from.tag()).unwrap_or("");
        *self.call_id == *request.call_id() && *self.remote_tag == *from_tag
    }

    /// Whether a request's CSeq is in order (12.2.2); it is then the last seen.
    pub(crate) fn is_in_order(&mut self, cseq: u32) -> bool {
        let in_order = self.remote_cseq.is_none_or(|last| cseq > last);
        if in_order {
            self.remote_cseq = Some(cseq);
        }
        in_order
    }

    /// Requests were sent and received in the early dialog that became this one: the numbers go on from theirs.
    pub(crate) fn continue_from(&mut self, local: Option<u32>, remote: Option<u32>) {
        self.local_cseq = self.local_cseq.max(local.unwrap_or(0));
        self.remote_cseq = self.remote_cseq.max(remote);
    }

    /// Takes the Contact of a target refresh (12.2.1.2, 12.2.2).
    pub(crate) fn refresh_target(&mut self, message: &Message) {
        if let Some(contact) = contact(message) {
            self.target = contact.into();
        }
    }

    /// The stream that the dialog lives on has closed: requests go to the remote target from now on.
    pub(crate) fn stream_closed(&mut self, connection: u64) {
        if self.flow.connection == connection {
            self.flow.connection = 0;
        }
    }

    /// The peer has sent a request by `flow`: a stream that it opened anew is the way to it from now on.
    pub(crate) fn follow(&mut self, flow: Flow) {
        if flow.connection != 0 && flow.transport == self.flow.transport {
            self.flow = flow;
        }
    }

    /// The number for the next request.
    pub(crate) fn next_cseq(&mut self) -> u32 {
        self.local_cseq += 1;
        self.local_cseq
    }

    /// The CSeq number of the last request that we sent in the dialog.
    pub(crate) const fn last_cseq(&self) -> u32 {
        self.local_cseq
    }

    /// A request within the dialog (12.2.1.1).
    pub(crate) fn request(
        &self,
        config: &EndpointConfig,
        method: &Method,
        cseq: u32,
        key: ClientKey,
        headers: &[(&str, &str)],
        body: Option<&Body>,
    ) -> Outgoing {
        let flow = self.next_hop();
        let strict = self.routes.first().filter(|route| !is_loose(route));
        let request_uri = match strict {
            Some(route) => {
                NameAddr::parse(Name::Route, route).map_or(&*self.target, |route| route.uri_text())
            }
            None => &self.target,
        };
        let mut builder = RequestBuilder::new(method, request_uri);
        builder = builder.header(Name::Via, key.via(config, &flow)).header(Name::MaxForwards, "70");
        for route in self.routes.iter().skip(usize::from(strict.is_some())) {
            builder = builder.header(Name::Route, route);
        }
        if strict.is_some() {
            builder = builder.header(Name::Route, format!("<{}>", self.target));
        }
        builder = builder.header(Name::From, &self.local).header(Name::To, &self.remote);
        builder = builder.header(Name::CallId, &self.call_id).cseq(cseq, method);
        for (name, value) in headers {
            builder = builder.header(name, value);
        }
        let sdp = body.is_some_and(Body::is_sdp);
        let bytes = match body {
            Some(body) => builder.finish_with(&body.content_type, &body.bytes),
            None => builder.finish(),
        };
        Outgoing { flow, bytes, cseq, sdp }
    }

    /// Where requests of the dialog go.
    ///
    /// On a stream that is open they stay on it: a phone behind NAT or a browser can be reached in no other
    /// way. Otherwise they go to the address of the first route, or of the remote target if there is none.
    /// A host that is a name, another transport than the dialog's, and an address of narrower scope than the
    /// one that the peer is seen at (a phone behind NAT) leave them with the address that the dialog began with.
    pub(crate) fn next_hop(&self) -> Flow {
        if self.flow.connection != 0 {
            return self.flow;
        }
        let uri = match self.routes.first() {
            Some(route) => NameAddr::parse(Name::Route, route).and_then(|route| route.uri()),
            None => Uri::parse(&self.target),
        };
        let address = uri.ok().and_then(|uri| address_of(uri.as_sip()?, self.flow.transport));
        match address {
            Some(peer) if scope(peer.ip()) >= scope(self.flow.peer.ip()) => Flow { peer, ..self.flow },
            _ => self.flow,
        }
    }
}

/// Whether the first hop of the dialog that a response makes, its last Record-Route or else its Contact, names this
/// transport.
pub(crate) fn first_hop_names(response: &Message, transport: Transport) -> bool {
    let uri = match response.header_values(Name::RecordRoute).last() {
        Some(route) => NameAddr::parse(Name::RecordRoute, route).and_then(|route| route.uri()),
        None => contact(response).map_or(Err(ParseError::Empty), Uri::parse),
    };
    uri.is_ok_and(|uri| uri.as_sip().is_some_and(|uri| uri.transport() == Some(transport)))
}

/// The URI of a message's Contact.
fn contact(message: &Message) -> Option<&str> {
    let contact = message.contacts().next()?.ok()?;
    contact.uri().ok()?;
    Some(contact.uri_text())
}

fn record_route(message: &Message) -> Option<Vec<Box<str>>> {
    let routes: Vec<Box<str>> =
        message.header_values(Name::RecordRoute).take(MAX_ROUTES + 1).map(Box::from).collect();
    (routes.len() <= MAX_ROUTES).then_some(routes)
}

/// Whether a route's proxy routes loosely (RFC 3261 section 16.12); one that cannot be read is not asked to
/// take the place of the Request-URI.
fn is_loose(route: &str) -> bool {
    let uri = NameAddr::parse(Name::Route, route).and_then(|route| route.uri());
    uri.ok().is_none_or(|uri| uri.as_sip().is_none_or(|uri| uri.params.has("lr")))
}

/// The address of a URI that needs no DNS and no other transport.
pub(crate) fn address_of(uri: &SipUri<'_>, transport: Transport) -> Option<SocketAddr> {
    let asked = match uri.params.get("transport") {
        Some(token) => Transport::from_token(token)?,
        None => transport,
    };
    let ip = match uri.host {
        Host::V4(ip) => IpAddr::V4(ip),
        Host::V6(ip) => IpAddr::V6(ip),
        Host::Name(_) => return None,
    };
    let port = uri.port.unwrap_or(transport.default_port());
    (asked == transport && port != 0 && !ip.is_unspecified()).then(|| SocketAddr::new(ip, port))
}

/// How far an address reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    /// Loopback.
    Host,
    /// Link-local, RFC 1918, RFC 4193, and RFC 6598 behind a carrier's NAT.
    Site,
    /// Everything else.
    Global,
}

fn scope(ip: IpAddr) -> Scope {
    let ip = ip.to_canonical();
    let is_site = match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private() || ip.is_link_local() || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    };
    match (ip.is_loopback(), is_site) {
        (true, _) => Scope::Host,
        (false, true) => Scope::Site,
        (false, false) => Scope::Global,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_reach_as_far_as_their_kind() {
        let cases = [
            ("127.0.0.1", Scope::Host),
            ("::1", Scope::Host),
            ("10.1.2.3", Scope::Site),
            ("100.64.0.1", Scope::Site),
            ("100.128.0.1", Scope::Global),
            ("169.254.1.1", Scope::Site),
            ("fd00::1", Scope::Site),
            ("fe80::1", Scope::Site),
            ("::ffff:192.168.1.1", Scope::Site),
            ("203.0.113.1", Scope::Global),
            ("2001:db8::1", Scope::Global),
        ];
        for (ip, wanted) in cases {
            assert_eq!(scope(ip.parse().unwrap()), wanted, "{ip}");
        }
    }

    #[test]
    fn rfc3261_19_3_only_our_tags_are_ours() {
        assert_eq!(own_tag(&tag_text(0xab)), Some(0xab));
        for other in ["", "ab", "00000000000000000ab", "zzzzzzzzzzzzzzzz"] {
            assert_eq!(own_tag(other), None, "{other}");
        }
    }
}

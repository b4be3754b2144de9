//! The registrar: which contacts an address-of-record has (RFC 3261 section 10.3).

use crate::dialog::address_of;
use crate::message::digits;
use crate::{Flow, Message, Name, NameAddr, Transport, Uri};
use clock::{Duration, Time, Timers};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

/// Proxies that a binding's Path may name; a REGISTER with more is refused.
const MAX_PATH: usize = 8;

/// What a registrar accepts.
#[derive(Clone, Debug)]
pub struct RegistrarConfig {
    /// Contacts that one address-of-record may have. One more takes the place of the one that expires first,
    /// so that a phone that has lost its memory is not locked out by what it registered before.
    pub max_contacts: usize,
    /// The expiry given to a contact that asks for none.
    pub default_expires: Duration,
    /// A shorter expiry is refused with 423.
    pub min_expires: Duration,
    /// A longer one is shortened to this.
    pub max_expires: Duration,
}

impl Default for RegistrarConfig {
    fn default() -> Self {
        Self {
            max_contacts: 10,
            default_expires: Duration::from_secs(3600),
            min_expires: Duration::from_secs(60),
            max_expires: Duration::from_secs(7200),
        }
    }
}

/// One contact of an address-of-record.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// The contact's URI, as given.
    pub uri: String,
    /// The way that the REGISTER came by, with connection 0 once its stream has closed.
    pub flow: Flow,
    /// When it ends.
    pub expires_at: Time,
    /// Preference in thousandths, 0 to 1000.
    pub q: u16,
    /// The Path header field's values (RFC 3327): the Route of requests to this contact.
    pub path: Vec<String>,
    call_id: Box<str>,
    cseq: u32,
    number: u64,
}

impl Binding {
    /// The first proxy of the Path, where requests to the contact go (RFC 3327 section 5.3). `None` without a Path, and if
    /// its first proxy is not at the address that the REGISTER came from: a user does not choose whom the node calls.
    /// `None` also for one that is reached by TLS or WebSocket: its streams are its own to open.
    pub fn first_hop(&self) -> Option<(Transport, SocketAddr)> {
        let uri = NameAddr::parse(Name::Route, self.path.first()?).ok()?.uri().ok()?;
        let uri = uri.as_sip().filter(|uri| !uri.secure)?;
        let transport = uri.params.get("transport").map_or(Some(Transport::Udp), Transport::from_token)?;
        let proxy = address_of(uri, transport).filter(|proxy| proxy.ip() == self.flow.peer.ip())?;
        matches!(transport, Transport::Udp | Transport::Tcp).then_some((transport, proxy))
    }
}

/// A binding as a former run has left it.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptBinding {
    /// As in [`Binding`].
    pub uri: String,
    /// As in [`Binding`]; its stream, if it had one, is gone.
    pub flow: Flow,
    /// As in [`Binding`].
    pub expires_at: Time,
    /// As in [`Binding`].
    pub q: u16,
    /// As in [`Binding`].
    pub path: Vec<String>,
}

/// Why a REGISTER is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The status to answer with.
    pub status: u16,
    /// Header fields to add to the answer.
    pub headers: Vec<(&'static str, String)>,
}

/// The bindings of all addresses-of-record. Authentication is the caller's.
#[derive(Debug)]
pub struct Registrar {
    config: RegistrarConfig,
    bindings: BTreeMap<Arc<str>, Vec<Binding>>,
    /// The address-of-record of each binding, by the binding's number.
    owners: BTreeMap<u64, Arc<str>>,
    /// The bindings of each stream.
    streams: BTreeSet<(u64, u64)>,
    timers: Timers<u64>,
    last_number: u64,
}

/// A REGISTER that was found to be in order.
struct Request<'a> {
    changes: Vec<Change<'a>>,
    path: Vec<String>,
    call_id: &'a str,
    cseq: u32,
}

/// What a REGISTER asks for one of its contacts.
struct Change<'a> {
    uri_text: &'a str,
    uri: Uri<'a>,
    /// Zero removes it.
    expires: Duration,
    q: u16,
}

impl Registrar {
    /// No bindings.
    pub fn new(config: RegistrarConfig) -> Self {
        Self {
            config,
            bindings: BTreeMap::new(),
            owners: BTreeMap::new(),
            streams: BTreeSet::new(),
            timers: Timers::new(),
            last_number: 0,
        }
    }

    /// Carries out an authenticated REGISTER for `aor`, wholly or not at all, and returns the bindings that
    /// it leaves, best `q` first. Without a Contact it is a query.
    ///
    /// # Errors
    /// What to answer instead of 200: 400 for contacts that cannot be read or a `*` that is not alone or
    /// has no `Expires: 0`, 403 for more contacts than may be, 423 with Min-Expires, 500 for a CSeq that is
    /// not higher than the last of its Call-ID.
    pub fn register(
        &mut self,
        now: Time,
        aor: &str,
        request: &Message,
        flow: Flow,
    ) -> Result<Vec<Binding>, Reject> {
        let (cseq, _) = request.cseq().map_err(|_| Reject::plain(400))?;
        let call_id = request.call_id();
        let stars = request.header_values(Name::Contact).filter(|value| *value == "*").count();
        if stars > 0 {
            let alone = request.header_values(Name::Contact).nth(1).is_none();
            if !alone || request.expires() != Some(0) {
                return Err(Reject::plain(400));
            }
            self.check_order(aor, call_id, cseq, |_| true)?;
            self.remove_where(aor, |_| true);
        } else {
            let changes = self.read_contacts(request)?;
            let path: Vec<String> =
                request.header_values(Name::Path).take(MAX_PATH + 1).map(str::to_owned).collect();
            if path.len() > MAX_PATH {
                return Err(Reject::plain(400));
            }
            for change in &changes {
                self.check_order(aor, call_id, cseq, |binding| same_uri(&binding.uri, &change.uri))?;
            }
            self.apply(now, aor, &Request { changes, path, call_id, cseq }, flow);
        }
        Ok(self.lookup(now, aor).cloned().collect())
    }

    /// Takes back what a former run had, and says whether it does: not what has expired, nor what only a stream reached
    /// that is gone. A REGISTER is not held against the CSeq of one before the restart.
    pub fn restore(&mut self, now: Time, aor: &str, kept: KeptBinding) -> bool {
        let KeptBinding { uri, flow, expires_at, q, path } = kept;
        let flow = Flow { connection: 0, ..flow };
        self.last_number += 1;
        let number = self.last_number;
        let binding = Binding { uri, flow, expires_at, q, path, call_id: "".into(), cseq: 0, number };
        let is_reached = flow.transport == Transport::Udp || binding.first_hop().is_some();
        if expires_at <= now || !is_reached {
            return false;
        }
        self.make_room(aor);
        self.insert(aor, binding);
        true
    }

    /// The bindings of `aor` that have not expired, best `q` first.
    pub fn lookup(&self, now: Time, aor: &str) -> impl Iterator<Item = &Binding> {
        self.bindings.get(aor).into_iter().flatten().filter(move |binding| binding.expires_at > now)
    }

    /// How many bindings there are, over all addresses-of-record.
    pub fn len(&self) -> usize {
        self.owners.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    /// Removes what has expired and names it: address-of-record and contact URI.
    pub fn expire(&mut self, now: Time) -> Vec<(String, String)> {
        let mut expired = Vec::new();
        while let Some(number) = self.timers.pop_due(now) {
            expired.extend(self.remove(number));
        }
        expired
    }

    /// When the next binding expires.
    pub fn next_timeout(&self) -> Option<Time> {
        self.timers.next()
    }

    /// Removes the bindings of a stream that has closed and names them: nothing can reach them any more. A proxy in front
    /// of a phone may close its streams as it likes; it is reached again by the phone's Path.
    pub fn flow_closed(&mut self, connection: u64) -> Vec<(String, String)> {
        let of_stream = self.streams.range((connection, 0)..=(connection, u64::MAX));
        let numbers: Vec<u64> = of_stream.map(|(_, number)| *number).collect();
        let lost = numbers.into_iter().filter_map(|number| match self.binding_mut(number) {
            Some(binding) if binding.first_hop().is_some() => {
                binding.flow.connection = 0;
                self.streams.remove(&(connection, number));
                None
            }
            _ => self.remove(number),
        });
        lost.collect()
    }

    fn binding_mut(&mut self, number: u64) -> Option<&mut Binding> {
        let bindings = self.bindings.get_mut(self.owners.get(&number)?)?;
        bindings.iter_mut().find(|binding| binding.number == number)
    }

    /// Step 7's test: a request that is older than what it would change is out of order.
    fn check_order(
        &self,
        aor: &str,
        call_id: &str,
        cseq: u32,
        touches: impl Fn(&Binding) -> bool,
    ) -> Result<(), Reject> {
        let mut touched = self.bindings.get(aor).into_iter().flatten().filter(|binding| touches(binding));
        let late = touched.any(|binding| *binding.call_id == *call_id && cseq <= binding.cseq);
        if late { Err(Reject::plain(500)) } else { Ok(()) }
    }

    fn read_contacts<'a>(&self, request: &'a Message) -> Result<Vec<Change<'a>>, Reject> {
        let mut changes = Vec::new();
        for contact in request.contacts() {
            let contact = contact.map_err(|_| Reject::plain(400))?;
            let uri = contact.uri().map_err(|_| Reject::plain(400))?;
            if changes.len() == self.config.max_contacts {
                return Err(Reject::plain(403));
            }
            let expires = self.read_expires(&contact, request)?;
            let q = contact.preference();
            changes.push(Change { uri_text: contact.uri_text(), uri, expires, q });
        }
        Ok(changes)
    }

    /// The Contact's `expires`, else the Expires header field, else the default; a value that cannot be
    /// read counts as none (section 20.19 lets it count as 3600).
    fn read_expires(&self, contact: &NameAddr<'_>, request: &Message) -> Result<Duration, Reject> {
        let asked = match contact.param("expires") {
            Some(text) => digits(text),
            None => request.expires().map(u64::from),
        };
        let expires = asked.map_or(self.config.default_expires, Duration::from_secs);
        if expires.is_zero() || expires >= self.config.min_expires {
            return Ok(expires.min(self.config.max_expires));
        }
        let least = self.config.min_expires.as_secs().to_string();
        Err(Reject { status: 423, headers: vec![("Min-Expires", least)] })
    }

    fn apply(&mut self, now: Time, aor: &str, request: &Request<'_>, flow: Flow) {
        for change in &request.changes {
            self.remove_where(aor, |binding| same_uri(&binding.uri, &change.uri));
            if change.expires.is_zero() {
                continue;
            }
            self.make_room(aor);
            self.last_number += 1;
            self.insert(
                aor,
                Binding {
                    uri: change.uri_text.to_owned(),
                    flow,
                    expires_at: now + change.expires,
                    q: change.q,
                    path: request.path.clone(),
                    call_id: request.call_id.into(),
                    cseq: request.cseq,
                    number: self.last_number,
                },
            );
        }
    }

    fn make_room(&mut self, aor: &str) {
        let Some(bindings) = self.bindings.get(aor) else { return };
        if bindings.len() < self.config.max_contacts {
            return;
        }
        let first = bindings.iter().min_by_key(|binding| (binding.expires_at, binding.number));
        if let Some(number) = first.map(|binding| binding.number) {
            self.remove(number);
        }
    }

    fn insert(&mut self, aor: &str, binding: Binding) {
        let owner = match self.bindings.get_key_value(aor) {
            Some((owner, _)) => Arc::clone(owner),
            None => Arc::from(aor),
        };
        self.timers.set(binding.number, binding.expires_at);
        self.owners.insert(binding.number, Arc::clone(&owner));
        if binding.flow.connection != 0 {
            self.streams.insert((binding.flow.connection, binding.number));
        }
        let bindings = self.bindings.entry(owner).or_default();
        let place = bindings.partition_point(|other| other.q >= binding.q);
        bindings.insert(place, binding);
    }

    fn remove_where(&mut self, aor: &str, goes: impl Fn(&Binding) -> bool) {
        let going = self.bindings.get(aor).into_iter().flatten().filter(|binding| goes(binding));
        let numbers: Vec<u64> = going.map(|binding| binding.number).collect();
        for number in numbers {
            self.remove(number);
        }
    }

    fn remove(&mut self, number: u64) -> Option<(String, String)> {
        let owner = self.owners.remove(&number)?;
        self.timers.cancel(number);
        let bindings = self.bindings.get_mut(&owner)?;
        let place = bindings.iter().position(|binding| binding.number == number)?;
        let binding = bindings.remove(place);
        if bindings.is_empty() {
            self.bindings.remove(&owner);
        }
        self.streams.remove(&(binding.flow.connection, number));
        Some((owner.as_ref().to_owned(), binding.uri))
    }
}

impl Reject {
    const fn plain(status: u16) -> Self {
        Self { status, headers: Vec::new() }
    }
}

/// Section 19.1.4: contacts are the same by their URIs' meaning, not their spelling.
pub(crate) fn same_uri(kept: &str, given: &Uri<'_>) -> bool {
    Uri::parse(kept).is_ok_and(|kept| kept == *given)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AOR: &str = "1000@acme";

    fn flow(connection: u64) -> Flow {
        let flow = Flow::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.9:5070".parse().unwrap());
        Flow { connection, ..flow }
    }

    fn registrar() -> Registrar {
        Registrar::new(RegistrarConfig { max_contacts: 2, ..RegistrarConfig::default() })
    }

    fn request(call_id: &str, cseq: u32, headers: &str) -> Message {
        let text = format!(
            "REGISTER sip:acme SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK{cseq}\r\nFrom: <sip:1000@acme>;tag=1\r\n\
             To: <sip:1000@acme>\r\nCall-ID: {call_id}\r\nCSeq: {cseq} REGISTER\r\n{headers}\r\n"
        );
        Message::parse(text.into()).unwrap()
    }

    fn register(
        registrar: &mut Registrar,
        now: Time,
        cseq: u32,
        headers: &str,
    ) -> Result<Vec<String>, Reject> {
        let bindings = registrar.register(now, AOR, &request("c", cseq, headers), flow(0))?;
        Ok(bindings.iter().map(|b| format!("{} {}", b.uri, (b.expires_at - now).as_secs())).collect())
    }

    #[test]
    fn rfc3261_10_3_contacts_are_added_refreshed_queried_and_removed() {
        let mut registrar = registrar();
        let two = "Contact: <sip:a@h>;q=0.5;expires=100\r\nContact: <sip:b@h>\r\nExpires: 200\r\n";
        assert_eq!(register(&mut registrar, Time::ZERO, 1, two).unwrap(), ["sip:b@h 200", "sip:a@h 100"]);
        let later = Time::from_secs(50);
        let refresh = "Contact: <sip:a@H>;q=0.5;expires=90\r\n";
        let refreshed = register(&mut registrar, later, 2, refresh).unwrap();
        assert_eq!(refreshed, ["sip:b@h 150", "sip:a@H 90"], "a host has no case");
        assert_eq!(register(&mut registrar, later, 3, "").unwrap(), refreshed, "no Contact is a query");
        let removed = register(&mut registrar, later, 4, "Contact: <sip:b@h>;expires=0\r\n").unwrap();
        assert_eq!(removed, ["sip:a@H 90"]);
        assert_eq!(registrar.len(), 1);
    }

    #[test]
    fn rfc3261_10_2_2_star_removes_all_and_must_be_alone_with_expires_zero() {
        let mut registrar = registrar();
        register(&mut registrar, Time::ZERO, 1, "Contact: <sip:a@h>,<sip:b@h>\r\n").unwrap();
        for bad in
            ["Contact: *\r\n", "Contact: *\r\nExpires: 60\r\n", "Contact: *, <sip:a@h>\r\nExpires: 0\r\n"]
        {
            assert_eq!(register(&mut registrar, Time::ZERO, 2, bad).unwrap_err().status, 400, "{bad}");
        }
        assert_eq!(registrar.len(), 2);
        let none = register(&mut registrar, Time::ZERO, 2, "Contact: *\r\nExpires: 0\r\n").unwrap();
        assert!(none.is_empty() && registrar.is_empty());
        assert_eq!(registrar.next_timeout(), None);
    }

    #[test]
    fn rfc3261_10_3_step_7_expiry_is_bounded_both_ways() {
        let mut registrar = registrar();
        let brief = register(&mut registrar, Time::ZERO, 1, "Contact: <sip:a@h>;expires=59\r\n").unwrap_err();
        assert_eq!(brief, Reject { status: 423, headers: vec![("Min-Expires", "60".to_owned())] });
        assert!(registrar.is_empty());
        let long = register(&mut registrar, Time::ZERO, 1, "Contact: <sip:a@h>;expires=99999999999\r\n");
        assert_eq!(long.unwrap(), ["sip:a@h 7200"]);
        let odd = register(&mut registrar, Time::ZERO, 2, "Contact: <sip:a@h>;expires=soon\r\n");
        assert_eq!(odd.unwrap(), ["sip:a@h 3600"]);
    }

    #[test]
    fn rfc3261_10_3_step_7_an_old_cseq_of_the_same_call_id_changes_nothing() {
        let mut registrar = registrar();
        register(&mut registrar, Time::ZERO, 5, "Contact: <sip:a@h>\r\n").unwrap();
        for old in [4, 5] {
            let both = "Contact: <sip:b@h>,<sip:a@h>;expires=0\r\n";
            assert_eq!(register(&mut registrar, Time::ZERO, old, both).unwrap_err().status, 500);
            let star = "Contact: *\r\nExpires: 0\r\n";
            assert_eq!(register(&mut registrar, Time::ZERO, old, star).unwrap_err().status, 500);
        }
        let uris: Vec<_> = registrar.lookup(Time::ZERO, AOR).map(|binding| binding.uri.as_str()).collect();
        assert_eq!(uris, ["sip:a@h"], "all or nothing");
        let rebooted = request("other", 1, "Contact: <sip:a@h>;expires=0\r\n");
        assert!(registrar.register(Time::ZERO, AOR, &rebooted, flow(0)).unwrap().is_empty());
    }

    #[test]
    fn a_further_contact_takes_the_place_of_the_one_that_expires_first() {
        let mut registrar = registrar();
        register(&mut registrar, Time::ZERO, 1, "Contact: <sip:a@h>;expires=300,<sip:b@h>;expires=200\r\n")
            .unwrap();
        let third = register(&mut registrar, Time::ZERO, 2, "Contact: <sip:c@h>;expires=100\r\n").unwrap();
        assert_eq!(third, ["sip:a@h 300", "sip:c@h 100"]);
        let many = register(&mut registrar, Time::ZERO, 3, "Contact: <sip:x@h>,<sip:y@h>,<sip:z@h>\r\n");
        assert_eq!(many.unwrap_err().status, 403);
        assert_eq!(registrar.len(), 2);
    }

    #[test]
    fn bindings_expire_on_time_and_are_named() {
        let mut registrar = registrar();
        register(&mut registrar, Time::ZERO, 1, "Contact: <sip:a@h>;expires=60,<sip:b@h>;expires=90\r\n")
            .unwrap();
        assert_eq!(registrar.next_timeout(), Some(Time::from_secs(60)));
        assert_eq!(registrar.lookup(Time::from_secs(60), AOR).count(), 1);
        let gone = registrar.expire(Time::from_secs(60));
        assert_eq!(gone, [(AOR.to_owned(), "sip:a@h".to_owned())]);
        assert_eq!(registrar.next_timeout(), Some(Time::from_secs(90)));
        assert_eq!(registrar.expire(Time::from_secs(100)).len(), 1);
        assert!(registrar.is_empty());
    }

    #[test]
    fn a_closed_stream_takes_its_bindings_with_it() {
        let mut registrar = registrar();
        for (connection, contact) in [(7, "a"), (8, "b")] {
            let text = format!("Contact: <sip:{contact}@h>\r\nPath: <sip:p;lr>\r\n");
            registrar.register(Time::ZERO, AOR, &request(contact, 1, &text), flow(connection)).unwrap();
        }
        assert_eq!(registrar.flow_closed(7), [(AOR.to_owned(), "sip:a@h".to_owned())]);
        assert!(registrar.flow_closed(7).is_empty());
        let left: Vec<&Binding> = registrar.lookup(Time::ZERO, AOR).collect();
        assert_eq!((left[0].flow.connection, left[0].path.as_slice()), (8, &["<sip:p;lr>".to_owned()][..]));
    }

    #[test]
    fn rfc3327_5_3_a_phone_behind_a_proxy_is_reached_by_its_path_when_the_proxys_stream_has_closed() {
        let proxy = flow(0).peer.ip();
        let hop = |transport, port| Some((transport, SocketAddr::new(proxy, port)));
        let cases = [
            (format!("<sip:{proxy}:5070;transport=tcp;lr>, <sip:192.0.2.9;lr>"), hop(Transport::Tcp, 5070)),
            (format!("<sip:{proxy};lr>"), hop(Transport::Udp, 5060)),
            (format!("<sip:{proxy};transport=tls;lr>"), None),
            (format!("<sips:{proxy};lr>"), None),
            ("<sip:192.0.2.8;lr>".to_owned(), None),
            ("<sip:proxy.example;lr>".to_owned(), None),
        ];
        for (path, hop) in cases {
            let mut registrar = registrar();
            let text = format!("Contact: <sip:a@h>\r\nPath: {path}\r\n");
            let bindings = registrar.register(Time::ZERO, AOR, &request("c", 1, &text), flow(7)).unwrap();
            assert_eq!(bindings.first().unwrap().first_hop(), hop, "{path}");
            assert_eq!(registrar.flow_closed(7).len(), usize::from(hop.is_none()), "{path}");
            let left: Vec<_> = registrar.lookup(Time::ZERO, AOR).map(|it| it.flow.connection).collect();
            assert_eq!(left, if hop.is_some() { vec![0] } else { vec![] });
            assert!(registrar.flow_closed(7).is_empty());
        }
    }

    #[test]
    fn a_restart_takes_back_what_can_still_be_reached() {
        let kept = |uri: &str, transport, expires_at, path: &[&str]| KeptBinding {
            uri: uri.to_owned(),
            flow: Flow { transport, ..flow(7) },
            expires_at: Time::from_secs(expires_at),
            q: 1000,
            path: path.iter().map(|it| (*it).to_owned()).collect(),
        };
        let mut registrar = registrar();
        let now = Time::from_secs(100);
        let proxy = format!("<sip:{};transport=tcp;lr>", flow(0).peer);
        assert!(registrar.restore(now, AOR, kept("sip:a@h", Transport::Udp, 160, &[])));
        assert!(registrar.restore(now, AOR, kept("sip:b@h", Transport::Tcp, 150, &[&proxy])));
        assert!(
            !registrar.restore(now, AOR, kept("sip:c@h", Transport::Tcp, 160, &[])),
            "its stream is gone"
        );
        assert!(!registrar.restore(now, AOR, kept("sip:d@h", Transport::Udp, 100, &[])), "it has expired");
        let refreshed = register(&mut registrar, now, 1, "Contact: <sip:a@h>;expires=90\r\n").unwrap();
        assert_eq!(refreshed, ["sip:b@h 50", "sip:a@h 90"], "whatever the CSeq was");
        assert_eq!(registrar.next_timeout(), Some(Time::from_secs(150)));
        let flows: Vec<_> = registrar.lookup(now, AOR).map(|it| it.flow.connection).collect();
        assert_eq!(flows, [0, 0]);
        assert_eq!(registrar.expire(Time::from_secs(200)).len(), 2);
    }

    #[test]
    fn contacts_that_cannot_be_read_are_refused() {
        let mut registrar = registrar();
        let bad = register(&mut registrar, Time::ZERO, 1, "Contact: <sip:a@h\r\n").unwrap_err();
        assert_eq!(bad.status, 400);
        assert!(registrar.is_empty());
    }
}

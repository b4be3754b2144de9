//! Where a request goes: the servers of a URI by RFC 3263 section 4, with the answers of the DNS as input.

use crate::{Host, SipUri, Transport};
use clock::Duration;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Servers of one URI; what a zone lists beyond it is not looked at.
const MAX_SERVERS: usize = 16;
/// Addresses of one server.
const MAX_ADDRESSES: usize = 8;

/// A question to the DNS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Question {
    /// In lower case, without a dot at its end.
    pub name: Arc<str>,
    /// What is wanted of it.
    pub kind: RecordKind,
}

/// The kinds of records that lead to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// RFC 3403.
    Naptr,
    /// RFC 2782.
    Srv,
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
}

/// What the DNS says; nothing, where there are no such records or no server could tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// In any order.
    pub records: Vec<Record>,
    /// For how long it holds.
    pub ttl: Duration,
    /// Whether no server could tell, so that there may be records all the same.
    pub failed: bool,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Which services a domain has.
    Naptr {
        /// The lowest first.
        order: u16,
        /// Within an order, the lowest first.
        preference: u16,
        /// `s`: an SRV name replaces.
        flags: Box<str>,
        /// `SIP+D2U`, …
        service: Box<str>,
        /// The SRV name.
        replacement: Box<str>,
    },
    /// A server of a service.
    Srv {
        /// The lowest first.
        priority: u16,
        /// The share within a priority.
        weight: u16,
        /// Its port.
        port: u16,
        /// Its name.
        target: Box<str>,
    },
    /// An address of a host.
    Address(IpAddr),
}

/// By which transports and families we can send: `(Transport::Udp, true)` is UDP over IPv4.
pub type Means = [(Transport, bool)];

/// How far a search is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    /// These have to be answered first.
    Ask(Vec<Question>),
    /// The search is over.
    Found {
        /// Without one there is no way.
        servers: Servers,
        /// For how long that holds; `None` for addresses, which hold for ever.
        ttl: Option<Duration>,
        /// Whether a question had no answer: there may be more servers.
        failed: bool,
    },
}

/// The servers of a URI.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Servers(Vec<Server>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Server {
    /// By NAPTR or transport, then by SRV priority: the lowest first.
    rank: (usize, u16),
    weight: u16,
    transport: Transport,
    addresses: Vec<SocketAddr>,
}

impl Servers {
    /// Where to try, in this order: by rank, and within a rank by weighted lot (RFC 2782). `random` gives any numbers.
    pub fn in_order(&self, mut random: impl FnMut() -> u64) -> Vec<(Transport, SocketAddr)> {
        let mut left: Vec<&Server> = self.0.iter().collect();
        // Within a rank those without weight stand first, and so have a small chance.
        left.sort_by_key(|server| (server.rank, server.weight));
        let mut order = Vec::new();
        while let Some(first) = left.first() {
            let of_rank = left.iter().take_while(|server| server.rank == first.rank).count();
            let weights = left.iter().take(of_rank).map(|server| u64::from(server.weight));
            let mut lot = random() % (weights.sum::<u64>() + 1);
            let mut chosen = 0;
            for (index, server) in left.iter().take(of_rank).enumerate() {
                chosen = index;
                if u64::from(server.weight) >= lot {
                    break;
                }
                lot -= u64::from(server.weight);
            }
            let server = left.remove(chosen);
            order.extend(server.addresses.iter().map(|address| (server.transport, *address)));
        }
        order
    }

    /// All of them, in no particular order.
    pub fn addresses(&self) -> impl Iterator<Item = (Transport, SocketAddr)> {
        self.0.iter().flat_map(|server| server.addresses.iter().map(|address| (server.transport, *address)))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|server| server.addresses.is_empty())
    }
}

/// The servers of a URI as far as `answers` tell.
pub fn locate(uri: &SipUri<'_>, means: &Means, answers: &HashMap<Question, Answer>) -> Search {
    let mut walk = Walk { means, answers, missing: Vec::new(), ttl: None, failed: false };
    let servers = Servers(walk.servers(uri));
    let Walk { mut missing, ttl, failed, .. } = walk;
    if missing.is_empty() {
        return Search::Found { servers, ttl, failed };
    }
    missing.sort_unstable();
    missing.dedup();
    Search::Ask(missing)
}

struct Walk<'a> {
    means: &'a Means,
    answers: &'a HashMap<Question, Answer>,
    missing: Vec<Question>,
    ttl: Option<Duration>,
    failed: bool,
}

/// A service to be looked up: the order of its NAPTR, how, and its SRV name.
type Service = (usize, Transport, String);

impl<'a> Walk<'a> {
    fn servers(&mut self, uri: &SipUri<'_>) -> Vec<Server> {
        let named = match uri.params.get("transport") {
            Some(_) => match uri.transport() {
                Some(transport) => Some(secured(transport, uri.secure)),
                None => return Vec::new(),
            },
            None => None,
        };
        // 4.1: what is neither named nor looked up.
        let usual = named.unwrap_or(if uri.secure { Transport::Tls } else { Transport::Udp });
        let maddr = uri.params.get("maddr").and_then(|text| Some(Host::parse_with_port(text)?.0));
        match (maddr.unwrap_or(uri.host), uri.port) {
            (Host::V4(ip), port) => self.at(ip.into(), usual, port).into_iter().collect(),
            (Host::V6(ip), port) => self.at(ip.into(), usual, port).into_iter().collect(),
            (Host::Name(name), Some(port)) => self.host(name, usual, port).into_iter().collect(),
            (Host::Name(name), None) => self.domain(name, named, usual),
        }
    }

    fn at(&self, ip: IpAddr, transport: Transport, port: Option<u16>) -> Option<Server> {
        self.can(transport, ip.is_ipv4()).then(|| {
            let address = SocketAddr::new(ip, port.unwrap_or(transport.default_port()));
            Server { rank: (0, 0), weight: 0, transport, addresses: vec![address] }
        })
    }

    /// A name with nothing behind it: NAPTR if no transport is named, SRV, and addresses at last.
    fn domain(&mut self, name: &str, named: Option<Transport>, usual: Transport) -> Vec<Server> {
        let services = match named {
            Some(transport) => vec![(0, transport, srv_name(transport, name))],
            None => {
                let Some(services) = self.services(name, usual.is_secure()) else { return Vec::new() };
                services
            }
        };
        let mut servers = Vec::new();
        let mut listed = false;
        for service in &services {
            listed |= self.service(service, &mut servers);
        }
        if !listed && self.missing.is_empty() {
            servers.extend(self.host(name, usual, usual.default_port()));
        }
        servers.truncate(MAX_SERVERS);
        servers
    }

    /// The services of a domain that we can use: those of its NAPTR records (4.1), or else one for each transport of ours.
    /// `None`: the DNS must be asked.
    fn services(&mut self, name: &str, secure: bool) -> Option<Vec<Service>> {
        let mut listed = Vec::new();
        for record in self.records(name, RecordKind::Naptr)? {
            let Record::Naptr { order, preference, flags, service, replacement } = record else { continue };
            let Some(transport) = transport_of(service) else { continue };
            let usable = self.has(transport) && (transport.is_secure() || !secure);
            if usable && flags.eq_ignore_ascii_case("s") {
                listed.push((*order, *preference, transport, normal(replacement)));
            }
        }
        listed.sort_by_key(|(order, preference, ..)| (*order, *preference));
        listed.truncate(MAX_SERVERS);
        if !listed.is_empty() {
            let ranked = listed.into_iter().enumerate();
            return Some(ranked.map(|(rank, (_, _, transport, name))| (rank, transport, name)).collect());
        }
        let ours = [Transport::Udp, Transport::Tcp, Transport::Tls];
        let ours = ours.into_iter().filter(|transport| transport.is_secure() || !secure);
        let usable = ours.filter(|transport| self.has(*transport)).enumerate();
        Some(usable.map(|(rank, transport)| (rank, transport, srv_name(transport, name))).collect())
    }

    /// The servers of a service (4.2); whether there are SRV records of it.
    fn service(&mut self, (rank, transport, name): &Service, servers: &mut Vec<Server>) -> bool {
        let records = self.records(name, RecordKind::Srv).unwrap_or_default();
        for record in records.iter().take(MAX_SERVERS) {
            let Record::Srv { priority, weight, port, target } = record else { continue };
            // RFC 2782: the service is decidedly not available.
            if &**target == "." || target.is_empty() {
                continue;
            }
            if let Some(server) = self.host(target, *transport, *port) {
                servers.push(Server { rank: (*rank, *priority), weight: *weight, ..server });
            }
        }
        !records.is_empty()
    }

    fn host(&mut self, name: &str, transport: Transport, port: u16) -> Option<Server> {
        let mut addresses = Vec::new();
        for (kind, is_ipv4) in [(RecordKind::A, true), (RecordKind::Aaaa, false)] {
            if !self.can(transport, is_ipv4) {
                continue;
            }
            for record in self.records(name, kind).unwrap_or_default() {
                if let Record::Address(ip) = record {
                    addresses.push(SocketAddr::new(*ip, port));
                }
            }
        }
        addresses.truncate(MAX_ADDRESSES);
        (!addresses.is_empty()).then_some(Server { rank: (0, 0), weight: 0, transport, addresses })
    }

    /// The records of a name; `None`, and a question more, if nobody has asked.
    fn records(&mut self, name: &str, kind: RecordKind) -> Option<&'a [Record]> {
        let question = Question { name: normal(name).into(), kind };
        match self.answers.get(&question) {
            Some(answer) => {
                self.ttl = Some(self.ttl.map_or(answer.ttl, |ttl| ttl.min(answer.ttl)));
                self.failed |= answer.failed;
                Some(&answer.records)
            }
            None => {
                self.missing.push(question);
                None
            }
        }
    }

    fn has(&self, transport: Transport) -> bool {
        self.means.iter().any(|(ours, _)| *ours == transport)
    }

    fn can(&self, transport: Transport, is_ipv4: bool) -> bool {
        self.means.contains(&(transport, is_ipv4))
    }
}

/// The transport of a URI whose scheme may be `sips` (RFC 3261 section 26.2.2).
const fn secured(transport: Transport, secure: bool) -> Transport {
    match transport {
        Transport::Tcp if secure => Transport::Tls,
        Transport::Ws if secure => Transport::Wss,
        other => other,
    }
}

/// The service field of a NAPTR record (RFC 3263 section 4.1, RFC 7118 section 5.1).
fn transport_of(service: &str) -> Option<Transport> {
    let known = [
        ("SIP+D2U", Transport::Udp),
        ("SIP+D2T", Transport::Tcp),
        ("SIPS+D2T", Transport::Tls),
        ("SIP+D2W", Transport::Ws),
        ("SIPS+D2W", Transport::Wss),
    ];
    known.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(service)).map(|(_, transport)| transport)
}

fn srv_name(transport: Transport, domain: &str) -> String {
    let service = match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
        Transport::Ws => "_sip._ws",
        Transport::Wss => "_sips._ws",
    };
    format!("{service}.{domain}")
}

fn normal(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Uri;
    use Transport::{Tcp, Tls, Udp};

    const ALL: &Means = &[(Udp, true), (Tcp, true), (Tls, true), (Udp, false)];

    /// A zone: `NAME KIND FIELDS…` a line.
    fn zone(text: &str) -> HashMap<Question, Answer> {
        let mut answers: HashMap<Question, Answer> = HashMap::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let fields: Vec<&str> = line.split(' ').collect();
            let number = |index: usize| fields[index].parse::<u16>().unwrap();
            let (kind, record) = match fields[1] {
                "NAPTR" => (
                    RecordKind::Naptr,
                    Record::Naptr {
                        order: number(2),
                        preference: number(3),
                        flags: fields[4].into(),
                        service: fields[5].into(),
                        replacement: fields[6].into(),
                    },
                ),
                "SRV" => (
                    RecordKind::Srv,
                    Record::Srv {
                        priority: number(2),
                        weight: number(3),
                        port: number(4),
                        target: fields[5].into(),
                    },
                ),
                "A" => (RecordKind::A, Record::Address(fields[2].parse().unwrap())),
                _ => (RecordKind::Aaaa, Record::Address(fields[2].parse().unwrap())),
            };
            let question = Question { name: fields[0].into(), kind };
            answers.entry(question).or_default().records.push(record);
        }
        answers
    }

    /// Searches to the end, what is not in the zone being empty; the questions in the order in which they came up.
    fn search(uri: &str, means: &Means, zone: &HashMap<Question, Answer>) -> (Vec<String>, Servers) {
        let (mut answers, mut asked) = (HashMap::new(), Vec::new());
        let parsed = Uri::parse(uri).unwrap();
        for _ in 0..5 {
            match locate(parsed.as_sip().unwrap(), means, &answers) {
                Search::Found { servers, .. } => return (asked, servers),
                Search::Ask(questions) => {
                    for question in questions {
                        asked.push(format!("{} {:?}", question.name, question.kind));
                        let known = zone.get(&question).cloned();
                        let ttl = Duration::from_secs(60);
                        answers.insert(question, Answer { ttl, ..known.unwrap_or_default() });
                    }
                }
            }
        }
        panic!("the search for {uri} does not end");
    }

    fn found(uri: &str, means: &Means, text: &str) -> Vec<String> {
        let order = search(uri, means, &zone(text)).1.in_order(|| 0);
        order.iter().map(|(transport, address)| format!("{transport} {address}")).collect()
    }

    #[test]
    fn rfc3263_4_1_numeric_hosts_are_not_looked_up() {
        for (uri, way) in [
            ("sip:192.0.2.1", "UDP 192.0.2.1:5060"),
            ("sip:192.0.2.1:5090;transport=tcp", "TCP 192.0.2.1:5090"),
            ("sips:192.0.2.1", "TLS 192.0.2.1:5061"),
            ("sips:192.0.2.1;transport=tcp", "TLS 192.0.2.1:5061"),
            ("sip:[2001:db8::1]", "UDP [2001:db8::1]:5060"),
            ("sip:example.com;maddr=192.0.2.9", "UDP 192.0.2.9:5060"),
        ] {
            let (asked, servers) = search(uri, ALL, &HashMap::new());
            assert_eq!(asked, Vec::<String>::new(), "{uri}");
            let (transport, address) = servers.in_order(|| 0)[0];
            assert_eq!(format!("{transport} {address}"), way);
        }
        // Nothing of ours leads there.
        assert!(found("sip:192.0.2.1;transport=sctp", ALL, "").is_empty());
        assert!(found("sips:[2001:db8::1]", ALL, "").is_empty());
    }

    #[test]
    fn rfc3263_4_1_naptr_chooses_the_transport_in_its_order() {
        let text = "example.com NAPTR 50 50 s SIPS+D2T _sips._tcp.example.com.
            example.com NAPTR 90 50 s SIP+D2T _sip._tcp.example.com
            example.com NAPTR 100 50 s SIP+D2U _sip._udp.Example.com
            example.com NAPTR 10 50 s SIP+D2S _sip._sctp.example.com
            example.com NAPTR 20 50 u E2U+sip !x!y!
            _sips._tcp.example.com SRV 0 1 5061 a.example.com
            _sip._tcp.example.com SRV 0 1 5060 a.example.com
            _sip._udp.example.com SRV 0 1 5070 b.example.com.
            a.example.com A 192.0.2.1
            b.example.com A 192.0.2.2
            b.example.com AAAA 2001:db8::2";
        let all =
            ["TLS 192.0.2.1:5061", "TCP 192.0.2.1:5060", "UDP 192.0.2.2:5070", "UDP [2001:db8::2]:5070"];
        assert_eq!(found("sip:example.com", ALL, text), all);
        // What we do not speak, or sips does not allow, is passed over.
        assert_eq!(found("sip:example.com", &[(Udp, true)], text), ["UDP 192.0.2.2:5070"]);
        assert_eq!(found("sips:example.com", ALL, text), ["TLS 192.0.2.1:5061"]);
    }

    #[test]
    fn rfc3263_4_1_without_naptr_srv_tells_and_without_srv_it_is_udp_at_the_usual_port() {
        let means: &Means = &[(Udp, true), (Tcp, true)];
        let (asked, _) = search("sip:Example.com", means, &HashMap::new());
        let order =
            ["example.com Naptr", "_sip._tcp.example.com Srv", "_sip._udp.example.com Srv", "example.com A"];
        assert_eq!(asked, order);
        assert_eq!(found("sip:example.com", means, "example.com A 192.0.2.3"), ["UDP 192.0.2.3:5060"]);
        let tcp_alone = "_sip._tcp.example.com SRV 1 1 5080 x.example.com\nx.example.com A 192.0.2.4";
        assert_eq!(found("sip:example.com", means, tcp_alone), ["TCP 192.0.2.4:5080"]);
    }

    #[test]
    fn rfc3263_4_2_a_port_means_addresses_and_a_transport_means_its_srv_records() {
        let text = "_sip._tcp.example.com SRV 1 1 5080 x.example.com
            x.example.com A 192.0.2.4
            example.com A 192.0.2.3";
        let (asked, _) = search("sip:example.com:5090", &[(Udp, true)], &zone(text));
        assert_eq!(asked, ["example.com A"]);
        assert_eq!(found("sip:example.com:5090", ALL, text), ["UDP 192.0.2.3:5090"]);
        assert_eq!(found("sip:example.com;transport=tcp", ALL, text), ["TCP 192.0.2.4:5080"]);
        assert_eq!(found("sip:example.com;transport=udp", ALL, text), ["UDP 192.0.2.3:5060"]);
    }

    #[test]
    fn rfc2782_a_dot_means_no_service_and_weights_share_the_calls() {
        let none = "_sip._udp.none.example SRV 0 0 0 .
            none.example A 192.0.2.1";
        assert!(found("sip:none.example", ALL, none).is_empty());
        let text = "_sip._udp.example.com SRV 10 60 5060 a.example.com
            _sip._udp.example.com SRV 10 40 5060 b.example.com
            _sip._udp.example.com SRV 20 0 5060 c.example.com
            a.example.com A 192.0.2.1
            b.example.com A 192.0.2.2
            c.example.com A 192.0.2.3";
        let (_, servers) = search("sip:example.com", ALL, &zone(text));
        let mut firsts = [0; 2];
        let mut number = 0;
        for _ in 0..10_100 {
            let order = servers.in_order(|| {
                number += 1;
                number
            });
            assert_eq!(order.len(), 3);
            assert_eq!(order[2].1.to_string(), "192.0.2.3:5060");
            firsts[usize::from(order[0].1.to_string() == "192.0.2.2:5060")] += 1;
        }
        assert!((5_700..6_300).contains(&firsts[0]), "{firsts:?}");
    }

    #[test]
    fn a_place_holds_as_long_as_the_shortest_of_its_answers() {
        let question = |name: &str, kind| Question { name: name.into(), kind };
        let answer = |records, ttl| Answer { records, ttl: Duration::from_secs(ttl), failed: false };
        let srv = Record::Srv { priority: 0, weight: 0, port: 1, target: "a.example".into() };
        let address = Record::Address([192, 0, 2, 1].into());
        let answers = HashMap::from([
            (question("_sip._udp.example.com", RecordKind::Srv), answer(vec![srv], 30)),
            (question("a.example", RecordKind::A), answer(vec![address], 300)),
        ]);
        let uri = Uri::parse("sip:example.com;transport=udp").unwrap();
        let found = locate(uri.as_sip().unwrap(), &[(Udp, true)], &answers);
        let Search::Found { ttl, .. } = found else { panic!("{found:?}") };
        assert_eq!(ttl, Some(Duration::from_secs(30)));
    }
}

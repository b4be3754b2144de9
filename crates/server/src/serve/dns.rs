//! The DNS: questions of the switch, answered by hickory-resolver, which keeps answers for as long as they hold.

use super::error::ServeError;
use super::inbox::{Message, Sender};
use dialplan::Dns;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{RData, RecordType};
use sip::{Answer, Question, Record, RecordKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// Bounds of how long an answer holds, whatever the zone says.
const LIFETIMES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(86_400));
/// How long it is believed that a name has no such records, where the zone does not say.
const NOTHING_HOLDS: Duration = Duration::from_secs(60);
/// How long nobody is asked again after no server could tell.
const FAILURE_HOLDS: Duration = Duration::from_secs(10);
/// How long one server is waited for, and how often it is asked.
const PATIENCE: (Duration, usize) = (Duration::from_secs(2), 2);
/// Answers kept.
const CACHE: u64 = 4_096;

/// Asks, on the shell's tasks.
pub(super) struct Resolver {
    resolver: TokioResolver,
    runtime: Handle,
    sender: Sender,
}

impl Resolver {
    /// A resolver that asks the servers of the node file, or those of the system.
    ///
    /// # Errors
    /// It cannot be made.
    pub(super) fn new(dns: &Dns, runtime: Handle, sender: Sender) -> Result<Self, ServeError> {
        let resolver = resolver(dns).map_err(|error| ServeError::Dns(error.to_string()))?;
        Ok(Self { resolver, runtime, sender })
    }

    /// For others that look names up.
    pub(super) fn names(&self) -> TokioResolver {
        self.resolver.clone()
    }

    /// Asks; the answer comes to the inbox, always.
    pub(super) fn ask(&self, question: Question) {
        let (resolver, sender) = (self.resolver.clone(), self.sender.clone());
        self.runtime.spawn(async move {
            let answer = look_up(&resolver, &question).await;
            // It fails once the node ends: nobody waits any more.
            let _ = sender.send(Message::Dns(question, answer)).await;
        });
    }
}

/// A resolver as the node has it.
///
/// # Errors
/// It cannot be made.
pub(crate) fn resolver(dns: &Dns) -> Result<TokioResolver, NetError> {
    let with = |servers| {
        let config = ResolverConfig::from_name_servers(servers);
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
    };
    let mut builder = match TokioResolver::builder_tokio() {
        _ if !dns.servers.is_empty() => with(dns.servers.iter().map(name_server).collect()),
        Ok(builder) => builder,
        Err(error) => {
            // A node without names needs none.
            tracing::warn!("DNS: the system names no servers ({error}); name them by dns: {{servers: […]}}");
            with(Vec::new())
        }
    };
    let options: &mut ResolverOpts = builder.options_mut();
    (options.timeout, options.attempts) = PATIENCE;
    options.cache_size = CACHE;
    // What is kept for long, a failed carrier is called by for long.
    options.negative_max_ttl = Some(NOTHING_HOLDS);
    builder.build()
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let at = |connection: ConnectionConfig| {
        let mut connection = connection;
        connection.port = address.port();
        connection
    };
    let connections = vec![at(ConnectionConfig::udp()), at(ConnectionConfig::tcp())];
    NameServerConfig::new(address.ip(), true, connections)
}

/// Asks for one kind of records; a name that has none is an answer too.
pub(crate) async fn look_up(resolver: &TokioResolver, question: &Question) -> Answer {
    let kind = match question.kind {
        RecordKind::Naptr => RecordType::NAPTR,
        RecordKind::Srv => RecordType::SRV,
        RecordKind::A => RecordType::A,
        RecordKind::Aaaa => RecordType::AAAA,
    };
    // The dot keeps the system's search domains out.
    match resolver.lookup(format!("{}.", question.name), kind).await {
        Ok(found) => {
            let records = found.answers().iter().filter_map(|record| read(&record.data)).collect();
            let ttl = found.valid_until().saturating_duration_since(Instant::now());
            Answer { records, ttl: ttl.clamp(LIFETIMES.0, LIFETIMES.1), failed: false }
        }
        Err(NetError::Dns(DnsError::NoRecordsFound(nothing))) => {
            let told = nothing.negative_ttl.map(|seconds| Duration::from_secs(seconds.into()));
            let ttl = told.unwrap_or(NOTHING_HOLDS).clamp(LIFETIMES.0, NOTHING_HOLDS);
            Answer { records: Vec::new(), ttl, failed: false }
        }
        Err(error) => {
            tracing::warn!("DNS: no answer to {:?} {}: {error}", question.kind, question.name);
            Answer { records: Vec::new(), ttl: FAILURE_HOLDS, failed: true }
        }
    }
}

/// A record of the kinds that are asked for; others, CNAME among them, only lead to these.
fn read(data: &RData) -> Option<Record> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned().into_boxed_str();
    let name = |name: &dyn std::fmt::Display| name.to_string().into_boxed_str();
    match data {
        RData::A(address) => Some(Record::Address(address.0.into())),
        RData::AAAA(address) => Some(Record::Address(address.0.into())),
        RData::SRV(srv) => Some(Record::Srv {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: name(&srv.target),
        }),
        RData::NAPTR(naptr) => Some(Record::Naptr {
            order: naptr.order,
            preference: naptr.preference,
            flags: text(&naptr.flags),
            service: text(&naptr.services),
            replacement: name(&naptr.replacement),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::proto::op::{Message, ResponseCode};
    use hickory_resolver::proto::rr::rdata::{A, NAPTR, SRV};
    use hickory_resolver::proto::rr::{Name, Record as Entry};
    use std::net::UdpSocket;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Answers by a small zone, and counts the questions; `broken.` is a zone whose server is.
    fn zone() -> (SocketAddr, Arc<AtomicUsize>) {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let (address, asked) = (socket.local_addr().expect("bound"), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut buffer = [0; 1_500];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                let question = Message::from_vec(&buffer[..length]).expect("a DNS message");
                counted.fetch_add(1, Ordering::SeqCst);
                let bytes = answer(&question).to_vec().expect("it can be written");
                socket.send_to(&bytes, from).expect("sent");
            }
        });
        (address, asked)
    }

    fn answer(question: &Message) -> Message {
        let query = question.queries[0].clone();
        let name = |text: &str| Name::from_ascii(text).expect("a name");
        let data = match (query.name().to_ascii().to_ascii_lowercase().as_str(), query.query_type()) {
            ("carrier.example.", RecordType::NAPTR) => Some(RData::NAPTR(NAPTR::new(
                10,
                20,
                b"s".to_vec().into(),
                b"SIP+D2U".to_vec().into(),
                b"".to_vec().into(),
                name("_sip._udp.carrier.example."),
            ))),
            ("_sip._udp.carrier.example.", RecordType::SRV) => {
                Some(RData::SRV(SRV::new(1, 2, 5070, name("a.carrier.example."))))
            }
            ("a.carrier.example.", RecordType::A) => Some(RData::A(A::new(192, 0, 2, 7))),
            _ => None,
        };
        let mut answer = Message::response(question.id, question.op_code);
        if query.name().to_ascii().ends_with("broken.") {
            answer.metadata.response_code = ResponseCode::ServFail;
        }
        answer.add_query(query.clone());
        answer.add_answers(data.map(|data| Entry::from_rdata(query.name().clone(), 30, data)));
        answer
    }

    async fn ask(resolver: &TokioResolver, name: &str, kind: RecordKind) -> Answer {
        look_up(resolver, &Question { name: name.into(), kind }).await
    }

    #[tokio::test]
    async fn rfc3263_4_records_come_as_the_zone_has_them_and_are_kept_for_their_ttl() {
        let (address, asked) = zone();
        let resolver = resolver(&Dns { servers: vec![address] }).expect("a resolver");
        let naptr = ask(&resolver, "carrier.example", RecordKind::Naptr).await;
        let expected = Record::Naptr {
            order: 10,
            preference: 20,
            flags: "s".into(),
            service: "SIP+D2U".into(),
            replacement: "_sip._udp.carrier.example.".into(),
        };
        assert_eq!(naptr.records, [expected]);
        let srv = ask(&resolver, "_sip._udp.carrier.example", RecordKind::Srv).await;
        let expected =
            Record::Srv { priority: 1, weight: 2, port: 5070, target: "a.carrier.example.".into() };
        assert_eq!(srv.records, [expected]);
        let before = asked.load(Ordering::SeqCst);
        for _ in 0..3 {
            let found = ask(&resolver, "a.carrier.example", RecordKind::A).await;
            assert_eq!(found.records, [Record::Address([192, 0, 2, 7].into())]);
            assert!((1..=30).contains(&found.ttl.as_secs()), "{found:?}");
        }
        assert_eq!(asked.load(Ordering::SeqCst) - before, 1);
    }

    #[tokio::test]
    async fn nothing_is_an_answer_and_a_broken_server_is_a_failure_that_holds_shortly() {
        let (address, _) = zone();
        let resolver = resolver(&Dns { servers: vec![address] }).expect("a resolver");
        let nothing = ask(&resolver, "a.carrier.example", RecordKind::Srv).await;
        assert_eq!((nothing.records.len(), nothing.failed), (0, false));
        let failure = ask(&resolver, "sip.broken", RecordKind::A).await;
        assert_eq!(failure, Answer { records: Vec::new(), ttl: FAILURE_HOLDS, failed: true });
    }
}

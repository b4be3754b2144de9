use super::*;
use dialplan::{ClientFiles, Input, SourceFile};
use sip::Transport;

const NODE: &str = "
node: {name: test}
sip: {listen: [\"udp:10.0.0.1:5060\", \"tcp:10.0.0.1:5060\"]}
rtp: {ports: 30000-30999, address: 10.0.0.1}
defence: {trusted: [10.0.8.0/24], strangers: 150, scanners: [Prober], ban: {first: 1m, longest: 10m}}
trunks: {carrier: {from: [10.0.1.0/24, \"2001:db8:1::1\"]}}
clients: [acme]
";
const CLIENT: &str = "
client: {name: Acme}
numbers: {wait: wait}
flows: {wait: [answer, hangup]}
";

fn plan(node: &str) -> Config {
    let file = |path: &str, text: &str| SourceFile { path: path.into(), text: text.into() };
    let client = ClientFiles {
        id: "acme".into(),
        path: "acme".into(),
        files: vec![file("acme/acme.yaml", CLIENT)],
        prompts: Vec::new(),
    };
    let input =
        Input { node: file("ringdown.yaml", node), clients: vec![client], system_prompts: Vec::new() };
    dialplan::load(&input).unwrap_or_else(|report| panic!("{report}"))
}

/// A guard and what it is told.
struct Bench {
    guard: Guard,
    plan: Config,
    now: Time,
}

impl Bench {
    fn new() -> Self {
        Self { guard: Guard::new(7), plan: plan(NODE), now: Time::from_secs(1) }
    }

    fn send(&mut self, peer: &str, lines: &str) -> Look {
        self.send_by(Transport::Udp, peer, lines)
    }

    fn send_by(&mut self, transport: Transport, peer: &str, text: &str) -> Look {
        let flow = flow(transport, peer);
        self.guard.look(self.now, &self.plan, &flow, text.as_bytes())
    }

    fn suspect(&mut self, peer: &str, offence: Offence, proven: bool) -> Option<Ban> {
        let flow = flow(Transport::Udp, peer);
        self.guard.suspect(self.now, &self.plan, &flow, (offence, proven))
    }

    /// How many of `count` messages of a source are read.
    fn read_of(&mut self, count: usize, peer: &str, text: &str) -> usize {
        (0..count).filter(|_| self.send(peer, text) == Look::Read).count()
    }
}

fn flow(transport: Transport, peer: &str) -> Flow {
    let connection = u64::from(transport.is_reliable());
    let peer = (peer.parse::<IpAddr>().unwrap(), 5060).into();
    Flow { transport, local: ([10, 0, 0, 1], 5060).into(), peer, connection, domain: 0 }
}

const REGISTER: &str = "REGISTER sip:test SIP/2.0\r\nUser-Agent: baresip\r\n\r\n";
const ANSWER: &str = "REGISTER sip:test SIP/2.0\r\nAuthorization: Digest x\r\n\r\n";
const SCAN: &str = "OPTIONS sip:test SIP/2.0\r\nUser-Agent: friendly-scanner\r\n\r\n";

#[test]
fn a_scanner_is_met_with_silence_and_told_of_once() {
    let mut bench = Bench::new();
    let Look::Ban(ban) = bench.send("192.0.2.7", SCAN) else { panic!("no ban") };
    assert_eq!((ban.address.as_str(), ban.left.as_secs(), ban.times), ("192.0.2.7", 60, 1));
    for _ in 0..100 {
        assert_eq!(bench.send("192.0.2.7", REGISTER), Look::Drop);
    }
    assert_eq!(bench.guard.bans(bench.now)[0].dropped, 100);
    bench.now += Duration::from_secs(60);
    assert_eq!(bench.send("192.0.2.7", REGISTER), Look::Read);
    assert!(bench.guard.bans(bench.now).is_empty());
    assert!(matches!(
        bench.send("2001:db8::7", &SCAN.replace("friendly-scanner", "the PROBER")),
        Look::Ban(_)
    ));
    assert_eq!(bench.send("2001:db8::8", REGISTER), Look::Drop, "one customer has all 64 bits");
}

#[test]
fn a_trunk_and_what_is_trusted_is_never_limited_or_banned() {
    let mut bench = Bench::new();
    for peer in ["10.0.1.7", "10.0.8.7", "2001:db8:1::1"] {
        assert_eq!(bench.read_of(5_000, peer, REGISTER), 5_000);
        assert_eq!(bench.send(peer, SCAN), Look::Read);
        for _ in 0..1_000 {
            assert_eq!(bench.suspect(peer, Offence::WrongDigest, true), None);
        }
    }
    // Nor by a neighbour of the same 64 bits.
    for _ in 0..1_000 {
        assert_eq!(bench.suspect("2001:db8:1::2", Offence::WrongDigest, true), None);
    }
}

#[test]
fn a_stranger_is_limited_and_a_flood_of_it_is_banned() {
    let mut bench = Bench::new();
    assert_eq!(bench.read_of(150, "192.0.2.7", REGISTER), 100, "the burst of requests without credentials");
    assert_eq!(bench.read_of(30, "192.0.2.7", ANSWER), 30, "who answers a challenge still passes");
    bench.now += Duration::from_secs(1);
    assert_eq!(bench.read_of(50, "192.0.2.7", REGISTER), 20);
    let bans = (0..200).filter(|_| matches!(bench.send("192.0.2.7", REGISTER), Look::Ban(_))).count();
    assert_eq!(bans, 1);
}

#[test]
fn strangers_share_a_limit_that_known_sources_and_trunks_do_not_feel() {
    let mut bench = Bench::new();
    bench.guard.vouch("192.0.2.1".parse().unwrap(), Time::from_secs(3_600));
    let read = (0..10_000_u32).filter(|number| {
        let peer = Ipv4Addr::from_bits(0x0b00_0000 + number).to_string();
        bench.send(&peer, REGISTER) == Look::Read
    });
    assert_eq!(read.count(), 150);
    assert_eq!(bench.read_of(500, "192.0.2.1", REGISTER), 500);
    assert_eq!(bench.read_of(500, "10.0.1.1", REGISTER), 500);
    assert!(bench.guard.bans(bench.now).is_empty(), "forged addresses are banned for nobody's flood");
}

#[test]
fn forged_datagrams_get_no_known_source_banned() {
    let mut bench = Bench::new();
    bench.guard.vouch("192.0.2.1".parse().unwrap(), Time::from_secs(3_600));
    assert_eq!(bench.send("192.0.2.1", SCAN), Look::Read);
    for offence in [Offence::WrongDigest, Offence::UnknownNumber, Offence::Malformed] {
        for _ in 0..10_000 {
            assert_eq!(bench.suspect("192.0.2.1", offence, false), None);
        }
    }
    // Proven guesses of a password do, but not a phone's that has the wrong one.
    for _ in 0..99 {
        assert_eq!(bench.suspect("192.0.2.1", Offence::WrongDigest, true), None);
    }
    assert!(bench.suspect("192.0.2.1", Offence::WrongDigest, true).is_some());
    assert_eq!(bench.send_by(Transport::Tcp, "192.0.2.1", REGISTER), Look::Drop);
}

#[test]
fn a_stranger_who_was_forged_may_still_come_by_a_stream() {
    let mut bench = Bench::new();
    assert!(matches!(bench.send("192.0.2.7", SCAN), Look::Ban(_)));
    assert_eq!(bench.send_by(Transport::Tcp, "192.0.2.7", REGISTER), Look::Read);
    assert_eq!(bench.send("192.0.2.7", REGISTER), Look::Drop);
}

#[test]
fn a_phone_with_a_wrong_password_is_not_banned_while_it_tries_now_and_then() {
    let mut bench = Bench::new();
    for _ in 0..1_000 {
        assert_eq!(bench.suspect("192.0.2.7", Offence::WrongDigest, true), None);
        bench.now += Duration::from_secs(10);
    }
    let guesses = (0..100).filter(|_| bench.suspect("192.0.2.7", Offence::WrongDigest, true).is_some());
    assert_eq!(guesses.count(), 10, "a hundred guesses at once are something else");
}

#[test]
fn forged_addresses_fill_neither_log_nor_table() {
    let mut bench = Bench::new();
    let bans = (0..10_000_u32).filter(|number| {
        let peer = Ipv4Addr::from_bits(0x0b00_0000 + number).to_string();
        matches!(bench.send(&peer, SCAN), Look::Ban(_))
    });
    assert_eq!(bans.count(), 100);
}

#[test]
fn a_ban_is_lifted_by_an_operator_and_by_a_plan_that_trusts_the_source() {
    let mut bench = Bench::new();
    bench.send("192.0.2.7", SCAN);
    bench.send("192.0.2.8", SCAN);
    assert_eq!(bench.guard.lift(bench.now, "192.0.2.7".parse().unwrap()).as_deref(), Some("192.0.2.7"));
    assert_eq!(bench.guard.lift(bench.now, "192.0.2.7".parse().unwrap()), None);
    assert_eq!(bench.send("192.0.2.7", REGISTER), Look::Read);
    bench.plan = plan(&NODE.replace("10.0.8.0/24", "192.0.2.0/24"));
    bench.guard.apply(&bench.plan);
    assert!(bench.guard.bans(bench.now).is_empty());
    assert_eq!(bench.send("192.0.2.8", SCAN), Look::Read);
}

/// How many answers a switch gives to one datagram, or message, that comes so often at once.
fn answers(transport: Transport, bytes: &[u8], count: usize) -> usize {
    let mut switch = crate::testing::switch(NODE, CLIENT.trim_start().split_once('\n').expect("a client").1);
    let flow = flow(transport, "192.0.2.1");
    let mut out = Vec::new();
    for _ in 0..count {
        let input = crate::Input::Sip { flow, bytes: bytes.to_vec().into() };
        switch.handle(Time::from_secs(1), input, &mut out);
    }
    let is_answer =
        |output: &&crate::Output| matches!(output, crate::Output::Send { flow: by, .. } if *by == flow);
    out.iter().filter(is_answer).count()
}

#[test]
fn rfc5626_4_4_2_a_keep_alive_is_answered_within_the_rates_of_its_source_and_other_stun_is_dropped() {
    let request = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], b"transaction!"].concat();
    assert_eq!(answers(Transport::Udp, &request, 1), 1);
    assert_eq!(answers(Transport::Tcp, &request, 1), 0, "a stream has empty lines for that");
    assert_eq!(answers(Transport::Udp, &request[..19], 1), 0);
    let answered = answers(Transport::Udp, &request, 1_000);
    assert!((50..=200).contains(&answered), "{answered} of a thousand");
}

/// The address that is banned of a stranger who calls a number so often and proves nothing, if it is.
fn banned_by_calls(number: &str, count: usize) -> Option<String> {
    let mut switch =
        crate::testing::switch(NODE, "numbers: {100: out, \"+*\": out}\nflows: {out: [hangup]}\n");
    let mut out = Vec::new();
    for call in 0..count {
        let text = format!(
            "INVITE sip:{number}@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{call}\r\n\
             From: <sip:1@10.0.0.1>;tag={call}\r\nTo: <sip:{number}@10.0.0.1>\r\nCall-ID: {call}\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:1@192.0.2.1>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        );
        let input = crate::Input::Sip { flow: flow(Transport::Udp, "192.0.2.1"), bytes: text.into() };
        switch.handle(Time::from_secs(1), input, &mut out);
    }
    out.into_iter().find_map(|output| match output {
        crate::Output::Event(events::Event { kind: events::Kind::SourceBanned { address, .. }, .. }) => {
            Some(address)
        }
        _ => None,
    })
}

#[test]
fn toll_fraud_is_found_out_though_users_may_call_everywhere() {
    assert_eq!(banned_by_calls("0044201234567", 10).as_deref(), Some("192.0.2.1"));
    assert_eq!(banned_by_calls("+44201234567", 9), None);
    assert_eq!(banned_by_calls("100", 15), None, "a number of ours");
}

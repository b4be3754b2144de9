//! What the tools of toll thieves do: SIPVicious' svmap, svwar and svcrack, and floods. Each comes from an address of its
//! own; the carrier's calls (host 2 is a trunk) and the users' phones must not notice.

use acceptance::{Node, Setup, Sipp, until};
use md5::{Digest, Md5};
use serde_json::Value;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// Hosts of the test's network.
const PHONE: u8 = 3;
const ATTACKER: u8 = 7;
/// What is taken for silence: answers come within a millisecond.
const SILENCE: Duration = Duration::from_millis(500);

/// A node that knows nobody but one trunk, host 2.
fn node() -> Node {
    Node::start(&Setup::new().replace("from: [127.0.0.0/8]", "from: [127.0.0.2/32]"))
}

/// Somebody who speaks UDP by hand.
struct Stranger {
    socket: UdpSocket,
    node: SocketAddr,
    asked: u32,
}

impl Stranger {
    fn at(node: &Node, host: u8) -> Self {
        let socket = UdpSocket::bind(node.network().socket(host, 5080)).expect("the test's own network");
        socket.set_read_timeout(Some(SILENCE)).expect("a socket takes a time-out");
        Self { socket, node: node.sip(), asked: 0 }
    }

    /// A request with further header lines.
    fn request(&mut self, method: &str, user: &str, lines: &str) -> String {
        self.asked += 1;
        let (own, asked) = (self.socket.local_addr().expect("a bound socket"), self.asked);
        format!(
            "{method} sip:{user}@{node} SIP/2.0\r\nVia: SIP/2.0/UDP {own};rport;branch=z9hG4bK{asked}\r\n\
             From: <sip:{user}@{node}>;tag={asked}\r\nTo: <sip:{user}@{node}>\r\nCall-ID: {asked}@{own}\r\n\
             CSeq: 1 {method}\r\nContact: <sip:{user}@{own}>\r\nMax-Forwards: 70\r\n{lines}Content-Length: 0\r\n\r\n",
            node = self.node,
        )
    }

    fn send(&self, request: &str) {
        self.socket.send_to(request.as_bytes(), self.node).expect("loopback takes a datagram");
    }

    /// The next response, if there is one.
    fn hear(&self) -> Option<String> {
        let mut buffer = [0; 4_096];
        let length = self.socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    fn ask(&mut self, method: &str, user: &str, lines: &str) -> Option<String> {
        let request = self.request(method, user, lines);
        self.send(&request);
        self.hear()
    }

    /// Registers with a password; the statuses of the challenge and of the attempt, as far as there are any.
    fn register(&mut self, user: &str, password: &str) -> Vec<u16> {
        let Some(challenge) = self.ask("REGISTER", user, "") else { return Vec::new() };
        let Some(nonce) = quoted(&challenge, "nonce=") else { return vec![status_of(&challenge)] };
        let realm = quoted(&challenge, "realm=").expect("a challenge has a realm");
        let uri = format!("sip:{user}@{}", self.node);
        let key = hash(&format!("{user}:{realm}:{password}"));
        let response = hash(&format!("{key}:{nonce}:00000001:c:auth:{}", hash(&format!("REGISTER:{uri}"))));
        let credentials = format!(
            "Authorization: Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", \
             response=\"{response}\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"c\"\r\n"
        );
        let answer = self.ask("REGISTER", user, &credentials);
        [Some(challenge), answer].into_iter().flatten().map(|it| status_of(&it)).collect()
    }
}

fn status_of(response: &str) -> u16 {
    let status = response.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.unwrap_or_else(|| panic!("no response: {response}"))
}

fn quoted(text: &str, name: &str) -> Option<String> {
    let value = text.split_once(name)?.1.strip_prefix('"')?;
    Some(value.split_once('"')?.0.to_owned())
}

fn hash(text: &str) -> String {
    Md5::digest(text).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes all");
        hex
    })
}

/// The bans, as `ringdown bans --json` tells them: address and reason.
fn bans(node: &Node) -> Vec<(String, String)> {
    let output = node.ask(&["bans", "--json"]);
    let bans: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let all = bans.as_array().expect("a list").iter();
    all.map(|ban| (text(&ban["address"]), text(&ban["reason"]))).collect()
}

/// A phone of user 1001 registers, and a call of the carrier is answered.
fn assert_served(node: &Node) {
    assert_eq!(Stranger::at(node, PHONE).register("1001", "pw1001"), [401, 200]);
    let callee = Sipp::callee(node, "answer", 5080).start();
    assert_eq!((Sipp::caller(node, "call", "uas").run().successful(), callee.finish().successful()), (1, 1));
}

#[test]
fn a_scanner_hears_nothing_from_its_first_request_on_until_its_ban_is_lifted() {
    let node = node();
    let mut scanner = Stranger::at(&node, ATTACKER);
    for agent in ["User-Agent: friendly-scanner\r\n", "User-Agent: a phone\r\n", ""] {
        assert_eq!(scanner.ask("OPTIONS", "100", agent), None, "{agent:?}");
    }
    let address = node.network().address(ATTACKER).to_string();
    assert_eq!(bans(&node), [(address.clone(), "a scanner by its own name".to_owned())]);
    assert_served(&node);
    assert!(node.ask(&["bans", "lift", &address]).status.success());
    let answer = scanner.ask("OPTIONS", "100", "").expect("an answer");
    assert_eq!(status_of(&answer), 401, "strangers are asked who they are");
    node.stop();
}

#[test]
fn who_tries_names_learns_none_of_them_and_is_banned() {
    let node = node();
    let mut prober = Stranger::at(&node, ATTACKER);
    // What differs from request to request is not ours.
    let mut shapes = HashSet::new();
    for user in ["1000", "9999", "admin"] {
        let answer = prober.ask("REGISTER", user, "").expect("a challenge");
        let nonce = quoted(&answer, "nonce=").expect("a nonce");
        let own = answer.lines().filter(|line| line.starts_with("SIP/2.0") || line.starts_with("WWW-Auth"));
        shapes.insert(own.collect::<String>().replace(&nonce, ""));
        assert_eq!(prober.register(user, "1234"), [401, 401], "{user}");
    }
    assert_eq!(shapes.len(), 1, "one answer for all: {shapes:?}");
    let tried = (0..50).take_while(|number| !prober.register(&format!("20{number:02}"), "1234").is_empty());
    assert!(tried.count() < 20, "it is still answered");
    assert_eq!(bans(&node)[0].1, "wrong passwords or users");
    assert_served(&node);
    node.stop();
}

#[test]
fn who_guesses_a_password_is_banned_and_its_owner_is_not() {
    let node = node();
    assert_eq!(Stranger::at(&node, PHONE).register("1001", "pw1001"), [401, 200]);
    let mut guesser = Stranger::at(&node, ATTACKER);
    let guessed = (0..200).take_while(|number| !guesser.register("1001", &format!("{number:04}")).is_empty());
    let guessed = guessed.count();
    assert!((5..20).contains(&guessed), "{guessed} guesses were answered");
    assert_eq!(guesser.ask("REGISTER", "1001", ""), None);
    assert_served(&node);
    node.stop();
}

#[test]
fn a_flood_of_invites_and_registers_leaves_calls_and_phones_alone_and_nothing_behind() {
    let node = node();
    let mut flood = Stranger::at(&node, ATTACKER);
    let requests: Vec<_> = (0..5_000)
        .map(|number| match number % 2 {
            0 => flood.request("INVITE", "uas", ""),
            _ => flood.request("REGISTER", "1002", ""),
        })
        .collect();
    let callee = Sipp::callee(&node, "answer", 5080).start();
    let caller = Sipp::caller(&node, "call", "uas").start();
    let begun = Instant::now();
    for (number, request) in requests.iter().cycle().take(40_000).enumerate() {
        flood.send(request);
        // About 20,000 a second, while a call is set up, talks and ends.
        if number % 200 == 0 {
            std::thread::sleep(
                Duration::from_millis(10 * (number as u64 / 200)).saturating_sub(begun.elapsed()),
            );
        }
    }
    assert_eq!((caller.finish().successful(), callee.finish().successful()), (1, 1));
    let banned = || bans(&node).iter().any(|(_, reason)| reason == "too many requests");
    until(Duration::from_secs(5), "a ban", banned);
    assert_served(&node);
    // The two calls of the carrier, and none of the flood's.
    node.calls(2);
    node.stop();
}

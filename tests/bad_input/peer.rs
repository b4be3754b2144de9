//! Peers that send what is no SIP, too much of it, or lengths that are not true.

use acceptance::{Node, Setup, until};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

/// A peer that speaks UDP by hand.
struct Peer {
    socket: UdpSocket,
    node: SocketAddr,
    asked: u32,
}

impl Peer {
    fn of(node: &Node) -> Self {
        let socket = UdpSocket::bind(node.network().socket(2, 5080)).expect("the test's own network");
        socket.set_read_timeout(Some(Duration::from_secs(3))).expect("a socket takes a time-out");
        Self { socket, node: node.sip(), asked: 0 }
    }

    fn send(&self, bytes: &[u8]) {
        self.socket.send_to(bytes, self.node).expect("loopback takes a datagram");
    }

    /// The status of the next response.
    fn status(&self) -> u16 {
        let mut buffer = [0; 65_536];
        let (length, _) = self.socket.recv_from(&mut buffer).expect("an answer within three seconds");
        status_of(&buffer[..length])
    }

    /// The node is alive and well: it answers OPTIONS with 200, as the very next thing that it sends.
    fn assert_served(&mut self) {
        self.asked += 1;
        self.send(options(&format!("alive{}", self.asked), "UDP", "", "").as_bytes());
        assert_eq!(self.status(), 200);
    }
}

/// An OPTIONS with further header lines and a body; its Content-Length is among the lines or left out.
fn options(id: &str, transport: &str, lines: &str, body: &str) -> String {
    format!(
        "OPTIONS sip:ping@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{transport} 127.0.0.1;rport;branch=z9hG4bK{id}\r\n\
         From: <sip:peer@127.0.0.1>;tag={id}\r\nTo: <sip:ping@127.0.0.1>\r\nCall-ID: {id}\r\nCSeq: 1 OPTIONS\r\n\
         Max-Forwards: 70\r\n{lines}\r\n{body}"
    )
}

fn status_of(response: &[u8]) -> u16 {
    let text = String::from_utf8_lossy(response);
    let status =
        text.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)).and_then(|digits| digits.parse().ok());
    status.unwrap_or_else(|| panic!("no response: {text}"))
}

#[test]
fn datagrams_that_are_no_sip_are_dropped() {
    let node = Node::start(&Setup::new());
    let mut peer = Peer::of(&node);
    let nonsense: [&[u8]; 6] =
        [b"", b"\0", b"\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", &[0xff; 1400], b"SIP/2.0 200"];
    for bytes in nonsense {
        peer.send(bytes);
        peer.assert_served();
    }
    // One alarm for all of them, that says who sent them and what to do.
    let address = peer.socket.local_addr().expect("a bound socket").to_string();
    until(Duration::from_secs(5), "an alarm", || node.process().stderr().contains("firewall"));
    let said = node.process().stderr();
    assert!(said.contains(&address) && said.matches("firewall").count() == 1, "{said}");
    node.stop();
}

#[test]
fn a_header_of_64_kib_over_udp_harms_nobody() {
    let node = Node::start(&Setup::new());
    let mut peer = Peer::of(&node);
    let long = format!("Subject: {}\r\nContent-Length: 0\r\n", "x".repeat(64_000));
    peer.send(options("long", "UDP", &long, "").as_bytes());
    // Refused (RFC 3261 section 21.5.7 has 513) or served: either is an answer, and the next request has its own.
    assert!(matches!(peer.status(), 200 | 400..=599));
    peer.assert_served();
    node.stop();
}

#[test]
fn a_header_of_64_kib_over_tcp_ends_that_connection_alone() {
    let node = Node::start(&Setup::new());
    let mut other = connect(&node);
    let mut flooding = connect(&node);
    let long = format!("Subject: {}\r\n", "x".repeat(512 * 1024));
    // The node may close before it has read all of it.
    let _ = flooding.write_all(options("long", "TCP", &long, "").as_bytes());
    let mut rest = Vec::new();
    let _ = flooding.read_to_end(&mut rest);
    assert!(rest.is_empty() || status_of(&rest) >= 400, "{}", String::from_utf8_lossy(&rest));
    other
        .write_all(options("other", "TCP", "Content-Length: 0\r\n", "").as_bytes())
        .expect("the other connection");
    let mut buffer = [0; 4096];
    let length = other.read(&mut buffer).expect("an answer within three seconds");
    assert_eq!(status_of(&buffer[..length]), 200);
    node.stop();
}

#[test]
fn a_body_shorter_than_content_length_is_refused_rfc_3261_section_18_3() {
    let node = Node::start(&Setup::new());
    let mut peer = Peer::of(&node);
    peer.send(options("short", "UDP", "Content-Length: 500\r\n", "v=0\r\n").as_bytes());
    assert_eq!(peer.status(), 400);
    peer.assert_served();
    node.stop();
}

#[test]
fn bytes_beyond_content_length_are_discarded_rfc_3261_section_18_3() {
    let node = Node::start(&Setup::new());
    let mut peer = Peer::of(&node);
    peer.send(options("long", "UDP", "Content-Length: 4\r\n", "abcdefgh and more").as_bytes());
    assert_eq!(peer.status(), 200);
    peer.assert_served();
    node.stop();
}

#[test]
fn two_requests_in_one_segment_and_one_in_pieces_are_all_answered() {
    let node = Node::start(&Setup::new());
    let mut connection = connect(&node);
    let request = |id: &str| options(id, "TCP", "Content-Length: 4\r\n", "body");
    let all = request("one") + &request("two") + &request("three");
    let (begin, end) = all.as_bytes().split_at(all.len() - 150);
    for piece in std::iter::once(begin).chain(end.chunks(10)) {
        connection.write_all(piece).expect("the connection");
    }
    let mut answers = String::new();
    let mut buffer = [0; 4096];
    while answers.matches("SIP/2.0 200").count() < 3 {
        let length = connection.read(&mut buffer).expect("an answer within three seconds");
        assert!(length > 0, "closed after: {answers}");
        answers.push_str(&String::from_utf8_lossy(&buffer[..length]));
    }
    node.stop();
}

fn connect(node: &Node) -> TcpStream {
    let connection = TcpStream::connect(node.sip()).expect("the node listens on TCP");
    connection.set_read_timeout(Some(Duration::from_secs(3))).expect("a socket takes a time-out");
    connection
}

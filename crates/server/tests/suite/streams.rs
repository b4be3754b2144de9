//! SIP over TCP from the wire's side: framing, keep-alive, reuse, and peers that misbehave.

use crate::running::{Files, LIMIT};
use std::io::{Read, Write};
use std::net::TcpStream;

fn connect(files: &Files) -> TcpStream {
    let stream = TcpStream::connect(files.sip).expect("it listens");
    stream.set_read_timeout(Some(LIMIT)).expect("a time-out");
    stream.set_nodelay(true).expect("an option");
    stream
}

fn options(files: &Files, number: u32) -> String {
    let sip = files.sip;
    format!(
        "OPTIONS sip:{sip} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK-{number}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:{sip}>\r\nCall-ID: {number}\r\n\
         CSeq: {number} OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
}

/// Reads up to the end of a message without a body.
fn answer(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer");
        text.push(byte[0]);
    }
    String::from_utf8(text).expect("text")
}

#[test]
fn rfc3261_18_3_a_message_in_pieces_and_two_in_one_are_answered_on_the_same_connection() {
    let files = Files::new();
    let _node = files.serve();
    let mut stream = connect(&files);
    for piece in options(&files, 1).as_bytes().chunks(7) {
        stream.write_all(piece).expect("sent");
    }
    let first = answer(&mut stream);
    assert!(first.starts_with("SIP/2.0 200 ") && first.contains("CSeq: 1 OPTIONS"), "{first}");
    stream.write_all((options(&files, 2) + &options(&files, 3)).as_bytes()).expect("sent");
    for number in ["CSeq: 2 ", "CSeq: 3 "] {
        let next = answer(&mut stream);
        assert!(next.contains(number), "{next}");
    }
}

#[test]
fn rfc5626_4_4_1_a_ping_gets_a_pong() {
    let files = Files::new();
    let _node = files.serve();
    let mut stream = connect(&files);
    stream.write_all(b"\r\n\r\n").expect("sent");
    let mut pong = [0; 2];
    stream.read_exact(&mut pong).expect("a pong");
    assert_eq!(&pong, b"\r\n");
    stream.write_all(options(&files, 1).as_bytes()).expect("sent");
    assert!(answer(&mut stream).starts_with("SIP/2.0 200 "));
}

#[test]
fn a_stream_that_cannot_be_framed_is_closed_and_others_go_on() {
    let files = Files::new();
    let _node = files.serve();
    let mut good = connect(&files);
    let mut endless = connect(&files);
    let mut lengthless = connect(&files);
    lengthless.write_all(options(&files, 1).replace("Content-Length: 0\r\n", "").as_bytes()).expect("sent");
    assert_eq!(lengthless.read(&mut [0; 1]).unwrap_or(0), 0, "closed without an answer");
    // The node may close before all of it is written.
    let _ = endless.write_all(&[b'x'; 80_000]);
    assert_eq!(endless.read(&mut [0; 1]).unwrap_or(0), 0, "closed without an answer");
    good.write_all(options(&files, 2).as_bytes()).expect("sent");
    assert!(answer(&mut good).starts_with("SIP/2.0 200 "));
}

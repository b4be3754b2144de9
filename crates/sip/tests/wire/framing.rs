//! RFC 3261 section 18.3 and RFC 5626 section 4.4.1: messages in a stream.

use crate::options;
use sip::{Frame, Framer, MAX_MESSAGE, Message, ParseError};

fn frames(framer: &mut Framer) -> Vec<Frame> {
    std::iter::from_fn(|| framer.next().expect("a stream in order")).collect()
}

fn error_of(bytes: &[u8]) -> ParseError {
    let mut framer = Framer::default();
    framer.feed(bytes);
    framer.next().expect_err("a stream that has lost its frames")
}

#[test]
fn messages_are_cut_by_content_length() {
    let mut framer = Framer::default();
    let first = [&options(&["Content-Length: 5"])[..], b"hello"].concat();
    let second = options(&["Call-ID: second"]);
    framer.feed(&first);
    framer.feed(&second[..20]);
    assert_eq!(frames(&mut framer), [Frame::Message(first.into())]);
    framer.feed(&second[20..]);
    assert_eq!(frames(&mut framer), [Frame::Message(second)]);
}

#[test]
fn a_body_may_hold_empty_lines_and_start_lines() {
    let body = "\r\n\r\nINVITE sip:a@h SIP/2.0\r\n\r\n";
    let bytes =
        [&options(&[&format!("l : {}", body.len()), "-Content-Length"])[..], body.as_bytes()].concat();
    let mut framer = Framer::default();
    framer.feed(&bytes);
    assert_eq!(frames(&mut framer), [Frame::Message(bytes.into())]);
}

#[test]
fn pings_are_told_from_pongs_and_padding() {
    let message = options(&[]);
    let mut framer = Framer::default();
    framer.feed(b"\r\n");
    assert_eq!(frames(&mut framer), []);
    framer.feed(b"\r\n");
    assert_eq!(frames(&mut framer), [Frame::KeepAlive]);
    framer.feed(&[b"\r\n", &message[..], b"\r\n\r\n", b"\n", &message[..]].concat());
    assert_eq!(
        frames(&mut framer),
        [Frame::Message(message.clone()), Frame::KeepAlive, Frame::Message(message)]
    );
}

#[test]
fn line_ends_between_messages_are_no_message_that_has_begun() {
    let mut framer = Framer::default();
    let message = options(&[]);
    for piece in [&b"\r"[..], b"\n", b"\r", &message[..], b"\r\n"] {
        framer.feed(piece);
        frames(&mut framer);
        assert!(framer.is_empty(), "{piece:?}");
    }
    framer.feed(&message[..1]);
    frames(&mut framer);
    assert!(!framer.is_empty());
    framer.feed(&message[1..]);
    assert_eq!(frames(&mut framer), [Frame::Message(message)]);
    assert!(framer.is_empty());
    framer.feed(&options(&["Content-Length: 2"]));
    frames(&mut framer);
    framer.feed(b"\r");
    frames(&mut framer);
    assert!(!framer.is_empty(), "a body of line ends is a message's");
}

#[test]
fn a_folded_content_length_is_found() {
    let bytes = b"OPTIONS sip:a@h SIP/2.0\r\nContent-Length:\r\n  2\r\n\r\nhi".to_vec();
    let mut framer = Framer::default();
    framer.feed(&bytes);
    assert_eq!(frames(&mut framer), [Frame::Message(bytes.into())]);
}

#[test]
fn a_stream_whose_messages_have_no_length_is_given_up() {
    assert!(matches!(error_of(&options(&["-Content-Length"])), ParseError::NoContentLength));
    assert!(matches!(error_of(&options(&["Content-Length: -1"])), ParseError::NoContentLength));
    assert!(matches!(error_of(&options(&["l: 7"])), ParseError::NoContentLength), "0 and 7 differ");
    assert!(matches!(error_of(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), ParseError::NoContentLength));
}

#[test]
fn a_message_above_the_limit_is_given_up_before_it_is_collected() {
    let endless = vec![b'a'; MAX_MESSAGE + 1];
    assert!(matches!(error_of(&endless), ParseError::TooLarge { limit: MAX_MESSAGE }));
    assert!(matches!(error_of(&options(&["Content-Length: 65535"])), ParseError::TooLarge { .. }));
    assert!(matches!(
        error_of(&options(&["Content-Length: 99999999999999999999"])),
        ParseError::TooLarge { .. }
    ));
    let mut small = Framer::new(100);
    small.feed(&options(&[]));
    assert!(matches!(small.next(), Err(ParseError::TooLarge { limit: 100 })));
}

#[test]
fn latin_1_head_that_outgrows_the_limit_is_given_up() {
    let mut bytes = b"OPTIONS sip:a@h SIP/2.0\r\nContent-Length: 0\r\nSubject: ".to_vec();
    bytes.resize(MAX_MESSAGE - 4, 0xe9);
    bytes.extend_from_slice(b"\r\n\r\n");
    assert!(matches!(error_of(&bytes), ParseError::NoContentLength));
}

#[test]
fn what_is_framed_parses() {
    let mut framer = Framer::default();
    framer.feed(&options(&[]));
    let Ok(Some(Frame::Message(bytes))) = framer.next() else { panic!("a message") };
    assert_eq!(Message::parse(bytes).unwrap().validate(), Ok(()));
}

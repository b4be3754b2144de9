//! Where a message's session description is (RFC 2046 section 5.1, RFC 5621).

use crate::{options, parse};
use sip::Message;

/// A message with that Content-Type, further header lines and body.
fn with_body(content_type: &str, lines: &[&str], body: &[u8]) -> Message {
    let length = format!("Content-Length: {}", body.len());
    let content_type = format!("Content-Type: {content_type}");
    let head = options(&[&[content_type.as_str(), &length], lines].concat());
    parse([&head[..], body].concat())
}

/// The session description of a multipart body; its lines may be written with line feeds alone.
fn sdp(content_type: &str, body: &str) -> Option<String> {
    let unix = with_body(content_type, &[], body.as_bytes()).sdp();
    let found = with_body(content_type, &[], body.replace('\n', "\r\n").as_bytes()).sdp();
    let text = |bytes: bytes::Bytes| String::from_utf8(bytes.to_vec()).unwrap();
    let found = found.map(|found| text(found).replace("\r\n", "\n"));
    assert_eq!(found, unix.map(text), "line feeds alone end lines too");
    found
}

fn mixed(body: &str) -> Option<String> {
    sdp("multipart/mixed;boundary=xyz", body)
}

const SDP: &str = "Content-Type: application/sdp\n\n";

#[test]
fn a_body_of_its_own() {
    assert_eq!(sdp("application/sdp", "v=0\n").as_deref(), Some("v=0\n"));
    assert_eq!(sdp("Application/SDP; charset=\"x;y\"", "v=0\n").as_deref(), Some("v=0\n"));
    assert_eq!(sdp("application/sdp", ""), None);
    assert_eq!(sdp("application/sdpx", "v=0\n"), None);
    assert_eq!(sdp("text/plain", "v=0\n"), None);
    let bare = parse([&options(&["Content-Length: 5"])[..], b"v=0\r\n"].concat());
    assert_eq!(bare.sdp().unwrap(), "v=0\r\n", "nobody said what it is");
}

#[test]
fn rfc_2046_section_5_1_1_parts_stand_between_delimiter_lines() {
    let body = format!(
        "a preamble\n--xyz\nContent-Type: text/plain\n\nhi\n--xyz  \n{SDP}v=0\ns=-\n\n--xyz--\nan epilogue\n"
    );
    assert_eq!(mixed(&body).as_deref(), Some("v=0\ns=-\n"), "the line end before a delimiter belongs to it");
    for boundary in ["\"xyz\"", "xyz ;x=y", " xyz", "\"x\\yz\""] {
        let content_type = format!("multipart/mixed; boundary={boundary}");
        assert!(sdp(&content_type, &body).is_some(), "{content_type}");
    }
    assert_eq!(mixed(&format!("--xyz\n\nno header: {SDP}\n--xyz--")), None, "text by default");
    assert_eq!(mixed(&format!("--xyz\n{SDP}--xyz--")), None, "nothing in it");
}

#[test]
fn delimiters_are_whole_lines() {
    let body = format!("--xyzw\n{SDP}v=1\n--xyz\n{SDP}v=0\na=--xyz\n--xyzzy\n--xyz--x\n");
    assert_eq!(mixed(&body).as_deref(), Some("v=0\na=--xyz\n--xyzzy"));
}

#[test]
fn what_is_cut_short_is_read_as_far_as_it_goes() {
    assert_eq!(mixed(&format!("--xyz\n{SDP}v=0\n")).as_deref(), Some("v=0\n"), "no last delimiter");
    for (content_type, body) in [
        ("multipart/mixed", "--\nContent-Type: application/sdp\n\nv=0\n----\n"),
        ("multipart/mixed;boundary=", "--\nContent-Type: application/sdp\n\nv=0\n"),
        ("multipart/mixed;boundary=\"", "--\nContent-Type: application/sdp\n\nv=0\n"),
        ("multipart/mixed;boundary=xyz", ""),
        ("multipart/mixed;boundary=xyz", "--xyz"),
        ("multipart/mixed;boundary=xyz", "--xyz--"),
        ("multipart/mixed;boundary=xyz", "--xyz\n"),
        ("multipart/mixed;boundary=xyz", "--xyz\n--xyz\n--xyz"),
        ("multipart/mixed;boundary=xyz", "--xyz\nContent-Type: application/sdp"),
        ("multipart/mixed;boundary=xyz", "--xyz\nContent-Type"),
        ("multipart/mixed;boundary=xyz", "--xyz\n: application/sdp\n\nv=0\n--xyz--"),
        ("multipart", "v=0\n"),
        ("multipart/", "v=0\n"),
        ("/", "v=0\n"),
    ] {
        assert_eq!(sdp(content_type, body), None, "{content_type} {body}");
    }
    let long = format!("multipart/mixed;boundary={}", "b".repeat(71));
    assert_eq!(sdp(&long, &format!("--{}\n{SDP}v=0\n", "b".repeat(71))), None, "70 octets are the most");
}

#[test]
fn the_header_of_a_part_may_be_folded_compact_or_odd() {
    for header in [
        "CONTENT-type :application/sdp\n",
        "c: application/sdp\n",
        "Content-Type:\n application/sdp;\n\tx=y\n",
        "no colon\nContent-Type: application/sdp\n",
        "X: \n \n\t\nContent-Type: application/sdp\n",
        "Content-Type: application/sdp\nContent-Transfer-Encoding: 8bit\n",
        "Content-Type: application/sdp\nContent-Disposition: session;handling=required\n",
    ] {
        assert!(mixed(&format!("--xyz\n{header}\nv=0\n--xyz--\n")).is_some(), "{header:?}");
    }
    let latin = b"--xyz\r\nX: \xfc\r\nContent-Type: application/sdp\r\n\r\nv=0\r\ns=\xfc\r\n--xyz--";
    let message = with_body("multipart/mixed;boundary=xyz", &[], latin);
    assert_eq!(&message.sdp().unwrap()[..], b"v=0\r\ns=\xfc");
}

#[test]
fn rfc_3261_section_20_11_only_what_describes_the_session_counts() {
    for other in [
        "Content-Disposition: early-session\n",
        "Content-Disposition: attachment; filename=\"session\"\n",
        "Content-Transfer-Encoding: base64\n",
        "Content-Encoding: gzip\n",
    ] {
        let body = format!("--xyz\n{other}{SDP}v=1\n--xyz\n{SDP}v=0\n--xyz--");
        assert_eq!(mixed(&body).as_deref(), Some("v=0"), "{other}");
    }
    assert_eq!(with_body("application/sdp", &["Content-Disposition: early-session"], b"v=0\r\n").sdp(), None);
    assert_eq!(with_body("application/sdp", &["Content-Encoding: gzip"], b"v=0\r\n").sdp(), None);
}

#[test]
fn rfc_2046_section_5_1_3_the_first_of_parts_that_belong_together() {
    let body = format!("--xyz\n{SDP}v=0\n--xyz\n{SDP}v=1\n--xyz--");
    assert_eq!(mixed(&body).as_deref(), Some("v=0"));
    for kind in ["related", "signed", "x-unknown"] {
        assert_eq!(sdp(&format!("multipart/{kind};boundary=xyz"), &body).as_deref(), Some("v=0"), "{kind}");
    }
}

#[test]
fn rfc_2046_section_5_1_4_the_last_of_alternatives_that_is_understood() {
    let body =
        format!("--xyz\n{SDP}v=0\n--xyz\n{SDP}v=1\n--xyz\nContent-Type: application/new\n\nv=2\n--xyz--");
    assert_eq!(sdp("multipart/Alternative; boundary=xyz", &body).as_deref(), Some("v=1"));
}

#[test]
fn rfc_5621_section_5_multipart_bodies_within_multipart_bodies() {
    let inner = format!("--in\n{SDP}v=0\n--in\n{SDP}v=1\n--in--\n");
    let body = format!(
        "--xyz\nContent-Type: multipart/mixed;boundary=other\n\n--other\n\nhi\n--other--\n\
         --xyz\nContent-Type: multipart/alternative;\n boundary=in\n\n{inner}\n--xyz\n{SDP}v=2\n--xyz--"
    );
    assert_eq!(mixed(&body).as_deref(), Some("v=1"));
}

#[test]
fn nesting_and_parts_are_bounded() {
    let nested = |levels: usize| {
        let mut body = format!("{SDP}v=0\n");
        for level in (0..levels).rev() {
            body = format!(
                "Content-Type: multipart/mixed;boundary=b{level}\n\n--b{level}\n{body}\n--b{level}--\n"
            );
        }
        let (_, body) = body.split_once("\n\n").unwrap();
        sdp("multipart/mixed;boundary=b0", body)
    };
    assert!(nested(4).is_some());
    for levels in [5, 50, 500] {
        assert_eq!(nested(levels), None);
    }
    let many = |parts: usize| mixed(&format!("{}--xyz\n{SDP}v=0\n--xyz--", "--xyz\n\n\n".repeat(parts)));
    assert!(many(63).is_some());
    assert_eq!(many(64), None);
    assert_eq!(many(5_000), None);
}

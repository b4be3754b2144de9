//! Addresses and URIs as phones, gateways and proxies write them.

use crate::{options, parse, wire};
use sip::{Message, Method, Name, NameAddr, ParseError, RequestBuilder, Uri};

fn user(uri: &str) -> Option<String> {
    Uri::parse(uri).unwrap().user().map(Into::into)
}

#[test]
fn rfc_3966_tel_uris_wherever_an_address_stands() {
    let message = parse(wire(
        &[
            "INVITE tel:+49(30)123-45.67;phone-context=x SIP/2.0",
            "Via: SIP/2.0/UDP h.example;branch=z9hG4bK1",
            "From: \"Gate\" <tel:+1-201-555-0123>;tag=1",
            "To: tel:7042;phone-context=example.com",
            "Call-ID: c",
            "CSeq: 1 INVITE",
            "Refer-To: <tel:*21#>",
            "P-Asserted-Identity: \"Gate\" <sip:+12015550123@gw.example>, <tel:+12015550123>",
        ],
        "",
    ));
    assert_eq!(message.validate(), Ok(()));
    assert_eq!(user(message.request_uri()).as_deref(), Some("+49301234567"));
    let number = |name| message.address(name).unwrap().uri().unwrap().user().unwrap().into_owned();
    assert_eq!(number(Name::From), "+12015550123");
    assert_eq!(number(Name::To), "7042");
    assert_eq!(
        message.to().unwrap().param("phone-context"),
        Some("example.com"),
        "without brackets it is the field's"
    );
    assert_eq!(number(Name::ReferTo), "*21#");
    let asserted: Vec<_> =
        message.addresses(Name::PAssertedIdentity).map(|a| a.unwrap().uri_text().to_owned()).collect();
    assert_eq!(asserted, ["sip:+12015550123@gw.example", "tel:+12015550123"]);
}

#[test]
fn rfc_3261_section_19_1_6_users_that_are_telephone_numbers() {
    assert_eq!(
        user("sip:+1-201-555-0123;npdi;rn=+12015550000@gw.example;user=phone").as_deref(),
        Some("+12015550123")
    );
    assert_eq!(
        user("sip:+12015550123;rn=+12015550000@gw.example").as_deref(),
        Some("+12015550123"),
        "by its +"
    );
    assert_eq!(user("sip:(030)1234@gw.example;user=PHONE").as_deref(), Some("0301234"));
    assert_eq!(user("sip:030-1234@gw.example").as_deref(), Some("030-1234"), "it may be a name");
    assert_eq!(
        user("sip:alice;x@h.example;user=phone").as_deref(),
        Some("alice;x"),
        "it says phone and is none"
    );
    assert_eq!(user("sip:+a.b;c@h.example").as_deref(), Some("+ab"), "letters of keypads are digits");
    assert_eq!(user("sip:%2B4930@h.example").as_deref(), Some("+4930"));
    assert_eq!(user("sip:1000@h.example;user=ip").as_deref(), Some("1000"));
}

#[test]
fn odd_users_and_hosts() {
    for (uri, wanted) in [
        ("sip:a%40b@h.example", "a@b"),
        ("sip:%C3%BCber@h.example", "\u{fc}ber"),
        ("sip:%FF@h.example", "\u{fffd}"),
        ("sip:a:b:c@h.example", "a"),
        ("sip:$/?&=+,;@h.example", "$/?&=+,;"),
        ("sips:alice@h.example.", "alice"),
        ("SIP:alice@xn--bcher-kva.example", "alice"),
        ("sip:alice@a_b.local:5060;transport=TLS;lr", "alice"),
        ("sip:#31#0301234@gw", "#31#0301234"),
    ] {
        assert_eq!(user(uri).as_deref(), Some(wanted), "{uri}");
    }
    assert!(Uri::parse("sips:a@h").unwrap().as_sip().unwrap().secure);
    assert!(Uri::parse("sip:a@h ").is_err() && Uri::parse(" sip:a@h").is_err());
}

#[test]
fn rfc_3261_section_20_10_display_names() {
    let addresses = [
        (r#""Comma, semicolon; and <bracket>" <sip:a@h>;tag=1"#, "Comma, semicolon; and <bracket>"),
        ("\"J\u{fc}rgen \u{2603}\" <sip:a@h>;tag=1", "J\u{fc}rgen \u{2603}"),
        ("Several plain words<sip:a@h>;tag=1", "Several plain words"),
        (r#""back\\slash \"quoted\"" <sip:a@h>;tag=1"#, r#"back\slash "quoted""#),
        ("<sip:a@h>;tag=1", ""),
        ("\"\"<sip:a@h>;tag=1", ""),
        ("sip:a@h;tag=1", ""),
        ("<sip:a@h> ; x=\"a,b;c\" ; tag=1", ""),
    ];
    let list = addresses.map(|(written, _)| written).join(" , ");
    let message = parse(options(&[&format!("Contact: {list}")]));
    let read: Vec<_> = message.contacts().map(|contact| contact.unwrap()).collect();
    let displays: Vec<_> = read.iter().map(|address| address.display().into_owned()).collect();
    assert_eq!(displays, addresses.map(|(_, display)| display));
    assert!(read.iter().all(|address| address.tag() == Some("1") && address.uri_text() == "sip:a@h"));
}

#[test]
fn octets_that_are_no_utf_8_in_a_display_name_and_in_a_body() {
    let head = options(&["From: \"J@rgen\" <sip:a@h>;tag=1", "Content-Length: 4"]);
    let mut bytes = [&head[..], b"\xff\xfe\0\x80"].concat();
    let at = bytes.windows(6).position(|six| six == b"J@rgen").unwrap();
    bytes[at + 1] = 0xfc;
    let message = parse(bytes);
    assert_eq!(message.validate(), Ok(()));
    assert_eq!(message.from().unwrap().display(), "J\u{fc}rgen");
    assert_eq!(&message.body()[..], b"\xff\xfe\0\x80");
}

#[test]
fn every_compact_name_is_its_long_one() {
    // RFC 3261 section 20, RFC 3515, 3892, 4028, 6665 and 8224.
    for (compact, name) in [
        ("b", Name::ReferredBy),
        ("c", Name::ContentType),
        ("e", Name::ContentEncoding),
        ("f", Name::From),
        ("i", Name::CallId),
        ("k", Name::Supported),
        ("l", Name::ContentLength),
        ("m", Name::Contact),
        ("o", Name::Event),
        ("r", Name::ReferTo),
        ("s", Name::Subject),
        ("t", Name::To),
        ("u", Name::AllowEvents),
        ("v", Name::Via),
        ("x", Name::SessionExpires),
        ("y", Name::Identity),
    ] {
        assert_eq!(Name::parse(compact), Some(name));
        assert_eq!(Name::parse(&compact.to_uppercase()), Some(name));
        if name != Name::ContentLength {
            let message = parse(wire(&["INFO sip:a@h SIP/2.0", &format!("{compact} :  value")], ""));
            assert_eq!(
                (message.header(name), message.header_text(name.text())),
                (Some("value"), Some("value"))
            );
        }
    }
    for free in ["g", "h", "p", "q", "w", "z"] {
        assert_eq!(Name::parse(free), None);
    }
}

#[test]
fn headers_that_nobody_here_knows_survive() {
    let message = parse(options(&["X-Odd: a,b;c=\"d\"", "P-Charging-Vector: icid-value=1", "x-odd: 2"]));
    let copied = message.headers().filter(|(name, _)| name.to_ascii_lowercase().starts_with(['x', 'p']));
    let mut builder = RequestBuilder::new(&Method::Invite, "sip:a@h");
    for (name, value) in copied {
        builder = builder.header(name, value);
    }
    let again = Message::parse(builder.finish()).unwrap();
    let headers: Vec<_> = again.headers().take(3).collect();
    assert_eq!(headers, [("X-Odd", "a,b;c=\"d\""), ("P-Charging-Vector", "icid-value=1"), ("x-odd", "2")]);
}

#[test]
fn rfc_3261_section_19_1_1_a_request_uri_carries_no_headers() {
    for (uri, wanted) in [
        ("sip:a@h?Route=%3Csip:trap%3E", "sip:a@h"),
        ("sip:a@h;lr?", "sip:a@h;lr"),
        ("sip:who?@h:5060;lr", "sip:who?@h:5060;lr"),
        ("tel:+4930123;x=1", "tel:+4930123;x=1"),
        ("not a uri?x", "not a uri?x"),
    ] {
        let built = RequestBuilder::new(&Method::Options, uri).finish();
        assert!(built.starts_with(format!("OPTIONS {wanted} SIP/2.0\r\n").as_bytes()), "{uri}");
    }
}

#[test]
fn addresses_with_nothing_in_them() {
    for value in ["<>", "\"A\" <>", "\"A\"", "<sip:>", "<sip:a@>", ";tag=1", ",", "<sip:a@h", "sip:a@h>"] {
        let read = NameAddr::parse(Name::From, value).and_then(|address| address.uri().map(|_| ()));
        assert!(matches!(read, Err(ParseError::Invalid(Name::From) | ParseError::Uri(_))), "{value}");
        let message = parse(options(&[&format!("From: {value}")]));
        assert_eq!(message.validate().unwrap_err().phrase, "Malformed From", "{value}");
    }
}

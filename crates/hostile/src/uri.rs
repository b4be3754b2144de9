use clock::Duration;
use sip::{
    Answer, Host, MAX_MESSAGE, Message, Method, Name, NameAddr, RequestBuilder, Search, SipUri, Transport,
    Uri, locate,
};
use std::collections::HashMap;

/// The most parameters, or header fields, with which two URIs are compared.
const COMPARED: usize = 64;

/// One or two URIs, with a line feed between them.
///
/// # Panics
/// If a URI that was read is not written as it stood; if equality (RFC 3261 section 19.1.4) is not reflexive and
/// symmetric, or sees a difference in the case of scheme and host; or if a URI does not keep its meaning in an address
/// or a request line.
pub fn uri(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (first, second) = text.split_once('\n').unwrap_or((text, ""));
    let uris = [first, second].map(|text| Uri::parse(text).ok());
    for (uri, text) in uris.iter().zip([first, second]) {
        if let Some(uri) = uri {
            alone(uri, text);
        }
    }
    if let [Some(a), Some(b)] = &uris {
        let same = a == b;
        assert!(same == (b == a), "equality is symmetric: {a} {b}");
        assert!(!same || a.as_sip().is_some() == b.as_sip().is_some(), "{a} {b}");
    }
}

/// What holds of one URI.
fn alone(uri: &Uri<'_>, text: &str) {
    assert_eq!(uri.to_string(), text, "a URI is written as it stood");
    let again = uri.to_string();
    assert!(Uri::parse(&again).is_ok_and(|again| again == *uri), "19.1.4: a URI is equal to itself: {text}");
    let user = uri.user();
    assert!(user.is_none_or(|user| user.len() <= 3 * text.len()), "{text}");
    match uri {
        Uri::Sip(sip) => sip_uri(uri, sip),
        Uri::Tel(tel) => assert!(!tel.digits().is_empty() && tel.number.len() <= text.len(), "{text}"),
        Uri::Other(_) => {}
    }
    in_an_address(uri, text);
    in_a_request_line(uri, text);
}

fn sip_uri(uri: &Uri<'_>, sip: &SipUri<'_>) {
    let text = uri.as_str();
    let host = sip.host.to_string();
    assert_eq!(Host::parse(&host), Some(sip.host), "a host is written as it is read");
    assert_eq!(sip.host.ip().is_some(), !matches!(sip.host, Host::Name(_)), "{text}");
    let named = sip.params.get("transport").and_then(Transport::from_token);
    assert_eq!(sip.transport(), named, "{text}");
    let pairs = sip.header_pairs().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    assert!(pairs <= sip.headers.len(), "{text}");
    if sip.params.iter().count() <= COMPARED && sip.header_pairs().count() <= COMPARED {
        let louder = in_another_case(text, &host);
        let louder = Uri::parse(&louder).unwrap_or_else(|error| panic!("{error}: {louder}"));
        assert!(louder == *uri || !names_are_single(sip), "19.1.4: the case of scheme and host: {text}");
    }
    finds_servers(sip);
}

/// Whether every parameter and every header field is there once: 19.1.4 says nothing of others, and we compare with the
/// first parameter of a name.
fn names_are_single(sip: &SipUri<'_>) -> bool {
    let mut names: Vec<_> = sip.params.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    names.len() == count
}

/// The same URI with scheme and host in capital letters.
fn in_another_case(text: &str, host: &str) -> String {
    let (scheme, rest) = text.split_once(':').expect("a scheme");
    let behind_user = rest.find('@').map_or(0, |at| at + 1);
    let (user, rest) = rest.split_at(behind_user);
    let (written, rest) = rest.split_at(host.len().min(rest.len()));
    let same_host = written.eq_ignore_ascii_case(host);
    let written = if same_host { written.to_ascii_uppercase() } else { written.to_owned() };
    format!("{}:{user}{written}{rest}", scheme.to_ascii_uppercase())
}

/// A search without any answer asks, or has found addresses (RFC 3263).
fn finds_servers(sip: &SipUri<'_>) {
    let means = [(Transport::Udp, true), (Transport::Tcp, true), (Transport::Tls, false)];
    let mut answers = HashMap::new();
    for _ in 0..4 {
        match locate(sip, &means, &answers) {
            Search::Ask(questions) => {
                assert!(!questions.is_empty(), "a search that asks nothing never ends");
                let nothing = Answer { records: Vec::new(), ttl: Duration::ZERO, failed: false };
                for question in questions {
                    assert_eq!(
                        &*question.name,
                        question.name.to_ascii_lowercase(),
                        "names are asked in one case"
                    );
                    let known = answers.insert(question, nothing.clone());
                    assert!(known.is_none(), "a question is asked once");
                }
            }
            Search::Found { servers, .. } => {
                assert_eq!(servers.is_empty(), servers.addresses().next().is_none());
                return;
            }
        }
    }
    panic!("a search ends after NAPTR, SRV and addresses");
}

/// In angle brackets every URI keeps its meaning.
fn in_an_address(uri: &Uri<'_>, text: &str) {
    let value = format!("\"x\" <{text}>;tag=1");
    let address = NameAddr::parse(Name::To, &value).unwrap_or_else(|error| panic!("{error}: {value}"));
    assert_eq!((address.uri_text(), address.tag()), (text, Some("1")));
    assert!(address.uri().is_ok_and(|again| again == *uri), "{value}");
}

/// A request line holds the URI without its header fields (RFC 3261 section 19.1.1).
fn in_a_request_line(uri: &Uri<'_>, text: &str) {
    if text.len() > MAX_MESSAGE / 2 {
        return;
    }
    let request = RequestBuilder::new(&Method::Options, text).cseq(1, &Method::Options).finish();
    let request = Message::parse(request).unwrap_or_else(|error| panic!("{error}: {text}"));
    let written = Uri::parse(request.request_uri()).unwrap_or_else(|error| panic!("{error}: {text}"));
    match (uri, &written) {
        (Uri::Sip(sip), Uri::Sip(written)) => {
            assert_eq!((written.user, written.password), (sip.user, sip.password));
            assert_eq!((written.host, written.port, written.secure), (sip.host, sip.port, sip.secure));
            assert_eq!((written.params.as_str(), written.headers), (sip.params.as_str(), ""));
        }
        _ => assert_eq!(written.as_str(), text),
    }
}

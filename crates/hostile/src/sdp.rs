use sdp::{Agreed, Capability, Direction, Formats, Media, Negotiation, SdpError, Session};
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// A body that claims to be a session description.
///
/// # Panics
/// If a description that was read does not say the same once it is written and read again; if an answer does not fit
/// its offer (RFC 3264 section 6); or if a step that failed has changed what was agreed.
pub fn sdp(input: &[u8]) {
    let parsed = Session::parse(input);
    if let Ok(session) = &parsed {
        written_and_read_again(session);
    }
    for direction in [Direction::SendRecv, Direction::Inactive] {
        let mut leg = leg();
        match leg.answer(input, direction) {
            Ok((answer, agreed)) => {
                let offer = parsed.as_ref().expect("what was answered can be read");
                fits(offer, &answer, &agreed, direction);
                goes_on(&mut leg, input);
            }
            Err(error) => {
                refused(&error, parsed.as_ref().err());
                assert_eq!(leg.agreed(), None, "a failed step leaves nothing");
            }
        }
    }
    as_an_answer(input);
}

/// Our side, with a codec that has no number of its own and with more than peers have.
fn leg() -> Negotiation {
    let opus = Capability {
        encoding: Cow::Borrowed("opus"),
        clock_rate: 48_000,
        channels: 2,
        static_type: None,
        fmtp: Some(Cow::Borrowed("useinbandfec=1")),
    };
    let capabilities = [Capability::PCMU, Capability::PCMA, opus, Capability::TELEPHONE_EVENT];
    Negotiation::new(Arc::new(capabilities), IpAddr::V4(Ipv4Addr::LOCALHOST), 30_000, 1)
}

fn written_and_read_again(session: &Session<'_>) {
    let text = session.to_string();
    match Session::parse(text.as_bytes()) {
        Ok(again) => assert_eq!(again, *session, "{text}"),
        // What is read without the lines that every description has may be a few lines or octets short of the limit.
        Err(error) => {
            assert!(matches!(error, SdpError::TooMany { what: "lines" | "bytes", .. }), "{error}: {text}")
        }
    }
}

/// RFC 3264 section 6: as many sections as the offer, of the same kinds, and nothing that was not offered.
fn fits(offer: &Session<'_>, answer: &str, agreed: &Agreed, wanted: Direction) {
    let answer = Session::parse(answer.as_bytes()).unwrap_or_else(|error| panic!("{error}: {answer}"));
    assert_eq!(answer.media.len(), offer.media.len(), "an answer has every section of its offer");
    for (ours, theirs) in answer.media.iter().zip(&offer.media) {
        assert_eq!((ours.kind, ours.protocol), (theirs.kind, theirs.protocol));
        assert!(ours.port == 0 || theirs.port != 0, "what was switched off stays off");
        let offered = numbers(theirs);
        assert!(numbers(ours).iter().all(|number| offered.contains(number)), "{ours:?} {theirs:?}");
    }
    let taken: Vec<_> = answer.media.iter().filter(|media| media.port != 0).collect();
    assert!(taken.len() <= 1, "one audio is taken");
    assert!(!agreed.formats.is_empty() && agreed.formats.len() <= 4);
    assert_eq!(agreed.direction, agreed.direction.intersect(wanted), "no more than was wanted");
    assert!(agreed.remote.is_some() || !agreed.direction.sends(), "nothing is sent to nowhere");
    for place in agreed.remote.iter().chain(&agreed.remote_rtcp) {
        let ip = place.ip();
        assert!(!ip.is_multicast() && !ip.is_unspecified() && ip != Ipv4Addr::BROADCAST && place.port() != 0);
    }
    if let [media] = taken[..] {
        assert_eq!(answer.direction_of(media), agreed.direction);
        assert_eq!(answer.address_of(media), Some(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    }
}

/// The payload types of a section.
fn numbers(media: &Media<'_>) -> Vec<u8> {
    match &media.formats {
        Formats::Rtp(formats) => formats.iter().map(|format| format.payload_type).collect(),
        Formats::Other(_) => Vec::new(),
    }
}

/// The session after its first offer was answered: the same again changes nothing, and an offer of ours keeps every
/// section in its place (RFC 3264 section 8).
fn goes_on(leg: &mut Negotiation, offer: &[u8]) {
    let agreed = leg.agreed().cloned();
    let wanted = agreed.as_ref().map_or(Direction::Inactive, |agreed| agreed.direction);
    let (again, _) = leg.answer(offer, wanted).unwrap_or_else(|error| panic!("a second time: {error}"));
    assert_eq!(leg.agreed(), agreed.as_ref(), "the same offer settles the same");
    let ours = leg.offer(Direction::SendRecv);
    assert!(leg.is_offering() && leg.answer(offer, wanted) == Err(SdpError::OfferPending));
    let sections = |text: &str| {
        let session = Session::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"));
        session.media.len()
    };
    assert_eq!(sections(&ours), sections(&again), "every section keeps its place");
    leg.rollback();
    assert_eq!(leg.agreed(), agreed.as_ref(), "a refused offer leaves what was agreed");
}

/// What our own offer would make of it.
fn as_an_answer(input: &[u8]) {
    let mut leg = leg();
    assert_eq!(leg.receive_answer(input), Err(SdpError::UnexpectedAnswer));
    leg.offer(Direction::SendRecv);
    match leg.receive_answer(input) {
        Ok(agreed) => {
            assert!(!agreed.formats.is_empty());
            assert!(agreed.remote.is_some() || !agreed.direction.sends());
            assert_eq!(leg.receive_answer(input), Ok(agreed), "a copy settles the same");
        }
        Err(error) => {
            refused(&error, Session::parse(input).as_ref().err());
            assert!(leg.is_offering(), "a failed step leaves the offer");
        }
    }
}

/// A description is refused for what it is, with a status that says so.
fn refused(error: &SdpError, unread: Option<&SdpError>) {
    assert!(unread.is_none_or(|unread| unread == error), "{error} {unread:?}");
    assert!(matches!(error.status(), 400 | 488), "{error}");
}

//! What holds for every offer and answer, whoever speaks what.

use proptest::prelude::*;
use sdp::{Agreed, Capability, Direction, Formats, Negotiation, SdpError, Session, T38};
use std::borrow::Cow;
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// Codecs with and without a number of their own, and events at two clock rates.
fn all_capabilities() -> Vec<Capability> {
    let dynamic = |encoding: &'static str, clock_rate, channels| Capability {
        encoding: Cow::Borrowed(encoding),
        clock_rate,
        channels,
        static_type: None,
        fmtp: Some(Cow::Borrowed("x=1;y=2")),
    };
    vec![
        Capability::PCMU,
        Capability::PCMA,
        Capability::TELEPHONE_EVENT,
        dynamic("opus", 48_000, 2),
        dynamic("telephone-event", 48_000, 1),
        dynamic("iLBC", 8_000, 1),
    ]
}

fn capabilities() -> impl Strategy<Value = Vec<Capability>> {
    prop::sample::subsequence(all_capabilities(), 1..=6).prop_shuffle()
}

fn direction() -> impl Strategy<Value = Direction> {
    prop::sample::select(vec![
        Direction::SendRecv,
        Direction::SendOnly,
        Direction::RecvOnly,
        Direction::Inactive,
    ])
}

fn leg(capabilities: Vec<Capability>, last: u8) -> Negotiation {
    let address = IpAddr::V4(Ipv4Addr::new(127, 0, 0, last));
    Negotiation::new(capabilities.into(), address, 30_000 + u16::from(last) * 2, u64::from(last))
}

/// The encodings that both sides agreed on, with the numbers used towards the offerer and away from it.
fn agreed_encodings(
    agreed: &Agreed,
    capabilities: &Arc<[Capability]>,
    is_offerer: bool,
) -> Vec<(String, u8, u8)> {
    let formats = agreed.formats.iter().chain(&agreed.telephone_event);
    formats
        .map(|format| {
            let capability = &capabilities[format.capability];
            let name = format!("{}/{}", capability.encoding, capability.clock_rate);
            if is_offerer {
                (name, format.receive_type, format.send_type)
            } else {
                (name, format.send_type, format.receive_type)
            }
        })
        .collect()
}

/// The sections of a description and what can be sent in each.
fn offered(text: &str) -> Vec<(String, String, HashSet<u8>)> {
    let session = Session::parse(text.as_bytes()).unwrap();
    let numbers = |formats: &Formats<'_>| match formats {
        Formats::Rtp(formats) => formats.iter().map(|format| format.payload_type).collect(),
        Formats::Other(_) => HashSet::new(),
    };
    session
        .media
        .iter()
        .map(|media| (media.kind.to_owned(), media.protocol.to_owned(), numbers(&media.formats)))
        .collect()
}

const FAX: &str = "v=0\nc=IN IP4 192.0.2.1\nm=image 4002 udptl t38\na=T38FaxVersion:0\n";

proptest! {
    #[test]
    fn rfc3264_6_both_sides_agree_on_the_same(
        first in capabilities(),
        second in capabilities(),
        turns in prop::collection::vec((any::<bool>(), direction(), direction()), 1..6),
    ) {
        let both: [Arc<[Capability]>; 2] = [first.clone().into(), second.clone().into()];
        let mut legs = [leg(first, 1), leg(second, 2)];
        for (second_offers, offering, answering) in turns {
            let (offerer, answerer) = if second_offers { (1, 0) } else { (0, 1) };
            let offer = legs[offerer].offer(offering);
            let (answer, theirs) = match legs[answerer].answer(offer.as_bytes(), answering) {
                Ok(answered) => answered,
                Err(error) => {
                    prop_assert_eq!(error, SdpError::NoCommonCodec);
                    legs[offerer].rollback();
                    continue;
                }
            };
            let ours = legs[offerer].receive_answer(answer.as_bytes()).unwrap();
            prop_assert_eq!(
                agreed_encodings(&ours, &both[offerer], true),
                agreed_encodings(&theirs, &both[answerer], false)
            );
            prop_assert_eq!(ours.direction, theirs.direction.reversed());
            prop_assert_eq!(ours.direction, offering.intersect(answering.reversed()));
            prop_assert!(!ours.formats.is_empty());
            for ((kind, protocol, numbers), (offered_kind, offered_protocol, offered_numbers)) in
                offered(&answer).iter().zip(&offered(&offer))
            {
                prop_assert_eq!((kind, protocol), (offered_kind, offered_protocol));
                prop_assert!(numbers.is_subset(offered_numbers), "{}{}", offer, answer);
            }
            prop_assert_eq!(offered(&answer).len(), offered(&offer).len());
        }
    }

    #[test]
    fn any_steps_with_any_text_leave_a_usable_state(
        steps in prop::collection::vec((0_u8..8, prop::sample::select(vec![
            "v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0 101\na=rtpmap:101 telephone-event/8000\n",
            "v=0\nc=IN IP4 192.0.2.1\nm=video 4000 RTP/AVP 96\nm=audio 4002 RTP/AVP 96\na=rtpmap:96 PCMA/8000\n",
            "v=0\nc=IN IP4 0.0.0.0\nm=audio 4000 RTP/AVP 8\na=inactive\n",
            "v=0\nc=IN IP4 192.0.2.1\nm=audio 0 RTP/AVP 8\n",
            "v=0\nm=audio 4000 RTP/SAVP 8\n",
            FAX,
            "v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 8\nm=image 4002 udptl t38\n",
            "rubbish",
        ]), direction()), 0..20)
    ) {
        let mut leg = leg(all_capabilities(), 1);
        let mut last_version = 0;
        for (step, text, direction) in steps {
            let written = match step {
                0 | 1 => leg.answer(text.as_bytes(), direction).ok().map(|(answer, _)| answer),
                2 => Some(leg.offer(direction)),
                3 => leg.receive_answer(text.as_bytes()).map(|_| None).unwrap_or(None),
                4 => leg.offer_fax(T38::default(), direction),
                5 => leg.answer_fax(text.as_bytes(), T38::default(), direction).ok().map(|(answer, _)| answer),
                6 => Some(leg.offer_audio(direction)),
                _ => {
                    leg.rollback();
                    None
                }
            };
            if let Some(written) = written {
                let version = Session::parse(written.as_bytes()).unwrap().origin.unwrap().version;
                prop_assert!(version >= last_version);
                last_version = version;
            }
            if let Some(agreed) = leg.agreed() {
                prop_assert!(!agreed.formats.is_empty());
                prop_assert!(agreed.remote.is_some() || !agreed.direction.sends());
            }
        }
    }
}

//! Fax in the place of audio: ITU-T T.38 annex D, RFC 3264 8.3.3.

use sdp::{Capability, Direction, ErrorCorrection, Negotiation, RateManagement, SdpError, Session, T38};
use std::sync::Arc;

const AUDIO: &str = "v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 RTP/AVP 8 0\r\n";
const FAX: &str = "v=0\r\nc=IN IP4 192.0.2.9\r\nm=image 5000 udptl t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\n\
    a=T38FaxRateManagement:transferredTCF\r\na=T38FaxMaxBuffer:2000\r\na=T38FaxMaxDatagram:400\r\n\
    a=T38FaxUdpEC:t38UDPRedundancy\r\n";

fn t38(text: &str) -> T38 {
    let session = Session::parse(text.as_bytes()).unwrap();
    session.media.iter().find_map(|media| media.t38.as_deref().cloned()).unwrap()
}

/// A leg that has answered audio.
fn talking() -> Negotiation {
    let mut leg =
        Negotiation::new(Arc::new([Capability::PCMU, Capability::PCMA]), [127, 0, 0, 1].into(), 30_000, 7);
    leg.answer(AUDIO.as_bytes(), Direction::SendRecv).unwrap();
    leg
}

fn sections(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with("m=")).collect()
}

#[test]
fn t38_annex_d_what_a_gateway_says_is_read_and_said_again() {
    let said = t38(FAX);
    let expected = T38 {
        version: Some(0),
        max_bit_rate: Some(14_400),
        rate_management: Some(RateManagement::TransferredTcf),
        max_buffer: Some(2_000),
        max_datagram: Some(400),
        error_correction: vec![ErrorCorrection::Redundancy],
        ..T38::default()
    };
    assert_eq!(said, expected);
    assert_eq!(format!("{said}"), FAX.split_once("t38\r\n").unwrap().1);
}

#[test]
fn old_and_odd_spellings_mean_the_same() {
    let odd = "v=0\nc=IN IP4 192.0.2.9\nm=image 5000 UDPTL T38\na=T38FaxMaxBitRate:9600\n\
        a=T38FaxFillBitRemoval:0\na=T38FaxTranscodingMMR:1\na=T38FaxTranscodingJBIG:0\n\
        a=T38faxRateManagement:transferedTCF\na=T38FaxUdpEc:T38UdpFEC\na=T38FaxUdpEC:t38UDPRedundancy\n\
        a=T38FaxUdpECDepth:1 2\na=T38FaxVersion:banana\na=T38VendorInfo:0 0 37\na=sendrecv\n";
    let said = t38(odd);
    assert_eq!((said.fill_bit_removal, said.transcoding_mmr, said.transcoding_jbig), (false, true, false));
    assert_eq!((said.max_bit_rate, said.version), (Some(9_600), None));
    assert_eq!(said.rate_management, Some(RateManagement::TransferredTcf));
    assert_eq!(said.error_correction, [ErrorCorrection::Fec, ErrorCorrection::Redundancy]);
    let again = format!("v=0\nm=image 1 udptl t38\n{said}");
    assert_eq!(t38(&again), said, "{again}");
    assert!(!again.contains("JBIG") && again.contains("a=T38FaxTranscodingMMR\r\n"), "{again}");
}

#[test]
fn rfc3264_8_3_3_fax_takes_the_place_of_audio_and_gives_it_back() {
    let mut leg = talking();
    let audio = leg.agreed().unwrap().clone();
    let asked = leg.fax_asked(FAX.as_bytes()).unwrap();
    let (text, agreed) = leg.answer_fax(FAX.as_bytes(), asked.clone(), Direction::SendRecv).unwrap();
    assert_eq!(sections(&text), ["m=image 30000 udptl t38"]);
    assert!(text.contains("a=T38MaxBitRate:14400\r\n") && !text.contains("a=sendrecv"), "{text}");
    assert_eq!((agreed.remote, agreed.remote_rtcp), ("192.0.2.9:5000".parse().ok(), None));
    assert_eq!((&agreed.formats, agreed.t38.as_deref()), (&audio.formats, Some(&asked)));
    assert_eq!(leg.fax_asked(FAX.as_bytes()), None, "there is fax already");

    let (text, agreed) = leg.answer(AUDIO.as_bytes(), Direction::SendRecv).unwrap();
    assert_eq!(sections(&text), ["m=audio 30000 RTP/AVP 8 0"]);
    assert_eq!(agreed, audio);
}

#[test]
fn our_own_offers_go_there_and_back_in_the_same_section() {
    let mut leg = talking();
    let offer = leg.offer_fax(t38(FAX), Direction::SendRecv).unwrap();
    assert_eq!(sections(&offer), ["m=image 30000 udptl t38"]);
    assert!(leg.agreed().unwrap().t38.is_none(), "it is not answered yet");
    let agreed = leg.receive_answer(FAX.as_bytes()).unwrap();
    assert_eq!(agreed.t38.as_deref(), Some(&t38(FAX)));

    // RFC 4028: a refresh says what is agreed, and so does an offer that the peer leaves to us.
    let refresh = leg.offer(Direction::SendRecv);
    assert_eq!(refresh, offer, "no change, and so no new version");
    leg.receive_answer(FAX.as_bytes()).unwrap();

    let offer = leg.offer_audio(Direction::SendRecv);
    assert_eq!(sections(&offer), ["m=audio 30000 RTP/AVP 8 0"]);
    assert!(leg.receive_answer(AUDIO.as_bytes()).unwrap().t38.is_none());
}

#[test]
fn rfc3264_6_of_audio_and_fax_in_one_offer_the_other_is_refused_in_its_place() {
    let both = "v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 RTP/AVP 8\r\nm=image 5000 udptl t38\r\na=T38FaxVersion:0\r\n";
    let mut leg = talking();
    // At the beginning, and when the other party will have no fax: audio.
    let (text, agreed) = leg.answer(both.as_bytes(), Direction::SendRecv).unwrap();
    assert_eq!(sections(&text), ["m=audio 30000 RTP/AVP 8", "m=image 0 udptl t38"]);
    assert!(agreed.t38.is_none());
    let asked = leg.fax_asked(both.as_bytes()).unwrap();
    let (text, _) = leg.answer_fax(both.as_bytes(), asked, Direction::SendRecv).unwrap();
    assert_eq!(sections(&text), ["m=audio 0 RTP/AVP 8", "m=image 30000 udptl t38"]);
    // The same again is a refresh: fax goes on.
    let (again, agreed) = leg.answer(both.as_bytes(), Direction::SendRecv).unwrap();
    assert_eq!((again, agreed.t38.is_some()), (text, true));
    // Back to audio in the place that it had.
    let offer = leg.offer_audio(Direction::SendRecv);
    assert_eq!(sections(&offer), ["m=audio 30000 RTP/AVP 8 0", "m=image 0 udptl t38"]);
}

#[test]
fn ast_2019_004_ast_2021_006_fax_refused_by_port_0_leaves_the_audio_as_it_was() {
    for answer in [FAX.replace("5000", "0"), AUDIO.to_owned(), "v=0\r\n".to_owned()] {
        let mut leg = talking();
        let audio = leg.agreed().cloned();
        leg.offer_fax(t38(FAX), Direction::SendRecv).unwrap();
        assert_eq!(leg.receive_answer(answer.as_bytes()), Err(SdpError::NoFax), "{answer}");
        leg.rollback();
        assert_eq!(leg.agreed().cloned(), audio);
        assert_eq!(sections(&leg.offer(Direction::SendRecv)), ["m=audio 30000 RTP/AVP 8 0"]);
    }
}

#[test]
fn rfc3264_8_4_a_party_may_hold_while_there_is_fax() {
    let mut leg = talking();
    leg.answer_fax(FAX.as_bytes(), t38(FAX), Direction::SendRecv).unwrap();
    let held = format!("{FAX}a=sendonly\r\n");
    let (text, agreed) = leg.answer(held.as_bytes(), Direction::SendRecv).unwrap();
    assert_eq!((agreed.direction, agreed.t38.is_some()), (Direction::RecvOnly, true));
    assert!(text.contains("a=recvonly\r\n"), "{text}");
}

#[test]
fn what_is_no_call_yet_or_encrypted_has_no_fax() {
    let mut fresh = Negotiation::new(Arc::new([Capability::PCMA]), [127, 0, 0, 1].into(), 30_000, 7);
    assert_eq!(fresh.answer(FAX.as_bytes(), Direction::SendRecv), Err(SdpError::NoAudio));
    assert_eq!(fresh.answer_fax(FAX.as_bytes(), t38(FAX), Direction::SendRecv), Err(SdpError::NoFax));
    assert_eq!(
        (fresh.fax_asked(FAX.as_bytes()), fresh.offer_fax(t38(FAX), Direction::SendRecv)),
        (None, None)
    );

    let keys = sdp::LocalKeys::new(|bytes| bytes.fill(7));
    let protection =
        sdp::Protection { need: sdp::Need::Optional, keys: Some(keys), handshake: None, is_browser: false };
    let mut secret = fresh.protected(protection);
    let crypto = "v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 RTP/SAVP 8\r\n\
        a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";
    secret.answer(crypto.as_bytes(), Direction::SendRecv).unwrap();
    assert_eq!(secret.answer_fax(FAX.as_bytes(), t38(FAX), Direction::SendRecv), Err(SdpError::NoFax));
    assert_eq!(secret.offer_fax(t38(FAX), Direction::SendRecv), None);
}

#[test]
fn a_section_that_is_no_t38_over_udptl_is_no_fax() {
    let leg = talking();
    for other in
        ["m=image 5000 RTP/AVP 96", "m=image 5000 tcptl t38", "m=image 5000 udptl t37", "m=image 0 udptl t38"]
    {
        let offer = format!("v=0\r\nc=IN IP4 192.0.2.9\r\n{other}\r\na=T38FaxVersion:0\r\n");
        assert_eq!(leg.fax_asked(offer.as_bytes()), None, "{other}");
    }
}

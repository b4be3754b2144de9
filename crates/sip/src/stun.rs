//! STUN as far as a keep-alive needs it: Binding requests on a SIP port (RFC 5626 section 4.4.2, RFC 8489).

use bytes::Bytes;
use std::net::{IpAddr, SocketAddr};

const COOKIE: u32 = 0x2112_a442;
const HEADER: usize = 20;
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const BINDING_ERROR: u16 = 0x0111;
const MAPPED_ADDRESS: u16 = 0x0001;
const ERROR_CODE: u16 = 0x0009;
const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const FINGERPRINT: u16 = 0x8028;
/// A FINGERPRINT with its header.
const FINGERPRINT_SIZE: usize = 8;
/// What FINGERPRINT adds to its CRC.
const FINGERPRINT_PAD: u32 = 0x5354_554e;
/// Attributes from here on may be passed over by who does not know them.
const OPTIONAL: u16 = 0x8000;
/// Known attributes that no request has are passed over, too (RFC 8489 section 6.3).
const MISPLACED: [u16; 4] = [MAPPED_ADDRESS, ERROR_CODE, UNKNOWN_ATTRIBUTES, XOR_MAPPED_ADDRESS];

/// Whether a datagram is no SIP but begins like STUN (RFC 7983 section 7).
pub fn is_stun(datagram: &[u8]) -> bool {
    matches!(datagram.first(), Some(0..=3))
}

/// The response to a Binding request that came from `peer`: success, or the error 420 if it has attributes that would have
/// to be understood, credentials among them, and is no shorter than that error. `None` for everything else: other methods
/// and classes, a wrong length or FINGERPRINT.
pub fn answer(datagram: &[u8], peer: SocketAddr) -> Option<Bytes> {
    let is_request = number(datagram, 0)? == BINDING_REQUEST
        && usize::from(number(datagram, 2)?) + HEADER == datagram.len()
        && datagram.get(4..8)? == COOKIE.to_be_bytes();
    let transaction = datagram.get(8..HEADER).filter(|_| is_request)?;
    let Attributes { unknown, has_fingerprint } = attributes(datagram)?;
    if unknown.is_empty() {
        let mapped = attribute(XOR_MAPPED_ADDRESS, &xor_mapped(peer, transaction))?;
        return response(BINDING_SUCCESS, transaction, mapped, has_fingerprint);
    }
    // Section 6.3.1. The reason phrase is empty for the sake of the length.
    let code = attribute(ERROR_CODE, &[0, 0, 4, 20])?;
    let named = attribute(UNKNOWN_ATTRIBUTES, &unknown)?;
    let error = response(BINDING_ERROR, transaction, [code, named].concat(), has_fingerprint)?;
    // The source address may be forged: whoever has it is not sent more than the sender spent.
    (error.len() <= datagram.len()).then_some(error)
}

/// A response with these attributes.
fn response(kind: u16, transaction: &[u8], attributes: Vec<u8>, with_fingerprint: bool) -> Option<Bytes> {
    let length = attributes.len() + if with_fingerprint { FINGERPRINT_SIZE } else { 0 };
    let mut response = Vec::with_capacity(HEADER + length);
    response.extend(kind.to_be_bytes());
    response.extend(u16::try_from(length).ok()?.to_be_bytes());
    response.extend(COOKIE.to_be_bytes());
    response.extend(transaction);
    response.extend(attributes);
    if with_fingerprint {
        let fingerprint = fingerprint(&response);
        response.extend(attribute(FINGERPRINT, &fingerprint.to_be_bytes())?);
    }
    Some(response.into())
}

/// An attribute, padded to whole words.
fn attribute(kind: u16, value: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(value.len()).ok()?;
    let mut attribute = [&kind.to_be_bytes(), &length.to_be_bytes(), value].concat();
    attribute.resize(attribute.len().next_multiple_of(4), 0);
    Some(attribute)
}

/// What the attributes of a request come to.
struct Attributes {
    /// The types that would have to be understood, as UNKNOWN-ATTRIBUTES lists them (RFC 8489 section 14.13).
    unknown: Vec<u8>,
    /// Whether the last one is a FINGERPRINT.
    has_fingerprint: bool,
}

/// Walks the attributes of a request. `None` if one is broken.
fn attributes(request: &[u8]) -> Option<Attributes> {
    let mut unknown = Vec::new();
    let mut at = HEADER;
    while at < request.len() {
        let (kind, length) = (number(request, at)?, usize::from(number(request, at + 2)?));
        let end = at + 4 + length.next_multiple_of(4);
        if end > request.len() {
            return None;
        }
        if kind == FINGERPRINT {
            let given = request.get(at + 4..end)?;
            let is_right = given == fingerprint(&request[..at]).to_be_bytes();
            return (is_right && end == request.len())
                .then_some(Attributes { unknown, has_fingerprint: true });
        }
        if kind < OPTIONAL && !MISPLACED.contains(&kind) {
            unknown.extend(kind.to_be_bytes());
        }
        at = end;
    }
    Some(Attributes { unknown, has_fingerprint: false })
}

/// The value of XOR-MAPPED-ADDRESS (RFC 8489 section 14.2).
fn xor_mapped(peer: SocketAddr, transaction: &[u8]) -> Vec<u8> {
    let pad = [&COOKIE.to_be_bytes(), transaction].concat();
    let port = peer.port().to_be_bytes();
    let (family, address) = match peer.ip().to_canonical() {
        IpAddr::V4(ip) => (1, ip.octets().to_vec()),
        IpAddr::V6(ip) => (2, ip.octets().to_vec()),
    };
    let hidden = |plain: &[u8]| plain.iter().zip(&pad).map(|(plain, pad)| plain ^ pad).collect::<Vec<_>>();
    [vec![0, family], hidden(&port), hidden(&address)].concat()
}

/// The value of a FINGERPRINT that follows these bytes, whose length field counts it already (RFC 8489 section 14.7).
fn fingerprint(before: &[u8]) -> u32 {
    crc32(before) ^ FINGERPRINT_PAD
}

/// CRC-32 of ITU V.42, bit by bit: keep-alives are few and short.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRANSACTION: [u8; 12] = *b"twelve bytes";

    fn request(attributes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(attributes.len()).unwrap().to_be_bytes();
        [&[0, 1], &length[..], &COOKIE.to_be_bytes(), &TRANSACTION, attributes].concat()
    }

    /// A request with these attributes and a FINGERPRINT.
    fn with_fingerprint(attributes: &[u8]) -> Vec<u8> {
        let mut request = request(&[attributes, &[0; FINGERPRINT_SIZE]].concat());
        request.truncate(HEADER + attributes.len());
        let value = fingerprint(&request);
        request.extend([0x80, 0x28, 0, 4]);
        request.extend(value.to_be_bytes());
        request
    }

    fn peer(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn rfc8489_14_2_the_address_that_a_request_came_from() {
        let answer = answer(&request(&[]), peer("192.0.2.1:32853")).unwrap();
        assert_eq!(answer[..8], [1, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42]);
        assert_eq!(answer[8..20], TRANSACTION);
        assert_eq!(answer[20..], [0, 0x20, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43]);
        let mapped = super::answer(&request(&[]), peer("[::ffff:192.0.2.1]:32853"));
        assert_eq!(mapped, Some(answer), "an IPv4 address is one");
    }

    #[test]
    fn rfc8489_14_2_an_ipv6_address_is_hidden_by_cookie_and_transaction() {
        let peer = peer("[2001:db8::1]:5060");
        let answer = answer(&request(&[]), peer).unwrap();
        assert_eq!(answer[20..26], [0, 0x20, 0, 20, 0, 2]);
        let pad = [&COOKIE.to_be_bytes()[..], &TRANSACTION].concat();
        let plain: Vec<u8> = answer[28..].iter().zip(&pad).map(|(hidden, pad)| hidden ^ pad).collect();
        let IpAddr::V6(ip) = peer.ip() else { panic!() };
        assert_eq!(plain, ip.octets());
    }

    #[test]
    fn rfc8489_14_7_a_fingerprint_is_checked_and_answered_by_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let software = [0x80, 0x22, 0, 3, b'a', b'b', b'c', 0];
        let asked = with_fingerprint(&software);
        let answer = answer(&asked, peer("192.0.2.1:5060")).unwrap();
        assert_eq!(usize::from(number(&answer, 2).unwrap()), answer.len() - HEADER);
        let (before, last) = answer.split_at(answer.len() - FINGERPRINT_SIZE);
        assert_eq!(last[..4], [0x80, 0x28, 0, 4]);
        assert_eq!(last[4..], fingerprint(before).to_be_bytes());
        // Of another type it is none, but an attribute that may be passed over.
        let kind = asked.len() - FINGERPRINT_SIZE..asked.len() - FINGERPRINT_SIZE + 2;
        for at in (0..asked.len()).filter(|at| !kind.contains(at)) {
            let mut wrong = asked.clone();
            wrong[at] ^= 0x10;
            assert_eq!(super::answer(&wrong, peer("192.0.2.1:5060")), None, "byte {at}");
        }
        let then_more = [with_fingerprint(&[]), software.to_vec()].concat();
        assert_eq!(super::answer(&then_more, peer("192.0.2.1:5060")), None);
    }

    /// The attributes of an error 420 that names these types.
    fn unknown(types: &[u8]) -> Vec<u8> {
        let length = u8::try_from(types.len()).unwrap();
        let pad = vec![0; types.len().next_multiple_of(4) - types.len()];
        [&[0, 9, 0, 4, 0, 0, 4, 20, 0, 10, 0, length], types, &pad].concat()
    }

    #[test]
    fn rfc8489_6_3_1_attributes_that_are_not_understood_are_named_by_420() {
        let user = [0, 6, 0, 9, b'a', b'n', b'n', b'a', b':', b'b', b'o', b'b', b'1', 0, 0, 0];
        let software = [0x80, 0x22, 0, 3, b'a', b'b', b'c', 0];
        let priority = [0, 0x24, 0, 4, 1, 2, 3, 4];
        let asked = request(&[&user[..], &software, &priority].concat());
        let answer = answer(&asked, peer("192.0.2.1:5060")).unwrap();
        assert_eq!(answer[..4], [1, 0x11, 0, 16]);
        assert_eq!(answer[4..20], asked[4..20], "cookie and transaction");
        assert_eq!(answer[20..], unknown(&[0, 6, 0, 0x24]));
        // One type takes the room of two; and a fingerprint is answered by one.
        let asked = with_fingerprint(&user);
        let answer = super::answer(&asked, peer("192.0.2.1:5060")).unwrap();
        assert_eq!((usize::from(number(&answer, 2).unwrap()), answer.len()), (answer.len() - HEADER, 44));
        assert_eq!(answer[20..36], unknown(&[0, 6]));
        assert_eq!(answer[36..40], [0x80, 0x28, 0, 4]);
        assert_eq!(answer[40..], fingerprint(&answer[..36]).to_be_bytes());
        let mut wrong = asked;
        *wrong.last_mut().unwrap() ^= 1;
        assert_eq!(super::answer(&wrong, peer("192.0.2.1:5060")), None);
    }

    #[test]
    fn an_error_is_never_longer_than_its_request() {
        let of_length = |length: u8| {
            let value = vec![b'x'; usize::from(length).next_multiple_of(4)];
            request(&[&[0, 6, 0, length], &value[..]].concat())
        };
        let answers = |length| answer(&of_length(length), peer("192.0.2.1:5060")).map(|it| it.len());
        assert_eq!([0, 4, 8].map(answers), [None; 3]);
        assert_eq!([9, 12, 200].map(answers), [Some(36); 3]);
    }

    #[test]
    fn rfc8489_6_3_a_known_attribute_that_no_request_has_is_passed_over() {
        for kind in [1, 9, 10, 0x20] {
            let asked = request(&[0, kind, 0, 4, 0, 0, 0, 0]);
            assert_eq!(
                answer(&asked, peer("192.0.2.1:5060")),
                answer(&request(&[]), peer("192.0.2.1:5060")),
                "{kind}"
            );
        }
    }

    #[test]
    fn what_is_no_binding_request_has_no_answer() {
        let too_long = [0x80, 0x22, 0, 9, 0, 0, 0, 0];
        let (success, allocate) = ([1, 1], [0, 3]);
        let of_kind = |kind: [u8; 2]| [&kind[..], &request(&[])[2..]].concat();
        let without_cookie = [&request(&[])[..4], &[0; 4], &request(&[])[8..]].concat();
        let longer = [request(&[]), vec![0; 4]].concat();
        let cases = [
            request(&too_long),
            request(&[0x80, 0x22]),
            of_kind(success),
            of_kind(allocate),
            without_cookie,
            longer,
            request(&[])[..19].to_vec(),
            vec![0],
            Vec::new(),
        ];
        for case in cases {
            assert_eq!(answer(&case, peer("192.0.2.1:5060")), None, "{case:?}");
        }
    }

    #[test]
    fn rfc7983_7_the_first_byte_tells_stun_from_sip() {
        assert!(is_stun(&request(&[])));
        assert!(!is_stun(b"OPTIONS sip:a SIP/2.0") && !is_stun(b"\r\n\r\n") && !is_stun(b""));
    }
}

//! STUN as far as connectivity checks need it (RFC 8489, RFC 8445 7): Binding requests with credentials, and their answers.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use std::net::{IpAddr, SocketAddr};

const COOKIE: [u8; 4] = 0x2112_A442_u32.to_be_bytes();
const HEADER: usize = 20;
const TRANSACTION: std::ops::Range<usize> = 8..HEADER;
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const PRIORITY: u16 = 0x0024;
const USE_CANDIDATE: u16 = 0x0025;
const FINGERPRINT: u16 = 0x8028;
/// Attributes from here on may be passed over by who does not know them.
const OPTIONAL: u16 = 0x8000;
/// The bytes of an HMAC-SHA1.
const INTEGRITY: usize = 20;
/// The header of an attribute.
const ATTRIBUTE: usize = 4;
/// The longest answer: an IPv6 address, MESSAGE-INTEGRITY and FINGERPRINT.
pub(crate) const LONGEST_ANSWER: usize = HEADER + ATTRIBUTE + 20 + ATTRIBUTE + INTEGRITY + ATTRIBUTE + 4;

/// A Binding request whose credentials are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    transaction: [u8; 12],
    /// Whether the peer means this pair to be used (USE-CANDIDATE).
    pub(crate) nominates: bool,
}

impl Check {
    /// Reads a Binding request for `username` that is signed with `password`; `None` for everything else. What follows the
    /// signature is passed over but for a FINGERPRINT, which has to be right.
    pub(crate) fn read(datagram: &[u8], username: &str, password: &str) -> Option<Self> {
        let is_request = number(datagram, 0)? == BINDING_REQUEST
            && usize::from(number(datagram, 2)?) + HEADER == datagram.len()
            && datagram.get(4..8)? == COOKIE;
        let transaction = datagram.get(TRANSACTION).filter(|_| is_request)?.try_into().ok()?;
        let (mut is_named, mut is_signed, mut nominates) = (false, false, false);
        let mut at = HEADER;
        while at < datagram.len() {
            let (kind, length) = (number(datagram, at)?, usize::from(number(datagram, at + 2)?));
            let value = datagram.get(at + ATTRIBUTE..at + ATTRIBUTE + length)?;
            match kind {
                FINGERPRINT => {
                    let is_last = at + ATTRIBUTE + length == datagram.len();
                    (is_last && value == fingerprint(&datagram[..at])).then_some(())?;
                }
                _ if is_signed => {}
                USERNAME => is_named = value == username.as_bytes(),
                MESSAGE_INTEGRITY => {
                    verify(&datagram[..at], password, value).then_some(())?;
                    is_signed = true;
                }
                USE_CANDIDATE => nominates = true,
                PRIORITY | OPTIONAL.. => {}
                _ => return None,
            }
            at += ATTRIBUTE + length.next_multiple_of(4);
        }
        (is_named && is_signed && at == datagram.len()).then_some(Self { transaction, nominates })
    }

    /// Writes the success response to whoever sent the request, and gives its length.
    pub(crate) fn answer(&self, from: SocketAddr, password: &str, out: &mut [u8; LONGEST_ANSWER]) -> usize {
        let mut message = Writer { bytes: out, end: HEADER };
        message.bytes[..2].copy_from_slice(&BINDING_SUCCESS.to_be_bytes());
        message.bytes[4..8].copy_from_slice(&COOKIE);
        message.bytes[TRANSACTION].copy_from_slice(&self.transaction);
        message.add_address(from);
        message.count(ATTRIBUTE + INTEGRITY);
        let signature = sign(&message.bytes[..message.end], password).finalize().into_bytes();
        message.add(MESSAGE_INTEGRITY, &signature);
        message.count(ATTRIBUTE + 4);
        let fingerprint = fingerprint(&message.bytes[..message.end]);
        message.add(FINGERPRINT, &fingerprint);
        message.end
    }
}

/// A message that is being written.
struct Writer<'b> {
    bytes: &'b mut [u8; LONGEST_ANSWER],
    end: usize,
}

impl Writer<'_> {
    fn add(&mut self, kind: u16, value: &[u8]) {
        let header = self.end..self.end + ATTRIBUTE;
        let body = header.end..header.end + value.len();
        self.bytes[header.start..header.start + 2].copy_from_slice(&kind.to_be_bytes());
        self.bytes[header.start + 2..header.end].copy_from_slice(&(value.len() as u16).to_be_bytes());
        self.end = body.end;
        self.bytes[body].copy_from_slice(value);
    }

    /// RFC 8489 14.2.
    fn add_address(&mut self, address: SocketAddr) {
        let mut pad = [0; 16];
        pad[..4].copy_from_slice(&COOKIE);
        pad[4..].copy_from_slice(&self.bytes[TRANSACTION]);
        let mut value = [0; 20];
        value[2..4].copy_from_slice(&address.port().to_be_bytes());
        let length = match address.ip().to_canonical() {
            IpAddr::V4(ip) => {
                value[1] = 1;
                value[4..8].copy_from_slice(&ip.octets());
                8
            }
            IpAddr::V6(ip) => {
                value[1] = 2;
                value[4..].copy_from_slice(&ip.octets());
                20
            }
        };
        value[2..4].iter_mut().zip(pad).for_each(|(byte, pad)| *byte ^= pad);
        value[4..].iter_mut().zip(pad).for_each(|(byte, pad)| *byte ^= pad);
        self.add(XOR_MAPPED_ADDRESS, &value[..length]);
    }

    /// Writes the length as if that much followed: signature and fingerprint cover it (RFC 8489 14.5, 14.7).
    fn count(&mut self, more: usize) {
        let length = (self.end - HEADER + more) as u16;
        self.bytes[2..4].copy_from_slice(&length.to_be_bytes());
    }
}

/// The HMAC of what stands before MESSAGE-INTEGRITY, whose length field is that of the message up to its end.
fn sign(before: &[u8], password: &str) -> Hmac<Sha1> {
    let mac = <Hmac<Sha1> as KeyInit>::new_from_slice(password.as_bytes());
    let length = (before.len() - HEADER + ATTRIBUTE + INTEGRITY) as u16;
    mac.expect("HMAC takes keys of any length")
        .chain_update(&before[..2])
        .chain_update(length.to_be_bytes())
        .chain_update(&before[4..])
}

fn verify(before: &[u8], password: &str, value: &[u8]) -> bool {
    sign(before, password).verify_slice(value).is_ok()
}

/// The value of a FINGERPRINT behind these bytes, whose length field counts it already.
fn fingerprint(before: &[u8]) -> [u8; 4] {
    // CRC-32 of ITU V.42, bit by bit: checks are few and short.
    let crc = !before.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    });
    (crc ^ 0x5354_554E).to_be_bytes()
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes)
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    pub(crate) fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let padding = vec![b' '; value.len().next_multiple_of(4) - value.len()];
        [&kind.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value, &padding].concat()
    }

    /// A request with these attributes, signed and with a fingerprint.
    pub(crate) fn request(attributes: &[Vec<u8>], password: &str) -> Vec<u8> {
        let mut request = [&[0, 1, 0, 0][..], &COOKIE, &[7; 12], &attributes.concat()].concat();
        let signature = sign(&request, password).finalize().into_bytes();
        request.extend(attribute(MESSAGE_INTEGRITY, &signature));
        let length = (request.len() - HEADER + 8) as u16;
        request[2..4].copy_from_slice(&length.to_be_bytes());
        let fingerprint = fingerprint(&request);
        request.extend(attribute(FINGERPRINT, &fingerprint));
        request
    }

    /// A connectivity check.
    pub(crate) fn check(username: &str, password: &str, nominates: bool) -> Vec<u8> {
        let mut attributes = vec![attribute(USERNAME, username.as_bytes()), attribute(PRIORITY, &[0; 4])];
        attributes.extend(nominates.then(|| attribute(USE_CANDIDATE, &[])));
        request(&attributes, password)
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{attribute, request};
    use super::*;

    const USERNAME_5769: &str = "evtj:h6vY";
    const PASSWORD_5769: &str = "VOkJxbRl1RmTxUk/WvJxBt";

    /// The request of RFC 5769 2.1 with its signature and fingerprint.
    fn sample() -> Vec<u8> {
        let attributes = [
            attribute(0x8022, b"STUN test client"),
            attribute(PRIORITY, &0x6E00_01FF_u32.to_be_bytes()),
            attribute(0x8029, &0x932F_F9B1_5126_3B36_u64.to_be_bytes()),
            attribute(USERNAME, USERNAME_5769.as_bytes()),
            attribute(
                MESSAGE_INTEGRITY,
                &0x9AEA_A70C_BFD8_CB56_781E_F2B5_B2D3_F249_u128
                    .to_be_bytes()
                    .into_iter()
                    .chain([0xC1, 0xB5, 0x71, 0xA2])
                    .collect::<Vec<_>>(),
            ),
            attribute(FINGERPRINT, &0xE57A_3BCF_u32.to_be_bytes()),
        ]
        .concat();
        let transaction = 0xB7E7_A701_BC34_D686_FA87_DFAE_u128.to_be_bytes();
        let length = (attributes.len() as u16).to_be_bytes();
        [&[0, 1], &length[..], &COOKIE, &transaction[4..], &attributes].concat()
    }

    #[test]
    fn rfc5769_2_1_the_sample_request_is_taken() {
        let check = Check::read(&sample(), USERNAME_5769, PASSWORD_5769).expect("the RFC's request");
        assert_eq!(check.transaction[..4], [0xB7, 0xE7, 0xA7, 0x01]);
        assert!(!check.nominates);
        assert_eq!(Check::read(&sample(), "evtj:h6vZ", PASSWORD_5769), None);
        assert_eq!(Check::read(&sample(), USERNAME_5769, "VOkJxbRl1RmTxUk/WvJxBu"), None);
    }

    #[test]
    fn no_changed_or_cut_request_is_taken() {
        // Of another type a FINGERPRINT is none, and behind the signature it is passed over.
        let kind = sample().len() - 8..sample().len() - 6;
        for at in (0..sample().len()).filter(|at| !kind.contains(at)) {
            let mut changed = sample();
            changed[at] ^= 1;
            assert_eq!(Check::read(&changed, USERNAME_5769, PASSWORD_5769), None, "byte {at}");
            assert_eq!(Check::read(&sample()[..at], USERNAME_5769, PASSWORD_5769), None, "{at} bytes");
        }
    }

    /// Or else whoever sees one request could add to it.
    #[test]
    fn what_follows_the_signature_says_nothing() {
        let nominating = [attribute(USERNAME, b"a:b"), attribute(USE_CANDIDATE, &[])];
        assert!(
            Check::read(&request(&nominating, "secret"), "a:b", "secret")
                .is_some_and(|check| check.nominates)
        );
        let mut request = request(&nominating[..1], "secret");
        request.truncate(request.len() - 8);
        request.extend(attribute(USE_CANDIDATE, &[]));
        let length = (request.len() - HEADER) as u16;
        request[2..4].copy_from_slice(&length.to_be_bytes());
        assert!(Check::read(&request, "a:b", "secret").is_some_and(|check| !check.nominates));
        request.truncate(HEADER + 8);
        request[2..4].copy_from_slice(&8_u16.to_be_bytes());
        assert_eq!(Check::read(&request, "a:b", "secret"), None, "nothing is signed");
    }

    #[test]
    fn an_attribute_that_has_to_be_understood_is_not_passed_over() {
        let odd = [attribute(USERNAME, b"a:b"), attribute(0x0030, &[0; 4])];
        assert_eq!(Check::read(&request(&odd, "secret"), "a:b", "secret"), None);
    }

    /// The address of the sample response of RFC 5769 2.2, signed and with a fingerprint.
    #[test]
    fn rfc8489_14_2_the_answer_says_where_the_request_came_from() {
        let check = Check::read(&sample(), USERNAME_5769, PASSWORD_5769).expect("the RFC's request");
        let mut answer = [0; LONGEST_ANSWER];
        let from = SocketAddr::from(([192, 0, 2, 1], 32_853));
        let length = check.answer(from, PASSWORD_5769, &mut answer);
        assert_eq!(answer[..4], [1, 1, 0, (length - HEADER) as u8]);
        assert_eq!(answer[HEADER..HEADER + 12], [0, 0x20, 0, 8, 0, 1, 0xA1, 0x47, 0xE1, 0x12, 0xA6, 0x43]);
        assert!(verify(&answer[..HEADER + 12], PASSWORD_5769, &answer[HEADER + 16..HEADER + 36]));
        assert_eq!(answer[length - 4..length], fingerprint(&answer[..length - 8]));
        let from = SocketAddr::from(([0x2001, 0xDB8, 0, 0, 0, 0, 0, 1], 9));
        assert_eq!(check.answer(from, PASSWORD_5769, &mut answer), LONGEST_ANSWER);
    }
}

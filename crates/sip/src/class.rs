//! Which octets the grammar of RFC 3261 section 25.1 allows where: one look-up each.

/// A token's octets.
pub(crate) const TOKEN: u8 = 1;
/// What a URI may hold. Wider than the grammar by the octets that phones write unescaped, such as `#`;
/// without those that end or split a URI.
pub(crate) const URI: u8 = 2;
/// A domain name's octets, and `_`, which names in private networks hold.
pub(crate) const HOST: u8 = 4;

/// Whether an octet is of the class.
pub(crate) fn is(octet: u8, class: u8) -> bool {
    CLASSES[usize::from(octet)] & class != 0
}

/// Whether every octet of `text` is of the class.
pub(crate) fn all(text: &str, class: u8) -> bool {
    text.bytes().all(|octet| is(octet, class))
}

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut octet = b'!';
    while octet < 0x7f {
        let mut class = 0;
        if octet.is_ascii_alphanumeric() {
            class |= TOKEN | HOST;
        }
        if matches!(octet, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~') {
            class |= TOKEN;
        }
        if matches!(octet, b'-' | b'.' | b'_') {
            class |= HOST;
        }
        if !matches!(octet, b'<' | b'>' | b'"') {
            class |= URI;
        }
        table[octet as usize] = class;
        octet += 1;
    }
    table
}

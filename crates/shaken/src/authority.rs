//! TNAuthList (RFC 8226 section 9): the numbers that a certificate may speak for.

use crate::Number;
use x509_parser::asn1_rs::{Any, Class, FromDer, Ia5String, Integer, Sequence};

/// 1.3.6.1.5.5.7.1.26, as dots.
pub(crate) const TN_AUTH_LIST: &str = "1.3.6.1.5.5.7.1.26";

/// What a certificate may speak for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    /// Whatever a provider of that code serves: SHAKEN leaves it to its policy which numbers that are.
    Provider,
    /// So many numbers, from this one on.
    Range { first: Number, count: u64 },
}

impl Authority {
    /// Reads the extension's value; `None` where it is malformed or empty.
    pub(crate) fn read(value: &[u8]) -> Option<Self> {
        let (rest, list) = Sequence::from_der(value).ok()?;
        let mut entries = Vec::new();
        let mut left: &[u8] = &list.content;
        while !left.is_empty() {
            let (rest, tagged) = Any::from_der(left).ok()?;
            if tagged.class() != Class::ContextSpecific {
                return None;
            }
            entries.push(entry(tagged.tag().0, tagged.data)?);
            left = rest;
        }
        (rest.is_empty() && !entries.is_empty()).then_some(Self(entries))
    }

    /// Whether it speaks for a number.
    pub(crate) fn covers(&self, number: &Number) -> bool {
        self.0.iter().any(|entry| match entry {
            Entry::Provider => true,
            Entry::Range { first, count } => {
                let value = |number: &Number| number.as_str().parse::<u64>().ok();
                let offset = value(number).zip(value(first)).and_then(|(it, first)| it.checked_sub(first));
                number.as_str().len() == first.as_str().len() && offset.is_some_and(|offset| offset < *count)
            }
        })
    }
}

/// `CHOICE { spc [0] IA5String, range [1] SEQUENCE { start IA5String, count INTEGER }, one [2] IA5String }`, with
/// explicit tags.
fn entry(tag: u32, content: &[u8]) -> Option<Entry> {
    match tag {
        0 => Ia5String::from_der(content).ok().map(|_| Entry::Provider),
        1 => {
            let (_, range) = Sequence::from_der(content).ok()?;
            let (rest, start) = Ia5String::from_der(&range.content).ok()?;
            let (_, count) = Integer::from_der(rest).ok()?;
            Some(Entry::Range { first: Number::read(start.as_ref())?, count: count.as_u64().ok()? })
        }
        2 => {
            let (_, one) = Ia5String::from_der(content).ok()?;
            Some(Entry::Range { first: Number::read(one.as_ref())?, count: 1 })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).expect("short");
        [&[tag, length], content].concat()
    }

    fn covers(entries: &[Vec<u8>], number: &str) -> bool {
        let list = Authority::read(&tlv(0x30, &entries.concat())).expect("a list");
        list.covers(&Number::read(number).expect("a number"))
    }

    #[test]
    fn rfc8226_9_a_list_names_providers_ranges_and_numbers() {
        let provider = tlv(0xa0, &tlv(0x16, b"709J"));
        let range = tlv(0xa1, &tlv(0x30, &[tlv(0x16, b"12155550100"), tlv(0x02, &[20])].concat()));
        let one = tlv(0xa2, &tlv(0x16, b"4930123456"));
        assert!(covers(&[provider], "34911000100"));
        let both = [range, one];
        for (number, covered) in [
            ("12155550100", true),
            ("12155550119", true),
            ("12155550120", false),
            ("12155550099", false),
            ("4930123456", true),
            ("4930123457", false),
            ("34911000100", false),
        ] {
            assert_eq!(covers(&both, number), covered, "{number}");
        }
    }

    #[test]
    fn a_list_that_is_none_gives_nobody_authority() {
        let provider = tlv(0xa0, &tlv(0x16, b"709J"));
        for value in [
            Vec::new(),
            tlv(0x30, &[]),
            tlv(0x30, b"\xa0\x05\x16"),
            tlv(0x30, &tlv(0xa3, &tlv(0x16, b"709J"))),
            tlv(0x30, &tlv(0x16, b"709J")),
            tlv(0x30, &tlv(0xa2, &tlv(0x16, b"alice"))),
            [tlv(0x30, &provider), vec![0]].concat(),
        ] {
            assert_eq!(Authority::read(&value), None, "{value:x?}");
        }
    }
}

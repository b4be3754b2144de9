//! What the bytes of a message tell before it is parsed.

use memchr::memchr;

/// How much of a message is looked at: no request that a stranger must send is longer.
const LONGEST_HEAD: usize = 4_096;

/// How scanners call themselves in User-Agent or From, in lower case.
const SCANNERS: [&[u8]; 12] = [
    b"friendly-scanner",
    b"friendly-request",
    b"sipvicious",
    b"sipcli",
    b"sip-scan",
    b"sipscan",
    b"siparmyknife",
    b"sundayddr",
    b"pplsip",
    b"vaxsipuseragent",
    b"vaxipuseragent",
    b"iwar",
];

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Invite,
    Register,
    /// Other requests, responses, and what is no SIP.
    Other,
}

impl Kind {
    pub(super) fn of(bytes: &[u8]) -> Self {
        if bytes.starts_with(b"INVITE ") {
            Self::Invite
        } else if bytes.starts_with(b"REGISTER ") {
            Self::Register
        } else {
            Self::Other
        }
    }
}

/// What the header lines tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// There is an Authorization or Proxy-Authorization; of what worth, is another question.
    pub(super) has_credentials: bool,
    /// The sender says that it scans.
    pub(super) is_scanner: bool,
}

impl Head {
    /// Looks through the header lines; `more` are further names of scanners, in lower case.
    pub(super) fn of<'a>(bytes: &[u8], more: impl Iterator<Item = &'a [u8]> + Clone) -> Self {
        let mut rest = &bytes[..bytes.len().min(LONGEST_HEAD)];
        let mut head = Self::default();
        while let Some(end) = memchr(b'\n', rest) {
            let line = &rest[..end];
            rest = &rest[end + 1..];
            match line.first() {
                Some(b'A' | b'a' | b'P' | b'p') => {
                    head.has_credentials |= named(line, b"authorization").is_some()
                        || named(line, b"proxy-authorization").is_some();
                }
                Some(b'U' | b'u' | b'F' | b'f') => {
                    let value = named(line, b"user-agent").or_else(|| named(line, b"from"));
                    let value = value.or_else(|| named(line, b"f"));
                    head.is_scanner |= value.is_some_and(|value| is_scanner(value, more.clone()));
                }
                None | Some(b'\r') => break,
                Some(_) => {}
            }
        }
        head
    }
}

/// The value of a header line of that name, which is in lower case.
fn named<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = line.split_at_checked(name.len())?;
    let value = rest.trim_ascii_start().strip_prefix(b":")?;
    start.eq_ignore_ascii_case(name).then_some(value)
}

fn is_scanner<'a>(value: &[u8], more: impl Iterator<Item = &'a [u8]>) -> bool {
    let mut names = SCANNERS.iter().copied().chain(more);
    names.any(|name| value.windows(name.len()).any(|window| window.eq_ignore_ascii_case(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(lines: &str) -> Head {
        let text = format!("OPTIONS sip:a@b SIP/2.0\r\n{lines}\r\nUser-Agent: sipcli in the body\r\n");
        Head::of(text.as_bytes(), [&b"prober"[..]].into_iter())
    }

    #[test]
    fn scanners_are_known_by_user_agent_or_from() {
        for line in [
            "User-Agent: friendly-scanner\r\n",
            "user-agent : SIPVicious 0.3\r\n",
            "From: \"sipvicious\"<sip:100@1.1.1.1>;tag=1\r\n",
            "f: \"sipvicious\"<sip:100@1.1.1.1>;tag=1\r\n",
            "Subject: x\r\nUser-Agent: Prober/1\r\n",
        ] {
            assert!(head(line).is_scanner, "{line}");
        }
        for line in ["User-Agent: baresip\r\n", "X-User-Agent: sipcli\r\n", "Server: sipcli\r\n", ""] {
            assert!(!head(line).is_scanner, "{line}");
        }
    }

    #[test]
    fn credentials_are_seen_whatever_they_are_worth() {
        assert!(head("Authorization: Digest x\r\n").has_credentials);
        assert!(head("To: x\r\nPROXY-AUTHORIZATION: Digest x\r\n").has_credentials);
        assert!(!head("Authorizations: Digest x\r\nAllow: x\r\n").has_credentials);
    }

    #[test]
    fn bytes_that_are_no_sip_are_looked_through_as_well() {
        for bytes in [&b""[..], b"\r\n\r\n", b"\n", b"\0\0\0", b"INVITE", b"INVITE \nU", b"x\nuser-agent"] {
            assert_eq!(Head::of(bytes, std::iter::empty()), Head::default());
        }
        assert_eq!(Kind::of(b"INVITE sip:a@b SIP/2.0"), Kind::Invite);
        assert_eq!(Kind::of(b"INVITED"), Kind::Other);
    }
}

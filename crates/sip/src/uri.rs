use crate::class;
use crate::header::{cut, cut_before};
use crate::{Params, ParseError, Transport};
use memchr::memchr_iter;
use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// URIs with more parameters, or more header fields, are equal only if their texts are: each of one is looked for among
/// those of the other.
const MAX_COMPARED: usize = 64;

/// A URI as SIP header fields carry them. It borrows the text that it was read from; keep that text to
/// keep the URI.
#[derive(Clone, Copy, Debug)]
pub enum Uri<'a> {
    /// `sip:` and `sips:`, RFC 3261 section 19.1.
    Sip(SipUri<'a>),
    /// `tel:`, RFC 3966.
    Tel(TelUri<'a>),
    /// Any other scheme: the whole text.
    Other(&'a str),
}

/// `sip:user:password@host:port;params?headers`.
#[derive(Clone, Copy, Debug)]
pub struct SipUri<'a> {
    text: &'a str,
    /// Whether the scheme is `sips`.
    pub secure: bool,
    /// As written, percent escapes and all. `None` also for nothing before the `@`, as some trunks write
    /// a withheld number.
    pub user: Option<&'a str>,
    /// As written.
    pub password: Option<&'a str>,
    /// Where.
    pub host: Host<'a>,
    /// Where, if named.
    pub port: Option<u16>,
    /// Between host and headers.
    pub params: Params<'a>,
    /// `name=value&name=value`, as written; empty if there are none.
    pub headers: &'a str,
}

/// `tel:+1-555;params`.
#[derive(Clone, Copy, Debug)]
pub struct TelUri<'a> {
    text: &'a str,
    /// As written, visual separators and all.
    pub number: &'a str,
    /// What follows the number.
    pub params: Params<'a>,
}

/// A host of a URI or a Via.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Host<'a> {
    /// A domain name, as written.
    Name(&'a str),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address; it stood in brackets.
    V6(Ipv6Addr),
}

impl<'a> Uri<'a> {
    /// Reads a URI.
    ///
    /// # Errors
    /// [`ParseError::Uri`] with what is wrong.
    pub fn parse(text: &'a str) -> Result<Self, ParseError> {
        let (scheme, rest) = cut(text, b':').ok_or(ParseError::Uri("no scheme"))?;
        if !is_scheme(scheme) {
            return Err(ParseError::Uri("the scheme is malformed"));
        }
        if !class::all(rest, class::URI) {
            return Err(ParseError::Uri("a character that must be escaped"));
        }
        if scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips") {
            return SipUri::read(text, scheme.len() == 4, rest).map(Self::Sip);
        }
        if scheme.eq_ignore_ascii_case("tel") {
            return TelUri::read(text, rest).map(Self::Tel);
        }
        Ok(Self::Other(text))
    }

    /// The `sip:` or `sips:` URI, if it is one.
    pub const fn as_sip(&self) -> Option<&SipUri<'a>> {
        match self {
            Self::Sip(uri) => Some(uri),
            Self::Tel(_) | Self::Other(_) => None,
        }
    }

    /// Who: the user of a SIP URI with its escapes resolved, or the number of a `tel:` URI.
    ///
    /// A number stands without visual separators and parameters, also that of a SIP URI whose user is one
    /// (RFC 3261 section 19.1.6): because `user=phone` says so, or because it begins with `+`.
    pub fn user(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Sip(uri) => {
                let user = uri.user?;
                let says_phone =
                    || uri.params.get("user").is_some_and(|kind| kind.eq_ignore_ascii_case("phone"));
                let number = (user.starts_with('+') || says_phone()).then(|| cut_before(user, b';').0);
                let number = number.filter(|number| is_number(number)).map(without_separators);
                Some(number.unwrap_or_else(|| unescape(user)))
            }
            Self::Tel(uri) => Some(without_separators(uri.number)),
            Self::Other(_) => None,
        }
    }

    /// As received.
    pub const fn as_str(&self) -> &'a str {
        match self {
            Self::Sip(uri) => uri.text,
            Self::Tel(uri) => uri.text,
            Self::Other(text) => text,
        }
    }
}

impl<'a> SipUri<'a> {
    fn read(text: &'a str, secure: bool, rest: &'a str) -> Result<Self, ParseError> {
        let (userinfo, rest) = match cut(rest, b'@') {
            Some((userinfo, rest)) => (Some(userinfo), rest),
            None => (None, rest),
        };
        let (user, password) = match userinfo.map(|info| cut(info, b':').unwrap_or((info, ""))) {
            Some((user, password)) => (written(user), written(password)),
            None => (None, None),
        };
        if !escapes_are_whole(userinfo.unwrap_or("")) {
            return Err(ParseError::Uri("a % without two hexadecimal digits"));
        }
        let (rest, headers) = cut(rest, b'?').unwrap_or((rest, ""));
        let (host_port, params) = cut_before(rest, b';');
        let (host, port) = Host::parse_with_port(host_port).ok_or(ParseError::Uri("host or port"))?;
        Ok(Self { text, secure, user, password, host, port, params: Params::new(params), headers })
    }

    /// The URI as received up to its `?`.
    pub(crate) fn without_headers(&self) -> &'a str {
        let text = &self.text[..self.text.len() - self.headers.len()];
        text.strip_suffix('?').unwrap_or(text)
    }

    /// The transport that the URI asks for: `None` if it names none, or one that is not ours.
    pub fn transport(&self) -> Option<Transport> {
        Transport::from_token(self.params.get("transport")?)
    }

    /// The `name=value` pairs behind the `?`.
    pub fn header_pairs(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let pairs = self.headers.split('&').filter(|pair| !pair.is_empty());
        pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
    }

    fn is_comparable(&self) -> bool {
        few(&self.params) && self.header_pairs().nth(MAX_COMPARED).is_none()
    }

    /// The rules of RFC 3261 section 19.1.4; `transport` counts as its examples have it.
    fn equals(&self, other: &Self) -> bool {
        const NEVER_IMPLIED: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];
        let escaped = |text: Option<&'a str>| text.map(unescape);
        let params_agree = |a: &Self, b: &Self| {
            a.params.iter().all(|(name, value)| match b.params.get(name) {
                Some(theirs) => theirs.eq_ignore_ascii_case(value.unwrap_or("")),
                None => !NEVER_IMPLIED.iter().any(|never| never.eq_ignore_ascii_case(name)),
            })
        };
        let headers_agree = |a: &Self, b: &Self| {
            a.header_pairs().all(|(name, value)| {
                b.header_pairs().any(|(n, v)| n.eq_ignore_ascii_case(name) && unescape(v) == unescape(value))
            })
        };
        self.secure == other.secure
            && escaped(self.user) == escaped(other.user)
            && escaped(self.password) == escaped(other.password)
            && self.host.equals(&other.host)
            && self.port == other.port
            && self.is_comparable()
            && other.is_comparable()
            && params_agree(self, other)
            && params_agree(other, self)
            && headers_agree(self, other)
            && headers_agree(other, self)
    }
}

impl<'a> TelUri<'a> {
    fn read(text: &'a str, rest: &'a str) -> Result<Self, ParseError> {
        let (number, params) = cut_before(rest, b';');
        if !is_number(number) {
            return Err(ParseError::Uri("not a telephone number"));
        }
        Ok(Self { text, number, params: Params::new(params) })
    }

    /// The number without its visual separators (RFC 3966 section 4).
    pub fn digits(&self) -> Cow<'a, str> {
        without_separators(self.number)
    }
}

impl<'a> Host<'a> {
    /// Reads `host` or `host:port`; spaces may stand around the colon, as a Via allows.
    pub(crate) fn parse_with_port(text: &'a str) -> Option<(Self, Option<u16>)> {
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (address, port) = cut(rest, b']')?;
            (Self::V6(address.parse().ok()?), port.trim_ascii_start())
        } else {
            let (host, port) = cut_before(text, b':');
            (Self::parse(host.trim_ascii_end())?, port)
        };
        if port.is_empty() {
            return Some((host, None));
        }
        let digits = port.strip_prefix(':')?.trim_ascii_start();
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse().ok()).flatten().map(|port| (host, Some(port)))
    }

    /// Reads a host that stands alone: a name, an IPv4 address, or an IPv6 address in brackets.
    pub fn parse(text: &'a str) -> Option<Self> {
        if let Some(address) = text.strip_prefix('[') {
            return address.strip_suffix(']')?.parse().ok().map(Self::V6);
        }
        if let Ok(address) = text.parse() {
            return Some(Self::V4(address));
        }
        let top = text.strip_suffix('.').unwrap_or(text).rsplit('.').next()?;
        let top_is_alphabetic = top.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
        (top_is_alphabetic && class::all(text, class::HOST)).then_some(Self::Name(text))
    }

    /// The address, if it is one: no look-up is needed.
    pub const fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Name(_) => None,
            Self::V4(address) => Some(IpAddr::V4(*address)),
            Self::V6(address) => Some(IpAddr::V6(*address)),
        }
    }

    fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(a), Self::Name(b)) => a.eq_ignore_ascii_case(b),
            _ => self == other,
        }
    }
}

/// RFC 3261 section 19.1.4 for SIP URIs, digits and parameters for `tel:` (RFC 3966 section 5), the text
/// for others. What is written alike is equal, even if it has a parameter twice.
impl PartialEq for Uri<'_> {
    fn eq(&self, other: &Self) -> bool {
        if self.as_str() == other.as_str() {
            return true;
        }
        match (self, other) {
            (Self::Sip(a), Self::Sip(b)) => a.equals(b),
            (Self::Tel(a), Self::Tel(b)) => {
                let agree = |a: &TelUri<'_>, b: &TelUri<'_>| {
                    a.params.iter().all(|(name, value)| {
                        b.params.get(name).is_some_and(|v| v.eq_ignore_ascii_case(value.unwrap_or("")))
                    })
                };
                let comparable = few(&a.params) && few(&b.params);
                comparable && a.digits().eq_ignore_ascii_case(&b.digits()) && agree(a, b) && agree(b, a)
            }
            _ => false,
        }
    }
}

impl fmt::Display for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Host<'_> {
    /// IPv6 in brackets, as a URI wants it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::V4(address) => write!(f, "{address}"),
            Self::V6(address) => write!(f, "[{address}]"),
        }
    }
}

/// What RFC 3966 lets stand between digits to please the eye.
const SEPARATORS: [char; 4] = ['-', '.', '(', ')'];

/// Whether it is a telephone number: digits, those of the `*`, `#` and `A` to `F` keys too, and separators.
fn is_number(text: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_hexdigit() || matches!(c, '*' | '#');
    let digits = text.strip_prefix('+').unwrap_or(text);
    digits.contains(is_digit) && digits.chars().all(|c| is_digit(c) || SEPARATORS.contains(&c))
}

fn without_separators(number: &str) -> Cow<'_, str> {
    if number.contains(SEPARATORS) {
        Cow::Owned(number.replace(SEPARATORS, ""))
    } else {
        Cow::Borrowed(number)
    }
}

fn few(params: &Params<'_>) -> bool {
    params.iter().nth(MAX_COMPARED).is_none()
}

fn is_scheme(text: &str) -> bool {
    text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn escapes_are_whole(text: &str) -> bool {
    let octets = text.as_bytes();
    let is_whole = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
    memchr_iter(b'%', octets).all(|at| octets.get(at + 1..at + 3).is_some_and(is_whole))
}

fn written(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// Resolves percent escapes; octets that are no UTF-8 become U+FFFD.
pub(crate) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, ..] => hex_octet([*high, *low]),
            _ => None,
        };
        octets.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    Cow::Owned(String::from_utf8_lossy(&octets).into_owned())
}

fn hex_octet(digits: [u8; 2]) -> Option<u8> {
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    Some(value(digits[0])? << 4 | value(digits[1])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sip(text: &str) -> SipUri<'_> {
        *Uri::parse(text).unwrap().as_sip().unwrap()
    }

    #[test]
    fn rfc_3261_section_19_1_1_every_part_is_found() {
        let uri = sip("sips:al%69ce:s3;c@[2001:db8::1]:5070;transport=tcp;lr?subject=x&priority=urgent");
        assert!(uri.secure);
        assert_eq!((uri.user, uri.password), (Some("al%69ce"), Some("s3;c")));
        assert_eq!((uri.host, uri.port), (Host::V6("2001:db8::1".parse().unwrap()), Some(5070)));
        assert_eq!(uri.transport(), Some(Transport::Tcp));
        assert!(uri.params.has("lr"));
        assert_eq!(uri.header_pairs().collect::<Vec<_>>(), [("subject", "x"), ("priority", "urgent")]);
    }

    #[test]
    fn rfc_4475_users_hold_escapes_and_semicolons() {
        let user = |text| Uri::parse(text).unwrap().user().map(Cow::into_owned);
        assert_eq!(user("sip:user;par=u%40e@h.example").as_deref(), Some("user;par=u@e"));
        assert_eq!(user("sip:null-%00-null@h.example").as_deref(), Some("null-\0-null"));
        assert_eq!(user("sip:%2541@h.example").as_deref(), Some("%41"), "escapes are resolved once");
        assert_eq!(user("sip:first.last@h.example").as_deref(), Some("first.last"));
        assert_eq!(user("sip:*21#@h.example").as_deref(), Some("*21#"));
        assert_eq!(user("sip:@192.0.2.1"), None);
        assert_eq!(user("sip:h.example"), None);
    }

    #[test]
    fn rfc_3966_numbers_keep_their_separators_and_parameters() {
        let Uri::Tel(uri) = Uri::parse("tel:+1-201-555-0123;phone-context=example.com").unwrap() else {
            panic!("a tel URI")
        };
        assert_eq!((uri.number, &*uri.digits()), ("+1-201-555-0123", "+12015550123"));
        assert_eq!(uri.params.get("phone-context"), Some("example.com"));
        for broken in ["tel:", "tel:+", "tel:()", "tel:12x", "tel:+1+2"] {
            assert!(Uri::parse(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn other_schemes_are_kept_whole() {
        let text = "soap.beep://192.0.2.103:3002";
        assert!(matches!(Uri::parse(text), Ok(Uri::Other(kept)) if kept == text));
    }

    #[test]
    fn broken_uris_are_refused() {
        let broken = [
            "",
            "alice",
            ":x",
            "1sip:a@h",
            "sip:",
            "sip:a@",
            "sip:a@h:",
            "sip:a@h:65536",
            "sip:a@h:-1",
            "sip:a@h:+5",
            "sip:a%4@h",
            "sip:a%zz@h",
            "sip:a@b@h",
            "sip:a b@h",
            "sip:a@h<",
            "sip:a@192.0.2.300",
            "sip:a@[192.0.2.3]",
        ];
        for text in broken {
            assert!(matches!(Uri::parse(text), Err(ParseError::Uri(_))), "{text}");
        }
    }

    #[test]
    fn rfc_5118_ipv6_needs_brackets_and_two_colons_at_most() {
        assert!(Uri::parse("sip:2001:db8::10").is_err());
        assert!(Uri::parse("sip:user@[2001:db8:::192.0.2.1]").is_err());
        assert_eq!(sip("sip:user@[2001:db8::192.0.2.1]").host.ip(), "2001:db8::192.0.2.1".parse().ok());
        assert_eq!(sip("sip:[2001:db8::10:5070]").port, None);
        assert_eq!(sip("sip:[2001:db8::10]:5070").port, Some(5070));
        assert_eq!(sip("sip:ted@[::ffff:192.0.2.2]").host.to_string(), "[::ffff:192.0.2.2]");
    }

    #[test]
    fn rfc_3261_section_19_1_4_equal() {
        let equal = [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            ),
            ("sip:alice@atlanta.com?subject=a&priority=b", "sip:alice@atlanta.com?priority=b&subject=a"),
            ("tel:+1-555;x=1", "TEL:+1(555);X=1"),
        ];
        for (a, b) in equal {
            assert!(Uri::parse(a).unwrap() == Uri::parse(b).unwrap(), "{a} {b}");
        }
    }

    #[test]
    fn rfc_3261_section_19_1_4_not_equal() {
        let different = [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;maddr=192.0.2.1"),
            ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;newparam=6"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next"),
            ("sip:bob@phone21.example", "sip:bob@192.0.2.4"),
            ("sip:a@h", "sips:a@h"),
            ("sip:a:p@h", "sip:a@h"),
        ];
        for (a, b) in different {
            assert!(Uri::parse(a).unwrap() != Uri::parse(b).unwrap(), "{a} {b}");
        }
    }

    #[test]
    fn rfc_3261_section_19_1_4_equal_to_itself() {
        for text in ["sip:a@h;x=1;x=2", "sip:a@h;=;;=1?&a=&a=b", "tel:1;x=1;x=2"] {
            assert!(Uri::parse(text).unwrap() == Uri::parse(text).unwrap(), "{text}");
        }
    }

    #[test]
    fn uris_that_would_take_long_to_compare_are_not() {
        let list = |first: &str, between: &str, count: usize| {
            let one = |nth: usize| format!("p{nth}=1");
            let up = (0..count).map(one).collect::<Vec<_>>().join(between);
            let down = (0..count).rev().map(one).collect::<Vec<_>>().join(between);
            [up, down].map(|list| format!("{first}{list}"))
        };
        for (first, between) in [("sip:a@h;", ";"), ("sip:a@h?", "&"), ("tel:1;", ";")] {
            for (count, equal) in [(MAX_COMPARED, true), (MAX_COMPARED + 1, false)] {
                let [up, down] = list(first, between, count);
                assert_eq!(Uri::parse(&up).unwrap() == Uri::parse(&down).unwrap(), equal, "{first} {count}");
                assert!(Uri::parse(&up).unwrap() == Uri::parse(&up.clone()).unwrap(), "{first} {count}");
            }
        }
    }
}

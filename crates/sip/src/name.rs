use std::fmt;

/// Declares [`Name`] with each header field's usual spelling and, where there is one, its compact form.
macro_rules! names {
    ($($(#[$doc:meta])* $variant:ident $text:literal $($compact:literal)?;)*) => {
        /// A header field that Ringdown knows by name; others are looked up by their text.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Name {
            $($(#[$doc])* $variant,)*
        }

        impl Name {
            /// The usual spelling: `Call-ID`.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        /// Every spelling, long and compact, with its name.
        const SPELLINGS: &[(&str, Name)] = &[
            $(($text, Name::$variant), $(($compact, Name::$variant),)?)*
        ];
    };
}

names! {
    /// RFC 3261 section 20.1.
    Accept "Accept";
    /// RFC 3261 section 20.2.
    AcceptEncoding "Accept-Encoding";
    /// RFC 3261 section 20.3.
    AcceptLanguage "Accept-Language";
    /// RFC 3261 section 20.4.
    AlertInfo "Alert-Info";
    /// RFC 3261 section 20.5.
    Allow "Allow";
    /// RFC 6665 section 8.2.2.
    AllowEvents "Allow-Events" "u";
    /// RFC 3261 section 20.6.
    AuthenticationInfo "Authentication-Info";
    /// RFC 3261 section 20.7.
    Authorization "Authorization";
    /// RFC 3261 section 20.8.
    CallId "Call-ID" "i";
    /// RFC 3261 section 20.9.
    CallInfo "Call-Info";
    /// RFC 3261 section 20.10.
    Contact "Contact" "m";
    /// RFC 3261 section 20.11.
    ContentDisposition "Content-Disposition";
    /// RFC 3261 section 20.12.
    ContentEncoding "Content-Encoding" "e";
    /// RFC 3261 section 20.13.
    ContentLanguage "Content-Language";
    /// RFC 3261 section 20.14.
    ContentLength "Content-Length" "l";
    /// RFC 3261 section 20.15.
    ContentType "Content-Type" "c";
    /// RFC 3261 section 20.16.
    CSeq "CSeq";
    /// RFC 3261 section 20.17.
    Date "Date";
    /// RFC 5806.
    Diversion "Diversion";
    /// RFC 3261 section 20.18.
    ErrorInfo "Error-Info";
    /// RFC 6665 section 8.2.1.
    Event "Event" "o";
    /// RFC 3261 section 20.19.
    Expires "Expires";
    /// RFC 3261 section 20.20.
    From "From" "f";
    /// RFC 7044.
    HistoryInfo "History-Info";
    /// RFC 8224.
    Identity "Identity" "y";
    /// RFC 3261 section 20.21.
    InReplyTo "In-Reply-To";
    /// RFC 3911.
    Join "Join";
    /// RFC 3261 section 20.22.
    MaxForwards "Max-Forwards";
    /// RFC 3261 section 20.24.
    MimeVersion "MIME-Version";
    /// RFC 3261 section 20.23.
    MinExpires "Min-Expires";
    /// RFC 4028 section 5.
    MinSe "Min-SE";
    /// RFC 3261 section 20.25.
    Organization "Organization";
    /// RFC 3325 section 9.1.
    PAssertedIdentity "P-Asserted-Identity";
    /// RFC 3325 section 9.2.
    PPreferredIdentity "P-Preferred-Identity";
    /// RFC 3327.
    Path "Path";
    /// RFC 3261 section 20.26.
    Priority "Priority";
    /// RFC 3323.
    Privacy "Privacy";
    /// RFC 3261 section 20.27.
    ProxyAuthenticate "Proxy-Authenticate";
    /// RFC 3261 section 20.28.
    ProxyAuthorization "Proxy-Authorization";
    /// RFC 3261 section 20.29.
    ProxyRequire "Proxy-Require";
    /// RFC 3262 section 7.2.
    RAck "RAck";
    /// RFC 3262 section 7.1.
    RSeq "RSeq";
    /// RFC 3326.
    Reason "Reason";
    /// RFC 3261 section 20.30.
    RecordRoute "Record-Route";
    /// RFC 3515.
    ReferTo "Refer-To" "r";
    /// RFC 3892.
    ReferredBy "Referred-By" "b";
    /// The expired draft that older trunks still speak.
    RemotePartyId "Remote-Party-ID";
    /// RFC 3891.
    Replaces "Replaces";
    /// RFC 3261 section 20.31.
    ReplyTo "Reply-To";
    /// RFC 3261 section 20.32.
    Require "Require";
    /// RFC 3261 section 20.33.
    RetryAfter "Retry-After";
    /// RFC 3261 section 20.34.
    Route "Route";
    /// RFC 3261 section 20.35.
    Server "Server";
    /// RFC 3608.
    ServiceRoute "Service-Route";
    /// RFC 4028 section 4.
    SessionExpires "Session-Expires" "x";
    /// RFC 3903.
    SipEtag "SIP-ETag";
    /// RFC 3903.
    SipIfMatch "SIP-If-Match";
    /// RFC 3261 section 20.36.
    Subject "Subject" "s";
    /// RFC 6665 section 8.2.3.
    SubscriptionState "Subscription-State";
    /// RFC 3261 section 20.37.
    Supported "Supported" "k";
    /// RFC 3261 section 20.38.
    Timestamp "Timestamp";
    /// RFC 3261 section 20.39.
    To "To" "t";
    /// RFC 3261 section 20.40.
    Unsupported "Unsupported";
    /// RFC 3261 section 20.41.
    UserAgent "User-Agent";
    /// RFC 7433.
    UserToUser "User-to-User";
    /// RFC 3261 section 20.42.
    Via "Via" "v";
    /// RFC 3261 section 20.43.
    Warning "Warning";
    /// RFC 3261 section 20.44.
    WwwAuthenticate "WWW-Authenticate";
}

impl Name {
    /// The name that a spelling means, long or compact, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::of(text.as_bytes())
    }

    /// As [`Name::parse`], of octets that need not be UTF-8.
    pub(crate) fn of(text: &[u8]) -> Option<Self> {
        let mut slot = hash(text);
        loop {
            let (spelling, name) = SPELLINGS[usize::from(SLOTS[slot].checked_sub(1)?)];
            let known = spelling.as_bytes();
            if known == text || known.eq_ignore_ascii_case(text) {
                return Some(name);
            }
            slot = (slot + 1) % SLOTS.len();
        }
    }

    /// Whether the grammar lets one line carry several values, parted by commas.
    pub const fn is_list(self) -> bool {
        matches!(
            self,
            Self::Accept
                | Self::AcceptEncoding
                | Self::AcceptLanguage
                | Self::AlertInfo
                | Self::Allow
                | Self::AllowEvents
                | Self::CallInfo
                | Self::Contact
                | Self::ContentEncoding
                | Self::ContentLanguage
                | Self::Diversion
                | Self::ErrorInfo
                | Self::HistoryInfo
                | Self::Identity
                | Self::InReplyTo
                | Self::PAssertedIdentity
                | Self::PPreferredIdentity
                | Self::Path
                | Self::ProxyRequire
                | Self::Reason
                | Self::RecordRoute
                | Self::RemotePartyId
                | Self::Require
                | Self::Route
                | Self::ServiceRoute
                | Self::Supported
                | Self::Unsupported
                | Self::UserToUser
                | Self::Via
                | Self::Warning
        )
    }

    /// Whether two of the field would contradict each other, so that a request with both is refused. A
    /// second Subject or User-Agent is untidy and does no harm.
    pub const fn must_be_single(self) -> bool {
        matches!(
            self,
            Self::CSeq
                | Self::CallId
                | Self::ContentLength
                | Self::ContentType
                | Self::Date
                | Self::Event
                | Self::Expires
                | Self::From
                | Self::Join
                | Self::MaxForwards
                | Self::MinSe
                | Self::RAck
                | Self::ReferTo
                | Self::ReferredBy
                | Self::Replaces
                | Self::SessionExpires
                | Self::SubscriptionState
                | Self::To
        )
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        self.text()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// An open-addressed table, filled at compile time: 0 is free, n means `SPELLINGS[n - 1]`.
static SLOTS: [u8; 512] = fill();

const fn fill() -> [u8; 512] {
    let mut slots = [0; 512];
    let mut n = 0;
    while n < SPELLINGS.len() {
        let mut slot = hash(SPELLINGS[n].0.as_bytes());
        while slots[slot] != 0 {
            slot = (slot + 1) % slots.len();
        }
        n += 1;
        assert!(n <= u8::MAX as usize, "a slot is one byte");
        slots[slot] = n as u8;
    }
    slots
}

/// Length, first, middle and last letter, case folded: tells the known spellings apart well enough.
const fn hash(text: &[u8]) -> usize {
    let len = text.len();
    if len == 0 {
        return 0;
    }
    let first = (text[0] | 0x20) as usize;
    let middle = (text[len / 2] | 0x20) as usize;
    let last = (text[len - 1] | 0x20) as usize;
    (len * 37 + first * 5 + middle * 11 + last * 71) % 512
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_found_in_any_case() {
        for (spelling, name) in SPELLINGS {
            assert_eq!(Name::parse(spelling), Some(*name));
            assert_eq!(Name::parse(&spelling.to_uppercase()), Some(*name));
            assert_eq!(Name::parse(&spelling.to_lowercase()), Some(*name));
        }
    }

    #[test]
    fn rfc_3261_section_7_3_3_compact_forms() {
        let compact =
            [("v", Name::Via), ("I", Name::CallId), ("m", Name::Contact), ("L", Name::ContentLength)];
        for (spelling, name) in compact {
            assert_eq!(Name::parse(spelling), Some(name));
        }
    }

    #[test]
    fn unknown_names_are_not_mistaken() {
        for text in ["", "X-Client", "Vib", "Froma", "Contact-", "z", "\u{e9}"] {
            assert_eq!(Name::parse(text), None, "{text}");
        }
    }
}

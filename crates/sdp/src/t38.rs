//! What a party says of fax over IP: the attributes of `m=image … udptl t38` (ITU-T T.38 annex D.2.3, RFC 3362).

use crate::session::{Formats, Media};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The transport and the format of a section that we pass on.
const PROTOCOL: &str = "udptl";
const FORMAT: &str = "t38";
/// Vendor information and kinds of modem are passed on as they came, up to this many bytes.
const MAX_TEXT: usize = 64;
/// There are three kinds of error correction.
const MAX_CORRECTIONS: usize = 3;

/// The parameters of a T.38 session, as one party describes its side. What is `None` was not said, and is not said when
/// the parameters are passed on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct T38 {
    /// `T38FaxVersion`: of the recommendation, 0 to 4.
    pub version: Option<u8>,
    /// `T38MaxBitRate`, in bits a second.
    pub max_bit_rate: Option<u32>,
    /// `T38FaxFillBitRemoval`: whether fill bits may be left out. In old descriptions it has the value 0 or 1.
    pub fill_bit_removal: bool,
    /// `T38FaxTranscodingMMR`, likewise.
    pub transcoding_mmr: bool,
    /// `T38FaxTranscodingJBIG`, likewise.
    pub transcoding_jbig: bool,
    /// `T38FaxRateManagement`.
    pub rate_management: Option<RateManagement>,
    /// `T38FaxMaxBuffer`: bytes that the writer can hold before they are played out.
    pub max_buffer: Option<u32>,
    /// `T38FaxMaxDatagram`: bytes of the longest datagram that the writer takes.
    pub max_datagram: Option<u32>,
    /// `T38FaxMaxIFP`: bytes of the longest IFP packet that it takes.
    pub max_ifp: Option<u32>,
    /// `T38FaxUdpEC`: how lost packets are made good, the writer's favourite first.
    pub error_correction: Vec<ErrorCorrection>,
    /// `T38FaxUdpECDepth`: how many packets before are repeated, at least and at most.
    pub redundancy: Option<(u32, Option<u32>)>,
    /// `T38FaxUdpFECMaxSpan`: how many packets a parity covers at most.
    pub max_span: Option<u32>,
    /// `T38ModemType`: `t38G3FaxOnly`, `t38G3AndV34Fax`, …
    pub modem_type: Option<Box<str>>,
    /// `T38VendorInfo`.
    pub vendor_info: Option<Box<str>>,
}

/// Who checks the line before a page (T.38 8.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RateManagement {
    /// Each gateway by itself.
    LocalTcf,
    /// The fax machines, by what goes through.
    TransferredTcf,
}

/// How lost packets are made good (T.38 9.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorCorrection {
    /// Not at all.
    None,
    /// Each datagram repeats some packets before its own.
    Redundancy,
    /// By parities.
    Fec,
}

impl T38 {
    /// Whether a section is T.38 over UDPTL, switched on or off.
    pub(crate) fn is_of(media: &Media<'_>) -> bool {
        let Formats::Other(format) = media.formats else { return false };
        media.kind == "image"
            && media.protocol.eq_ignore_ascii_case(PROTOCOL)
            && format.eq_ignore_ascii_case(FORMAT)
    }

    /// Takes an attribute in; whether it is one of T.38's. Names are compared without case, since no two writers agree
    /// on them; a value that cannot be read counts as not said.
    pub(crate) fn read(&mut self, name: &str, value: &str) -> bool {
        let value = value.trim();
        let number = || value.parse().ok();
        match name.to_ascii_lowercase().as_str() {
            "t38faxversion" => self.version = value.parse().ok(),
            // The table of annex D has the one spelling, its examples the other.
            "t38maxbitrate" | "t38faxmaxbitrate" => self.max_bit_rate = number(),
            "t38faxfillbitremoval" => self.fill_bit_removal = is_on(value),
            "t38faxtranscodingmmr" => self.transcoding_mmr = is_on(value),
            "t38faxtranscodingjbig" => self.transcoding_jbig = is_on(value),
            "t38faxratemanagement" => self.rate_management = RateManagement::named(value),
            "t38faxmaxbuffer" => self.max_buffer = number(),
            "t38faxmaxdatagram" | "t38maxdatagram" => self.max_datagram = number(),
            "t38faxmaxifp" => self.max_ifp = number(),
            "t38faxudpec" => self.correct_by(value),
            "t38faxudpecdepth" => self.redundancy = depth(value),
            "t38faxudpfecmaxspan" => self.max_span = number(),
            "t38modemtype" => self.modem_type = text(value),
            "t38vendorinfo" => self.vendor_info = text(value),
            _ => return false,
        }
        true
    }

    fn correct_by(&mut self, value: &str) {
        let named = ErrorCorrection::named(value);
        if let Some(correction) = named.filter(|it| !self.error_correction.contains(it))
            && self.error_correction.len() < MAX_CORRECTIONS
        {
            self.error_correction.push(correction);
        }
    }

    /// The section that says it, without its address.
    pub(crate) const fn words() -> (&'static str, &'static str, &'static str) {
        ("image", PROTOCOL, FORMAT)
    }
}

impl RateManagement {
    const ALL: [(&str, Self); 2] = [("localTCF", Self::LocalTcf), ("transferredTCF", Self::TransferredTcf)];

    fn named(value: &str) -> Option<Self> {
        // With one r, it is in many a gateway.
        let is = |name: &str| value.eq_ignore_ascii_case(name);
        let found = Self::ALL.into_iter().find(|(name, _)| is(name)).map(|(_, it)| it);
        found.or_else(|| is("transferedTCF").then_some(Self::TransferredTcf))
    }
}

impl ErrorCorrection {
    const ALL: [(&str, Self); 3] =
        [("t38UDPNoEC", Self::None), ("t38UDPRedundancy", Self::Redundancy), ("t38UDPFEC", Self::Fec)];

    fn named(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(name, _)| value.eq_ignore_ascii_case(name)).map(|(_, it)| it)
    }
}

impl fmt::Display for T38 {
    /// The attributes, as version 2 and later of the recommendation write them: what is on stands without a value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut say = |name: &str, value: Option<&dyn fmt::Display>| match value {
            Some(value) => write!(f, "a={name}:{value}\r\n"),
            None => Ok(()),
        };
        fn told<T: fmt::Display>(value: &Option<T>) -> Option<&dyn fmt::Display> {
            value.as_ref().map(|value| value as &dyn fmt::Display)
        }
        say("T38FaxVersion", told(&self.version))?;
        say("T38MaxBitRate", told(&self.max_bit_rate))?;
        say("T38FaxRateManagement", told(&self.rate_management))?;
        say("T38FaxMaxBuffer", told(&self.max_buffer))?;
        say("T38FaxMaxDatagram", told(&self.max_datagram))?;
        say("T38FaxMaxIFP", told(&self.max_ifp))?;
        self.error_correction.iter().try_for_each(|it| say("T38FaxUdpEC", Some(it)))?;
        if let Some((least, most)) = self.redundancy {
            let most = most.map_or_else(String::new, |most| format!(" {most}"));
            say("T38FaxUdpECDepth", Some(&format!("{least}{most}")))?;
        }
        say("T38FaxUdpFECMaxSpan", told(&self.max_span))?;
        say("T38ModemType", told(&self.modem_type))?;
        say("T38VendorInfo", told(&self.vendor_info))?;
        let flags = [
            ("T38FaxFillBitRemoval", self.fill_bit_removal),
            ("T38FaxTranscodingMMR", self.transcoding_mmr),
            ("T38FaxTranscodingJBIG", self.transcoding_jbig),
        ];
        flags.iter().filter(|(_, is_on)| *is_on).try_for_each(|(name, _)| write!(f, "a={name}\r\n"))
    }
}

impl fmt::Display for RateManagement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = Self::ALL.into_iter().find(|(_, it)| it == self);
        f.write_str(found.map_or("", |(name, _)| name))
    }
}

impl fmt::Display for ErrorCorrection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = Self::ALL.into_iter().find(|(_, it)| it == self);
        f.write_str(found.map_or("", |(name, _)| name))
    }
}

/// A flag is on by being there; `:0` of old descriptions switches it off.
fn is_on(value: &str) -> bool {
    !matches!(value, "0" | "no" | "false")
}

/// `1 2`, or `1` alone.
fn depth(value: &str) -> Option<(u32, Option<u32>)> {
    let mut words = value.split_ascii_whitespace().map(str::parse);
    let least = words.next()?.ok()?;
    Some((least, words.next().and_then(Result::ok)))
}

/// What can stand in an answer of ours.
fn text(value: &str) -> Option<Box<str>> {
    let is_plain = value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    (!value.is_empty() && value.len() <= MAX_TEXT && is_plain).then(|| value.into())
}

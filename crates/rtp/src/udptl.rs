//! UDPTL, the transport of T.38 over UDP: the shape of a datagram (ITU-T T.38 9.1, encoded by the aligned PER of X.691).

use crate::RtpError;

/// The bytes of the longest datagram that is passed on: what an Ethernet frame holds. Gateways send some hundreds, and may
/// be told so (`T38FaxMaxDatagram`).
pub const MAX_DATAGRAM: usize = 1_472;
/// How many packets before its own a datagram may repeat, and how many parities it may have: twice what the largest
/// gateways do.
const MAX_RECOVERY: usize = 64;
/// The bit of the byte after the primary packet that chooses parities rather than repetitions.
const PARITIES: u8 = 0x80;

/// A datagram of UDPTL, as far as a relay has to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Udptl {
    /// Counts packets, wrapping. One that is sent again keeps its number.
    pub sequence: u16,
    /// The bytes of the primary IFP packet.
    pub primary: usize,
    /// How lost packets are made good.
    pub recovery: Recovery,
}

/// The part of a datagram that makes lost ones good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// So many packets before this one, the newest first.
    Redundancy {
        /// How many; 0 for none.
        packets: usize,
    },
    /// Parities.
    Fec {
        /// How many packets each covers.
        span: u8,
        /// How many parities there are.
        parities: usize,
    },
}

impl Udptl {
    /// Reads a datagram: every length is held against what is there, and nothing may be left over. No IFP packet is
    /// looked into.
    ///
    /// # Errors
    /// [`RtpError::TooLong`], [`RtpError::Truncated`], [`RtpError::NotUdptl`].
    pub fn parse(datagram: &[u8]) -> Result<Self, RtpError> {
        if datagram.len() > MAX_DATAGRAM {
            return Err(RtpError::TooLong);
        }
        let mut rest = datagram;
        let sequence = u16::from_be_bytes([byte(&mut rest)?, byte(&mut rest)?]);
        let primary = skip_field(&mut rest)?;
        let recovery = match byte(&mut rest)? {
            0 => Recovery::Redundancy { packets: skip_fields(&mut rest)? },
            PARITIES => Recovery::Fec { span: span(&mut rest)?, parities: skip_fields(&mut rest)? },
            _ => return Err(RtpError::NotUdptl),
        };
        if rest.is_empty() { Ok(Self { sequence, primary, recovery }) } else { Err(RtpError::NotUdptl) }
    }
}

fn byte(rest: &mut &[u8]) -> Result<u8, RtpError> {
    let (first, others) = rest.split_first().ok_or(RtpError::Truncated)?;
    *rest = others;
    Ok(*first)
}

/// A length: one byte below 128, two below 16,384 (X.691 11.9). A third form breaks what is longer into pieces; no
/// datagram has room for such.
fn length(rest: &mut &[u8]) -> Result<usize, RtpError> {
    match byte(rest)? {
        short @ 0..0x80 => Ok(short.into()),
        high @ 0x80..0xC0 => Ok(usize::from(high & 0x3F) << 8 | usize::from(byte(rest)?)),
        _ => Err(RtpError::TooLong),
    }
}

/// Passes over a field of bytes with its length before it; how many they were.
fn skip_field(rest: &mut &[u8]) -> Result<usize, RtpError> {
    let length = length(rest)?;
    *rest = rest.get(length..).ok_or(RtpError::Truncated)?;
    Ok(length)
}

/// Passes over fields with their number before them; how many they were.
fn skip_fields(rest: &mut &[u8]) -> Result<usize, RtpError> {
    let count = length(rest)?;
    if count > MAX_RECOVERY {
        return Err(RtpError::TooLong);
    }
    for _ in 0..count {
        skip_field(rest)?;
    }
    Ok(count)
}

/// `fec-npackets`, an integer of a byte.
fn span(rest: &mut &[u8]) -> Result<u8, RtpError> {
    match byte(rest)? {
        1 => byte(rest),
        _ => Err(RtpError::NotUdptl),
    }
}

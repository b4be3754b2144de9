use crate::RtpError;
use std::ops::Range;

/// The length of a header without contributing sources and extension.
pub const HEADER_LEN: usize = 12;

const VERSION: u8 = 2;

/// The fields of an RTP header that matter to us (RFC 3550 5.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// 0 to 127.
    pub payload_type: u8,
    /// The first packet after a silence, or of an event.
    pub marker: bool,
    /// Counts packets, wrapping.
    pub sequence: u16,
    /// Counts samples, wrapping.
    pub timestamp: u32,
    /// Whose packets these are.
    pub ssrc: u32,
}

/// An RTP packet inside a datagram: its header, and where its payload lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The header.
    pub header: Header,
    payload: Range<usize>,
}

impl Header {
    /// The header's bytes, without contributing sources and extension.
    pub fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[0] = VERSION << 6;
        bytes[1] = u8::from(self.marker) << 7 | (self.payload_type & 0x7F);
        bytes[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        bytes
    }
}

impl Packet {
    /// Reads a datagram; contributing sources, extension and padding are checked and passed over.
    ///
    /// # Errors
    /// [`RtpError::Truncated`], [`RtpError::Version`], [`RtpError::Padding`].
    pub fn parse(datagram: &[u8]) -> Result<Self, RtpError> {
        let (fixed, _) = datagram.split_first_chunk::<HEADER_LEN>().ok_or(RtpError::Truncated)?;
        let &[first, second, s0, s1, t0, t1, t2, t3, i0, i1, i2, i3] = fixed;
        if first >> 6 != VERSION {
            return Err(RtpError::Version);
        }
        let header = Header {
            payload_type: second & 0x7F,
            marker: second & 0x80 != 0,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([i0, i1, i2, i3]),
        };
        let start = header_len(datagram)?;
        let payload = datagram.get(start..).ok_or(RtpError::Truncated)?;
        let padding = match payload.last() {
            _ if first & 0x20 == 0 => 0,
            Some(padding) if *padding != 0 && usize::from(*padding) <= payload.len() => usize::from(*padding),
            _ => return Err(RtpError::Padding),
        };
        Ok(Self { header, payload: start..datagram.len() - padding })
    }

    /// The payload in the datagram that this was parsed from.
    ///
    /// # Panics
    /// If it is another, shorter one.
    pub fn payload<'a>(&self, datagram: &'a [u8]) -> &'a [u8] {
        &datagram[self.payload.clone()]
    }

    /// The payload, to be changed in place.
    ///
    /// # Panics
    /// As [`payload`](Self::payload).
    pub fn payload_mut<'a>(&self, datagram: &'a mut [u8]) -> &'a mut [u8] {
        &mut datagram[self.payload.clone()]
    }

    /// Puts another header right before the payload and returns the packet to send, a part of the
    /// datagram: contributing sources, extension and padding were meant for us and do not go on.
    ///
    /// # Panics
    /// As [`payload`](Self::payload).
    pub fn rewrite<'a>(&self, datagram: &'a mut [u8], header: Header) -> &'a [u8] {
        let start = self.payload.start - HEADER_LEN;
        datagram[start..self.payload.start].copy_from_slice(&header.to_bytes());
        &datagram[start..self.payload.end]
    }
}

/// Whether a datagram on a port shared by RTP and RTCP is RTCP (RFC 5761 4).
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [first, 192..=223, ..] if first >> 6 == VERSION)
}

/// The bytes of a packet's header with contributing sources and extension, which the packet may fall short of.
///
/// # Errors
/// [`RtpError::Truncated`].
pub fn header_len(datagram: &[u8]) -> Result<usize, RtpError> {
    let first = datagram.first().ok_or(RtpError::Truncated)?;
    let mut length = HEADER_LEN + usize::from(first & 0x0F) * 4;
    if first & 0x10 != 0 {
        length += extension_len(datagram.get(length..).ok_or(RtpError::Truncated)?)?;
    }
    Ok(length)
}

/// The length of a header extension (RFC 3550 5.3.1) at the start of `bytes`.
fn extension_len(bytes: &[u8]) -> Result<usize, RtpError> {
    match bytes {
        [_, _, high, low, ..] => Ok(4 + usize::from(u16::from_be_bytes([*high, *low])) * 4),
        _ => Err(RtpError::Truncated),
    }
}

//! Cryptographic contexts (RFC 3711 3.2), one a direction.

use crate::derivation::Purpose;
use crate::sources::Sources;
use crate::transform::{MAX_TAG, Transform};
use ring::aead::NONCE_LEN;
use rtp::{HEADER_LEN, MasterKey, header_len};
use thiserror::Error;

/// How much longer a packet may become.
pub const MAX_OVERHEAD: usize = MAX_TAG + TRAILER;

/// SRTCP's flag of encryption and its index (RFC 3711 3.4).
const TRAILER: usize = 4;
/// What of an RTCP packet stays readable: its first header and SSRC.
const RTCP_HEADER: usize = 8;
const ENCRYPTED: u32 = 1 << 31;

/// Why a packet is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// It is shorter than its header and tag.
    #[error("the packet is cut short")]
    Short,
    /// It was seen before, or is too old to tell.
    #[error("the packet is repeated or too old")]
    Replayed,
    /// Its tag is not that of the key.
    #[error("the packet's tag is wrong")]
    Forged,
    /// It comes as if it were not to be protected: SRTCP without the flag of encryption.
    #[error("the packet is not encrypted")]
    Unprotected,
    /// There is no room for the tag, or no number left under the key.
    #[error("the packet cannot be protected")]
    Exhausted,
}

/// Protects what goes to a peer. No number of a source is used twice.
#[derive(Debug)]
pub struct Outbound {
    rtp: Transform,
    rtcp: Transform,
    sources: Sources,
    /// The number of the next RTCP packet, one for all sources.
    next_rtcp: u32,
}

/// Unprotects what comes from a peer.
#[derive(Debug)]
pub struct Inbound {
    rtp: Transform,
    rtcp: Transform,
    sources: Sources,
    rtcp_sources: Sources,
}

impl Outbound {
    /// A context whose numbers begin.
    pub fn new(key: &MasterKey) -> Self {
        let (rtp, rtcp) = (Transform::new(key, Purpose::Rtp), Transform::new(key, Purpose::Rtcp));
        Self { rtp, rtcp, sources: Sources::new(), next_rtcp: 1 }
    }

    /// Protects the RTP packet of `length` bytes at the start of `buffer`, and gives its new length.
    ///
    /// # Errors
    /// [`Refused`]; the packet must not be sent then.
    pub fn protect(&mut self, buffer: &mut [u8], length: usize) -> Result<usize, Refused> {
        let packet = buffer.get(..length).ok_or(Refused::Short)?;
        let (ssrc, sequence) = numbers(packet)?;
        let start = payload_start(packet)?;
        let index = self.sources.index_of(ssrc, sequence).ok_or(Refused::Exhausted)?;
        if !self.sources.is_fresh(ssrc, index) {
            return Err(Refused::Replayed);
        }
        let (packet, room) = buffer.split_at_mut(length);
        let (header, payload) = packet.split_at_mut(start);
        let tag_len = match &self.rtp {
            Transform::CounterMode(transform) => {
                let tag = room.get_mut(..transform.tag_len()).ok_or(Refused::Exhausted)?;
                transform.apply(ssrc, index, payload);
                transform.tag(packet, &rollover(index), tag);
                tag.len()
            }
            Transform::Galois(transform) => {
                let tag = room.get_mut(..MAX_TAG).ok_or(Refused::Exhausted)?;
                tag.copy_from_slice(&transform.seal(rtp_nonce(ssrc, index), header, payload));
                tag.len()
            }
        };
        self.sources.note(ssrc, index);
        Ok(length + tag_len)
    }

    /// Protects the RTCP packet of `length` bytes at the start of `buffer`, and gives its new length.
    ///
    /// # Errors
    /// [`Refused`]; the packet must not be sent then.
    pub fn protect_rtcp(&mut self, buffer: &mut [u8], length: usize) -> Result<usize, Refused> {
        let ssrc = rtcp_ssrc(buffer.get(..length).ok_or(Refused::Short)?)?;
        if buffer.len() < length + MAX_OVERHEAD || self.next_rtcp >= ENCRYPTED {
            return Err(Refused::Exhausted);
        }
        let index = self.next_rtcp;
        self.next_rtcp += 1;
        let trailer = (index | ENCRYPTED).to_be_bytes();
        let payload = &mut buffer[RTCP_HEADER..length];
        Ok(match &self.rtcp {
            Transform::CounterMode(transform) => {
                transform.apply(ssrc, index.into(), payload);
                let (packet, room) = buffer.split_at_mut(length);
                room[..TRAILER].copy_from_slice(&trailer);
                let end = TRAILER + transform.tag_len();
                transform.tag(packet, &trailer, &mut room[TRAILER..end]);
                length + end
            }
            Transform::Galois(transform) => {
                let (header, rest) = buffer.split_at_mut(RTCP_HEADER);
                let (payload, room) = rest.split_at_mut(length - RTCP_HEADER);
                let tag = transform.seal(rtcp_nonce(ssrc, index), &rtcp_aad(header, trailer), payload);
                room[..MAX_TAG].copy_from_slice(&tag);
                room[MAX_TAG..MAX_OVERHEAD].copy_from_slice(&trailer);
                length + MAX_OVERHEAD
            }
        })
    }
}

impl Inbound {
    /// A context that has seen nothing.
    pub fn new(key: &MasterKey) -> Self {
        let (rtp, rtcp) = (Transform::new(key, Purpose::Rtp), Transform::new(key, Purpose::Rtcp));
        Self { rtp, rtcp, sources: Sources::new(), rtcp_sources: Sources::new() }
    }

    /// Unprotects an SRTP packet in place and gives the length of the RTP packet that it was.
    ///
    /// # Errors
    /// [`Refused`]; what the packet holds then is worthless.
    pub fn unprotect(&mut self, packet: &mut [u8]) -> Result<usize, Refused> {
        let (ssrc, sequence) = numbers(packet)?;
        let start = payload_start(packet)?;
        let index = self.sources.index_of(ssrc, sequence).ok_or(Refused::Replayed)?;
        if !self.sources.is_fresh(ssrc, index) {
            return Err(Refused::Replayed);
        }
        let length = match &self.rtp {
            Transform::CounterMode(transform) => {
                let length = packet.len().checked_sub(transform.tag_len()).filter(|end| *end >= start);
                let (packet, tag) = packet.split_at_mut(length.ok_or(Refused::Short)?);
                if !transform.verify(packet, &rollover(index), tag) {
                    return Err(Refused::Forged);
                }
                transform.apply(ssrc, index, &mut packet[start..]);
                packet.len()
            }
            Transform::Galois(transform) => {
                let length = packet.len().checked_sub(MAX_TAG).filter(|end| *end >= start);
                let length = length.ok_or(Refused::Short)?;
                let (header, sealed) = packet.split_at_mut(start);
                if !transform.open(rtp_nonce(ssrc, index), header, sealed) {
                    return Err(Refused::Forged);
                }
                length
            }
        };
        self.sources.note(ssrc, index);
        Ok(length)
    }

    /// Unprotects an SRTCP packet in place and gives the length of the RTCP packet that it was.
    ///
    /// # Errors
    /// [`Refused`]; what the packet holds then is worthless.
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, Refused> {
        let ssrc = rtcp_ssrc(packet)?;
        let tag_behind = match &self.rtcp {
            Transform::CounterMode(transform) => transform.tag_len(),
            Transform::Galois(_) => 0,
        };
        let (head, _) =
            packet.split_at_checked(packet.len().wrapping_sub(tag_behind)).ok_or(Refused::Short)?;
        let (before, trailer) = head.split_last_chunk::<TRAILER>().ok_or(Refused::Short)?;
        let (end, trailer) = (before.len(), *trailer);
        let word = u32::from_be_bytes(trailer);
        let index = word & !ENCRYPTED;
        if word & ENCRYPTED == 0 {
            return Err(Refused::Unprotected);
        }
        if !self.rtcp_sources.is_fresh(ssrc, index.into()) {
            return Err(Refused::Replayed);
        }
        let length = match &self.rtcp {
            Transform::CounterMode(transform) => {
                let length = Some(end).filter(|end| *end >= RTCP_HEADER).ok_or(Refused::Short)?;
                let (authenticated, tag) = packet.split_at(end + TRAILER);
                if !transform.verify(authenticated, &[], tag) {
                    return Err(Refused::Forged);
                }
                transform.apply(ssrc, index.into(), &mut packet[RTCP_HEADER..length]);
                length
            }
            Transform::Galois(transform) => {
                let length =
                    end.checked_sub(MAX_TAG).filter(|end| *end >= RTCP_HEADER).ok_or(Refused::Short)?;
                let (header, rest) = packet.split_at_mut(RTCP_HEADER);
                let sealed = &mut rest[..end - RTCP_HEADER];
                if !transform.open(rtcp_nonce(ssrc, index), &rtcp_aad(header, trailer), sealed) {
                    return Err(Refused::Forged);
                }
                length
            }
        };
        self.rtcp_sources.note(ssrc, index.into());
        Ok(length)
    }
}

/// The SSRC and sequence number of an RTP packet.
fn numbers(packet: &[u8]) -> Result<(u32, u16), Refused> {
    let Some((&[_, _, s0, s1, _, _, _, _, i0, i1, i2, i3], _)) = packet.split_first_chunk::<HEADER_LEN>()
    else {
        return Err(Refused::Short);
    };
    Ok((u32::from_be_bytes([i0, i1, i2, i3]), u16::from_be_bytes([s0, s1])))
}

fn payload_start(packet: &[u8]) -> Result<usize, Refused> {
    header_len(packet).ok().filter(|start| *start <= packet.len()).ok_or(Refused::Short)
}

fn rtcp_ssrc(packet: &[u8]) -> Result<u32, Refused> {
    match packet {
        [_, _, _, _, i0, i1, i2, i3, ..] => Ok(u32::from_be_bytes([*i0, *i1, *i2, *i3])),
        _ => Err(Refused::Short),
    }
}

/// What the tag covers besides the packet (RFC 3711 4.2).
fn rollover(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

/// RFC 7714 8.1.
fn rtp_nonce(ssrc: u32, index: u64) -> [u8; NONCE_LEN] {
    let mut nonce = [0; NONCE_LEN];
    nonce[2..6].copy_from_slice(&ssrc.to_be_bytes());
    nonce[6..].copy_from_slice(&index.to_be_bytes()[2..]);
    nonce
}

/// RFC 7714 9.1.
fn rtcp_nonce(ssrc: u32, index: u32) -> [u8; NONCE_LEN] {
    let mut nonce = [0; NONCE_LEN];
    nonce[2..6].copy_from_slice(&ssrc.to_be_bytes());
    nonce[8..].copy_from_slice(&index.to_be_bytes());
    nonce
}

/// RFC 7714 9.2.
fn rtcp_aad(header: &[u8], trailer: [u8; TRAILER]) -> [u8; RTCP_HEADER + TRAILER] {
    let mut aad = [0; RTCP_HEADER + TRAILER];
    aad[..RTCP_HEADER].copy_from_slice(&header[..RTCP_HEADER]);
    aad[RTCP_HEADER..].copy_from_slice(&trailer);
    aad
}

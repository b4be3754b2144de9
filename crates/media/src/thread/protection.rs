use rtp::{MasterKey, Security, SrtpKeys, is_rtcp};
use secure::{Inbound, Outbound};

/// Contexts that are kept a direction: a peer that goes back to a key finds it where it left it, since a number that is
/// used again under a key gives away what was said.
const KEPT: usize = 4;

/// What protects the packets of a stream. Boxed, since most have no keys.
#[derive(Debug, Default)]
pub(super) struct Protection {
    is_on: bool,
    contexts: Option<Box<Contexts>>,
    refused: u64,
}

/// Those that are used come first.
#[derive(Debug, Default)]
struct Contexts {
    inbound: Vec<(MasterKey, Inbound)>,
    outbound: Vec<(MasterKey, Outbound)>,
}

impl Protection {
    /// Takes over what was agreed. Under a key that stays the numbers go on. The keys of a handshake are still to come.
    pub(super) fn apply(&mut self, security: &Security) {
        self.is_on = *security != Security::Plain;
        if let Security::Srtp(keys) = security {
            self.take(keys);
        }
    }

    /// Takes these keys into use.
    pub(super) fn take(&mut self, keys: &SrtpKeys) {
        let contexts = self.contexts.get_or_insert_default();
        select(&mut contexts.inbound, &keys.receive, Inbound::new);
        select(&mut contexts.outbound, &keys.send, Outbound::new);
    }

    /// Forgets all keys: the peer is another one.
    pub(super) fn forget(&mut self) {
        self.contexts = None;
    }

    /// A datagram is dropped for where it comes from.
    pub(super) fn refuse(&mut self) {
        self.refused += 1;
    }

    /// Unprotects a datagram in place and gives its length; `None` if it is not the peer's.
    pub(super) fn open(&mut self, datagram: &mut [u8]) -> Option<usize> {
        if !self.is_on {
            return Some(datagram.len());
        }
        let inbound = self.contexts.as_mut().and_then(|contexts| contexts.inbound.first_mut());
        let opened = inbound.and_then(|(_, inbound)| {
            let opened = if is_rtcp(datagram) {
                inbound.unprotect_rtcp(datagram)
            } else {
                inbound.unprotect(datagram)
            };
            opened.ok()
        });
        self.refused += u64::from(opened.is_none());
        opened
    }

    /// Whether packets have to be [sealed](Self::seal).
    pub(super) const fn is_on(&self) -> bool {
        self.is_on
    }

    /// The packet as it is sent, in `buffer`; `None` if it cannot be protected, and so must not be sent.
    pub(super) fn seal<'b>(&mut self, packet: &[u8], buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        let (_, outbound) = self.contexts.as_mut()?.outbound.first_mut()?;
        buffer.get_mut(..packet.len())?.copy_from_slice(packet);
        let length = outbound.protect(buffer, packet.len()).ok()?;
        Some(&buffer[..length])
    }

    /// The RTCP packet as it is sent, in `buffer`, protected if that was agreed; `None` if it must not be sent.
    pub(super) fn seal_rtcp<'b>(&mut self, packet: &[u8], buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        buffer.get_mut(..packet.len())?.copy_from_slice(packet);
        if !self.is_on {
            return Some(&buffer[..packet.len()]);
        }
        let (_, outbound) = self.contexts.as_mut()?.outbound.first_mut()?;
        let length = outbound.protect_rtcp(buffer, packet.len()).ok()?;
        Some(&buffer[..length])
    }

    /// Datagrams that were dropped for a wrong tag, or because they were repeated.
    pub(super) const fn refused(&self) -> u64 {
        self.refused
    }
}

/// Puts the context of a key first.
fn select<T>(contexts: &mut Vec<(MasterKey, T)>, key: &MasterKey, new: fn(&MasterKey) -> T) {
    match contexts.iter().position(|(other, _)| other == key) {
        Some(place) => contexts[..=place].rotate_right(1),
        None => {
            contexts.truncate(KEPT - 1);
            contexts.insert(0, (key.clone(), new(key)));
        }
    }
}

//! How much the media of a leg is to be encrypted, and by which keys.

use crate::core::Core;
use dialplan::{Config, Encryption, Media};
use events::Party;
use sdp::{LocalHandshake, LocalIce, LocalKeys, Need, Protection};
use sip::{Flow, Transport};

/// The client's setting for its users, and for whom they call by URI; a trunk has its own.
pub(crate) fn media_of(plan: &Config, client: &str, party: &Party) -> Media {
    let trunk = match party {
        Party::Trunk(name) => plan.trunk(name).map(|trunk| trunk.media),
        Party::User(_) | Party::Uri => plan.client_named(client).map(|client| client.media),
    };
    trunk.unwrap_or_default()
}

/// Who speaks SIP over WebSocket (RFC 7118) has WebRTC's media, and no other.
fn is_browser(flow: &Flow) -> bool {
    matches!(flow.transport, Transport::Ws | Transport::Wss)
}

impl Core {
    /// What a leg that we place is to have; `None`: it cannot be placed, since its keys would go in the clear.
    pub(crate) fn protection_to(&mut self, media: Media, flow: &Flow) -> Option<Protection> {
        // A browser makes its keys by DTLS: none is told.
        let is_browser = is_browser(flow) && self.config.fingerprint.is_some();
        let may_be_told = is_browser || media.keys_in_clear || flow.transport.is_secure();
        let need = match media.encryption {
            Encryption::Required => may_be_told.then_some(Need::Required)?,
            Encryption::Optional if may_be_told => Need::Optional,
            Encryption::Optional | Encryption::Off => Need::Unasked,
        };
        let (keys, handshake) = (Some(self.new_keys()), self.new_handshake());
        Some(Protection { need, keys, handshake, is_browser })
    }

    /// What a leg is to have that is placed to us. Where encryption is required, keys that came in the clear are none.
    pub(crate) fn protection_from(&mut self, media: Media, flow: &Flow) -> Protection {
        let (need, are_told) = match media.encryption {
            Encryption::Required => (Need::Required, media.keys_in_clear || flow.transport.is_secure()),
            Encryption::Optional => (Need::Optional, true),
            Encryption::Off => (Need::Unasked, true),
        };
        let keys = are_told.then(|| self.new_keys());
        Protection { need, keys, handshake: self.new_handshake(), is_browser: is_browser(flow) }
    }

    fn new_handshake(&mut self) -> Option<LocalHandshake> {
        let fingerprint = self.config.fingerprint.clone()?;
        Some(LocalHandshake { fingerprint, ice: self.new_ice(), next_ice: None })
    }

    /// Credentials of ICE that nobody has had.
    pub(crate) fn new_ice(&mut self) -> LocalIce {
        let mut word = |length: usize| {
            let digits: String = (0..length).map(|_| format!("{:016x}", self.random.next())).collect();
            digits.into_boxed_str()
        };
        // 64 and 128 bits (RFC 8445 5.3 wants 24 and 128).
        LocalIce { ufrag: word(1), password: word(2) }
    }

    fn new_keys(&mut self) -> LocalKeys {
        LocalKeys::new(|bytes| self.random.fill(bytes))
    }
}

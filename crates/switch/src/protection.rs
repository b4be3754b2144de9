//! How much the media of a leg is to be encrypted, and by which keys.

use crate::core::Core;
use dialplan::{Config, Encryption, Media};
use events::Party;
use sdp::{LocalKeys, Need, Protection};
use sip::Flow;

/// The client's setting for its users, and for whom they call by URI; a trunk has its own.
pub(crate) fn media_of(plan: &Config, client: &str, party: &Party) -> Media {
    let trunk = match party {
        Party::Trunk(name) => plan.trunk(name).map(|trunk| trunk.media),
        Party::User(_) | Party::Uri => plan.client_named(client).map(|client| client.media),
    };
    trunk.unwrap_or_default()
}

impl Core {
    /// What a leg that we place is to have; `None`: it cannot be placed, since its keys would go in the clear.
    pub(crate) fn protection_to(&mut self, media: Media, flow: &Flow) -> Option<Protection> {
        let may_be_told = media.keys_in_clear || flow.transport.is_secure();
        let need = match media.encryption {
            Encryption::Required => may_be_told.then_some(Need::Required)?,
            Encryption::Optional if may_be_told => Need::Optional,
            Encryption::Optional | Encryption::Off => Need::Unasked,
        };
        Some(Protection { need, keys: Some(self.new_keys()) })
    }

    /// What a leg is to have that is placed to us. Where encryption is required, keys that came in the clear are none.
    pub(crate) fn protection_from(&mut self, media: Media, flow: &Flow) -> Protection {
        let (need, are_told) = match media.encryption {
            Encryption::Required => (Need::Required, media.keys_in_clear || flow.transport.is_secure()),
            Encryption::Optional => (Need::Optional, true),
            Encryption::Off => (Need::Unasked, true),
        };
        Protection { need, keys: are_told.then(|| self.new_keys()) }
    }

    fn new_keys(&mut self) -> LocalKeys {
        LocalKeys::new(|bytes| self.random.fill(bytes))
    }
}

//! DTLS-SRTP (RFC 5764) over rtc-dtls: keys from a handshake with the party whose fingerprint the signalling has told.
//!
//! Where rtc-dtls needs randomness it takes the system's; time is an argument.

use ring::digest::{SHA256, SHA384, SHA512, digest};
use rtc_dtls::config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType};
use rtc_dtls::crypto::Certificate;
use rtc_dtls::crypto_provider::{self, RTCCryptoProvider};
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;
use rtp::{DtlsRole, Fingerprint, Hash, MasterKey, SrtpKeys, Suite};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;
use thiserror::Error;

/// RFC 5764 4.2.
const EXPORTER: &str = "EXTRACTOR-dtls_srtp";

/// The library tells associations apart by address; ours has one, wherever ICE finds it.
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// Why a handshake came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DtlsError {
    /// Our certificate, or the system's randomness.
    #[error("DTLS cannot be served: {0}")]
    Local(String),
    /// What came was none that belongs to the handshake, or the peer's certificate is not the one that was told.
    #[error("the DTLS handshake failed: {0}")]
    Handshake(String),
    /// The handshake is through, but agreed on no protection of ours.
    #[error("the DTLS handshake agreed on no SRTP protection profile")]
    NoProfile,
    /// More has come than any handshake takes.
    #[error("the DTLS handshake was given up: more came of the peer than any takes")]
    TooMuch,
}

/// All that a peer may send of a handshake, repetitions included, and so all that is kept of it: the library below sets
/// no limit of its own to fragments and to records of keys to come. A browser's takes four KiB.
const MOST_BYTES: usize = 32 << 10;

/// Our certificate, with which every handshake is made.
#[derive(Clone)]
pub struct Identity {
    certificate: Certificate,
    fingerprint: Fingerprint,
    provider: Arc<dyn RTCCryptoProvider>,
}

/// One stream's association.
pub struct Dtls {
    endpoint: Endpoint,
    expected: Fingerprint,
    keys: Option<SrtpKeys>,
    /// Bytes that came of the peer.
    taken: usize,
}

impl Identity {
    /// A new certificate, self-signed: its fingerprint is what tells it from others.
    ///
    /// # Errors
    /// [`DtlsError::Local`].
    pub fn generate() -> Result<Self, DtlsError> {
        let local = |error: &dyn fmt::Display| DtlsError::Local(error.to_string());
        let provider = crypto_provider::default_provider().map_err(|error| local(&error))?;
        let names = vec!["ringdown".to_owned()];
        let certificate =
            Certificate::generate_self_signed(names, provider.crypto()).map_err(|error| local(&error))?;
        let first = certificate.certificate.first().ok_or_else(|| local(&"no certificate"))?;
        let fingerprint = Fingerprint { hash: Hash::Sha256, digest: digest(&SHA256, first).as_ref().into() };
        Ok(Self { certificate, fingerprint, provider })
    }

    /// What the peer has to be told of it.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }
}

impl fmt::Debug for Identity {
    /// Without the key: debug output ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

impl fmt::Debug for Dtls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dtls").field("is_complete", &self.keys.is_some()).finish_non_exhaustive()
    }
}

impl Dtls {
    /// An association with the party whose certificate has that fingerprint. As a client it begins at once.
    ///
    /// # Errors
    /// [`DtlsError::Local`].
    pub fn new(
        now: Instant,
        identity: &Identity,
        role: DtlsRole,
        expected: Fingerprint,
    ) -> Result<Self, DtlsError> {
        let local = |error: rtc_shared::error::Error| DtlsError::Local(error.to_string());
        let is_client = role == DtlsRole::Client;
        let config = ConfigBuilder::default()
            .with_crypto_provider(Arc::clone(&identity.provider))
            .with_certificates(vec![identity.certificate.clone()])
            .with_srtp_protection_profiles(vec![
                SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
                SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
                SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
                SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_32,
            ])
            .with_extended_master_secret(ExtendedMasterSecretType::Require)
            .with_client_auth(ClientAuthType::RequireAnyClientCert)
            // Nobody certifies a peer's certificate: it is known by its fingerprint, see `finish`.
            .with_insecure_skip_verify(true)
            .build(is_client, Some(PEER))
            .map_err(local)?;
        let config = Arc::new(config);
        let server = (!is_client).then(|| Arc::clone(&config));
        let mut endpoint = Endpoint::new(PEER, TransportProtocol::UDP, server);
        if is_client {
            endpoint.connect(now, PEER, config, None).map_err(local)?;
        }
        Ok(Self { endpoint, expected, keys: None, taken: 0 })
    }

    /// The keys, once the handshake is through.
    pub fn keys(&self) -> Option<&SrtpKeys> {
        self.keys.as_ref()
    }

    /// Takes a datagram of the peer's. What is no row of records is passed over (RFC 6347 section 4.1.2.7).
    ///
    /// # Errors
    /// [`DtlsError`]; keys that there are stay.
    pub fn receive(&mut self, now: Instant, datagram: &[u8]) -> Result<(), DtlsError> {
        if !is_whole(datagram) {
            return Ok(());
        }
        self.taken = self.taken.saturating_add(datagram.len());
        if self.taken > MOST_BYTES {
            return if self.keys.is_some() { Ok(()) } else { Err(DtlsError::TooMuch) };
        }
        let read = self.endpoint.read(now, PEER, None, datagram.into());
        let events = read.map_err(|error| DtlsError::Handshake(error.to_string()))?;
        if self.keys.is_none() && events.iter().any(|event| matches!(event, EndpointEvent::HandshakeComplete))
        {
            self.keys = Some(self.finish()?);
        }
        Ok(())
    }

    /// Repeats what seems to be lost.
    ///
    /// # Errors
    /// [`DtlsError::Handshake`] once it has been repeated often enough.
    pub fn on_time(&mut self, now: Instant) -> Result<(), DtlsError> {
        if self.endpoint.poll_timeout(&PEER).is_none_or(|at| at > now) {
            return Ok(());
        }
        self.endpoint.handle_timeout(PEER, now).map_err(|error| DtlsError::Handshake(error.to_string()))
    }

    /// The next datagram for the peer.
    pub fn next_datagram(&mut self) -> Option<impl AsRef<[u8]> + use<>> {
        self.endpoint.poll_transmit().map(|transmit| transmit.message)
    }

    fn finish(&self) -> Result<SrtpKeys, DtlsError> {
        let state = self.endpoint.get_connection_state(PEER);
        let state = state.ok_or_else(|| DtlsError::Handshake("it is closed".into()))?;
        let is_expected = state.peer_certificates.first().is_some_and(|der| is_of(&self.expected, der));
        if !is_expected {
            return Err(DtlsError::Handshake("the certificate is not the one of the fingerprint".into()));
        }
        let suite = suite(state.srtp_protection_profile()).ok_or(DtlsError::NoProfile)?;
        let (key, salt) = (suite.key_len(), suite.salt_len());
        let material = state.export_keying_material(EXPORTER, &[], 2 * (key + salt));
        let material = material.map_err(|error| DtlsError::Handshake(error.to_string()))?;
        // Keys of client and server, then their salts (RFC 5764 4.2).
        let (keys, salts) = material.as_ref().split_at(2 * key);
        let master = |half: usize| {
            let keying = [&keys[half * key..][..key], &salts[half * salt..][..salt]].concat();
            MasterKey::new(suite, &keying).ok_or(DtlsError::NoProfile)
        };
        let (client, server) = (master(0)?, master(1)?);
        Ok(match state.is_client() {
            true => SrtpKeys { receive: server, send: client },
            false => SrtpKeys { receive: client, send: server },
        })
    }
}

fn suite(profile: SrtpProtectionProfile) -> Option<Suite> {
    match profile {
        SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80 => Some(Suite::AesCm128Sha1Tag80),
        SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_32 => Some(Suite::AesCm128Sha1Tag32),
        SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm => Some(Suite::AeadAes128Gcm),
        SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm => Some(Suite::AeadAes256Gcm),
        _ => None,
    }
}

fn is_of(fingerprint: &Fingerprint, certificate: &[u8]) -> bool {
    let algorithm = match fingerprint.hash {
        Hash::Sha256 => &SHA256,
        Hash::Sha384 => &SHA384,
        Hash::Sha512 => &SHA512,
    };
    digest(algorithm, certificate).as_ref() == &*fingerprint.digest
}

/// Whether a datagram is one record or more, each as long as it says (RFC 6347 section 4.1).
fn is_whole(mut datagram: &[u8]) -> bool {
    const HEADER: usize = 13;
    loop {
        let [20..=25, 0xFE, ..] = datagram else { return false };
        let Some(length) = datagram.get(HEADER - 2..HEADER) else { return false };
        let end = HEADER + usize::from(u16::from_be_bytes([length[0], length[1]]));
        match datagram.get(end..) {
            Some([]) => return true,
            Some(rest) => datagram = rest,
            None => return false,
        }
    }
}

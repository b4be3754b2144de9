//! What a browser's description says: keys by DTLS (RFC 5763, RFC 8122), addresses by ICE (RFC 8839).

use crate::SdpError;
use rtp::{DtlsParameters, DtlsRole, Fingerprint, IceCredentials, Security};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;

/// The lengths of `ice-ufrag` and `ice-pwd` (RFC 8839 5.4).
const UFRAG: std::ops::RangeInclusive<usize> = 4..=256;
const PASSWORD: std::ops::RangeInclusive<usize> = 22..=256;
/// The longest name of a section that is echoed.
const MAX_MID: usize = 64;

/// The attributes of a section, or of the session for all its sections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handshake<'a> {
    /// The section's name (RFC 9143).
    pub mid: Option<Cow<'a, str>>,
    /// Of the writer's certificate, the first that is read.
    pub fingerprint: Option<Fingerprint>,
    /// Who begins the handshake.
    pub setup: Option<Setup>,
    /// The writer's name in checks.
    pub ufrag: Option<Cow<'a, str>>,
    /// Under which checks of the writer's peer are signed.
    pub password: Option<Cow<'a, str>>,
    /// Where the writer receives. The peer's are not read: a lite agent waits for their checks.
    pub candidate: Option<SocketAddr>,
}

/// The value of `a=setup` (RFC 4145 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Setup {
    /// Either; only in offers.
    ActPass,
    /// The writer begins.
    Active,
    /// The other begins.
    Passive,
}

/// What our own descriptions say of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalHandshake {
    /// Of the node's certificate.
    pub fingerprint: Fingerprint,
    /// By what the peer's checks are ours.
    pub ice: LocalIce,
    /// What takes its place when the peer restarts ICE; `None`: it stays.
    #[serde(default)]
    pub next_ice: Option<LocalIce>,
}

/// Our credentials until ICE is restarted (RFC 8839 5.4).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalIce {
    /// Our name in checks.
    pub ufrag: Box<str>,
    /// Under which the peer signs its checks.
    pub password: Box<str>,
}

/// What our section has of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Terms {
    mid: Option<Box<str>>,
    setup: Setup,
    pub(crate) ice: LocalIce,
}

impl Setup {
    const ALL: [(Self, &'static str); 3] =
        [(Self::ActPass, "actpass"), (Self::Active, "active"), (Self::Passive, "passive")];
}

impl fmt::Debug for LocalIce {
    /// Without the password: debug output ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalIce").field("ufrag", &self.ufrag).finish_non_exhaustive()
    }
}

impl<'a> Handshake<'a> {
    /// Reads an attribute; whether it is one of these.
    pub(crate) fn read(&mut self, name: &str, value: &'a str) -> bool {
        let value = value.trim();
        let word = |lengths: std::ops::RangeInclusive<usize>| {
            let fits = lengths.contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic());
            fits.then_some(Cow::Borrowed(value))
        };
        match name {
            "mid" => self.mid = word(1..=MAX_MID),
            "fingerprint" => self.fingerprint = self.fingerprint.take().or_else(|| value.parse().ok()),
            "setup" => {
                self.setup = Setup::ALL.iter().find(|(_, name)| *name == value).map(|(setup, _)| *setup);
            }
            "ice-ufrag" => self.ufrag = word(UFRAG),
            "ice-pwd" => self.password = word(PASSWORD),
            _ => return false,
        }
        true
    }
}

/// What we take of an offer's section, or of an answer's; what it does not say itself the session says. `before`: what was
/// agreed so far. A peer that has another name than there restarts ICE (RFC 8839 4.4.1.1.1), so that we do, too.
pub(crate) fn take(
    local: Option<&LocalHandshake>,
    before: &Security,
    session: &Handshake<'_>,
    section: &Handshake<'_>,
) -> Result<(Terms, Security), SdpError> {
    let local = local.ok_or(SdpError::NoHandshake)?;
    let told = section.fingerprint.as_ref().or(session.fingerprint.as_ref());
    let ufrag = section.ufrag.as_ref().or(session.ufrag.as_ref());
    let (Some(fingerprint), Some(ufrag)) = (told, ufrag) else { return Err(SdpError::NoHandshake) };
    // RFC 5763 5: the answerer should begin, but a lite agent is the one that can be reached.
    let (role, setup) = match section.setup.or(session.setup) {
        Some(Setup::Passive) => (DtlsRole::Client, Setup::Active),
        Some(Setup::Active | Setup::ActPass) => (DtlsRole::Server, Setup::Passive),
        None => return Err(SdpError::NoHandshake),
    };
    let is_restart = matches!(before, Security::Dtls(before) if *before.ice.remote_ufrag != **ufrag);
    let ours = local.next_ice.as_ref().filter(|_| is_restart).unwrap_or(&local.ice);
    let ice = IceCredentials {
        local_ufrag: ours.ufrag.clone(),
        local_password: ours.password.clone(),
        remote_ufrag: ufrag.as_ref().into(),
    };
    let parameters = DtlsParameters { role, fingerprint: fingerprint.clone(), ice };
    let mid = section.mid.as_deref().map(Into::into);
    let terms = Terms { mid, setup, ice: ours.clone() };
    Ok((terms, Security::Dtls(Box::new(parameters))))
}

impl Terms {
    /// Of the first offer.
    pub(crate) fn first(local: &LocalHandshake) -> Self {
        Self { mid: Some("0".into()), setup: Setup::ActPass, ice: local.ice.clone() }
    }

    /// Of a later one.
    pub(crate) fn offered_again(self) -> Self {
        Self { setup: Setup::ActPass, ..self }
    }

    /// Our section's attributes, but for the candidate.
    pub(crate) fn write<'t>(&'t self, local: &'t LocalHandshake) -> Handshake<'t> {
        Handshake {
            mid: self.mid.as_deref().map(Cow::Borrowed),
            fingerprint: Some(local.fingerprint.clone()),
            setup: Some(self.setup),
            ufrag: Some(Cow::Borrowed(&self.ice.ufrag)),
            password: Some(Cow::Borrowed(&self.ice.password)),
            candidate: None,
        }
    }
}

impl fmt::Display for Handshake<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = [("mid", &self.mid), ("ice-ufrag", &self.ufrag), ("ice-pwd", &self.password)];
        for (name, value) in text {
            value.as_ref().map_or(Ok(()), |value| write!(f, "a={name}:{value}\r\n"))?;
        }
        if let Some(fingerprint) = &self.fingerprint {
            write!(f, "a=fingerprint:{fingerprint}\r\n")?;
        }
        if let Some((_, name)) = Setup::ALL.iter().find(|(setup, _)| Some(*setup) == self.setup) {
            write!(f, "a=setup:{name}\r\n")?;
        }
        if let Some(candidate) = self.candidate {
            // The only one, so that its priority is that of a host's first (RFC 8445 5.1.2.1).
            let (ip, port) = (candidate.ip(), candidate.port());
            f.write_str("a=ice-options:trickle\r\n")?;
            write!(f, "a=candidate:1 1 UDP 2130706431 {ip} {port} typ host\r\na=end-of-candidates\r\n")?;
        }
        Ok(())
    }
}

//! A peer that is found by ICE and makes its keys by DTLS.

use super::Surroundings;
use super::leg::Leg;
use clock::{Duration, Time};
use rtp::control::{Event, Setup};
use rtp::{DtlsParameters, IceCredentials, Security};
use secure::{Answer, Dtls, DtlsError, IceLite, Identity};
use std::net::SocketAddr;
use std::time::Instant;

/// For how long nothing need come of a browser that sends media: so many packets in a row are not lost by chance.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// The same while it sends none. It checks its path some seconds apart (RFC 7675 section 5.1: 4 to 6).
const PATIENCE_WITHOUT_MEDIA: Duration = Duration::from_secs(8);

/// What a datagram is by its first byte (RFC 7983 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A message of ICE.
    Stun,
    /// A record of the handshake.
    Dtls,
    /// RTP or RTCP, protected or not.
    Media,
    /// Nothing of ours.
    Other,
}

impl Kind {
    pub(super) fn of(datagram: &[u8]) -> Self {
        match datagram.first() {
            Some(0..=3) => Self::Stun,
            Some(20..=63) => Self::Dtls,
            Some(128..=191) => Self::Media,
            _ => Self::Other,
        }
    }
}

/// The peer of a stream.
#[derive(Debug)]
pub(super) struct Browser {
    agreed: DtlsParameters,
    ice: IceLite,
    /// The agent of before a restart, until its peer consents no more: what was agreed goes on until checks with the new
    /// credentials have come (RFC 8445 9).
    former: Option<IceLite>,
    /// `None` once it has failed: the stream stays without keys.
    dtls: Option<Dtls>,
    /// Where it is sent to; `None` while nobody has consented.
    target: Option<SocketAddr>,
    has_keys: bool,
    /// When something of it has come last; `None` until then.
    seen: Option<Time>,
    /// Whether nothing comes any more.
    lost: bool,
}

impl Browser {
    /// Begins with a peer. The cause if the system has no randomness.
    pub(super) fn new(now: Instant, identity: &Identity, agreed: DtlsParameters) -> Result<Self, String> {
        let ice = agent(&agreed.ice);
        let dtls = Dtls::new(now, identity, agreed.role, agreed.fingerprint.clone());
        let dtls = Some(dtls.map_err(|error| error.to_string())?);
        Ok(Self { ice, former: None, dtls, agreed, target: None, has_keys: false, seen: None, lost: false })
    }

    /// Goes on after an ICE restart: the handshake is that between the same parties (RFC 8842 5.1). What nobody has checked
    /// yet is no pair to go on by.
    fn restart(&mut self, now: Time, agreed: DtlsParameters) {
        let before = std::mem::replace(&mut self.ice, agent(&agreed.ice));
        if before.target(now).is_some() {
            self.former = Some(before);
        }
        self.agreed = agreed;
    }

    /// The answer to a check, also to one for the pair of before a restart: by those its peer goes on consenting.
    fn check(&mut self, now: Time, from: SocketAddr, datagram: &[u8]) -> Option<Answer> {
        let of_now = self.ice.check(now, from, datagram);
        of_now.or_else(|| self.former.as_mut()?.check(now, from, datagram))
    }

    /// Whether the peer has proved to be at that address.
    fn is_at(&self, address: SocketAddr) -> bool {
        let agents = [Some(&self.ice), self.former.as_ref()];
        agents.into_iter().flatten().any(|agent| agent.is_verified(address))
    }

    /// Where the peer wants to be sent to, if it has consented.
    fn find_target(&mut self, now: Time) -> Option<SocketAddr> {
        let former = self.former.as_ref().and_then(|former| former.target(now));
        self.former.take_if(|_| former.is_none());
        self.ice.target(now).or(former)
    }

    /// Something of it has come; whether it was lost until now.
    fn see(&mut self, now: Time) -> bool {
        self.seen = Some(now);
        std::mem::take(&mut self.lost)
    }

    /// Whether it is lost from now on.
    fn miss(&mut self, now: Time, patience: Duration) -> bool {
        let is_gone = self.seen.is_some_and(|seen| now.since(seen) >= patience);
        is_gone && !std::mem::replace(&mut self.lost, true)
    }

    fn is_with(&self, agreed: &DtlsParameters) -> bool {
        self.agreed.role == agreed.role && self.agreed.fingerprint == agreed.fingerprint
    }

    /// Whether it may be sent to (RFC 7675).
    pub(super) const fn consents(&self) -> bool {
        self.target.is_some()
    }

    /// Takes a record of the handshake. Who has keys keeps them, whatever comes.
    fn shake(&mut self, now: Instant, record: &[u8]) -> Result<(), DtlsError> {
        let Some(dtls) = &mut self.dtls else { return Ok(()) };
        let taken = dtls.receive(now, record);
        if taken.is_err() && dtls.keys().is_none() {
            self.dtls = None;
            return taken;
        }
        Ok(())
    }

    /// Repeats what seems to be lost of the handshake.
    fn on_time(&mut self, now: Instant) {
        if self.dtls.as_mut().is_some_and(|dtls| dtls.on_time(now).is_err() && dtls.keys().is_none()) {
            self.dtls = None;
        }
    }

    fn next_record(&mut self) -> Option<impl AsRef<[u8]> + use<>> {
        self.dtls.as_mut()?.next_datagram()
    }
}

fn agent(ice: &IceCredentials) -> IceLite {
    IceLite::new(&ice.local_ufrag, &ice.local_password, &ice.remote_ufrag)
}

impl Leg {
    /// Begins with a browser, or goes on with it, if what was agreed is for one.
    pub(super) fn meet(&mut self, now: Time, setup: &mut Setup, around: &Surroundings) {
        let Security::Dtls(agreed) = &setup.security else {
            self.browser = None;
            return;
        };
        if let Some(browser) = self.browser.as_mut().filter(|browser| browser.is_with(agreed)) {
            // An agreement is a sign of life, too, and may be about media that did not flow before.
            browser.seen = browser.seen.map(|_| now);
            if browser.agreed.ice != agreed.ice {
                browser.restart(now, (**agreed).clone());
            }
            setup.remote = browser.target.or(setup.remote);
            return;
        }
        self.protection.forget();
        let identity =
            around.identity.as_ref().ok_or_else(|| "this node has no certificate for it".to_owned());
        let begun = identity.and_then(|it| Browser::new(around.clock.instant(now), it, (**agreed).clone()));
        self.browser = begun.map(Box::new).map_err(|cause| self.complain(&cause, around)).ok();
    }

    /// Whether a datagram is media of the browser. Checks are answered, and what is of the handshake is taken from where a
    /// check has come from alone (CVE-2023-49786 and its kin).
    pub(super) fn is_media(
        &mut self,
        now: Time,
        from: SocketAddr,
        datagram: &[u8],
        around: &Surroundings,
    ) -> bool {
        let Some(browser) = &mut self.browser else { return true };
        let kind = Kind::of(datagram);
        if kind == Kind::Stun {
            if let Some(answer) = browser.check(now, from, datagram) {
                let is_back = browser.see(now);
                self.send_to(answer.as_bytes(), from);
                self.tell_back(is_back, around);
                self.follow(now);
            }
            return false;
        }
        if !browser.is_at(from) {
            self.protection.refuse();
            return false;
        }
        let is_back = browser.see(now);
        if kind == Kind::Dtls {
            if let Err(error) = browser.shake(around.clock.instant(now), datagram) {
                self.complain(&error.to_string(), around);
            }
            self.go_on_shaking();
        }
        self.tell_back(is_back, around);
        kind == Kind::Media
    }

    fn tell_back(&self, is_back: bool, around: &Surroundings) {
        if is_back {
            around.tell(Event::Back { stream: self.id });
        }
    }

    /// What is due of the handshake, and whether anything comes of it; whether it has just ceased to consent.
    pub(super) fn keep_browser(&mut self, now: Time, expects_media: bool, around: &Surroundings) -> bool {
        let Some(browser) = &mut self.browser else { return false };
        let consented = browser.consents();
        browser.on_time(around.clock.instant(now));
        let patience = if expects_media { PATIENCE } else { PATIENCE_WITHOUT_MEDIA };
        if browser.miss(now, patience) {
            around.tell(Event::Lost { stream: self.id });
        }
        self.follow(now);
        consented && self.browser.as_ref().is_some_and(|browser| !browser.consents())
    }

    /// Goes where the browser wants to be sent to.
    fn follow(&mut self, now: Time) {
        let Some(browser) = &mut self.browser else { return };
        let target = browser.find_target(now);
        if target != std::mem::replace(&mut browser.target, target)
            && let (Some(target), Some(setup)) = (target, self.rtp.setup())
        {
            // A browser has RTCP on the same port.
            let rtcp = setup.rtcp.map(|_| target);
            let setup = Setup { remote: Some(target), rtcp, ..setup.clone() };
            self.rtp.apply(now, setup);
        }
        self.go_on_shaking();
    }

    /// Sends what the handshake has to say, and takes its keys once it is through.
    fn go_on_shaking(&mut self) {
        let Some(browser) = &mut self.browser else { return };
        let Some(target) = browser.target else { return };
        if let Some(keys) = browser.dtls.as_ref().and_then(Dtls::keys).filter(|_| !browser.has_keys) {
            self.protection.take(keys);
            browser.has_keys = true;
        }
        while let Some(record) = self.browser.as_mut().and_then(|browser| browser.next_record()) {
            self.send_to(record.as_ref(), target);
        }
    }

    fn complain(&self, cause: &str, around: &Surroundings) {
        around.tell(Event::Alarm(format!("stream {} has no keys: {cause}", self.id.0)));
    }
}

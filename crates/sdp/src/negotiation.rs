use crate::crypto::{self, Ours, Pair, Protection};
use crate::description::{Description, LocalFormat, Profile};
use crate::session::{Format, Formats, Media, Origin, Session};
use crate::{Capability, Direction, Handshake, LocalIce, SdpError, T38, handshake};
use rtp::Security;
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// One audio section with two codecs and telephone-event takes about 280 bytes.
const USUAL_LENGTH: usize = 320;

/// What offer/answer settled for the audio, or for the fax that has its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed {
    /// Where the peer wants its RTP or UDPTL. `None` if it wants none: `c=0.0.0.0` (RFC 2543 hold) or port 0.
    pub remote: Option<SocketAddr>,
    /// Where the peer wants its RTCP; the same as `remote` with rtcp-mux (RFC 5761).
    pub remote_rtcp: Option<SocketAddr>,
    /// The common codecs, the peer's favourite first; never empty, never telephone-event. While there is fax, those of the
    /// audio before it.
    pub formats: Vec<AgreedFormat>,
    /// Telephone-event: that at the clock rate of the first codec, if both have it, else any that both have.
    pub telephone_event: Option<AgreedFormat>,
    /// What the peer asks of the first codec: its `a=fmtp`.
    pub fmtp: Option<Box<str>>,
    /// Milliseconds a packet that the peer wants to receive, if it says.
    pub ptime: Option<u8>,
    /// What we may do: send, receive, both or neither.
    pub direction: Direction,
    /// How the media is protected.
    pub security: Security,
    /// What the peer says of T.38, if that is spoken rather than audio.
    #[serde(default)]
    pub t38: Option<Box<T38>>,
}

/// A format that both sides have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreedFormat {
    /// Which of our capabilities.
    pub capability: usize,
    /// The payload type that the peer expects from us.
    pub send_type: u8,
    /// The payload type that we expect from the peer.
    pub receive_type: u8,
}

/// One leg's side of offer/answer (RFC 3264).
///
/// A step that fails leaves the state as it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Negotiation {
    capabilities: Arc<[Capability]>,
    address: IpAddr,
    port: u16,
    session_id: u64,
    /// The capability that is taken rather than the peer's favourite, if the peer has it.
    preferred: Option<usize>,
    protection: Option<Box<Protection>>,
    /// The version in the `o=` line that was written last.
    version: u64,
    /// Our last description, if the peer has refused it: it has used up its version, although nothing came of it.
    refused: Option<Box<Description>>,
    state: State,
}

/// A remote offer is answered in the same step, so it is never a state to stay in.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum State {
    Idle,
    LocalOffer { offer: Description, before: Option<Box<Stable>> },
    Stable(Stable),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stable {
    local: Description,
    agreed: Agreed,
    offerer: Offerer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Offerer {
    Local,
    Remote,
}

/// The section of an offer that we take.
struct Choice {
    index: usize,
    profile: Profile,
    common: Common,
    pair: Option<Pair>,
}

/// What both sides have.
struct Common {
    codecs: Vec<AgreedFormat>,
    telephone_event: Option<AgreedFormat>,
    fmtp: Option<Box<str>>,
}

/// What the peer says of its audio.
struct Remote {
    rtp: Option<SocketAddr>,
    rtcp: Option<SocketAddr>,
    ptime: Option<u8>,
    direction: Direction,
}

impl Negotiation {
    /// A leg that receives at `address` and `port` and speaks `capabilities`, the best first.
    /// `session_id` tells our descriptions from those of other sessions.
    pub fn new(capabilities: Arc<[Capability]>, address: IpAddr, port: u16, session_id: u64) -> Self {
        Self {
            capabilities,
            address,
            port,
            session_id,
            preferred: None,
            protection: None,
            version: 1,
            refused: None,
            state: State::Idle,
        }
    }

    /// What our side speaks, by the index of [`AgreedFormat::capability`].
    pub fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    /// Answers an offer again whose answer was not sent yet, this time with `preferred` rather than the peer's
    /// favourite.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub fn answer_instead(
        &mut self,
        offer: &[u8],
        wanted: Direction,
        preferred: usize,
    ) -> Result<(String, Agreed), SdpError> {
        let capabilities = Arc::clone(&self.capabilities);
        let fresh = Self::new(capabilities, self.address, self.port, self.session_id);
        let protection = self.protection.clone();
        let mut other = Self { preferred: Some(preferred), protection, ..fresh };
        let answered = other.answer(offer, wanted)?;
        *self = other;
        Ok(answered)
    }

    /// The same leg with encryption. Without it there is none, neither offered nor answered.
    pub fn protected(self, protection: Protection) -> Self {
        Self { protection: Some(Box::new(protection)), ..self }
    }

    /// Credentials to be taken when the peer restarts ICE, which it may do in any offer but its first. `None` asks for them: they
    /// are used up, or there never were any.
    pub fn next_ice(&mut self) -> Option<&mut Option<LocalIce>> {
        Some(&mut self.protection.as_mut()?.handshake.as_mut()?.next_ice)
    }

    /// Our offer, with every capability, those agreed on before first; or of fax, while that is agreed on. Made again before
    /// an answer came (another target, a digest challenge) it replaces the unanswered one.
    pub fn offer(&mut self, direction: Direction) -> String {
        let said = match &self.state {
            State::Stable(stable) => stable.local.t38().cloned(),
            State::LocalOffer { before, .. } => before.as_ref().and_then(|it| it.local.t38().cloned()),
            State::Idle => None,
        };
        match said.and_then(|said| self.offer_fax(said, direction)) {
            Some(text) => text,
            None => self.offer_audio(direction),
        }
    }

    /// Our offer of audio, also in the place of fax.
    pub fn offer_audio(&mut self, direction: Direction) -> String {
        let (before, last) = self.take_stable();
        let protection = self.protection.as_deref();
        let offer = match &before {
            Some(stable) => stable.local.next_offer(&self.capabilities, protection, direction),
            None => Description::first_offer(&self.capabilities, protection, direction),
        };
        self.make_offer(offer, before, last)
    }

    /// Our offer of fax in the place of the audio, with what another party has said of it; `None` if there is none whose
    /// place it could take.
    pub fn offer_fax(&mut self, t38: T38, direction: Direction) -> Option<String> {
        if !self.can_fax() {
            return None;
        }
        let (before, last) = self.take_stable();
        let offer = before.as_ref().and_then(|stable| stable.local.fax_offer(t38, direction));
        match (offer, before) {
            (Some(offer), before) => Some(self.make_offer(offer, before, last)),
            (None, before) => {
                self.state = before.map_or(State::Idle, |stable| State::Stable(*stable));
                None
            }
        }
    }

    /// What was agreed last, and our description that was written last.
    fn take_stable(&mut self) -> (Option<Box<Stable>>, Option<Description>) {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => (None, None),
            State::LocalOffer { offer, before } => (before, Some(offer)),
            State::Stable(stable) => {
                let last = stable.local.clone();
                (Some(Box::new(stable)), Some(last))
            }
        }
    }

    fn make_offer(
        &mut self,
        offer: Description,
        before: Option<Box<Stable>>,
        last: Option<Description>,
    ) -> String {
        let last = self.refused.take().map(|refused| *refused).or(last);
        self.version += u64::from(last.is_some_and(|last| last != offer));
        let text = self.write(&offer);
        self.state = State::LocalOffer { offer, before };
        text
    }

    /// Answers an offer: what to send back, and what it settles. The first audio with a common
    /// codec is taken and all other media refused; nothing that was not offered is answered.
    /// `wanted` is what we would like to do; the offer may allow less. Audio that is offered with
    /// port 0 is agreed on as [`Direction::Inactive`], without a remote. While there is fax it goes on, if the offer has it.
    ///
    /// # Errors
    /// [`SdpError::OfferPending`] while our own offer is unanswered, and whatever makes the offer
    /// unusable.
    pub fn answer(&mut self, offer: &[u8], wanted: Direction) -> Result<(String, Agreed), SdpError> {
        let said = match &self.state {
            State::Idle => None,
            State::Stable(stable) => stable.local.t38().cloned(),
            State::LocalOffer { .. } => return Err(SdpError::OfferPending),
        };
        let offer = Session::parse(offer)?;
        if let (Some(said), Some(_)) = (said, fax_of(&offer)) {
            return self.take_fax(&offer, said, wanted);
        }
        let choice = self.choose(&offer)?;
        let media = &offer.media[choice.index];
        let remote = Remote::of(&offer, media)?;
        let (ours, security) = match choice.pair {
            Some(Pair { ours, security }) => (Some(ours), security),
            // What is switched off is not in the clear.
            None => (None, self.security_so_far()),
        };
        let agreed = remote.agree(choice.common, wanted, security);
        let taken = (media.port != 0).then_some((choice.index, choice.profile));
        let local = Description::answer(&offer, taken, agreed.local_formats(), ours, agreed.direction);
        Ok(self.settle(local, agreed))
    }

    /// What an offer says of fax, if it asks for that in the place of the audio.
    pub fn fax_asked(&self, offer: &[u8]) -> Option<T38> {
        self.agreed().filter(|agreed| agreed.t38.is_none())?;
        let offer = Session::parse(offer).ok()?;
        fax_of(&offer).and_then(|(_, media)| media.t38.as_deref().cloned())
    }

    /// Whether fax may take the place of what is agreed on: not of what is encrypted, since UDPTL is not.
    pub fn can_fax(&self) -> bool {
        self.agreed().is_some_and(|agreed| agreed.security == Security::Plain)
    }

    /// Answers an offer of fax with what another party has said of it; all else that is offered is refused.
    ///
    /// # Errors
    /// As [`answer`](Self::answer), and [`SdpError::NoFax`].
    pub fn answer_fax(
        &mut self,
        offer: &[u8],
        t38: T38,
        wanted: Direction,
    ) -> Result<(String, Agreed), SdpError> {
        if self.is_offering() {
            return Err(SdpError::OfferPending);
        }
        self.take_fax(&Session::parse(offer)?, t38, wanted)
    }

    fn take_fax(
        &mut self,
        offer: &Session<'_>,
        t38: T38,
        wanted: Direction,
    ) -> Result<(String, Agreed), SdpError> {
        let State::Stable(stable) = &self.state else { return Err(SdpError::NoFax) };
        let (index, media) = fax_of(offer).filter(|_| self.can_fax()).ok_or(SdpError::NoFax)?;
        let agreed = Remote::of(offer, media)?.agree_on_fax(&stable.agreed, wanted, media.t38.clone());
        let local = stable.local.fax_answer(offer, index, t38, agreed.direction);
        Ok(self.settle(local, agreed))
    }

    /// An offer of the peer's is answered by `local`.
    fn settle(&mut self, local: Description, agreed: Agreed) -> (String, Agreed) {
        let before = match &self.state {
            State::Stable(stable) => Some(&stable.local),
            State::Idle | State::LocalOffer { .. } => None,
        };
        let last = self.refused.as_deref().or(before);
        self.version += u64::from(last.is_some_and(|last| *last != local));
        self.refused = None;
        self.restart_ice(&local);
        let text = self.write(&local);
        self.state = State::Stable(Stable { local, agreed: agreed.clone(), offerer: Offerer::Remote });
        (text, agreed)
    }

    /// Takes the answer to our offer. Another answer to the same offer (a forked call's other
    /// branch, a 200 after a 183) replaces the first.
    ///
    /// # Errors
    /// [`SdpError::UnexpectedAnswer`] without an offer of ours, and whatever makes the answer
    /// unusable.
    pub fn receive_answer(&mut self, answer: &[u8]) -> Result<Agreed, SdpError> {
        let offer = match &self.state {
            State::LocalOffer { offer, .. } => offer,
            State::Stable(Stable { local, offerer: Offerer::Local, .. }) => local,
            State::Stable(_) | State::Idle => return Err(SdpError::UnexpectedAnswer),
        };
        let answer = Session::parse(answer)?;
        if let Some(index) = offer.fax() {
            let agreed = self.fax_answered(&answer, index, offer.direction)?;
            let local = offer.clone();
            self.state = State::Stable(Stable { local, agreed: agreed.clone(), offerer: Offerer::Local });
            return Ok(agreed);
        }
        let media = offer.audio().and_then(|index| answer.media.get(index)).ok_or(SdpError::NoAudio)?;
        Profile::of(media).ok_or(SdpError::NoAudio)?;
        let security = self.security_of_answer(offer, &answer, media)?;
        let common = self.common(media, |format| {
            let capability =
                self.capability_of(format).or_else(|| offer.capability_of(format.payload_type))?;
            let receive_type = offer.payload_type_of(capability)?;
            Some(AgreedFormat { capability, send_type: format.payload_type, receive_type })
        });
        let common = common.ok_or(SdpError::NoCommonCodec)?;
        let agreed = Remote::of(&answer, media)?.agree(common, offer.direction, security);
        let local = offer.clone();
        self.state = State::Stable(Stable { local, agreed: agreed.clone(), offerer: Offerer::Local });
        Ok(agreed)
    }

    /// What the answer to our offer of fax settles.
    fn fax_answered(
        &self,
        answer: &Session<'_>,
        index: usize,
        direction: Direction,
    ) -> Result<Agreed, SdpError> {
        let is_on = |media: &&Media<'_>| media.t38.is_some() && media.port != 0;
        let media = answer.media.get(index).filter(is_on).ok_or(SdpError::NoFax)?;
        let before = self.agreed().ok_or(SdpError::NoFax)?;
        Ok(Remote::of(answer, media)?.agree_on_fax(before, direction, media.t38.clone()))
    }

    /// Our offer was refused: what was agreed before it stands (RFC 6337 3.4).
    pub fn rollback(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Idle) {
            State::LocalOffer { offer, before } => {
                self.refused = Some(Box::new(offer));
                before.map_or(State::Idle, |stable| State::Stable(*stable))
            }
            other => other,
        };
    }

    /// Whether an offer of ours waits for its answer.
    pub fn is_offering(&self) -> bool {
        matches!(self.state, State::LocalOffer { .. })
    }

    /// What is agreed; while an offer of ours is unanswered, what was agreed before it.
    pub fn agreed(&self) -> Option<&Agreed> {
        match &self.state {
            State::Idle => None,
            State::LocalOffer { before, .. } => before.as_ref().map(|stable| &stable.agreed),
            State::Stable(stable) => Some(&stable.agreed),
        }
    }

    /// The section of an offer to take: audio that is switched on rather than off by port 0.
    fn choose(&self, offer: &Session<'_>) -> Result<Choice, SdpError> {
        let mut error = SdpError::NoAudio;
        let mut switched_off = None;
        for (index, media) in offer.media.iter().enumerate() {
            let Some(profile) = Profile::of(media) else { continue };
            let common = self.common(media, |format| {
                let capability = self.capability_of(format)?;
                let number = format.payload_type;
                Some(AgreedFormat { capability, send_type: number, receive_type: number })
            });
            let pair = self.take(profile, offer, media);
            match (common, pair) {
                (Some(common), Ok(pair)) if media.port != 0 => {
                    return Ok(Choice { index, profile, common, pair });
                }
                (Some(common), Ok(pair)) => {
                    switched_off = switched_off.or(Some(Choice { index, profile, common, pair }));
                }
                (None, _) => error = SdpError::NoCommonCodec,
                (_, Err(unprotected)) => error = unprotected,
            }
        }
        switched_off.ok_or(error)
    }

    /// What protects a section of an offer, and what ours says of it; `None`: it stays in the clear.
    fn take(
        &self,
        profile: Profile,
        offer: &Session<'_>,
        media: &Media<'_>,
    ) -> Result<Option<Pair>, SdpError> {
        if profile != Profile::Dtls {
            return crypto::take(self.protection.as_deref(), profile.is_secure(), &media.crypto);
        }
        let before = self.security_so_far();
        let taken = handshake::take(self.local_handshake(), &before, &offer.handshake, &media.handshake);
        taken.map(|(terms, security)| Some(Pair { ours: Ours::Handshake(terms), security }))
    }

    /// The credentials that a description of ours has are those from now on.
    fn restart_ice(&mut self, local: &Description) {
        let handshake = self.protection.as_mut().and_then(|protection| protection.handshake.as_mut());
        if let (Some(handshake), Some(terms)) = (handshake, &local.handshake)
            && handshake.ice != terms.ice
        {
            (handshake.ice, handshake.next_ice) = (terms.ice.clone(), None);
        }
    }

    fn local_handshake(&self) -> Option<&handshake::LocalHandshake> {
        self.protection.as_ref()?.handshake.as_ref()
    }

    fn security_so_far(&self) -> Security {
        self.agreed().map_or(Security::Plain, |agreed| agreed.security.clone())
    }

    /// How the audio of an answer is protected. What was encrypted before our offer stays so.
    fn security_of_answer(
        &self,
        offer: &Description,
        answer: &Session<'_>,
        media: &Media<'_>,
    ) -> Result<Security, SdpError> {
        if media.port == 0 {
            return Ok(self.security_so_far());
        }
        if offer.handshake.is_some() {
            // An answer restarts nothing (RFC 8839 4.4.1.1.1).
            let (local, none) = (self.local_handshake(), Security::Plain);
            return Ok(handshake::take(local, &none, &answer.handshake, &media.handshake)?.1);
        }
        let before = match &self.state {
            State::LocalOffer { before, .. } => before.as_deref(),
            State::Idle | State::Stable(_) => None,
        };
        let was_secure = before.is_some_and(|before| before.agreed.security != Security::Plain);
        let has_to = was_secure || offer.profile().is_some_and(Profile::is_secure);
        crypto::taken(self.protection.as_deref(), &offer.crypto, has_to, &media.crypto)
    }

    /// The formats of a section that `agree` finds common; `None` without a codec.
    fn common(
        &self,
        media: &Media<'_>,
        agree: impl Fn(&Format<'_>) -> Option<AgreedFormat>,
    ) -> Option<Common> {
        let Formats::Rtp(formats) = &media.formats else { return None };
        let mut found: Vec<AgreedFormat> = Vec::with_capacity(self.capabilities.len());
        for format in formats.iter().filter_map(agree) {
            if found.iter().all(|other| other.capability != format.capability) {
                found.push(format);
            }
        }
        let capability = |format: &AgreedFormat| &self.capabilities[format.capability];
        let is_event = |format: &AgreedFormat| capability(format).is_telephone_event();
        let events: Vec<_> = found.extract_if(.., |format| is_event(format)).collect();
        if let Some(place) = found.iter().position(|format| Some(format.capability) == self.preferred) {
            found[..=place].rotate_right(1);
        }
        let first = found.first()?;
        let clock_rate = capability(first).clock_rate;
        // Phones that have Opus may know events at 8 kHz alone.
        let at_clock = events.iter().find(|event| capability(event).clock_rate == clock_rate);
        let telephone_event = at_clock.or(events.first()).copied();
        let fmtp = formats.iter().find(|format| format.payload_type == first.send_type)?.fmtp.map(Box::from);
        Some(Common { codecs: found, telephone_event, fmtp })
    }

    /// What a payload type means to us: by its `a=rtpmap`, or as RFC 3551 assigns it.
    fn capability_of(&self, format: &Format<'_>) -> Option<usize> {
        self.capabilities.iter().position(|capability| match &format.encoding {
            Some(encoding) => capability.is(encoding),
            None => capability.static_type == Some(format.payload_type),
        })
    }

    fn write(&self, description: &Description) -> String {
        let origin = Origin {
            username: "-",
            session_id: self.session_id,
            version: self.version,
            address: self.address,
        };
        let session = Session {
            origin: Some(origin),
            name: "-",
            connection: Some(self.address),
            direction: None,
            handshake: Handshake::default(),
            media: description.media(
                &self.capabilities,
                self.protection.as_deref(),
                (self.address, self.port),
            ),
        };
        let mut text = String::with_capacity(USUAL_LENGTH);
        // Writing to a string cannot fail.
        let _ = write!(text, "{session}");
        text
    }
}

impl Agreed {
    /// Every agreed format with the number on which we receive it.
    fn local_formats(&self) -> Vec<LocalFormat> {
        let local = |format: &AgreedFormat| LocalFormat {
            capability: format.capability,
            payload_type: format.receive_type,
        };
        self.formats.iter().chain(&self.telephone_event).map(local).collect()
    }
}

impl Remote {
    fn of(session: &Session<'_>, media: &Media<'_>) -> Result<Self, SdpError> {
        let off = Self { rtp: None, rtcp: None, ptime: media.ptime, direction: Direction::Inactive };
        if media.port == 0 {
            return Ok(off);
        }
        let address = session.address_of(media).filter(is_unicast).ok_or(SdpError::NoAddress)?;
        let direction = session.direction_of(media);
        // A browser names a place that means nothing; its checks say where it is.
        if address.is_unspecified() && Profile::of(media) != Some(Profile::Dtls) {
            // RFC 2543's hold: the peer wants to hear nothing, whatever its direction says.
            return Ok(Self { direction: direction.intersect(Direction::SendOnly), ..off });
        }
        let rtp = SocketAddr::new(address, media.port);
        Ok(Self { rtp: Some(rtp), rtcp: rtcp_address(media, rtp), direction, ..off })
    }

    fn agree(self, common: Common, ours: Direction, security: Security) -> Agreed {
        Agreed {
            remote: self.rtp,
            remote_rtcp: self.rtcp,
            formats: common.codecs,
            telephone_event: common.telephone_event,
            fmtp: common.fmtp,
            ptime: self.ptime,
            direction: ours.intersect(self.direction.reversed()),
            security,
            t38: None,
        }
    }

    /// Fax in the place of the audio of `before`.
    fn agree_on_fax(self, before: &Agreed, ours: Direction, t38: Option<Box<T38>>) -> Agreed {
        let direction = ours.intersect(self.direction.reversed());
        Agreed { remote: self.rtp, remote_rtcp: None, direction, t38, ..before.clone() }
    }
}

/// The section of an offer that is fax and switched on.
fn fax_of<'s, 'a>(offer: &'s Session<'a>) -> Option<(usize, &'s Media<'a>)> {
    offer.media.iter().enumerate().find(|(_, media)| media.t38.is_some() && media.port != 0)
}

/// RFC 5761, RFC 3605, or the port after RTP's (RFC 3550 11).
fn rtcp_address(media: &Media<'_>, rtp: SocketAddr) -> Option<SocketAddr> {
    if media.rtcp_mux {
        return Some(rtp);
    }
    match &media.rtcp {
        Some(rtcp) => {
            let address = rtcp.address.unwrap_or(rtp.ip());
            (rtcp.port != 0 && is_unicast(&address) && !address.is_unspecified())
                .then_some(SocketAddr::new(address, rtcp.port))
        }
        None => rtp.port().checked_add(1).map(|port| SocketAddr::new(rtp.ip(), port)),
    }
}

/// One stranger's description must not make us send to many.
fn is_unicast(address: &IpAddr) -> bool {
    !address.is_multicast() && *address != IpAddr::V4(Ipv4Addr::BROADCAST)
}

//! One party's leg: its INVITE usage at the endpoint and its media stream.

use crate::codecs::{capability_of, codec_of, opus_format};
use crate::core::{Core, Timer};
use crate::fraud::Bill;
use crate::keypad::Keypad;
use events::{AtParty, Cause, ContactId, EndedBy, FaxCount, Kind, LegId, Missing, Party, Quality};
use rtp::Codec;
use rtp::control::{Command, DigitFormat, FaxStats, LocalPort, Setup, StreamId, StreamStats};
use sdp::{Agreed, Capability, Direction, Negotiation, Protection, T38};
use sip::{Body, Flow, InviteId, Message};
use std::net::IpAddr;
use std::sync::Arc;

pub(crate) struct Leg {
    pub(crate) id: LegId,
    /// The usage at the endpoint, until it is over there.
    pub(crate) invite: Option<InviteId>,
    pub(crate) flow: Flow,
    /// Who began it, seen from the switch.
    direction: events::Direction,
    pub(crate) party: Party,
    /// The URI called or calling.
    pub(crate) uri: Arc<str>,
    pub(crate) state: State,
    /// Who pays for it.
    pub(crate) bill: Option<Bill>,
    pub(crate) keypad: Keypad,
    /// Whether its party has been sent a REFER.
    pub(crate) was_referred: bool,
    /// Whether nothing comes of its browser.
    pub(crate) is_lost: bool,
    /// Whether the connection has closed by which its browser was reached.
    pub(crate) is_cut: bool,
    /// The leg whose place it is rung to take, since that one's browser is lost.
    pub(crate) resumes: Option<LegId>,
    media: Media,
}

/// Whom a leg connects.
pub(crate) struct NewLeg {
    pub(crate) flow: Flow,
    /// Seen from the switch.
    pub(crate) direction: events::Direction,
    pub(crate) party: Party,
    /// The URI called or calling.
    pub(crate) uri: Arc<str>,
    /// Whether its keys may be feature codes.
    pub(crate) dials_codes: bool,
    /// How much its media is to be encrypted.
    pub(crate) protection: Protection,
}

/// How far a leg is, as the caller or callee sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Not answered; whether it rings.
    Early { ringing: bool },
    /// Answered; whether the party holds us, and whether it has fax.
    Answered { held: bool, fax: bool },
    /// Ended for us; the endpoint may still be at the BYE or CANCEL.
    Over,
}

impl State {
    /// As it is at first.
    pub(crate) const ANSWERED: Self = Self::Answered { held: false, fax: false };
}

enum Media {
    /// A port in hand that no SDP has named; the party's offer if it made one, and the answer to it.
    Reserved {
        port: LocalPort,
        negotiation: Box<Negotiation>,
        offered: Option<Box<Offered>>,
    },
    /// The stream is open.
    Open {
        port: LocalPort,
        negotiation: Box<Negotiation>,
        /// The answer that a 183 gave, which the 200 repeats (RFC 3261 section 13.2.1).
        said: Option<Box<str>>,
        /// Which ways no media flows, each as often as the engine has said so, up to twice.
        missing: Vec<Missing>,
    },
    /// Closed by us; the engine has not said so yet.
    Closing {
        port: LocalPort,
    },
    Gone,
}

/// An offer that waits for its answer to be sent.
struct Offered {
    offer: Box<[u8]>,
    answer: String,
}

/// Stream numbers are leg numbers: a leg has one stream.
pub(crate) fn stream_of(leg: LegId) -> StreamId {
    StreamId(leg.0)
}

/// The leg of a stream.
pub(crate) fn leg_of(stream: StreamId) -> LegId {
    LegId(stream.0)
}

impl Leg {
    /// A leg with a port in hand, ready to offer, or to answer; `partner` is the codec of whom it is to be
    /// connected with.
    pub(crate) fn new(
        core: &mut Core,
        id: LegId,
        NewLeg { flow, direction, party, uri, dials_codes, protection }: NewLeg,
        port: LocalPort,
        partner: Option<Codec>,
    ) -> Self {
        let capabilities = match partner {
            Some(partner) => core.codecs.for_partner_of(&party, partner),
            None => core.codecs.of(&party),
        };
        let negotiation = Negotiation::new(capabilities, core.media_address_for(&party), port.port, id.0)
            .protected(protection);
        core.channels.join(&party, direction);
        let media = Media::Reserved { port, negotiation: Box::new(negotiation), offered: None };
        let state = State::Early { ringing: false };
        Self {
            id,
            invite: None,
            flow,
            direction,
            party,
            uri,
            state,
            bill: None,
            keypad: Keypad::new(dials_codes),
            was_referred: false,
            is_lost: false,
            is_cut: false,
            resumes: None,
            media,
        }
    }

    /// A leg that came to nothing before anyone was told of it.
    pub(crate) fn discard(mut self, core: &mut Core) {
        core.channels.leave(&self.party, self.direction);
        self.close_media(core);
    }

    pub(crate) fn stream(&self) -> StreamId {
        stream_of(self.id)
    }

    /// Whether both the endpoint and the engine are done with it.
    pub(crate) fn is_gone(&self) -> bool {
        self.state == State::Over && self.invite.is_none() && matches!(self.media, Media::Gone)
    }

    pub(crate) fn is_early(&self) -> bool {
        matches!(self.state, State::Early { .. })
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.media, Media::Open { .. })
    }

    pub(crate) fn thread(&self) -> Option<u16> {
        match &self.media {
            Media::Reserved { port, .. } | Media::Open { port, .. } | Media::Closing { port } => {
                Some(port.thread)
            }
            Media::Gone => None,
        }
    }

    /// Who began it, seen from the switch.
    pub(crate) fn direction(&self) -> events::Direction {
        self.direction
    }

    pub(crate) fn user(&self) -> Option<&Arc<str>> {
        match &self.party {
            Party::User(user) => Some(user),
            Party::Trunk(_) | Party::Uri => None,
        }
    }

    /// Takes the party's offer and keeps it with its answer until the leg is answered.
    pub(crate) fn receive_offer(&mut self, offer: &[u8]) -> Result<(), sdp::SdpError> {
        if let Media::Reserved { negotiation, offered, .. } = &mut self.media {
            let (answer, _) = negotiation.answer(offer, Direction::SendRecv)?;
            *offered = Some(Box::new(Offered { offer: offer.into(), answer }));
        }
        Ok(())
    }

    /// Answers with `codec` rather than with the party's favourite, if the party has it and no answer was sent: so
    /// nothing is transcoded that need not be.
    pub(crate) fn prefer(&mut self, codec: Codec) {
        if self.codec() == Some(codec) {
            return;
        }
        let Media::Reserved { negotiation, offered: Some(offered), .. } = &mut self.media else { return };
        let place =
            negotiation.agreed().and_then(|agreed| capability_of(negotiation.capabilities(), agreed, codec));
        let Some(place) = place else { return };
        // What could be answered once can be answered again.
        if let Ok((answer, _)) = negotiation.answer_instead(&offered.offer, Direction::SendRecv, place) {
            offered.answer = answer;
        }
    }

    /// Opens the stream and gives what our SDP says: the answer to the party's offer, or our own offer.
    pub(crate) fn open(&mut self, core: &mut Core, contact: ContactId) -> Option<Body> {
        let Media::Reserved { port, negotiation, offered } = std::mem::replace(&mut self.media, Media::Gone)
        else {
            return None;
        };
        let mut negotiation = negotiation;
        core.media(Command::Open { stream: self.stream(), local: port });
        if self.keypad.is_kept() {
            core.media(Command::KeepKeys { stream: self.stream() });
        }
        core.streams.insert(self.stream(), contact);
        let answer = offered.map(|offered| offered.answer);
        let text = answer.unwrap_or_else(|| negotiation.offer(Direction::SendRecv));
        if let Some(agreed) = negotiation.agreed() {
            let setup = setup(agreed, negotiation.capabilities(), self.flow.peer.ip());
            core.media(Command::Setup { stream: self.stream(), setup });
        }
        self.media = Media::Open { port, negotiation, said: None, missing: Vec::new() };
        Some(sdp_body(text))
    }

    /// Opens the stream of an unanswered caller: the body of a 183. `None` if it is open, or if the caller has made
    /// no offer.
    pub(crate) fn open_early(&mut self, core: &mut Core, contact: ContactId) -> Option<Body> {
        let Media::Reserved { offered: Some(offered), .. } = &self.media else { return None };
        let answer = offered.answer.as_str().into();
        let body = self.open(core, contact)?;
        if let Media::Open { said, .. } = &mut self.media {
            *said = Some(answer);
        }
        Some(body)
    }

    /// The body of the 200 to the party's INVITE; opens the stream if no 183 has.
    pub(crate) fn answer(&mut self, core: &mut Core, contact: ContactId) -> Option<Body> {
        match &mut self.media {
            Media::Open { said, .. } => said.take().map(|said| sdp_body(said.into_string())),
            _ => self.open(core, contact),
        }
    }

    /// Whether the party may send what others could hear.
    pub(crate) fn can_be_heard(&self) -> bool {
        self.is_open()
            && self.agreed().is_some_and(|agreed| {
                agreed.remote.is_some()
                    && matches!(agreed.direction, Direction::SendRecv | Direction::RecvOnly)
            })
    }

    /// Takes the party's answer to our offer, and tells the engine.
    pub(crate) fn receive_answer(&mut self, core: &mut Core, answer: &[u8]) -> Result<(), sdp::SdpError> {
        let stream = self.stream();
        if let Media::Open { negotiation, .. } = &mut self.media {
            let agreed = negotiation.receive_answer(answer)?;
            let setup = setup(&agreed, negotiation.capabilities(), self.flow.peer.ip());
            core.media(Command::Setup { stream, setup });
        }
        Ok(())
    }

    /// Takes the answer of a 2xx, or that of a provisional response before it; whether there is a usable one.
    pub(crate) fn agree(&mut self, core: &mut Core, ok: &Message) -> bool {
        match ok.sdp() {
            Some(answer) => self.receive_answer(core, &answer).is_ok(),
            None => self.agreed().is_some(),
        }
    }

    /// Whether our offer in a 2xx waits for the answer in its ACK.
    pub(crate) fn is_offering(&self) -> bool {
        matches!(&self.media, Media::Open { negotiation, .. } if negotiation.is_offering())
    }

    /// Our offer was not answered: what was agreed before it stands.
    pub(crate) fn rollback(&mut self) {
        if let Media::Open { negotiation, .. } = &mut self.media {
            negotiation.rollback();
        }
    }

    /// Answers a new offer within the call, and tells the engine; `None` on a leg without a stream.
    pub(crate) fn answer_again(
        &mut self,
        core: &mut Core,
        offer: &[u8],
    ) -> Result<Option<Body>, sdp::SdpError> {
        let stream = self.stream();
        let Media::Open { negotiation, .. } = &mut self.media else { return Ok(None) };
        if let Some(next) = negotiation.next_ice() {
            next.get_or_insert_with(|| core.new_ice());
        }
        let (text, agreed) = negotiation.answer(offer, Direction::SendRecv)?;
        let setup = setup(&agreed, negotiation.capabilities(), self.flow.peer.ip());
        core.media(Command::Setup { stream, setup });
        Ok(Some(sdp_body(text)))
    }

    /// What an offer within the call says of fax, if it asks for that in the place of the audio.
    pub(crate) fn fax_asked(&self, offer: &[u8]) -> Option<T38> {
        match &self.media {
            Media::Open { negotiation, .. } => negotiation.fax_asked(offer),
            _ => None,
        }
    }

    /// Answers an offer of fax, and tells the engine; `None` if there can be none.
    pub(crate) fn answer_fax(&mut self, core: &mut Core, offer: &[u8], t38: T38) -> Option<Body> {
        let stream = self.stream();
        let Media::Open { negotiation, .. } = &mut self.media else { return None };
        let (text, agreed) = negotiation.answer_fax(offer, t38, Direction::SendRecv).ok()?;
        let setup = setup(&agreed, negotiation.capabilities(), self.flow.peer.ip());
        core.media(Command::Setup { stream, setup });
        Some(sdp_body(text))
    }

    /// Our offer of fax in the place of the audio.
    pub(crate) fn offer_fax(&mut self, t38: T38) -> Option<Body> {
        let Media::Open { negotiation, .. } = &mut self.media else { return None };
        negotiation.offer_fax(t38, Direction::SendRecv).map(sdp_body)
    }

    /// Our offer of audio in the place of fax.
    pub(crate) fn offer_audio(&mut self) -> Option<Body> {
        let Media::Open { negotiation, .. } = &mut self.media else { return None };
        Some(sdp_body(negotiation.offer_audio(Direction::SendRecv)))
    }

    /// Whether the media can be fax.
    pub(crate) fn can_fax(&self) -> bool {
        matches!(&self.media, Media::Open { negotiation, .. } if negotiation.can_fax())
    }

    /// What the party says of fax, while there is fax.
    pub(crate) fn t38(&self) -> Option<&T38> {
        self.agreed()?.t38.as_deref()
    }

    /// Our offer for a re-INVITE that came without one, or to refresh the session.
    pub(crate) fn offer_again(&mut self) -> Option<Body> {
        match &mut self.media {
            Media::Open { negotiation, .. } => Some(sdp_body(negotiation.offer(Direction::SendRecv))),
            _ => None,
        }
    }

    pub(crate) fn agreed(&self) -> Option<&Agreed> {
        match &self.media {
            Media::Reserved { negotiation, .. } | Media::Open { negotiation, .. } => negotiation.agreed(),
            _ => None,
        }
    }

    /// The codec that we send, once agreed.
    pub(crate) fn codec(&self) -> Option<Codec> {
        let (Media::Reserved { negotiation, .. } | Media::Open { negotiation, .. }) = &self.media else {
            return None;
        };
        codec_of(negotiation.capabilities(), negotiation.agreed()?.formats.first()?)
    }

    /// Ends the leg for everyone but the endpoint: the cause is told once, the user is free, media closes.
    pub(crate) fn end(
        &mut self,
        core: &mut Core,
        contact: ContactId,
        by: EndedBy,
        status: Option<u16>,
        reason: &str,
    ) {
        if self.state == State::Over {
            return;
        }
        self.state = State::Over;
        core.channels.leave(&self.party, self.direction);
        core.timers.cancel(Timer::Keys(self.id));
        core.timers.cancel(Timer::Lost(self.id));
        if let Some(bill) = self.bill.take() {
            core.accounts.end(core.now, &bill);
        }
        self.close_media(core);
        let cause = Cause { by, status, reason: reason.into() };
        core.log_leg(contact, &self.party, Kind::LegEnded { leg: self.id, cause });
    }

    fn close_media(&mut self, core: &mut Core) {
        self.media = match std::mem::replace(&mut self.media, Media::Gone) {
            Media::Reserved { port, .. } => {
                core.ports.give_back(port);
                Media::Gone
            }
            Media::Open { port, .. } => {
                core.media(Command::Close { stream: self.stream() });
                Media::Closing { port }
            }
            other => other,
        };
    }

    /// The engine has closed the stream, at our wish or on its own.
    pub(crate) fn on_stream_closed(&mut self, core: &mut Core, contact: ContactId, stats: &StreamStats) {
        if let Media::Closing { port } | Media::Open { port, .. } =
            std::mem::replace(&mut self.media, Media::Gone)
        {
            core.ports.release(port);
            let &StreamStats { received, sent, lost, jitter_micros, .. } = stats;
            let quality = quality(stats);
            let fax =
                stats.fax.map(|FaxStats { received, sent, lost, .. }| FaxCount { received, sent, lost });
            core.log(
                Some(contact),
                Kind::MediaEnded { leg: self.id, received, sent, lost, jitter_micros, quality, fax },
            );
        }
    }

    /// Media flows one way. Told once for each way, at the second word of it after the answer: who rings need not
    /// speak, and the first may be about that.
    pub(crate) fn on_one_way(&mut self, core: &mut Core, contact: ContactId, way: Missing) {
        let (State::Answered { held: false, .. }, Media::Open { missing, .. }) =
            (self.state, &mut self.media)
        else {
            return;
        };
        let before = missing.iter().filter(|other| **other == way).count();
        if before < 2 {
            missing.push(way);
        }
        if before == 1 {
            core.log(Some(contact), Kind::MediaOneWay { leg: self.id, missing: way });
        }
    }

    /// The engine did not answer: the port is written off.
    pub(crate) fn abandon_media(&mut self, core: &mut Core) {
        if let Media::Closing { port } | Media::Open { port, .. } =
            std::mem::replace(&mut self.media, Media::Gone)
        {
            core.ports.release(port);
            core.streams.remove(&self.stream());
        }
    }
}

pub(crate) fn sdp_body(text: String) -> Body {
    Body { content_type: "application/sdp".into(), bytes: text.into() }
}

/// Whether the party holds us, as we see the direction.
pub(crate) fn is_held(agreed: &Agreed) -> bool {
    agreed.remote.is_none() || matches!(agreed.direction, Direction::RecvOnly | Direction::Inactive)
}

fn quality(stats: &StreamStats) -> Quality {
    let at_party = stats.at_peer.map(|at_peer| AtParty {
        lost: at_peer.lost,
        jitter_micros: at_peer.jitter_micros,
        mos_hundredths: at_peer.mos.map(|mos| mos.0),
    });
    Quality {
        bursts: stats.bursts,
        mos_hundredths: stats.mos.map(|mos| mos.0),
        concealed_permille: stats.concealed_permille,
        round_trip_micros: stats.round_trip.and_then(|time| u64::try_from(time.as_micros()).ok()),
        at_party,
    }
}

fn setup(agreed: &Agreed, capabilities: &[Capability], signalled: IpAddr) -> Setup {
    let codec = |format: &sdp::AgreedFormat| codec_of(capabilities, format);
    let best = agreed.formats.first().and_then(|format| Some((codec(format)?, format.send_type)));
    // What is agreed is never empty, and of ours.
    let (codec_to_send, send_type) = best.unwrap_or((Codec::Pcmu, 0));
    let digits = agreed.telephone_event.and_then(|format| {
        let clock_rate = capabilities.get(format.capability)?.clock_rate;
        Some(DigitFormat { clock_rate, send_type: format.send_type, receive_type: format.receive_type })
    });
    Setup {
        remote: agreed.remote,
        rtcp: agreed.remote_rtcp,
        signalled,
        codec: codec_to_send,
        send_type,
        receive_types: agreed
            .formats
            .iter()
            .filter_map(|format| Some((format.receive_type, codec(format)?)))
            .collect(),
        opus: opus_format(agreed.fmtp.as_deref().filter(|_| codec_to_send == Codec::Opus)),
        digits,
        ptime: agreed.ptime.unwrap_or(20),
        send: matches!(agreed.direction, Direction::SendRecv | Direction::SendOnly),
        receive: matches!(agreed.direction, Direction::SendRecv | Direction::RecvOnly),
        security: agreed.security.clone(),
        fax: agreed.t38.is_some(),
    }
}

//! One party's leg: its INVITE usage at the endpoint and its media stream.

use crate::core::{Core, Timer};
use crate::fraud::Bill;
use crate::keypad::Keypad;
use events::{Cause, ContactId, EndedBy, Kind, LegId, Party};
use rtp::Codec;
use rtp::control::{Command, DigitFormat, LocalPort, Setup, StreamId, StreamStats};
use sdp::{Agreed, Capability, Direction, Negotiation};
use sip::{Body, Flow, InviteId};
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

/// What we offer and accept, best first; the second list for peers of an A-law caller.
static MU_LAW_FIRST: LazyLock<Arc<[Capability]>> =
    LazyLock::new(|| [Capability::PCMU, Capability::PCMA, Capability::TELEPHONE_EVENT].into());
static A_LAW_FIRST: LazyLock<Arc<[Capability]>> =
    LazyLock::new(|| [Capability::PCMA, Capability::PCMU, Capability::TELEPHONE_EVENT].into());

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
    codecs: Codecs,
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
}

/// Our codecs, best first: the index that offer/answer speaks of.
type Codecs = [Codec; 2];

/// How far a leg is, as the caller or callee sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Not answered; whether it rings.
    Early { ringing: bool },
    /// Answered; whether the party holds us.
    Answered { held: bool },
    /// Ended for us; the endpoint may still be at the BYE or CANCEL.
    Over,
}

enum Media {
    /// A port in hand that no SDP has named; the answer to the party's offer if it made one.
    Reserved {
        port: LocalPort,
        negotiation: Box<Negotiation>,
        answer: Option<String>,
    },
    /// The stream is open.
    Open {
        port: LocalPort,
        negotiation: Box<Negotiation>,
        /// The answer that a 183 gave, which the 200 repeats (RFC 3261 section 13.2.1).
        said: Option<Box<str>>,
    },
    /// Closed by us; the engine has not said so yet.
    Closing {
        port: LocalPort,
    },
    Gone,
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
    /// A leg with a port in hand, ready to offer with `first` as its best codec, or to answer.
    pub(crate) fn new(
        core: &mut Core,
        id: LegId,
        NewLeg { flow, direction, party, uri, dials_codes }: NewLeg,
        port: LocalPort,
        first: Codec,
    ) -> Self {
        let (list, codecs) = match first {
            Codec::Pcmu => (&MU_LAW_FIRST, [Codec::Pcmu, Codec::Pcma]),
            Codec::Pcma => (&A_LAW_FIRST, [Codec::Pcma, Codec::Pcmu]),
        };
        let negotiation = Negotiation::new(Arc::clone(list), core.media_address_for(&party), port.port, id.0);
        core.channels.join(&party, direction);
        let media = Media::Reserved { port, negotiation: Box::new(negotiation), answer: None };
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
            codecs,
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

    /// Takes the party's offer and keeps the answer until the leg is answered.
    pub(crate) fn receive_offer(&mut self, offer: &[u8]) -> Result<(), sdp::SdpError> {
        if let Media::Reserved { negotiation, answer, .. } = &mut self.media {
            *answer = Some(negotiation.answer(offer, Direction::SendRecv)?.0);
        }
        Ok(())
    }

    /// Opens the stream and gives what our SDP says: the answer to the party's offer, or our own offer.
    pub(crate) fn open(&mut self, core: &mut Core, contact: ContactId) -> Option<Body> {
        let Media::Reserved { port, negotiation, answer } = std::mem::replace(&mut self.media, Media::Gone)
        else {
            return None;
        };
        let mut negotiation = negotiation;
        core.media(Command::Open { stream: self.stream(), local: port });
        if self.keypad.is_kept() {
            core.media(Command::KeepKeys { stream: self.stream() });
        }
        core.streams.insert(self.stream(), contact);
        let text = answer.unwrap_or_else(|| negotiation.offer(Direction::SendRecv));
        if let Some(agreed) = negotiation.agreed() {
            core.media(Command::Setup {
                stream: self.stream(),
                setup: setup(agreed, self.codecs, self.flow.peer.ip()),
            });
        }
        self.media = Media::Open { port, negotiation, said: None };
        Some(sdp_body(text))
    }

    /// Opens the stream of an unanswered caller: the body of a 183. `None` if it is open, or if the caller has made
    /// no offer.
    pub(crate) fn open_early(&mut self, core: &mut Core, contact: ContactId) -> Option<Body> {
        let Media::Reserved { answer: Some(answer), .. } = &self.media else { return None };
        let answer = answer.as_str().into();
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
            let setup = setup(&negotiation.receive_answer(answer)?, self.codecs, self.flow.peer.ip());
            core.media(Command::Setup { stream, setup });
        }
        Ok(())
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
        let (text, agreed) = negotiation.answer(offer, Direction::SendRecv)?;
        core.media(Command::Setup { stream, setup: setup(&agreed, self.codecs, self.flow.peer.ip()) });
        Ok(Some(sdp_body(text)))
    }

    /// Our offer for a re-INVITE that came without one.
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
        self.agreed().and_then(|agreed| self.codecs.get(agreed.formats.first()?.capability).copied())
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
            core.log(Some(contact), Kind::MediaEnded { leg: self.id, received, sent, lost, jitter_micros });
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

fn setup(agreed: &Agreed, codecs: Codecs, signalled: IpAddr) -> Setup {
    let codec = |format: &sdp::AgreedFormat| codecs.get(format.capability).copied();
    let best = agreed.formats.first();
    Setup {
        remote: agreed.remote,
        signalled,
        codec: best.and_then(codec).unwrap_or(codecs[0]),
        send_type: best.map_or(codecs[0].static_type(), |format| format.send_type),
        receive_types: agreed
            .formats
            .iter()
            .filter_map(|format| Some((format.receive_type, codec(format)?)))
            .collect(),
        digits: agreed
            .telephone_event
            .map(|format| DigitFormat { send_type: format.send_type, receive_type: format.receive_type }),
        ptime: agreed.ptime.unwrap_or(20),
        send: matches!(agreed.direction, Direction::SendRecv | Direction::SendOnly),
        receive: matches!(agreed.direction, Direction::SendRecv | Direction::RecvOnly),
    }
}

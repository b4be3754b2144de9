//! One customer's journey through the switch: the caller's leg, the flow, and whom it dials.

mod brief;
mod callback;
mod choose;
mod conference;
mod consult;
mod dial;
mod direct;
mod early;
mod fax;
mod flow;
mod fraud;
mod hold;
mod hunt;
mod hush;
mod identity;
mod join;
mod keys;
mod lost;
mod media;
mod queue;
mod redirect;
mod release;
mod replace;
mod supervise;
mod tape;
mod test_call;
mod transfer;
mod voicemail;
mod vouch;

use crate::callbacks::CallsBack;
use crate::core::{Core, Timer};
use crate::identity::Identity;
use crate::leg::{Leg, State};
use crate::stir::Claim;
use brief::Briefing;
use choose::Choice;
use clock::Duration;
use conference::Seat;
use dial::Dial;
use dialplan::{Machine, MachineInput};
use early::EarlyBridge;
use events::{Cause, ContactId, Direction, EndedBy, Kind, LegId};
use fax::Faxing;
use hush::Hushing;
use lost::Served;
use media::{Music, Playing};
use queue::FormerPlace;
use sip::Message;
use std::collections::VecDeque;
use std::sync::Arc;
use supervise::Supervision;
use tape::Tapes;
use transfer::Transfer;
use voicemail::Taking;

pub(crate) use dial::Destination;
pub(crate) use transfer::Wish;
pub(crate) use voicemail::Taped;

/// How long after the last leg the engine may take to report streams and recordings as ended.
const LINGER: Duration = Duration::from_secs(10);

pub(crate) struct Contact {
    pub(crate) id: ContactId,
    pub(crate) plan: Arc<dialplan::Config>,
    pub(crate) client: Arc<str>,
    /// Who called, whoever is served by now.
    pub(crate) identity: Identity,
    /// What it dialled, as the dialplan has it.
    pub(crate) called: Arc<str>,
    /// What its INVITE says of who answers for the caller, until that is judged: the flow waits for it.
    claim: Option<Box<Claim>>,
    pub(crate) max_forwards: u8,
    /// Whom the contact serves: who called, or the party that a caller has transferred.
    pub(crate) caller: Leg,
    pub(crate) callees: Vec<Leg>,
    /// Phones of supervisors: one that is with the call at most.
    supervisors: Vec<Leg>,
    machine: Machine,
    /// What the machine has yet to be told, in order.
    inbox: VecDeque<MachineInput>,
    phase: Phase,
    playing: Option<Playing>,
    music: Vec<Music>,
    /// Whom the caller hears before the answer.
    early: Option<EarlyBridge>,
    faxing: Faxing,
    /// The agent of a queue who has its caller.
    served: Option<Box<Served>>,
    /// Where its caller has waited before.
    former_place: Option<Box<FormerPlace>>,
    /// Whom it calls back, until that one is where its agent is kept.
    calls_back: Option<CallsBack>,
    tapes: Tapes,
    hushing: Hushing,
    /// Messages that its callers leave, the last one last.
    taking: Vec<Taking>,
    messages_begun: u32,
    /// The SIP status that a caller who was never answered gets: that of the last dial that failed.
    failed_status: Option<u16>,
    /// The transfer under way: it spans what the target's flow does until it has the call.
    transfer: Option<Box<Transfer>>,
    supervision: Option<Box<Supervision>>,
    /// The user who has handed the caller on to where its flow is now: what that flow costs is that user's, too.
    sent_on_by: Option<Arc<str>>,
    cause: Option<Cause>,
}

/// What the flow has the caller connected with.
enum Phase {
    /// The flow speaks with the caller alone.
    Flow,
    /// Destinations are being rung.
    Dialing(Box<Dial>),
    /// An agent that has answered is told whose call it gets.
    Briefing(Box<Briefing>),
    /// The caller hears this leg.
    Bridged { callee: LegId },
    /// The caller is in a room.
    Conference(Box<Seat>),
    /// The leg in the caller's place is the node's own, to test a trunk.
    Test,
    /// The customer is rung that is to be called back.
    CallingBack,
    /// A bridge is parted while a user dials whom it hands the other party on to.
    Choosing(Choice),
    /// The trunk of the caller has been asked to call the target of a transfer itself.
    Releasing,
}

/// What a new contact is made of.
pub(crate) struct NewContact {
    pub(crate) id: ContactId,
    pub(crate) plan: Arc<dialplan::Config>,
    pub(crate) client: Arc<str>,
    pub(crate) identity: Identity,
    pub(crate) called: Arc<str>,
    pub(crate) claim: Option<Claim>,
    pub(crate) max_forwards: u8,
    pub(crate) caller: Leg,
    pub(crate) machine: Machine,
}

impl Contact {
    /// Whether it goes by this plan.
    pub(crate) fn goes_by(&self, plan: &Arc<dialplan::Config>) -> bool {
        Arc::ptr_eq(&self.plan, plan)
    }

    pub(crate) fn new(new: NewContact) -> Self {
        let NewContact { id, plan, client, identity, called, claim, max_forwards, caller, machine } = new;
        let first = claim.is_none().then_some(MachineInput::Start);
        Self {
            id,
            plan,
            client,
            identity,
            called,
            claim: claim.map(Box::new),
            max_forwards,
            caller,
            callees: Vec::new(),
            supervisors: Vec::new(),
            machine,
            inbox: first.into_iter().collect(),
            phase: Phase::Flow,
            playing: None,
            music: Vec::new(),
            early: None,
            faxing: Faxing::default(),
            served: None,
            former_place: None,
            calls_back: None,
            tapes: Tapes::default(),
            hushing: Hushing::default(),
            taking: Vec::new(),
            messages_begun: 0,
            failed_status: None,
            transfer: None,
            supervision: None,
            sent_on_by: None,
            cause: None,
        }
    }

    /// Tells the flow something, as soon as it is its turn.
    pub(crate) fn tell(&mut self, input: MachineInput) {
        self.inbox.push_back(input);
    }

    /// Lets the flow take in what happened; true once nothing is left of the contact.
    pub(crate) fn settle(&mut self, core: &mut Core) -> bool {
        self.run_flow(core);
        self.follow_lost(core);
        self.follow_record_rules(core);
        self.follow_secret(core);
        self.take_over(core);
        self.follow_early_media(core);
        self.follow_fax(core);
        self.follow_supervision(core);
        self.tune(core);
        self.callees.retain(|leg| !leg.is_gone());
        self.supervisors.retain(|leg| !leg.is_gone());
        let is_taped = !self.tapes.are_complete() || self.is_writing_messages();
        if self.legs().all(Leg::is_gone) && !is_taped {
            self.bury(core);
            return true;
        }
        let signalling_over = self.legs().all(|leg| leg.state == State::Over && leg.invite.is_none());
        if signalling_over && core.timers.get(Timer::Linger(self.id)).is_none() {
            core.timers.set(Timer::Linger(self.id), core.now + LINGER);
        }
        false
    }

    fn bury(&mut self, core: &mut Core) {
        let id = self.id;
        for timer in [
            Timer::Flow(id),
            Timer::Ring(id),
            Timer::Fax(id),
            Timer::Audio(id),
            Timer::Supervise(id),
            Timer::Secret(id),
            Timer::Linger(id),
        ] {
            core.timers.cancel(timer);
        }
        let cause = self.cause.take().unwrap_or_else(|| switch_cause("ended"));
        core.log(Some(self.id), Kind::ContactEnded { cause });
    }

    /// The engine never reported the end of a stream or recording: alarm, and do not wait for ever.
    pub(crate) fn on_linger_timeout(&mut self, core: &mut Core) {
        let text = format!("contact {}: the media engine did not report the end of its streams", self.id.0);
        core.log(Some(self.id), Kind::Alarm { text });
        self.caller.abandon_media(core);
        for leg in self.callees.iter_mut().chain(&mut self.supervisors) {
            leg.abandon_media(core);
        }
        self.tapes.abandon(core);
        self.abandon_messages(core);
    }

    /// Ports that its legs hold.
    pub(crate) fn ports_taken(&self) -> usize {
        self.legs().filter(|leg| leg.thread().is_some()).count()
    }

    pub(crate) fn legs(&self) -> impl Iterator<Item = &Leg> {
        std::iter::once(&self.caller).chain(&self.callees).chain(&self.supervisors)
    }

    /// The media thread that lends a new leg its port, so that it need not move to be bridged.
    pub(crate) fn thread(&self) -> Option<u16> {
        self.caller.thread()
    }

    fn leg_mut(&mut self, id: LegId) -> Option<&mut Leg> {
        if self.caller.id == id {
            Some(&mut self.caller)
        } else {
            self.callees.iter_mut().chain(&mut self.supervisors).find(|leg| leg.id == id)
        }
    }

    /// Whether one of its legs is answered.
    pub(crate) fn is_answered(&self, leg: LegId) -> bool {
        self.legs().any(|it| it.id == leg && matches!(it.state, State::Answered { .. }))
    }

    fn is_caller(&self, leg: LegId) -> bool {
        self.caller.id == leg
    }

    /// The operator, or a shutdown, ends it.
    pub(crate) fn end_by_operator(&mut self, core: &mut Core) {
        self.abandon_consultation(core, EndedBy::Switch);
        self.hang_up_caller(core, EndedBy::Switch, "ended by the operator");
    }

    /// A CANCEL won, perhaps over an answer of ours that had to wait for a PRACK.
    pub(crate) fn on_cancelled(&mut self, core: &mut Core, leg: LegId) {
        self.party_left(core, leg, 487, "cancelled");
    }

    pub(crate) fn on_bye(&mut self, core: &mut Core, leg: LegId) {
        self.party_left(core, leg, 200, "normal");
    }

    fn party_left(&mut self, core: &mut Core, leg: LegId, status: u16, why: &str) {
        self.forget_usage(core, leg);
        if self.is_supervisor(leg) {
            return self.supervisor_gone(core, leg, EndedBy::Callee, Some(status), why);
        }
        let by = if self.is_served(leg) { EndedBy::Caller } else { EndedBy::Callee };
        if self.leave_consultation(core, leg, by, Some(status), why) {
            return;
        }
        if self.is_caller(leg) {
            self.caller_gone(core, by, Some(status), why);
        } else {
            self.callee_gone(core, leg, by, Some(status), why);
        }
    }

    /// The endpoint is done with a usage that it, or we, ended.
    pub(crate) fn on_usage_ended(&mut self, core: &mut Core, leg: LegId, status: Option<u16>, why: &str) {
        self.forget_usage(core, leg);
        if self.is_supervisor(leg) {
            return self.supervisor_gone(core, leg, EndedBy::Switch, status, why);
        }
        if self.leave_consultation(core, leg, EndedBy::Switch, status, why) {
            return;
        }
        if self.is_caller(leg) {
            self.caller_gone(core, EndedBy::Switch, status, why);
        } else {
            self.callee_gone(core, leg, EndedBy::Switch, status, why);
        }
    }

    /// The ACK of our 2xx: where that carried our offer, it has to carry the answer.
    pub(crate) fn on_acked(&mut self, core: &mut Core, leg: LegId, ack: &Message) {
        let Some(found) = self.leg_mut(leg) else { return };
        if !found.is_offering() {
            return;
        }
        if found.receive_answer(core, &ack.sdp().unwrap_or_default()).is_ok() {
            return self.follow_session(core, leg);
        }
        found.rollback();
        if found.agreed().is_some() {
            return;
        }
        let why = "no usable SDP answer";
        if self.is_caller(leg) {
            self.hang_up_caller(core, EndedBy::Switch, why);
        } else {
            let invite = self.leg_mut(leg).and_then(|leg| leg.invite);
            invite.into_iter().for_each(|it| core.endpoint.bye(core.now, it, None, &mut core.sip));
            if !self.leave_consultation(core, leg, EndedBy::Switch, Some(200), why) {
                self.callee_gone(core, leg, EndedBy::Switch, Some(200), why);
            }
        }
    }

    fn forget_usage(&mut self, core: &mut Core, leg: LegId) {
        if let Some(invite) = self.leg_mut(leg).and_then(|leg| leg.invite.take()) {
            core.invites.remove(&invite);
            core.timers.cancel(Timer::Respond(invite));
        }
    }

    /// We hang up on the caller: BYE, or a final answer if there was none yet; CANCEL where we have called it.
    fn hang_up_caller(&mut self, core: &mut Core, by: EndedBy, reason: &str) {
        let status = match self.caller.state {
            State::Early { .. } => {
                let status = self.failed_status.unwrap_or(480);
                match (self.caller.invite, self.caller.direction()) {
                    (Some(invite), Direction::Inbound) => {
                        core.endpoint.reject(core.now, invite, status, &[], &mut core.sip);
                    }
                    (Some(invite), Direction::Outbound) => {
                        core.endpoint.cancel(core.now, invite, None, &mut core.sip);
                    }
                    (None, _) => {}
                }
                status
            }
            State::Answered { .. } => {
                if let Some(invite) = self.caller.invite {
                    core.endpoint.bye(core.now, invite, None, &mut core.sip);
                }
                200
            }
            State::Over => return,
        };
        self.caller_gone(core, by, Some(status), reason);
    }

    /// The caller's leg is over: so is everything that was done for it.
    fn caller_gone(&mut self, core: &mut Core, by: EndedBy, status: Option<u16>, reason: &str) {
        if self.caller.state == State::Over {
            return;
        }
        self.end_dial_for_caller(core, by);
        self.end_callback_attempt(core, reason);
        self.end_leg(core, self.caller.id, by, status, reason);
        self.cause = Some(Cause { by, status, reason: reason.into() });
        self.inbox.push_back(MachineInput::HungUp);
    }

    /// Ends one leg for us and frees its user unless another leg of the contact still reaches it.
    fn end_leg(&mut self, core: &mut Core, leg: LegId, by: EndedBy, status: Option<u16>, reason: &str) {
        let id = self.id;
        let Some(leg) = self.leg_mut(leg) else { return };
        leg.end(core, id, by, status, reason);
        let Some(user) = leg.user().cloned() else { return };
        if !self.legs().any(|leg| leg.state != State::Over && leg.user() == Some(&user)) {
            core.users.vacate(&user, id);
        }
    }
}

fn switch_cause(reason: &str) -> Cause {
    Cause { by: EndedBy::Switch, status: None, reason: reason.into() }
}

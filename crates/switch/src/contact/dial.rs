//! Ringing destinations, one after another or at once, until one answers or all have failed.

use super::choose::Choice;
use super::early::EarlyBridge;
use super::hunt::{Failure, Hunt};
use super::identity::Introduction;
use super::queue::Waiting;
use super::{Contact, Phase};
use crate::core::{Core, Timer};
use crate::guard::VOUCHED;
use crate::leg::{Leg, NewLeg, State};
use crate::protection::media_of;
use clock::{Duration, Time};
use dialplan::{
    CallerId, DialMode, DialResult, Effect, Enqueue, Machine, MachineInput, Register, Ringback, Target, Trunk,
};
use events::{DialOutcome, Direction, EndedBy, Kind, LegId, Party, QueueOutcome};
use rtp::control::Command;
use sip::{Address, Body, Flow, InviteId, Login, Message, NewInvite};
use std::collections::VecDeque;
use std::sync::Arc;

/// Redirects that a dial follows; after that phones send each other the call in a circle.
const MOST_REDIRECTS: u8 = 5;
/// RFC 3326: why the phones that did not win stop ringing, so that they show no missed call.
pub(super) const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

pub(super) struct Dial {
    /// Destinations still to be tried.
    waiting: VecDeque<Target>,
    mode: DialMode,
    ring_time: Duration,
    ringback: Ringback,
    tally: Tally,
    caller_id: Option<CallerId>,
    pub(super) purpose: Purpose,
    /// How often a destination has sent the call elsewhere.
    redirects: u8,
    /// How many of those that wait are where a destination has sent the call: the time of that one is theirs.
    elsewhere: usize,
    /// The user whose phone has sent the call there.
    redirected_by: Option<Arc<str>>,
    /// Targets that may be reached by a further server.
    pub(super) hunts: Vec<Hunt>,
}

/// A dial that is asked for.
pub(super) struct Order {
    pub(super) targets: Vec<Target>,
    pub(super) mode: DialMode,
    pub(super) ring_time: Duration,
    pub(super) ringback: Ringback,
    /// What it shows, if not what the caller's calls do.
    pub(super) caller_id: Option<CallerId>,
    pub(super) purpose: Purpose,
}

impl Order {
    /// Rings one user.
    pub(super) fn to_user(user: Arc<str>, ring_time: Duration, purpose: Purpose) -> Self {
        let (targets, mode) = (vec![Target::User(user)], DialMode::Parallel);
        Self { targets, mode, ring_time, ringback: Ringback::Far, caller_id: None, purpose }
    }

    /// Rings for a transferor whom a flow dials at once; `None` if the flow does anything else first.
    pub(super) fn of_flow(now: Time, mut machine: Machine) -> Option<Self> {
        let mut effects = Vec::new();
        machine.handle(now, MachineInput::Answered, &mut effects);
        machine.handle(now, MachineInput::Start, &mut effects);
        effects.retain(|effect| !matches!(effect, Effect::Step { .. } | Effect::Branch { .. }));
        let (Some(Effect::Dial { targets, mode, timeout: ring_time, ringback, caller_id }), None) =
            (effects.pop(), effects.pop())
        else {
            return None;
        };
        Some(Self { targets, mode, ring_time, ringback, caller_id, purpose: Purpose::Transfer })
    }
}

impl Dial {
    /// A place in a queue, whose agents are rung one by one as the queue decides.
    pub(super) fn waiting(ring_time: Duration, ringback: Ringback, waiting: Waiting) -> Self {
        let purpose = Purpose::Queue(Box::new(waiting));
        Self::of(Order {
            targets: Vec::new(),
            mode: DialMode::Parallel,
            ring_time,
            ringback,
            caller_id: None,
            purpose,
        })
    }

    fn of(order: Order) -> Self {
        let Order { targets, mode, ring_time, ringback, caller_id, purpose } = order;
        Self {
            waiting: targets.into(),
            mode,
            ring_time,
            ringback,
            tally: Tally::default(),
            caller_id,
            purpose,
            redirects: 0,
            elsewhere: 0,
            redirected_by: None,
            hunts: Vec::new(),
        }
    }

    /// Rings these next, to which a party has sent the call; false if there are none, or if destinations have done so too
    /// often.
    pub(super) fn redirect(&mut self, by: &Party, targets: &[Target]) -> bool {
        let for_agents = matches!(self.purpose, Purpose::Queue(_));
        if for_agents || targets.is_empty() || self.redirects == MOST_REDIRECTS {
            return false;
        }
        self.redirects += 1;
        self.redirected_by = match by {
            Party::User(user) => Some(Arc::clone(user)),
            Party::Trunk(_) | Party::Uri => None,
        };
        self.elsewhere += targets.len();
        for target in targets.iter().rev() {
            self.waiting.push_front(target.clone());
        }
        true
    }

    pub(super) fn ringback(&self) -> &Ringback {
        &self.ringback
    }

    pub(super) fn caller_id(&self) -> Option<&CallerId> {
        self.caller_id.as_ref()
    }

    pub(super) fn redirected_by(&self) -> Option<&Arc<str>> {
        self.redirected_by.as_ref()
    }
}

/// Who is told when nobody answers.
pub(super) enum Purpose {
    /// The flow's step: the flow goes on by the step's branch.
    Step,
    /// A transfer: the caller goes back to who began it.
    Transfer,
    /// A supervisor: the caller goes back to the place that it had.
    Pull(Box<(Enqueue, Time)>),
    /// A queue: it decides who is rung, and when it is over.
    Queue(Box<Waiting>),
}

/// How the destinations that are through have failed.
#[derive(Default)]
struct Tally {
    busy: bool,
    no_answer: bool,
    failed: Option<u16>,
}

/// One leg to be placed.
pub(crate) struct Destination {
    pub(crate) flow: Flow,
    pub(crate) request_uri: String,
    /// The number called by a trunk, as the dialplan has it.
    pub(crate) number: Option<Arc<str>>,
    pub(crate) route: Vec<String>,
    pub(crate) party: Party,
    /// The leg whose place its leg is to take, once it has answered by itself.
    pub(crate) resumes: Option<LegId>,
}

impl Contact {
    pub(super) fn start_dial(&mut self, core: &mut Core, order: Order) {
        let names = order.targets.iter().map(|target| target.to_string().into()).collect();
        core.log(Some(self.id), Kind::DialStarted { targets: names });
        self.phase = Phase::Dialing(Box::new(Dial::of(order)));
        self.ring_next(core);
    }

    /// Rings what the mode allows; ends the dial when nothing rings and nothing waits.
    pub(super) fn ring_next(&mut self, core: &mut Core) {
        if self.is_queued() {
            return;
        }
        loop {
            let ringing = self.is_ringing();
            let Phase::Dialing(dial) = &mut self.phase else { return };
            if ringing && dial.mode == DialMode::Sequential {
                break;
            }
            let Some(target) = dial.waiting.pop_front() else { break };
            match dial.elsewhere.checked_sub(1) {
                Some(left) => dial.elsewhere = left,
                None => {
                    dial.redirected_by = None;
                    core.timers.set(Timer::Ring(self.id), core.now + dial.ring_time);
                }
            }
            if let Err(status) = self.ring(core, &target) {
                self.count(status);
            }
        }
        if !self.is_ringing() {
            self.fail_dial(core);
        }
    }

    fn is_ringing(&self) -> bool {
        self.is_locating() || self.callees.iter().any(|leg| leg.is_early() && leg.resumes.is_none())
    }

    /// Places a leg to each phone of a target, or says by which status it cannot be reached.
    pub(super) fn ring(&mut self, core: &mut Core, target: &Target) -> Result<(), u16> {
        let Target::User(user) = target else {
            if let Target::Number { number, .. } = target {
                self.may_spend(core, number)?;
            }
            let hunt = self.hunt_for(target)?;
            return self.hunt(core, hunt);
        };
        let destinations = self.phones_of(core, user)?;
        // A user that calls out is busy too, even to its own call.
        if !core.users.is_free(user) {
            return Err(486);
        }
        core.users.occupy(user, self.id);
        let mut placed = Err(503);
        for destination in destinations {
            placed = self.place(core, destination).map(|_| ()).or(placed);
        }
        if placed.is_err() {
            core.users.vacate(user, self.id);
        }
        placed
    }

    /// Places a leg among the callees, if there is room for it.
    pub(super) fn place(&mut self, core: &mut Core, to: Destination) -> Result<LegId, u16> {
        let leg = self.call(core, to)?;
        let id = leg.id;
        if self.callees.is_empty() {
            // Most calls ring one; a vector would make room for four.
            self.callees.reserve_exact(1);
        }
        self.callees.push(leg);
        Ok(id)
    }

    /// Calls somebody, if there is room for it.
    pub(super) fn call(&self, core: &mut Core, to: Destination) -> Result<Leg, u16> {
        if let Some(trunk) = self.trunk(&to.party)
            && let Err(full) = core.channels.admit(core.now, trunk, Direction::Outbound)
        {
            let (trunk, limit) = (Arc::clone(&trunk.name), full.to_string());
            core.log(Some(self.id), Kind::TrunkFull { trunk, limit });
            return Err(503);
        }
        let media = media_of(&self.plan, &self.client, &to.party);
        let protection = core.protection_to(media, &to.flow).ok_or(488u16)?;
        let port = self.caller.thread().and_then(|thread| core.ports.take(thread)).ok_or(503u16)?;
        let bill = self.bill(core, to.number.as_deref()).inspect_err(|_| core.ports.give_back(port))?;
        let id = core.new_leg();
        let new = NewLeg {
            flow: to.flow,
            direction: Direction::Outbound,
            party: to.party.clone(),
            uri: to.request_uri.as_str().into(),
            dials_codes: self.dials_codes(&to.party),
            protection,
        };
        let mut leg = Leg::new(core, id, new, port, self.caller.codec());
        let (body, resumes) = (leg.open(core, self.id), to.resumes);
        let invite = self.send_invite(core, to, body);
        self.log_new_leg(core, &leg, invite);
        (leg.bill, leg.resumes) = (bill, resumes);
        leg.invite = Some(invite);
        core.invites.insert(invite, (self.id, id));
        Ok(leg)
    }

    /// Sends the INVITE of a leg.
    pub(super) fn send_invite(&self, core: &mut Core, to: Destination, body: Option<Body>) -> InviteId {
        let Introduction { from, mut headers } = self.introduce(core, &to);
        headers.extend(self.referred_by().map(|by| ("Referred-By".into(), by.to_owned())));
        // What comes back is asked for.
        core.guard.vouch(to.flow.peer.ip(), core.now + VOUCHED);
        let invite = NewInvite {
            flow: to.flow,
            is_server: !matches!(to.party, Party::User(_)),
            request_uri: to.request_uri.clone(),
            route: to.route,
            from,
            to: Address { display: None, uri: to.request_uri },
            contact: core.contact_uri(&to.flow),
            headers,
            body,
            login: self.login(&to.party),
            max_forwards: self.max_forwards,
        };
        core.endpoint.invite(core.now, invite, &mut core.sip)
    }

    pub(super) fn trunk(&self, party: &Party) -> Option<&Trunk> {
        let Party::Trunk(name) = party else { return None };
        self.plan.trunk(name)
    }

    /// A trunk that we register at challenges our calls, too.
    fn login(&self, party: &Party) -> Option<Login> {
        let Register { auth_user, secret, realm, .. } = self.trunk(party)?.register.as_ref()?;
        let (username, password) = (auth_user.clone(), secret.clone());
        Some(Login { username, password, realm: realm.clone() })
    }

    pub(super) fn log_new_leg(&self, core: &mut Core, leg: &Leg, invite: InviteId) {
        let call_id = core.endpoint.call_id(invite).unwrap_or_default().into();
        let direction = Direction::Outbound;
        let (party, uri) = (leg.party.clone(), Arc::clone(&leg.uri));
        core.log_leg(self.id, &leg.party, Kind::LegStarted { leg: leg.id, direction, party, uri, call_id });
    }

    /// Where a user is registered.
    pub(super) fn phones_of(&self, core: &Core, user: &Arc<str>) -> Result<Vec<Destination>, u16> {
        let aor = crate::register::address_of_record(user, &self.client);
        let bindings = core.registrar.lookup(core.now, &aor);
        let found: Vec<_> = bindings
            .map(|binding| Destination {
                flow: core.way_to(binding),
                request_uri: binding.uri.clone(),
                number: None,
                route: binding.path.clone(),
                party: Party::User(Arc::clone(user)),
                resumes: None,
            })
            .collect();
        if found.is_empty() { Err(480) } else { Ok(found) }
    }

    /// The first 2xx wins: the caller is answered if it was not, the others stop ringing.
    pub(crate) fn on_answered(&mut self, core: &mut Core, leg: LegId, message: &Message) {
        if self.is_test(leg) {
            return self.test_answered(core, message);
        }
        if self.is_called_back(leg) {
            return self.customer_answered(core, message);
        }
        if self.is_supervisor(leg) {
            return self.supervisor_answered(core, leg, message);
        }
        if self.is_rung_again(leg) {
            return self.answered_again(core, leg, message);
        }
        let id = self.id;
        let dialing = matches!(self.phase, Phase::Dialing(_));
        let Some(winner) = self.callees.iter_mut().find(|callee| callee.id == leg) else { return };
        if !dialing || !matches!(winner.state, State::Early { .. }) {
            self.hang_up_callee(core, leg, EndedBy::Switch, 200, "answered too late");
            return;
        }
        winner.state = State::ANSWERED;
        if let Some(bill) = &mut winner.bill {
            core.accounts.talk(core.now, bill);
        }
        if !winner.agree(core, message) {
            self.hang_up_callee(core, leg, EndedBy::Switch, 488, "no usable SDP answer");
            self.count_failure(core, leg, Failure { status: 488, told: true });
            return;
        }
        let codec = winner.codec().map(|codec| codec.name().into());
        let party = winner.party.clone();
        core.log_leg(id, &party, Kind::LegAnswered { leg, codec });
        self.win(core, leg, "answered elsewhere");
    }

    /// An answered leg gets the call that is rung for.
    pub(super) fn win(&mut self, core: &mut Core, leg: LegId, others: &str) {
        self.cancel_ringing(core, Some(ELSEWHERE), EndedBy::Switch, others);
        let whisper = if self.is_queued() {
            self.serve_from_queue(core, leg)
        } else {
            self.finish_ringing(core, DialOutcome::Answered(leg));
            if matches!(&self.phase, Phase::Dialing(dial) if matches!(dial.purpose, Purpose::Pull(_))) {
                self.inbox.push_back(MachineInput::Served);
            }
            None
        };
        self.prefer_codec_of(leg);
        self.answer_caller(core);
        match whisper {
            Some(whisper) => self.brief(core, leg, whisper),
            None => self.connect(core, leg),
        }
        if !self.is_consulting() {
            self.hand_over(core);
        }
    }

    /// The caller and an answered leg hear each other.
    pub(super) fn connect(&mut self, core: &mut Core, leg: LegId) {
        self.phase = Phase::Bridged { callee: leg };
        if self.early.take() != Some(EarlyBridge::of(self.caller.id, leg)) {
            core.media(Command::Bridge { a: self.caller.stream(), b: crate::leg::stream_of(leg) });
        }
        core.log(Some(self.id), Kind::Bridged { a: self.caller.id, b: leg });
    }

    /// A failure without a response is ours: a timer, or the transport.
    pub(crate) fn on_failed(&mut self, core: &mut Core, leg: LegId, status: u16, response: Option<&Message>) {
        self.forget_usage(core, leg);
        if self.is_test(leg) {
            return self.test_failed(core, status, response);
        }
        if self.is_called_back(leg) {
            return self.customer_failed(core, status, response);
        }
        let was_ringing = self.leg_mut(leg).is_some_and(|leg| matches!(leg.state, State::Early { .. }));
        let by = if response.is_some() { EndedBy::Callee } else { EndedBy::Switch };
        if self.is_supervisor(leg) {
            return self.supervisor_gone(core, leg, by, Some(status), failure_reason(status));
        }
        let redirect = response.filter(|_| was_ringing && matches!(status, 300..=302));
        let follows = redirect.is_some_and(|message| self.follow_redirect(core, leg, status, message));
        let reason = if follows { "redirected" } else { failure_reason(status) };
        if let Some(asked) = response.filter(|_| status == 503).and_then(Message::retry_after) {
            self.let_rest(core, leg, asked);
        }
        self.end_leg(core, leg, by, Some(status), reason);
        if follows {
            self.take_hunt(leg);
            self.ring_next(core);
        } else if was_ringing {
            self.count_failure(core, leg, Failure { status, told: response.is_some() });
        }
    }

    /// The server that a leg went to has no room for some time, and says so (RFC 3261 section 21.5.4).
    pub(super) fn let_rest(&mut self, core: &mut Core, leg: LegId, asked: Duration) {
        let Some(Leg { party: Party::Trunk(trunk), flow, .. }) = self.leg_mut(leg) else { return };
        let (trunk, server) = (Arc::clone(trunk), (flow.transport, flow.peer));
        core.let_rest(self.id, &trunk, server, asked);
    }

    /// A leg that rang has failed: its target has a further server, or is through.
    pub(super) fn count_failure(&mut self, core: &mut Core, leg: LegId, failure: Failure) {
        if !matches!(self.phase, Phase::Dialing(_)) {
            return;
        }
        if self.is_queued() {
            return self.count_agent(core, leg, failure);
        }
        let hunt = self.take_hunt(leg).and_then(|hunt| hunt.after(failure));
        let outcome = hunt.map_or(Err(failure.status), |hunt| self.hunt(core, hunt));
        if let Err(status) = outcome {
            self.count(status);
        }
        self.ring_next(core);
    }

    /// One target is through, without an answer.
    pub(super) fn count(&mut self, status: u16) {
        if let Phase::Dialing(dial) = &mut self.phase {
            dial.tally.count(status);
        }
    }

    pub(crate) fn on_ring_timeout(&mut self, core: &mut Core) {
        match self.phase {
            Phase::Test => return self.end_test(core),
            Phase::CallingBack => return self.hang_up_caller(core, EndedBy::Switch, "no answer"),
            Phase::Releasing => return self.end_release(core, 408),
            _ if self.is_queued() => return self.end_late_offers(core),
            _ => {}
        }
        let Phase::Dialing(dial) = &mut self.phase else { return };
        dial.tally.no_answer = true;
        dial.hunts.clear();
        // Where it sent the call shares its time, which is over.
        dial.waiting.drain(..dial.elsewhere);
        dial.elsewhere = 0;
        self.cancel_ringing(core, None, EndedBy::Switch, "no answer");
        self.ring_next(core);
    }

    /// The flow gave up on its dial, whether it still rings or is talked on.
    pub(super) fn cancel_dial(&mut self, core: &mut Core) {
        self.abandon_consultation(core, EndedBy::Flow);
        self.leave_room(core, false);
        self.leave_queue(core, EndedBy::Flow, QueueOutcome::Flow);
        match std::mem::replace(&mut self.phase, Phase::Flow) {
            Phase::Flow | Phase::Test | Phase::CallingBack | Phase::Conference(_) => {}
            Phase::Briefing(briefing) => {
                self.hang_up_callee(core, briefing.callee, EndedBy::Flow, 200, "the flow hung up");
            }
            Phase::Dialing(_) => {
                self.cancel_ringing(core, None, EndedBy::Flow, "cancelled");
                self.finish_ringing(core, DialOutcome::NoAnswer);
            }
            Phase::Bridged { callee } => {
                self.unbridge(core, callee);
                self.hang_up_callee(core, callee, EndedBy::Flow, 200, "the flow hung up");
            }
            Phase::Releasing => {
                core.timers.cancel(Timer::Ring(self.id));
            }
            Phase::Choosing(Choice { callee, .. }) => {
                self.hang_up_callee(core, callee, EndedBy::Flow, 200, "the flow hung up");
            }
        }
        self.drop_transfer(core, EndedBy::Flow);
    }

    /// The caller is gone: nobody rings on for it, and whom it spoke with is hung up on.
    pub(super) fn end_dial_for_caller(&mut self, core: &mut Core, by: EndedBy) {
        self.leave_room(core, false);
        // Who can no longer be reached has not waited to the end either.
        let is_abandoned = matches!(by, EndedBy::Caller | EndedBy::Switch);
        let outcome = if is_abandoned { QueueOutcome::Abandoned } else { QueueOutcome::Flow };
        self.leave_queue(core, by, outcome);
        match std::mem::replace(&mut self.phase, Phase::Flow) {
            Phase::Flow | Phase::Conference(_) => {}
            Phase::Briefing(briefing) => {
                self.hang_up_callee(core, briefing.callee, by, 200, "normal");
            }
            Phase::Test | Phase::CallingBack => {
                core.timers.cancel(Timer::Ring(self.id));
            }
            Phase::Dialing(_) => {
                self.cancel_ringing(core, None, by, "cancelled");
                self.finish_ringing(core, DialOutcome::CallerGone);
            }
            Phase::Bridged { callee } => {
                self.unbridge(core, callee);
                self.hang_up_callee(core, callee, by, 200, "normal");
            }
            Phase::Releasing => {
                core.timers.cancel(Timer::Ring(self.id));
            }
            Phase::Choosing(Choice { callee, .. }) => {
                self.hang_up_callee(core, callee, by, 200, "normal");
            }
        }
        self.drop_transfer(core, by);
    }

    /// An answered callee is over; the flow goes on with the caller.
    pub(super) fn callee_gone(
        &mut self,
        core: &mut Core,
        leg: LegId,
        by: EndedBy,
        status: Option<u16>,
        why: &str,
    ) {
        let bridged = matches!(self.phase, Phase::Bridged { callee } if callee == leg);
        let parted = matches!(&self.phase, Phase::Choosing(choice) if choice.callee == leg);
        let was_ringing = self.leg_mut(leg).is_some_and(|leg| matches!(leg.state, State::Early { .. }));
        if bridged || parted {
            self.ring_no_more(core);
            self.phase = Phase::Flow;
            if bridged {
                self.unbridge(core, leg);
            }
            self.inbox.push_back(MachineInput::DialEnded(DialResult::Done));
        }
        self.end_leg(core, leg, by, status, why);
        self.briefed_agent_gone(core, leg);
        if was_ringing {
            self.count_failure(core, leg, Failure { status: status.unwrap_or(500), told: true });
        }
    }

    pub(super) fn unbridge(&mut self, core: &mut Core, callee: LegId) {
        self.part(core, self.caller.id, callee);
    }

    /// Two legs hear each other no longer.
    pub(super) fn part(&mut self, core: &mut Core, a: LegId, b: LegId) {
        if !self.dissolve(core) {
            core.media(Command::Unbridge { stream: crate::leg::stream_of(a) });
        }
        core.log(Some(self.id), Kind::Unbridged { a, b });
    }

    pub(super) fn hang_up_callee(
        &mut self,
        core: &mut Core,
        leg: LegId,
        by: EndedBy,
        status: u16,
        reason: &str,
    ) {
        if let Some(invite) = self.leg_mut(leg).and_then(|leg| leg.invite) {
            core.endpoint.bye(core.now, invite, None, &mut core.sip);
        }
        self.end_leg(core, leg, by, Some(status), reason);
    }

    /// Nobody is rung any more.
    pub(super) fn stop_ringing(&mut self, core: &mut Core, by: EndedBy, outcome: DialOutcome) {
        if self.leave_queue(core, by, QueueOutcome::Flow).is_some() {
            return;
        }
        if let Phase::Dialing(_) = self.phase {
            self.phase = Phase::Flow;
            self.cancel_ringing(core, None, by, "cancelled");
            self.finish_ringing(core, outcome);
        }
    }

    pub(super) fn cancel_ringing(
        &mut self,
        core: &mut Core,
        header: Option<&str>,
        by: EndedBy,
        reason: &str,
    ) {
        let ringing = self.callees.iter().filter(|leg| leg.is_early()).map(|leg| (leg.id, leg.invite));
        let ringing: Vec<_> = ringing.collect();
        self.cancel_legs(core, ringing, header, by, reason);
    }

    pub(super) fn cancel_legs(
        &mut self,
        core: &mut Core,
        legs: Vec<(LegId, Option<InviteId>)>,
        header: Option<&str>,
        by: EndedBy,
        reason: &str,
    ) {
        for (leg, invite) in legs {
            if let Some(invite) = invite {
                core.endpoint.cancel(core.now, invite, header, &mut core.sip);
            }
            self.end_leg(core, leg, by, None, reason);
        }
    }

    fn fail_dial(&mut self, core: &mut Core) {
        let Phase::Dialing(dial) = std::mem::replace(&mut self.phase, Phase::Flow) else { return };
        let (outcome, result, status) = dial.tally.verdict();
        self.failed_status = Some(status);
        self.finish_ringing(core, outcome);
        match dial.purpose {
            Purpose::Step => self.inbox.push_back(MachineInput::DialEnded(result)),
            Purpose::Transfer => self.hand_back(core, status),
            Purpose::Pull(place) => self.enqueue_at(core, place.0, place.1),
            // It is over when the queue says so.
            Purpose::Queue(_) => {}
        }
    }

    fn finish_ringing(&mut self, core: &mut Core, outcome: DialOutcome) {
        core.timers.cancel(Timer::Ring(self.id));
        core.log(Some(self.id), Kind::DialEnded { outcome });
    }
}

impl Tally {
    fn count(&mut self, status: u16) {
        match status {
            486 | 600 | 603 => self.busy = true,
            408 | 480 | 487 => self.no_answer = true,
            // The best response of a forked request is the lowest class, then the lowest code (RFC 3261 16.7).
            other => self.failed = Some(self.failed.map_or(other, |best| best.min(other))),
        }
    }

    /// What the log says, what the flow is told, and what a caller hears who was never answered.
    fn verdict(&self) -> (DialOutcome, DialResult, u16) {
        if self.busy {
            (DialOutcome::Busy, DialResult::Busy, 486)
        } else if self.no_answer {
            (DialOutcome::NoAnswer, DialResult::NoAnswer, 480)
        } else {
            let status = self.failed.unwrap_or(480);
            let told = passed_on(status);
            (DialOutcome::Failed(status), DialResult::Failed(told), told)
        }
    }
}

/// A failure of the callee's side as the caller is told of it.
fn passed_on(status: u16) -> u16 {
    match status {
        // Challenges were for us, and 503 would take the whole switch out of the caller's rotation.
        401 | 407 | 503 => 500,
        // A redirect that could not be followed says nothing without its Contact.
        300..=399 => 480,
        other => other,
    }
}

pub(super) fn failure_reason(status: u16) -> &'static str {
    match status {
        486 | 600 => "busy",
        603 => "declined",
        408 | 480 => "no answer",
        487 => "cancelled",
        404 | 410 | 604 => "not found",
        _ => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flow_hears_of_a_failure_what_the_caller_is_to_hear() {
        for (heard, told) in [(404, 404), (503, 500), (407, 500), (302, 480)] {
            let mut tally = Tally::default();
            tally.count(heard);
            assert_eq!(tally.verdict(), (DialOutcome::Failed(heard), DialResult::Failed(told), told));
        }
    }
}

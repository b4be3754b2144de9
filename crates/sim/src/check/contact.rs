//! A contact as the log tells it, and the rules that its events keep.

use super::choice::Choice;
use super::supervision::Supervision;
use super::watches::client_of;
use crate::plan;
use clock::{Duration, Time};
use events::{Direction, EndedBy, Kind, LegId, Missing, Party, QueueOutcome};
use std::collections::{BTreeMap, BTreeSet};
use std::mem::replace;
use std::sync::Arc;

/// How long a page may be away.
const LONGEST_LOSS: Duration = Duration::from_secs(30);
/// The longest ringing of the plan: `direct`, or the three phones of `hunt`.
const LONGEST_DIAL: Duration = Duration::from_secs(20);
/// The longest ringing of a test call, and how long it lasts then.
const LONGEST_TEST: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(4));

#[derive(Debug)]
pub(super) struct Contact {
    pub(super) legs: BTreeMap<LegId, Leg>,
    pub(super) ended_legs: BTreeMap<LegId, bool>,
    pub(super) bridge: Option<(LegId, LegId)>,
    /// The caller, and whom it hears before the answer.
    pub(super) early: Option<(LegId, LegId)>,
    pub(super) supervision: Option<Supervision>,
    /// Whether a transfer is under way.
    pub(super) transfer: bool,
    pub(super) chooses: Option<Choice>,
    /// Whether a trunk is asked to call the target of a transfer itself.
    pub(super) releasing: bool,
    /// Since when destinations are being rung.
    pub(super) dialing: Option<Time>,
    /// Whether an agent has answered who is told whose call it gets.
    pub(super) briefed: bool,
    /// Whether a callee has said what no other trunk can mend, in this dial.
    pub(super) decided: bool,
    /// Whether any phone has rung for it.
    pub(super) rang: bool,
    pub(super) recordings: BTreeSet<String>,
    /// Whether its caller may not be recorded.
    pub(super) refuses: bool,
    /// Whether the recording that runs is silent, and whether that takes time in it.
    pub(super) hush: Option<bool>,
    /// The room that its caller is in, and its leg there.
    pub(super) room: Option<(Arc<str>, LegId)>,
    /// Whether its flow waits until it is known who answers for the caller.
    pub(super) awaits_verdict: bool,
    /// When it ends at the latest, if the switch has begun it.
    pub(super) test_until: Option<Time>,
}

#[derive(Debug)]
pub(super) struct Leg {
    pub(super) direction: Direction,
    pub(super) party: Party,
    /// Whether it is for another country.
    pub(super) abroad: bool,
    pub(super) call_id: Arc<str>,
    pub(super) answered: bool,
    /// Whether a 183 has opened its media.
    pub(super) early: bool,
    pub(super) ringing: bool,
    pub(super) held: bool,
    /// Since when nothing comes of its page.
    pub(super) lost: Option<Time>,
    pub(super) fax: bool,
    /// Which ways no media flows, as it was told.
    pub(super) missing: Vec<Missing>,
}

impl Contact {
    /// The trunk `carrier` is asked who answers for its callers.
    pub(super) fn new(source: &str, at: Time) -> Self {
        Self {
            awaits_verdict: source == "carrier",
            test_until: (source == "test").then(|| at + LONGEST_TEST.0),
            legs: BTreeMap::new(),
            ended_legs: BTreeMap::new(),
            bridge: None,
            early: None,
            supervision: None,
            transfer: false,
            chooses: None,
            releasing: false,
            dialing: None,
            briefed: false,
            decided: false,
            rang: false,
            recordings: BTreeSet::new(),
            refuses: false,
            hush: None,
            room: None,
        }
    }

    /// Legs of a dial, a bridge or a test, and whether each must hear music: who waits for an answer, a party whose other
    /// party holds or is lost, and who takes a test call.
    pub(super) fn listeners(&self) -> Vec<(LegId, bool)> {
        let held = |leg: &LegId| self.legs.get(leg).is_some_and(|leg| leg.held || leg.lost.is_some());
        match (self.bridge, self.dialing) {
            (Some((a, b)), _) => {
                let with_call = self.company();
                let hears = |leg: &LegId| with_call.is_some_and(|company| company.contains(leg));
                let waits = |leg: &LegId| ![a, b].contains(leg) && self.legs[leg].answered && !hears(leg);
                let waiting = self.legs.keys().copied().filter(waits).map(|leg| (leg, true));
                [(a, held(&b)), (b, held(&a))].into_iter().chain(waiting).collect()
            }
            (None, Some(_)) => {
                let up = self.legs.iter().filter(|(_, leg)| leg.answered || leg.early);
                let hears = |leg: &LegId| self.early.is_some_and(|(listener, _)| listener == *leg);
                up.map(|(id, _)| (*id, !hears(id))).collect()
            }
            (None, None) if self.releasing => {
                self.legs.iter().filter(|(_, leg)| leg.answered).map(|(id, _)| (*id, true)).collect()
            }
            (None, None) => {
                let tested = self.legs.iter().filter(|(_, leg)| self.test_until.is_some() && leg.answered);
                let waits = self.chooses.iter().map(Choice::waits);
                tested.map(|(id, _)| *id).chain(waits).map(|id| (id, true)).collect()
            }
        }
    }

    /// Takes an event of the contact; a rule that it breaks is named together with it.
    pub(super) fn apply(&mut self, at: Time, kind: &Kind) -> Result<(), String> {
        let broken = [
            self.apply_to_leg(at, kind)?,
            self.apply_to_call(at, kind)?,
            self.apply_to_transfer(kind)?,
            self.apply_to_company(kind)?,
        ];
        let broken = broken.into_iter().flatten().next();
        broken.map_or(Ok(()), |rule| Err(format!("{rule}: {kind:?}")))
    }

    /// What a leg does by itself: rings, answers, holds, has fax or media.
    fn apply_to_leg(&mut self, at: Time, kind: &Kind) -> Result<Option<&'static str>, String> {
        Ok(match kind {
            Kind::CallerVerified { .. } => {
                (!replace(&mut self.awaits_verdict, false)).then_some("a verdict that nobody waits for")
            }
            Kind::FlowStep { .. } => self.awaits_verdict.then_some("a flow begins without the verdict"),
            Kind::LegRinging { leg } => {
                self.rang = true;
                let leg = self.leg(*leg)?;
                (leg.answered || replace(&mut leg.ringing, true)).then_some("rings twice or after the answer")
            }
            Kind::LegAnswered { leg, .. } => {
                self.test_until = self.test_until.map(|_| at + LONGEST_TEST.1);
                replace(&mut self.leg(*leg)?.answered, true).then_some("answered twice")
            }
            Kind::Held { leg } | Kind::Resumed { leg } => {
                let holds = matches!(kind, Kind::Held { .. });
                let leg = self.leg(*leg)?;
                (!leg.answered || replace(&mut leg.held, holds) == holds)
                    .then_some("hold and resume alternate")
            }
            Kind::LegLost { leg } => {
                let leg = self.leg(*leg)?;
                (leg.lost.replace(at).is_some() || !leg.answered).then_some("lost twice or before the answer")
            }
            Kind::LegBack { leg } => {
                let lost = self.leg(*leg)?.lost.take();
                lost.is_none_or(|since| at - since > LONGEST_LOSS)
                    .then_some("back that was not lost, or too late")
            }
            Kind::FaxStarted { leg } | Kind::FaxEnded { leg } => {
                let faxes = matches!(kind, Kind::FaxStarted { .. });
                let leg = self.leg(*leg)?;
                (!leg.answered || replace(&mut leg.fax, faxes) == faxes)
                    .then_some("fax begins and ends by turns")
            }
            Kind::MediaOneWay { leg, missing } => {
                let leg = self.leg(*leg)?;
                let again = leg.missing.contains(missing);
                leg.missing.push(*missing);
                (again || !leg.answered || leg.held).then_some("told twice, before the answer or in a hold")
            }
            Kind::EarlyMedia { leg } => {
                let leg = self.leg(*leg)?;
                (leg.answered || replace(&mut leg.early, true)).then_some("opened twice or after the answer")
            }
            _ => None,
        })
    }

    /// Dials, places in queues and bridges, and the end of a leg.
    fn apply_to_call(&mut self, at: Time, kind: &Kind) -> Result<Option<&'static str>, String> {
        Ok(match kind {
            Kind::BridgedEarly { a, b } => {
                let listens = {
                    let leg = self.leg(*a)?;
                    leg.answered || leg.early
                };
                let rings = !self.leg(*b)?.answered && self.dialing.is_some();
                let taken = self.bridge.is_some() || self.early.replace((*a, *b)).is_some();
                (!listens || !rings || taken)
                    .then_some("early media to nobody, of nobody, or beside a bridge")
            }
            Kind::Bridged { a, b } => {
                self.briefed = false;
                let both = self.leg(*a)?.answered && self.leg(*b)?.answered;
                self.chooses = None;
                let other = self.early.take().is_some_and(|early| early != (*a, *b));
                (!both || other || self.bridge.replace((*a, *b)).is_some())
                    .then_some("a bridge of legs that are not answered, or a second one")
            }
            Kind::Unbridged { a, b } => {
                let parted = self.bridge.take().or(self.early.take());
                (parted != Some((*a, *b))).then_some("no such bridge")
            }
            Kind::LegEnded { leg, cause } => {
                let ended = self.legs.remove(leg).ok_or_else(|| format!("leg {} ended twice", leg.0))?;
                self.decided |= matches!(ended.party, Party::Trunk(_))
                    && cause.by == EndedBy::Callee
                    && matches!(cause.status, Some(404 | 486 | 487 | 600 | 603));
                self.ended_legs.insert(*leg, ended.answered);
                self.early.take_if(|(a, b)| a == leg || b == leg);
                self.chooses.take_if(|choice| choice.is_of(*leg));
                let overdue = self.test_until.is_some_and(|until| at > until);
                let bridged = self.bridge.is_some_and(|(a, b)| a == *leg || b == *leg);
                let bridged = bridged || self.room.as_ref().is_some_and(|(_, there)| there == leg);
                let missed = ended.lost.is_some_and(|since| at - since > LONGEST_LOSS);
                (bridged || overdue || missed).then_some(
                    "ended in a bridge, or a test call or the loss of a page that lasts for too long",
                )
            }
            Kind::DialStarted { .. } => {
                self.decided = false;
                (self.dialing.replace(at).is_some() || self.bridge.is_some())
                    .then_some("a dial within a dial or a bridge")
            }
            Kind::DialEnded { .. } => {
                let since = self.dialing.take().ok_or_else(|| format!("no such dial: {kind:?}"))?;
                (at - since > LONGEST_DIAL).then_some("rang for too long")
            }
            Kind::QueueEntered { leg, .. } => {
                self.briefed = false;
                let up = self.leg(*leg)?.answered && self.bridge.is_none() && self.room.is_none();
                (!up || self.dialing.replace(at).is_some()).then_some("waits out of something else")
            }
            Kind::QueueLeft { outcome, .. } => {
                self.briefed = matches!(outcome, QueueOutcome::Answered(_));
                self.dialing.take().is_none().then_some("leaves no queue")
            }
            Kind::CodeDialled { leg, feature } => {
                let is_user = matches!(self.leg(*leg)?.party, Party::User(_));
                let begins = matches!(&**feature, "transfer" | "consult");
                if let (true, Some((a, b))) = (begins, self.bridge) {
                    self.chooses = Some(Choice::new(at, *leg, if a == *leg { b } else { a }));
                }
                (!is_user || begins == self.transfer || begins && self.bridge.is_none())
                    .then_some("a code of a stranger, or one that means nothing now")
            }
            _ => None,
        })
    }

    /// Who hands whom on, and who takes whose place.
    fn apply_to_transfer(&mut self, kind: &Kind) -> Result<Option<&'static str>, String> {
        Ok(match kind {
            Kind::LegReplaced { leg, by } => {
                let rings = |leg: &Leg| leg.direction == Direction::Outbound && self.dialing.is_some();
                let speaks = self.bridge.is_some_and(|(a, b)| [a, b].contains(leg)) && !self.transfer;
                let is_right = self.legs.get(leg).is_some_and(|leg| speaks || !leg.answered && rings(leg));
                let client = |leg: &LegId| match &self.legs.get(leg)?.party {
                    Party::User(user) => client_of(user),
                    Party::Trunk(_) | Party::Uri => None,
                };
                let is_foreign = client(by).is_none() || client(by) != client(leg);
                let takes = self.legs.get(by).is_some_and(|by| !by.answered);
                (!is_right || !takes || is_foreign).then_some(
                    "a leg is replaced that neither rings nor speaks, or by a user of another client",
                )
            }
            Kind::Released { leg, .. } => {
                let is_trunk = matches!(self.leg(*leg)?.party, Party::Trunk(_));
                let alone = self.bridge.is_none() && self.dialing.is_none();
                (replace(&mut self.releasing, true) || !is_trunk || !alone || !self.transfer)
                    .then_some("a release of no trunk, or beside a bridge")
            }
            Kind::TransferStarted { .. } | Kind::TransferEnded { .. } => {
                self.chooses = None;
                self.releasing = false;
                let begins = matches!(kind, Kind::TransferStarted { .. });
                (replace(&mut self.transfer, begins) == begins).then_some("transfers begin and end in turn")
            }
            _ => None,
        })
    }

    /// Rooms, supervisors and recordings.
    fn apply_to_company(&mut self, kind: &Kind) -> Result<Option<&'static str>, String> {
        Ok(match kind {
            Kind::RoomEntered { leg, room, .. } => {
                let up = self.leg(*leg)?.answered && self.bridge.is_none() && self.dialing.is_none();
                let other = self.room.replace((Arc::clone(room), *leg));
                (!up || other.is_some()).then_some("comes into a room out of something else")
            }
            Kind::RoomLeft { leg, room, .. } => (self.room.take() != Some((Arc::clone(room), *leg)))
                .then_some("leaves a room that it is not in"),
            Kind::RoomMuted { leg, .. } | Kind::RoomGain { leg, .. } => {
                self.room.as_ref().is_none_or(|(_, there)| there != leg).then_some("is in no room")
            }
            Kind::SupervisionStarted { user, mode } => {
                let new = Supervision { user: Arc::clone(user), mode: *mode };
                (self.bridge.is_none() || self.supervision.replace(new).is_some())
                    .then_some("a supervisor of no call, or a second one")
            }
            Kind::SupervisionChanged { user, mode } => {
                let found = self.supervision.as_mut().filter(|it| it.user == *user);
                found.is_none_or(|it| replace(&mut it.mode, *mode) == *mode).then_some("nothing is changed")
            }
            Kind::TakenOver { leg, by } => {
                let right = self.is_supervisor(*by) && self.leg(*by)?.answered && self.leg(*leg)?.answered;
                (!right || self.transfer).then_some("no supervisor takes over, or within a transfer")
            }
            Kind::SupervisionEnded { user, .. } => {
                self.supervision.take().is_none_or(|it| it.user != *user).then_some("no such supervisor")
            }
            Kind::RecordingHushed { mask, .. } => {
                let again = self.hush.replace(*mask) == Some(*mask);
                (again || self.recordings.is_empty()).then_some("nothing is made silent, or nothing runs")
            }
            Kind::RecordingResumed { .. } => {
                self.hush.take().is_none().then_some("a recording goes on that was not silent")
            }
            Kind::RecordingConsent { given, .. } => {
                self.refuses = !given;
                None
            }
            Kind::RecordingStarted { path, .. } => {
                self.hush = None;
                let is_new = self.recordings.insert(path.clone());
                (!is_new || self.refuses).then_some("a file recorded twice, or against the caller's will")
            }
            Kind::RecordingEnded { path, .. } => (!self.recordings.remove(path)).then_some("ended twice"),
            _ => None,
        })
    }

    pub(super) fn call_ids(&self) -> Vec<&str> {
        self.legs.values().map(|leg| &*leg.call_id).collect()
    }

    /// A leg that is not bridged goes elsewhere; its record here ends.
    pub(super) fn leave(&mut self, leg: LegId) -> Result<Leg, String> {
        let left = self.legs.remove(&leg).ok_or_else(|| format!("leg {} leaves unborn", leg.0))?;
        self.ended_legs.insert(leg, left.answered);
        let bridged = self.bridge.or(self.early).is_some_and(|(a, b)| a == leg || b == leg);
        if bridged { Err(format!("leg {} leaves in a bridge", leg.0)) } else { Ok(left) }
    }

    pub(super) fn leg(&mut self, leg: LegId) -> Result<&mut Leg, String> {
        self.legs.get_mut(&leg).ok_or_else(|| format!("leg {} is not alive", leg.0))
    }

    /// Nothing outlives the contact, and its record has each leg once.
    pub(super) fn check_end(&self, cdr: &events::cdr::Cdr) -> Result<(), String> {
        if self.supervision.is_some() {
            return Err("over with a supervisor".to_owned());
        }
        if !self.legs.is_empty() || self.bridge.is_some() || self.dialing.is_some() || self.transfer {
            return Err(format!("over with {} legs, a bridge, a dial or a transfer alive", self.legs.len()));
        }
        let mut recorded: Vec<_> = cdr.legs.iter().map(|leg| (leg.leg, leg.answered.is_some())).collect();
        recorded.sort_unstable();
        let lived: Vec<_> = self.ended_legs.iter().map(|(leg, answered)| (*leg, *answered)).collect();
        if recorded != lived {
            return Err(format!("its CDR has the legs {recorded:?}, the log {lived:?}"));
        }
        match (&*cdr.to, cdr.recordings.is_empty()) {
            (plan::NEVER_RECORDED, false) => Err("recorded, which its number forbids".to_owned()),
            (plan::ALWAYS_RECORDED, true) if cdr.answered.is_some() => {
                Err("answered and not recorded, which its number wants".to_owned())
            }
            _ => Ok(()),
        }
    }
}

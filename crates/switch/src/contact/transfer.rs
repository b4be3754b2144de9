//! Transfers: a party of a bridge hands the other one on, and gets it back if that fails.
//!
//! Until the target has the call, who transfers stays a leg of the contact and hears how it goes; it may hang up
//! before. The same steps serve a phone's REFER and the API.

use super::dial::{Order, Purpose};
use super::{Contact, Phase};
use crate::TransferRefused;
use crate::core::Core;
use crate::leg::State;
use clock::Duration;
use dialplan::{CallInfo, ClientIndex, Destination, DialResult, FlowIndex, Machine, MachineInput};
use events::{EndedBy, Kind, LegId, TransferBy, TransferOutcome};
use sip::SubscriptionId;
use std::sync::Arc;

/// How long the target of a transfer rings, and whoever gets the call back after having hung up.
pub(super) const RING_TIME: Duration = Duration::from_secs(20);

/// A transfer under way.
pub(super) struct Transfer {
    /// The leg of who began it. It may have ended.
    pub(super) transferor: LegId,
    /// How it was asked for.
    by: TransferBy,
    /// The user at that leg, to be rung if the call comes back and the leg has ended.
    user: Option<Arc<str>>,
    /// Who wants to hear how it goes: the sender of a REFER (RFC 3515 section 2.4.4).
    told: Option<SubscriptionId>,
    referred_by: Option<Box<str>>,
    /// Whether the transferor was the caller before.
    turned: bool,
    /// The flow that the caller was in, while the target's own is tried.
    suspended: Option<Machine>,
    /// While the transferor has a word with the target: who is to be handed on, and waits.
    waits: Option<LegId>,
}

/// A transfer that is asked for.
pub(crate) struct Wish {
    /// The leg of who asks.
    pub(crate) leg: LegId,
    pub(crate) by: TransferBy,
    pub(crate) consult: bool,
    /// The target as it was given.
    pub(crate) to: Arc<str>,
    /// Who wants to hear how it goes.
    pub(crate) told: Option<SubscriptionId>,
    /// A value for Referred-By.
    pub(crate) referred_by: Option<String>,
}

impl Contact {
    /// Whether a leg may transfer the party that it speaks with; the status of the refusal if not.
    pub(crate) fn may_transfer(&self, leg: LegId) -> Result<(), u16> {
        match self.phase {
            _ if self.transfer.is_some() => Err(491),
            Phase::Choosing(_) => Err(491),
            Phase::Bridged { callee } if callee == leg || self.is_caller(leg) => Ok(()),
            _ => Err(603),
        }
    }

    /// Hands the other party of a bridge on, if the target is one that may be had.
    pub(crate) fn try_transfer(&mut self, core: &mut Core, wish: Wish) -> Result<(), TransferRefused> {
        let target = self.plan.destination(&self.client, &wish.to).ok_or(TransferRefused::UnknownTarget)?;
        match target {
            Destination::User(user) if wish.consult => {
                let order = Order::to_user(user, RING_TIME, Purpose::Transfer);
                self.begin_consultation(core, wish, order);
            }
            Destination::Flow(client, flow) if wish.consult => {
                let machine = self.machine_for(core, &wish.to, "transfer", (client, flow));
                let order = Order::of_flow(core.now, machine).ok_or(TransferRefused::NobodyToConsult)?;
                self.begin_consultation(core, wish, order);
            }
            Destination::User(_) | Destination::Flow(..) => self.begin_transfer(core, wish),
        }
        Ok(())
    }

    /// Hands the other party of a bridge on. Whatever becomes of it, the transferor is told.
    pub(crate) fn begin_transfer(&mut self, core: &mut Core, wish: Wish) {
        match self.plan.destination(&self.client, &wish.to) {
            None => {
                self.let_go(core, wish);
                self.hand_back(core, 404);
            }
            Some(Destination::User(user)) => {
                self.let_go(core, wish);
                self.start_dial(core, Order::to_user(user, RING_TIME, Purpose::Transfer));
            }
            Some(Destination::Flow(client, flow)) => {
                let machine = self.machine_for(core, &wish.to, "transfer", (client, flow));
                let order =
                    Order::of_flow(core.now, self.machine_for(core, &wish.to, "transfer", (client, flow)));
                let Some(wish) = self.release(core, wish, order) else { return };
                self.let_go(core, wish);
                self.enter(machine, [MachineInput::Start]);
            }
        }
    }

    /// The flow of a number that somebody sends the caller to, before its first step.
    pub(super) fn machine_for(
        &self,
        core: &Core,
        to: &Arc<str>,
        source: &str,
        (client, flow): (ClientIndex, FlowIndex),
    ) -> Machine {
        let info = CallInfo {
            from: Arc::clone(&self.identity.number),
            to: Arc::clone(to),
            source: source.into(),
            diverted_by: Arc::clone(&self.identity.diverted_by),
            verstat: self.identity.word.0,
            attestation: self.identity.word.1,
            unix_micros_at_zero: core.config.unix_micros_at_zero,
            seed: self.id.0,
        };
        Machine::new(Arc::clone(&self.plan), client, flow, info)
    }

    /// The callee of a bridge, or of one that is parted while a target is dialled.
    pub(super) fn callee_of_bridge(&self) -> Option<LegId> {
        match &self.phase {
            Phase::Bridged { callee } => Some(*callee),
            Phase::Choosing(choice) => Some(choice.callee),
            Phase::Flow
            | Phase::Test
            | Phase::CallingBack
            | Phase::Briefing(_)
            | Phase::Dialing(_)
            | Phase::Conference(_)
            | Phase::Releasing => None,
        }
    }

    /// Parts the transferor from the party that it hands on, which is the caller from now on.
    pub(super) fn let_go(&mut self, core: &mut Core, wish: Wish) {
        let Some(callee) = self.callee_of_bridge() else { return };
        if let Phase::Bridged { .. } = self.phase {
            self.unbridge(core, callee);
        }
        self.ring_no_more(core);
        self.phase = Phase::Flow;
        let Wish { leg, by, consult, to, told, referred_by } = wish;
        core.log(Some(self.id), Kind::TransferStarted { leg, by, consult, to });
        let turned = self.is_caller(leg);
        if turned {
            self.turn(callee);
        }
        self.failed_status = None;
        let user = self.leg_mut(leg).and_then(|leg| leg.user().cloned());
        self.sent_on_by.clone_from(&user);
        self.transfer = Some(Box::new(Transfer {
            transferor: leg,
            by,
            user,
            told,
            referred_by: referred_by.map(Box::from),
            turned,
            suspended: None,
            waits: None,
        }));
    }

    /// Lets another flow have the caller; the one before comes back with the caller.
    pub(super) fn enter(&mut self, machine: Machine, inputs: impl IntoIterator<Item = MachineInput>) {
        let before = std::mem::replace(&mut self.machine, machine);
        if let Some(transfer) = &mut self.transfer {
            transfer.suspended = Some(before);
        }
        self.inbox = [MachineInput::Answered].into_iter().chain(inputs).collect();
    }

    /// A flow that neither rings anybody nor has ended serves the caller itself: it has the call.
    pub(super) fn take_over(&mut self, core: &mut Core) {
        if matches!(self.phase, Phase::Flow) {
            self.hand_over(core);
        }
    }

    /// The target has the call: the transferor is told, and free.
    pub(super) fn hand_over(&mut self, core: &mut Core) {
        let Some(transfer) = self.transfer.take() else { return };
        core.log(Some(self.id), Kind::TransferEnded { outcome: TransferOutcome::Done });
        transfer.tell(core, 200);
        if transfer.turned {
            self.record_on(core);
        }
        self.hang_up_callee(core, transfer.transferor, EndedBy::Switch, 200, "transferred");
    }

    /// The target could not be had: the caller goes back to the transferor, which is rung if it has hung up. If
    /// it cannot be had either, the flow goes on.
    pub(super) fn hand_back(&mut self, core: &mut Core, status: u16) {
        self.take_back(core, TransferOutcome::Failed(status), status);
    }

    /// The transfer has come to nothing, and it is told how.
    pub(super) fn take_back(&mut self, core: &mut Core, outcome: TransferOutcome, status: u16) {
        let Some(transfer) = self.transfer.take() else {
            return self.inbox.push_back(MachineInput::DialEnded(DialResult::Failed(status)));
        };
        core.log(Some(self.id), Kind::TransferEnded { outcome });
        transfer.tell(core, status);
        if let Some(waits) = transfer.waits {
            self.turn(waits);
        }
        if let Some(machine) = transfer.suspended {
            self.machine = machine;
            self.inbox.clear();
        }
        self.abandon_release(core);
        self.phase = Phase::Flow;
        self.sent_on_by = None;
        let is_up = |state: State| matches!(state, State::Answered { .. });
        if self.leg_mut(transfer.transferor).is_some_and(|leg| is_up(leg.state)) {
            let served = self.caller.id;
            if transfer.turned {
                self.turn(transfer.transferor);
            }
            self.connect(core, if transfer.turned { served } else { transfer.transferor });
            if transfer.by == TransferBy::Keys && matches!(outcome, TransferOutcome::Failed(_)) {
                self.alert(core, transfer.transferor);
            }
        } else if let Some(user) = transfer.user {
            self.start_dial(core, Order::to_user(user, RING_TIME, Purpose::Step));
        } else {
            self.inbox.push_back(MachineInput::DialEnded(DialResult::Failed(status)));
        }
    }

    /// The caller is gone, or its flow goes on without the target: the transferor has nothing to wait for.
    pub(super) fn drop_transfer(&mut self, core: &mut Core, by: EndedBy) {
        let Some(transfer) = self.transfer.take() else { return };
        core.log(Some(self.id), Kind::TransferEnded { outcome: TransferOutcome::Failed(487) });
        transfer.tell(core, 487);
        self.hang_up_callee(core, transfer.transferor, by, 487, "the transferred party is gone");
    }

    /// Tells the transferor how far the target is.
    pub(super) fn tell_transferor(&self, core: &mut Core, status: u16) {
        if let Some(transfer) = &self.transfer {
            transfer.tell(core, status);
        }
    }

    /// The Referred-By of the transfer under way (RFC 3892 section 2.2).
    pub(super) fn referred_by(&self) -> Option<&str> {
        self.transfer.as_ref()?.referred_by.as_deref()
    }

    /// Who is to be handed on and waits until the transferor has spoken with the target.
    pub(super) fn waiting(&self) -> Option<LegId> {
        self.transfer.as_ref()?.waits
    }

    pub(super) fn set_waiting(&mut self, waits: Option<LegId>) {
        if let Some(transfer) = &mut self.transfer {
            transfer.waits = waits;
        }
    }

    /// The leg of who transfers.
    pub(super) fn transferor(&self) -> Option<LegId> {
        Some(self.transfer.as_ref()?.transferor)
    }

    /// Whether a leg is that of the party that the contact serves.
    pub(super) fn is_served(&self, leg: LegId) -> bool {
        self.waiting().unwrap_or(self.caller.id) == leg
    }

    /// Callee and caller change places.
    pub(super) fn turn(&mut self, callee: LegId) {
        if let Some(leg) = self.callees.iter_mut().find(|leg| leg.id == callee) {
            std::mem::swap(&mut self.caller, leg);
        }
    }
}

impl Transfer {
    fn tell(&self, core: &mut Core, status: u16) {
        if let Some(told) = self.told {
            core.tell_of_transfer(told, status);
        }
    }
}

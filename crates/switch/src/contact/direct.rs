//! A supervisor moves a caller that waits, changes its priority, or pulls it to a user.

use super::Contact;
use super::dial::{Order, Purpose};
use super::transfer::RING_TIME;
use crate::core::Core;
use crate::{CallerOrder, CallerRefused};
use acd::Input;
use dialplan::Destination;
use events::{EndedBy, Kind, QueueOutcome};
use std::sync::Arc;

impl Contact {
    /// Does what a supervisor wants with a caller that waits in a queue.
    pub(crate) fn direct_in_queue(
        &mut self,
        core: &mut Core,
        order: &CallerOrder,
        by: &Arc<str>,
    ) -> Result<(), CallerRefused> {
        if !self.is_queued() {
            return Err(CallerRefused::NotWaiting);
        }
        match order {
            CallerOrder::Move { queue } => {
                self.plan.queue(&self.client, queue).ok_or(CallerRefused::UnknownQueue)?;
                self.log_direction(core, order, by);
                if let Some((mut place, entered)) =
                    self.leave_queue(core, EndedBy::Switch, QueueOutcome::Moved)
                {
                    place.queue = Arc::clone(queue);
                    self.enqueue_at(core, place, entered);
                }
            }
            CallerOrder::Prioritise { points } => {
                self.log_direction(core, order, by);
                self.set_priority(*points);
                core.queues.handle(core.now, Input::Prioritise { call: self.id.0, priority: *points });
            }
            CallerOrder::Pull { user } => {
                let Some(Destination::User(user)) = self.plan.destination(&self.client, user) else {
                    return Err(CallerRefused::UnknownUser);
                };
                self.phones_of(core, &user).map_err(|_| CallerRefused::Unreachable)?;
                if !core.users.is_free(&user) {
                    return Err(CallerRefused::Busy);
                }
                self.log_direction(core, order, by);
                if let Some(place) = self.leave_queue(core, EndedBy::Switch, QueueOutcome::PickedUp) {
                    let purpose = Purpose::Pull(Box::new(place));
                    self.start_dial(core, Order::to_user(user, RING_TIME, purpose));
                }
            }
        }
        Ok(())
    }

    fn log_direction(&self, core: &mut Core, order: &CallerOrder, by: &Arc<str>) {
        let (order, by) = (order.to_string().into(), Arc::clone(by));
        core.log(Some(self.id), Kind::CallerDirected { order, by });
    }
}

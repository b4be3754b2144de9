//! What a call centre measures, as folds of the one event log.
//!
//! [`Fold`] makes of events what a store keeps: [`Visit`]s, one for each stay of a caller in a queue and for each callback that was
//! asked for, and the [`Transition`]s of agents. [`Counter`] makes a [`Report`] of those: a [`Tally`] for each queue, agent, client, number
//! or trunk and each interval. A [`Figure`] is a name, a formula and a value of a tally; the visits behind it can be listed.

mod count;
mod figure;
mod fold;
mod grid;
mod level;
mod packed;
mod tally;
mod timeline;
mod visit;

pub use count::{Axis, Counter, Report, Row, Selection};
pub use figure::{FIGURES, Figure, Unit, figure};
pub use fold::{Changes, Fold};
pub use grid::{Every, Grid};
pub use level::{Formula, Level, Levels};
pub use packed::{Damaged, Unpacker, VERSION, pack, pack_change};
pub use tally::{Callbacks, Offers, Tally, Unqueued};
pub use timeline::{AgentTime, State, Timeline, Transition};
pub use visit::{Callback, CallbackEnd, Handling, Millis, Offer, Outcome, Segment, Stage, Visit, offer_name};

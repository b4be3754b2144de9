//! What must hold after every step. A complaint is a bug.

mod history;
mod outcome;
mod sdp;
mod tally;
mod turn;

pub(crate) use history::History;
pub(crate) use outcome::Outcome;
pub(crate) use sdp::Descriptions;
pub use tally::Tally;
pub(crate) use turn::Turns;

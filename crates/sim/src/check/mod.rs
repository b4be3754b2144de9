//! What must hold after every step. A complaint is a bug.

mod choice;
mod consequence;
mod contact;
mod figures;
mod history;
mod queues;
mod rests;
mod sdp;
mod supervision;
mod tally;
mod turn;
mod values;
mod voicemail;
mod watches;

pub(crate) use consequence::Consequence;
pub(crate) use history::History;
pub(crate) use sdp::Descriptions;
pub use tally::Tally;
pub(crate) use turn::Turns;
pub(crate) use watches::{Stage, Watches};

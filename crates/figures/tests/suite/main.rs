//! Figures of logs that were counted by hand, and of logs that a model counts by itself.

mod by_hand;
mod histories;
mod world;

//! The transactions of RFC 3261 section 17.

mod timer;

pub use timer::TimerValues;

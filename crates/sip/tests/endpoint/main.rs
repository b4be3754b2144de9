//! The endpoint as its user sees it: whole calls between two of them.

mod calls;
mod cancel;
mod chaos;
mod gate;
mod loss;
mod peers;
mod requests;
mod session;
mod timers;
mod world;

//! The endpoint as its user sees it: whole calls between two of them.

mod calls;
mod cancel;
mod chaos;
mod gate;
mod large;
mod lone;
mod loss;
mod peers;
mod reliable;
mod requests;
mod rfc_bytes;
mod session;
mod subscriptions;
mod timers;
mod torture;
mod world;

//! The shell of Ringdown: sockets, configuration, HTTP and the command line around the pure switch.
//!
//! The central type is [`serve::Server`], a running node. [`phone`] is a SIP phone on the same parts,
//! which [`demo`] and tests call with.

pub mod access;
mod axis;
pub mod cli;
pub mod demo;
mod embedded;
mod hex;
mod invoice;
pub mod load;
pub mod phone;
mod private;
mod random;
mod report;
pub mod serve;
pub mod stir;
pub mod tls;
mod vault;
pub mod versions;
mod web;

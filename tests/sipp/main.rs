//! Calls by SIPp: one test a scenario, each against a `ringdown serve` of its own.

mod applies;
mod calls;
mod fax;
mod floor;
mod hangup;
mod http;
mod identities;
mod recordings;
mod registrar;
mod ringing;
mod subscriptions;
mod takeovers;
mod transfers;
mod transport;
mod trunks;
mod vouching;

use serde_json::Value;

/// A field of a CDR as text.
fn field<'a>(cdr: &'a Value, name: &str) -> &'a str {
    cdr[name].as_str().unwrap_or_else(|| panic!("the CDR has no {name}: {cdr:#}"))
}

//! What queues and agents do, rule by rule, in an office with a queue `acme/support`.

mod agents;
mod callers;
mod offers;
mod office;
mod strategies;

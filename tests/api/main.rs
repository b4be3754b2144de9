//! The node's HTTP interface from outside: who may ask for what, what an account of one client sees of another, the event
//! log as it grows, and whether the node does what its own document says.

mod accounts;
mod document;
mod invoices;
mod isolation;
mod operations;
mod pages;
mod stream;
mod webhooks;

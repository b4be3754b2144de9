//! The binary from outside: its command line, its HTTP interface, its sockets, and the demo.

mod certificate;
mod check;
mod demo;
mod graph;
mod http;
mod node;
mod running;
mod schema;
mod simulate;
mod streams;
mod test;
mod versions;

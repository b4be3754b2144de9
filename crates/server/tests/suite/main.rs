//! The binary from outside: its command line, its HTTP interface, its sockets, and the demo.

mod certificate;
mod check;
mod demo;
mod http;
mod node;
mod running;
mod simulate;
mod streams;
mod test;

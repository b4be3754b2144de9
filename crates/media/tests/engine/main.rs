//! The engine from outside: real sockets on loopback, real files.

mod common;
mod recordings;
mod streams;

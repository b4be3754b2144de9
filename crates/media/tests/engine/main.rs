//! The engine from outside: real sockets on loopback, real files.

mod codecs;
mod common;
mod recordings;
mod streams;

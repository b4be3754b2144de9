//! The engine from outside: real sockets on loopback, real files.

mod browser;
mod codecs;
mod collisions;
mod common;
mod fax;
mod recordings;
mod reports;
mod rooms;
mod secure;
mod speaker;
mod streams;
mod threads;

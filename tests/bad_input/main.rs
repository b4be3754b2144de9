//! What must not harm a switch: wrong configuration, wrong datagrams, a full disk.

mod disk;
mod peer;
mod start;

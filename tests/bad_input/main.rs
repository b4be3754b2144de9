//! What must not harm a switch: wrong configuration, wrong datagrams, a full disk, attackers.

mod attack;
mod disk;
mod peer;
mod start;

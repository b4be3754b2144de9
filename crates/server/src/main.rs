//! The `ringdown` binary.

fn main() {}

//! The crate from outside: texts in, reports or effects out.

mod call;
mod config;
mod graph;
mod machine;
mod mutation;
mod report;
mod samples;
mod simulate;
mod support;
mod testing;

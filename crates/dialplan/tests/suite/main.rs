//! The crate from outside: texts in, reports or effects out.

mod call;
mod machine;
mod report;
mod samples;
mod support;

//! The crate from outside: texts in, reports or effects out.

mod report;
mod samples;
mod support;

//! The crate from outside: texts in, reports or effects out.

mod calendars;
mod call;
mod config;
mod graph;
mod http;
mod kv;
mod last_things;
mod lookup;
mod machine;
mod more_verbs;
mod mutation;
mod report;
mod samples;
mod say;
mod simulate;
mod sub_flows;
mod support;
mod testing;
mod voicemail;

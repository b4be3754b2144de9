//! Typed views of header field values: they borrow the message and are made when asked for.

mod name_addr;
mod params;
mod text;
mod via;

pub use name_addr::NameAddr;
pub use params::Params;
pub(crate) use text::{Split, cut, cut_before, is_token, unquote};
pub use via::Via;

//! The endpoint as its user sees it: whole calls between two of them.

mod calls;
mod cancel;
mod loss;
mod world;

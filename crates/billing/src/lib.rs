//! What a client company is to pay for a month.
//!
//! A [`Tariff`] is what was agreed with it. A [`Biller`] is shown the month's calls, visits, agents' hours and sales, and makes a
//! [`Draft`] of them: lines, each with all that stands behind it. Nothing is stored: a draft is a fold of the event log like every
//! figure, and is made anew by another tariff as well.
//!
//! Money is [`Money`], whole millionths, never a floating-point number.

mod biller;
mod call;
mod draft;
mod hours;
mod money;
mod month;
mod sheet;
mod tariff;

pub use biller::Biller;
pub use call::{Call, Ledger, Way};
pub use draft::{Draft, Item, Kind, Line};
pub use hours::Shares;
pub use money::{Currency, Money};
pub use month::Month;
pub use sheet::{Heading, pdf};
pub use tariff::{Calls, Deduction, Each, Penalty, Rate, Rates, Tariff};

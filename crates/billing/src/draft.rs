//! What a month comes to, line by line.

use crate::{Currency, Money, Month};
use events::ContactId;
use figures::Millis;
use serde::Serialize;
use std::sync::Arc;

/// A draft of an invoice. Taxes are not in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Draft {
    /// The client's folder.
    pub client: Arc<str>,
    /// Of which month.
    pub month: Month,
    /// Of all amounts.
    pub currency: Currency,
    /// In the order of their kinds, penalties last.
    pub lines: Vec<Line>,
    /// What all lines come to.
    pub total: Money,
    /// What all lines cost who serves the client; absent in what the client sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// Contacts with calls by trunks for which the tariff has no price, and that are in no line therefore.
    pub unpriced: Vec<ContactId>,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Of what it is.
    pub kind: Kind,
    /// Of which: a number, a prefix, a queue, a result.
    pub of: Arc<str>,
    /// What one of it comes to, in words.
    pub price: String,
    /// How many items stand behind it.
    pub count: usize,
    /// How much: seconds as they are counted, milliseconds of agents, or pieces.
    pub quantity: u64,
    /// What the items come to, added, then rounded to what the currency has.
    pub amount: Money,
    /// Likewise what they cost; absent in what the client sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// What a penalty is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// All that stands behind it, in the order of time.
    pub items: Vec<Item>,
}

/// Of what a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Calls that came in; seconds.
    Inbound,
    /// Calls that went out; seconds.
    Outbound,
    /// Contacts that agents have had from a queue; pieces.
    Handled,
    /// Agents logged in; milliseconds.
    Hours,
    /// Contacts with a result; pieces.
    Sales,
    /// Taken off; pieces.
    Penalty,
}

/// One thing behind a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// The contact; agents' hours have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactId>,
    /// When it began, in milliseconds since 1970.
    pub at: Millis,
    /// The number called, or the agent.
    pub who: Arc<str>,
    /// As that of its line.
    pub quantity: u64,
    /// To a millionth. What stands behind a penalty has none of its own.
    pub amount: Money,
    /// Likewise; absent in what the client sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
}

impl Kind {
    /// As tables and JSON have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
            Self::Handled => "handled",
            Self::Hours => "hours",
            Self::Sales => "sales",
            Self::Penalty => "penalty",
        }
    }
}

impl Draft {
    /// Without what anything costs: what the client may see.
    #[must_use]
    pub fn for_client(mut self) -> Self {
        self.cost = None;
        for line in &mut self.lines {
            line.cost = None;
            line.items.iter_mut().for_each(|item| item.cost = None);
        }
        self
    }

    /// Without what stands behind its lines.
    #[must_use]
    pub fn without_items(mut self) -> Self {
        self.lines.iter_mut().for_each(|line| line.items.clear());
        self
    }

    /// What is left when all is paid; `None` in what the client sees.
    pub fn margin(&self) -> Option<Money> {
        self.cost.map(|cost| self.total - cost)
    }
}

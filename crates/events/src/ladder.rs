//! A contact's events as a ladder of text: who sent what when, and what the flow did about it.

use crate::plain::plain;
use crate::{Event, WallClock};

/// The width that suits most terminals, in columns.
pub const DEFAULT_WIDTH: usize = 100;

/// Draws the events of one contact, in order, at most `width` columns wide (at least 60).
///
/// Works on a contact that has not ended as well. Lines end with `\n`.
pub fn render(events: &[Event], wall: WallClock, width: usize) -> String {
    let mut text = String::new();
    for event in events {
        let line = format!("{} {:?}", wall.moment(event.at), event.kind);
        text.extend(plain(&line).chars().take(width.max(60)));
        text.push('\n');
    }
    text
}

//! A contact's events as a ladder of text: who sent what when, and what the flow did about it.

mod columns;
mod draw;
mod files;
mod row;

use crate::plain::plain;
use crate::{Event, Kind, WallClock};
use columns::Columns;
use draw::Ladder;
use files::Files;
use row::fit;

/// The width that suits most terminals, in columns.
pub const DEFAULT_WIDTH: usize = 100;

/// The narrowest ladder: caller, Ringdown and one column for all others.
const MIN_WIDTH: usize = 60;

/// Draws the events of one contact, in order, at most `width` columns wide (at least 60).
///
/// Solid arrows are SIP messages, dotted ones media and digits, double lines bridges; steps of the
/// flow and whatever else happened stand beside Ringdown's line. Times are seconds since the first
/// event. Works on a contact that has not ended as well. Lines end with `\n`; nothing that a peer
/// sent can steer the terminal.
pub fn render(events: &[Event], wall: WallClock, width: usize) -> String {
    let Some(first) = events.first() else { return "no events\n".to_owned() };
    let width = width.max(MIN_WIDTH);
    let columns = Columns::new(events, width);
    let files = Files::new(events);
    let mut text = title(first, wall, width);
    if let Some(folder) = files.folder() {
        text.push_str(&format!("{}\n", fit(&format!("files in {}", plain(folder)), width)));
    }
    text.push('\n');
    let mut ladder = Ladder::new(&columns, &files, first.at, width);
    text.push_str(&ladder.names());
    for event in events {
        if let Some(line) = ladder.line(event) {
            text.push_str(&line);
        }
    }
    text
}

fn title(first: &Event, wall: WallClock, width: usize) -> String {
    let contact = first.contact.map_or(String::new(), |contact| format!("Contact {}", contact.0));
    let moment = wall.moment(first.at);
    let lines = match &first.kind {
        Kind::ContactStarted { source, client, from, to, flow } => [
            format!("{contact}: {} calls {}", plain(from), plain(to)),
            format!("source {}, client {}, flow {}, {moment}", plain(source), plain(client), plain(flow)),
        ],
        _ => [contact, moment.to_string()],
    };
    lines.map(|line| fit(&line, width) + "\n").concat()
}

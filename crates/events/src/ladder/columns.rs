use crate::plain::party_name;
use crate::{Event, Kind, LegId};

/// Where the first line of life stands: right of the times, with room for half a name.
const FIRST_X: usize = 17;

/// Room for half a name right of the last line of life.
const LAST_MARGIN: usize = 8;

/// The narrowest gap that still shows `180 Ringing` on its arrow.
const MIN_GAP: usize = 17;

/// Wider gaps only make arrows longer.
const MAX_GAP: usize = 34;

/// The column of Ringdown itself; the caller's is 0.
pub(super) const RINGDOWN: usize = 1;

/// Which leg stands in which column. Where there are more legs than columns, they share the last.
pub(super) struct Columns {
    names: Vec<String>,
    legs: Vec<Leg>,
    gap: usize,
}

struct Leg {
    leg: LegId,
    name: String,
    column: usize,
}

impl Columns {
    pub(super) fn new(events: &[Event], width: usize) -> Self {
        let space = width - FIRST_X - LAST_MARGIN;
        let last_column = space / MIN_GAP;
        let mut names = vec!["caller".to_owned(), "Ringdown".to_owned()];
        let mut legs: Vec<Leg> = Vec::new();
        for event in events {
            let (Kind::LegStarted { leg, party, uri, .. } | Kind::LegJoined { leg, party, uri, .. }) =
                &event.kind
            else {
                continue;
            };
            let name = party_name(party, uri);
            let column = match legs.len() {
                0 => 0,
                before => (before + 1).min(last_column),
            };
            match names.get_mut(column) {
                None => names.push(name.clone()),
                Some(first) if column == 0 => first.clone_from(&name),
                Some(shared) => *shared = format!("{shared}, {name}"),
            }
            legs.push(Leg { leg: *leg, name, column });
        }
        let gap = (space / (names.len() - 1)).min(MAX_GAP);
        Self { names, legs, gap }
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Where a column's line of life stands.
    pub(super) fn x(&self, column: usize) -> usize {
        FIRST_X + column * self.gap
    }

    pub(super) fn gap(&self) -> usize {
        self.gap
    }

    /// The column of a leg; Ringdown's for one that never began.
    pub(super) fn column(&self, leg: LegId) -> usize {
        self.leg(leg).map_or(RINGDOWN, |leg| leg.column)
    }

    pub(super) fn name(&self, leg: LegId) -> String {
        self.leg(leg).map_or_else(|| format!("leg {}", leg.0), |leg| leg.name.clone())
    }

    /// Whether other legs stand in the same column, so that a label must say whose it is.
    pub(super) fn is_shared(&self, column: usize) -> bool {
        self.legs.iter().filter(|leg| leg.column == column).count() > 1
    }

    fn leg(&self, leg: LegId) -> Option<&Leg> {
        self.legs.iter().find(|other| other.leg == leg)
    }
}

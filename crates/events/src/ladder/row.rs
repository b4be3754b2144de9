//! One line of the ladder as cells.

/// How a line between two columns is drawn.
#[derive(Clone, Copy)]
pub(super) enum Stroke {
    /// A SIP message.
    Solid,
    /// Media and digits.
    Dotted,
    /// A bridge: both ways.
    Double,
}

/// What an arrow needs beside its label: head, tail, a dash and a space on either side.
pub(super) const LABEL_FRAME: usize = 5;

/// The most lines that a text is given; the rest is cut.
const MAX_LINES: usize = 4;

/// One line of the ladder.
pub(super) struct Row {
    cells: Vec<char>,
}

impl Row {
    pub(super) fn new(width: usize) -> Self {
        Self { cells: vec![' '; width] }
    }

    pub(super) fn put(&mut self, x: usize, cell: char) {
        if let Some(place) = self.cells.get_mut(x) {
            *place = cell;
        }
    }

    /// Writes text from `x` on, and a space after it so that no line of life touches it; what goes
    /// beyond the edge is cut with `…`.
    pub(super) fn write(&mut self, x: usize, text: &str) {
        let room = self.cells.len().saturating_sub(x);
        for (offset, cell) in fit(text, room).chars().chain([' ']).enumerate() {
            self.put(x + offset, cell);
        }
    }

    /// Draws a line from the line of life at `from` to that at `to`, across those between.
    pub(super) fn line(&mut self, from: usize, to: usize, stroke: Stroke) {
        let (left, right) = (from.min(to), from.max(to));
        let (dash, cross) = match stroke {
            Stroke::Solid => ('─', '┼'),
            Stroke::Dotted => ('┄', '┼'),
            Stroke::Double => ('═', '╪'),
        };
        for x in left + 1..right {
            let lives = self.cells.get(x) == Some(&'│');
            self.put(x, if lives { cross } else { dash });
        }
        if matches!(stroke, Stroke::Double) {
            self.put(left, '╞');
            self.put(right, '╡');
        } else if from < to {
            self.put(from, '├');
            self.put(to - 1, '►');
        } else {
            self.put(from, '┤');
            self.put(to + 1, '◄');
        }
    }

    /// Writes a label into the middle of the line between two cells, with a space on either side;
    /// what does not leave room for the arrow is cut with `…`.
    pub(super) fn label(&mut self, from: usize, to: usize, text: &str) {
        let span = from.abs_diff(to);
        let text = format!(" {}", fit(text, span.saturating_sub(LABEL_FRAME)));
        let slack = span - text.chars().count() - 1;
        // The head takes a cell on its side: an arrow to the left moves its label right.
        let before = if to < from { (slack + 1).div_ceil(2) } else { slack.div_ceil(2) };
        self.write(from.min(to) + before, &text);
    }

    /// The line without spaces at its end, with `\n`.
    pub(super) fn finish(self) -> String {
        let line: String = self.cells.into_iter().collect();
        format!("{}\n", line.trim_end())
    }
}

/// `text` in at most `width` cells, cut with `…`.
pub(super) fn fit(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept = text.chars().take(width.saturating_sub(1));
    kept.chain((width > 0).then_some('…')).collect()
}

/// `text` in lines of at most `width` cells, broken at spaces; a longer word is broken anywhere.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let room = lines.last().map_or(0, |line| width.saturating_sub(line.chars().count() + 1));
        match lines.last_mut() {
            Some(line) if word.chars().count() <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => {
                let cells: Vec<char> = word.chars().collect();
                lines.extend(cells.chunks(width).map(|piece| piece.iter().collect::<String>()));
            }
        }
    }
    if lines.len() > MAX_LINES {
        lines.truncate(MAX_LINES - 1);
        lines.push("…".to_owned());
    }
    lines
}

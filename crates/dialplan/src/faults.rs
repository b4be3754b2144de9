use crate::{Diagnostic, Report, SourceFile};
use std::fmt::Write as _;

/// A stretch of one file, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) file: usize,
    pub(crate) start: usize,
    pub(crate) len: usize,
}

/// The files being read and what was found wrong in them so far.
pub(crate) struct Faults<'a> {
    files: Vec<&'a SourceFile>,
    /// Where the lines of each file begin.
    lines: Vec<Vec<usize>>,
    found: Vec<(Span, Diagnostic)>,
    unplaced: Vec<Diagnostic>,
}

impl<'a> Faults<'a> {
    pub(crate) fn new(files: Vec<&'a SourceFile>) -> Self {
        let begins = |file: &&SourceFile| {
            let breaks = file.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(breaks.map(|(place, _)| place + 1)).collect()
        };
        Self { lines: files.iter().map(begins).collect(), files, found: Vec::new(), unplaced: Vec::new() }
    }

    /// Notes a fault.
    pub(crate) fn error(&mut self, at: Span, message: impl Into<String>) {
        self.add(at, message.into(), None);
    }

    /// Notes a fault and what to do about it.
    pub(crate) fn hinted(&mut self, at: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.add(at, message.into(), Some(hint.into()));
    }

    /// Notes that `word` is none of `known`, with the nearest of them or all of them as the hint.
    /// The word takes the place of `{}` in the message.
    pub(crate) fn unknown<'k>(
        &mut self,
        at: Span,
        message: &str,
        word: &str,
        known: impl Iterator<Item = &'k str>,
    ) {
        debug_assert!(message.contains("{}"), "{message} does not name the word");
        self.add(at, message.replace("{}", &format!("`{word}`")), hint_for(word, known));
    }

    /// Notes that something was written twice; both places are named.
    pub(crate) fn twice(&mut self, first: Span, second: Span, what: &str) {
        let (first, second) = if first <= second { (first, second) } else { (second, first) };
        let place = self.place(first);
        self.add(second, format!("{what} is defined twice"), Some(format!("the first is at {place}")));
    }

    /// Notes a fault of a file that is not one of the texts.
    pub(crate) fn file(&mut self, path: &str, message: String) {
        self.unplaced.push(Diagnostic {
            path: path.to_owned(),
            line: 0,
            column: 0,
            length: 0,
            message,
            hint: None,
            source_line: String::new(),
        });
    }

    /// `path:line` of a span.
    pub(crate) fn place(&self, at: Span) -> String {
        format!("{}:{}", self.files[at.file].path, self.line(at))
    }

    /// The line of a span, from 1.
    pub(crate) fn line(&self, at: Span) -> u32 {
        let line = self.lines[at.file].partition_point(|begin| *begin <= at.start);
        u32::try_from(line).unwrap_or(u32::MAX)
    }

    pub(crate) fn path(&self, file: usize) -> &'a str {
        &self.files[file].path
    }

    /// What a span covers.
    pub(crate) fn text(&self, at: Span) -> &'a str {
        &self.files[at.file].text[at.start..at.start + at.len]
    }

    /// How many were noted so far.
    pub(crate) fn len(&self) -> usize {
        self.found.len() + self.unplaced.len()
    }

    /// All faults by file and position; each place and message once.
    pub(crate) fn into_report(mut self) -> Report {
        self.found
            .sort_by(|(a, x), (b, y)| (a.file, a.start, &x.message).cmp(&(b.file, b.start, &y.message)));
        self.found.dedup_by(|(a, x), (b, y)| a == b && x.message == y.message);
        let placed = self.found.into_iter().map(|(_, diagnostic)| diagnostic);
        Report { diagnostics: placed.chain(self.unplaced).collect() }
    }

    fn add(&mut self, at: Span, message: String, hint: Option<String>) {
        let file = self.files[at.file];
        let start = file.text[..at.start].rfind('\n').map_or(0, |i| i + 1);
        let source_line = file.text[start..].lines().next().unwrap_or_default();
        let chars = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        let column = chars(&file.text[start..at.start]) + 1;
        let covered = file.text[at.start..at.start + at.len].lines().next().unwrap_or_default();
        let diagnostic = Diagnostic {
            path: file.path.clone(),
            line: self.line(at),
            column,
            length: chars(covered.trim_end()).max(1),
            message,
            hint,
            source_line: source_line.to_owned(),
        };
        self.found.push((at, diagnostic));
    }
}

/// The word of `known` that `word` was most likely meant to be.
pub(crate) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let limit = ((word.chars().count() + 1) / 4).max(1);
    known
        .map(|candidate| (distance(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

fn hint_for<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<String> {
    let mut known: Vec<&str> = known.collect();
    known.sort_unstable();
    known.dedup();
    if let Some(candidate) = nearest(word, known.iter().copied()) {
        return Some(format!("did you mean `{candidate}`?"));
    }
    /// More would hide the message.
    const SHOWN: usize = 16;
    let mut hint = String::from("known: ");
    for (i, candidate) in known.iter().take(SHOWN).enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(hint, "{comma}{candidate}");
    }
    if known.len() > SHOWN {
        hint.push_str(", …");
    }
    (!known.is_empty()).then_some(hint)
}

/// Edits from one word to the other: insertion, deletion, substitution, and swap of neighbours.
fn distance(a: &str, b: &str) -> usize {
    /// Longer words are compared by their beginning; a name is never that long.
    const LONGEST: usize = 64;
    let a: Vec<char> = a.chars().take(LONGEST).collect();
    let b: Vec<char> = b.chars().take(LONGEST).collect();
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let substituted = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut best = substituted.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_word_finds_its_right_one_and_a_strange_one_finds_none() {
        let known = ["menu", "play", "gather", "hangup"];
        assert_eq!(nearest("paly", known.into_iter()), Some("play"));
        assert_eq!(nearest("hang_up", known.into_iter()), Some("hangup"));
        assert_eq!(nearest("Menu", known.into_iter()), Some("menu"));
        assert_eq!(nearest("conference", known.into_iter()), None);
    }
}

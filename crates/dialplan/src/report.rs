use serde::Serialize;
use std::fmt;

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// The file, as the shell named it.
    pub path: String,
    /// From 1; 0 when the fault is of the file as a whole.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// In characters; at least 1 where there is a line.
    pub length: u32,
    /// One sentence.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// The line in question.
    pub source_line: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            writeln!(f, "{}: error: {}", self.path, self.message)?;
        } else {
            let line = self.line.to_string();
            let gutter = " ".repeat(line.len());
            // Tabs keep their place, so that the mark stays under its text in any terminal.
            let lead: String = self
                .source_line
                .chars()
                .take(self.column.saturating_sub(1) as usize)
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            writeln!(f, "{}:{}:{}: error: {}", self.path, self.line, self.column, self.message)?;
            writeln!(f, "  {line} | {}", self.source_line)?;
            writeln!(f, "  {gutter} | {lead}{}", "^".repeat(self.length.max(1) as usize))?;
        }
        match &self.hint {
            Some(hint) => writeln!(f, "  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Every fault of every file, by file and position. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct Report {
    /// In the order of the files as given, then by line and column.
    pub diagnostics: Vec<Diagnostic>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for diagnostic in &self.diagnostics {
            writeln!(f, "{diagnostic}")?;
        }
        let count = self.diagnostics.len();
        write!(f, "{count} error{}", if count == 1 { "" } else { "s" })
    }
}

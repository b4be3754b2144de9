use serde::Serialize;
use std::fmt;

/// Two lists that should be one, line by line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The expectation's key, `heard`.
    pub what: &'static str,
    /// Every line of both.
    pub lines: Vec<Shown>,
}

/// A line of a difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// As expected.
    Same(String),
    /// Expected, and not there.
    Missing(String),
    /// There, and not expected.
    Unexpected(String),
}

impl Difference {
    /// How to get from `wanted` to `found` with the fewest lines changed; `None` if they are the same.
    pub(crate) fn between(what: &'static str, wanted: &[String], found: &[String]) -> Option<Self> {
        if wanted == found {
            return None;
        }
        // How many lines are common to the rest behind each pair of places.
        let mut common = vec![vec![0_u32; found.len() + 1]; wanted.len() + 1];
        for i in (0..wanted.len()).rev() {
            for j in (0..found.len()).rev() {
                common[i][j] = if wanted[i] == found[j] {
                    common[i + 1][j + 1] + 1
                } else {
                    common[i + 1][j].max(common[i][j + 1])
                };
            }
        }
        let (mut i, mut j) = (0, 0);
        let mut lines = Vec::new();
        while i < wanted.len() || j < found.len() {
            match (wanted.get(i), found.get(j)) {
                (Some(one), Some(other)) if one == other => {
                    lines.push(Shown::Same(one.clone()));
                    (i, j) = (i + 1, j + 1);
                }
                (Some(one), other) if other.is_none() || common[i + 1][j] >= common[i][j + 1] => {
                    lines.push(Shown::Missing(one.clone()));
                    i += 1;
                }
                (_, Some(other)) => {
                    lines.push(Shown::Unexpected(other.clone()));
                    j += 1;
                }
                (_, None) => break,
            }
        }
        Some(Self { what, lines })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.what)?;
        for line in &self.lines {
            match line {
                Shown::Same(text) => write!(f, "\n    {text}")?,
                Shown::Missing(text) => write!(f, "\n  - {text}")?,
                Shown::Unexpected(text) => write!(f, "\n  + {text}")?,
            }
        }
        Ok(())
    }
}

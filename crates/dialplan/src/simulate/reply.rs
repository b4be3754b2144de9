//! What servers answer in a simulated call.

use crate::machine::HttpResult;
use std::str::FromStr;
use std::sync::Arc;

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// `404`, `200:{"status":"sent"}`: it is answered, by that.
    Answered {
        /// 200–599.
        status: u16,
        /// What comes with it.
        body: Arc<str>,
    },
    /// `timeout`.
    TimedOut,
    /// `failed`: the server cannot be reached, or is not asked because it has failed too often.
    Failed,
}

/// How replies are written, for messages.
pub(crate) const REPLIES: &str = "200, 200:{\"status\":\"sent\"}, 404, timeout, failed";

impl Reply {
    /// An answer without anything in it.
    pub(crate) fn plain(status: u16) -> Self {
        Self::Answered { status, body: "{}".into() }
    }

    /// In a word, for people.
    pub(super) fn word(&self) -> String {
        match self {
            Self::Answered { status, .. } => status.to_string(),
            Self::TimedOut => "timeout".to_owned(),
            Self::Failed => "failed".to_owned(),
        }
    }
}

impl From<Reply> for HttpResult {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Answered { status, body } => Self::Answered { status, body },
            Reply::TimedOut => Self::TimedOut,
            Reply::Failed => Self::Failed,
        }
    }
}

impl FromStr for Reply {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, body) = text.split_once(':').map_or((text, None), |(word, body)| (word, Some(body)));
        match (word, body) {
            ("timeout", None) => Ok(Self::TimedOut),
            ("failed", None) => Ok(Self::Failed),
            _ => {
                let status = word.parse().ok().filter(|status| (200..600).contains(status));
                let status = status.ok_or_else(|| format!("`{text}` is no reply: write one of {REPLIES}"))?;
                Ok(Self::Answered { status, body: body.unwrap_or("{}").into() })
            }
        }
    }
}

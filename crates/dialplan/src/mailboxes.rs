//! Where callers leave messages.

use crate::ClientIndex;
use crate::agents::pin;
use crate::faults::Faults;
use crate::fields::Fields;
use crate::names::Names;
use crate::yaml::{Key, Node, Value};
use clock::Duration;
use std::sync::Arc;

/// A prompt of the system.
const GREETING: &str = "leave-message";
const LONGEST_NAME: usize = 64;
const MAX: Duration = Duration::from_secs(180);
const MIN: Duration = Duration::from_secs(2);
const SILENCE: Duration = Duration::from_secs(8);
const LIMIT: u32 = 100;
const MOST: u32 = 10_000;

/// A mailbox of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// Its key under `mailboxes`.
    pub name: Arc<str>,
    /// Whose it is.
    pub client: ClientIndex,
    /// With what anybody may listen.
    pub pin: Option<Arc<str>>,
    /// Whose phones show what is in it, and who may listen without a PIN.
    pub users: Vec<Arc<str>>,
    /// How long a message is kept; for ever without.
    pub keep: Option<Duration>,
    /// How many messages it holds.
    pub limit: u32,
    /// What callers hear first: the files of each prompt, by language.
    pub(crate) greeting: Vec<Vec<Arc<str>>>,
    /// The longest message.
    pub(crate) max: Duration,
    /// One with less speech is not kept.
    pub(crate) min: Duration,
    /// After how long of silence a message ends.
    pub(crate) silence: Duration,
}

/// Reads the mailboxes of a client: `{support: {pin: "4711", users: [alice], greeting: sorry, max: 3m, keep: 30d}}`.
pub(crate) fn read(
    client: ClientIndex,
    entries: &[(Key, Node)],
    names: &Names<'_>,
    faults: &mut Faults<'_>,
) -> Vec<Mailbox> {
    const KNOWN: [&str; 8] = ["pin", "users", "greeting", "max", "min", "silence", "keep", "limit"];
    let mut mailboxes = Vec::new();
    for (key, node) in entries {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if key.text.is_empty() || key.text.len() > LONGEST_NAME || !key.text.bytes().all(fits) {
            let hint = "names are made of letters, digits, `-` and `_`, at most 64 of them";
            faults.hinted(key.span, format!("`{}` cannot be the name of a mailbox", key.text), hint);
        }
        // One whose fields are wrong is there all the same, and has what it has without them.
        let mut mailbox = Mailbox {
            name: key.text.as_str().into(),
            client,
            pin: None,
            users: Vec::new(),
            keep: None,
            limit: LIMIT,
            greeting: Vec::new(),
            max: MAX,
            min: MIN,
            silence: SILENCE,
        };
        let fields = match &node.value {
            Value::Null => None,
            _ => Fields::of(node, key.span, "a mailbox", &KNOWN, faults),
        };
        let greeting = fields.as_ref().and_then(|fields| fields.get("greeting"));
        mailbox.greeting = match greeting {
            Some(greeting) => self::greeting(greeting, names, faults),
            None => names.prompts.named(GREETING, key.span, faults).into_iter().collect(),
        };
        if let Some(fields) = fields {
            // A wrong one is one all the same: the steps that ask for it are not to blame.
            mailbox.pin = fields.get("pin").map(|node| pin(node, faults).unwrap_or_default());
            let users = fields.get("users").map_or(&[][..], |node| node.items());
            mailbox.users = users
                .iter()
                .filter_map(|node| names.user(node.text("a user", faults)?, node.span, faults))
                .collect();
            mailbox.keep = fields.get("keep").and_then(|node| node.long_duration("`keep`", faults));
            mailbox.lengths(&fields, faults);
            let limit = fields.get("limit").and_then(|node| node.number("`limit`", 1, MOST, faults));
            mailbox.limit = limit.unwrap_or(LIMIT);
        }
        mailboxes.push(mailbox);
    }
    mailboxes
}

impl Mailbox {
    fn lengths(&mut self, fields: &Fields<'_>, faults: &mut Faults<'_>) {
        let mut length = |name: &str| {
            let node = fields.get(name)?;
            node.duration(&format!("`{name}`"), faults)
        };
        self.max = length("max").unwrap_or(self.max);
        self.min = length("min").unwrap_or(self.min);
        self.silence = length("silence").unwrap_or(self.silence);
        if let (true, Some((key, _))) = (self.min >= self.max, fields.entry("min")) {
            faults.error(key.span, "no message can be as long as `min` and as short as `max`");
        }
    }
}

/// The files of what callers hear first; `none` is nothing.
pub(crate) fn greeting(node: &Node, names: &Names<'_>, faults: &mut Faults<'_>) -> Vec<Vec<Arc<str>>> {
    if matches!(&node.value, Value::Scalar { text, .. } if text == "none") {
        return Vec::new();
    }
    let mut files = Vec::new();
    for item in node.items() {
        let Some(name) = item.text("a prompt", faults) else { continue };
        files.extend(names.prompts.named(name, item.span, faults));
    }
    files
}

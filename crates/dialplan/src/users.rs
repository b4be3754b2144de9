//! Who may register, by name or by a range of names.

use crate::caller_id::Owned;
use crate::faults::{Faults, Span};
use crate::fields::Fields;
use crate::yaml::{Key, Node};
use crate::{ClientIndex, User};
use std::collections::HashMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// The users of all clients; the node has one realm, so that a name is one user.
#[derive(Debug, Default)]
pub(crate) struct Users {
    named: HashMap<Arc<str>, Account>,
    ranges: Vec<(Range, Account)>,
}

/// `1000-1999`: names of equal length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    numbers: RangeInclusive<u64>,
    digits: usize,
}

#[derive(Clone)]
struct Account {
    client: ClientIndex,
    display_name: Option<Arc<str>>,
    /// `{user}` stands for the name.
    password: String,
    caller_id: Option<Arc<str>>,
    at: Span,
}

impl Users {
    /// Reads the users of one client.
    pub(crate) fn read(
        &mut self,
        client: ClientIndex,
        entries: &[(Key, Node)],
        owned: &Owned,
        faults: &mut Faults<'_>,
    ) {
        const KNOWN: [&str; 3] = ["password", "name", "caller_id"];
        for (key, node) in entries {
            // A user whose fields are wrong is there all the same, and may be dialled.
            let mut account = Account {
                client,
                display_name: None,
                password: String::new(),
                caller_id: None,
                at: key.span,
            };
            if let Some(fields) = Fields::of(node, key.span, "a user", &KNOWN, faults) {
                let password = fields.require("password", faults);
                account.password =
                    password.and_then(|node| node.text("`password`", faults)).unwrap_or_default().to_owned();
                account.display_name =
                    fields.get("name").and_then(|node| Some(node.text("`name`", faults)?.into()));
                account.caller_id = fields.get("caller_id").and_then(|node| owned.number(node, faults));
            }
            match range(key, faults) {
                Some(range) => self.add_range(range, account, faults),
                None => self.add(key, account, faults),
            }
        }
    }

    /// The user of a name.
    pub(crate) fn find(&self, name: &str) -> Option<User> {
        let (name, account) = match self.named.get_key_value(name) {
            Some((name, account)) => (Arc::clone(name), account),
            None => {
                let (_, account) = self.ranges.iter().find(|(range, _)| range.contains(name))?;
                (name.into(), account)
            }
        };
        let password = account.password.replace("{user}", &name);
        let Account { client, display_name, caller_id, .. } = account.clone();
        Some(User { client, name, display_name, password, caller_id })
    }

    /// Names of a client's users that are no ranges.
    pub(crate) fn names(&self, client: ClientIndex) -> impl Iterator<Item = &str> {
        self.named.iter().filter(move |(_, a)| a.client == client).map(|(name, _)| name.as_ref())
    }

    fn add(&mut self, key: &Key, account: Account, faults: &mut Faults<'_>) {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.!~*'()+".contains(&b);
        if key.text.is_empty() || !key.text.bytes().all(fits) {
            let hint = "a user is the user part of a SIP address: letters, digits and - _ . +";
            faults.hinted(key.span, format!("`{}` cannot be a user", key.text), hint);
            return;
        }
        let in_range = self.ranges.iter().find(|(range, _)| range.contains(&key.text));
        let first = self.named.get(key.text.as_str()).or(in_range.map(|(_, account)| account));
        match first {
            Some(first) => faults.twice(first.at, key.span, &format!("the user `{}`", key.text)),
            None => {
                self.named.insert(key.text.as_str().into(), account);
            }
        }
    }

    fn add_range(&mut self, range: Range, account: Account, faults: &mut Faults<'_>) {
        let overlapping = self.ranges.iter().find(|(other, _)| other.overlaps(&range));
        if let Some((_, first)) = overlapping {
            faults.twice(first.at, account.at, "a user of this range");
            return;
        }
        if let Some((name, first)) = self.named.iter().find(|(name, _)| range.contains(name)) {
            faults.twice(first.at, account.at, &format!("the user `{name}`"));
            return;
        }
        self.ranges.push((range, account));
    }
}

impl Range {
    /// All of its names, the smallest first.
    pub(crate) fn names(&self) -> impl Iterator<Item = Arc<str>> {
        let digits = self.digits;
        self.numbers.clone().map(move |number| format!("{number:0digits$}").into())
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        name.len() == self.digits
            && name.bytes().all(|b| b.is_ascii_digit())
            && name.parse().is_ok_and(|number| self.numbers.contains(&number))
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.digits == other.digits
            && self.numbers.start() <= other.numbers.end()
            && other.numbers.start() <= self.numbers.end()
    }
}

impl fmt::Debug for Account {
    /// Without the password: debug output ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("client", &self.client).finish_non_exhaustive()
    }
}

/// A key that is a range; any other is a name.
pub(crate) fn range(key: &Key, faults: &mut Faults<'_>) -> Option<Range> {
    let (first, last) = key.text.split_once('-')?;
    let numeric = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !numeric(first) || !numeric(last) {
        return None;
    }
    let bounds = first.parse::<u64>().ok().zip(last.parse::<u64>().ok());
    match bounds {
        Some((from, to)) if first.len() == last.len() && from <= to => {
            Some(Range { numbers: from..=to, digits: first.len() })
        }
        _ => {
            let hint = "write both ends with the same number of digits, the smaller first: 1000-1999";
            faults.hinted(key.span, format!("`{}` is not a range of users", key.text), hint);
            None
        }
    }
}

use super::secret::{Hash, MIN_PASSWORD, Seal};
use super::{Account, Role, Token};
use crate::private;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{fs, io};
use utoipa::ToSchema;

/// The file's name in the state directory.
const NAME: &str = "accounts.json";
/// How long whoever logs in stays so: a shift.
const SESSION: SignedDuration = SignedDuration::from_hours(12);
/// The most accounts that a node keeps.
const MAX_ACCOUNTS: usize = 20_000;
/// The most that one account is logged in at once; the oldest gives way.
const MAX_SESSIONS: usize = 16;

/// The accounts of a node.
#[derive(Debug)]
pub(crate) struct Accounts {
    path: PathBuf,
    book: Mutex<Book>,
    /// Whoever changes the book; others read it meanwhile.
    writing: Mutex<()>,
}

/// What the file holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Book {
    accounts: BTreeMap<Arc<str>, Kept>,
    /// Who is logged in, and tokens, by what they are recognised by.
    tokens: BTreeMap<Seal, Entry>,
}

/// An account as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    #[serde(flatten)]
    account: Account,
    /// Without one it has a token for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<Hash>,
}

/// Whom a token lets in.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    account: Arc<str>,
    /// By password, until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

/// An account that is to be made.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewAccount {
    /// Letters, digits and `. - _ @`, 64 at most.
    pub(crate) name: Arc<str>,
    pub(crate) role: Role,
    /// The clients whose rows it sees; all if there are none.
    #[serde(default)]
    pub(crate) clients: Vec<Arc<str>>,
    /// Which agent of queues it is; an agent's account needs it.
    #[serde(default)]
    pub(crate) agent: Option<Arc<str>>,
    /// After how many days it ends.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 36_500)]
    pub(crate) days: Option<u32>,
    /// With which somebody logs in, 12 characters at least. Without one the account is a program's and has a token.
    #[serde(default)]
    pub(crate) password: Option<String>,
}

/// What whoever made an account, or logs in, is told once.
#[derive(Debug)]
pub(crate) struct NewSecret {
    pub(crate) account: Account,
    /// Sent as `Authorization: Bearer`.
    pub(crate) token: Option<Token>,
    /// Until when the token is good.
    pub(crate) until: Option<Timestamp>,
}

/// Something about accounts cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// It would not be found in a log.
    #[error("`{0}` is no name of an account: up to 64 letters, digits and . - _ @")]
    Name(Arc<str>),
    /// Each has its own name.
    #[error("there is an account `{0}` already")]
    Exists(Arc<str>),
    /// It was removed, or never made.
    #[error("there is no account `{0}`")]
    Unknown(Arc<str>),
    /// Of which agent it is has to be said.
    #[error("an account with role `agent` needs `agent`, the agent of queues that it is, and its client")]
    NeedsAgent,
    /// Of which clients it is has to be said.
    #[error("an account with role `administrator` needs `clients`")]
    NeedsClients,
    /// It would see less than it may change.
    #[error("an operator sees all clients: `clients` must be left out")]
    OperatorOfClients,
    /// No date would come of it.
    #[error("`days` must be from 1 to 36500")]
    Days,
    /// It would be guessed.
    #[error("a password has at least {MIN_PASSWORD} characters")]
    ShortPassword,
    /// There is no room.
    #[error("there are {MAX_ACCOUNTS} accounts already")]
    Full,
    /// It is not told which of the two it was.
    #[error("no such name, or another password")]
    Refused,
    /// What the operating system says.
    #[error("the system gives no randomness: {0}")]
    Random(io::Error),
    /// The file cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// Where it is.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// The file is not as it was written.
    #[error("{} is damaged: {error}; mend it, or move it away and make the accounts anew", path.display())]
    Damaged {
        /// Where it is.
        path: PathBuf,
        /// Where in it.
        error: serde_json::Error,
    },
}

impl Accounts {
    /// Those of a state directory; none if it has no file of them yet.
    ///
    /// # Errors
    /// The file cannot be read, or says nothing that can be understood.
    pub(crate) fn open(state: &Path) -> Result<Self, AccessError> {
        let path = state.join(NAME);
        let book = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| AccessError::Damaged { path: path.clone(), error })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Book::default(),
            Err(error) => return Err(AccessError::File { path, error }),
        };
        Ok(Self { path, book: Mutex::new(book), writing: Mutex::new(()) })
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> Vec<Account> {
        self.lock().accounts.values().map(|kept| kept.account.clone()).collect()
    }

    /// The account that a token lets in at that moment.
    pub(crate) fn of_token(&self, token: &str, now: Timestamp) -> Option<Account> {
        let book = self.lock();
        let Entry { account, until } = book.tokens.get(&Seal::of(token))?;
        let account = &book.accounts.get(account)?.account;
        let is_good = |end: Option<Timestamp>| end.is_none_or(|end| now < end);
        (is_good(*until) && is_good(account.expires)).then(|| account.clone())
    }

    /// Makes an account. Takes its time for a password.
    ///
    /// # Errors
    /// What is wrong with it, or that it cannot be kept.
    pub(crate) fn add(&self, new: NewAccount, now: Timestamp) -> Result<NewSecret, AccessError> {
        let NewAccount { password, .. } = &new;
        let password = password.as_deref().map(Hash::of).transpose()?;
        let account = new.account(now)?;
        let token = if password.is_none() { Some(Token::make().map_err(AccessError::Random)?) } else { None };
        self.change(|book| {
            if book.accounts.len() >= MAX_ACCOUNTS {
                return Err(AccessError::Full);
            }
            if book.accounts.contains_key(&account.name) {
                return Err(AccessError::Exists(account.name.clone()));
            }
            if let Some(token) = &token {
                let entry = Entry { account: account.name.clone(), until: None };
                book.tokens.insert(Seal::of(token.reveal()), entry);
            }
            book.accounts.insert(account.name.clone(), Kept { account: account.clone(), password });
            Ok(())
        })?;
        let until = account.expires;
        Ok(NewSecret { account, token, until })
    }

    /// Ends an account, and whatever lets it in.
    ///
    /// # Errors
    /// There is none, or that cannot be kept.
    pub(crate) fn remove(&self, name: &str) -> Result<(), AccessError> {
        self.change(|book| {
            book.accounts.remove(name).ok_or_else(|| AccessError::Unknown(name.into()))?;
            book.tokens.retain(|_, entry| &*entry.account != name);
            Ok(())
        })
    }

    /// Lets somebody in. Takes its time.
    ///
    /// # Errors
    /// Name and password are not together, or that cannot be kept.
    pub(crate) fn log_in(
        &self,
        name: &str,
        password: &str,
        now: Timestamp,
    ) -> Result<NewSecret, AccessError> {
        let (account, hash) = self.verified(name, password)?;
        if account.expires.is_some_and(|end| end <= now) {
            return Err(AccessError::Refused);
        }
        let token = Token::make().map_err(AccessError::Random)?;
        let until = now.checked_add(SESSION).unwrap_or(Timestamp::MAX);
        self.change(|book| {
            // It may have been ended, or its password changed, while this one was looked at.
            let is_same = |kept: &Kept| kept.account == account && kept.password.as_ref() == Some(&hash);
            if !book.accounts.get(name).is_some_and(is_same) {
                return Err(AccessError::Refused);
            }
            book.forget(now);
            book.make_room(name);
            let entry = Entry { account: account.name.clone(), until: Some(until) };
            book.tokens.insert(Seal::of(token.reveal()), entry);
            Ok(())
        })?;
        Ok(NewSecret { account, token: Some(token), until: Some(until) })
    }

    /// What a token of somebody who has logged in lets in no more; a program's token stays.
    ///
    /// # Errors
    /// It cannot be kept.
    pub(crate) fn log_out(&self, token: &str) -> Result<(), AccessError> {
        let seal = Seal::of(token);
        let is_session = self.lock().tokens.get(&seal).is_some_and(|entry| entry.until.is_some());
        if !is_session {
            return Ok(());
        }
        self.change(|book| {
            book.tokens.remove(&seal);
            Ok(())
        })
    }

    /// Changes a password, and ends whatever else is logged in by the one before. Takes its time.
    ///
    /// # Errors
    /// The one before is another, the new one is too short, or it cannot be kept.
    pub(crate) fn change_password(&self, name: &str, [old, new]: [&str; 2]) -> Result<(), AccessError> {
        let (_, before) = self.verified(name, old)?;
        let hash = Hash::of(new)?;
        self.change(|book| {
            let kept = book.accounts.get_mut(name).ok_or_else(|| AccessError::Unknown(name.into()))?;
            if kept.password.as_ref() != Some(&before) {
                return Err(AccessError::Refused);
            }
            kept.password = Some(hash);
            book.tokens.retain(|_, entry| &*entry.account != name);
            Ok(())
        })
    }

    fn verified(&self, name: &str, password: &str) -> Result<(Account, Hash), AccessError> {
        let kept = self.lock().accounts.get(name).cloned();
        match kept.and_then(|Kept { account, password }| Some((account, password?))) {
            Some((account, hash)) if hash.is_of(password) => Ok((account, hash)),
            Some(_) => Err(AccessError::Refused),
            None => {
                // Takes as long, so that nobody learns which names there are.
                let _ = Hash::of("nobody has this one");
                Err(AccessError::Refused)
            }
        }
    }

    /// Changes the book, in the file before it counts.
    fn change(&self, change: impl FnOnce(&mut Book) -> Result<(), AccessError>) -> Result<(), AccessError> {
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = self.lock().clone();
        change(&mut next)?;
        let json = serde_json::to_vec_pretty(&next).expect("a book is plain data: it has a JSON form");
        private::write(&self.path, &json)
            .map_err(|error| AccessError::File { path: self.path.clone(), error })?;
        *self.lock() = next;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// Drops whatever lets nobody in any more.
    fn forget(&mut self, now: Timestamp) {
        self.tokens.retain(|_, entry| entry.until.is_none_or(|until| now < until));
    }

    /// Drops what has been logged in longest, so that one more may be.
    fn make_room(&mut self, name: &str) {
        let of_name = self.tokens.iter().filter(|(_, entry)| &*entry.account == name);
        let mut sessions: Vec<_> = of_name.map(|(seal, entry)| (entry.until, seal.clone())).collect();
        sessions.sort();
        let surplus = (sessions.len() + 1).saturating_sub(MAX_SESSIONS);
        for (_, seal) in &sessions[..surplus] {
            self.tokens.remove(seal);
        }
    }
}

impl NewAccount {
    fn account(self, now: Timestamp) -> Result<Account, AccessError> {
        let Self { name, role, clients, agent, days, .. } = self;
        let fits = |char: char| char.is_ascii_alphanumeric() || ".-_@".contains(char);
        // The node's own account is in no book, and nobody may look like it.
        let is_taken = *name == *Account::of_the_node().name;
        if name.is_empty() || name.len() > 64 || !name.chars().all(fits) || is_taken {
            return Err(AccessError::Name(name));
        }
        match role {
            Role::Agent if agent.is_none() || clients.is_empty() => return Err(AccessError::NeedsAgent),
            Role::Administrator if clients.is_empty() => return Err(AccessError::NeedsClients),
            Role::Operator if !clients.is_empty() => return Err(AccessError::OperatorOfClients),
            _ => {}
        }
        let expires = match days {
            None => None,
            Some(days @ 1..=36_500) => {
                let end = now.checked_add(SignedDuration::from_hours(24 * i64::from(days)));
                Some(end.map_err(|_| AccessError::Days)?)
            }
            Some(_) => return Err(AccessError::Days),
        };
        Ok(Account { name, role, clients, agent, expires })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-30T08:00:00Z".parse().expect("a time")
    }

    fn later(hours: i64) -> Timestamp {
        now().checked_add(SignedDuration::from_hours(hours)).expect("a time")
    }

    fn new(name: &str, password: Option<&str>) -> NewAccount {
        let password = password.map(str::to_owned);
        let (clients, agent, days) = (vec!["acme".into()], None, None);
        NewAccount { name: name.into(), role: Role::Supervisor, clients, agent, days, password }
    }

    fn token_of(made: &NewSecret) -> &str {
        made.token.as_ref().expect("a token").reveal()
    }

    #[test]
    fn a_program_is_let_in_by_its_token_also_after_a_restart_until_it_is_removed() {
        let home = tempfile::tempdir().expect("a folder");
        let accounts = Accounts::open(home.path()).expect("empty");
        let made = accounts.add(new("wallboard", None), now()).expect("made");
        let file = fs::read_to_string(home.path().join(NAME)).expect("kept");
        assert!(!file.contains(&token_of(&made)[9..]), "the token itself is not kept");
        let again = Accounts::open(home.path()).expect("read");
        assert_eq!(again.of_token(token_of(&made), later(9_999)).as_ref(), Some(&made.account));
        again.remove("wallboard").expect("removed");
        assert_eq!(again.of_token(token_of(&made), now()), None);
        assert!(matches!(again.remove("wallboard"), Err(AccessError::Unknown(_))));
    }

    #[test]
    fn an_account_ends_when_its_days_are_over() {
        let home = tempfile::tempdir().expect("a folder");
        let accounts = Accounts::open(home.path()).expect("empty");
        let made = accounts.add(NewAccount { days: Some(1), ..new("x", None) }, now()).expect("made");
        assert!(accounts.of_token(token_of(&made), later(23)).is_some());
        assert!(accounts.of_token(token_of(&made), later(24)).is_none());
    }

    #[test]
    fn somebody_logs_in_by_password_for_a_shift_and_out() {
        let home = tempfile::tempdir().expect("a folder");
        let accounts = Accounts::open(home.path()).expect("empty");
        let made = accounts.add(new("carol", Some("carol's password")), now()).expect("made");
        assert!(made.token.is_none());
        for (name, password) in [("carol", "another password"), ("nobody", "carol's password")] {
            assert!(matches!(accounts.log_in(name, password, now()), Err(AccessError::Refused)));
        }
        let session = accounts.log_in("carol", "carol's password", now()).expect("in");
        assert_eq!(accounts.of_token(token_of(&session), later(11)), Some(made.account));
        assert_eq!(accounts.of_token(token_of(&session), later(12)), None);
        accounts.log_out(token_of(&session)).expect("out");
        assert_eq!(accounts.of_token(token_of(&session), now()), None);
    }

    #[test]
    fn another_password_ends_what_the_one_before_has_let_in() {
        let home = tempfile::tempdir().expect("a folder");
        let accounts = Accounts::open(home.path()).expect("empty");
        accounts.add(new("carol", Some("carol's password")), now()).expect("made");
        let session = accounts.log_in("carol", "carol's password", now()).expect("in");
        let change = |old, new| accounts.change_password("carol", [old, new]);
        assert!(matches!(change("wrong password", "a new password"), Err(AccessError::Refused)));
        assert!(matches!(change("carol's password", "short"), Err(AccessError::ShortPassword)));
        change("carol's password", "a new password").expect("changed");
        assert_eq!(accounts.of_token(token_of(&session), now()), None);
        accounts.log_in("carol", "a new password", now()).expect("in");
    }

    #[test]
    fn who_logs_in_again_and_again_is_logged_out_where_it_was_first() {
        let home = tempfile::tempdir().expect("a folder");
        let accounts = Accounts::open(home.path()).expect("empty");
        accounts.add(new("carol", Some("carol's password")), now()).expect("made");
        let mut sessions = Vec::new();
        for hour in 0..=i64::try_from(MAX_SESSIONS).expect("few") {
            // All of them within the time of the first.
            let at = now().checked_add(SignedDuration::from_mins(hour)).expect("a time");
            sessions.push(accounts.log_in("carol", "carol's password", at).expect("in"));
        }
        assert_eq!(accounts.of_token(token_of(&sessions[0]), later(1)), None);
        assert!(sessions[1..].iter().all(|it| accounts.of_token(token_of(it), later(1)).is_some()));
    }

    #[test]
    fn what_no_account_can_be_is_refused() {
        let home = tempfile::tempdir().expect("a folder");
        let accounts = Accounts::open(home.path()).expect("empty");
        let wrong = |new| accounts.add(new, now()).expect_err("wrong").to_string();
        assert!(wrong(new("two words", None)).contains("no name"));
        assert!(wrong(new("operator", None)).contains("no name"));
        assert!(wrong(NewAccount { role: Role::Agent, ..new("a", None) }).contains("`agent`"));
        assert!(wrong(NewAccount { role: Role::Operator, ..new("a", None) }).contains("all clients"));
        assert!(wrong(NewAccount { days: Some(0), ..new("a", None) }).contains("days"));
        let none = NewAccount { role: Role::Administrator, clients: Vec::new(), ..new("a", None) };
        assert!(wrong(none).contains("clients"));
        accounts.add(new("a", None), now()).expect("made");
        assert!(wrong(new("a", None)).contains("already"));
    }

    #[test]
    fn a_damaged_file_is_told_and_not_written_over() {
        let home = tempfile::tempdir().expect("a folder");
        fs::write(home.path().join(NAME), "{").expect("written");
        let said = Accounts::open(home.path()).expect_err("damaged").to_string();
        assert!(said.contains("accounts.json is damaged"), "{said}");
    }
}

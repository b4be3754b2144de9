//! The certificates of those who sign: fetched by the shell, and kept here for a while.
//!
//! As with names, nobody waits for one that was found before: it is fetched anew behind the calls.

use crate::Output;
use crate::core::Core;
use crate::stir::Credentials;
use bytes::Bytes;
use clock::{Duration, Time};
use dialplan::Stir;
use shaken::{Certificate, Failure};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// How long a certificate is used without a look at its place: it may be replaced there, and what leads to the root may
/// be over.
const HOLDS: Duration = Duration::from_secs(3_600);
/// How long nobody tries again what has failed.
const FAILURE_HOLDS: Duration = Duration::from_secs(30);
/// Certificates that are kept; there are fewer signers than that.
const MOST_KEPT: usize = 1_024;
/// Those that are fetched at once: whoever names ever other places gets no further.
const MOST_ASKED: usize = 32;

/// What is known of certificates, by the URL of their place.
#[derive(Default)]
pub(crate) struct Certificates {
    pub(crate) credentials: Arc<Credentials>,
    known: HashMap<Arc<str>, Known>,
    /// Those that the shell fetches, and when no call waits for them any longer.
    asked: BTreeMap<Arc<str>, Time>,
    /// Whether something was found out that somebody may wait for.
    news: bool,
}

struct Known {
    found: Result<Certificate, Failure>,
    holds_until: Time,
}

impl Certificates {
    /// When [`Core::give_up_certificates`] has something to do.
    pub(crate) fn next_timeout(&self) -> Option<Time> {
        self.asked.values().min().copied()
    }

    /// Whether something was found out since the last call.
    pub(crate) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    /// Uses other credentials: what was judged by the old ones is forgotten.
    pub(crate) fn apply(&mut self, credentials: Arc<Credentials>) {
        self.credentials = credentials;
        self.known.clear();
    }

    fn learn(&mut self, now: Time, url: Arc<str>, found: Result<Certificate, Failure>) {
        let holds = if found.is_ok() { HOLDS } else { FAILURE_HOLDS };
        self.known.insert(url, Known { found, holds_until: now + holds });
        self.news = true;
    }

    fn has_room(&mut self, now: Time) -> bool {
        if self.known.len() >= MOST_KEPT {
            self.known.retain(|_, known| known.holds_until > now);
        }
        self.known.len() < MOST_KEPT && self.asked.len() < MOST_ASKED
    }

    fn check(&self, chain: &[u8], unix_seconds: i64) -> Result<Certificate, Failure> {
        let anchors = self.credentials.anchors.as_ref();
        let anchors = anchors.ok_or_else(|| Failure::Credential("nobody is trusted".into()))?;
        anchors.check(chain, unix_seconds)
    }
}

impl Core {
    /// The certificate at a place; `None` while it is fetched for the first time.
    pub(super) fn certificate(&mut self, url: &str, stir: &Stir) -> Option<Result<Certificate, Failure>> {
        let (now, unix_seconds) = (self.now, self.unix_seconds());
        let store = &mut self.certificates;
        let known = store.known.get(url);
        if let Some(known) = known.filter(|known| known.holds_until > now) {
            return Some(known.found.clone());
        }
        let usable = known.map(|known| known.found.clone()).filter(Result::is_ok);
        if store.asked.contains_key(url) {
            return usable;
        }
        let unreachable = |why: &'static str| Some(Err(Failure::Unreachable(why.into())));
        if !store.has_room(now) {
            return usable.or_else(|| unreachable("too many others are fetched"));
        }
        let url: Arc<str> = url.into();
        if let Some(chain) = store.credentials.certificates.get(&url) {
            let found = store.check(chain, unix_seconds);
            store.learn(now, url, found.clone());
            return Some(found);
        }
        let Some(fetch) = &stir.fetch else { return unreachable("it is in no file, and none is fetched") };
        store.asked.insert(Arc::clone(&url), now + fetch.within);
        self.out.push(Output::Certificate(url));
        usable
    }

    /// Takes what the shell has found at a place, or why it has found nothing.
    pub(crate) fn certificate_found(&mut self, url: Arc<str>, found: Result<Bytes, String>) {
        let (now, unix_seconds) = (self.now, self.unix_seconds());
        let store = &mut self.certificates;
        store.asked.remove(&url);
        let found = match found {
            Ok(chain) => store.check(&chain, unix_seconds),
            Err(why) => Err(Failure::Unreachable(why.into())),
        };
        store.settle(now, url, found);
    }

    /// Lets nobody wait any longer for what is overdue.
    pub(crate) fn give_up_certificates(&mut self) {
        let now = self.now;
        let store = &mut self.certificates;
        let overdue = store.asked.extract_if(.., |_, at| *at <= now);
        for url in overdue.map(|(url, _)| url).collect::<Vec<_>>() {
            store.settle(now, url, Err(Failure::Unreachable("its place does not answer".into())));
        }
    }
}

impl Certificates {
    /// Takes the outcome of a fetch; where it failed, a certificate that was known serves on for a while.
    fn settle(&mut self, now: Time, url: Arc<str>, found: Result<Certificate, Failure>) {
        match (&found, self.known.get_mut(&url)) {
            (Err(Failure::Unreachable(_)), Some(known)) if known.found.is_ok() => {
                known.holds_until = now + FAILURE_HOLDS;
            }
            _ => self.learn(now, url, found),
        }
    }
}

//! `Idempotency-Key`: what somebody asks for twice, since no answer has come, is done once.
//!
//! Answers are kept for a day, in memory: after a restart a key is new again.

use super::answer::Fault;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The header's name.
pub(super) const HEADER: &str = "idempotency-key";
/// The longest key.
const MAX_KEY: usize = 255;
/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(86_400);
/// The most that are kept for one account, and for all; beyond them the oldest gives way.
const MOST_OF_ONE: usize = 500;
const MOST: usize = 10_000;

/// Who asked by which key.
pub(super) type Key = (Arc<str>, String);

/// What was asked by keys.
#[derive(Default)]
pub(super) struct Answers(Mutex<HashMap<Key, Entry>>);

struct Entry {
    /// Of method, path and body.
    digest: [u8; 32],
    since: Instant,
    /// Until it is answered there is none.
    answer: Option<Kept>,
}

#[derive(Clone)]
struct Kept {
    status: StatusCode,
    kind: Option<header::HeaderValue>,
    body: Bytes,
}

/// How a request with a key goes on.
pub(super) enum Turn {
    /// It is done; what it comes to is told by [`Answers::keep`].
    Do(Key),
    /// It was done before.
    Done(Response),
}

/// The key of a request, if it has one.
///
/// # Errors
/// It is no key.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<String>, Fault> {
    let Some(key) = headers.get(HEADER) else { return Ok(None) };
    let text = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= MAX_KEY);
    let text = text.ok_or_else(|| Fault::bad("Idempotency-Key: from 1 to 255 printable characters"))?;
    Ok(Some(text.to_owned()))
}

impl Answers {
    /// Whether a request is to be done.
    ///
    /// # Errors
    /// The same is being done right now, the key was another request's, or there are too many keys.
    pub(super) fn begin(
        &self,
        (account, key): (Arc<str>, String),
        (method, uri, body): (&Method, &Uri, &[u8]),
        now: Instant,
    ) -> Result<Turn, Fault> {
        let digest = digest(method, uri, body);
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (account, key);
        match entries.get(&key).filter(|entry| now < entry.since + KEPT) {
            Some(entry) if entry.digest != digest => {
                let error = "this Idempotency-Key was another request's";
                Err(Fault::new(StatusCode::UNPROCESSABLE_ENTITY, error))
            }
            Some(Entry { answer: Some(kept), .. }) => Ok(Turn::Done(kept.clone().into_response())),
            Some(_) => Err(Fault::conflict("the request with this Idempotency-Key is being done")),
            None => {
                make_room(&mut entries, &key.0);
                entries.insert(key.clone(), Entry { digest, since: now, answer: None });
                Ok(Turn::Do(key))
            }
        }
    }

    /// Nobody knows what a request has come to.
    pub(super) fn forget(&self, key: &Key) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Keeps what a request has come to. A node that could not serve it has done nothing: it may be asked again.
    pub(super) fn keep(&self, key: &Key, status: StatusCode, headers: &HeaderMap, body: &Bytes) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            entries.remove(key);
        } else if let Some(entry) = entries.get_mut(key) {
            let kind = headers.get(header::CONTENT_TYPE).cloned();
            entry.answer = Some(Kept { status, kind, body: body.clone() });
        }
    }
}

/// Drops answers that are over, and the oldest where there are too many.
fn make_room(entries: &mut HashMap<Key, Entry>, account: &Arc<str>) {
    let oldest = |entries: &HashMap<Key, Entry>, of: Option<&Arc<str>>| {
        let own = entries.iter().filter(|((account, _), _)| of.is_none_or(|of| of == account));
        own.filter(|(_, entry)| entry.answer.is_some())
            .min_by_key(|(_, entry)| entry.since)
            .map(|(key, _)| key.clone())
    };
    let full = entries.len() >= MOST;
    let own = entries.keys().filter(|(name, _)| name == account).count();
    let surplus = if own >= MOST_OF_ONE { oldest(entries, Some(account)) } else { None };
    if let Some(key) = surplus.or_else(|| full.then(|| oldest(entries, None)).flatten()) {
        entries.remove(&key);
    }
}

impl IntoResponse for Kept {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        if let Some(kind) = self.kind {
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
        }
        response.headers_mut().insert("idempotent-replayed", header::HeaderValue::from_static("true"));
        response
    }
}

fn digest(method: &Method, uri: &Uri, body: &[u8]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in [method.as_str().as_bytes(), uri.to_string().as_bytes(), body] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(answers: &Answers, account: &str, body: &str, now: Instant) -> Result<Turn, StatusCode> {
        let request = (&Method::POST, &Uri::from_static("/x"), body.as_bytes());
        let turn = answers.begin((account.into(), "k".to_owned()), request, now);
        turn.map_err(|fault| fault.into_response().status())
    }

    fn done(answers: &Answers, turn: Turn, status: StatusCode) {
        let Turn::Do(key) = turn else { panic!("it was done before") };
        answers.keep(&key, status, &HeaderMap::new(), &Bytes::from_static(b"{}"));
    }

    #[test]
    fn what_was_done_by_a_key_is_told_again_for_a_day() {
        let (answers, now) = (Answers::default(), Instant::now());
        let turn = begin(&answers, "a", "1", now).expect("new");
        assert_eq!(begin(&answers, "a", "1", now).err(), Some(StatusCode::CONFLICT), "while it is done");
        done(&answers, turn, StatusCode::NOT_FOUND);
        let Ok(Turn::Done(again)) = begin(&answers, "a", "1", now) else { panic!("not told again") };
        assert_eq!(again.status(), StatusCode::NOT_FOUND);
        assert_eq!(begin(&answers, "a", "2", now).err(), Some(StatusCode::UNPROCESSABLE_ENTITY));
        assert!(
            matches!(begin(&answers, "b", "2", now), Ok(Turn::Do(_))),
            "another account's key is another"
        );
        assert!(matches!(begin(&answers, "a", "2", now + KEPT), Ok(Turn::Do(_))), "a day later it is new");
    }

    #[test]
    fn one_account_takes_the_room_of_no_other() {
        let (answers, now) = (Answers::default(), Instant::now());
        let ask = |account: &str, key: String| {
            let request = (&Method::POST, &Uri::from_static("/x"), &b""[..]);
            answers.begin((account.into(), key), request, now).unwrap_or_else(|_| panic!("refused"))
        };
        done(&answers, ask("b", "k".to_owned()), StatusCode::OK);
        for key in 0..2 * MOST_OF_ONE {
            done(&answers, ask("a", key.to_string()), StatusCode::OK);
        }
        assert!(matches!(ask("b", "k".to_owned()), Turn::Done(_)));
        assert_eq!(answers.0.lock().expect("whole").len(), MOST_OF_ONE + 1);
    }

    #[test]
    fn what_the_node_could_not_do_may_be_asked_again() {
        let (answers, now) = (Answers::default(), Instant::now());
        let turn = begin(&answers, "a", "1", now).expect("new");
        done(&answers, turn, StatusCode::SERVICE_UNAVAILABLE);
        assert!(matches!(begin(&answers, "a", "1", now), Ok(Turn::Do(_))));
    }
}

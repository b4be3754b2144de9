use super::super::requests;
use crate::hex::hex;
use crate::web::Means;
use dialplan::{BodyKind, HttpBody, HttpMethod, HttpRequest, Webhook, Word};
use hickory_resolver::TokioResolver;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use switch::HttpAnswer;

/// How long a connection may take, and an answer.
const CONNECT: Duration = Duration::from_secs(5);
const WITHIN: Duration = Duration::from_secs(15);

/// Events that are told together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Delivery {
    /// The same whenever it is sent.
    pub(super) id: String,
    /// Of its first event and its last, for people.
    pub(super) numbers: String,
    body: String,
}

/// What became of one try.
#[derive(Debug)]
pub(super) enum Sent {
    Taken(u16),
    /// The server says that it will take this never.
    Refused(u16),
    /// It may take it later.
    Failed(String),
}

impl Sent {
    fn of(answer: HttpAnswer) -> Self {
        match answer {
            HttpAnswer::Answered { status, .. } => match status {
                200..300 => Self::Taken(status),
                408 | 425 | 429 => Self::Failed(format!("it answers {status}")),
                400..500 => Self::Refused(status),
                _ => Self::Failed(format!("it answers {status}")),
            },
            HttpAnswer::TimedOut => Self::Failed("no answer in time".to_owned()),
            HttpAnswer::Failed(why) => Self::Failed(why),
        }
    }

    pub(super) fn is_taken(&self) -> bool {
        matches!(self, Self::Taken(_))
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken(status) => write!(f, "taken ({status})"),
            Self::Refused(status) => write!(f, "refused ({status})"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

impl Delivery {
    /// Events as JSON, in their order, of which the last that was looked at has number `told`.
    pub(super) fn new((client, name): (&str, &str), events: &[&str], told: u64) -> Self {
        let body = format!(
            "{{\"schema\":1,\"client\":{},\"webhook\":{},\"events\":[{}]}}",
            serde_json::Value::from(client),
            serde_json::Value::from(name),
            events.join(",")
        );
        Self { id: format!("{client}-{name}-{told}"), numbers: format!("up to {told}"), body }
    }

    /// Sends it once.
    pub(super) async fn send(
        &self,
        webhook: &Webhook,
        means: &Means,
        resolver: &TokioResolver,
        now: Timestamp,
    ) -> Sent {
        let Some(secret) = means.secrets.get(&webhook.secret) else {
            return Sent::Failed(format!("there is no secret `{}` any more", webhook.secret));
        };
        let signature = signature(secret.reveal(), now, &self.body);
        let header = |name: &str, value: &str| (Arc::from(name), vec![Word::Text(value.into())]);
        let request = HttpRequest {
            site: webhook.site.clone(),
            method: HttpMethod::Post,
            path: Arc::clone(&webhook.path),
            headers: vec![header("ringdown-signature", &signature), header("ringdown-delivery", &self.id)],
            body: Some(HttpBody { kind: BodyKind::Json, words: vec![Word::Text(self.body.as_str().into())] }),
            connect: CONNECT,
            within: WITHIN,
            retries: 0,
        };
        Sent::of(requests::answer(means, resolver, &request, WITHIN).await)
    }
}

/// `t=SECONDS,v1=HEX`: HMAC-SHA256 by the secret over the seconds, a full stop and the body, so that neither can be changed
/// and nothing old be sent again unnoticed.
fn signature(secret: &str, now: Timestamp, body: &str) -> String {
    let seconds = now.as_second();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body.as_bytes());
    format!("t={seconds},v1={}", hex(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_openssl() {
        // `printf '1795450695.{}' | openssl dgst -sha256 -hmac key`
        let at = Timestamp::from_second(1_795_450_695).expect("a time");
        let expected = "t=1795450695,v1=0b44b4594f5366d6d95995eb606601d0c17cd24d3fb29805032641216fae109e";
        assert_eq!(signature("key", at, "{}"), expected);
    }

    #[test]
    fn whether_to_try_again_is_told_by_the_status() {
        let of = |status| Sent::of(HttpAnswer::Answered { status, body: "".into() });
        assert!(matches!(of(204), Sent::Taken(204)));
        assert!(matches!(of(400), Sent::Refused(400)));
        for later in [302, 408, 429, 500, 503] {
            assert!(matches!(of(later), Sent::Failed(_)), "{later}");
        }
    }
}

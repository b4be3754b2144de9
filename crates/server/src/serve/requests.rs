//! Requests of flows, sent by HTTP.
//!
//! Here alone the values of secrets are known: they go into the request and nowhere else. Clients' own networks are asked
//! only where the client says so, and in the clear nobody else is.

use super::inbox::{Message, Sender};
use super::outgoing;
use crate::web::{Clients, Means};
use bytes::Bytes;
use dialplan::{BodyKind, HttpRequest, Word};
use hickory_resolver::TokioResolver;
use http_body_util::Full;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use switch::HttpAnswer;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// Sends requests, on the shell's tasks.
pub(super) struct Requests {
    clients: Clients,
    resolver: TokioResolver,
    runtime: Handle,
    sender: Sender,
    /// Those that have not ended.
    tasks: HashMap<u64, AbortHandle>,
}

/// Why there is no answer.
enum Failure {
    Late,
    Failed(String),
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}

impl Requests {
    /// Sends for these clients, and looks names up by `resolver`.
    pub(super) fn new(clients: Clients, resolver: TokioResolver, runtime: Handle, sender: Sender) -> Self {
        Self { clients, resolver, runtime, sender, tasks: HashMap::new() }
    }

    /// Sends for others from now on.
    pub(super) fn apply(&mut self, clients: Clients) {
        self.clients = clients;
    }

    /// Sends a request; what becomes of it comes to the inbox, unless it is cancelled.
    pub(super) fn send(&mut self, id: u64, client: &str, request: Arc<HttpRequest>, within: Duration) {
        let (means, resolver, sender) =
            (self.clients.get(client).cloned(), self.resolver.clone(), self.sender.clone());
        let task = self.runtime.spawn(async move {
            let answer = match means {
                Some(means) => answer(&means, &resolver, &request, within).await,
                None => HttpAnswer::Failed("the client asks nobody any more".to_owned()),
            };
            // It fails once the node ends: nobody waits any more.
            let _ = sender.send(Message::Http(id, answer)).await;
        });
        self.tasks.insert(id, task.abort_handle());
    }

    /// A request has ended.
    pub(super) fn ended(&mut self, id: u64) {
        self.tasks.remove(&id);
    }

    /// Nobody waits for a request any more.
    pub(super) fn cancel(&mut self, id: u64) {
        if let Some(task) = self.tasks.remove(&id) {
            task.abort();
        }
    }
}

/// Sends a request, and says what has become of it.
pub(super) async fn answer(
    means: &Means,
    resolver: &TokioResolver,
    request: &HttpRequest,
    within: Duration,
) -> HttpAnswer {
    let found = timeout(within, ask(means, resolver, request)).await.unwrap_or(Err(Failure::Late));
    match found {
        Ok((status, body)) => {
            HttpAnswer::Answered { status: status.as_u16(), body: String::from_utf8_lossy(&body).into() }
        }
        Err(Failure::Late) => HttpAnswer::TimedOut,
        Err(Failure::Failed(why)) => HttpAnswer::Failed(why),
    }
}

async fn ask(
    means: &Means,
    resolver: &TokioResolver,
    request: &HttpRequest,
) -> Result<(StatusCode, Bytes), Failure> {
    let message = message(means, request)?;
    let (host, port) = (outgoing::bare(&request.site.host), request.site.port);
    let is_secure = request.site.is_secure;
    let may = |address| match is_secure {
        true => outgoing::is_admitted(address, &means.internal),
        false => outgoing::is_in(address, &means.internal),
    };
    let connected = async {
        let stream = outgoing::connect(resolver, (host, port), may).await?;
        if !is_secure {
            return Ok::<_, String>((Some(stream), None));
        }
        Ok((None, Some(outgoing::secure(stream, host, &means.tls).await?)))
    };
    let found = match timeout(request.connect, connected).await.map_err(|_| Failure::Late)?? {
        (_, Some(stream)) => outgoing::exchange(stream, message).await?,
        (Some(stream), None) => outgoing::exchange(stream, message).await?,
        (None, None) => return Err("no connection".to_owned().into()),
    };
    Ok(found)
}

fn message(means: &Means, request: &HttpRequest) -> Result<Request<Full<Bytes>>, String> {
    // What is wrong with a value of these is not said: it may be a secret.
    let unfit = |_| "the request cannot be written".to_owned();
    let method = Method::from_bytes(request.method.name().as_bytes()).map_err(|_| "the method")?;
    let body = match &request.body {
        Some(body) => filled(means, &body.words, Some(body.kind))?,
        None => String::new(),
    };
    let mut message = Request::builder()
        .method(method)
        .uri(&*request.path)
        .header(HOST, request.site.authority())
        .header(USER_AGENT, concat!("Ringdown/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "application/json")
        .body(Full::from(body))
        .map_err(|_| "the request cannot be written".to_owned())?;
    let kind = request.body.as_ref().map(|body| match body.kind {
        BodyKind::Json => "application/json",
        BodyKind::Form => "application/x-www-form-urlencoded",
    });
    if let Some(kind) = kind {
        message.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    for (name, words) in &request.headers {
        let name: HeaderName =
            name.parse().map_err(|_| "a header has no name that can be sent".to_owned())?;
        let mut value = HeaderValue::from_str(&filled(means, words, None)?).map_err(unfit)?;
        value.set_sensitive(words.iter().any(|word| matches!(word, Word::Secret(_))));
        message.headers_mut().insert(name, value);
    }
    Ok(message)
}

/// A text with the values of its secrets, as they have to stand there.
fn filled(means: &Means, words: &[Word], kind: Option<BodyKind>) -> Result<String, String> {
    let mut text = String::new();
    for word in words {
        match word {
            Word::Text(part) => text.push_str(part),
            Word::Secret(name) => {
                let value =
                    means.secrets.get(name).ok_or_else(|| format!("there is no secret `{name}` any more"))?;
                match kind {
                    None => text.push_str(value.reveal()),
                    Some(BodyKind::Json) => {
                        text.push_str(&serde_json::Value::from(value.reveal()).to_string())
                    }
                    Some(BodyKind::Form) => encode(value.reveal(), &mut text),
                }
            }
        }
    }
    Ok(text)
}

/// As in a form: all but the unreserved characters of RFC 3986 section 2.3.
fn encode(value: &str, out: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::{builder, roots};
    use crate::web::Value;
    use dialplan::{HttpBody, HttpMethod, Site};
    use hickory_resolver::config::ResolverConfig;
    use hickory_resolver::net::runtime::TokioRuntimeProvider;
    use std::path::Path;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    const SECRET: &str = "s3cr\"t &";

    fn means(internal: &[&str]) -> Means {
        let tls = builder()
            .with_root_certificates(roots(Path::new(""), None).expect("the usual"))
            .with_no_client_auth();
        Means {
            internal: internal.iter().map(|it| it.parse().expect("a network")).collect(),
            tls: Arc::new(tls),
            secrets: HashMap::from([("shop".into(), Value::new(SECRET))]),
        }
    }

    fn request(port: u16, body: Option<HttpBody>) -> HttpRequest {
        let headers =
            vec![("Authorization".into(), vec![Word::Text("Bearer ".into()), Word::Secret("shop".into())])];
        HttpRequest {
            method: HttpMethod::Post,
            site: Site { is_secure: false, host: "127.0.0.1".into(), port },
            path: "/orders/4711?x=1".into(),
            headers,
            body,
            connect: Duration::from_secs(2),
            within: Duration::from_secs(5),
            retries: 0,
        }
    }

    async fn answered(means: &Means, request: &HttpRequest) -> HttpAnswer {
        let nobody = ResolverConfig::from_name_servers(Vec::new());
        let resolver = TokioResolver::builder_with_config(nobody, TokioRuntimeProvider::default());
        answer(means, &resolver.build().expect("a resolver"), request, request.within).await
    }

    /// A server that says this to everybody, and what it is asked.
    async fn site(says: &'static str) -> (u16, tokio::sync::mpsc::UnboundedReceiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let port = listener.local_addr().expect("bound").port();
        let (sender, seen) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = vec![0; 4_096];
                let length = stream.read(&mut request).await.unwrap_or_default();
                // The test may be over; likewise below.
                let _ = sender.send(String::from_utf8_lossy(&request[..length]).into_owned());
                let _ = stream.write_all(says.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        (port, seen)
    }

    const SENT: &str = "HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\ndone";

    #[tokio::test]
    async fn secrets_stand_in_the_request_as_their_place_wants_it() {
        let (port, mut seen) = site(SENT).await;
        let words =
            || vec![Word::Text("{\"k\":".into()), Word::Secret("shop".into()), Word::Text("}".into())];
        let json = Some(HttpBody { kind: BodyKind::Json, words: words() });
        let found = answered(&means(&["127.0.0.0/8"]), &request(port, json)).await;
        assert_eq!(found, HttpAnswer::Answered { status: 201, body: "done".into() });
        let sent = seen.recv().await.expect("it was asked").to_lowercase();
        assert!(sent.starts_with("post /orders/4711?x=1 http/1.1\r\n"), "{sent}");
        for part in [
            &format!("\r\nhost: 127.0.0.1:{port}\r\n"),
            "\r\nauthorization: bearer s3cr\"t &\r\n",
            "\r\ncontent-type: application/json\r\n",
            "\r\n\r\n{\"k\":\"s3cr\\\"t &\"}",
        ] {
            assert!(sent.contains(part), "{part} in {sent}");
        }
        let form = vec![Word::Text("k=".into()), Word::Secret("shop".into())];
        let form = Some(HttpBody { kind: BodyKind::Form, words: form });
        answered(&means(&["127.0.0.0/8"]), &request(port, form)).await;
        let sent = seen.recv().await.expect("it was asked");
        assert!(sent.ends_with("\r\n\r\nk=s3cr%22t%20%26"), "{sent}");
    }

    #[tokio::test]
    async fn what_fails_tells_no_secret_and_no_value() {
        let (port, _seen) = site("nonsense").await;
        let means = means(&["127.0.0.0/8"]);
        let mut requests = vec![request(port, None), request(port, None), request(1, None)];
        requests[1].headers[0].1 = vec![Word::Secret("shop".into()), Word::Text("\n".into())];
        for request in &requests {
            let found = answered(&means, request).await;
            let HttpAnswer::Failed(why) = found else { panic!("{found:?}") };
            assert!(!why.contains("s3cr") && !why.contains("4711"), "{why}");
        }
        let mut unknown = request(port, None);
        unknown.headers[0].1 = vec![Word::Secret("other".into())];
        let why = "there is no secret `other` any more".to_owned();
        assert_eq!(answered(&means, &unknown).await, HttpAnswer::Failed(why));
        assert!(!format!("{means:?}").contains("s3cr"), "{means:?}");
    }

    #[tokio::test]
    async fn nobodys_own_network_is_asked_and_nobody_is_in_the_clear() {
        let (port, mut seen) = site(SENT).await;
        let refused = HttpAnswer::Failed("its server has no public address".into());
        let mut secure = request(port, None);
        secure.site.is_secure = true;
        for request in [&request(port, None), &secure] {
            assert_eq!(answered(&means(&["10.0.0.0/8"]), request).await, refused);
        }
        let mut public = request(80, None);
        public.site.host = "8.8.8.8".into();
        assert_eq!(answered(&means(&["127.0.0.0/8"]), &public).await, refused);
        assert!(seen.try_recv().is_err(), "it was asked");
    }

    #[tokio::test]
    async fn a_redirect_is_a_status_and_nobody_is_followed() {
        let moved = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
        let (port, _seen) = site(moved).await;
        let found = answered(&means(&["127.0.0.0/8"]), &request(port, None)).await;
        assert_eq!(found, HttpAnswer::Answered { status: 302, body: "".into() });
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_nothing_is_given_up() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
        let port = listener.local_addr().expect("bound").port();
        let found = answered(&means(&["127.0.0.0/8"]), &request(port, None)).await;
        assert_eq!(found, HttpAnswer::TimedOut);
    }
}

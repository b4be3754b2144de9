//! Certificates of those who answer for callers, fetched by HTTPS.
//!
//! Whoever signs a call chooses where the node asks. So it asks public addresses alone, by `https`, follows nobody
//! elsewhere, and bounds what it reads and how long.

use super::inbox::{Message, Sender};
use super::outgoing;
use crate::stir::FetchSettings;
use bytes::Bytes;
use hickory_resolver::TokioResolver;
use http_body_util::Empty;
use hyper::header::{ACCEPT, HOST, USER_AGENT};
use hyper::{Request, StatusCode, Uri};
use rustls::pki_types::ServerName;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::timeout;

/// When a fetch is over in any case. The switch has given up by then.
const LIMIT: Duration = Duration::from_secs(10);

/// Fetches, on the shell's tasks.
pub(super) struct Fetcher {
    settings: Option<FetchSettings>,
    resolver: TokioResolver,
    runtime: Handle,
    sender: Sender,
}

impl Fetcher {
    /// One that looks names up by `resolver`; without settings it fetches nothing.
    pub(super) fn new(
        settings: Option<FetchSettings>,
        resolver: TokioResolver,
        runtime: Handle,
        sender: Sender,
    ) -> Self {
        Self { settings, resolver, runtime, sender }
    }

    /// Fetches otherwise from now on.
    pub(super) fn apply(&mut self, settings: Option<FetchSettings>) {
        self.settings = settings;
    }

    /// Fetches; what was found comes to the inbox, always.
    pub(super) fn fetch(&self, url: Arc<str>) {
        let (settings, resolver, sender) =
            (self.settings.clone(), self.resolver.clone(), self.sender.clone());
        self.runtime.spawn(async move {
            let found = match settings {
                Some(settings) => within(&settings, &resolver, &url).await,
                None => Err("none is fetched".to_owned()),
            };
            if let Err(why) = &found {
                tracing::warn!("the certificate {url}: {why}");
            }
            // It fails once the node ends: nobody waits any more.
            let _ = sender.send(Message::Certificate(url, found)).await;
        });
    }
}

async fn within(settings: &FetchSettings, resolver: &TokioResolver, url: &str) -> Result<Bytes, String> {
    timeout(LIMIT, get(settings, resolver, url)).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
}

async fn get(settings: &FetchSettings, resolver: &TokioResolver, url: &str) -> Result<Bytes, String> {
    let uri: Uri = url.parse().map_err(|_| "it is no address")?;
    let (Some("https"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err("it is not at https://…".to_owned());
    };
    if authority.as_str().contains('@') {
        return Err("its address has a user".to_owned());
    }
    let (host, port) = (outgoing::bare(authority.host()), authority.port_u16().unwrap_or(443));
    ServerName::try_from(host.to_owned()).map_err(|_| "its host has no name")?;
    let may = |address| outgoing::is_admitted(address, &settings.allow);
    let stream = outgoing::connect(resolver, (host, port), may).await?;
    let stream = outgoing::secure(stream, host, &settings.tls).await?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::get(path)
        .header(HOST, authority.as_str())
        .header(USER_AGENT, concat!("Ringdown/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "application/pem-certificate-chain, application/pkix-cert, */*")
        .body(Empty::<Bytes>::new());
    match outgoing::exchange(stream, request.map_err(|error| error.to_string())?).await? {
        (StatusCode::OK, body) => Ok(body),
        (status, _) => Err(format!("its server says {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::outgoing::LARGEST;
    use hickory_resolver::config::ResolverConfig;
    use hickory_resolver::net::runtime::TokioRuntimeProvider;
    use rustls::crypto::ring;
    use std::path::Path;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    /// A web server that gives this answer to everybody, and how its certificate is believed.
    struct Site {
        home: tempfile::TempDir,
        port: u16,
        /// Requests as they came.
        seen: tokio::sync::mpsc::UnboundedReceiver<String>,
    }

    async fn site(answer: String) -> Site {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
        let home = tempfile::tempdir().expect("a directory");
        std::fs::write(home.path().join("ca.pem"), made.cert.pem()).expect("written");
        let key =
            rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("they fit");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let port = listener.local_addr().expect("bound").port();
        let (sender, seen) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            let acceptor = TlsAcceptor::from(Arc::new(config));
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut request = vec![0; 4_096];
                let length = stream.read(&mut request).await.unwrap_or_default();
                // The test may be over.
                let _ = sender.send(String::from_utf8_lossy(&request[..length]).into_owned());
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Site { home, port, seen }
    }

    fn answer(status: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    }

    /// What a node file's `fetch` makes of a fetch.
    async fn fetched(home: &Path, fetch: dialplan::Fetch, url: &str) -> Result<String, String> {
        let settings = crate::stir::settings(home, &fetch).expect("settings");
        let nobody = ResolverConfig::from_name_servers(Vec::new());
        let resolver = TokioResolver::builder_with_config(nobody, TokioRuntimeProvider::default());
        let found = within(&settings, &resolver.build().expect("a resolver"), url).await?;
        Ok(String::from_utf8_lossy(&found).into_owned())
    }

    fn local() -> dialplan::Fetch {
        let allow = vec!["127.0.0.0/8".parse().expect("a network")];
        dialplan::Fetch { allow, roots: Some("ca.pem".into()), ..dialplan::Fetch::default() }
    }

    impl Site {
        async fn fetched(&self, fetch: dialplan::Fetch) -> Result<String, String> {
            fetched(self.home.path(), fetch, &format!("https://127.0.0.1:{}/a.pem?x=1", self.port)).await
        }
    }

    #[tokio::test]
    async fn a_certificate_is_fetched_by_its_url() {
        let mut site = site(answer("200 OK", "a chain")).await;
        assert_eq!(site.fetched(local()).await.as_deref(), Ok("a chain"));
        let request = site.seen.recv().await.expect("it was asked").to_lowercase();
        assert!(request.starts_with("get /a.pem?x=1 http/1.1\r\n"), "{request}");
        assert!(request.contains(&format!("\r\nhost: 127.0.0.1:{}\r\n", site.port)), "{request}");
    }

    #[tokio::test]
    async fn what_is_no_certificate_of_that_place_is_not_taken() {
        let moved = "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/\r\nContent-Length: 0\r\n\r\n";
        let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(LARGEST + 1));
        let header = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(LARGEST));
        for (answer, why) in [
            (answer("404 Not Found", ""), "404"),
            (moved.to_owned(), "302"),
            (answer("200 OK", &"x".repeat(LARGEST + 1)), "larger than 64 KiB"),
            (endless, "larger than 64 KiB"),
            (header, "HTTP"),
            ("nonsense".to_owned(), "HTTP"),
            (String::new(), "HTTP"),
        ] {
            let failure = site(answer).await.fetched(local()).await.expect_err(why);
            assert!(failure.contains(why), "{failure} instead of {why}");
        }
    }

    #[tokio::test]
    async fn nobodys_own_network_is_asked_and_no_server_is_believed_that_is_not_certified() {
        let site = site(answer("200 OK", "a chain")).await;
        let nobody = dialplan::Fetch { allow: Vec::new(), ..local() };
        assert_eq!(site.fetched(nobody).await, Err("its server has no public address".into()));
        let public = dialplan::Fetch { roots: None, ..local() };
        let failure = site.fetched(public).await.expect_err("another root");
        assert!(failure.starts_with("TLS: "), "{failure}");
        for (url, why) in [
            ("http://127.0.0.1/a.pem", "not at https"),
            ("https://user@127.0.0.1/a.pem", "has a user"),
            ("https:/a.pem", "address"),
            ("https://[::ffff:10.0.0.1]/a.pem", "no public address"),
            ("https://2130706433/a.pem", "its host has no name"),
        ] {
            let failure = fetched(site.home.path(), local(), url).await.expect_err(url);
            assert!(failure.contains(why), "{url}: {failure} instead of {why}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_nothing_is_given_up() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
        let port = listener.local_addr().expect("bound").port();
        let home = tempfile::tempdir().expect("a directory");
        let fetch = dialplan::Fetch { roots: None, ..local() };
        let found = fetched(home.path(), fetch, &format!("https://127.0.0.1:{port}/")).await;
        assert_eq!(found, Err("no answer in time".into()));
    }
}

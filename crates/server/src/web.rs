//! What requests of flows need that no plan holds: secrets, and whom to believe that it is the server.

use crate::load::LoadError;
use crate::stir::warn_of_readers;
use crate::tls::{builder, roots};
use dialplan::{Client, Secret, SecretSource};
use ipnet::IpNet;
use rustls::ClientConfig;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// What the requests of each client need, by the name of its folder.
pub(crate) type Clients = HashMap<Arc<str>, Arc<Means>>;

/// What the requests of a client need.
#[derive(Debug)]
pub(crate) struct Means {
    /// Private networks whose servers may be asked.
    pub(crate) internal: Vec<IpNet>,
    /// Whom to believe that it is the server.
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) secrets: HashMap<Arc<str>, Value>,
}

/// The value of a secret. It is never shown.
pub(crate) struct Value(String);

impl Value {
    #[cfg(test)]
    pub(crate) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// For the request that it stands in, and nothing else.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•")
    }
}

/// Reads what the clients of a plan name.
///
/// # Errors
/// A file cannot be read, or a variable is not set.
pub(crate) fn load(clients: &[Client]) -> Result<Clients, LoadError> {
    let asking = clients.iter().filter(|client| client.web.is_some());
    asking.map(|client| Ok((Arc::clone(&client.id), Arc::new(means(client)?)))).collect()
}

fn means(client: &Client) -> Result<Means, LoadError> {
    let home = Path::new(&*client.folder);
    let web = client.web.clone().unwrap_or_default();
    let tls = builder().with_root_certificates(roots(home, web.roots.as_deref())?).with_no_client_auth();
    let value = |secret: &Secret| Ok((Arc::clone(&secret.name), read(home, client, secret)?));
    let secrets = client.secrets.iter().map(value).collect::<Result<_, LoadError>>()?;
    Ok(Means { internal: web.internal, tls: Arc::new(tls), secrets })
}

fn read(home: &Path, client: &Client, secret: &Secret) -> Result<Value, LoadError> {
    let (place, found) = match &secret.source {
        SecretSource::Env(name) => {
            (format!("the environment's {name}"), std::env::var(&**name).map_err(|error| error.to_string()))
        }
        SecretSource::File(file) => {
            let path = home.join(&**file);
            let found = std::fs::read_to_string(&path).map_err(|error| error.to_string());
            if found.is_ok() {
                warn_of_readers(&path);
            }
            (path.display().to_string(), found)
        }
    };
    let found = found.map(|text| text.trim_end_matches(['\r', '\n']).to_owned());
    match found {
        Ok(text) if !text.is_empty() => Ok(Value(text)),
        Ok(_) => Err(missing(client, secret, format!("{place} is empty"))),
        Err(error) => Err(missing(client, secret, format!("{place}: {error}"))),
    }
}

fn missing(client: &Client, secret: &Secret, reason: String) -> LoadError {
    LoadError::Secret { folder: client.folder.to_string(), name: secret.name.to_string(), reason }
}

#[cfg(test)]
mod tests {

    use dialplan::{ClientFiles, Input, SourceFile};

    #[test]
    fn secrets_are_read_from_files_without_their_end_and_what_is_missing_is_named() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().display().to_string();
        let load = |source: &str| {
            let file = |path: &str, text: String| SourceFile { path: path.into(), text };
            let client = format!(
                "client: {{http: {{hosts: [a.example]}}}}\nsecrets: {{shop: {source}}}\nflows: {{main: [hangup]}}\n"
            );
            let node = "sip: {listen: [\"udp:127.0.0.1:5060\"]}\nrtp: {ports: 30000-30099, address: 127.0.0.1}\n\
                        clients: [acme]\n";
            let files = vec![file("acme.yaml", client)];
            let clients =
                vec![ClientFiles { id: "acme".into(), path: path.clone(), files, prompts: Vec::new() }];
            let input =
                Input { node: file("ringdown.yaml", node.into()), clients, system_prompts: Vec::new() };
            let plan = dialplan::load(&input).unwrap_or_else(|report| panic!("{report}"));
            super::load(&plan.clients).map_err(|error| error.to_string())
        };
        std::fs::write(home.path().join("token"), "a b\r\n").expect("written");
        std::fs::write(home.path().join("empty"), "\n").expect("written");
        let found = load("{file: token}").expect("it is there");
        assert_eq!(found["acme"].secrets["shop"].reveal(), "a b");
        for (source, why) in [
            ("{file: nowhere}", "nowhere: No such file"),
            ("{file: empty}", "empty is empty"),
            ("{env: RINGDOWN_NO_SUCH_VARIABLE}", "the environment's RINGDOWN_NO_SUCH_VARIABLE: "),
        ] {
            let error = load(source).expect_err(why);
            assert!(error.contains(why) && error.contains("the secret `shop`"), "{error}");
        }
    }
}

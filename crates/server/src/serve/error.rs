use std::any::Any;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Why a node cannot serve. Each names the thing and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration does not check.
    #[error(transparent)]
    Config(#[from] crate::load::LoadError),
    /// A socket cannot be bound.
    #[error("{what}: cannot listen on {address}: {error}\n  {}", bind_hint(error, *address))]
    Bind {
        /// The purpose of the socket.
        what: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        error: io::Error,
    },
    /// The state directory, or something in it, cannot be made or used.
    #[error("state directory: {}: {error}\n  give a directory that this user may write by --state DIR", path.display())]
    State {
        /// The directory.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// The event log cannot be used.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// The accounts cannot be read.
    #[error(transparent)]
    Accounts(#[from] crate::access::AccessError),
    /// The media engine cannot start.
    #[error(transparent)]
    Media(#[from] media::MediaError),
    /// There is no certificate for DTLS.
    #[error(transparent)]
    Dtls(#[from] secure::DtlsError),
    /// The media engine has no RTP port to serve with.
    #[error("rtp: {0}\n  choose another range by `rtp: {{ports: FIRST-LAST}}` in the node file")]
    Ports(String),
    /// The resolver cannot start.
    #[error("dns: {0}")]
    Dns(String),
    /// The signalling thread has panicked.
    #[error("the node has stopped by a fault in ringdown itself: {0}; start it again and report this")]
    Failed(String),
    /// The operating system refuses something that every node needs.
    #[error("cannot {what}: {error}")]
    System {
        /// What was attempted.
        what: &'static str,
        /// What it says.
        error: io::Error,
    },
}

impl ServeError {
    /// For `map_err` on a call that every node needs.
    pub fn system(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::System { what, error }
    }

    /// The end of a thread by this panic.
    pub(super) fn failed(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Self::Failed(text.unwrap_or("it gave no message").to_owned())
    }

    /// For `map_err` on what is done below the state directory.
    pub fn state(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::State { path: path.to_owned(), error }
    }
}

fn bind_hint(error: &io::Error, address: SocketAddr) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("another process has port {}: stop it, or choose another port", address.port())
        }
        io::ErrorKind::AddrNotAvailable => {
            format!("this machine has no address {}: see `ip address`", address.ip())
        }
        io::ErrorKind::PermissionDenied => {
            format!("port {} is for privileged users: choose one above 1023", address.port())
        }
        _ => "choose another address in the node file".to_owned(),
    }
}

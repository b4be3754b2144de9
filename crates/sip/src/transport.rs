use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;

/// How a message travels (RFC 3261 section 18, RFC 7118).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A TCP stream.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// WebSocket over TCP.
    Ws,
    /// WebSocket over TLS.
    Wss,
}

impl Transport {
    /// Whether it is WebSocket, with TLS or without (RFC 7118): whoever came by it can be reached by no other connection.
    pub const fn is_websocket(self) -> bool {
        matches!(self, Self::Ws | Self::Wss)
    }

    /// Whether the transport itself retransmits, so that timers A, E and G stay off.
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Self::Udp)
    }

    /// Whether messages run in a byte stream that the [`Framer`](crate::Framer) must cut.
    pub const fn is_stream(self) -> bool {
        matches!(self, Self::Tcp | Self::Tls)
    }

    /// Whether it is encrypted.
    pub const fn is_secure(self) -> bool {
        matches!(self, Self::Tls | Self::Wss)
    }

    /// As a Via header field names it: `UDP`.
    pub const fn via_token(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }

    /// As a URI's `transport` parameter names it: `udp`.
    pub const fn uri_token(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    /// The transport that a Via header field or a URI names, in any case.
    pub fn from_token(token: &str) -> Option<Self> {
        [Self::Udp, Self::Tcp, Self::Tls, Self::Ws, Self::Wss]
            .into_iter()
            .find(|transport| transport.via_token().eq_ignore_ascii_case(token))
    }

    /// The port that a URI or Via without one means (RFC 3261 section 19.1.2, RFC 7118).
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.via_token())
    }
}

/// The way that a message came by or is to go: an RFC 5626 flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Flow {
    /// How.
    pub transport: Transport,
    /// Our address.
    pub local: SocketAddr,
    /// The other end's address.
    pub peer: SocketAddr,
    /// The number of a stream that was accepted or opened; 0 for datagrams, and for "any stream to `peer`,
    /// connect if there is none".
    pub connection: u64,
    /// Whose certificate the other end of a stream that we open by TLS has to show, by a number that the user of the
    /// endpoint gives out; 0 for all that peers open, and for other transports. Two domains at one address do not share a
    /// stream (RFC 5923 section 6).
    pub domain: u32,
}

impl Flow {
    /// Datagrams between two addresses.
    pub const fn udp(local: SocketAddr, peer: SocketAddr) -> Self {
        Self { transport: Transport::Udp, local, peer, connection: 0, domain: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_in_any_case() {
        assert_eq!(Transport::from_token("wSS"), Some(Transport::Wss));
        assert_eq!(Transport::from_token("SCTP"), None);
        assert!(!Transport::Udp.is_reliable());
        assert!(Transport::Ws.is_reliable() && !Transport::Ws.is_stream());
    }
}

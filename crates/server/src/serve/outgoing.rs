//! Connections to web servers, and one request by each.
//!
//! Addresses are looked at once the name is resolved, and the connection goes to the very address that was looked at.
//! Nobody is followed elsewhere, and what is read is bounded.

use bytes::{Bytes, BytesMut};
use hickory_resolver::TokioResolver;
use http_body_util::BodyExt;
use hyper::body::Body;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The largest answer, in bytes.
pub(super) const LARGEST: usize = 64 << 10;
/// The largest header of an answer, in bytes.
const LARGEST_HEADER: usize = 16 << 10;
/// Addresses of a name that are tried.
const MOST_ADDRESSES: usize = 4;

/// The same connection by TLS, with a server that is certified to have that name.
pub(super) async fn secure(
    stream: TcpStream,
    host: &str,
    tls: &Arc<ClientConfig>,
) -> Result<TlsStream<TcpStream>, String> {
    let name = ServerName::try_from(bare(host).to_owned()).map_err(|_| "its host has no name")?;
    let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await;
    stream.map_err(|error| format!("TLS: {error}"))
}

/// A host without the brackets of an IPv6 address.
pub(super) fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// Sends one request, and reads what comes.
pub(super) async fn exchange<S, B>(stream: S, request: Request<B>) -> Result<(StatusCode, Bytes), String>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    B: Body + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let http = |error: hyper::Error| format!("HTTP: {error}");
    let stream = TokioIo::new(stream);
    let (mut requests, connection) =
        http1::Builder::new().max_buf_size(LARGEST_HEADER).handshake(stream).await.map_err(http)?;
    let answer = async {
        let mut answer = requests.send_request(request).await.map_err(http)?;
        let mut body = BytesMut::new();
        while let Some(frame) = answer.frame().await {
            let Ok(data) = frame.map_err(http)?.into_data() else { continue };
            if body.len() + data.len() > LARGEST {
                return Err(format!("it is larger than {} KiB", LARGEST >> 10));
            }
            body.extend_from_slice(&data);
        }
        Ok((answer.status(), body.freeze()))
    };
    // The connection does the work, and is dropped with what was read.
    tokio::pin!(answer);
    tokio::select! {
        found = &mut answer => found,
        ended = connection => match ended {
            Ok(()) => answer.await,
            Err(error) => Err(http(error)),
        },
    }
}

/// A connection to a host that may be asked.
pub(super) async fn connect(
    resolver: &TokioResolver,
    (host, port): (&str, u16),
    may_be_asked: impl Fn(IpAddr) -> bool,
) -> Result<TcpStream, String> {
    let addresses: Vec<IpAddr> = match host.parse() {
        Ok(address) => vec![address],
        // The dot keeps the system's search domains out.
        Err(_) => {
            let found = resolver.lookup_ip(format!("{}.", host.trim_end_matches('.'))).await;
            found.map_err(|error| format!("DNS: {error}"))?.iter().collect()
        }
    };
    let admitted = addresses.into_iter().filter(|address| may_be_asked(*address));
    let mut failure = "its server has no public address".to_owned();
    for address in admitted.take(MOST_ADDRESSES) {
        match TcpStream::connect(SocketAddr::new(address, port)).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = format!("{address}: {error}"),
        }
    }
    Err(failure)
}

/// Whether a server at that address may be asked: it is public, or in one of these networks.
pub(super) fn is_admitted(address: IpAddr, allow: &[IpNet]) -> bool {
    is_public(address) || is_in(address, allow)
}

/// Whether an address is in one of these networks.
pub(super) fn is_in(address: IpAddr, networks: &[IpNet]) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

/// Whether it is nobody's own network.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// What is not in the special-purpose registry of RFC 6890.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = a == 0
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a == 198 && (18..20).contains(&b))
        || a >= 240;
    !is_special
}

/// Global unicast (RFC 4291 section 2.4), without what wraps IPv4 addresses or is for documents.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let is_wrapped = first == 0x2002 || (first == 0x2001 && second == 0);
    let is_document = (first == 0x2001 && second == 0xdb8) || (first == 0x3fff && second < 0x1000);
    (0x2000..0x4000).contains(&first) && !is_wrapped && !is_document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6890_special_addresses_are_not_public() {
        let admitted = |text: &str| is_admitted(text.parse().expect("an address"), &[]);
        for special in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::1",
            "3fff:fff::1",
        ] {
            assert!(!admitted(special), "{special}");
        }
        for public in
            ["9.9.9.9", "100.63.255.255", "100.128.0.1", "198.20.0.1", "2620:fe::9", "::ffff:9.9.9.9"]
        {
            assert!(admitted(public), "{public}");
        }
        let allow = ["10.0.0.0/8".parse().expect("a network")];
        assert!(is_admitted("10.1.2.3".parse().expect("an address"), &allow));
        assert!(is_admitted("::ffff:10.1.2.3".parse().expect("an address"), &allow));
        assert!(!is_admitted("192.168.0.1".parse().expect("an address"), &allow));
    }
}

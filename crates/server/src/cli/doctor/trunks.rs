//! Trunks: where their names lead, whether their servers answer, and what they say of us.

use super::probe::{Answer, Question, Trouble, ask};
use super::report::Finding;
use super::{certificates, clock};
use crate::serve::{is_public, look_up};
use crate::tls::Outbound;
use dialplan::{Listen, Node, Trunk};
use futures_util::future::join_all;
use hickory_resolver::TokioResolver;
use sip::{Search, SipUri, Transport, Uri, locate};
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use switch::TlsPeer;
use tokio::time::timeout;

/// When to give up on where a name leads.
const DNS_LIMIT: Duration = Duration::from_secs(10);
/// Servers of a URI that are asked.
const MOST_SERVERS: usize = 16;
const AREA: &str = "trunk";

/// What is known while trunks are asked.
pub(super) struct Around<'a> {
    pub(super) node: &'a Node,
    pub(super) resolver: &'a TokioResolver,
    pub(super) outbound: &'a Outbound,
    /// Whether something keeps this machine's clock.
    pub(super) is_kept: Option<bool>,
    /// Servers that answer the running node: trunk and `udp:192.0.2.1:5060`.
    pub(super) alive: HashSet<(String, String)>,
}

/// Asks all servers of a trunk at once.
pub(super) async fn examine(trunk: &Trunk, around: &Around<'_>) -> Vec<Finding> {
    let registrar = trunk.register.iter().map(|register| &register.registrar);
    let mut uris: Vec<_> = trunk.to.iter().chain(registrar).collect();
    uris.sort();
    uris.dedup();
    if uris.is_empty() {
        let networks: Vec<_> = trunk.networks.iter().map(ToString::to_string).collect();
        let what = format!("{}: its calls come from {}; none go there", trunk.name, networks.join(", "));
        return vec![Finding::ok(AREA, what)];
    }
    let all = join_all(uris.into_iter().map(|uri| examine_uri(trunk, uri, around))).await;
    all.into_iter().flatten().collect()
}

async fn examine_uri(trunk: &Trunk, uri: &str, around: &Around<'_>) -> Vec<Finding> {
    let servers = match find(uri, around).await {
        Ok(servers) => servers,
        Err((why, advice)) => return vec![Finding::fault("dns", format!("{}: {why}", trunk.name), advice)],
    };
    let asked = servers.into_iter().take(MOST_SERVERS);
    let all = join_all(asked.map(|server| examine_server(trunk, uri, server, around))).await;
    all.into_iter().flatten().collect()
}

/// Where a URI leads, as the node finds it; else why it leads nowhere, and what to do.
async fn find(uri: &str, around: &Around<'_>) -> Result<Vec<(Transport, SocketAddr)>, (String, String)> {
    let parsed = Uri::parse(uri).ok();
    let Some(place) = parsed.as_ref().and_then(Uri::as_sip) else {
        return Err((format!("{uri} is no SIP URI"), "write sip:HOST".to_owned()));
    };
    let listen = &around.node.listen;
    let means: Vec<_> =
        listen.iter().map(|it| (switch::transport(it.transport), it.address.is_ipv4())).collect();
    match timeout(DNS_LIMIT, search(place, &means, around.resolver)).await {
        Ok((servers, _)) if !servers.is_empty() => Ok(servers),
        Ok((_, false)) => Err((
            format!("{uri} leads nowhere"),
            "is the name right, does its zone have SRV or addresses, and is there a listener of its transport \
             and of IPv4 or IPv6?"
                .to_owned(),
        )),
        Ok((_, true)) | Err(_) => Err((
            format!("no DNS server says where {uri} leads"),
            "see to `dns: {servers: […]}` of the node file, or to /etc/resolv.conf".to_owned(),
        )),
    }
}

/// The servers of a URI (RFC 3263), and whether the DNS has failed to tell of some.
async fn search(
    place: &SipUri<'_>,
    means: &[(Transport, bool)],
    resolver: &TokioResolver,
) -> (Vec<(Transport, SocketAddr)>, bool) {
    let mut answers = HashMap::new();
    loop {
        match locate(place, means, &answers) {
            Search::Found { servers, failed, .. } => {
                let mut seen = HashSet::new();
                let found = servers.in_order(|| 0).into_iter().filter(|server| seen.insert(*server));
                return (found.collect(), failed);
            }
            Search::Ask(questions) => {
                let told = join_all(questions.iter().map(|question| look_up(resolver, question))).await;
                answers.extend(questions.into_iter().zip(told));
            }
        }
    }
}

async fn examine_server(
    trunk: &Trunk,
    uri: &str,
    server: (Transport, SocketAddr),
    around: &Around<'_>,
) -> Vec<Finding> {
    // The one that the node sends from: the first of its transport and family.
    let is_way = |it: &&Listen| {
        switch::transport(it.transport) == server.0 && it.address.is_ipv4() == server.1.is_ipv4()
    };
    let Some(listen) = around.node.listen.iter().find(is_way) else { return Vec::new() };
    let advertised = listen.advertise.unwrap_or(listen.address).ip();
    let host = Uri::parse(uri).ok().and_then(|uri| Some(uri.as_sip()?.host.to_string())).unwrap_or_default();
    let question = Question {
        server,
        uri,
        from: listen.address.ip(),
        advertised,
        outbound: around.outbound,
        peer: TlsPeer { host: host.into(), trunk: Some(Arc::clone(&trunk.name)) },
    };
    let mut found = vec![reachable_from(trunk, server, advertised)];
    match ask(&question).await {
        Ok(answer) => {
            found.extend(told(trunk, server, &answer, (listen, advertised), around).into_iter().map(Some))
        }
        Err(trouble) => found.push(Some(unreached(trunk, server, &trouble, around))),
    }
    found.into_iter().flatten().collect()
}

fn shown((transport, address): (Transport, SocketAddr)) -> String {
    format!("{} {address}", transport.uri_token())
}

/// A carrier in the internet cannot answer to an address of a private network.
fn reachable_from(trunk: &Trunk, server: (Transport, SocketAddr), advertised: IpAddr) -> Option<Finding> {
    (is_public(server.1.ip()) && !is_public(advertised)).then(|| {
        let what =
            format!("{}: {advertised} is advertised, which {} cannot reach", trunk.name, server.1.ip());
        Finding::fault("address", what, "advertise the public address of this site, in `sip` and `rtp`")
    })
}

/// What there is to say of an answer.
fn told(
    trunk: &Trunk,
    server: (Transport, SocketAddr),
    answer: &Answer,
    (listen, advertised): (&Listen, IpAddr),
    around: &Around<'_>,
) -> Vec<Finding> {
    let name = &trunk.name;
    let Answer { status, reason, at, took, .. } = answer;
    let what = format!("{name}: {} answers {status} {reason} in {} ms", shown(server), took.as_millis());
    let lives = match status {
        408 | 503 => Finding::warning(AREA, what, "calls are tried there last: ask the carrier why"),
        _ => Finding::ok(AREA, what),
    };
    let mut found = vec![lives];
    if let Some(end) = answer.certificate_ends {
        found.push(certificates::until(
            &format!("{name}: that of {}", server.1),
            end,
            *at,
            "tell the carrier",
        ));
    }
    found.push(match answer.received {
        Some(seen) if seen.to_canonical() != advertised.to_canonical() => {
            wrong_address(name, server.1.ip(), seen, (listen, advertised), around)
        }
        _ => Finding::ok("address", format!("{name}: it sees us at {advertised}, as advertised")),
    });
    found.extend(answer.date.map(|date| clock::of_trunk(name, date, (*at, *took), around.is_kept)));
    if answer.sdp.as_deref().is_some_and(|sdp| !speaks_g711(sdp)) {
        let what = format!("{name}: its answer names no G.711");
        found.push(Finding::warning(
            "codecs",
            what,
            "have the carrier allow PCMU or PCMA: nothing else is spoken here",
        ));
    }
    found
}

/// The trunk sees another address than the one that it is told.
fn wrong_address(
    name: &str,
    server: IpAddr,
    seen: IpAddr,
    (listen, advertised): (&Listen, IpAddr),
    around: &Around<'_>,
) -> Finding {
    let transport = listen.transport.name();
    let what =
        format!("{name}: it sees us at {seen}, and {transport} {} advertises {advertised}", listen.address);
    let rtp = &around.node.rtp;
    let is_for_media = rtp.advertise.unwrap_or(rtp.address) == advertised;
    let port = listen.advertise.unwrap_or(listen.address).port();
    let also = if is_for_media { format!(", and `advertise: {seen}` in `rtp`") } else { String::new() };
    let place = SocketAddr::new(seen, port);
    let advice = format!("write {{{transport}: \"{}\", advertise: \"{place}\"}}{also}", listen.address);
    // In one's own network the way there may be another than that of the carriers.
    if is_public(seen) || is_public(server) {
        Finding::fault("address", what, advice)
    } else {
        let advice = format!("if it cannot reach {advertised}: {advice}");
        Finding::warning("address", what, advice)
    }
}

/// Whether a session description has an audio stream with a static type of G.711 (RFC 3551 section 6), or has none at all.
fn speaks_g711(sdp: &[u8]) -> bool {
    let text = String::from_utf8_lossy(sdp);
    let mut audio = text.lines().filter_map(|line| line.strip_prefix("m=audio ")).peekable();
    audio.peek().is_none()
        || audio.any(|stream| stream.split_whitespace().skip(2).any(|format| matches!(format, "0" | "8")))
}

/// What there is to say of a server that was not reached.
fn unreached(
    trunk: &Trunk,
    server: (Transport, SocketAddr),
    trouble: &Trouble,
    around: &Around<'_>,
) -> Finding {
    let place = format!("{}: {}", trunk.name, shown(server));
    let key = (trunk.name.to_string(), format!("{}:{}", server.0.uri_token(), server.1));
    match trouble {
        Trouble::Silent if around.alive.contains(&key) => Finding::warning(
            AREA,
            format!("{place} does not answer a port of doctor's own, but the running node's"),
            "nothing, if the carrier knows the node by its port; doctor cannot see more then",
        ),
        Trouble::Silent if trunk.routing.health.is_none() => Finding::warning(
            AREA,
            format!("{place} does not answer OPTIONS; `health` is off, as if that were known"),
            "a call shows whether it lives: `ringdown doctor --call`",
        ),
        Trouble::Silent => Finding::fault(
            AREA,
            format!("{place} does not answer"),
            "is a firewall between, does the carrier know this address, is the server up? One that never answers \
             OPTIONS takes `health: off`",
        ),
        Trouble::Refused => Finding::fault(
            AREA,
            format!("{place} refuses: nobody holds that port"),
            "are address, port and transport those that the carrier has given, and is its server up?",
        ),
        Trouble::NoHandshake(why) => Finding::fault(
            "certificate",
            format!("{place} has no TLS for us: {why}"),
            "see `tls` of the trunk, or tell the carrier",
        ),
        Trouble::System(why) => Finding::fault(
            AREA,
            format!("{place}: {why}"),
            "is there a route, `ip route get`, and no firewall?",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Level;
    use super::*;

    #[test]
    fn a_private_address_is_not_advertised_to_a_carrier_in_the_internet() {
        let trunk = Trunk::named("carrier");
        let server = |ip: [u8; 4]| (Transport::Udp, SocketAddr::from((ip, 5060)));
        let found = |to: [u8; 4], advertised: [u8; 4]| reachable_from(&trunk, server(to), advertised.into());
        assert_eq!(found([9, 9, 9, 9], [10, 0, 0, 1]).map(|it| it.level), Some(Level::Fault));
        assert_eq!(found([9, 9, 9, 9], [8, 8, 8, 8]), None);
        assert_eq!(found([10, 0, 0, 2], [10, 0, 0, 1]), None);
    }

    #[test]
    fn g711_is_a_static_type_of_an_audio_stream() {
        for (sdp, speaks) in [
            ("v=0\r\nm=audio 4000 RTP/AVP 18 8 101\r\n", true),
            ("v=0\r\nm=audio 0 RTP/AVP 18 101\r\n", false),
            ("v=0\r\nm=audio 8 RTP/AVP 9\r\nm=audio 0 RTP/AVP 0\r\n", true),
            ("v=0\r\n", true),
        ] {
            assert_eq!(speaks_g711(sdp.as_bytes()), speaks, "{sdp}");
        }
    }
}

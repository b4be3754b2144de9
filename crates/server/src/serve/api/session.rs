//! How a page shows who it is: by a cookie that no script reads, and that no other site's page can make use of.

use super::answer::Fault;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode, header};
use jiff::Timestamp;
use std::net::IpAddr;

/// The cookie's name.
const NAME: &str = "ringdown_session";
/// What a page of ours puts beside each request: a browser lets no other site do so without asking first.
const MARK: &str = "x-ringdown";

/// Whether a request is let in by the cookie: it shows no token by itself.
pub(super) fn is_shown(headers: &HeaderMap) -> bool {
    !headers.contains_key(header::AUTHORIZATION) && token_of(headers).is_some()
}

/// The token in the cookie.
pub(super) fn token_of(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(|line| line.split(';')).filter_map(|it| it.trim().split_once('='));
    cookies.find(|(name, _)| *name == NAME).map(|(_, token)| token)
}

/// The cookie of whoever has logged in, until then.
pub(super) fn cookie(token: &str, until: Option<Timestamp>, headers: &HeaderMap) -> String {
    let age = until.map(|until| until.duration_since(Timestamp::now()).as_secs());
    let age = age.map_or(String::new(), |seconds| format!("; Max-Age={seconds}"));
    format!("{NAME}={token}{age}{}", attributes(headers))
}

/// What takes the cookie away.
pub(super) fn no_cookie(headers: &HeaderMap) -> String {
    format!("{NAME}=; Max-Age=0{}", attributes(headers))
}

/// Off the node's own machine a cookie goes over TLS alone.
fn attributes(headers: &HeaderMap) -> &'static str {
    match host(headers).is_some_and(|host| is_loopback(host.host())) {
        true => "; Path=/; HttpOnly; SameSite=Strict",
        false => "; Path=/; HttpOnly; SameSite=Strict; Secure",
    }
}

/// Whom a request says that it is for.
pub(super) fn host(headers: &HeaderMap) -> Option<Authority> {
    headers.get(header::HOST)?.to_str().ok()?.parse().ok()
}

fn is_loopback(host: &str) -> bool {
    let address: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    host.eq_ignore_ascii_case("localhost") || address.is_some_and(|it| it.is_loopback())
}

/// Lets a request by cookie through if it changes nothing, or comes from a page of this node (CSRF).
///
/// # Errors
/// 403.
pub(super) fn admit(method: &Method, headers: &HeaderMap) -> Result<(), Fault> {
    let is_socket = headers.contains_key(header::UPGRADE);
    if method.is_safe() && !is_socket {
        return Ok(());
    }
    // A browser lets no page put headers beside the request of a WebSocket.
    let is_marked = is_socket || headers.contains_key(MARK);
    let site = headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin");
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let origin: Option<Authority> = origin.and_then(|it| it.split_once("://")?.1.parse().ok());
    if is_marked && site && origin.is_some() && origin == host(headers) {
        return Ok(());
    }
    let error = "by cookie a page of this node alone may ask for that: `Origin` must be the `Host`, and `X-Ringdown: 1` be there";
    Err(Fault::new(StatusCode::FORBIDDEN, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (name.parse().expect("a name"), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn a_token_by_itself_goes_before_the_cookie() {
        let both = [("cookie", "a=b; ringdown_session=ringdown_1"), ("authorization", "Bearer ringdown_2")];
        assert_eq!(token_of(&headers(&both[..1])), Some("ringdown_1"));
        assert!(is_shown(&headers(&both[..1])) && !is_shown(&headers(&both)));
        assert_eq!(token_of(&headers(&[("cookie", "other_ringdown_session=x")])), None);
    }

    #[test]
    fn off_the_nodes_own_machine_the_cookie_goes_over_tls_alone() {
        for (host, secure) in
            [("127.0.0.1:8062", false), ("[::1]:80", false), ("localhost", false), ("pbx.example", true)]
        {
            let cookie = cookie("t", None, &headers(&[("host", host)]));
            assert_eq!(cookie.contains("; Secure"), secure, "{cookie}");
            assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
        }
        assert!(cookie("t", None, &HeaderMap::new()).contains("; Secure"));
    }

    #[test]
    fn what_changes_something_comes_from_a_page_of_this_node() {
        let own = [("host", "pbx.example"), ("origin", "https://pbx.example"), ("x-ringdown", "1")];
        let is_let_in = |method: Method, lines: &[_]| admit(&method, &headers(lines)).is_ok();
        assert!(is_let_in(Method::POST, &own) && is_let_in(Method::GET, &[]));
        assert!(!is_let_in(Method::POST, &own[..2]), "without the mark");
        assert!(!is_let_in(Method::POST, &[own[0], own[2]]), "without its origin");
        for origin in
            ["https://evil.example", "null", "https://pbx.example.evil.example", "https://pbx.example:8443"]
        {
            assert!(!is_let_in(Method::POST, &[own[0], ("origin", origin), own[2]]), "{origin}");
        }
        assert!(!is_let_in(Method::POST, &[own[0], own[1], own[2], ("sec-fetch-site", "same-site")]));
        let socket = [own[0], own[1], ("upgrade", "websocket")];
        assert!(is_let_in(Method::GET, &socket));
        assert!(!is_let_in(Method::GET, &[own[0], ("origin", "https://evil.example"), socket[2]]));
        assert!(!is_let_in(Method::GET, &[own[0], socket[2]]));
    }
}

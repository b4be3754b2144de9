//! The pages in a browser, with what a browser is told to keep others out of them.

use super::super::control::Control;
use super::session::host;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use console::{File, MISSING, find};

/// The addresses of pages; what is at each, the page itself knows.
const PAGES: [&str; 5] = ["/", "/floor", "/agent", "/call", "/call/{contact}"];

pub(super) fn routes(router: Router<Control>) -> Router<Control> {
    let router = PAGES.into_iter().fold(router, |router, path| router.route(path, get(page)));
    router.route("/assets/{name}", get(asset)).route("/icon.svg", get(icon))
}

async fn page(State(control): State<Control>, headers: HeaderMap) -> Response {
    let Some(index) = find("index.html") else {
        return (StatusCode::NOT_IMPLEMENTED, MISSING).into_response();
    };
    let mut response = serve(index, &headers);
    let told = response.headers_mut();
    told.insert(header::CONTENT_SECURITY_POLICY, policy(&headers, &control.phone_ports()));
    told.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    let devices = HeaderValue::from_static("microphone=(self), camera=(), geolocation=()");
    told.insert("permissions-policy", devices);
    response
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    find(&format!("assets/{name}"))
        .map_or_else(|| StatusCode::NOT_FOUND.into_response(), |it| serve(it, &headers))
}

async fn icon(headers: HeaderMap) -> Response {
    find("icon.svg").map_or_else(|| StatusCode::NOT_FOUND.into_response(), |it| serve(it, &headers))
}

/// Nothing but what comes from this node, and the node's own listeners for phones.
fn policy(headers: &HeaderMap, phones: &[(&str, u16)]) -> HeaderValue {
    let mut connect = String::from("'self'");
    if let Some(host) = host(headers) {
        // Not every browser takes a WebSocket for the same origin.
        connect += &format!(" ws://{host} wss://{host}");
        for (scheme, port) in phones {
            connect += &format!(" {scheme}://{}:{port}", host.host());
        }
    }
    let policy = format!(
        "default-src 'self'; connect-src {connect}; media-src 'self' blob:; img-src 'self' data:; object-src 'none'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

fn serve(file: &'static File, headers: &HeaderMap) -> Response {
    let asked = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let keeps = match file.is_named_by_content() {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    let mut response = if asked(header::IF_NONE_MATCH).split(',').any(|tag| tag.trim() == file.tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let (bytes, coding) = packed(file, asked(header::ACCEPT_ENCODING));
        let mut response = Response::new(Body::from(bytes));
        let told = response.headers_mut();
        told.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.kind));
        if let Some(coding) = coding {
            told.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        response
    };
    let told = response.headers_mut();
    for (name, value) in [
        (header::ETAG, file.tag),
        (header::CACHE_CONTROL, keeps),
        (header::VARY, "Accept-Encoding"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        told.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A file as small as whoever asks can read it, and how it is packed.
fn packed(file: &File, accepts: &str) -> (&'static [u8], Option<&'static str>) {
    let reads = |coding: &str| {
        accepts.split(',').any(|one| {
            let (name, quality) = one.split_once(';').unwrap_or((one, ""));
            name.trim().eq_ignore_ascii_case(coding)
                && !matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
        })
    };
    match (file.brotli, file.gzip) {
        (Some(bytes), _) if reads("br") => (bytes, Some("br")),
        (_, Some(bytes)) if reads("gzip") => (bytes, Some("gzip")),
        _ => (file.bytes, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_packed_as_whoever_asks_can_read_it() {
        let (brotli, gzip): (Option<&[u8]>, Option<&[u8]>) = (Some(b"b"), Some(b"gg"));
        let file =
            File { path: "x.js", kind: "text/javascript", tag: "\"1\"", bytes: b"plain", brotli, gzip };
        assert_eq!(packed(&file, "gzip, deflate, br"), (&b"b"[..], Some("br")));
        assert_eq!(packed(&file, "GZIP;q=0.5, br;q=0"), (&b"gg"[..], Some("gzip")));
        assert_eq!(packed(&file, "identity"), (&b"plain"[..], None));
    }

    #[test]
    fn a_page_connects_to_its_node_alone() {
        let headers = [(header::HOST, HeaderValue::from_static("pbx.example:8443"))].into_iter().collect();
        let policy = policy(&headers, &[("wss", 5064)]);
        let policy = policy.to_str().expect("text");
        assert!(policy.contains("wss://pbx.example:8443 wss://pbx.example:5064;"), "{policy}");
        assert!(policy.contains("default-src 'self';") && !policy.contains("unsafe"), "{policy}");
    }
}

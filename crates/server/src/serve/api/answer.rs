//! What every operation says, and how its question is read: JSON both ways, and one form for whatever is wrong.

use super::super::control::ContactError;
use super::super::inbox::Gone;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json;
use store::StoreError;
use utoipa::ToSchema;

/// What an operation says.
pub(in crate::serve) type Answer<T> = Result<Json<T>, Fault>;

/// Why it says nothing else.
#[derive(Debug)]
pub(in crate::serve) struct Fault {
    status: StatusCode,
    error: String,
    /// Seconds after which the same may be asked again.
    retry_after: Option<u64>,
}

/// As the document describes it.
#[derive(ToSchema)]
#[schema(as = Fault)]
#[expect(dead_code, reason = "its fields are read by the document alone")]
pub(super) struct FaultBody {
    /// One sentence that names the thing.
    error: String,
}

impl Fault {
    pub(in crate::serve) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into(), retry_after: None }
    }

    pub(super) fn bad(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    pub(super) fn unknown(error: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error)
    }

    pub(super) fn conflict(error: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, error)
    }

    pub(super) fn later(error: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error)
    }

    pub(super) fn too_many(seconds: u64) -> Self {
        let error = format!("too many requests; the next in {seconds} s");
        let status = StatusCode::TOO_MANY_REQUESTS;
        Self { status, error, retry_after: Some(seconds) }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(json!({"error": self.error}))).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = header::HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

impl From<Gone> for Fault {
    fn from(gone: Gone) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, gone.to_string())
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

impl From<ContactError> for Fault {
    fn from(error: ContactError) -> Self {
        Self::later(error.to_string())
    }
}

/// The JSON body of a request; one that is empty says nothing of its own.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        let kind = request.headers().get(header::CONTENT_TYPE).cloned();
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|error| Fault::new(error.status(), error.body_text()))?;
        if bytes.is_empty() {
            return read(b"{}");
        }
        let is_json = kind.as_ref().and_then(|kind| kind.to_str().ok()).is_some_and(|kind| {
            kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
        });
        if !is_json {
            let error = "the body must be of type application/json";
            return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error));
        }
        read(&bytes)
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<Body<T>, Fault> {
    serde_json::from_slice(bytes).map(Body).map_err(|error| Fault::bad(format!("the body: {error}")))
}

/// What a request asks for behind the `?`.
pub(super) struct Asked<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Fault> {
        let asked = Query::try_from_uri(&parts.uri);
        asked.map(|Query(asked)| Self(asked)).map_err(|error| Fault::bad(error.body_text()))
    }
}

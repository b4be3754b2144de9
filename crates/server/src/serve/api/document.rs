//! The operations with their guards, and the OpenAPI document that is made of the very same list.

use super::super::control::Control;
use super::answer::{Fault, FaultBody};
use super::guard::{Gate, Guard, guard};
use crate::access::Right;
use axum::handler::Handler;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, on};
use axum::{Json, Router};
use serde_json::Value;
use std::sync::Arc;
use utoipa::openapi::path::{HttpMethod, Operation, ParameterIn};
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, HeaderBuilder, InfoBuilder, LicenseBuilder, ObjectBuilder, OpenApi,
    OpenApiBuilder, Paths, Ref, RefOr, ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

/// The name of the only way to show who one is.
const SCHEME: &str = "token";

/// Operations that are being put together.
pub(super) struct Routes {
    control: Control,
    gate: Arc<Gate>,
    tag: &'static str,
    router: Router<Control>,
    paths: Paths,
    components: Components,
}

impl Routes {
    pub(super) fn new(control: Control) -> Self {
        let mut components = Components::new();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
            "What `POST /login` gives to people and `ringdown accounts add` to programs. The scopes of an \
             operation say what the account's role must allow.",
        ));
        components.add_security_scheme(SCHEME, SecurityScheme::Http(bearer.build()));
        components.schemas.insert(FaultBody::name().into(), FaultBody::schema());
        let (gate, paths) = (Arc::new(Gate::new()), Paths::new());
        Self { control, gate, tag: "", router: Router::new(), paths, components }
    }

    /// Under which heading the next ones stand.
    pub(super) fn under(mut self, tag: &'static str) -> Self {
        self.tag = tag;
        self
    }

    /// Adds one operation: what `#[utoipa::path]` says of it, and what does it.
    ///
    /// # Panics
    /// It does not say who may ask for it.
    pub(super) fn with<P, H, T>(mut self, _described: P, handler: H) -> Self
    where
        P: utoipa::Path + utoipa::__dev::SchemaReferences,
        H: Handler<T, Control>,
        T: 'static,
    {
        let (path, methods, mut operation) = (P::path(), P::methods(), P::operation());
        let rights = rights(&path, &operation);
        operation.tags = Some(vec![self.tag.to_owned()]);
        complete(&mut operation, &methods, !rights.is_empty());
        let guarded = Guard { control: self.control.clone(), gate: Arc::clone(&self.gate), rights };
        for method in &methods {
            let route =
                on(filter(method), handler.clone()).route_layer(from_fn_with_state(guarded.clone(), guard));
            self.router = self.router.route(&path, route);
        }
        self.paths.add_path_operation(path, methods, operation);
        let mut schemas = Vec::new();
        P::schemas(&mut schemas);
        self.components.schemas.extend(schemas);
        self
    }

    /// What serves them all, and the document.
    pub(super) fn finish(self) -> (Router<Control>, Value) {
        let document: OpenApi = OpenApiBuilder::new()
            .info(
                InfoBuilder::new()
                    .title("Ringdown")
                    .version(env!("CARGO_PKG_VERSION"))
                    .description(Some(
                        "A node of Ringdown: its floor, its calls, its figures, its events and its configuration.",
                    ))
                    .license(Some(LicenseBuilder::new().name("Apache-2.0 OR MIT").build()))
                    .build(),
            )
            .paths(self.paths)
            .components(Some(self.components))
            .build();
        let document = serde_json::to_value(document).expect("a document is plain data: it has a JSON form");
        let router = self
            .router
            .fallback(async || {
                Fault::unknown("there is nothing of that name; /openapi.json lists what there is")
            })
            .method_not_allowed_fallback(async || {
                Fault::new(StatusCode::METHOD_NOT_ALLOWED, "that cannot be done with it")
            });
        let shown = Json(document.clone());
        let router = router.route("/openapi.json", axum::routing::get(async || shown));
        (router, document)
    }
}

/// What an operation needs, by its own description; nothing if everybody may ask for it.
fn rights(path: &str, operation: &Operation) -> Arc<[Right]> {
    let requirements = serde_json::to_value(&operation.security).expect("plain data");
    let requirements =
        requirements.as_array().unwrap_or_else(|| panic!("{path} does not say who may ask for it"));
    let scopes = requirements.iter().flat_map(|it| it[SCHEME].as_array().cloned().unwrap_or_default());
    let right = |scope: Value| {
        let name = scope.as_str().unwrap_or_default();
        Right::of_scope(name).unwrap_or_else(|| panic!("{path}: there is no scope `{name}`"))
    };
    scopes.map(right).collect()
}

/// Adds to a description what the way to every operation may come to.
fn complete(operation: &mut Operation, methods: &[HttpMethod], is_guarded: bool) {
    let is_asked = |place: ParameterIn| {
        operation
            .parameters
            .iter()
            .flatten()
            .any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == place))
    };
    let mut statuses = vec![(503, "The node is on its way down, or its store cannot be read")];
    let changes = !matches!(methods, [HttpMethod::Get]);
    if is_guarded {
        statuses.push((401, "No token, or none that lets anybody in"));
        statuses.push((403, "The account's role does not allow it"));
        statuses.push((429, "Too many requests; `Retry-After` says when the next may come"));
    } else if changes {
        statuses.push((429, "Too many attempts; `Retry-After` says when the next may come"));
    }
    let says =
        is_asked(ParameterIn::Path) || is_asked(ParameterIn::Query) || operation.request_body.is_some();
    if says || (is_guarded && changes) {
        statuses.push((400, "Something of the request cannot be understood"));
    }
    if is_asked(ParameterIn::Path) {
        statuses.push((404, "There is no such thing, or this account does not see it"));
    }
    if operation.request_body.is_some() {
        statuses.push((413, "The body is too large"));
        statuses.push((415, "The body is no application/json"));
    }
    if is_guarded && changes {
        statuses.push((409, "It cannot be done as things are, or the same `Idempotency-Key` is being done"));
        statuses.push((422, "The `Idempotency-Key` was another request's, or what was sent does not check"));
        operation.parameters.get_or_insert_default().push(RefOr::T(idempotency_key()));
    }
    for (status, description) in statuses {
        operation
            .responses
            .responses
            .entry(status.to_string())
            .or_insert_with(|| RefOr::T(fault(status, description)));
    }
}

fn fault(status: u16, description: &str) -> utoipa::openapi::Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(FaultBody::name()))).build();
    let response = ResponseBuilder::new().description(description).content("application/json", content);
    if status == 429 {
        let seconds = ObjectBuilder::new().schema_type(SchemaType::new(Type::Integer));
        return response.header("Retry-After", HeaderBuilder::new().schema(Some(seconds)).build()).build();
    }
    response.build()
}

fn idempotency_key() -> utoipa::openapi::path::Parameter {
    let text = ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .min_length(Some(1))
        .max_length(Some(255));
    utoipa::openapi::path::ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(utoipa::openapi::Required::False)
        .description(Some(
            "A request that comes again with the same key within a day is done once, and answered alike",
        ))
        .schema(Some(Schema::Object(text.build())))
        .build()
}

fn filter(method: &HttpMethod) -> MethodFilter {
    match method {
        HttpMethod::Get => MethodFilter::GET,
        HttpMethod::Post => MethodFilter::POST,
        HttpMethod::Put => MethodFilter::PUT,
        HttpMethod::Delete => MethodFilter::DELETE,
        HttpMethod::Options => MethodFilter::OPTIONS,
        HttpMethod::Head => MethodFilter::HEAD,
        HttpMethod::Patch => MethodFilter::PATCH,
        HttpMethod::Trace => MethodFilter::TRACE,
    }
}

//! `/login`, `/logout`, `/me` and `/accounts`: who may ask for what, and how they are let in.

use super::super::apply::blocking;
use super::super::control::Control;
use super::answer::{Answer, Body, Fault};
use super::document::Routes;
use super::guard::{Access, token_of};
use super::session;
use crate::access::{AccessError, Account, NewAccount, NewSecret};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .under("Accounts")
        .with(__path_log_in_account, log_in_account)
        .with(__path_begin_session, begin_session)
        .with(__path_log_out_account, log_out_account)
        .with(__path_me, me)
        .with(__path_change_password, change_password)
        .with(__path_accounts, accounts)
        .with(__path_add_account, add_account)
        .with(__path_remove_account, remove_account)
}

/// Name and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    name: String,
    password: String,
}

impl Credentials {
    async fn let_in(self, control: &Control) -> Result<NewSecret, Fault> {
        let Self { name, password } = self;
        let accounts = control.accounts();
        let turn = control.hashing().await;
        blocking(move || {
            let _one_at_a_time = turn;
            accounts.log_in(&name, &password, Timestamp::now())
        })
        .await
        .map_err(Fault::from)
    }
}

/// An account, and how it is let in.
#[derive(Serialize, ToSchema)]
struct LetIn {
    account: Account,
    /// To be sent as `Authorization: Bearer`; it is told this once. Absent where there is a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// Until when it is good; for ever if it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

impl From<NewSecret> for LetIn {
    fn from(NewSecret { account, token, until }: NewSecret) -> Self {
        Self { account, token: token.map(|token| token.reveal().to_owned()), until }
    }
}

impl From<AccessError> for Fault {
    fn from(error: AccessError) -> Self {
        let status = match error {
            AccessError::Refused => StatusCode::UNAUTHORIZED,
            AccessError::Unknown(_) => StatusCode::NOT_FOUND,
            AccessError::Exists(_) | AccessError::Full => StatusCode::CONFLICT,
            AccessError::Random(_) | AccessError::File { .. } | AccessError::Damaged { .. } => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            AccessError::Name(_)
            | AccessError::NeedsAgent
            | AccessError::NeedsClients
            | AccessError::OperatorOfClients
            | AccessError::Days
            | AccessError::ShortPassword => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string())
    }
}

/// Lets somebody in by password, for a shift of twelve hours
#[utoipa::path(post, path = "/login", request_body = Credentials, responses((status = 200, body = LetIn),
    (status = 401, description = "No such name, or another password", body = Object)), security(()))]
async fn log_in_account(
    State(control): State<Control>,
    Body(credentials): Body<Credentials>,
) -> Answer<LetIn> {
    Ok(Json(credentials.let_in(&control).await?.into()))
}

/// Lets a page in by password, for a shift of twelve hours: its token is a cookie that no script reads
///
/// Whatever the cookie lets change something has to come from a page of this node: its `Origin` is the `Host`, and it has
/// the header `X-Ringdown: 1`, as has this request itself.
#[utoipa::path(post, path = "/session", request_body = Credentials, responses((status = 200, body = LetIn),
    (status = 401, description = "No such name, or another password", body = Object),
    (status = 403, description = "It comes from no page of this node", body = Object)), security(()))]
async fn begin_session(
    State(control): State<Control>,
    headers: HeaderMap,
    Body(credentials): Body<Credentials>,
) -> Result<Response, Fault> {
    session::admit(&Method::POST, &headers)?;
    let NewSecret { account, token, until } = credentials.let_in(&control).await?;
    let token = token.ok_or_else(|| Fault::conflict("this account has a token of its own"))?;
    let cookie = [(header::SET_COOKIE, session::cookie(token.reveal(), until, &headers))];
    Ok((cookie, Json(LetIn { account, token: None, until })).into_response())
}

/// The account that it was about.
#[derive(Serialize, ToSchema)]
struct Named {
    /// The account's name.
    account: Arc<str>,
}

/// The token that is shown lets nobody in any more, if it was got by password
#[utoipa::path(post, path = "/logout", responses((status = 200, body = Named)), security(
    ("token" = ["watch"]), ("token" = ["direct_oneself"])))]
async fn log_out_account(
    State(control): State<Control>,
    Access(account): Access,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    if let Some(token) = token_of(&headers) {
        let (accounts, token) = (control.accounts(), token.to_owned());
        blocking(move || accounts.log_out(&token)).await?;
    }
    let said = Json(Named { account: Arc::clone(&account.name) });
    if session::is_shown(&headers) {
        let cookie = [(header::SET_COOKIE, session::no_cookie(&headers))];
        return Ok((cookie, said).into_response());
    }
    Ok(said.into_response())
}

/// Who one is.
#[derive(Serialize, ToSchema)]
struct Me {
    #[serde(flatten)]
    account: Account,
    /// What the role allows: the scopes of operations.
    scopes: Vec<&'static str>,
}

/// Whom the token that is shown lets in
#[utoipa::path(get, path = "/me", responses((status = 200, body = Me)), security(
    ("token" = ["watch"]), ("token" = ["direct_oneself"])))]
async fn me(Access(account): Access) -> Answer<Me> {
    Ok(Json(Me { account: Account::clone(&account), scopes: account.scopes() }))
}

/// A password in the place of another.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    old: String,
    /// 12 characters at least.
    new: String,
}

/// One's own password becomes another; whatever was let in by the old one has to log in again
#[utoipa::path(put, path = "/me/password", request_body = NewPassword, responses((status = 200, body = Named),
    (status = 401, description = "The old password is another", body = Object)),
    security(("token" = ["watch"]), ("token" = ["direct_oneself"])))]
async fn change_password(
    State(control): State<Control>,
    Access(account): Access,
    Body(NewPassword { old, new }): Body<NewPassword>,
) -> Answer<Named> {
    let (accounts, name) = (control.accounts(), Arc::clone(&account.name));
    let turn = control.hashing().await;
    blocking(move || {
        let _one_at_a_time = turn;
        accounts.change_password(&name, [&old, &new])
    })
    .await?;
    Ok(Json(Named { account: Arc::clone(&account.name) }))
}

/// The accounts that one may manage, by name
#[utoipa::path(get, path = "/accounts", responses((status = 200, body = Vec<Account>)),
    security(("token" = ["manage_accounts"])))]
async fn accounts(State(control): State<Control>, Access(account): Access) -> Answer<Vec<Account>> {
    let mut all = control.accounts().all();
    all.retain(|other| account.may_manage(other));
    Ok(Json(all))
}

/// Makes an account: a person's with a password, a program's with a token, which is told once
#[utoipa::path(post, path = "/accounts", request_body = NewAccount, responses((status = 200, body = LetIn)),
    security(("token" = ["manage_accounts"])))]
async fn add_account(
    State(control): State<Control>,
    Access(account): Access,
    Body(new): Body<NewAccount>,
) -> Answer<LetIn> {
    if let Some(client) = new.clients.iter().find(|client| !control.has_client(client)) {
        return Err(Fault::bad(format!("there is no client `{client}`")));
    }
    if let Some(agent) = &new.agent {
        let client = control.client_of_agent(agent).filter(|client| new.clients.contains(client));
        client.ok_or_else(|| Fault::bad(format!("the account's clients have no agent `{agent}`")))?;
    }
    let (role, clients) = (new.role, new.clients.clone());
    if !account.may_manage(&Account { role, clients, ..Account::clone(&account) }) {
        let error = "nobody gives away more than they have: name a role below yours, and clients of yours";
        return Err(Fault::new(StatusCode::FORBIDDEN, error));
    }
    let accounts = control.accounts();
    let turn = control.hashing().await;
    let made = blocking(move || {
        let _one_at_a_time = turn;
        accounts.add(new, Timestamp::now())
    })
    .await?;
    Ok(Json(made.into()))
}

/// Ends an account: nothing lets it in any more
#[utoipa::path(delete, path = "/accounts/{name}", params(("name" = String, Path)),
    responses((status = 200, body = Named)), security(("token" = ["manage_accounts"])))]
async fn remove_account(
    State(control): State<Control>,
    Access(account): Access,
    Path(name): Path<String>,
) -> Answer<Named> {
    let accounts = control.accounts();
    let unknown = || Fault::unknown(format!("there is no account `{name}`"));
    let other = accounts.all().into_iter().find(|other| *other.name == *name).ok_or_else(unknown)?;
    if !account.may_manage(&other) {
        return Err(unknown());
    }
    blocking(move || accounts.remove(&name)).await?;
    Ok(Json(Named { account: other.name }))
}

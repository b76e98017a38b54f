//! Tokens for programs.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::permissions::Permission;
use crate::accounts::tokens::Token;
use crate::api::reply::Json;
use crate::http::asker::Asker;
use crate::http::extract::{Body, Id};
use crate::http::problem::{Code, Problem};
use crate::http::state::AppState;

/// Tokens.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenList {
    /// The newest first.
    pub tokens: Vec<Token>,
}

/// Lists one's own tokens.
#[utoipa::path(get, operation_id = "list_own_tokens", path = "/api/v1/me/tokens", tag = "people", responses(
    (status = 200, description = "Tokens", body = TokenList),
))]
pub async fn own(State(state): State<AppState>, asker: Asker) -> Result<Json<TokenList>, Problem> {
    let (person, _) = asker.person()?;
    Ok(Json(TokenList { tokens: state.accounts.tokens(Some(person)).await? }))
}

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddToken {
    /// What it is for.
    #[schema(max_length = 100)]
    name: String,
    /// What it may be used for: no more than one may do oneself.
    scopes: Vec<Permission>,
    /// Days for which it is good.
    #[schema(minimum = 1, maximum = 366)]
    days: i64,
    /// One's password once more, for who has one: a token lasts longer than the session in which it is made.
    password: Option<String>,
}

/// A token and its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenMade {
    /// The token.
    pub token: Token,
    /// What the program sends, as `authorization: Bearer …`. It is told only now.
    pub secret: String,
}

/// Makes a token for oneself.
#[utoipa::path(post, operation_id = "add_token", path = "/api/v1/me/tokens", tag = "people", request_body = AddToken, responses(
    (status = 201, description = "Made", body = TokenMade),
))]
pub async fn add(
    State(state): State<AppState>,
    asker: Asker,
    Body(body): Body<AddToken>,
) -> Result<(StatusCode, Json<TokenMade>), Problem> {
    let (person, _) = asker.person()?;
    if let Some(scope) = body.scopes.iter().find(|scope| !asker.may(**scope)) {
        let detail = format!("you may not do `{}` yourself, and so may no token of yours", scope.name());
        return Err(Problem::new(Code::Forbidden, detail));
    }
    let (actor, now) = (asker.actor(), state.app.clock.now());
    if state.accounts.person(person).await?.has_password {
        state.accounts.prove(person, body.password.as_deref().unwrap_or_default(), now).await?;
    }
    let made = state.accounts.add_token(person, &body.name, &body.scopes, body.days, &actor, now).await?;
    let (token, secret) = made;
    Ok((StatusCode::CREATED, Json(TokenMade { token, secret })))
}

/// Removes one of one's own tokens.
#[utoipa::path(delete, operation_id = "remove_own_token", path = "/api/v1/me/tokens/{id}", tag = "people",
    params(("id" = String, Path, description = "The token's id")), responses(
    (status = 204, description = "Removed"),
))]
pub async fn remove_own(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    let (person, _) = asker.person()?;
    state.accounts.remove_token(&id, Some(person), &asker.actor(), state.app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists the tokens of all people.
#[utoipa::path(get, operation_id = "list_tokens", path = "/api/v1/tokens", tag = "people", responses(
    (status = 200, description = "Tokens", body = TokenList),
))]
pub async fn all(State(state): State<AppState>) -> Result<Json<TokenList>, Problem> {
    Ok(Json(TokenList { tokens: state.accounts.tokens(None).await? }))
}

/// Removes a token, whoever's it is.
#[utoipa::path(delete, operation_id = "remove_token", path = "/api/v1/tokens/{id}", tag = "people",
    params(("id" = String, Path, description = "The token's id")), responses(
    (status = 204, description = "Removed"),
))]
pub async fn remove(State(state): State<AppState>, asker: Asker, Id(id): Id) -> Result<StatusCode, Problem> {
    state.accounts.remove_token(&id, None, &asker.actor(), state.app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

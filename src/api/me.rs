//! What people know and change about themselves.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::accounts::permissions::Permission;
use crate::accounts::second_factor::Setup;
use crate::accounts::sessions::Session;
use crate::api::reply::Json;
use crate::api::session::{SignedIn, opened};
use crate::http::asker::Asker;
use crate::http::extract::{Body, Id};
use crate::http::problem::{Problem, ProblemDetails};
use crate::http::state::AppState;

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// Whether nobody has an account here yet.
    pub open: bool,
    /// The person's id; none when nobody is signed in.
    pub id: Option<String>,
    /// What the person is called.
    pub name: Option<String>,
    /// What is permitted.
    pub permissions: Vec<Permission>,
    /// The region that is meant where none is named.
    pub region: Option<String>,
}

/// Who asks, and what is permitted.
#[utoipa::path(get, operation_id = "get_me", path = "/api/v1/me", tag = "people", responses(
    (status = 200, description = "Who asks", body = Me),
))]
pub async fn get(State(state): State<AppState>, asker: Asker) -> Result<Json<Me>, Problem> {
    let identity = &asker.identity;
    let person = match identity.person() {
        Some(id) => Some(state.accounts.person(id).await?),
        None => None,
    };
    Ok(Json(Me {
        open: state.accounts.is_open(),
        id: identity.person().map(str::to_owned),
        name: person.map(|person| person.name),
        permissions: identity.permissions.iter().copied().collect(),
        region: identity.region.as_deref().map(str::to_owned),
    }))
}

/// The password before and after.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The one that is in force.
    before: String,
    /// The one that shall be.
    after: String,
}

/// Changes the password. All sessions end; the reply sets the cookie of a new one.
#[utoipa::path(put, operation_id = "change_password", path = "/api/v1/me/password", tag = "people", request_body = PasswordChange, responses(
    (status = 200, description = "Changed", body = SignedIn),
    (status = 403, description = "The password is wrong", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn change_password(
    State(state): State<AppState>,
    asker: Asker,
    Body(body): Body<PasswordChange>,
) -> Result<Response, Problem> {
    let (person, _) = asker.person()?;
    let now = state.app.clock.now();
    let session =
        state.accounts.change_password(person, &body.before, &body.after, &asker.client, now).await?;
    opened(&state, &asker, &session).await
}

/// The password once more, before what is dangerous.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The password.
    password: String,
}

/// Begins to set a second factor up.
#[utoipa::path(post, operation_id = "begin_second_factor", path = "/api/v1/me/second-factor", tag = "people", request_body = Proof, responses(
    (status = 200, description = "What an app needs to make codes", body = Setup),
    (status = 403, description = "The password is wrong", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn begin_second_factor(
    State(state): State<AppState>,
    asker: Asker,
    Body(body): Body<Proof>,
) -> Result<Json<Setup>, Problem> {
    let (person, _) = asker.person()?;
    let now = state.app.clock.now();
    state.accounts.prove(person, &body.password, now).await?;
    Ok(Json(state.accounts.begin_second_factor(person, now).await?))
}

/// A code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeBody {
    /// As the app shows it.
    code: String,
}

/// Codes for recovery.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// Each is good once, when the device is lost. They are told only now.
    pub codes: Vec<String>,
}

/// Turns the second factor on; all other sessions end.
#[utoipa::path(put, operation_id = "confirm_second_factor", path = "/api/v1/me/second-factor", tag = "people", request_body = CodeBody, responses(
    (status = 200, description = "On; with codes for recovery", body = RecoveryCodes),
    (status = 403, description = "The code is wrong", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn confirm_second_factor(
    State(state): State<AppState>,
    asker: Asker,
    Body(body): Body<CodeBody>,
) -> Result<Json<RecoveryCodes>, Problem> {
    let (person, session) = asker.person()?;
    let now = state.app.clock.now();
    let codes = state.accounts.confirm_second_factor(person, &body.code, &asker.actor(), now).await?;
    let ended = state.accounts.end_sessions(person, Some(session)).await?;
    state.accounts.note(&asker.actor(), "sessions.ended", Some(person), &ended.to_string(), now).await?;
    Ok(Json(RecoveryCodes { codes }))
}

/// Removes the second factor.
#[utoipa::path(delete, operation_id = "remove_second_factor", path = "/api/v1/me/second-factor", tag = "people", request_body = Proof, responses(
    (status = 204, description = "Removed"),
    (status = 403, description = "The password is wrong", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn remove_second_factor(
    State(state): State<AppState>,
    asker: Asker,
    Body(body): Body<Proof>,
) -> Result<StatusCode, Problem> {
    let (person, _) = asker.person()?;
    let now = state.app.clock.now();
    state.accounts.prove(person, &body.password, now).await?;
    state.accounts.remove_second_factor(person, &asker.actor(), now).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sessions.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionList {
    /// The last used first.
    pub sessions: Vec<Session>,
}

/// Lists one's own sessions.
#[utoipa::path(get, operation_id = "list_own_sessions", path = "/api/v1/me/sessions", tag = "people", responses(
    (status = 200, description = "Sessions", body = SessionList),
))]
pub async fn sessions(State(state): State<AppState>, asker: Asker) -> Result<Json<SessionList>, Problem> {
    let (person, session) = asker.person()?;
    Ok(Json(SessionList { sessions: state.accounts.sessions(person, Some(session)).await? }))
}

/// Signs out everywhere else.
#[utoipa::path(delete, operation_id = "end_other_sessions", path = "/api/v1/me/sessions", tag = "people", responses(
    (status = 204, description = "Ended"),
))]
pub async fn end_other_sessions(State(state): State<AppState>, asker: Asker) -> Result<StatusCode, Problem> {
    let (person, session) = asker.person()?;
    let ended = state.accounts.end_sessions(person, Some(session)).await?;
    let now = state.app.clock.now();
    state.accounts.note(&asker.actor(), "sessions.ended", Some(person), &ended.to_string(), now).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends one of one's own sessions.
#[utoipa::path(delete, operation_id = "end_own_session", path = "/api/v1/me/sessions/{id}", tag = "people",
    params(("id" = String, Path, description = "The session's id")), responses(
    (status = 204, description = "Ended"),
))]
pub async fn end_session(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    let (person, _) = asker.person()?;
    state.accounts.end_session(person, &id).await?;
    state.accounts.note(&asker.actor(), "sessions.ended", Some(person), "1", state.app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What one keeps for oneself.
#[derive(Debug, Serialize, ToSchema)]
pub struct Kept {
    /// By kind: favourites, recents, pinned, snippets, compare, layout, seen.
    #[schema(value_type = BTreeMap<String, Object>)]
    pub kept: BTreeMap<String, Value>,
    /// The region that is meant where none is named.
    pub region: Option<String>,
}

/// What one keeps for oneself.
#[utoipa::path(get, operation_id = "get_kept", path = "/api/v1/me/kept", tag = "people", responses(
    (status = 200, description = "What is kept", body = Kept),
))]
pub async fn kept(State(state): State<AppState>, asker: Asker) -> Result<Json<Kept>, Problem> {
    let (person, _) = asker.person()?;
    let region = asker.identity.region.as_deref().map(str::to_owned);
    Ok(Json(Kept { kept: state.accounts.belongings(person).await?, region }))
}

/// A value of any form.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// What to keep in the place of what was kept before.
    #[schema(value_type = Object)]
    value: Value,
}

/// Keeps something for oneself.
#[utoipa::path(put, operation_id = "keep", path = "/api/v1/me/kept/{kind}", tag = "people", request_body = Keep,
    params(("kind" = String, Path, description = "favourites, recents, pinned, snippets, compare, layout or seen")), responses(
    (status = 204, description = "Kept"),
))]
pub async fn keep(
    State(state): State<AppState>,
    asker: Asker,
    Id(kind): Id,
    Body(body): Body<Keep>,
) -> Result<StatusCode, Problem> {
    let (person, _) = asker.person()?;
    state.accounts.keep(person, &kind, &body.value, state.app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Everything that is known of oneself.
#[utoipa::path(get, operation_id = "export_me", path = "/api/v1/me/export", tag = "people", responses(
    (status = 200, description = "Everything that is known", content_type = "application/json"),
))]
pub async fn export(State(state): State<AppState>, asker: Asker) -> Result<Json<Value>, Problem> {
    let (person, _) = asker.person()?;
    Ok(Json(state.accounts.export_person(person, &asker.actor(), state.app.clock.now()).await?))
}

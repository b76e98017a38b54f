//! Notices: what one is told, in which ways, and programs that are told (webhooks).

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::secrets;
use crate::api::reply::Json;
use crate::http::asker::Asker;
use crate::http::extract::{Body, Id};
use crate::http::problem::{Code, FieldError, Problem};
use crate::http::state::AppState;
use crate::notices::hooks::{Delivery, Hook, HookError};
use crate::notices::{News, Notice, NoticeChoice, NoticeKind};

/// What one was told.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoticeList {
    /// The newest first.
    pub notices: Vec<Notice>,
    /// How many are new.
    pub unseen: usize,
    /// In which ways one is told, of each kind.
    pub choices: Vec<NoticeChoice>,
}

/// What was seen.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SeenNotices {
    /// One notice; all, if none is named.
    #[schema(max_length = 300)]
    id: Option<String>,
}

/// A program to be told.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHook {
    /// Where: `https://example.org/hook`.
    #[schema(max_length = 2000)]
    url: String,
    /// Of what.
    kinds: Vec<NoticeKind>,
}

/// A program that is told from now on.
#[derive(Debug, Serialize, ToSchema)]
pub struct AddedHook {
    /// The program.
    pub hook: Hook,
    /// What signs all it is told; it is shown once.
    pub secret: String,
}

/// Programs that are told.
#[derive(Debug, Serialize, ToSchema)]
pub struct HookList {
    /// The oldest first.
    pub hooks: Vec<Hook>,
}

/// What a program was told.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryList {
    /// The newest first.
    pub deliveries: Vec<Delivery>,
}

impl From<HookError> for Problem {
    fn from(error: HookError) -> Self {
        let detail = error.to_string();
        match error {
            HookError::Store(error) => error.into(),
            HookError::NotFound => Self::new(Code::NotFound, detail),
            HookError::Invalid { name, why } => {
                Self::invalid(Code::InvalidBody, vec![FieldError { name: name.to_owned(), message: why }])
            }
        }
    }
}

/// What one was told, and in which ways.
#[utoipa::path(get, operation_id = "list_notices", path = "/api/v1/me/notices", tag = "people", responses(
    (status = 200, description = "Notices", body = NoticeList),
))]
pub async fn list(State(state): State<AppState>, asker: Asker) -> Result<Json<NoticeList>, Problem> {
    let (person, _) = asker.person()?;
    let notices = &state.notices;
    let (all, unseen) = (notices.of(person).await?, notices.unseen(person).await?);
    Ok(Json(NoticeList { notices: all, unseen, choices: notices.choices(person).await? }))
}

/// Notes that one has seen what one was told.
#[utoipa::path(post, operation_id = "see_notices", path = "/api/v1/me/notices/seen", tag = "people", request_body = SeenNotices, responses(
    (status = 204, description = "Noted"),
))]
pub async fn see(
    State(state): State<AppState>,
    asker: Asker,
    Body(seen): Body<SeenNotices>,
) -> Result<StatusCode, Problem> {
    let (person, _) = asker.person()?;
    state.notices.see(person, seen.id.as_deref(), state.app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Chooses in which ways one is told of a kind.
#[utoipa::path(put, operation_id = "choose_notices", path = "/api/v1/me/notices/choices", tag = "people", request_body = NoticeChoice, responses(
    (status = 204, description = "Chosen"),
))]
pub async fn choose(
    State(state): State<AppState>,
    asker: Asker,
    Body(choice): Body<NoticeChoice>,
) -> Result<StatusCode, Problem> {
    let (person, _) = asker.person()?;
    state.notices.choose(person, choice).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists the programs that are told.
#[utoipa::path(get, operation_id = "list_hooks", path = "/api/v1/hooks", tag = "people", responses(
    (status = 200, description = "Webhooks", body = HookList),
))]
pub async fn hooks(State(state): State<AppState>) -> Result<Json<HookList>, Problem> {
    Ok(Json(HookList { hooks: state.notices.hooks().await? }))
}

/// Tells a program from now on.
#[utoipa::path(post, operation_id = "add_hook", path = "/api/v1/hooks", tag = "people", request_body = NewHook, responses(
    (status = 201, description = "Told from now on", body = AddedHook),
))]
pub async fn add_hook(
    State(state): State<AppState>,
    asker: Asker,
    Body(new): Body<NewHook>,
) -> Result<(StatusCode, Json<AddedHook>), Problem> {
    let now = state.app.clock.now();
    let (hook, secret) = state.notices.add_hook(&new.url, &new.kinds, secrets::random()?, now).await?;
    state.accounts.note(&asker.actor(), "hook.added", Some(&hook.id), &hook.url, now).await?;
    Ok((StatusCode::CREATED, Json(AddedHook { hook, secret })))
}

/// Tells a program no more.
#[utoipa::path(delete, operation_id = "remove_hook", path = "/api/v1/hooks/{id}", tag = "people",
    params(("id" = String, Path, description = "The webhook's id")), responses(
    (status = 204, description = "Told no more"),
))]
pub async fn remove_hook(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    state.notices.remove_hook(&id).await?;
    let now = state.app.clock.now();
    state.accounts.note(&asker.actor(), "hook.removed", Some(&id), "", now).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a program was told.
#[utoipa::path(get, operation_id = "list_deliveries", path = "/api/v1/hooks/{id}/deliveries", tag = "people",
    params(("id" = String, Path, description = "The webhook's id")), responses(
    (status = 200, description = "Deliveries", body = DeliveryList),
))]
pub async fn deliveries(State(state): State<AppState>, Id(id): Id) -> Result<Json<DeliveryList>, Problem> {
    Ok(Json(DeliveryList { deliveries: state.notices.deliveries(&id).await? }))
}

/// Tells all who asked for it that something was published.
pub async fn tell_published(state: &AppState, id: &str, reason: &str) {
    let news = News { kind: NoticeKind::Published, title: reason, link: "/edit", once: Some(id) };
    state.tell(&[], &news).await;
}

//! Drafts of one's own.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::reply::Json;
use crate::api::reviews;
use crate::api::sources::{self, PublishedReply};
use crate::editing::drafts::{Draft, DraftFile};
use crate::http::asker::Asker;
use crate::http::extract::{Body, Id};
use crate::http::problem::{Code, Problem, ProblemDetails};
use crate::http::state::AppState;

/// One's drafts.
#[derive(Debug, Serialize, ToSchema)]
pub struct DraftList {
    /// The drafts, the newest first, without texts.
    pub drafts: Vec<Draft>,
}

/// A draft to begin.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDraft {
    /// What it is about.
    #[serde(default)]
    #[schema(max_length = 500)]
    title: String,
    /// Its first files.
    #[serde(default)]
    files: Vec<DraftFile>,
}

/// What to change in a draft.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftChange {
    /// What it is about.
    #[schema(max_length = 500)]
    title: Option<String>,
    /// Files that are changed; others stay.
    #[serde(default)]
    files: Vec<DraftFile>,
    /// Paths of files that are left out from now on.
    #[serde(default)]
    left_out: Vec<String>,
}

/// How to publish a draft.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Publishing {
    /// Why: for history.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: String,
    /// Publish though readers would not get some of it: what those files held before stays served.
    #[serde(default)]
    force: bool,
    /// The versions of files that one knows, by path: where the draft has another, nothing is published.
    #[serde(default)]
    versions: BTreeMap<String, i64>,
    /// When: a moment to come (RFC 3339); now, if none is given.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// Lists one's drafts.
#[utoipa::path(get, operation_id = "list_drafts", path = "/api/v1/drafts", tag = "editing", responses(
    (status = 200, description = "Drafts", body = DraftList),
))]
pub async fn list(State(state): State<AppState>, asker: Asker) -> Result<Json<DraftList>, Problem> {
    Ok(Json(DraftList { drafts: state.editing.drafts(asker.somebody()?).await? }))
}

/// Begins a draft.
#[utoipa::path(post, operation_id = "add_draft", path = "/api/v1/drafts", tag = "editing", request_body = NewDraft, responses(
    (status = 201, description = "Begun", body = Draft),
))]
pub async fn add(
    State(state): State<AppState>,
    asker: Asker,
    Body(new): Body<NewDraft>,
) -> Result<(StatusCode, Json<Draft>), Problem> {
    let now = state.app.clock.now();
    let draft = state.editing.add_draft(asker.somebody()?, &new.title, &new.files, now).await?;
    Ok((StatusCode::CREATED, Json(draft)))
}

/// A draft of one's own, whole.
#[utoipa::path(get, operation_id = "get_draft", path = "/api/v1/drafts/{id}", tag = "editing",
    params(("id" = String, Path, description = "The draft's id")), responses(
    (status = 200, description = "The draft", body = Draft),
))]
pub async fn get(State(state): State<AppState>, asker: Asker, Id(id): Id) -> Result<Json<Draft>, Problem> {
    Ok(Json(state.editing.draft(asker.somebody()?, &id).await?))
}

/// Changes a draft: all of what is sent, or nothing.
#[utoipa::path(patch, operation_id = "change_draft", path = "/api/v1/drafts/{id}", tag = "editing",
    params(("id" = String, Path, description = "The draft's id")), request_body = DraftChange, responses(
    (status = 200, description = "The draft as it is now", body = Draft),
    (status = 409, description = "A file has a newer version", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn change(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
    Body(change): Body<DraftChange>,
) -> Result<Json<Draft>, Problem> {
    let now = state.app.clock.now();
    let DraftChange { title, files, left_out } = change;
    let changed =
        state.editing.change_draft(asker.somebody()?, &id, title.as_deref(), &files, &left_out, now);
    Ok(Json(changed.await?))
}

/// Throws a draft away.
#[utoipa::path(delete, operation_id = "remove_draft", path = "/api/v1/drafts/{id}", tag = "editing",
    params(("id" = String, Path, description = "The draft's id")), responses(
    (status = 204, description = "Thrown away"),
))]
pub async fn remove(State(state): State<AppState>, asker: Asker, Id(id): Id) -> Result<StatusCode, Problem> {
    state.editing.remove_draft(asker.somebody()?, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a draft that should be published later stay a draft.
#[utoipa::path(delete, operation_id = "cancel_publication", path = "/api/v1/drafts/{id}/publish", tag = "editing",
    params(("id" = String, Path, description = "The draft's id")), responses(
    (status = 204, description = "It stays a draft"),
))]
pub async fn cancel(State(state): State<AppState>, asker: Asker, Id(id): Id) -> Result<StatusCode, Problem> {
    state.editing.schedule(&sources::author(&asker), &id, "", None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Publishes a draft, now or later: all its files go live at one moment, or none does. The draft is gone then.
#[utoipa::path(post, operation_id = "publish_draft", path = "/api/v1/drafts/{id}/publish", tag = "editing",
    params(("id" = String, Path, description = "The draft's id")), request_body = Publishing, responses(
    (status = 200, description = "Published", body = PublishedReply),
    (status = 409, description = "Files were changed meanwhile in the same places", body = ProblemDetails, content_type = "application/problem+json"),
    (status = 422, description = "Readers would not get it", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn publish(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
    Body(publishing): Body<Publishing>,
) -> Result<Json<PublishedReply>, Problem> {
    let person = asker.somebody()?;
    let draft = state.editing.draft(person, &id).await?;
    // Another window may have changed it since: who publishes must have seen what he publishes.
    let newer = draft
        .files
        .iter()
        .filter(|file| publishing.versions.get(&file.path).is_some_and(|known| *known != file.version));
    let newer: Vec<String> = newer.map(|file| file.path.clone()).collect();
    if !newer.is_empty() {
        let detail = format!("the draft has newer versions of: {}", newer.join(", "));
        return Err(Problem::new(Code::Conflict, detail));
    }
    let edits = draft.edits()?;
    if !publishing.force {
        sources::must_be_good(&state, &edits).await?;
    }
    let reason = if publishing.reason.is_empty() { &draft.title } else { &publishing.reason };
    let author = sources::author(&asker);
    if let Some(at) = publishing.at.filter(|at| *at > state.app.clock.now()) {
        let draft = state.editing.schedule(&author, &id, reason, Some(at)).await?;
        let publish_at = draft.publish_at;
        return Ok(Json(PublishedReply { id: None, files: Vec::new(), served: false, publish_at }));
    }
    reviews::must_be_approved(&state, &edits, Some(&id)).await?;
    let published = state.editing.publish(&author, reason, &edits, state.app.clock.now()).await?;
    state.editing.remove_published(&draft).await?;
    sources::reply(&state, &asker, published).await
}

//! History: what files held, what was published, and how to get it back.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::reply::Json;
use crate::api::reviews;
use crate::api::sources::{self, PublishedReply};
use crate::app::diff::{self, Piece};
use crate::editing::history::Revision;
use crate::editing::path_of;
use crate::editing::publish::{Edit, Publication};
use crate::http::asker::Asker;
use crate::http::extract::{Body, Id, Query, Reader, given};
use crate::http::problem::{Code, Problem, ProblemDetails};
use crate::http::state::AppState;

/// Which part of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OlderParams {
    /// How many to return, 50 by default.
    #[param(value_type = Option<u32>, maximum = 1000)]
    limit: Option<String>,
    /// An id: what is older than it, for the next page.
    before: Option<String>,
}

impl OlderParams {
    /// Which part.
    ///
    /// # Errors
    /// The limit is no number, or too large.
    pub fn read(&self) -> Result<(usize, Option<&str>), Problem> {
        let mut reader = Reader::default();
        let limit = reader.number("limit", self.limit.as_deref(), 50, 1_000);
        reader.finish(Code::InvalidParameter)?;
        Ok((limit, given(self.before.as_deref())))
    }
}

/// The history of a file.
#[derive(Debug, Serialize, ToSchema)]
pub struct RevisionList {
    /// The newest first.
    pub revisions: Vec<Revision>,
}

/// A revision, and what it changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct RevisionView {
    /// The revision.
    pub revision: Revision,
    /// What the file held; none: it was taken away.
    pub text: Option<String>,
    /// What is different from the revision before, word by word.
    pub pieces: Vec<Piece>,
}

/// What was published.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicationList {
    /// The newest first.
    pub publications: Vec<Publication>,
}

/// Why something is brought back.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Restoring {
    /// For history.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: String,
}

/// Lists what a file held, the newest first.
#[utoipa::path(get, operation_id = "list_revisions", path = "/api/v1/history/{path}", tag = "editing",
    params(("path" = String, Path, description = "The file, as articles/sms/monthly.md"), OlderParams), responses(
    (status = 200, description = "Revisions", body = RevisionList),
    (status = 404, description = "No such file was ever there", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn list(
    State(state): State<AppState>,
    Id(path): Id,
    Query(params): Query<OlderParams>,
) -> Result<Json<RevisionList>, Problem> {
    let (limit, before) = params.read()?;
    let revisions = state.editing.history(&path, before, limit).await?;
    if revisions.is_empty() && before.is_none() {
        return Err(Problem::not_found("history of a file", &path));
    }
    Ok(Json(RevisionList { revisions }))
}

/// What a file held once, and what was different then.
#[utoipa::path(get, operation_id = "get_revision", path = "/api/v1/revisions/{id}", tag = "editing",
    params(("id" = String, Path, description = "The revision's id")), responses(
    (status = 200, description = "The revision", body = RevisionView),
))]
pub async fn get(State(state): State<AppState>, Id(id): Id) -> Result<Json<RevisionView>, Problem> {
    Ok(Json(view(&state, &id).await?))
}

/// A revision as it is shown.
///
/// # Errors
/// There is none.
pub async fn view(state: &AppState, id: &str) -> Result<RevisionView, Problem> {
    let revision = state.editing.revision(id).await?;
    let text = state.editing.text_of(revision.digest.as_deref()).await?;
    let before = state.editing.revision_before(&revision).await?.and_then(|before| before.digest);
    let before = state.editing.text_of(before.as_deref()).await?;
    let (old, new) = (before.unwrap_or_default(), text.clone().unwrap_or_default());
    let compared = tokio::task::spawn_blocking(move || diff::words(&old, &new)).await;
    let pieces = compared.map_err(|error| Problem::internal(&error))?;
    Ok(RevisionView { revision, text, pieces })
}

/// Publishes what a file held once in the place of what it holds now.
#[utoipa::path(post, operation_id = "restore_revision", path = "/api/v1/revisions/{id}/restore", tag = "editing",
    params(("id" = String, Path, description = "The revision's id")), request_body = Restoring, responses(
    (status = 200, description = "Published", body = PublishedReply),
    (status = 409, description = "The file is being changed", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn restore(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
    Body(restoring): Body<Restoring>,
) -> Result<Json<PublishedReply>, Problem> {
    let revision = state.editing.revision(&id).await?;
    let text = state.editing.text_of(revision.digest.as_deref()).await?;
    let path = path_of(&revision.path)?;
    let base = state.editing.source(&path).await.ok().map(|(digest, _)| digest);
    let edits = [Edit { path, base, text }];
    reviews::must_be_approved(&state, &edits, None).await?;
    sources::publish(&state, &asker, &restoring.reason, &edits).await
}

/// Lists what was published, the newest first.
#[utoipa::path(get, operation_id = "list_publications", path = "/api/v1/publications", tag = "editing", params(OlderParams), responses(
    (status = 200, description = "Publications", body = PublicationList),
))]
pub async fn publications(
    State(state): State<AppState>,
    Query(params): Query<OlderParams>,
) -> Result<Json<PublicationList>, Problem> {
    let (limit, before) = params.read()?;
    Ok(Json(PublicationList { publications: state.editing.publications(before, limit).await? }))
}

/// Undoes a publication: what it changed becomes as it was before; what was changed elsewhere since stays.
#[utoipa::path(post, operation_id = "undo_publication", path = "/api/v1/publications/{id}/undo", tag = "editing",
    params(("id" = String, Path, description = "The publication's id")), responses(
    (status = 200, description = "Undone", body = PublishedReply),
    (status = 409, description = "The same places were changed since", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn undo(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
) -> Result<Json<PublishedReply>, Problem> {
    let undone = state.editing.undo(&sources::author(&asker), &id, state.app.clock.now()).await?;
    sources::reply(&state, &asker, undone).await
}

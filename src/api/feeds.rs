//! Feeds: what they brought, what waits for a person, and what becomes of it.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::permissions::Permission;
use crate::api::history::OlderParams;
use crate::api::reply::Json;
use crate::app::feeding::{Deciding, FeedError};
use crate::feeds::runs::{FeedRun, FeedRunView};
use crate::feeds::schedule;
use crate::http::asker::Asker;
use crate::http::extract::{Body, Id, Query};
use crate::http::problem::{Code, Problem, ProblemDetails};
use crate::http::state::AppState;
use crate::settings::{FeedSettings, without_password};

/// A feed as it is set up, and its last run.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeedView {
    /// What it is called.
    pub name: String,
    /// Where it comes from, without a password.
    pub source: String,
    /// The family of the catalogue that it feeds.
    pub family: String,
    /// Minutes between runs; 0: not at intervals.
    pub every_minutes: u32,
    /// Times of day at which it runs.
    pub at: Vec<String>,
    /// Whether it runs when its file changes.
    pub is_watched: bool,
    /// Its last run.
    pub last: Option<FeedRun>,
    /// The run that waits for a person.
    pub waiting: Option<String>,
}

/// The feeds.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeedList {
    /// In the order of the settings.
    pub feeds: Vec<FeedView>,
}

/// The runs of a feed.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeedRunList {
    /// The newest first.
    pub runs: Vec<FeedRun>,
}

/// How a feed is run.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedRunning {
    /// Whether it is only told what would change.
    #[serde(default)]
    dry_run: bool,
    /// Whether a source that was run already is run once more.
    #[serde(default)]
    again: bool,
}

impl From<FeedError> for Problem {
    fn from(error: FeedError) -> Self {
        let detail = error.to_string();
        match error {
            FeedError::NotFound(_) => Self::new(Code::NotFound, detail),
            FeedError::Loading => Self::new(Code::Loading, detail),
            FeedError::Refused(_) => Self::new(Code::Conflict, detail),
            FeedError::Forbidden(_) => Self::new(Code::ApprovalNeeded, detail),
            FeedError::Edit(error) => error.into(),
            FeedError::Store(error) => error.into(),
            FeedError::Accounts(error) => error.into(),
        }
    }
}

/// A feed as it is shown.
///
/// # Errors
/// The store fails.
pub async fn view(state: &AppState, feed: &FeedSettings) -> Result<FeedView, Problem> {
    let runs = state.feeding.runs();
    Ok(FeedView {
        name: feed.name.clone(),
        source: without_password(&feed.source),
        family: feed.family.clone(),
        every_minutes: feed.every_minutes,
        at: feed.at.clone(),
        is_watched: schedule::is_watched(feed),
        last: runs.list(&feed.name, None, 1).await?.pop(),
        waiting: runs.waiting(&feed.name).await?,
    })
}

/// Lists the feeds of the settings.
#[utoipa::path(get, operation_id = "list_feeds", path = "/api/v1/feeds", tag = "editing", responses(
    (status = 200, description = "Feeds", body = FeedList),
))]
pub async fn list(State(state): State<AppState>) -> Result<Json<FeedList>, Problem> {
    let mut feeds = Vec::new();
    for feed in state.feeding.feeds() {
        feeds.push(view(&state, feed).await?);
    }
    Ok(Json(FeedList { feeds }))
}

/// Runs a feed now, or tells what it would change. A source that was the last one to be run already is not run once more. What takes longer
/// than a request may goes on, and is told by its runs.
#[utoipa::path(post, operation_id = "run_feed", path = "/api/v1/feeds/{name}/run", tag = "editing",
    params(("name" = String, Path, description = "The feed's name")), request_body = FeedRunning, responses(
    (status = 200, description = "The run; a bad source is told by its state and problems", body = FeedRunView),
    (status = 404, description = "No such feed", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn run(
    State(state): State<AppState>,
    asker: Asker,
    Id(name): Id,
    Body(running): Body<FeedRunning>,
) -> Result<Json<FeedRunView>, Problem> {
    if running.dry_run {
        return Ok(Json(state.feeding.try_out(&name).await?));
    }
    let run = state.feeding.run(&name, running.again).await?;
    let now = state.app.clock.now();
    state.accounts.note(&asker.actor(), "feed.run", Some(&run.id), &name, now).await?;
    Ok(Json(state.feeding.view(&run.id).await?))
}

/// Lists the runs of a feed, the newest first.
#[utoipa::path(get, operation_id = "list_feed_runs", path = "/api/v1/feeds/{name}/runs", tag = "editing",
    params(("name" = String, Path, description = "The feed's name"), OlderParams), responses(
    (status = 200, description = "Runs", body = FeedRunList),
))]
pub async fn runs(
    State(state): State<AppState>,
    Id(name): Id,
    Query(params): Query<OlderParams>,
) -> Result<Json<FeedRunList>, Problem> {
    let (limit, before) = params.read()?;
    let mut runs = state.feeding.runs().list(&name, before, limit).await?;
    if runs.is_empty() && state.feeding.feeds().iter().all(|feed| feed.name != name) {
        return Err(Problem::not_found("feed", &name));
    }
    for run in &mut runs {
        state.feeding.name_deciders(run).await?;
    }
    Ok(Json(FeedRunList { runs }))
}

/// A run of a feed: what is different, what is wrong, and what it changes for readers.
#[utoipa::path(get, operation_id = "get_feed_run", path = "/api/v1/feed-runs/{id}", tag = "editing",
    params(("id" = String, Path, description = "The run's id")), responses(
    (status = 200, description = "The run", body = FeedRunView),
))]
pub async fn get(State(state): State<AppState>, Id(id): Id) -> Result<Json<FeedRunView>, Problem> {
    Ok(Json(state.feeding.view(&id).await?))
}

fn deciding(asker: &Asker) -> Deciding {
    Deciding { actor: asker.actor(), may_approve: asker.may(Permission::Approve) }
}

/// Publishes a run that waits, as it was shown. Where others must approve as well, it waits on for them.
#[utoipa::path(post, operation_id = "confirm_feed_run", path = "/api/v1/feed-runs/{id}/confirm", tag = "editing",
    params(("id" = String, Path, description = "The run's id")), responses(
    (status = 200, description = "Confirmed", body = FeedRunView),
    (status = 403, description = "Somebody else must approve it", body = ProblemDetails, content_type = "application/problem+json"),
    (status = 409, description = "It does not wait, or the same places were changed meanwhile", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn confirm(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
) -> Result<Json<FeedRunView>, Problem> {
    let run = state.feeding.confirm(&id, &deciding(&asker)).await?;
    let now = state.app.clock.now();
    state.accounts.note(&asker.actor(), "feed.confirmed", Some(&run.id), &run.feed, now).await?;
    Ok(Json(state.feeding.view(&run.id).await?))
}

/// Rejects a run that waits: nothing of it is published, and the same source is not run again.
#[utoipa::path(post, operation_id = "reject_feed_run", path = "/api/v1/feed-runs/{id}/reject", tag = "editing",
    params(("id" = String, Path, description = "The run's id")), responses(
    (status = 200, description = "Rejected", body = FeedRunView),
    (status = 409, description = "It does not wait", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn reject(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
) -> Result<Json<FeedRunView>, Problem> {
    let run = state.feeding.reject(&id, &deciding(&asker)).await?;
    let now = state.app.clock.now();
    state.accounts.note(&asker.actor(), "feed.rejected", Some(&run.id), &run.feed, now).await?;
    Ok(Json(state.feeding.view(&run.id).await?))
}

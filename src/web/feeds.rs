//! The page of feeds: what each one brought, what waits, and what a run changes.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::accounts::permissions::Permission;
use crate::api::feeds::{self, FeedView};
use crate::feeds::plan::{FeedChange, FeedChangeKind};
use crate::feeds::runs::{FeedRun, FeedRunView, RunState};
use crate::http::asker::Asker;
use crate::http::extract::{Id, Query, given};
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::web::words::Ui;
use crate::web::{Zoned, filters, private};

/// Runs on a page.
const SHOWN: usize = 20;

/// Differences on a page; the rest is told by the API.
const CHANGES: usize = 500;

/// Which runs.
#[derive(Debug, Default, Deserialize)]
pub struct FeedsParams {
    feed: Option<String>,
    before: Option<String>,
}

#[derive(Template)]
#[template(path = "feeds.html")]
struct FeedsPage {
    ui: Ui,
    zone: Zoned,
    feeds: Vec<FeedView>,
    shown: String,
    runs: Vec<FeedRun>,
}

impl FeedsPage {
    fn next(&self) -> Option<&str> {
        self.runs.last().filter(|_| self.runs.len() == SHOWN).map(|last| last.id.as_str())
    }
}

/// The feeds, and the runs of one of them.
pub async fn list(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Query(params): Query<FeedsParams>,
) -> Result<Response, Problem> {
    let mut views = Vec::new();
    for feed in state.feeding.feeds() {
        views.push(feeds::view(&state, feed).await?);
    }
    let first = views.first().map(|feed| feed.name.clone());
    let shown = given(params.feed.as_deref()).map(str::to_owned).or(first).unwrap_or_default();
    if !shown.is_empty() && views.iter().all(|feed| feed.name != shown) {
        return Err(Problem::not_found("feed", &shown));
    }
    let runs = state.feeding.runs().list(&shown, given(params.before.as_deref()), SHOWN).await?;
    let page =
        FeedsPage { ui: Ui::of(&headers).with(&asker), zone: Zoned::of(&state), feeds: views, shown, runs };
    Ok(private(page.render()))
}

#[derive(Template)]
#[template(path = "feed_run.html")]
struct FeedRunPage {
    ui: Ui,
    zone: Zoned,
    view: FeedRunView,
    may_decide: bool,
}

impl FeedRunPage {
    fn changes(&self) -> impl Iterator<Item = &FeedChange> {
        self.view.details.changes.iter().take(CHANGES)
    }

    fn percent(&self, change: &FeedChange) -> String {
        change.percent.map_or_else(String::new, |percent| format!("{percent:+.1} %"))
    }

    /// Where, when and for whom a value holds.
    fn place(&self, change: &FeedChange) -> String {
        let of = &change.validity;
        let mut parts = vec![of.regions.join(", "), of.audience.join(", ")];
        parts.extend(of.from.map(|day| format!("{} {}", self.ui.t("from"), self.ui.day(&day))));
        parts.extend(of.to.map(|day| format!("{} {}", self.ui.t("to"), self.ui.day(&day))));
        parts.retain(|part| !part.is_empty());
        parts.join("; ")
    }
}

/// A run: what is different, what is wrong, and what it changes for readers.
pub async fn run(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Id(id): Id,
) -> Result<Response, Problem> {
    let view = state.feeding.view(&id).await?;
    let may_decide = !view.run.summary.needs_approval || asker.may(Permission::Approve);
    let page = FeedRunPage { ui: Ui::of(&headers).with(&asker), zone: Zoned::of(&state), view, may_decide };
    Ok(private(page.render()))
}

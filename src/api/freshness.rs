//! Freshness: what should be verified, and that it was.

use axum::extract::State;
use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::reply::Json;
use crate::api::sources::{self, PublishedReply};
use crate::app::snapshot::Snapshot;
use crate::content::freshness::{Freshness, Trust, with_verified};
use crate::content::front_matter::Status;
use crate::content::validity::{Clearance, Standpoint};
use crate::editing::path_of;
use crate::editing::publish::Edit;
use crate::http::asker::Asker;
use crate::http::extract::{Body, Query, Reader, given};
use crate::http::problem::{Code, Problem, ProblemDetails};
use crate::http::state::AppState;

/// What ends within so many days ends soon.
const SOON_DAYS: i64 = 30;

/// An article and how fresh it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct FreshArticle {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The file it is written in.
    pub source_path: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// How fresh it is; none: nobody said that it should be verified.
    pub freshness: Option<Freshness>,
    /// The last day on which it is in force, where that is soon.
    #[schema(value_type = Option<String>, format = Date)]
    pub ends: Option<Date>,
}

/// Articles and how fresh they are.
#[derive(Debug, Serialize, ToSchema)]
pub struct FreshnessList {
    /// The articles: what was never verified, what is overdue, what is due; among them what has waited longest.
    pub articles: Vec<FreshArticle>,
    /// How many there are.
    pub total: usize,
}

/// Which articles.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FreshnessParams {
    /// never, overdue, due or verified; more than one parted by commas. What needs somebody (the first three) by default.
    trust: Option<String>,
    /// Those this one answers for.
    owner: Option<String>,
    /// true: those that end within 30 days instead.
    #[param(value_type = Option<bool>)]
    ending: Option<String>,
    /// Articles to return, 100 by default.
    #[param(value_type = Option<u32>, maximum = 1000)]
    limit: Option<String>,
    /// Articles to pass over.
    #[param(value_type = Option<u32>)]
    offset: Option<String>,
}

/// What was verified.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// The article's id.
    article: String,
}

/// Articles that need somebody, or that end soon.
pub fn overview(
    snapshot: &Snapshot,
    day: Date,
    trusts: &[Trust],
    owner: Option<&str>,
    ending: bool,
) -> Vec<FreshArticle> {
    let library = &snapshot.engine.library;
    let at = Standpoint { clearance: &Clearance::Everything, ..Standpoint::public(day) };
    let soon = day.saturating_add(SOON_DAYS.days());
    let mut found: Vec<FreshArticle> = library
        .articles()
        .filter(|(_, article)| article.matter.status == Status::Active)
        .filter(|(_, article)| owner.is_none_or(|owner| article.matter.owner.as_deref() == Some(owner)))
        .map(|(_, article)| FreshArticle {
            id: article.id.clone(),
            title: article.title_for(&library.catalog, at),
            source_path: format!("articles/{}", article.path),
            owner: article.matter.owner.clone(),
            freshness: Freshness::of(&article.matter, day),
            ends: article.validity().to.filter(|to| (day..=soon).contains(to)),
        })
        .filter(|one| match ending {
            true => one.ends.is_some(),
            false => one.freshness.is_some_and(|freshness| trusts.contains(&freshness.trust)),
        })
        .collect();
    found.sort_by_key(|one| {
        let (trust, until) =
            one.freshness.map_or((Trust::Verified, None), |known| (known.trust, known.until));
        if ending { (Trust::Never, one.ends, one.id.clone()) } else { (trust, until, one.id.clone()) }
    });
    found
}

/// Lists what should be verified, or ends soon.
#[utoipa::path(get, operation_id = "list_freshness", path = "/api/v1/freshness", tag = "editing", params(FreshnessParams), responses(
    (status = 200, description = "Articles", body = FreshnessList),
    (status = 400, description = "A parameter is wrong", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn list(
    State(state): State<AppState>,
    Query(params): Query<FreshnessParams>,
) -> Result<Json<FreshnessList>, Problem> {
    let mut reader = Reader::default();
    let mut trusts = reader.choices("trust", params.trust.as_deref(), Trust::NAMES);
    let ending = reader.flag("ending", params.ending.as_deref());
    let limit = reader.number("limit", params.limit.as_deref(), 100, 1_000);
    let offset = reader.number("offset", params.offset.as_deref(), 0, usize::MAX);
    reader.finish(Code::InvalidParameter)?;
    if trusts.is_empty() {
        trusts = vec![Trust::Never, Trust::Overdue, Trust::Due];
    }
    let day = state.app.clock.today();
    let list = state.run(move |snapshot| {
        let found = overview(snapshot, day, &trusts, given(params.owner.as_deref()), ending);
        let total = found.len();
        Ok(FreshnessList { articles: found.into_iter().skip(offset).take(limit).collect(), total })
    });
    Ok(Json(list.await?))
}

/// Notes that an article is right as it stands: its head says so from today on.
#[utoipa::path(post, operation_id = "verify", path = "/api/v1/verifications", tag = "editing", request_body = Verification, responses(
    (status = 200, description = "Published", body = PublishedReply),
    (status = 404, description = "No such article", body = ProblemDetails, content_type = "application/problem+json"),
    (status = 409, description = "The article is being changed", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn verify(
    State(state): State<AppState>,
    asker: Asker,
    Body(verification): Body<Verification>,
) -> Result<Json<PublishedReply>, Problem> {
    let id = verification.article;
    let snapshot = state.snapshot()?;
    let (_, article) = snapshot.engine.library.find(&id).ok_or_else(|| Problem::not_found("article", &id))?;
    let path = path_of(&format!("articles/{}", article.path))?;
    let (base, text) = state.editing.source(&path).await?;
    let edits = [Edit { path, base: Some(base), text: Some(with_verified(&text, state.app.clock.today())) }];
    sources::publish(&state, &asker, "verified", &edits).await
}

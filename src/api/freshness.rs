//! Freshness: what should be verified, and that it was; what nobody opens; what is archived.

use std::collections::HashMap;

use axum::extract::State;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::reply::Json;
use crate::api::sources::{self, PublishedReply};
use crate::api::{articles, reviews};
use crate::app::snapshot::Snapshot;
use crate::content::article::Article;
use crate::content::freshness::{Freshness, Trust};
use crate::content::front_matter::{Status, with_keys};
use crate::content::validity::{Clearance, Standpoint};
use crate::editing::drafts::DraftFile;
use crate::editing::path_of;
use crate::editing::publish::Edit;
use crate::http::asker::Asker;
use crate::http::extract::{Body, Query, Reader, given};
use crate::http::problem::{Code, FieldError, Problem, ProblemDetails};
use crate::http::state::AppState;
use crate::learning::openings::{COUNTED_SINCE, Opening};

/// What ends within so many days ends soon.
const SOON_DAYS: i64 = 30;

/// The most days that can be asked for.
const MAX_UNOPENED_DAYS: usize = 3_650;

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
    /// The last day on which somebody opened it, as far as that was counted; only where it was asked for.
    #[schema(value_type = Option<String>, format = Date)]
    pub opened: Option<Date>,
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
    /// Those that nobody opened for so many days instead.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 3650)]
    unopened: Option<String>,
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

/// What is to be archived.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Archival {
    /// The article's id.
    article: String,
    /// The id of the article that replaces it.
    #[serde(default)]
    replaced_by: Option<String>,
    /// The first day on which it is archived; without it, it is at once.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// Why, for history.
    #[serde(default)]
    reason: String,
}

fn view(article: &Article, snapshot: &Snapshot, day: Date) -> FreshArticle {
    let at = Standpoint { clearance: &Clearance::Everything, ..Standpoint::public(day) };
    FreshArticle {
        id: article.id.clone(),
        title: article.title_for(&snapshot.engine.library.catalog, at),
        source_path: format!("articles/{}", article.path),
        owner: article.matter.owner.clone(),
        freshness: None,
        ends: None,
        opened: None,
    }
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
    let soon = day.saturating_add(SOON_DAYS.days());
    let mut found: Vec<FreshArticle> = library
        .articles()
        .filter(|(_, article)| article.matter.status == Status::Active)
        .filter(|(_, article)| owner.is_none_or(|owner| article.matter.owner.as_deref() == Some(owner)))
        .map(|(_, article)| FreshArticle {
            freshness: Freshness::of(&article.matter, day),
            ends: article.validity().to.filter(|to| (day..=soon).contains(to)),
            ..view(article, snapshot, day)
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

/// Articles in force that nobody opened for some days, those forgotten longest first. What is newer than that, or was changed since, is not told,
/// and nothing is before openings were counted for so long.
pub fn unopened(
    snapshot: &Snapshot,
    openings: &HashMap<String, Opening>,
    zone: TimeZone,
    day: Date,
    days: usize,
    owner: Option<&str>,
) -> Vec<FreshArticle> {
    let library = &snapshot.engine.library;
    let since = day.saturating_sub(i64::try_from(days).unwrap_or_default().days());
    let Some(counted) = openings.get(COUNTED_SINCE).filter(|counted| counted.day < since) else {
        return Vec::new();
    };
    let articles = library.articles().map(|(_, article)| article);
    let forgotten = articles.filter(|article| {
        let of_owner = owner.is_none_or(|owner| article.matter.owner.as_deref() == Some(owner));
        let last = openings.get(&article.id).map_or(counted.day, |opening| opening.day);
        let changed = articles::there_since(article, snapshot).to_zoned_datetime(zone.clone()).date();
        of_owner && article.matter.status == Status::Active && last < since && changed < since
    });
    let mut found: Vec<FreshArticle> = forgotten
        .map(|article| FreshArticle {
            opened: openings.get(&article.id).map(|opening| opening.day),
            ..view(article, snapshot, day)
        })
        .collect();
    found.sort_by(|a, b| (a.opened, &a.id).cmp(&(b.opened, &b.id)));
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
    let days = reader.number("unopened", params.unopened.as_deref(), 0, MAX_UNOPENED_DAYS);
    reader.finish(Code::InvalidParameter)?;
    let openings = if days > 0 { state.openings.all().await? } else { HashMap::new() };
    let zone = state.settings.zone();
    if trusts.is_empty() {
        trusts = vec![Trust::Never, Trust::Overdue, Trust::Due];
    }
    let day = state.app.clock.today();
    let list = state.run(move |snapshot| {
        let owner = given(params.owner.as_deref());
        let found = match days {
            0 => overview(snapshot, day, &trusts, owner, ending),
            days => unopened(snapshot, &openings, zone, day, days, owner),
        };
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
    let today = state.app.clock.today().to_string();
    let edits = [Edit { path, base: Some(base), text: Some(with_keys(&text, &[("verified", &today)])) }];
    sources::publish(&state, &asker, "verified", &edits).await
}

/// Archives an article, now or from a day on, and names what replaces it. For a later day it becomes a draft that goes live by itself then.
#[utoipa::path(post, operation_id = "archive", path = "/api/v1/archivals", tag = "editing", request_body = Archival, responses(
    (status = 200, description = "Published, or it will be", body = PublishedReply),
    (status = 404, description = "No such article", body = ProblemDetails, content_type = "application/problem+json"),
    (status = 409, description = "The article is being changed", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn archive(
    State(state): State<AppState>,
    asker: Asker,
    Body(archival): Body<Archival>,
) -> Result<Json<PublishedReply>, Problem> {
    let Archival { article: id, replaced_by, from, reason } = archival;
    let snapshot = state.snapshot()?;
    let library = &snapshot.engine.library;
    let (_, article) = library.find(&id).ok_or_else(|| Problem::not_found("article", &id))?;
    let path = path_of(&format!("articles/{}", article.path))?;
    let replacement = given(replaced_by.as_deref()).map(str::to_owned);
    if let Some(other) = &replacement {
        let fits = library
            .find(other)
            .is_some_and(|(_, other)| other.matter.status == Status::Active && other.id != id);
        if !fits {
            let message = format!("`{other}` is no other article in force: give the id of one");
            return Err(Problem::invalid(
                Code::InvalidBody,
                vec![FieldError { name: "replaced_by".to_owned(), message }],
            ));
        }
    }
    let (base, text) = state.editing.source(&path).await?;
    let quoted = replacement.map(|id| serde_json::to_string(&id).unwrap_or_default());
    let mut keys = vec![("status", "archived")];
    keys.extend(quoted.as_deref().map(|id| ("replaced_by", id)));
    let text = with_keys(&text, &keys);
    let edits = [Edit { path: path.clone(), base: Some(base.clone()), text: Some(text.clone()) }];
    let reason = if reason.is_empty() { format!("archived: {}", article.id) } else { reason };
    let from = from.filter(|from| *from > state.app.clock.today());
    let Some(from) = from else {
        reviews::must_be_approved(&state, &edits, None).await?;
        return sources::publish(&state, &asker, &reason, &edits).await;
    };
    let at = from.to_zoned_datetime(state.settings.zone()).map_err(|error| {
        Problem::invalid(
            Code::InvalidBody,
            vec![FieldError { name: "from".to_owned(), message: error.to_string() }],
        )
    })?;
    let author = sources::author(&asker);
    let person = author.id.clone().unwrap_or_default();
    let file = DraftFile { path: path.to_string(), base: Some(base), text: Some(text), version: 0 };
    let now = state.app.clock.now();
    let draft = state.editing.add_draft(&person, &reason, &[file], now).await?;
    let draft = state.editing.schedule(&author, &draft.id, &reason, Some(at.timestamp())).await?;
    Ok(Json(PublishedReply { id: None, files: Vec::new(), served: false, publish_at: draft.publish_at }))
}

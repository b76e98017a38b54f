//! Reviews: drafts that others look at, and who must approve what.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::permissions::Permission;
use crate::api::reply::Json;
use crate::api::sources;
use crate::app::diff::{self, DiffLine};
use crate::content::folders::Approval;
use crate::editing::EditError;
use crate::editing::publish::Edit;
use crate::editing::review::{Review, Waiting};
use crate::http::asker::Asker;
use crate::http::extract::{Body, Id};
use crate::http::problem::{Code, FieldError, Problem, ProblemDetails};
use crate::http::state::AppState;
use crate::notices::{News, NoticeKind};

/// What waits for somebody to look at it.
#[derive(Debug, Serialize, ToSchema)]
pub struct WaitingList {
    /// The drafts, those that wait longest first.
    pub reviews: Vec<Waiting>,
}

/// A review, with what is different and who has to approve it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewView {
    /// The draft and what was said of it.
    pub review: Review,
    /// What is different from what the files held when they were edited, line by line.
    pub files: Vec<ReviewedFile>,
    /// Who still has to approve it, folder by folder; empty: it may be published.
    pub missing: Vec<MissingApproval>,
}

/// A file of a draft, compared.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewedFile {
    /// The file.
    pub path: String,
    /// Whether it is new.
    pub is_new: bool,
    /// Whether it is to be taken away.
    pub is_removed: bool,
    /// What is different.
    pub lines: Vec<DiffLine>,
}

/// Approvals that are needed before a file may be published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MissingApproval {
    /// The file.
    pub path: String,
    /// How many are needed.
    pub needed: u8,
    /// How many there are.
    pub given: u8,
    /// Teams, or people by the name they sign in with, of whom they must be; empty: whoever may approve.
    pub by: Vec<String>,
}

/// What one asks of others.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Asking {
    /// What they should look at.
    #[serde(default)]
    #[schema(max_length = 8000)]
    note: String,
}

/// What one says of a draft as a whole.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Deciding {
    /// Whether it is approved; else something is to be changed first.
    approved: bool,
    /// The digest of what one looked at (`contents` of the review).
    contents: String,
    /// What one says besides.
    #[serde(default)]
    #[schema(max_length = 8000)]
    note: String,
}

/// What one says of a line.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRemark {
    /// The file.
    #[schema(max_length = 500)]
    path: String,
    /// The line of the draft's text, from 1.
    #[schema(minimum = 1)]
    line: u32,
    /// What one says.
    #[schema(max_length = 8000)]
    body: String,
}

/// Whether a remark is settled.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Settling {
    /// Whether it is.
    settled: bool,
}

/// A review as it is shown.
///
/// # Errors
/// There is none.
pub async fn view(state: &AppState, id: &str) -> Result<ReviewView, Problem> {
    let review = state.editing.review(id).await?;
    shown(state, review).await
}

async fn shown(state: &AppState, review: Review) -> Result<ReviewView, Problem> {
    let mut files = Vec::new();
    for file in &review.draft.files {
        let before = state.editing.text_of(file.base.as_deref()).await?.unwrap_or_default();
        let (path, after) = (file.path.clone(), file.text.clone());
        let (is_new, is_removed) = (file.base.is_none(), after.is_none());
        let compared =
            tokio::task::spawn_blocking(move || diff::lines(&before, &after.unwrap_or_default())).await;
        let lines = compared.map_err(|error| Problem::internal(&error))?;
        files.push(ReviewedFile { path, is_new, is_removed, lines });
    }
    let paths = review.draft.files.iter().map(|file| file.path.clone()).collect();
    let missing = missing(state, paths, Some(&review)).await?;
    Ok(ReviewView { review, files, missing })
}

/// The approvals that files still need before they may be published.
async fn missing(
    state: &AppState,
    paths: Vec<String>,
    review: Option<&Review>,
) -> Result<Vec<MissingApproval>, Problem> {
    let rules: Vec<(String, Approval)> = {
        let snapshot = state.snapshot()?;
        paths.into_iter().filter_map(|path| Some((path.clone(), snapshot.approval(&path)?))).collect()
    };
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    // By what names somebody who approved may be meant.
    let mut approvers: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for person in review.into_iter().flat_map(Review::approved_by) {
        // Who may approve no more, did not.
        if state.accounts.may(person, Permission::Approve).await? {
            let teams = state.accounts.teams_of(person).await?.into_iter().map(|team| team.name);
            let login = state.accounts.person(person).await?.login;
            approvers.insert(person, teams.chain([login]).collect());
        }
    }
    let missing = rules.into_iter().filter_map(|(path, rule)| {
        let is_meant =
            |names: &&BTreeSet<String>| rule.by.is_empty() || rule.by.iter().any(|name| names.contains(name));
        let given = u8::try_from(approvers.values().filter(is_meant).count()).unwrap_or(u8::MAX);
        (given < rule.count).then_some(MissingApproval { path, needed: rule.count, given, by: rule.by })
    });
    Ok(missing.collect())
}

/// Refuses what others have to approve first.
///
/// # Errors
/// Which files, and who has to.
pub async fn must_be_approved(state: &AppState, edits: &[Edit], draft: Option<&str>) -> Result<(), Problem> {
    let review = match draft {
        Some(draft) => match state.editing.review(draft).await {
            Err(EditError::NotFound(_)) => None,
            found => Some(found?),
        },
        None => None,
    };
    let paths = edits.iter().map(|edit| edit.path.to_string()).collect();
    let missing = missing(state, paths, review.as_ref()).await?;
    if missing.is_empty() {
        return Ok(());
    }
    let errors = missing.into_iter().map(|missing| {
        let by = if missing.by.is_empty() { "who may approve".to_owned() } else { missing.by.join(", ") };
        let message = format!("{} of {} have approved it ({by})", missing.given, missing.needed);
        FieldError { name: missing.path, message }
    });
    let detail = "others must approve this first: put it into a draft and ask for a review";
    Err(Problem { errors: errors.collect(), ..Problem::new(Code::ApprovalNeeded, detail) })
}

async fn tell(state: &AppState, kind: NoticeKind, people: &[String], review: &Review) {
    let first = review.draft.files.first().map_or("", |file| file.path.as_str());
    let title = if review.draft.title.is_empty() { first } else { &review.draft.title };
    let link = format!("/reviews/{}", review.draft.id);
    state.tell(people, &News { kind, title, link: &link, once: None }).await;
}

/// Asks others to look at a draft of one's own.
#[utoipa::path(post, operation_id = "ask_review", path = "/api/v1/drafts/{id}/review", tag = "editing",
    params(("id" = String, Path, description = "The draft's id")), request_body = Asking, responses(
    (status = 200, description = "It waits", body = ReviewView),
))]
pub async fn ask(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
    Body(asking): Body<Asking>,
) -> Result<Json<ReviewView>, Problem> {
    let now = state.app.clock.now();
    let review = state.editing.ask_review(&sources::author(&asker), &id, &asking.note, now).await?;
    let view = shown(&state, review).await?;
    let members = state.accounts.members_of_all().await?;
    // Whoever must approve; where nobody must, whoever may.
    let named: BTreeSet<&String> = view.missing.iter().flat_map(|missing| &missing.by).collect();
    let asked = members.into_iter().filter(|member| {
        member.permissions.contains(&Permission::Approve)
            && member.id != view.review.person
            && (named.is_empty() || named.iter().any(|name| member.is_called(name)))
    });
    let asked: Vec<String> = asked.map(|member| member.id).collect();
    tell(&state, NoticeKind::ReviewAsked, &asked, &view.review).await;
    Ok(Json(view))
}

/// Takes a draft of one's own back from those who look at it.
#[utoipa::path(delete, operation_id = "withdraw_review", path = "/api/v1/drafts/{id}/review", tag = "editing",
    params(("id" = String, Path, description = "The draft's id")), responses(
    (status = 204, description = "Taken back"),
))]
pub async fn withdraw(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    state.editing.withdraw_review(asker.identity.person().unwrap_or_default(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists what waits for somebody to look at it.
#[utoipa::path(get, operation_id = "list_reviews", path = "/api/v1/reviews", tag = "editing", responses(
    (status = 200, description = "Drafts", body = WaitingList),
))]
pub async fn list(State(state): State<AppState>) -> Result<Json<WaitingList>, Problem> {
    Ok(Json(WaitingList { reviews: state.editing.waiting().await? }))
}

/// A draft that waits, line by line, with what was said of it.
#[utoipa::path(get, operation_id = "get_review", path = "/api/v1/reviews/{id}", tag = "editing",
    params(("id" = String, Path, description = "The draft's id")), responses(
    (status = 200, description = "The review", body = ReviewView),
))]
pub async fn get(State(state): State<AppState>, Id(id): Id) -> Result<Json<ReviewView>, Problem> {
    Ok(Json(view(&state, &id).await?))
}

/// Approves a draft of somebody else, or says that something is to be changed.
#[utoipa::path(post, operation_id = "decide_review", path = "/api/v1/reviews/{id}/verdicts", tag = "editing",
    params(("id" = String, Path, description = "The draft's id")), request_body = Deciding, responses(
    (status = 200, description = "Said", body = ReviewView),
    (status = 409, description = "The draft holds something else by now", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn decide(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
    Body(deciding): Body<Deciding>,
) -> Result<Json<ReviewView>, Problem> {
    let now = state.app.clock.now();
    let said = (deciding.approved, deciding.note.as_str());
    let review = state.editing.decide(&sources::author(&asker), &id, said, &deciding.contents, now).await?;
    let paths: Vec<&str> = review.draft.files.iter().take(20).map(|file| file.path.as_str()).collect();
    let action = if deciding.approved { "content.approved" } else { "content.returned" };
    state.accounts.note(&asker.actor(), action, Some(&id), &paths.join(", "), now).await?;
    tell(&state, NoticeKind::ReviewAnswered, std::slice::from_ref(&review.person), &review).await;
    Ok(Json(shown(&state, review).await?))
}

/// Says something of a line of a draft.
#[utoipa::path(post, operation_id = "add_remark", path = "/api/v1/reviews/{id}/remarks", tag = "editing",
    params(("id" = String, Path, description = "The draft's id")), request_body = NewRemark, responses(
    (status = 200, description = "Said", body = ReviewView),
))]
pub async fn remark(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
    Body(new): Body<NewRemark>,
) -> Result<Json<ReviewView>, Problem> {
    let now = state.app.clock.now();
    let place = (new.path.as_str(), new.line);
    let review = state.editing.remark(&sources::author(&asker), &id, place, &new.body, now).await?;
    // Whoever took part, but for who speaks.
    let own = asker.identity.person().unwrap_or_default();
    let others = review.remarks.iter().map(|remark| &remark.person).chain([&review.person]);
    let others: BTreeSet<String> = others.filter(|person| *person != own).cloned().collect();
    tell(&state, NoticeKind::ReviewAnswered, &Vec::from_iter(others), &review).await;
    Ok(Json(shown(&state, review).await?))
}

/// Settles a remark, or opens it again.
#[utoipa::path(patch, operation_id = "settle_remark", path = "/api/v1/remarks/{id}", tag = "editing",
    params(("id" = String, Path, description = "The remark's id")),
    request_body = Settling, responses((status = 200, description = "Done", body = ReviewView)))]
pub async fn settle(
    State(state): State<AppState>,
    Id(id): Id,
    Body(settling): Body<Settling>,
) -> Result<Json<ReviewView>, Problem> {
    let review = state.editing.settle(&id, settling.settled, state.app.clock.now()).await?;
    Ok(Json(shown(&state, review).await?))
}

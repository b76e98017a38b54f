//! Sources: the files editors write, as they are written.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::articles::{self, ArticleView};
use crate::api::notices;
use crate::api::reply::Json;
use crate::api::reviews;
use crate::content::problem::{Problem as ContentProblem, Severity};
use crate::content::validity::Clearance;
use crate::editing::attachments::Attached;
use crate::editing::disk::{DiskError, SourcePath};
use crate::editing::merge::Merged;
use crate::editing::publish::{Edit, Published, PublishedFile};
use crate::editing::{Author, EditError, path_of};
use crate::http::asker::Asker;
use crate::http::extract::{Body, Bytes, Id, Query, Reader, given};
use crate::http::problem::{Code, FieldError, Problem, ProblemDetails};
use crate::http::state::AppState;
use crate::quality::Finding;
use crate::search::filter::Filter;

/// How long a reply waits for what was published to reach readers.
const PATIENCE: Duration = Duration::from_secs(5);

/// A file as it is written.
#[derive(Debug, Serialize, ToSchema)]
pub struct Source {
    /// The file: `articles/sms/monthly.md`.
    pub path: String,
    /// The digest of its text: it is named when a change of it is published.
    pub digest: String,
    /// Its text.
    pub text: String,
}

/// Files.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceList {
    /// The files, by path.
    pub paths: Vec<String>,
    /// How many there are in all.
    pub total: usize,
}

/// Which files.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SourceParams {
    /// A part of the path.
    q: Option<String>,
    /// Files to return, 100 by default.
    #[param(value_type = Option<u32>, maximum = 1000)]
    limit: Option<String>,
    /// Files to pass over.
    #[param(value_type = Option<u32>)]
    offset: Option<String>,
}

/// A change of a file.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceChange {
    /// The digest of the text that was changed; none for a new file.
    base: Option<String>,
    /// What the file is to hold.
    text: String,
    /// Why: for history.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: String,
    /// Publish though readers would not get it: the file is at fault, and what it held before stays served.
    #[serde(default)]
    force: bool,
}

/// What a removal is of.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RemovalParams {
    /// The digest of the text that is removed.
    base: Option<String>,
    /// Why: for history.
    reason: Option<String>,
}

/// What was published.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublishedReply {
    /// The publication's id; none: nothing was different.
    pub id: Option<String>,
    /// The files.
    pub files: Vec<PublishedFile>,
    /// Whether readers get it already; if not, they will in a moment.
    pub served: bool,
    /// When it will be published, where that is later.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub publish_at: Option<Timestamp>,
}

/// A text to be looked at before it is published.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Sketch {
    /// The file it would be in.
    #[schema(max_length = 500)]
    path: String,
    /// The text.
    text: String,
    /// The day on which it is read, as 2026-12-31; today by default.
    #[schema(value_type = Option<String>, format = Date)]
    as_of: Option<String>,
    /// The region in which it is read; all by default.
    region: Option<String>,
    /// The audiences of who reads it; none: who may read everything.
    audience: Option<Vec<String>>,
}

/// How readers would see a text.
#[derive(Debug, Serialize, ToSchema)]
pub struct Preview {
    /// What is wrong with it.
    pub problems: Vec<ContentProblem>,
    /// Whether readers would get it: else what the file held before stays served.
    pub is_served: bool,
    /// Whether it is in force for the reader that was named.
    pub in_force: bool,
    /// What could be better in it. It hinders nothing. None: the rest of the content is still being looked through; ask again in a moment.
    pub advice: Option<Vec<Finding>>,
    /// The article, where it is one.
    pub article: Option<ArticleView>,
}

/// A change to be merged with what a file holds by now.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Meeting {
    /// The file.
    #[schema(max_length = 500)]
    path: String,
    /// The digest of the text that was changed; none for a new file.
    base: Option<String>,
    /// What it became.
    text: String,
}

/// A change and what the file holds by now, in one text.
#[derive(Debug, Serialize, ToSchema)]
pub struct Met {
    /// The digest of what the file holds now: the base of the merged text. None: there is no such file.
    pub digest: Option<String>,
    /// Both changes.
    pub text: String,
    /// Whether both changed the same place: in the text, both versions stand there between marks, `<<<<<<<` and `>>>>>>>`.
    pub conflict: bool,
}

impl From<EditError> for Problem {
    fn from(error: EditError) -> Self {
        let detail = error.to_string();
        match error {
            EditError::Store(error) => error.into(),
            EditError::Invalid { name, why } => {
                Self::invalid(Code::InvalidBody, vec![FieldError { name: name.to_owned(), message: why }])
            }
            EditError::NotFound(_) => Self::new(Code::NotFound, detail),
            EditError::Refused(_) => Self::new(Code::Forbidden, detail),
            EditError::Broken(error) => Self::internal(&error),
            EditError::Git(error) => Self::internal(&error),
            EditError::Conflict(paths) => {
                let message = "changed meanwhile in the same place".to_owned();
                let errors = paths.into_iter().map(|name| FieldError { name, message: message.clone() });
                Self { errors: errors.collect(), ..Self::new(Code::Conflict, detail) }
            }
            EditError::Disk(DiskError::NoText { .. }) => Self::new(Code::InvalidValue, detail),
            EditError::Disk(error) => {
                tracing::error!(%error, "a file cannot be edited");
                Self::new(Code::Internal, detail)
            }
        }
    }
}

/// The name of a content file in an address.
///
/// # Errors
/// It is none: there is no such file.
pub fn path_in(id: &str) -> Result<SourcePath, Problem> {
    SourcePath::parse(id)
        .map_err(|why| Problem::new(Code::NotFound, format!("there is no file `{id}`: it {why}")))
}

/// Who writes.
pub fn author(asker: &Asker) -> Author {
    let actor = asker.actor();
    Author { id: actor.id, name: actor.name }
}

/// Publishes changes, and makes the reply.
///
/// # Errors
/// As [`crate::editing::Editing::publish`].
pub async fn publish(
    state: &AppState,
    asker: &Asker,
    reason: &str,
    edits: &[Edit],
) -> Result<Json<PublishedReply>, Problem> {
    let published = state.editing.publish(&author(asker), reason, edits, state.app.clock.now()).await?;
    reply(state, asker, published).await
}

/// Waits until readers get what was published, tells the audit log, and makes the reply.
///
/// # Errors
/// The audit log cannot be written.
pub async fn reply(
    state: &AppState,
    asker: &Asker,
    published: Published,
) -> Result<Json<PublishedReply>, Problem> {
    let served = published.id.is_none() || state.app.is_taken_up(published.ticket, PATIENCE).await;
    if let Some(id) = &published.id {
        let mut paths: Vec<&str> = published.files.iter().map(|file| file.path.as_str()).collect();
        paths.truncate(20);
        let (actor, now) = (asker.actor(), state.app.clock.now());
        state.accounts.note(&actor, "content.published", Some(id), &paths.join(", "), now).await?;
        notices::tell_published(state, id, &paths.join(", ")).await;
    }
    Ok(Json(PublishedReply { id: published.id, files: published.files, served, publish_at: None }))
}

/// Refuses texts that readers would not get.
///
/// # Errors
/// All that is wrong with them.
pub async fn must_be_good(state: &AppState, edits: &[Edit]) -> Result<(), Problem> {
    let texts = edits.iter().filter_map(|edit| Some((edit.path.to_string(), edit.text.clone()?)));
    let texts: Vec<(String, String)> = texts.collect();
    let faults = state.run(move |snapshot| {
        let mut faults = Vec::new();
        for (path, text) in texts {
            let checked = snapshot.check(&path, &text);
            if !checked.is_served {
                let errors =
                    checked.problems.into_iter().filter(|problem| problem.severity == Severity::Error);
                faults.extend(errors.map(|problem| {
                    let message =
                        format!("{}:{}: {}; {}", problem.line, problem.column, problem.message, problem.hint);
                    FieldError { name: problem.file, message }
                }));
            }
        }
        Ok(faults)
    });
    match faults.await? {
        faults if faults.is_empty() => Ok(()),
        faults => Err(Problem::invalid(Code::InvalidValue, faults)),
    }
}

/// Some of the files editors write: by path, those with a text in it.
///
/// # Errors
/// The content is not loaded.
pub async fn some(state: &AppState, part: &str, offset: usize, limit: usize) -> Result<SourceList, Problem> {
    let part = part.to_lowercase();
    let found = state.run(move |snapshot| {
        let files = snapshot.files().into_iter().map(|(path, _)| path);
        let mut paths: Vec<String> = files.filter(|path| path.to_lowercase().contains(&part)).collect();
        paths.sort();
        let total = paths.len();
        Ok(SourceList { paths: paths.into_iter().skip(offset).take(limit).collect(), total })
    });
    found.await
}

/// Lists the files editors write, by path.
#[utoipa::path(get, operation_id = "list_sources", path = "/api/v1/sources", tag = "editing", params(SourceParams), responses(
    (status = 200, description = "Files", body = SourceList),
))]
pub async fn list(
    State(state): State<AppState>,
    Query(params): Query<SourceParams>,
) -> Result<Json<SourceList>, Problem> {
    let mut reader = Reader::default();
    let limit = reader.number("limit", params.limit.as_deref(), 100, 1_000);
    let offset = reader.number("offset", params.offset.as_deref(), 0, usize::MAX);
    reader.finish(Code::InvalidParameter)?;
    let part = given(params.q.as_deref()).unwrap_or_default();
    Ok(Json(some(&state, part, offset, limit).await?))
}

/// A file as it is written.
#[utoipa::path(get, operation_id = "get_source", path = "/api/v1/sources/{path}", tag = "editing",
    params(("path" = String, Path, description = "The file, as articles/sms/monthly.md")), responses(
    (status = 200, description = "The file", body = Source),
    (status = 404, description = "No such file", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn get(State(state): State<AppState>, Id(path): Id) -> Result<Json<Source>, Problem> {
    let path = path_in(&path)?;
    let (digest, text) = state.editing.source(&path).await?;
    Ok(Json(Source { path: path.to_string(), digest, text }))
}

/// Publishes a change of a file. What others published meanwhile in other places is merged.
#[utoipa::path(put, operation_id = "put_source", path = "/api/v1/sources/{path}", tag = "editing",
    params(("path" = String, Path, description = "The file, as articles/sms/monthly.md")), request_body = SourceChange, responses(
    (status = 200, description = "Published", body = PublishedReply),
    (status = 409, description = "Changed meanwhile in the same place: merge first", body = ProblemDetails, content_type = "application/problem+json"),
    (status = 422, description = "Readers would not get it", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn put(
    State(state): State<AppState>,
    asker: Asker,
    Id(path): Id,
    Body(change): Body<SourceChange>,
) -> Result<Json<PublishedReply>, Problem> {
    let edits = [Edit { path: path_in(&path)?, base: change.base, text: Some(change.text) }];
    reviews::must_be_approved(&state, &edits, None).await?;
    if !change.force {
        must_be_good(&state, &edits).await?;
    }
    publish(&state, &asker, &change.reason, &edits).await
}

/// Takes a file away. It stays in history.
#[utoipa::path(delete, operation_id = "remove_source", path = "/api/v1/sources/{path}", tag = "editing",
    params(("path" = String, Path, description = "The file, as articles/sms/monthly.md"), RemovalParams), responses(
    (status = 200, description = "Taken away", body = PublishedReply),
    (status = 409, description = "Changed meanwhile", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn remove(
    State(state): State<AppState>,
    asker: Asker,
    Id(path): Id,
    Query(params): Query<RemovalParams>,
) -> Result<Json<PublishedReply>, Problem> {
    let path = path_in(&path)?;
    let (digest, _) = state.editing.source(&path).await?;
    let base = given(params.base.as_deref()).map(str::to_owned).or(Some(digest));
    let edits = [Edit { path, base, text: None }];
    reviews::must_be_approved(&state, &edits, None).await?;
    publish(&state, &asker, params.reason.as_deref().unwrap_or_default(), &edits).await
}

/// How readers would see a text, and what is wrong with it.
#[utoipa::path(post, operation_id = "preview", path = "/api/v1/preview", tag = "editing", request_body = Sketch, responses(
    (status = 200, description = "The preview", body = Preview),
))]
pub async fn preview(
    State(state): State<AppState>,
    Body(sketch): Body<Sketch>,
) -> Result<Json<Preview>, Problem> {
    let path = path_of(&sketch.path)?;
    let mut reader = Reader::default();
    let day = reader.date("as_of", sketch.as_of.as_deref(), state.app.clock.today());
    reader.finish(Code::InvalidParameter)?;
    let clearance = sketch.audience.map_or(Clearance::Everything, Clearance::member);
    let region = given(sketch.region.as_deref()).map(str::to_owned);
    let filter = Filter { region, ..Filter::on(day) }.with(clearance);
    state.app.begin_analysis();
    let preview = state.run(move |snapshot| {
        let checked = snapshot.check(path.as_str(), &sketch.text);
        let advice = snapshot.advice(path.as_str(), &sketch.text, checked.article.as_deref());
        let parsed = checked.article;
        let in_force =
            parsed.as_ref().is_some_and(|parsed| parsed.article.validity().in_force(filter.standpoint()));
        let article = parsed.filter(|_| in_force);
        let article = article.map(|parsed| articles::shown(snapshot, &parsed.article, &parsed.body, &filter));
        Ok(Preview { problems: checked.problems, is_served: checked.is_served, in_force, advice, article })
    });
    Ok(Json(preview.await?))
}

/// Merges a change with what the file holds by now, and publishes nothing.
#[utoipa::path(post, operation_id = "merge", path = "/api/v1/merge", tag = "editing", request_body = Meeting, responses(
    (status = 200, description = "Both changes in one text", body = Met),
))]
pub async fn merge(
    State(state): State<AppState>,
    Body(meeting): Body<Meeting>,
) -> Result<Json<Met>, Problem> {
    let Meeting { path, base, text } = meeting;
    if text.len() as u64 > state.settings.max_file_bytes {
        let message = format!("is longer than {} bytes", state.settings.max_file_bytes);
        return Err(Problem::invalid(
            Code::InvalidBody,
            vec![FieldError { name: "text".to_owned(), message }],
        ));
    }
    let edit = Edit { path: path_of(&path)?, base, text: Some(text) };
    let (digest, merged) = state.editing.merged(&edit).await?;
    let (text, conflict) = match merged {
        Merged::Clean(text) => (text, false),
        Merged::Conflict(text) => (text, true),
    };
    Ok(Json(Met { digest, text, conflict }))
}

/// Where a file is kept.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AttachParams {
    /// The article it belongs to: `articles/sms/monthly.md`.
    beside: String,
    /// What it is called; its kind is told by its bytes.
    #[serde(default)]
    name: String,
}

/// Keeps a picture or a document beside an article: PNG, JPEG, GIF, WebP, AVIF, SVG (what draws of it) or PDF. Readers see it when the article shows it.
#[utoipa::path(post, operation_id = "attach", path = "/api/v1/files", tag = "editing", params(AttachParams),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses(
    (status = 201, description = "Kept", body = Attached),
    (status = 400, description = "No kind that is served, or too large", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn attach(
    State(state): State<AppState>,
    asker: Asker,
    Query(params): Query<AttachParams>,
    Bytes(bytes): Bytes,
) -> Result<(StatusCode, Json<Attached>), Problem> {
    let beside = path_of(&params.beside)?;
    let attached = state.editing.attach(&beside, &params.name, bytes).await?;
    let (actor, now) = (asker.actor(), state.app.clock.now());
    state.accounts.note(&actor, "content.attached", Some(&attached.path), "", now).await?;
    Ok((StatusCode::CREATED, Json(attached)))
}

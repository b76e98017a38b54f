//! Feedback: what readers say of articles, and what became of it.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::accounts::permissions::Permission;
use crate::api::articles;
use crate::api::reply::Json;
use crate::feedback::{FeedbackError, NewThread, Post, SoughtThreads, Thread, ThreadKind};
use crate::http::asker::Asker;
use crate::http::extract::{Body, Id, Query, Reader, given};
use crate::http::problem::{Code, FieldError, Problem};
use crate::http::state::AppState;
use crate::notices::{News, NoticeKind};

/// Something to say of an article.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFeedback {
    /// The article's id.
    #[schema(max_length = 500)]
    article: String,
    /// The section; the article as a whole by default.
    #[serde(default)]
    #[schema(max_length = 500)]
    anchor: String,
    /// The sentence it is about.
    #[serde(default)]
    #[schema(max_length = 2000)]
    quote: String,
    /// What is said of it.
    kind: ThreadKind,
    /// In words.
    #[schema(max_length = 8000)]
    body: String,
}

/// Something to say in a thread.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPost {
    /// What is said; may be empty where a thread is resolved or opened again.
    #[serde(default)]
    #[schema(max_length = 8000)]
    body: String,
    /// true: it is resolved by it; false: it is open again.
    resolved: Option<bool>,
}

/// Threads.
#[derive(Debug, Serialize, ToSchema)]
pub struct ThreadList {
    /// Those last spoken in first.
    pub threads: Vec<Thread>,
}

/// A thread and what was said in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ThreadView {
    /// The thread.
    pub thread: Thread,
    /// What was said, oldest first.
    pub posts: Vec<Post>,
}

/// Which threads.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ThreadParams {
    /// Those of this article.
    pub article: Option<String>,
    /// open (by default), resolved or all.
    pub state: Option<String>,
    /// Those of articles this one answers for: a name to sign in with, a name, or a team.
    pub owner: Option<String>,
    /// A moment: threads last spoken in before it, for the next page.
    #[param(value_type = Option<String>, format = DateTime)]
    pub before: Option<String>,
    /// How many to return, 50 by default.
    #[param(value_type = Option<u32>, maximum = 1000)]
    pub limit: Option<String>,
}

impl From<FeedbackError> for Problem {
    fn from(error: FeedbackError) -> Self {
        let detail = error.to_string();
        match error {
            FeedbackError::Store(error) => error.into(),
            FeedbackError::NotFound => Self::new(Code::NotFound, detail),
            FeedbackError::Invalid { name, why } => {
                Self::invalid(Code::InvalidBody, vec![FieldError { name: name.to_owned(), message: why }])
            }
        }
    }
}

/// Whether somebody may see a thread: editors see all, others their own, and discussions of what they may read.
fn may_see(state: &AppState, asker: &Asker, thread: &Thread) -> Result<bool, Problem> {
    if asker.may(Permission::Edit) {
        return Ok(true);
    }
    let person = asker.identity.person();
    if person.is_some() && thread.person.as_deref() == person {
        return Ok(true);
    }
    let (library, clearance) = (&state.snapshot()?.engine.library, &asker.identity.clearance);
    let is_read = match thread.anchor.as_str() {
        "" => library.may_know(&thread.article, clearance),
        anchor => library.may_lead(&thread.article, anchor, clearance),
    };
    Ok(thread.kind == ThreadKind::Discussion && library.find(&thread.article).is_some() && is_read)
}

/// Threads that somebody may see.
///
/// # Errors
/// A parameter is wrong.
pub async fn some(state: &AppState, asker: &Asker, params: &ThreadParams) -> Result<Vec<Thread>, Problem> {
    let mut reader = Reader::default();
    let limit = reader.number("limit", params.limit.as_deref(), 50, 1_000);
    let states = &[("open", Some(false)), ("resolved", Some(true)), ("all", None)];
    let resolved = reader.choices("state", params.state.as_deref(), states);
    let before = reader.moment("before", params.before.as_deref());
    reader.finish(Code::InvalidParameter)?;
    let is_editor = asker.may(Permission::Edit);
    let person = asker.identity.person().unwrap_or("-");
    let sought = SoughtThreads {
        article: given(params.article.as_deref()).map(str::to_owned),
        person: (!is_editor).then(|| person.to_owned()),
        resolved: resolved.first().copied().unwrap_or(Some(false)),
        before,
        limit,
    };
    let owner = given(params.owner.as_deref()).map(str::to_lowercase);
    let mut threads = Vec::new();
    for thread in state.feedback.threads(&sought).await? {
        let is_owned = owner.as_ref().is_none_or(|owner| {
            owner_of(state, &thread.article).is_some_and(|own| own.to_lowercase() == *owner)
        });
        if is_owned && may_see(state, asker, &thread)? {
            threads.push(thread);
        }
    }
    Ok(threads)
}

/// A thread that somebody may see.
///
/// # Errors
/// There is none that he may see.
pub async fn view(state: &AppState, asker: &Asker, id: &str) -> Result<ThreadView, Problem> {
    let thread = state.feedback.thread(id).await?;
    if !may_see(state, asker, &thread)? {
        return Err(FeedbackError::NotFound.into());
    }
    Ok(ThreadView { posts: state.feedback.posts(id).await?, thread })
}

fn owner_of(state: &AppState, article: &str) -> Option<String> {
    let snapshot = state.snapshot().ok()?;
    snapshot.engine.library.find(article).and_then(|(_, article)| article.matter.owner.clone())
}

/// Who answers for an article: its owner, or else whoever edits.
async fn in_charge(state: &AppState, article: &str) -> Result<Vec<String>, Problem> {
    let members = state.accounts.members_of_all().await?;
    let owner = owner_of(state, article);
    let owners = members.iter().filter(|member| owner.as_ref().is_some_and(|owner| member.is_called(owner)));
    let owners: Vec<String> = owners.map(|member| member.id.clone()).collect();
    if !owners.is_empty() {
        return Ok(owners);
    }
    let editors = members.into_iter().filter(|member| member.permissions.contains(&Permission::Edit));
    Ok(editors.map(|member| member.id).collect())
}

fn speaker(asker: &Asker) -> (Option<String>, String) {
    let actor = asker.actor();
    (asker.identity.person().map(str::to_owned), actor.name)
}

/// Says something of an article: that it is wrong, unclear, or that something is missing; or begins a discussion of it.
#[utoipa::path(post, operation_id = "tell_feedback", path = "/api/v1/feedback", tag = "feedback", request_body = NewFeedback, responses(
    (status = 201, description = "Said", body = ThreadView),
))]
pub async fn tell(
    State(state): State<AppState>,
    asker: Asker,
    Body(new): Body<NewFeedback>,
) -> Result<(StatusCode, Json<ThreadView>), Problem> {
    let filter = asker.filter(state.app.clock.today());
    let (id, anchor) = (new.article.clone(), new.anchor.clone());
    // Nobody says something of what he may not read: nor does he learn that it is there.
    let clearance = asker.identity.clearance.clone();
    let title = state.run(move |snapshot| {
        let article = articles::text(snapshot, &id, &filter)?;
        let library = &snapshot.engine.library;
        let is_there = library.find(&id).is_some_and(|(_, article)| article.section_at(&anchor).is_some());
        let leads_there = anchor.is_empty() || is_there && library.may_lead(&id, &anchor, &clearance);
        if !leads_there {
            return Err(Problem::not_found("section", &anchor));
        }
        Ok(article.title)
    });
    let new = NewThread {
        title: title.await?,
        article: new.article,
        anchor: new.anchor,
        quote: new.quote,
        kind: new.kind,
        body: new.body,
    };
    let (person, name) = speaker(&asker);
    let now = state.app.clock.now();
    let thread = state.feedback.begin((person.as_deref(), &name), &new, now).await?;
    let mut people = in_charge(&state, &thread.article).await?;
    people.retain(|one| Some(one.as_str()) != person.as_deref());
    let link = format!("/feedback/{}", thread.id);
    let news = News { kind: NoticeKind::Feedback, title: &thread.title, link: &link, once: None };
    state.tell(&people, &news).await;
    Ok((
        StatusCode::CREATED,
        Json(view(&state, &asker, &thread.id).await.or_else(|problem| {
            // Who is not signed in has said it, and sees it no more.
            if person.is_none() { Ok(ThreadView { thread, posts: Vec::new() }) } else { Err(problem) }
        })?),
    ))
}

/// Lists what readers say: all of it for editors, one's own and discussions for others.
#[utoipa::path(get, operation_id = "list_feedback", path = "/api/v1/feedback", tag = "feedback", params(ThreadParams), responses(
    (status = 200, description = "Threads", body = ThreadList),
))]
pub async fn list(
    State(state): State<AppState>,
    asker: Asker,
    Query(params): Query<ThreadParams>,
) -> Result<Json<ThreadList>, Problem> {
    Ok(Json(ThreadList { threads: some(&state, &asker, &params).await? }))
}

/// A thread and what was said in it.
#[utoipa::path(get, operation_id = "get_feedback", path = "/api/v1/feedback/{id}", tag = "feedback",
    params(("id" = String, Path, description = "The thread's id")), responses(
    (status = 200, description = "The thread", body = ThreadView),
))]
pub async fn get(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
) -> Result<Json<ThreadView>, Problem> {
    Ok(Json(view(&state, &asker, &id).await?))
}

/// Answers in a thread; resolves it, or opens it again. Whoever took part is told.
#[utoipa::path(post, operation_id = "answer_feedback", path = "/api/v1/feedback/{id}/posts", tag = "feedback",
    params(("id" = String, Path, description = "The thread's id")), request_body = NewPost, responses(
    (status = 200, description = "Said", body = ThreadView),
))]
pub async fn answer(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
    Body(new): Body<NewPost>,
) -> Result<Json<ThreadView>, Problem> {
    let before = view(&state, &asker, &id).await?;
    let (person, name) = speaker(&asker);
    let is_own = person.is_some() && before.thread.person == person;
    // Who may read a discussion may speak in it; closing is for editors, and for who began it.
    if new.resolved.is_some() && !is_own && !asker.may(Permission::Edit) {
        return Err(Problem::new(Code::Forbidden, "editors resolve a thread, or who began it"));
    }
    let now = state.app.clock.now();
    let speaker = (person.as_deref(), name.as_str());
    let thread = state.feedback.say(speaker, &id, &new.body, new.resolved, now).await?;
    let took_part = before.posts.iter().filter_map(|post| post.person.clone()).chain(before.thread.person);
    let mut others: Vec<String> = took_part.filter(|one| Some(one) != person.as_ref()).collect();
    if is_own {
        others.extend(in_charge(&state, &thread.article).await?);
        others.retain(|one| Some(one) != person.as_ref());
    }
    others.sort();
    others.dedup();
    let (kind, link) = (NoticeKind::FeedbackAnswered, format!("/feedback/{id}"));
    state.tell(&others, &News { kind, title: &thread.title, link: &link, once: None }).await;
    Ok(Json(view(&state, &asker, &id).await?))
}

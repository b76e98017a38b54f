//! What readers say of articles: the queue, one thread, and the form to tell something.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::accounts::permissions::Permission;
use crate::api::articles;
use crate::api::feedback::{ThreadParams, ThreadView, some, view};
use crate::feedback::{Thread, ThreadKind};
use crate::http::asker::Asker;
use crate::http::extract::{Id, Query, given};
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::web::words::Ui;
use crate::web::{Zoned, filters, private};

/// Threads on a page.
const SHOWN: usize = 50;

#[derive(Template)]
#[template(path = "feedback.html")]
struct FeedbackPage {
    ui: Ui,
    zone: Zoned,
    state: String,
    article: String,
    threads: Vec<Thread>,
    /// The moment before which the next page is.
    next: Option<String>,
}

/// What is said.
pub async fn list(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Query(params): Query<ThreadParams>,
) -> Result<Response, Problem> {
    let threads = some(&state, &asker, &params).await?;
    let page = FeedbackPage {
        ui: Ui::of(&headers).with(&asker),
        zone: Zoned::of(&state),
        state: given(params.state.as_deref()).unwrap_or("open").to_owned(),
        article: params.article.unwrap_or_default(),
        next: threads.last().filter(|_| threads.len() == SHOWN).map(|last| last.updated_at.to_string()),
        threads,
    };
    Ok(private(page.render()))
}

#[derive(Template)]
#[template(path = "thread.html")]
struct ThreadPage {
    ui: Ui,
    zone: Zoned,
    view: ThreadView,
    may_resolve: bool,
    source: Option<String>,
}

/// One thread.
pub async fn thread(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Id(id): Id,
) -> Result<Response, Problem> {
    let view = view(&state, &asker, &id).await?;
    let person = asker.identity.person();
    if let Some(person) = person {
        state.notices.see_page(person, &format!("/feedback/{id}"), state.app.clock.now()).await?;
    }
    let may_edit = asker.may(Permission::Edit);
    let source = {
        let snapshot = state.snapshot()?;
        let found = snapshot.engine.library.find(&view.thread.article).filter(|_| may_edit);
        found.map(|(_, article)| format!("articles/{}", article.path))
    };
    let page = ThreadPage {
        ui: Ui::of(&headers).with(&asker),
        zone: Zoned::of(&state),
        may_resolve: may_edit || (person.is_some() && view.thread.person.as_deref() == person),
        source,
        view,
    };
    Ok(private(page.render()))
}

/// What it is about.
#[derive(Debug, Default, Deserialize)]
pub struct TellParams {
    anchor: Option<String>,
    quote: Option<String>,
}

#[derive(Template)]
#[template(path = "tell.html")]
struct TellPage {
    ui: Ui,
    article: String,
    title: String,
    quote: String,
    anchor: String,
    /// Anchor and heading of each section.
    sections: Vec<(String, String)>,
    kinds: Vec<ThreadKind>,
}

/// The form to tell something of an article.
pub async fn tell(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Id(id): Id,
    Query(params): Query<TellParams>,
) -> Result<Response, Problem> {
    let filter = asker.filter(state.app.clock.today());
    let article = id.clone();
    let view = state.run(move |snapshot| articles::text(snapshot, &article, &filter)).await?;
    let headed = view.sections.into_iter().filter(|section| !section.anchor.is_empty());
    let page = TellPage {
        ui: Ui::of(&headers).with(&asker),
        article: id,
        title: view.title,
        quote: params.quote.unwrap_or_default().chars().take(500).collect(),
        anchor: params.anchor.unwrap_or_default(),
        sections: headed.map(|section| (section.anchor, section.heading)).collect(),
        kinds: ThreadKind::NAMES.iter().map(|(_, kind)| *kind).collect(),
    };
    Ok(private(page.render()))
}

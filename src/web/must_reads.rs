//! What must be read: one's own list, one thing with what is new in it, and the form that says so.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::accounts::permissions::Permission;
use crate::api::articles;
use crate::api::must_reads::{self, MustReadChange, MustReadView, WantedReader};
use crate::app::diff::PieceKind;
use crate::http::asker::Asker;
use crate::http::extract::{Id, Query, given};
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::web::words::Ui;
use crate::web::{Zoned, filters, private};

/// Whose.
#[derive(Debug, Default, Deserialize)]
pub struct ListParams {
    all: Option<String>,
}

#[derive(Template)]
#[template(path = "must_reads.html")]
struct ListPage {
    ui: Ui,
    zone: Zoned,
    all: bool,
    looks_after: bool,
    views: Vec<MustReadView>,
}

/// One's own list, or all there is.
pub async fn list(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Query(params): Query<ListParams>,
) -> Result<Response, Problem> {
    let all = given(params.all.as_deref()).is_some();
    let views = match all {
        true => must_reads::looked_after(&state, &asker).await?,
        false => must_reads::of_asker(&state, &asker).await?,
    };
    let page = ListPage {
        ui: Ui::of(&headers).with(&asker),
        zone: Zoned::of(&state),
        all,
        looks_after: asker.may(Permission::Edit) || asker.may(Permission::SeePeople),
        views,
    };
    Ok(private(page.render()))
}

#[derive(Template)]
#[template(path = "must_read.html")]
struct OnePage {
    ui: Ui,
    zone: Zoned,
    change: MustReadChange,
    /// Whether who asks has to read it himself.
    is_own: bool,
    needs_mail: bool,
    readers: Option<Vec<WantedReader>>,
}

/// One thing, and what is new in it.
pub async fn one(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Id(id): Id,
) -> Result<Response, Problem> {
    let change = must_reads::change(&state, &asker, &id).await?;
    let is_own = must_reads::of_asker(&state, &asker).await?.iter().any(|view| view.id == id);
    let needs_mail = match asker.identity.person() {
        Some(person) if change.must_read.with_code => !state.accounts.person(person).await?.has_second_factor,
        _ => false,
    };
    let readers = match asker.may(Permission::SeePeople) {
        true => Some(must_reads::wanted(&state, &asker, &id).await?),
        false => None,
    };
    let (ui, zone) = (Ui::of(&headers).with(&asker), Zoned::of(&state));
    Ok(private(OnePage { ui, zone, change, is_own, needs_mail, readers }.render()))
}

/// What made it new.
#[derive(Debug, Default, Deserialize)]
pub struct NewParams {
    publication: Option<String>,
}

#[derive(Template)]
#[template(path = "must_read_new.html")]
struct NewPage {
    ui: Ui,
    article: String,
    title: String,
    publication: String,
}

/// The form that says that an article must be read.
pub async fn new(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Id(id): Id,
    Query(params): Query<NewParams>,
) -> Result<Response, Problem> {
    let filter = asker.filter(state.app.clock.today());
    let article = id.clone();
    let title = state.run(move |snapshot| Ok(articles::text(snapshot, &article, &filter)?.title)).await?;
    let publication = params.publication.unwrap_or_default();
    Ok(private(NewPage { ui: Ui::of(&headers).with(&asker), article: id, title, publication }.render()))
}

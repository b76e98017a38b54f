//! The search page.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::api::search::SearchParams;
use crate::http::extract::Query;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::search::engine::Reply;
use crate::web::words::Ui;
use crate::web::{filters, html};

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    ui: Ui,
    text: String,
    reply: Option<Reply>,
}

#[derive(Template)]
#[template(path = "results.html")]
struct Results {
    ui: Ui,
    reply: Reply,
}

/// The page, with results when a query stands in its address.
pub async fn page(
    State(state): State<AppState>,
    headers: HeaderMap,
    Query(params): Query<SearchParams>,
) -> Result<Response, Problem> {
    let request = params.read(state.app.clock.today())?;
    let text = request.text.clone();
    let reply = if text.trim().is_empty() { None } else { Some(state.search(request).await?) };
    Ok(html(SearchPage { ui: Ui::of(&headers), text, reply }.render()))
}

/// The results alone, for each keystroke.
pub async fn results(
    State(state): State<AppState>,
    headers: HeaderMap,
    Query(params): Query<SearchParams>,
) -> Result<Response, Problem> {
    let request = params.read(state.app.clock.today())?;
    let reply = state.search(request).await?;
    Ok(html(Results { ui: Ui::of(&headers), reply }.render()))
}

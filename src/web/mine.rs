//! The page of one's own things: favourites, recents, pins, snippets, layout. They are kept in the browser; this is their frame.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::answers::template::Channel;
use crate::http::asker::Asker;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::web::words::Ui;
use crate::web::{filters, html};

#[derive(Template)]
#[template(path = "mine.html")]
struct MinePage {
    ui: Ui,
    channels: &'static [(&'static str, Channel)],
    regions: Vec<String>,
}

/// The page.
pub async fn page(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let regions = state.snapshot()?.regions(&asker.identity.clearance);
    Ok(html(MinePage { ui: Ui::of(&headers).with(&asker), channels: Channel::NAMES, regions }.render()))
}

//! The pages: desk, article, flow, comparison, what is new, one's own things, the panel for other sites.

pub mod api_docs;
pub mod article;
pub mod assets;
pub mod changes;
pub mod compare;
pub mod error;
pub mod files;
pub mod filters;
pub mod flow;
pub mod lang;
pub mod mine;
pub mod panel;
pub mod search;
pub mod wordings;
pub mod words;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, VARY};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use crate::http::problem::Problem;
use crate::http::state::AppState;

/// All pages.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/", get(search::page))
        .route("/search/results", get(search::results))
        .route("/articles/{*id}", get(article::page))
        .route("/flows/{*id}", get(flow::page))
        .route("/wordings", get(wordings::part))
        .route("/compare", get(compare::page))
        .route("/new", get(changes::page))
        .route("/mine", get(mine::page))
        .route("/embed", get(panel::page))
        .route("/embed.js", get(assets::embed))
        .route("/lang/{code}", get(lang::choose))
        .route("/files/{*path}", get(files::file))
        .route("/docs/api", get(api_docs::page))
        .route("/assets/{hash}/{*path}", get(assets::asset))
        .route("/worker.js", get(assets::worker))
        .route("/manifest.webmanifest", get(assets::manifest))
        .route("/favicon.ico", get(assets::icon))
}

/// A rendered page as a reply. Pages tell what is in force now, in the language and layout of their reader: nobody else may be given them.
fn html(rendered: askama::Result<String>) -> Response {
    let headers = [(CACHE_CONTROL, "private, no-cache"), (VARY, "accept-language, cookie")];
    match rendered {
        Ok(text) => (headers, Html(text)).into_response(),
        Err(error) => Problem::internal(&error).into_response(),
    }
}

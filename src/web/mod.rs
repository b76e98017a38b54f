//! The pages: search, article, API reference.

pub mod api_docs;
pub mod article;
pub mod assets;
pub mod error;
pub mod files;
pub mod filters;
pub mod search;
pub mod words;

use axum::Router;
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
        .route("/files/{*path}", get(files::file))
        .route("/docs/api", get(api_docs::page))
        .route("/assets/{hash}/{*path}", get(assets::asset))
        .route("/favicon.ico", get(assets::icon))
}

/// A rendered page as a reply.
fn html(rendered: askama::Result<String>) -> Response {
    match rendered {
        Ok(text) => Html(text).into_response(),
        Err(error) => Problem::internal(&error).into_response(),
    }
}

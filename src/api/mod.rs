//! The JSON API, version 1: a file a noun.

pub mod articles;
pub mod changes;
pub mod flows;
pub mod gaps;
pub mod health;
pub mod live;
pub mod offline;
pub mod openapi;
pub mod parameters;
pub mod problems;
pub mod products;
pub mod reply;
pub mod search;
pub mod templates;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::http::layers::revalidate;
use crate::http::state::AppState;

/// All routes of the API.
pub fn routes(state: &AppState) -> Router<AppState> {
    let content = Router::new()
        .route("/api/v1/articles", get(articles::list))
        .route("/api/v1/articles/{*id}", get(articles::get))
        .route("/api/v1/products", get(products::list))
        .route("/api/v1/products/{id}", get(products::get))
        .route("/api/v1/compare", get(products::compare))
        .route("/api/v1/templates", get(templates::list))
        .route("/api/v1/templates/{*id}", get(templates::get))
        .route("/api/v1/flows/{*id}", get(flows::get))
        .route("/api/v1/offline", get(offline::get))
        .route("/api/v1/problems", get(problems::list))
        .layer(from_fn_with_state(state.clone(), revalidate));
    Router::new()
        .merge(content)
        .route("/api/v1/search", get(search::search))
        .route("/api/v1/suggest", get(search::suggest))
        .route("/api/v1/render", post(templates::render))
        .route("/api/v1/changes", get(changes::list))
        .route("/api/v1/gaps", get(gaps::list).post(gaps::tell))
        .route("/api/v1/live", get(live::live))
        .route("/api/v1/openapi.json", get(openapi::document))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(health::metrics))
}

//! The OpenAPI document, generated from the handlers.

use std::sync::OnceLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::OpenApi;

use super::{articles, changes, flows, gaps, health, live, offline, problems, products, search, templates};

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Pharos",
        description = "Search that answers, articles, products, answer templates and guided flows. \
            Errors are problem details (RFC 9457) with a stable `code`.",
        license(name = "MIT OR Apache-2.0"),
    ),
    paths(
        search::search, search::suggest, articles::list, articles::get, products::list, products::get,
        products::compare, templates::list, templates::get, templates::render, flows::get, problems::list,
        changes::list, gaps::list, gaps::tell, live::live, offline::get, document, health::live, health::ready, health::metrics,
    ),
    tags(
        (name = "search", description = "Find articles and answers"),
        (name = "articles", description = "Read articles"),
        (name = "products", description = "The catalogue"),
        (name = "templates", description = "Answer templates and what is filled in"),
        (name = "flows", description = "Guided flows"),
        (name = "content", description = "What changed and what is wrong"),
        (name = "health", description = "For those who run the server"),
    ),
)]
#[derive(Debug)]
pub struct ApiDoc;

/// This document.
#[utoipa::path(get, operation_id = "openapi", path = "/api/v1/openapi.json", tag = "health", responses(
    (status = 200, description = "OpenAPI 3.1", content_type = "application/json"),
))]
pub async fn document() -> Response {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    let text = DOCUMENT.get_or_init(|| ApiDoc::openapi().to_pretty_json().unwrap_or_default());
    ([(header::CONTENT_TYPE, "application/json")], text.as_str()).into_response()
}

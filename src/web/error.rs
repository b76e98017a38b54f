//! An error as a page with a way back.

use askama::Template;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use crate::http::problem::{Code, Problem};
use crate::web::html;
use crate::web::words::Ui;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    ui: Ui,
    title: &'a str,
    detail: &'a str,
    request_id: &'a str,
    is_loading: bool,
}

/// The page of a problem.
pub fn page(problem: &Problem, request_id: &str, headers: &HeaderMap) -> Response {
    let (_, status, title) = problem.code.parts();
    let is_loading = problem.code == Code::Loading;
    let page = ErrorPage { ui: Ui::of(headers), title, detail: &problem.detail, request_id, is_loading };
    (status, html(page.render())).into_response()
}

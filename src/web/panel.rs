//! The desk as a panel in the pages of other sites: a CRM passes the customer in, and gets what was copied.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use crate::api::search::SearchParams;
use crate::http::asker::Asker;
use crate::http::extract::Query;
use crate::http::layers::content_security_policy;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::web::words::Ui;
use crate::web::{html, search};

/// The panel. Only the sites that settings name may show it.
pub async fn page(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Query(params): Query<SearchParams>,
) -> Result<Response, Problem> {
    let origins = &state.settings.embed_origins;
    let page = search::desk(&state, &asker, Ui::of(&headers).with(&asker), params, Some(origins)).await?;
    let mut response = html(page.render());
    if !origins.is_empty()
        && let Ok(policy) = HeaderValue::from_str(&content_security_policy(&origins.join(" ")))
    {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Ok(response)
}

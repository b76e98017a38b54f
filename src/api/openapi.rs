//! The OpenAPI document, generated from the handlers.

use std::sync::OnceLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Content, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use super::{
    articles, audit, changes, drafts, feedback, feeds, flows, freshness, gaps, health, history, imports,
    live, me, must_reads, notices, offline, people, problems, products, quality, reviews, search, session,
    sources, teams, templates, tokens,
};
use crate::http::problem::ProblemDetails;

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
        health::whole, session::sign_in, session::sign_out, session::set_up, session::use_link, session::forgotten, me::get,
        me::change_password, me::begin_second_factor, me::confirm_second_factor, me::remove_second_factor, me::sessions,
        me::end_other_sessions, me::end_session, me::kept, me::keep, me::export, tokens::own, tokens::add, tokens::remove_own,
        tokens::all, tokens::remove, people::list, people::add, people::get, people::change, people::erase, people::link,
        people::sessions, people::end_sessions, people::remove_second_factor, people::export, people::roles, teams::list,
        teams::add, teams::get, teams::change, teams::remove, teams::change_members, audit::list, sources::list, sources::get,
        sources::put, sources::remove, sources::preview, sources::merge, sources::attach, freshness::list, freshness::verify, freshness::archive, drafts::list, drafts::add, drafts::get, drafts::change,
        drafts::remove, drafts::publish, drafts::cancel, reviews::ask, reviews::withdraw, reviews::list, reviews::get, reviews::decide, reviews::remark,
        reviews::settle,
        feedback::tell, feedback::list, feedback::get, feedback::answer, must_reads::list, must_reads::add, must_reads::get, must_reads::remove,
        must_reads::acknowledge, must_reads::send_code, must_reads::readers, notices::list, notices::see, notices::choose, notices::hooks, notices::add_hook, notices::remove_hook, notices::deliveries, history::list, history::get, history::restore, history::publications, history::undo, quality::list,
        imports::list, imports::add, imports::get, imports::send, imports::write, imports::remove,
        feeds::list, feeds::run, feeds::runs, feeds::get, feeds::confirm, feeds::reject,
    ),
    components(schemas(ProblemDetails)),
    modifiers(&Everywhere),
    tags(
        (name = "search", description = "Find articles and answers"),
        (name = "articles", description = "Read articles"),
        (name = "products", description = "The catalogue"),
        (name = "templates", description = "Answer templates and what is filled in"),
        (name = "flows", description = "Guided flows"),
        (name = "content", description = "What changed and what is wrong"),
        (name = "editing", description = "What editors write: files, drafts, publications, history"),
        (name = "feedback", description = "What readers say of articles, and what became of it"),
        (name = "reading", description = "What must be read, and who has read it"),
        (name = "people", description = "Signing in, people, teams, tokens, the audit log"),
        (name = "health", description = "For those who run the server"),
    ),
)]
#[derive(Debug)]
pub struct ApiDoc;

/// What every route may answer, and how one proves who one is: said once, for all.
struct Everywhere;

impl Modify for Everywhere {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("A token of a person"));
        let cookie = ApiKeyValue::with_description("__Host-pharos-session", "What signing in sets");
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(bearer.build()));
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        let either = ["token", "session"].map(|name| SecurityRequirement::new(name, Vec::<String>::new()));
        document.security = Some(either.into_iter().chain([SecurityRequirement::default()]).collect());
        for path in document.paths.paths.values_mut() {
            let operations =
                [&mut path.get, &mut path.post, &mut path.put, &mut path.patch, &mut path.delete];
            for operation in operations.into_iter().flatten() {
                for (status, description) in EVERYWHERE {
                    let details = Content::new(Some(Ref::from_schema_name("ProblemDetails")));
                    let response = ResponseBuilder::new()
                        .description(*description)
                        .content("application/problem+json", details)
                        .build();
                    let known = &mut operation.responses.responses;
                    known.entry((*status).to_owned()).or_insert_with(|| RefOr::T(response));
                }
            }
        }
    }
}

/// Statuses that any route may answer with.
const EVERYWHERE: &[(&str, &str)] = &[
    ("400", "A parameter or the body is wrong"),
    ("401", "Nobody is signed in, or the token is good no more"),
    ("403", "Not permitted, from another site, or a secret is wrong"),
    ("404", "No such thing, or not for who asks"),
    ("405", "Not by this method"),
    ("409", "Something stands against it"),
    ("413", "The body is too large"),
    ("422", "A value does not fit"),
    ("429", "Too many requests, or too many tries failed"),
    ("503", "The content is being loaded, the store does not answer, or too much is asked at one time"),
    ("504", "It took too long"),
];

/// This document.
#[utoipa::path(get, operation_id = "openapi", path = "/api/v1/openapi.json", tag = "health", responses(
    (status = 200, description = "OpenAPI 3.1", content_type = "application/json"),
))]
pub async fn document() -> Response {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    let text = DOCUMENT.get_or_init(|| ApiDoc::openapi().to_pretty_json().unwrap_or_default());
    ([(header::CONTENT_TYPE, "application/json")], text.as_str()).into_response()
}

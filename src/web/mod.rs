//! The pages: desk, article, flow, comparison, what is new, one's own things, the panel for other sites.

pub mod account;
pub mod admin;
pub mod api_docs;
pub mod article;
pub mod assets;
pub mod changes;
pub mod compare;
pub mod editing;
pub mod error;
pub mod feedback;
pub mod feeds;
pub mod files;
pub mod filters;
pub mod flow;
pub mod imports;
pub mod lang;
pub mod mine;
pub mod must_reads;
pub mod notices;
pub mod panel;
pub mod quality;
pub mod search;
pub mod sign_in;
pub mod wordings;
pub mod words;

use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, VARY};
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::accounts::permissions::Permission;
use crate::accounts::sign_on::BACK;
use crate::http::problem::Problem;
use crate::http::routes::{Access, Routes};
use crate::http::state::AppState;
use crate::web::words::Ui;

const READ: Access = Access::Needs(Permission::Read);
const EDIT: Access = Access::Needs(Permission::Edit);

/// All pages.
pub fn routes() -> Routes {
    Routes::default()
        .get("/", READ, search::page)
        .get("/search/results", READ, search::results)
        .get("/articles/{*id}", READ, article::page)
        .get("/flows/{*id}", READ, flow::page)
        .get("/wordings", READ, wordings::part)
        .get("/compare", READ, compare::page)
        .get("/new", READ, changes::page)
        .get("/mine", READ, mine::page)
        .get("/feedback", READ, feedback::list)
        .get("/feedback/{id}", READ, feedback::thread)
        .get("/tell/{*id}", Access::Needs(Permission::TellGaps), feedback::tell)
        .get("/must-read", READ, must_reads::list)
        .get("/must-read/{id}", READ, must_reads::one)
        .get("/must-read-of/{*id}", EDIT, must_reads::new)
        .get("/embed", READ, panel::page)
        .get("/files/{*path}", READ, files::file)
        .get("/embed.js", Access::Public, assets::embed)
        .get("/lang/{code}", Access::Public, lang::choose)
        .get("/docs/api", Access::Public, api_docs::page)
        .get("/assets/{hash}/{*path}", Access::Public, assets::asset)
        .get("/worker.js", Access::Public, assets::worker)
        .get("/manifest.webmanifest", Access::Public, assets::manifest)
        .get("/favicon.ico", Access::Public, assets::icon)
        .get("/sign-in", Access::Public, sign_in::page)
        .get("/setup", Access::Public, sign_in::setup)
        .get("/welcome", Access::Public, sign_in::welcome)
        .get("/sign-on", Access::Public, sign_in::begin_sign_on)
        .get(BACK, Access::Public, sign_in::complete_sign_on)
        .get("/edit", EDIT, editing::desk)
        .get("/edit/{*path}", EDIT, editing::editor)
        .get("/history/{*path}", EDIT, editing::history)
        .get("/reviews/{id}", EDIT, editing::review)
        .get("/freshness", EDIT, editing::freshness)
        .get("/archive/{*id}", EDIT, editing::archive)
        .get("/notices", Access::Person, notices::page)
        .get("/quality", EDIT, quality::page)
        .get("/feeds", EDIT, feeds::list)
        .get("/import", EDIT, imports::list)
        .get("/import/{id}", EDIT, imports::one)
        .get("/feeds/{id}", EDIT, feeds::run)
        .get("/account", Access::Person, account::page)
        .get("/admin/people", Access::Needs(Permission::SeePeople), admin::people)
        .get("/admin/people/{id}", Access::Manages(Permission::ManagePeople), admin::person)
        .get("/admin/teams", Access::Needs(Permission::SeePeople), admin::teams)
        .get("/admin/teams/{id}", Access::Manages(Permission::ManagePeople), admin::team)
        .get("/admin/roles", Access::Needs(Permission::SeePeople), admin::roles)
        .get("/admin/tokens", Access::Manages(Permission::ManagePeople), admin::tokens)
        .get("/admin/hooks", Access::Manages(Permission::ManageHooks), notices::hooks)
        .get("/admin/audit", Access::Needs(Permission::SeeAudit), admin::audit)
        .get("/admin/health", Access::Needs(Permission::SeeHealth), admin::health)
}

/// Moments as people at the server's place write them.
#[derive(Clone, Debug)]
struct Zoned(TimeZone);

impl Zoned {
    fn of(state: &AppState) -> Self {
        Self(state.settings.zone())
    }

    /// A moment, to the minute.
    fn at(&self, moment: &Timestamp, ui: &Ui) -> String {
        let moment = moment.to_zoned_datetime(self.0.clone());
        format!("{} {}", ui.day(&moment.date()), moment.strftime("%H:%M"))
    }

    /// A moment, or a dash.
    fn maybe(&self, moment: &Option<Timestamp>, ui: &Ui) -> String {
        moment.as_ref().map_or_else(|| "—".to_owned(), |moment| self.at(moment, ui))
    }
}

/// A page about people as a reply: nothing keeps it.
fn private(rendered: askama::Result<String>) -> Response {
    let mut response = html(rendered);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A rendered page as a reply. Pages tell what is in force now, in the language and layout of their reader: nobody else may be given them.
fn html(rendered: askama::Result<String>) -> Response {
    let headers = [(CACHE_CONTROL, "private, no-cache"), (VARY, "accept-language, cookie")];
    match rendered {
        Ok(text) => (headers, Html(text)).into_response(),
        Err(error) => Problem::internal(&error).into_response(),
    }
}

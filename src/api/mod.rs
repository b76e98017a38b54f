//! The JSON API, version 1: a file a noun.

pub mod articles;
pub mod audit;
pub mod changes;
pub mod digest;
pub mod drafts;
pub mod feedback;
pub mod feeds;
pub mod flows;
pub mod freshness;
pub mod gaps;
pub mod health;
pub mod history;
pub mod imports;
pub mod live;
pub mod me;
pub mod must_reads;
pub mod notices;
pub mod offline;
pub mod openapi;
pub mod parameters;
pub mod people;
pub mod problems;
pub mod products;
pub mod quality;
pub mod reply;
pub mod reviews;
pub mod scim;
pub mod search;
pub mod session;
pub mod sources;
pub mod teams;
pub mod templates;
pub mod tokens;

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;

use crate::accounts::permissions::Permission;
use crate::http::layers::revalidate;
use crate::http::routes::{Access, Routes};
use crate::http::state::AppState;

const READ: Access = Access::Needs(Permission::Read);
const MANAGE_PEOPLE: Access = Access::Manages(Permission::ManagePeople);
const MANAGE_HOOKS: Access = Access::Manages(Permission::ManageHooks);
const SEE_PEOPLE: Access = Access::Needs(Permission::SeePeople);
const PROVISION: Access = Access::Needs(Permission::Provision);
const EDIT: Access = Access::Needs(Permission::Edit);
const APPROVE: Access = Access::Needs(Permission::Approve);
const ONESELF: Access = Access::Person;

/// All routes of the API.
pub fn routes(state: &AppState) -> Routes {
    let content = Routes::default()
        .get("/api/v1/articles", READ, articles::list)
        .get("/api/v1/articles/{*id}", READ, articles::get)
        .get("/api/v1/products", READ, products::list)
        .get("/api/v1/products/{id}", READ, products::get)
        .get("/api/v1/compare", READ, products::compare)
        .get("/api/v1/templates", READ, templates::list)
        .get("/api/v1/templates/{*id}", READ, templates::get)
        .get("/api/v1/flows/{*id}", READ, flows::get)
        .get("/api/v1/offline", READ, offline::get)
        .get("/api/v1/problems", Access::Needs(Permission::SeeProblems), problems::list)
        .with(|router| router.layer(from_fn_with_state(state.clone(), revalidate)));
    let reading = Routes::default()
        .get("/api/v1/search", READ, search::search)
        .get("/api/v1/suggest", READ, search::suggest)
        .post("/api/v1/render", READ, templates::render)
        .get("/api/v1/changes", READ, changes::list)
        .get("/api/v1/gaps", Access::Needs(Permission::SeeGaps), gaps::list)
        .post("/api/v1/gaps", Access::Needs(Permission::TellGaps), gaps::tell)
        .get("/api/v1/feedback", READ, feedback::list)
        .post("/api/v1/feedback", Access::Needs(Permission::TellGaps), feedback::tell)
        .get("/api/v1/feedback/{id}", READ, feedback::get)
        .post("/api/v1/feedback/{id}/posts", READ, feedback::answer)
        .get("/api/v1/must-reads", READ, must_reads::list)
        .post("/api/v1/must-reads", EDIT, must_reads::add)
        .get("/api/v1/must-reads/{id}", READ, must_reads::get)
        .delete("/api/v1/must-reads/{id}", EDIT, must_reads::remove)
        .post("/api/v1/must-reads/{id}/acknowledgement", ONESELF, must_reads::acknowledge)
        .post("/api/v1/must-reads/{id}/code", ONESELF, must_reads::send_code)
        .get("/api/v1/must-reads/{id}/readers", SEE_PEOPLE, must_reads::readers)
        .get("/api/v1/live", READ, live::live)
        .get("/api/v1/openapi.json", Access::Public, openapi::document)
        .get("/health/live", Access::Public, health::live)
        .get("/health/ready", Access::Public, health::ready)
        .get("/metrics", Access::Needs(Permission::SeeHealth), health::metrics);
    content.merge(reading).merge(own()).merge(editing(state)).merge(administration()).merge(directory())
}

/// Signing in, and what people do about themselves.
fn own() -> Routes {
    Routes::default()
        .post("/api/v1/session", Access::Public, session::sign_in)
        .delete("/api/v1/session", Access::Public, session::sign_out)
        .post("/api/v1/setup", Access::Public, session::set_up)
        .post("/api/v1/link", Access::Public, session::use_link)
        .post("/api/v1/forgotten", Access::Public, session::forgotten)
        .get("/api/v1/me", Access::Public, me::get)
        .put("/api/v1/me/password", ONESELF, me::change_password)
        .post("/api/v1/me/second-factor", ONESELF, me::begin_second_factor)
        .put("/api/v1/me/second-factor", ONESELF, me::confirm_second_factor)
        .delete("/api/v1/me/second-factor", ONESELF, me::remove_second_factor)
        .get("/api/v1/me/sessions", ONESELF, me::sessions)
        .delete("/api/v1/me/sessions", ONESELF, me::end_other_sessions)
        .delete("/api/v1/me/sessions/{id}", ONESELF, me::end_session)
        .get("/api/v1/me/tokens", ONESELF, tokens::own)
        .post("/api/v1/me/tokens", ONESELF, tokens::add)
        .delete("/api/v1/me/tokens/{id}", ONESELF, tokens::remove_own)
        .get("/api/v1/me/kept", ONESELF, me::kept)
        .put("/api/v1/me/kept/{kind}", ONESELF, me::keep)
        .get("/api/v1/me/notices", ONESELF, notices::list)
        .post("/api/v1/me/notices/seen", ONESELF, notices::see)
        .put("/api/v1/me/notices/choices", ONESELF, notices::choose)
        .get("/api/v1/me/export", ONESELF, me::export)
}

/// What editors write. Bodies may be as large as files, twice: in JSON a line end is two characters.
fn editing(state: &AppState) -> Routes {
    let most = usize::try_from(state.settings.max_file_bytes).unwrap_or(usize::MAX).saturating_mul(2);
    let most = most.max(state.settings.max_body_bytes);
    Routes::default()
        .get("/api/v1/sources", EDIT, sources::list)
        .get("/api/v1/sources/{*path}", EDIT, sources::get)
        .put("/api/v1/sources/{*path}", EDIT, sources::put)
        .delete("/api/v1/sources/{*path}", EDIT, sources::remove)
        .post("/api/v1/preview", EDIT, sources::preview)
        .post("/api/v1/merge", EDIT, sources::merge)
        .get("/api/v1/drafts", EDIT, drafts::list)
        .post("/api/v1/drafts", EDIT, drafts::add)
        .get("/api/v1/drafts/{id}", EDIT, drafts::get)
        .patch("/api/v1/drafts/{id}", EDIT, drafts::change)
        .delete("/api/v1/drafts/{id}", EDIT, drafts::remove)
        .post("/api/v1/drafts/{id}/publish", EDIT, drafts::publish)
        .delete("/api/v1/drafts/{id}/publish", EDIT, drafts::cancel)
        .post("/api/v1/drafts/{id}/review", EDIT, reviews::ask)
        .delete("/api/v1/drafts/{id}/review", EDIT, reviews::withdraw)
        .get("/api/v1/reviews", EDIT, reviews::list)
        .get("/api/v1/reviews/{id}", EDIT, reviews::get)
        .post("/api/v1/reviews/{id}/verdicts", APPROVE, reviews::decide)
        .post("/api/v1/reviews/{id}/remarks", EDIT, reviews::remark)
        .patch("/api/v1/remarks/{id}", EDIT, reviews::settle)
        .get("/api/v1/history/{*path}", EDIT, history::list)
        .get("/api/v1/revisions/{id}", EDIT, history::get)
        .post("/api/v1/revisions/{id}/restore", EDIT, history::restore)
        .get("/api/v1/publications", EDIT, history::publications)
        .post("/api/v1/publications/{id}/undo", EDIT, history::undo)
        .post("/api/v1/files", EDIT, sources::attach)
        .get("/api/v1/freshness", EDIT, freshness::list)
        .get("/api/v1/quality", EDIT, quality::list)
        .get("/api/v1/feeds", EDIT, feeds::list)
        .post("/api/v1/feeds/{name}/run", EDIT, feeds::run)
        .get("/api/v1/feeds/{name}/runs", EDIT, feeds::runs)
        .get("/api/v1/feed-runs/{id}", EDIT, feeds::get)
        .post("/api/v1/feed-runs/{id}/confirm", EDIT, feeds::confirm)
        .post("/api/v1/feed-runs/{id}/reject", EDIT, feeds::reject)
        .get("/api/v1/imports", EDIT, imports::list)
        .post("/api/v1/imports", EDIT, imports::add)
        .get("/api/v1/imports/{id}", EDIT, imports::get)
        .put("/api/v1/imports/{id}/content", EDIT, imports::send)
        .post("/api/v1/imports/{id}/write", EDIT, imports::write)
        .delete("/api/v1/imports/{id}", EDIT, imports::remove)
        .post("/api/v1/verifications", EDIT, freshness::verify)
        .post("/api/v1/archivals", EDIT, freshness::archive)
        .with(|router| router.layer(DefaultBodyLimit::max(most)))
}

/// People, teams, tokens and the audit log.
fn administration() -> Routes {
    Routes::default()
        .get("/api/v1/people", SEE_PEOPLE, people::list)
        .post("/api/v1/people", MANAGE_PEOPLE, people::add)
        .get("/api/v1/people/{id}", SEE_PEOPLE, people::get)
        .patch("/api/v1/people/{id}", MANAGE_PEOPLE, people::change)
        .delete("/api/v1/people/{id}", MANAGE_PEOPLE, people::erase)
        .post("/api/v1/people/{id}/link", MANAGE_PEOPLE, people::link)
        .get("/api/v1/people/{id}/sessions", MANAGE_PEOPLE, people::sessions)
        .delete("/api/v1/people/{id}/sessions", MANAGE_PEOPLE, people::end_sessions)
        .delete("/api/v1/people/{id}/second-factor", MANAGE_PEOPLE, people::remove_second_factor)
        .get("/api/v1/people/{id}/export", MANAGE_PEOPLE, people::export)
        .get("/api/v1/teams", SEE_PEOPLE, teams::list)
        .post("/api/v1/teams", MANAGE_PEOPLE, teams::add)
        .get("/api/v1/teams/{id}", SEE_PEOPLE, teams::get)
        .patch("/api/v1/teams/{id}", MANAGE_PEOPLE, teams::change)
        .delete("/api/v1/teams/{id}", MANAGE_PEOPLE, teams::remove)
        .patch("/api/v1/teams/{id}/members", MANAGE_PEOPLE, teams::change_members)
        .get("/api/v1/roles", SEE_PEOPLE, people::roles)
        .get("/api/v1/tokens", MANAGE_PEOPLE, tokens::all)
        .delete("/api/v1/tokens/{id}", MANAGE_PEOPLE, tokens::remove)
        .get("/api/v1/hooks", MANAGE_HOOKS, notices::hooks)
        .post("/api/v1/hooks", MANAGE_HOOKS, notices::add_hook)
        .delete("/api/v1/hooks/{id}", MANAGE_HOOKS, notices::remove_hook)
        .get("/api/v1/hooks/{id}/deliveries", MANAGE_HOOKS, notices::deliveries)
        .get("/api/v1/audit", Access::Needs(Permission::SeeAudit), audit::list)
        .get("/api/v1/health", Access::Needs(Permission::SeeHealth), health::whole)
}

/// What a company's directory asks for.
fn directory() -> Routes {
    Routes::default()
        .get("/scim/v2/ServiceProviderConfig", PROVISION, scim::configuration)
        .get("/scim/v2/ResourceTypes", PROVISION, scim::resource_types)
        .get("/scim/v2/Users", PROVISION, scim::list_users)
        .post("/scim/v2/Users", PROVISION, scim::add_user)
        .get("/scim/v2/Users/{id}", PROVISION, scim::get_user)
        .put("/scim/v2/Users/{id}", PROVISION, scim::replace_user)
        .patch("/scim/v2/Users/{id}", PROVISION, scim::patch_user)
        .delete("/scim/v2/Users/{id}", PROVISION, scim::remove_user)
        .get("/scim/v2/Groups", PROVISION, scim::list_groups)
        .post("/scim/v2/Groups", PROVISION, scim::add_group)
        .get("/scim/v2/Groups/{id}", PROVISION, scim::get_group)
        .put("/scim/v2/Groups/{id}", PROVISION, scim::replace_group)
        .patch("/scim/v2/Groups/{id}", PROVISION, scim::patch_group)
        .delete("/scim/v2/Groups/{id}", PROVISION, scim::remove_group)
        .get("/scim/v2/{*path}", PROVISION, scim::nothing)
}

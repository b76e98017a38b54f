//! The page of one's own account: password, second factor, sessions, tokens, and all that is known.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::accounts::people::Person;
use crate::accounts::permissions::Permission;
use crate::accounts::sessions::Session;
use crate::accounts::teams::Team;
use crate::accounts::tokens::Token;
use crate::http::asker::Asker;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::web::words::Ui;
use crate::web::{Zoned, filters, private};

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    ui: Ui,
    zone: Zoned,
    person: Person,
    teams: Vec<Team>,
    sessions: Vec<Session>,
    tokens: Vec<Token>,
    permissions: Vec<Permission>,
    must_add_factor: bool,
}

/// The page.
pub async fn page(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (id, session) = asker.person()?;
    let accounts = &state.accounts;
    let page = AccountPage {
        ui: Ui::of(&headers).with(&asker),
        zone: Zoned::of(&state),
        person: accounts.person(id).await?,
        teams: accounts.teams_of(id).await?,
        sessions: accounts.sessions(id, Some(session)).await?,
        tokens: accounts.tokens(Some(id)).await?,
        permissions: asker.identity.permissions.iter().copied().collect(),
        must_add_factor: asker.identity.must_add_factor,
    };
    Ok(private(page.render()))
}

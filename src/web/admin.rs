//! The pages of administration: people, teams, roles, tokens, the audit log, and how the server is.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;

use crate::accounts::audit::Entry;
use crate::accounts::links::{Pending, Purpose};
use crate::accounts::people::{Origin, Person};
use crate::accounts::permissions::{Permission, Role};
use crate::accounts::sessions::Session;
use crate::accounts::teams::Team;
use crate::accounts::tokens::Token;
use crate::api::audit::AuditParams;
use crate::api::health::{self, Whole};
use crate::http::asker::Asker;
use crate::http::extract::{Id, Query, Reader, given};
use crate::http::problem::{Code, Problem};
use crate::http::state::AppState;
use crate::web::words::Ui;
use crate::web::{Zoned, filters, private};

/// People on a page.
const SHOWN: usize = 50;

/// Members of a team that are listed.
const MAX_MEMBERS: usize = 500;

/// The roles, for forms.
fn all_roles() -> Vec<Role> {
    Role::NAMES.iter().map(|(_, role)| *role).collect()
}

/// Which people.
#[derive(Debug, Default, Deserialize)]
pub struct PeopleParams {
    q: Option<String>,
    team: Option<String>,
    offset: Option<String>,
}

#[derive(Template)]
#[template(path = "admin_people.html")]
struct PeoplePage {
    ui: Ui,
    zone: Zoned,
    text: String,
    team: String,
    people: Vec<Person>,
    total: usize,
    offset: usize,
    teams: Vec<Team>,
    roles: Vec<Role>,
    regions: Vec<String>,
    pending: Vec<Pending>,
    may_manage: bool,
}

impl PeoplePage {
    fn next(&self) -> Option<usize> {
        Some(self.offset + self.people.len()).filter(|next| *next < self.total)
    }
}

/// People.
pub async fn people(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Query(params): Query<PeopleParams>,
) -> Result<Response, Problem> {
    let mut reader = Reader::default();
    let offset = reader.number("offset", params.offset.as_deref(), 0, 1_000_000);
    reader.finish(Code::InvalidParameter)?;
    let text: String = params.q.unwrap_or_default().chars().take(200).collect();
    let team = given(params.team.as_deref()).unwrap_or_default().to_owned();
    let of_team = Some(team.as_str()).filter(|team| !team.is_empty());
    let (people, total) = state.accounts.people(&text, of_team, SHOWN, offset).await?;
    let may_manage = asker.may(Permission::ManagePeople);
    let page = PeoplePage {
        ui: Ui::of(&headers).with(&asker),
        zone: Zoned::of(&state),
        people,
        total,
        offset,
        text,
        team,
        teams: state.accounts.teams().await?,
        roles: all_roles(),
        regions: state.snapshot()?.regions(&asker.identity.clearance),
        pending: if may_manage {
            state.accounts.pending_links(state.app.clock.now()).await?
        } else {
            Vec::new()
        },
        may_manage,
    };
    Ok(private(page.render()))
}

#[derive(Template)]
#[template(path = "admin_person.html")]
struct PersonPage {
    ui: Ui,
    zone: Zoned,
    person: Person,
    own_teams: Vec<String>,
    teams: Vec<Team>,
    roles: Vec<Role>,
    regions: Vec<String>,
    sessions: Vec<Session>,
    tokens: Vec<Token>,
    done: Vec<Entry>,
}

/// A person.
pub async fn person(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Id(id): Id,
) -> Result<Response, Problem> {
    let accounts = &state.accounts;
    let person = accounts.person(&id).await?;
    let sought =
        crate::accounts::audit::Sought { subject: Some(id.clone()), limit: 20, ..Default::default() };
    let may_audit = asker.may(Permission::SeeAudit);
    let page = PersonPage {
        ui: Ui::of(&headers).with(&asker),
        zone: Zoned::of(&state),
        person,
        own_teams: accounts.teams_of(&id).await?.into_iter().map(|team| team.id).collect(),
        teams: accounts.teams().await?,
        roles: all_roles(),
        regions: state.snapshot()?.regions(&asker.identity.clearance),
        sessions: accounts.sessions(&id, None).await?,
        tokens: accounts.tokens(Some(&id)).await?,
        done: if may_audit { accounts.audit(&sought).await? } else { Vec::new() },
    };
    Ok(private(page.render()))
}

#[derive(Template)]
#[template(path = "admin_teams.html")]
struct TeamsPage {
    ui: Ui,
    teams: Vec<Team>,
    roles: Vec<Role>,
    regions: Vec<String>,
    may_manage: bool,
}

/// Teams.
pub async fn teams(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let page = TeamsPage {
        ui: Ui::of(&headers).with(&asker),
        teams: state.accounts.teams().await?,
        roles: all_roles(),
        regions: state.snapshot()?.regions(&asker.identity.clearance),
        may_manage: asker.may(Permission::ManagePeople),
    };
    Ok(private(page.render()))
}

#[derive(Template)]
#[template(path = "admin_team.html")]
struct TeamPage {
    ui: Ui,
    team: Team,
    roles: Vec<Role>,
    regions: Vec<String>,
    members: Vec<Person>,
}

/// A team.
pub async fn team(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Id(id): Id,
) -> Result<Response, Problem> {
    let page = TeamPage {
        ui: Ui::of(&headers).with(&asker),
        team: state.accounts.team(&id).await?,
        roles: all_roles(),
        regions: state.snapshot()?.regions(&asker.identity.clearance),
        members: state.accounts.people("", Some(&id), MAX_MEMBERS, 0).await?.0,
    };
    Ok(private(page.render()))
}

#[derive(Template)]
#[template(path = "admin_roles.html")]
struct RolesPage {
    ui: Ui,
    roles: Vec<Role>,
    permissions: Vec<Permission>,
}

/// Roles and what each permits.
pub async fn roles(asker: Asker, headers: HeaderMap) -> Response {
    let permissions = Permission::NAMES.iter().map(|(_, permission)| *permission).collect();
    private(RolesPage { ui: Ui::of(&headers).with(&asker), roles: all_roles(), permissions }.render())
}

#[derive(Template)]
#[template(path = "admin_tokens.html")]
struct TokensPage {
    ui: Ui,
    zone: Zoned,
    tokens: Vec<Token>,
    now: Timestamp,
}

/// Tokens of all people.
pub async fn tokens(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let tokens = state.accounts.tokens(None).await?;
    let now = state.app.clock.now();
    Ok(private(
        TokensPage { ui: Ui::of(&headers).with(&asker), zone: Zoned::of(&state), tokens, now }.render(),
    ))
}

#[derive(Template)]
#[template(path = "admin_audit.html")]
struct AuditPage {
    ui: Ui,
    zone: Zoned,
    text: String,
    action: String,
    since: String,
    until: String,
    entries: Vec<Entry>,
    is_more: bool,
    /// The same without the place in the list, as the query part of an address.
    query: String,
}

/// The audit log.
pub async fn audit(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Query(params): Query<AuditParams>,
) -> Result<Response, Problem> {
    let [q, action, since, until] = params.texts();
    let (sought, _) = params.read(&state)?;
    let entries = state.accounts.audit(&sought).await?;
    let encode = |value: &str| {
        percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let parts = [("q", &q), ("action", &action), ("since", &since), ("until", &until)];
    let query: Vec<String> = parts.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let page = AuditPage {
        ui: Ui::of(&headers).with(&asker),
        zone: Zoned::of(&state),
        is_more: entries.len() == sought.limit,
        entries,
        query: query.join("&"),
        text: q,
        action,
        since,
        until,
    };
    Ok(private(page.render()))
}

#[derive(Template)]
#[template(path = "admin_health.html")]
struct HealthPage {
    ui: Ui,
    health: Whole,
    problems: Vec<crate::content::problem::Problem>,
}

/// How the server is, and what is wrong with the content.
pub async fn health(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let health = health::view(&state).await?;
    let problems = match asker.may(Permission::SeeProblems) {
        true => state.run(|snapshot| Ok(snapshot.problems().iter().take(200).cloned().collect())).await?,
        false => Vec::new(),
    };
    Ok(private(HealthPage { ui: Ui::of(&headers).with(&asker), health, problems }.render()))
}

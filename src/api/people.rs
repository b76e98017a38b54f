//! People, for who manages them.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::accounts::audit::Actor;
use crate::accounts::links::Purpose;
use crate::accounts::people::{NewPerson, Person, PersonChange};
use crate::accounts::permissions::{Permission, Role};
use crate::api::me::SessionList;
use crate::api::reply::Json;
use crate::http::asker::Asker;
use crate::http::extract::{Body, Id, Query, Reader, given};
use crate::http::problem::{Code, Problem, ProblemDetails};
use crate::http::state::AppState;

/// Which people.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PeopleParams {
    /// Words that stand in their names.
    #[param(max_length = 200)]
    q: Option<String>,
    /// Those of this team, by id.
    team: Option<String>,
    /// People to return, 50 by default.
    #[param(value_type = Option<u32>, maximum = 500)]
    limit: Option<String>,
    /// People to pass over.
    #[param(value_type = Option<u32>)]
    offset: Option<String>,
}

/// People.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonList {
    /// By name.
    pub people: Vec<Person>,
    /// How many there are in all.
    pub total: usize,
}

/// Lists people, by name.
#[utoipa::path(get, operation_id = "list_people", path = "/api/v1/people", tag = "people", params(PeopleParams), responses(
    (status = 200, description = "People", body = PersonList),
))]
pub async fn list(
    State(state): State<AppState>,
    Query(params): Query<PeopleParams>,
) -> Result<Json<PersonList>, Problem> {
    let mut reader = Reader::default();
    let limit = reader.number("limit", params.limit.as_deref(), 50, 500);
    let offset = reader.number("offset", params.offset.as_deref(), 0, 1_000_000);
    reader.finish(Code::InvalidParameter)?;
    let text: String = params.q.unwrap_or_default().chars().take(200).collect();
    let (people, total) = state.accounts.people(&text, given(params.team.as_deref()), limit, offset).await?;
    Ok(Json(PersonList { people, total }))
}

/// A person with the teams he is in.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonView {
    /// The person.
    #[serde(flatten)]
    pub person: Person,
    /// Ids of the teams.
    pub teams: Vec<String>,
}

async fn view(state: &AppState, person: Person) -> Result<PersonView, Problem> {
    let teams = state.accounts.teams_of(&person.id).await?.into_iter().map(|team| team.id).collect();
    Ok(PersonView { person, teams })
}

/// A person.
#[utoipa::path(get, operation_id = "get_person", path = "/api/v1/people/{id}", tag = "people",
    params(("id" = String, Path, description = "The person's id")), responses(
    (status = 200, description = "The person", body = PersonView),
))]
pub async fn get(State(state): State<AppState>, Id(id): Id) -> Result<Json<PersonView>, Problem> {
    Ok(Json(view(&state, state.accounts.person(&id).await?).await?))
}

/// A person to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddPerson {
    /// The name to sign in with; an address of mail does.
    login: String,
    /// What others call the person.
    name: Option<String>,
    /// Where mail goes.
    email: Option<String>,
    /// Roles.
    #[serde(default)]
    roles: Vec<Role>,
    /// Audiences the person belongs to.
    #[serde(default)]
    audiences: Vec<String>,
    /// The region that is meant where none is named.
    region: Option<String>,
    /// Ids of teams.
    #[serde(default)]
    teams: Vec<String>,
}

/// A person that was added, and the way in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Added {
    /// The person.
    pub person: PersonView,
    /// The link to hand over, where it did not go by mail; it is told only now, and good for a week.
    pub link: Option<String>,
}

/// Adds a person and makes an invitation: it goes by mail, or is told here.
#[utoipa::path(post, operation_id = "add_person", path = "/api/v1/people", tag = "people", request_body = AddPerson, responses(
    (status = 201, description = "Added", body = Added),
    (status = 409, description = "Somebody has the login", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn add(
    State(state): State<AppState>,
    asker: Asker,
    Body(body): Body<AddPerson>,
) -> Result<(StatusCode, Json<Added>), Problem> {
    let (accounts, actor, now) = (&state.accounts, asker.actor(), state.app.clock.now());
    let AddPerson { login, name, email, roles, audiences, region, teams } = body;
    for team in &teams {
        accounts.team(team).await?;
    }
    let name = name.unwrap_or_default();
    let new = NewPerson { login, name, email, roles, audiences, region, ..NewPerson::default() };
    let person = accounts.add_person(&new, &actor, now).await?;
    accounts.set_teams(&person.id, &teams, &actor, now).await?;
    let link = send_link(&state, &person, Purpose::Invitation, &actor).await?;
    Ok((StatusCode::CREATED, Json(Added { person: view(&state, person).await?, link })))
}

/// Makes a link for a person and sends it; returns it where it cannot be sent.
pub(super) async fn send_link(
    state: &AppState,
    person: &Person,
    purpose: Purpose,
    actor: &Actor,
) -> Result<Option<String>, Problem> {
    let secret = state.accounts.link(&person.id, purpose, actor, state.app.clock.now()).await?;
    let link = format!("{}/welcome#{secret}", state.settings.public_url);
    let (Some(mail), Some(email)) = (state.accounts.mail(), &person.email) else { return Ok(Some(link)) };
    let text = match purpose {
        Purpose::Invitation => format!(
            "Здравствуйте, {name}!\n\nДля вас создан доступ к базе знаний. Выберите пароль (ссылка действует неделю):\n{link}\n\n\
             Hello {name},\n\nan account of the knowledge base was made for you. Choose a password (the link is good for a week):\n{link}\n",
            name = person.name
        ),
        Purpose::Reset => format!(
            "Здравствуйте, {name}!\n\nВыберите новый пароль (ссылка действует час). Если вы об этом не просили, ничего делать не нужно.\n{link}\n\n\
             Hello {name},\n\nchoose another password (the link is good for an hour). If you did not ask for it, there is nothing to do.\n{link}\n",
            name = person.name
        ),
    };
    match mail.send(email, "Pharos: вход / sign in", &text).await {
        Ok(()) => Ok(None),
        Err(error) => {
            // Who manages people can still hand it over.
            tracing::warn!(%error, "mail could not be sent");
            Ok(Some(link))
        }
    }
}

/// What to change of a person; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePerson {
    /// The name to sign in with.
    login: Option<String>,
    /// What others call the person.
    name: Option<String>,
    /// Where mail goes; an empty one is none.
    email: Option<String>,
    /// Roles.
    roles: Option<Vec<Role>>,
    /// Audiences.
    audiences: Option<Vec<String>>,
    /// The region; an empty one is none.
    region: Option<String>,
    /// Whether the person may sign in.
    active: Option<bool>,
    /// Ids of teams.
    teams: Option<Vec<String>>,
}

/// Changes a person.
#[utoipa::path(patch, operation_id = "change_person", path = "/api/v1/people/{id}", tag = "people", request_body = ChangePerson,
    params(("id" = String, Path, description = "The person's id")), responses(
    (status = 200, description = "The person", body = PersonView),
))]
pub async fn change(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
    Body(body): Body<ChangePerson>,
) -> Result<Json<PersonView>, Problem> {
    let (accounts, actor, now) = (&state.accounts, asker.actor(), state.app.clock.now());
    let ChangePerson { login, name, email, roles, audiences, region, active, teams } = body;
    for team in teams.iter().flatten() {
        accounts.team(team).await?;
    }
    let own = PersonChange::default();
    let change = PersonChange { login, name, email, roles, audiences, region, active, ..own };
    let person = accounts.change_person(&id, &change, &actor, now).await?;
    if let Some(teams) = teams {
        accounts.set_teams(&id, &teams, &actor, now).await?;
    }
    Ok(Json(view(&state, person).await?))
}

/// Erases a person, with all that belongs to him.
#[utoipa::path(delete, operation_id = "erase_person", path = "/api/v1/people/{id}", tag = "people",
    params(("id" = String, Path, description = "The person's id")), responses(
    (status = 204, description = "Erased"),
))]
pub async fn erase(State(state): State<AppState>, asker: Asker, Id(id): Id) -> Result<StatusCode, Problem> {
    state.accounts.erase_person(&id, &asker.actor(), state.app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A link for a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinkMade {
    /// The link to hand over, where it did not go by mail; it is told only now.
    pub link: Option<String>,
}

/// Makes a link by which a person chooses a password: an invitation for who has none, else a reset.
#[utoipa::path(post, operation_id = "make_link", path = "/api/v1/people/{id}/link", tag = "people",
    params(("id" = String, Path, description = "The person's id")), responses(
    (status = 201, description = "Made", body = LinkMade),
))]
pub async fn link(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
) -> Result<(StatusCode, Json<LinkMade>), Problem> {
    let person = state.accounts.person(&id).await?;
    let purpose = if person.has_password { Purpose::Reset } else { Purpose::Invitation };
    let link = send_link(&state, &person, purpose, &asker.actor()).await?;
    Ok((StatusCode::CREATED, Json(LinkMade { link })))
}

/// Lists the sessions of a person.
#[utoipa::path(get, operation_id = "list_sessions", path = "/api/v1/people/{id}/sessions", tag = "people",
    params(("id" = String, Path, description = "The person's id")), responses(
    (status = 200, description = "Sessions", body = SessionList),
))]
pub async fn sessions(State(state): State<AppState>, Id(id): Id) -> Result<Json<SessionList>, Problem> {
    state.accounts.person(&id).await?;
    Ok(Json(SessionList { sessions: state.accounts.sessions(&id, None).await? }))
}

/// Signs a person out everywhere.
#[utoipa::path(delete, operation_id = "end_sessions", path = "/api/v1/people/{id}/sessions", tag = "people",
    params(("id" = String, Path, description = "The person's id")), responses(
    (status = 204, description = "Ended"),
))]
pub async fn end_sessions(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    state.accounts.person(&id).await?;
    let ended = state.accounts.end_sessions(&id, None).await?;
    let now = state.app.clock.now();
    state.accounts.note(&asker.actor(), "sessions.ended", Some(&id), &ended.to_string(), now).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes the second factor of a person who lost it.
#[utoipa::path(delete, operation_id = "remove_second_factor_of", path = "/api/v1/people/{id}/second-factor", tag = "people",
    params(("id" = String, Path, description = "The person's id")), responses(
    (status = 204, description = "Removed"),
))]
pub async fn remove_second_factor(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    state.accounts.person(&id).await?;
    state.accounts.remove_second_factor(&id, &asker.actor(), state.app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Everything that is known of a person.
#[utoipa::path(get, operation_id = "export_person", path = "/api/v1/people/{id}/export", tag = "people",
    params(("id" = String, Path, description = "The person's id")), responses(
    (status = 200, description = "Everything that is known", content_type = "application/json"),
))]
pub async fn export(State(state): State<AppState>, asker: Asker, Id(id): Id) -> Result<Json<Value>, Problem> {
    Ok(Json(state.accounts.export_person(&id, &asker.actor(), state.app.clock.now()).await?))
}

/// A role and what it permits.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoleView {
    /// The role.
    pub role: Role,
    /// What it permits.
    pub permissions: Vec<Permission>,
}

/// Roles.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoleList {
    /// From the narrowest to the widest.
    pub roles: Vec<RoleView>,
}

/// Lists the roles and what each permits.
#[utoipa::path(get, operation_id = "list_roles", path = "/api/v1/roles", tag = "people", responses(
    (status = 200, description = "Roles", body = RoleList),
))]
pub async fn roles() -> Json<RoleList> {
    let roles = Role::NAMES.iter().map(|(_, role)| *role);
    Json(RoleList {
        roles: roles.map(|role| RoleView { role, permissions: role.permissions().to_vec() }).collect(),
    })
}

//! Teams.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::permissions::Role;
use crate::accounts::teams::{Team, TeamChange};
use crate::api::reply::Json;
use crate::http::asker::Asker;
use crate::http::extract::{Body, Id};
use crate::http::problem::Problem;
use crate::http::state::AppState;

/// Teams.
#[derive(Debug, Serialize, ToSchema)]
pub struct TeamList {
    /// By name.
    pub teams: Vec<Team>,
}

/// Lists the teams, by name.
#[utoipa::path(get, operation_id = "list_teams", path = "/api/v1/teams", tag = "people", responses(
    (status = 200, description = "Teams", body = TeamList),
))]
pub async fn list(State(state): State<AppState>) -> Result<Json<TeamList>, Problem> {
    Ok(Json(TeamList { teams: state.accounts.teams().await? }))
}

/// A team with its members.
#[derive(Debug, Serialize, ToSchema)]
pub struct TeamView {
    /// The team.
    pub team: Team,
    /// Ids of its members.
    pub members: BTreeSet<String>,
}

/// A team.
#[utoipa::path(get, operation_id = "get_team", path = "/api/v1/teams/{id}", tag = "people",
    params(("id" = String, Path, description = "The team's id")), responses(
    (status = 200, description = "The team", body = TeamView),
))]
pub async fn get(State(state): State<AppState>, Id(id): Id) -> Result<Json<TeamView>, Problem> {
    let team = state.accounts.team(&id).await?;
    Ok(Json(TeamView { team, members: state.accounts.members(&id).await? }))
}

/// What is said of a team; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamBody {
    /// What it is called; an audience of this name lets its members in.
    name: Option<String>,
    /// Roles its members have.
    roles: Option<Vec<Role>>,
    /// Audiences its members belong to.
    audiences: Option<Vec<String>>,
    /// The region its members mean where none is named; an empty one is none.
    region: Option<String>,
}

impl From<TeamBody> for TeamChange {
    fn from(TeamBody { name, roles, audiences, region }: TeamBody) -> Self {
        Self { name, roles, audiences, region, external_id: None }
    }
}

/// Makes a team.
#[utoipa::path(post, operation_id = "add_team", path = "/api/v1/teams", tag = "people", request_body = TeamBody, responses(
    (status = 201, description = "Made", body = Team),
))]
pub async fn add(
    State(state): State<AppState>,
    asker: Asker,
    Body(body): Body<TeamBody>,
) -> Result<(StatusCode, Json<Team>), Problem> {
    let team = state.accounts.add_team(&body.into(), &asker.actor(), state.app.clock.now()).await?;
    Ok((StatusCode::CREATED, Json(team)))
}

/// Changes a team.
#[utoipa::path(patch, operation_id = "change_team", path = "/api/v1/teams/{id}", tag = "people", request_body = TeamBody,
    params(("id" = String, Path, description = "The team's id")), responses(
    (status = 200, description = "The team", body = Team),
))]
pub async fn change(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
    Body(body): Body<TeamBody>,
) -> Result<Json<Team>, Problem> {
    let now = state.app.clock.now();
    Ok(Json(state.accounts.change_team(&id, &body.into(), &asker.actor(), now).await?))
}

/// Removes a team; its members stay.
#[utoipa::path(delete, operation_id = "remove_team", path = "/api/v1/teams/{id}", tag = "people",
    params(("id" = String, Path, description = "The team's id")), responses(
    (status = 204, description = "Removed"),
))]
pub async fn remove(State(state): State<AppState>, asker: Asker, Id(id): Id) -> Result<StatusCode, Problem> {
    state.accounts.remove_team(&id, &asker.actor(), state.app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who comes and who goes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MembersBody {
    /// Ids of people to put in.
    #[serde(default)]
    add: Vec<String>,
    /// Ids of people to take out.
    #[serde(default)]
    remove: Vec<String>,
}

/// Puts people into a team and takes others out.
#[utoipa::path(patch, operation_id = "change_members", path = "/api/v1/teams/{id}/members", tag = "people", request_body = MembersBody,
    params(("id" = String, Path, description = "The team's id")), responses(
    (status = 204, description = "Done"),
))]
pub async fn change_members(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
    Body(body): Body<MembersBody>,
) -> Result<StatusCode, Problem> {
    let now = state.app.clock.now();
    state.accounts.change_members(&id, &body.add, &body.remove, &asker.actor(), now).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! Teams: what their members have in common.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use sqlx::AssertSqlSafe;
use utoipa::ToSchema;

use crate::accounts::audit::Actor;
use crate::accounts::people::checked_region;
use crate::accounts::permissions::Role;
use crate::accounts::{AccountError, Accounts, checked_names, checked_text, from_json, to_json};
use crate::database::{micros, moment};

/// Members put in and taken out in one request.
const MAX_CHANGED: usize = 1_000;

/// A team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Team {
    /// The id.
    pub id: String,
    /// What it is called; the name is an audience that its members belong to.
    pub name: String,
    /// Roles its members have.
    pub roles: Vec<Role>,
    /// Audiences its members belong to.
    pub audiences: Vec<String>,
    /// The region that its members mean where none is named.
    pub region: Option<String>,
    /// What the company's directory calls it.
    pub external_id: Option<String>,
    /// How many belong to it.
    pub members: usize,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// What is said of a team; what is `None` stays as it is, or is nothing.
#[derive(Clone, Debug, Default)]
pub struct TeamChange {
    /// What it is called.
    pub name: Option<String>,
    /// Roles.
    pub roles: Option<Vec<Role>>,
    /// Audiences.
    pub audiences: Option<Vec<String>>,
    /// The region; an empty one is none.
    pub region: Option<String>,
    /// What the company's directory calls it.
    pub external_id: Option<String>,
}

const COLUMNS: &str = "id, name, roles, audiences, region, external_id, \
     (SELECT COUNT(*) FROM team_members WHERE team_id = teams.id), created_at, updated_at";

type Row = (String, String, String, String, Option<String>, Option<String>, i64, i64, i64);

fn team((id, name, roles, audiences, region, external_id, members, created_at, updated_at): Row) -> Team {
    Team {
        id,
        name,
        roles: from_json(&roles),
        audiences: from_json(&audiences),
        region,
        external_id,
        members: usize::try_from(members).unwrap_or_default(),
        created_at: moment(created_at),
        updated_at: moment(updated_at),
    }
}

fn member_id(team: &str, person: &str) -> String {
    format!("{team}:{person}")
}

impl Accounts {
    /// All teams, by name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn teams(&self) -> Result<Vec<Team>, AccountError> {
        self.read_teams("ORDER BY name", None).await
    }

    /// The teams of a person, by name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn teams_of(&self, person: &str) -> Result<Vec<Team>, AccountError> {
        let clause = "WHERE id IN (SELECT team_id FROM team_members WHERE person_id = $1) ORDER BY name";
        self.read_teams(clause, Some(person)).await
    }

    /// A team by id.
    ///
    /// # Errors
    /// There is none.
    pub async fn team(&self, id: &str) -> Result<Team, AccountError> {
        self.read_teams("WHERE id = $1", Some(id)).await?.pop().ok_or(AccountError::NotFound("team"))
    }

    /// A team by name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn team_by_name(&self, name: &str) -> Result<Option<Team>, AccountError> {
        Ok(self.read_teams("WHERE name = $1", Some(name.trim())).await?.pop())
    }

    async fn read_teams(&self, clause: &str, value: Option<&str>) -> Result<Vec<Team>, AccountError> {
        let statement = format!("SELECT {COLUMNS} FROM teams {clause}");
        let read = || async {
            let mut query = sqlx::query_as::<_, Row>(AssertSqlSafe(statement.clone()));
            if let Some(value) = value {
                query = query.bind(value);
            }
            Ok(query.fetch_all(self.database.pool()).await?)
        };
        Ok(self.database.patiently(read).await?.into_iter().map(team).collect())
    }

    /// Makes a team.
    ///
    /// # Errors
    /// A field is wrong, or there is one of this name.
    pub async fn add_team(
        &self,
        new: &TeamChange,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Team, AccountError> {
        let id = self.ids.next(now);
        let name = checked_text("name", new.name.as_deref().unwrap_or_default(), 100)?;
        let added = sqlx::query(
            "INSERT INTO teams (id, name, roles, audiences, region, external_id, created_at, updated_at) \
             VALUES ($1, $2, '[]', '[]', NULL, NULL, $3, $3) ON CONFLICT (name) DO NOTHING",
        )
        .bind(&id)
        .bind(&name)
        .bind(micros(now))
        .execute(self.database.pool())
        .await?;
        if added.rows_affected() == 0 {
            return Err(AccountError::Conflict(format!("there is a team `{name}` already")));
        }
        self.note(actor, "team.added", Some(&id), &name, now).await?;
        self.change_team(&id, &TeamChange { name: None, ..new.clone() }, actor, now).await
    }

    /// Changes a team.
    ///
    /// # Errors
    /// A field is wrong, there is no such team, or one of this name.
    pub async fn change_team(
        &self,
        id: &str,
        change: &TeamChange,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Team, AccountError> {
        let before = self.team(id).await?;
        let mut after = before.clone();
        if let Some(name) = &change.name {
            after.name = checked_text("name", name, 100)?;
        }
        if let Some(roles) = &change.roles {
            after.roles = roles.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        }
        if let Some(audiences) = &change.audiences {
            after.audiences = checked_names("audiences", audiences)?;
        }
        if let Some(region) = &change.region {
            after.region = checked_region(region)?;
        }
        if let Some(external_id) = &change.external_id {
            after.external_id = Some(external_id.clone()).filter(|id| !id.is_empty());
        }
        if after == before {
            return Ok(before);
        }
        if let Some(other) = self.team_by_name(&after.name).await?
            && other.id != id
        {
            return Err(AccountError::Conflict(format!("there is a team `{}` already", after.name)));
        }
        sqlx::query(
            "UPDATE teams SET name = $2, roles = $3, audiences = $4, region = $5, external_id = $6, updated_at = $7 WHERE id = $1",
        )
        .bind(id)
        .bind(&after.name)
        .bind(to_json(&after.roles))
        .bind(to_json(&after.audiences))
        .bind(after.region.as_deref())
        .bind(after.external_id.as_deref())
        .bind(micros(now))
        .execute(self.database.pool())
        .await?;
        self.forget_everybody().await?;
        let roles: Vec<&str> = after.roles.iter().map(|role| role.name()).collect();
        let region = after.region.as_deref().unwrap_or("—");
        let details = format!(
            "{}, roles: {}, audiences: {}, region: {region}",
            after.name,
            roles.join(" "),
            after.audiences.join(" ")
        );
        self.note(actor, "team.changed", Some(id), &details, now).await?;
        self.team(id).await
    }

    /// Removes a team; its members stay.
    ///
    /// # Errors
    /// There is no such team.
    pub async fn remove_team(&self, id: &str, actor: &Actor, now: Timestamp) -> Result<(), AccountError> {
        let gone = self.team(id).await?;
        let mut removing = self.database.begin().await?;
        for statement in ["DELETE FROM team_members WHERE team_id = $1", "DELETE FROM teams WHERE id = $1"] {
            sqlx::query(AssertSqlSafe(statement)).bind(id).execute(&mut *removing).await?;
        }
        removing.commit().await?;
        self.forget_everybody().await?;
        self.note(actor, "team.removed", Some(id), &gone.name, now).await
    }

    /// Ids of the members of a team.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn members(&self, team: &str) -> Result<BTreeSet<String>, AccountError> {
        let rows: Vec<(String,)> = sqlx::query_as("SELECT person_id FROM team_members WHERE team_id = $1")
            .bind(team)
            .fetch_all(self.database.pool())
            .await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Puts people into a team and takes others out of it.
    ///
    /// # Errors
    /// There is no such team or person.
    pub async fn change_members(
        &self,
        team: &str,
        added: &[String],
        removed: &[String],
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        let name = self.team(team).await?.name;
        if added.len() + removed.len() > MAX_CHANGED {
            let why = format!("change {MAX_CHANGED} members at one time at most");
            return Err(AccountError::Invalid { name: "add", why });
        }
        for person in added.iter().chain(removed) {
            self.person(person).await?;
        }
        let mut changing = self.database.begin().await?;
        for person in added {
            sqlx::query("INSERT INTO team_members (id, team_id, person_id) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING")
                .bind(member_id(team, person))
                .bind(team)
                .bind(person)
                .execute(&mut *changing)
                .await?;
        }
        for person in removed {
            sqlx::query("DELETE FROM team_members WHERE id = $1")
                .bind(member_id(team, person))
                .execute(&mut *changing)
                .await?;
        }
        changing.commit().await?;
        let concerned: Vec<&str> = added.iter().chain(removed).map(String::as_str).collect();
        self.forget_people(&concerned).await?;
        for (action, people) in [("team.joined", added), ("team.left", removed)] {
            for person in people {
                self.note(actor, action, Some(person), &name, now).await?;
            }
        }
        Ok(())
    }

    /// Makes a person a member of just these teams.
    ///
    /// # Errors
    /// There is no such person or team.
    pub async fn set_teams(
        &self,
        person: &str,
        teams: &[String],
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        self.person(person).await?;
        let own = [person.to_owned()];
        let current: Vec<String> = self.teams_of(person).await?.into_iter().map(|team| team.id).collect();
        for team in teams.iter().filter(|team| !current.contains(team)) {
            self.change_members(team, &own, &[], actor, now).await?;
        }
        for team in current.iter().filter(|team| !teams.contains(team)) {
            self.change_members(team, &[], &own, actor, now).await?;
        }
        Ok(())
    }
}

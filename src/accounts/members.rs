//! Everybody at once, with what follows from roles and teams: for what concerns many.

use std::collections::{BTreeSet, HashMap};

use crate::accounts::permissions::{Permission, Role, permitted};
use crate::accounts::{AccountError, Accounts, from_json};
use crate::content::validity::{Clearance, EVERYONE, EXCEPT, NOBODY};

/// Somebody who may sign in.
#[derive(Clone, Debug)]
pub struct Member {
    /// The person's id.
    pub id: String,
    /// The name to sign in with.
    pub login: String,
    /// What others call the person.
    pub name: String,
    /// The names of the person's teams.
    pub teams: Vec<String>,
    /// All audiences the person belongs to: his own, those of his teams, the teams themselves, and the roles.
    pub audiences: Vec<String>,
    /// The regions the person works in: his own, or those of his teams; empty: any.
    pub regions: BTreeSet<String>,
    /// What is permitted.
    pub permissions: BTreeSet<Permission>,
}

impl Member {
    /// What the person may read.
    pub fn clearance(&self) -> Clearance {
        if self.permissions.contains(&Permission::ReadEverything) {
            Clearance::Everything
        } else {
            Clearance::member(self.audiences.clone())
        }
    }

    /// Whether somebody means this person by a name: the one to sign in with, what others call him, or that of a team of his.
    pub fn is_called(&self, name: &str) -> bool {
        let name = name.trim();
        let own = [&self.login, &self.name];
        own.into_iter().chain(&self.teams).any(|called| called.to_lowercase() == name.to_lowercase())
    }
}

/// A team of a person: the person's id, the team's name, roles, audiences and region.
type TeamRow = (String, String, String, String, Option<String>);

/// Id, login, name, roles, audiences and region.
type MemberRow = (String, String, String, String, String, Option<String>);

impl Accounts {
    /// Everybody who may sign in, by id.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn members_of_all(&self) -> Result<Vec<Member>, AccountError> {
        self.read_members("").await
    }

    /// Somebody who may sign in.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn member(&self, id: &str) -> Result<Option<Member>, AccountError> {
        Ok(self.read_members(id).await?.pop())
    }

    /// One, or all where no id is given.
    async fn read_members(&self, id: &str) -> Result<Vec<Member>, AccountError> {
        let teams: Vec<TeamRow> = sqlx::query_as(
            "SELECT m.person_id, t.name, t.roles, t.audiences, t.region FROM team_members m JOIN teams t ON t.id = m.team_id \
             WHERE $1 = '' OR m.person_id = $1 ORDER BY t.name",
        )
        .bind(id)
        .fetch_all(self.database.pool())
        .await?;
        let mut by_person: HashMap<&str, Vec<&TeamRow>> = HashMap::new();
        for team in &teams {
            by_person.entry(&team.0).or_default().push(team);
        }
        let people: Vec<MemberRow> = sqlx::query_as(
            "SELECT id, login, name, roles, audiences, region FROM people WHERE active = 1 AND ($1 = '' OR id = $1) ORDER BY id",
        )
        .bind(id)
        .fetch_all(self.database.pool())
        .await?;
        let member = |(id, login, name, roles, audiences, region): MemberRow| {
            let of = by_person.remove(id.as_str()).unwrap_or_default();
            let mut roles: Vec<Role> = from_json(&roles);
            roles.extend(of.iter().flat_map(|team| from_json::<Role>(&team.2)));
            let mut audiences: Vec<String> = from_json(&audiences);
            audiences.extend(roles.iter().map(|role| role.name().to_owned()));
            audiences.extend(
                of.iter().flat_map(|team| from_json::<String>(&team.3).into_iter().chain([team.1.clone()])),
            );
            audiences.retain(|name| name != NOBODY && name != EVERYONE && !name.starts_with(EXCEPT));
            let regions: BTreeSet<String> = match region {
                Some(region) => [region].into(),
                None => of.iter().filter_map(|team| team.4.clone()).collect(),
            };
            let teams = of.iter().map(|team| team.1.clone()).collect();
            Member { id, login, name, teams, audiences, regions, permissions: permitted(&roles) }
        };
        Ok(people.into_iter().map(member).collect())
    }
}

//! Sessions: who signed in, from where, for how long; and who is behind a request.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use sqlx::AssertSqlSafe;
use utoipa::ToSchema;

use crate::accounts::identity::{Identity, Who};
use crate::accounts::permissions::{Permission, Role, permitted};
use crate::accounts::secrets::{digest, secret};
use crate::accounts::{AccountError, Accounts, from_json};
use crate::content::validity::{Clearance, EVERYONE, EXCEPT, NOBODY};
use crate::database::{micros, moment};

/// How long what was looked up counts without another look. What is changed is noticed at once, and within seconds on other servers.
const LOOKED_UP: SignedDuration = SignedDuration::from_mins(5);

/// Sessions and tokens remembered; beyond, all are looked up anew.
const MAX_KNOWN: usize = 50_000;

/// How exactly it is kept when somebody was last seen.
const SEEN_EVERY: SignedDuration = SignedDuration::from_mins(5);

/// How somebody proved who he is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProvedBy {
    /// By the password.
    Password,
    /// By the password and a second factor.
    SecondFactor,
    /// By a link that was sent.
    Link,
    /// At the company's sign-on.
    SignOn,
}

impl ProvedBy {
    const NAMES: &[(&'static str, Self)] = &[
        ("password", Self::Password),
        ("second-factor", Self::SecondFactor),
        ("link", Self::Link),
        ("sign-on", Self::SignOn),
    ];

    fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }
}

/// Where somebody signs in from.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// The network address.
    pub address: String,
    /// What the browser says it is.
    pub agent: String,
}

/// A session that was just opened.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What the browser has to show from now on. It is nowhere else.
    pub secret: String,
    /// The person's id.
    pub person: String,
    /// How long it lasts at most.
    pub lasts: SignedDuration,
}

/// A session.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Session {
    /// What it is called; no secret.
    pub id: String,
    /// How the person proved who he is.
    pub proved_by: ProvedBy,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last used, to within a few minutes.
    #[schema(value_type = String, format = DateTime)]
    pub seen_at: Timestamp,
    /// From which address it was opened.
    pub address: String,
    /// What the browser said it is.
    pub agent: String,
    /// Whether it is the one that asks.
    pub is_current: bool,
}

/// What was looked up of a session or token.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) identity: Arc<Identity>,
    pub(super) at: Timestamp,
    /// Until when it counts, whatever is remembered.
    pub(super) until: Timestamp,
}

/// What is known of a person on which it depends what he may do.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) person: String,
    pub(super) roles: Vec<Role>,
    pub(super) audiences: Vec<String>,
    pub(super) region: Option<String>,
    /// Whether he has a password and no second factor, and nobody else vouches for him.
    pub(super) lacks_factor: bool,
}

type Row = (String, String, i64, i64, String, i64, String, String, String, Option<String>, i64);

/// Of `people p`: 1 where there is a password and no second factor beside it.
pub(super) const LACKS_FACTOR: &str =
    "CASE WHEN p.password IS NOT NULL AND (p.totp_secret IS NULL OR p.totp_step < 0) THEN 1 ELSE 0 END";

impl Accounts {
    /// Opens a session for a person who proved who he is.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn open_session(
        &self,
        person: &str,
        proved_by: ProvedBy,
        client: &Client,
        provider_token: Option<&str>,
        now: Timestamp,
    ) -> Result<Opened, AccountError> {
        let (secret, lasts) = (secret()?, self.rules.session_longest);
        let expires_at = now.checked_add(lasts).unwrap_or(Timestamp::MAX);
        let agent: String = client.agent.chars().filter(|c| !c.is_control()).take(300).collect();
        sqlx::query(
            "INSERT INTO sessions (id, handle, person_id, proved_by, created_at, seen_at, expires_at, address, agent, provider_token) \
             VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9)",
        )
        .bind(digest(&secret))
        .bind(self.ids.next(now))
        .bind(person)
        .bind(proved_by.name())
        .bind(micros(now))
        .bind(micros(expires_at))
        .bind(&client.address)
        .bind(agent)
        .bind(provider_token)
        .execute(self.database.pool())
        .await?;
        sqlx::query("UPDATE people SET seen_at = $2 WHERE id = $1")
            .bind(person)
            .bind(micros(now))
            .execute(self.database.pool())
            .await?;
        Ok(Opened { secret, person: person.to_owned(), lasts })
    }

    /// Who is behind the secret of a session; `None`: it is none, or not any more.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn session(&self, secret: &str, now: Timestamp) -> Result<Option<Arc<Identity>>, AccountError> {
        let id = digest(secret);
        self.notice_changes(now).await;
        if let Some(known) = self.remembered(&id, now) {
            return Ok(Some(known));
        }
        let changes = self.change_count();
        let read = || async {
            let statement = format!(
                "SELECT s.handle, s.proved_by, s.seen_at, s.expires_at, p.name, p.active, p.id, p.roles, p.audiences, p.region, \
                 {LACKS_FACTOR} FROM sessions s JOIN people p ON p.id = s.person_id WHERE s.id = $1"
            );
            let query = sqlx::query_as::<_, Row>(AssertSqlSafe(statement));
            Ok(query.bind(&id).fetch_optional(self.database.pool()).await?)
        };
        let Some(row) = self.database.patiently(read).await? else { return Ok(None) };
        let (
            handle,
            proved_by,
            seen_at,
            expires_at,
            name,
            active,
            person,
            roles,
            audiences,
            region,
            lacks_factor,
        ) = row;
        let seen_at = moment(seen_at);
        let idle_at =
            |seen_at: Timestamp| seen_at.checked_add(self.rules.session_idle).unwrap_or(Timestamp::MAX);
        if active == 0 || moment(expires_at) <= now || idle_at(seen_at) <= now {
            return Ok(None);
        }
        let mut until = moment(expires_at).min(idle_at(seen_at));
        if now.duration_since(seen_at) > SEEN_EVERY.min(self.rules.session_idle / 2) {
            until = moment(expires_at).min(idle_at(now));
            for statement in [
                "UPDATE sessions SET seen_at = $2 WHERE id = $1",
                "UPDATE people SET seen_at = $2 WHERE id = $1",
            ] {
                let whose = if statement.contains("people") { &person } else { &id };
                let query = sqlx::query(AssertSqlSafe(statement)).bind(whose).bind(micros(now));
                query.execute(self.database.pool()).await?;
            }
        }
        let who = Who::Person { id: person.as_str().into(), name: name.into(), session: handle.into() };
        // Before it is half idle it is looked up again, and so kept alive.
        let again = now.checked_add(SEEN_EVERY.min(self.rules.session_idle / 2)).unwrap_or(until);
        let until = until.min(again);
        let standing = Standing {
            person,
            roles: from_json(&roles),
            audiences: from_json(&audiences),
            region,
            lacks_factor: lacks_factor != 0 && proved_by != ProvedBy::SignOn.name(),
        };
        let identity = Arc::new(self.identity(who, standing, None).await?);
        self.remember(id, &identity, until, now, changes);
        Ok(Some(identity))
    }

    /// What somebody may do and read, by what the store says of him. `scopes`: no more than these.
    pub(super) async fn identity(
        &self,
        who: Who,
        standing: Standing,
        scopes: Option<&[Permission]>,
    ) -> Result<Identity, AccountError> {
        let Standing { person, mut roles, audiences: mut names, region, lacks_factor } = standing;
        let teams: Vec<(String, String, String, Option<String>)> = sqlx::query_as(
            "SELECT t.name, t.roles, t.audiences, t.region FROM team_members m JOIN teams t ON t.id = m.team_id \
             WHERE m.person_id = $1 ORDER BY t.name",
        )
        .bind(person)
        .fetch_all(self.database.pool())
        .await?;
        roles.extend(teams.iter().flat_map(|(_, roles, ..)| from_json::<Role>(roles)));
        let mut permissions: BTreeSet<Permission> = permitted(&roles);
        let must_add_factor = lacks_factor && roles.iter().any(|role| self.factor_roles.contains(role));
        if must_add_factor {
            permissions.clear();
        }
        if let Some(scopes) = scopes {
            permissions.retain(|permission| scopes.contains(permission));
        }
        names.extend(roles.iter().map(|role| role.name().to_owned()));
        names.extend(teams.iter().flat_map(|(name, _, audiences, _)| {
            from_json::<String>(audiences).into_iter().chain([name.clone()])
        }));
        names.retain(|name| name != NOBODY && name != EVERYONE && !name.starts_with(EXCEPT));
        let clearance = if permissions.contains(&Permission::ReadEverything) {
            Clearance::Everything
        } else {
            Clearance::member(names)
        };
        let region = region.or_else(|| teams.into_iter().find_map(|(.., region)| region));
        Ok(Identity { who, permissions, clearance, region: region.map(Into::into), must_add_factor })
    }

    pub(super) fn remembered(&self, id: &str, now: Timestamp) -> Option<Arc<Identity>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known =
            known.get(id).filter(|known| now.duration_since(known.at).abs() < LOOKED_UP && now < known.until);
        known.map(|known| Arc::clone(&known.identity))
    }

    pub(super) fn remember(
        &self,
        id: String,
        identity: &Arc<Identity>,
        until: Timestamp,
        at: Timestamp,
        changes: u64,
    ) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if changes != self.change_count() {
            // Something changed since it was read.
            return;
        }
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(id, Known { identity: Arc::clone(identity), at, until });
    }

    /// The sessions of a person, the last used first. `current`: the one that asks.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn sessions(&self, person: &str, current: Option<&str>) -> Result<Vec<Session>, AccountError> {
        let rows: Vec<(String, String, i64, i64, String, String)> = sqlx::query_as(
            "SELECT handle, proved_by, created_at, seen_at, address, agent FROM sessions WHERE person_id = $1 \
             ORDER BY seen_at DESC, handle DESC",
        )
        .bind(person)
        .fetch_all(self.database.pool())
        .await?;
        let session = |(id, proved_by, created_at, seen_at, address, agent): (
            String,
            String,
            i64,
            i64,
            String,
            String,
        )| {
            let known = ProvedBy::NAMES.iter().find(|(name, _)| *name == proved_by);
            Session {
                is_current: current == Some(id.as_str()),
                id,
                proved_by: known.map_or(ProvedBy::Password, |(_, proved_by)| *proved_by),
                created_at: moment(created_at),
                seen_at: moment(seen_at),
                address,
                agent,
            }
        };
        Ok(rows.into_iter().map(session).collect())
    }

    /// What the company's sign-on gave when a session was opened there: it is shown when one signs out.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn provider_token(&self, session: &str) -> Result<Option<String>, AccountError> {
        let row: Option<(Option<String>,)> =
            sqlx::query_as("SELECT provider_token FROM sessions WHERE handle = $1")
                .bind(session)
                .fetch_optional(self.database.pool())
                .await?;
        Ok(row.and_then(|(token,)| token))
    }

    /// Ends a session of a person.
    ///
    /// # Errors
    /// There is no such session of this person.
    pub async fn end_session(&self, person: &str, session: &str) -> Result<(), AccountError> {
        let ended = sqlx::query("DELETE FROM sessions WHERE person_id = $1 AND handle = $2")
            .bind(person)
            .bind(session)
            .execute(self.database.pool())
            .await?;
        self.forget_people(&[person]).await?;
        if ended.rows_affected() == 0 { Err(AccountError::NotFound("session")) } else { Ok(()) }
    }

    /// Ends all sessions of a person, but for one.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn end_sessions(&self, person: &str, but: Option<&str>) -> Result<u64, AccountError> {
        let ended = sqlx::query("DELETE FROM sessions WHERE person_id = $1 AND handle <> $2")
            .bind(person)
            .bind(but.unwrap_or_default())
            .execute(self.database.pool())
            .await?;
        self.forget_people(&[person]).await?;
        Ok(ended.rows_affected())
    }
}

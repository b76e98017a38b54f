//! Tokens: by them programs ask in the name of a person, within scopes, until a day.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use sqlx::AssertSqlSafe;
use utoipa::ToSchema;

use crate::accounts::audit::Actor;
use crate::accounts::identity::{Identity, Who};
use crate::accounts::permissions::Permission;
use crate::accounts::secrets::{digest, secret};
use crate::accounts::sessions::{LACKS_FACTOR, Standing};
use crate::accounts::{AccountError, Accounts, checked_text, from_json, to_json};
use crate::database::{micros, moment};

/// What tokens begin with, so that one that got into a repository or a log is recognised.
pub const PREFIX: &str = "pharos_";

/// The most days a token is good for.
pub const MAX_DAYS: i64 = 366;

/// Tokens of one person.
const MAX_TOKENS: usize = 50;

/// How exactly it is kept when a token was last used.
const USED_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Token {
    /// The id.
    pub id: String,
    /// The person in whose name it asks.
    pub person: String,
    /// What the person is called.
    pub person_name: String,
    /// What it is for.
    pub name: String,
    /// What it may be used for, as far as the person may do it.
    pub scopes: Vec<Permission>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Until when it is good.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// When it was last used, to within a minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub used_at: Option<Timestamp>,
}

type Row = (String, String, String, String, String, i64, i64, Option<i64>);

type Found = (String, String, String, i64, Option<i64>, i64, String, String, String, Option<String>, i64);

impl Accounts {
    /// Makes a token for a person, and returns it with its secret, which is nowhere else.
    ///
    /// # Errors
    /// A field is wrong, or there are too many.
    pub async fn add_token(
        &self,
        person: &str,
        name: &str,
        scopes: &[Permission],
        days: i64,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(Token, String), AccountError> {
        let name = checked_text("name", name, 100)?;
        if !(1..=MAX_DAYS).contains(&days) {
            let why = format!("must be from 1 to {MAX_DAYS}");
            return Err(AccountError::Invalid { name: "days", why });
        }
        if scopes.is_empty() {
            return Err(AccountError::Invalid { name: "scopes", why: "name at least one".to_owned() });
        }
        let good = self.tokens(Some(person)).await?.into_iter().filter(|token| token.expires_at > now);
        if good.count() >= MAX_TOKENS {
            return Err(AccountError::Conflict(format!("there are {MAX_TOKENS} tokens; remove some first")));
        }
        let mut scopes = scopes.to_vec();
        scopes.sort();
        scopes.dedup();
        let (id, secret) = (self.ids.next(now), format!("{PREFIX}{}", secret()?));
        let expires_at = now.checked_add(SignedDuration::from_hours(24 * days)).unwrap_or(now);
        sqlx::query(
            "INSERT INTO tokens (id, digest, person_id, name, scopes, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&id)
        .bind(digest(&secret))
        .bind(person)
        .bind(&name)
        .bind(to_json(&scopes))
        .bind(micros(now))
        .bind(micros(expires_at))
        .execute(self.database.pool())
        .await?;
        let named: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
        self.note(actor, "token.added", Some(person), &format!("{name}: {}", named.join(" ")), now).await?;
        let made = self.tokens(Some(person)).await?.into_iter().find(|token| token.id == id);
        Ok((made.ok_or(AccountError::NotFound("token"))?, secret))
    }

    /// The tokens of a person, or of all; the newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn tokens(&self, person: Option<&str>) -> Result<Vec<Token>, AccountError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT t.id, t.person_id, p.name, t.name, t.scopes, t.created_at, t.expires_at, t.used_at \
             FROM tokens t JOIN people p ON p.id = t.person_id WHERE t.person_id = $1 OR $2 = 1 ORDER BY t.id DESC LIMIT 1000",
        )
        .bind(person.unwrap_or_default())
        .bind(i64::from(person.is_none()))
        .fetch_all(self.database.pool())
        .await?;
        let token = |(id, person, person_name, name, scopes, created_at, expires_at, used_at): Row| Token {
            id,
            person,
            person_name,
            name,
            scopes: from_json(&scopes),
            created_at: moment(created_at),
            expires_at: moment(expires_at),
            used_at: used_at.map(moment),
        };
        Ok(rows.into_iter().map(token).collect())
    }

    /// Removes a token. `person`: only one of this person.
    ///
    /// # Errors
    /// There is no such token.
    pub async fn remove_token(
        &self,
        id: &str,
        person: Option<&str>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        let removed: Option<(String, String)> = sqlx::query_as(
            "DELETE FROM tokens WHERE id = $1 AND (person_id = $2 OR $3 = 1) RETURNING person_id, name",
        )
        .bind(id)
        .bind(person.unwrap_or_default())
        .bind(i64::from(person.is_none()))
        .fetch_optional(self.database.pool())
        .await?;
        let (person, name) = removed.ok_or(AccountError::NotFound("token"))?;
        self.forget_people(&[&person]).await?;
        self.note(actor, "token.removed", Some(&person), &name, now).await
    }

    /// Who is behind a token; `None`: it is none, or not any more.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn token(&self, secret: &str, now: Timestamp) -> Result<Option<Arc<Identity>>, AccountError> {
        if !secret.starts_with(PREFIX) {
            return Ok(None);
        }
        let digest = digest(secret);
        self.notice_changes(now).await;
        if let Some(known) = self.remembered(&digest, now) {
            return Ok(Some(known));
        }
        let changes = self.change_count();
        let read = || async {
            let statement = format!(
                "SELECT t.id, t.name, t.scopes, t.expires_at, t.used_at, p.active, p.id, p.roles, p.audiences, p.region, \
                 {LACKS_FACTOR} FROM tokens t JOIN people p ON p.id = t.person_id WHERE t.digest = $1"
            );
            let query = sqlx::query_as::<_, Found>(AssertSqlSafe(statement));
            Ok(query.bind(&digest).fetch_optional(self.database.pool()).await?)
        };
        let Some(row) = self.database.patiently(read).await? else { return Ok(None) };
        let (id, name, scopes, expires_at, used_at, active, person, roles, audiences, region, lacks_factor) =
            row;
        if active == 0 || moment(expires_at) <= now {
            return Ok(None);
        }
        if used_at.is_none_or(|used_at| now.duration_since(moment(used_at)) > USED_EVERY) {
            sqlx::query("UPDATE tokens SET used_at = $2 WHERE id = $1")
                .bind(&id)
                .bind(micros(now))
                .execute(self.database.pool())
                .await?;
        }
        let scopes: Vec<Permission> = from_json(&scopes);
        let who = Who::Token { id: id.into(), name: name.into(), person: person.as_str().into() };
        let standing = Standing {
            person,
            roles: from_json(&roles),
            audiences: from_json(&audiences),
            region,
            lacks_factor: lacks_factor != 0,
        };
        let identity = self.identity(who, standing, Some(&scopes)).await?;
        let identity = Arc::new(identity);
        self.remember(digest, &identity, moment(expires_at), now, changes);
        Ok(Some(identity))
    }
}

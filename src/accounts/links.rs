//! Links that let somebody in once: invitations, and resets of passwords.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::audit::Actor;
use crate::accounts::people::Person;
use crate::accounts::secrets::{digest, secret};
use crate::accounts::sessions::{Client, Opened, ProvedBy};
use crate::accounts::{AccountError, Accounts};
use crate::database::{micros, moment};

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// To choose the first password.
    Invitation,
    /// To choose another one.
    Reset,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Reset => "reset",
        }
    }

    /// How long it is good for.
    fn lasts(self) -> SignedDuration {
        match self {
            Self::Invitation => SignedDuration::from_hours(7 * 24),
            Self::Reset => SignedDuration::from_hours(1),
        }
    }
}

/// An invitation that was not taken up yet.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Pending {
    /// The person's id.
    pub person: String,
    /// What the person is called.
    pub name: String,
    /// What it is for.
    pub purpose: Purpose,
    /// Until when it is good.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

const GONE: AccountError =
    AccountError::Wrong("the link is wrong, was used, or has expired; ask for another one");

impl Accounts {
    /// Makes a link for a person, and returns its secret, which is nowhere else. Earlier links of the person for the same are good no more.
    ///
    /// # Errors
    /// There is no such person, or the account is locked.
    pub async fn link(
        &self,
        person: &str,
        purpose: Purpose,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<String, AccountError> {
        let person = self.person(person).await?;
        if !person.active {
            return Err(AccountError::Conflict("the account is locked".to_owned()));
        }
        let secret = secret()?;
        let expires_at = now.checked_add(purpose.lasts()).unwrap_or(now);
        let mut writing = self.database.begin().await?;
        sqlx::query("DELETE FROM links WHERE person_id = $1 AND purpose = $2")
            .bind(&person.id)
            .bind(purpose.name())
            .execute(&mut *writing)
            .await?;
        sqlx::query(
            "INSERT INTO links (id, person_id, purpose, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(digest(&secret))
        .bind(&person.id)
        .bind(purpose.name())
        .bind(micros(now))
        .bind(micros(expires_at))
        .execute(&mut *writing)
        .await?;
        writing.commit().await?;
        self.note(actor, &format!("link.{}", purpose.name()), Some(&person.id), "", now).await?;
        Ok(secret)
    }

    /// Makes all links of a person worthless.
    pub(super) async fn remove_links(&self, person: &str) -> Result<(), AccountError> {
        sqlx::query("DELETE FROM links WHERE person_id = $1")
            .bind(person)
            .execute(self.database.pool())
            .await?;
        Ok(())
    }

    /// The person a link is for.
    ///
    /// # Errors
    /// It is none, or not any more.
    pub async fn person_of_link(&self, secret: &str, now: Timestamp) -> Result<Person, AccountError> {
        let row: Option<(String, i64)> =
            sqlx::query_as("SELECT person_id, expires_at FROM links WHERE id = $1")
                .bind(digest(secret))
                .fetch_optional(self.database.pool())
                .await?;
        let (person, expires_at) = row.ok_or(GONE)?;
        let person = self.person(&person).await?;
        if moment(expires_at) <= now || !person.active { Err(GONE) } else { Ok(person) }
    }

    /// Uses a link up: the person has this password, and is signed in where the link was opened and nowhere else.
    ///
    /// # Errors
    /// The link is good no more, or the password is too weak.
    pub async fn use_link(
        &self,
        secret: &str,
        password: &str,
        client: &Client,
        now: Timestamp,
    ) -> Result<Opened, AccountError> {
        let person = self.person_of_link(secret, now).await?;
        let hash = self.checked_hash(&person, password).await?;
        let mut using = self.database.begin().await?;
        // Whoever takes the link out has it; the other one changes nothing.
        let used = sqlx::query("DELETE FROM links WHERE id = $1 AND expires_at > $2")
            .bind(digest(secret))
            .bind(micros(now))
            .execute(&mut *using)
            .await?;
        if used.rows_affected() == 0 {
            return Err(GONE);
        }
        sqlx::query("UPDATE people SET password = $2, updated_at = $3 WHERE id = $1")
            .bind(&person.id)
            .bind(hash)
            .bind(micros(now))
            .execute(&mut *using)
            .await?;
        // Whoever lost the password may have lost more: nothing that was given out before is good any more.
        for statement in [
            "DELETE FROM sessions WHERE person_id = $1",
            "DELETE FROM tokens WHERE person_id = $1",
            "DELETE FROM links WHERE person_id = $1",
        ] {
            sqlx::query(statement).bind(&person.id).execute(&mut *using).await?;
        }
        using.commit().await?;
        self.forget_people(&[&person.id]).await?;
        let actor =
            Actor { id: Some(person.id.clone()), name: person.name.clone(), address: client.address.clone() };
        self.note(&actor, "password.chosen", Some(&person.id), "by a link", now).await?;
        if person.has_second_factor {
            // A link alone does not stand for both factors.
            return Err(AccountError::SecondFactorNeeded);
        }
        self.open_session(&person.id, ProvedBy::Link, client, None, now).await
    }

    /// Links that are not used up.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn pending_links(&self, now: Timestamp) -> Result<Vec<Pending>, AccountError> {
        let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
            "SELECT p.id, p.name, l.purpose, l.expires_at FROM links l JOIN people p ON p.id = l.person_id \
             WHERE l.expires_at > $1 ORDER BY l.expires_at DESC",
        )
        .bind(micros(now))
        .fetch_all(self.database.pool())
        .await?;
        let pending = |(person, name, purpose, expires_at): (String, String, String, i64)| Pending {
            person,
            name,
            purpose: if purpose == "reset" { Purpose::Reset } else { Purpose::Invitation },
            expires_at: moment(expires_at),
        };
        Ok(rows.into_iter().map(pending).collect())
    }
}

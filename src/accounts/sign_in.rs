//! Signing in with a password, and changing it.

use jiff::Timestamp;

use crate::accounts::audit::Actor;
use crate::accounts::failures::Tried;
use crate::accounts::people::{Person, fold_login};
use crate::accounts::sessions::{Client, Opened, ProvedBy};
use crate::accounts::{AccountError, Accounts, passwords};
use crate::database::micros;

/// What is told whatever is wrong with a name or password: who has an account is nobody's business.
pub const WRONG: &str = "the name or the password is wrong";

/// What somebody signs in with.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// The login.
    pub login: String,
    /// The password.
    pub password: String,
    /// A code of the second factor, or one for recovery.
    pub code: Option<String>,
}

impl Accounts {
    /// Signs somebody in.
    ///
    /// # Errors
    /// Something is wrong, a code is needed, or too many tries failed.
    pub async fn sign_in(
        &self,
        credentials: &Credentials,
        client: &Client,
        now: Timestamp,
    ) -> Result<Opened, AccountError> {
        let login: String = fold_login(&credentials.login).chars().take(100).collect();
        let by_login = self.try_once(&Tried::login(&login, &client.address), now).await?;
        let others = [Tried::account(&login), Tried::address(&client.address)];
        let mut counted = vec![by_login.clone()];
        for tried in &others {
            match self.try_once(tried, now).await {
                Ok(more) => counted.push(more),
                Err(error) => {
                    // What was not heard is no failure.
                    for counted in &counted {
                        self.take_back(counted).await?;
                    }
                    return Err(error);
                }
            }
        }
        let row: Option<(String, String, Option<String>, i64, i64)> = sqlx::query_as(
            "SELECT id, name, password, active, CASE WHEN totp_secret IS NOT NULL AND totp_step >= 0 THEN 1 ELSE 0 END \
             FROM people WHERE login = $1",
        )
        .bind(&login)
        .fetch_optional(self.database.pool())
        .await?;
        let password = row.as_ref().and_then(|(_, _, password, ..)| password.as_deref());
        let is_right = self.is_password(&credentials.password, password).await?;
        let known = row.as_ref().map(|(id, ..)| id.clone());
        let unknown = || Actor { id: None, name: String::new(), address: client.address.clone() };
        let Some((id, name, _, active, has_factor)) = row.filter(|_| is_right) else {
            // Some type the password where the login belongs: only of a login that is one, the log tells which.
            let details = known
                .as_deref()
                .map_or_else(|| "a login nobody has".to_owned(), |_| format!("login `{login}`"));
            self.note(&unknown(), "sign-in.failed", known.as_deref(), &details, now).await?;
            return Err(AccountError::Wrong(WRONG));
        };
        let actor = Actor { id: Some(id.clone()), name, address: client.address.clone() };
        if active == 0 {
            self.note(&actor, "sign-in.failed", Some(&id), "the account is locked", now).await?;
            return Err(AccountError::Wrong(WRONG));
        }
        let mut proved_by = ProvedBy::Password;
        if has_factor != 0 {
            let Some(code) = credentials.code.as_deref().filter(|code| !code.trim().is_empty()) else {
                // The password was right: that is no failure.
                for counted in &counted {
                    self.take_back(counted).await?;
                }
                return Err(AccountError::SecondFactorNeeded);
            };
            let by_code = self.try_once(&Tried::code(&id), now).await?;
            if !self.is_code(&id, code, now).await? {
                self.note(&actor, "sign-in.failed", Some(&id), "the code was wrong", now).await?;
                return Err(AccountError::Wrong("the code is wrong, or was used already"));
            }
            self.forgive(&by_code).await?;
            proved_by = ProvedBy::SecondFactor;
        }
        for counted in &counted[1..] {
            self.take_back(counted).await?;
        }
        self.forgive(&by_login).await?;
        let opened = self.open_session(&id, proved_by, client, None, now).await?;
        self.note(&actor, "sign-in", Some(&id), "", now).await?;
        Ok(opened)
    }

    /// Gives a person a password, without asking for the one before.
    ///
    /// # Errors
    /// It is too weak, or there is no such person.
    pub async fn set_password(
        &self,
        person: &Person,
        password: &str,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        let hash = self.checked_hash(person, password).await?;
        sqlx::query("UPDATE people SET password = $2, updated_at = $3 WHERE id = $1")
            .bind(&person.id)
            .bind(hash)
            .bind(micros(now))
            .execute(self.database.pool())
            .await?;
        self.forget_people(&[&person.id]).await?;
        Ok(())
    }

    /// The hash of a password that is good enough for a person.
    ///
    /// # Errors
    /// It is too weak.
    pub(super) async fn checked_hash(&self, person: &Person, password: &str) -> Result<String, AccountError> {
        let email = person.email.as_deref().unwrap_or_default();
        passwords::check(password, &[&person.login, &person.name, email])?;
        self.hash(password).await
    }

    /// Changes the password of who asks. All sessions end; the one that is returned is new.
    ///
    /// # Errors
    /// The one before is wrong, or the new one is too weak.
    pub async fn change_password(
        &self,
        person: &str,
        before: &str,
        after: &str,
        client: &Client,
        now: Timestamp,
    ) -> Result<Opened, AccountError> {
        self.prove(person, before, now).await?;
        let person = self.person(person).await?;
        self.set_password(&person, after, now).await?;
        self.end_sessions(&person.id, None).await?;
        self.remove_links(&person.id).await?;
        let actor =
            Actor { id: Some(person.id.clone()), name: person.name.clone(), address: client.address.clone() };
        self.note(&actor, "password.changed", Some(&person.id), "", now).await?;
        self.open_session(&person.id, ProvedBy::Password, client, None, now).await
    }

    /// Asks a person who is signed in for the password once more, before what is dangerous.
    ///
    /// # Errors
    /// It is wrong, there is none, or too many tries failed.
    pub async fn prove(&self, person: &str, password: &str, now: Timestamp) -> Result<(), AccountError> {
        let row: Option<(Option<String>,)> = sqlx::query_as("SELECT password FROM people WHERE id = $1")
            .bind(person)
            .fetch_optional(self.database.pool())
            .await?;
        let (hash,) = row.ok_or(AccountError::NotFound("person"))?;
        let counted = self.try_once(&Tried::password(person), now).await?;
        if !self.is_password(password, hash.as_deref()).await? {
            return Err(AccountError::Wrong("the password is wrong"));
        }
        self.forgive(&counted).await
    }
}

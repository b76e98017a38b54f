//! People: who they are, how they prove it, and what they may do and read.

pub mod audit;
pub mod belongings;
pub mod failures;
pub mod identity;
pub mod limits;
pub mod links;
pub mod mail;
pub mod passwords;
pub mod people;
pub mod permissions;
pub mod second_factor;
pub mod secrets;
pub mod sessions;
pub mod sign_in;
pub mod sign_on;
pub mod teams;
pub mod tokens;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use sqlx::AssertSqlSafe;
use thiserror::Error;
use tokio::sync::{Semaphore, watch};

use crate::accounts::limits::Limits;
use crate::accounts::mail::Mail;
use crate::accounts::permissions::Role;
use crate::accounts::sessions::Known;
use crate::content::validity::{EVERYONE, EXCEPT, NOBODY};
use crate::database::{Database, Ids, StoreError, micros};
use crate::settings::Settings;

/// Passwords hashed at one time: each takes 19 MiB.
const HASHED_AT_ONCE: usize = 4;

/// Seconds between two looks whether somebody has got an account, or another server has changed what people may do.
const LOOK_EVERY: i64 = 2;

/// Why something about people could not be done.
#[derive(Debug, Error)]
pub enum AccountError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A field is wrong.
    #[error("`{name}`: {why}")]
    Invalid {
        /// The field.
        name: &'static str,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// There is no such person, team, token or session.
    #[error("there is no {0} with this id")]
    NotFound(&'static str),
    /// Something stands against it.
    #[error("{0}")]
    Conflict(String),
    /// Name, password, code or link are wrong. Which of them, and whether there is such a person, is not told.
    #[error("{0}")]
    Wrong(&'static str),
    /// The password is right, and a code is needed as well.
    #[error("the code of the second factor is needed")]
    SecondFactorNeeded,
    /// Too many tries failed.
    #[error("too many tries failed; the next one may be made in {0} s")]
    Locked(i64),
    /// The system gives no random numbers, or hashing failed.
    #[error("{0}")]
    System(String),
}

impl From<sqlx::Error> for AccountError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What settings say about people.
#[derive(Clone, Copy, Debug)]
struct Rules {
    /// How long a session lasts without use.
    session_idle: SignedDuration,
    /// How long a session lasts at most.
    session_longest: SignedDuration,
    /// Requests a minute of one person or token; 0 for any number.
    requests_per_minute: u32,
    /// How long entries of the audit log are kept.
    audit_kept: SignedDuration,
}

impl Rules {
    fn of(settings: &Settings) -> Self {
        let days = |days: u32| SignedDuration::from_hours(24 * i64::from(days));
        Self {
            session_idle: SignedDuration::from_mins(i64::from(settings.session_idle_minutes)),
            session_longest: days(settings.session_days),
            requests_per_minute: settings.requests_per_minute,
            audit_kept: days(settings.audit_days),
        }
    }
}

/// All people and what belongs to them.
#[derive(Debug)]
pub struct Accounts {
    database: Database,
    ids: Ids,
    rules: Rules,
    /// Sessions and tokens that were looked up lately, by the digests of their secrets.
    known: Mutex<HashMap<String, Known>>,
    /// Grows with every change of what people may do.
    changes: watch::Sender<u64>,
    has_people: AtomicBool,
    /// How often it had changed what people may do, when that was last seen; and when, in seconds since 1970.
    version: AtomicI64,
    noticed_at: AtomicI64,
    /// When it was last looked whether there are people, in seconds since 1970.
    looked_at: AtomicI64,
    hashing: Arc<Semaphore>,
    limits: Limits,
    /// Roles that need a second factor.
    factor_roles: Vec<Role>,
    mail: Option<Mail>,
}

impl Accounts {
    /// The people of a store.
    ///
    /// # Errors
    /// The store cannot be read, or the mail server's settings make no sense.
    pub async fn open(database: Database, settings: &Settings) -> Result<Self, AccountError> {
        let rules = Rules::of(settings);
        let accounts = Self {
            database,
            ids: Ids::default(),
            rules,
            known: Mutex::default(),
            has_people: AtomicBool::new(false),
            version: AtomicI64::new(0),
            noticed_at: AtomicI64::new(0),
            looked_at: AtomicI64::new(0),
            hashing: Arc::new(Semaphore::new(HASHED_AT_ONCE)),
            changes: watch::channel(0).0,
            limits: Limits::new(rules.requests_per_minute),
            factor_roles: settings.second_factor_roles.iter().filter_map(|role| Role::of(role)).collect(),
            mail: Mail::of(settings)?,
        };
        accounts.has_people().await?;
        Ok(accounts)
    }

    /// Whether nobody has an account: then nobody can sign in, and what readers may do is theirs who can reach the server.
    pub fn is_open(&self) -> bool {
        !self.has_people.load(Ordering::Relaxed)
    }

    /// Looks whether there are people. Once there are, there are.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn has_people(&self) -> Result<bool, AccountError> {
        if self.is_open() {
            let people: i64 = self.count("SELECT COUNT(*) FROM people").await?;
            self.has_people.store(people > 0, Ordering::Relaxed);
        }
        Ok(!self.is_open())
    }

    /// The same, asked of the store no more often than every few seconds.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn has_people_lately(&self, now: Timestamp) -> Result<bool, AccountError> {
        let last = self.looked_at.load(Ordering::Relaxed);
        if self.is_open() && (now.as_second() - last).abs() >= LOOK_EVERY {
            self.looked_at.store(now.as_second(), Ordering::Relaxed);
            return self.has_people().await;
        }
        Ok(!self.is_open())
    }

    /// Asks the store for nothing.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn ping(&self) -> Result<(), AccountError> {
        self.count("SELECT 1").await.map(|_| ())
    }

    /// The way to the mail server, if settings name one.
    pub fn mail(&self) -> Option<&Mail> {
        self.mail.as_ref()
    }

    /// The limits of requests.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Forgets what was looked up, here and on other servers: the next request of everybody is looked up anew.
    async fn forget_known(&self) -> Result<(), AccountError> {
        let count = || async {
            let number: i64 = sqlx::query_scalar(
                "INSERT INTO versions (id, number) VALUES ('people', 1) \
                 ON CONFLICT (id) DO UPDATE SET number = versions.number + 1 RETURNING number",
            )
            .fetch_one(self.database.pool())
            .await?;
            Ok(number)
        };
        let counted = self.database.patiently(count).await;
        if let Ok(number) = &counted {
            self.version.store(*number, Ordering::Relaxed);
        }
        self.forget_here();
        counted?;
        Ok(())
    }

    fn forget_here(&self) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.clear();
        // While the list is held: what was read before this is not remembered after it.
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Looks, every few seconds, whether another server changed what people may do.
    async fn notice_changes(&self, now: Timestamp) -> Result<(), AccountError> {
        let (second, last) = (now.as_second(), self.noticed_at.load(Ordering::Relaxed));
        let is_due = (second - last).abs() >= LOOK_EVERY
            && self.noticed_at.compare_exchange(last, second, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if is_due {
            let number: Option<i64> = sqlx::query_scalar("SELECT number FROM versions WHERE id = 'people'")
                .fetch_optional(self.database.pool())
                .await?;
            let number = number.unwrap_or_default();
            if self.version.swap(number, Ordering::Relaxed) != number {
                self.forget_here();
            }
        }
        Ok(())
    }

    /// Tells when it may be different who somebody is: whoever is heard for long is to be looked up anew.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// How many changes there have been.
    fn change_count(&self) -> u64 {
        *self.changes.borrow()
    }

    async fn count(&self, statement: &'static str) -> Result<i64, AccountError> {
        Ok(sqlx::query_scalar::<_, i64>(AssertSqlSafe(statement)).fetch_one(self.database.pool()).await?)
    }

    /// Removes what has expired: sessions, links, sign-ins, failures, and entries of the audit log that are older than they are kept.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn tidy(&self, now: Timestamp) -> Result<(), AccountError> {
        let before = |ago: SignedDuration| micros(now.checked_sub(ago).unwrap_or_default());
        let idle = before(self.rules.session_idle);
        for (statement, moment) in [
            ("DELETE FROM sessions WHERE expires_at <= $1", micros(now)),
            ("DELETE FROM sessions WHERE seen_at <= $1", idle),
            ("DELETE FROM links WHERE expires_at <= $1", micros(now)),
            ("DELETE FROM sign_ins WHERE expires_at <= $1", micros(now)),
            ("DELETE FROM failures WHERE last_at <= $1", before(failures::REMEMBERED)),
            ("DELETE FROM audit WHERE at <= $1", before(self.rules.audit_kept)),
        ] {
            sqlx::query(AssertSqlSafe(statement)).bind(moment).execute(self.database.pool()).await?;
        }
        Ok(())
    }
}

/// A list of texts as the store holds it.
fn to_json<T: serde::Serialize>(list: &[T]) -> String {
    serde_json::to_string(list).unwrap_or_else(|_| "[]".to_owned())
}

/// A list out of the store. What cannot be read of it gives nobody anything.
fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Vec<T> {
    serde_json::from_str(text).unwrap_or_default()
}

/// Checks a text people write: trimmed, not empty, not too long, without control characters.
fn checked_text(name: &'static str, text: &str, most: usize) -> Result<String, AccountError> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > most {
        return Err(AccountError::Invalid { name, why: format!("must have 1 to {most} characters") });
    }
    if text.chars().any(char::is_control) {
        return Err(AccountError::Invalid { name, why: "must stand on one line".to_owned() });
    }
    Ok(text.to_owned())
}

/// Checks names of audiences or the name of a region.
fn checked_names(name: &'static str, names: &[String]) -> Result<Vec<String>, AccountError> {
    let mut checked = Vec::new();
    for one in names {
        let one = checked_text(name, one, 100)?;
        if one.starts_with(EXCEPT) || one == EVERYONE || one == NOBODY {
            let why = format!("`{one}` is nothing one can belong to: it is for content to say");
            return Err(AccountError::Invalid { name, why });
        }
        checked.push(one);
    }
    checked.sort();
    checked.dedup();
    if checked.len() > 200 {
        return Err(AccountError::Invalid { name, why: "must be 200 at most".to_owned() });
    }
    Ok(checked)
}

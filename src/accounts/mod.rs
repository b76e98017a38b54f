//! People: who they are, how they prove it, and what they may do and read.

pub mod audit;
pub mod belongings;
pub mod failures;
pub mod identity;
pub mod limits;
pub mod links;
pub mod mail;
pub mod members;
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
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use sqlx::AssertSqlSafe;
use thiserror::Error;
use tokio::sync::{Semaphore, broadcast};

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

/// How long tokens that have ended are listed.
const TOKENS_LISTED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Rows of `versions`: the last number that was given, and what stands for everybody.
const LAST: &str = "people";
const EVERYBODY: &str = "everybody";

/// Of more people at one time, everybody is looked up anew.
const FORGOTTEN_BY_NAME: usize = 50;

/// Changes that may wait to be heard; whoever misses some takes it that they were his own.
const CHANGES_HELD: usize = 256;

/// Numbers after which a change is no more kept: by then nothing from before it is remembered anywhere.
const VERSIONS_KEPT: i64 = 10_000;

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
    /// Whose rights change; `None` for everybody's.
    changes: broadcast::Sender<Option<Arc<str>>>,
    /// How often that was.
    change_count: AtomicU64,
    has_people: AtomicBool,
    /// The highest number of a change that was seen, of any server; and when that was looked for, in seconds since 1970.
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
            changes: broadcast::channel(CHANGES_HELD).0,
            change_count: AtomicU64::new(0),
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

    /// Forgets what was looked up of some people, here and on other servers: the next request of each is looked up anew.
    async fn forget_people(&self, people: &[&str]) -> Result<(), AccountError> {
        if people.len() > FORGOTTEN_BY_NAME {
            return self.forget_everybody().await;
        }
        self.tell_servers(people).await?;
        self.forget_here(Some(people));
        Ok(())
    }

    /// Forgets all that was looked up, here and on other servers.
    async fn forget_everybody(&self) -> Result<(), AccountError> {
        self.tell_servers(&[EVERYBODY]).await?;
        self.forget_here(None);
        Ok(())
    }

    /// Gives what changed the next number there is: other servers look for numbers that are higher than the last they saw.
    async fn tell_servers(&self, whose: &[&str]) -> Result<(), AccountError> {
        const COUNT: &str = "INSERT INTO versions (id, number) VALUES ($1, 1) \
             ON CONFLICT (id) DO UPDATE SET number = versions.number + 1 RETURNING number";
        const NOTE: &str =
            "INSERT INTO versions (id, number) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET number = $2";
        let tell = || async {
            let mut telling = self.database.begin().await?;
            let number: i64 = sqlx::query_scalar(COUNT).bind(LAST).fetch_one(&mut *telling).await?;
            for id in whose {
                sqlx::query(NOTE).bind(*id).bind(number).execute(&mut *telling).await?;
            }
            telling.commit().await?;
            Ok(number)
        };
        match self.database.patiently(tell).await {
            Ok(number) => {
                // What this server did itself it need not notice, unless others did something in between.
                let order = Ordering::Relaxed;
                let _ = self.version.compare_exchange(number - 1, number, order, order);
                Ok(())
            }
            Err(error) => {
                // What is not told there counts here all the same.
                self.forget_here(None);
                Err(error.into())
            }
        }
    }

    /// Forgets what was looked up here: of some people, or of everybody.
    fn forget_here(&self, people: Option<&[&str]>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match people {
            None => known.clear(),
            Some(people) => {
                known.retain(|_, known| known.identity.person().is_none_or(|id| !people.contains(&id)));
            }
        }
        // While the list is held: what was read before this is not remembered after it.
        self.change_count.fetch_add(1, Ordering::Relaxed);
        // Nobody may be listening.
        match people {
            None => drop(self.changes.send(None)),
            Some(people) => people.iter().for_each(|id| drop(self.changes.send(Some((*id).into())))),
        }
    }

    /// Looks, every few seconds, whether another server changed what people may do. A store that does not answer changes nothing.
    async fn notice_changes(&self, now: Timestamp) {
        let (second, last) = (now.as_second(), self.noticed_at.load(Ordering::Relaxed));
        let is_due = (second - last).abs() >= LOOK_EVERY
            && self.noticed_at.compare_exchange(last, second, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if !is_due {
            return;
        }
        let seen = self.version.load(Ordering::Relaxed);
        let rows: Result<Vec<(String, i64)>, _> =
            sqlx::query_as("SELECT id, number FROM versions WHERE number > $1")
                .bind(seen)
                .fetch_all(self.database.pool())
                .await;
        let rows = rows.unwrap_or_else(|error| {
            tracing::debug!(%error, "whether other servers changed people is not known");
            Vec::new()
        });
        let Some(newest) = rows.iter().map(|(_, number)| *number).max() else { return };
        self.version.fetch_max(newest, Ordering::Relaxed);
        let people: Vec<&str> = rows.iter().map(|(id, _)| id.as_str()).filter(|id| *id != LAST).collect();
        let is_everybody = people.contains(&EVERYBODY) || people.len() > FORGOTTEN_BY_NAME;
        self.forget_here((!is_everybody).then_some(&people));
    }

    /// Tells whose rights may be different from now on, or `None` for everybody's: whoever is heard for long is to be looked up anew.
    pub fn changed(&self) -> broadcast::Receiver<Option<Arc<str>>> {
        self.changes.subscribe()
    }

    /// How many changes there have been.
    fn change_count(&self) -> u64 {
        self.change_count.load(Ordering::Relaxed)
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
            // What has ended is still listed for a while, so that one sees why a program stopped.
            ("DELETE FROM tokens WHERE expires_at <= $1", before(TOKENS_LISTED)),
        ] {
            sqlx::query(AssertSqlSafe(statement)).bind(moment).execute(self.database.pool()).await?;
        }
        sqlx::query("DELETE FROM versions WHERE id <> $1 AND number < (SELECT number FROM versions WHERE id = $1) - $2")
            .bind(LAST)
            .bind(VERSIONS_KEPT)
            .execute(self.database.pool())
            .await?;
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

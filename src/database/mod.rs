//! The store: what must not be lost and cannot be made again, in SQLite or PostgreSQL by the same statements.

pub mod dump;
pub mod migrations;
pub mod tables;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Mutex;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{Any, AnyConnection, AnyPool, Executor, Transaction};
use thiserror::Error;

use crate::settings::without_password;

/// How long one waits for a connection, and SQLite for another writer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections to PostgreSQL, or to the file of SQLite, of which one writes at a time.
const CONNECTIONS: u32 = 8;

/// How often work is tried when the store was busy or its connection lost, and the first pause between; each next is twice as long.
const TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The store's file in the data folder, where settings name no other store.
const FILE: &str = "pharos.db";

/// Why the store did not do what it should.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It cannot be opened at all.
    #[error("the store {place} cannot be opened: {why}")]
    Open {
        /// Where it is, without a password.
        place: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// It is busy or gone; the same may succeed later.
    #[error("the store does not answer: {0}")]
    Unavailable(sqlx::Error),
    /// It refused what it was told.
    #[error("the store failed: {0}")]
    Failed(sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let is_passing = match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_) => true,
            // SQLite: BUSY (5) and LOCKED (6) with their extended codes. PostgreSQL: lost connections (08), serialization (40),
            // too many connections (53), a lock or a database that is not to be had now (55), an operator's shutdown (57P).
            sqlx::Error::Database(error) => error.code().is_some_and(|code| {
                let sqlite =
                    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6)) && code.len() < 5;
                sqlite
                    || ["08", "40", "53", "55", "57P"]
                        .iter()
                        .any(|class| code.len() == 5 && code.starts_with(class))
            }),
            _ => false,
        };
        if is_passing { Self::Unavailable(error) } else { Self::Failed(error) }
    }
}

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file of SQLite.
    File(PathBuf),
    /// The address of a PostgreSQL database: `postgres://user:password@host/name`.
    Server(String),
}

impl Place {
    /// Reads a place: an address of PostgreSQL, or the path of a file.
    pub fn of(text: &str) -> Self {
        let is_server = text.starts_with("postgres://") || text.starts_with("postgresql://");
        if is_server { Self::Server(text.to_owned()) } else { Self::File(PathBuf::from(text)) }
    }

    /// The place that settings name; none is a file in the data folder.
    pub fn named(database: &str, data: &Path) -> Self {
        if database.is_empty() { Self::File(data.join(FILE)) } else { Self::of(database) }
    }

    /// For people: a password is left out.
    pub fn shown(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Server(address) => without_password(address),
        }
    }

    fn backend(&self) -> Backend {
        match self {
            Self::File(_) => Backend::Sqlite,
            Self::Server(_) => Backend::Postgres,
        }
    }

    fn address(&self) -> String {
        match self {
            Self::File(path) => {
                let path = path.to_string_lossy();
                format!("sqlite://{}?mode=rwc", utf8_percent_encode(&path, NON_ALPHANUMERIC))
            }
            Self::Server(address) => address.clone(),
        }
    }
}

/// An open store. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Database {
    pool: AnyPool,
    backend: Backend,
}

impl Database {
    /// Opens a store, makes its file where there is none, and brings its tables up to date.
    ///
    /// # Errors
    /// It cannot be reached or written, or a newer version of the program has changed it.
    pub async fn open(place: &Place) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let fault = |why: String| StoreError::Open { place: place.shown(), why };
        if let Place::File(path) = place
            && let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty())
        {
            std::fs::create_dir_all(folder).map_err(|error| {
                fault(format!("{error}; make the folder writable, or name another as `data` in pharos.toml"))
            })?;
        }
        if let Place::File(path) = place {
            make_private(path).map_err(|error| fault(error.to_string()))?;
        }
        let backend = place.backend();
        let options = AnyConnectOptions::from_str(&place.address())
            .map_err(|error| fault(format!("{error}; write it as postgres://user:password@host/name")))?;
        let pool = AnyPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .after_connect(move |connection, _| Box::pin(prepare(connection, backend)))
            .connect_with(options)
            .await
            .map_err(|error| fault(error.to_string()))?;
        let database = Self { pool, backend };
        migrations::run(&database).await.map_err(|error| fault(error.to_string()))?;
        Ok(database)
    }

    /// Which of the two it is.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Where single statements go.
    pub fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Begins a transaction that writes. In SQLite it has the right to write from its beginning: one that took it later could be refused
    /// after it has read.
    ///
    /// # Errors
    /// The store is busy or gone.
    pub async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        let transaction = match self.backend {
            Backend::Sqlite => self.pool.begin_with("BEGIN IMMEDIATE").await,
            Backend::Postgres => self.pool.begin().await,
        };
        Ok(transaction?)
    }

    /// Begins a transaction that only reads, and sees the same moment in all tables.
    ///
    /// # Errors
    /// The store is busy or gone.
    pub async fn begin_reading(&self) -> Result<Transaction<'static, Any>, StoreError> {
        let transaction = match self.backend {
            Backend::Sqlite => self.pool.begin().await,
            Backend::Postgres => {
                self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
            }
        };
        Ok(transaction?)
    }

    /// Does work that may be done again: when the store is busy or the connection was lost, it is tried anew, a few times. So work must
    /// be a transaction, or a statement that does no more when it is done twice.
    ///
    /// # Errors
    /// The last try's.
    pub async fn patiently<T, F>(&self, work: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut pause = FIRST_PAUSE;
        for _ in 1..TRIES {
            match work().await {
                Err(StoreError::Unavailable(error)) => {
                    tracing::debug!(%error, "the store is asked again");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                done => return done,
            }
        }
        work().await
    }

    /// Closes all connections, after what runs on them is done.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Makes the file of SQLite, where there is none, so that only its owner may read it: it holds what people prove themselves by. What SQLite
/// puts beside it gets the same rights.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::File::options();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    // A file from before may have been open to others.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    drop(file);
    Ok(())
}

async fn prepare(connection: &mut AnyConnection, backend: Backend) -> Result<(), sqlx::Error> {
    let settings: &[&'static str] = match backend {
        // WAL: who reads and who writes do not wait for each other. FULL: what is acknowledged outlives a power cut.
        Backend::Sqlite => &[
            "PRAGMA busy_timeout = 10000",
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            "PRAGMA foreign_keys = ON",
        ],
        Backend::Postgres => &["SET application_name = 'pharos'", "SET statement_timeout = '60s'"],
    };
    for setting in settings {
        connection.execute(*setting).await?;
    }
    Ok(())
}

/// A moment as the store holds it: microseconds since 1970.
pub fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// A moment out of the store; one that cannot be is 1970.
pub fn moment(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or_default()
}

/// Makes ids: UUIDs of version 7 (RFC 9562), which sort by the time they were made at.
#[derive(Debug, Default)]
pub struct Ids(Mutex<uuid::ContextV7>);

impl Ids {
    /// The next id, made at a moment.
    pub fn next(&self, at: Timestamp) -> String {
        let seconds = u64::try_from(at.as_second()).unwrap_or_default();
        let nanos = u32::try_from(at.subsec_nanosecond()).unwrap_or_default();
        uuid::Uuid::new_v7(uuid::Timestamp::from_unix(&self.0, seconds, nanos)).to_string()
    }

    /// The next id, which sorts behind another one though the clock was set back since.
    pub fn next_after(&self, at: Timestamp, last: Option<&str>) -> String {
        let id = self.next(at);
        let Some(last) = last.filter(|last| id.as_str() <= *last) else { return id };
        let of_last = uuid::Uuid::parse_str(last).ok().and_then(|last| last.get_timestamp());
        let (seconds, nanos) = of_last.map_or((0, 0), |at| at.to_unix());
        let seconds = i64::try_from(seconds).unwrap_or_default();
        let later = Timestamp::new(seconds, i32::try_from(nanos).unwrap_or_default()).unwrap_or(at);
        later.checked_add(SignedDuration::from_millis(1)).map_or(id, |later| self.next(later))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_told_to_nobody() {
        for (address, shown) in [
            ("postgres://anna:se%40cret@db.example.org/pharos", "postgres://anna@db.example.org/pharos"),
            ("postgres://anna@db/pharos", "postgres://anna@db/pharos"),
            ("postgres://db/pharos", "postgres://db/pharos"),
            ("postgres://a:b@c@db/pharos", "postgres://a@db/pharos"),
            ("data/pharos.db", "data/pharos.db"),
        ] {
            assert_eq!(Place::of(address).shown(), shown);
        }
        assert_eq!(Place::named("", Path::new("data")), Place::File("data/pharos.db".into()));
    }

    #[test]
    fn ids_sort_by_time() {
        let ids = Ids::default();
        let at: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let made: Vec<String> =
            (0..2_000).map(|n| ids.next(at + jiff::SignedDuration::from_micros(n * 100))).collect();
        assert!(made.is_sorted());
        let before: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
        let mut chain = made;
        for _ in 0..100 {
            chain.push(ids.next_after(before, chain.last().map(String::as_str)));
        }
        assert!(chain.is_sorted(), "{chain:?}");
    }
}

//! Migrations: how the tables of the store came to be as they are, step by step.

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, Connection, SqlSafeStr};

use crate::database::{Backend, Database, StoreError};

/// Version, what it does, and the statements. What was released is never changed: a new step is added.
const STEPS: &[(i64, &str, &str)] = &[
    (1, "first", include_str!("migrations/0001_first.sql")),
    (2, "people", include_str!("migrations/0002_people.sql")),
    (3, "editing", include_str!("migrations/0003_editing.sql")),
    (4, "review", include_str!("migrations/0004_review.sql")),
    (5, "notices", include_str!("migrations/0005_notices.sql")),
    (6, "reading", include_str!("migrations/0006_reading.sql")),
    (7, "feedback", include_str!("migrations/0007_feedback.sql")),
    (8, "feeds", include_str!("migrations/0008_feeds.sql")),
    (9, "upkeep", include_str!("migrations/0009_upkeep.sql")),
];

/// Why the tables could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// The store did not answer, or refused a statement.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The program and the store do not fit.
    #[error(
        "{0}; a newer version of Pharos may have changed it: run that one, or restore a backup of this one"
    )]
    Unfit(sqlx::migrate::MigrateError),
}

impl From<sqlx::Error> for MigrationError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Does the steps that were not done yet. Programs that start at one time do them one after the other: PostgreSQL is asked for a lock by
/// the migrator itself, SQLite by a transaction around all of it.
///
/// # Errors
/// The store does not answer, refuses a step, or has steps that this program does not know.
pub async fn run(database: &Database) -> Result<(), MigrationError> {
    let steps = STEPS.iter().map(|(version, name, sql)| {
        Migration::new(
            *version,
            (*name).into(),
            MigrationType::Simple,
            AssertSqlSafe(*sql).into_sql_str(),
            false,
        )
    });
    let migrator = Migrator::with_migrations(steps.collect());
    let mut connection = database.pool().acquire().await?;
    // `run` does the same, but its bounds keep it out of tasks.
    let done = match database.backend() {
        Backend::Postgres => migrator.run_direct(None, &mut *connection, false).await,
        Backend::Sqlite => {
            let mut all = connection.begin_with("BEGIN IMMEDIATE").await?;
            let done = migrator.run_direct(None, &mut *all, false).await;
            if done.is_ok() {
                all.commit().await?;
            }
            done
        }
    };
    done.map_err(|error| match error {
        sqlx::migrate::MigrateError::Execute(error) => error.into(),
        other => MigrationError::Unfit(other),
    })
}

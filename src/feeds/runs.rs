//! Runs of feeds: what each one found, what became of it, and who decided.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::database::{Database, Ids, StoreError, micros, moment};
use crate::feeds::FeedProblem;
use crate::feeds::plan::FeedChange;

/// The most differences that are kept of a run; all are published.
pub const KEPT_CHANGES: usize = 5_000;

/// The most problems that are kept of a run.
pub const KEPT_PROBLEMS: usize = 200;

/// The most runs that are kept of a feed.
const KEPT_RUNS: i64 = 1_000;

/// Sorts behind all ids.
const LAST_ID: &str = "~";

/// What became of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// It is under way.
    Running,
    /// Nothing is different.
    Unchanged,
    /// It is published.
    Done,
    /// It waits for a person.
    Waiting,
    /// A person said no.
    Rejected,
    /// A later run of the feed came before a person decided.
    Superseded,
    /// The source is bad, or it could not be written: nothing was changed.
    Failed,
}

impl RunState {
    const NAMES: [(&'static str, Self); 7] = [
        ("running", Self::Running),
        ("unchanged", Self::Unchanged),
        ("done", Self::Done),
        ("waiting", Self::Waiting),
        ("rejected", Self::Rejected),
        ("superseded", Self::Superseded),
        ("failed", Self::Failed),
    ];

    /// Its name in the store.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, state)| *state == self).map_or("", |(name, _)| name)
    }

    fn of(name: &str) -> Self {
        Self::NAMES.iter().find(|(known, _)| *known == name).map_or(Self::Failed, |(_, state)| *state)
    }
}

/// Somebody who decided on a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Decider {
    /// The person's id.
    pub id: Option<String>,
    /// What the person is called.
    pub name: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

/// What a run found, in short.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RunSummary {
    /// Where the source was found.
    pub source: String,
    /// Rows of the source.
    pub rows: usize,
    /// Rows that were left out.
    pub bad_rows: usize,
    /// Products that are new.
    pub added: usize,
    /// Products of which something is different.
    pub changed: usize,
    /// Products that are archived.
    pub archived: usize,
    /// Values that are different.
    pub values: usize,
    /// Why a person has to look at it; empty: nobody has to.
    pub reasons: Vec<String>,
    /// Whether it needs who may approve (`approval` of the catalogue's folder).
    pub needs_approval: bool,
    /// How many have to approve it.
    pub approvals: u8,
    /// Teams, or people by the name they sign in with, of whom they must be; empty: whoever may approve.
    pub approval_by: Vec<String>,
    /// Who confirmed or rejected it.
    pub decided: Vec<Decider>,
    /// How often the same happened once more, one run after the other.
    pub repeated: u32,
    /// The publication it became.
    pub publication: Option<String>,
    /// Microseconds from the source's first byte read to the plan.
    pub planned_us: u64,
    /// Microseconds that writing the catalogue's text took.
    pub written_us: u64,
    /// Microseconds that publishing took.
    pub published_us: u64,
}

/// A file that a run writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunFile {
    /// The file.
    pub path: String,
    /// The digest of the text that was changed.
    pub base: String,
    /// The digest of what it becomes.
    pub after: String,
}

/// What shows a value that is different.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RunUses {
    /// Ids of articles.
    pub articles: BTreeSet<String>,
    /// Ids of answer templates.
    pub templates: BTreeSet<String>,
}

/// What a run found, in full.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RunDetails {
    /// The differences, the first 5,000.
    pub changes: Vec<FeedChange>,
    /// How many there are.
    pub total_changes: usize,
    /// What is wrong with the source or its rows, the first 200.
    pub problems: Vec<FeedProblem>,
    /// How many problems there are.
    pub total_problems: usize,
    /// What it writes.
    pub files: Vec<RunFile>,
    /// What shows a value that is different.
    pub uses: RunUses,
}

/// A run of a feed.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct FeedRun {
    /// Its id; ids sort by time. Empty: it was only tried.
    pub id: String,
    /// The feed.
    pub feed: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What became of it.
    pub state: RunState,
    /// What it found, in short.
    pub summary: RunSummary,
}

/// A run in full.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct FeedRunView {
    /// The run.
    pub run: FeedRun,
    /// What it found.
    pub details: RunDetails,
}

type Row = (String, String, i64, String, String);

fn run((id, feed, at, state, summary): Row) -> FeedRun {
    let summary = serde_json::from_str(&summary).unwrap_or_default();
    FeedRun { id, feed, at: moment(at), state: RunState::of(&state), summary }
}

/// The runs in the store.
#[derive(Debug)]
pub struct Runs {
    database: Database,
    ids: Ids,
}

impl Runs {
    /// The runs of a store.
    pub fn new(database: Database) -> Self {
        Self { database, ids: Ids::default() }
    }

    /// Notes that a run begins. What it was about to do is looked at anew if the process dies in between.
    ///
    /// # Errors
    /// The store fails.
    pub async fn begin(&self, feed: &str, digest: &str, now: Timestamp) -> Result<FeedRun, StoreError> {
        let id = self.ids.next(now);
        let begin = || async {
            sqlx::query(
                "INSERT INTO feed_runs (id, feed, at, state, digest, summary, details) \
                 VALUES ($1, $2, $3, 'running', $4, '{}', '{}') ON CONFLICT (id) DO NOTHING",
            )
            .bind(&id)
            .bind(feed)
            .bind(micros(now))
            .bind(digest)
            .execute(self.database.pool())
            .await?;
            Ok(())
        };
        self.database.patiently(begin).await?;
        let (feed, summary) = (feed.to_owned(), RunSummary::default());
        Ok(FeedRun { id: id.clone(), feed, at: now, state: RunState::Running, summary })
    }

    /// Notes what a run found and what became of it. What waited of the same feed waits no more once another run changed something.
    ///
    /// # Errors
    /// The store fails.
    pub async fn end(&self, run: &FeedRun, details: Option<&RunDetails>) -> Result<(), StoreError> {
        let summary = serde_json::to_string(&run.summary).unwrap_or_default();
        let details = details.map(|details| serde_json::to_string(details).unwrap_or_default());
        let supersedes = matches!(run.state, RunState::Done | RunState::Waiting | RunState::Unchanged);
        let end = || async {
            let mut all = self.database.begin().await?;
            sqlx::query("UPDATE feed_runs SET state = $1, summary = $2 WHERE id = $3")
                .bind(run.state.name())
                .bind(&summary)
                .bind(&run.id)
                .execute(&mut *all)
                .await?;
            if let Some(details) = &details {
                sqlx::query("UPDATE feed_runs SET details = $1 WHERE id = $2")
                    .bind(details)
                    .bind(&run.id)
                    .execute(&mut *all)
                    .await?;
            }
            if supersedes {
                sqlx::query(
                    "UPDATE feed_runs SET state = 'superseded' WHERE feed = $1 AND state = 'waiting' AND id < $2",
                )
                .bind(&run.feed)
                .bind(&run.id)
                .execute(&mut *all)
                .await?;
            }
            all.commit().await?;
            Ok(())
        };
        self.database.patiently(end).await
    }

    /// Takes a waiting run to decide on it: of two who do at one time, one gets it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn take(&self, id: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE feed_runs SET state = 'running' WHERE id = $1 AND state = 'waiting'")
            .bind(id)
            .execute(self.database.pool())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Removes a run that only repeats the one before it, and counts it there.
    ///
    /// # Errors
    /// The store fails.
    pub async fn repeat(&self, run: &FeedRun, earlier: &FeedRun) -> Result<FeedRun, StoreError> {
        let mut again = earlier.clone();
        again.summary.repeated += 1;
        sqlx::query("DELETE FROM feed_runs WHERE id = $1")
            .bind(&run.id)
            .execute(self.database.pool())
            .await?;
        self.end(&again, None).await?;
        Ok(again)
    }

    /// What an earlier process left under way: publications it had begun are brought to their end by themselves, and the source is looked
    /// at anew.
    ///
    /// # Errors
    /// The store fails.
    pub async fn clear_what_was_left(&self) -> Result<(), StoreError> {
        let clear = || async {
            sqlx::query("UPDATE feed_runs SET state = 'failed', digest = '' WHERE state = 'running'")
                .execute(self.database.pool())
                .await?;
            sqlx::query(
                "DELETE FROM feed_runs WHERE state <> 'waiting' AND id IN (SELECT id FROM (\
                 SELECT id, ROW_NUMBER() OVER (PARTITION BY feed ORDER BY id DESC) AS place FROM feed_runs) ranked WHERE place > $1)",
            )
            .bind(KEPT_RUNS)
            .execute(self.database.pool())
            .await?;
            Ok(())
        };
        self.database.patiently(clear).await
    }

    /// Runs of a feed, the newest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn list(
        &self,
        feed: &str,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<FeedRun>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, feed, at, state, summary FROM feed_runs WHERE feed = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        )
        .bind(feed)
        .bind(before.unwrap_or(LAST_ID))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(self.database.pool())
        .await?;
        Ok(rows.into_iter().map(run).collect())
    }

    /// The last run of a feed that could read its source, if it read this very source in this very way.
    ///
    /// # Errors
    /// The store fails.
    pub async fn of_digest(&self, feed: &str, digest: &str) -> Result<Option<FeedRun>, StoreError> {
        let row: Option<(String, String, i64, String, String, String)> = sqlx::query_as(
            "SELECT id, feed, at, state, summary, digest FROM feed_runs WHERE feed = $1 AND digest <> '' ORDER BY id DESC LIMIT 1",
        )
        .bind(feed)
        .fetch_optional(self.database.pool())
        .await?;
        Ok(row
            .filter(|row| row.5 == digest)
            .map(|(id, feed, at, state, summary, _)| run((id, feed, at, state, summary))))
    }

    /// Notes that the source of a run is to be looked at anew.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_source(&self, id: &str) -> Result<(), StoreError> {
        let forget = || async {
            sqlx::query("UPDATE feed_runs SET digest = '' WHERE id = $1")
                .bind(id)
                .execute(self.database.pool())
                .await?;
            Ok(())
        };
        self.database.patiently(forget).await
    }

    /// The id of the run of a feed that waits for a person.
    ///
    /// # Errors
    /// The store fails.
    pub async fn waiting(&self, feed: &str) -> Result<Option<String>, StoreError> {
        let row: Option<(String,)> = sqlx::query_as(
            "SELECT id FROM feed_runs WHERE feed = $1 AND state = 'waiting' ORDER BY id DESC LIMIT 1",
        )
        .bind(feed)
        .fetch_optional(self.database.pool())
        .await?;
        Ok(row.map(|(id,)| id))
    }

    /// A run in full.
    ///
    /// # Errors
    /// The store fails.
    pub async fn find(&self, id: &str) -> Result<Option<FeedRunView>, StoreError> {
        let row: Option<(String, String, i64, String, String, String)> =
            sqlx::query_as("SELECT id, feed, at, state, summary, details FROM feed_runs WHERE id = $1")
                .bind(id)
                .fetch_optional(self.database.pool())
                .await?;
        Ok(row.map(|(id, feed, at, state, summary, details)| FeedRunView {
            run: run((id, feed, at, state, summary)),
            details: serde_json::from_str(&details).unwrap_or_default(),
        }))
    }
}

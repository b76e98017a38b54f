//! Openings: when each article was opened last, so that what nobody reads can be archived.
//!
//! They are counted in memory and kept now and then: whoever reads waits for no store, and what a crash loses is a few counts.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::ToSpan;
use jiff::civil::Date;

use crate::database::{Database, StoreError};

/// Among openings by article, the day on which counting began; no article has this id.
pub const COUNTED_SINCE: &str = "";

/// When an article was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The last day.
    pub day: Date,
    /// How often, since counting began.
    pub times: i64,
}

/// Openings of articles.
#[derive(Debug)]
pub struct Openings {
    database: Database,
    /// What the store does not know yet.
    pending: Mutex<HashMap<String, Opening>>,
}

impl Openings {
    /// The openings kept in a store.
    pub fn new(database: Database) -> Self {
        Self { database, pending: Mutex::default() }
    }

    /// Notes that an article was opened on a day.
    pub fn note(&self, article: &str, day: Date) {
        self.add(article, Opening { day, times: 1 });
    }

    fn add(&self, article: &str, more: Opening) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        match pending.get_mut(article) {
            Some(known) => *known = Opening { day: known.day.max(more.day), times: known.times + more.times },
            None => {
                pending.insert(article.to_owned(), more);
            }
        }
    }

    /// Keeps what was noted, and that it was counted on a day.
    ///
    /// # Errors
    /// The store does not answer; what was noted is kept later.
    pub async fn keep(&self, today: Date) -> Result<(), StoreError> {
        let mut pending = std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        pending.retain(|article, _| article != COUNTED_SINCE);
        let result = self.write(&pending, today).await;
        if result.is_err() {
            pending.iter().for_each(|(article, opening)| self.add(article, *opening));
        }
        result
    }

    async fn write(&self, pending: &HashMap<String, Opening>, today: Date) -> Result<(), StoreError> {
        let write = || async {
            let mut all = self.database.begin().await?;
            sqlx::query(
                "INSERT INTO openings (id, day, times) VALUES ($1, $2, 0) ON CONFLICT (id) DO NOTHING",
            )
            .bind(COUNTED_SINCE)
            .bind(number(today))
            .execute(&mut *all)
            .await?;
            // In one order, so that no two processes wait for each other.
            let mut sorted: Vec<_> = pending.iter().collect();
            sorted.sort_by_key(|(article, _)| article.as_str());
            for (article, opening) in sorted {
                sqlx::query(
                    "INSERT INTO openings (id, day, times) VALUES ($1, $2, $3) \
                     ON CONFLICT (id) DO UPDATE SET day = excluded.day, times = openings.times + excluded.times",
                )
                .bind(article)
                .bind(number(opening.day))
                .bind(opening.times)
                .execute(&mut *all)
                .await?;
            }
            all.commit().await?;
            Ok(())
        };
        self.database.patiently(write).await
    }

    /// All that is known, by article; [`COUNTED_SINCE`] stands among them.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn all(&self) -> Result<HashMap<String, Opening>, StoreError> {
        let read = || async {
            let all = sqlx::query_as::<_, (String, i64, i64)>("SELECT id, day, times FROM openings");
            Ok(all.fetch_all(self.database.pool()).await?)
        };
        let rows = self.database.patiently(read).await?;
        let mut all: HashMap<String, Opening> = rows
            .into_iter()
            .map(|(article, day, times)| (article, Opening { day: EPOCH.saturating_add(day.days()), times }))
            .collect();
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        #[expect(clippy::iter_over_hash_type, reason = "each changes its own")]
        for (article, more) in pending.iter() {
            let known = all.entry(article.clone()).or_insert(Opening { day: more.day, times: 0 });
            *known = Opening { day: known.day.max(more.day), times: known.times + more.times };
        }
        Ok(all)
    }
}

const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// A day as the store holds it.
fn number(day: Date) -> i64 {
    day.duration_since(EPOCH).as_hours() / 24
}

//! Gaps: what readers looked for and did not find, told to the editors.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use sqlx::AssertSqlSafe;
use utoipa::ToSchema;

use crate::content::catalog::Lang;
use crate::database::{Database, Ids, StoreError, micros, moment};
use crate::language::words;

/// Reports looked at to list gaps: the newest.
const MAX_REPORTS: i64 = 10_000;

/// Notes shown of one gap, the newest.
const MAX_NOTES: usize = 5;

/// Regions named of one gap.
const MAX_REGIONS: usize = 20;

/// What is read of a report, in the order of [`Row`].
const COLUMNS: &str = "query, folded, note, region, lang, at";

type Row = (String, String, Option<String>, Option<String>, Option<String>, i64);

/// What one reader did not find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What was searched for.
    pub query: String,
    /// What the reader says about it.
    pub note: Option<String>,
    /// The region it was searched in.
    pub region: Option<String>,
    /// The language of the reader's pages.
    pub lang: Option<Lang>,
    /// When.
    pub at: Timestamp,
}

/// A question without an answer, as often as it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Gap {
    /// What was searched for, as it was written last.
    pub query: String,
    /// How often it was told.
    pub times: usize,
    /// When it was first told.
    #[schema(value_type = String, format = DateTime)]
    pub first_at: Timestamp,
    /// When it was last told.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
    /// What readers say about it, the newest first.
    pub notes: Vec<String>,
    /// The regions it was searched in.
    pub regions: Vec<String>,
    /// The language of the last reader's pages.
    pub lang: Option<Lang>,
}

/// The gaps that are known.
#[derive(Debug)]
pub struct Gaps {
    database: Database,
    ids: Ids,
}

impl Gaps {
    /// The gaps kept in a store.
    pub fn new(database: Database) -> Self {
        Self { database, ids: Ids::default() }
    }

    /// Keeps a report and returns its gap.
    ///
    /// # Errors
    /// The store does not answer; the report may not be kept.
    pub async fn tell(&self, report: &Report) -> Result<Option<Gap>, StoreError> {
        let (id, folded) = (self.ids.next(report.at), fold(&report.query));
        // Told again under the same id, it is the same report.
        let keep = || async {
            sqlx::query(
                "INSERT INTO gap_reports (id, at, query, folded, note, region, lang) VALUES ($1, $2, $3, $4, $5, $6, $7) \
                 ON CONFLICT (id) DO NOTHING",
            )
            .bind(&id)
            .bind(micros(report.at))
            .bind(&report.query)
            .bind(&folded)
            .bind(report.note.as_deref())
            .bind(report.region.as_deref())
            .bind(report.lang.map(Lang::code))
            .execute(self.database.pool())
            .await?;
            Ok(())
        };
        self.database.patiently(keep).await?;
        let own = format!("SELECT {COLUMNS} FROM gap_reports WHERE folded = $1 ORDER BY id DESC LIMIT $2");
        Ok(self.read(&own, Some(&folded)).await?.pop())
    }

    /// Forgets what was told more than some days ago.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn forget(&self, now: Timestamp, days: u32) -> Result<(), StoreError> {
        let before = now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or_default();
        let forget = || async {
            let forget = sqlx::query("DELETE FROM gap_reports WHERE at <= $1").bind(micros(before));
            forget.execute(self.database.pool()).await?;
            Ok(())
        };
        self.database.patiently(forget).await
    }

    /// Gaps, those told last first.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn all(&self) -> Result<Vec<Gap>, StoreError> {
        let mut gaps =
            self.read(&format!("SELECT {COLUMNS} FROM gap_reports ORDER BY id DESC LIMIT $1"), None).await?;
        gaps.sort_by(|a, b| b.last_at.cmp(&a.last_at).then_with(|| a.query.cmp(&b.query)));
        Ok(gaps)
    }

    async fn read(&self, statement: &str, folded: Option<&str>) -> Result<Vec<Gap>, StoreError> {
        let read = || async {
            let mut query = sqlx::query_as::<_, Row>(AssertSqlSafe(statement.to_owned()));
            if let Some(folded) = folded {
                query = query.bind(folded);
            }
            Ok(query.bind(MAX_REPORTS).fetch_all(self.database.pool()).await?)
        };
        let rows = self.database.patiently(read).await?;
        Ok(gather(rows.into_iter().rev()))
    }
}

/// The same question, however it is written.
fn fold(query: &str) -> String {
    let folded: Vec<String> = words::words(query).into_iter().map(|word| word.form).collect();
    if folded.is_empty() { query.trim().to_owned() } else { folded.join(" ") }
}

/// Puts reports of the same question together; they come oldest first.
fn gather(reports: impl Iterator<Item = Row>) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for (query, folded, note, region, lang, told_at) in reports {
        let told_at = moment(told_at);
        let at = *known.entry(folded).or_insert_with(|| {
            gaps.push(Gap {
                query: String::new(),
                times: 0,
                first_at: told_at,
                last_at: told_at,
                notes: Vec::new(),
                regions: Vec::new(),
                lang: None,
            });
            gaps.len() - 1
        });
        let gap = &mut gaps[at];
        gap.query = query;
        gap.times += 1;
        gap.last_at = told_at;
        gap.lang = lang.as_deref().and_then(Lang::of);
        gap.notes.extend(note);
        let region = region.filter(|region| gap.regions.len() < MAX_REGIONS && !gap.regions.contains(region));
        gap.regions.extend(region);
    }
    for gap in &mut gaps {
        gap.notes.reverse();
        gap.notes.truncate(MAX_NOTES);
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_the_same_however_it_is_written() {
        assert_eq!(fold("Вернуть ёлку"), fold("вернуть ЕЛКУ!"));
        assert_ne!(fold("???"), fold("!!!"));
    }
}

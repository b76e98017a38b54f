//! Gaps: what readers looked for and did not find, told to the editors.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::content::catalog::Lang;
use crate::journal::Journal;
use crate::language::words;

/// Reports that are kept; the oldest go.
const MAX_REPORTS: usize = 10_000;

/// Notes shown of one gap, the newest.
const MAX_NOTES: usize = 5;

/// The journal's name in the data folder.
const JOURNAL: &str = "gaps.jsonl";

/// What one reader did not find.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

#[derive(Debug)]
struct Kept {
    journal: Journal,
    reports: Vec<Report>,
}

/// The gaps that are known.
#[derive(Debug)]
pub struct Gaps(Mutex<Kept>);

impl Gaps {
    /// The gaps kept in a data folder.
    pub fn open(data: &Path) -> Self {
        let (journal, reports) = Journal::open(data, JOURNAL, MAX_REPORTS);
        Self(Mutex::new(Kept { journal, reports }))
    }

    /// Notes a report and returns its gap. It waits for the disk.
    pub fn tell(&self, report: Report) -> Option<Gap> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.journal.append(std::slice::from_ref(&report));
        let same = fold(&report.query);
        kept.reports.push(report);
        if kept.reports.len() > MAX_REPORTS {
            kept.reports.remove(0);
        }
        let own = kept.reports.iter().filter(|known| fold(&known.query) == same);
        gather(own).pop()
    }

    /// All gaps, those told last first.
    pub fn all(&self) -> Vec<Gap> {
        let mut gaps = gather(self.0.lock().unwrap_or_else(PoisonError::into_inner).reports.iter());
        gaps.sort_by(|a, b| b.last_at.cmp(&a.last_at).then_with(|| a.query.cmp(&b.query)));
        gaps
    }
}

/// The same question, however it is written.
fn fold(query: &str) -> String {
    let folded: Vec<String> = words::words(query).into_iter().map(|word| word.form).collect();
    if folded.is_empty() { query.trim().to_owned() } else { folded.join(" ") }
}

/// Puts reports of the same question together; they come oldest first.
fn gather<'r>(reports: impl Iterator<Item = &'r Report>) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for report in reports {
        let at = *known.entry(fold(&report.query)).or_insert_with(|| {
            gaps.push(Gap {
                query: String::new(),
                times: 0,
                first_at: report.at,
                last_at: report.at,
                notes: Vec::new(),
                regions: Vec::new(),
                lang: None,
            });
            gaps.len() - 1
        });
        let gap = &mut gaps[at];
        gap.query.clone_from(&report.query);
        gap.times += 1;
        gap.last_at = report.at;
        gap.lang = report.lang;
        gap.notes.extend(report.note.clone());
        let is_new = |region: &&String| !gap.regions.contains(region);
        let region = report.region.iter().find(is_new).cloned();
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

    fn report(query: &str, note: Option<&str>) -> Report {
        let at = "2026-11-23T12:00:00Z".parse().unwrap();
        Report { query: query.to_owned(), note: note.map(str::to_owned), region: None, lang: None, at }
    }

    #[test]
    fn the_same_question_counts_up_and_outlives_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let gaps = Gaps::open(folder.path());
        gaps.tell(report("Вернуть ёлку", Some("первое")));
        let gap = gaps.tell(report("вернуть ЕЛКУ!", Some("второе"))).unwrap();
        assert_eq!((gap.times, gap.notes), (2, vec!["второе".to_owned(), "первое".to_owned()]));
        gaps.tell(report("???", None));
        let again = Gaps::open(folder.path()).all();
        assert_eq!(again.iter().map(|gap| gap.times).collect::<Vec<_>>(), [1, 2]);
    }
}

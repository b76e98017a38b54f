//! What changed, newest first; kept in a journal, so that it is known after a restart as well.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::diff::SectionChange;
use crate::journal::Journal;

/// Changes remembered; older ones are forgotten.
const MAX_CHANGES: usize = 5_000;

/// The journal's name in the data folder.
const JOURNAL: &str = "changes.jsonl";

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Happened {
    /// It is new.
    Added,
    /// It is different.
    Changed,
    /// It is gone.
    Removed,
}

/// What it happened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// An article.
    Article,
    /// An answer template.
    Template,
    /// A product of the catalogue.
    Product,
}

impl Subject {
    /// The subjects by name.
    pub const NAMES: &[(&'static str, Self)] =
        &[("article", Self::Article), ("template", Self::Template), ("product", Self::Product)];
}

/// What changed, before it is known when it is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Changed {
    /// What happened.
    pub change: Happened,
    /// To what.
    pub subject: Subject,
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Products it is about; of a product its own id.
    #[serde(default)]
    pub products: Vec<String>,
    /// What is different, part by part. Left out in events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<SectionChange>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// When it was taken up.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What is served since, as a number that only grows while the program runs.
    pub generation: u64,
    /// What it is.
    #[serde(flatten)]
    pub what: Changed,
}

impl Change {
    /// The change without what is different: for events, which only tell that something is.
    #[must_use]
    pub fn in_short(&self) -> Self {
        let what = Changed { sections: Vec::new(), ..self.what.clone() };
        Self { what, ..self.clone() }
    }
}

/// Which changes.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// At or after this moment.
    pub since: Option<Timestamp>,
    /// About one of these products.
    pub products: Vec<String>,
    /// Of one of these.
    pub subjects: Vec<Subject>,
}

/// The last changes.
#[derive(Debug)]
pub struct Changes {
    noted: RwLock<VecDeque<Arc<Change>>>,
    journal: Mutex<Journal>,
}

impl Changes {
    /// The changes that are known from earlier.
    pub fn open(data: &Path) -> Self {
        let (journal, earlier) = Journal::open::<Change>(data, JOURNAL, MAX_CHANGES);
        let noted = earlier.into_iter().rev().map(Arc::new).collect();
        Self { noted: RwLock::new(noted), journal: Mutex::new(journal) }
    }

    /// Notes changes that happened together.
    pub fn note(&self, changes: &[Change]) {
        let mut noted = self.noted.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            noted.push_front(Arc::new(change.clone()));
        }
        noted.truncate(MAX_CHANGES);
    }

    /// Writes changes that were noted to disk, and waits for it: when they are served already.
    pub fn keep(&self, changes: &[Change]) {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner).append(changes);
    }

    /// The changes asked for, newest first, and how many there are in all.
    pub fn find(&self, asked: &Asked, limit: usize) -> (Vec<Arc<Change>>, usize) {
        let fits = |change: &&Arc<Change>| {
            (asked.subjects.is_empty() || asked.subjects.contains(&change.what.subject))
                && (asked.products.is_empty()
                    || change.what.products.iter().any(|p| asked.products.contains(p)))
        };
        let noted = self.noted.read().unwrap_or_else(PoisonError::into_inner);
        let fitting = noted.iter().take_while(|c| asked.since.is_none_or(|since| c.at >= since)).filter(fits);
        let mut found: Vec<Arc<Change>> = fitting.cloned().collect();
        let total = found.len();
        found.truncate(limit);
        (found, total)
    }
}

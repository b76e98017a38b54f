//! What changed while the program ran, newest first.

use std::collections::VecDeque;
use std::sync::{PoisonError, RwLock};

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// Changes remembered; older ones are forgotten.
const MAX_CHANGES: usize = 10_000;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// An article.
    Article,
    /// An answer template.
    Template,
    /// A product of the catalogue.
    Product,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Change {
    /// When it was taken up.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What is served since, as a number that only grows.
    pub generation: u64,
    /// What happened.
    pub change: Happened,
    /// To what.
    pub subject: Subject,
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
}

/// The last changes.
#[derive(Debug, Default)]
pub struct Changes(RwLock<VecDeque<Change>>);

impl Changes {
    /// Notes changes that happened together.
    pub fn note(&self, changes: &[Change]) {
        let mut noted = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            noted.push_front(change.clone());
        }
        noted.truncate(MAX_CHANGES);
    }

    /// Changes at or after a moment, newest first, and how many there are in all.
    pub fn since(&self, since: Option<Timestamp>, limit: usize) -> (Vec<Change>, usize) {
        let noted = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let total = noted.iter().take_while(|c| since.is_none_or(|since| c.at >= since)).count();
        (noted.iter().take(total.min(limit)).cloned().collect(), total)
    }
}

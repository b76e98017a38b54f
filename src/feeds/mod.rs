//! Feeds: products and their values from other systems, read, checked, and written into the catalogue's files.

pub mod mapping;
pub mod plan;
pub mod read;
pub mod rewrite;
pub mod runs;
pub mod schedule;
pub mod source;
pub mod validate;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something wrong with a feed: where, what, and what to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FeedProblem {
    /// The line of the source, or the number of the row in JSON, from 1; 0: the source as a whole.
    pub line: u32,
    /// The column's heading; empty: the row as a whole.
    pub column: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl FeedProblem {
    /// A problem of the source as a whole.
    pub fn whole(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::at(0, "", message, hint)
    }

    /// A problem at a place.
    pub fn at(line: u32, column: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { line, column: column.to_owned(), message: message.into(), hint: hint.into() }
    }
}

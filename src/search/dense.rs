//! The place for retrieval by meaning: a model that says how near articles are to a query. None is built in; ranking asks one if it is
//! given, and takes what it says as one signal among others.

use crate::content::library::Slot;

/// Tells how near articles are to a query in meaning.
pub trait Dense: Send + Sync + std::fmt::Debug {
    /// For each article a number from 0 (far) to 1 (the same), in their order; `None` when it cannot tell in time, and ranking goes on
    /// without it.
    fn nearness(&self, query: &str, articles: &[Slot]) -> Option<Vec<f32>>;
}

//! From what was typed to an answer: read the query, find candidates rung by rung, rank, show.

pub mod answer;
pub mod candidates;
pub mod dense;
pub mod engine;
pub mod evidence;
pub mod expand;
pub mod facets;
pub mod facts;
pub mod filter;
pub mod intent;
pub mod ladder;
pub mod operators;
pub mod passage;
pub mod query;
pub mod rank;
pub mod readable;
pub mod related;
pub mod signals;
pub mod snippet;
pub mod suggest;

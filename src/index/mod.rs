//! The tantivy view of a library, kept on disk so that a start does not read everything again.

pub mod analyzer;
pub mod budget;
pub mod generation;
pub mod manifest;
pub mod reader;
pub mod schema;
pub mod vocabulary;
pub mod writer;

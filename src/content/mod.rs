//! What editors write, read from disk: no HTTP, SQL or tantivy here.

pub mod article;
pub mod catalog;
mod drawing;
pub mod eligibility;
pub mod files;
pub mod flow;
pub mod folders;
pub mod freshness;
pub mod front_matter;
pub mod library;
pub mod markdown;
pub mod pictures;
pub mod problem;
pub mod product_names;
pub mod synonyms;
pub mod validity;
pub mod values;
pub mod watch;
pub mod yaml;

//! The running whole: what is served now, and how it follows the files.

pub mod backup;
pub mod changes;
pub mod diff;
pub mod feeding;
pub mod imports;
pub mod loader;
pub mod progress;
pub mod running;
pub mod snapshot;

//! What JSON and pages share: state, errors, layers, extractors.

pub mod asker;
pub mod extract;
pub mod layers;
pub mod metrics;
pub mod problem;
pub mod routes;
pub mod state;

//! Tests that drive the real router, the real files and the real program.

#![expect(unreachable_pub, reason = "a test binary has no other crate to reach it")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and is skipped aloud"
)]

mod api;
mod browser;
mod cli;
mod codes;
mod crash;
mod damage;
mod desk;
mod desk_api;
mod editing;
mod editing_pages;
mod feeds;
mod findings;
mod generated;
mod harness;
mod importing;
mod language;
mod large;
mod leaks;
mod people;
mod people_pages;
mod properties;
mod quality;
mod reload;
mod sample;
mod sign_on;
mod store;
mod templates;
mod tidy;
mod together;
mod upkeep;

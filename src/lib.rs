//! Pharos: a knowledge base for people who answer customers while the customer waits.
//!
//! Modules stand on floors and import only from floors below; ARCHITECTURE.md has the map.

pub mod cli;

pub mod server;

pub mod api;
pub mod web;

pub mod http;

pub mod app;

pub mod accounts;
pub mod editing;
pub mod feedback;
pub mod feeds;
pub mod importing;
pub mod learning;
pub mod notices;
pub mod quality;
pub mod reading;

pub mod search;

pub mod answers;
pub mod index;

pub mod content;
pub mod database;

pub mod clock;
pub mod language;
pub mod settings;

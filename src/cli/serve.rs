//! `pharos serve`: articles, templates and search over HTTP.

use std::net::SocketAddr;
use std::process::ExitCode;

use super::say;
use crate::server;
use crate::settings::{Settings, WatchSetting};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address to serve at [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    pub(super) listen: Option<SocketAddr>,
    /// How changes of the files are noticed [default: auto]
    #[arg(long, value_enum)]
    pub(super) watch: Option<WatchSetting>,
}

pub(super) fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(server::serve(settings.clone(), |address| {
        say(&format!("Pharos is at http://{address}"))
    }))?;
    Ok(ExitCode::SUCCESS)
}

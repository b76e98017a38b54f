//! `pharos serve`.
use crate::settings::{Settings, WatchSetting};
use std::process::ExitCode;
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address to serve at
    #[arg(long, value_name = "ADDRESS")]
    pub(super) listen: Option<std::net::SocketAddr>,
    /// How changes of the files are noticed
    #[arg(long, value_enum)]
    pub(super) watch: Option<WatchSetting>,
}
pub(super) fn run(_settings: &Settings) -> anyhow::Result<ExitCode> {
    Ok(ExitCode::SUCCESS)
}

//! `pharos settings`: the settings in force.

use std::process::ExitCode;

use super::say;
use crate::settings::Resolved;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(resolved: &[Resolved], args: &Args) -> anyhow::Result<ExitCode> {
    if args.json {
        say(&serde_json::to_string_pretty(resolved)?);
        return Ok(ExitCode::SUCCESS);
    }
    let width = resolved.iter().map(|r| r.name.len() + r.value.len()).max().unwrap_or(0) + 3;
    for Resolved { name, value, from } in resolved {
        say(&format!("{:width$}  # {from}", format!("{name} = {value}")));
    }
    Ok(ExitCode::SUCCESS)
}

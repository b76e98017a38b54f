//! `pharos migrate-store`: all rows of one store carried into another.

use std::process::ExitCode;

use super::{runtime, say, with_progress};
use crate::database::{Database, Place, dump};
use crate::settings::Settings;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The store to read: a file of SQLite or postgres://user:password@host/name [default: that of the settings]
    #[arg(long, value_name = "STORE")]
    from: Option<String>,
    /// The store to fill; it must be empty
    #[arg(long, value_name = "STORE")]
    to: String,
}

pub(super) fn run(settings: &Settings, args: &Args) -> anyhow::Result<ExitCode> {
    let from = match &args.from {
        Some(text) => Place::of(text),
        None => Place::named(&settings.database, &settings.data),
    };
    let to = Place::of(&args.to);
    if let Place::File(path) = &from {
        anyhow::ensure!(path.is_file(), "there is no store {}", path.display());
    }
    let rows = with_progress("Carrying rows", |progress| {
        let work = async {
            let (source, target) = (Database::open(&from).await?, Database::open(&to).await?);
            progress.begin(dump::count(&source).await?);
            let counts = dump::copy(&source, &target, || progress.step()).await?;
            source.close().await;
            target.close().await;
            anyhow::Ok(counts.values().sum::<u64>())
        };
        runtime()?.block_on(work)
    })?;
    say(&format!("{rows} rows carried from {} to {}", from.shown(), to.shown()));
    say("Name the new store as `database` in pharos.toml, and start the server again.");
    Ok(ExitCode::SUCCESS)
}

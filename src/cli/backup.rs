//! `pharos backup` and `pharos restore`: the whole base as one file, and back.

use std::path::PathBuf;
use std::process::ExitCode;

use super::{runtime, say, shown, with_progress};
use crate::app::backup::{self, Content, Label};
use crate::clock::Clock;
use crate::database::{Database, Place};
use crate::settings::Settings;

#[derive(Debug, clap::Args)]
pub(super) struct BackupArgs {
    /// The file to write [default: pharos-DAY.tar.gz]
    file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct RestoreArgs {
    /// The backup
    file: PathBuf,
}

pub(super) fn backup(settings: &Settings, args: &BackupArgs) -> anyhow::Result<ExitCode> {
    let clock = Clock::system(settings.zone());
    let file = args.file.clone().unwrap_or_else(|| format!("pharos-{}.tar.gz", clock.today()).into());
    anyhow::ensure!(!file.exists(), "{} is there already; name another file", file.display());
    let content = content(settings);
    let label = with_progress("Backing up", |progress| {
        let work = async {
            let database = Database::open(&place(settings)).await?;
            let label = backup::write(&database, &content, clock.now(), &file, &progress).await?;
            database.close().await;
            anyhow::Ok(label)
        };
        runtime()?.block_on(work)
    })?;
    say(&format!("{} written to {}", told(&label), shown(&file)));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn restore(settings: &Settings, args: &RestoreArgs) -> anyhow::Result<ExitCode> {
    let content = content(settings);
    let label = with_progress("Restoring", |progress| {
        let work = async {
            let database = Database::open(&place(settings)).await?;
            let label = backup::restore(&database, &content, &args.file, &progress).await?;
            database.close().await;
            anyhow::Ok(label)
        };
        runtime()?.block_on(work)
    })?;
    say(&format!("{} of {} restored", told(&label), label.made_at));
    Ok(ExitCode::SUCCESS)
}

fn content(settings: &Settings) -> Content<'_> {
    Content { articles: &settings.articles, templates: &settings.templates }
}

fn place(settings: &Settings) -> Place {
    Place::named(&settings.database, &settings.data)
}

fn told(label: &Label) -> String {
    let (rows, files): (u64, u64) = (label.rows.values().sum(), label.files.values().sum());
    format!("{files} files and {rows} rows of the store")
}

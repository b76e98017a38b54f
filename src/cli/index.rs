//! `pharos index`: makes the search index anew.

use std::process::ExitCode;
use std::time::Instant;

use super::{say, shown, with_progress};
use crate::app::loader::Loader;
use crate::app::snapshot::Folders;
use crate::clock::Clock;
use crate::settings::Settings;

pub(super) fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let folders = Folders::of(settings);
    let clock = Clock::system(settings.zone());
    let engine = with_progress("Indexing", |progress| -> anyhow::Result<_> {
        Ok(Loader::create(folders, &settings.index, clock, progress)?.engine()?)
    })?;
    let articles = engine.library.articles().count();
    let sections = engine.reader.searcher.num_docs().saturating_sub(articles as u64);
    say(&format!(
        "{articles} articles, {sections} sections indexed in {:.1} s in {}",
        started.elapsed().as_secs_f64(),
        shown(&settings.index)
    ));
    Ok(ExitCode::SUCCESS)
}

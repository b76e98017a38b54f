//! `pharos import`: what other systems export becomes articles, with a report of all that was not carried.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;

use super::{say, with_progress};
use crate::app::snapshot::Folders;
use crate::clock::Clock;
use crate::importing::alike::Alike;
use crate::importing::archive::Archive;
use crate::importing::document::{Counts, State};
use crate::importing::plan::{Aim, ImportReport, Plan};
use crate::importing::write::{Written, write};
use crate::importing::{Format, prepare};
use crate::settings::Settings;

/// Losses of a kind that are shown; the report holds all.
const SHOWN: usize = 3;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A folder, a ZIP archive or a file: Markdown, HTML, DOCX, Confluence, Zendesk, MediaWiki, CSV
    source: PathBuf,
    /// The folder below the articles it goes into [default: the source's name]
    #[arg(long, value_name = "FOLDER")]
    into: Option<String>,
    /// Which kind of source it is [default: what its files tell]
    #[arg(long)]
    format: Option<Format>,
    /// Every article is a draft, which readers do not get
    #[arg(long)]
    draft: bool,
    /// Write nothing, and tell what would be
    #[arg(long)]
    dry_run: bool,
    /// Write the whole report into a file, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

pub(super) fn run(settings: &Settings, args: &Args) -> anyhow::Result<ExitCode> {
    let aim = Aim { into: into(args)?, state: args.draft.then_some(State::Draft) };
    let archive = Archive::open(&args.source)?;
    let begun = std::time::Instant::now();
    let plan = with_progress("Reading", |progress| {
        let told = |done: usize, total: usize| progress.set(done as u64, total as u64);
        prepare(&archive, args.format, &aim, &Folders::of(settings).articles, &told)
    })?;
    let written = with_progress("Writing", |progress| {
        let told = |done: usize, total: usize| progress.set(done as u64, total as u64);
        let now = Clock::system(settings.zone()).now();
        write(&plan, &archive, &settings.articles, &aim, args.dry_run, now, &told)
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    tell(&plan, &written, args.dry_run, seconds);
    if let Some(path) = &args.report {
        write_report(path, &plan.report, &written)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The folder to import into.
fn into(args: &Args) -> anyhow::Result<String> {
    let named = args.into.clone().unwrap_or_else(|| {
        let name = args.source.file_stem().map(|name| name.to_string_lossy().to_lowercase());
        name.unwrap_or_else(|| "imported".to_owned()).replace([' ', '.'], "-")
    });
    Aim::folder(&named).with_context(|| {
        format!("`{named}` is no folder below the articles: name one with --into, as support/wiki")
    })
}

fn tell(plan: &Plan, written: &Written, is_dry_run: bool, seconds: f64) {
    let ImportReport { format, articles, files, unreadable, had, carried, losses, alike } = &plan.report;
    let rate = *articles as f64 / seconds.max(0.001);
    say(&format!(
        "{articles} articles and {files} files from {format} in {seconds:.1} s ({rate:.0} articles a second)"
    ));
    let what = if is_dry_run { "would be " } else { "" };
    say(&format!(
        "{what}new: {}, updated: {}, unchanged: {}, edited since and left alone: {}, gone from the source and left: {}",
        written.new.len(),
        written.updated.len(),
        written.unchanged,
        written.edited.len(),
        written.gone.len()
    ));
    let of = |carried: usize, had: usize| format!("{carried} of {had}");
    let Counts { headings, links, images, tables, items, code } = had;
    say(&format!(
        "carried: headings {}, links {}, pictures {}, tables {}, items of lists {}, blocks of code {}",
        of(carried.headings, *headings),
        of(carried.links, *links),
        of(carried.images, *images),
        of(carried.tables, *tables),
        of(carried.items, *items),
        of(carried.code, *code)
    ));
    for (what, why) in unreadable.iter().take(SHOWN) {
        say(&format!("not read: {what}: {why}"));
    }
    if unreadable.len() > SHOWN {
        say(&format!("not read: {} more", unreadable.len() - SHOWN));
    }
    for (kind, places) in losses {
        say(&format!("not carried as it was: {kind}: {}", places.len()));
        for place in places.iter().take(SHOWN) {
            say(&format!("  {}: {}", place.path, place.what));
        }
    }
    for Alike { path, other, percent } in alike.iter().take(SHOWN) {
        say(&format!("{percent} % the same: {path} and {other}"));
    }
    if alike.len() > SHOWN {
        say(&format!("the same or nearly: {} more", alike.len() - SHOWN));
    }
    for path in written.edited.iter().take(SHOWN) {
        say(&format!("edited since, left alone: {path}"));
    }
}

fn write_report(path: &Path, report: &ImportReport, written: &Written) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(&json!({"report": report, "written": written}))?;
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

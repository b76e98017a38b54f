//! `pharos feed`: products and their values brought into the catalogue from the command line.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Subcommand;

use super::{check, say};
use crate::accounts::Accounts;
use crate::app::changes::Changes;
use crate::app::feeding::{Feeding, run_on_files};
use crate::app::running::{App, Options};
use crate::app::snapshot::Folders;
use crate::clock::Clock;
use crate::database::{Database, Place};
use crate::editing::Editing;
use crate::feeds::FeedProblem;
use crate::feeds::plan::FeedChange;
use crate::feeds::runs::{FeedRunView, RunDetails, RunState, RunSummary};
use crate::feeds::source;
use crate::settings::{FeedColumn, FeedFormat, FeedSettings, MissingProducts, Settings};

/// How often it is looked whether the content is loaded.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The most differences that are printed.
const PRINTED: usize = 200;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a feed of the settings; a server that runs on the same folders does it by itself
    Run {
        /// The feed's name
        name: String,
        /// Only tell what would change
        #[arg(long)]
        dry_run: bool,
        /// Run a source once more that was run already
        #[arg(long)]
        again: bool,
    },
    /// Take products and their values once from a CSV, XLSX or JSON file into a family of the catalogue
    Import(Box<ImportArgs>),
}

#[derive(Debug, clap::Args)]
struct ImportArgs {
    /// The file
    file: String,
    /// The family, as its file names it
    #[arg(long)]
    family: String,
    /// What a column sets, as 'Price=price' or 'SKU=id'; given again for each column
    #[arg(long = "map", value_name = "COLUMN=TARGET", required = true)]
    map: Vec<String>,
    /// How the file is written [default: told by its bytes]
    #[arg(long, value_enum)]
    format: Option<FeedFormat>,
    /// The encoding, as windows-1251 [default: told by the bytes]
    #[arg(long, default_value = "")]
    encoding: String,
    /// What parts fields of CSV [default: told by the first lines]
    #[arg(long, default_value = "")]
    delimiter: String,
    /// The sheet of a workbook [default: the first]
    #[arg(long, default_value = "")]
    sheet: String,
    /// Where the list of rows stands in JSON, as /data/items
    #[arg(long, default_value = "")]
    rows: String,
    /// What becomes of products that the file does not name
    #[arg(long, value_enum, default_value = "leave")]
    missing: MissingProducts,
    /// Only tell what would change
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(settings: &Settings, args: &Args) -> anyhow::Result<ExitCode> {
    let (name, dry_run, again) = match &args.command {
        Command::Run { name, dry_run, again } => (name, dry_run, again),
        Command::Import(args) => return import(settings, args),
    };
    let names: Vec<&str> = settings.feeds.iter().map(|feed| feed.name.as_str()).collect();
    let feed = settings.feeds.iter().find(|feed| feed.name == *name);
    let feed = feed.with_context(|| {
        format!("there is no feed `{name}` in the settings; there are: {}", names.join(", "))
    })?;
    bring(settings, feed, *dry_run, *again)
}

fn import(settings: &Settings, args: &ImportArgs) -> anyhow::Result<ExitCode> {
    let mut columns = Vec::new();
    for pair in &args.map {
        let (column, sets) =
            pair.rsplit_once('=').with_context(|| format!("`{pair}`: write --map 'COLUMN=TARGET'"))?;
        columns.push(FeedColumn {
            column: column.trim().to_owned(),
            sets: sets.trim().to_owned(),
            ..FeedColumn::default()
        });
    }
    anyhow::ensure!(
        columns.iter().any(|column| column.sets == "id"),
        "one column must set `id`: --map 'SKU=id'"
    );
    let feed = FeedSettings {
        name: "import".to_owned(),
        source: args.file.clone(),
        family: args.family.clone(),
        format: args.format,
        encoding: args.encoding.clone(),
        delimiter: args.delimiter.clone(),
        sheet: args.sheet.clone(),
        rows: args.rows.clone(),
        columns,
        missing: args.missing,
        ..FeedSettings::default()
    };
    bring(settings, &feed, args.dry_run, true)
}

fn bring(settings: &Settings, feed: &FeedSettings, dry_run: bool, again: bool) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if !dry_run {
        return runtime.block_on(publish(settings, feed, again));
    }
    let fetched = match runtime.block_on(source::fetch(feed)) {
        Ok(fetched) => fetched,
        Err(problem) => return Ok(refuse(&[problem])),
    };
    let folders = Folders::of(settings);
    let (library, templates) = check::load(&folders, &Clock::system(settings.zone()));
    match run_on_files(&fetched, feed, &folders.articles, &library, &templates) {
        Ok((summary, details)) => {
            print(&summary, &details);
            Ok(if summary.reasons.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Err(problems) => Ok(refuse(&problems)),
    }
}

/// Runs a feed as a server does: with history, and held back where a person has to look at it.
async fn publish(settings: &Settings, feed: &FeedSettings, again: bool) -> anyhow::Result<ExitCode> {
    let database = Database::open(&Place::named(&settings.database, &settings.data)).await?;
    let accounts = Arc::new(Accounts::open(database.clone(), settings).await?);
    let options = Options::of(settings);
    let folders = [options.folders.articles.clone(), options.folders.templates.clone()];
    let app = App::start(options, Changes::open(database.clone()).await?);
    while app.snapshot().is_none() {
        if let Some(why) = app.failure() {
            app.stop();
            anyhow::bail!(
                "{why}; where a server runs on these folders, ask it: POST /api/v1/feeds/{}/run",
                feed.name
            );
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    let editing = Arc::new(Editing::open(database.clone(), folders, app.remote(), settings.git).await?);
    let feeds = [feed.clone()];
    let feeding = Feeding::new(&feeds, database.clone(), Arc::clone(&app), editing, accounts);
    let ran = feeding.run(&feed.name, again).await;
    let view = match ran {
        Ok(run) => feeding.view(&run.id).await,
        Err(error) => Err(error),
    };
    app.stop();
    app.changes.finish().await;
    database.close().await;
    let FeedRunView { run, details } = view?;
    print(&run.summary, &details);
    say(&format!("{} is {}", feed.name, run.state.name()));
    if run.state == RunState::Waiting {
        say(&format!("look at it and confirm it at /feeds/{}", run.id));
    }
    let is_good = matches!(run.state, RunState::Done | RunState::Unchanged);
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn refuse(problems: &[FeedProblem]) -> ExitCode {
    problems.iter().take(PRINTED).for_each(tell);
    ExitCode::FAILURE
}

fn tell(problem: &FeedProblem) {
    let place = match (problem.line, problem.column.as_str()) {
        (0, "") => String::new(),
        (0, column) => format!("`{column}`: "),
        (line, "") => format!("line {line}: "),
        (line, column) => format!("line {line}, `{column}`: "),
    };
    say(&format!("error: {place}{}\n    {}", problem.message, problem.hint));
}

fn print(summary: &RunSummary, details: &RunDetails) {
    details.problems.iter().for_each(tell);
    for change in details.changes.iter().take(PRINTED) {
        say(&line_of(change));
    }
    if details.total_changes > PRINTED {
        say(&format!("… {} differences in all", details.total_changes));
    }
    let RunSummary { rows, bad_rows, added, changed, archived, .. } = summary;
    say(&format!(
        "{rows} rows, {bad_rows} wrong: {added} products added, {changed} changed, {archived} archived"
    ));
    let (articles, templates) = (&details.uses.articles, &details.uses.templates);
    say(&format!("shown in {} articles and {} templates", articles.len(), templates.len()));
    for reason in &summary.reasons {
        say(&format!("waits for a person: {reason}"));
    }
}

fn line_of(change: &FeedChange) -> String {
    let FeedChange { product, attribute, old, new, percent, .. } = change;
    let name = if attribute.is_empty() { product.clone() } else { format!("{product}.{attribute}") };
    let percent = percent.map_or_else(String::new, |percent| format!(" ({percent:+.1} %)"));
    match (old, new) {
        (None, None) => format!("{name}: {:?}", change.change).to_lowercase(),
        (old, new) => {
            let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
            format!("{name}: {} -> {}{percent}", shown(old), shown(new))
        }
    }
}

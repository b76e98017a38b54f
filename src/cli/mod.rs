//! The command line: one file a command.

mod backup;
mod check;
mod eval;
mod export;
mod feed;
mod import;
mod index;
mod labelled;
mod learn;
mod migrate_store;
mod new;
mod people;
mod search;
mod serve;
mod settings;
mod words;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use indicatif::{ProgressBar, ProgressStyle};
use tracing_subscriber::EnvFilter;

use crate::app::progress::Progress;
use crate::settings::{Flags, LogFormat, Settings};

/// A knowledge base for people who answer customers while the customer waits.
#[derive(Debug, Parser)]
#[command(name = "pharos", version, about, long_about = None, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Settings file [default: pharos.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the articles, templates and search
    Serve(serve::Args),
    /// List everything that is wrong with the content; fails when there are errors
    Check(check::Args),
    /// Search from the command line, as the API would
    Search(search::Args),
    /// Make the search index anew
    Index,
    /// Measure search on a labelled set
    Eval(eval::Args),
    /// Learn the weights of the ranking signals on labelled sets
    Learn(learn::Args),
    /// List the word families found in the articles, for editors to part those that do not belong together
    Words,
    /// Add people, let them in again, list them
    People(people::Args),
    /// Write a new article or template from a skeleton
    New(new::Args),
    /// Take over what another system exported; importing the same again updates it
    Import(import::Args),
    /// Write everything as Markdown, as a site that needs no server, or as JSON lines
    Export(export::Args),
    /// Bring products and their values from another system into the catalogue
    Feed(feed::Args),
    /// Write the whole base into one file: store, articles, templates; a server may run meanwhile
    Backup(backup::BackupArgs),
    /// Restore a backup into an empty store and empty folders
    Restore(backup::RestoreArgs),
    /// Carry all rows of one store into another, as from SQLite to PostgreSQL
    MigrateStore(migrate_store::Args),
    /// Show the settings in force and where each came from
    Settings(settings::Args),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Runs the command line of the process.
pub fn run() -> ExitCode {
    let mut cli = Cli::parse();
    match dispatch(&mut cli) {
        Ok(code) => code,
        Err(error) => {
            say_error(&format!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}

fn dispatch(cli: &mut Cli) -> anyhow::Result<ExitCode> {
    if let Command::Completions { shell } = cli.command {
        clap_complete::generate(shell, &mut Cli::command(), "pharos", &mut std::io::stdout());
        return Ok(ExitCode::SUCCESS);
    }
    if let Command::Serve(args) = &cli.command {
        cli.flags.listen = args.listen;
        cli.flags.watch = args.watch;
    }
    let (settings, resolved) = Settings::load(cli.config.as_deref(), &cli.flags)?;
    start_log(&settings, matches!(cli.command, Command::Serve(_)));
    match &cli.command {
        Command::Serve(_) => serve::run(&settings),
        Command::Check(args) => check::run(&settings, args),
        Command::Search(args) => search::run(&settings, args),
        Command::Index => index::run(&settings),
        Command::Eval(args) => eval::run(&settings, args),
        Command::Learn(args) => learn::run(&settings, args),
        Command::Words => words::run(&settings),
        Command::New(args) => new::run(&settings, args),
        Command::Export(args) => export::run(&settings, args),
        Command::Feed(args) => feed::run(&settings, args),
        Command::People(args) => people::run(&settings, args),
        Command::Import(args) => import::run(&settings, args),
        Command::Backup(args) => backup::backup(&settings, args),
        Command::Restore(args) => backup::restore(&settings, args),
        Command::MigrateStore(args) => migrate_store::run(&settings, args),
        Command::Settings(args) => settings::run(&resolved, args),
        Command::Completions { .. } => Ok(ExitCode::SUCCESS),
    }
}

/// The log goes to standard error. Commands other than `serve` say only what went wrong, unless asked for more.
fn start_log(settings: &Settings, is_server: bool) {
    let wanted = if is_server || settings.log != "info" { settings.log.as_str() } else { "warn" };
    let filter = EnvFilter::try_new(wanted).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // A second start in one process (tests) keeps the first log.
    let _ = match settings.log_format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    };
}

/// Prints a line for the person or program that called. A closed pipe ends the program quietly.
fn say(line: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{line}").is_err() {
        std::process::exit(0);
    }
}

fn say_error(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Runs work with a progress bar over its counts; no bar when standard error is no terminal.
fn with_progress<T>(label: &'static str, work: impl FnOnce(Arc<Progress>) -> T) -> T {
    let progress = Arc::new(Progress::default());
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(label);
    let (watched, shown) = (Arc::clone(&progress), bar.clone());
    let (done, waited) = std::sync::mpsc::channel::<()>();
    let painter = std::thread::spawn(move || {
        while waited.recv_timeout(Duration::from_millis(100))
            == Err(std::sync::mpsc::RecvTimeoutError::Timeout)
        {
            let (at, total) = watched.counts();
            shown.set_length(total);
            shown.set_position(at);
        }
    });
    let result = work(progress);
    drop(done);
    let _ = painter.join();
    bar.finish_and_clear();
    result
}

/// The runtime for commands that ask the store.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// A folder's canonical path, for messages.
fn shown(path: &std::path::Path) -> String {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// Reads a text file named on the command line.
fn read_text(path: &std::path::Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

//! `pharos search`: a search from the command line.

use std::process::ExitCode;

use anyhow::Context;

use super::{say, with_progress};
use crate::app::loader::{self, Loader};
use crate::app::snapshot::Folders;
use crate::clock::Clock;
use crate::content::validity::Clearance;
use crate::content::yaml::parse_date;
use crate::index::generation::IndexError;
use crate::search::engine::{Engine, Reply, Request};
use crate::search::filter::Filter;
use crate::settings::Settings;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What to search for
    query: String,
    /// Articles to show
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=100))]
    limit: u16,
    /// Only what is in force in this region
    #[arg(long)]
    region: Option<String>,
    /// Only what is in force on this day (2026-12-31) [default: today]
    #[arg(long, value_parser = |s: &str| parse_date(s))]
    as_of: Option<jiff::civil::Date>,
    /// Take the query exactly as it is: no synonyms, no corrections
    #[arg(long)]
    verbatim: bool,
    /// Tell how the query was read and what each signal adds to a score
    #[arg(long)]
    explain: bool,
    /// Print the reply of the API
    #[arg(long)]
    json: bool,
}

pub(super) fn run(settings: &Settings, args: &Args) -> anyhow::Result<ExitCode> {
    let clock = Clock::system(settings.zone());
    let engine = open(settings, &clock)?;
    let day = args.as_of.unwrap_or_else(|| clock.today());
    let filter = Filter { region: args.region.clone(), ..Filter::on(day) }.with(Clearance::Everything);
    let reply = engine.search(&Request {
        limit: usize::from(args.limit),
        verbatim: args.verbatim,
        explain: args.explain,
        ..Request::new(&args.query, filter)
    })?;
    if args.json {
        say(&serde_json::to_string_pretty(&reply)?);
    } else {
        print(&reply);
    }
    Ok(if reply.hits.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The index, brought up to the files; as it stands when a server keeps it up.
pub(super) fn open(settings: &Settings, clock: &Clock) -> anyhow::Result<Engine> {
    let folders = Folders::of(settings);
    let opened = with_progress("Indexing", |progress| {
        Loader::open(folders.clone(), &settings.index, clock.clone(), progress)
    });
    match opened {
        Ok(loader) => Ok(loader.engine()?),
        Err(IndexError::Locked(_)) => loader::open_as_it_is(&folders, &settings.index, clock.today())
            .context("another pharos keeps the index and has not finished it yet"),
        Err(error) => Err(error.into()),
    }
}

fn print(reply: &Reply) {
    for correction in &reply.query.corrections {
        say(&format!("read as: {} → {} ({:?})", correction.from, correction.to, correction.why));
    }
    for word in &reply.query.words {
        let readings = word.readings.iter().map(|r| format!(" | {} {:.2} {:?}", r.form, r.weight, r.why));
        let readings: String = readings.collect();
        say(&format!("word: {} → {} in {} sections{readings}", word.form, word.lemma, word.sections));
    }
    if let Some(answer) = &reply.answer {
        say(&format!("» {}", answer.text.replace('\n', "\n» ")));
        let from = answer.article.as_deref().unwrap_or("the catalogue");
        say(&format!("  {from}#{}\n", answer.section));
    }
    for (number, hit) in reply.hits.iter().enumerate() {
        let heading = if hit.heading.is_empty() || hit.heading == hit.title {
            String::new()
        } else {
            format!(" › {}", hit.heading)
        };
        say(&format!("{:2}. {}{heading}", number + 1, hit.title));
        let snippet = hit.snippet_html.replace("<mark>", "[").replace("</mark>", "]");
        say(&format!("    {}#{}  {:.2}  {:?}\n    {snippet}", hit.article, hit.section, hit.score, hit.rung));
        for share in &hit.signals {
            say(&format!(
                "      {:+.3} = {:.3} × {:.2}  {:?}",
                share.adds, share.weight, share.value, share.signal
            ));
        }
    }
    say(&format!("{} articles in {:.1} ms", reply.total, reply.took_us as f64 / 1000.0));
}

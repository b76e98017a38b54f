//! `pharos words`: the derivational families that search takes for one another, as YAML.

use std::process::ExitCode;

use super::{say, search};
use crate::clock::Clock;
use crate::content::validity::Clearance;
use crate::search::expand::Expander;
use crate::search::readable::Readable;
use crate::settings::Settings;

pub(super) fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let engine = search::open(settings, &Clock::system(settings.zone()))?;
    let words = Readable::whole(&engine.reader);
    let expander = Expander { words, clearance: &Clearance::Everything, catalog: &engine.library.catalog };
    say("# Each word, and those that are looked for as well when it alone finds little.");
    say("# To part a word from its family, name it under `apart:` in articles/synonyms.yaml.");
    for family in expander.families()? {
        say(&format!("- [{}]", family.join(", ")));
    }
    Ok(ExitCode::SUCCESS)
}

//! Labelled sets: queries with judgements, and an engine over the articles they are about.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;

use super::read_text;
use crate::answers::templates::Templates;
use crate::app::loader::Loader;
use crate::app::progress::Progress;
use crate::app::snapshot::Folders;
use crate::clock::Clock;
use crate::content::article::Article;
use crate::content::catalog::{Catalog, Lang};
use crate::content::folders::FolderFiles;
use crate::content::front_matter::{FrontMatter, Located};
use crate::content::library::{Library, Source};
use crate::content::problem::{Position, Report};
use crate::index::generation::Generation;
use crate::index::manifest::Checkpoint;
use crate::index::writer::{Pace, Writer};
use crate::search::engine::Engine;
use crate::settings::Settings;

/// Judgements by query: documents and their grades above zero.
pub(super) type Judgements = HashMap<String, HashMap<String, f64>>;

/// Parts a set in two by a hash of the query's id: one to tune on, one to report.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub(super) enum Half {
    /// To tune on.
    Even,
    /// To report.
    Odd,
}

impl Half {
    /// Whether a query is of this half.
    pub(super) fn holds(self, id: &str) -> bool {
        let is_odd = blake3::hash(id.as_bytes()).as_bytes()[0] % 2 == 1;
        is_odd == (self == Self::Odd)
    }
}

#[derive(Deserialize)]
pub(super) struct Document {
    id: String,
    #[serde(default)]
    title: String,
    text: String,
    lang: Option<Lang>,
}

/// A query of a set.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct LabelledQuery {
    /// Its id.
    pub(super) id: String,
    /// What is typed.
    pub(super) text: String,
    /// What it is for: language, typo, code…
    #[serde(default)]
    pub(super) slice: Option<String>,
}

/// Lines of JSON.
pub(super) fn read_lines<T: for<'de> Deserialize<'de>>(path: &Path) -> anyhow::Result<Vec<T>> {
    let text = read_text(path)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| {
            serde_json::from_str(line).with_context(|| format!("{}:{}", path.display(), at + 1))
        })
        .collect()
}

/// Judgements as lines "query document grade", parted by tabs.
pub(super) fn read_judgements(path: &Path) -> anyhow::Result<Judgements> {
    let mut judgements = Judgements::new();
    for (at, line) in read_text(path)?.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [query, document, grade] = fields[..] else {
            bail!("{}:{}: three fields parted by tabs are expected", path.display(), at + 1)
        };
        let Ok(grade) = grade.trim().parse::<f64>() else {
            // A line of column names may head the file.
            ensure!(at == 0, "{}:{}: the grade `{grade}` is no number", path.display(), at + 1);
            continue;
        };
        if grade > 0.0 {
            judgements.entry(query.to_owned()).or_default().insert(document.to_owned(), grade);
        }
    }
    Ok(judgements)
}

/// An engine in memory over documents of a set.
pub(super) fn engine_of_lines(
    documents: Vec<Document>,
    clock: &Clock,
    progress: &Progress,
) -> anyhow::Result<Engine> {
    let generation = Generation::in_memory()?;
    let mut writer = Writer::new(generation.index.clone(), generation.fields, Pace::Bulk)?;
    let catalog = Arc::new(Catalog::of(BTreeMap::new(), &FolderFiles::default()));
    let day = clock.today();
    let mut library = Library::of(Vec::new(), FolderFiles::default(), Arc::clone(&catalog), day);
    progress.begin(documents.len());
    for document in documents {
        let title = (!document.title.is_empty())
            .then(|| Located { text: document.title.into(), at: Position::default() });
        let matter = FrontMatter { title, lang: document.lang, ..FrontMatter::default() };
        let path = format!("{}.md", document.id);
        let mut parsed = Article::assemble(&path, matter, &document.text, 1, &mut Report::new(&path));
        // Ids of labelled sets are taken as they are.
        parsed.article.id = document.id;
        let slot = library.put(Source::made(parsed.article.clone()));
        writer.put(slot, &parsed, &catalog, day)?;
        progress.step();
    }
    writer.commit(&Checkpoint {
        format: String::new(),
        log: String::new(),
        length: 0,
        hash: String::new(),
    })?;
    writer.merge(1)?;
    Ok(Engine::new(Arc::new(library), generation.latest()?, Arc::new(Templates::default())))
}

/// An engine over the articles folder, its index made anew for this.
pub(super) fn engine_of_folder(
    settings: &Settings,
    clock: &Clock,
    progress: Arc<Progress>,
) -> anyhow::Result<Engine> {
    ensure!(settings.articles.is_dir(), "there is no folder {}", settings.articles.display());
    let index = std::env::temp_dir().join(format!("pharos-eval-{}", std::process::id()));
    let made =
        Loader::create(Folders::of(settings), &index, clock.clone(), progress).and_then(|l| l.engine());
    // The open files stay readable; nothing is left behind.
    let _ = std::fs::remove_dir_all(&index);
    Ok(made?)
}

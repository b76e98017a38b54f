//! Old knowledge moves in: what other systems export becomes articles.

mod addresses;
pub mod alike;
pub mod archive;
pub mod blocks;
pub mod confluence;
pub mod counts;
pub mod document;
pub mod docx;
pub mod html;
pub mod markdown;
pub mod mediawiki;
pub mod plan;
pub mod table;
pub mod write;
pub mod xml;
pub mod zendesk;

use clap::ValueEnum;

use crate::content::files::Folder;
use crate::importing::archive::Archive;
use crate::importing::document::{Counts, Found, Loss};
use crate::importing::plan::{Aim, Plan};
use crate::importing::write::{ImportRecord, WriteError};

/// Why a source is not imported.
#[derive(Debug, thiserror::Error)]
#[error(
    "nothing in the source is of a kind that can be read: Markdown, HTML, DOCX, exports of Confluence, Zendesk and MediaWiki, CSV; name one with --format if it is"
)]
pub struct UnknownFormat;

/// The kinds of sources, those first that are told by more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The export of a Confluence space, XML or HTML.
    Confluence,
    /// Articles of a Zendesk help centre, as JSON.
    Zendesk,
    /// The XML dump of a MediaWiki.
    Mediawiki,
    /// Markdown, as Obsidian, Hugo, Docusaurus, MkDocs and others write it.
    Markdown,
    /// DOCX files.
    Docx,
    /// HTML pages, or the copy of a site.
    Html,
    /// A table with an article a row.
    Table,
}

impl Format {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Confluence => "Confluence",
            Self::Zendesk => "Zendesk",
            Self::Mediawiki => "MediaWiki",
            Self::Markdown => "Markdown",
            Self::Docx => "DOCX",
            Self::Html => "HTML",
            Self::Table => "CSV",
        }
    }

    fn is_in(self, archive: &Archive) -> bool {
        match self {
            Self::Confluence => confluence::recognise(archive),
            Self::Zendesk => zendesk::recognise(archive),
            Self::Mediawiki => mediawiki::recognise(archive),
            Self::Markdown => markdown::recognise(archive),
            Self::Docx => docx::recognise(archive),
            Self::Html => html::recognise(archive),
            Self::Table => table::recognise(archive),
        }
    }
}

/// Reads all a source has. `progress` is told how many of how many documents are read.
///
/// # Errors
/// It is of no kind that is known.
pub fn read<'p>(
    archive: &Archive,
    format: Option<Format>,
    progress: &'p (dyn Fn(usize, usize) + Sync),
) -> Result<(Format, Found<'p>), UnknownFormat> {
    let known = Format::value_variants().iter().copied();
    let format = format.or_else(|| known.into_iter().find(|format| format.is_in(archive)));
    let format = format.ok_or(UnknownFormat)?;
    let mut found = Found::new(progress);
    match format {
        Format::Confluence => confluence::read(archive, &mut found),
        Format::Zendesk => zendesk::read(archive, &mut found),
        Format::Mediawiki => mediawiki::read(archive, &mut found),
        Format::Markdown => markdown::read(archive, &mut found),
        Format::Docx => docx::read(archive, &mut found),
        Format::Html => html::read(archive, &mut found),
        Format::Table => table::read(archive, &mut found, &cell),
    }
    Ok((format, found))
}

/// Why nothing was planned.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The source is of no kind that is known.
    #[error(transparent)]
    Unknown(#[from] UnknownFormat),
    /// What is kept of earlier imports cannot be read.
    #[error(transparent)]
    Record(#[from] WriteError),
}

/// Reads all a source has, and plans where it goes below a folder of articles, beside what earlier imports wrote there.
///
/// # Errors
/// It is of no kind that is known, or what is kept of earlier imports cannot be read.
pub fn prepare(
    archive: &Archive,
    format: Option<Format>,
    aim: &Aim,
    articles: &Folder,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Plan, PrepareError> {
    let record = ImportRecord::read(&articles.root, aim)?;
    let (format, found) = read(archive, format, progress)?;
    let mut plan = plan::plan(archive, found.documents, aim, &record.paths(), articles);
    plan.report.format = format.name().to_owned();
    plan.report.unreadable = found.unreadable;
    Ok(plan)
}

/// The HTML of a cell as Markdown. What cannot be read is left out, and told.
fn cell(text: &str) -> (String, Vec<Loss>, Counts) {
    match html::convert_part(text, &html::AsTheyAre) {
        Ok(converted) => (converted.markdown, converted.losses, converted.had),
        Err(why) => (String::new(), vec![Loss { kind: "html".to_owned(), what: why }], Counts::default()),
    }
}

/// What a reader makes of files, for tests: the documents, and what could not be read.
#[cfg(test)]
fn imported(
    files: &[(&str, &str)],
    recognise: fn(&Archive) -> bool,
    read: fn(&Archive, &mut Found<'_>),
) -> (Vec<document::Document>, std::collections::BTreeMap<String, String>) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let archive = Archive::open(folder.path()).unwrap();
    assert!(recognise(&archive));
    let mut found = Found::new(&|_, _| ());
    read(&archive, &mut found);
    (found.documents, found.unreadable)
}

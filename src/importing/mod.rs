//! Old knowledge moves in: what other systems export becomes articles.

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

use crate::importing::archive::Archive;
use crate::importing::document::{Counts, Found, Loss};

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

/// The HTML of a cell as Markdown. What cannot be read is left out, and told.
fn cell(text: &str) -> (String, Vec<Loss>, Counts) {
    match html::convert_part(text, &html::AsTheyAre) {
        Ok(converted) => (converted.markdown, converted.losses, converted.had),
        Err(why) => (String::new(), vec![Loss { kind: "html".to_owned(), what: why }], Counts::default()),
    }
}

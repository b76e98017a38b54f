//! Word documents (DOCX): each file of the source is one page, its pictures are parts of the file.

mod body;
mod math;
mod package;
mod styles;

use std::collections::HashMap;

use self::body::Body;
use self::package::{Package, Target};
use self::styles::{Numbering, Styles};
use super::archive::{Archive, ArchiveError};
use super::blocks::{self, Block};
use super::document::{Document, Found};
use super::xml::Node;

/// What parts the path of a file from the path of a part in it, in the keys of pictures: `folder/page.docx!/word/media/image1.png`.
pub const PART: &str = "!/";

/// Whether the source is of Word documents, rather than of something else with a few among it.
pub fn recognise(archive: &Archive) -> bool {
    let mut documents = 0;
    let mut others = 0;
    for path in archive.paths() {
        if is_docx(path) {
            documents += 1;
        } else if [".html", ".htm", ".md", ".xml"].iter().any(|end| path.to_lowercase().ends_with(end)) {
            others += 1;
        }
    }
    documents > others
}

/// Reads every Word document of the source.
pub fn read(archive: &Archive, found: &mut Found<'_>) {
    let paths: Vec<&str> = archive.paths().filter(|path| is_docx(path)).collect();
    found.expect(paths.len());
    for path in paths {
        let read = archive.read(path).map_err(|error| error.why).and_then(|bytes| document(path, bytes));
        found.take(path, read);
    }
}

/// What a part of a Word document in the source holds, such as a picture, by the key that links to it have: `PATH!/PART`.
///
/// # Errors
/// There is no such document or part, it is damaged, or it holds too much.
pub fn part(archive: &Archive, key: &str) -> Result<Vec<u8>, ArchiveError> {
    let fail = |why: String| ArchiveError { path: key.to_owned(), why };
    let (path, name) = key
        .match_indices(PART)
        .find_map(|(at, mark)| {
            Some((key.get(..at)?, key.get(at + mark.len()..)?)).filter(|(path, _)| is_docx(path))
        })
        .ok_or_else(|| fail("is no part of a Word document".to_owned()))?;
    let package = Package::open(archive.read(path)?).map_err(fail)?;
    package.part(name).map_err(fail)?.ok_or_else(|| fail("is not in the Word document".to_owned()))
}

/// Word leaves files of locks beside open documents, with names that begin with `~$`.
fn is_docx(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.to_lowercase().ends_with(".docx") && !name.starts_with("~$")
}

/// One file.
fn document(path: &str, bytes: Vec<u8>) -> Result<Document, String> {
    let package = Package::open(bytes)?;
    let roots = package.relationships("");
    let main = related(&roots, "officeDocument").unwrap_or_else(|| "word/document.xml".to_owned());
    let root = package.xml(&main)?.ok_or("is no Word document: it has no text")?;
    let text = root.child("w:body").ok_or("is no Word document: it has no text")?;
    let relationships = package.relationships(&main);
    let mut document = Document { key: path.to_owned(), ..Document::default() };
    let mut names: Vec<String> = path.split('/').map(str::to_owned).collect();
    let stem = names.pop().unwrap_or_default();
    let stem = stem.get(..stem.len().saturating_sub(5)).unwrap_or_default().to_owned();
    document.folders = names;
    document.name = Some(stem.clone()).filter(|stem| !stem.is_empty());

    let mut side = |kind: &str, default: &str| {
        let path = related(&relationships, kind).unwrap_or_else(|| default.to_owned());
        package.xml(&path).unwrap_or_else(|why| {
            document.lose("damaged-part", why);
            None
        })
    };
    let styles = Styles::of(side("styles", "word/styles.xml").as_ref());
    let numbering = Numbering::of(side("numbering", "word/numbering.xml").as_ref());
    let footnotes = side("footnotes", "word/footnotes.xml");
    let endnotes = side("endnotes", "word/endnotes.xml");
    let comments = side("comments", "word/comments.xml");
    let core = related(&roots, "core-properties").unwrap_or_else(|| "docProps/core.xml".to_owned());
    let core = package.xml(&core).ok().flatten();

    let title = properties(core.as_ref(), &mut document);
    headers(&package, &relationships, &mut document);
    let mut body = Body::new(styles, numbering, relationships, &mut document);
    body.notes = notes("footnote", footnotes.as_ref());
    body.notes.extend(notes("endnote", endnotes.as_ref()));
    body.note_relationships = [
        ("footnote", package.relationships("word/footnotes.xml")),
        ("endnote", package.relationships("word/endnotes.xml")),
    ]
    .into();
    body.comments = comments_of(comments.as_ref());
    let mut content = body.read(text);
    let own_title = body.title.take();
    let footnotes = body::footnotes(&body.footnotes);
    let title = own_title.or_else(|| first_heading(&mut content, &mut document)).or(title).unwrap_or(stem);
    document.title = if title.trim().is_empty() { path.to_owned() } else { title };
    levels(&mut content, &mut document);
    content.extend(footnotes);
    document.markdown = blocks::markdown(&content);
    Ok(document)
}

fn related(relationships: &HashMap<String, (String, Target)>, kind: &str) -> Option<String> {
    let mut parts: Vec<&String> = relationships
        .values()
        .filter_map(|(of, target)| match target {
            Target::Part(part) if of == kind => Some(part),
            _ => None,
        })
        .collect();
    parts.sort();
    parts.first().map(|part| (*part).clone())
}

fn notes<'n>(kind: &'static str, root: Option<&'n Node>) -> HashMap<(&'static str, String), &'n Node> {
    root.iter()
        .flat_map(|root| &root.children)
        // Separators are notes too, of a type of their own.
        .filter(|note| matches!(note.get("type"), None | Some("normal")))
        .filter_map(|note| Some(((kind, note.get("id")?.to_owned()), note)))
        .collect()
}

fn comments_of(root: Option<&Node>) -> HashMap<String, String> {
    root.iter()
        .flat_map(|root| &root.children)
        .filter_map(|comment| {
            let author = comment.get("author").unwrap_or_default();
            Some((comment.get("id")?.to_owned(), format!("{author}: {}", body::text_in(comment))))
        })
        .collect()
}

/// Takes over what the file says of itself, and gives its title.
fn properties(core: Option<&Node>, document: &mut Document) -> Option<String> {
    let value = |name: &str| {
        let text = core?.child(name)?.text.split_whitespace().collect::<Vec<_>>().join(" ");
        Some(text).filter(|text| !text.is_empty())
    };
    document.owner = value("dc:creator");
    document.changed =
        value("dcterms:modified").or_else(|| value("dcterms:created")).and_then(|date| day(&date));
    document.lang = value("dc:language")
        .and_then(|lang| lang.split(['-', '_']).next().map(str::to_lowercase))
        .filter(|lang| lang.len() == 2);
    document.tags = value("cp:keywords")
        .map(|words| {
            words
                .split([',', ';'])
                .map(|word| word.trim().to_owned())
                .filter(|word| !word.is_empty())
                .collect()
        })
        .unwrap_or_default();
    value("dc:title")
}

/// `2024-05-01` of `2024-05-01T10:00:00Z`.
fn day(date: &str) -> Option<String> {
    let day = date.get(..10)?;
    let is_day = day
        .chars()
        .enumerate()
        .all(|(at, char)| if at == 4 || at == 7 { char == '-' } else { char.is_ascii_digit() });
    is_day.then(|| day.to_owned())
}

fn headers(package: &Package, relationships: &HashMap<String, (String, Target)>, document: &mut Document) {
    let mut parts: Vec<&String> = relationships
        .values()
        .filter_map(|(kind, target)| match target {
            Target::Part(part) if kind == "header" || kind == "footer" => Some(part),
            _ => None,
        })
        .collect();
    parts.sort();
    let said: Vec<String> = parts
        .into_iter()
        .take(20)
        .filter_map(|part| package.xml(part).ok().flatten())
        .map(|root| body::text_in(&root).split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|text| text.chars().any(char::is_alphabetic))
        .collect();
    if !said.is_empty() {
        document.lose("header-footer", said.join("; "));
    }
}

/// The title, if the text begins with its only heading of the highest level: it is taken out.
fn first_heading(content: &mut Vec<Block>, document: &mut Document) -> Option<String> {
    let level_of = |block: &Block| match block {
        Block::Heading { level, .. } => Some(*level),
        _ => None,
    };
    let highest = content.iter().filter_map(level_of).min()?;
    let mut tops = content.iter().filter(|block| level_of(block) == Some(highest));
    let (Some(Block::Heading { text, anchor, .. }), None) = (tops.next(), tops.next()) else { return None };
    if content.first().and_then(level_of) != Some(highest) || anchor.is_some() {
        return None;
    }
    let title = blocks::said(text);
    let has_picture = text.iter().any(|inline| matches!(inline, blocks::Inline::Image { .. }));
    if title.is_empty() || title.chars().count() > 200 || has_picture {
        return None;
    }
    content.remove(0);
    document.had.headings = document.had.headings.saturating_sub(1);
    Some(title)
}

/// The highest heading of the text is of level 2, as the title is of level 1; the steps between levels stay.
fn levels(content: &mut [Block], document: &mut Document) {
    let mut highest = u8::MAX;
    each_heading(content, &mut |level| highest = highest.min(*level));
    let mut too_deep = false;
    each_heading(content, &mut |level| {
        let moved = level.saturating_sub(highest).saturating_add(2);
        too_deep |= moved > 6;
        *level = moved.min(6);
    });
    if too_deep {
        document.lose("heading-level", "headings deeper than the sixth level are of the sixth");
    }
}

fn each_heading(content: &mut [Block], call: &mut dyn FnMut(&mut u8)) {
    for block in content {
        match block {
            Block::Heading { level, .. } => call(level),
            Block::Quote(inner) => each_heading(inner, call),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;

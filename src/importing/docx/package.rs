//! The parts of a DOCX file and how they refer to one another.

use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::sync::{Mutex, PoisonError};

use crate::importing::archive::{MAX_FILE_BYTES, text_of};
use crate::importing::xml::{self, Node};

/// The most parts of one file.
const MAX_PARTS: usize = 20_000;

/// The most bytes of all parts together, unpacked.
const MAX_BYTES: u64 = 1 << 30;

/// A DOCX file, opened.
pub(super) struct Package(Mutex<zip::ZipArchive<Cursor<Vec<u8>>>>);

/// Where a relationship leads.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// To a part of the file, by its path.
    Part(String),
    /// Out of it, by its address.
    Outside(String),
}

impl Package {
    /// Opens a file.
    ///
    /// # Errors
    /// It is protected by a password, an older `.doc`, no whole ZIP archive, or holds too much.
    pub(super) fn open(bytes: Vec<u8>) -> Result<Self, String> {
        if bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
            return Err(
                "is protected by a password, or of the older format .doc: save it as .docx without one"
                    .to_owned(),
            );
        }
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes))
            .map_err(|error| format!("is no whole DOCX file: {error}"))?;
        if archive.len() > MAX_PARTS {
            return Err(format!("holds more than {MAX_PARTS} parts"));
        }
        let mut total = 0u64;
        for index in 0..archive.len() {
            let entry = archive.by_index_raw(index).map_err(|error| format!("is damaged: {error}"))?;
            total = total.saturating_add(entry.size());
        }
        if total > MAX_BYTES {
            return Err(format!("unpacks to more than {} GB", MAX_BYTES >> 30));
        }
        Ok(Self(Mutex::new(archive)))
    }

    /// What a part holds, if there is one.
    ///
    /// # Errors
    /// It is damaged or too large.
    pub(super) fn part(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        let mut archive = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Names of parts differ by case only in files of careless producers.
        let index = archive.index_for_name(path).or_else(|| {
            archive
                .file_names()
                .position(|name| name.is_ok_and(|name| name.replace('\\', "/").eq_ignore_ascii_case(path)))
        });
        let Some(index) = index else { return Ok(None) };
        let fail = |error: String| format!("is damaged: {path}: {error}");
        let entry = archive.by_index(index).map_err(|error| fail(error.to_string()))?;
        let mut bytes = Vec::new();
        entry.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| fail(error.to_string()))?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(format!("holds more than {} MB in {path}", MAX_FILE_BYTES >> 20));
        }
        Ok(Some(bytes))
    }

    /// A part as XML, if there is one.
    ///
    /// # Errors
    /// It is damaged, too large, or no XML.
    pub(super) fn xml(&self, path: &str) -> Result<Option<Node>, String> {
        let Some(bytes) = self.part(path)? else { return Ok(None) };
        let text = text_of(&bytes).ok_or_else(|| format!("{path} is no text"))?;
        xml::parse(&text).map(Some).map_err(|why| format!("{path} {why}"))
    }

    /// The relationships of a part (of the whole file for the empty path), by their ids: their kind and where they lead.
    pub(super) fn relationships(&self, path: &str) -> HashMap<String, (String, Target)> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let place = join(folder, &format!("_rels/{name}.rels"));
        let mut found = HashMap::new();
        // A file whose relationships are damaged still has its text.
        let Ok(Some(root)) = self.xml(&place) else { return found };
        for node in root.children.iter().filter(|node| node.name.ends_with("Relationship")) {
            let (Some(id), Some(to)) = (node.get("Id"), node.get("Target")) else { continue };
            let kind = node.get("Type").and_then(|kind| kind.rsplit('/').next()).unwrap_or_default();
            let target = if node.get("TargetMode") == Some("External") {
                Target::Outside(to.to_owned())
            } else {
                Target::Part(join(folder, to))
            };
            found.insert(id.to_owned(), (kind.to_owned(), target));
        }
        found
    }
}

/// A path relative to a folder, or to the whole file where it begins with a slash.
fn join(folder: &str, path: &str) -> String {
    let path = path.split('#').next().unwrap_or(path);
    let mut names: Vec<&str> = if path.starts_with('/') { Vec::new() } else { folder.split('/').collect() };
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    names.retain(|name| !name.is_empty());
    names.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_never_lead_out() {
        assert_eq!(join("word", "media/a.png"), "word/media/a.png");
        assert_eq!(join("word", "../../../etc/passwd"), "etc/passwd");
        assert_eq!(join("word", "/word/media/a.png"), "word/media/a.png");
        assert_eq!(join("", "_rels/.rels"), "_rels/.rels");
    }
}

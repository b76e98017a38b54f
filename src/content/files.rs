//! Files on disk: which there are, whether they changed, what they hold.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization, is_nfc};
use walkdir::WalkDir;

use crate::content::problem::{Position, Problem, Report};

/// A file's state as the file system tells it without reading: two equal stamps mean an unchanged file, unless it was
/// written in the same instant it was read (see [`Stamp::is_settled`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Size in bytes.
    pub size: u64,
    /// Time of the last change of the contents, nanoseconds since the epoch.
    pub modified_ns: i64,
    /// Time of the last change of the inode, nanoseconds since the epoch; 0 where there is none.
    pub changed_ns: i64,
    /// The inode's number; 0 where there is none.
    pub inode: u64,
}

/// File systems tell time in steps of up to two seconds; a file younger than that when it was read may change again
/// without its stamp showing it (git calls such entries "racy").
const STAMP_STEP_NS: i64 = 2_000_000_000;

impl Stamp {
    fn of(metadata: &std::fs::Metadata) -> Self {
        let modified = metadata.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
        let modified_ns = modified.map_or(0, |d| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX));
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let changed_ns =
                metadata.ctime().saturating_mul(1_000_000_000).saturating_add(metadata.ctime_nsec());
            Self { size: metadata.len(), modified_ns, changed_ns, inode: metadata.ino() }
        }
        #[cfg(not(unix))]
        Self { size: metadata.len(), modified_ns, changed_ns: 0, inode: 0 }
    }

    /// Whether the file was old enough, when it was read at `read_ns`, for an equal stamp to prove it unchanged.
    pub fn is_settled(&self, read_ns: i64) -> bool {
        self.modified_ns.max(self.changed_ns).saturating_add(STAMP_STEP_NS) < read_ns
    }
}

/// A content folder and the files in it that count.
#[derive(Clone, Debug)]
pub struct Folder {
    /// Where it is.
    pub root: PathBuf,
    /// What problems call it: `articles` or `templates`.
    pub name: &'static str,
    /// Files above this size are reported and not read, in bytes.
    pub max_file_bytes: u64,
}

/// What a walk of a folder found.
#[derive(Debug, Default)]
pub struct Listing {
    /// Stamps by path below the folder, with `/`.
    pub files: BTreeMap<String, Stamp>,
    /// What could not be looked at, by the path it was found at.
    pub problems: Vec<Problem>,
}

/// A file's text and the stamp it had while it was read.
#[derive(Debug)]
pub struct FileText {
    /// The text, without a byte order mark.
    pub text: String,
    /// Its stamp.
    pub stamp: Stamp,
    /// BLAKE3 of its bytes.
    pub hash: [u8; 32],
}

impl Folder {
    /// How problems name a file of this folder.
    pub fn display(&self, path: &str) -> String {
        format!("{}/{path}", self.name)
    }

    /// All Markdown and YAML files below `below` (a path inside the folder; empty for all of it). Links are followed; loops and
    /// unreadable places are problems. A folder that does not exist has no files.
    pub fn list(&self, below: &str) -> Listing {
        let mut listing = Listing::default();
        let start = self.root.join(below);
        let walk = WalkDir::new(&start).follow_links(true).sort_by_file_name().into_iter();
        for entry in walk.filter_entry(|e| e.depth() == 0 || !is_hidden(e.file_name())) {
            match entry {
                Ok(entry) if entry.file_type().is_file() => {
                    let Some(path) = self.relative(entry.path(), &mut listing.problems) else { continue };
                    match entry.metadata() {
                        Ok(metadata) if is_content(&path) => {
                            listing.files.insert(path, Stamp::of(&metadata));
                        }
                        _ => {}
                    }
                }
                Ok(_) => {}
                Err(error) => self.report_walk(&error, &mut listing.problems),
            }
        }
        listing
    }

    fn relative(&self, path: &Path, problems: &mut Vec<Problem>) -> Option<String> {
        let relative = path.strip_prefix(&self.root).unwrap_or(path);
        match relative.to_str() {
            Some(text) => Some(if cfg!(windows) { text.replace('\\', "/") } else { text.to_owned() }),
            None => {
                let mut report = Report::new(&self.display(&relative.to_string_lossy()));
                report.error(
                    "file-name",
                    Position::default(),
                    "the file's name is not UTF-8",
                    "rename the file",
                );
                problems.extend(report.into_problems());
                None
            }
        }
    }

    fn report_walk(&self, error: &walkdir::Error, problems: &mut Vec<Problem>) {
        if error.io_error().is_some_and(|e| e.kind() == ErrorKind::NotFound) {
            return;
        }
        let path = error.path().map_or_else(String::new, |p| {
            p.strip_prefix(&self.root).unwrap_or(p).to_string_lossy().into_owned()
        });
        let mut report = Report::new(&self.display(&path));
        if error.loop_ancestor().is_some() {
            report.error(
                "link-loop",
                Position::default(),
                "a symbolic link leads back to a folder it is in",
                "remove the link",
            );
        } else {
            let why = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
            report.error(
                "unreadable",
                Position::default(),
                format!("cannot be read: {why}"),
                "check the file's permissions",
            );
        }
        problems.extend(report.into_problems());
    }

    /// The stamp of a file as it is now; `None` when there is no such file.
    pub fn stamp(&self, path: &str) -> Option<Stamp> {
        std::fs::metadata(self.root.join(path)).ok().filter(std::fs::Metadata::is_file).map(|m| Stamp::of(&m))
    }

    /// Reads a file. `Ok(None)`: it is gone.
    ///
    /// # Errors
    /// Why it cannot be served: too large, not UTF-8, not readable; with the stamp it has.
    pub fn read(&self, path: &str) -> Result<Option<FileText>, (Stamp, Box<Problem>)> {
        let full = self.root.join(path);
        let stamp_now = |file: &std::fs::File| file.metadata().map(|m| Stamp::of(&m)).unwrap_or_default();
        let mut report = Report::new(&self.display(path));
        let mut fail = |stamp, code, at, message: String, hint: &str| {
            report.error(code, at, message, hint);
            let problem = std::mem::replace(&mut report, Report::new("")).into_problems().remove(0);
            Err((stamp, Box::new(problem)))
        };
        // Twice the stamp, before and after: a file that changes under our hands is read again.
        for _ in 0..3 {
            let opened = std::fs::File::open(&full);
            let mut file = match opened {
                Ok(file) => file,
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                    return Ok(None);
                }
                Err(error) => {
                    let stamp = self.stamp(path).unwrap_or_default();
                    return fail(
                        stamp,
                        "unreadable",
                        Position::default(),
                        format!("cannot be read: {error}"),
                        "check the file's permissions",
                    );
                }
            };
            let before = stamp_now(&file);
            if before.size > self.max_file_bytes {
                let message = format!("is {} bytes long; the limit is {}", before.size, self.max_file_bytes);
                return fail(
                    before,
                    "too-large",
                    Position::default(),
                    message,
                    "split it, or raise `max_file_bytes` in pharos.toml",
                );
            }
            let mut bytes = Vec::with_capacity(usize::try_from(before.size).unwrap_or(0) + 1);
            if let Err(error) = file.by_ref().take(self.max_file_bytes + 1).read_to_end(&mut bytes) {
                return fail(
                    before,
                    "unreadable",
                    Position::default(),
                    format!("cannot be read: {error}"),
                    "is it a folder, or on a broken disk?",
                );
            }
            if stamp_now(&file) != before || bytes.len() as u64 != before.size {
                continue;
            }
            let hash = *blake3::hash(&bytes).as_bytes();
            return match String::from_utf8(bytes) {
                Ok(text) => {
                    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
                    Ok(Some(FileText { text, stamp: before, hash }))
                }
                Err(error) => {
                    let good = error.utf8_error().valid_up_to();
                    let valid = String::from_utf8_lossy(&error.as_bytes()[..good]).into_owned();
                    let at = Position::of(&valid, valid.len(), 1);
                    fail(
                        before,
                        "encoding",
                        at,
                        "is not UTF-8 from here on".to_owned(),
                        "save the file as UTF-8",
                    )
                }
            };
        }
        let stamp = self.stamp(path).unwrap_or_default();
        fail(
            stamp,
            "unreadable",
            Position::default(),
            "changes all the time".to_owned(),
            "it is read again when it rests",
        )
    }
}

fn is_hidden(name: &std::ffi::OsStr) -> bool {
    name.to_string_lossy().starts_with('.')
}

/// Whether a path is `below` or stands below it; everything stands below nothing.
pub fn is_below(path: &str, below: &str) -> bool {
    below.is_empty() || path.strip_prefix(below).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a path names a Markdown or YAML file.
pub fn is_content(path: &str) -> bool {
    is_markdown(path) || is_yaml(path)
}

/// Whether a path names a Markdown file.
pub fn is_markdown(path: &str) -> bool {
    has_extension(path, &["md", "markdown"])
}

/// Whether a path names a YAML file.
pub fn is_yaml(path: &str) -> bool {
    has_extension(path, &["yaml", "yml"])
}

fn has_extension(path: &str, extensions: &[&str]) -> bool {
    Path::new(path).extension().is_some_and(|e| extensions.iter().any(|known| e.eq_ignore_ascii_case(known)))
}

/// The id of a file: its path without the extension, in Unicode normal form C, since some systems decompose names.
pub fn id_of(path: &str) -> String {
    let stem = path.rfind('.').map_or(path, |dot| &path[..dot]);
    if is_nfc(stem) { stem.to_owned() } else { stem.nfc().collect() }
}

/// Resolves a relative path against the folder of `from`; `None` when it leaves the content folder.
pub fn resolve(from: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = match relative.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => from.rsplit_once('/').map_or(Vec::new(), |(folder, _)| folder.split('/').collect()),
    };
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

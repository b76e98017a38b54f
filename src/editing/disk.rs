//! Content files read and written one whole text at a time. Whoever else writes them meanwhile loses nothing.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;
use walkdir::WalkDir;

use crate::content::files::{self, Folder};

/// The longest path, and the longest name in it, in bytes: what file systems take everywhere, with room for a temporary name.
const MAX_PATH: usize = 500;
const MAX_NAME: usize = 200;

/// How often a file that somebody writes at this moment is read again, and the pause between.
const LOOKS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(5);

/// How long a hidden file is left alone.
const LEFT_FOR: Duration = Duration::from_secs(60);

/// A file that was written longer ago than this is not being written.
const FRESH: Duration = Duration::from_millis(200);

/// How a file is called while it is being written, and while it is exchanged: hidden, so that nobody reads it. What has the first name was
/// never anybody's; what has the second may be what somebody wrote.
const HALF_WRITTEN: &str = ".pharos-new-";
const ASIDE: &str = ".pharos-aside-";

/// Why a file could not be read or written.
#[derive(Debug, Error)]
pub enum DiskError {
    /// The system refused.
    #[error("{path} cannot be {doing}: {error}")]
    System {
        /// The file.
        path: String,
        /// `read` or `written`.
        doing: &'static str,
        /// Why.
        error: std::io::Error,
    },
    /// It holds no text that can be edited.
    #[error("{path} {why}")]
    NoText {
        /// The file.
        path: String,
        /// What is wrong with it, and what to do.
        why: String,
    },
}

/// The name of a content file: `articles/sms/monthly.md`. It leads nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourcePath(String);

impl SourcePath {
    /// Reads a name.
    ///
    /// # Errors
    /// What is wrong with it, and what to do.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text: String = text.nfc().collect();
        let Some((folder, rest)) = text.split_once('/') else {
            return Err("must begin with articles/ or templates/".to_owned());
        };
        if !["articles", "templates"].contains(&folder) {
            return Err("must begin with articles/ or templates/".to_owned());
        }
        if text.len() > MAX_PATH {
            return Err(format!("is longer than {MAX_PATH} bytes"));
        }
        for part in rest.split('/') {
            if part.is_empty() || part.starts_with('.') || part.len() > MAX_NAME {
                return Err(format!(
                    "`{part}` cannot be a name: it is empty, hidden or longer than {MAX_NAME} bytes"
                ));
            }
            if part.trim() != part || part.ends_with('.') {
                return Err(format!("`{part}` begins or ends with a space or a dot"));
            }
            let is_bad = |c: char| c.is_control() || "\\:*?\"<>|".contains(c);
            if let Some(bad) = part.chars().find(|c| is_bad(*c)) {
                return Err(format!("`{}` cannot stand in a name", bad.escape_default()));
            }
        }
        if !files::is_content(rest) {
            return Err("must end with .md or .yaml".to_owned());
        }
        Ok(Self(text))
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folder's name, and the path below it.
    fn parts(&self) -> (&str, &str) {
        self.0.split_once('/').unwrap_or(("", &self.0))
    }
}

impl std::fmt::Display for SourcePath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The digest by which a text is known: BLAKE3, in hexadecimal.
pub fn digest(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

/// The content folders as they are written.
#[derive(Debug)]
pub struct Disk {
    folders: [Folder; 2],
}

impl Disk {
    /// Two content folders.
    pub fn new(folders: [Folder; 2]) -> Self {
        Self { folders }
    }

    /// The most bytes of a file.
    pub fn max_bytes(&self) -> u64 {
        self.folders[0].max_file_bytes
    }

    /// Where a file is, as events of the system name it.
    pub fn named(&self, path: &SourcePath) -> PathBuf {
        let (folder, rest) = path.parts();
        let folder = self.folders.iter().find(|known| known.name == folder).unwrap_or(&self.folders[0]);
        folder.root.join(rest)
    }

    /// The same, links followed, as they are when content is read: a link is not exchanged for a file.
    fn place(&self, path: &SourcePath) -> PathBuf {
        let place = self.named(path);
        std::fs::canonicalize(&place).unwrap_or(place)
    }

    /// What a file holds when nobody is writing it, without a byte order mark; `None` where there is none.
    ///
    /// # Errors
    /// It cannot be read, or it holds no text.
    pub fn read(&self, path: &SourcePath) -> Result<Option<String>, DiskError> {
        self.settled(path, &self.place(path))
    }

    fn settled(&self, path: &SourcePath, place: &Path) -> Result<Option<String>, DiskError> {
        let mut before = self.read_at(path, place)?;
        for _ in 0..LOOKS {
            let modified = std::fs::metadata(place).and_then(|metadata| metadata.modified());
            if modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > FRESH)) {
                break;
            }
            std::thread::sleep(PAUSE);
            let now = self.read_at(path, place)?;
            // Who writes cuts the file first: what is empty is likely to be in the middle of it.
            if now == before && now.as_deref() != Some("") {
                break;
            }
            before = now;
        }
        Ok(before)
    }

    fn read_at(&self, path: &SourcePath, place: &Path) -> Result<Option<String>, DiskError> {
        let bytes = match std::fs::read(place) {
            Ok(bytes) => bytes,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(system(path, "read")(error)),
        };
        let no_text = |why: String| DiskError::NoText { path: path.to_string(), why };
        if bytes.len() as u64 > self.max_bytes() {
            return Err(no_text(format!("is {} bytes long; the limit is {}", bytes.len(), self.max_bytes())));
        }
        let text = String::from_utf8(bytes)
            .map_err(|_| no_text("is not UTF-8: save it so in an editor on the server first".to_owned()))?;
        if text.contains('\0') {
            return Err(no_text(
                "holds a character of code 0: remove it in an editor on the server".to_owned(),
            ));
        }
        Ok(Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)))
    }

    /// Puts a text in the place of what a file holds, or takes the file away, in one instant. Returns what was there until then: where it is
    /// not what was expected, somebody wrote meanwhile, and this is what he wrote.
    ///
    /// # Errors
    /// The system refused; the file is as it was.
    pub fn exchange(
        &self,
        path: &SourcePath,
        expected: Option<&str>,
        text: Option<&str>,
    ) -> Result<Option<String>, DiskError> {
        let place = self.place(path);
        let folder = place.parent().unwrap_or(Path::new("."));
        let fail = system(path, "written");
        let number = fastrand::u64(..);
        let aside = folder.join(format!("{ASIDE}{number:016x}"));
        let Some(text) = text else {
            match std::fs::rename(&place, &aside) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(fail(error)),
            }
            let was = match self.taken(path, &aside, expected) {
                Ok(was) => was,
                Err(error) => {
                    std::fs::rename(&aside, &place).map_err(&fail)?;
                    return Err(error);
                }
            };
            sync_folder(folder).map_err(fail)?;
            return Ok(was);
        };
        std::fs::create_dir_all(folder).map_err(&fail)?;
        let half = folder.join(format!("{HALF_WRITTEN}{number:016x}"));
        let written = write_like(&place, &half, text).and_then(|()| std::fs::rename(&half, &aside));
        let exchanged = written.and_then(|()| put(&aside, &place));
        let was = match exchanged {
            Ok(true) => match self.taken(path, &aside, expected) {
                Ok(was) => was,
                Err(error) => {
                    // It held no text: it comes back.
                    put(&aside, &place).and_then(|_| std::fs::remove_file(&aside)).map_err(&fail)?;
                    return Err(error);
                }
            },
            Ok(false) => None,
            Err(error) => {
                let _ = std::fs::remove_file(&half);
                let _ = std::fs::remove_file(&aside);
                return Err(fail(error));
            }
        };
        sync_folder(folder).map_err(fail)?;
        Ok(was)
    }

    /// Adds a file that is no text, whole or not at all. Returns whether the name has these bytes now: it is not so when another file has it.
    ///
    /// # Errors
    /// The system refused.
    pub fn add(&self, place: &Path, bytes: &[u8]) -> Result<bool, DiskError> {
        let fail = |error| DiskError::System { path: place.display().to_string(), doing: "written", error };
        let folder = place.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(fail)?;
        let half = folder.join(format!("{HALF_WRITTEN}{:016x}", fastrand::u64(..)));
        let write = || -> std::io::Result<bool> {
            let mut file = File::options().write(true).create_new(true).open(&half)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            // A link is refused where there is a file.
            match std::fs::hard_link(&half, place) {
                Ok(()) => sync_folder(folder).map(|()| true),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    Ok(std::fs::read(place).is_ok_and(|there| there == bytes))
                }
                Err(error) => Err(error),
            }
        };
        let added = write();
        let _ = std::fs::remove_file(&half);
        added.map_err(fail)
    }

    /// What a file held that was taken out of its place; it is removed.
    fn taken(
        &self,
        path: &SourcePath,
        aside: &Path,
        expected: Option<&str>,
    ) -> Result<Option<String>, DiskError> {
        let mut was = self.read_at(path, aside)?;
        if was.as_deref() != expected {
            // Somebody may be in the middle of writing it.
            was = self.settled(path, aside)?;
        }
        std::fs::remove_file(aside).map_err(system(path, "written"))?;
        Ok(was)
    }

    /// Files under hidden names, which a process left that died in the middle of an exchange; each with whether somebody may have written it.
    /// Those of the last minute may be another process's, which is about to end.
    pub fn left_behind(&self) -> Vec<(PathBuf, bool)> {
        let walks = self.folders.iter().flat_map(|folder| WalkDir::new(&folder.root).follow_links(true));
        let is_old = |entry: &walkdir::DirEntry| {
            let changed = entry.metadata().ok().and_then(|metadata| metadata.modified().ok());
            changed.and_then(|at| at.elapsed().ok()).is_some_and(|age| age > LEFT_FOR)
        };
        let named = |entry: walkdir::DirEntry| {
            let name = entry.file_name().to_string_lossy();
            let is_aside = name.starts_with(ASIDE);
            (is_aside || name.starts_with(HALF_WRITTEN)).then(|| (entry.path().to_owned(), is_aside))
        };
        walks.flatten().filter(is_old).filter_map(named).collect()
    }
}

/// Writes a new file with the rights of another one, if that is there.
fn write_like(place: &Path, new: &Path, text: &str) -> std::io::Result<()> {
    let mut file = File::options().write(true).create_new(true).open(new)?;
    if let Ok(metadata) = std::fs::metadata(place) {
        file.set_permissions(metadata.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Gives a new file its name. Returns whether another one had it, which now has the temporary one.
fn put(aside: &Path, place: &Path) -> std::io::Result<bool> {
    loop {
        match renameat_with(CWD, aside, CWD, place, RenameFlags::EXCHANGE) {
            Ok(()) => return Ok(true),
            Err(Errno::NOENT) => match renameat_with(CWD, aside, CWD, place, RenameFlags::NOREPLACE) {
                Ok(()) => return Ok(false),
                // Somebody made it in this instant.
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            },
            // Some network file systems cannot exchange two names: what somebody writes between the two steps is not seen.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                let kept = aside.with_extension("was");
                // The name is never without a file.
                let had = match std::fs::hard_link(place, &kept) {
                    Ok(()) => true,
                    Err(error) if error.kind() == ErrorKind::NotFound => false,
                    Err(_) => std::fs::copy(place, &kept).map(|_| true)?,
                };
                std::fs::rename(aside, place)?;
                if had {
                    std::fs::rename(&kept, aside)?;
                }
                return Ok(had);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

fn system(path: &SourcePath, doing: &'static str) -> impl Fn(std::io::Error) -> DiskError {
    let path = path.to_string();
    move |error| DiskError::System { path: path.clone(), doing, error }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(root: &Path) -> Disk {
        let folder = |name| Folder { root: root.join(name), name, max_file_bytes: 1 << 20 };
        Disk::new([folder("articles"), folder("templates")])
    }

    #[test]
    fn names_lead_nowhere_else() {
        for good in
            ["articles/a.md", "articles/sms/Пакет.md", "templates/_part.md", "articles/catalog/sms.yaml"]
        {
            assert_eq!(SourcePath::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "a.md",
            "exams/a.md",
            "articles/../secret.md",
            "articles//a.md",
            "/articles/a.md",
            "articles/.hidden.md",
            "articles/a.txt",
            "articles/a.md/",
            "articles/a\0.md",
            "articles/a\\b.md",
            "articles/ a.md",
            "articles/CON:.md",
            "articles/a\n.md",
        ] {
            assert!(SourcePath::parse(bad).is_err(), "{bad:?}");
        }
        assert!(SourcePath::parse(&format!("articles/{}.md", "я".repeat(150))).is_err());
    }

    #[test]
    fn what_was_there_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let disk = disk(dir.path());
        let path = SourcePath::parse("articles/new/a.md").unwrap();
        assert_eq!(disk.exchange(&path, None, Some("один")).unwrap(), None);
        assert_eq!(disk.exchange(&path, Some("один"), Some("два")).unwrap().as_deref(), Some("один"));
        assert_eq!(disk.read(&path).unwrap().as_deref(), Some("два"));
        assert_eq!(disk.exchange(&path, Some("два"), None).unwrap().as_deref(), Some("два"));
        assert_eq!(disk.exchange(&path, None, None).unwrap(), None);
        assert_eq!(disk.read(&path).unwrap(), None);
        let left: Vec<_> = std::fs::read_dir(dir.path().join("articles/new")).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_links_and_rights_stay_rights() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let disk = disk(dir.path());
        std::fs::create_dir_all(dir.path().join("articles")).unwrap();
        let real = dir.path().join("elsewhere.md");
        std::fs::write(&real, "один").unwrap();
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, dir.path().join("articles/a.md")).unwrap();
        let path = SourcePath::parse("articles/a.md").unwrap();
        disk.exchange(&path, Some("один"), Some("два")).unwrap();
        assert_eq!(std::fs::read_to_string(&real).unwrap(), "два");
        assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(std::fs::symlink_metadata(dir.path().join("articles/a.md")).unwrap().is_symlink());
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let disk = disk(dir.path());
        std::fs::create_dir_all(dir.path().join("articles")).unwrap();
        let path = SourcePath::parse("articles/a.md").unwrap();
        for (bytes, why) in [(&b"\xff\xfe"[..], "UTF-8"), (b"a\0b", "code 0")] {
            std::fs::write(dir.path().join("articles/a.md"), bytes).unwrap();
            let error = disk.read(&path).unwrap_err().to_string();
            assert!(error.contains(why) && error.contains("articles/a.md"), "{error}");
        }
        std::fs::write(dir.path().join("articles/a.md"), "\u{feff}текст").unwrap();
        assert_eq!(disk.read(&path).unwrap().as_deref(), Some("текст"));
    }
}

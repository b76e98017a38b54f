//! The files of a source, in a folder, in a ZIP archive, or one alone: read within bounds, whatever they say of themselves.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The most files of one source.
const MAX_FILES: usize = 200_000;

/// The most bytes of one file, unpacked.
pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// The most bytes of one XML file: whole wikis and spaces are exported as one.
const MAX_XML_BYTES: u64 = 512 << 20;

/// The most bytes of all files of an archive together, unpacked: beyond it, it is a bomb, or too large for one import.
const MAX_BYTES: u64 = 8 << 30;

/// Why a source or a file of it cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {why}")]
pub struct ArchiveError {
    /// Which file.
    pub path: String,
    /// Why, and what to do.
    pub why: String,
}

/// The files of a source, by their paths with `/` between names.
pub struct Archive {
    /// Hidden ones with them.
    paths: BTreeMap<String, Place>,
    kept: Kept,
}

enum Place {
    File(PathBuf),
    Entry(usize),
    Memory,
}

enum Kept {
    Folder,
    Zip(Mutex<zip::ZipArchive<Box<dyn Input>>>),
    Memory(Vec<u8>),
}

trait Input: Read + Seek + Send {}

impl<T: Read + Seek + Send> Input for T {}

impl Archive {
    /// Opens a folder, a ZIP archive, or a single file of any other kind.
    ///
    /// # Errors
    /// There is none, it holds too much, or it is damaged.
    pub fn open(path: &Path) -> Result<Self, ArchiveError> {
        let shown = path.display().to_string();
        let fail = |why: String| ArchiveError { path: shown.clone(), why };
        let metadata = std::fs::metadata(path).map_err(|error| fail(error.to_string()))?;
        if metadata.is_dir() {
            return Self::folder(path);
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut begin = [0; 4];
        let is_zip = File::open(path)
            .and_then(|mut file| file.read_exact(&mut begin))
            .is_ok_and(|()| begin.starts_with(b"PK\x03\x04") || begin.starts_with(b"PK\x05\x06"));
        if is_zip && !is_document(&name) {
            let file = File::open(path).map_err(|error| fail(error.to_string()))?;
            return Self::zip(&shown, Box::new(std::io::BufReader::new(file)));
        }
        Ok(Self { paths: [(name, Place::File(path.to_path_buf()))].into(), kept: Kept::Folder })
    }

    /// What was sent as a file of this name: a ZIP archive is opened, everything else is a source of one file.
    ///
    /// # Errors
    /// It holds too much, or it is damaged.
    pub fn of_bytes(name: &str, bytes: Vec<u8>) -> Result<Self, ArchiveError> {
        if bytes.starts_with(b"PK\x03\x04") && !is_document(name) {
            return Self::zip(name, Box::new(std::io::Cursor::new(bytes)));
        }
        let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
        Ok(Self { paths: [(name.to_owned(), Place::Memory)].into(), kept: Kept::Memory(bytes) })
    }

    fn folder(root: &Path) -> Result<Self, ArchiveError> {
        let mut paths = BTreeMap::new();
        let is_of_source = |entry: &walkdir::DirEntry| {
            entry.depth() == 0 || !is_machinery(&entry.file_name().to_string_lossy())
        };
        for entry in walkdir::WalkDir::new(root).into_iter().filter_entry(is_of_source) {
            let entry = entry
                .map_err(|error| ArchiveError { path: root.display().to_string(), why: error.to_string() })?;
            // Links could lead out of the source.
            if !entry.file_type().is_file() {
                continue;
            }
            let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
            let names: Vec<_> =
                relative.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
            paths.insert(names.join("/"), Place::File(entry.path().to_path_buf()));
            bounded(&paths, root.display())?;
        }
        Ok(Self { paths, kept: Kept::Folder })
    }

    fn zip(shown: &str, input: Box<dyn Input>) -> Result<Self, ArchiveError> {
        let fail = |why: String| ArchiveError { path: shown.to_owned(), why };
        let mut archive =
            zip::ZipArchive::new(input).map_err(|error| fail(format!("is no whole ZIP archive: {error}")))?;
        let mut paths = BTreeMap::new();
        let mut total = 0u64;
        for index in 0..archive.len() {
            let entry = archive.by_index_raw(index).map_err(|error| fail(format!("is damaged: {error}")))?;
            if !entry.is_file() {
                continue;
            }
            let name = entry.name().map_err(|error| fail(format!("is damaged: {error}")))?;
            let Some(path) = inside(&name) else {
                return Err(fail(format!("holds {name:?}, which leads out of it: nothing of it is read")));
            };
            total = total.saturating_add(entry.size());
            if total > MAX_BYTES {
                return Err(fail(format!("unpacks to more than {} GB: import it in parts", MAX_BYTES >> 30)));
            }
            if !path.split('/').any(is_machinery) {
                paths.insert(path, Place::Entry(index));
            }
            bounded(&paths, shown)?;
        }
        Ok(Self { paths, kept: Kept::Zip(Mutex::new(archive)) })
    }

    /// The paths of all files, sorted; hidden ones are left out.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.keys().map(String::as_str).filter(|path| !is_hidden(path))
    }

    /// The paths of hidden files: settings, and parts to be included.
    pub fn hidden(&self) -> impl Iterator<Item = &str> {
        self.paths.keys().map(String::as_str).filter(|path| is_hidden(path))
    }

    /// Whether there is this file.
    pub fn has(&self, path: &str) -> bool {
        self.paths.contains_key(path)
    }

    /// What a file holds.
    ///
    /// # Errors
    /// There is none, it is too large, or it is damaged.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, ArchiveError> {
        let is_xml = path.to_ascii_lowercase().ends_with(".xml");
        let most = if is_xml { MAX_XML_BYTES } else { MAX_FILE_BYTES };
        let bytes = self.begin(path, most + 1)?;
        if bytes.len() as u64 > most {
            let why = format!("holds more than {} MB", most >> 20);
            return Err(ArchiveError { path: path.to_owned(), why });
        }
        Ok(bytes)
    }

    /// The first bytes of a file, at most so many: enough to tell what it is.
    ///
    /// # Errors
    /// There is none, or it is damaged.
    pub fn begin(&self, path: &str, most: u64) -> Result<Vec<u8>, ArchiveError> {
        let fail = |why: String| ArchiveError { path: path.to_owned(), why };
        let place = self.paths.get(path).ok_or_else(|| fail("is not in the source".to_owned()))?;
        let read = match (place, &self.kept) {
            (Place::File(place), _) => File::open(place).and_then(|file| bytes_of(file, most)),
            (Place::Entry(index), Kept::Zip(archive)) => {
                let mut archive = archive.lock().unwrap_or_else(PoisonError::into_inner);
                archive.by_index(*index).map_err(std::io::Error::other).and_then(|file| bytes_of(file, most))
            }
            (_, Kept::Memory(bytes)) => bytes_of(bytes.as_slice(), most),
            _ => return Err(fail("is not in the source".to_owned())),
        };
        read.map_err(|error| fail(format!("cannot be read: {error}")))
    }

    /// What a text file holds, whatever its encoding: by its byte order mark, as UTF-8, or by a guess. Lines end with `\n`.
    ///
    /// # Errors
    /// As for [`Archive::read`], or it is no text.
    pub fn text(&self, path: &str) -> Result<String, ArchiveError> {
        let bytes = self.read(path)?;
        text_of(&bytes).ok_or_else(|| ArchiveError { path: path.to_owned(), why: "is no text".to_owned() })
    }
}

/// Bytes as text, whatever their encoding: by the byte order mark, as UTF-8, or by a guess (Windows-1251, KOI8-R and their like). `None`: no text.
pub fn text_of(bytes: &[u8]) -> Option<String> {
    let text = match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding.decode(bytes).0.into_owned(),
        None => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => {
                let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
                detector.feed(bytes, true);
                detector.guess(None, chardetng::Utf8Detection::Deny).decode(bytes).0.into_owned()
            }
        },
    };
    (!text.contains('\0')).then(|| text.replace("\r\n", "\n").replace('\r', "\n"))
}

fn is_document(name: &str) -> bool {
    let name = name.to_lowercase();
    [".docx", ".xlsx", ".odt"].iter().any(|end| name.ends_with(end))
}

/// Never more than the limit is unpacked, whatever the archive says of its sizes.
fn bytes_of(from: impl Read, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether a file, or a folder it is in, is hidden by its name.
fn is_hidden(path: &str) -> bool {
    path.split('/').any(|name| name.starts_with('.'))
}

/// What version control and operating systems keep beside what is theirs not.
fn is_machinery(name: &str) -> bool {
    matches!(
        name,
        ".git"
            | ".svn"
            | ".hg"
            | ".DS_Store"
            | "__MACOSX"
            | ".Trash"
            | ".trash"
            | ".obsidian"
            | ".idea"
            | ".vscode"
            | ".venv"
            | "node_modules"
    )
}

fn bounded(paths: &BTreeMap<String, Place>, shown: impl std::fmt::Display) -> Result<(), ArchiveError> {
    if paths.len() > MAX_FILES {
        let why = format!("holds more than {MAX_FILES} files: import it in parts");
        return Err(ArchiveError { path: shown.to_string(), why });
    }
    Ok(())
}

/// The path of an entry with `/` between names, or nothing if it leads out of the archive.
fn inside(name: &str) -> Option<String> {
    let name = name.replace('\\', "/");
    let mut names = Vec::new();
    for part in Path::new(&name).components() {
        match part {
            Component::Normal(part) => names.push(part.to_str()?.to_owned()),
            Component::CurDir => {}
            _ => return None,
        }
    }
    (!names.is_empty() && !name.contains(':')).then(|| names.join("/"))
}

//! The whole base as one file: the store as of one moment, the articles and the templates; and back again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Component, Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tar::{Archive, Builder, EntryType, Header};
use thiserror::Error;
use walkdir::{DirEntry, WalkDir};

use crate::app::progress::Progress;
use crate::database::Database;
use crate::database::dump::{self, Counts, DumpError};

/// The form of backups that this program writes and reads.
const FORMAT: u32 = 1;

/// What stands in a backup: folders with the content, the store's rows, and last of all the label. What has no label is not whole.
const FOLDERS: [&str; 2] = ["articles", "templates"];
const STORE: &str = "store.jsonl";
const LABEL: &str = "backup.json";

/// The largest label that is read.
const MAX_LABEL_BYTES: u64 = 64 << 10;

/// Why a backup could not be made or restored.
#[derive(Debug, Error)]
pub enum BackupError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] DumpError),
    /// A file cannot be read or written.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// The file is no whole backup.
    #[error("{path} cannot be restored: {why}")]
    Unfit {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// Something stands where it should be restored to.
    #[error("{0} is not empty; move it away or name another folder, nothing was changed")]
    NotEmpty(String),
}

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Label {
    /// The form it has.
    pub format: u32,
    /// The version of the program that made it.
    pub version: String,
    /// The moment the store's rows are of.
    pub made_at: Timestamp,
    /// Rows by table.
    pub rows: Counts,
    /// Files by folder.
    pub files: BTreeMap<String, u64>,
}

/// The folders with the content.
#[derive(Clone, Debug)]
pub struct Content<'a> {
    /// Articles and catalogue.
    pub articles: &'a Path,
    /// Answer templates.
    pub templates: &'a Path,
}

impl Content<'_> {
    fn folders(&self) -> [(&'static str, &Path); 2] {
        [(FOLDERS[0], self.articles), (FOLDERS[1], self.templates)]
    }
}

fn at<T>(path: &Path, result: io::Result<T>) -> Result<T, BackupError> {
    result.map_err(|error| BackupError::Io { path: path.display().to_string(), error })
}

/// Writes a backup. A server may run meanwhile: the store's rows are of one moment, each file is one that was saved. The file takes its
/// name when it is whole.
///
/// # Errors
/// The store fails, or a file cannot be read or written.
pub async fn write(
    database: &Database,
    content: &Content<'_>,
    made_at: Timestamp,
    file: &Path,
    progress: &Progress,
) -> Result<Label, BackupError> {
    progress.begin(content.folders().iter().map(|(_, root)| content_files(root).count()).sum());
    let part = beside(file, "part");
    let rows_file = beside(file, "rows");
    let written = write_parts(database, content, made_at, [&part, &rows_file], progress).await;
    let _ = std::fs::remove_file(&rows_file);
    match written {
        Ok(label) => {
            at(file, std::fs::rename(&part, file))?;
            Ok(label)
        }
        Err(error) => {
            let _ = std::fs::remove_file(&part);
            Err(error)
        }
    }
}

async fn write_parts(
    database: &Database,
    content: &Content<'_>,
    made_at: Timestamp,
    [part, rows_file]: [&Path; 2],
    progress: &Progress,
) -> Result<Label, BackupError> {
    let mut out = BufWriter::new(at(rows_file, create_private(rows_file))?);
    let rows = dump::write(database, &mut out).await?;
    at(rows_file, out.flush())?;
    drop(out);
    let archive = BufWriter::new(at(part, create_private(part))?);
    let mut archive = Builder::new(GzEncoder::new(archive, Compression::fast()));
    at(part, append(&mut archive, Path::new(STORE), rows_file))?;
    let mut files = BTreeMap::new();
    for (name, root) in content.folders() {
        let count = files.entry(name.to_owned()).or_default();
        for path in content_files(root) {
            let relative = path.strip_prefix(root).unwrap_or(&path);
            match append(&mut archive, &Path::new(name).join(relative), &path) {
                Ok(()) => *count += 1,
                // Taken away in this moment.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return at(&path, Err(error)),
            }
            progress.step();
        }
    }
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let label = Label { format: FORMAT, version, made_at, rows, files };
    let text = serde_json::to_vec_pretty(&label).unwrap_or_default();
    let mut header = header(text.len() as u64);
    at(part, archive.append_data(&mut header, LABEL, text.as_slice()))?;
    let out = at(part, archive.into_inner().and_then(GzEncoder::finish))?;
    let out = at(part, out.into_inner().map_err(io::IntoInnerError::into_error))?;
    at(part, out.sync_all())?;
    Ok(label)
}

/// Makes a file that only its owner may read: it holds what people prove themselves by.
fn create_private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    // Nobody else's file, and where no link leads: what an earlier run left here goes first.
    let _ = std::fs::remove_file(path);
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Files of a content folder. What begins with a dot (the history of git, an editor's lock) is no content.
fn content_files(root: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let is_content =
        |entry: &DirEntry| entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.');
    let walk = WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter().filter_entry(is_content);
    walk.flatten().filter(|entry| entry.file_type().is_file()).map(DirEntry::into_path)
}

fn append<W: Write>(archive: &mut Builder<W>, name: &Path, path: &Path) -> io::Result<()> {
    // Read whole: a file that grows meanwhile must not break the archive.
    if name == Path::new(STORE) {
        let mut file = File::open(path)?;
        let mut header = header(file.metadata()?.len());
        return archive.append_data(&mut header, name, &mut file);
    }
    let bytes = std::fs::read(path)?;
    archive.append_data(&mut header(bytes.len() as u64), name, bytes.as_slice())
}

fn header(size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_size(size);
    header
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{ending}"));
    file.with_file_name(name)
}

/// Restores a backup into an empty store and empty or absent folders. All of the file is read and checked before anything is written.
///
/// # Errors
/// The file is no whole backup, something stands where it should go, or a place cannot be written.
pub async fn restore(
    database: &Database,
    content: &Content<'_>,
    file: &Path,
    progress: &Progress,
) -> Result<Label, BackupError> {
    let label = check(file)?;
    progress.begin(label.files.values().sum::<u64>() as usize);
    for (_, root) in content.folders() {
        if content_files(root).next().is_some() {
            return Err(BackupError::NotEmpty(root.display().to_string()));
        }
    }
    let places: Vec<(&str, PathBuf, &Path)> =
        content.folders().into_iter().map(|(name, root)| (name, beside(root, "restoring"), root)).collect();
    for (_, place, _) in &places {
        let _ = std::fs::remove_dir_all(place);
        at(place, std::fs::create_dir_all(place))?;
    }
    let mut archive = open(file)?;
    for entry in at(file, archive.entries())? {
        let mut entry = at(file, entry)?;
        let name = at(file, entry.path())?.into_owned();
        if name == Path::new(STORE) {
            let mut rows = Vec::new();
            at(file, entry.read_to_end(&mut rows))?;
            dump::read(database, &mut rows.as_slice()).await?;
        }
        let Some((place, relative)) =
            places.iter().find_map(|(folder, place, _)| Some((place, name.strip_prefix(folder).ok()?)))
        else {
            continue;
        };
        let target = place.join(relative);
        if let Some(folder) = target.parent() {
            at(folder, std::fs::create_dir_all(folder))?;
        }
        let mut out = at(&target, File::create(&target))?;
        at(&target, io::copy(&mut entry, &mut out).and_then(|_| out.sync_all()))?;
        progress.step();
    }
    for (_, place, root) in &places {
        // An empty folder may stand there already.
        let _ = std::fs::remove_dir(root);
        at(root, std::fs::rename(place, root))?;
    }
    Ok(label)
}

fn open(file: &Path) -> Result<Archive<GzDecoder<BufReader<File>>>, BackupError> {
    Ok(Archive::new(GzDecoder::new(BufReader::new(at(file, File::open(file))?))))
}

/// Reads all of a backup: it must be whole, hold what its label says, and nothing that would be written elsewhere.
fn check(file: &Path) -> Result<Label, BackupError> {
    let unfit = |why: String| BackupError::Unfit { path: file.display().to_string(), why };
    let broken = |error: io::Error| unfit(format!("it is damaged or cut off ({error})"));
    let mut files: BTreeMap<String, u64> = FOLDERS.iter().map(|name| ((*name).to_owned(), 0)).collect();
    let (mut rows, mut label) = (0, None);
    let mut archive = open(file)?;
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let name = entry.path().map_err(broken)?.into_owned();
        let is_plain = entry.header().entry_type() == EntryType::Regular
            && name.components().all(|part| matches!(part, Component::Normal(_)));
        if !is_plain {
            return Err(unfit(format!("`{}` is no plain file", name.display())));
        }
        let first = name.components().next().map(|part| part.as_os_str().to_string_lossy().into_owned());
        if name == Path::new(LABEL) {
            let mut text = String::new();
            entry.take(MAX_LABEL_BYTES).read_to_string(&mut text).map_err(broken)?;
            label = Some(serde_json::from_str::<Label>(&text).map_err(|error| unfit(error.to_string()))?);
        } else if name == Path::new(STORE) {
            rows = BufReader::new(entry)
                .lines()
                .try_fold(0, |count, line| line.map(|_| count + 1))
                .map_err(broken)?;
        } else if let Some(count) = first.and_then(|first| files.get_mut(&first)) {
            io::copy(&mut entry, &mut io::sink()).map_err(broken)?;
            *count += 1;
        } else {
            return Err(unfit(format!("`{}` does not belong into a backup", name.display())));
        }
    }
    // To the very end, where the checksum stands.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(broken)?;
    let label = label.ok_or_else(|| unfit("it is cut off, or no backup of Pharos".to_owned()))?;
    if label.format != FORMAT {
        return Err(unfit(format!("its form is {}, this program reads {FORMAT}", label.format)));
    }
    if label.files != files || label.rows.values().sum::<u64>() != rows {
        return Err(unfit("it does not hold what its label says".to_owned()));
    }
    Ok(label)
}

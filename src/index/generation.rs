//! Generations: folders `gen-N` that each hold one index, of which the newest good one is used.

use std::fs::{File, TryLockError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use tantivy::directory::MmapDirectory;
use tantivy::{Index, IndexReader, IndexSettings, ReloadPolicy};

use crate::index::manifest::{Checkpoint, Contents, Manifest, ManifestError};
use crate::index::reader::Reader;
use crate::index::schema::{self, FORMAT, Fields};

/// What is decompressed to read one section; tantivy's own 16 KiB would mean reading eight sections for each hit.
const STORE_BLOCK_BYTES: usize = 4_096;

/// Why an index cannot be opened or made.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// A file or folder cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process writes the index.
    #[error("another pharos uses the index in {0}; stop it, or name another folder with --index")]
    Locked(PathBuf),
    /// tantivy refused.
    #[error("the index: {0}")]
    Tantivy(#[from] tantivy::TantivyError),
    /// The manifest cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The index was written by another version, or is no index of ours.
    #[error("the index is of another format: {0}")]
    Foreign(String),
    /// Reading it broke the reader.
    #[error("the index is damaged: {0}")]
    Damaged(String),
}

/// An index on disk (or in memory), open.
pub struct Generation {
    /// Where it is; empty for one in memory.
    pub folder: PathBuf,
    /// tantivy's index.
    pub index: Index,
    /// The fields.
    pub fields: Fields,
    reader: IndexReader,
}

impl std::fmt::Debug for Generation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Generation").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// An index that was there, with what its manifest tells of it.
pub type Opened = (Generation, Checkpoint, Contents);

/// The right to write the indexes in a folder, held while this lives.
#[derive(Debug)]
pub struct WriteLock(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

/// Takes the right to write the indexes in a folder, which is made when it is missing.
///
/// # Errors
/// Another process has it, or the folder cannot be written.
pub fn lock(root: &Path) -> Result<WriteLock, IndexError> {
    let path = root.join("lock");
    let io = |source| IndexError::Io { path: path.clone(), source };
    std::fs::create_dir_all(root).map_err(io)?;
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(WriteLock(file)),
        Err(TryLockError::WouldBlock) => Err(IndexError::Locked(root.to_owned())),
        Err(TryLockError::Error(source)) => Err(io(source)),
    }
}

/// The generations in a folder, newest first.
fn generations(root: &Path) -> Vec<(u64, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(root) else { return Vec::new() };
    let mut found: Vec<(u64, PathBuf)> = entries
        .flatten()
        .filter_map(|e| Some((e.file_name().to_str()?.strip_prefix("gen-")?.parse().ok()?, e.path())))
        .collect();
    found.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    found
}

/// Opens the newest generation with what its manifest tells; `Ok(None)` when there is none.
///
/// # Errors
/// It is damaged, foreign or of another format, and must be made anew.
pub fn open_newest(root: &Path) -> Result<Option<Opened>, IndexError> {
    let Some((_, folder)) = generations(root).into_iter().next() else { return Ok(None) };
    // A damaged file may break tantivy in ways it does not expect; that must not take the process down.
    match catch_unwind(AssertUnwindSafe(|| Generation::open(&folder))) {
        Ok(opened) => opened.map(Some),
        Err(_) => Err(IndexError::Damaged(format!("{} could not be read", folder.display()))),
    }
}

impl Generation {
    /// Makes an empty generation, newer than all there are.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn create(root: &Path) -> Result<Self, IndexError> {
        let number = generations(root).first().map_or(0, |(number, _)| *number) + 1;
        let folder = root.join(format!("gen-{number}"));
        std::fs::create_dir_all(&folder).map_err(|source| IndexError::Io { path: folder.clone(), source })?;
        let directory = MmapDirectory::open(&folder).map_err(tantivy::TantivyError::from)?;
        let (schema, _) = schema::schema();
        let settings = IndexSettings { docstore_blocksize: STORE_BLOCK_BYTES, ..IndexSettings::default() };
        let index = Index::create(directory, schema, settings)?;
        Self::of(index, folder)
    }

    /// An empty index in memory, for measuring and tests.
    ///
    /// # Errors
    /// tantivy refuses.
    pub fn in_memory() -> Result<Self, IndexError> {
        let (schema, _) = schema::schema();
        Self::of(Index::create_in_ram(schema), PathBuf::new())
    }

    fn of(mut index: Index, folder: PathBuf) -> Result<Self, IndexError> {
        let (_, fields) = schema::schema();
        index.set_tokenizers(schema::tokenizers());
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self { folder, index, fields, reader })
    }

    fn open(folder: &Path) -> Result<Opened, IndexError> {
        let directory = MmapDirectory::open(folder).map_err(tantivy::TantivyError::from)?;
        let index = Index::open(directory)?;
        if index.schema() != schema::schema().0 {
            return Err(IndexError::Foreign("its fields are not ours".to_owned()));
        }
        let payload = index.load_metas()?.payload.unwrap_or_default();
        let checkpoint: Checkpoint = serde_json::from_str(&payload)
            .map_err(|_| IndexError::Foreign("it has no manifest".to_owned()))?;
        if checkpoint.format != FORMAT {
            return Err(IndexError::Foreign(format!("{}, not {FORMAT}", checkpoint.format)));
        }
        let generation = Self::of(index, folder.to_owned())?;
        let contents = Manifest::read(folder, &checkpoint)?;
        Ok((generation, checkpoint, contents))
    }

    /// The index as it is at its last commit.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn latest(&self) -> Result<Reader, IndexError> {
        self.reader.reload()?;
        Ok(Reader::new(self.reader.searcher(), self.fields)?)
    }

    /// Files whose contents are not what was written, by their checksums. Reads everything.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn damaged_files(&self) -> Result<Vec<PathBuf>, IndexError> {
        let mut files: Vec<PathBuf> = self.index.validate_checksum()?.into_iter().collect();
        files.sort();
        Ok(files)
    }

    /// Removes all other generations in the same folder.
    pub fn remove_others(&self) {
        let Some(root) = self.folder.parent() else { return };
        for (_, folder) in generations(root) {
            if folder != self.folder
                && let Err(error) = std::fs::remove_dir_all(&folder)
            {
                tracing::warn!(folder = %folder.display(), %error, "an old index could not be removed");
            }
        }
    }
}

//! The manifest: which files the index holds, and what the library keeps of each.
//!
//! A log of records beside tantivy's files. A commit of the index names the log and how much of it counts, with its hash, so that both
//! always tell of the same moment: whatever stands behind that is cut off at the next start.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::content::library::{Slot, Source};

/// Logs above this size are rewritten when more than half of them is out of date, in bytes.
const MIN_COMPACTED_BYTES: u64 = 4 << 20;

/// What a commit says of its manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Format of the index.
    pub format: String,
    /// Name of the log.
    pub log: String,
    /// How many of its bytes count.
    pub length: u64,
    /// BLAKE3 of those bytes, in hex.
    pub hash: String,
}

/// What a manifest tells.
#[derive(Debug)]
pub struct Contents {
    /// The sources by slot.
    pub sources: Vec<Option<Arc<Source>>>,
    /// The hash of the log so far.
    pub hasher: blake3::Hasher,
    /// How many bytes of the log are still true.
    pub live: u64,
}

#[derive(Serialize, Deserialize)]
enum Record {
    Put(Slot, Arc<Source>),
    Remove(Slot),
}

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The log could not be read or written.
    #[error("the manifest {path}: {source}")]
    Io {
        /// The log.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The log is shorter than the commit says, or does not have its hash, or holds no records.
    #[error("the manifest {0} is damaged")]
    Damaged(PathBuf),
}

/// The manifest, open for appending.
#[derive(Debug)]
pub struct Manifest {
    folder: PathBuf,
    name: String,
    file: BufWriter<File>,
    hasher: blake3::Hasher,
    length: u64,
    /// How many bytes of the log were still true when it was begun or opened; 0 before the first checkpoint.
    live: u64,
}

impl Manifest {
    /// Begins an empty manifest in a folder.
    ///
    /// # Errors
    /// The log cannot be made.
    pub fn create(folder: &Path, number: u64) -> Result<Self, ManifestError> {
        let name = format!("manifest-{number}.log");
        let path = folder.join(&name);
        let file = File::create(&path).map_err(|source| ManifestError::Io { path, source })?;
        Ok(Self {
            folder: folder.to_owned(),
            name,
            file: BufWriter::new(file),
            hasher: blake3::Hasher::new(),
            length: 0,
            live: 0,
        })
    }

    /// Reads what a commit says counts, without opening the log for appending; with the hash so far, to go on from.
    ///
    /// # Errors
    /// The log cannot be read or is damaged.
    pub fn read(folder: &Path, checkpoint: &Checkpoint) -> Result<Contents, ManifestError> {
        let path = folder.join(&checkpoint.log);
        let damaged = || ManifestError::Damaged(path.clone());
        let mut bytes = Vec::new();
        let read = File::open(&path).and_then(|file| file.take(checkpoint.length).read_to_end(&mut bytes));
        read.map_err(|source| ManifestError::Io { path: path.clone(), source })?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&bytes);
        let is_whole =
            bytes.len() as u64 == checkpoint.length && hasher.finalize().to_hex().as_str() == checkpoint.hash;
        if !is_whole {
            return Err(damaged());
        }
        let mut sources: Vec<Option<Arc<Source>>> = Vec::new();
        let mut sizes: Vec<u64> = Vec::new();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (record, left) = postcard::take_from_bytes::<Record>(rest).map_err(|_| damaged())?;
            let size = (rest.len() - left.len()) as u64;
            rest = left;
            match record {
                Record::Put(slot, source) => {
                    let slot = slot as usize;
                    if sources.len() <= slot {
                        sources.resize(slot + 1, None);
                        sizes.resize(slot + 1, 0);
                    }
                    sources[slot] = Some(source);
                    sizes[slot] = size;
                }
                Record::Remove(slot) => {
                    if let Some(place) = sources.get_mut(slot as usize) {
                        *place = None;
                        sizes[slot as usize] = 0;
                    }
                }
            }
        }
        Ok(Contents { sources, hasher, live: sizes.iter().sum() })
    }

    /// Opens the log for appending behind what was read of it.
    ///
    /// # Errors
    /// The log cannot be opened or cut.
    pub fn open(
        folder: &Path,
        checkpoint: &Checkpoint,
        hasher: blake3::Hasher,
        live: u64,
    ) -> Result<Self, ManifestError> {
        let path = folder.join(&checkpoint.log);
        let io = |source| ManifestError::Io { path: path.clone(), source };
        let mut file = OpenOptions::new().write(true).open(&path).map_err(io)?;
        file.set_len(checkpoint.length).map_err(io)?;
        file.seek(SeekFrom::End(0)).map_err(io)?;
        Ok(Self {
            folder: folder.to_owned(),
            name: checkpoint.log.clone(),
            file: BufWriter::new(file),
            hasher,
            length: checkpoint.length,
            live,
        })
    }

    /// Notes a source in its slot.
    ///
    /// # Errors
    /// The log cannot be written.
    pub fn put(&mut self, slot: Slot, source: &Arc<Source>) -> Result<(), ManifestError> {
        self.append(&Record::Put(slot, Arc::clone(source)))
    }

    /// Notes that a slot is empty.
    ///
    /// # Errors
    /// The log cannot be written.
    pub fn remove(&mut self, slot: Slot) -> Result<(), ManifestError> {
        self.append(&Record::Remove(slot))
    }

    fn append(&mut self, record: &Record) -> Result<(), ManifestError> {
        let bytes = postcard::to_stdvec(record).map_err(|e| ManifestError::Io {
            path: self.folder.join(&self.name),
            source: std::io::Error::other(e),
        })?;
        self.hasher.update(&bytes);
        self.length += bytes.len() as u64;
        let written = self.file.write_all(&bytes);
        written.map_err(|source| ManifestError::Io { path: self.folder.join(&self.name), source })
    }

    /// Writes out what is buffered and tells what a commit has to say.
    ///
    /// # Errors
    /// The log cannot be written.
    pub fn checkpoint(&mut self, format: &str) -> Result<Checkpoint, ManifestError> {
        let flushed = self.file.flush();
        flushed.map_err(|source| ManifestError::Io { path: self.folder.join(&self.name), source })?;
        if self.live == 0 {
            // The first commit of a new log holds each source once.
            self.live = self.length;
        }
        Ok(Checkpoint {
            format: format.to_owned(),
            log: self.name.clone(),
            length: self.length,
            hash: self.hasher.finalize().to_hex().to_string(),
        })
    }

    /// Whether more than half of the log is out of date.
    pub fn wants_compaction(&self) -> bool {
        self.live > 0 && self.length > self.live.saturating_mul(2).max(MIN_COMPACTED_BYTES)
    }

    /// Begins a new log that holds just these sources. The old one stays for the last commit until [`Manifest::remove_others`].
    ///
    /// # Errors
    /// The log cannot be written.
    pub fn compact<'a>(
        &mut self,
        sources: impl Iterator<Item = (Slot, &'a Arc<Source>)>,
    ) -> Result<(), ManifestError> {
        let number: u64 =
            self.name.trim_start_matches("manifest-").trim_end_matches(".log").parse().unwrap_or_default();
        let mut next = Self::create(&self.folder, number + 1)?;
        for (slot, source) in sources {
            next.put(slot, source)?;
        }
        next.live = next.length;
        *self = next;
        Ok(())
    }

    /// Removes the logs no commit names any more.
    pub fn remove_others(&self) {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with("manifest-") && name != self.name {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

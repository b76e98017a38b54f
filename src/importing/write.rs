//! Writing what was planned, and finding it again when the same source is imported later.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::importing::archive::{Archive, ArchiveError};
use crate::importing::plan::{Aim, Plan};

/// What is kept of earlier imports, in the folder that is imported into. Hidden files are passed over by everything else.
const RECORD: &str = ".pharos-import.json";

/// Why nothing, or not everything, was written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The disk refused.
    #[error("{path} cannot be {what}: {error}")]
    Disk {
        /// Which file.
        path: String,
        /// What was tried.
        what: &'static str,
        /// Why.
        error: std::io::Error,
    },
    /// The source is damaged.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// What is kept of earlier imports cannot be read.
    #[error(
        "{path} is damaged: {why}; without it what is there cannot be told from what editors wrote: mend it, or import elsewhere"
    )]
    Record {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
}

/// What is kept of earlier imports into a folder.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ImportRecord {
    /// By the key of each article: where it is, and the digest of what was written there.
    pub articles: BTreeMap<String, (String, String)>,
}

/// What became of each article.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Written {
    /// New ones, by path.
    pub new: Vec<String>,
    /// Those that hold something else than before.
    pub updated: Vec<String>,
    /// Those that hold what they held.
    pub unchanged: usize,
    /// Those that somebody edited since they were imported: left as they are.
    pub edited: Vec<String>,
    /// Those that were imported earlier and are in the source no more: left as they are.
    pub gone: Vec<String>,
}

impl ImportRecord {
    /// What is kept of earlier imports into a folder below `articles`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(articles: &Path, aim: &Aim) -> Result<Self, WriteError> {
        let path = articles.join(&aim.into).join(RECORD);
        let shown = path.display().to_string();
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| WriteError::Record { path: shown, why: error.to_string() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(WriteError::Disk { path: shown, what: "read", error }),
        }
    }

    /// Where each article is, by its key.
    pub fn paths(&self) -> BTreeMap<String, String> {
        self.articles.iter().map(|(key, (path, _))| (key.clone(), path.clone())).collect()
    }
}

fn digest(text: &[u8]) -> String {
    blake3::hash(text).to_hex().to_string()
}

/// Writes a plan below `articles`, or only tells what would be written. What somebody edited since it was imported is left alone. `progress` is
/// told how many of how many are done; `today` tells which days are still to come.
///
/// # Errors
/// The disk refused, or the source is damaged. What was written by then stays, and a later import goes on from there.
pub fn write(
    plan: &Plan,
    archive: &Archive,
    articles: &Path,
    aim: &Aim,
    is_dry_run: bool,
    today: Timestamp,
    progress: &dyn Fn(usize, usize),
) -> Result<Written, WriteError> {
    let mut record = ImportRecord::read(articles, aim)?;
    let mut written = Written::default();
    let total = plan.articles.len() + plan.files.len();
    for (done, file) in plan.files.iter().enumerate() {
        progress(done, total);
        let path = articles.join(&file.path);
        // Its name holds what it holds: what is there is the same.
        if !is_dry_run && !path.exists() {
            put(&path, &file.bytes(archive)?, None)?;
        }
    }
    for (done, article) in plan.articles.iter().enumerate() {
        progress(plan.files.len() + done, total);
        let path = articles.join(&article.path);
        let now = match std::fs::read(&path) {
            Ok(bytes) => Some(digest(&bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                return Err(WriteError::Disk { path: path.display().to_string(), what: "read", error });
            }
        };
        let wanted = digest(article.text.as_bytes());
        let known = record.articles.get(&article.key).map(|(_, digest)| digest.clone());
        match (&now, &known) {
            (Some(now), _) if *now == wanted => written.unchanged += 1,
            (Some(now), Some(known)) if now == known => written.updated.push(article.path.clone()),
            (None, None) => written.new.push(article.path.clone()),
            // Somebody edited it, took it away, or had a file there before.
            _ => {
                written.edited.push(article.path.clone());
                continue;
            }
        }
        if !is_dry_run {
            if now.as_ref() != Some(&wanted) {
                let changed = article.changed.as_deref().and_then(|day| day.parse::<Date>().ok());
                put(&path, article.text.as_bytes(), changed.and_then(|day| noon(day, today)))?;
            }
            record.articles.insert(article.key.clone(), (article.path.clone(), wanted));
        }
    }
    let here: std::collections::BTreeSet<&str> =
        plan.articles.iter().map(|article| article.key.as_str()).collect();
    let gone = record.articles.iter().filter(|(key, _)| !here.contains(key.as_str()));
    written.gone = gone.map(|(_, (path, _))| path.clone()).collect();
    if !is_dry_run && total > 0 {
        // Another import may have written there meanwhile.
        let mut latest = ImportRecord::read(articles, aim)?;
        latest.articles.extend(record.articles);
        let text = serde_json::to_vec_pretty(&latest).unwrap_or_default();
        put(&articles.join(&aim.into).join(RECORD), &text, None)?;
    }
    progress(total, total);
    Ok(written)
}

/// Puts a file in the place of another one in one instant. Its time is that of the day it was last changed, if that is known.
fn put(path: &Path, bytes: &[u8], changed: Option<SystemTime>) -> Result<(), WriteError> {
    let fail = |what| move |error| WriteError::Disk { path: path.display().to_string(), what, error };
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(fail("made"))?;
    let aside = folder.join(format!(".pharos-import-{:016x}", fastrand::u64(..)));
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create(&aside)?;
        file.write_all(bytes)?;
        if let Some(at) = changed {
            file.set_modified(at)?;
        }
        file.sync_data()?;
        std::fs::rename(&aside, path)
    };
    let done = write();
    if done.is_err() {
        let _ = std::fs::remove_file(&aside);
    }
    done.map_err(fail("written"))
}

/// The middle of a day, so that it is the same day everywhere. Days to come are none on which something was changed.
fn noon(day: Date, now: Timestamp) -> Option<SystemTime> {
    let at: Timestamp = format!("{day}T12:00:00Z").parse().ok().filter(|at| *at <= now)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(at.as_second()).ok()?))
}

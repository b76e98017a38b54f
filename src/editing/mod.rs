//! Editing: drafts, publications and the history of everything editors write.

pub mod attachments;
pub mod commits;
pub mod disk;
pub mod drafts;
pub mod git;
pub mod history;
pub mod merge;
pub mod publish;
pub mod review;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use thiserror::Error;
use tokio::sync::Mutex;
use tokio::task::JoinError;

use crate::content::files::Folder;
use crate::content::watch::Remote;
use crate::database::{Database, Ids, StoreError};
use crate::editing::commits::ToldByCommits;
use crate::editing::disk::{Disk, DiskError, SourcePath};
use crate::editing::git::{GitError, WorkTree};

/// Who writes: for history.
#[derive(Clone, Debug, Default)]
pub struct Author {
    /// The person's id; none for what was changed on disk.
    pub id: Option<String>,
    /// What the person is called.
    pub name: String,
}

/// Why something could not be written.
#[derive(Debug, Error)]
pub enum EditError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A field is wrong.
    #[error("`{name}`: {why}")]
    Invalid {
        /// The field.
        name: &'static str,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// There is no such file, revision, draft or publication.
    #[error("there is no {0} with this name")]
    NotFound(&'static str),
    /// The files changed meanwhile in the same places: nothing was written.
    #[error("changed meanwhile in the same place: {}; merge and publish again", .0.join(", "))]
    Conflict(Vec<String>),
    /// It may not be done, or not yet.
    #[error("{0}")]
    Refused(String),
    /// The files could not be read or written.
    #[error("{0}")]
    Disk(#[from] DiskError),
    /// Git failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// Work broke off: a fault of the program.
    #[error("work broke off: {0}")]
    Broken(#[from] JoinError),
}

impl From<sqlx::Error> for EditError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl EditError {
    fn invalid(name: &'static str, why: impl Into<String>) -> Self {
        Self::Invalid { name, why: why.into() }
    }

    fn unknown_base() -> Self {
        Self::invalid("base", "is the digest of no text that was ever seen here: load the file again")
    }
}

/// The name of a content file.
///
/// # Errors
/// It is none.
pub fn path_of(text: &str) -> Result<SourcePath, EditError> {
    SourcePath::parse(text).map_err(|why| EditError::invalid("path", why))
}

/// Does work that waits for the disk, or takes its time, off the threads that talk to clients.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, EditError> {
    Ok(tokio::task::spawn_blocking(work).await?)
}

/// All that is written through Pharos, and what became of it.
#[derive(Debug)]
pub struct Editing {
    database: Database,
    ids: Ids,
    disk: Arc<Disk>,
    remote: Remote,
    /// Held while something is published or history is brought up to date: one at a time.
    writing: Mutex<Seen>,
    /// Publications that were refused, and of which the store could not be told.
    refused: std::sync::Mutex<HashSet<String>>,
    /// The git work tree that the folders lie in.
    work_tree: Option<WorkTree>,
    /// What is written to disk beside publications, by whom and why: the digest by the path.
    claimed: std::sync::Mutex<HashMap<String, Claim>>,
    /// What commits say of who changed what.
    told: Mutex<ToldByCommits>,
}

/// A text that somebody is about to write to disk.
#[derive(Clone, Debug)]
struct Claim {
    digest: String,
    author: Author,
    reason: String,
}

/// What was last seen of each file: the hash of its bytes. Only a hint where to look.
type Seen = HashMap<String, [u8; 32]>;

impl Editing {
    /// Editing of two folders. What an earlier process was in the middle of publishing is brought to its end first. Where the folders lie in a
    /// git work tree and `with_git` is true, what is published can be committed there.
    ///
    /// # Errors
    /// The store cannot be read, or what was begun cannot be ended.
    pub async fn open(
        database: Database,
        folders: [Folder; 2],
        remote: Remote,
        with_git: bool,
    ) -> Result<Self, EditError> {
        let around = folders.clone();
        let work_tree = if with_git { aside(move || WorkTree::around(&around)).await? } else { None };
        let disk = Arc::new(Disk::new(folders));
        let editing = Self {
            database,
            ids: Ids::default(),
            disk,
            remote,
            writing: Mutex::default(),
            refused: Default::default(),
            work_tree,
            claimed: Default::default(),
            told: Mutex::default(),
        };
        editing.finish_what_was_begun().await?;
        editing.clear_what_was_left().await?;
        Ok(editing)
    }
}

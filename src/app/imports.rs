//! Imports over the web: what is sent in pieces is read, shown with what would be lost, and written once its sender agrees.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clap::ValueEnum;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::Accounts;
use crate::accounts::audit::Actor;
use crate::app::running::App;
use crate::content::files::Folder;
use crate::database::Ids;
use crate::editing::{Author, Editing};
use crate::importing::alike::Alike;
use crate::importing::archive::Archive;
use crate::importing::document::{Counts, State};
use crate::importing::plan::{Aim, ImportReport, LossAt, Plan};
use crate::importing::write::{Written, write};
use crate::importing::{Format, prepare};

/// Imports that are under way at one time, and those of one person.
const MAX_IMPORTS: usize = 16;
const MAX_OF_PERSON: usize = 4;

/// How long an import is kept after it was last touched.
const KEPT: SignedDuration = SignedDuration::from_hours(2);

/// The longest name of a file that is sent, in bytes.
const MAX_NAME: usize = 200;

/// Places told of each kind of loss.
const LOSSES: usize = 100;

/// Articles named of each list.
const NAMED: usize = 500;

/// What somebody wants to import.
#[derive(Clone, Debug)]
pub struct ImportWish {
    /// The name of the file.
    pub name: String,
    /// How many bytes it has.
    pub size: u64,
    /// The folder below the articles.
    pub into: String,
    /// Which kind of source it is; none: what its files tell.
    pub format: String,
    /// Whether every article becomes a draft.
    pub draft: bool,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ImportState {
    /// It is being sent.
    Sending,
    /// It is being read.
    Reading,
    /// It was read, and waits until its sender agrees.
    Waiting,
    /// It is being written.
    Writing,
    /// It was written.
    Done,
    /// It cannot be imported.
    Failed,
}

impl ImportState {
    /// Whether it is at work, and must not be disturbed.
    fn is_working(self) -> bool {
        matches!(self, Self::Reading | Self::Writing)
    }

    fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Reading => "reading",
            Self::Waiting => "waiting",
            Self::Writing => "writing",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// What was not carried of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportLosses {
    /// The kind, as `merged-cells`.
    pub kind: String,
    /// How often.
    pub count: usize,
    /// Where, the first hundred.
    pub places: Vec<LossAt>,
}

/// What was read, and what becomes of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportOutcome {
    /// Which kind of source it is.
    pub format: String,
    /// Articles in it.
    pub articles: usize,
    /// Pictures and files carried.
    pub files: usize,
    /// What could not be read, and why, the first of them.
    pub unreadable: BTreeMap<String, String>,
    /// What the source has.
    pub had: Counts,
    /// What the articles have.
    pub carried: Counts,
    /// What is not carried, or not as it was.
    pub losses: Vec<ImportLosses>,
    /// Articles that hold the same as others, word by word or nearly, the first of them.
    pub alike: Vec<Alike>,
    /// How many are new, changed by it, the same as they were, edited here since and left alone, gone from the source and left.
    pub counts: ImportFates,
    /// The paths of those that are new, the first of them.
    pub new: Vec<String>,
    /// Those that are changed by it.
    pub updated: Vec<String>,
    /// Those that were edited here since, and are left alone.
    pub edited: Vec<String>,
    /// Those that the source has no more, and that are left.
    pub gone: Vec<String>,
}

/// What becomes of articles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportFates {
    /// New ones.
    pub new: usize,
    /// Those changed by it.
    pub updated: usize,
    /// Those that stay as they are.
    pub unchanged: usize,
    /// Those edited here since, and left alone.
    pub edited: usize,
    /// Those that the source has no more, and that are left.
    pub gone: usize,
}

/// An import as its sender sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportView {
    /// Its id.
    pub id: String,
    /// The name of the file.
    pub name: String,
    /// The folder below the articles.
    pub into: String,
    /// Whether every article becomes a draft.
    pub draft: bool,
    /// How far it is.
    pub state: ImportState,
    /// Bytes that are here.
    pub received: u64,
    /// Bytes of the file.
    pub size: u64,
    /// Of what is being read or written, how much is done.
    pub done: usize,
    /// How much there is; 0 as long as nobody knows.
    pub total: usize,
    /// Why it cannot be imported.
    pub fault: Option<String>,
    /// What was read, and what becomes of it.
    pub outcome: Option<ImportOutcome>,
}

/// Why something cannot be done with an import.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There is no such import of this person.
    #[error("there is no import with this name; one is kept for two hours")]
    NotFound,
    /// A field is wrong.
    #[error("`{0}` {1}")]
    Invalid(&'static str, String),
    /// It is not as far, or further.
    #[error("{0}")]
    Refused(String),
    /// There are too many.
    #[error(
        "{MAX_IMPORTS} imports, or {MAX_OF_PERSON} of one person, are under way: end one, or wait for two hours"
    )]
    TooMany,
    /// The disk refused.
    #[error("what was sent cannot be kept: {0}")]
    Disk(#[from] std::io::Error),
}

#[derive(Debug)]
struct Job {
    id: String,
    person: String,
    wish: ImportWish,
    place: PathBuf,
    inner: Mutex<Inner>,
    done: AtomicUsize,
    total: AtomicUsize,
}

#[derive(Clone, Debug)]
struct Inner {
    state: ImportState,
    received: u64,
    touched: Timestamp,
    fault: Option<String>,
    outcome: Option<ImportOutcome>,
}

/// All imports of a server.
#[derive(Debug)]
pub struct Imports {
    /// Where what is sent is kept until it is imported.
    folder: PathBuf,
    articles: Folder,
    most: u64,
    ids: Ids,
    app: Arc<App>,
    editing: Arc<Editing>,
    accounts: Arc<Accounts>,
    jobs: Mutex<BTreeMap<String, Arc<Job>>>,
    /// One is read or written at a time: two into one folder would not know of each other.
    working: tokio::sync::Mutex<()>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Job {
    /// Removes what was sent.
    fn drop_file(&self) {
        let folder: Option<&Path> = self.place.parent();
        if let Some(Err(error)) = folder.map(std::fs::remove_dir_all)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "what was sent to be imported is left behind");
        }
    }

    fn view(&self) -> ImportView {
        let inner = lock(&self.inner).clone();
        ImportView {
            id: self.id.clone(),
            name: self.wish.name.clone(),
            into: self.wish.into.clone(),
            draft: self.wish.draft,
            state: inner.state,
            received: inner.received,
            size: self.wish.size,
            done: self.done.load(Ordering::Relaxed),
            total: self.total.load(Ordering::Relaxed),
            fault: inner.fault,
            outcome: inner.outcome,
        }
    }

    /// Goes from one state to another, if it is in it.
    fn pass(&self, from: ImportState, to: ImportState, now: Timestamp) -> Result<(), ImportError> {
        let mut inner = lock(&self.inner);
        if inner.state != from {
            let why = format!("the import is {}, and not {}", inner.state.name(), from.name());
            return Err(ImportError::Refused(why));
        }
        inner.state = to;
        inner.touched = now;
        self.done.store(0, Ordering::Relaxed);
        self.total.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// Reads what was sent, and writes it, or only tells what would be written. `claim` hears what will be written before it is, and may
    /// refuse it.
    fn import(
        &self,
        articles: &Folder,
        is_dry_run: bool,
        now: Timestamp,
        claim: impl FnOnce(&Plan) -> Result<(), String>,
    ) -> Result<ImportOutcome, String> {
        let fail = |error: &dyn std::fmt::Display| error.to_string();
        let told = |done: usize, total: usize| {
            self.done.store(done, Ordering::Relaxed);
            self.total.store(total, Ordering::Relaxed);
        };
        let aim = Aim { into: self.wish.into.clone(), state: self.wish.draft.then_some(State::Draft) };
        let archive = Archive::open(&self.place).map_err(|error| fail(&error.why))?;
        let wanted = Format::from_str(&self.wish.format, true).ok();
        let plan = prepare(&archive, wanted, &aim, articles, &told).map_err(|error| fail(&error))?;
        if !is_dry_run {
            claim(&plan)?;
        }
        let written = write(&plan, &archive, &articles.root, &aim, is_dry_run, now, &told)
            .map_err(|error| fail(&error))?;
        Ok(outcome(plan.report, written))
    }
}

fn outcome(report: ImportReport, written: Written) -> ImportOutcome {
    let ImportReport { format, articles, files, unreadable, had, carried, losses, alike } = report;
    let counts = ImportFates {
        new: written.new.len(),
        updated: written.updated.len(),
        unchanged: written.unchanged,
        edited: written.edited.len(),
        gone: written.gone.len(),
    };
    let first = |paths: Vec<String>| paths.into_iter().take(NAMED).collect();
    let losses = losses.into_iter().map(|(kind, mut places)| {
        let count = places.len();
        places.truncate(LOSSES);
        ImportLosses { kind, count, places }
    });
    ImportOutcome {
        format,
        articles,
        files,
        unreadable: unreadable.into_iter().take(LOSSES).collect(),
        had,
        carried,
        losses: losses.collect(),
        alike: alike.into_iter().take(NAMED).collect(),
        counts,
        new: first(written.new),
        updated: first(written.updated),
        edited: first(written.edited),
        gone: first(written.gone),
    }
}

impl Imports {
    /// Imports into a folder of articles. What an earlier process was sent is gone: `folder` is emptied.
    pub fn new(
        folder: PathBuf,
        articles: Folder,
        most: u64,
        app: Arc<App>,
        editing: Arc<Editing>,
        accounts: Arc<Accounts>,
    ) -> Self {
        if let Err(error) = std::fs::remove_dir_all(&folder)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, folder = %folder.display(), "what was sent to be imported earlier is left behind");
        }
        Self {
            folder,
            articles,
            most,
            ids: Ids::default(),
            app,
            editing,
            accounts,
            jobs: Mutex::default(),
            working: tokio::sync::Mutex::default(),
        }
    }

    /// Begins an import: its file is sent next.
    ///
    /// # Errors
    /// A field is wrong, there are too many, or the disk refused.
    pub fn begin(
        &self,
        person: &str,
        mut wish: ImportWish,
        now: Timestamp,
    ) -> Result<ImportView, ImportError> {
        let invalid = |name, why: String| Err(ImportError::Invalid(name, why));
        let is_bad = |c: char| c.is_control() || "/\\".contains(c);
        if wish.name.is_empty()
            || wish.name.starts_with('.')
            || wish.name.len() > MAX_NAME
            || wish.name.contains(is_bad)
        {
            return invalid("name", format!("must be the name of a file, at most {MAX_NAME} bytes long"));
        }
        if wish.size == 0 || wish.size > self.most {
            let why =
                format!("must be 1 to {} bytes; larger ones go by `pharos import` on the server", self.most);
            return invalid("size", why);
        }
        match Aim::folder(&wish.into) {
            Some(folder) => wish.into = folder,
            None => {
                return invalid("into", "must be a folder below the articles, as support/wiki".to_owned());
            }
        }
        if !wish.format.is_empty() && Format::from_str(&wish.format, true).is_err() {
            let names = Format::value_variants().iter().filter_map(|format| format.to_possible_value());
            let names: Vec<String> = names.map(|value| value.get_name().to_owned()).collect();
            return invalid("format", format!("must be one of: {}", names.join(", ")));
        }
        self.tidy(now);
        let mut jobs = lock(&self.jobs);
        let under_way = jobs.values().filter(|job| !lock(&job.inner).state.is_final());
        let under_way: Vec<&Arc<Job>> = under_way.collect();
        let of_person = under_way.iter().filter(|job| job.person == person).count();
        if under_way.len() >= MAX_IMPORTS || of_person >= MAX_OF_PERSON {
            return Err(ImportError::TooMany);
        }
        let id = self.ids.next(now);
        let folder = self.folder.join(&id);
        std::fs::create_dir_all(&folder)?;
        let place = folder.join(&wish.name);
        std::fs::File::create_new(&place)?;
        let inner =
            Inner { state: ImportState::Sending, received: 0, touched: now, fault: None, outcome: None };
        let job = Job {
            id: id.clone(),
            person: person.to_owned(),
            wish,
            place,
            inner: Mutex::new(inner),
            done: AtomicUsize::new(0),
            total: AtomicUsize::new(0),
        };
        let view = job.view();
        jobs.insert(id, Arc::new(job));
        Ok(view)
    }

    /// Takes a piece of the file, which begins where the last one ended. With the last one it is read.
    ///
    /// # Errors
    /// There is no such import, the piece does not follow, or the disk refused.
    pub async fn take(
        self: &Arc<Self>,
        person: &str,
        id: &str,
        at: u64,
        bytes: Vec<u8>,
        now: Timestamp,
    ) -> Result<ImportView, ImportError> {
        let job = self.find(person, id)?;
        let kept = Arc::clone(&job);
        let keep = move || {
            let mut inner = lock(&kept.inner);
            let after = at.saturating_add(bytes.len() as u64);
            if inner.state != ImportState::Sending || at != inner.received || after > kept.wish.size {
                let why = format!(
                    "{} of {} bytes are here: the piece at {at} with {} bytes does not follow",
                    inner.received,
                    kept.wish.size,
                    bytes.len()
                );
                return Err(ImportError::Refused(why));
            }
            let mut file = std::fs::OpenOptions::new().write(true).open(&kept.place)?;
            std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(at))?;
            file.write_all(&bytes)?;
            inner.received = after;
            inner.touched = now;
            Ok(after == kept.wish.size)
        };
        let is_whole = tokio::task::spawn_blocking(keep).await.map_err(std::io::Error::other)??;
        if is_whole {
            job.pass(ImportState::Sending, ImportState::Reading, now)?;
            let (all, own) = (Arc::clone(self), Arc::clone(&job));
            tokio::spawn(async move {
                let _alone = all.working.lock().await;
                let (job, articles) = (Arc::clone(&own), all.articles.clone());
                let work = move || job.import(&articles, true, now, |_| Ok(()));
                end(&own, ended(tokio::task::spawn_blocking(work).await), ImportState::Waiting);
            });
        }
        Ok(job.view())
    }

    /// Writes what was read.
    ///
    /// # Errors
    /// There is no such import, or it is not as far.
    pub async fn write(
        self: &Arc<Self>,
        person: &str,
        id: &str,
        actor: Actor,
        now: Timestamp,
    ) -> Result<ImportView, ImportError> {
        let job = self.find(person, id)?;
        let snapshot = self.app.snapshot();
        let snapshot =
            snapshot.ok_or_else(|| ImportError::Refused("the content is being loaded".to_owned()))?;
        job.pass(ImportState::Waiting, ImportState::Writing, now)?;
        let (all, own) = (Arc::clone(self), Arc::clone(&job));
        tokio::spawn(async move {
            let _alone = all.working.lock().await;
            let (job, articles, editing) = (Arc::clone(&own), all.articles.clone(), Arc::clone(&all.editing));
            let author = Author { id: actor.id.clone(), name: actor.name.clone() };
            let reason = format!("imported: {}", job.wish.name);
            let work = move || {
                let is_draft = job.wish.draft;
                job.import(&articles, false, now, |plan| {
                    for article in &plan.articles {
                        let path = format!("articles/{}", article.path);
                        let here = std::fs::read(articles.root.join(&article.path)).ok();
                        let is_same = here.as_deref() == Some(article.text.as_bytes());
                        // What is new and a draft no reader gets.
                        let is_harmless = is_same || is_draft && here.is_none();
                        if !is_harmless && snapshot.approval(&path).is_some() {
                            return Err(format!(
                                "others must approve what becomes of {path}: import into another folder, or only what is new, as drafts"
                            ));
                        }
                    }
                    let texts = plan.articles.iter();
                    let texts = texts.map(|article| (format!("articles/{}", article.path), article.text.as_str()));
                    editing.claim(&author, &reason, texts);
                    Ok(())
                })
            };
            let ended = ended(tokio::task::spawn_blocking(work).await);
            if let Ok(ImportOutcome { counts, .. }) = &ended {
                let told = format!("{}: {} new, {} updated", own.wish.name, counts.new, counts.updated);
                let into = format!("articles/{}", own.wish.into);
                if let Err(error) =
                    all.accounts.note(&actor, "content.imported", Some(&into), &told, now).await
                {
                    tracing::error!(%error, "the audit log does not know of an import");
                }
            }
            end(&own, ended, ImportState::Done);
        });
        Ok(job.view())
    }

    /// An import of a person.
    ///
    /// # Errors
    /// There is none.
    pub fn get(&self, person: &str, id: &str) -> Result<ImportView, ImportError> {
        Ok(self.find(person, id)?.view())
    }

    /// The imports of a person, the newest first.
    pub fn list(&self, person: &str) -> Vec<ImportView> {
        let jobs = lock(&self.jobs);
        jobs.values().rev().filter(|job| job.person == person).map(|job| job.view()).collect()
    }

    /// Forgets an import, and what was sent with it. What was written stays.
    ///
    /// # Errors
    /// There is none, or it is being read or written.
    pub fn forget(&self, person: &str, id: &str) -> Result<(), ImportError> {
        let job = self.find(person, id)?;
        {
            let mut inner = lock(&job.inner);
            if inner.state.is_working() {
                let why = format!("the import is {}: wait until that is done", inner.state.name());
                return Err(ImportError::Refused(why));
            }
            // Nobody may begin to write it any more.
            inner.state = ImportState::Failed;
        }
        self.drop_job(&job);
        Ok(())
    }

    /// Forgets imports that nobody touched for long.
    pub fn tidy(&self, now: Timestamp) {
        let old: Vec<Arc<Job>> = {
            let jobs = lock(&self.jobs);
            let is_old = |job: &&Arc<Job>| {
                let mut inner = lock(&job.inner);
                let is_old = !inner.state.is_working() && now.duration_since(inner.touched) > KEPT;
                if is_old {
                    inner.state = ImportState::Failed;
                }
                is_old
            };
            jobs.values().filter(is_old).cloned().collect()
        };
        old.iter().for_each(|job| self.drop_job(job));
    }

    fn drop_job(&self, job: &Job) {
        lock(&self.jobs).remove(&job.id);
        job.drop_file();
    }

    fn find(&self, person: &str, id: &str) -> Result<Arc<Job>, ImportError> {
        let jobs = lock(&self.jobs);
        jobs.get(id).filter(|job| job.person == person).cloned().ok_or(ImportError::NotFound)
    }
}

/// How work ended that may have broken off.
fn ended(
    work: Result<Result<ImportOutcome, String>, tokio::task::JoinError>,
) -> Result<ImportOutcome, String> {
    work.unwrap_or_else(|error| Err(format!("a fault of the program: {error}")))
}

/// Notes how reading or writing ended.
fn end(job: &Job, ended: Result<ImportOutcome, String>, good: ImportState) {
    let mut inner = lock(&job.inner);
    match ended {
        Ok(outcome) => {
            inner.state = good;
            inner.outcome = Some(outcome);
        }
        Err(fault) => {
            inner.state = ImportState::Failed;
            inner.fault = Some(fault);
        }
    }
    if inner.state.is_final() {
        job.drop_file();
    }
}

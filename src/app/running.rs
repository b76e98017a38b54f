//! The application while it runs: serves a snapshot, and swaps it when files change.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use tokio::sync::broadcast;

use crate::app::changes::{Change, Changes};
use crate::app::loader::{Dirty, Loader, Update};
use crate::app::progress::Progress;
use crate::app::snapshot::{Folders, Snapshot};
use crate::clock::Clock;
use crate::content::catalog::ParsedFamilies;
use crate::content::library::Scope;
use crate::content::watch::{self, Remote, Timing, Watch};
use crate::index::generation::IndexError;
use crate::index::vocabulary;
use crate::settings::{Settings, WatchSetting};

/// Quiet time after which segments are merged.
const TIDY_AFTER: Duration = Duration::from_secs(3);

/// How soon opening the index is tried again.
const OPEN_AGAIN: Duration = Duration::from_secs(1);

/// How often the day is looked at.
const DAY_CHECK: Duration = Duration::from_secs(15);

/// How soon everything is walked once more after a folder came or went: what changed in it before it was watched is found then.
const WALK_AFTER_FOLDER: Duration = Duration::from_millis(700);

/// What has to be known to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The content.
    pub folders: Folders,
    /// Where the index is kept.
    pub index: PathBuf,
    /// How changes are noticed.
    pub watch: WatchSetting,
    /// When.
    pub timing: Timing,
    /// The time.
    pub clock: Clock,
}

impl Options {
    /// The options that settings ask for.
    pub fn of(settings: &Settings) -> Self {
        Self {
            folders: Folders::of(settings),
            index: settings.index.clone(),
            watch: settings.watch,
            timing: Timing {
                debounce: Duration::from_millis(settings.debounce_ms),
                max_debounce: Duration::from_millis(settings.debounce_ms.max(50) * 5),
                poll_every: Duration::from_secs(settings.poll_seconds),
                rescan_every: Duration::from_secs(settings.rescan_seconds),
            },
            clock: Clock::system(settings.zone()),
        }
    }
}

/// Told to clients when what is served changes.
#[derive(Clone, Debug)]
pub struct LiveEvent {
    /// What is served now.
    pub generation: u64,
    /// What changed.
    pub changes: Arc<[Arc<Change>]>,
}

/// The running application.
#[derive(Debug)]
pub struct App {
    /// The time.
    pub clock: Clock,
    /// How far the first load has come.
    pub progress: Arc<Progress>,
    /// What changed lately.
    pub changes: Changes,
    /// Families that whoever writes their files has read already.
    pub parsed: Arc<ParsedFamilies>,
    snapshot: ArcSwapOption<Snapshot>,
    live: broadcast::Sender<LiveEvent>,
    failure: Mutex<Option<String>>,
    remote: Remote,
    /// The number of the last write of the program itself that readers get.
    taken_up: tokio::sync::watch::Sender<u64>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl App {
    /// Starts loading and watching on a thread of its own.
    pub fn start(options: Options, changes: Changes) -> Arc<Self> {
        let roots = [options.folders.articles.root.clone(), options.folders.templates.root.clone()];
        // Watching begins before reading, so that nothing that changes meanwhile is missed.
        let (watch, fault) = Watch::new(&[&roots[0], &roots[1]], options.watch, options.timing);
        if let Some(fault) = &fault {
            tracing::warn!(%fault, "files are not watched by events");
        }
        let app = Arc::new(Self {
            clock: options.clock.clone(),
            progress: Arc::default(),
            changes,
            parsed: Arc::default(),
            snapshot: ArcSwapOption::empty(),
            live: broadcast::channel(64).0,
            failure: Mutex::default(),
            remote: watch.remote(),
            taken_up: tokio::sync::watch::channel(0).0,
            thread: Mutex::default(),
        });
        // The first misspelt word should not have to wait for it.
        let preparing = std::thread::Builder::new().name("prepare".to_owned()).spawn(vocabulary::prepare);
        if let Err(error) = preparing {
            tracing::warn!(%error, "the first misspelt word will wait a little");
        }
        let running = Arc::clone(&app);
        let follower = Follower { app: running, options, watch, fault, generation: 0 };
        let failing = Arc::clone(&app);
        let spawned = std::thread::Builder::new().name("loader".to_owned()).spawn(move || {
            if catch_unwind(AssertUnwindSafe(|| follower.run())).is_err() {
                tracing::error!(
                    "following the files broke off; what was served stays, and nothing new comes"
                );
                failing.fail("following the files broke off; start again".to_owned());
            }
        });
        match spawned {
            Ok(handle) => *app.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(handle),
            Err(error) => app.fail(format!("no thread could be started: {error}")),
        }
        app
    }

    /// What is served; `None` until the first load is done.
    pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.snapshot.load_full()
    }

    /// Has what is served looked through for what could be better, on a thread of its own, if nobody has begun yet.
    pub fn begin_analysis(&self) {
        let Some(snapshot) = self.snapshot().filter(|snapshot| snapshot.claim_analysis()) else { return };
        let spawned = std::thread::Builder::new().name("quality".to_owned()).spawn(move || {
            let started = Instant::now();
            let findings = snapshot.analysis().findings().len();
            tracing::info!(findings, took_ms = started.elapsed().as_millis(), "the content is analysed");
        });
        if let Err(error) = spawned {
            tracing::warn!(%error, "no advice is given until somebody asks for the findings");
        }
    }

    /// Why nothing will ever be served, if so.
    pub fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What will be told of changes from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<LiveEvent> {
        self.live.subscribe()
    }

    /// By what whoever writes files keeps them together.
    pub fn remote(&self) -> Remote {
        self.remote.clone()
    }

    /// Waits until readers get what was written, by its number, or until it has taken too long. Returns whether they do.
    pub async fn is_taken_up(&self, number: u64, patience: Duration) -> bool {
        let mut taken_up = self.taken_up.subscribe();
        let waited = taken_up.wait_for(|reached| *reached >= number);
        tokio::time::timeout(patience, waited).await.is_ok_and(|reached| reached.is_ok())
    }

    /// Stops following the files; waits until the index is at rest.
    pub fn stop(&self) {
        let taken = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(handle) = taken {
            self.remote.stop();
            let _ = handle.join();
        }
    }

    fn clear_failure(&self) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn fail(&self, why: String) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }
}

/// The thread that follows the files.
struct Follower {
    app: Arc<App>,
    options: Options,
    watch: Watch,
    fault: Option<String>,
    generation: u64,
}

impl Follower {
    fn run(mut self) {
        let Some(mut loader) = self.open_patiently() else { return };
        let mut is_broken = match loader.is_damaged() {
            Ok(false) => false,
            Ok(true) | Err(_) => !self.rebuild(&mut loader),
        };
        let mut tidy_at: Option<Instant> = None;
        loop {
            let day_at = Instant::now() + DAY_CHECK;
            let deadline = tidy_at.map_or(day_at, |at| at.min(day_at));
            let Some(noticed) = self.watch.wait(Some(deadline)) else { return };
            if is_broken {
                // Nothing may be added to what could not be made anew.
                is_broken = !self.rebuild(&mut loader);
                continue;
            }
            // What is being published is published whole, and then taken up as one.
            let remote = self.watch.remote();
            let held = remote.hold();
            let written = held.number();
            let noticed = self.watch.and_since(noticed);
            let dirty = self.dirty(noticed);
            let is_new_day = loader.day() != self.options.clock.today();
            if dirty.articles.is_some() || dirty.templates.is_some() || is_new_day {
                let updated = loader.update(&dirty);
                drop(held);
                match updated {
                    Ok(update) if update.is_changed => {
                        self.publish(&loader, update);
                        tidy_at = Some(Instant::now() + TIDY_AFTER);
                    }
                    Ok(_) => {}
                    Err(error) => {
                        tracing::error!(%error, "the index cannot be written and is made anew");
                        is_broken = !self.rebuild(&mut loader);
                    }
                }
            } else {
                drop(held);
            }
            self.app.taken_up.send_replace(written);
            if tidy_at.is_some_and(|at| at <= Instant::now()) {
                tidy_at = None;
                match loader.tidy() {
                    Ok(true) => self.publish(&loader, Update::default()),
                    Ok(false) => {}
                    Err(error) => tracing::warn!(%error, "segments could not be merged"),
                }
            }
        }
    }

    /// Opens the index; while another process has it, tries again: a restart may overlap. `None`: told to stop, or it is of no use.
    fn open_patiently(&mut self) -> Option<Loader> {
        let mut is_told = false;
        loop {
            match self.open() {
                Ok(loader) => {
                    self.app.clear_failure();
                    return Some(loader);
                }
                Err(error) => {
                    if !is_told {
                        tracing::error!(%error, "the content cannot be served");
                        is_told = true;
                    }
                    self.app.fail(error.to_string());
                }
            }
            let again = Instant::now() + OPEN_AGAIN;
            while Instant::now() < again {
                self.watch.wait(Some(again))?;
            }
        }
    }

    fn open(&mut self) -> Result<Loader, IndexError> {
        let started = Instant::now();
        let Options { folders, index, clock, .. } = self.options.clone();
        let loader = Loader::open(folders, &index, clock, Arc::clone(&self.app.progress))?;
        let mut loader = loader.knowing(Arc::clone(&self.app.parsed));
        let missed = loader.take_missed();
        self.publish(&loader, missed);
        if let Some(snapshot) = self.app.snapshot() {
            let articles = snapshot.engine.library.articles().count();
            tracing::info!(articles, took_ms = started.elapsed().as_millis(), "the content is served");
        }
        Ok(loader)
    }

    /// Makes the index anew. Returns whether that went well.
    fn rebuild(&mut self, loader: &mut Loader) -> bool {
        match loader.rebuild() {
            Ok(()) => {
                self.publish(loader, Update::default());
                true
            }
            Err(error) => {
                tracing::error!(%error, "the index cannot be made anew; what was served stays");
                false
            }
        }
    }

    fn publish(&mut self, loader: &Loader, update: Update) {
        let engine = match loader.engine() {
            Ok(engine) => engine,
            Err(error) => {
                tracing::error!(%error, "the index cannot be read; what was served stays");
                return;
            }
        };
        if let Some(before) = self.app.snapshot() {
            // What breaks a search breaks it for the one who asks, not for all who wait for this change.
            let warmed = catch_unwind(AssertUnwindSafe(|| engine.warm_up(&before.engine)));
            if warmed.is_err() {
                tracing::error!("a search broke off while it was tried on the new content");
            }
        }
        self.generation += 1;
        let generation = self.generation;
        let at = self.options.clock.now();
        let made = update.changes.into_iter().map(|what| Arc::new(Change { at, generation, what }));
        let changes: Arc<[Arc<Change>]> = made.collect();
        let folders = self.options.folders.clone();
        let before = self.app.snapshot();
        let snapshot =
            Snapshot::new(generation, engine, folders, self.fault.clone()).after(before.as_deref());
        // Whoever sees what is new can see what changed.
        self.app.changes.note(&changes);
        self.app.snapshot.store(Some(Arc::new(snapshot)));
        if !changes.is_empty() {
            tracing::info!(generation, changes = changes.len(), "what is served has changed");
        }
        let _ = self.app.live.send(LiveEvent { generation, changes: Arc::clone(&changes) });
        self.app.changes.keep(changes);
    }

    /// Parts what was noticed into articles and templates.
    fn dirty(&mut self, noticed: watch::Dirty) -> Dirty {
        let paths = match noticed {
            watch::Dirty::Everything => return Dirty::everything(),
            watch::Dirty::Paths(paths) => paths,
        };
        let folders = &self.options.folders;
        let articles = below(&folders.articles.root, &paths);
        let templates = below(&folders.templates.root, &paths);
        let is_folder = |path: &PathBuf| path.is_dir() || path.extension().is_none();
        if paths.iter().any(is_folder) {
            self.watch.walk_within(WALK_AFTER_FOLDER);
        }
        Dirty { articles, templates }
    }
}

/// The scope of the paths below a folder.
fn below(root: &Path, paths: &BTreeSet<PathBuf>) -> Option<Scope> {
    let mut scope = BTreeSet::new();
    for path in paths {
        let Ok(relative) = path.strip_prefix(root) else { continue };
        match relative.to_str() {
            Some("") | None => return Some(Scope::Everything),
            Some(relative) if relative.split('/').any(|part| part.starts_with('.')) => {}
            Some(relative) => {
                scope.insert(relative.to_owned());
            }
        }
    }
    (!scope.is_empty()).then_some(Scope::Paths(scope))
}

//! Notices that files changed. Events are hints where to look; the truth is always read from disk.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use notify::{Config, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::settings::WatchSetting;

/// More dirty paths than this are cheaper to find by a walk over everything.
const MAX_DIRTY_PATHS: usize = 512;

/// When to look and how long to wait.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Quiet time after an event before files are read.
    pub debounce: Duration,
    /// The longest time events may keep coming before files are read all the same.
    pub max_debounce: Duration,
    /// The interval of polling.
    pub poll_every: Duration,
    /// The interval of the walk that finds what events lost.
    pub rescan_every: Duration,
}

/// Where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dirty {
    /// These files and folders, absolute.
    Paths(BTreeSet<PathBuf>),
    /// Everywhere.
    Everything,
}

enum Signal {
    Changed(Vec<PathBuf>),
    /// Written by the program itself: there is nothing to wait for.
    Written(Vec<PathBuf>),
    Lost(String),
    Stop,
}

/// Waits for changes below some folders.
#[derive(Debug)]
pub struct Watch {
    signals: Receiver<Signal>,
    remote: Remote,
    watcher: Option<RecommendedWatcher>,
    /// The folders watched, and what they were when watching began.
    roots: Vec<(PathBuf, Option<u64>)>,
    interval: Duration,
    timing: Timing,
    /// When everything is walked next.
    next_walk: Instant,
}

/// What other threads tell a [`Watch`].
#[derive(Clone, Debug)]
pub struct Remote {
    signals: Sender<Signal>,
    /// How often files were written by whoever held it.
    written: Arc<Mutex<u64>>,
}

/// While it is held, nobody takes up what is on disk: files that belong together can be written.
#[derive(Debug)]
pub struct Held<'a> {
    signals: &'a Sender<Signal>,
    written: MutexGuard<'a, u64>,
}

impl Remote {
    /// Ends the watch: its next wait returns `None`.
    pub fn stop(&self) {
        let _ = self.signals.send(Signal::Stop);
    }

    /// Waits until nothing is being taken up, and keeps it so.
    pub fn hold(&self) -> Held<'_> {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        Held { signals: &self.signals, written }
    }
}

impl Held<'_> {
    /// How often files were written so far.
    pub fn number(&self) -> u64 {
        *self.written
    }

    /// Tells which files were written, which are taken up as one. Returns the number of this write.
    pub fn tell(mut self, paths: Vec<PathBuf>) -> u64 {
        *self.written += 1;
        let _ = self.signals.send(Signal::Written(paths));
        *self.written
    }
}

impl Watch {
    /// Watches folders. What cannot be watched by events is polled; the second part says why.
    pub fn new(folders: &[&Path], mode: WatchSetting, timing: Timing) -> (Self, Option<String>) {
        let (sender, signals) = channel();
        let remote = Remote { signals: sender.clone(), written: Arc::default() };
        let (watcher, fault) = match mode {
            WatchSetting::Auto => match watch_events(folders, sender) {
                Ok(watcher) => (Some(watcher), None),
                Err(error) => (None, Some(format!("{error}; polling every {:?} instead", timing.poll_every))),
            },
            WatchSetting::Poll | WatchSetting::Off => (None, None),
        };
        let interval = match mode {
            WatchSetting::Off => Duration::from_secs(u64::from(u32::MAX)),
            _ if watcher.is_some() => timing.rescan_every,
            _ => timing.poll_every,
        };
        let next_walk = Instant::now() + interval;
        let roots = folders.iter().map(|f| (f.to_path_buf(), identity(f))).collect();
        (Self { signals, remote, watcher, roots, interval, timing, next_walk }, fault)
    }

    /// What others tell this watch by.
    pub fn remote(&self) -> Remote {
        self.remote.clone()
    }

    /// What was noticed, and what has been since.
    pub fn and_since(&self, mut noticed: Dirty) -> Dirty {
        while let Ok(signal) = self.signals.try_recv() {
            match (signal, &mut noticed) {
                (Signal::Changed(more) | Signal::Written(more), Dirty::Paths(paths)) => paths.extend(more),
                (Signal::Lost(_), _) => noticed = Dirty::Everything,
                (Signal::Changed(_) | Signal::Written(_), Dirty::Everything) => {}
                (Signal::Stop, _) => {
                    // Heard by the next wait.
                    self.remote.stop();
                    break;
                }
            }
        }
        noticed
    }

    /// Waits until files may have changed and have been quiet for a moment, or `deadline` has passed (then `Paths` is empty). `None`: the
    /// watch was stopped.
    pub fn wait(&mut self, deadline: Option<Instant>) -> Option<Dirty> {
        let mut paths: BTreeSet<PathBuf> = BTreeSet::new();
        let mut everything = false;
        let mut first: Option<Instant> = None;
        loop {
            let now = Instant::now();
            let until = match first {
                Some(first) => (now + self.timing.debounce).min(first + self.timing.max_debounce),
                None => deadline.map_or(self.next_walk, |d| d.min(self.next_walk)),
            };
            match self.signals.recv_timeout(until.saturating_duration_since(now)) {
                Ok(Signal::Changed(changed)) => {
                    paths.extend(changed);
                    first.get_or_insert(now);
                    everything |= paths.len() > MAX_DIRTY_PATHS;
                }
                Ok(Signal::Written(written)) => {
                    paths.extend(written);
                    everything |= paths.len() > MAX_DIRTY_PATHS;
                    break;
                }
                Ok(Signal::Lost(why)) => {
                    tracing::warn!(%why, "file events were lost; walking all files");
                    everything = true;
                    first.get_or_insert(now);
                }
                Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => break,
            }
        }
        everything |= Instant::now() >= self.next_walk || self.follow_roots();
        if everything {
            self.next_walk = Instant::now() + self.interval;
            return Some(Dirty::Everything);
        }
        Some(Dirty::Paths(paths))
    }

    /// Watches the folders anew that were exchanged, made or taken away: events follow the old ones. Returns whether any was.
    fn follow_roots(&mut self) -> bool {
        let Some(watcher) = &mut self.watcher else { return false };
        let mut is_other = false;
        for (root, known) in &mut self.roots {
            let now = identity(root);
            if *known == now {
                continue;
            }
            is_other = true;
            let _ = watcher.unwatch(root);
            // A folder that is not there has no identity, and is looked for again.
            *known = now.filter(|_| watcher.watch(root, RecursiveMode::Recursive).is_ok());
        }
        if self.roots.iter().any(|(_, known)| known.is_none()) {
            self.next_walk = self.next_walk.min(Instant::now() + self.timing.poll_every);
        }
        is_other
    }

    /// Asks for a walk over everything after a while: what was changed while a new folder was not yet watched is found by it.
    pub fn walk_within(&mut self, delay: Duration) {
        self.next_walk = self.next_walk.min(Instant::now() + delay);
    }
}

/// What tells a folder from another one put in its place; links are followed.
fn identity(folder: &Path) -> Option<u64> {
    let metadata = std::fs::metadata(folder).ok()?;
    #[cfg(unix)]
    let identity = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let identity = u64::from(metadata.is_dir());
    Some(identity)
}

fn watch_events(folders: &[&Path], sender: Sender<Signal>) -> notify::Result<RecommendedWatcher> {
    let handler = move |result: notify::Result<notify::Event>| {
        let signal = match result {
            Ok(event) if event.need_rescan() => Signal::Lost("the system's queue overflowed".to_owned()),
            Ok(event) if matches!(event.kind, EventKind::Access(_)) => return,
            Ok(event) => Signal::Changed(event.paths),
            Err(error) => Signal::Lost(error.to_string()),
        };
        let _ = sender.send(signal);
    };
    let mut watcher = RecommendedWatcher::new(handler, Config::default())?;
    // A folder that is not there yet is watched when it comes.
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        watcher.watch(folder, RecursiveMode::Recursive)?;
    }
    Ok(watcher)
}

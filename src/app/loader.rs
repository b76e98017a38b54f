//! Brings library and index to what is on disk: at the start by difference, then change by change.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::Arc;

use jiff::civil::Date;

use crate::answers::templates::{TemplateChanges, Templates};
use crate::app::changes::{Changed, Happened, InOtherLanguage, Subject};
use crate::app::diff::{self, SectionChange};
use crate::app::progress::Progress;
use crate::app::snapshot::Folders;
use crate::clock::Clock;
use crate::content::article::{Article, ParsedArticle};
use crate::content::catalog::{Catalog, Lang, ParsedFamilies, Product};
use crate::content::eligibility;
use crate::content::files::{self, Listing};
use crate::content::folders::{FOLDER_FILE, FolderFiles};
use crate::content::front_matter::Status;
use crate::content::library::{self, Library, Loaded, Plan, Scope, Slot, Source};
use crate::content::problem::Report;
use crate::content::synonyms::SYNONYMS_FILE;
use crate::content::validity::{Clearance, Standpoint};
use crate::index::generation::{self, Generation, IndexError, Opened, WriteLock};
use crate::index::manifest::Manifest;
use crate::index::reader::Reader;
use crate::index::schema::FORMAT;
use crate::index::writer::{Pace, Writer};
use crate::search::engine::Engine;

/// Where a change has been found.
#[derive(Clone, Debug, Default)]
pub struct Dirty {
    /// Where to look among the articles; `None`: nowhere.
    pub articles: Option<Scope>,
    /// Where to look among the templates.
    pub templates: Option<Scope>,
}

impl Dirty {
    /// Everywhere.
    pub fn everything() -> Self {
        Self { articles: Some(Scope::Everything), templates: Some(Scope::Everything) }
    }
}

/// What an update did.
#[derive(Debug, Default)]
pub struct Update {
    /// In the order it was taken up.
    pub changes: Vec<Changed>,
    /// Whether what is served is different.
    pub is_changed: bool,
}

/// Owns the index and what it was made from.
#[derive(Debug)]
pub struct Loader {
    folders: Folders,
    clock: Clock,
    lock: Option<WriteLock>,
    generation: Generation,
    writer: Writer,
    manifest: Manifest,
    library: Library,
    templates: Arc<Templates>,
    progress: Arc<Progress>,
    /// Articles that changed while nobody looked, found at the start by difference.
    missed: Vec<Changed>,
    /// What was last committed, while an update compares with it.
    committed: Option<Reader>,
    /// What whoever writes catalogue files has read already.
    parsed: Arc<ParsedFamilies>,
}

impl Loader {
    /// Opens the index in a folder and brings it to what is on disk. An index that is damaged, foreign or of another format is made anew,
    /// which is told in one line of the log.
    ///
    /// # Errors
    /// Another process writes the index, or its folder cannot be written.
    pub fn open(
        folders: Folders,
        index_root: &Path,
        clock: Clock,
        progress: Arc<Progress>,
    ) -> Result<Self, IndexError> {
        let lock = generation::lock(index_root)?;
        // Walking the files and opening the index take about as long, and neither needs the other.
        let (listing, opened) = std::thread::scope(|scope| {
            let walking = scope.spawn(|| folders.articles.list(""));
            let opened = generation::open_newest(index_root);
            (walking.join().ok(), opened)
        });
        let made_anew = |reason: &dyn std::fmt::Display| tracing::warn!(%reason, "the index is made anew");
        let opened = opened.unwrap_or_else(|error| {
            made_anew(&error);
            None
        });
        if opened.is_some() {
            // A damaged index may break its reader in ways nobody foresaw; then it is made anew as well.
            let (folders, clock, progress) = (folders.clone(), clock.clone(), Arc::clone(&progress));
            let started = catch_unwind(AssertUnwindSafe(|| {
                Self::start(opened, listing, folders, index_root, clock, progress)
            }));
            match started {
                Ok(Ok(loader)) => return Ok(loader.holding(lock)),
                Ok(Err(error)) => made_anew(&error),
                Err(_) => made_anew(&"it broke its reader"),
            }
        }
        Ok(Self::start(None, None, folders, index_root, clock, progress)?.holding(lock))
    }

    /// Makes the index in a folder anew from the files.
    ///
    /// # Errors
    /// Another process writes the index, or its folder cannot be written.
    pub fn create(
        folders: Folders,
        index_root: &Path,
        clock: Clock,
        progress: Arc<Progress>,
    ) -> Result<Self, IndexError> {
        let lock = generation::lock(index_root)?;
        Ok(Self::start(None, None, folders, index_root, clock, progress)?.holding(lock))
    }

    /// The loader, which need not read families that somebody has read for it.
    #[must_use]
    pub fn knowing(mut self, parsed: Arc<ParsedFamilies>) -> Self {
        self.parsed = parsed;
        self
    }

    /// The loader, with the right to write while it lives.
    fn holding(mut self, lock: WriteLock) -> Self {
        self.lock = Some(lock);
        self
    }

    fn start(
        opened: Option<Opened>,
        listing: Option<Listing>,
        folders: Folders,
        index_root: &Path,
        clock: Clock,
        progress: Arc<Progress>,
    ) -> Result<Self, IndexError> {
        let today = clock.today();
        let listing = listing.unwrap_or_else(|| folders.articles.list(""));
        let folder_files = folder_files(&folders, &listing, now_ns(&clock));
        let catalog = load_catalog(&folders, &folder_files, now_ns(&clock));
        let (generation, manifest, library, pace) = match opened {
            Some((generation, checkpoint, contents)) => {
                let manifest =
                    Manifest::open(&generation.folder, &checkpoint, contents.hasher, contents.live)?;
                (
                    generation,
                    manifest,
                    Library::of(contents.sources, folder_files, catalog, today),
                    Pace::Live,
                )
            }
            None => {
                let generation = Generation::create(index_root)?;
                let manifest = Manifest::create(&generation.folder, 0)?;
                (generation, manifest, Library::of(Vec::new(), folder_files, catalog, today), Pace::Bulk)
            }
        };
        let writer = Writer::new(generation.index.clone(), generation.fields, pace)?;
        let mut loader = Self {
            folders,
            clock,
            lock: None,
            generation,
            writer,
            manifest,
            library,
            templates: Arc::default(),
            progress,
            missed: Vec::new(),
            committed: None,
            parsed: Arc::default(),
        };
        let mut update = Update::default();
        loader.update_templates(&Scope::Everything, &mut update);
        let mut plan = loader.library.plan_everything(listing);
        loader.library.plan_for_folders(&mut plan);
        let is_new = matches!(pace, Pace::Bulk);
        let has_work = !plan.read.is_empty() || !plan.remove.is_empty();
        // What is about to be written to is read whole before; without work that is done after serving has begun.
        if has_work && !is_new && loader.is_damaged()? {
            return Err(IndexError::Damaged("its checksums are wrong".to_owned()));
        }
        loader.carry_out(plan, &mut update)?;
        // The catalogue and the day may have changed since the index was written.
        if !is_new && loader.reindex_stale_values()? || is_new && !has_work {
            loader.commit()?;
        }
        if is_new {
            loader.finish_bulk()?;
        } else {
            // Of templates and products nothing is kept that they could be compared with.
            loader.missed = update.changes;
            loader.missed.retain(|change| change.subject == Subject::Article);
        }
        loader.generation.remove_others();
        Ok(loader)
    }

    /// What changed while the program did not run; told once.
    pub fn take_missed(&mut self) -> Update {
        Update { changes: std::mem::take(&mut self.missed), is_changed: true }
    }

    /// Makes the index anew from the files, beside the one that is served.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn rebuild(&mut self) -> Result<(), IndexError> {
        let Some(root) = self.generation.folder.parent().map(Path::to_owned) else { return Ok(()) };
        let (folders, clock, progress) =
            (self.folders.clone(), self.clock.clone(), Arc::clone(&self.progress));
        match Self::start(None, None, folders, &root, clock, progress) {
            Ok(mut next) => {
                next.lock = self.lock.take();
                next.parsed = Arc::clone(&self.parsed);
                *self = next;
                Ok(())
            }
            Err(error) => {
                // What was begun is of no use, and a full disk needs the room.
                self.generation.remove_others();
                Err(error)
            }
        }
    }

    fn finish_bulk(&mut self) -> Result<(), IndexError> {
        // One segment answers fastest, and all were just written.
        self.writer.merge(1)?;
        Ok(self.writer.change_pace(Pace::Live)?)
    }

    /// Takes up what changed on disk, the catalogue's days included.
    ///
    /// # Errors
    /// The index cannot be written.
    pub fn update(&mut self, dirty: &Dirty) -> Result<Update, IndexError> {
        let mut update = Update::default();
        if let Some(scope) = &dirty.templates {
            self.update_templates(scope, &mut update);
        }
        let mut plan = Plan::default();
        if let Some(scope) = &dirty.articles {
            let is_other = self.update_folders(scope);
            plan = self.library.plan(&self.folders.articles, scope);
            if is_other {
                update.is_changed = true;
                self.library.plan_for_folders(&mut plan);
                // Products are completed by their folders when the catalogue is put together.
                plan.catalog.extend(self.library.catalog.files().keys().cloned());
            }
        }
        self.carry_out(plan, &mut update)?;
        Ok(update)
    }

    /// Reads the files of folders again. Returns whether they say something else.
    fn update_folders(&mut self, scope: &Scope) -> bool {
        let (folder, now_ns) = (&self.folders.articles, now_ns(&self.clock));
        let folders = &mut self.library.folders;
        match scope {
            Scope::Everything => folders.reload(folder, "", &folder.list("").files, now_ns),
            Scope::Paths(paths) => with_folder_files(paths).iter().fold(false, |is_other, path| {
                let found = match folder.stamp(path) {
                    Some(stamp) => [(path.clone(), stamp)].into(),
                    None => folder.list(path).files,
                };
                folders.reload(folder, path, &found, now_ns) || is_other
            }),
        }
    }

    fn carry_out(&mut self, plan: Plan, update: &mut Update) -> Result<(), IndexError> {
        let today = self.clock.today();
        let is_new_day = self.library.day != today;
        self.library.day = today;
        let is_other_catalog = self.update_catalog(&plan.catalog, update);
        update.is_changed |= is_new_day || is_other_catalog;
        let mut is_written = self.apply(&plan, update)?;
        self.committed = None;
        if is_new_day || is_other_catalog {
            is_written |= self.reindex_stale_values()?;
        }
        if let Some(problems) = plan.walk_problems {
            update.is_changed |= self.library.set_walk_problems(problems);
        }
        if is_written {
            self.commit()?;
        }
        Ok(())
    }

    fn update_templates(&mut self, scope: &Scope, update: &mut Update) {
        let (next, changes) = self.templates.reload(&self.folders.templates, scope, self.now_ns());
        update.is_changed |= changes.is_some();
        let TemplateChanges { added, changed, removed } = changes.unwrap_or_default();
        let before = std::mem::replace(&mut self.templates, Arc::new(next));
        for (happened, ids, from) in [
            (Happened::Added, added, &self.templates),
            (Happened::Changed, changed, &self.templates),
            (Happened::Removed, removed, &before),
        ] {
            for template in ids.iter().filter_map(|id| from.find(id)) {
                let old = before.find(&template.id).filter(|_| happened == Happened::Changed);
                update.changes.push(Changed {
                    change: happened,
                    subject: Subject::Template,
                    id: template.id.clone(),
                    title: template.title.clone(),
                    audience: template.validity.audience.clone(),
                    products: template.products.iter().map(|product| product.text.to_string()).collect(),
                    sections: old.map(|old| diff::templates(old, template)).unwrap_or_default(),
                    other: None,
                });
            }
        }
    }

    /// Reads catalogue files again. Returns whether the catalogue is different.
    fn update_catalog(&mut self, paths: &BTreeSet<String>, update: &mut Update) -> bool {
        if paths.is_empty() {
            return false;
        }
        let before = Arc::clone(&self.library.catalog);
        let (next, is_changed) = library::reload_catalog(
            &before,
            &self.folders.articles,
            paths,
            &self.library.folders,
            Some(&self.parsed),
            self.now_ns(),
        );
        let is_other = |(one, other): (&Arc<Product>, &Arc<Product>)| one.validity != other.validity;
        let is_changed = is_changed || before.products().zip(next.products()).any(is_other);
        let served = |catalog: &Catalog, id: &str| {
            catalog.product(id).filter(|p| p.status != Status::Draft).map(Arc::clone)
        };
        let ids: BTreeSet<&String> = before.products().chain(next.products()).map(|p| &p.id).collect();
        for id in ids {
            let (old, new) = (served(&before, id), served(&next, id));
            // Most of a large family only moved, if that.
            let is_same = old.as_ref().zip(new.as_ref()).is_some_and(|(old, new)| old.says_the_same(new));
            if is_same || old.is_none() && new.is_none() {
                continue;
            }
            let change = match (&old, &new) {
                (None, Some(_)) => Happened::Added,
                (Some(_), Some(_)) => Happened::Changed,
                (Some(_), None) => Happened::Removed,
                (None, None) => continue,
            };
            let Some(product) = new.as_ref().or(old.as_ref()) else { continue };
            let [told, other] = Lang::ALL.map(|lang| {
                let sections = match (&old, &new) {
                    (Some(old), Some(new)) => {
                        let rules = [(old, &*before), (new, &next)].map(|(product, catalog)| {
                            let clearance = Clearance::readers_of(&product.validity.audience);
                            let public = Standpoint::public(self.library.day);
                            let at = Standpoint { clearance: &clearance, ..public };
                            eligibility::rules(product, catalog, lang, at).join("; ")
                        });
                        diff::products(old, new, [&rules[0], &rules[1]], lang)
                    }
                    _ => Vec::new(),
                };
                InOtherLanguage { lang, title: product.title.get(lang).to_owned(), sections }
            });
            // A product that only moved in its file, or got another alias, is the same to readers.
            if change == Happened::Changed && told.sections.is_empty() && other.sections.is_empty() {
                continue;
            }
            update.changes.push(Changed {
                change,
                subject: Subject::Product,
                id: id.clone(),
                title: told.title,
                audience: product.validity.audience.clone(),
                products: vec![id.clone()],
                sections: told.sections,
                other: Some(other),
            });
        }
        self.library.catalog = Arc::new(next);
        is_changed
    }

    /// Reads and indexes what a plan names. Returns whether anything has to be committed.
    fn apply(&mut self, plan: &Plan, update: &mut Update) -> Result<bool, IndexError> {
        for id in &plan.remove {
            self.remove(id, update)?;
        }
        self.progress.begin(plan.read.len());
        let mut is_written = !plan.remove.is_empty();
        for path in &plan.read {
            is_written |= self.read(path, update)?;
            self.progress.step();
        }
        update.is_changed |= is_written;
        Ok(is_written)
    }

    fn read(&mut self, path: &str, update: &mut Update) -> Result<bool, IndexError> {
        if let Err(problem) = self.library.settle_duplicate(&self.folders.articles, path) {
            tracing::debug!(file = problem.file, "another file has the same id");
            update.is_changed = true;
            return Ok(false);
        }
        let now_ns = self.now_ns();
        match library::load_article(&self.folders.articles, path, &self.library.folders.of(path), now_ns) {
            Loaded::Gone => {
                let id = files::id_of(path);
                let holder = self.library.slot(&id).and_then(|slot| self.library.source(slot));
                let is_known = holder.is_some_and(|source| source.path == path);
                if is_known {
                    self.remove(&id, update)?;
                }
                Ok(is_known)
            }
            Loaded::Good(parsed, source) => self.take_good(&parsed, source, update),
            Loaded::Bad(source) => self.take_bad(source),
        }
    }

    fn take_good(
        &mut self,
        parsed: &ParsedArticle,
        mut source: Source,
        update: &mut Update,
    ) -> Result<bool, IndexError> {
        let before = self.library.slot(&source.id).and_then(|slot| self.library.source(slot)).cloned();
        source.values_hash = parsed.article.values_hash(&self.library.catalog, self.library.day);
        let is_same = before.as_ref().is_some_and(|b| {
            b.path == source.path
                && b.hash == source.hash
                && b.values_hash == source.values_hash
                && b.defaults_hash == source.defaults_hash
                && b.problems == source.problems
                && b.article.is_some()
        });
        let id = source.id.clone();
        let was_served = before.as_ref().is_some_and(|b| b.article.as_ref().is_some_and(is_served));
        if is_same && before.as_ref().is_some_and(|b| b.stamp == source.stamp) {
            // Nothing to remember but when it was read, which a restart finds out by itself.
            self.library.put(source);
            return Ok(false);
        }
        let slot = self.library.put(source);
        self.note(slot)?;
        if !is_same {
            // What the index holds is the text of before, until this is committed.
            let old = before.and_then(|b| b.article.clone()).filter(|_| was_served);
            // What became a draft is told of as readers knew it.
            let known = old.clone();
            let old = old.and_then(|old| Some((old, self.committed_text(&id)?)));
            self.writer.put(slot, parsed, &self.library.catalog, self.library.day)?;
            let happened = match (was_served, parsed.article.matter.status != Status::Draft) {
                (true, true) => Happened::Changed,
                (false, true) => Happened::Added,
                (true, false) => Happened::Removed,
                // What readers never got is none of their business.
                (false, false) => return Ok(true),
            };
            let (catalog, day) = (&self.library.catalog, self.library.day);
            let sections = old.filter(|_| happened == Happened::Changed).map(|(old, body)| {
                diff::articles((&old, &body), (&parsed.article, &parsed.body), catalog, day)
            });
            let told = known.as_deref().filter(|_| happened == Happened::Removed).unwrap_or(&parsed.article);
            update.changes.push(article_change(happened, told, catalog, day, sections));
        }
        Ok(true)
    }

    /// The text of an article as it was last committed. Where it cannot be read, nothing is told of what is different in it.
    fn committed_text(&mut self, id: &str) -> Option<String> {
        if self.committed.is_none() {
            self.committed = self.generation.latest().ok();
        }
        self.committed.as_ref()?.source(id).ok()?
    }

    /// A file that cannot be served as it is: its last good article stays.
    fn take_bad(&mut self, mut source: Source) -> Result<bool, IndexError> {
        let id = source.id.clone();
        let mut is_withdrawn = false;
        if let Some(before) = self.library.slot(&source.id).and_then(|slot| self.library.source(slot)) {
            if before.path != source.path && before.article.is_some() {
                // A broken file does not push a good one with the same id aside.
                self.library.set_aside(&source.path);
                return Ok(true);
            }
            // Under folders that say something else now, it may be for others than it was: then it is for nobody until it is mended.
            if source.defaults_hash == before.defaults_hash {
                source.article.clone_from(&before.article);
                source.values_hash = before.values_hash;
            } else {
                is_withdrawn = true;
            }
        }
        for problem in &source.problems {
            tracing::warn!(file = problem.file, line = problem.line, "{}", problem.message);
        }
        let slot = self.library.put(source);
        self.note(slot)?;
        if is_withdrawn {
            // Nothing of it may be found, not even its words.
            self.writer.remove(&id)?;
        }
        Ok(true)
    }

    fn remove(&mut self, id: &str, update: &mut Update) -> Result<(), IndexError> {
        let article = self.library.slot(id).and_then(|slot| self.library.source(slot)?.article.clone());
        if let Some(slot) = self.library.remove(id) {
            self.manifest.remove(slot)?;
            self.writer.remove(id)?;
        }
        if let Some(article) = article.filter(is_served) {
            let (catalog, day) = (&self.library.catalog, self.library.day);
            update.changes.push(article_change(Happened::Removed, &article, catalog, day, None));
        }
        Ok(())
    }

    /// Indexes anew the articles in which a value is not what it was.
    fn reindex_stale_values(&mut self) -> Result<bool, IndexError> {
        let (catalog, day) = (Arc::clone(&self.library.catalog), self.library.day);
        let stale: Vec<(Slot, Arc<Source>, u64)> = self
            .library
            .sources()
            .filter_map(|(slot, source)| {
                let hash = source.article.as_ref()?.values_hash(&catalog, day);
                (hash != source.values_hash).then(|| (slot, Arc::clone(source), hash))
            })
            .collect();
        if stale.is_empty() {
            return Ok(false);
        }
        // What was put in by this very update is not yet to be read back, but its values are already right.
        let (reader, writer) = (self.generation.latest()?, &self.writer);
        let put = |stale: &[(Slot, Arc<Source>, u64)]| -> Result<Vec<(Slot, Source)>, IndexError> {
            let mut done = Vec::with_capacity(stale.len());
            for (slot, source, hash) in stale {
                let Some(article) = &source.article else { continue };
                let Some(body) = reader.source(&source.id)? else { continue };
                writer.put(*slot, &reparse(article, &body), &catalog, day)?;
                done.push((*slot, Source { values_hash: *hash, ..Source::clone(source) }));
            }
            Ok(done)
        };
        // Readers wait for all of them: every core reads its part.
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let parts = stale.chunks(stale.len().div_ceil(cores));
        let done: Vec<_> = std::thread::scope(|scope| {
            let running: Vec<_> = parts.map(|part| scope.spawn(|| put(part))).collect();
            running.into_iter().map(|part| part.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
        });
        for part in done {
            for (slot, source) in part? {
                self.library.put(source);
                self.note(slot)?;
            }
        }
        Ok(true)
    }

    fn note(&mut self, slot: Slot) -> Result<(), IndexError> {
        if let Some(source) = self.library.source(slot) {
            self.manifest.put(slot, source)?;
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), IndexError> {
        if self.manifest.wants_compaction() {
            self.manifest.compact(self.library.sources())?;
        }
        let checkpoint = self.manifest.checkpoint(FORMAT)?;
        self.writer.commit(&checkpoint)?;
        self.manifest.remove_others();
        Ok(())
    }

    /// Merges segments when there are too many. Returns whether the engine should be made anew.
    ///
    /// # Errors
    /// The index cannot be written.
    pub fn tidy(&mut self) -> Result<bool, IndexError> {
        Ok(self.writer.merge(Writer::max_segments())?)
    }

    /// Whether the index on disk is not what was written, by its checksums.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn is_damaged(&self) -> Result<bool, IndexError> {
        let damaged = self.generation.damaged_files()?;
        if !damaged.is_empty() {
            tracing::warn!(files = ?damaged, "the index is damaged and made anew");
        }
        Ok(!damaged.is_empty())
    }

    /// The engine over what was last committed.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn engine(&self) -> Result<Engine, IndexError> {
        Ok(Engine::new(
            Arc::new(self.library.clone()),
            self.generation.latest()?,
            Arc::clone(&self.templates),
        ))
    }

    /// The day the index was made for.
    pub fn day(&self) -> Date {
        self.library.day
    }

    fn now_ns(&self) -> i64 {
        now_ns(&self.clock)
    }
}

/// An engine over the index as another process keeps it, without bringing it up to the files.
///
/// # Errors
/// There is no index, or it cannot be read.
pub fn open_as_it_is(folders: &Folders, index_root: &Path, today: Date) -> Result<Engine, IndexError> {
    let folder_files = folder_files(folders, &folders.articles.list(""), 0);
    let catalog = load_catalog(folders, &folder_files, 0);
    let (templates, _) = Templates::default().reload(&folders.templates, &Scope::Everything, 0);
    let Some((generation, _, contents)) = generation::open_newest(index_root)? else {
        return Err(IndexError::Damaged("there is none".to_owned()));
    };
    let library = Library::of(contents.sources, folder_files, catalog, today);
    Ok(Engine::new(Arc::new(library), generation.latest()?, Arc::new(templates)))
}

fn article_change(
    change: Happened,
    article: &Article,
    catalog: &Catalog,
    day: Date,
    sections: Option<Vec<SectionChange>>,
) -> Changed {
    Changed {
        change,
        subject: Subject::Article,
        id: article.id.clone(),
        title: diff::title_of(article, catalog, day),
        audience: article.validity().audience.clone(),
        products: article.products().map(str::to_owned).collect(),
        sections: sections.unwrap_or_default(),
        other: None,
    }
}

fn is_served(article: &Arc<Article>) -> bool {
    article.matter.status != Status::Draft
}

fn now_ns(clock: &Clock) -> i64 {
    i64::try_from(clock.now().as_nanosecond()).unwrap_or(i64::MAX)
}

/// Paths, and where the files of the folders they are in would stand: those may have come unnoticed.
fn with_folder_files(paths: &BTreeSet<String>) -> BTreeSet<String> {
    let mut all = paths.clone();
    for path in paths {
        let ends = std::iter::once(0).chain(path.match_indices('/').map(|(at, _)| at + 1));
        all.extend(ends.map(|end| format!("{}{FOLDER_FILE}", &path[..end])));
    }
    all
}

fn folder_files(folders: &Folders, listing: &Listing, now_ns: i64) -> FolderFiles {
    let mut files = FolderFiles::default();
    files.reload(&folders.articles, "", &listing.files, now_ns);
    files
}

fn load_catalog(folders: &Folders, folder_files: &FolderFiles, now_ns: i64) -> Arc<Catalog> {
    let catalog_paths = [library::CATALOG_FOLDER.trim_end_matches('/'), SYNONYMS_FILE];
    let below = Scope::Paths(catalog_paths.map(str::to_owned).into());
    let plan = Library::default().plan(&folders.articles, &below);
    let empty = Catalog::default();
    Arc::new(library::reload_catalog(&empty, &folders.articles, &plan.catalog, folder_files, None, now_ns).0)
}

fn reparse(article: &Article, body: &str) -> ParsedArticle {
    let mut report = Report::new("");
    let mut parsed =
        Article::assemble(&article.path, article.matter.clone(), body, article.body_line, &mut report);
    parsed.article.title.clone_from(&article.title);
    parsed.article.lang = article.lang;
    parsed
}

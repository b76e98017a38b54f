//! The library: everything editors wrote about, parsed, as one immutable snapshot.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::content::article::{Article, ParsedArticle};
use crate::content::catalog::{Catalog, CatalogFile, ParsedFamilies, parse_family};
use crate::content::files::{self, Folder, Listing, Stamp};
use crate::content::folders::{Defaults, FolderFiles};
use crate::content::front_matter::Status;
use crate::content::markdown;
use crate::content::problem::{Position, Problem, Report, did_you_mean};
use crate::content::synonyms::{SYNONYMS_FILE, SynonymsFile};
use crate::content::validity::{Clearance, Standpoint};

/// The folder below articles/ that holds the catalogue.
pub const CATALOG_FOLDER: &str = "catalog/";

/// Number of an article in a library; it stays the article's for as long as the article exists.
pub type Slot = u32;

/// An article file: its state when it was read, and the last good article in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The article's id.
    pub id: String,
    /// The file, below the articles folder.
    pub path: String,
    /// The file's stamp when it was read.
    pub stamp: Stamp,
    /// When it was read, nanoseconds since the epoch.
    pub read_ns: i64,
    /// BLAKE3 of the bytes read; zero when they could not be.
    pub hash: [u8; 32],
    /// [`Article::values_hash`] of the article as it was indexed.
    pub values_hash: u64,
    /// The hash of what its folders said when it was read.
    pub defaults_hash: u64,
    /// The last good article; `None` when there never was one.
    pub article: Option<Arc<Article>>,
    /// What is wrong with the file now.
    pub problems: Vec<Problem>,
}

impl Source {
    /// A source without a file: an article that was made, not read.
    pub fn made(article: Article) -> Self {
        Self {
            id: article.id.clone(),
            path: article.path.clone(),
            stamp: Stamp::default(),
            read_ns: 0,
            hash: [0; 32],
            values_hash: 0,
            defaults_hash: 0,
            article: Some(Arc::new(article)),
            problems: Vec::new(),
        }
    }
}

/// All articles and the catalogue at one moment.
#[derive(Clone, Debug, Default)]
pub struct Library {
    sources: Vec<Option<Arc<Source>>>,
    slots: HashMap<String, Slot>,
    /// Files whose id another file already has.
    duplicates: BTreeSet<String>,
    /// Places that could not be looked at.
    walk_problems: Vec<Problem>,
    /// What folders say for the files in them.
    pub folders: FolderFiles,
    /// Products and their values.
    pub catalog: Arc<Catalog>,
    /// The day the articles were indexed for.
    pub day: Date,
}

/// What one file was found to hold.
#[derive(Debug)]
pub enum Loaded {
    /// It is gone.
    Gone,
    /// A good article.
    Good(Box<ParsedArticle>, Source),
    /// A file that cannot be served as it is; `Source::article` is empty.
    Bad(Source),
}

/// A set of files to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of the folder.
    Everything,
    /// These files and folders, below the folder.
    Paths(BTreeSet<String>),
}

/// What has to be done to bring a library up to the disk.
#[derive(Debug, Default)]
pub struct Plan {
    /// Files to read, below the articles folder.
    pub read: Vec<String>,
    /// Ids of articles whose files are gone.
    pub remove: Vec<String>,
    /// Catalogue files that changed, appeared or went.
    pub catalog: BTreeSet<String>,
    /// Places that could not be looked at; `None` when not everything was.
    pub walk_problems: Option<Vec<Problem>>,
}

impl Library {
    /// A library of sources in their slots.
    pub fn of(
        sources: Vec<Option<Arc<Source>>>,
        folders: FolderFiles,
        catalog: Arc<Catalog>,
        day: Date,
    ) -> Self {
        let slots = sources
            .iter()
            .enumerate()
            .filter_map(|(slot, source)| Some((source.as_ref()?.id.clone(), slot_of(slot))))
            .collect();
        Self { sources, slots, folders, catalog, day, ..Self::default() }
    }

    /// A served article by id, with its slot. Drafts are not served.
    pub fn find(&self, id: &str) -> Option<(Slot, &Arc<Article>)> {
        let slot = *self.slots.get(id)?;
        self.article(slot).map(|article| (slot, article))
    }

    /// A served article by slot.
    pub fn article(&self, slot: Slot) -> Option<&Arc<Article>> {
        self.source(slot)?.article.as_ref().filter(|a| a.matter.status != Status::Draft)
    }

    /// An article file by slot.
    pub fn source(&self, slot: Slot) -> Option<&Arc<Source>> {
        self.sources.get(slot as usize)?.as_ref()
    }

    /// The slot of an id, served or not.
    pub fn slot(&self, id: &str) -> Option<Slot> {
        self.slots.get(id).copied()
    }

    /// All article files with their slots, in slot order.
    pub fn sources(&self) -> impl Iterator<Item = (Slot, &Arc<Source>)> {
        self.sources.iter().enumerate().filter_map(|(slot, source)| Some((slot_of(slot), source.as_ref()?)))
    }

    /// All served articles with their slots, in slot order.
    pub fn articles(&self) -> impl Iterator<Item = (Slot, &Arc<Article>)> {
        self.sources().filter_map(|(slot, _)| self.article(slot).map(|article| (slot, article)))
    }

    /// One more than the highest slot.
    pub fn slot_count(&self) -> usize {
        self.sources.len()
    }

    /// Puts a source in its slot, or in a new one, which it returns.
    pub fn put(&mut self, source: Source) -> Slot {
        match self.slots.get(&source.id) {
            Some(&slot) => {
                self.sources[slot as usize] = Some(Arc::new(source));
                slot
            }
            None => {
                let slot = slot_of(self.sources.len());
                self.slots.insert(source.id.clone(), slot);
                self.sources.push(Some(Arc::new(source)));
                slot
            }
        }
    }

    /// Takes an article out.
    pub fn remove(&mut self, id: &str) -> Option<Slot> {
        let slot = self.slots.remove(id)?;
        self.sources[slot as usize] = None;
        Some(slot)
    }

    /// Adds to a plan the files for which their folders say something else than when they were read.
    pub fn plan_for_folders(&self, plan: &mut Plan) {
        let other = self.sources().filter(|(_, source)| {
            source.defaults_hash != self.folders.of(&source.path).hash() && !plan.remove.contains(&source.id)
        });
        let other: Vec<String> = other.map(|(_, source)| source.path.clone()).collect();
        plan.read.extend(other);
        plan.read.sort();
        plan.read.dedup();
    }

    /// Compares the folder with this library. Everything is compared by stamp; named files are read whatever their stamp says.
    pub fn plan(&mut self, folder: &Folder, scope: &Scope) -> Plan {
        let mut plan = Plan::default();
        match scope {
            Scope::Everything => return self.plan_everything(folder.list("")),
            Scope::Paths(paths) => {
                for path in paths {
                    let listing = match folder.stamp(path) {
                        Some(stamp) if files::is_content(path) => {
                            Listing { files: [(path.clone(), stamp)].into(), ..Listing::default() }
                        }
                        Some(_) => Listing::default(),
                        None => folder.list(path),
                    };
                    self.plan_below(path, &listing, true, &mut plan);
                }
            }
        }
        plan.read.sort();
        plan.read.dedup();
        plan
    }

    /// Compares all files, as a walk over the folder found them, with this library.
    pub fn plan_everything(&mut self, listing: Listing) -> Plan {
        let mut plan = Plan::default();
        self.plan_below("", &listing, false, &mut plan);
        plan.walk_problems = Some(listing.problems);
        plan
    }

    fn plan_below(&mut self, below: &str, listing: &Listing, distrust: bool, plan: &mut Plan) {
        let is_below = |path: &str| files::is_below(path, below);
        self.duplicates.retain(|path| !is_below(path) || listing.files.contains_key(path));
        let mut freed: BTreeSet<String> = BTreeSet::new();
        let gone = self.sources().filter(|(_, s)| is_below(&s.path) && !listing.files.contains_key(&s.path));
        for (_, source) in gone {
            plan.remove.push(source.id.clone());
            freed.insert(source.id.clone());
        }
        // A file that stood behind another with the same id comes forward.
        plan.read.extend(self.duplicates.iter().filter(|path| freed.contains(&files::id_of(path))).cloned());
        for (path, stamp) in &listing.files {
            if FolderFiles::is_one(path) {
                // Read before anything else: see `folders`.
            } else if path == SYNONYMS_FILE || path.starts_with(CATALOG_FOLDER) && files::is_yaml(path) {
                let known = self.catalog.files().get(path);
                if distrust || known.is_none_or(|f| f.stamp != *stamp || !stamp.is_settled(f.read_ns)) {
                    plan.catalog.insert(path.clone());
                }
            } else if files::is_markdown(path) && (distrust || !self.is_current(path, stamp)) {
                plan.read.push(path.clone());
            }
        }
        plan.catalog.extend(
            self.catalog
                .files()
                .keys()
                .filter(|path| is_below(path) && !listing.files.contains_key(*path))
                .cloned(),
        );
    }

    fn is_current(&self, path: &str, stamp: &Stamp) -> bool {
        let source = self.slots.get(&files::id_of(path)).and_then(|slot| self.source(*slot));
        match source {
            Some(source) if source.path == path => source.stamp == *stamp && stamp.is_settled(source.read_ns),
            // It stands behind another file, as long as there is one.
            Some(_) => self.duplicates.contains(path),
            None => false,
        }
    }

    /// Whether a file may have its id: the first path in order wins, and the other is remembered.
    /// Returns the path that has to give way, if any.
    pub fn settle_duplicate(&mut self, folder: &Folder, path: &str) -> Result<(), Problem> {
        let id = files::id_of(path);
        let holder = self.slots.get(&id).and_then(|slot| self.source(*slot)).map(|s| s.path.clone());
        let Some(holder) = holder.filter(|holder| holder != path && folder.stamp(holder).is_some()) else {
            self.duplicates.remove(path);
            return Ok(());
        };
        let (winner, loser) =
            if path < holder.as_str() { (path, holder.as_str()) } else { (holder.as_str(), path) };
        self.duplicates.remove(winner);
        self.duplicates.insert(loser.to_owned());
        let problem = duplicate_problem(folder, loser, winner);
        if loser == path { Err(problem) } else { Ok(()) }
    }

    /// Notes what a walk over everything could not look at. Returns whether that is news.
    pub fn set_walk_problems(&mut self, problems: Vec<Problem>) -> bool {
        let is_news = self.walk_problems != problems;
        self.walk_problems = problems;
        is_news
    }

    /// Notes a file that has to stand behind another with the same id.
    pub fn set_aside(&mut self, path: &str) {
        self.duplicates.insert(path.to_owned());
    }

    /// The id of the article that replaced another, if readers get it.
    pub fn replacement(&self, article: &Article, at: Standpoint<'_>) -> Option<String> {
        let named = article.matter.replaced_by.as_ref()?;
        self.find_in_force(&named.text, at).map(|replacement| replacement.id.clone())
    }

    /// Whether one may know of an article, in force or not.
    pub fn may_know(&self, id: &str, clearance: &Clearance) -> bool {
        let Some(source) = self.slots.get(id).and_then(|slot| self.source(*slot)) else { return false };
        source.article.as_ref().is_some_and(|article| {
            article.matter.status != Status::Draft && clearance.admits(&article.validity().audience)
        })
    }

    /// Whether one may be led to a place in an article: it is there, and for him.
    pub fn may_lead(&self, id: &str, anchor: &str, clearance: &Clearance) -> bool {
        let Some((_, article)) = self.find(id) else { return false };
        let section =
            article.section_at(anchor.trim_start_matches('#')).and_then(|at| article.sections.get(at));
        let audience =
            section.and_then(|section| section.validity.as_ref()).map(|validity| &validity.audience);
        clearance.admits(&article.validity().audience)
            && audience.is_none_or(|audience| clearance.admits(audience))
    }

    /// Ids of the products an article is about, of those one may know of.
    pub fn products_of(&self, article: &Article, clearance: &Clearance) -> Vec<String> {
        let known = article.products().filter(|product| self.catalog.may_know(product, clearance));
        known.map(str::to_owned).collect()
    }

    /// A served article that is in force for somebody on a day in a region.
    pub fn find_in_force(&self, id: &str, at: Standpoint<'_>) -> Option<&Arc<Article>> {
        self.find(id).map(|(_, article)| article).filter(|a| a.validity().in_force(at))
    }

    /// Files whose id another file has.
    pub fn duplicates(&self) -> &BTreeSet<String> {
        &self.duplicates
    }

    /// All problems of articles and catalogue, in file order.
    pub fn problems(&self, folder: &Folder) -> Vec<Problem> {
        let mut problems = self.walk_problems.clone();
        problems.extend(self.folders.problems().cloned());
        problems.extend(self.catalog.problems().iter().cloned());
        for path in &self.duplicates {
            let winner = self.slots.get(&files::id_of(path)).and_then(|slot| self.source(*slot));
            problems.push(duplicate_problem(folder, path, winner.map_or("", |s| &s.path)));
        }
        for (_, source) in self.sources() {
            problems.extend(source.problems.iter().cloned());
            if let Some(article) = &source.article {
                let mut report = Report::new(&folder.display(&source.path));
                self.check_article(article, &mut report);
                problems.extend(report.into_problems());
            }
        }
        for product in self.catalog.products() {
            if let Some(article) = &product.article
                && !self.slots.contains_key(article)
            {
                let mut report = Report::new(&product.file);
                report.warning(
                    "unknown-article",
                    product.at,
                    format!(
                        "`{}` names the article `{article}`, which does not exist{}",
                        product.id,
                        self.suggest(article)
                    ),
                    "correct the id or write the article",
                );
                problems.extend(report.into_problems());
            }
        }
        problems.extend(self.pin_problems(folder));
        problems.sort();
        problems.dedup();
        problems
    }

    /// Pins to articles that do not exist.
    fn pin_problems(&self, folder: &Folder) -> Vec<Problem> {
        let mut report = Report::new(&folder.display(SYNONYMS_FILE));
        let pins = self.catalog.files().values().filter_map(|f| f.synonyms.as_ref()).flat_map(|s| &s.pins);
        for (id, at) in pins.flat_map(|(_, articles)| articles).filter(|(id, _)| !self.slots.contains_key(id))
        {
            let message = format!("a pin names the article `{id}`, which does not exist{}", self.suggest(id));
            report.warning("unknown-article", *at, message, "correct the id or write the article");
        }
        report.into_problems()
    }

    fn suggest(&self, id: &str) -> String {
        let folder = id.split('/').next().unwrap_or_default();
        did_you_mean(id, self.slots_in_folder(folder))
    }

    fn slots_in_folder<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a str> {
        self.sources().map(|(_, s)| s.id.as_str()).filter(move |id| id.starts_with(folder))
    }

    /// Checks what an article refers to: products, articles, anchors and values.
    pub fn check_article(&self, article: &Article, report: &mut Report) {
        for product in &article.matter.products {
            if self.catalog.product(&product.text).is_none() {
                report.error(
                    "unknown-product",
                    product.at,
                    format!(
                        "the catalogue has no product `{}`{}",
                        product.text,
                        self.catalog.suggest(&product.text)
                    ),
                    "correct the id or add the product to articles/catalog/",
                );
            }
        }
        for (key, named) in article.named_articles() {
            if !self.slots.contains_key(&*named.text) {
                report.error(
                    "unknown-article",
                    named.at,
                    format!(
                        "`{key}` names the article `{}`, which does not exist{}",
                        named.text,
                        self.suggest(&named.text)
                    ),
                    "correct the id: the path below articles/ without .md",
                );
            }
        }
        for value in &article.values {
            if let Some((message, hint)) = self.catalog.fault(&value.name, self.day) {
                report.error("unknown-value", value.at, message, hint);
            }
        }
        for link in &article.links {
            let at = Position { line: link.line, column: 1 };
            let target = markdown::article_target(&link.target, &article.path);
            let Some((id, anchor)) = target else {
                report.error(
                    "broken-link",
                    at,
                    format!("the link `{}` leaves the articles folder", link.target),
                    "correct the path",
                );
                continue;
            };
            let found = self.slots.get(&id).and_then(|slot| self.source(*slot));
            match found.and_then(|source| source.article.as_ref()) {
                None => report.error(
                    "broken-link",
                    at,
                    format!(
                        "the link `{}` leads to `{id}`, which does not exist{}",
                        link.target,
                        self.suggest(&id)
                    ),
                    "correct the path, or write the article",
                ),
                Some(to) => {
                    let anchor = anchor.trim_start_matches('#');
                    if !anchor.is_empty() && to.section_at(anchor).is_none() {
                        let near = did_you_mean(anchor, to.sections.iter().map(|s| &*s.anchor));
                        report.warning(
                            "broken-anchor",
                            at,
                            format!("`{id}` has no section `#{anchor}`{near}"),
                            "correct the anchor, or add `{#…}` to the heading",
                        );
                    }
                }
            }
        }
    }
}

fn duplicate_problem(folder: &Folder, loser: &str, winner: &str) -> Problem {
    let mut report = Report::new(&folder.display(loser));
    report.error(
        "duplicate-id",
        Position::default(),
        format!("has the same id `{}` as {}, which is served", files::id_of(loser), folder.display(winner)),
        "rename one of the two files",
    );
    report.into_problems().remove(0)
}

fn slot_of(index: usize) -> Slot {
    Slot::try_from(index).unwrap_or(Slot::MAX)
}

/// Reads one article file.
pub fn load_article(folder: &Folder, path: &str, defaults: &Defaults, now_ns: i64) -> Loaded {
    let id = files::id_of(path);
    let defaults_hash = defaults.hash();
    let bad = |stamp, hash, problems| {
        Loaded::Bad(Source {
            id: id.clone(),
            path: path.to_owned(),
            stamp,
            read_ns: now_ns,
            hash,
            values_hash: 0,
            defaults_hash,
            article: None,
            problems,
        })
    };
    match folder.read(path) {
        Ok(None) => Loaded::Gone,
        Err((stamp, problem)) => bad(stamp, [0; 32], vec![*problem]),
        Ok(Some(file)) => match Article::parse_in(defaults, folder.name, path, &file.text) {
            (None, problems) => bad(file.stamp, file.hash, problems),
            (Some(parsed), problems) => {
                let source = Source {
                    id,
                    path: path.to_owned(),
                    stamp: file.stamp,
                    read_ns: now_ns,
                    hash: file.hash,
                    values_hash: 0,
                    defaults_hash,
                    article: Some(Arc::new(parsed.article.clone())),
                    problems,
                };
                Loaded::Good(Box::new(parsed), source)
            }
        },
    }
}

/// A catalogue with some of its files read again, and whether it is different; a file that cannot be read keeps what it last held.
pub fn reload_catalog(
    catalog: &Catalog,
    folder: &Folder,
    paths: &BTreeSet<String>,
    folders: &FolderFiles,
    parsed: Option<&ParsedFamilies>,
    now_ns: i64,
) -> (Catalog, bool) {
    let mut family_files: BTreeMap<String, CatalogFile> = catalog.files().clone();
    let mut is_changed = false;
    for path in paths {
        let before = family_files.remove(path);
        let family = before.as_ref().and_then(|f| f.family.clone());
        let synonyms = before.as_ref().and_then(|f| f.synonyms.clone());
        let read_ns = now_ns;
        let file = match folder.read(path) {
            Ok(None) => {
                is_changed |= before.is_some();
                continue;
            }
            Err((stamp, problem)) => {
                CatalogFile { stamp, read_ns, hash: [0; 32], family, synonyms, problems: vec![*problem] }
            }
            Ok(Some(file)) => match before {
                Some(before) if before.hash == file.hash => {
                    CatalogFile { stamp: file.stamp, read_ns, ..before }
                }
                _ => {
                    is_changed = true;
                    let shown = folder.display(path);
                    let made = |family, synonyms, problems| CatalogFile {
                        stamp: file.stamp,
                        read_ns,
                        hash: file.hash,
                        family,
                        synonyms,
                        problems,
                    };
                    if path == SYNONYMS_FILE {
                        let (read, problems) = SynonymsFile::parse(&shown, &file.text);
                        made(None, read.map(Arc::new).or(synonyms), problems)
                    } else if let Some((read, problems)) =
                        parsed.and_then(|parsed| parsed.take(&shown, &file.hash))
                    {
                        made(Some(read), None, problems)
                    } else {
                        let (read, problems) = parse_family(&shown, &file.text);
                        made(read.map(Arc::new).or(family), None, problems)
                    }
                }
            },
        };
        is_changed |= file.hash == [0; 32];
        family_files.insert(path.clone(), file);
    }
    (Catalog::of(family_files, folders), is_changed)
}

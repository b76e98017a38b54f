//! What is served at one moment: library, index and templates, swapped as one.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::app::changes::{Change, Changed, Subject};
use crate::app::diff::SectionChange;
use crate::content::files::Folder;
use crate::content::problem::{Position, Problem, Report, Severity};
use crate::content::validity::{Clearance, Standpoint};
use crate::search::engine::Engine;
use crate::settings::Settings;

/// The content folders.
#[derive(Clone, Debug)]
pub struct Folders {
    /// Articles and the catalogue.
    pub articles: Folder,
    /// Answer templates.
    pub templates: Folder,
}

impl Folders {
    /// The folders that settings name. They are made absolute, as file events are.
    pub fn of(settings: &Settings) -> Self {
        let folder = |path: &Path, name| Folder {
            // Not resolved: a link to the content may be set to another folder while it is served.
            root: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
            name,
            max_file_bytes: settings.max_file_bytes,
        };
        Self {
            articles: folder(&settings.articles, "articles"),
            templates: folder(&settings.templates, "templates"),
        }
    }
}

/// Different clearances whose regions are remembered.
const MAX_CLEARANCES: usize = 256;

/// What is served.
#[derive(Debug)]
pub struct Snapshot {
    /// Grows with every change; the ETag of what is served.
    pub generation: u64,
    /// Articles, index, templates.
    pub engine: Engine,
    folders: Folders,
    /// Why changes are noticed late, if they are.
    watch_fault: Option<String>,
    problems: OnceLock<Vec<Problem>>,
    /// By what a reader may read.
    regions: Mutex<HashMap<Clearance, Vec<String>>>,
}

impl Snapshot {
    /// A snapshot of an engine.
    pub fn new(generation: u64, engine: Engine, folders: Folders, watch_fault: Option<String>) -> Self {
        Self {
            generation,
            engine,
            folders,
            watch_fault,
            problems: OnceLock::new(),
            regions: Mutex::default(),
        }
    }

    /// Whether what changed is served to somebody: drafts, what is gone and what is of other days is not.
    pub fn serves(&self, what: &Changed, at: Standpoint<'_>) -> bool {
        let library = &self.engine.library;
        match what.subject {
            Subject::Article => {
                library.find(&what.id).is_some_and(|(_, article)| article.validity().in_force(at))
            }
            Subject::Template => self.engine.templates.find(&what.id).is_some_and(|t| t.in_force(at)),
            Subject::Product => {
                library.catalog.product(&what.id).is_some_and(|p| p.is_known_to(at.clearance))
            }
        }
    }

    /// Whether somebody may be told of a change at all: by whom it was for when it was made, and by whom the thing is for now.
    pub fn may_tell(&self, what: &Changed, clearance: &Clearance) -> bool {
        let library = &self.engine.library;
        let now = match what.subject {
            Subject::Article => library
                .slot(&what.id)
                .and_then(|slot| library.source(slot)?.article.as_ref())
                .map(|article| &article.validity().audience),
            Subject::Template => self.engine.templates.find(&what.id).map(|t| &t.validity.audience),
            Subject::Product => library.catalog.product(&what.id).map(|p| &p.validity.audience),
        };
        clearance.admits(&what.audience) && now.is_none_or(|now| clearance.admits(now))
    }

    /// A change as somebody may be told of it; `None`: not at all. What is no longer served is told without its text: an article that was
    /// taken back must not be read there.
    pub fn told(&self, change: &Arc<Change>, at: Standpoint<'_>) -> Option<Arc<Change>> {
        let what = &change.what;
        if !self.may_tell(what, at.clearance) {
            return None;
        }
        let catalog = &self.engine.library.catalog;
        let knows_all = what.products.iter().all(|product| catalog.may_know(product, at.clearance));
        let has_text = what.has_text();
        if !has_text && knows_all {
            return Some(Arc::clone(change));
        }
        let is_served = self.serves(what, at);
        if is_served && knows_all && what.parts().all(|part| self.may_tell_part(what, part, at.clearance)) {
            return Some(Arc::clone(change));
        }
        let mut told = if is_served { Change::clone(change) } else { change.in_short() };
        told.what.products.retain(|product| catalog.may_know(product, at.clearance));
        let left = |parts: &mut Vec<SectionChange>| {
            parts.retain(|part| self.may_tell_part(what, part, at.clearance));
        };
        left(&mut told.what.sections);
        told.what.other.iter_mut().for_each(|other| left(&mut other.sections));
        // Who may read none of what is different is not told that something is.
        let is_told = !has_text || !is_served || told.what.has_text();
        is_told.then(|| Arc::new(told))
    }

    /// Whether somebody may be told of a part: as it was, as it became, and as it is now.
    fn may_tell_part(&self, what: &Changed, part: &SectionChange, clearance: &Clearance) -> bool {
        let now = match what.subject {
            Subject::Article => self.engine.library.find(&what.id).and_then(|(_, article)| {
                let section = article.sections.get(article.section_at(&part.anchor)?)?;
                section.validity.as_ref()
            }),
            _ => None,
        };
        part.audiences.iter().all(|audience| clearance.admits(audience))
            && now.is_none_or(|validity| clearance.admits(&validity.audience))
    }

    /// Why changes are noticed late, if they are.
    pub fn watch_fault(&self) -> Option<&str> {
        self.watch_fault.as_deref()
    }

    /// Everything that is wrong with the content, by file. Found when first asked for.
    pub fn problems(&self) -> &[Problem] {
        self.problems.get_or_init(|| {
            let library = &self.engine.library;
            let mut problems = library.problems(&self.folders.articles);
            problems.extend(self.engine.templates.problems(&self.folders.templates, library));
            for folder in [&self.folders.articles, &self.folders.templates] {
                if !folder.root.is_dir() {
                    let mut report = Report::new(folder.name);
                    report.warning(
                        "no-folder",
                        Position::default(),
                        format!("the folder {} does not exist", folder.root.display()),
                        "make it, or name another one in pharos.toml",
                    );
                    problems.extend(report.into_problems());
                }
            }
            if let Some(fault) = &self.watch_fault {
                let mut report = Report::new(self.folders.articles.name);
                report.warning(
                    "watch",
                    Position::default(),
                    format!("changes are not told by the system: {fault}"),
                    "raise fs.inotify.max_user_watches, or set watch = \"poll\"",
                );
                problems.extend(report.into_problems());
            }
            problems
        })
    }

    /// Every region that what somebody may read is limited to, in order. Found when first asked for.
    pub fn regions(&self, clearance: &Clearance) -> Vec<String> {
        let mut known = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(regions) = known.get(clearance) {
            return regions.clone();
        }
        let library = &self.engine.library;
        let articles = library.articles().map(|(_, article)| article);
        let articles = articles.filter(|article| clearance.admits(&article.validity().audience));
        let articles = articles.flat_map(|article| {
            let sections = article.sections.iter().filter_map(|section| section.validity.as_deref());
            sections.chain([article.validity()])
        });
        let products = library.catalog.products().filter(|product| product.is_known_to(clearance));
        let products = products.flat_map(|product| {
            let values = product.values.iter().flat_map(|(_, variants)| variants);
            values.map(|variant| &variant.validity).chain([&product.validity])
        });
        let readable = articles.chain(products).filter(|validity| clearance.admits(&validity.audience));
        let named: BTreeSet<&String> = readable.flat_map(|validity| &validity.regions).collect();
        let regions: Vec<String> = named.into_iter().cloned().collect();
        if known.len() >= MAX_CLEARANCES {
            known.clear();
        }
        known.insert(clearance.clone(), regions.clone());
        regions
    }

    /// How many problems of each severity there are: errors, warnings.
    pub fn problem_counts(&self) -> (usize, usize) {
        let errors = self.problems().iter().filter(|p| p.severity == Severity::Error).count();
        (errors, self.problems().len() - errors)
    }
}

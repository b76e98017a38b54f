//! What is served at one moment: library, index and templates, swapped as one.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::answers::template::Template;
use crate::app::changes::{Change, Changed, Subject};
use crate::app::diff::{RULES, SectionChange};
use crate::content::article::{Article, ParsedArticle};
use crate::content::catalog::parse_family;
use crate::content::files::{Folder, Stamp, is_yaml};
use crate::content::folders::{Approval, Defaults, FolderFiles};
use crate::content::library::Slot;
use crate::content::markdown;
use crate::content::problem::{Position, Problem, Report, Severity};
use crate::content::synonyms::{SYNONYMS_FILE, SynonymsFile};
use crate::content::validity::{Clearance, Standpoint, Validity};
use crate::quality::Finding;
use crate::quality::analysis::{Analysis, Base, Memory};
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

/// A text of a file, looked at before the file holds it.
#[derive(Debug)]
pub struct Checked {
    /// What would be wrong with it.
    pub problems: Vec<Problem>,
    /// Whether readers would get it: else what the file held before would stay.
    pub is_served: bool,
    /// The article it would be.
    pub article: Option<Box<ParsedArticle>>,
}

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
    /// The sections that show a file beside the articles, by its path.
    files: OnceLock<HashMap<String, Vec<(Slot, u32)>>>,
    /// What could be better.
    analysis: OnceLock<Analysis>,
    is_being_analysed: AtomicBool,
    /// What the analyses of earlier snapshots found out that still holds.
    memory: Arc<Memory>,
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
            files: OnceLock::new(),
            analysis: OnceLock::new(),
            is_being_analysed: AtomicBool::new(false),
            memory: Arc::default(),
        }
    }

    /// The same, with what the snapshot before it remembers.
    #[must_use]
    pub fn after(self, before: Option<&Self>) -> Self {
        Self { memory: before.map_or(self.memory, |before| Arc::clone(&before.memory)), ..self }
    }

    /// Everything that could be better. Found when first asked for, which takes seconds where there are thousands of articles.
    pub fn analysis(&self) -> &Analysis {
        self.is_being_analysed.store(true, Ordering::Relaxed);
        self.analysis.get_or_init(|| self.with_base(|base| Analysis::of(base, &self.memory)))
    }

    /// Whether nobody has begun to find out what could be better; who asks first is told so and begins.
    pub fn claim_analysis(&self) -> bool {
        !self.is_being_analysed.swap(true, Ordering::Relaxed)
    }

    /// What could be better in a text before its file holds it; `None` as long as the rest of the base is being read.
    pub fn advice(&self, path: &str, text: &str, article: Option<&ParsedArticle>) -> Option<Vec<Finding>> {
        let analysis = self.analysis.get()?;
        let below = |folder: &Folder| path.strip_prefix(folder.name).and_then(|rest| rest.strip_prefix('/'));
        self.with_base(|base| match (article, below(&self.folders.templates)) {
            (Some(article), _) => Some(analysis.advise_article(base, article)),
            (None, Some(below)) => {
                let (template, _) = Template::parse(self.folders.templates.name, below, text);
                Some(template.map_or_else(Vec::new, |template| analysis.advise_template(base, &template)))
            }
            (None, None) => Some(Vec::new()),
        })
    }

    fn with_base<T>(&self, work: impl FnOnce(&Base<'_>) -> T) -> T {
        let Engine { library, reader, templates, .. } = &self.engine;
        // What cannot be read is analysed as if it were not there.
        let body = |id: &str| reader.source(id).ok().flatten();
        let folders = [self.folders.articles.name, self.folders.templates.name];
        work(&Base { library, templates, folders, day: library.day, body: &body })
    }

    /// Who must approve what is published in a file (`articles/sms/monthly.md`); `None`: nobody.
    pub fn approval(&self, path: &str) -> Option<Approval> {
        let (folder, path) = path.split_once('/')?;
        let of_templates = folder == self.folders.templates.name;
        let folders =
            if of_templates { self.engine.templates.folders() } else { &self.engine.library.folders };
        folders.of(path).approval().cloned()
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
    /// Of what is gone, by whom it was for last: `newest` is the audience of the last change that is known of it.
    pub fn may_tell(&self, what: &Changed, newest: &[String], clearance: &Clearance) -> bool {
        let library = &self.engine.library;
        let now = match what.subject {
            Subject::Article => match library.slot(&what.id).and_then(|slot| library.source(slot)) {
                // There is a file that cannot be served: nobody knows for whom it is.
                Some(source) if source.article.is_none() => return false,
                Some(source) => source.article.as_ref().map(|article| &article.validity().audience),
                None => None,
            },
            Subject::Template => self.engine.templates.find(&what.id).map(|t| &t.validity.audience),
            Subject::Product => library.catalog.product(&what.id).map(|p| &p.validity.audience),
        };
        clearance.admits(&what.audience) && clearance.admits(now.map_or(newest, Vec::as_slice))
    }

    /// A change as somebody may be told of it; `None`: not at all. What is no longer served is told without its text: an article that was
    /// taken back must not be read there.
    pub fn told(&self, change: &Arc<Change>, newest: &[String], at: Standpoint<'_>) -> Option<Arc<Change>> {
        let what = &change.what;
        if !self.may_tell(what, newest, at.clearance) {
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
        let library = &self.engine.library;
        let is_for_him_now = match what.subject {
            Subject::Article => library.find(&what.id).is_none_or(|(_, article)| {
                let section = article.section_at(&part.anchor).and_then(|at| article.sections.get(at));
                let validity = section.and_then(|section| section.validity.as_ref());
                validity.is_none_or(|validity| clearance.admits(&validity.audience))
            }),
            Subject::Product => library.catalog.product(&what.id).is_none_or(|product| {
                let variants = product.values.iter().find(|(attribute, _)| attribute.id == part.anchor);
                let is_admitted = variants.is_none_or(|(_, variants)| {
                    variants.iter().any(|variant| clearance.admits(&variant.validity.audience))
                });
                // Rules name other products.
                let named = product.not_with.iter().chain(&product.only_with);
                let knows_named = part.anchor != RULES
                    || named.into_iter().all(|id| library.catalog.may_know(id, clearance));
                is_admitted && knows_named
            }),
            Subject::Template => true,
        };
        is_for_him_now && part.audiences.iter().all(|audience| clearance.admits(audience))
    }

    /// Whether somebody may see a file beside the articles: its folder is for him, and a section he may read shows it. What no section
    /// shows is not there.
    pub fn may_see_file(&self, path: &str, clearance: &Clearance) -> bool {
        let library = &self.engine.library;
        let files = self.files.get_or_init(|| {
            let mut files: HashMap<String, Vec<(Slot, u32)>> = HashMap::new();
            for (slot, article) in library.articles() {
                for file in &article.files {
                    if let Some(path) = markdown::file_path(&file.target, &article.path) {
                        files.entry(path).or_default().push((slot, file.section));
                    }
                }
            }
            files
        });
        let mut of_folder = Validity::default();
        library.folders.of(path).complete(&mut of_folder);
        clearance.admits(&of_folder.audience)
            && files.get(path).into_iter().flatten().any(|(slot, section)| {
                library.article(*slot).is_some_and(|article| {
                    let section = article.sections.get(*section as usize);
                    let own = section.and_then(|section| section.validity.as_ref());
                    clearance.admits(&article.validity().audience)
                        && own.is_none_or(|own| clearance.admits(&own.audience))
                })
            })
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

    /// All files that are served or would be if they could be read, and the hash of what was read of each: a hint whether it is different.
    pub fn files(&self) -> Vec<(String, [u8; 32])> {
        let library = &self.engine.library;
        let templates = &self.engine.templates;
        let stamped = |stamp: &Stamp| *blake3::hash(format!("{stamp:?}").as_bytes()).as_bytes();
        let articles = library.sources().map(|(_, source)| (source.path.as_str(), source.hash));
        let catalog = library.catalog.files().iter().map(|(path, file)| (path.as_str(), file.hash));
        let folders = library.folders.files().map(|(path, stamp)| (path, stamped(stamp)));
        let articles =
            articles.chain(catalog).chain(folders).map(|(path, hash)| (&self.folders.articles, path, hash));
        let of_templates = templates.folders().files().map(|(path, stamp)| (path, stamped(stamp)));
        let templates =
            templates.files().chain(of_templates).map(|(path, hash)| (&self.folders.templates, path, hash));
        articles.chain(templates).map(|(folder, path, hash)| (folder.display(path), hash)).collect()
    }

    /// What would be wrong with a file if it held a text; and the article it would be, if it is one that can be served.
    pub fn check(&self, path: &str, text: &str) -> Checked {
        let library = &self.engine.library;
        let shown = path;
        let (folder, path) = path.split_once('/').unwrap_or(("articles", path));
        let mut article = None;
        let (is_served, problems) = if FolderFiles::is_one(path) {
            let (defaults, problems) = Defaults::parse(shown, text);
            (defaults.is_some(), problems)
        } else if folder == self.folders.templates.name {
            self.engine.templates.check_text(&self.folders.templates, path, text, library)
        } else if path == SYNONYMS_FILE {
            let (synonyms, problems) = SynonymsFile::parse(shown, text);
            (synonyms.is_some(), problems)
        } else if is_yaml(path) {
            let (family, problems) = parse_family(shown, text);
            (family.is_some(), problems)
        } else {
            let (parsed, mut problems) = Article::parse_in(&library.folders.of(path), folder, path, text);
            if let Some(parsed) = &parsed {
                let mut report = Report::new(shown);
                library.check_article(&parsed.article, &mut report);
                problems.extend(report.into_problems());
            }
            problems.sort();
            article = parsed.map(Box::new);
            (article.is_some(), problems)
        };
        Checked { problems, is_served, article }
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

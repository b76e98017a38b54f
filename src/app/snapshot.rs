//! What is served at one moment: library, index and templates, swapped as one.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;

use jiff::civil::Date;

use crate::app::changes::{Changed, Subject};
use crate::content::files::Folder;
use crate::content::front_matter::Status;
use crate::content::problem::{Position, Problem, Report, Severity};
use crate::search::engine::Engine;
use crate::search::filter::Filter;
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
    regions: OnceLock<Vec<String>>,
}

impl Snapshot {
    /// A snapshot of an engine.
    pub fn new(generation: u64, engine: Engine, folders: Folders, watch_fault: Option<String>) -> Self {
        Self { generation, engine, folders, watch_fault, problems: OnceLock::new(), regions: OnceLock::new() }
    }

    /// Whether what changed is served to readers on a day: drafts, what is gone and what is of other days is not.
    pub fn serves(&self, what: &Changed, day: Date) -> bool {
        let library = &self.engine.library;
        match what.subject {
            Subject::Article => {
                library.find(&what.id).is_some_and(|(_, article)| Filter::on(day).admits(article))
            }
            Subject::Template => self.engine.templates.find(&what.id).is_some_and(|t| t.in_force(day, None)),
            Subject::Product => library.catalog.product(&what.id).is_some_and(|p| p.status != Status::Draft),
        }
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

    /// Every region that content is limited to, in order. Found when first asked for.
    pub fn regions(&self) -> &[String] {
        self.regions.get_or_init(|| {
            let library = &self.engine.library;
            let articles = library.articles().flat_map(|(_, article)| {
                let sections = article.sections.iter().filter_map(|section| section.validity.as_deref());
                sections.chain([article.validity()])
            });
            let products = library.catalog.products().flat_map(|product| {
                let values = product.values.iter().flat_map(|(_, variants)| variants);
                values.map(|variant| &variant.validity).chain([&product.validity])
            });
            let named: BTreeSet<&String> =
                articles.chain(products).flat_map(|validity| &validity.regions).collect();
            named.into_iter().cloned().collect()
        })
    }

    /// How many problems of each severity there are: errors, warnings.
    pub fn problem_counts(&self) -> (usize, usize) {
        let errors = self.problems().iter().filter(|p| p.severity == Severity::Error).count();
        (errors, self.problems().len() - errors)
    }
}

//! `pharos check`: all problems of the content, for people, programs and GitHub.

use std::process::ExitCode;
use std::sync::Arc;

use clap::ValueEnum;

use super::{say, with_progress};
use crate::answers::templates::Templates;
use crate::app::snapshot::Folders;
use crate::clock::Clock;
use crate::content::article::Article;
use crate::content::catalog::Catalog;
use crate::content::folders::FolderFiles;
use crate::content::library::{self, Library, Loaded, Scope};
use crate::content::problem::{Problem, Severity};
use crate::quality::Finding;
use crate::quality::analysis::{Analysis, Base, Memory};
use crate::settings::Settings;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A line a problem, and a count
    Text,
    /// One JSON object: problems, errors, warnings, articles, templates
    Json,
    /// Annotations for a GitHub workflow
    Github,
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Fail on warnings as well
    #[arg(long)]
    strict: bool,
    /// Print what could be better as well: contradictions, copies, translations, hard texts. It never fails
    #[arg(long)]
    quality: bool,
}

pub(super) fn run(settings: &Settings, args: &Args) -> anyhow::Result<ExitCode> {
    let folders = Folders::of(settings);
    for folder in [&folders.articles, &folders.templates] {
        if !folder.root.is_dir() {
            say_missing(&folder.root.display().to_string(), args.format);
        }
    }
    let clock = Clock::system(settings.zone());
    let (library, templates) = load(&folders, &clock);
    let mut problems = library.problems(&folders.articles);
    problems.extend(templates.problems(&folders.templates, &library));
    let findings = if args.quality { findings(&library, &templates, &folders) } else { Vec::new() };
    let errors = problems.iter().filter(|p| p.severity == Severity::Error).count();
    let warnings = problems.len() - errors;
    let (articles, templates) =
        (library.sources().filter(|(_, s)| s.article.is_some()).count(), templates.all().count());
    match args.format {
        Format::Text => {
            for p in &problems {
                say(&format!(
                    "{}:{}:{}: {}: {} [{}]\n    {}",
                    p.file,
                    p.line,
                    p.column,
                    name(p),
                    p.message,
                    p.code,
                    p.hint
                ));
            }
            for f in &findings {
                say(&format!(
                    "{}:{}:{}: advice: {} [{}]\n    {}",
                    f.file,
                    f.line,
                    f.column,
                    f.message,
                    f.code.name(),
                    f.hint
                ));
            }
            let advice = if args.quality { format!(", {} findings", findings.len()) } else { String::new() };
            say(&format!(
                "{articles} articles, {templates} templates: {errors} errors, {warnings} warnings{advice}"
            ));
        }
        Format::Json => {
            let mut report = serde_json::json!({
                "problems": problems, "errors": errors, "warnings": warnings, "articles": articles, "templates": templates,
            });
            if args.quality {
                report["findings"] = serde_json::to_value(&findings)?;
            }
            say(&serde_json::to_string_pretty(&report)?);
        }
        Format::Github => {
            for p in &problems {
                say(&annotation(name(p), &p.file, (p.line, p.column), &p.code, &p.message, &p.hint));
            }
            for f in &findings {
                let place = (f.line, f.column);
                say(&annotation("notice", &f.file, place, f.code.name(), &f.message, &f.hint));
            }
        }
    }
    let fails = errors > 0 || args.strict && warnings > 0;
    Ok(if fails { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A line that GitHub shows beside the code.
fn annotation(
    level: &str,
    file: &str,
    (line, column): (u32, u32),
    title: &str,
    message: &str,
    hint: &str,
) -> String {
    let message = format!("{message} ({hint})").replace('%', "%25").replace('\n', "%0A");
    format!("::{level} file={file},line={},col={},title={title}::{message}", line.max(1), column.max(1))
}

/// What could be better, read from the files.
fn findings(library: &Library, templates: &Templates, folders: &Folders) -> Vec<Finding> {
    let body = |id: &str| {
        let (_, article) = library.find(id)?;
        let file = folders.articles.read(&article.path).ok()??;
        let defaults = library.folders.of(&article.path);
        Article::parse_in(&defaults, folders.articles.name, &article.path, &file.text)
            .0
            .map(|parsed| parsed.body)
    };
    let names = [folders.articles.name, folders.templates.name];
    let base = Base { library, templates, folders: names, day: library.day, body: &body };
    Analysis::of(&base, &Memory::default()).findings().to_vec()
}

fn say_missing(folder: &str, format: Format) {
    if matches!(format, Format::Text) {
        say(&format!("note: the folder {folder} does not exist"));
    }
}

fn name(problem: &Problem) -> &'static str {
    match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// Reads everything, without an index.
pub(super) fn load(folders: &Folders, clock: &Clock) -> (Library, Templates) {
    let now_ns = i64::try_from(clock.now().as_nanosecond()).unwrap_or(i64::MAX);
    let mut folder_files = FolderFiles::default();
    folder_files.reload(&folders.articles, "", &folders.articles.list("").files, now_ns);
    let mut library = Library::of(Vec::new(), folder_files, Arc::new(Catalog::default()), clock.today());
    let plan = library.plan(&folders.articles, &Scope::Everything);
    let (empty, articles) = (Catalog::default(), &folders.articles);
    let read = library::reload_catalog(&empty, articles, &plan.catalog, &library.folders, None, now_ns);
    library.catalog = Arc::new(read.0);
    let _ = library.set_walk_problems(plan.walk_problems.unwrap_or_default());
    with_progress("Reading", |progress| {
        progress.begin(plan.read.len());
        for path in &plan.read {
            if library.settle_duplicate(&folders.articles, path).is_ok() {
                match library::load_article(&folders.articles, path, &library.folders.of(path), now_ns) {
                    Loaded::Good(_, source) | Loaded::Bad(source) => {
                        library.put(source);
                    }
                    Loaded::Gone => {}
                }
            }
            progress.step();
        }
    });
    let (templates, _) = Templates::default().reload(&folders.templates, &Scope::Everything, now_ns);
    (library, templates)
}

//! `pharos export`: everything as Markdown, as a site that needs no server, or as JSON, an object a line.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use askama::Template as _;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::{Value, json};
use walkdir::WalkDir;

use super::{say, search, with_progress};
use crate::answers::template::Template;
use crate::api::articles::{self, ArticleView};
use crate::api::products::{self, ProductView};
use crate::api::templates::{self, TemplateView};
use crate::app::progress::Progress;
use crate::app::snapshot::{Folders, Snapshot};
use crate::clock::Clock;
use crate::content::catalog::Lang;
use crate::content::files::resolve;
use crate::content::markdown;
use crate::content::validity::Clearance;
use crate::search::filter::Filter;
use crate::settings::Settings;

/// How everything is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// The content folders as they are: Markdown, YAML, pictures
    Markdown,
    /// Pages that lead to each other, for a browser without a server
    Html,
    /// One object a line: articles, templates, products
    Jsonl,
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A new folder; for JSON a new file, or - for standard output
    out: PathBuf,
    /// How everything is written
    #[arg(long = "as", value_enum)]
    form: Form,
}

pub(super) fn run(settings: &Settings, args: &Args) -> anyhow::Result<ExitCode> {
    let is_standard = args.form == Form::Jsonl && args.out == Path::new("-");
    ensure!(
        is_standard || !args.out.exists(),
        "{} is there already: name a new one, so that nothing old stays among what is exported",
        args.out.display()
    );
    let told = match args.form {
        Form::Markdown => copy_all(&Folders::of(settings), &args.out)?,
        Form::Html => Site::open(settings)?.write(&args.out)?,
        Form::Jsonl if is_standard => {
            Site::open(settings)?.lines(&mut std::io::stdout().lock())?;
            return Ok(ExitCode::SUCCESS);
        }
        Form::Jsonl => {
            let file = std::fs::File::create_new(&args.out);
            let file = file.with_context(|| format!("cannot make {}", args.out.display()))?;
            let mut file = std::io::BufWriter::new(file);
            let told = Site::open(settings)?.lines(&mut file)?;
            file.into_inner().map_err(|error| error.into_error()).and_then(|file| file.sync_all())?;
            told
        }
    };
    say(&told);
    Ok(ExitCode::SUCCESS)
}

/// Copies what is not hidden of both folders.
fn copy_all(folders: &Folders, out: &Path) -> anyhow::Result<String> {
    let mut files = Vec::new();
    for folder in [&folders.articles, &folders.templates] {
        let is_shown = |entry: &walkdir::DirEntry| {
            entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.')
        };
        let walk = WalkDir::new(&folder.root).follow_links(true).sort_by_file_name().into_iter();
        for entry in walk.filter_entry(is_shown) {
            let entry = entry?;
            if entry.file_type().is_file() {
                let to = out.join(folder.name).join(entry.path().strip_prefix(&folder.root)?);
                files.push((entry.into_path(), to));
            }
        }
    }
    with_progress("Copying", |progress| {
        progress.begin(files.len());
        for (from, to) in &files {
            copy(from, to)?;
            progress.step();
        }
        anyhow::Ok(())
    })?;
    Ok(format!("{} files", files.len()))
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to.parent().unwrap_or(Path::new(".")))
        .and_then(|()| std::fs::copy(from, to))
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

fn put(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))
        .and_then(|()| std::fs::write(path, text))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// All that is served today, for somebody who may read everything.
struct Site {
    snapshot: Snapshot,
    folders: Folders,
    filter: Filter,
}

#[derive(askama::Template)]
#[template(path = "export.html")]
struct Page<'a> {
    title: &'a str,
    lang: &'a str,
    /// The way back to the first page.
    up: &'a str,
    body: &'a str,
}

impl Site {
    fn open(settings: &Settings) -> anyhow::Result<Self> {
        let clock = Clock::system(settings.zone());
        let engine = search::open(settings, &clock)?;
        let folders = Folders::of(settings);
        let snapshot = Snapshot::new(0, engine, folders.clone(), None);
        let filter = Filter::on(clock.today()).with(Clearance::Everything);
        Ok(Self { snapshot, folders, filter })
    }

    fn ids(&self) -> Vec<String> {
        let mut ids: Vec<String> =
            self.snapshot.engine.library.articles().map(|(_, article)| article.id.clone()).collect();
        ids.sort();
        ids
    }

    /// An article as it is read today; `None`: it is in force on other days.
    fn article(&self, id: &str) -> Option<ArticleView> {
        articles::view(&self.snapshot, id, &self.filter).ok()
    }

    fn source(&self, id: &str) -> anyhow::Result<(String, String)> {
        let library = &self.snapshot.engine.library;
        let (_, article) = library.find(id).with_context(|| format!("{id} is gone"))?;
        let path = self.folders.articles.root.join(&article.path);
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok((article.path.clone(), text))
    }

    fn templates(&self) -> Vec<TemplateView> {
        let (engine, at) = (&self.snapshot.engine, self.filter.standpoint());
        let mut all: Vec<&Template> = engine.templates.all().map(AsRef::as_ref).collect();
        all.sort_by(|one, other| one.id.cmp(&other.id));
        all.into_iter().map(|template| templates::view(template, &engine.library, at)).collect()
    }

    fn products(&self, lang: Lang) -> Vec<ProductView> {
        let library = &self.snapshot.engine.library;
        let all = library.catalog.products();
        all.map(|product| products::view(product, library, lang, &self.filter)).collect()
    }

    /// Everything as JSON, an object a line.
    fn lines(&self, out: &mut dyn Write) -> anyhow::Result<String> {
        fn line(out: &mut dyn Write, what: &str, view: &impl Serialize, more: Value) -> anyhow::Result<()> {
            let mut object = serde_json::to_value(view)?;
            let fields = object.as_object_mut().context("a view is an object")?;
            fields.insert("type".to_owned(), json!(what));
            if let Value::Object(more) = more {
                fields.extend(more);
            }
            Ok(writeln!(out, "{object}")?)
        }
        let ids = self.ids();
        with_progress("Writing", |progress| {
            progress.begin(ids.len());
            for id in &ids {
                let (path, source) = self.source(id)?;
                let more = json!({"path": path, "source": source});
                match self.article(id) {
                    Some(view) => line(out, "article", &view, more)?,
                    None => line(out, "article", &json!({"id": id}), more)?,
                }
                progress.step();
            }
            anyhow::Ok(())
        })?;
        let (templates, products) = (self.templates(), self.products(Lang::default()));
        for template in &templates {
            line(out, "template", template, Value::Null)?;
        }
        for product in &products {
            line(out, "product", product, Value::Null)?;
        }
        out.flush()?;
        Ok(format!("{} articles, {} templates, {} products", ids.len(), templates.len(), products.len()))
    }

    /// Everything as pages.
    fn write(&self, out: &Path) -> anyhow::Result<String> {
        let views: Vec<ArticleView> = self.ids().iter().filter_map(|id| self.article(id)).collect();
        let known: BTreeSet<&str> = views.iter().map(|view| view.id.as_str()).collect();
        let mut files = BTreeSet::new();
        with_progress("Writing", |progress: std::sync::Arc<Progress>| {
            progress.begin(views.len());
            for view in &views {
                let depth = view.id.matches('/').count() + 1;
                let up = "../".repeat(depth);
                let html = relinked(&view.html, &up, &known, &mut files);
                let mut body = format!("<h1>{}</h1>\n", escaped(&view.title));
                if view.freshness.is_some() || view.owner.is_some() || view.verified.is_some() {
                    let said = [view.owner.clone(), view.verified.clone()];
                    let said: Vec<String> = said.into_iter().flatten().collect();
                    let _ = writeln!(body, "<p class=\"quiet\">{}</p>", escaped(&said.join(" · ")));
                }
                body.push_str(&html);
                let page = Page { title: &view.title, lang: view.lang.code(), up: &up, body: &body };
                put(&out.join("articles").join(format!("{}.html", view.id)), &page.render()?)?;
                progress.step();
            }
            anyhow::Ok(())
        })?;
        let root = std::fs::canonicalize(&self.folders.articles.root)?;
        for path in &files {
            // A picture that is not there is not there on the pages of the server either.
            let Ok(from) = std::fs::canonicalize(root.join(path)) else { continue };
            if from.is_file() && from.starts_with(&root) {
                copy(&from, &out.join("files").join(path))?;
            }
        }
        let (templates, products) = (self.templates(), self.products(Lang::default()));
        let page = |name: &str, title: &str, body: &str| {
            let page = Page { title, lang: "ru", up: "", body };
            put(&out.join(name), &page.render()?)
        };
        page("index.html", "Pharos", &contents(&views))?;
        page("templates.html", "Шаблоны / Templates", &wordings(&templates))?;
        page("products.html", "Каталог / Catalogue", &catalogue(&products))?;
        Ok(format!(
            "{} articles, {} files, {} templates, {} products: open {}",
            views.len(),
            files.len(),
            templates.len(),
            products.len(),
            out.join("index.html").display()
        ))
    }
}

/// HTML whose links lead from page to page without a server. Files it shows are added to `files`.
fn relinked(html: &str, up: &str, known: &BTreeSet<&str>, files: &mut BTreeSet<String>) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    // Only tags have links: the same letters may stand in a text.
    while let Some(begin) = rest.find('<') {
        let tag = &rest[begin..];
        let mut in_quotes = false;
        let end = tag.find(|c: char| {
            in_quotes ^= c == '"';
            c == '>' && !in_quotes
        });
        let (tag, behind) = tag.split_at(end.map_or(tag.len(), |end| end + 1));
        out.push_str(&rest[..begin]);
        relink(tag, up, known, files, &mut out);
        rest = behind;
    }
    out.push_str(rest);
    out
}

fn relink(tag: &str, up: &str, known: &BTreeSet<&str>, files: &mut BTreeSet<String>, out: &mut String) {
    let mut rest = tag;
    let marks = [" href=\"/articles/", " href=\"/files/", " src=\"/files/"];
    while let Some((at, mark)) = marks.iter().filter_map(|mark| Some((rest.find(mark)?, *mark))).min() {
        let (name, kind) = mark.split_once("=\"/").unwrap_or((mark, ""));
        let begin = at + mark.len();
        let end = rest[begin..].find('"').map_or(rest.len(), |end| begin + end);
        let target = &rest[begin..end];
        out.push_str(&rest[..at]);
        let (path, anchor) = target.find('#').map_or((target, ""), |at| target.split_at(at));
        let decoded = percent_decode_str(path).decode_utf8_lossy().into_owned();
        // It must not lead out of the folder.
        let own = resolve("", &decoded).filter(|own| *own == decoded);
        let to = match (kind, own) {
            ("articles/", Some(id)) if known.contains(id.as_str()) => {
                format!("{up}articles/{path}.html{anchor}")
            }
            ("files/", Some(file)) => {
                files.insert(file);
                format!("{up}files/{path}")
            }
            // Of what is not exported nothing is known here.
            _ => "#".to_owned(),
        };
        let _ = write!(out, "{name}=\"{to}");
        rest = &rest[end..];
    }
    out.push_str(rest);
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    markdown::escape_into(text, &mut out);
    out
}

/// The list of articles by folder.
fn contents(views: &[ArticleView]) -> String {
    let mut body = String::from(
        "<h1>Pharos</h1>\n<p><a href=\"templates.html\">Шаблоны / Templates</a> · <a href=\"products.html\">Каталог / Catalogue</a></p>\n",
    );
    let mut last = None;
    for view in views {
        let folder = view.id.rsplit_once('/').map_or("", |(folder, _)| folder);
        if last != Some(folder) {
            body.push_str(if last.is_some() { "</ul>\n" } else { "" });
            let _ =
                writeln!(body, "<h2>{}</h2>\n<ul>", escaped(if folder.is_empty() { "/" } else { folder }));
            last = Some(folder);
        }
        let path = markdown::encode_path(&view.id);
        let _ = writeln!(body, "<li><a href=\"articles/{path}.html\">{}</a></li>", escaped(&view.title));
    }
    body.push_str(if last.is_some() { "</ul>\n" } else { "" });
    body
}

fn wordings(all: &[TemplateView]) -> String {
    let mut body = String::from("<h1>Шаблоны / Templates</h1>\n");
    for template in all {
        let _ = writeln!(
            body,
            "<h2>{}</h2>\n<p class=\"quiet\">{}</p>",
            escaped(&template.title),
            escaped(&template.id)
        );
        for (channel, text) in &template.bodies {
            let _ = writeln!(body, "<h3>{channel}</h3>\n<pre>{}</pre>", escaped(text));
        }
    }
    body
}

fn catalogue(all: &[ProductView]) -> String {
    let mut body = String::from("<h1>Каталог / Catalogue</h1>\n");
    let mut last = None;
    for product in all {
        if last != Some(&product.family) {
            let _ = writeln!(body, "<h2>{}</h2>", escaped(&product.family_title));
            last = Some(&product.family);
        }
        let _ = writeln!(body, "<h3>{}</h3>\n<table>", escaped(&product.title));
        for value in &product.values {
            let _ = writeln!(
                body,
                "<tr><th>{}</th><td>{}</td></tr>",
                escaped(&value.label),
                escaped(&value.text)
            );
        }
        body.push_str("</table>\n");
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_without_a_server() {
        let known = BTreeSet::from(["sms/пакет", "b"]);
        let mut files = BTreeSet::new();
        let html = "<a href=\"/articles/sms/%D0%BF%D0%B0%D0%BA%D0%B5%D1%82#x\">1</a><a href=\"/articles/gone\">2</a>\
                    <img src=\"/files/a/%D1%8F.png\" alt=\"\"><a href=\"https://example.org/articles/b\">3</a>\
                    <a href=\"/files//etc/passwd\">4</a><a href=\"/files/../x\">5</a><code> href=\"/articles/b\"</code><a title=\">\" href=\"/articles/b\">6</a>";
        let relinked = relinked(html, "../", &known, &mut files);
        assert_eq!(
            relinked,
            "<a href=\"../articles/sms/%D0%BF%D0%B0%D0%BA%D0%B5%D1%82.html#x\">1</a><a href=\"#\">2</a>\
             <img src=\"../files/a/%D1%8F.png\" alt=\"\"><a href=\"https://example.org/articles/b\">3</a>\
             <a href=\"#\">4</a><a href=\"#\">5</a><code> href=\"/articles/b\"</code><a title=\">\" href=\"../articles/b.html\">6</a>"
        );
        assert_eq!(files, BTreeSet::from(["a/я.png".to_owned()]));
    }
}

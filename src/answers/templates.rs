//! All answer templates at one moment: loaded, checked, found, filled in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::Date;
use minijinja::value::{Object, Value};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};

use crate::answers::plain::plain_text;
use crate::answers::sms::{self, SmsLength};
use crate::answers::template::{Channel, Template, Variable, VariableType};
use crate::content::catalog::{Catalog, Lang};
use crate::content::files::{self, Folder, Stamp};
use crate::content::folders::FolderFiles;
use crate::content::front_matter::Status;
use crate::content::library::{Library, Scope};
use crate::content::markdown::{self, Reading};
use crate::content::problem::{Position, Problem, Report, did_you_mean, u32_of};
use crate::content::validity::{Clearance, Standpoint, Validity};
use crate::content::{values, yaml};

/// Work one rendering may do; a loop without end stops here (minijinja counts instructions).
const FUEL: u64 = 50_000;

/// What encloses inserted values until the text is ready, so that Markdown in them means nothing.
const VALUE_START: char = '\u{e000}';
const VALUE_END: char = '\u{e001}';

/// A template file: its state, its last good content, what is wrong with it now.
#[derive(Clone, Debug)]
struct TemplateFile {
    stamp: Stamp,
    read_ns: i64,
    hash: [u8; 32],
    content: Option<Content>,
    /// The template as it is served, with what its folders say, and the hash of that.
    completed: Option<(u64, Arc<Template>)>,
    problems: Vec<Problem>,
}

#[derive(Clone, Debug)]
enum Content {
    Template(Arc<Template>),
    Fragment(Arc<str>, Arc<Validity>),
}

/// The templates of a folder.
#[derive(Clone, Debug)]
pub struct Templates {
    files: BTreeMap<String, TemplateFile>,
    by_id: BTreeMap<String, Arc<Template>>,
    environment: Arc<Environment<'static>>,
    folders: FolderFiles,
    walk_problems: Vec<Problem>,
}

/// A filled-in answer.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// Plain text, ready to be sent.
    pub text: String,
    /// The same as clean HTML.
    pub html: String,
    /// Names of required variables without a value, and of catalogue values that are not in force.
    pub missing: Vec<String>,
    /// How long it is as SMS.
    pub sms: SmsLength,
}

/// Why an answer cannot be filled in.
#[derive(Debug, thiserror::Error)]
pub enum FillError {
    /// No such template.
    #[error("there is no template `{0}`")]
    NotFound(String),
    /// The template has no body for the channel.
    #[error("the template has no body for {channel}; it has {}", have.join(", "))]
    NoChannel {
        /// The channel asked for.
        channel: &'static str,
        /// The channels there are.
        have: Vec<&'static str>,
    },
    /// A value does not fit its variable.
    #[error("`{name}`: {why}")]
    Value {
        /// The variable.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// The template fails.
    #[error("the template cannot be filled in: {0}")]
    Template(String),
}

/// Who the answer is filled in for.
#[derive(Clone, Debug)]
pub struct Filling {
    /// Where catalogue values come from.
    pub catalog: Arc<Catalog>,
    /// The day they are asked for.
    pub day: Date,
    /// The region, if one is given.
    pub region: Option<String>,
    /// What the operator may read.
    pub clearance: Clearance,
}

impl Filling {
    fn standpoint(&self) -> Standpoint<'_> {
        Standpoint { day: self.day, region: self.region.as_deref(), clearance: &self.clearance }
    }
}

impl Default for Templates {
    fn default() -> Self {
        Self {
            files: BTreeMap::new(),
            by_id: BTreeMap::new(),
            environment: Arc::new(new_environment()),
            folders: FolderFiles::default(),
            walk_problems: Vec::new(),
        }
    }
}

/// Ids of the templates that came, changed and went.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TemplateChanges {
    /// New ones.
    pub added: Vec<String>,
    /// Changed ones.
    pub changed: Vec<String>,
    /// Those that are gone.
    pub removed: Vec<String>,
}

impl Templates {
    /// The templates as they are on disk now: files that changed are read again, a broken one keeps what it last held. Without changes
    /// nothing is different, problems included.
    pub fn reload(&self, folder: &Folder, scope: &Scope, now_ns: i64) -> (Self, Option<TemplateChanges>) {
        let mut next = self.clone();
        let mut is_changed = false;
        let belows: Vec<String> = match scope {
            Scope::Everything => vec![String::new()],
            Scope::Paths(paths) => paths.iter().cloned().collect(),
        };
        for below in belows {
            let listing = folder.list(&below);
            if below.is_empty() {
                is_changed |= next.walk_problems != listing.problems;
                next.walk_problems = listing.problems;
            }
            is_changed |= next.folders.reload(folder, &below, &listing.files, now_ns);
            let is_below = |path: &str| files::is_below(path, &below);
            let before = next.files.len();
            next.files.retain(|path, _| !is_below(path) || listing.files.contains_key(path));
            is_changed |= next.files.len() != before;
            for (path, stamp) in listing.files.iter().filter(|(path, _)| files::is_markdown(path)) {
                let known = next.files.get(path);
                let is_current = below.is_empty()
                    && known.is_some_and(|f| f.stamp == *stamp && stamp.is_settled(f.read_ns));
                if !is_current && let Some(file) = load(folder, path, known, now_ns) {
                    is_changed |= known.is_none_or(|k| k.hash != file.hash || k.problems != file.problems);
                    next.files.insert(path.clone(), file);
                }
            }
        }
        if !is_changed {
            return (next, None);
        }
        next.assemble(folder);
        let changes = self.changes_to(&next);
        (next, Some(changes))
    }

    fn changes_to(&self, next: &Self) -> TemplateChanges {
        let served = |templates: &Self, id: &str| {
            templates.by_id.get(id).filter(|t| t.status == Status::Active).map(Arc::clone)
        };
        let ids: BTreeSet<&String> = self.by_id.keys().chain(next.by_id.keys()).collect();
        let mut changes = TemplateChanges::default();
        for id in ids {
            match (served(self, id), served(next, id)) {
                (None, Some(_)) => changes.added.push(id.clone()),
                (Some(_), None) => changes.removed.push(id.clone()),
                (Some(before), Some(after)) if !Arc::ptr_eq(&before, &after) => {
                    changes.changed.push(id.clone())
                }
                _ => {}
            }
        }
        changes
    }

    /// Compiles what the files hold. A body that does not compile is left out and reported.
    fn assemble(&mut self, folder: &Folder) {
        let mut environment = new_environment();
        let mut by_id = BTreeMap::new();
        // For whom each fragment and each body is.
        let mut audiences: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (path, file) in &mut self.files {
            match &file.content {
                Some(Content::Fragment(source, validity)) => {
                    let mut validity = Validity::clone(validity);
                    self.folders.of(path).complete(&mut validity);
                    audiences.insert(files::id_of(path), validity.audience);
                    if let Err(error) =
                        environment.add_template_owned(files::id_of(path), catalog_calls(source))
                    {
                        let problem = syntax_problem(folder, path, 1, &error);
                        file.problems.retain(|p| p.code != "template-syntax");
                        file.problems.push(problem);
                    }
                }
                Some(Content::Template(template)) => {
                    let defaults = self.folders.of(path);
                    let template = match &file.completed {
                        Some((hash, template)) if *hash == defaults.hash() => Arc::clone(template),
                        _ => {
                            let mut template = Template::clone(template);
                            defaults.complete(&mut template.validity);
                            Arc::new(template)
                        }
                    };
                    file.completed = Some((defaults.hash(), Arc::clone(&template)));
                    // Of two files with one id the first is served, head and bodies.
                    if by_id.contains_key(&template.id) {
                        continue;
                    }
                    for body in &template.bodies {
                        let name = body_name(&template.id, body.channel);
                        audiences.insert(name.clone(), template.validity.audience.clone());
                        // Bodies were compiled when they were read; a failure here is impossible but harmless.
                        let _ = environment.add_template_owned(name, catalog_calls(&body.source));
                    }
                    by_id.insert(template.id.clone(), template);
                }
                None => {}
            }
        }
        // What is included must be for all who may read what includes it.
        environment.set_path_join_callback(move |name, parent| {
            let own = audiences.get(parent).cloned().unwrap_or_default();
            let is_for_all =
                audiences.get(name).is_none_or(|audience| Clearance::readers_of(&own).admits(audience));
            if is_for_all {
                name.into()
            } else {
                format!("{name} (which is not for all readers of this template)").into()
            }
        });
        self.by_id = by_id;
        self.environment = Arc::new(environment);
    }

    /// Ids of the templates that show one of some catalogue values, by themselves or by what they include.
    pub fn showing(&self, is_meant: impl Fn(&str) -> bool) -> BTreeSet<String> {
        let shows =
            |source: &str| values::references(source).iter().any(|reference| is_meant(reference.name));
        let fragments: Vec<(String, &Arc<str>)> = self
            .files
            .iter()
            .filter_map(|(path, file)| match &file.content {
                Some(Content::Fragment(source, _)) => Some((files::id_of(path), source)),
                _ => None,
            })
            .collect();
        let mut showing: BTreeSet<String> = BTreeSet::new();
        let includes = |source: &str, showing: &BTreeSet<String>| {
            let is_included =
                |id: &String| ['"', '\''].iter().any(|q| source.contains(&format!("{q}{id}{q}")));
            showing.iter().any(is_included)
        };
        loop {
            let before = showing.len();
            for (id, source) in &fragments {
                if !showing.contains(id) && (shows(source) || includes(source, &showing)) {
                    showing.insert(id.clone());
                }
            }
            if showing.len() == before {
                break;
            }
        }
        let is_one = |template: &&Arc<Template>| {
            let mut sources = template.bodies.iter().map(|body| &body.source);
            sources.any(|source| shows(source) || includes(source, &showing))
        };
        self.by_id.values().filter(is_one).map(|template| template.id.clone()).collect()
    }

    /// A template that may be used, by id.
    pub fn find(&self, id: &str) -> Option<&Arc<Template>> {
        self.by_id.get(id)
    }

    /// All templates, by id.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Template>> {
        self.by_id.values()
    }

    /// The templates that are no drafts and not archived, by id.
    pub fn served(&self) -> impl Iterator<Item = &Arc<Template>> {
        self.all().filter(|t| t.status == Status::Active)
    }

    /// The templates that belong to an article: those that name it, and those about one of its products in its language.
    pub fn for_article(
        &self,
        id: &str,
        products: &[&str],
        lang: Lang,
        at: Standpoint<'_>,
    ) -> Vec<&Arc<Template>> {
        let names = |t: &Template| t.articles.iter().any(|a| &*a.text == id);
        let shares = |t: &Template| t.lang == lang && t.products.iter().any(|p| products.contains(&&*p.text));
        let usable = || self.all().filter(|t| t.in_force(at));
        let mut found: Vec<&Arc<Template>> = usable().filter(|t| names(t)).collect();
        found.extend(usable().filter(|t| !names(t) && shares(t)));
        found
    }

    /// Fills a template in for a channel.
    ///
    /// # Errors
    /// There is no such template or body, a value does not fit its variable, or the template fails.
    pub fn fill(
        &self,
        id: &str,
        channel: Channel,
        given: &BTreeMap<String, String>,
        filling: &Filling,
    ) -> Result<Rendered, FillError> {
        let template = self.by_id.get(id).filter(|t| t.in_force(filling.standpoint()));
        let template = template.ok_or_else(|| FillError::NotFound(id.to_owned()))?;
        if template.body(channel).is_none() {
            let have = template.bodies.iter().map(|b| b.channel.name()).collect();
            return Err(FillError::NoChannel { channel: channel.name(), have });
        }
        if let Some(name) = given.keys().find(|name| template.variables.iter().all(|v| v.name != **name)) {
            let near = did_you_mean(name, template.variables.iter().map(|v| v.name.as_str()));
            return Err(FillError::Value {
                name: name.clone(),
                why: format!("the template has no such variable{near}"),
            });
        }
        let (marked, missing) = self.render(template, channel, given, filling)?;
        let mut missing: Vec<String> = missing.into_iter().collect();
        missing.sort();
        let reading = Reading {
            catalog: &filling.catalog,
            lang: template.lang,
            at: filling.standpoint(),
            library: None,
        };
        let (text, html) = if channel.is_markdown() {
            let (markdown, held) = hold_values(&marked);
            let html = markdown::render(&markdown, "", reading);
            let escape = |value: &str| {
                let mut escaped = String::new();
                markdown::escape_into(value, &mut escaped);
                escaped
            };
            (put_back(&plain_text(&markdown), &held, str::to_owned), put_back(&html, &held, escape))
        } else {
            let text = marked.replace([VALUE_START, VALUE_END], "").trim().to_owned();
            let mut html = String::from("<p>");
            markdown::escape_into(&text, &mut html);
            html.push_str("</p>");
            (text, html.replace("\n\n", "</p><p>").replace('\n', "<br>"))
        };
        let sms = sms::measure(&text);
        Ok(Rendered { text, html, missing, sms })
    }

    fn render(
        &self,
        template: &Template,
        channel: Channel,
        given: &BTreeMap<String, String>,
        filling: &Filling,
    ) -> Result<(String, BTreeSet<String>), FillError> {
        let mut known = BTreeMap::new();
        for variable in &template.variables {
            let text = given.get(&variable.name).filter(|v| !v.is_empty()).or(variable.default.as_ref());
            let value = match text {
                Some(text) => read_value(variable, text, template.lang)?,
                None if variable.required => continue,
                None => Value::from(""),
            };
            known.insert(variable.name.clone(), value);
        }
        let gaps = template.variables.iter().map(|v| (v.name.clone(), v.label.clone())).collect();
        let context = Arc::new(Context {
            known,
            gaps,
            filling: filling.clone(),
            lang: template.lang,
            missing: Mutex::default(),
        });
        let fail = |error: Error| FillError::Template(format!("{error:#}"));
        let body = self.environment.get_template(&body_name(&template.id, channel)).map_err(fail)?;
        let text = body.render(Value::from_dyn_object(Arc::clone(&context))).map_err(fail)?;
        let missing = context.missing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok((text, missing))
    }

    /// The files and the hashes of their bytes.
    pub fn files(&self) -> impl Iterator<Item = (&str, [u8; 32])> {
        self.files.iter().map(|(path, file)| (path.as_str(), file.hash))
    }

    /// What folders say for the templates in them.
    pub fn folders(&self) -> &FolderFiles {
        &self.folders
    }

    /// What would be wrong with a file if it held a text, and whether it would be served.
    pub fn check_text(
        &self,
        folder: &Folder,
        path: &str,
        text: &str,
        library: &Library,
    ) -> (bool, Vec<Problem>) {
        let (content, problems) = read(folder, path, text);
        if content.is_none() {
            return (false, problems);
        }
        let file = TemplateFile {
            stamp: Stamp::default(),
            read_ns: 0,
            hash: [0; 32],
            content,
            completed: None,
            problems,
        };
        let mut next = self.clone();
        next.files.insert(path.to_owned(), file);
        next.assemble(folder);
        let shown = folder.display(path);
        let own = next.problems(folder, library).into_iter().filter(|problem| problem.file == shown);
        (true, own.collect())
    }

    /// All problems of the templates, those of what they refer to included.
    pub fn problems(&self, folder: &Folder, library: &Library) -> Vec<Problem> {
        let mut problems = self.walk_problems.clone();
        problems.extend(self.folders.problems().cloned());
        for (path, file) in &self.files {
            problems.extend(file.problems.iter().cloned());
            let mut report = Report::new(&folder.display(path));
            match &file.content {
                Some(Content::Template(template)) => {
                    let own = file.completed.as_ref().map(|(_, template)| template);
                    let served = self.by_id.get(&template.id);
                    let is_second = served.zip(own).is_none_or(|(served, own)| !Arc::ptr_eq(served, own));
                    self.check(own.unwrap_or(template), path, is_second, library, &mut report);
                }
                Some(Content::Fragment(source, _)) => check_values(source, 1, library, &mut report),
                None => {}
            }
            problems.extend(report.into_problems());
        }
        problems.sort();
        problems.dedup();
        problems
    }

    fn check(
        &self,
        template: &Template,
        path: &str,
        is_second: bool,
        library: &Library,
        report: &mut Report,
    ) {
        if is_second {
            report.error(
                "duplicate-id",
                Position::default(),
                format!("another file has the same id `{}`, and is served", template.id),
                format!("rename {path} or the other file"),
            );
        }
        for product in &template.products {
            if library.catalog.product(&product.text).is_none() {
                let near = library.catalog.suggest(&product.text);
                let message = format!("the catalogue has no product `{}`{near}", product.text);
                report.error("unknown-product", product.at, message, "correct the id");
            }
        }
        for article in &template.articles {
            if library.slot(&article.text).is_none() {
                let message = format!("there is no article `{}`", article.text);
                report.error(
                    "unknown-article",
                    article.at,
                    message,
                    "correct the id: the path below articles/ without .md",
                );
            }
        }
        for body in &template.bodies {
            check_values(&body.source, body.line, library, report);
            let filling = Filling {
                catalog: Arc::clone(&library.catalog),
                day: library.day,
                region: template.validity.regions.first().cloned(),
                clearance: Clearance::Everything,
            };
            if let Err(error) = self.render(template, body.channel, &BTreeMap::new(), &filling) {
                report.error(
                    "template-render",
                    Position { line: body.line, column: 1 },
                    format!("the body for {} cannot be filled in: {error}", body.channel.name()),
                    "declare every variable under `variables`, and check the names of included fragments",
                );
            }
        }
    }
}

fn new_environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_formatter(|output, _, value| {
        if value.is_undefined() {
            return Err(Error::from(ErrorKind::UndefinedError));
        }
        let text = value.to_string().replace(|c: char| ('\u{e000}'..='\u{f8ff}').contains(&c), "");
        write!(output, "{VALUE_START}{text}{VALUE_END}").map_err(Error::from)
    });
    environment
}

/// Whether a file is a fragment to include: its own name or a folder's begins with an underscore.
fn is_fragment(path: &str) -> bool {
    path.split('/').any(|part| part.starts_with('_'))
}

fn load(folder: &Folder, path: &str, known: Option<&TemplateFile>, now_ns: i64) -> Option<TemplateFile> {
    let before = known.and_then(|f| f.content.clone());
    let file = match folder.read(path) {
        Ok(None) => return None,
        Err((stamp, problem)) => {
            let problems = vec![*problem];
            return Some(TemplateFile {
                stamp,
                read_ns: now_ns,
                hash: [0; 32],
                content: before,
                completed: known.and_then(|f| f.completed.clone()),
                problems,
            });
        }
        Ok(Some(file)) => file,
    };
    if let Some(known) = known.filter(|known| known.hash == file.hash) {
        return Some(TemplateFile { stamp: file.stamp, read_ns: now_ns, ..known.clone() });
    }
    let (content, problems) = read(folder, path, &file.text);
    Some(TemplateFile {
        stamp: file.stamp,
        read_ns: now_ns,
        hash: file.hash,
        // A file that is broken keeps what it last was, and what it was served as.
        completed: known.and_then(|f| f.completed.clone()).filter(|_| content.is_none()),
        content: content.or(before),
        problems,
    })
}

/// What a file holds, and what is wrong with it by itself.
fn read(folder: &Folder, path: &str, text: &str) -> (Option<Content>, Vec<Problem>) {
    if is_fragment(path) {
        return read_fragment(folder, path, text);
    }
    let (template, mut problems) = Template::parse(folder.name, path, text);
    let mut environment = new_environment();
    let mut compiles = true;
    for body in template.iter().flat_map(|t| &t.bodies) {
        if let Err(error) = environment.add_template_owned(body.channel.name(), catalog_calls(&body.source)) {
            problems.push(syntax_problem(folder, path, body.line, &error));
            compiles = false;
        }
    }
    (template.filter(|_| compiles).map(|t| Content::Template(Arc::new(t))), problems)
}

fn read_fragment(folder: &Folder, path: &str, text: &str) -> (Option<Content>, Vec<Problem>) {
    let mut report = Report::new(&folder.display(path));
    let Some((head, head_line, body, first_line)) = yaml::split_or_report(text, &mut report) else {
        return (None, report.into_problems());
    };
    let mut validity = Validity::default();
    if let Some(node) = yaml::parse(head, head_line, &mut report) {
        let mut fields = yaml::Fields::of(node, "front matter of a fragment", &mut report);
        validity = fields.validity_of_file();
        fields.finish("front matter of a fragment");
    }
    if report.has_errors() {
        return (None, report.into_problems());
    }
    let mut problems = report.into_problems();
    match new_environment().add_template_owned("fragment", catalog_calls(body)) {
        Ok(()) => (Some(Content::Fragment(body.trim().into(), Arc::new(validity))), problems),
        Err(error) => {
            problems.push(syntax_problem(folder, path, first_line, &error));
            (None, problems)
        }
    }
}

fn body_name(id: &str, channel: Channel) -> String {
    format!("{id}#{}", channel.name())
}

/// Turns `{{ sms-100.price }}` into a call: to Jinja it would be a subtraction.
fn catalog_calls(source: &str) -> String {
    values::expand(source, |reference| match reference.parts() {
        Some(_) => format!("{{{{ catalog(\"{}\") }}}}", reference.name),
        None => format!("{{{{ {} }}}}", reference.name),
    })
}

fn syntax_problem(folder: &Folder, path: &str, first_line: u32, error: &Error) -> Problem {
    let mut report = Report::new(&folder.display(path));
    let line = first_line + u32_of(error.line().unwrap_or(1)).saturating_sub(1);
    report.error(
        "template-syntax",
        Position { line, column: 1 },
        format!("not readable as Jinja: {}", error.detail().unwrap_or("syntax error")),
        "check that every {{ has its }} and every {% if %} its {% endif %}",
    );
    report.into_problems().remove(0)
}

fn check_values(source: &str, first_line: u32, library: &Library, report: &mut Report) {
    for reference in values::references(source).iter().filter(|r| r.parts().is_some()) {
        if let Some((message, hint)) = library.catalog.fault(reference.name, library.day) {
            let at = Position::of(source, reference.range.start, first_line);
            report.error("unknown-value", at, message, hint);
        }
    }
}

/// Reads what the operator filled in.
fn read_value(variable: &Variable, text: &str, lang: Lang) -> Result<Value, FillError> {
    let wrong = |why: String| Err(FillError::Value { name: variable.name.clone(), why });
    let number =
        || text.replace([' ', '\u{a0}'], "").replace(',', ".").parse::<f64>().ok().filter(|n| n.is_finite());
    match variable.kind {
        VariableType::Text | VariableType::Phone => Ok(Value::from(text)),
        VariableType::Choice if variable.choices.iter().any(|c| c == text) => Ok(Value::from(text)),
        VariableType::Choice => wrong(format!("`{text}` is none of: {}", variable.choices.join(", "))),
        VariableType::Money if number().is_some() => Ok(Value::from(format!("{text}\u{a0}₽"))),
        VariableType::Money => wrong(format!("`{text}` is not an amount, as 150 or 99.90")),
        VariableType::Number if number().is_some() => Ok(Value::from(text)),
        VariableType::Number => wrong(format!("`{text}` is not a number")),
        VariableType::Date => match yaml::parse_date(text) {
            Ok(day) if lang == Lang::Ru => Ok(Value::from(day.strftime("%d.%m.%Y").to_string())),
            Ok(day) => Ok(Value::from(day.strftime("%-d %B %Y").to_string())),
            Err(why) => wrong(format!("{why}, as 2026-12-31")),
        },
        VariableType::YesNo => match text {
            "yes" | "true" | "да" => Ok(Value::from(true)),
            "no" | "false" | "нет" => Ok(Value::from(false)),
            _ => wrong(format!("`{text}` is neither yes nor no")),
        },
    }
}

/// What names mean while a template is filled in; notes what was asked for and is not there.
#[derive(Debug)]
struct Context {
    known: BTreeMap<String, Value>,
    /// Labels of all variables.
    gaps: BTreeMap<String, String>,
    filling: Filling,
    lang: Lang,
    missing: Mutex<BTreeSet<String>>,
}

impl Context {
    fn miss(&self, name: &str) {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
    }
}

impl Object for Context {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        if name == "catalog" {
            let context = Arc::clone(self);
            return Some(Value::from_function(move |name: String| {
                let Filling { catalog, .. } = &context.filling;
                catalog.show(&name, context.lang, context.filling.standpoint()).unwrap_or_else(|| {
                    let gap = catalog.gap(&name, &context.filling.clearance);
                    context.miss(gap.trim_matches(['[', ']']));
                    gap
                })
            }));
        }
        if let Some(value) = self.known.get(name) {
            return Some(value.clone());
        }
        let label = self.gaps.get(name)?;
        self.miss(name);
        Some(Value::from(format!("[{label}]")))
    }
}

/// What stands in the Markdown for the first inserted value; the next characters stand for the next values.
const FIRST_HELD: u32 = 0xe100;

/// Values that can be held; the private use area goes no further.
const MAX_HELD: u32 = 0x1700;

/// The Markdown with a character of its own in the place of each inserted value, and the values. Plain words and numbers are left where
/// they are, so that they can be part of an address.
fn hold_values(marked: &str) -> (String, Vec<String>) {
    let mut markdown = String::with_capacity(marked.len());
    let mut held: Vec<String> = Vec::new();
    for (number, piece) in marked.split([VALUE_START, VALUE_END]).enumerate() {
        // Values are not nested, so every second piece is one.
        let is_value = number % 2 == 1;
        let is_plain = piece.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.');
        let next = u32::try_from(held.len())
            .ok()
            .filter(|n| *n < MAX_HELD)
            .and_then(|n| char::from_u32(FIRST_HELD + n));
        match next {
            Some(place) if is_value && !is_plain => {
                markdown.push(place);
                held.push(piece.to_owned());
            }
            _ => markdown.push_str(piece),
        }
    }
    (markdown, held)
}

/// Puts the held values where their characters stand.
fn put_back(text: &str, held: &[String], form: impl Fn(&str) -> String) -> String {
    let mut whole = String::with_capacity(text.len());
    for c in text.chars() {
        match u32::from(c).checked_sub(FIRST_HELD).and_then(|at| held.get(at as usize)) {
            Some(value) => whole.push_str(&form(value)),
            None => whole.push(c),
        }
    }
    whole
}

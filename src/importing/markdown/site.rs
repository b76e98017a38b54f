//! A folder of Markdown files as the site it is made for: its flavour, its pages, and what links in it lead to.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::front::{self, Meta};
use super::nav;
use crate::importing::addresses::{Addresses, nearest_of};
use crate::importing::archive::Archive;

/// The longest text that can be an article.
pub(super) const MAX_PAGE_BYTES: usize = 4 << 20;

/// Which system the files are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Flavour {
    Plain,
    Obsidian,
    Hugo,
    Docusaurus,
    MkDocs,
    Yfm,
    Learn,
    GitBook,
    VitePress,
    Jekyll,
    /// The documentation of VK Cloud, whose blocks stand in single braces.
    Braces,
}

/// What is known of a page before any is read.
#[derive(Debug, Default)]
pub(super) struct Card {
    pub(super) title: Option<String>,
    pub(super) aliases: Vec<String>,
}

/// Where a file stands, in words of readers.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Place {
    pub(super) lang: Option<String>,
    /// The folders above it: whole path and name.
    pub(super) folders: Vec<(String, String)>,
    /// Its name without numbers, language and extension.
    pub(super) stem: String,
    /// Whether it is of a former version.
    pub(super) former: bool,
}

/// What a link leads to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Target {
    Document(String),
    File(String),
}

/// The whole source.
pub(super) struct Site<'a> {
    pub(super) archive: &'a Archive,
    pub(super) flavour: Flavour,
    /// The folder the site stands in, with `/` at the end, or nothing.
    root: String,
    pub(super) pages: BTreeMap<String, Card>,
    /// Pages by their paths and addresses, without what may be left out of them.
    addresses: BTreeMap<String, Vec<String>>,
    /// Files by their names in small letters.
    names: BTreeMap<String, Vec<String>>,
    /// What addresses of the system the files come from lead to.
    former: Addresses,
    lang_folders: BTreeSet<String>,
    pub(super) folder_titles: BTreeMap<String, String>,
    pub(super) nav_titles: BTreeMap<String, String>,
    pub(super) variables: BTreeMap<String, String>,
    latest: Option<String>,
    used: RefCell<BTreeSet<String>>,
    texts: RefCell<BTreeMap<String, Arc<str>>>,
}

impl<'a> Site<'a> {
    /// Looks through a source.
    pub(super) fn open(archive: &'a Archive) -> Self {
        let (flavour, root) = flavour_of(archive);
        let mut site = Site {
            archive,
            flavour,
            root,
            pages: BTreeMap::new(),
            addresses: BTreeMap::new(),
            names: BTreeMap::new(),
            former: Addresses::of(archive.paths(), |name| {
                is_markdown(name).then(|| without_extension(name).to_owned())
            }),
            lang_folders: lang_folders(archive),
            folder_titles: BTreeMap::new(),
            nav_titles: BTreeMap::new(),
            variables: BTreeMap::new(),
            latest: None,
            used: RefCell::default(),
            texts: RefCell::default(),
        };
        // What is hidden is no page, but may be included.
        for path in archive.paths().chain(archive.hidden()) {
            let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
            site.names.entry(name).or_default().push(path.to_owned());
        }
        if let Ok(text) = archive.text(&format!("{}versions.json", site.root)) {
            site.latest =
                serde_json::from_str::<Vec<String>>(&text).ok().and_then(|all| all.into_iter().next());
        }
        nav::read(&mut site);
        let pages: Vec<String> =
            archive.paths().filter(|path| site.is_page(path)).map(str::to_owned).collect();
        for path in pages {
            site.index(path);
        }
        site.former.settle();
        site
    }

    fn index(&mut self, path: String) {
        let text = self.archive.text(&path).unwrap_or_default();
        self.former.learn(&path, &text);
        let (front, body) = front::split(&text);
        for number in
            ["kbId", "kb_id", "article_id", "articleId"].iter().filter_map(|key| front.values.get(*key))
        {
            self.former.name(&front::text_of(number), &path);
        }
        let Meta { title, aliases, urls, slug, .. } = front::meta(&front);
        let place = self.place(&path);
        let site_path = site_path(&place, &path);
        let mut addresses = vec![path.clone(), site_path.clone(), format!("docs/{site_path}")];
        if let Some(lang) = &place.lang {
            addresses.push(format!("{lang}/{site_path}"));
        }
        let above = site_path.rsplit_once('/').map_or("", |(above, _)| above);
        if let Some(slug) = &slug {
            addresses.push(if slug.starts_with('/') { slug.clone() } else { format!("{above}/{slug}") });
            addresses.push(format!("docs/{slug}"));
        }
        addresses.extend(urls.iter().cloned());
        if is_index(&path)
            && let Some((folder, _)) = path.rsplit_once('/')
        {
            let heading = title.clone().or_else(|| first_heading(body));
            if let Some(heading) = heading {
                self.folder_titles.entry(folder.to_owned()).or_insert(heading);
            }
        }
        for address in addresses.iter().map(|address| normal(address)).collect::<BTreeSet<_>>() {
            self.addresses.entry(address).or_default().push(path.clone());
        }
        let title = title.or_else(|| first_heading(body));
        self.pages.insert(path, Card { title, aliases });
    }

    /// Whether capitalised tags are components there.
    pub(super) fn is_mdx(&self, path: &str) -> bool {
        path.ends_with(".mdx") || matches!(self.flavour, Flavour::Docusaurus | Flavour::VitePress)
    }

    /// Whether a file becomes a document of its own.
    fn is_page(&self, path: &str) -> bool {
        is_markdown(path) && !self.is_only_part(path) && !self.is_machinery(path)
    }

    /// Whether a file is made to be included, and is no page that stands in a folder called `partials` because that is what it tells of.
    fn is_only_part(&self, path: &str) -> bool {
        let is_plain = |name: &str| matches!(name, "includes" | "partials" | "snippets");
        if !is_part(path) || self.flavour == Flavour::Learn {
            return is_part(path);
        }
        let is_marked = path.split('/').any(|name| name.starts_with('_') && name != "_index.md");
        if is_marked || !path.split('/').any(is_plain) {
            return true;
        }
        let text = self.archive.text(path).unwrap_or_default();
        front::meta(&front::split(&text).0).title.is_none()
    }

    /// Whether a file is of the machinery of a site: contents, templates, sources of programs.
    fn is_machinery(&self, path: &str) -> bool {
        let inner = path.strip_prefix(self.root.as_str()).unwrap_or(path);
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_contents = match self.flavour {
            Flavour::GitBook => name == "SUMMARY.md",
            Flavour::Learn => name.eq_ignore_ascii_case("toc.md"),
            _ => false,
        };
        let mut folders = inner.split('/');
        let is_templates = self.flavour == Flavour::Hugo
            && folders.next().is_some_and(|first| matches!(first, "layouts" | "archetypes" | "themes"));
        is_contents || is_templates || path.split('/').any(|name| name == "node_modules")
    }

    /// Parts that nothing includes.
    pub(super) fn orphans(&self) -> Vec<String> {
        let used = self.used.borrow();
        self.archive
            .paths()
            .filter(|path| {
                is_markdown(path)
                    && !self.pages.contains_key(*path)
                    && !self.is_machinery(path)
                    && !used.contains(*path)
            })
            .map(str::to_owned)
            .collect()
    }

    /// Where a file stands, in words of readers.
    pub(super) fn place(&self, path: &str) -> Place {
        let inner = path.strip_prefix(self.root.as_str()).unwrap_or(path);
        let mut whole = path[..path.len() - inner.len()].to_owned();
        let mut place = Place::default();
        let names: Vec<&str> = inner.split('/').collect();
        let (file, folders) = names.split_last().unwrap_or((&"", &[]));
        for name in folders {
            whole.push_str(name);
            if place.lang.is_none() && self.lang_folders.contains(&whole) {
                place.lang = Some(language(name));
            } else if *name == "versioned_docs" {
                place.former = true;
            } else if let Some(version) =
                name.strip_prefix("version-").filter(|_| place.former && place.folders.is_empty())
            {
                if self.latest.as_deref() == Some(version) {
                    place.former = false;
                } else {
                    place.folders.push((whole.clone(), (*name).to_owned()));
                }
            } else if !(place.folders.is_empty() && self.is_container(name)) {
                place.folders.push((whole.clone(), (*name).to_owned()));
            }
            whole.push('/');
        }
        let mut stem = without_extension(file);
        if let Some((before, lang)) = stem.rsplit_once('.')
            && is_language(lang)
        {
            place.lang = Some(language(lang));
            stem = before;
        }
        place.stem = without_number(stem).to_owned();
        place
    }

    /// Whether a folder only holds the site and says nothing to readers.
    fn is_container(&self, name: &str) -> bool {
        match self.flavour {
            Flavour::Plain | Flavour::Obsidian => false,
            _ => {
                matches!(
                    name,
                    "content" | "docs" | "doc" | "src" | "website" | "i18n" | "current" | "documentation"
                ) || name.starts_with("docusaurus-plugin-content")
            }
        }
    }

    /// The name of a folder for readers.
    pub(super) fn folder_name(&self, path: &str, name: &str) -> String {
        self.folder_titles.get(path).cloned().unwrap_or_else(|| without_number(name).to_owned())
    }

    /// Whether a file says something.
    pub(super) fn says(&self, path: &str, says: impl Fn(&str) -> bool) -> bool {
        if let Some(text) = self.texts.borrow().get(path) {
            return says(text);
        }
        let Ok(text) = self.archive.text(path) else { return false };
        let is = says(&text);
        self.keep(path, text.into());
        is
    }

    /// Keeps a text that may be asked for again; memory is bounded all the same.
    fn keep(&self, path: &str, text: Arc<str>) {
        let mut texts = self.texts.borrow_mut();
        if texts.len() < 4_000 && text.len() < 64 << 10 {
            texts.insert(path.to_owned(), text);
        }
    }

    /// The text of a part to be included; the file is counted as used.
    pub(super) fn part(&self, path: &str) -> Option<Arc<str>> {
        self.used.borrow_mut().insert(path.to_owned());
        if let Some(text) = self.texts.borrow().get(path) {
            return Some(Arc::clone(text));
        }
        let text: Arc<str> = self.archive.text(path).ok().filter(|text| text.len() <= MAX_PAGE_BYTES)?.into();
        self.keep(path, Arc::clone(&text));
        Some(text)
    }

    /// What a link in a file leads to, without its anchor and query.
    pub(super) fn find(&self, from: &str, written: &str) -> Option<Target> {
        let decoded = percent_encoding::percent_decode_str(written).decode_utf8().ok()?;
        let decoded = decoded.replace('\\', "/");
        if decoded.is_empty() || decoded.len() > 1_000 {
            return None;
        }
        let here = from.rsplit_once('/').map_or("", |(folder, _)| folder);
        let lang = self.place(from).lang;
        if let Some(absolute) = decoded.strip_prefix('/').or_else(|| decoded.strip_prefix("~/")) {
            let absolute = absolute.trim_start_matches('/');
            let absolute = &joined("", absolute)?;
            return self.absolute(from, absolute, lang.as_deref());
        }
        let plain = joined(here, &decoded);
        // Pages of many systems are folders once built, and links count from there.
        let pretty = joined(without_extension(from), &decoded);
        let itself = |target: &Target| matches!(target, Target::Document(key) if key == from);
        let is_own = plain.as_deref() == Some(from);
        // Converted pages may keep the ending they had: `page.html.md`.
        let former = joined(here, &format!("{decoded}.md"));
        [plain, former, pretty]
            .into_iter()
            .flatten()
            .find_map(|path| self.at(&path, lang.as_deref()).filter(|target| is_own || !itself(target)))
            .or_else(|| self.absolute(from, &joined("", &decoded)?, lang.as_deref()))
    }

    /// What stands at a path of the source.
    fn at(&self, path: &str, lang: Option<&str>) -> Option<Target> {
        if self.pages.contains_key(path) {
            return Some(Target::Document(path.to_owned()));
        }
        if self.archive.has(path) {
            return Some(Target::File(path.to_owned()));
        }
        let spaced = path.replace('+', " ");
        self.address(path, lang).or_else(|| (spaced != path).then(|| self.address(&spaced, lang)).flatten())
    }

    fn address(&self, path: &str, lang: Option<&str>) -> Option<Target> {
        let candidates = self.addresses.get(&normal(path))?;
        let same = candidates.iter().find(|page| lang.is_none() || self.place(page).lang.as_deref() == lang);
        same.or_else(|| candidates.first()).map(|page| Target::Document(page.clone()))
    }

    fn absolute(&self, from: &str, path: &str, lang: Option<&str>) -> Option<Target> {
        let root = &self.root;
        let mut roots = vec![String::new(), root.clone()];
        for folder in [
            "static/",
            "public/",
            "assets/",
            "content/",
            "docs/",
            "src/",
            "src/public/",
            "docs/static/",
            "website/static/",
            "docs/assets/",
        ] {
            roots.push(format!("{root}{folder}"));
            if let Some(lang) = lang {
                roots.push(format!("{root}{folder}{lang}/"));
            }
        }
        if let Some(lang) = lang {
            roots.insert(0, format!("{root}{lang}/"));
        }
        // The site may stand below the root, next to the pages that link.
        if let Some((first, _)) = from.split_once('/') {
            roots.push(format!("{first}/static/"));
            roots.push(format!("{first}/"));
        }
        roots.iter().find_map(|root| self.at(&format!("{root}{path}"), lang))
    }

    /// What a whole address of the system the files come from leads to.
    pub(super) fn of_address(&self, address: &str) -> Option<Target> {
        let path = self.former.find(address)?;
        Some(if self.pages.contains_key(path) {
            Target::Document(path.to_owned())
        } else {
            Target::File(path.to_owned())
        })
    }

    /// A file that is no page by the end of its path, wherever it stands.
    pub(super) fn nearest(&self, from: &str, written: &str) -> Option<Target> {
        let path = self.former.nearest(from, written)?;
        (!is_markdown(path)).then(|| Target::File(path.to_owned()))
    }

    /// A file by its name alone, wherever it stands: the nearest of those of that name.
    pub(super) fn named(&self, from: &str, written: &str) -> Option<Target> {
        let written = written.trim().trim_start_matches('/').to_lowercase();
        let name = written.rsplit('/').next()?;
        let all = self.names.get(name).or_else(|| self.names.get(&format!("{name}.md")));
        let is_of = |path: &&String| {
            let path = path.to_lowercase();
            without_markdown(&path).ends_with(without_markdown(&written))
        };
        let best = nearest_of(all.into_iter().flatten().filter(is_of), from);
        if let Some(path) = best {
            let is_page = self.pages.contains_key(path);
            return Some(if is_page { Target::Document(path.clone()) } else { Target::File(path.clone()) });
        }
        let by_name = |card: &Card| {
            let is = |name: &String| name.to_lowercase() == written;
            card.aliases.iter().any(is) || card.title.as_ref().is_some_and(is)
        };
        (self.pages.len() < 20_000)
            .then(|| self.pages.iter().find(|(_, card)| by_name(card)))
            .flatten()
            .map(|(path, _)| Target::Document(path.clone()))
    }
}

/// Whether a file is Markdown.
pub(super) fn is_markdown(path: &str) -> bool {
    let path = path.to_lowercase();
    [".md", ".mdx", ".markdown", ".mkd", ".mdown"].iter().any(|end| path.ends_with(end))
}

/// Whether a file is made to be included in others.
pub(super) fn is_part(path: &str) -> bool {
    let mut names = path.split('/').rev();
    let file = names.next().unwrap_or_default();
    let is_folder = |name: &str| {
        matches!(
            name,
            "includes"
                | "_includes"
                | "_include"
                | "partials"
                | "_partials"
                | "snippets"
                | "_snippets"
                | "_common"
                | ".snippets"
        )
    };
    (file.starts_with('_') && !file.starts_with("_index.") && !file.starts_with("__")) || names.any(is_folder)
}

fn is_index(path: &str) -> bool {
    let stem = without_extension(path.rsplit('/').next().unwrap_or(path)).to_lowercase();
    matches!(stem.split('.').next(), Some("index" | "_index" | "readme"))
}

fn without_markdown(path: &str) -> &str {
    path.strip_suffix(".md")
        .or_else(|| path.strip_suffix(".mdx"))
        .or_else(|| path.strip_suffix(".markdown"))
        .unwrap_or(path)
}

/// A name without its extension, if that is of a page.
pub(super) fn without_extension(name: &str) -> &str {
    let known = |end: &str| {
        matches!(
            end.to_ascii_lowercase().as_str(),
            "md" | "mdx" | "markdown" | "mkd" | "mdown" | "html" | "htm"
        )
    };
    name.rsplit_once('.').filter(|(_, end)| known(end)).map_or(name, |(stem, _)| stem)
}

/// A name without the number or date that only orders it.
pub(super) fn without_number(name: &str) -> &str {
    let bytes = name.as_bytes();
    let is_date = bytes.len() > 11
        && bytes[..11]
            .iter()
            .enumerate()
            .all(|(at, b)| if matches!(at, 4 | 7 | 10) { *b == b'-' } else { b.is_ascii_digit() });
    if is_date {
        return &name[11..];
    }
    let digits = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 || digits > 3 {
        return name;
    }
    let rest = name[digits..].trim_start_matches(['-', '_', '.', ' ', ')']);
    let parted = rest.len() < name.len() - digits;
    if parted && rest.chars().next().is_some_and(char::is_alphabetic) { rest } else { name }
}

/// An address without all that may be left out or put in: extension, numbers, `index`, capital letters.
fn normal(address: &str) -> String {
    let address = address.trim().trim_matches('/').to_lowercase();
    let mut names: Vec<&str> = address.split('/').filter(|name| !name.is_empty() && *name != ".").collect();
    if let Some(last) = names.pop() {
        let stem = without_extension(last);
        let stem = stem.rsplit_once('.').filter(|(_, lang)| is_language(lang)).map_or(stem, |(stem, _)| stem);
        let above = names.last().map(|name| without_number(name));
        let stem = without_number(stem);
        // Docusaurus and VK Cloud: `net/net.md` is what stands at `net`.
        if !matches!(stem, "index" | "_index" | "readme") && above != Some(stem) {
            names.push(stem);
        }
    }
    names.iter().map(|name| without_number(name)).collect::<Vec<_>>().join("/")
}

fn site_path(place: &Place, path: &str) -> String {
    let mut names: Vec<&str> = place.folders.iter().map(|(_, name)| name.as_str()).collect();
    names.push(path.rsplit('/').next().unwrap_or(path));
    names.join("/")
}

/// A relative path from a folder; nothing if it leads out of the source.
pub(super) fn joined(folder: &str, relative: &str) -> Option<String> {
    let mut names: Vec<&str> = folder.split('/').filter(|name| !name.is_empty()).collect();
    for name in relative.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop()?;
            }
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}

/// The first heading of a body, as plain text, looked for near its beginning.
pub(super) fn first_heading(body: &str) -> Option<String> {
    let mut fence = false;
    for line in body.lines().take(60) {
        if line.starts_with("```") || line.starts_with("~~~") {
            fence = !fence;
        }
        if let Some(heading) = line.strip_prefix("# ").filter(|_| !fence) {
            return Some(plain(heading)).filter(|heading| !heading.is_empty());
        }
    }
    None
}

/// Markdown of one line as plain text.
pub(super) fn plain(markdown: &str) -> String {
    use pulldown_cmark::{Event, Options, Parser};
    let markdown = markdown.trim().trim_end_matches('#').trim();
    let heading = format!("# {}", front::one_line(markdown));
    let mut text = String::new();
    for event in Parser::new_ext(&heading, Options::ENABLE_HEADING_ATTRIBUTES | Options::ENABLE_STRIKETHROUGH)
    {
        match event {
            Event::Text(part) | Event::Code(part) => text.push_str(&part),
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            _ => {}
        }
    }
    let text = super::braces::heading_text(&text).unwrap_or(text);
    front::one_line(&text)
}

/// A language as Pharos writes it.
pub(super) fn language(name: &str) -> String {
    let name = name.to_lowercase().replace('_', "-");
    let (main, region) = name.split_once('-').unwrap_or((&name, ""));
    if matches!(main, "zh" | "pt") && !region.is_empty() { name.clone() } else { main.to_owned() }
}

/// Whether a name is that of a language.
pub(super) fn is_language(name: &str) -> bool {
    const LANGUAGES: &[&str] = &[
        "ar", "az", "be", "bg", "bn", "bs", "ca", "cs", "da", "de", "el", "en", "eo", "es", "et", "fa", "fi",
        "fr", "ga", "gl", "he", "hi", "hr", "hu", "hy", "id", "is", "it", "ja", "ka", "kk", "ko", "ky", "lt",
        "lv", "mk", "mn", "ms", "nb", "nl", "nn", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr", "sv",
        "tg", "th", "tk", "tr", "uk", "ur", "uz", "vi", "zh",
    ];
    let name = name.to_ascii_lowercase();
    let (main, region) = name.split_once(['-', '_']).unwrap_or((&name, ""));
    let is_region = (2..=4).contains(&region.len()) && region.bytes().all(|b| b.is_ascii_alphabetic());
    LANGUAGES.contains(&main) && (region.is_empty() || is_region)
}

/// Folders named by languages that are the translations of one text: they stand side by side, or where translations stand.
fn lang_folders(archive: &Archive) -> BTreeSet<String> {
    let mut by_parent: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in archive.paths().filter(|path| is_markdown(path)) {
        let mut at = 0;
        for (depth, name) in path.split('/').enumerate() {
            if depth > 4 || at + name.len() >= path.len() {
                break;
            }
            if is_language(name) {
                by_parent
                    .entry(path[..at].to_owned())
                    .or_default()
                    .insert(path[..at + name.len()].to_owned());
            }
            at += name.len() + 1;
        }
    }
    let holds = |parent: &str| {
        let parent = parent.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
        matches!(parent.as_str(), "i18n" | "content" | "locales" | "translations" | "lang" | "languages")
    };
    by_parent
        .into_iter()
        .filter(|(parent, names)| names.len() > 1 || holds(parent))
        .flat_map(|(_, names)| names)
        .collect()
}

/// For which system a source is written, and in which folder its site stands.
fn flavour_of(archive: &Archive) -> (Flavour, String) {
    let mut best: Option<(usize, Flavour, String)> = None;
    let has_content = archive.paths().any(|path| path.contains("content/") && is_markdown(path));
    for path in archive.paths() {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let flavour = match name {
            "mkdocs.yml" | "mkdocs.yaml" => Flavour::MkDocs,
            "docusaurus.config.js" | "docusaurus.config.ts" | "docusaurus.config.mjs" => Flavour::Docusaurus,
            "hugo.toml" | "hugo.yaml" | "hugo.yml" | "hugo.json" => Flavour::Hugo,
            "config.toml" | "config.yaml" | "config.yml" if has_content => Flavour::Hugo,
            "docfx.json" | "TOC.yml" => Flavour::Learn,
            "toc.yaml" | "presets.yaml" => Flavour::Yfm,
            "SUMMARY.md" | "book.toml" => Flavour::GitBook,
            "_config.yml" => Flavour::Jekyll,
            "package.json" if says(archive, path, &["\"vitepress\"", "\"vuepress\""]) => Flavour::VitePress,
            _ => continue,
        };
        let depth = if folder.is_empty() { 0 } else { folder.split('/').count() };
        if depth <= 3 && best.as_ref().is_none_or(|(shallowest, ..)| depth < *shallowest) {
            best = Some((depth, flavour, folder.to_owned()));
        }
    }
    let only = only_folder(archive);
    match best {
        Some((_, flavour, root)) if !root.is_empty() => (flavour, format!("{root}/")),
        Some((_, flavour, _)) => (flavour, only),
        None => (flavour_of_texts(archive), only),
    }
}

fn says(archive: &Archive, path: &str, words: &[&str]) -> bool {
    !path.contains("node_modules/")
        && archive.text(path).is_ok_and(|text| words.iter().any(|word| text.contains(word)))
}

/// The folder that holds everything, as in the archives of repositories.
fn only_folder(archive: &Archive) -> String {
    let mut paths = archive.paths();
    let Some((first, _)) = paths.next().and_then(|path| path.split_once('/')) else { return String::new() };
    let first = format!("{first}/");
    let is_site = matches!(first.as_str(), "docs/" | "content/") || is_language(first.trim_end_matches('/'));
    if !is_site && paths.all(|path| path.starts_with(&first)) { first } else { String::new() }
}

/// The flavour most constructs are of, in a sample of the pages.
fn flavour_of_texts(archive: &Archive) -> Flavour {
    const MARKS: &[(Flavour, &[&str])] = &[
        (Flavour::Obsidian, &["[["]),
        (Flavour::Yfm, &["{% note", "{% list tabs", "{% include [", "{% cut"]),
        (Flavour::Learn, &["[!INCLUDE", ":::image", "ms.date", "> [!div"]),
        (Flavour::Hugo, &["{{< ", "{{% "]),
        (Flavour::GitBook, &["{% hint", "{% content-ref", "{% tabs %}"]),
        (Flavour::Docusaurus, &["<TabItem", "\n:::note", "\n:::tip"]),
        (Flavour::MkDocs, &["\n!!! ", "\n??? ", "\n=== \""]),
        (Flavour::Jekyll, &["{% raw", "{% link", "{% post_url", "{% highlight"]),
        (Flavour::Braces, &["{note:", "{tab(", "{include(", "{heading("]),
    ];
    let pages: Vec<&str> = archive.paths().filter(|path| is_markdown(path)).collect();
    let step = (pages.len() / 60).max(1);
    let mut counted = [0usize; MARKS.len()];
    for path in pages.iter().step_by(step) {
        let Ok(text) = archive.text(path) else { continue };
        for (at, (_, marks)) in MARKS.iter().enumerate() {
            counted[at] += usize::from(marks.iter().any(|mark| text.contains(mark)));
        }
    }
    let most = (0..MARKS.len()).max_by_key(|at| counted[*at]).filter(|at| counted[*at] > 0);
    most.map_or(Flavour::Plain, |at| MARKS[at].0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_what_may_be_left_out() {
        assert_eq!(normal("/Docs/01-intro/02_Start.md"), "docs/intro/start");
        assert_eq!(normal("a/index.html"), "a");
        assert_eq!(normal("a/b.ru.md"), "a/b");
        assert_eq!(normal("_posts/2024-01-02-news.md"), "_posts/news");
        assert_eq!(normal("net/net.md"), "net");
    }

    #[test]
    fn numbers_that_say_something_stay() {
        assert_eq!(without_number("2024 год"), "2024 год");
        assert_eq!(without_number("5G"), "5G");
        assert_eq!(without_number("03. Тарифы"), "Тарифы");
        assert_eq!(without_number("1.2"), "1.2");
    }

    #[test]
    fn paths_never_lead_out() {
        assert_eq!(joined("a/b", "../c.md").as_deref(), Some("a/c.md"));
        assert_eq!(joined("a", "../../c.md"), None);
    }

    #[test]
    fn languages_are_not_any_two_letters() {
        assert!(is_language("ru") && is_language("zh-CN") && is_language("pt_br"));
        assert!(!is_language("qa") && !is_language("en-documentation"));
    }
}

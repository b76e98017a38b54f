//! HTML pages become Markdown: saved pages, copies of sites, and the bodies other systems keep as HTML.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::addresses::Addresses;
use super::archive::{Archive, text_of};
use super::document::{Counts, Document, Found, Loss, WITHIN, within};
use tree::{ROOT, Tree, one_line};

mod blocks;
mod callout;
pub(crate) mod emoji;
mod furniture;
mod inline;
mod page;
pub(crate) mod tree;

/// Where a link or a picture leads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// What is written: an address outside, what [`within`] makes, or `#anchor` for a place of the same page.
    pub url: String,
    /// It should be in the source and is not: told as a loss.
    pub missing: bool,
}

impl Target {
    /// An address as it stands.
    pub fn outside(url: &str) -> Self {
        Self { url: url.to_owned(), missing: false }
    }
}

/// Finds where links and pictures of a page lead. Links that begin with `#` are not asked for.
pub trait Links {
    /// Where a link leads.
    fn link(&self, href: &str) -> Target;
    /// Where a picture is.
    fn image(&self, source: &str) -> Target;
}

/// Leaves all links as they are.
pub struct AsTheyAre;

impl Links for AsTheyAre {
    fn link(&self, href: &str) -> Target {
        Target::outside(href)
    }

    fn image(&self, source: &str) -> Target {
        Target::outside(source)
    }
}

/// What a page became.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Converted {
    /// The first heading, as plain text, if the page has one that is its title: it is not in the Markdown.
    pub title: Option<String>,
    /// The content.
    pub markdown: String,
    /// What the content had, counted in the HTML.
    pub had: Counts,
    /// What was not carried, or not as it was.
    pub losses: Vec<Loss>,
    /// By what links from elsewhere may call places of the page, if that is no anchor of a heading: the heading it stands under, or nothing above
    /// the first.
    pub anchors: HashMap<String, Option<String>>,
}

/// Converts a whole page: its main content is looked for, and its title.
///
/// # Errors
/// The page is too large or nests too deep.
pub fn convert(html: &str, links: &dyn Links) -> Result<Converted, String> {
    Ok(convert_tree(&Tree::of_html(html)?, links, false))
}

/// Converts a part of a page, such as the body of an article: all of it is content, and its headings are none of its title.
///
/// # Errors
/// As for [`convert`].
pub fn convert_part(html: &str, links: &dyn Links) -> Result<Converted, String> {
    Ok(convert_tree(&Tree::of_html(html)?, links, true))
}

/// The same for elements that were read already.
pub(crate) fn convert_tree(tree: &Tree, links: &dyn Links, whole: bool) -> Converted {
    let page = page::Page::of(tree, whole);
    let mut writer = blocks::Writer::new(tree, &page, links);
    let markdown = writer.markdown();
    if !tree.hidden.is_empty() && !tree.shows_hidden {
        writer.losses.tell("hidden-text", tree.hidden.trim());
    }
    let losses = writer.losses.told();
    let had = page.counts(tree);
    let headings: BTreeSet<&String> = page.headings.values().collect();
    let is_own = |id: &str, heading: &Option<String>| heading.as_deref() == Some(id);
    let anchors = page
        .anchors
        .iter()
        .filter(|(id, heading)| !is_own(id, heading) && !headings.contains(id))
        .map(|(id, heading)| (id.clone(), heading.clone()))
        .collect();
    let title = page.title.map(|title| tree.line(title).replace('¶', "").trim().to_owned());
    Converted { title, markdown, had, losses, anchors }
}

/// Whether there are HTML pages, and not rather Markdown with some HTML beside it.
pub fn recognise(archive: &Archive) -> bool {
    let pages = archive.paths().filter(|path| is_page(path)).count();
    let others = archive.paths().filter(|path| path.to_ascii_lowercase().ends_with(".md")).count();
    pages > 0 && pages >= others
}

/// Reads all HTML pages as documents.
pub fn read(archive: &Archive, found: &mut Found<'_>) {
    let paths: Vec<&str> = archive.paths().filter(|path| is_page(path)).collect();
    found.expect(paths.len());
    let mut site = Site::of(archive, &paths);
    let mut pages = Vec::new();
    for path in &paths {
        if site.redirects.contains_key(*path) {
            continue;
        }
        match site.page(archive, path) {
            Ok(page) => pages.push(page),
            Err(why) => found.take(path, Err(why)),
        }
    }
    site.name_folders(&pages);
    furniture::take_off(&mut pages.iter_mut().map(|page| &mut page.document).collect::<Vec<_>>());
    let same = SharedParts::of(&pages);
    let anchors: HashMap<String, HashMap<String, Option<String>>> =
        pages.iter_mut().map(|page| (page.path.clone(), std::mem::take(&mut page.anchors))).collect();
    for mut page in pages {
        lead_to_headings(&mut page.document, &anchors);
        let key = page.path.clone();
        let document = site.placed(page, &same);
        found.take(&key, Ok(document));
    }
}

/// A page that was converted, before it is known what all pages share.
struct SitePage {
    path: String,
    document: Document,
    heading: Option<String>,
    title: Option<String>,
    trail: Vec<String>,
    anchors: HashMap<String, Option<String>>,
}

/// What is known of all pages before they are converted.
struct Site {
    /// By lower-case path, without or with what servers leave out: the path.
    by_path: HashMap<String, String>,
    /// By address.
    by_url: HashMap<String, String>,
    /// From a page that only leads on to where it leads.
    redirects: BTreeMap<String, String>,
    /// What leads on to a page.
    former: HashMap<String, Vec<String>>,
    /// Folders all pages stand in.
    shared: usize,
    /// How folders are called by their first pages.
    names: HashMap<String, String>,
    /// Folders that hold more than their first page.
    busy: BTreeSet<String>,
    /// What addresses of the system the pages come from lead to.
    addresses: Addresses,
    /// What stands beside pages, by their paths.
    beside: HashMap<String, Beside>,
}

impl Site {
    fn of(archive: &Archive, pages: &[&str]) -> Self {
        let mut site = Self {
            by_path: archive.paths().map(|path| (path.to_lowercase(), path.to_owned())).collect(),
            by_url: HashMap::new(),
            redirects: BTreeMap::new(),
            former: HashMap::new(),
            shared: shared_folders(pages),
            names: HashMap::new(),
            busy: BTreeSet::new(),
            addresses: Addresses::of(archive.paths(), |name| is_page(name).then(|| stem_of(name).to_owned())),
            beside: HashMap::new(),
        };
        let mut leading = Vec::new();
        for path in pages {
            if let Some(beside) = Beside::of(archive, path) {
                if let Some(url) = &beside.url {
                    site.by_url.entry(address(url)).or_insert_with(|| (*path).to_owned());
                }
                site.beside.insert((*path).to_owned(), beside);
            }
            let Ok(head) = head_of(archive, path) else { continue };
            for name in &head.names {
                site.addresses.name(name, path);
            }
            if let Some(url) = head.url {
                site.by_url.entry(address(&url)).or_insert_with(|| (*path).to_owned());
            }
            if let Some(target) = head.leads_to {
                leading.push(((*path).to_owned(), target));
            }
            if !is_first(path) {
                site.busy.extend(ancestors(path).map(str::to_owned));
            } else if let Some(parent) = folder_of(path) {
                site.busy.extend(ancestors(parent).map(str::to_owned));
            }
        }
        for path in pages {
            if let Ok(html) = page_text(archive, path) {
                site.addresses.learn(path, &html);
            }
        }
        site.addresses.settle();
        for (path, target) in leading {
            if let Some((target, _)) = site.find(&path, &target)
                && target != path
            {
                site.redirects.insert(path, target);
            }
        }
        for path in site.redirects.keys() {
            if let Some(target) = site.end_of(path) {
                site.former.entry(target).or_default().push(path.clone());
            }
        }
        // What leads in a circle, or to a picture, is a page like any other.
        let known: BTreeSet<String> = site.former.values().flatten().cloned().collect();
        site.redirects.retain(|path, _| known.contains(path));
        site
    }

    fn end_of(&self, path: &str) -> Option<String> {
        let mut path = path;
        for _ in 0..10 {
            match self.redirects.get(path) {
                Some(next) => path = next,
                None => return is_page(path).then(|| path.to_owned()),
            }
        }
        None
    }

    /// The file of the source an address on a page means, and its anchor.
    fn find(&self, from: &str, href: &str) -> Option<(String, Option<String>)> {
        let (rest, anchor) = match href.split_once('#') {
            Some((rest, anchor)) => (rest, Some(decoded(anchor))),
            None => (href, None),
        };
        if let Some(path) = self.by_url.get(&address(rest)) {
            return Some((path.clone(), anchor));
        }
        let own = || self.addresses.find(rest).map(|path| (path.to_owned(), anchor.clone()));
        let (plain, query) = rest.split_once('?').map_or((rest, None), |(plain, query)| (plain, Some(query)));
        let after_host = |rest: &str| rest.split_once("://").map(|(_, rest)| rest.to_owned());
        let bases: Vec<String> =
            if let Some(rest) = after_host(plain).or(plain.strip_prefix("//").map(str::to_owned)) {
                vec![rest]
            } else if has_scheme(plain) {
                return None;
            } else if let Some(rooted) = plain.strip_prefix('/') {
                // The root of the site may be any folder above the page.
                let mut roots: Vec<String> = vec![String::new()];
                roots.extend(ancestors(from).map(|folder| format!("{folder}/")));
                roots.into_iter().map(|root| format!("{root}{rooted}")).collect()
            } else if plain.is_empty() {
                vec![from.to_owned()]
            } else {
                vec![resolved(from, plain)?]
            };
        match bases.iter().find_map(|base| self.file(base, query)) {
            Some(path) => Some((path, anchor)),
            None => own(),
        }
    }

    fn file(&self, path: &str, query: Option<&str>) -> Option<String> {
        let tries = |path: &str| -> Vec<String> {
            let bare = path.trim_end_matches('/');
            let mut tries = Vec::new();
            if let Some(query) = query {
                tries.extend([
                    format!("{path}?{query}"),
                    format!("{path}@{query}"),
                    format!("{path}?{query}.html"),
                    format!("{path}@{query}.html"),
                ]);
            }
            tries.push(bare.to_owned());
            for end in [".html", ".htm", "/index.html", "/index.htm"] {
                tries.push(format!("{bare}{end}"));
            }
            tries
        };
        let normal = resolved("", path)?;
        [decoded(&normal), normal.clone()]
            .iter()
            .flat_map(|path| tries(path))
            .find_map(|path| self.by_path.get(&path.trim_start_matches('/').to_lowercase()).cloned())
    }

    fn page(&self, archive: &Archive, path: &str) -> Result<SitePage, String> {
        if let Some(why) = not_content(path) {
            return Err(why.to_owned());
        }
        let html = page_text(archive, path)?;
        let mut tree = Tree::of_html(&html)?;
        let beside = self.beside.get(path).cloned().unwrap_or_default();
        if let Some(title) = &beside.title
            && tree.find(ROOT, |tree, place| tree.name(place) == "title").is_none()
        {
            // By it is told which heading is the page's name.
            let place = tree.add(ROOT, "title", vec![(SURE.to_owned(), String::new())]);
            tree.add_text(place, title);
        }
        if tree.find(ROOT, |tree, place| tree.name(place) == "frameset").is_some() {
            return Err("is a frame around other pages: nothing of its own".to_owned());
        }
        let links = SiteLinks { site: self, from: path, base: base_of(&tree) };
        let mut converted = convert_tree(&tree, &links, false);
        if converted.markdown.trim().is_empty() {
            converted = convert_navigation(tree.clone(), &links);
            if converted.markdown.trim().is_empty() {
                return Err("has no content of its own".to_owned());
            }
            converted.losses.push(Loss {
                kind: "navigation-only".to_owned(),
                what: "the page holds only a list of contents: it is carried".to_owned(),
            });
        }
        let mut meta = Meta::of(&tree);
        meta.complete(beside);
        let document = Document {
            key: path.to_owned(),
            also: self.former.get(path).cloned().unwrap_or_default(),
            name: name_of(path),
            lang: meta.lang,
            tags: meta.keywords,
            changed: meta.changed,
            markdown: converted.markdown,
            had: converted.had,
            losses: converted.losses,
            ..Document::default()
        };
        let heading = converted.title;
        let title = meta.title;
        let trail = trail_of(&tree);
        Ok(SitePage { path: path.to_owned(), document, heading, title, trail, anchors: converted.anchors })
    }

    fn name_folders(&mut self, pages: &[SitePage]) {
        for page in pages.iter().filter(|page| is_index(&page.path)) {
            if let (Some(folder), Some(name)) =
                (folder_of(&page.path), page.heading.as_ref().or(page.title.as_ref()))
                && name.chars().count() <= 60
            {
                self.names.insert(folder.to_owned(), name.clone());
            }
        }
    }

    fn placed(&self, page: SitePage, same: &SharedParts) -> Document {
        let SitePage { path, mut document, heading, title, mut trail, .. } = page;
        let title = heading
            .filter(|heading| !heading.is_empty() && !same.headings.contains(heading))
            .or_else(|| title.map(|title| same.without(&title)));
        document.title = title
            .filter(|title| !title.is_empty())
            .or_else(|| document.name.clone())
            .unwrap_or_else(|| path.clone());
        document.tags.retain(|tag| !same.keywords.contains(tag));
        if trail.last().is_some_and(|last| *last == document.title) {
            trail.pop();
        }
        document.folders = if trail.is_empty() { self.folders(&path) } else { trail };
        document
    }

    /// Folders by the path, called as their first pages are.
    fn folders(&self, path: &str) -> Vec<String> {
        let mut folders: Vec<&str> = ancestors(path).collect();
        folders.sort_by_key(|folder| folder.len());
        // The first page of a folder that holds nothing else stands beside the folder's neighbours.
        if is_first(path) && folders.last().is_some_and(|folder| !self.busy.contains(*folder)) {
            folders.pop();
        }
        folders
            .into_iter()
            .skip(self.shared)
            .map(|folder| {
                let name = folder.rsplit('/').next().unwrap_or(folder);
                self.names.get(folder).cloned().unwrap_or_else(|| decoded(name))
            })
            .collect()
    }
}

/// A page that holds only its contents list: it is what the page is for, so it is carried.
fn convert_navigation(mut tree: Tree, links: &dyn Links) -> Converted {
    for place in 0..tree.nodes.len() {
        let is_contents = tree.classes(place).chain(tree.attribute(place, "id")).any(|class| {
            matches!(
                class,
                "toc" | "contents" | "toctree-wrapper" | "table-of-contents" | "tableOfContents" | "content"
            )
        });
        if is_contents {
            let name = if tree.name(place) == "nav" { "div" } else { tree.name(place) }.to_owned();
            tree.turn(place, &name, &[]);
        }
    }
    convert_tree(&tree, links, false)
}

struct SiteLinks<'a> {
    site: &'a Site,
    from: &'a str,
    base: Option<String>,
}

impl SiteLinks<'_> {
    fn resolve(&self, href: &str) -> Target {
        let joined = match &self.base {
            Some(base) if !has_scheme(href) && !href.starts_with(['/', '#']) => {
                format!("{}{href}", &base[..=base.rfind('/').unwrap_or(0)])
            }
            _ => href.to_owned(),
        };
        if let Some((path, anchor)) = self.site.find(self.from, &joined) {
            let path = self.site.end_of(&path).unwrap_or(path);
            return match anchor {
                Some(anchor) if path == self.from => Target::outside(&format!("#{anchor}")),
                anchor => Target::outside(&within(&path, anchor.as_deref())),
            };
        }
        if has_scheme(href) || href.starts_with("//") {
            return Target::outside(href);
        }
        let plain = href.split(['#', '?']).next().unwrap_or(href);
        let path = if let Some(rooted) = plain.strip_prefix('/') {
            Some(rooted.to_owned())
        } else {
            resolved(self.from, plain)
        };
        let url = path
            .filter(|path| !path.is_empty())
            .map_or_else(|| href.to_owned(), |path| within(&decoded(&path), None));
        // What is within the source and is not there is told when it is known where everything goes.
        let missing = !url.starts_with(WITHIN);
        Target { url, missing }
    }
}

impl Links for SiteLinks<'_> {
    fn link(&self, href: &str) -> Target {
        self.resolve(href)
    }

    fn image(&self, source: &str) -> Target {
        self.resolve(source)
    }
}

/// Links to places within sections of other pages lead to the headings above those places.
fn lead_to_headings(document: &mut Document, anchors: &HashMap<String, HashMap<String, Option<String>>>) {
    const START: &str = "](within:";
    let mut text = String::with_capacity(document.markdown.len());
    let mut rest = document.markdown.as_str();
    let mut changed = 0;
    while let Some(at) = rest.find(START) {
        let after = &rest[at + START.len()..];
        let end = after.find(')').unwrap_or(after.len());
        text.push_str(&rest[..at + START.len()]);
        let mut written = after[..end].to_owned();
        if let Some((key, anchor)) = after[..end].split_once('#')
            && let Some(heading) = anchors.get(&decoded(key)).and_then(|page| page.get(&decoded(anchor)))
        {
            let url = within(&decoded(key), heading.as_deref());
            url.trim_start_matches("within:").clone_into(&mut written);
            changed += 1;
        }
        text.push_str(&written);
        rest = &after[end..];
    }
    text.push_str(rest);
    if changed > 0 {
        document.markdown = text;
        document.lose(
            "anchor",
            format!("{changed} links to places within sections of other pages lead to their headings"),
        );
    }
}

/// What pages of one site share.
struct SharedParts {
    /// Headings that name the site, not the page.
    headings: BTreeSet<String>,
    starts: BTreeSet<String>,
    ends: BTreeSet<String>,
    keywords: BTreeSet<String>,
}

const BETWEEN: [&str; 9] = [" — ", " – ", " - ", " | ", " :: ", " · ", " » ", " « ", " : "];

impl SharedParts {
    fn of(pages: &[SitePage]) -> Self {
        let mut starts: BTreeMap<String, usize> = BTreeMap::new();
        let mut headings: BTreeMap<String, usize> = BTreeMap::new();
        let mut ends: BTreeMap<String, usize> = BTreeMap::new();
        let mut keywords: BTreeMap<String, usize> = BTreeMap::new();
        for page in pages {
            if let Some(heading) = &page.heading {
                *headings.entry(heading.clone()).or_default() += 1;
            }
            if let Some(title) = &page.title {
                for between in BETWEEN {
                    if let Some((start, _)) = title.split_once(between) {
                        *starts.entry(format!("{start}{between}")).or_default() += 1;
                    }
                    if let Some((_, end)) = title.rsplit_once(between) {
                        *ends.entry(format!("{between}{end}")).or_default() += 1;
                    }
                }
            }
            for keyword in &page.document.tags {
                *keywords.entry(keyword.clone()).or_default() += 1;
            }
        }
        let usual = |counts: BTreeMap<String, usize>, least: usize, share: usize| {
            let often = |count: &usize| *count >= least && count * 100 >= pages.len() * share;
            counts.into_iter().filter(|(_, count)| often(count)).map(|(text, _)| text).collect()
        };
        Self {
            headings: usual(headings, 4, 60),
            starts: usual(starts, 3, 40),
            ends: usual(ends, 3, 25),
            keywords: usual(keywords, 4, 80),
        }
    }

    /// A title without the name of the site.
    fn without(&self, title: &str) -> String {
        let title = self.ends.iter().find_map(|end| title.strip_suffix(end.as_str())).unwrap_or(title);
        let title = self.starts.iter().find_map(|start| title.strip_prefix(start.as_str())).unwrap_or(title);
        one_line(title)
    }
}

/// What the head of a page says of where it is.
#[derive(Default)]
struct Head {
    url: Option<String>,
    leads_to: Option<String>,
    /// Numbers and names its system has for it.
    names: Vec<String>,
}

/// What a system that exports texts and what it knows of them apart has written beside a page, in a file of the same name: Zendesk's fields.
#[derive(Clone, Default)]
struct Beside {
    title: Option<String>,
    url: Option<String>,
    tags: Vec<String>,
    changed: Option<String>,
    lang: Option<String>,
}

impl Beside {
    fn of(archive: &Archive, path: &str) -> Option<Self> {
        let file = format!("{}.json", path.rsplit_once('.').map_or(path, |(stem, _)| stem));
        if !archive.has(&file) {
            return None;
        }
        let value: serde_json::Value = serde_json::from_str(&archive.text(&file).ok()?).ok()?;
        let value = value.get("article").unwrap_or(&value);
        let text = |names: &[&str]| {
            let found = names.iter().find_map(|name| value.get(*name)?.as_str());
            found.map(one_line).filter(|text| !text.is_empty())
        };
        let tags = ["label_names", "labels", "tags"].iter().find_map(|name| value.get(*name)?.as_array());
        Some(Self {
            title: text(&["title", "name"]),
            url: text(&["html_url", "url"]).filter(|url| url.starts_with("http")),
            tags: tags.into_iter().flatten().filter_map(|tag| Some(one_line(tag.as_str()?))).collect(),
            changed: text(&["edited_at", "updated_at", "created_at"]).and_then(|text| day(&text)),
            lang: text(&["locale", "lang"]).and_then(|text| language(&text)),
        })
    }
}

/// Marks a title that is known to be the page's, not its site's.
const SURE: &str = "data-sure";

/// Fields by which Salesforce calls an article in addresses.
const NAMES: [&str; 3] = ["UrlName", "ArticleNumber", "KnowledgeArticleId"];

/// Enough of a page for its head.
const HEAD_BYTES: usize = 32 << 10;

fn head_of(archive: &Archive, path: &str) -> Result<Head, String> {
    let html = page_text(archive, path)?;
    let mut end = html.len().min(HEAD_BYTES);
    while !html.is_char_boundary(end) {
        end -= 1;
    }
    let head = html[..end].find("<body").map_or(&html[..end], |body| &html[..body]);
    let mut found = Head::default();
    if let Some((_, saved)) = head.split_once("saved from url=(") {
        let url = saved.get(5..).and_then(|url| url.split([' ', '-', '>']).next());
        found.url = url.filter(|url| url.starts_with("http")).map(str::to_owned);
    }
    let has_names = NAMES.iter().any(|name| head.contains(name));
    if !has_names && !head.contains("canonical") && !head.to_ascii_lowercase().contains("refresh") {
        return Ok(found);
    }
    let tree = Tree::of_html(head)?;
    for place in tree.within(ROOT) {
        let is = |name: &str, value: &str| {
            tree.attribute(place, name).is_some_and(|has| has.eq_ignore_ascii_case(value))
        };
        if tree.name(place) == "link" && is("rel", "canonical") {
            found.url =
                tree.attribute(place, "href").filter(|href| href.starts_with("http")).map(str::to_owned);
        }
        if tree.name(place) == "meta" && NAMES.iter().any(|name| is("name", name)) {
            found
                .names
                .extend(tree.attribute(place, "content").map(one_line).filter(|name| !name.is_empty()));
        }
        if tree.name(place) == "meta" && is("http-equiv", "refresh") {
            found.leads_to = tree.attribute(place, "content").and_then(refresh);
        }
    }
    Ok(found)
}

/// Where a page leads on to at once: `0; url=there`.
fn refresh(content: &str) -> Option<String> {
    let (seconds, rest) = content.split_once([';', ','])?;
    let seconds: f64 = seconds.trim().parse().ok()?;
    let rest = rest.trim();
    let is_url = rest.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("url"));
    let url = if is_url { rest[3..].trim_start().strip_prefix('=')? } else { rest };
    let url = url.trim().trim_matches(['"', '\'']);
    (seconds <= 10.0 && !url.is_empty()).then(|| url.to_owned())
}

/// What a page says of itself.
#[derive(Default)]
struct Meta {
    title: Option<String>,
    lang: Option<String>,
    keywords: Vec<String>,
    changed: Option<String>,
}

impl Meta {
    fn of(tree: &Tree) -> Self {
        let mut meta = Self::default();
        for place in tree.within(ROOT) {
            match tree.name(place) {
                "html" => {
                    meta.lang =
                        tree.attribute(place, "lang").or(tree.attribute(place, "xml:lang")).and_then(language)
                }
                "title" if meta.title.is_none() && tree.name(tree.nodes[place].parent) == "head" => {
                    meta.title = Some(tree.line(place)).filter(|title| !title.is_empty());
                }
                "meta" => meta.take(tree, place),
                "body" => {
                    let said = tree.attribute(place, "lang").or(tree.attribute(place, "xml:lang"));
                    meta.lang = meta.lang.take().or_else(|| said.and_then(language));
                    break;
                }
                _ => {}
            }
        }
        meta
    }

    /// Adds what stands beside the page, which is surer of it.
    fn complete(&mut self, beside: Beside) {
        self.title = beside.title.or(self.title.take());
        self.changed = beside.changed.or(self.changed.take());
        self.lang = beside.lang.or(self.lang.take());
        self.keywords.extend(beside.tags);
    }

    fn take(&mut self, tree: &Tree, place: usize) {
        let name = ["name", "property", "itemprop", "http-equiv"]
            .into_iter()
            .find_map(|name| tree.attribute(place, name));
        let Some(name) = name.map(str::to_ascii_lowercase) else { return };
        let content = tree.attribute(place, "content").unwrap_or_default().trim();
        match name.as_str() {
            "keywords" => {
                let words = content
                    .split([',', ';'])
                    .map(one_line)
                    .filter(|word| !word.is_empty() && word.chars().count() <= 60);
                self.keywords.extend(words.take(30));
            }
            // One each, as Salesforce and pages for readers of feeds write them.
            "label" | "article:tag" if !content.is_empty() && self.keywords.len() < 30 => {
                self.keywords.push(one_line(content));
            }
            "content-language" if self.lang.is_none() => self.lang = language(content),
            "last-modified"
            | "article:modified_time"
            | "dcterms.modified"
            | "dc.date.modified"
            | "datemodified"
            | "lastmodifieddate"
            | "lastpublisheddate"
            | "revised" => {
                self.changed = day(content).or(self.changed.take());
            }
            _ => {}
        }
    }
}

/// A language as two letters.
pub(crate) fn language(said: &str) -> Option<String> {
    let first = said.trim().split(['-', '_', ',']).next()?.to_ascii_lowercase();
    (first.len() == 2 && first.chars().all(|c| c.is_ascii_lowercase())).then_some(first)
}

/// The day of a moment written in the order of ISO 8601.
pub(crate) fn day(moment: &str) -> Option<String> {
    let day = moment.trim().get(..10)?;
    let is_day =
        day.char_indices().all(|(at, c)| if matches!(at, 4 | 7) { c == '-' } else { c.is_ascii_digit() });
    let number =
        |range: std::ops::Range<usize>| day.get(range).and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    (is_day && (1..=12).contains(&number(5..7)) && (1..=31).contains(&number(8..10))).then(|| day.to_owned())
}

/// The names of the places above a page, by its breadcrumb.
fn trail_of(tree: &Tree) -> Vec<String> {
    let is_trail = |tree: &Tree, place: usize| {
        tree.attribute(place, "aria-label").is_some_and(|label| label.to_lowercase().contains("breadcrumb"))
            || tree.attribute(place, "id") == Some("breadcrumbs")
            || tree.classes(place).any(|class| {
                matches!(class, "breadcrumb" | "breadcrumbs" | "theme-doc-breadcrumbs" | "wy-breadcrumbs")
            })
    };
    let Some(trail) = tree.find(ROOT, is_trail) else { return Vec::new() };
    let aside = |tree: &Tree, place: usize| {
        tree.classes(place).any(|class| class.contains("aside")) || tree.name(place) == "script"
    };
    let mut items: Vec<usize> =
        tree.within_but(trail, &aside).filter(|&place| tree.name(place) == "li").collect();
    if items.is_empty() {
        items = tree.within_but(trail, &aside).filter(|&place| tree.name(place) == "a").collect();
    }
    let names = items.into_iter().map(|item| {
        tree.line(item)
            .trim_matches(|c: char| matches!(c, '/' | '>' | '»' | '›' | '·' | '|') || c.is_whitespace())
            .to_owned()
    });
    let is_home = |name: &String| {
        matches!(
            name.to_lowercase().as_str(),
            "" | "home" | "главная" | "docs" | "documentation" | "🏠" | "\u{f015}"
        )
    };
    names.filter(|name| !is_home(name) && name.chars().count() <= 80).take(10).collect()
}

fn base_of(tree: &Tree) -> Option<String> {
    let base =
        tree.find(ROOT, |tree, place| tree.name(place) == "base" && tree.attribute(place, "href").is_some())?;
    tree.attribute(base, "href")
        .filter(|base| base.contains('/') && *base != "/" && *base != "./")
        .map(str::to_owned)
}

/// The text of a page in the encoding it says it has, where it is no UTF-8.
pub(crate) fn page_text(archive: &Archive, path: &str) -> Result<String, String> {
    let bytes = archive.read(path).map_err(|error| error.why)?;
    let has_mark = encoding_rs::Encoding::for_bom(&bytes).is_some();
    if !has_mark && std::str::from_utf8(&bytes).is_err() {
        let head = String::from_utf8_lossy(&bytes[..bytes.len().min(2_048)]).to_ascii_lowercase();
        let said = head.split_once("charset=").map(|(_, rest)| rest.trim_start_matches(['"', '\'']));
        let label = said.and_then(|rest| rest.split(['"', '\'', '>', ' ', ';', '/', '?']).next());
        if let Some(encoding) = label.and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()))
            && encoding != encoding_rs::UTF_8
        {
            return Ok(encoding.decode(&bytes).0.replace("\r\n", "\n").replace(['\r', '\0'], "\n"));
        }
    }
    text_of(&bytes).ok_or_else(|| "is no text".to_owned())
}

/// Whether a path is one of a page, by its name.
pub(crate) fn is_page(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    [".html", ".htm", ".xhtml", ".shtml", ".php", ".asp", ".aspx", ".jsp"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// Why a page has nothing of its own, by its name.
fn not_content(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let stem = name.split('.').next().unwrap_or(&name);
    let why = match stem {
        "search" | "search-results" | "searchresults" => "is a search page: nothing of its own",
        "404" | "500" | "403" => "is the page for errors: nothing of its own",
        "genindex" | "py-modindex" | "modindex" | "index-all" | "allclasses-index" | "allpackages-index"
        | "overview-tree" | "package-tree" | "allclasses-frame" | "allclasses-noframe" | "overview-frame"
        | "package-frame" | "bookindex" => "is an index made of other pages: nothing of its own",
        "tags" | "tag" | "archives" => "is a list of tags: nothing of its own",
        _ if stem.starts_with("genindex-") => "is an index made of other pages: nothing of its own",
        _ => {
            let folders: Vec<_> = path.split('/').collect();
            let within = |wanted: &[&str]| {
                folders
                    .iter()
                    .rev()
                    .skip(1)
                    .any(|folder| wanted.contains(&folder.to_ascii_lowercase().as_str()))
            };
            return if within(&["_modules", "src-html", "class-use"]) {
                Some("is source code shown as a page: not imported")
            } else if within(&["tags", "tag"]) && is_index(path) {
                Some("is a list of tags: nothing of its own")
            } else if folders.iter().rev().skip(1).any(|folder| folder.ends_with("_files")) {
                Some("is a part of a saved page: nothing of its own")
            } else {
                None
            };
        }
    };
    Some(why)
}

fn is_index(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    matches!(name.split('.').next(), Some("index" | "default"))
}

/// Whether a page is the first of its folder: by its name, or since the folder is called like it.
fn is_first(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let own = parts.next().map(stem_of);
    is_index(path) || own.is_some() && own == parts.next()
}

/// The name of a file of a page without its ending.
fn stem_of(name: &str) -> &str {
    if is_page(name) { name.rsplit_once('.').map_or(name, |(stem, _)| stem) } else { name }
}

fn name_of(path: &str) -> Option<String> {
    let path = if is_index(path) { folder_of(path)? } else { path };
    let name = path.rsplit('/').next().unwrap_or(path);
    Some(decoded(stem_of(name))).filter(|stem| !stem.is_empty())
}

fn folder_of(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(folder, _)| folder)
}

/// All folders a path is in, innermost first.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(folder_of(path), |folder| folder_of(folder))
}

/// How many outer folders all pages share.
fn shared_folders(pages: &[&str]) -> usize {
    let Some(first) = pages.first() else { return 0 };
    let mut shared = first.split('/').count() - 1;
    for page in pages {
        let same = first.split('/').zip(page.split('/')).take_while(|(a, b)| a == b).count();
        shared = shared.min(same).min(page.split('/').count() - 1);
    }
    shared
}

/// A path relative to that of a page; nothing if it leads out of the source.
pub(crate) fn resolved(from: &str, to: &str) -> Option<String> {
    let mut names: Vec<&str> = folder_of(from).map(|folder| folder.split('/').collect()).unwrap_or_default();
    for name in to.split('/') {
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

pub(crate) fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// An address without what does not tell pages apart.
fn address(url: &str) -> String {
    let url = url.split_once("://").map_or(url, |(_, rest)| rest);
    decoded(url.trim_end_matches('/')).trim_end_matches("/index.html").to_lowercase()
}

pub(crate) fn has_scheme(href: &str) -> bool {
    href.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-'))
    })
}

#[cfg(test)]
mod tests {

    use super::*;

    fn part(html: &str) -> Converted {
        convert_part(html, &AsTheyAre).unwrap()
    }

    fn markdown(html: &str) -> String {
        part(html).markdown.trim_end().to_owned()
    }

    fn kinds(converted: &Converted) -> Vec<&str> {
        converted.losses.iter().map(|loss| loss.kind.as_str()).collect()
    }

    fn imported(files: &[(&str, &str)]) -> (Vec<Document>, BTreeMap<String, String>) {
        crate::importing::imported(files, recognise, read)
    }

    /// What real sites taught: each of these once came out without what it says.
    #[test]
    fn what_looks_like_the_frame_of_a_page_and_is_its_content_is_kept() {
        let page = |body: &str| {
            convert(
                &format!("<html><head><title>Attach</title></head><body>{body}</body></html>"),
                &AsTheyAre,
            )
            .unwrap()
        };
        let of = |body: &str| page(body).markdown;
        let code = of(
            "<h1>T</h1><p>x</p><pre class=line-numbers><code>var x = 1;<span class=line-numbers>1</span></code></pre>",
        );
        assert!(code.contains("var x = 1;\n"), "{code}");
        let question = of("<h1>T</h1><h2><a class=toc-backref href='#id28'>How do I?</a></h2><p>four</p>");
        assert!(question.contains("## How do I?"), "{question}");
        let pages = of(
            "<h1>T</h1><p>Intro.</p><div class=toc><dl class=toc><dt><a href=a.html>ABORT</a> — abort<dt><a href=b.html>ALTER</a> — change</dl></div>",
        );
        assert!(pages.contains("abort") && pages.contains("change"), "{pages}");
        let own =
            of("<h1>T</h1><p>Intro.</p><ul class=toc><li><a href='#a'>A</a><li><a href='#b'>B</a></ul>");
        assert!(!own.contains("[A]"), "{own}");
        // Shown by a script, it is the page.
        let hidden = "<aside><label>Contents</label></aside><div><span hidden=true><h2>Unmerge Cells</h2><p>Divides what was merged.</p></span></div>";
        assert!(of(hidden).contains("Divides"), "{}", of(hidden));
        let little = page("<h1>T</h1><p>Enough to be read by somebody who reads.</p><p hidden>Not this.</p>");
        assert!(!little.markdown.contains("Not this"), "{}", little.markdown);
        assert_eq!(kinds(&little), ["hidden-text"]);
        // Sections of the first level, none of which the page is called by.
        let several = page("<h1>1. Overview</h1><p>one</p><h1>2. Details</h1><p>two</p>");
        assert_eq!(several.title, None);
        assert!(several.markdown.contains("1. Overview"), "{}", several.markdown);
        let named = page("<h1>Attach</h1><p>one</p><h1>2. Details</h1><p>two</p>");
        assert_eq!(named.title.as_deref(), Some("Attach"));
        // AsciiDoc: the title and the line below it stand before the content.
        let manual = page(
            "<div id=header><h1>git-x(1)</h1><h2>NAME</h2><div class=sectionbody><p>git-x - does x</p></div></div><div id=content><div class=sect1><h2 id=_d>DESCRIPTION</h2><div class=sectionbody><p>Long text of the description which says something at length about the thing.</p></div></div></div><div id=footer><div id=footer-text>Last updated</div></div>",
        );
        assert_eq!(manual.title.as_deref(), Some("git-x(1)"));
        assert!(
            manual.markdown.contains("does x") && manual.markdown.contains("Long text"),
            "{}",
            manual.markdown
        );
        assert!(!manual.markdown.contains("Last updated"), "{}", manual.markdown);
    }

    #[test]
    fn lists_stay_lists() {
        assert_eq!(
            markdown("<ul><li>раз<ul><li>один</ul><li>два</ul><ol start=3><li><p>три<p>ещё<li>четыре</ol>"),
            "- раз\n  - один\n- два\n\n3. три\n\n   ещё\n\n4. четыре"
        );
        assert_eq!(markdown("<ul><li>а</ul><ul><li>б</ul>"), "- а\n\n* б");
        assert_eq!(
            markdown("<ul><li><input type=checkbox checked> да<li><input type=checkbox> нет</ul>"),
            "- [x] да\n- [ ] нет"
        );
    }

    #[test]
    fn merged_cells_are_spread_and_told() {
        let converted = part(
            "<table><tr><th>Тариф<th colspan=2>Цена<tr><td rowspan=2>А|Б<td>1<td>2<tr><td><ul><li>x<li>y</ul><td><p>p<p>q</table>",
        );
        assert_eq!(
            converted.markdown.trim_end(),
            "| Тариф | Цена |  |\n| --- | --- | --- |\n| А\\|Б | 1 | 2 |\n| А\\|Б | x; y | p / q |"
        );
        assert_eq!(kinds(&converted), ["list-in-cell", "merged-cells"]);
    }

    #[test]
    fn a_table_without_a_head_gets_an_empty_one() {
        assert_eq!(markdown("<table><tr><td>a<td>b</table>"), "|  |  |\n| --- | --- |\n| a | b |");
    }

    #[test]
    fn callouts_become_alerts_with_titles_of_their_own() {
        assert_eq!(
            markdown(
                "<div class='admonition warning'><p class='admonition-title'>Внимание</p><p>Не надо.</div>"
            ),
            "> [!WARNING]\n> Не надо."
        );
        assert_eq!(
            markdown("<div class='alert alert-info'><h4 class=alert-heading>О ценах</h4><p>С НДС.</div>"),
            "> [!NOTE]\n> **О ценах**\n>\n> С НДС."
        );
    }

    #[test]
    fn code_keeps_its_lines_and_language() {
        assert_eq!(
            markdown("<div class='highlight-python'><pre>\na = 1\n  b = '```'\n</pre></div>"),
            "````python\na = 1\n  b = '```'\n````"
        );
        let numbered = "<table class=highlighttable><tr><td class=linenos><pre>1</pre><td class=code><pre>x</pre></table>";
        assert_eq!(markdown(numbered), "```\nx\n```");
    }

    #[test]
    fn what_could_harm_is_dropped_and_told() {
        let converted = part(
            "<p onclick=x()>a <a href='java\tscript:alert(1)'>b</a><script>c</script><img src='data:image/png;base64,AA' alt=d><iframe src='https://v.example/1'></iframe>",
        );
        assert_eq!(converted.markdown.trim_end(), "a bd[https://v.example/1](https://v.example/1)");
        assert_eq!(kinds(&converted), ["embedded-image", "embedded-object", "unsafe-link"]);
    }

    #[test]
    fn links_to_places_lead_to_headings() {
        let converted =
            part("<h2 id=a>A</h2><p id=b>x <a href='#a'>к A</a> <a href='#b'>к b</a> <a href='#z'>z</a></p>");
        assert_eq!(converted.markdown.trim_end(), "## A {#a}\n\nx [к A](#a) [к b](#a) z");
        assert!(kinds(&converted).contains(&"anchor"));
    }

    #[test]
    fn links_to_headings_that_begin_no_section_lead_to_the_one_above() {
        let converted = part(
            "<h2 id=a>A</h2><blockquote><h3 id=q>Q</h3></blockquote><ul><li><h4 id=l>L</h4></li></ul>\
             <table><tr><td><h4 id=t>T</h4></td><td>1</td></tr></table>\
             <table role=presentation><tr><td><h3 id=p>P</h3></td></tr></table>\
             <p><a href='#q'>1</a><a href='#l'>2</a><a href='#t'>3</a><a href='#p'>4</a></p>",
        );
        let text = converted.markdown;
        assert!(text.contains("[1](#a)[2](#a)[3](#a)[4](#p)"), "{text}");
        assert!(
            text.contains("> ### Q\n") && text.contains("- #### L\n") && text.contains("### P {#p}"),
            "{text}"
        );
    }

    #[test]
    fn details_are_open() {
        assert_eq!(markdown("<details><summary>Ещё</summary><p>да</details>"), "**Ещё**\n\nда");
    }

    #[test]
    fn word_writes_lists_as_paragraphs() {
        let html = "<p class=MsoListParagraph style='margin-left:36.0pt'>·<span>&nbsp;&nbsp; </span>раз</p>\n\
                    <p class=MsoListParagraph style='margin-left:72.0pt'>o<span>&nbsp;</span>внутри</p>\n\
                    <p class=MsoListParagraph style='margin-left:36.0pt'>·<span>&nbsp;</span>два</p>";
        assert_eq!(markdown(html), "- раз\n  - внутри\n- два");
    }

    #[test]
    fn depth_is_bounded_and_nothing_is_lost() {
        let html = format!("{}глубоко{}", "<blockquote>".repeat(600), "</blockquote>".repeat(600));
        let converted = part(&html);
        assert!(converted.markdown.contains("глубоко"));
        assert!(kinds(&converted).contains(&"too-deep"));
    }

    #[test]
    fn the_main_content_of_pages_is_found() {
        let page = "<html lang=ru-RU><head><title>Роуминг — Справка</title></head><body><nav>меню</nav>\
                    <main><h1>Роуминг<a class=headerlink href='#r'>¶</a></h1><h2 id=s>Где</h2><p>Везде.</p></main><footer>©</footer></body></html>";
        let converted = convert(page, &AsTheyAre).unwrap();
        assert_eq!(converted.title.as_deref(), Some("Роуминг"));
        assert_eq!(converted.markdown, "## Где {#s}\n\nВезде.\n");
        assert_eq!((converted.had.headings, converted.had.links), (1, 0));
    }

    #[test]
    fn a_site_becomes_documents_that_link_to_each_other() {
        let (documents, unreadable) = imported(&[
            (
                "s/index.html",
                "<html lang=ru><title>Главная | Сайт</title><main><p>Добро <a href='a/x.html#n'>x</a> <a href='/old'>o</a></main>",
            ),
            ("s/a/index.html", "<title>Тарифы | Сайт</title><main><h1>Тарифы</h1><p>Все.</main>"),
            (
                "s/a/x.html",
                "<title>Икс | Сайт</title><main><p>До <img src='../p%201.png' alt=п></p><h2 id=m>M</h2><p id=n>Тут</main>",
            ),
            ("s/old.html", "<meta http-equiv=refresh content='0; url=a/x.html'>"),
            ("s/search.html", "<main>Искать</main>"),
            ("s/p 1.png", "x"),
        ]);
        let titles: Vec<_> =
            documents.iter().map(|document| (document.title.as_str(), document.folders.join("/"))).collect();
        assert_eq!(
            titles,
            [("Тарифы", "Тарифы".to_owned()), ("Икс", "Тарифы".to_owned()), ("Главная", String::new())]
        );
        assert_eq!(documents[1].also, ["s/old.html"]);
        assert_eq!(documents[1].markdown, "До ![п](within:s/p%201.png)\n\n## M {#m}\n\nТут\n");
        assert_eq!(documents[2].markdown, "Добро [x](within:s/a/x.html#m) [o](within:s/a/x.html)\n");
        assert_eq!(documents[2].lang.as_deref(), Some("ru"));
        assert_eq!(unreadable.keys().collect::<Vec<_>>(), ["s/search.html"]);
    }

    #[test]
    fn what_stands_beside_a_page_names_it_and_its_own_addresses_lead_to_it() {
        let folder = tempfile::tempdir().unwrap();
        for n in 1..=6 {
            let inside = folder.path().join(format!("section/10{n}"));
            std::fs::create_dir_all(&inside).unwrap();
            let next = n % 6 + 1;
            let text = format!(
                "<h2>Introduction</h2><p>Text of page {n} that says enough. <a href=\"https://help.example/hc/en-us/articles/10{next}-Name\">next</a></p>"
            );
            std::fs::write(inside.join(format!("10{n}.html")), text).unwrap();
            let said = format!(
                "{{\"title\": \"How to do {n}\", \"html_url\": \"https://help.example/hc/en-us/articles/10{n}-Name\", \"label_names\": [\"a{n}\"], \"updated_at\": \"2026-01-0{n}T00:00:00Z\"}}"
            );
            std::fs::write(inside.join(format!("10{n}.json")), said).unwrap();
        }
        let archive = Archive::open(folder.path()).unwrap();
        let mut found = Found::new(&|_, _| ());
        read(&archive, &mut found);
        let first = &found.documents[0];
        assert_eq!((first.title.as_str(), first.changed.as_deref()), ("How to do 1", Some("2026-01-01")));
        assert_eq!(first.tags, ["a1"]);
        assert!(
            first.markdown.contains("Introduction")
                && first.markdown.contains("[next](within:section/102/102.html)"),
            "{}",
            first.markdown
        );
        assert_eq!(first.folders, Vec::<String>::new());
    }

    #[test]
    fn a_small_box_is_not_the_content_of_a_page() {
        let long = "<p>What the page is for, told in a sentence that is long enough to count.</p>".repeat(12);
        let page = format!(
            "<html><head><title>Jobs</title></head><body><h1>Jobs</h1><div><div>{long}<div class=\"md-content\"><h2>See also</h2>{}</div></div></div></body></html>",
            "<p>One more of these sentences that tell nothing.</p>".repeat(5)
        );
        let converted = convert(&page, &AsTheyAre).unwrap();
        assert_eq!(converted.title.as_deref(), Some("Jobs"));
        assert!(
            converted.markdown.contains("What the page is for") && converted.markdown.contains("## See also")
        );
        // The name of a page may stand above its content.
        let page = format!(
            "<html><body><h1>Страница «Мои задачи»</h1><div class=x><article>{long}</article></div></body></html>"
        );
        assert_eq!(convert(&page, &AsTheyAre).unwrap().title.as_deref(), Some("Страница «Мои задачи»"));
    }

    #[test]
    fn a_heading_all_pages_share_is_the_name_of_the_site() {
        let page =
            |title: &str| format!("<title>{title} - Справка</title><div><h1>Справка</h1><p>{title}.</div>");
        let pages = ["Раз", "Два", "Три", "Четыре"].map(page);
        let files: Vec<(&str, &str)> = ["a.html", "b.html", "c.html", "d.html"]
            .into_iter()
            .zip(pages.iter().map(String::as_str))
            .collect();
        let (documents, _) = imported(&files);
        assert_eq!(
            documents.iter().map(|document| document.title.as_str()).collect::<Vec<_>>(),
            ["Раз", "Два", "Три", "Четыре"]
        );
    }

    #[test]
    fn damaged_pages_do_no_harm() {
        let page = "<div class=note><table><tr><td><ul><li><b>а<p>б</b><pre>c</table><h2 id='x'>*</h2><a href='#x'>[</a><img src=x></div>{{ y }}";
        let mut seed = 7u32;
        for _ in 0..400 {
            let mut bytes = page.as_bytes().to_vec();
            for _ in 0..4 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = usize::try_from(seed >> 8).unwrap() % bytes.len();
                bytes[at] = u8::try_from(seed & 0xff).unwrap();
            }
            bytes.truncate(usize::try_from(seed >> 4).unwrap() % page.len());
            let converted = part(&String::from_utf8_lossy(&bytes));
            // Placeholders in fenced code are not replaced.
            assert!(!converted.markdown.contains("{{") || converted.markdown.contains("```"));
        }
    }

    #[test]
    fn days_and_languages_are_read() {
        assert_eq!(day("2024-02-03T10:00:00Z").as_deref(), Some("2024-02-03"));
        assert_eq!(day("2024-13-03"), None);
        assert_eq!(language("en-us").as_deref(), Some("en"));
        assert_eq!(language("русский"), None);
        assert_eq!(refresh("0; URL='x.html'").as_deref(), Some("x.html"));
    }
}

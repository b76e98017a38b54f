//! Folders of Markdown files: of Obsidian, Hugo, Docusaurus, MkDocs, Diplodoc, Microsoft Learn, GitBook, VitePress, Jekyll, or of no system.

mod adoc;
mod blocks;
mod braces;
mod cells;
mod colons;
mod conditions;
mod finish;
mod front;
mod include;
mod inline;
mod learn;
mod liquid;
mod markup;
mod mdx;
mod mkdocs;
mod nav;
mod obsidian;
mod page;
mod paired;
mod shortcodes;
mod site;
mod tally;
mod yfm;

use std::collections::{BTreeMap, BTreeSet};

use self::front::Meta;
use self::page::Page;
use self::site::{Flavour, MAX_PAGE_BYTES, Site};
use crate::content::catalog::Lang;
use crate::importing::archive::Archive;
use crate::importing::document::{Document, Found, State, within};

/// What links say of places in documents.
#[derive(Default)]
struct Anchors {
    /// Which places of which documents are linked to, by the document that links.
    linked: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    /// What the headings were called that became titles.
    titles: BTreeMap<String, Vec<String>>,
}

/// Whether a source is a folder of Markdown files: it has some, and they are no export of Notion, whose names end with ids.
pub fn recognise(archive: &Archive) -> bool {
    let mut pages = 0usize;
    let mut notion = 0usize;
    let mut html = 0usize;
    for path in archive.paths() {
        if site::is_markdown(path) {
            pages += 1;
            let stem = site::without_extension(path);
            let id = stem.rsplit([' ', '/']).next().unwrap_or_default();
            notion += usize::from(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()));
        } else {
            html += usize::from(path.ends_with(".html") || path.ends_with(".htm"));
        }
    }
    pages > 0
        && notion * 2 < pages
        && (html < pages * 4 || archive.paths().any(|path| path.ends_with(".yml")))
}

/// Reads every page of a folder of Markdown files. What only is included in others is none; what nothing includes is told as not read.
pub fn read(archive: &Archive, found: &mut Found<'_>) {
    let site = Site::open(archive);
    let pages: Vec<String> = site.pages.keys().cloned().collect();
    found.expect(pages.len());
    let mut anchors = Anchors::default();
    for path in &pages {
        let document = document(&site, path, &mut anchors);
        found.take(path, document);
    }
    for path in site.orphans() {
        found.take(&path, Err("is a part to be included, and nothing includes it".to_owned()));
    }
    name_places(found, &anchors);
}

/// Gives headings the names they are linked to by, and tells of links to places there are none of.
fn name_places(found: &mut Found<'_>, anchors: &Anchors) {
    // Links to the title of a page lead to the page.
    let mut shortened: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for document in &mut found.documents {
        let Some(linked) = anchors.linked.get(&document.key) else { continue };
        let titles = anchors.titles.get(&document.key).map(Vec::as_slice).unwrap_or_default();
        let wanted: Vec<String> = linked.keys().filter(|name| !name.is_empty()).cloned().collect();
        let (markdown, missing) = finish::anchored(&document.markdown, &wanted);
        document.markdown = markdown;
        for name in missing {
            if titles.contains(&name) {
                for by in linked.get(&name).into_iter().flatten() {
                    shortened.entry(by.clone()).or_default().push((document.key.clone(), name.clone()));
                }
                continue;
            }
            let by = linked
                .get(&name)
                .map(|by| by.iter().take(3).cloned().collect::<Vec<_>>().join(", "))
                .unwrap_or_default();
            document
                .lose("anchor", format!("#{name}: no heading is called so, and links lead to it from {by}"));
        }
    }
    for document in &mut found.documents {
        for (key, name) in shortened.get(&document.key).into_iter().flatten() {
            let to = within(key, None);
            let from = if *key == document.key { format!("#{name}") } else { within(key, Some(name)) };
            for end in [")", " ", ">"] {
                for begin in ["](", "](<"] {
                    document.markdown = document
                        .markdown
                        .replace(&format!("{begin}{from}{end}"), &format!("{begin}{to}{end}"));
                }
            }
        }
    }
}

/// One page.
fn document(site: &Site<'_>, path: &str, anchors: &mut Anchors) -> Result<Document, String> {
    let text = site.archive.text(path).map_err(|error| error.why)?;
    if text.len() > MAX_PAGE_BYTES {
        return Err(format!("holds more than {} MB of text", MAX_PAGE_BYTES >> 20));
    }
    if path.len() > 1_000 {
        return Err("its path is longer than 1,000 bytes".to_owned());
    }
    let (front, body) = front::split(&text);
    let meta = front::meta(&front);
    let mut page = Page::new(site, path);
    page.meta = front.values;
    let body = conditions::decided(body, &mut page);
    tally::add(&mut page.had, &body);
    if let Some(problem) = &front.problem {
        page.lose("front-matter", problem);
    }
    for (key, value) in &meta.others {
        page.lose("front-matter", format!("{key}: {value}"));
    }
    let converted = blocks::text_blocks(&body, &mut page, 0);
    let converted = markup::without_html(&converted, &mut page);
    let finished = finish::finish(&converted, meta.title.as_deref(), &mut page);
    for (key, anchor) in finished.anchors {
        anchors.linked.entry(key).or_default().entry(anchor).or_default().insert(path.to_owned());
    }
    if !finished.heading_names.is_empty() {
        anchors.titles.insert(path.to_owned(), finished.heading_names);
    }
    Ok(assembled(site, path, meta, page, (finished.markdown, finished.heading)))
}

fn assembled(
    site: &Site<'_>,
    path: &str,
    meta: Meta,
    mut page: Page<'_>,
    (mut markdown, heading): (String, Option<String>),
) -> Document {
    let place = site.place(path);
    let mut aliases = meta.aliases;
    let nav_title = site.nav_titles.get(path).cloned();
    let given = meta.title.map(|title| resolved(&title, site));
    let has_heading = heading.is_some();
    let title = match (heading.filter(|heading| !heading.is_empty()), given) {
        // Notes are called as their files.
        (_, given) if site.flavour == Flavour::Obsidian => {
            let name = name_of(&place, path, site);
            aliases.extend(given.filter(|given| *given != name));
            name
        }
        (Some(heading), Some(given)) => {
            let given = given.split(" | ").next().unwrap_or_default().trim().to_owned();
            if !given.eq_ignore_ascii_case(&heading) && !given.is_empty() {
                aliases.push(given);
            }
            heading
        }
        (Some(title), None) | (None, Some(title)) => title,
        (None, None) => nav_title.unwrap_or_else(|| name_of(&place, path, site)),
    };
    let title =
        Some(front::one_line(&title)).filter(|title| !title.is_empty()).unwrap_or_else(|| path.to_owned());
    if has_heading {
        page.had.headings = page.had.headings.saturating_sub(1);
    }
    if let Some(description) = meta.description.as_deref().filter(|description| !description.is_empty()) {
        introduce(&mut markdown, description);
    }
    let mut tags = meta.tags;
    for tag in std::mem::take(&mut page.tags) {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    let mut folders: Vec<String> =
        place.folders.iter().map(|(whole, name)| site.folder_name(whole, name)).collect();
    // A language that articles cannot say they are in is told by where they stand.
    folders.extend(place.lang.as_ref().filter(|lang| Lang::of(lang).is_none()).cloned());
    folders.rotate_right(usize::from(place.lang.as_ref().is_some_and(|lang| Lang::of(lang).is_none())));
    folders.retain(|folder| !folder.trim().is_empty());
    let state = if place.former { State::Archived } else { meta.state };
    let is_index = matches!(place.stem.to_lowercase().as_str(), "index" | "_index" | "readme" | "");
    let mut also = meta.urls;
    also.extend(meta.slug);
    Document {
        key: path.to_owned(),
        also,
        folders,
        name: (!is_index).then_some(place.stem),
        title,
        lang: meta.lang.or(place.lang),
        tags,
        aliases,
        state,
        owner: meta.owner,
        changed: meta.changed,
        markdown,
        had: page.had,
        losses: page.losses,
    }
}

/// A title of a file that has none: its name, or that of its folder.
fn name_of(place: &site::Place, path: &str, site: &Site<'_>) -> String {
    let is_index = matches!(place.stem.to_lowercase().as_str(), "index" | "_index" | "readme" | "");
    let name = match place.folders.last().filter(|_| is_index) {
        Some((whole, name)) => site.folder_name(whole, name),
        None => place.stem.clone(),
    };
    let name = if site.flavour == Flavour::Obsidian || name.contains(' ') {
        name
    } else {
        name.replace(['-', '_'], " ")
    };
    if name.trim().is_empty() { path.to_owned() } else { name }
}

/// A title with the variables the source knows.
fn resolved(title: &str, site: &Site<'_>) -> String {
    let mut written = title.to_owned();
    let mut from = 0;
    while let Some(start) = written.get(from..).and_then(|rest| rest.find("{{")).map(|at| from + at) {
        let Some(end) = written[start..].find("}}").map(|end| start + end) else { break };
        let name = written[start + 2..end].trim().to_owned();
        match site.variables.get(&name) {
            Some(value) => {
                written.replace_range(start..end + 2, value);
                from = start + value.len();
            }
            None => from = end + 2,
        }
    }
    written
}

/// Puts a description before a text that does not say the same.
fn introduce(markdown: &mut String, description: &str) {
    let words = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let wanted = words(description);
    let begin: String = markdown.chars().take(description.chars().count() * 2 + 1_500).collect();
    if wanted.is_empty() || words(&begin).contains(&wanted) {
        return;
    }
    let paragraph = page::escaped(&front::one_line(description));
    *markdown = format!("{paragraph}\n\n{markdown}");
}

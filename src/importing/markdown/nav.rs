//! Tables of contents of sites: the names people read for pages and folders.

use serde_json::Value;

use super::front::text_of;
use super::site::{Flavour, Site, is_markdown, joined};

/// How deep a table of contents is followed.
const MAX_DEPTH: usize = 40;

/// Reads the names of pages and folders, and the variables of texts, of whatever tables and settings there are.
pub(super) fn read(site: &mut Site<'_>) {
    let paths: Vec<String> = site.archive.paths().chain(site.archive.hidden()).map(str::to_owned).collect();
    for path in paths {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        if path.contains("node_modules/") {
            continue;
        }
        match name {
            "mkdocs.yml" | "mkdocs.yaml" => mkdocs(site, &path, 0),
            "toc.yaml" | "toc.yml" | "TOC.yml" => {
                if let Some(toc) = yaml(site, &path) {
                    items(site, &toc, folder, 0);
                }
            }
            // Of mkdocs-awesome-pages-plugin.
            ".pages" => folder_title(site, &path, folder, "title"),
            "presets.yaml" => presets(site, &path),
            "_category_.json" | "_category_.yml" | "_category_.yaml" => {
                folder_title(site, &path, folder, "label");
            }
            "SUMMARY.md" => summary(site, &path, folder),
            "TOC.md" | "toc.md" => contents(site, &path, folder),
            "_config.yml" if site.flavour == Flavour::Jekyll => {
                let settings = yaml(site, &path);
                for (key, value) in settings.iter().filter_map(Value::as_object).flatten() {
                    if matches!(value, Value::String(_) | Value::Number(_)) {
                        site.variables.insert(format!("site.{key}"), text_of(value));
                    }
                }
            }
            _ => {}
        }
    }
}

/// What a file in a folder calls it.
fn folder_title(site: &mut Site<'_>, path: &str, folder: &str, key: &str) {
    if let Some(title) = yaml(site, path).as_ref().and_then(|all| all.get(key)) {
        site.folder_titles.insert(folder.to_owned(), text_of(title));
    }
}

fn yaml(site: &Site<'_>, path: &str) -> Option<Value> {
    let text = site.archive.text(path).ok().filter(|text| text.len() < 4 << 20)?;
    // MkDocs writes names of Python functions as tags, which stand for nothing here.
    let text: String = text
        .lines()
        .map(|line| match line.find("!!python").or_else(|| line.find("!ENV")) {
            Some(at) => format!("{}~\n", &line[..at]),
            None => format!("{line}\n"),
        })
        .collect();
    serde_saphyr::from_str(&text).ok()
}

fn mkdocs(site: &mut Site<'_>, path: &str, depth: usize) {
    let Some(settings) = yaml(site, path).filter(|_| depth < MAX_DEPTH) else { return };
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    // What is said there first, so that this file's own settings count.
    if let Some(parent) = settings.get("INHERIT").and_then(|parent| joined(folder, &text_of(parent))) {
        mkdocs(site, &parent, depth + 1);
    }
    let docs = settings.get("docs_dir").map_or_else(|| "docs".to_owned(), text_of);
    let Some(docs) = joined(folder, &docs) else { return };
    for (key, value) in settings.get("extra").and_then(Value::as_object).into_iter().flatten() {
        if value.is_string() || value.is_number() {
            site.variables.insert(key.clone(), text_of(value));
        }
    }
    if let Some(nav) = settings.get("nav") {
        mkdocs_nav(site, nav, &docs, 0);
    }
}

/// Names what a part of the contents holds; gives the folders of its pages.
fn mkdocs_nav(site: &mut Site<'_>, nav: &Value, docs: &str, depth: usize) -> Vec<String> {
    let mut folders = Vec::new();
    if depth > MAX_DEPTH {
        return folders;
    }
    for entry in nav.as_array().into_iter().flatten() {
        if let Some(page) = entry.as_str() {
            folders.extend(folder_of(docs, page));
        }
        for (title, value) in entry.as_object().into_iter().flatten() {
            if let Some(page) = value.as_str() {
                if let Some(path) = joined(docs, page).filter(|_| is_markdown(page)) {
                    site.nav_titles.entry(path).or_insert_with(|| title.clone());
                    folders.extend(folder_of(docs, page));
                }
            } else {
                let inner = mkdocs_nav(site, value, docs, depth + 1);
                name_folder(site, &inner, docs, title);
                folders.extend(inner);
            }
        }
    }
    folders
}

fn folder_of(base: &str, page: &str) -> Option<String> {
    let page = page.split(['#', '?']).next().unwrap_or_default();
    if page.contains("://") || page.starts_with('/') {
        return None;
    }
    let path = joined(base, page)?;
    Some(path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned()))
}

/// A part of the contents whose pages all stand in one folder of its own names that folder.
fn name_folder(site: &mut Site<'_>, folders: &[String], base: &str, title: &str) {
    let Some(first) = folders.first() else { return };
    let mut shared: Vec<&str> = first.split('/').collect();
    for folder in folders {
        let same = shared.iter().zip(folder.split('/')).take_while(|(a, b)| **a == *b).count();
        shared.truncate(same);
    }
    let shared = shared.join("/");
    let is_below = if base.is_empty() { !shared.is_empty() } else { shared.starts_with(&format!("{base}/")) };
    if is_below && !title.trim().is_empty() {
        site.folder_titles.insert(shared, super::front::one_line(title));
    }
}

/// The items of Diplodoc's and DocFX's tables.
fn items(site: &mut Site<'_>, toc: &Value, folder: &str, depth: usize) -> Vec<String> {
    let mut folders = Vec::new();
    if depth > MAX_DEPTH {
        return folders;
    }
    if depth == 0
        && let Some(title) = toc.get("title").and_then(Value::as_str)
    {
        site.folder_titles.insert(folder.to_owned(), title.to_owned());
    }
    let list = toc.get("items").unwrap_or(toc);
    for item in list.as_array().into_iter().flatten() {
        let name = item.get("name").map(text_of).unwrap_or_default();
        let href = item.get("href").or_else(|| item.get("topicHref")).and_then(Value::as_str);
        let mut inner: Vec<String> = href.and_then(|href| folder_of(folder, href)).into_iter().collect();
        if let Some(path) = href.and_then(|href| joined(folder, href)).filter(|path| is_markdown(path)) {
            site.nav_titles.entry(path).or_insert_with(|| name.clone());
        }
        if item.get("items").is_some() {
            let below = items(site, item, folder, depth + 1);
            name_folder(site, &below, folder, &name);
            inner.extend(below);
        }
        folders.extend(inner);
    }
    folders
}

/// The variables of Diplodoc, those for all first.
fn presets(site: &mut Site<'_>, path: &str) {
    let Some(Value::Object(presets)) = yaml(site, path) else { return };
    let default = presets.get("default").and_then(Value::as_object);
    let others =
        presets.iter().filter(|(name, _)| *name != "default").filter_map(|(_, values)| values.as_object());
    for (key, value) in default.into_iter().chain(others).flatten() {
        if !value.is_object() && !value.is_array() {
            site.variables.entry(key.clone()).or_insert_with(|| text_of(value));
        }
    }
}

/// `* [Title](folder/README.md)` of GitBook and mdBook.
fn summary(site: &mut Site<'_>, path: &str, folder: &str) {
    let Ok(text) = site.archive.text(path) else { return };
    for line in text.lines() {
        let Some((title, target)) = link_in(line) else { continue };
        let Some(target) = joined(folder, target).filter(|target| is_markdown(target)) else { continue };
        let name = target.rsplit('/').next().unwrap_or_default();
        if name.eq_ignore_ascii_case("readme.md")
            && let Some((above, _)) = target.rsplit_once('/')
        {
            site.folder_titles.insert(above.to_owned(), title.clone());
        }
        site.nav_titles.entry(target).or_insert(title);
    }
}

/// `## [Title](page.md)` of Microsoft's tables.
fn contents(site: &mut Site<'_>, path: &str, folder: &str) {
    let Ok(text) = site.archive.text(path) else { return };
    for line in text.lines().filter(|line| line.starts_with('#')) {
        let Some((title, target)) = link_in(line) else { continue };
        if let Some(target) = joined(folder, target).filter(|target| is_markdown(target)) {
            site.nav_titles.entry(target).or_insert(title);
        }
    }
}

fn link_in(line: &str) -> Option<(String, &str)> {
    let (before, after) = line.split_once("](")?;
    let title = before.split_once('[')?.1;
    let target = after.split([')', ' ', '#', '?']).next()?;
    let target = target.trim_matches(['<', '>']);
    Some((super::site::plain(title), target))
}

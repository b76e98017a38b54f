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
    if let Some(lang) = place.lang.as_ref().filter(|lang| Lang::of(lang).is_none()) {
        folders.insert(0, lang.clone());
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn imported(files: &[(&str, &str)]) -> BTreeMap<String, Document> {
        let (documents, _) = crate::importing::imported(files, recognise, read);
        documents.into_iter().map(|document| (document.key.clone(), document)).collect()
    }

    fn kinds(document: &Document) -> Vec<&str> {
        document.losses.iter().map(|loss| loss.kind.as_str()).collect()
    }

    #[test]
    fn conditions_may_cross_blocks_and_are_decided_for_one_reader() {
        let page = "# А\n\n{ifdef(public)}\n{tabs}\n\n{tab(Кабинет)}\n{/ifdef}\n\nШаг.\n\n{ifdef(public)}\n{/tab}\n{/tabs}\n{/ifdef}\n\n\
                    {ifndef(public)}Для своих.{/ifndef} Тип `HDD`{ifdef(public)}, `SSD`{/ifdef}{ifdef(private)} и другие{/ifdef}. Видно: `{ifdef(x)}`.\n";
        let other = "# Б\n\n{ifdef(s3)}Всё.{/ifdef}{ifdef(s3-pdf)} Печать.{/ifdef}\n";
        let pages = imported(&[("a.md", page), ("b.md", other)]);
        let text = &pages["a.md"].markdown;
        assert!(text.contains("**Кабинет**") && text.contains("Шаг."), "{text}");
        assert!(!text.contains("{tab") && !text.contains("своих") && !text.contains("другие"), "{text}");
        assert!(text.contains("Тип `HDD`, `SSD`.") && text.contains("`{ifdef(x)}`"), "{text}");
        assert_eq!(pages["b.md"].markdown.trim(), "Всё.");
        assert!(kinds(&pages["b.md"]).contains(&"condition"));
    }

    #[test]
    fn tables_of_asciidoc_become_tables() {
        let page = "# А\n\n[cols=\"1,2a\", options=\"header\"]\n|===\n|Система\n|Имя\n\n|AlmaLinux\n|- `almalinux`\n- другое\n\n.2+|Ubuntu |`ubuntu`\n|второе\n|===\n\nПосле.\n";
        let document = &imported(&[("a.md", page)])["a.md"];
        assert_eq!(
            document.markdown,
            "| Система | Имя |\n| --- | --- |\n| AlmaLinux | `almalinux`; другое |\n| Ubuntu | `ubuntu` |\n| Ubuntu | второе |\n\nПосле.\n"
        );
        assert_eq!(document.had.tables, 1);
        assert_eq!(kinds(document), ["cell-blocks", "merged-cells"]);
    }

    #[test]
    fn hidden_parts_are_included_and_are_no_pages() {
        let pages = imported(&[
            ("mkdocs.yml", "site_name: x\n"),
            (
                "docs/a.md",
                "# А\n\n--8<-- \"part.md\"\n\n{% include-markdown \".snippets/cut.md\" start=\"<!-- s -->\" end=\"<!-- e -->\" %}\n\n[группы][groups]\n\n{% include-markdown \".snippets/map.md\" %}\n",
            ),
            ("docs/.snippets/part.md", "Часть.\n"),
            ("docs/.snippets/cut.md", "нет\n<!-- s -->\nСередина.\n<!-- e -->\nнет\n"),
            ("docs/.snippets/map.md", "[groups]: b/c.md\n"),
            ("docs/b/c.md", "# В\n\n!!! Внимание\n    Осторожно.\n"),
            ("docs/b/.pages", "title: Администрирование\n"),
        ]);
        assert_eq!(pages.keys().collect::<Vec<_>>(), ["docs/a.md", "docs/b/c.md"]);
        assert_eq!(pages["docs/a.md"].markdown, "Часть.\n\nСередина.\n\n[группы](within:docs/b/c.md)\n");
        assert_eq!(pages["docs/b/c.md"].folders, ["Администрирование"]);
        assert_eq!(pages["docs/b/c.md"].markdown, "> [!WARNING]\n> Осторожно.\n");
    }

    #[test]
    fn addresses_of_the_former_site_and_ends_of_paths_lead_into_the_source() {
        let link = |n: usize| format!("[{n}](https://help.example/en/articles/10{n}-other-name#a)");
        let links: String = (1..=6).map(link).collect::<Vec<_>>().join(" ");
        let first = format!(
            "# 1\n\n{links} ![s](scheme.png) ![s](https://help.example/images/scheme.png) [0](index.md)\n"
        );
        let mut files = vec![("articles/101-one.md", first.as_str()), ("pictures/images/scheme.png", "x")];
        let names: Vec<String> = (2..=6).map(|n| format!("articles/10{n}-page.md")).collect();
        files.extend(names.iter().map(|name| (name.as_str(), "# Page\n\nText.\n")));
        let document = &imported(&files)["articles/101-one.md"];
        let text = &document.markdown;
        assert!(text.contains("[2](within:articles/102-page.md#a)"), "{text}");
        assert_eq!(text.matches("![s](within:pictures/images/scheme.png)").count(), 2, "{text}");
        // There is no first page, and it is not this one.
        assert!(!text.contains("[0]") && kinds(document).contains(&"link"), "{text}");
    }

    #[test]
    fn notes_are_called_as_their_files() {
        let pages = imported(&[
            (".obsidian/app.json", "{}"),
            ("Note.md", "---\ntags: [\"[[java|Java]]\"]\n---\nText first, see [[Other]].\n\n# A6\n\nMore.\n"),
            ("Other.md", "# Other\n\nBack to [[Note]].\n"),
        ]);
        let note = &pages["Note.md"];
        assert_eq!((note.title.as_str(), note.tags.as_slice()), ("Note", &["Java".to_owned()][..]));
        assert!(note.markdown.contains("## A6"), "{}", note.markdown);
        assert_eq!(pages["Other.md"].title, "Other");
        assert!(!pages["Other.md"].markdown.contains('#'));
    }

    #[test]
    fn markdown_within_html_is_markdown_where_it_is_meant() {
        let page = "# А\n\n<table><tr><td markdown>**Q** `c`</td><td>1 * 2 * 3</td></tr></table>\n\n<div>\nСм. [Б](b.md) и **это**.\n</div>\n";
        let document = &imported(&[("a.md", page), ("b.md", "# Б\n\nТекст.\n")])["a.md"];
        let text = &document.markdown;
        assert!(text.contains("**Q** `c`") && text.contains("1 * 2 * 3"), "{text}");
        assert!(text.contains("[Б](within:b.md) и **это**"), "{text}");
    }
}

//! Confluence's storage format, made HTML: links, pictures, macros, tasks and layouts become elements that every page may have.

use std::collections::BTreeMap;

use super::entities::Spaces;
use crate::importing::document::{Loss, within};
use crate::importing::html::emoji;
use crate::importing::html::tree::{ROOT, Tree, one_line};

/// How a link to a page or a file that is not in the export is marked, and told.
pub(super) const MISSING: &str = "not in the export: ";

/// Macros that lead through a space.
const NAVIGATION: [&str; 8] = [
    "toc",
    "children",
    "pagetree",
    "pagetreesearch",
    "navmap",
    "livesearch",
    "index",
    "create-from-template",
];

/// Macros that only frame what they hold.
const FRAMES: [&str; 17] = [
    "excerpt",
    "section",
    "column",
    "details",
    "div",
    "span",
    "toc-zone",
    "align",
    "center",
    "html-wrap",
    "layout",
    "auihorizontalnav",
    "multiexcerpt",
    "multiexcerpt-macro",
    "table-plus",
    "table-filter",
    "lead-paragraph",
];

/// Losses of macros.
#[derive(Default)]
pub(super) struct Macros(BTreeMap<(String, String), usize>);

impl Macros {
    fn tell(&mut self, kind: &str, what: &str) {
        let what: String = one_line(what).chars().take(180).collect();
        *self.0.entry((kind.to_owned(), what)).or_default() += 1;
    }

    /// All of them.
    pub(super) fn told(self) -> Vec<Loss> {
        let with_times =
            |what: String, times: usize| if times > 1 { format!("{what} (×{times})") } else { what };
        self.0.into_iter().map(|((kind, what), times)| Loss { kind, what: with_times(what, times) }).collect()
    }
}

/// The name of a place, as links and headings of Confluence agree on it.
pub(super) fn anchor_of(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Makes the elements of a page those of HTML.
pub(super) fn made_html(tree: &mut Tree, spaces: &Spaces, page: &str, space: &str) -> Macros {
    let mut maker = Maker { tree, spaces, page, space, lost: Macros::default() };
    let places: Vec<usize> = maker.tree.within(ROOT).collect();
    for place in places {
        maker.make(place);
    }
    maker.lost
}

struct Maker<'a> {
    tree: &'a mut Tree,
    spaces: &'a Spaces,
    page: &'a str,
    space: &'a str,
    lost: Macros,
}

impl Maker<'_> {
    fn make(&mut self, place: usize) {
        let name = self.tree.name(place).to_owned();
        match name.as_str() {
            "ac:link" => self.link(place),
            "ac:image" => self.image(place),
            "ac:structured-macro" | "ac:macro" => self.structured(place),
            "ac:emoticon" => self.emoticon(place),
            "ac:task-list" => self.tree.turn(place, "ul", &[]),
            "ac:task" => self.task(place),
            "ac:layout" | "ac:layout-section" | "ac:layout-cell" | "ac:rich-text-body" | "ac:task-body" => {
                self.tree.turn(place, "div", &[]);
            }
            "ac:adf-extension" => self.adf(place),
            "ac:placeholder" | "ac:task-id" | "ac:task-status" | "ac:task-uuid" | "ac:parameter"
            | "ac:adf-attribute" => self.drop(place),
            "time" => {
                let date = self.tree.attribute(place, "datetime").unwrap_or_default().to_owned();
                self.tree.turn(place, "span", &[]);
                self.tree.hold_text(place, &date);
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let anchor = anchor_of(&self.tree.text(place));
                if self.spaces.is_wanted(&anchor) {
                    self.tree.nodes[place].attributes.push(("id".to_owned(), anchor));
                }
            }
            _ if name.starts_with("ri:") => self.drop(place),
            _ if name.starts_with("ac:") => self.tree.turn(place, "span", &[]),
            _ => {}
        }
    }

    /// Nothing of it is shown.
    fn drop(&mut self, place: usize) {
        self.tree.turn(place, "meta", &[]);
    }

    fn child(&self, place: usize, fits: impl Fn(&str) -> bool) -> Option<usize> {
        self.tree.children(place).iter().copied().find(|&child| fits(self.tree.name(child)))
    }

    fn attribute(&self, place: usize, name: &str) -> String {
        self.tree.attribute(place, name).unwrap_or_default().to_owned()
    }

    fn parameter(&self, place: usize, wanted: &str) -> Option<String> {
        let parameter = self.tree.children(place).iter().copied().find(|&child| {
            self.tree.name(child) == "ac:parameter"
                && self.tree.attribute(child, "ac:name").unwrap_or_default() == wanted
        })?;
        Some(self.tree.line(parameter)).filter(|text| !text.is_empty())
    }

    /// Where a reference leads, and what it is called.
    fn reference(&self, place: usize, anchor: Option<&str>) -> Option<(String, String)> {
        let title = self.attribute(place, "ri:content-title");
        let anchor = anchor.map(anchor_of);
        let page_of = |place: usize| {
            let space = self.attribute(place, "ri:space-key");
            let space = if space.is_empty() { self.space.to_owned() } else { space };
            self.spaces.page(&space, &self.attribute(place, "ri:content-title")).map(str::to_owned)
        };
        match self.tree.name(place) {
            "ri:page" | "ri:blog-post" => {
                let url = match page_of(place) {
                    Some(id) => within(&id, anchor.as_deref()),
                    None => format!("{MISSING}{title}"),
                };
                Some((url, title))
            }
            "ri:content-entity" => {
                let id = self.attribute(place, "ri:content-id");
                let url = if self.spaces.has(&id) {
                    within(&id, anchor.as_deref())
                } else {
                    format!("{MISSING}{id}")
                };
                Some((url, id))
            }
            "ri:attachment" => {
                let name = self.attribute(place, "ri:filename");
                let owner = self.child(place, |name| name == "ri:page" || name == "ri:blog-post");
                let page = owner.map_or(Some(self.page.to_owned()), page_of).unwrap_or_default();
                let url = match self.spaces.attachment(&page, &name) {
                    Some(path) => within(path, None),
                    None => format!("{MISSING}{name}"),
                };
                Some((url, name))
            }
            "ri:url" => {
                let url = self.attribute(place, "ri:value");
                Some((url.clone(), url))
            }
            "ri:user" => {
                let keys = ["ri:userkey", "ri:username", "ri:account-id"];
                let known = keys
                    .iter()
                    .find_map(|key| self.spaces.user(&self.attribute(place, key)).map(str::to_owned));
                let name = known.or_else(|| {
                    keys.iter().map(|key| self.attribute(place, key)).find(|key| !key.is_empty())
                })?;
                Some((String::new(), format!("@{name}")))
            }
            "ri:space" => Some((String::new(), self.attribute(place, "ri:space-key"))),
            "ri:shortcut" => Some((String::new(), self.attribute(place, "ri:parameter"))),
            _ => None,
        }
    }

    fn link(&mut self, place: usize) {
        let anchor = self.tree.attribute(place, "ac:anchor").map(str::to_owned);
        let target = self.child(place, |name| name.starts_with("ri:"));
        let body = self.child(place, |name| name == "ac:plain-text-link-body" || name == "ac:link-body");
        let (url, name) = match target.and_then(|target| self.reference(target, anchor.as_deref())) {
            Some(found) => found,
            None => match &anchor {
                Some(anchor) => (format!("#{}", anchor_of(anchor)), anchor.clone()),
                None => (String::new(), String::new()),
            },
        };
        if url.is_empty() {
            self.tree.turn(place, "span", &[]);
        } else {
            self.tree.turn(place, "a", &[("href", &url)]);
        }
        let has_text = body.is_some_and(|body| {
            !self.tree.text(body).trim().is_empty()
                || self.tree.find(body, |tree, place| tree.name(place) == "ac:image").is_some()
        });
        if !has_text {
            self.tree.hold_text(place, &name);
        }
    }

    fn image(&mut self, place: usize) {
        let target =
            self.child(place, |name| name.starts_with("ri:")).and_then(|target| self.reference(target, None));
        let (url, name) = target.unwrap_or_default();
        let alt = self
            .tree
            .attribute(place, "ac:alt")
            .or(self.tree.attribute(place, "ac:title"))
            .map(str::to_owned);
        let caption = self.child(place, |name| name == "ac:caption");
        let address = if url.starts_with("http") { String::new() } else { name };
        self.tree.turn(place, "span", &[]);
        self.tree.nodes[place].children.clear();
        let attributes = [("src", url), ("alt", alt.unwrap_or(address))];
        self.tree.add(
            place,
            "img",
            attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        );
        if let Some(caption) = caption {
            self.tree.turn(caption, "figcaption", &[]);
            self.tree.nodes[place].children.push(caption);
        }
    }

    fn emoticon(&mut self, place: usize) {
        let name = self.attribute(place, "ac:name");
        let (fallback, id) =
            (self.attribute(place, "ac:emoji-fallback"), self.attribute(place, "ac:emoji-id"));
        let text = emoji::character(&fallback, &id, &name).unwrap_or_else(|| {
            self.lost.tell("emoticon", &name);
            String::new()
        });
        self.tree.turn(place, "span", &[]);
        self.tree.hold_text(place, &text);
    }

    fn task(&mut self, place: usize) {
        let status = self.child(place, |name| name == "ac:task-status").map(|status| self.tree.line(status));
        let class = if status.as_deref() == Some("complete") { "checked" } else { "" };
        self.tree.turn(place, "li", &[("data-inline-task-id", "task"), ("class", class)]);
    }

    /// What the new editor keeps beside what the old one shows.
    fn adf(&mut self, place: usize) {
        let node = self.child(place, |name| name == "ac:adf-node");
        let fallback = self.child(place, |name| name == "ac:adf-fallback");
        self.tree.turn(place, "div", &[]);
        if let (Some(node), Some(_)) = (node, fallback) {
            self.drop(node);
        }
    }

    fn structured(&mut self, place: usize) {
        let name = self.attribute(place, "ac:name").to_lowercase();
        let rich = self.child(place, |name| name == "ac:rich-text-body");
        let plain = self.child(place, |name| name == "ac:plain-text-body");
        let title = self.parameter(place, "title");
        match name.as_str() {
            "info" | "note" | "tip" | "warning" | "panel" | "success" | "error" | "custom-panel" => {
                let kind = if matches!(name.as_str(), "panel" | "custom-panel") { "note" } else { &name };
                let class = format!("admonition {kind}");
                self.tree.turn(place, "div", &[("class", &class)]);
                if let Some(title) = title {
                    self.add_first(place, "p", &[("class", "title")], &title);
                }
            }
            "code" | "noformat" | "plantuml" | "mermaid" | "mermaid-macro" | "html" | "markdown" | "sql" => {
                let body = plain.or(rich).map(|body| self.tree.text(body)).unwrap_or_default();
                let language = match name.as_str() {
                    "code" => self.parameter(place, "language").unwrap_or_default(),
                    "noformat" => String::new(),
                    "mermaid-macro" => "mermaid".to_owned(),
                    other => other.to_owned(),
                };
                if !matches!(name.as_str(), "code" | "noformat") {
                    self.lost.tell("macro", &format!("{name}: its source is carried as code"));
                }
                self.code(place, title.as_deref(), &language, &body);
            }
            "expand" | "ui-expand" => {
                self.tree.turn(place, "div", &[]);
                if let Some(title) = title.or_else(|| self.parameter(place, "")) {
                    self.add_first(place, "summary", &[], &title);
                }
            }
            "status" => {
                self.tree.turn(place, "strong", &[]);
                self.tree.hold_text(place, &title.unwrap_or_default());
            }
            "anchor" => {
                let anchor = anchor_of(&self.parameter(place, "").unwrap_or_default());
                self.tree.turn(place, "a", &[("name", &anchor)]);
                self.tree.nodes[place].children.clear();
            }
            _ if NAVIGATION.contains(&name.as_str()) => self.drop(place),
            _ if FRAMES.contains(&name.as_str()) => self.tree.turn(place, "div", &[]),
            _ => self.other(place, &name, rich, plain),
        }
    }

    fn other(&mut self, place: usize, name: &str, rich: Option<usize>, plain: Option<usize>) {
        let reference = self
            .tree
            .within(place)
            .find(|&within| self.tree.name(within).starts_with("ri:") && Some(within) != rich)
            .filter(|_| rich.is_none() && plain.is_none())
            .and_then(|reference| self.reference(reference, None));
        match name {
            "jira" | "jiraissues" => {
                let key = self.parameter(place, "key");
                let query = self.parameter(place, "jqlQuery");
                self.lost.tell(
                    "macro",
                    &format!("{name} {}", key.as_ref().or(query.as_ref()).map_or("", String::as_str)),
                );
                self.tree.turn(place, "span", &[]);
                self.tree.hold_text(place, &key.unwrap_or_default());
            }
            "mathblock" | "mathinline" | "latex" | "mathjax-block-macro" | "mathjax-inline-macro" => {
                let text = plain
                    .map(|body| self.tree.text(body))
                    .or_else(|| self.parameter(place, "body"))
                    .or_else(|| self.parameter(place, ""));
                self.lost.tell("formula", text.as_deref().unwrap_or_default());
                self.tree.turn(place, "code", &[]);
                self.tree.hold_text(place, &text.unwrap_or_default());
            }
            "drawio" | "gliffy" | "inc-drawio" | "drawio-sketch" => self.drawing(place, name),
            "profile" if reference.is_some() => self.linked(place, reference),
            _ if reference.is_some() => {
                let what = reference.as_ref().map_or("", |(_, name)| name.as_str()).to_owned();
                self.lost.tell("macro", &format!("{name} {what}: a link is carried"));
                self.linked(place, reference);
            }
            _ if rich.is_some() => {
                self.lost.tell("macro", &format!("{name}: what it held is carried"));
                self.tree.turn(place, "div", &[]);
            }
            _ if plain.is_some() => {
                self.lost.tell("macro", &format!("{name}: its source is carried as code"));
                let body = plain.map(|body| self.tree.text(body)).unwrap_or_default();
                self.code(place, None, "", &body);
            }
            _ => {
                let url = ["url", "src"]
                    .iter()
                    .find_map(|name| self.parameter(place, name))
                    .filter(|url| url.starts_with("http"));
                self.lost.tell("macro", &format!("{name} {}", url.as_deref().unwrap_or_default()));
                match url {
                    Some(url) => self.linked(place, Some((url.clone(), url))),
                    None => self.drop(place),
                }
            }
        }
    }

    fn linked(&mut self, place: usize, reference: Option<(String, String)>) {
        let (url, name) = reference.unwrap_or_default();
        if url.is_empty() {
            self.tree.turn(place, "span", &[]);
        } else {
            self.tree.turn(place, "a", &[("href", &url)]);
        }
        self.tree.hold_text(place, &name);
    }

    /// A drawing, as the picture of it that is kept among the attachments.
    fn drawing(&mut self, place: usize, name: &str) {
        let title = ["diagramName", "name", "diagramDisplayName"]
            .iter()
            .find_map(|name| self.parameter(place, name))
            .unwrap_or_default();
        self.lost.tell("drawing", &format!("{name} {title}"));
        let picture = [format!("{title}.png"), format!("{title}.svg"), title.clone()]
            .iter()
            .find_map(|name| self.spaces.attachment(self.page, name))
            .map(|path| within(path, None));
        self.tree.nodes[place].children.clear();
        match picture {
            Some(url) => self.tree.turn(place, "img", &[("src", &url), ("alt", &title)]),
            None => self.drop(place),
        }
    }

    fn code(&mut self, place: usize, title: Option<&str>, language: &str, body: &str) {
        self.tree.turn(place, "div", &[]);
        self.tree.nodes[place].children.clear();
        if let Some(title) = title {
            let paragraph = self.tree.add(place, "p", Vec::new());
            let strong = self.tree.add(paragraph, "strong", Vec::new());
            self.tree.add_text(strong, title);
        }
        let attributes = vec![("data-lang".to_owned(), language.to_owned())];
        let block = self.tree.add(place, "pre", attributes);
        self.tree.add_text(block, body);
    }

    fn add_first(&mut self, place: usize, name: &str, attributes: &[(&str, &str)], text: &str) {
        let attributes =
            attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let added = self.tree.add(place, name, attributes);
        self.tree.add_text(added, text);
        self.tree.nodes[place].children.rotate_right(1);
    }
}

//! What of a page is its own: content apart from navigation, its title, the places links lead to, and how much of everything it has.

use std::collections::HashMap;

use super::blocks::{is_emoji, is_layout_table};
use super::callout;
use super::tree::{ROOT, Tree};
use crate::importing::document::Counts;

/// Elements that are never content.
const NEVER: [&str; 12] = [
    "script", "style", "noscript", "template", "nav", "link", "meta", "title", "dialog", "noframes", "base",
    "frameset",
];

/// Classes and ids of what leads through a site or belongs to its machinery, by the generators and themes that use them.
const CHROME: [&str; 109] = [
    "anchorjs-link",
    "anchor-link",
    "article-votes",
    "bottom-nav",
    "bottomNav",
    "breadcrumb",
    "breadcrumbs",
    "breadcrumb-section",
    "bd-sidebar",
    "bd-toc",
    "contents",
    "cookie-banner",
    "copybtn",
    "direct-link",
    "docnav",
    "global-nav",
    "nav",
    "hd",
    "ft",
    "mainmenu",
    "submenu",
    "searchmenu",
    "producttitle",
    "docs-sidebar",
    "edit-link",
    "edit-page",
    "edit-this-page",
    "editlink",
    "edit_on_github",
    "editsection",
    "editpage",
    "feedback",
    "flex-header",
    "fancy_toc",
    "footer-text",
    "github-edit",
    "hash-link",
    "header-anchor",
    "headeranchor-link",
    "headerlink",
    "jumpToNav",
    "local-toc",
    "localtoc",
    "md-content__button",
    "md-footer",
    "md-header",
    "md-search",
    "md-sidebar",
    "md-skip",
    "md-source-file",
    "md-tabs",
    "mce-toc",
    "md-top",
    "aui-icon",
    "metadata-placeholder",
    "mw-editsection",
    "mw-indicators",
    "mw-jump-link",
    "nav-bar",
    "nav-panel",
    "nav-up-down",
    "navbar",
    "navfooter",
    "navheader",
    "navigation",
    "navigation-footer",
    "navigation-header",
    "on-this-page",
    "page-nav",
    "page-navigation",
    "page-toc",
    "pager",
    "pagination",
    "pagination-nav",
    "permalink",
    "prev-next",
    "prev-next-footer",
    "printfooter",
    "related",
    "rst-footer-buttons",
    "rst-versions",
    "screen-reader-text",
    "search-form",
    "searchbox",
    "share",
    "site-footer",
    "site-header",
    "skip-link",
    "skipNav",
    "skiplink",
    "social-share",
    "sphinxsidebar",
    "sr-only",
    "sub-nav",
    "subNav",
    "tableOfContents",
    "table-of-contents",
    "theme-doc-breadcrumbs",
    "theme-doc-toc-desktop",
    "theme-doc-toc-mobile",
    "theme-edit-this-page",
    "toc",
    "toc-macro",
    "top-nav",
    "topNav",
    "visually-hidden",
    "wy-breadcrumbs",
    "wy-nav-side",
    "wy-nav-top",
];

/// Where content stands, by the generators that say so: the first that is there and holds enough is it.
const CONTENT: [&str; 24] = [
    "#main-content",
    ".theme-doc-markdown",
    "@articleBody",
    ".article-body",
    ".article__body",
    ".entry-content",
    ".post-content",
    ".markdown-body",
    "#mw-content-text",
    ".md-content__inner",
    ".bd-article",
    "=main",
    "<main",
    "<article",
    ".md-content",
    ".rst-content",
    ".documentwrapper",
    ".vp-doc",
    ".page-content",
    ".book",
    "#content",
    ".content",
    "#main",
    ".main",
];

/// So much text that is no link may stand outside the content, in bytes: what a footer says.
const LEAST_OUTSIDE: usize = 600;

/// Whether an element is no content of its page, wherever it stands.
pub(crate) fn is_chrome(tree: &Tree, place: usize) -> bool {
    let name = tree.name(place);
    if name.is_empty() || matches!(name, "html" | "body" | "main" | "#root") {
        return false;
    }
    if NEVER.contains(&name) {
        return true;
    }
    // Most elements say nothing of themselves.
    if tree.nodes[place].attributes.is_empty() {
        return match name {
            "head" => true,
            "header" => tree.name(tree.nodes[place].parent) == "body",
            "footer" => is_page_footer(tree, place),
            _ => false,
        };
    }
    if tree.attribute(place, "hidden").is_some() && !tree.shows_hidden {
        return true;
    }
    if matches!(
        tree.attribute(place, "role"),
        Some("navigation" | "search" | "banner" | "contentinfo" | "doc-toc")
    ) {
        return true;
    }
    let is_named = tree
        .classes(place)
        .chain(tree.attribute(place, "id"))
        .any(|class| CHROME.contains(&class) || is_contents_class(class));
    // `contents` is also how pages name their content: navigation only in the elements Sphinx uses for it.
    let is_contents = tree.has_class(place, "contents") || tree.attribute(place, "id") == Some("contents");
    if is_named && (!is_contents || tree.has_class(place, "topic") || tree.has_class(place, "local")) {
        return !matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "article" | "table")
            && !is_callout_class(tree, place)
            && !is_list_of_pages(tree, place);
    }
    match name {
        "head" => true,
        "header" => tree.name(tree.nodes[place].parent) == "body",
        "footer" => is_page_footer(tree, place),
        "a" => is_permalink(tree, place),
        _ => tree.attribute(place, "aria-hidden") == Some("true") && name != "img" && !is_folded(tree, place),
    }
}

/// Whether an element is hidden only until it is asked for, as the tabs but the first, or repeats for eyes what is said to ears otherwise.
fn is_folded(tree: &Tree, place: usize) -> bool {
    tree.attribute(place, "role") == Some("tabpanel")
        || tree
            .classes(place)
            .any(|class| matches!(class, "tabs-pane" | "tab-pane" | "confluence-embedded-image-title"))
}

/// Whether a class is that of the contents of a page. Headings that lead back to them are called nearly the same.
fn is_contents_class(class: &str) -> bool {
    class.starts_with("toc-") && class != "toc-backref" || class.starts_with("MsoToc")
}

/// Contents that lead to other pages more than within their own are what a page of a book is for.
fn is_list_of_pages(tree: &Tree, place: usize) -> bool {
    let is_beside = |tree: &Tree, place: usize| matches!(tree.name(place), "nav" | "aside");
    if !tree.has_class(place, "toc") || tree.around(place, is_beside).is_some() {
        return false;
    }
    if !matches!(tree.name(place), "dl" | "ul" | "ol" | "div") {
        return false;
    }
    let links = tree.within(place).filter_map(|place| tree.attribute(place, "href"));
    let (own, others): (Vec<&str>, Vec<&str>) = links.partition(|href| href.starts_with('#'));
    others.len() > own.len()
}

fn is_page_footer(tree: &Tree, place: usize) -> bool {
    tree.around(place, |tree, place| matches!(tree.name(place), "blockquote" | "figure")).is_none()
}

fn is_callout_class(tree: &Tree, place: usize) -> bool {
    tree.classes(place).any(|class| matches!(class, "admonition" | "callout"))
}

fn is_permalink(tree: &Tree, place: usize) -> bool {
    tree.attribute(place, "href").is_some_and(|href| href.contains('#'))
        && tree.children(place).len() <= 1
        && matches!(tree.text(place).trim(), "¶" | "#" | "🔗" | "§" | "\u{200b}" | "\u{f0c1}")
}

/// What a page is made of.
pub(super) struct Page {
    /// The element that holds the content.
    pub(super) content: usize,
    /// The heading that is its title.
    pub(super) title: Option<usize>,
    /// Of the highest heading below the title.
    pub(super) highest: usize,
    /// What anchors of headings are called.
    pub(super) headings: HashMap<usize, String>,
    /// By what a link may call a place: the anchor of the heading it stands under, or nothing before the first.
    pub(super) anchors: HashMap<String, Option<String>>,
    /// Whether an element holds blocks.
    pub(super) holds_block: Vec<bool>,
    /// Whether an element holds anything to be seen.
    pub(super) holds_content: Vec<bool>,
    /// The element before an element, in the same one.
    pub(super) previous: Vec<Option<usize>>,
}

impl Page {
    /// Looks a page over; `whole`: all of its body is content.
    pub(super) fn of(tree: &Tree, whole: bool) -> Self {
        let body = tree.find(ROOT, |tree, place| tree.name(place) == "body").unwrap_or(ROOT);
        let (holds_block, holds_content) = facts(tree);
        let content = if whole { body } else { content_of(tree, body) };
        let mut page = Self {
            content,
            title: None,
            highest: 2,
            headings: HashMap::new(),
            anchors: HashMap::new(),
            holds_block,
            holds_content,
            previous: previous_of(tree),
        };
        page.title = if whole { None } else { page.title_of(tree) };
        page.highest = tree
            .within_but(content, &is_chrome)
            .filter(|&place| Some(place) != page.title && page.holds_content[place])
            .filter_map(|place| heading_level(tree, place))
            .min()
            .unwrap_or(2);
        page.find_anchors(tree);
        page
    }

    /// The first heading of the content, if it is of the first level, or alone of its level at the very start.
    fn title_of(&self, tree: &Tree) -> Option<usize> {
        let is_first =
            |place: usize| heading_level(tree, place) == Some(1) || tree.has_class(place, "MsoTitle");
        let all = tree
            .within_but(self.content, &is_chrome)
            .filter(|&place| is_first(place) && self.holds_content[place] && !tree.line(place).is_empty());
        let all: Vec<usize> = all.collect();
        let head = tree.find(ROOT, |tree, place| tree.name(place) == "title");
        let is_sure = head.is_some_and(|place| tree.attribute(place, super::SURE).is_some());
        let head = head.map(|place| tree.line(place));
        let is_named = |place: &usize| {
            let line = tree.line(*place);
            let line = line.trim_end_matches('¶').trim();
            head.as_deref().is_none_or(|head| head.is_empty() || head.contains(line) || line.contains(head))
        };
        if let Some(&title) = all.first() {
            // Of several, none of which the page itself is called by, each is the heading of a section.
            let alone = (all.len() == 1 && !is_sure).then_some(title);
            return all.iter().copied().find(|place| is_named(place)).or(alone);
        }
        // Or the one that stands above the content.
        let body = tree.find(ROOT, |tree, place| tree.name(place) == "body").unwrap_or(ROOT);
        let mut above = tree
            .within_but(body, &is_chrome)
            .filter(|&place| is_first(place) && !tree.line(place).is_empty());
        if let (Some(title), None) = (above.next().filter(is_named), above.next()) {
            return Some(title);
        }
        let mut headings = tree
            .within_but(self.content, &is_chrome)
            .filter(|&place| heading_level(tree, place).is_some() && self.holds_content[place]);
        let first = headings.next()?;
        let level = heading_level(tree, first)?;
        let is_alone = headings.all(|place| heading_level(tree, place).is_some_and(|other| other > level));
        let starts = tree
            .within_but(self.content, &is_chrome)
            .take_while(|&place| place != first)
            .all(|place| tree.nodes[place].text.trim().is_empty() && tree.name(place) != "img");
        let line = tree.line(first);
        let is_head = head.as_deref() == Some(line.as_str());
        let is_title = head.is_some_and(|head| head.starts_with(&line))
            || tree.has_class(first, "title")
            || tree.has_class(first, "page-title");
        (level <= 2 && (is_head || (starts && !is_sure && (is_alone || is_title)))).then_some(first)
    }

    fn find_anchors(&mut self, tree: &Tree) {
        let mut waiting: Vec<String> = Vec::new();
        let mut current: Option<String> = None;
        let mut heading_end = None;
        for place in tree.within_but(self.content, &is_chrome) {
            if let Some(heading) = heading_end
                && (place == heading || tree.around(place, |_, around| around == heading).is_some())
            {
                continue;
            }
            heading_end = None;
            let ids = ids_of(tree, place);
            if Some(place) == self.title {
                let within = tree.within(place).flat_map(|place| ids_of(tree, place)).collect::<Vec<_>>();
                for id in waiting.drain(..).chain(within) {
                    self.anchors.entry(id).or_insert(None);
                }
                heading_end = Some(place);
            } else if heading_level(tree, place).is_some()
                && self.holds_content[place]
                && !is_nested(tree, place)
            {
                let own: Vec<_> = tree.within(place).flat_map(|place| ids_of(tree, place)).collect();
                let name = own.first().or(waiting.last()).filter(|id| is_anchor(id)).cloned();
                for id in waiting.drain(..).chain(own) {
                    self.anchors.entry(id).or_insert_with(|| name.clone());
                }
                if let Some(name) = &name {
                    self.headings.insert(place, name.clone());
                }
                current = name;
                heading_end = Some(place);
            } else {
                waiting.extend(ids);
                if !tree.nodes[place].text.trim().is_empty() {
                    for id in waiting.drain(..) {
                        self.anchors.entry(id).or_insert_with(|| current.clone());
                    }
                }
            }
        }
        for id in waiting {
            self.anchors.entry(id).or_insert_with(|| current.clone());
        }
    }

    /// How much of everything the content has.
    pub(super) fn counts(&self, tree: &Tree) -> Counts {
        let mut counts = Counts::default();
        for place in tree.within_but(self.content, &is_chrome) {
            match tree.name(place) {
                "img" if is_emoji(tree, place) => {}
                "img" if tree.attribute(place, "src").is_some_and(|source| !source.trim().is_empty()) => {
                    counts.images += 1;
                }
                "table" => counts.tables += 1,
                "li" if self.holds_content[place] => counts.items += 1,
                "dt" if self.holds_content[place] && !joins(tree, self.previous[place], place) => {
                    counts.items += 1;
                }
                "pre" | "listing" | "xmp" if self.holds_content[place] => counts.code += 1,
                "dt" | "li" => {}
                "a" if tree.attribute(place, "href").is_some_and(leads) && self.holds_content[place] => {
                    counts.links += 1;
                }
                _ if heading_level(tree, place).is_some() => {
                    let is_own = Some(place) != self.title && self.holds_content[place];
                    counts.headings += usize::from(is_own && !titles_callout(tree, place));
                }
                _ => {}
            }
        }
        counts
    }
}

/// Whether a link leads anywhere but to the top of its page, which is what buttons of scripts say.
pub(super) fn leads(href: &str) -> bool {
    !matches!(href.trim(), "" | "#" | "#top")
}

/// Whether a term has the one before it written beside it: both are explained together. Terms that are links are entries of a list.
pub(super) fn joins(tree: &Tree, before: Option<usize>, term: usize) -> bool {
    let is_link = |place: usize| {
        let link =
            tree.within_but(place, &is_chrome).find(|&within| tree.attribute(within, "href").is_some());
        link.is_some_and(|link| tree.text(link).trim().len() * 2 > tree.text(place).trim().len())
    };
    before.is_some_and(|before| tree.name(before) == "dt" && !is_link(before) && !is_link(term))
}

/// Whether a heading stands within something else, as a list or a quotation: then no section begins with it.
fn is_nested(tree: &Tree, place: usize) -> bool {
    let holds = |tree: &Tree, place: usize| {
        matches!(tree.name(place), "li" | "blockquote" | "dd" | "dt" | "figcaption")
            || tree.name(place) == "table" && !is_layout_table(tree, place)
            || callout::kind(tree, place).is_some()
    };
    tree.around(place, holds).is_some()
}

/// Whether a heading is the title of a callout.
fn titles_callout(tree: &Tree, place: usize) -> bool {
    let mut up = place;
    for _ in 0..5 {
        up = tree.nodes[up].parent;
        if callout::kind(tree, up).is_some() {
            return callout::is_title(tree, place) || callout::is_usual(&tree.line(place));
        }
    }
    false
}

/// Of which level a heading is.
pub(super) fn heading_level(tree: &Tree, place: usize) -> Option<usize> {
    match tree.name(place) {
        "h1" => Some(1),
        "h2" => Some(2),
        "h3" => Some(3),
        "h4" => Some(4),
        "h5" => Some(5),
        "h6" => Some(6),
        _ => None,
    }
}

fn ids_of(tree: &Tree, place: usize) -> Vec<String> {
    let name = (tree.name(place) == "a").then(|| tree.attribute(place, "name")).flatten();
    tree.attribute(place, "id")
        .into_iter()
        .chain(name)
        .map(str::trim)
        .filter(|id| !id.is_empty() && id.len() <= 300)
        .map(str::to_owned)
        .collect()
}

/// Whether Markdown can write it as `{#anchor}`.
fn is_anchor(id: &str) -> bool {
    !id.chars().any(|c| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '{' | '}' | '<' | '>' | '"' | '\\' | '`' | '*' | '|')
    })
}

/// Whether an element stands by itself on a page.
pub(crate) fn is_block(name: &str) -> bool {
    matches!(
        name,
        "#root"
            | "html"
            | "body"
            | "address"
            | "article"
            | "aside"
            | "blockquote"
            | "caption"
            | "center"
            | "dd"
            | "details"
            | "dialog"
            | "dir"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hgroup"
            | "hr"
            | "legend"
            | "li"
            | "listing"
            | "main"
            | "menu"
            | "ol"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "td"
            | "tfoot"
            | "th"
            | "thead"
            | "tr"
            | "ul"
            | "xmp"
    )
}

/// The elements before elements.
fn previous_of(tree: &Tree) -> Vec<Option<usize>> {
    let mut previous = vec![None; tree.nodes.len()];
    for node in &tree.nodes {
        let mut last = None;
        for &child in node.children.iter().filter(|&&child| !tree.name(child).is_empty()) {
            previous[child] = last;
            last = Some(child);
        }
    }
    previous
}

/// What elements hold, from the innermost outwards.
fn facts(tree: &Tree) -> (Vec<bool>, Vec<bool>) {
    let mut blocks = vec![false; tree.nodes.len()];
    let mut content = vec![false; tree.nodes.len()];
    let order: Vec<_> = tree.within_but(ROOT, &is_chrome).collect();
    for &place in order.iter().rev() {
        let node = &tree.nodes[place];
        let is_seen = matches!(
            node.name.as_str(),
            "img" | "iframe" | "video" | "audio" | "object" | "embed" | "svg" | "math" | "input"
        );
        content[place] |= is_seen || !node.text.trim().is_empty();
        if place != ROOT {
            content[node.parent] |= content[place];
            blocks[node.parent] |= blocks[place] || is_block(&node.name);
        }
    }
    (blocks, content)
}

/// The element that holds the content: one that says so and holds enough of the page, else all of it.
fn content_of(tree: &Tree, body: usize) -> usize {
    let size = |place: usize| -> usize {
        tree.within_but(place, &is_chrome).map(|place| tree.nodes[place].text.trim().len()).sum()
    };
    // Text that is no link: navigation is hardly anything else.
    let own = |place: usize| -> usize {
        let aside = |tree: &Tree, place: usize| tree.name(place) == "a" || is_chrome(tree, place);
        tree.within_but(place, &aside).map(|place| tree.nodes[place].text.trim().len()).sum()
    };
    let (whole, whole_own) = (size(body), own(body));
    let elements: Vec<_> = tree
        .within_but(body, &|tree, place| matches!(tree.name(place), "nav" | "script" | "style" | "aside"))
        .filter(|&place| matches!(tree.name(place), "main" | "article" | "div" | "section" | "td"))
        .filter(|&place| tree.name(place).len() > 3 || !tree.nodes[place].attributes.is_empty())
        .collect();
    for wanted in CONTENT {
        let mut fitting = elements.iter().copied().filter(|&place| is_called(tree, place, wanted));
        let Some(first) = fitting.next() else { continue };
        // Several articles on a page are a list of articles, not its content.
        if fitting.next().is_some() && !wanted.starts_with('#') {
            continue;
        }
        let (held, held_own) = (size(first), own(first));
        let is_enough =
            held * 3 >= whole || (held >= 200 && !matches!(wanted, ".content" | ".main" | ".book"));
        // A box within the content may be called as others call the content.
        let is_most = held_own * 2 >= whole_own || whole_own - held_own < LEAST_OUTSIDE;
        if is_enough && is_most {
            // AsciiDoc puts the title, and what a command is in a line, before the content.
            let parent = tree.nodes[first].parent;
            let is_head = |&place: &usize| {
                tree.attribute(place, "id") == Some("header")
                    && tree.within(place).any(|place| tree.name(place) == "h1")
            };
            let has_head = wanted == "#content" && tree.children(parent).iter().any(is_head);
            return if has_head { parent } else { first };
        }
    }
    body
}

fn is_called(tree: &Tree, place: usize, wanted: &str) -> bool {
    let (how, what) = wanted.split_at(1);
    match how {
        "#" => tree.attribute(place, "id") == Some(what),
        "." => tree.has_class(place, what),
        "@" => tree.attribute(place, "itemprop") == Some(what),
        "=" => tree.attribute(place, "role") == Some(what),
        _ => tree.name(place) == what,
    }
}

//! What a reader of a format makes of each page it finds, before it is decided where it goes.

use std::collections::BTreeMap;

/// The scheme of links and pictures that lead to something else in the same source; see [`within`].
pub const WITHIN: &str = "within:";

/// How a reader writes a link, or the place of a picture, that leads to another document or file of the source: `within:KEY#anchor`, everything
/// percent-encoded that is not a letter or digit of ASCII, `-`, `.`, `_`, `~`, `/`. The planner replaces it when it knows where everything goes.
pub fn within(key: &str, anchor: Option<&str>) -> String {
    const KEPT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
    let encoded = |text: &str| percent_encoding::utf8_percent_encode(text, KEPT).to_string();
    match anchor.filter(|anchor| !anchor.is_empty()) {
        Some(anchor) => format!("{WITHIN}{}#{}", encoded(key), encoded(anchor)),
        None => format!("{WITHIN}{}", encoded(key)),
    }
}

/// Whether readers get it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// In force.
    #[default]
    Active,
    /// Not yet.
    Draft,
    /// No longer.
    Archived,
}

/// One page of a source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// What tells it from all others of the source, the same in a later export: its path in the source, or its id. At most 1,000 bytes.
    pub key: String,
    /// What else links within the source may call it: former paths, titles, ids.
    pub also: Vec<String>,
    /// Where it stood, outermost first, by names people read ("Тарифы", "SMS").
    pub folders: Vec<String>,
    /// What its own file could be called, by the source; without, one is made of the title.
    pub name: Option<String>,
    /// Its title, as plain text of one line, never empty.
    pub title: String,
    /// `ru`, `en` …, where the source says so.
    pub lang: Option<String>,
    /// Tags or labels.
    pub tags: Vec<String>,
    /// Other names for it.
    pub aliases: Vec<String>,
    /// Whether readers get it.
    pub state: State,
    /// Who answers for it, where the source says so.
    pub owner: Option<String>,
    /// When it was last changed, `YYYY-MM-DD`, where the source says so.
    pub changed: Option<String>,
    /// CommonMark with GFM tables, strikethrough, task lists, alerts (`> [!NOTE]`) and heading attributes (`## Heading {#anchor}`). No front matter,
    /// no HTML. The title is not repeated as a first heading; headings begin at level 2. Links within the source are written by [`within`].
    pub markdown: String,
    /// What the source had, counted where it was read, for the report: what was carried is counted in the Markdown.
    pub had: Counts,
    /// What was not carried, or not as it was.
    pub losses: Vec<Loss>,
}

/// How many of each a document has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[schema(as = ImportCounts)]
pub struct Counts {
    /// Headings below the title.
    pub headings: usize,
    /// Links, to whatever place.
    pub links: usize,
    /// Pictures.
    pub images: usize,
    /// Tables.
    pub tables: usize,
    /// Items of lists.
    pub items: usize,
    /// Blocks of code.
    pub code: usize,
}

/// What was not carried, or not as it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Loss {
    /// Which kind, for counting: small Latin letters and hyphens, such as `macro`, `merged-cells`, `embedded-object`.
    pub kind: String,
    /// What exactly, for whoever mends it: one line, at most 200 characters.
    pub what: String,
}

impl Counts {
    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.headings += other.headings;
        self.links += other.links;
        self.images += other.images;
        self.tables += other.tables;
        self.items += other.items;
        self.code += other.code;
    }
}

impl Document {
    /// Notes what was not carried.
    pub fn lose(&mut self, kind: &str, what: impl AsRef<str>) {
        let what: String =
            what.as_ref().split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect();
        self.losses.push(Loss { kind: kind.to_owned(), what });
    }
}

/// The most bytes of all texts of a source together: they are kept in memory.
const MAX_TEXT: usize = 512 << 20;

/// What a reader found in a source.
pub struct Found<'p> {
    /// The documents, in the order of the source.
    pub documents: Vec<Document>,
    /// What could not be read, by path or id, and why.
    pub unreadable: BTreeMap<String, String>,
    progress: &'p (dyn Fn(usize, usize) + Sync),
    total: usize,
    /// Bytes of all texts.
    bytes: usize,
}

impl<'p> Found<'p> {
    /// Nothing yet; `progress` is told how many of how many were read.
    pub fn new(progress: &'p (dyn Fn(usize, usize) + Sync)) -> Self {
        Self { documents: Vec::new(), unreadable: BTreeMap::new(), progress, total: 0, bytes: 0 }
    }

    /// Tells how many documents there are, as far as is known.
    pub fn expect(&mut self, total: usize) {
        self.total = total;
    }

    /// Takes a document, or why it is none.
    pub fn take(&mut self, key: &str, read: Result<Document, String>) {
        match read {
            Ok(document) if self.bytes + document.markdown.len() > MAX_TEXT => {
                let why = format!(
                    "all texts together are larger than {MAX_TEXT} bytes: import the source in parts"
                );
                self.unreadable.insert(key.to_owned(), why);
            }
            Ok(document) => {
                self.bytes += document.markdown.len();
                self.documents.push(document);
            }
            Err(why) => {
                self.unreadable.insert(key.to_owned(), why);
            }
        }
        let done = self.documents.len() + self.unreadable.len();
        (self.progress)(done, self.total.max(done));
    }
}

//! A space exported as XML: one file of all objects, and the attachments beside it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use quick_xml::events::{BytesStart, Event};

use super::storage::{self, anchor_of};
use crate::importing::archive::Archive;
use crate::importing::document::{Document, Found, State, within};
use crate::importing::html::tree::{character, one_line, unescaped};
use crate::importing::html::{self, Links, Target, convert_tree, day, decoded, has_scheme};

/// The file of all objects.
const ENTITIES: &str = "entities.xml";

/// The most folders above a page.
const MAX_FOLDERS: usize = 50;

/// What of an object is needed.
const CLASSES: [&str; 11] = [
    "Page",
    "BlogPost",
    "BodyContent",
    "Space",
    "Attachment",
    "Labelling",
    "Label",
    "ConfluenceUserImpl",
    "InternalUser",
    "Comment",
    "ContentPermissionSet",
];

/// Where the file of all objects is.
pub(super) fn file(archive: &Archive) -> Option<&str> {
    let path = archive.paths().find(|path| *path == ENTITIES || path.ends_with("/entities.xml"))?;
    let bytes = archive.begin(path, 4_096).ok();
    // What cannot be read is told when it is read.
    let is_export = bytes.is_none_or(|bytes| {
        let begin = String::from_utf8_lossy(&bytes).into_owned();
        begin.contains("<hibernate-generic") || begin.contains("com.atlassian.confluence")
    });
    is_export.then_some(path)
}

/// Reads it.
pub(super) fn read(archive: &Archive, file: &str, found: &mut Found<'_>) {
    let bytes = match archive.read(file) {
        Ok(bytes) => bytes,
        Err(error) => return found.take(file, Err(error.why)),
    };
    let (objects, damage) = objects_of(&String::from_utf8_lossy(&bytes));
    drop(bytes);
    if let Some(damage) = damage {
        found.take(file, Err(format!("{damage}: only what stands before it is read")));
    }
    let space = Spaces::of(archive, file.strip_suffix(ENTITIES).unwrap_or_default(), objects);
    found.expect(space.pages.len());
    for (id, page) in &space.pages {
        match page.get("contentStatus").map(|status| status.trim()) {
            Some("draft") => found.take(id, Err(format!("{:?} is a draft: not imported", page.title()))),
            Some("deleted" | "trashed") => {
                found.take(id, Err(format!("{:?} is deleted: not imported", page.title())));
            }
            _ => found.take(id, space.document(id, page)),
        }
    }
}

/// An object with its properties as texts; those that are other objects by their ids.
#[derive(Debug, Default)]
pub(super) struct Object {
    class: String,
    id: String,
    properties: HashMap<String, String>,
    /// Ids of what it has, by collection.
    lists: HashMap<String, Vec<String>>,
}

impl Object {
    fn get(&self, name: &str) -> Option<&str> {
        self.properties.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
    }

    fn title(&self) -> String {
        one_line(self.get("title").unwrap_or_default())
    }

    fn is_current(&self) -> bool {
        self.get("originalVersion").is_none() && self.get("originalVersionId").is_none()
    }
}

/// All objects that matter, as far as the file is whole, and what is wrong with the rest.
fn objects_of(xml: &str) -> (Vec<Object>, Option<String>) {
    let mut reader = quick_xml::Reader::from_str(xml);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_dangling_amp = true;
    reader.config_mut().allow_unmatched_ends = true;
    let mut objects = Vec::new();
    let mut parser = Parser::default();
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => parser.open(&start),
            Ok(Event::Empty(start)) => {
                parser.open(&start);
                parser.close(&mut objects);
            }
            Ok(Event::End(_)) => parser.close(&mut objects),
            Ok(Event::Text(text)) => parser.text(&text),
            Ok(Event::CData(text)) => parser.text(&text),
            Ok(Event::GeneralRef(name)) => parser.text(&character(&name)),
            Ok(Event::Eof) => {
                let is_open = parser.object.is_some();
                return (objects, is_open.then(|| "ends in the midst of an object".to_owned()));
            }
            Ok(_) => {}
            Err(error) => {
                return (objects, Some(format!("is damaged at byte {}: {error}", reader.error_position())));
            }
        }
    }
}

#[derive(Default)]
struct Parser {
    object: Option<Object>,
    /// How many elements are open within the object.
    depth: usize,
    /// The property or the collection that is open.
    name: Option<(bool, String)>,
    text: String,
    takes: bool,
}

impl Parser {
    fn open(&mut self, start: &BytesStart<'_>) {
        let element = start.name().0.to_owned();
        let named = attribute(start, "name").unwrap_or_default();
        if element == "object" && self.object.is_none() {
            let class = attribute(start, "class").unwrap_or_default();
            let class = class.rsplit('.').next().unwrap_or(&class).to_owned();
            self.takes = CLASSES.contains(&class.as_str());
            self.object = Some(Object { class, ..Object::default() });
            self.depth = 0;
            return;
        }
        if self.object.is_none() {
            return;
        }
        self.depth += 1;
        if self.depth == 1 {
            self.text.clear();
            self.name = match element.as_str() {
                "property" | "composite-id" => Some((false, named)),
                "collection" => Some((true, named)),
                _ => Some((false, "#id".to_owned())),
            };
        } else if matches!(self.name, Some((true, _))) {
            self.text.clear();
        }
    }

    fn text(&mut self, text: &str) {
        if self.takes && self.depth > 0 {
            self.text.push_str(text);
        }
    }

    fn close(&mut self, objects: &mut Vec<Object>) {
        let Some(object) = &mut self.object else { return };
        if self.depth == 0 {
            if let Some(object) = self.object.take().filter(|object| self.takes && !object.id.is_empty()) {
                objects.push(object);
            }
            return;
        }
        match &self.name {
            Some((true, name)) if self.depth > 1 && !self.text.trim().is_empty() => {
                object.lists.entry(name.clone()).or_default().push(self.text.trim().to_owned());
                self.text.clear();
            }
            Some((false, name)) if self.depth == 1 => {
                let text = std::mem::take(&mut self.text);
                if name == "#id" {
                    text.trim().clone_into(&mut object.id);
                } else {
                    // Ids within elements have line ends around them; texts are kept as they are.
                    object
                        .properties
                        .insert(name.clone(), if name == "body" { text } else { text.trim().to_owned() });
                }
            }
            _ => {}
        }
        self.depth -= 1;
    }
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let found =
        start.html_attributes().with_checks(false).flatten().find(|attribute| attribute.key.0 == name)?;
    Some(unescaped(&found.value))
}

/// All that is known of the spaces.
pub(super) struct Spaces {
    /// Pages and blog posts by id, also deleted ones.
    pages: BTreeMap<String, Object>,
    bodies: HashMap<String, (String, bool)>,
    spaces: HashMap<String, Object>,
    labels: HashMap<String, Vec<String>>,
    users: HashMap<String, String>,
    /// By page and lower-case name.
    files: HashMap<(String, String), String>,
    /// By space key and lower-case title.
    titles: HashMap<(String, String), String>,
    /// Pages that only some may view.
    restricted: BTreeSet<String>,
    /// How many comments pages have.
    comments: HashMap<String, usize>,
    /// Places links ask for, without spaces.
    wanted: BTreeSet<String>,
}

impl Spaces {
    fn of(archive: &Archive, root: &str, objects: Vec<Object>) -> Self {
        let mut by_class: HashMap<String, Vec<Object>> = HashMap::new();
        for object in objects {
            by_class.entry(object.class.clone()).or_default().push(object);
        }
        let mut all = |class: &str| by_class.remove(class).unwrap_or_default();
        let names: HashMap<String, String> = all("InternalUser")
            .iter()
            .filter_map(|user| {
                Some((
                    user.get("lowerName").or(user.get("name"))?.to_lowercase(),
                    user.get("displayName")?.to_owned(),
                ))
            })
            .collect();
        let users = all("ConfluenceUserImpl")
            .into_iter()
            .filter_map(|user| {
                let name = user.get("name").or(user.get("lowerName"))?;
                Some((
                    user.id.clone(),
                    names.get(&name.to_lowercase()).cloned().unwrap_or_else(|| name.to_owned()),
                ))
            })
            .chain(names.iter().map(|(name, shown)| (name.clone(), shown.clone())))
            .collect();
        let label_names: HashMap<String, String> = all("Label")
            .into_iter()
            .filter(|label| !matches!(label.get("namespace"), Some("my" | "team" | "system")))
            .filter_map(|label| Some((label.id.clone(), label.get("name")?.to_owned())))
            .collect();
        let mut labels: HashMap<String, Vec<String>> = HashMap::new();
        for labelling in all("Labelling") {
            let content = labelling.get("content").or(labelling.get("labelableId"));
            if let (Some(content), Some(name)) =
                (content, labelling.get("label").and_then(|label| label_names.get(label)))
            {
                labels.entry(content.to_owned()).or_default().push(name.clone());
            }
        }
        let mut comments: HashMap<String, usize> = HashMap::new();
        for comment in all("Comment").iter().filter(|comment| comment.is_current()) {
            if let Some(page) =
                comment.get("containerContent").or(comment.get("owner")).or(comment.get("page"))
            {
                *comments.entry(page.to_owned()).or_default() += 1;
            }
        }
        let restricted = all("ContentPermissionSet")
            .iter()
            .filter(|set| set.get("type").is_some_and(|kind| kind.trim() == "View"))
            .filter(|set| set.lists.get("contentPermissions").is_some_and(|all| !all.is_empty()))
            .filter_map(|set| set.get("owningContent").map(str::to_owned))
            .collect();
        let spaces: HashMap<String, Object> =
            all("Space").into_iter().map(|space| (space.id.clone(), space)).collect();
        let mut pages = BTreeMap::new();
        for page in all("Page").into_iter().chain(all("BlogPost")).filter(Object::is_current) {
            pages.insert(page.id.clone(), page);
        }
        let mut bodies: HashMap<String, (String, bool)> = HashMap::new();
        for body in all("BodyContent") {
            let is_storage = body.get("bodyType").is_none_or(|kind| kind.trim() != "0");
            if let (Some(content), Some(text)) = (body.get("content"), body.properties.get("body")) {
                bodies.insert(content.to_owned(), (text.replace("]] >", "]]>"), is_storage));
            }
        }
        let wanted = bodies.values().flat_map(|(body, _)| wanted_anchors(body)).collect();
        let files = files_of(archive, root, all("Attachment"));
        let mut titles = HashMap::new();
        for (id, page) in &pages {
            let key =
                page.get("space").and_then(|space| spaces.get(space)).and_then(|space| space.get("key"));
            titles
                .entry((key.unwrap_or_default().to_lowercase(), page.title().to_lowercase()))
                .or_insert_with(|| id.clone());
        }
        Self { pages, bodies, spaces, labels, users, files, titles, restricted, comments, wanted }
    }

    fn document(&self, id: &str, page: &Object) -> Result<Document, String> {
        let title = page.title();
        if title.is_empty() {
            return Err("has no title".to_owned());
        }
        let space = self.space_key(page);
        let modifier =
            ["lastModifier", "creator"].iter().find_map(|name| self.users.get(page.get(name)?).cloned());
        let named = ["lastModifierName", "creatorName"].iter().find_map(|name| {
            let name = page.get(name)?;
            Some(self.users.get(&name.to_lowercase()).cloned().unwrap_or_else(|| name.to_owned()))
        });
        let mut document = Document {
            key: id.to_owned(),
            also: vec![format!("{space}:{title}")],
            folders: self.folders(page),
            state: self.state(page),
            tags: self.labels.get(id).cloned().unwrap_or_default(),
            owner: modifier.or(named).filter(|owner| !is_internal(owner)),
            changed: ["lastModificationDate", "creationDate"].iter().find_map(|name| day(page.get(name)?)),
            title,
            ..Document::default()
        };
        document.tags.sort();
        document.tags.dedup();
        let body = self.body_of(id, page);
        if let Some((body, is_storage)) = body {
            if *is_storage {
                let mut tree = html::tree::Tree::of_xml(body)?;
                let macros = storage::made_html(&mut tree, self, id, &space);
                let converted = convert_tree(&tree, &PageLinks { spaces: self, space: &space }, true);
                document.markdown = converted.markdown;
                document.had = converted.had;
                document.losses = converted.losses;
                document.losses.extend(macros.told());
            } else {
                let shown: String = body.lines().map(|line| format!("<p>{}</p>", escaped(line))).collect();
                document.markdown = html::convert_part(&shown, &html::AsTheyAre)?.markdown;
                document.lose("wiki-markup", "written before Confluence 4: its marks are carried as text");
            }
        }
        if document.state == State::Draft {
            document.lose(
                "restricted",
                "only some may view it in Confluence: it is a draft until its head says who may read it",
            );
        }
        if document.markdown.trim().is_empty() {
            document.lose("empty", "the page has no text");
        }
        if let Some(comments) = self.comments.get(id) {
            document.lose("comment", format!("{comments} comments"));
        }
        Ok(document)
    }

    /// Whether readers get a page. Who may not view a page may view none below it.
    fn state(&self, page: &Object) -> State {
        let (mut above, mut seen) = (Some(page), BTreeSet::new());
        while let Some(page) = above.filter(|page| seen.insert(page.id.as_str())) {
            if self.restricted.contains(&page.id) {
                return State::Draft;
            }
            above = page.get("parent").and_then(|parent| self.pages.get(parent));
        }
        let space = page.get("space").and_then(|space| self.spaces.get(space));
        let is_archived = page.get("contentStatus") == Some("archived")
            || space
                .and_then(|space| space.get("spaceStatus"))
                .is_some_and(|status| status.trim() == "ARCHIVED");
        if is_archived { State::Archived } else { State::Active }
    }

    fn body_of(&self, id: &str, page: &Object) -> Option<&(String, bool)> {
        self.bodies.get(id).or_else(|| {
            page.lists.get("bodyContents").into_iter().flatten().find_map(|body| self.bodies.get(body))
        })
    }

    fn space_key(&self, page: &Object) -> String {
        let space = page.get("space").and_then(|space| self.spaces.get(space));
        space.and_then(|space| space.get("key")).unwrap_or_default().to_owned()
    }

    /// The space, and the pages above but for its first page, which is the space itself.
    fn folders(&self, page: &Object) -> Vec<String> {
        let space = page.get("space").and_then(|space| self.spaces.get(space));
        let home = space.and_then(|space| space.get("homePage"));
        let mut folders = Vec::new();
        let mut next = page.get("parent");
        while let Some(above) =
            next.and_then(|next| self.pages.get(next)).filter(|_| folders.len() < MAX_FOLDERS)
        {
            if home != Some(above.id.as_str()) {
                folders.push(above.title());
            }
            next = above.get("parent");
        }
        if page.class == "BlogPost" {
            folders.push("Blog".to_owned());
        }
        folders.extend(space.and_then(|space| space.get("name").or(space.get("key"))).map(one_line));
        folders.retain(|name| !name.is_empty());
        folders.reverse();
        folders
    }

    /// The page of a title in a space.
    pub(super) fn page(&self, space: &str, title: &str) -> Option<&str> {
        self.titles.get(&(space.to_lowercase(), one_line(title).to_lowercase())).map(String::as_str)
    }

    /// An attachment of a page.
    pub(super) fn attachment(&self, page: &str, name: &str) -> Option<&str> {
        self.files.get(&(page.to_owned(), name.trim().to_lowercase())).map(String::as_str)
    }

    /// What people call a user.
    pub(super) fn user(&self, key: &str) -> Option<&str> {
        self.users.get(key).or_else(|| self.users.get(&key.to_lowercase())).map(String::as_str)
    }

    /// Whether a link asks for this place.
    pub(super) fn is_wanted(&self, anchor: &str) -> bool {
        self.wanted.contains(anchor)
    }

    /// Whether there is a page of this id.
    pub(super) fn has(&self, id: &str) -> bool {
        self.pages.contains_key(id)
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn wanted_anchors(body: &str) -> Vec<String> {
    let pieces = body.split("ac:anchor=\"").skip(1);
    pieces.filter_map(|rest| rest.split('"').next()).map(|anchor| anchor_of(&unescaped(anchor))).collect()
}

/// Where attachments are, by the page they belong to and their name.
fn files_of(archive: &Archive, root: &str, attachments: Vec<Object>) -> HashMap<(String, String), String> {
    let mut by_place: HashMap<String, (u64, String)> = HashMap::new();
    for path in archive.paths().filter_map(|path| path.strip_prefix(root)) {
        if let Some(rest) = path.strip_prefix("attachments/")
            && let Some((place, version)) = rest.rsplit_once('/')
        {
            let version = version.parse().unwrap_or(0);
            let kept = by_place.entry(place.to_owned()).or_default();
            if kept.1.is_empty() || kept.0 < version {
                *kept = (version, format!("{root}{path}"));
            }
        }
    }
    let mut files = HashMap::new();
    for file in attachments.iter().filter(|file| file.is_current()) {
        let page = file.get("containerContent").or(file.get("content"));
        let (Some(page), Some(name)) = (page, file.get("title").or(file.get("fileName"))) else { continue };
        let version = file.get("version").or(file.get("attachmentVersion")).unwrap_or("1");
        let exact = format!("{root}attachments/{page}/{}/{version}", file.id);
        let path = if archive.has(&exact) {
            Some(exact)
        } else {
            by_place.get(&format!("{page}/{}", file.id)).map(|(_, path)| path.clone())
        };
        if let Some(path) = path {
            files.insert((page.to_owned(), name.to_lowercase()), path);
        }
    }
    files
}

/// Links of a page: those of the storage format are resolved already, others may be addresses of pages.
struct PageLinks<'a> {
    spaces: &'a Spaces,
    space: &'a str,
}

impl PageLinks<'_> {
    fn resolve(&self, href: &str) -> Target {
        if let Some(title) = href.strip_prefix(storage::MISSING) {
            return Target { url: within(title, None), missing: true };
        }
        let (address, anchor) =
            href.split_once('#').map_or((href, None), |(address, anchor)| (address, Some(anchor)));
        if href.starts_with("within:") {
            return Target::outside(href);
        }
        if let Some(id) = page_id(address).filter(|id| self.spaces.has(id)) {
            return Target::outside(&within(&id, anchor));
        }
        if let Some((space, title)) = displayed(address)
            && let Some(id) = self.spaces.page(&space, &title)
        {
            return Target::outside(&within(id, anchor));
        }
        let is_outside = has_scheme(href) || href.starts_with('/') || self.space.is_empty();
        Target { url: href.to_owned(), missing: !is_outside }
    }
}

/// The id of a page in its address.
pub(super) fn page_id(address: &str) -> Option<String> {
    let rest =
        ["pageId=", "/pages/"].iter().find_map(|start| address.split_once(start).map(|(_, rest)| rest))?;
    let id: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (!id.is_empty()).then_some(id)
}

/// Whether a name is one that only the system knows.
pub(super) fn is_internal(name: &str) -> bool {
    name.len() >= 8 && name.chars().all(|c| c.is_ascii_hexdigit())
}

/// The space and the title of an address such as `/display/SPACE/Title`.
pub(super) fn displayed(address: &str) -> Option<(String, String)> {
    let (_, rest) = address.split_once("/display/")?;
    let (space, title) = rest.split('?').next()?.split_once('/')?;
    Some((decoded(space), decoded(&title.replace('+', " "))))
}

impl Links for PageLinks<'_> {
    fn link(&self, href: &str) -> Target {
        self.resolve(href)
    }

    fn image(&self, source: &str) -> Target {
        self.resolve(source)
    }
}

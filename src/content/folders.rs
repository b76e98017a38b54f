//! What a folder says for all files in it and below: `_folder.yaml`.

use std::collections::{BTreeMap, BTreeSet};

use crate::content::files::{Folder, Stamp};
use crate::content::front_matter::FrontMatter;
use crate::content::problem::{Problem, Report};
use crate::content::validity::{EXCEPT, NOBODY, Validity};
use crate::content::yaml::{self, Fields, Node, Value};

/// The file of a folder.
pub const FOLDER_FILE: &str = "_folder.yaml";

/// The same, as some write it.
const OTHER_FOLDER_FILE: &str = "_folder.yml";

/// The most people who can be asked to approve one change.
const MAX_APPROVALS: u8 = 9;

/// Who must approve what is published in a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Approval {
    /// How many; 0: nobody has to.
    pub count: u8,
    /// Teams by name, and people by the name they sign in with; empty: whoever may approve at all.
    pub by: Vec<String>,
}

impl Approval {
    /// Reads `approval: 2` or `approval: {count: 2, by: [tariffs, anna]}`.
    fn read(node: Node, report: &mut Report) -> Option<Self> {
        let at = node.at;
        let (count, by) = match node.value {
            Value::Map(_) => {
                let mut fields = Fields::of(node, "`approval`", report);
                let (count, by) = (fields.text("count").map(|t| t.0), fields.texts("by"));
                fields.finish("`approval`");
                (count.unwrap_or_else(|| "1".to_owned()), by)
            }
            _ => (node.text().unwrap_or_default(), Vec::new()),
        };
        let count = match count.as_str() {
            "yes" => Some(1),
            "no" => Some(0),
            number => number.parse().ok().filter(|number| *number <= MAX_APPROVALS),
        };
        if count.is_none() {
            let hint = format!(
                "write how many must approve, 0 to {MAX_APPROVALS}, as `approval: {{count: 1, by: [tariffs]}}`"
            );
            report.error("wrong-type", at, "`approval` does not say how many must approve", hint);
        }
        Some(Self { count: count?, by })
    }
}

/// What holds for files of a folder that do not say it themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    audience: Option<Vec<String>>,
    regions: Option<Vec<String>>,
    owner: Option<String>,
    verify_every: Option<String>,
    approval: Option<Approval>,
}

impl Defaults {
    /// Reads a folder's file; `None` when an error was reported.
    pub fn parse(file: &str, text: &str) -> (Option<Self>, Vec<Problem>) {
        let mut report = Report::new(file);
        let read = yaml::parse(text, 1, &mut report).map(|node| {
            let mut fields = Fields::of(node, "a folder's file", &mut report);
            let list = |texts: Vec<String>| Some(texts).filter(|texts| !texts.is_empty());
            let defaults = Self {
                audience: list(fields.audience()),
                regions: list(fields.texts("regions")),
                owner: fields.text("owner").map(|t| t.0),
                verify_every: fields.interval("verify_every"),
                approval: fields.node("approval").and_then(|node| Approval::read(node, fields.report)),
            };
            fields.finish("a folder's file");
            defaults
        });
        let read = read.filter(|_| !report.has_errors());
        (read, report.into_problems())
    }

    /// What holds where a folder's file cannot be read and never could: nobody may read, since nobody knows who may.
    fn shut() -> Self {
        Self { audience: Some(vec![NOBODY.to_owned()]), ..Self::default() }
    }

    /// These, and what outer ones say besides.
    fn over(&self, outer: Self) -> Self {
        let audience = self.audience.clone().map(|own| only_narrowed(own, outer.audience.as_deref()));
        Self {
            audience: audience.or(outer.audience),
            regions: self.regions.clone().or(outer.regions),
            owner: self.owner.clone().or(outer.owner),
            verify_every: self.verify_every.clone().or(outer.verify_every),
            approval: self.approval.clone().or(outer.approval),
        }
    }

    /// Who must approve what is published here; `None`: nobody.
    pub fn approval(&self) -> Option<&Approval> {
        self.approval.as_ref().filter(|approval| approval.count > 0)
    }

    /// One number for all of it; 0 when there is nothing.
    pub fn hash(&self) -> u64 {
        if *self == Self::default() {
            return 0;
        }
        let hash = blake3::hash(format!("{self:?}").as_bytes());
        u64::from_le_bytes(hash.as_bytes()[..8].try_into().unwrap_or_default()).max(1)
    }

    /// Puts into a validity what it leaves open.
    pub fn complete(&self, validity: &mut Validity) {
        validity.audience = only_narrowed(std::mem::take(&mut validity.audience), self.audience.as_deref());
        if validity.regions.is_empty() {
            validity.regions = self.regions.clone().unwrap_or_default();
        }
    }

    /// Puts into the head of an article what it leaves open.
    pub fn complete_head(&self, matter: &mut FrontMatter) {
        self.complete(&mut matter.validity);
        matter.owner = matter.owner.take().or_else(|| self.owner.clone());
        matter.verify_every = matter.verify_every.take().or_else(|| self.verify_every.clone());
    }
}

/// An audience inside an outer one. Who only shuts somebody out does not let all others in.
fn only_narrowed(mut own: Vec<String>, outer: Option<&[String]>) -> Vec<String> {
    if own.iter().all(|name| name.starts_with(EXCEPT)) {
        own.extend(outer.unwrap_or_default().iter().cloned());
    }
    own
}

/// The file of one folder.
#[derive(Clone, Debug)]
struct FolderFile {
    stamp: Stamp,
    read_ns: i64,
    /// What it said when it was last good.
    defaults: Option<Defaults>,
    problems: Vec<Problem>,
}

/// The files of all folders, by their paths.
#[derive(Clone, Debug, Default)]
pub struct FolderFiles {
    files: BTreeMap<String, FolderFile>,
}

impl FolderFiles {
    /// Whether a path is that of a folder's file.
    pub fn is_one(path: &str) -> bool {
        path.rsplit('/').next().is_some_and(|name| name == FOLDER_FILE || name == OTHER_FOLDER_FILE)
    }

    /// Brings what is known of folders at and below `below` to the disk, where `found` are the files there now. Returns whether anything
    /// is different for anybody.
    pub fn reload(
        &mut self,
        folder: &Folder,
        below: &str,
        found: &BTreeMap<String, Stamp>,
        now_ns: i64,
    ) -> bool {
        let before = self.files.clone();
        self.files
            .retain(|path, _| !crate::content::files::is_below(path, below) || found.contains_key(path));
        let named: BTreeSet<&String> = found.keys().filter(|path| Self::is_one(path)).collect();
        for path in named {
            let known = before.get(path);
            let stamp = &found[path];
            if known.is_some_and(|known| known.stamp == *stamp && stamp.is_settled(known.read_ns)) {
                continue;
            }
            let last_good = known.and_then(|known| known.defaults.clone());
            let file = match folder.read(path) {
                Ok(None) => {
                    self.files.remove(path);
                    continue;
                }
                Err((stamp, problem)) => {
                    FolderFile { stamp, read_ns: now_ns, defaults: last_good, problems: vec![*problem] }
                }
                Ok(Some(file)) => {
                    let (read, problems) = Defaults::parse(&folder.display(path), &file.text);
                    let defaults = read.or(last_good);
                    FolderFile { stamp: file.stamp, read_ns: now_ns, defaults, problems }
                }
            };
            self.files.insert(path.clone(), file);
        }
        let told = |files: &BTreeMap<String, FolderFile>| -> Vec<(String, Option<Defaults>, Vec<Problem>)> {
            files.iter().map(|(path, f)| (path.clone(), f.defaults.clone(), f.problems.clone())).collect()
        };
        told(&before) != told(&self.files)
    }

    /// The files and their stamps.
    pub fn files(&self) -> impl Iterator<Item = (&str, &Stamp)> {
        self.files.iter().map(|(path, file)| (path.as_str(), &file.stamp))
    }

    /// What holds for a file: what the nearest folder says, and what those around it say besides.
    pub fn of(&self, path: &str) -> Defaults {
        if self.files.is_empty() {
            return Defaults::default();
        }
        let ends = std::iter::once(0).chain(path.match_indices('/').map(|(at, _)| at + 1));
        ends.fold(Defaults::default(), |outer, end| {
            [OTHER_FOLDER_FILE, FOLDER_FILE].iter().fold(outer, |outer, name| {
                match self.files.get(&format!("{}{name}", &path[..end])) {
                    Some(FolderFile { defaults: Some(own), .. }) => own.over(outer),
                    Some(_) => Defaults::shut(),
                    None => outer,
                }
            })
        })
    }

    /// What is wrong with them.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.files.values().flat_map(|file| &file.problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> FolderFile {
        let (defaults, problems) = Defaults::parse("articles/_folder.yaml", text);
        FolderFile { stamp: Stamp::default(), read_ns: 0, defaults, problems }
    }

    #[test]
    fn the_nearest_folder_says_it() {
        let files = [
            ("_folder.yaml", "owner: anna\n"),
            ("b2b/_folder.yaml", "audience: [b2b]\nregions: [moscow]\n"),
            ("b2b/open/_folder.yaml", "audience: [everyone]\n"),
            ("b2b/own/_folder.yaml", "audience: [\"!partners\"]\n"),
            ("broken/_folder.yaml", "audience: {a: b}\n"),
            ("typo/_folder.yaml", "audiense: [b2b]\n"),
            ("b2b/own/x/_folder.yaml", "approval: {count: 2, by: [tariffs]}\n"),
            ("b2b/own/x/free/_folder.yaml", "approval: no\n"),
        ];
        let files = FolderFiles { files: files.map(|(path, text)| (path.to_owned(), file(text))).into() };
        let audience = |path: &str| files.of(path).audience.unwrap_or_default();
        assert_eq!(audience("a.md"), [""; 0]);
        assert_eq!(files.of("b2b/x/a.md").owner.as_deref(), Some("anna"));
        assert_eq!(audience("b2b/x/a.md"), ["b2b"]);
        assert_eq!(audience("b2b/open/a.md"), ["everyone"]);
        assert_eq!(audience("b2b/own/a.md"), ["!partners", "b2b"]);
        assert_eq!(files.of("b2b/open/a.md").regions.unwrap(), ["moscow"]);
        assert_eq!(audience("broken/a.md"), [NOBODY]);
        assert_eq!(audience("typo/a.md"), [NOBODY]);
        let two = Approval { count: 2, by: vec!["tariffs".to_owned()] };
        assert_eq!(files.of("b2b/own/x/_folder.yaml").approval(), Some(&two));
        assert_eq!(files.of("b2b/own/a.md").approval(), None);
        assert_eq!(files.of("b2b/own/x/free/a.md").approval(), None);
        // Of the first, that it is no list, and that nobody is named.
        assert_eq!(files.problems().count(), 3);
    }
}

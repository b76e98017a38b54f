//! The git work tree that content lies in: publications become commits, and commits tell who changed what on disk.
//!
//! The `git` program does it: filters, line ends, locks and the index are then as everybody else's who works in that tree. What is committed is
//! the text that was published, whatever lies on disk by then, and the branch moves only if nobody else moved it meanwhile.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use thiserror::Error;

use crate::content::files::{Folder, is_content};
use crate::content::markdown::encode_path;
use crate::editing::disk::digest;

/// How often a commit is made anew because somebody else committed meanwhile.
const MAX_MEETINGS: usize = 5;

/// The most commits that are asked who changed what, when none is known from before.
const MAX_COMMITS: &str = "5000";

/// How often the index is tried that somebody else has locked, and how long it is waited in between.
const MAX_LOCKED: usize = 20;
const LOCKED: Duration = Duration::from_millis(100);

/// Why git did not do it.
#[derive(Debug, Error)]
#[error("git {command}: {why}")]
pub struct GitError {
    command: String,
    why: String,
    /// Whether it is to be waited for, however long.
    is_busy: bool,
}

impl GitError {
    /// Somebody is in the middle of something in the work tree.
    fn busy() -> Self {
        let why =
            "somebody is in the middle of a merge or a rebase there, or is on no branch: it waits until \
                   that is ended"
                .to_owned();
        Self { command: "commit".to_owned(), why, is_busy: true }
    }

    /// Whether it is to be waited for: trying it again is not in vain.
    pub fn is_busy(&self) -> bool {
        self.is_busy
    }
}

/// Who changed a file last, by the commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What the file holds since: the digest of its text; none: it was taken away.
    pub digest: Option<String>,
    /// What the author of the commit is called.
    pub author: String,
    /// The first line of its message.
    pub subject: String,
}

/// What is to be committed.
#[derive(Debug)]
pub struct Commit<'a> {
    /// What its author is called.
    pub author: &'a str,
    /// The author's mail address.
    pub mail: &'a str,
    /// When it was published.
    pub at: Timestamp,
    /// What it says.
    pub message: &'a str,
    /// The files, and what each holds; none: it is taken away.
    pub files: &'a [(String, Option<String>)],
}

/// A work tree that content folders lie in.
#[derive(Clone, Debug)]
pub struct WorkTree {
    root: PathBuf,
    /// The content folders by name, and where they are in the tree (`kb/articles/`).
    folders: Vec<(&'static str, String)>,
    /// The name of no object: as long as others are in this tree.
    zeros: String,
    /// What is committed and could not be told the index yet.
    untold: Arc<Mutex<Vec<u8>>>,
}

impl WorkTree {
    /// The work tree that the first of some folders lies in, and those that lie in the same one. `None`: it lies in none, git ignores it
    /// there, or git is not to be had.
    pub fn around(folders: &[Folder]) -> Option<Self> {
        let first = folders.first()?;
        let (root, _) = place(&first.root)?;
        let here = folders.iter().filter_map(|folder| {
            let (other, prefix) = place(&folder.root)?;
            (other == root).then_some((folder.name, prefix))
        });
        let folders = here.collect();
        let empty = ask(&root, &["hash-object", "--stdin"], &[], &[]).ok()?;
        let zeros = "0".repeat(line(&empty).len());
        let tree = Self { folders, root, zeros, untold: Arc::default() };
        let is_ignored = !tree.ignored(&[spec(&tree.folders.first()?.1)]).ok()?.is_empty();
        (!is_ignored).then_some(tree)
    }

    /// Those of some places that git ignores.
    fn ignored(&self, places: &[&str]) -> Result<HashSet<String>, GitError> {
        let asked: String = places.iter().map(|place| format!("{place}\0")).collect();
        let ignored = self.asked(&["check-ignore", "-z", "--stdin"], asked.as_bytes())?;
        Ok(ignored.iter().flat_map(|ignored| parts(ignored)).map(str::to_owned).collect())
    }

    /// Where the tree is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The commit that is checked out; none before the first.
    ///
    /// # Errors
    /// Git fails.
    pub fn head(&self) -> Result<Option<String>, GitError> {
        let head = self.asked(&["rev-parse", "-q", "--verify", "HEAD^{commit}"], &[])?;
        Ok(head.map(|head| line(&head)))
    }

    /// Whether somebody is in the middle of a merge, a rebase or the like, or is on no branch: no commit may come in between.
    ///
    /// # Errors
    /// Git fails.
    pub fn is_busy(&self) -> Result<bool, GitError> {
        let marks = ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply"];
        if self.own(&marks)?.iter().any(|mark| mark.exists()) {
            return Ok(true);
        }
        Ok(self.asked(&["symbolic-ref", "-q", "HEAD"], &[])?.is_none())
    }

    /// Whether somebody is writing files of the tree just now.
    ///
    /// # Errors
    /// Git fails.
    pub fn is_being_written(&self) -> Result<bool, GitError> {
        Ok(self.own(&["index.lock"])?.iter().any(|lock| lock.exists()) || self.is_busy()?)
    }

    /// Tells the index what it could not be told when it was committed.
    pub fn tell_index(&self) {
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..MAX_LOCKED {
            if untold.is_empty() {
                return;
            }
            match self.run(&["update-index", "--add", "-z", "--index-info"], &untold) {
                Ok(_) => untold.clear(),
                Err(error) => {
                    tracing::debug!(%error, "the index of git is locked");
                    std::thread::sleep(LOCKED);
                }
            }
        }
    }

    /// Commits texts. Returns the commit; none: the branch holds them already, or none of the files lies in the tree.
    ///
    /// # Errors
    /// Git fails: nothing was committed.
    pub fn commit(&self, commit: &Commit<'_>) -> Result<Option<String>, GitError> {
        let placed: Vec<(String, Option<&str>)> = commit
            .files
            .iter()
            .filter_map(|(path, text)| Some((self.place_of(path)?, text.as_deref())))
            .collect();
        let places: Vec<&str> = placed.iter().map(|(place, _)| place.as_str()).collect();
        let ignored = if places.is_empty() { HashSet::new() } else { self.ignored(&places)? };
        let mut meetings = 0;
        loop {
            if self.is_busy()? {
                return Err(GitError::busy());
            }
            let head = self.head()?;
            let mut entries = String::new();
            for (place, text) in placed.iter().filter(|(place, _)| !ignored.contains(place)) {
                for entry in self.entries(head.as_deref(), place, *text)? {
                    entries.push_str(&entry);
                    entries.push('\0');
                }
            }
            if entries.is_empty() {
                return Ok(None);
            }
            let Some(made) = self.commit_over(head.as_deref(), commit, &entries)? else { return Ok(None) };
            // The empty name: there must be none yet.
            let old = head.as_deref().unwrap_or_default();
            match self.run(&["update-ref", "-m", "pharos: published", "HEAD", &made, old], &[]) {
                Ok(_) => {
                    // Without it the tree would show what is committed as taken back.
                    let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
                    untold.extend_from_slice(entries.as_bytes());
                    drop(untold);
                    self.tell_index();
                    // What others set up to follow commits, as a push, follows these as well.
                    if let Err(error) = self.run(&["hook", "run", "--ignore-missing", "post-commit"], &[])
                        && !error.why.contains("not a git command")
                    {
                        tracing::warn!(%error, "the hook after commits failed");
                    }
                    return Ok(Some(made));
                }
                Err(error) if meetings == MAX_MEETINGS => return Err(error),
                Err(_) => meetings += 1,
            }
        }
    }

    /// What a file becomes in the index, and pictures that come with it. Nothing where what lies on disk is committed by now: whoever did it
    /// knew what was published, and wrote on.
    fn entries(&self, head: Option<&str>, place: &str, text: Option<&str>) -> Result<Vec<String>, GitError> {
        let known = match head {
            Some(head) => line(&self.run(&["ls-tree", head, "--", place], &[])?),
            None => String::new(),
        };
        let (mode, known) = match known.split([' ', '\t']).collect::<Vec<_>>()[..] {
            [mode, "blob", hash, ..] => (mode, hash),
            _ => ("100644", ""),
        };
        let file = self.root.join(place);
        let here = match file.is_file() {
            true => self.text(&["hash-object", "--path", place, "--", place], &[])?,
            false => String::new(),
        };
        if !known.is_empty() && here == known {
            return Ok(Vec::new());
        }
        let Some(text) = text else {
            return Ok(vec![format!("0 {}\t{place}", self.zeros)]);
        };
        let hash = self.text(&["hash-object", "-w", "--stdin", "--path", place], text.as_bytes())?;
        let mut entries = self.pictures_of(place, text)?;
        entries.push(format!("{mode} {hash}\t{place}"));
        Ok(entries)
    }

    /// A commit of some entries over another one, which no branch names yet; none: nothing would be different.
    fn commit_over(
        &self,
        head: Option<&str>,
        commit: &Commit<'_>,
        entries: &str,
    ) -> Result<Option<String>, GitError> {
        let file = self.own(&[&format!("pharos-index-{:016x}", fastrand::u64(..))])?;
        let file = Aside(file.into_iter().next().unwrap_or_default());
        let index = [("GIT_INDEX_FILE", file.0.to_string_lossy().into_owned())];
        let aside = |args: &[&str], input: &[u8]| self.ask(args, input, &index);
        match head {
            Some(head) => aside(&["read-tree", head], &[])?,
            None => aside(&["read-tree", "--empty"], &[])?,
        };
        aside(&["update-index", "--add", "-z", "--index-info"], entries.as_bytes())?;
        let tree = line(&aside(&["write-tree"], &[])?);
        let before =
            head.map(|head| self.text(&["rev-parse", &format!("{head}^{{tree}}")], &[])).transpose()?;
        if before.as_ref() == Some(&tree) {
            return Ok(None);
        }
        let mut args = vec!["commit-tree", &tree, "-F", "-"];
        args.extend(head.iter().flat_map(|head| ["-p", head]));
        let who = [
            ("GIT_AUTHOR_NAME", plain(commit.author)),
            ("GIT_AUTHOR_EMAIL", plain(commit.mail)),
            ("GIT_AUTHOR_DATE", format!("@{} +0000", commit.at.as_second())),
            ("GIT_COMMITTER_NAME", "Pharos".to_owned()),
            ("GIT_COMMITTER_EMAIL", "pharos@localhost".to_owned()),
        ];
        let message = commit.message.replace('\0', "");
        Ok(Some(line(&self.ask(&args, message.as_bytes(), &who)?)))
    }

    /// Who changed which files since a commit, as they lie there now: what was changed and not committed is told of nobody.
    ///
    /// # Errors
    /// Git fails, or does not know that commit.
    pub fn told_since(&self, since: Option<&str>) -> Result<HashMap<String, Told>, GitError> {
        if self.head()?.is_none() {
            return Ok(HashMap::new());
        }
        let range = since.map(|since| format!("{since}..HEAD"));
        let mut log = vec!["log", "-z", "--name-only", "--no-renames", "--format=%x01%an%x02%s"];
        log.extend(["-n", MAX_COMMITS, range.as_deref().unwrap_or("HEAD"), "--"]);
        let mut status = vec!["status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=no", "--"];
        for (_, prefix) in &self.folders {
            log.push(spec(prefix));
            status.push(spec(prefix));
        }
        let status = self.run(&status, &[])?;
        let changed: HashSet<&str> = parts(&status).filter_map(|entry| entry.get(3..)).collect();
        let log = self.run(&log, &[])?;
        let mut told = HashMap::new();
        let mut newest = None;
        for part in parts(&log) {
            let part = part.trim_start_matches('\n');
            if let Some((author, subject)) =
                part.strip_prefix('\u{1}').and_then(|head| head.split_once('\u{2}'))
            {
                newest = Some((author.to_owned(), subject.to_owned()));
            } else if let (Some(path), Some(newest), false) =
                (self.path_of(part), &newest, changed.contains(part))
            {
                told.entry(path).or_insert_with(|| {
                    let (author, subject) = newest.clone();
                    let text = std::fs::read_to_string(self.root.join(part)).ok();
                    let digest = text.map(|text| digest(text.strip_prefix('\u{feff}').unwrap_or(&text)));
                    Told { digest, author, subject }
                });
            }
        }
        Ok(told)
    }

    /// Files beside an article that its text names and that git does not know yet: pictures that were put there while it was written.
    fn pictures_of(&self, place: &str, text: &str) -> Result<Vec<String>, GitError> {
        let folder = place.rsplit_once('/').map_or(".", |(folder, _)| folder);
        let others =
            self.ask(&["ls-files", "-z", "--others", "--exclude-standard", "--", folder], &[], &[])?;
        let is_named = |other: &&str| {
            let name = other.rsplit('/').next().unwrap_or(other);
            let is_beside = other.rsplit_once('/').map_or(".", |(folder, _)| folder) == folder;
            is_beside
                && !name.is_empty()
                && !name.starts_with('.')
                && !is_content(name)
                && (text.contains(name) || text.contains(&encode_path(name)))
        };
        let mut entries = Vec::new();
        for other in parts(&others).filter(is_named) {
            let hash = self.text(&["hash-object", "-w", "--", other], &[])?;
            entries.push(format!("100644 {hash}\t{other}"));
        }
        Ok(entries)
    }

    /// Where a content file is in the tree, links followed; `None`: elsewhere, or in a tree of its own within this one.
    fn place_of(&self, path: &str) -> Option<String> {
        let (folder, rest) = path.split_once('/')?;
        let (_, prefix) = self.folders.iter().find(|(name, _)| *name == folder)?;
        let named = self.root.join(format!("{prefix}{rest}"));
        let real = std::fs::canonicalize(&named).or_else(|_| {
            // It may be gone; what it lay in may be a link.
            let parent = named.parent().unwrap_or(&named);
            Ok::<_, std::io::Error>(
                std::fs::canonicalize(parent)?.join(named.file_name().unwrap_or_default()),
            )
        });
        let real = real.unwrap_or(named);
        let place = real.strip_prefix(&self.root).ok()?;
        let is_own = |folder: &Path| !self.root.join(folder).join(".git").exists();
        let has_own = place.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()).all(is_own);
        let parts: Option<Vec<&str>> = place.iter().map(|part| part.to_str()).collect();
        has_own.then_some(parts?.join("/"))
    }

    /// What a file of the tree is called among content files.
    fn path_of(&self, place: &str) -> Option<String> {
        let found =
            self.folders.iter().find_map(|(name, prefix)| Some((name, place.strip_prefix(prefix.as_str())?)));
        found.map(|(name, rest)| format!("{name}/{rest}"))
    }

    /// Where git keeps things of its own for this tree.
    fn own(&self, names: &[&str]) -> Result<Vec<PathBuf>, GitError> {
        let mut args = vec!["rev-parse"];
        args.extend(names.iter().flat_map(|name| ["--git-path", name]));
        Ok(self.text(&args, &[])?.lines().map(|path| self.root.join(path)).collect())
    }

    /// What git answers to a question; `None`: it says no, which is told by its code alone.
    fn asked(&self, args: &[&str], input: &[u8]) -> Result<Option<Vec<u8>>, GitError> {
        match self.run(args, input) {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.why.is_empty() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn run(&self, args: &[&str], input: &[u8]) -> Result<Vec<u8>, GitError> {
        self.ask(args, input, &[])
    }

    fn text(&self, args: &[&str], input: &[u8]) -> Result<String, GitError> {
        Ok(line(&self.ask(args, input, &[])?))
    }

    fn ask(&self, args: &[&str], input: &[u8], environment: &[(&str, String)]) -> Result<Vec<u8>, GitError> {
        ask(&self.root, args, input, environment)
    }
}

/// An index beside that of the tree, which goes when nobody needs it.
struct Aside(PathBuf);

impl Drop for Aside {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The work tree that a folder lies in, and where it lies there.
fn place(folder: &Path) -> Option<(PathBuf, String)> {
    let told = ask(folder, &["rev-parse", "--show-toplevel", "--show-prefix"], &[], &[]);
    let told = told.inspect_err(|error| match error.why.contains("not a git repository") {
        true => tracing::debug!(%error, "no work tree"),
        false => tracing::warn!(%error, folder = %folder.display(), "nothing will be committed"),
    });
    let told = String::from_utf8(told.ok()?).ok()?;
    let mut lines = told.lines();
    let root = lines.next().filter(|root| !root.is_empty())?;
    Some((PathBuf::from(root), lines.next().unwrap_or_default().to_owned()))
}

/// Runs git in a folder, and returns what it printed.
fn ask(
    folder: &Path,
    args: &[&str],
    input: &[u8],
    environment: &[(&str, String)],
) -> Result<Vec<u8>, GitError> {
    let command = args.first().copied().unwrap_or_default();
    let failed = |why: String| GitError { command: command.to_owned(), why, is_busy: false };
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).args(["-c", "core.quotePath=false"]);
    if command != "check-ignore" {
        // That one command knows paths only, and refuses to be told so.
        git.arg("--literal-pathspecs");
    }
    git.args(args);
    // A hook that runs this program may name another tree.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        git.env_remove(name);
    }
    // Who only looks must not stand in the way of who writes.
    git.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0").env("GIT_OPTIONAL_LOCKS", "0");
    git.envs(environment.iter().map(|(name, value)| (name, value)));
    git.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = git.spawn().map_err(|error| failed(error.to_string()))?;
    let pipe = child.stdin.take();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || {
            // What it does not want to read, it does without.
            let _ = pipe.map(|mut pipe| pipe.write_all(input));
        });
        child.wait_with_output()
    });
    let output = output.map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

/// A place in the tree as git is asked for it.
fn spec(prefix: &str) -> &str {
    if prefix.is_empty() { "." } else { prefix }
}

fn line(output: &[u8]) -> String {
    String::from_utf8_lossy(output).trim_end_matches(['\r', '\n']).to_owned()
}

/// What stands between characters of code 0.
fn parts(output: &[u8]) -> impl Iterator<Item = &str> {
    output
        .split(|byte| *byte == 0)
        .filter_map(|part| std::str::from_utf8(part).ok())
        .filter(|part| !part.is_empty())
}

/// A name or an address without what means something to git.
fn plain(text: &str) -> String {
    let plain: String = text.chars().filter(|c| !c.is_control() && !"<>".contains(*c)).collect();
    // Of a name without a letter git wants to know nothing.
    if plain.contains(char::is_alphanumeric) { plain } else { "Pharos".to_owned() }
}

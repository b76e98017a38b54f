//! Publications: changes of one or more files that go live at one moment, and can be undone.
//!
//! What is to be written is noted in the store first, then the files are exchanged, then history is told. A process that dies in between
//! leaves a note by which the next one ends the work. What somebody writes on disk meanwhile is merged, or nothing is published.

use std::sync::{Arc, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::database::{micros, moment};
use crate::editing::disk::{Disk, DiskError, SourcePath, digest};
use crate::editing::history::{LAST_ID, Made, RevisionOrigin, keep_text};
use crate::editing::merge::{Merged, has_marks, merge, with_line_ends_of};
use crate::editing::{Author, EditError, Editing, aside, path_of};

/// The most files of one publication.
pub const MAX_FILES: usize = 500;

/// The longest reason, in bytes.
const MAX_REASON: usize = 2_000;

/// How often a publication is merged with what somebody writes on disk at the same instant.
const MAX_MEETINGS: usize = 20;

/// A change of one file.
#[derive(Clone, Debug)]
pub struct Edit {
    /// The file.
    pub path: SourcePath,
    /// The digest of the text that was edited; none for a new file.
    pub base: Option<String>,
    /// What it became; none: the file is taken away.
    pub text: Option<String>,
}

/// A file as it was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PublishedFile {
    /// The file.
    pub path: String,
    /// The digest of what it holds now; none: it was taken away.
    pub digest: Option<String>,
    /// Whether changes of somebody else were merged into it: it holds more than was sent.
    pub merged: bool,
    /// Its revision; none: nothing was different.
    pub revision: Option<String>,
}

/// What was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Published {
    /// The publication's id; none: nothing was different.
    pub id: Option<String>,
    /// The files, in the order they were sent.
    pub files: Vec<PublishedFile>,
    /// What has to be taken up before readers get it: for whoever waits.
    #[serde(skip)]
    pub ticket: u64,
}

/// A publication, later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Publication {
    /// Its id.
    pub id: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The id of who published.
    pub author: Option<String>,
    /// What that person was called.
    pub author_name: String,
    /// Why.
    pub reason: String,
    /// The files.
    pub paths: Vec<String>,
    /// The publication that was undone by it.
    pub undoes: Option<String>,
}

/// A file of a publication in the store.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Noted {
    path: String,
    before: Option<String>,
    after: Option<String>,
}

/// A file of a publication before it is written.
#[derive(Clone, Debug)]
struct Plan {
    path: SourcePath,
    current: Option<String>,
    wanted: Option<String>,
    merged: bool,
}

/// A file of a publication after it was written.
struct Landed {
    plan: Plan,
    /// What somebody else wrote to it at the same instant.
    between: Vec<Option<String>>,
}

type Row = (String, i64, Option<String>, String, String, String, Option<String>);

impl Editing {
    /// What a file holds now, and its digest. It is kept from now on: whoever changes it can be merged with whatever comes in between.
    ///
    /// # Errors
    /// There is none, or it holds no text.
    pub async fn source(&self, path: &SourcePath) -> Result<(String, String), EditError> {
        let text = self.read(path).await?.ok_or(EditError::NotFound("file"))?;
        Ok((self.keep(&text).await?, text))
    }

    /// Keeps a text that may be published later. Returns its digest.
    ///
    /// # Errors
    /// The store fails.
    pub async fn keep(&self, text: &str) -> Result<String, EditError> {
        let digest = digest(text);
        if self.text(&digest).await?.is_none() {
            let keep = || async {
                let mut all = self.database.begin().await?;
                keep_text(&mut all, text).await?;
                all.commit().await?;
                Ok(())
            };
            self.database.patiently(keep).await?;
        }
        Ok(digest)
    }

    /// What would come of an edit if it was published now.
    ///
    /// # Errors
    /// Its base was never seen, or the file holds no text.
    pub async fn merged(&self, edit: &Edit) -> Result<(Option<String>, Merged), EditError> {
        let current = self.read(&edit.path).await?;
        let now = current.as_deref().map(digest);
        let ours = edit.text.clone().unwrap_or_default();
        if now == edit.base {
            return Ok((now, Merged::Clean(ours)));
        }
        let model = current.as_deref().unwrap_or_default();
        let base = with_line_ends_of(&self.base(edit).await?.unwrap_or_default(), model);
        let ours = with_line_ends_of(&ours, model);
        Ok((now, aside(move || merge(&base, &ours, &current.unwrap_or_default())).await?))
    }

    async fn base(&self, edit: &Edit) -> Result<Option<String>, EditError> {
        let Some(base) = &edit.base else { return Ok(None) };
        match self.text(base).await? {
            Some(text) => Ok(Some(text)),
            None => Err(EditError::unknown_base()),
        }
    }

    /// Publishes changes: all of them, or none.
    ///
    /// # Errors
    /// Somebody changed the same places meanwhile ([`EditError::Conflict`]), a field is wrong, or the store or the disk refused.
    pub async fn publish(
        &self,
        author: &Author,
        reason: &str,
        edits: &[Edit],
        now: Timestamp,
    ) -> Result<Published, EditError> {
        self.publish_as(author, reason, edits, None, now).await
    }

    /// Undoes a publication: what it changed becomes as it was before, whatever was changed elsewhere since.
    ///
    /// # Errors
    /// As [`Editing::publish`]; or there is no such publication.
    pub async fn undo(&self, author: &Author, id: &str, now: Timestamp) -> Result<Published, EditError> {
        let (publication, files) = self.noted(id).await?;
        let mut edits = Vec::new();
        for file in files {
            let text = self.text_of(file.before.as_deref()).await?;
            edits.push(Edit { path: path_of(&file.path)?, base: file.after, text });
        }
        self.publish_as(author, &publication.reason, &edits, Some(id), now).await
    }

    async fn publish_as(
        &self,
        author: &Author,
        reason: &str,
        edits: &[Edit],
        undoes: Option<&str>,
        now: Timestamp,
    ) -> Result<Published, EditError> {
        self.check(reason, edits)?;
        // One at a time: whoever merges must know what he merges with.
        let mut seen = self.writing.lock().await;
        // What the store could not be told of is told first.
        self.finish_what_was_begun().await?;
        let mut plans = Vec::new();
        let mut conflicts = Vec::new();
        for edit in edits {
            match self.plan(edit).await? {
                Some(plan) => plans.push(plan),
                None => conflicts.push(edit.path.to_string()),
            }
        }
        if !conflicts.is_empty() {
            return Err(EditError::Conflict(conflicts));
        }
        let different: Vec<Plan> = plans.iter().filter(|plan| plan.current != plan.wanted).cloned().collect();
        if different.is_empty() {
            let files = plans.iter().map(|plan| published(plan, None)).collect();
            return Ok(Published { id: None, files, ticket: 0 });
        }
        let id = self.ids.next(now);
        self.begin(&id, author, reason, &different, undoes, now).await?;
        let (landed, ticket) = match self.write(different).await {
            Ok(done) => done,
            Err(error) => {
                if let Err(store) = self.note_refusal(&id).await {
                    // Nothing may publish it later: it was refused.
                    tracing::error!(%store, publication = id, "a refused publication could not be noted as such");
                    self.refused.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
                }
                return Err(error);
            }
        };
        let revisions = self.end(&id, author, reason, &landed, now).await?;
        for Landed { plan, .. } in &landed {
            match &plan.wanted {
                Some(text) => seen.insert(plan.path.to_string(), *blake3::hash(text.as_bytes()).as_bytes()),
                None => seen.remove(plan.path.as_str()),
            };
        }
        let of = |path: &SourcePath| landed.iter().position(|landed| landed.plan.path == *path);
        let files = plans.iter().map(|plan| match of(&plan.path) {
            Some(at) => published(&landed[at].plan, revisions.get(at).cloned()),
            None => published(plan, None),
        });
        Ok(Published { id: Some(id), files: files.collect(), ticket })
    }

    /// Checks what is to be published, by itself.
    pub(super) fn check(&self, reason: &str, edits: &[Edit]) -> Result<(), EditError> {
        if reason.len() > MAX_REASON {
            return Err(EditError::invalid("reason", format!("is longer than {MAX_REASON} bytes")));
        }
        if edits.is_empty() || edits.len() > MAX_FILES {
            return Err(EditError::invalid("files", format!("must be 1 to {MAX_FILES}")));
        }
        let mut paths: Vec<&SourcePath> = edits.iter().map(|edit| &edit.path).collect();
        paths.sort();
        if let Some(two) = paths.windows(2).find(|two| two[0] == two[1]) {
            return Err(EditError::invalid("files", format!("`{}` is named twice", two[0])));
        }
        let limit = self.disk.max_bytes();
        for edit in edits {
            let Some(text) = &edit.text else { continue };
            if text.len() as u64 > limit {
                let why = format!("{} is {} bytes long; the limit is {limit}", edit.path, text.len());
                return Err(EditError::invalid("text", why));
            }
            if text.contains('\0') {
                return Err(EditError::invalid("text", format!("{} holds a character of code 0", edit.path)));
            }
            if has_marks(text) {
                let why = format!("{} still holds marks of a conflict: settle it first", edit.path);
                return Err(EditError::invalid("text", why));
            }
        }
        Ok(())
    }

    /// What is to be written; `None`: a conflict.
    async fn plan(&self, edit: &Edit) -> Result<Option<Plan>, EditError> {
        let current = self.read(&edit.path).await?;
        let path = edit.path.clone();
        let wanted = edit.text.as_ref().map(|text| {
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            with_line_ends_of(text, current.as_deref().unwrap_or_default())
        });
        if current.as_deref().map(digest) == edit.base || current == wanted {
            return Ok(Some(Plan { path, current, wanted, merged: false }));
        }
        let base = self.base(edit).await?;
        // Made twice, taken away and changed, changed and taken away: these are no two changes of one text.
        let (Some(base), Some(ours), Some(theirs)) = (base, wanted, &current) else { return Ok(None) };
        let theirs = theirs.clone();
        Ok(match aside(move || merge(&base, &ours, &theirs)).await? {
            Merged::Clean(text) => Some(Plan { path, wanted: Some(text), merged: true, current }),
            Merged::Conflict(_) => None,
        })
    }

    /// Notes what is about to be written.
    async fn begin(
        &self,
        id: &str,
        author: &Author,
        reason: &str,
        plans: &[Plan],
        undoes: Option<&str>,
        now: Timestamp,
    ) -> Result<(), EditError> {
        let files = noted(plans.iter().map(|plan| (plan, &plan.current)));
        let begin = || async {
            let mut all = self.database.begin().await?;
            for plan in plans {
                for text in [&plan.current, &plan.wanted].into_iter().flatten() {
                    keep_text(&mut all, text).await?;
                }
            }
            sqlx::query(
                "INSERT INTO publications (id, at, author, author_name, reason, state, files, undoes) \
                 VALUES ($1, $2, $3, $4, $5, 'writing', $6, $7) ON CONFLICT (id) DO NOTHING",
            )
            .bind(id)
            .bind(micros(now))
            .bind(author.id.as_deref())
            .bind(&author.name)
            .bind(reason)
            .bind(&files)
            .bind(undoes)
            .execute(&mut *all)
            .await?;
            all.commit().await?;
            Ok(())
        };
        Ok(self.database.patiently(begin).await?)
    }

    /// Writes the files while nobody takes up what is on disk.
    async fn write(&self, plans: Vec<Plan>) -> Result<(Vec<Landed>, u64), EditError> {
        let (disk, remote) = (Arc::clone(&self.disk), self.remote.clone());
        let write = move || {
            let held = remote.hold();
            let landed = write_all(&disk, plans);
            let written = landed.iter().flatten().map(|landed| disk.named(&landed.plan.path)).collect();
            let ticket = held.tell(written);
            landed.map(|landed| (landed, ticket))
        };
        aside(write).await?
    }

    /// Tells history what was written.
    async fn end(
        &self,
        id: &str,
        author: &Author,
        reason: &str,
        landed: &[Landed],
        now: Timestamp,
    ) -> Result<Vec<String>, EditError> {
        let nobody = Author::default();
        // What others wrote in between is not taken back when this is undone.
        let plans =
            landed.iter().map(|Landed { plan, between }| (plan, between.last().unwrap_or(&plan.current)));
        let files = noted(plans);
        let end = || async {
            let mut all = self.database.begin().await?;
            let mut revisions = Vec::new();
            for Landed { plan, between } in landed {
                let path = plan.path.as_str();
                for text in [&plan.current].into_iter().chain(between) {
                    let (text, origin) = (text.as_deref(), RevisionOrigin::Disk);
                    let made = Made { path, text, author: &nobody, reason: "", origin, publication: None };
                    self.add_if_new(&mut all, &made, now).await?;
                }
                let (text, origin) = (plan.wanted.as_deref(), RevisionOrigin::Published);
                let made = Made { path, text, author, reason, origin, publication: Some(id) };
                revisions.push(self.add(&mut all, &made, now).await?);
            }
            sqlx::query("UPDATE publications SET state = 'done', files = $1 WHERE id = $2")
                .bind(&files)
                .bind(id)
                .execute(&mut *all)
                .await?;
            all.commit().await?;
            Ok(revisions)
        };
        Ok(self.database.patiently(end).await?)
    }

    /// Notes that a publication was refused: nothing brings it to its end.
    async fn note_refusal(&self, id: &str) -> Result<(), EditError> {
        let note = || async {
            sqlx::query("UPDATE publications SET state = 'failed' WHERE id = $1")
                .bind(id)
                .execute(self.database.pool())
                .await?;
            Ok(())
        };
        Ok(self.database.patiently(note).await?)
    }

    /// Ends what was begun and of which the store was not told the end: by a process that died, or while the store was away. Files are written
    /// as far as nobody has written them since.
    pub(super) async fn finish_what_was_begun(&self) -> Result<(), EditError> {
        let rows: Vec<(String, i64, Option<String>, String, String, String)> = sqlx::query_as(
            "SELECT id, at, author, author_name, reason, files FROM publications WHERE state = 'writing' ORDER BY id",
        )
        .fetch_all(self.database.pool())
        .await?;
        for (id, at, author, name, reason, files) in rows {
            if self.refused.lock().unwrap_or_else(PoisonError::into_inner).contains(&id) {
                self.note_refusal(&id).await?;
                continue;
            }
            tracing::warn!(publication = id, "a publication was broken off, and is brought to its end");
            let author = Author { id: author, name };
            let files: Vec<Noted> = serde_json::from_str(&files).unwrap_or_default();
            let (mut plans, mut landed) = (Vec::new(), Vec::new());
            for file in &files {
                match self.rest_of(&id, file).await {
                    Ok(Some(plan)) if plan.current == plan.wanted => {
                        // It was written before the end came: history still has to hear what was there.
                        let current = self.text_of(file.before.as_deref()).await?;
                        landed.push(Landed { plan: Plan { current, ..plan }, between: Vec::new() });
                    }
                    Ok(Some(plan)) => plans.push(plan),
                    Ok(None) => {
                        tracing::error!(
                            path = file.path,
                            "was changed since: what was to be published is not"
                        );
                    }
                    Err(EditError::Store(error)) => return Err(error.into()),
                    Err(error) => {
                        tracing::error!(%error, path = file.path, "what was to be published is not")
                    }
                }
            }
            match self.write(plans).await {
                Ok((written, _)) => landed.extend(written),
                Err(EditError::Store(error)) => return Err(error.into()),
                Err(error) => tracing::error!(%error, publication = id, "what was to be published is not"),
            }
            self.end(&id, &author, &reason, &landed, moment(at)).await?;
        }
        Ok(())
    }

    /// What is still to be done with a file of a publication that was broken off; `None`: somebody has written it since.
    async fn rest_of(&self, publication: &str, file: &Noted) -> Result<Option<Plan>, EditError> {
        let path = path_of(&file.path)?;
        let newest = self.history(&file.path, None, 1).await?.pop();
        if newest.is_some_and(|newest| newest.id.as_str() > publication && newest.digest != file.after) {
            return Ok(None);
        }
        let text = self.text_of(file.after.as_deref()).await?;
        self.plan(&Edit { path, base: file.before.clone(), text }).await
    }

    /// Removes what a process left under hidden names, but for a text that somebody wrote and that is nowhere else.
    pub(super) async fn clear_what_was_left(&self) -> Result<(), EditError> {
        let disk = Arc::clone(&self.disk);
        let found = aside(move || disk.left_behind()).await?;
        for (file, may_be_somebodys) in found {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            if !may_be_somebodys || self.text(&digest(&text)).await?.is_some() {
                let _ = std::fs::remove_file(&file);
            } else {
                tracing::warn!(file = %file.display(), "holds a text that is nowhere else: somebody wrote it while the program was killed");
            }
        }
        Ok(())
    }

    /// Publications, the newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn publications(
        &self,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Publication>, EditError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, at, author, author_name, reason, files, undoes FROM publications \
             WHERE state = 'done' AND id < $1 ORDER BY id DESC LIMIT $2",
        )
        .bind(before.unwrap_or(LAST_ID))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(self.database.pool())
        .await?;
        Ok(rows.into_iter().map(|row| publication(row).0).collect())
    }

    /// Publications after one, the oldest first.
    pub(super) async fn publications_after(
        &self,
        id: &str,
        limit: usize,
    ) -> Result<Vec<Publication>, EditError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, at, author, author_name, reason, files, undoes FROM publications \
             WHERE state = 'done' AND id > $1 ORDER BY id LIMIT $2",
        )
        .bind(id)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(self.database.pool())
        .await?;
        Ok(rows.into_iter().map(|row| publication(row).0).collect())
    }

    /// The files of a publication, and the digest of what each holds since; none: it was taken away.
    pub(super) async fn files_of(&self, id: &str) -> Result<Vec<(String, Option<String>)>, EditError> {
        let (_, files) = self.noted(id).await?;
        Ok(files.into_iter().map(|file| (file.path, file.after)).collect())
    }

    async fn noted(&self, id: &str) -> Result<(Publication, Vec<Noted>), EditError> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, at, author, author_name, reason, files, undoes FROM publications WHERE id = $1 AND state = 'done'",
        )
        .bind(id)
        .fetch_optional(self.database.pool())
        .await?;
        row.map(publication).ok_or(EditError::NotFound("publication"))
    }
}

fn publication((id, at, author, author_name, reason, files, undoes): Row) -> (Publication, Vec<Noted>) {
    let files: Vec<Noted> = serde_json::from_str(&files).unwrap_or_default();
    let paths = files.iter().map(|file| file.path.clone()).collect();
    (Publication { id, at: moment(at), author, author_name, reason, paths, undoes }, files)
}

/// Plans, each with what the file held before, as the store holds them.
fn noted<'a>(plans: impl Iterator<Item = (&'a Plan, &'a Option<String>)>) -> String {
    let files: Vec<Noted> = plans
        .map(|(plan, before)| Noted {
            path: plan.path.to_string(),
            before: before.as_deref().map(digest),
            after: plan.wanted.as_deref().map(digest),
        })
        .collect();
    serde_json::to_string(&files).unwrap_or_default()
}

fn published(plan: &Plan, revision: Option<String>) -> PublishedFile {
    let digest = plan.wanted.as_deref().map(digest);
    PublishedFile { path: plan.path.to_string(), digest, merged: plan.merged, revision }
}

/// Exchanges all files. When one cannot be, those before it are put back.
fn write_all(disk: &Disk, plans: Vec<Plan>) -> Result<Vec<Landed>, EditError> {
    let mut landed: Vec<Landed> = Vec::new();
    for plan in plans {
        match write_one(disk, plan) {
            Ok(one) => landed.push(one),
            Err(error) => {
                for Landed { plan, between } in landed.iter().rev() {
                    let was = between.last().unwrap_or(&plan.current);
                    if let Err(error) = put_back(disk, &plan.path, was.as_deref(), plan.wanted.as_ref()) {
                        tracing::error!(%error, "a file of a refused publication could not be put back");
                    }
                }
                return Err(error);
            }
        }
    }
    Ok(landed)
}

fn write_one(disk: &Disk, mut plan: Plan) -> Result<Landed, EditError> {
    let mut expected = plan.current.clone();
    let mut between = Vec::new();
    for _ in 0..MAX_MEETINGS {
        let was = disk.exchange(&plan.path, expected.as_deref(), plan.wanted.as_deref())?;
        if was == expected {
            return Ok(Landed { plan, between });
        }
        // Somebody wrote in this instant. What he wrote is in our hands, and ours is in the file.
        let merged = match (&expected, &plan.wanted, &was) {
            (Some(base), Some(ours), Some(theirs)) => match merge(base, ours, theirs) {
                Merged::Clean(text) => Some(text),
                Merged::Conflict(_) => None,
            },
            _ => None,
        };
        let Some(merged) = merged else {
            put_back(disk, &plan.path, was.as_deref(), plan.wanted.as_ref())?;
            return Err(EditError::Conflict(vec![plan.path.to_string()]));
        };
        between.push(was);
        expected = plan.wanted.replace(merged);
        plan.merged = true;
        if plan.wanted == expected {
            return Ok(Landed { plan, between });
        }
    }
    let was = between.last().unwrap_or(&plan.current);
    put_back(disk, &plan.path, was.as_deref(), expected.as_ref())?;
    Err(EditError::Conflict(vec![plan.path.to_string()]))
}

/// Puts back what was there, unless somebody has written something else since.
fn put_back(
    disk: &Disk,
    path: &SourcePath,
    was: Option<&str>,
    ours: Option<&String>,
) -> Result<(), DiskError> {
    let found = disk.exchange(path, ours.map(String::as_str), was)?;
    if found.as_ref() != ours {
        disk.exchange(path, was, found.as_deref())?;
    }
    Ok(())
}

//! Drafts: changes that are not published yet. Each belongs to a person, and holds one file or more that go live together.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::database::{StoreError, micros, moment};
use crate::editing::publish::{Edit, MAX_FILES, Published};
use crate::editing::{Author, EditError, Editing, path_of};

/// Drafts one person may have.
const MAX_DRAFTS: i64 = 500;

/// The longest title, in bytes.
const MAX_TITLE: usize = 500;

/// A file in a draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftFile {
    /// The file: `articles/sms/monthly.md`.
    #[schema(max_length = 500)]
    pub path: String,
    /// The digest of the text that is edited; none for a new file.
    pub base: Option<String>,
    /// What it is to become; none: it is to be taken away.
    pub text: Option<String>,
    /// Grows by one with each change: who sends a change says which one he knows, and is refused when there is a newer one.
    #[serde(default)]
    pub version: i64,
}

/// A draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Draft {
    /// Its id; ids sort by time.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// When it was begun.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// When it is published by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub publish_at: Option<Timestamp>,
    /// Why it was not published when it should have been; empty when all is well.
    pub fault: String,
    /// Its files, by path; in a list, without their texts.
    pub files: Vec<DraftFile>,
}

/// A draft whose time came, and what became of it.
#[derive(Debug)]
pub struct Due {
    /// In whose name.
    pub author: Author,
    /// What it was about.
    pub title: String,
    /// What was published.
    pub outcome: Result<Published, EditError>,
}

type Row = (String, String, i64, i64, Option<i64>, String);
type FileRow = (String, String, Option<String>, Option<String>, i64);

impl Editing {
    /// The drafts of a person, the newest first, without texts.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn drafts(&self, person: &str) -> Result<Vec<Draft>, EditError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, title, created_at, updated_at, publish_at, fault FROM drafts WHERE person_id = $1 ORDER BY updated_at DESC, id DESC",
        )
        .bind(person)
        .fetch_all(self.database.pool())
        .await?;
        let files: Vec<FileRow> = sqlx::query_as(
            "SELECT f.draft_id, f.path, f.base, CAST(NULL AS TEXT), f.version FROM draft_files f JOIN drafts d ON d.id = f.draft_id \
             WHERE d.person_id = $1 ORDER BY f.path",
        )
        .bind(person)
        .fetch_all(self.database.pool())
        .await?;
        let mut drafts: Vec<Draft> = rows.into_iter().map(|row| draft(row, Vec::new())).collect();
        for (of, path, base, text, version) in files {
            if let Some(draft) = drafts.iter_mut().find(|draft| draft.id == of) {
                draft.files.push(DraftFile { path, base, text, version });
            }
        }
        Ok(drafts)
    }

    /// A draft of a person, whole.
    ///
    /// # Errors
    /// There is none, or it is another person's.
    pub async fn draft(&self, person: &str, id: &str) -> Result<Draft, EditError> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, title, created_at, updated_at, publish_at, fault FROM drafts WHERE id = $1 AND person_id = $2",
        )
        .bind(id)
        .bind(person)
        .fetch_optional(self.database.pool())
        .await?;
        let row = row.ok_or(EditError::NotFound("draft"))?;
        let files: Vec<FileRow> = sqlx::query_as(
            "SELECT draft_id, path, base, body, version FROM draft_files WHERE draft_id = $1 ORDER BY path",
        )
        .bind(id)
        .fetch_all(self.database.pool())
        .await?;
        let files =
            files.into_iter().map(|(_, path, base, text, version)| DraftFile { path, base, text, version });
        Ok(draft(row, files.collect()))
    }

    /// Begins a draft.
    ///
    /// # Errors
    /// The person has too many, or a field is wrong.
    pub async fn add_draft(
        &self,
        person: &str,
        title: &str,
        files: &[DraftFile],
        now: Timestamp,
    ) -> Result<Draft, EditError> {
        check_title(title)?;
        self.check_files(files, files.len()).await?;
        let (count,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM drafts WHERE person_id = $1")
            .bind(person)
            .fetch_one(self.database.pool())
            .await?;
        if count >= MAX_DRAFTS {
            return Err(EditError::invalid(
                "title",
                format!("there are {count} drafts already: remove some"),
            ));
        }
        let id = self.ids.next(now);
        let add = || async {
            let mut all = self.database.begin().await?;
            sqlx::query(
                "INSERT INTO drafts (id, person_id, title, created_at, updated_at, publish_at, reason, author_name, fault) \
                 VALUES ($1, $2, $3, $4, $4, NULL, '', '', '') \
                 ON CONFLICT (id) DO NOTHING",
            )
            .bind(&id)
            .bind(person)
            .bind(title)
            .bind(micros(now))
            .execute(&mut *all)
            .await?;
            let newer = keep_files(&mut all, &id, files, now).await?;
            if newer.is_empty() {
                all.commit().await?;
            }
            Ok(newer)
        };
        match self.database.patiently(add).await? {
            newer if newer.is_empty() => self.draft(person, &id).await,
            newer => Err(EditError::Conflict(newer)),
        }
    }

    /// Changes a draft: its title, some of its files; others are left out of it. All of it, or nothing. A draft whose files change is no
    /// longer published by itself.
    ///
    /// # Errors
    /// There is no such draft, a field is wrong, or a file has a newer version ([`EditError::Conflict`]).
    pub async fn change_draft(
        &self,
        person: &str,
        id: &str,
        title: Option<&str>,
        files: &[DraftFile],
        left_out: &[String],
        now: Timestamp,
    ) -> Result<Draft, EditError> {
        if let Some(title) = title {
            check_title(title)?;
        }
        let draft = self.draft(person, id).await?;
        let new = files.iter().filter(|file| draft.files.iter().all(|known| known.path != file.path)).count();
        self.check_files(files, draft.files.len() + new).await?;
        let change = || async {
            let mut all = self.database.begin().await?;
            let newer = keep_files(&mut all, id, files, now).await?;
            if !newer.is_empty() {
                return Ok(newer);
            }
            for path in left_out {
                sqlx::query("DELETE FROM draft_files WHERE id = $1")
                    .bind(format!("{id}:{path}"))
                    .execute(&mut *all)
                    .await?;
            }
            if !files.is_empty() || !left_out.is_empty() {
                sqlx::query("UPDATE drafts SET publish_at = NULL, fault = '' WHERE id = $1")
                    .bind(id)
                    .execute(&mut *all)
                    .await?;
            }
            sqlx::query("UPDATE drafts SET title = COALESCE($1, title), updated_at = $2 WHERE id = $3")
                .bind(title)
                .bind(micros(now))
                .bind(id)
                .execute(&mut *all)
                .await?;
            all.commit().await?;
            Ok(newer)
        };
        let newer = self.database.patiently(change).await?;
        if !newer.is_empty() {
            return Err(EditError::Conflict(newer));
        }
        self.draft(person, id).await
    }

    /// Checks files of a draft that will hold so many: their bases must be known when changes are merged.
    async fn check_files(&self, files: &[DraftFile], in_all: usize) -> Result<(), EditError> {
        if in_all > MAX_FILES {
            return Err(EditError::invalid("files", format!("a draft holds {MAX_FILES} at most")));
        }
        let limit = self.disk.max_bytes();
        for file in files {
            path_of(&file.path)?;
            if file.text.as_ref().is_some_and(|text| text.len() as u64 > limit) {
                return Err(EditError::invalid("text", format!("is longer than {limit} bytes")));
            }
            if let Some(base) = &file.base
                && self.text(base).await?.is_none()
            {
                return Err(EditError::unknown_base());
            }
        }
        Ok(())
    }

    /// Lets a draft be published by itself at a moment, in the name of a person; or not any more.
    ///
    /// # Errors
    /// There is no such draft, or it holds nothing.
    pub async fn schedule(
        &self,
        author: &Author,
        id: &str,
        reason: &str,
        at: Option<Timestamp>,
    ) -> Result<Draft, EditError> {
        let person = author.id.as_deref().unwrap_or_default();
        let draft = self.draft(person, id).await?;
        self.check(reason, &draft.edits()?)?;
        let schedule = || async {
            sqlx::query(
                "UPDATE drafts SET publish_at = $1, reason = $2, author_name = $3, fault = '' WHERE id = $4",
            )
            .bind(at.map(micros))
            .bind(reason)
            .bind(&author.name)
            .bind(id)
            .execute(self.database.pool())
            .await?;
            Ok(())
        };
        self.database.patiently(schedule).await?;
        self.draft(person, id).await
    }

    /// Drafts that should be published by now: the id of each, and of its person.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn due(&self, now: Timestamp) -> Result<Vec<(String, String)>, EditError> {
        Ok(sqlx::query_as("SELECT id, person_id FROM drafts WHERE publish_at <= $1 ORDER BY publish_at, id")
            .bind(micros(now))
            .fetch_all(self.database.pool())
            .await?)
    }

    /// Publishes a draft whose time has come; `None`: it is no draft any more, its time was changed, or the same has to be tried again. What
    /// cannot be published stays a draft that says why. So does what may not be published any more, or not yet: `refusal` says why.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn publish_due(
        &self,
        (id, person): &(String, String),
        refusal: Option<String>,
        now: Timestamp,
    ) -> Result<Option<Due>, EditError> {
        let row: Option<(String, String)> =
            sqlx::query_as("SELECT author_name, reason FROM drafts WHERE id = $1 AND publish_at <= $2")
                .bind(id)
                .bind(micros(now))
                .fetch_optional(self.database.pool())
                .await?;
        let Some((name, reason)) = row else { return Ok(None) };
        let draft = match self.draft(person, id).await {
            Err(EditError::NotFound(_)) => return Ok(None),
            found => found?,
        };
        let author = Author { id: Some(person.clone()), name };
        let outcome = match refusal {
            None => self.publish(&author, &reason, &draft.edits()?, now).await,
            Some(why) => Err(EditError::Refused(why)),
        };
        match &outcome {
            Ok(_) => self.remove_published(&draft).await?,
            Err(error @ EditError::Store(_)) => {
                tracing::warn!(%error, draft = id, "what should be published now will be tried again");
                return Ok(None);
            }
            Err(error) => self.note_fault(id, &error.to_string()).await?,
        }
        Ok(Some(Due { author, title: draft.title, outcome }))
    }

    /// Removes a draft that was published, unless it was changed since it was read: what was typed meanwhile stays.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn remove_published(&self, draft: &Draft) -> Result<(), EditError> {
        let remove = || async {
            sqlx::query("DELETE FROM drafts WHERE id = $1 AND updated_at = $2")
                .bind(&draft.id)
                .bind(micros(draft.updated_at))
                .execute(self.database.pool())
                .await?;
            Ok(())
        };
        Ok(self.database.patiently(remove).await?)
    }

    async fn note_fault(&self, id: &str, fault: &str) -> Result<(), EditError> {
        let note = || async {
            sqlx::query("UPDATE drafts SET publish_at = NULL, fault = $1 WHERE id = $2")
                .bind(fault)
                .bind(id)
                .execute(self.database.pool())
                .await?;
            Ok(())
        };
        Ok(self.database.patiently(note).await?)
    }

    /// Throws a draft away.
    ///
    /// # Errors
    /// There is none, or it is another person's.
    pub async fn remove_draft(&self, person: &str, id: &str) -> Result<(), EditError> {
        self.draft(person, id).await?;
        let remove = || async {
            sqlx::query("DELETE FROM drafts WHERE id = $1 AND person_id = $2")
                .bind(id)
                .bind(person)
                .execute(self.database.pool())
                .await?;
            Ok(())
        };
        Ok(self.database.patiently(remove).await?)
    }
}

impl Draft {
    /// The changes it makes.
    ///
    /// # Errors
    /// A path is none.
    pub fn edits(&self) -> Result<Vec<Edit>, EditError> {
        let edit = |file: &DraftFile| {
            Ok(Edit { path: path_of(&file.path)?, base: file.base.clone(), text: file.text.clone() })
        };
        self.files.iter().map(edit).collect()
    }
}

fn draft((id, title, created_at, updated_at, at, fault): Row, files: Vec<DraftFile>) -> Draft {
    let (created_at, updated_at, publish_at) = (moment(created_at), moment(updated_at), at.map(moment));
    Draft { id, title, created_at, updated_at, publish_at, fault, files }
}

fn check_title(title: &str) -> Result<(), EditError> {
    if title.len() > MAX_TITLE {
        return Err(EditError::invalid("title", format!("is longer than {MAX_TITLE} bytes")));
    }
    Ok(())
}

/// Keeps files of a draft. Returns those of which there is a newer version.
async fn keep_files(
    all: &mut sqlx::Transaction<'static, sqlx::Any>,
    draft: &str,
    files: &[DraftFile],
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let mut newer = Vec::new();
    for file in files {
        if !keep_file(all, draft, file, now).await? {
            newer.push(file.path.clone());
        }
    }
    Ok(newer)
}

/// Keeps a file of a draft, unless there is a newer version. Returns whether it did.
async fn keep_file(
    all: &mut sqlx::Transaction<'static, sqlx::Any>,
    draft: &str,
    file: &DraftFile,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let id = format!("{draft}:{}", file.path);
    let known: Option<(i64,)> = sqlx::query_as("SELECT version FROM draft_files WHERE id = $1")
        .bind(&id)
        .fetch_optional(&mut **all)
        .await?;
    if known.map_or(0, |(version,)| version) != file.version {
        return Ok(false);
    }
    // Of two at one time, the second finds another version, and does nothing.
    let kept = sqlx::query(
        "INSERT INTO draft_files (id, draft_id, path, base, body, version, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (id) DO UPDATE SET base = excluded.base, body = excluded.body, version = excluded.version, updated_at = excluded.updated_at \
         WHERE draft_files.version = excluded.version - 1",
    )
    .bind(&id)
    .bind(draft)
    .bind(&file.path)
    .bind(file.base.as_deref())
    .bind(file.text.as_deref())
    .bind(file.version.saturating_add(1))
    .bind(micros(now))
    .execute(&mut **all)
    .await?;
    Ok(kept.rows_affected() == 1)
}

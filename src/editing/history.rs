//! History: every text that a content file ever held, with who wrote it, when and why. It is only added to.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use sqlx::{Any, Transaction};
use utoipa::ToSchema;

use crate::database::{StoreError, micros, moment};
use crate::editing::disk::{SourcePath, digest};
use crate::editing::{Author, Claim, EditError, Editing, aside};

/// Files looked at in one go: who publishes meanwhile waits no longer than for these.
const LOOKED_AT_ONCE: usize = 200;

/// Above every id, in every collation.
pub(super) const LAST_ID: &str = "z";

/// Where a revision comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RevisionOrigin {
    /// It was published here.
    Published,
    /// Somebody changed the file on disk.
    Disk,
}

impl RevisionOrigin {
    fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Disk => "disk",
        }
    }

    fn of(name: &str) -> Self {
        if name == "published" { Self::Published } else { Self::Disk }
    }
}

/// What a file held from a moment on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Revision {
    /// Its id; ids sort by time.
    pub id: String,
    /// The file: `articles/sms/monthly.md`.
    pub path: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The digest of its text; none: the file was taken away.
    pub digest: Option<String>,
    /// The id of who published it.
    pub author: Option<String>,
    /// What that person was called.
    pub author_name: String,
    /// Why.
    pub reason: String,
    /// Where it comes from.
    pub origin: RevisionOrigin,
    /// The publication it is part of.
    pub publication: Option<String>,
}

type Row = (String, String, i64, Option<String>, Option<String>, String, String, String, Option<String>);

const COLUMNS: &str = "id, path, at, text_id, author, author_name, reason, origin, publication_id";

fn revision((id, path, at, digest, author, author_name, reason, origin, publication): Row) -> Revision {
    let (at, origin) = (moment(at), RevisionOrigin::of(&origin));
    Revision { id, path, at, digest, author, author_name, reason, origin, publication }
}

/// What a revision is made of.
pub(super) struct Made<'a> {
    pub(super) path: &'a str,
    pub(super) text: Option<&'a str>,
    pub(super) author: &'a Author,
    pub(super) reason: &'a str,
    pub(super) origin: RevisionOrigin,
    pub(super) publication: Option<&'a str>,
}

impl Editing {
    /// The history of a file, the newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn history(
        &self,
        path: &str,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Revision>, EditError> {
        let statement =
            format!("SELECT {COLUMNS} FROM revisions WHERE path = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
        let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(path)
            .bind(before.unwrap_or(LAST_ID))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.database.pool())
            .await?;
        Ok(rows.into_iter().map(revision).collect())
    }

    /// A revision.
    ///
    /// # Errors
    /// There is none.
    pub async fn revision(&self, id: &str) -> Result<Revision, EditError> {
        let statement = format!("SELECT {COLUMNS} FROM revisions WHERE id = $1");
        let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(id)
            .fetch_optional(self.database.pool())
            .await?;
        row.map(revision).ok_or(EditError::NotFound("revision"))
    }

    /// The revision of the same file before another one.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn revision_before(&self, later: &Revision) -> Result<Option<Revision>, EditError> {
        Ok(self.history(&later.path, Some(&later.id), 1).await?.pop())
    }

    /// The text of a file of which only the digest is known; without one there was none.
    ///
    /// # Errors
    /// A text of this digest was never seen.
    pub async fn text_of(&self, digest: Option<&str>) -> Result<Option<String>, EditError> {
        match digest {
            Some(digest) => Ok(Some(self.text(digest).await?.ok_or(EditError::NotFound("text"))?)),
            None => Ok(None),
        }
    }

    /// The text of a digest, if it was ever seen.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn text(&self, digest: &str) -> Result<Option<String>, EditError> {
        let row: Option<(String,)> = sqlx::query_as("SELECT body FROM texts WHERE id = $1")
            .bind(digest)
            .fetch_optional(self.database.pool())
            .await?;
        Ok(row.map(|(body,)| body))
    }

    /// Brings history to what files hold now: `found` is every file that is served, with the hash of its bytes. What changed on disk since it
    /// was last looked becomes a revision. Returns how many there were.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn look(&self, found: Vec<(String, [u8; 32])>, now: Timestamp) -> Result<usize, EditError> {
        let news: Vec<(String, Option<[u8; 32]>)> = {
            let seen = self.writing.lock().await;
            let here: HashMap<&str, &[u8; 32]> =
                found.iter().map(|(path, hash)| (path.as_str(), hash)).collect();
            let mut gone: Vec<String> =
                seen.keys().filter(|path| !here.contains_key(path.as_str())).cloned().collect();
            if seen.is_empty() {
                // The first look of this process: history knows of more.
                gone = self
                    .heads()
                    .await?
                    .into_iter()
                    .filter(|path| !here.contains_key(path.as_str()))
                    .collect();
            }
            let changed = found.iter().filter(|(path, hash)| seen.get(path) != Some(hash));
            let changed = changed.map(|(path, hash)| (path.clone(), Some(*hash)));
            changed.chain(gone.into_iter().map(|path| (path, None))).collect()
        };
        if !news.is_empty() {
            self.hear_of_commits().await;
        }
        let mut noted = 0;
        for some in news.chunks(LOOKED_AT_ONCE) {
            let mut seen = self.writing.lock().await;
            noted += self.look_at(some, now).await?;
            for (path, hash) in some {
                match hash {
                    Some(hash) => seen.insert(path.clone(), *hash),
                    None => seen.remove(path),
                };
            }
        }
        Ok(noted)
    }

    /// Files that history says are there.
    async fn heads(&self) -> Result<Vec<String>, EditError> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT r.path FROM revisions r JOIN (SELECT MAX(id) AS id FROM revisions GROUP BY path) last ON last.id = r.id \
             WHERE r.text_id IS NOT NULL",
        )
        .fetch_all(self.database.pool())
        .await?;
        Ok(rows.into_iter().map(|(path,)| path).collect())
    }

    async fn look_at(&self, some: &[(String, Option<[u8; 32]>)], now: Timestamp) -> Result<usize, EditError> {
        let mut texts = Vec::new();
        for (path, _) in some {
            let Ok(path) = SourcePath::parse(path) else { continue };
            match self.read(&path).await {
                Ok(text) => texts.push((path, text)),
                // What is no text has its place among the problems.
                Err(EditError::Disk(error)) => tracing::debug!(%error, "no revision"),
                Err(error) => return Err(error),
            }
        }
        let told = &self.told.lock().await.by_path;
        let note = || async {
            let mut noted = 0;
            let mut all = self.database.begin().await?;
            for (path, text) in &texts {
                let (path, text) = (path.as_str(), text.as_deref());
                let told = told.get(path).filter(|told| told.digest == text.map(digest));
                let (author, reason) = match (self.claim_of(path, text), told) {
                    (Some(claim), _) => (claim.author, claim.reason),
                    (None, Some(told)) => {
                        (Author { id: None, name: told.author.clone() }, told.subject.clone())
                    }
                    (None, None) => Default::default(),
                };
                let origin = RevisionOrigin::Disk;
                let made = Made { path, text, author: &author, reason: &reason, origin, publication: None };
                noted += usize::from(self.add_if_new(&mut all, &made, now).await?);
            }
            all.commit().await?;
            Ok(noted)
        };
        let noted = self.database.patiently(note).await?;
        let mut claimed = self.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        if !claimed.is_empty() {
            texts.iter().for_each(|(path, _)| drop(claimed.remove(path.as_str())));
        }
        Ok(noted)
    }

    /// Says who is about to write texts to disk, and why: for history, which finds them there.
    pub fn claim<'t>(&self, author: &Author, reason: &str, texts: impl Iterator<Item = (String, &'t str)>) {
        let mut claimed = self.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        claimed.extend(texts.map(|(path, text)| {
            let claim = Claim { digest: digest(text), author: author.clone(), reason: reason.to_owned() };
            (path, claim)
        }));
    }

    fn claim_of(&self, path: &str, text: Option<&str>) -> Option<Claim> {
        let claimed = self.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        claimed.get(path).filter(|claim| text.map(digest).as_ref() == Some(&claim.digest)).cloned()
    }

    /// What a file holds, when nobody is writing it.
    pub(super) async fn read(&self, path: &SourcePath) -> Result<Option<String>, EditError> {
        let (disk, path) = (Arc::clone(&self.disk), path.clone());
        Ok(aside(move || disk.read(&path)).await??)
    }

    /// Adds a revision where the newest of the file is another one. Returns whether it was.
    pub(super) async fn add_if_new(
        &self,
        all: &mut Transaction<'static, Any>,
        made: &Made<'_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let newest = newest(all, made.path).await?;
        let own = made.text.map(digest);
        // A file of which nothing was known and that is not there is no news.
        let is_known = newest.as_ref().map_or(own.is_none(), |(_, digest)| *digest == own);
        if !is_known {
            self.add_after(all, newest, made, now).await?;
        }
        Ok(!is_known)
    }

    /// Adds a revision. Returns its id.
    pub(super) async fn add(
        &self,
        all: &mut Transaction<'static, Any>,
        made: &Made<'_>,
        now: Timestamp,
    ) -> Result<String, StoreError> {
        let newest = newest(all, made.path).await?;
        self.add_after(all, newest, made, now).await
    }

    async fn add_after(
        &self,
        all: &mut Transaction<'static, Any>,
        newest: Option<Newest>,
        made: &Made<'_>,
        now: Timestamp,
    ) -> Result<String, StoreError> {
        let id = self.ids.next_after(now, newest.as_ref().map(|(id, _)| id.as_str()));
        let text_id = match made.text {
            Some(text) => Some(keep_text(all, text).await?),
            None => None,
        };
        sqlx::query(
            "INSERT INTO revisions (id, path, at, text_id, author, author_name, reason, origin, publication_id) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(&id)
        .bind(made.path)
        .bind(micros(now))
        .bind(text_id)
        .bind(made.author.id.as_deref())
        .bind(&made.author.name)
        .bind(made.reason)
        .bind(made.origin.name())
        .bind(made.publication)
        .execute(&mut **all)
        .await?;
        Ok(id)
    }
}

/// The id of the newest revision of a file, and its digest.
type Newest = (String, Option<String>);

async fn newest(all: &mut Transaction<'static, Any>, path: &str) -> Result<Option<Newest>, StoreError> {
    Ok(sqlx::query_as("SELECT id, text_id FROM revisions WHERE path = $1 ORDER BY id DESC LIMIT 1")
        .bind(path)
        .fetch_optional(&mut **all)
        .await?)
}

/// Keeps a text, once. Returns its digest.
pub(super) async fn keep_text(all: &mut Transaction<'static, Any>, text: &str) -> Result<String, StoreError> {
    let id = digest(text);
    sqlx::query("INSERT INTO texts (id, body) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING")
        .bind(&id)
        .bind(text)
        .execute(&mut **all)
        .await?;
    Ok(id)
}

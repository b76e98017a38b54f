//! Publications as commits of the git work tree, and commits as authors of what changed on disk.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::database::micros;
use crate::editing::git::{Commit, GitError, Told, WorkTree};
use crate::editing::publish::Publication;
use crate::editing::{EditError, Editing, aside};

/// Publications committed in one go.
const MAX_COMMITTED: usize = 100;

impl Editing {
    /// The work tree that publications are committed to.
    pub fn work_tree(&self) -> Option<&WorkTree> {
        self.work_tree.as_ref()
    }

    /// Publications that are no commits yet, the oldest first. Those of before there was a work tree never will be.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn uncommitted(&self, now: Timestamp) -> Result<Vec<Publication>, EditError> {
        let last: Option<(String,)> = sqlx::query_as("SELECT id FROM commits ORDER BY id DESC LIMIT 1")
            .fetch_optional(self.database.pool())
            .await?;
        let Some((last,)) = last else {
            let newest = self.publications(None, 1).await?.pop();
            self.note_commit(&newest.map_or(String::new(), |newest| newest.id), "", now).await?;
            return Ok(Vec::new());
        };
        self.publications_after(&last, MAX_COMMITTED).await
    }

    /// Commits a publication in the name of its author, and notes that it is. Returns the commit; none: the branch holds it already.
    ///
    /// # Errors
    /// The store or git fails: it is to be tried again.
    pub async fn commit(
        &self,
        publication: &Publication,
        mail: &str,
        now: Timestamp,
    ) -> Result<Option<String>, EditError> {
        let Some(tree) = self.work_tree.clone() else { return Ok(None) };
        let mut files = Vec::new();
        for (path, after) in self.files_of(&publication.id).await? {
            files.push((path, self.text_of(after.as_deref()).await?));
        }
        let (author, mail, at) = (publication.author_name.clone(), mail.to_owned(), publication.at);
        let message = message(publication);
        let made = aside(move || {
            if tree.is_busy()? {
                return Err(GitError::busy());
            }
            tree.commit(&Commit { author: &author, mail: &mail, at, message: &message, files: &files })
        });
        let made = made.await??;
        self.note_commit(&publication.id, made.as_deref().unwrap_or_default(), now).await?;
        Ok(made)
    }

    async fn note_commit(&self, id: &str, hash: &str, now: Timestamp) -> Result<(), EditError> {
        let note = || async {
            sqlx::query("INSERT INTO commits (id, at, hash) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING")
                .bind(id)
                .bind(micros(now))
                .bind(hash)
                .execute(self.database.pool())
                .await?;
            Ok(())
        };
        Ok(self.database.patiently(note).await?)
    }

    /// Who changed which files in commits since this was last asked; nobody where there is no work tree.
    pub(super) async fn told_by_commits(&self) -> HashMap<String, Told> {
        let Some(tree) = self.work_tree.clone() else { return HashMap::new() };
        match self.ask_commits(tree).await {
            Ok(told) => told,
            Err(error) => {
                tracing::warn!(%error, "who changed files on disk cannot be told");
                HashMap::new()
            }
        }
    }

    async fn ask_commits(&self, tree: WorkTree) -> Result<HashMap<String, Told>, EditError> {
        let known = self.seen_commit.lock().await.clone();
        let known = match known {
            Some(known) => Some(known),
            None => {
                let last: Option<(String,)> =
                    sqlx::query_as("SELECT hash FROM commits WHERE hash <> '' ORDER BY id DESC LIMIT 1")
                        .fetch_optional(self.database.pool())
                        .await?;
                last.map(|(hash,)| hash)
            }
        };
        let since = known.clone();
        let asked = aside(move || {
            let head = tree.head()?;
            if head.is_none() || head == known {
                return Ok((head, HashMap::new()));
            }
            // Who rewrote history took away what was known of it.
            let told = tree.told_since(since.as_deref()).or_else(|_| tree.told_since(None))?;
            Ok::<_, GitError>((head, told))
        });
        let (head, told) = asked.await??;
        *self.seen_commit.lock().await = head;
        Ok(told)
    }
}

/// What the commit of a publication says.
fn message(publication: &Publication) -> String {
    let Publication { id, reason, paths, undoes, .. } = publication;
    let said = match (reason.trim(), paths.as_slice()) {
        ("", [one]) => format!("Changed {one}"),
        ("", [one, rest @ ..]) => format!("Changed {one} and {} more", rest.len()),
        ("", []) => "Changed".to_owned(),
        (reason, _) => reason.to_owned(),
    };
    let undone = undoes.as_ref().map(|undone| format!("Undoes: {undone}\n")).unwrap_or_default();
    let prefix = if undoes.is_some() { "Undone: " } else { "" };
    format!("{prefix}{said}\n\nPublication: {id}\n{undone}")
}

//! Publications as commits of the git work tree, and commits as authors of what changed on disk.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::database::micros;
use crate::editing::git::{Commit, GitError, Told, WorkTree};
use crate::editing::publish::Publication;
use crate::editing::{EditError, Editing, aside};

/// How often it is looked whether somebody is still checking out, and how long it is waited in between: ten seconds at the most.
const LOOKS: usize = 50;
const PAUSE: Duration = Duration::from_millis(200);

/// What is known from commits.
#[derive(Debug, Default)]
pub(super) struct ToldByCommits {
    /// The commit up to which it was asked.
    up_to: Option<String>,
    /// Who changed each file last.
    pub(super) by_path: HashMap<String, Told>,
}

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
            tree.tell_index();
            tree.commit(&Commit { author: &author, mail: &mail, at, message: &message, files: &files })
        });
        let made = made.await??;
        self.note_commit(&publication.id, made.as_deref().unwrap_or_default(), now).await?;
        Ok(made)
    }

    /// Leaves a publication out: git does not take it, and others wait behind it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn pass_over(&self, publication: &Publication, now: Timestamp) -> Result<(), EditError> {
        self.note_commit(&publication.id, "", now).await
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

    /// Learns from commits since this was last asked who changed which files. Files are written before the commit is checked out: while somebody
    /// is at it, it waits.
    pub(super) async fn hear_of_commits(&self) {
        let Some(tree) = self.work_tree.clone() else { return };
        for _ in 0..LOOKS {
            let looked = tree.clone();
            let is_written = aside(move || looked.is_being_written().unwrap_or(false)).await;
            tokio::time::sleep(PAUSE).await;
            if !is_written.unwrap_or(false) {
                break;
            }
        }
        if let Err(error) = self.ask_commits(tree).await {
            tracing::warn!(%error, "who changed files on disk cannot be told");
        }
    }

    async fn ask_commits(&self, tree: WorkTree) -> Result<(), EditError> {
        let mut seen = self.told.lock().await;
        let known = match seen.up_to.clone() {
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
        seen.up_to = head;
        seen.by_path.extend(told);
        Ok(())
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

//! Review: somebody else looks at a draft, says of lines what is not right, and approves it or does not yet.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::database::{micros, moment};
use crate::editing::drafts::{Draft, DraftFile};
use crate::editing::{Author, EditError, Editing};

/// The longest note or remark, in bytes.
const MAX_TEXT: usize = 8_000;

/// The most remarks on one draft.
const MAX_REMARKS: usize = 1_000;

/// What somebody said of a draft as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Verdict {
    /// The id of who said it.
    pub person: String,
    /// What that person was called.
    pub person_name: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Whether it is approved; else something is to be changed first.
    pub approved: bool,
    /// Whether it is about what the draft holds now: what was changed since has to be looked at anew.
    pub current: bool,
    /// What was said besides.
    pub note: String,
}

/// What somebody said of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Remark {
    /// Its id; ids sort by time.
    pub id: String,
    /// The file.
    pub path: String,
    /// The line of the draft's text, from 1, found again where it moved to; 0: that line is gone.
    pub line: u32,
    /// What the line said.
    pub line_text: String,
    /// The id of who said it.
    pub person: String,
    /// What that person was called.
    pub person_name: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What was said.
    pub body: String,
    /// When it was settled; none: it is open.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub settled_at: Option<Timestamp>,
}

/// A draft that waits for somebody to look at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Waiting {
    /// The draft's id.
    pub draft: String,
    /// What it is about.
    pub title: String,
    /// The id of whose draft it is.
    pub person: String,
    /// What that person is called.
    pub person_name: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub asked_at: Timestamp,
    /// Its files.
    pub paths: Vec<String>,
}

/// A draft as reviewers see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Review {
    /// The draft, with its texts.
    pub draft: Draft,
    /// The id of whose draft it is.
    pub person: String,
    /// What that person is called.
    pub person_name: String,
    /// Since when it waits.
    #[schema(value_type = String, format = DateTime)]
    pub asked_at: Timestamp,
    /// What the person said when he asked.
    pub note: String,
    /// The digest of what the draft holds: who decides says which he saw.
    pub contents: String,
    /// What was said of the whole, the newest of each person.
    pub verdicts: Vec<Verdict>,
    /// What was said of lines, oldest first.
    pub remarks: Vec<Remark>,
}

impl Review {
    /// The ids of those who approved what the draft holds now.
    pub fn approved_by(&self) -> impl Iterator<Item = &str> {
        self.verdicts.iter().filter(|said| said.approved && said.current).map(|said| said.person.as_str())
    }

    /// How many remarks are not settled.
    pub fn open_remarks(&self) -> usize {
        self.remarks.iter().filter(|remark| remark.settled_at.is_none()).count()
    }
}

type VerdictRow = (String, String, i64, i64, String, String);
type RemarkRow = (String, String, i64, String, String, String, i64, String, Option<i64>);

/// One number for what files are to become: approving one text approves no other.
fn contents(files: &[DraftFile]) -> String {
    let mut hasher = blake3::Hasher::new();
    for file in files {
        for part in [Some(&file.path), file.text.as_ref()] {
            let length = part.map_or(u64::MAX, |part| part.len() as u64);
            hasher.update(&length.to_le_bytes());
            hasher.update(part.map_or(&b""[..], |part| part.as_bytes()));
        }
    }
    hasher.finalize().to_hex().to_string()
}

/// Where a line is by now: the same text nearest to where it was. 0: nowhere.
fn found_again(text: &str, line: u32, line_text: &str) -> u32 {
    let alike = text.lines().zip(1u32..).filter(|(text, _)| *text == line_text).map(|(_, number)| number);
    alike.min_by_key(|number| number.abs_diff(line)).unwrap_or(0)
}

fn check_text(name: &'static str, text: &str) -> Result<(), EditError> {
    if text.len() > MAX_TEXT {
        return Err(EditError::invalid(name, format!("is longer than {MAX_TEXT} bytes")));
    }
    Ok(())
}

impl Editing {
    /// Asks others to look at a draft of one's own. Asked again, it waits from then on with another note.
    ///
    /// # Errors
    /// There is no such draft, or it holds nothing.
    pub async fn ask_review(
        &self,
        author: &Author,
        id: &str,
        note: &str,
        now: Timestamp,
    ) -> Result<Review, EditError> {
        check_text("note", note)?;
        let draft = self.draft(author.id.as_deref().unwrap_or_default(), id).await?;
        self.check("", &draft.edits()?)?;
        let ask = || async {
            sqlx::query(
                "INSERT INTO reviews (id, asked_at, asked_by, note) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (id) DO UPDATE SET asked_at = excluded.asked_at, asked_by = excluded.asked_by, note = excluded.note",
            )
            .bind(id)
            .bind(micros(now))
            .bind(&author.name)
            .bind(note)
            .execute(self.database.pool())
            .await?;
            Ok(())
        };
        self.database.patiently(ask).await?;
        self.review(id).await
    }

    /// Takes a draft of one's own back from those who look at it. What they said stays.
    ///
    /// # Errors
    /// There is no such draft.
    pub async fn withdraw_review(&self, person: &str, id: &str) -> Result<(), EditError> {
        self.draft(person, id).await?;
        let withdraw = || async {
            sqlx::query("DELETE FROM reviews WHERE id = $1").bind(id).execute(self.database.pool()).await?;
            Ok(())
        };
        Ok(self.database.patiently(withdraw).await?)
    }

    /// Drafts that wait for somebody to look at them, those that wait longest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn waiting(&self) -> Result<Vec<Waiting>, EditError> {
        let rows: Vec<(String, String, String, String, i64)> = sqlx::query_as(
            "SELECT d.id, d.title, d.person_id, r.asked_by, r.asked_at FROM reviews r JOIN drafts d ON d.id = r.id ORDER BY r.asked_at, d.id",
        )
        .fetch_all(self.database.pool())
        .await?;
        let files: Vec<(String, String)> = sqlx::query_as(
            "SELECT f.draft_id, f.path FROM draft_files f JOIN reviews r ON r.id = f.draft_id ORDER BY f.path",
        )
        .fetch_all(self.database.pool())
        .await?;
        let waiting =
            |(draft, title, person, person_name, asked_at): (String, String, String, String, i64)| {
                let of = files.iter().filter(|(of, _)| *of == draft);
                let paths = of.map(|(_, path)| path.clone()).collect();
                Waiting { draft, title, person, person_name, asked_at: moment(asked_at), paths }
            };
        Ok(rows.into_iter().map(waiting).collect())
    }

    /// A draft that others were asked to look at, with all that was said of it.
    ///
    /// # Errors
    /// There is none, or nobody was asked.
    pub async fn review(&self, id: &str) -> Result<Review, EditError> {
        let row: Option<(String, String, i64, String)> = sqlx::query_as(
            "SELECT d.person_id, r.asked_by, r.asked_at, r.note FROM reviews r JOIN drafts d ON d.id = r.id WHERE r.id = $1",
        )
        .bind(id)
        .fetch_optional(self.database.pool())
        .await?;
        let (person, person_name, asked_at, note) = row.ok_or(EditError::NotFound("review"))?;
        let draft = self.draft(&person, id).await?;
        let contents = contents(&draft.files);
        let said: Vec<VerdictRow> = sqlx::query_as(
            "SELECT person_id, person_name, at, approved, contents, note FROM verdicts WHERE draft_id = $1 ORDER BY id",
        )
        .bind(id)
        .fetch_all(self.database.pool())
        .await?;
        let mut verdicts: Vec<Verdict> = Vec::new();
        for (person, person_name, at, approved, of, note) in said {
            verdicts.retain(|earlier| earlier.person != person);
            let (at, approved, current) = (moment(at), approved != 0, of == contents);
            verdicts.push(Verdict { person, person_name, at, approved, current, note });
        }
        let rows: Vec<RemarkRow> = sqlx::query_as(
            "SELECT id, path, line, line_text, person_id, person_name, at, body, settled_at FROM remarks WHERE draft_id = $1 ORDER BY id",
        )
        .bind(id)
        .fetch_all(self.database.pool())
        .await?;
        let remarks = rows.into_iter().map(|row| remark(&draft, row)).collect();
        let asked_at = moment(asked_at);
        Ok(Review { draft, person, person_name, asked_at, note, contents, verdicts, remarks })
    }

    /// Says of a draft of somebody else that it is approved, or that something is to be changed. `seen` is the digest of what one looked at.
    ///
    /// # Errors
    /// There is no such review, it is one's own draft, or it holds something else by now ([`EditError::Conflict`]).
    pub async fn decide(
        &self,
        author: &Author,
        id: &str,
        (approved, note): (bool, &str),
        seen: &str,
        now: Timestamp,
    ) -> Result<Review, EditError> {
        check_text("note", note)?;
        let review = self.review(id).await?;
        let person = author.id.as_deref().unwrap_or_default();
        if review.person == person {
            return Err(EditError::invalid("draft", "is your own: somebody else must look at it"));
        }
        if review.contents != seen {
            return Err(EditError::Conflict(review.draft.files.into_iter().map(|file| file.path).collect()));
        }
        let verdict = self.ids.next(now);
        let decide = || async {
            sqlx::query(
                "INSERT INTO verdicts (id, draft_id, person_id, person_name, at, approved, contents, note) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
            )
            .bind(&verdict)
            .bind(id)
            .bind(person)
            .bind(&author.name)
            .bind(micros(now))
            .bind(i64::from(approved))
            .bind(seen)
            .bind(note)
            .execute(self.database.pool())
            .await?;
            Ok(())
        };
        self.database.patiently(decide).await?;
        self.review(id).await
    }

    /// Says something of a line of a draft, from 1.
    ///
    /// # Errors
    /// There is no such review, file or line, or nothing is said.
    pub async fn remark(
        &self,
        author: &Author,
        id: &str,
        (path, line): (&str, u32),
        body: &str,
        now: Timestamp,
    ) -> Result<Review, EditError> {
        check_text("body", body)?;
        if body.trim().is_empty() {
            return Err(EditError::invalid("body", "says nothing"));
        }
        let review = self.review(id).await?;
        if review.remarks.len() >= MAX_REMARKS {
            return Err(EditError::invalid("body", format!("there are {MAX_REMARKS} already")));
        }
        let file = review.draft.files.iter().find(|file| file.path == path);
        let text = file.ok_or(EditError::NotFound("file in this draft"))?.text.as_deref().unwrap_or_default();
        let at = usize::try_from(line).unwrap_or(usize::MAX);
        let Some(line_text) = at.checked_sub(1).and_then(|at| text.lines().nth(at)) else {
            return Err(EditError::invalid("line", "is none of this file"));
        };
        let remark = self.ids.next(now);
        let add = || async {
            sqlx::query(
                "INSERT INTO remarks (id, draft_id, path, line, line_text, person_id, person_name, at, body, settled_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL) ON CONFLICT (id) DO NOTHING",
            )
            .bind(&remark)
            .bind(id)
            .bind(path)
            .bind(i64::from(line))
            .bind(line_text)
            .bind(author.id.as_deref().unwrap_or_default())
            .bind(&author.name)
            .bind(micros(now))
            .bind(body)
            .execute(self.database.pool())
            .await?;
            Ok(())
        };
        self.database.patiently(add).await?;
        self.review(id).await
    }

    /// Settles a remark, or opens it again.
    ///
    /// # Errors
    /// There is none.
    pub async fn settle(&self, id: &str, is_settled: bool, now: Timestamp) -> Result<Review, EditError> {
        let row: Option<(String,)> = sqlx::query_as("SELECT draft_id FROM remarks WHERE id = $1")
            .bind(id)
            .fetch_optional(self.database.pool())
            .await?;
        let (draft,) = row.ok_or(EditError::NotFound("remark"))?;
        let review = self.review(&draft).await?;
        let at = is_settled.then(|| micros(now));
        let settle = || async {
            sqlx::query("UPDATE remarks SET settled_at = $1 WHERE id = $2")
                .bind(at)
                .bind(id)
                .execute(self.database.pool())
                .await?;
            Ok(())
        };
        self.database.patiently(settle).await?;
        self.review(&review.draft.id).await
    }
}

fn remark(draft: &Draft, row: RemarkRow) -> Remark {
    let (id, path, line, line_text, person, person_name, at, body, settled_at) = row;
    let file = draft.files.iter().find(|file| file.path == path);
    let text = file.and_then(|file| file.text.as_deref()).unwrap_or_default();
    let line = found_again(text, u32::try_from(line).unwrap_or_default(), &line_text);
    let (at, settled_at) = (moment(at), settled_at.map(moment));
    Remark { id, path, line, line_text, person, person_name, at, body, settled_at }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: Option<&str>) -> DraftFile {
        DraftFile { path: path.to_owned(), base: None, text: text.map(str::to_owned), version: 0 }
    }

    #[test]
    fn an_approval_is_for_one_text() {
        let one = contents(&[file("a", Some("b")), file("c", None)]);
        assert_eq!(one, contents(&[file("a", Some("b")), file("c", None)]));
        for other in [
            vec![file("a", Some("b")), file("c", Some(""))],
            vec![file("a", Some("bc")), file("", None)],
            vec![file("ab", Some("")), file("c", None)],
            vec![file("a", Some("b"))],
        ] {
            assert_ne!(one, contents(&other));
        }
    }

    #[test]
    fn lines_are_found_where_they_moved_to() {
        let text = "one\ntwo\nthree\ntwo\n";
        assert_eq!(found_again(text, 1, "two"), 2);
        assert_eq!(found_again(text, 5, "two"), 4);
        assert_eq!(found_again(text, 2, "four"), 0);
    }
}

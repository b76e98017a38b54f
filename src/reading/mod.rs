//! Must-reads: what somebody has to read, and who has acknowledged that he did.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use crate::content::validity::Clearance;
use crate::database::{Database, Ids, StoreError, micros, moment};

/// How long a mailed code is good.
const CODE_GOOD: SignedDuration = SignedDuration::from_mins(15);

/// The longest note or question, in bytes; the most choices; the most names of an audience or regions.
const MAX_TEXT: usize = 2_000;
const MAX_CHOICES: usize = 8;
const MAX_NAMES: usize = 100;

/// Must-reads in force at one time: more than that nobody reads.
const MAX_ACTIVE: usize = 1_000;

/// Why a must-read could not be made or acknowledged.
#[derive(Debug, Error)]
pub enum ReadingError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A field is wrong.
    #[error("`{name}`: {why}")]
    Invalid {
        /// The field.
        name: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// There is none.
    #[error("there is no such thing to read")]
    NotFound,
    /// The question was answered wrongly.
    #[error("that is not the answer: read again, and try once more")]
    WrongAnswer,
}

impl From<sqlx::Error> for ReadingError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

fn invalid(name: &'static str, why: impl Into<String>) -> ReadingError {
    ReadingError::Invalid { name, why: why.into() }
}

/// One question that shows whether somebody has understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckQuestion {
    /// The question.
    #[schema(max_length = 2000)]
    pub text: String,
    /// What may be answered.
    pub choices: Vec<String>,
    /// Which of them is right, from 0.
    pub right: usize,
}

/// What is to be read.
#[derive(Clone, Debug)]
pub struct NewMustRead {
    /// The article's id.
    pub article: String,
    /// Its title.
    pub title: String,
    /// What is new, in a sentence.
    pub note: String,
    /// By whom: audiences, teams, roles; empty: by everybody who may read the article.
    pub audience: Vec<String>,
    /// In which regions; empty: in all.
    pub regions: Vec<String>,
    /// The digest of the source that readers knew before; none: it is all new.
    pub before: Option<String>,
    /// The digest of the source as it is now.
    pub after: String,
    /// Until when.
    pub due: Option<Date>,
    /// What has to be answered.
    pub question: Option<CheckQuestion>,
    /// Whether a one-time code has to be given: by it, somebody signs.
    pub with_code: bool,
}

/// What must be read.
#[derive(Clone, Debug)]
pub struct MustRead {
    /// Its id; ids sort by time.
    pub id: String,
    /// What it is.
    pub what: NewMustRead,
    /// Since when.
    pub at: Timestamp,
    /// What the person is called who says so.
    pub author_name: String,
}

/// Who has read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Acknowledgement {
    /// The person's id.
    pub person: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// By what it was proved: `word`, `answer`, `code`.
    pub proof: String,
}

/// Who is asked whether he has to read something.
#[derive(Clone, Debug)]
pub struct ReaderOf<'a> {
    /// The audiences, teams and roles he belongs to.
    pub audiences: &'a [String],
    /// The regions he works in; empty: any.
    pub regions: &'a std::collections::BTreeSet<String>,
}

impl MustRead {
    /// Whether somebody has to read it. Whether he may read the article at all is another question.
    pub fn concerns(&self, reader: &ReaderOf<'_>) -> bool {
        let is_meant = Clearance::member(reader.audiences.to_vec()).admits(&self.what.audience);
        let (wanted, own) = (&self.what.regions, reader.regions);
        is_meant && (wanted.is_empty() || own.is_empty() || wanted.iter().any(|region| own.contains(region)))
    }
}

type Row = (
    String,
    String,
    String,
    String,
    String,
    String,
    Option<String>,
    String,
    i64,
    String,
    Option<String>,
    String,
    String,
    i64,
    i64,
);

fn must_read(row: Row) -> MustRead {
    let (id, article, title, note, audience, regions, before, after, at, author_name, due, ..) = row;
    let (question, choices, right, with_code) = (row.11, row.12, row.13, row.14);
    let texts = |json: &str| serde_json::from_str::<Vec<String>>(json).unwrap_or_default();
    let question = Some(question).filter(|text| !text.is_empty()).map(|text| CheckQuestion {
        text,
        choices: texts(&choices),
        right: usize::try_from(right).unwrap_or(usize::MAX),
    });
    let what = NewMustRead {
        article,
        title,
        note,
        audience: texts(&audience),
        regions: texts(&regions),
        before,
        after,
        due: due.and_then(|day| day.parse().ok()),
        question,
        with_code: with_code != 0,
    };
    MustRead { id, what, at: moment(at), author_name }
}

/// All that must be read.
#[derive(Debug)]
pub struct Reading {
    database: Database,
    ids: Ids,
    /// What is in force, the newest first: asked for with every article that is read.
    active: RwLock<Arc<Vec<Arc<MustRead>>>>,
}

impl Reading {
    /// What must be read, kept in a store.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn open(database: Database) -> Result<Self, StoreError> {
        let reading = Self { database, ids: Ids::default(), active: RwLock::default() };
        reading.refresh().await?;
        Ok(reading)
    }

    async fn refresh(&self) -> Result<(), StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, article, title, note, audience, regions, before, after, at, author_name, due, question, choices, answer, with_code \
             FROM must_reads WHERE withdrawn_at IS NULL ORDER BY id DESC",
        )
        .fetch_all(self.database.pool())
        .await?;
        let active = rows.into_iter().map(|row| Arc::new(must_read(row))).collect();
        *self.active.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(active);
        Ok(())
    }

    /// What must be read now, the newest first.
    pub fn active(&self) -> Arc<Vec<Arc<MustRead>>> {
        Arc::clone(&self.active.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Something that must be read now.
    ///
    /// # Errors
    /// There is none.
    pub fn find(&self, id: &str) -> Result<Arc<MustRead>, ReadingError> {
        self.active().iter().find(|one| one.id == id).cloned().ok_or(ReadingError::NotFound)
    }

    /// Says that something must be read. What had to be read of the same article by the same people before, has to be no more.
    ///
    /// # Errors
    /// A field is wrong, or there is too much to read already.
    pub async fn add(
        &self,
        (author, author_name): (Option<&str>, &str),
        what: &NewMustRead,
        now: Timestamp,
    ) -> Result<Arc<MustRead>, ReadingError> {
        check(what)?;
        let active = self.active();
        if active.len() >= MAX_ACTIVE {
            return Err(invalid(
                "article",
                format!("{MAX_ACTIVE} things must be read already: withdraw some"),
            ));
        }
        let same = |one: &&Arc<MustRead>| {
            let (own, new) = (&one.what, what);
            own.article == new.article && own.audience == new.audience && own.regions == new.regions
        };
        let earlier: Vec<String> = active.iter().filter(same).map(|one| one.id.clone()).collect();
        let id = self.ids.next(now);
        let json = |texts: &[String]| serde_json::to_string(texts).unwrap_or_default();
        let question = what.question.as_ref();
        let add = || async {
            let mut all = self.database.begin().await?;
            for earlier in &earlier {
                sqlx::query("UPDATE must_reads SET withdrawn_at = $1 WHERE id = $2")
                    .bind(micros(now))
                    .bind(earlier)
                    .execute(&mut *all)
                    .await?;
            }
            sqlx::query(
                "INSERT INTO must_reads (id, article, title, note, audience, regions, before, after, at, author, author_name, due, question, \
                 choices, answer, with_code, withdrawn_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, NULL) \
                 ON CONFLICT (id) DO NOTHING",
            )
            .bind(&id)
            .bind(&what.article)
            .bind(&what.title)
            .bind(&what.note)
            .bind(json(&what.audience))
            .bind(json(&what.regions))
            .bind(what.before.as_deref())
            .bind(&what.after)
            .bind(micros(now))
            .bind(author)
            .bind(author_name)
            .bind(what.due.map(|day| day.to_string()))
            .bind(question.map_or("", |question| question.text.as_str()))
            .bind(json(question.map_or(&[], |question| &question.choices)))
            .bind(question.map_or(-1, |question| i64::try_from(question.right).unwrap_or(-1)))
            .bind(i64::from(what.with_code))
            .execute(&mut *all)
            .await?;
            all.commit().await?;
            Ok(())
        };
        self.database.patiently(add).await?;
        self.refresh().await?;
        self.find(&id)
    }

    /// Says that something has to be read no more. Who has read it stays known.
    ///
    /// # Errors
    /// There is none.
    pub async fn withdraw(&self, id: &str, now: Timestamp) -> Result<(), ReadingError> {
        self.find(id)?;
        let withdraw = || async {
            sqlx::query("UPDATE must_reads SET withdrawn_at = $1 WHERE id = $2")
                .bind(micros(now))
                .bind(id)
                .execute(self.database.pool())
                .await?;
            Ok(())
        };
        self.database.patiently(withdraw).await?;
        Ok(self.refresh().await?)
    }

    /// The ids of what a person has acknowledged, and what each article held when he last did.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn read_by(&self, person: &str) -> Result<Vec<(String, String, String)>, StoreError> {
        let rows = sqlx::query_as(
            "SELECT must_read_id, article, text_id FROM acknowledgements WHERE person_id = $1 ORDER BY at, id",
        );
        Ok(rows.bind(person).fetch_all(self.database.pool()).await?)
    }

    /// Who has acknowledged something.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn readers(&self, id: &str) -> Result<HashMap<String, Acknowledgement>, StoreError> {
        let rows: Vec<(String, i64, String)> =
            sqlx::query_as("SELECT person_id, at, proof FROM acknowledgements WHERE must_read_id = $1")
                .bind(id)
                .fetch_all(self.database.pool())
                .await?;
        let acknowledged = |(person, at, proof): (String, i64, String)| {
            (person.clone(), Acknowledgement { person, at: moment(at), proof })
        };
        Ok(rows.into_iter().map(acknowledged).collect())
    }

    /// Notes that a person has read something, once. Whether the code was right, where one is asked for, is known already.
    ///
    /// # Errors
    /// There is none, or the question was answered wrongly.
    pub async fn acknowledge(
        &self,
        id: &str,
        person: &str,
        answer: Option<usize>,
        now: Timestamp,
    ) -> Result<(), ReadingError> {
        let one = self.find(id)?;
        if one.what.question.as_ref().is_some_and(|question| answer != Some(question.right)) {
            return Err(ReadingError::WrongAnswer);
        }
        let proof = match (&one.what.question, one.what.with_code) {
            (_, true) => "code",
            (Some(_), false) => "answer",
            (None, false) => "word",
        };
        let acknowledge = || async {
            sqlx::query(
                "INSERT INTO acknowledgements (id, must_read_id, person_id, article, text_id, at, proof) VALUES ($1, $2, $3, $4, $5, $6, $7) \
                 ON CONFLICT (id) DO NOTHING",
            )
            .bind(format!("{id}:{person}"))
            .bind(id)
            .bind(person)
            .bind(&one.what.article)
            .bind(&one.what.after)
            .bind(micros(now))
            .bind(proof)
            .execute(self.database.pool())
            .await?;
            Ok(())
        };
        Ok(self.database.patiently(acknowledge).await?)
    }

    /// Keeps the digest of a code that is mailed to a person, in the place of an earlier one.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn keep_code(
        &self,
        id: &str,
        person: &str,
        digest: &str,
        now: Timestamp,
    ) -> Result<(), ReadingError> {
        let keep = || async {
            sqlx::query(
                "INSERT INTO reading_codes (id, person_id, digest, expires_at) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, expires_at = excluded.expires_at",
            )
            .bind(format!("{id}:{person}"))
            .bind(person)
            .bind(digest)
            .bind(micros(now + CODE_GOOD))
            .execute(self.database.pool())
            .await?;
            Ok(())
        };
        Ok(self.database.patiently(keep).await?)
    }

    /// Uses a mailed code up. Returns whether it was the right one.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn use_code(
        &self,
        id: &str,
        person: &str,
        digest: &str,
        now: Timestamp,
    ) -> Result<bool, ReadingError> {
        let used = sqlx::query("DELETE FROM reading_codes WHERE id = $1 AND digest = $2 AND expires_at > $3")
            .bind(format!("{id}:{person}"))
            .bind(digest)
            .bind(micros(now))
            .execute(self.database.pool())
            .await?;
        Ok(used.rows_affected() == 1)
    }
}

fn check(what: &NewMustRead) -> Result<(), ReadingError> {
    if what.note.len() > MAX_TEXT {
        return Err(invalid("note", format!("is longer than {MAX_TEXT} bytes")));
    }
    for (name, names) in [("audience", &what.audience), ("regions", &what.regions)] {
        if names.len() > MAX_NAMES || names.iter().any(|one| one.trim().is_empty() || one.len() > 200) {
            return Err(invalid(name, format!("must be at most {MAX_NAMES} names")));
        }
    }
    let Some(question) = &what.question else { return Ok(()) };
    if question.text.trim().is_empty() || question.text.len() > MAX_TEXT {
        return Err(invalid("question", format!("must be 1 to {MAX_TEXT} bytes")));
    }
    let is_good = |choice: &String| !choice.trim().is_empty() && choice.len() <= MAX_TEXT;
    if !(2..=MAX_CHOICES).contains(&question.choices.len()) || !question.choices.iter().all(is_good) {
        return Err(invalid("question", format!("must have 2 to {MAX_CHOICES} choices")));
    }
    if question.right >= question.choices.len() {
        return Err(invalid("question", "`right` is none of its choices"));
    }
    Ok(())
}

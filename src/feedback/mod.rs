//! Feedback: what readers say is wrong, unclear or missing, and discussions of an article, until they are resolved.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use crate::database::{Database, Ids, StoreError, micros, moment};

/// The longest text, in bytes; the longest quote.
const MAX_TEXT: usize = 8_000;
const MAX_QUOTE: usize = 2_000;

/// Posts of one thread.
const MAX_POSTS: usize = 500;

/// Why something could not be said.
#[derive(Debug, Error)]
pub enum FeedbackError {
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
    #[error("there is no such thread")]
    NotFound,
}

impl From<sqlx::Error> for FeedbackError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What is said of an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ThreadKind {
    /// Something is wrong.
    Wrong,
    /// Something is unclear.
    Unclear,
    /// Something is missing.
    Missing,
    /// Something is to be talked about by all who may read the article.
    Discussion,
}

impl ThreadKind {
    /// The kinds by name.
    pub const NAMES: &[(&'static str, Self)] = &[
        ("wrong", Self::Wrong),
        ("unclear", Self::Unclear),
        ("missing", Self::Missing),
        ("discussion", Self::Discussion),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    fn of(name: &str) -> Self {
        Self::NAMES.iter().find(|(known, _)| *known == name).map_or(Self::Discussion, |(_, kind)| *kind)
    }
}

/// Something said of an article, as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Thread {
    /// Its id; ids sort by time.
    pub id: String,
    /// The article's id.
    pub article: String,
    /// The article's title then.
    pub title: String,
    /// The section; empty: the article as a whole.
    pub anchor: String,
    /// The sentence it is about.
    pub quote: String,
    /// What is said of it.
    pub kind: ThreadKind,
    /// The id of who began it; none: nobody was signed in, or he was erased.
    pub person: Option<String>,
    /// What that person was called.
    pub person_name: String,
    /// When it was begun.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// When something was last said.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// When it was resolved; none: it is open.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub resolved_at: Option<Timestamp>,
}

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Post {
    /// Its id.
    pub id: String,
    /// The id of who said it.
    pub person: Option<String>,
    /// What that person was called.
    pub person_name: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What was said.
    pub body: String,
}

/// A thread to begin.
#[derive(Clone, Debug)]
pub struct NewThread {
    /// The article's id.
    pub article: String,
    /// Its title.
    pub title: String,
    /// The section; empty: the article as a whole.
    pub anchor: String,
    /// The sentence it is about.
    pub quote: String,
    /// What is said of it.
    pub kind: ThreadKind,
    /// In words.
    pub body: String,
}

/// Which threads.
#[derive(Clone, Debug, Default)]
pub struct SoughtThreads {
    /// Those of this article.
    pub article: Option<String>,
    /// Those of this person, and discussions of everybody; none: all.
    pub person: Option<String>,
    /// Whether they are resolved.
    pub resolved: Option<bool>,
    /// Those last spoken in before this moment, for the next page.
    pub before: Option<Timestamp>,
    /// How many.
    pub limit: usize,
}

/// Who says something: his id and what he is called.
pub type Speaker<'a> = (Option<&'a str>, &'a str);

type Row = (String, String, String, String, String, String, Option<String>, String, i64, i64, Option<i64>);

const COLUMNS: &str =
    "id, article, title, anchor, quote, kind, person_id, person_name, at, updated_at, resolved_at";

fn thread(row: Row) -> Thread {
    let (id, article, title, anchor, quote, kind, person, person_name, at, updated_at, resolved_at) = row;
    let (kind, at, updated_at) = (ThreadKind::of(&kind), moment(at), moment(updated_at));
    let resolved_at = resolved_at.map(moment);
    Thread { id, article, title, anchor, quote, kind, person, person_name, at, updated_at, resolved_at }
}

fn check_body(body: &str) -> Result<(), FeedbackError> {
    if body.trim().is_empty() || body.len() > MAX_TEXT {
        let why = format!("must be 1 to {MAX_TEXT} bytes");
        return Err(FeedbackError::Invalid { name: "body", why });
    }
    Ok(())
}

/// All that readers say.
#[derive(Debug)]
pub struct Feedback {
    database: Database,
    ids: Ids,
}

impl Feedback {
    /// What is said, kept in a store.
    pub fn new(database: Database) -> Self {
        Self { database, ids: Ids::default() }
    }

    /// Begins a thread.
    ///
    /// # Errors
    /// Nothing is said, or too much.
    pub async fn begin(
        &self,
        (person, name): Speaker<'_>,
        new: &NewThread,
        now: Timestamp,
    ) -> Result<Thread, FeedbackError> {
        check_body(&new.body)?;
        if new.quote.len() > MAX_QUOTE || new.anchor.len() > MAX_QUOTE {
            let why = format!("is longer than {MAX_QUOTE} bytes");
            return Err(FeedbackError::Invalid { name: "quote", why });
        }
        let (id, post) = (self.ids.next(now), self.ids.next(now));
        let begin = || async {
            let mut all = self.database.begin().await?;
            sqlx::query(
                "INSERT INTO threads (id, article, title, anchor, quote, kind, person_id, person_name, at, updated_at, resolved_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, NULL) ON CONFLICT (id) DO NOTHING",
            )
            .bind(&id)
            .bind(&new.article)
            .bind(&new.title)
            .bind(&new.anchor)
            .bind(new.quote.trim())
            .bind(new.kind.name())
            .bind(person)
            .bind(name)
            .bind(micros(now))
            .execute(&mut *all)
            .await?;
            sqlx::query(
                "INSERT INTO posts (id, thread_id, person_id, person_name, at, body) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING",
            )
            .bind(&post)
            .bind(&id)
            .bind(person)
            .bind(name)
            .bind(micros(now))
            .bind(new.body.trim())
            .execute(&mut *all)
            .await?;
            all.commit().await?;
            Ok(())
        };
        self.database.patiently(begin).await?;
        self.thread(&id).await
    }

    /// Threads, those last spoken in first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn threads(&self, sought: &SoughtThreads) -> Result<Vec<Thread>, StoreError> {
        let resolved = sought.resolved.map_or(-1, i64::from);
        let statement = format!(
            "SELECT {COLUMNS} FROM threads WHERE ($1 = '' OR article = $1) AND ($2 = '' OR person_id = $2 OR kind = 'discussion') \
             AND ($3 < 0 OR ($3 = 1) = (resolved_at IS NOT NULL)) AND updated_at < $4 ORDER BY updated_at DESC, id DESC LIMIT $5"
        );
        let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(sought.article.as_deref().unwrap_or_default())
            .bind(sought.person.as_deref().unwrap_or_default())
            .bind(resolved)
            .bind(sought.before.map_or(i64::MAX, micros))
            .bind(i64::try_from(sought.limit).unwrap_or(i64::MAX))
            .fetch_all(self.database.pool())
            .await?;
        Ok(rows.into_iter().map(thread).collect())
    }

    /// A thread.
    ///
    /// # Errors
    /// There is none.
    pub async fn thread(&self, id: &str) -> Result<Thread, FeedbackError> {
        let statement = format!("SELECT {COLUMNS} FROM threads WHERE id = $1");
        let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(id)
            .fetch_optional(self.database.pool())
            .await?;
        row.map(thread).ok_or(FeedbackError::NotFound)
    }

    /// What was said in a thread, oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn posts(&self, thread: &str) -> Result<Vec<Post>, StoreError> {
        let rows: Vec<(String, Option<String>, String, i64, String)> = sqlx::query_as(
            "SELECT id, person_id, person_name, at, body FROM posts WHERE thread_id = $1 ORDER BY id",
        )
        .bind(thread)
        .fetch_all(self.database.pool())
        .await?;
        let post =
            |(id, person, person_name, at, body)| Post { id, person, person_name, at: moment(at), body };
        Ok(rows.into_iter().map(post).collect())
    }

    /// Says something in a thread, and resolves it or opens it again, where that is said.
    ///
    /// # Errors
    /// There is no such thread, or neither is done.
    pub async fn say(
        &self,
        (person, name): Speaker<'_>,
        id: &str,
        body: &str,
        resolved: Option<bool>,
        now: Timestamp,
    ) -> Result<Thread, FeedbackError> {
        self.thread(id).await?;
        let says_something = !body.trim().is_empty();
        if says_something || resolved.is_none() {
            check_body(body)?;
        }
        if says_something && self.posts(id).await?.len() >= MAX_POSTS {
            let why = format!("the thread holds {MAX_POSTS} already: begin another one");
            return Err(FeedbackError::Invalid { name: "body", why });
        }
        let post = self.ids.next(now);
        let say = || async {
            let mut all = self.database.begin().await?;
            if says_something {
                sqlx::query(
                    "INSERT INTO posts (id, thread_id, person_id, person_name, at, body) VALUES ($1, $2, $3, $4, $5, $6) \
                     ON CONFLICT (id) DO NOTHING",
                )
                .bind(&post)
                .bind(id)
                .bind(person)
                .bind(name)
                .bind(micros(now))
                .bind(body.trim())
                .execute(&mut *all)
                .await?;
            }
            sqlx::query("UPDATE threads SET updated_at = $1 WHERE id = $2")
                .bind(micros(now))
                .bind(id)
                .execute(&mut *all)
                .await?;
            if let Some(resolved) = resolved {
                sqlx::query("UPDATE threads SET resolved_at = $1 WHERE id = $2")
                    .bind(resolved.then(|| micros(now)))
                    .bind(id)
                    .execute(&mut *all)
                    .await?;
            }
            all.commit().await?;
            Ok(())
        };
        self.database.patiently(say).await?;
        self.thread(id).await
    }
}

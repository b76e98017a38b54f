//! Notices: what people and programs are told of what concerns them.

pub mod hooks;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::database::{Database, Ids, StoreError, micros, moment};

/// How long notices are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Notices listed for a person, the newest.
const LISTED: i64 = 200;

/// Notices in one mail.
const IN_ONE_MAIL: usize = 100;

/// People told in one transaction: others write in between.
const AT_ONCE: usize = 500;

/// The longest title, in characters.
const MAX_TITLE: usize = 300;

/// What people and programs are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// Somebody asks for a review.
    ReviewAsked,
    /// Somebody said something of one's draft.
    ReviewAnswered,
    /// One's draft was not published in its time.
    NotPublished,
    /// Something must be read.
    MustRead,
    /// A reader says that something is wrong, unclear or missing.
    Feedback,
    /// Somebody answered, or mended what one had told.
    FeedbackAnswered,
    /// One's article should be verified.
    Overdue,
    /// Something was published: for programs alone.
    Published,
}

impl NoticeKind {
    /// The kinds by name.
    pub const NAMES: &[(&'static str, Self)] = &[
        ("review-asked", Self::ReviewAsked),
        ("review-answered", Self::ReviewAnswered),
        ("not-published", Self::NotPublished),
        ("must-read", Self::MustRead),
        ("feedback", Self::Feedback),
        ("feedback-answered", Self::FeedbackAnswered),
        ("overdue", Self::Overdue),
        ("published", Self::Published),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// The kind of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// Those that people are told of.
    pub fn for_people() -> impl Iterator<Item = Self> {
        Self::NAMES.iter().map(|(_, kind)| *kind).filter(|kind| *kind != Self::Published)
    }
}

/// What somebody is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Notice {
    /// Its id; ids sort by time.
    pub id: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Of what kind it is.
    pub kind: NoticeKind,
    /// What it is about.
    pub title: String,
    /// The page that shows it: `/reviews/…`.
    pub link: String,
    /// When it was seen; none: it is new.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub seen_at: Option<Timestamp>,
}

/// In which ways a person is told of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoticeChoice {
    /// Of what kind.
    pub kind: NoticeKind,
    /// On the desk.
    pub on_desk: bool,
    /// By mail, once a day, when it was not seen on the desk.
    pub by_mail: bool,
}

/// Something to tell.
#[derive(Clone, Debug)]
pub struct News<'a> {
    /// Of what kind it is.
    pub kind: NoticeKind,
    /// What it is about.
    pub title: &'a str,
    /// The page that shows it.
    pub link: &'a str,
    /// What it is called, so that nobody is told of it twice; none: it happened just now, and once.
    pub once: Option<&'a str>,
}

/// What is to be mailed to somebody.
#[derive(Debug)]
pub struct Digest {
    /// The address.
    pub email: String,
    /// What happened, oldest first.
    pub notices: Vec<Notice>,
}

/// All that is told.
#[derive(Debug)]
pub struct Notices {
    database: Database,
    ids: Ids,
    http: reqwest::Client,
    /// How many each person has not seen: asked for with every page.
    unseen: Mutex<HashMap<String, usize>>,
}

type Row = (String, i64, String, String, String, Option<i64>);

fn notice((id, at, kind, title, link, seen_at): Row) -> Option<Notice> {
    let (at, kind, seen_at) = (moment(at), NoticeKind::of(&kind)?, seen_at.map(moment));
    Some(Notice { id, at, kind, title, link, seen_at })
}

impl Notices {
    /// What is told, kept in a store.
    pub fn new(database: Database) -> Self {
        Self { database, ids: Ids::default(), http: hooks::client(), unseen: Mutex::default() }
    }

    /// Tells people, each in the ways he chose, and programs that asked for the kind.
    ///
    /// # Errors
    /// The store cannot be written: nobody was told.
    pub async fn tell(&self, people: &[String], news: &News<'_>, now: Timestamp) -> Result<(), StoreError> {
        let title: &String = &news.title.chars().take(MAX_TITLE).collect();
        let kind = news.kind.name();
        let rows: Vec<(String, i64, i64)> =
            sqlx::query_as("SELECT person_id, on_desk, by_mail FROM notice_choices WHERE kind = $1")
                .bind(kind)
                .fetch_all(self.database.pool())
                .await?;
        let choices: &HashMap<String, (i64, i64)> =
            &rows.into_iter().map(|(person, desk, mail)| (person, (desk, mail))).collect();
        let ids: Vec<String> = people
            .iter()
            .map(|person| match news.once {
                Some(once) => format!("{kind}:{once}:{person}"),
                None => self.ids.next(now),
            })
            .collect();
        let told: Vec<(&String, &String)> = people.iter().zip(&ids).collect();
        let told = &told;
        let tell = |some: std::ops::Range<usize>| async move {
            let mut all = self.database.begin().await?;
            if some.start == 0 {
                self.deliver_to_hooks(&mut all, news, now).await?;
            }
            for (person, id) in &told[some] {
                let (on_desk, by_mail) = choices.get(*person).copied().unwrap_or((1, 1));
                if on_desk == 0 && by_mail == 0 {
                    continue;
                }
                sqlx::query(
                    "INSERT INTO notices (id, person_id, at, kind, title, link, on_desk, by_mail, seen_at, mailed_at) \
                     SELECT $1, id, $2, $3, $4, $5, $6, $7, NULL, NULL FROM people WHERE id = $8 ON CONFLICT (id) DO NOTHING",
                )
                .bind(*id)
                .bind(micros(now))
                .bind(kind)
                .bind(title)
                .bind(news.link)
                .bind(on_desk)
                .bind(by_mail)
                .bind(*person)
                .execute(&mut *all)
                .await?;
            }
            all.commit().await?;
            Ok(())
        };
        for start in (0..people.len().max(1)).step_by(AT_ONCE) {
            let some = start..people.len().min(start + AT_ONCE);
            self.database.patiently(|| tell(some.clone())).await?;
        }
        self.forget(people);
        Ok(())
    }

    /// What a person was told, the newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn of(&self, person: &str) -> Result<Vec<Notice>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, at, kind, title, link, seen_at FROM notices WHERE person_id = $1 AND on_desk = 1 ORDER BY at DESC, id DESC LIMIT $2",
        )
        .bind(person)
        .bind(LISTED)
        .fetch_all(self.database.pool())
        .await?;
        Ok(rows.into_iter().filter_map(notice).collect())
    }

    /// How many a person has not seen.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn unseen(&self, person: &str) -> Result<usize, StoreError> {
        if let Some(known) = self.known().get(person) {
            return Ok(*known);
        }
        let (count,): (i64,) = sqlx::query_as(
            "SELECT COUNT(*) FROM notices WHERE person_id = $1 AND on_desk = 1 AND seen_at IS NULL",
        )
        .bind(person)
        .fetch_one(self.database.pool())
        .await?;
        let count = usize::try_from(count).unwrap_or_default();
        self.known().insert(person.to_owned(), count);
        Ok(count)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<String, usize>> {
        self.unseen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, people: &[String]) {
        let mut known = self.known();
        for person in people {
            known.remove(person);
        }
    }

    /// Notes that a person has seen all he was told until a moment, or one thing alone.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn see(&self, person: &str, one: Option<&str>, now: Timestamp) -> Result<(), StoreError> {
        let see = || async {
            sqlx::query(
                "UPDATE notices SET seen_at = $1 WHERE person_id = $2 AND seen_at IS NULL AND at <= $1 AND ($3 = '' OR id = $3)",
            )
            .bind(micros(now))
            .bind(person)
            .bind(one.unwrap_or_default())
            .execute(self.database.pool())
            .await?;
            Ok(())
        };
        self.database.patiently(see).await?;
        self.forget(&[person.to_owned()]);
        Ok(())
    }

    /// Notes that a person has seen whatever leads to a page.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn see_page(&self, person: &str, link: &str, now: Timestamp) -> Result<(), StoreError> {
        if self.unseen(person).await? == 0 {
            return Ok(());
        }
        let see = || async {
            sqlx::query(
                "UPDATE notices SET seen_at = $1 WHERE person_id = $2 AND seen_at IS NULL AND link = $3",
            )
            .bind(micros(now))
            .bind(person)
            .bind(link)
            .execute(self.database.pool())
            .await?;
            Ok(())
        };
        self.database.patiently(see).await?;
        self.forget(&[person.to_owned()]);
        Ok(())
    }

    /// In which ways a person is told, of each kind.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn choices(&self, person: &str) -> Result<Vec<NoticeChoice>, StoreError> {
        let rows: Vec<(String, i64, i64)> =
            sqlx::query_as("SELECT kind, on_desk, by_mail FROM notice_choices WHERE person_id = $1")
                .bind(person)
                .fetch_all(self.database.pool())
                .await?;
        let of = |kind: NoticeKind| rows.iter().find(|(name, _, _)| name == kind.name());
        let choice = |kind| {
            let (on_desk, by_mail) =
                of(kind).map_or((true, true), |(_, desk, mail)| (*desk != 0, *mail != 0));
            NoticeChoice { kind, on_desk, by_mail }
        };
        Ok(NoticeKind::for_people().map(choice).collect())
    }

    /// Chooses in which ways a person is told of a kind.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn choose(&self, person: &str, choice: NoticeChoice) -> Result<(), StoreError> {
        let kind = choice.kind.name();
        let choose = || async {
            sqlx::query(
                "INSERT INTO notice_choices (id, person_id, kind, on_desk, by_mail) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (id) DO UPDATE SET on_desk = excluded.on_desk, by_mail = excluded.by_mail",
            )
            .bind(format!("{person}:{kind}"))
            .bind(person)
            .bind(kind)
            .bind(i64::from(choice.on_desk))
            .bind(i64::from(choice.by_mail))
            .execute(self.database.pool())
            .await?;
            Ok(())
        };
        self.database.patiently(choose).await
    }

    /// What is to be mailed: what nobody saw and nobody was mailed yet, by person.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn digests(&self, now: Timestamp) -> Result<Vec<Digest>, StoreError> {
        let rows: Vec<(String, String, i64, String, String, String)> = sqlx::query_as(
            "SELECT p.email, n.id, n.at, n.kind, n.title, n.link FROM notices n JOIN people p ON p.id = n.person_id \
             WHERE n.by_mail = 1 AND n.seen_at IS NULL AND n.mailed_at IS NULL AND n.at <= $1 AND p.active = 1 AND p.email IS NOT NULL \
             ORDER BY p.id, n.at, n.id",
        )
        .bind(micros(now))
        .fetch_all(self.database.pool())
        .await?;
        let mut digests: Vec<Digest> = Vec::new();
        for (email, id, at, kind, title, link) in rows {
            let Some(notice) = notice((id, at, kind, title, link, None)) else { continue };
            match digests.last_mut() {
                Some(last) if last.email == email && last.notices.len() < IN_ONE_MAIL => {
                    last.notices.push(notice)
                }
                _ => digests.push(Digest { email, notices: vec![notice] }),
            }
        }
        Ok(digests)
    }

    /// Notes that a digest was mailed.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn mailed(&self, digest: &Digest, now: Timestamp) -> Result<(), StoreError> {
        let note = || async {
            let mut all = self.database.begin().await?;
            for notice in &digest.notices {
                sqlx::query("UPDATE notices SET mailed_at = $1 WHERE id = $2")
                    .bind(micros(now))
                    .bind(&notice.id)
                    .execute(&mut *all)
                    .await?;
            }
            all.commit().await?;
            Ok(())
        };
        self.database.patiently(note).await
    }

    /// Removes what is old.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn tidy(&self, now: Timestamp) -> Result<(), StoreError> {
        let before = micros(now - KEPT);
        let tidy = || async {
            for statement in [
                "DELETE FROM notices WHERE at < $1",
                "DELETE FROM deliveries WHERE at < $1 AND next_at IS NULL",
            ] {
                sqlx::query(statement).bind(before).execute(self.database.pool()).await?;
            }
            Ok(())
        };
        self.database.patiently(tidy).await?;
        self.known().clear();
        Ok(())
    }
}

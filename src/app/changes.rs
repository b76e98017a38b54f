//! What changed, newest first; kept in the store, so that it is known after a restart as well.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use utoipa::ToSchema;

use crate::app::diff::SectionChange;
use crate::content::catalog::Lang;
use crate::database::{Database, Ids, StoreError, micros};

/// Changes remembered; older ones are forgotten.
const MAX_CHANGES: usize = 5_000;

/// Batches of changes that wait for the store. When it is gone for so long that there are more, the newest are served, but not kept.
const WAITING: usize = 1_000;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Happened {
    /// It is new.
    Added,
    /// It is different.
    Changed,
    /// It is gone.
    Removed,
}

/// What it happened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// An article.
    Article,
    /// An answer template.
    Template,
    /// A product of the catalogue.
    Product,
}

impl Subject {
    /// The subjects by name.
    pub const NAMES: &[(&'static str, Self)] =
        &[("article", Self::Article), ("template", Self::Template), ("product", Self::Product)];
}

/// What changed, before it is known when it is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Changed {
    /// What happened.
    pub change: Happened,
    /// To what.
    pub subject: Subject,
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Who it is for; empty means everybody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<String>,
    /// Products it is about; of a product its own id.
    #[serde(default)]
    pub products: Vec<String>,
    /// What is different, part by part. Left out in events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<SectionChange>,
    /// The same in the other language, of what is written in both: products.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<InOtherLanguage>,
}

/// A change as it reads in another language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InOtherLanguage {
    /// The language.
    pub lang: Lang,
    /// The title.
    pub title: String,
    /// What is different, part by part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<SectionChange>,
}

impl Changed {
    /// The title for readers of a language.
    pub fn title_for(&self, lang: Lang) -> &str {
        self.other.as_ref().filter(|other| other.lang == lang).map_or(&self.title, |other| &other.title)
    }

    /// Whether it tells what is different.
    pub fn has_text(&self) -> bool {
        self.parts().next().is_some()
    }

    /// Everything that is different, in all languages.
    pub fn parts(&self) -> impl Iterator<Item = &SectionChange> {
        self.sections.iter().chain(self.other.iter().flat_map(|other| &other.sections))
    }

    /// What is different, for readers of a language.
    pub fn sections_for(&self, lang: Lang) -> &[SectionChange] {
        self.other.as_ref().filter(|other| other.lang == lang).map_or(&self.sections, |other| &other.sections)
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// When it was taken up.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What is served since, as a number that only grows while the program runs.
    pub generation: u64,
    /// What it is.
    #[serde(flatten)]
    pub what: Changed,
}

impl Change {
    /// The change without what is different: for events, which only tell that something is.
    #[must_use]
    pub fn in_short(&self) -> Self {
        let Changed { change, subject, id, title, audience, products, other, sections: _ } = &self.what;
        let titled = |other: &InOtherLanguage| {
            let InOtherLanguage { lang, title, .. } = other;
            InOtherLanguage { lang: *lang, title: title.clone(), sections: Vec::new() }
        };
        let what = Changed {
            change: *change,
            subject: *subject,
            id: id.clone(),
            title: title.clone(),
            audience: audience.clone(),
            products: products.clone(),
            sections: Vec::new(),
            other: other.as_ref().map(titled),
        };
        Self { at: self.at, generation: self.generation, what }
    }
}

/// Which changes.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// At or after this moment.
    pub since: Option<Timestamp>,
    /// About one of these products.
    pub products: Vec<String>,
    /// Of one of these.
    pub subjects: Vec<Subject>,
}

/// Changes that happened together and are written together.
type Together = Arc<[Arc<Change>]>;

/// The last changes.
#[derive(Debug)]
pub struct Changes {
    noted: RwLock<VecDeque<Arc<Change>>>,
    /// None once no more are taken.
    queue: Mutex<Option<mpsc::Sender<Together>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Changes {
    /// The changes that are known from earlier. Those to come are written by a task of the runtime this is called in.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn open(database: Database) -> Result<Self, StoreError> {
        let noted = database.patiently(|| earlier(&database)).await?;
        let (queue, waiting) = mpsc::channel(WAITING);
        let writer = tokio::spawn(write(database, waiting));
        Ok(Self {
            noted: RwLock::new(noted),
            queue: Mutex::new(Some(queue)),
            writer: Mutex::new(Some(writer)),
        })
    }

    /// Notes changes that happened together.
    pub fn note(&self, changes: &[Arc<Change>]) {
        let mut noted = self.noted.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            noted.push_front(Arc::clone(change));
        }
        noted.truncate(MAX_CHANGES);
    }

    /// Has changes that were noted written to the store; does not wait for it.
    pub fn keep(&self, changes: Together) {
        if changes.is_empty() {
            return;
        }
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.as_ref().is_none_or(|queue| queue.try_send(changes).is_err()) {
            tracing::error!("the store is behind or gone: what changed now is told, but not after a restart");
        }
    }

    /// Waits until all that was to be kept is kept; no more is taken after it.
    pub async fn finish(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            let _ = writer.await;
        }
    }

    /// The changes asked for as `told` gives them (it gets the audience of the newest change of the same thing), newest first, and how many there are in all.
    pub fn find(
        &self,
        asked: &Asked,
        limit: usize,
        told: impl Fn(&Arc<Change>, &[String]) -> Option<Arc<Change>>,
    ) -> (Vec<Arc<Change>>, usize) {
        let fits = |change: &Arc<Change>| {
            (asked.subjects.is_empty() || asked.subjects.contains(&change.what.subject))
                && (asked.products.is_empty()
                    || change.what.products.iter().any(|p| asked.products.contains(p)))
        };
        let noted = self.noted.read().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back does not hide what is older.
        let mut newest: HashMap<(Subject, &str), &[String]> = HashMap::new();
        let fitting = noted.iter().filter_map(|change| {
            let what = &change.what;
            let last = *newest.entry((what.subject, &what.id)).or_insert(&what.audience);
            let is_late_enough = asked.since.is_none_or(|since| change.at >= since);
            // What is asked for is looked for in what one may know.
            let is_wanted = is_late_enough && fits(change);
            if is_wanted { told(change, last).filter(&fits) } else { None }
        });
        let mut found: Vec<Arc<Change>> = Vec::new();
        let mut total = 0;
        for change in fitting {
            if total < limit {
                found.push(change);
            }
            total += 1;
        }
        (found, total)
    }
}

/// The last changes kept, newest first. Older ones are dropped from the store.
async fn earlier(database: &Database) -> Result<VecDeque<Arc<Change>>, StoreError> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT id, record FROM changes ORDER BY id DESC LIMIT $1")
            .bind(MAX_CHANGES as i64)
            .fetch_all(database.pool())
            .await?;
    if let Some((oldest, _)) = rows.get(MAX_CHANGES - 1) {
        sqlx::query("DELETE FROM changes WHERE id < $1").bind(oldest).execute(database.pool()).await?;
    }
    let read = |(id, record): (String, String)| match serde_json::from_str(&record) {
        Ok(change) => Some(Arc::new(change)),
        Err(error) => {
            tracing::warn!(id, %error, "a change is passed over");
            None
        }
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

async fn write(database: Database, mut waiting: mpsc::Receiver<Together>) {
    let ids = Ids::default();
    while let Some(changes) = waiting.recv().await {
        let rows: Vec<(String, i64, String)> = changes
            .iter()
            .filter_map(|change| {
                Some((ids.next(change.at), micros(change.at), serde_json::to_string(&**change).ok()?))
            })
            .collect();
        // The ids make it harmless to write a batch again of which nobody knows whether it was written.
        if let Err(error) = database.patiently(|| insert(&database, &rows)).await {
            tracing::error!(%error, "what changed is told, but not after a restart");
        }
    }
}

async fn insert(database: &Database, rows: &[(String, i64, String)]) -> Result<(), StoreError> {
    let mut transaction = database.begin().await?;
    for (id, at, record) in rows {
        sqlx::query("INSERT INTO changes (id, at, record) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING")
            .bind(id)
            .bind(*at)
            .bind(record)
            .execute(&mut *transaction)
            .await?;
    }
    Ok(transaction.commit().await?)
}

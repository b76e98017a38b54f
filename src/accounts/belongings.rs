//! What people keep for themselves, and all that is known of one of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::accounts::audit::{Actor, Sought};
use crate::accounts::{AccountError, Accounts};
use crate::database::{dump, micros};

/// What may be kept.
pub const KINDS: &[&str] = &["favourites", "recents", "pinned", "snippets", "compare", "layout", "seen"];

/// The most bytes of one kind.
const MAX_BYTES: usize = 200 << 10;

impl Accounts {
    /// All a person keeps, by kind.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn belongings(&self, person: &str) -> Result<BTreeMap<String, Value>, AccountError> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT kind, value FROM belongings WHERE person_id = $1 ORDER BY kind")
                .bind(person)
                .fetch_all(self.database.pool())
                .await?;
        Ok(rows
            .into_iter()
            .filter_map(|(kind, value)| Some((kind, serde_json::from_str(&value).ok()?)))
            .collect())
    }

    /// Keeps something for a person in the place of what was kept before.
    ///
    /// # Errors
    /// It is of no kind that is kept, or too large.
    pub async fn keep(
        &self,
        person: &str,
        kind: &str,
        value: &Value,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        if !KINDS.contains(&kind) {
            let why = format!("must be one of: {}", KINDS.join(", "));
            return Err(AccountError::Invalid { name: "kind", why });
        }
        let text = value.to_string();
        if text.len() > MAX_BYTES {
            let why = format!("is {} bytes long; the limit is {MAX_BYTES}", text.len());
            return Err(AccountError::Invalid { name: "value", why });
        }
        let keep = || async {
            sqlx::query(
                "INSERT INTO belongings (id, person_id, kind, value, updated_at) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (id) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
            )
            .bind(format!("{person}:{kind}"))
            .bind(person)
            .bind(kind)
            .bind(&text)
            .bind(micros(now))
            .execute(self.database.pool())
            .await?;
            Ok(())
        };
        Ok(self.database.patiently(keep).await?)
    }

    /// All that is known of a person, for him to have (GDPR article 15, 152-FZ article 14).
    ///
    /// # Errors
    /// There is no such person.
    pub async fn export_person(
        &self,
        id: &str,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Value, AccountError> {
        let person = self.person(id).await?;
        let done = Sought { actor: Some(id.to_owned()), limit: 100_000, ..Sought::default() };
        let suffered = Sought { subject: Some(id.to_owned()), limit: 100_000, ..Sought::default() };
        // Who did it, and from where, is theirs.
        let mut others = self.audit(&suffered).await?;
        for entry in others.iter_mut().filter(|entry| entry.actor.as_deref() != Some(id)) {
            (entry.actor, entry.actor_name, entry.address) = (None, String::new(), String::new());
        }
        let export = json!({
            "person": person,
            "teams": self.teams_of(id).await?.into_iter().map(|team| team.name).collect::<Vec<_>>(),
            "sessions": self.sessions(id, None).await?,
            "tokens": self.tokens(Some(id)).await?,
            "kept": self.belongings(id).await?,
            "done": self.audit(&done).await?,
            "done_to": others,
            "written": dump::written_by(&self.database, id).await?,
        });
        self.note(actor, "person.exported", Some(id), "", now).await?;
        Ok(export)
    }
}

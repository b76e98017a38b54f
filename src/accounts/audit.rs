//! The audit log: who did what, when, from where. It is only added to, and entries go when they are as old as settings say.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::AssertSqlSafe;
use utoipa::ToSchema;

use crate::accounts::identity::{Identity, Who};
use crate::accounts::{AccountError, Accounts};
use crate::database::{micros, moment};

/// Who did something, and from where.
#[derive(Clone, Debug, Default)]
pub struct Actor {
    /// The person's id; none for the program itself and for who is not signed in.
    pub id: Option<String>,
    /// What the person or token is called.
    pub name: String,
    /// The network address.
    pub address: String,
}

impl Actor {
    /// Who asks.
    pub fn of(identity: &Identity, address: &str) -> Self {
        let name = match &identity.who {
            Who::Nobody => String::new(),
            Who::Person { name, .. } => name.to_string(),
            Who::Token { name, .. } => format!("token: {name}"),
        };
        Self { id: identity.person().map(str::to_owned), name, address: address.to_owned() }
    }

    /// Who has the command line.
    pub fn command_line() -> Self {
        Self { id: None, name: "command line".to_owned(), address: String::new() }
    }
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Entry {
    /// Its id; ids sort by time.
    pub id: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The id of the person who did it.
    pub actor: Option<String>,
    /// What the person or token was called.
    pub actor_name: String,
    /// What was done, as `person.created`.
    pub action: String,
    /// The id of what it was done to.
    pub subject: Option<String>,
    /// What is worth knowing besides.
    pub details: String,
    /// From which address.
    pub address: String,
}

/// Which entries.
#[derive(Clone, Debug, Default)]
pub struct Sought {
    /// Done by this person.
    pub actor: Option<String>,
    /// Of this action, or of all that begin so.
    pub action: Option<String>,
    /// Done to this.
    pub subject: Option<String>,
    /// With this text in names or details.
    pub text: Option<String>,
    /// At or after this moment.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// Older than this entry: for the next page.
    pub before: Option<String>,
    /// This many at most.
    pub limit: usize,
}

type Row = (String, i64, Option<String>, String, String, Option<String>, String, String);

impl Accounts {
    /// Adds an entry.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn note(
        &self,
        actor: &Actor,
        action: &str,
        subject: Option<&str>,
        details: &str,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        let id = self.ids.next(now);
        let add = || async {
            sqlx::query(
                "INSERT INTO audit (id, at, actor, actor_name, action, subject, details, address) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
            )
            .bind(&id)
            .bind(micros(now))
            .bind(actor.id.as_deref())
            .bind(&actor.name)
            .bind(action)
            .bind(subject)
            .bind(details)
            .bind(&actor.address)
            .execute(self.database.pool())
            .await?;
            Ok(())
        };
        Ok(self.database.patiently(add).await?)
    }

    /// Entries, the newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn audit(&self, sought: &Sought) -> Result<Vec<Entry>, AccountError> {
        let mut statement = String::from(
            "SELECT id, at, actor, actor_name, action, subject, details, address FROM audit WHERE 1 = 1",
        );
        let mut texts: Vec<String> = Vec::new();
        let mut add = |clause: &str, value: String| {
            texts.push(value);
            statement.push_str(&clause.replace('?', &format!("${}", texts.len())));
        };
        if let Some(actor) = &sought.actor {
            add(" AND actor = ?", actor.clone());
        }
        if let Some(action) = &sought.action {
            add(" AND action LIKE ? ESCAPE '!'", format!("{}%", like(action)));
        }
        if let Some(subject) = &sought.subject {
            add(" AND subject = ?", subject.clone());
        }
        if let Some(text) = &sought.text {
            // SQLite folds only Latin letters: what is sought is looked for as it is written, small, and with a capital.
            let any =
                [text.clone(), text.to_lowercase(), capital(text)].map(|text| format!("%{}%", like(&text)));
            let one = "actor_name || ' ' || action || ' ' || details || ' ' || address LIKE ? ESCAPE '!'";
            for (text, begin, end) in [(&any[0], " AND (", ""), (&any[1], " OR ", ""), (&any[2], " OR ", ")")]
            {
                add(&format!("{begin}{one}{end}"), text.clone());
            }
        }
        if let Some(before) = &sought.before {
            add(" AND id < ?", before.clone());
        }
        let mut next = texts.len();
        let moments: Vec<(&str, Option<Timestamp>)> = vec![(">=", sought.since), ("<", sought.until)];
        for (sign, at) in &moments {
            if at.is_some() {
                next += 1;
                statement.push_str(&format!(" AND at {sign} ${next}"));
            }
        }
        statement.push_str(&format!(" ORDER BY id DESC LIMIT ${}", next + 1));
        let mut query = sqlx::query_as::<_, Row>(AssertSqlSafe(statement));
        for text in texts {
            query = query.bind(text);
        }
        for at in moments.into_iter().filter_map(|(_, at)| at) {
            query = query.bind(micros(at));
        }
        let limit = i64::try_from(sought.limit).unwrap_or(i64::MAX);
        let rows = query.bind(limit).fetch_all(self.database.pool()).await?;
        let entry = |(id, at, actor, actor_name, action, subject, details, address): Row| Entry {
            id,
            at: moment(at),
            actor,
            actor_name,
            action,
            subject,
            details,
            address,
        };
        Ok(rows.into_iter().map(entry).collect())
    }
}

/// A word with a capital.
pub(super) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A text for LIKE with `!` as its escape, in which nothing means anything.
pub(super) fn like(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

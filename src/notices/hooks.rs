//! Webhooks: programs that are told over HTTP, signed (Standard Webhooks 1.0) and tried again until they answer.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;
use sqlx::{Any, Transaction};
use standardwebhooks::Webhook;
use thiserror::Error;
use utoipa::ToSchema;

use crate::database::{StoreError, micros, moment};
use crate::notices::{News, NoticeKind, Notices};

/// Seconds from each try to the next, as the specification recommends; after the last one it is given up.
const PAUSES: [i64; 8] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000];

/// How long a program may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Deliveries tried at one time.
const AT_ONCE: i64 = 8;

/// Deliveries listed of one program, the newest.
const LISTED: i64 = 100;

/// Programs that may be told.
const MAX_HOOKS: i64 = 50;

/// The longest fault kept, in characters.
const MAX_FAULT: usize = 300;

/// A program is told so by this answer that it will take nothing ever again.
const GONE: u16 = 410;

/// Why a webhook could not be kept.
#[derive(Debug, Error)]
pub enum HookError {
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
    #[error("there is no webhook with this id")]
    NotFound,
}

impl From<sqlx::Error> for HookError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// A program that is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Hook {
    /// Its id.
    pub id: String,
    /// Where it is told.
    pub url: String,
    /// Of what.
    pub kinds: Vec<NoticeKind>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Whether it is told: it is not, once it has answered `410 Gone`.
    pub active: bool,
}

/// Something that was or is to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Delivery {
    /// Its id, which is sent along as `webhook-id`: the same for every try.
    pub id: String,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Of what kind it is.
    pub kind: String,
    /// What is sent, as JSON.
    pub body: String,
    /// How often it was tried.
    pub tries: i64,
    /// When it is tried next; none: it was taken, or given up.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_at: Option<Timestamp>,
    /// The last answer's status; 0: there was none.
    pub status: i64,
    /// What went wrong last.
    pub fault: String,
}

type HookRow = (String, String, String, i64, i64);
type DeliveryRow = (String, i64, String, String, i64, Option<i64>, i64, String);
type DueRow = (String, String, i64, String, String, String);

/// Redirects are not followed: what is sent is for the address that was named.
pub(super) fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
    client.user_agent("Pharos").build().unwrap_or_default()
}

impl Notices {
    /// The programs that are told.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn hooks(&self) -> Result<Vec<Hook>, StoreError> {
        let rows: Vec<HookRow> =
            sqlx::query_as("SELECT id, url, kinds, created_at, active FROM hooks ORDER BY id")
                .fetch_all(self.database.pool())
                .await?;
        let hook = |(id, url, kinds, created_at, active): HookRow| Hook {
            id,
            url,
            kinds: serde_json::from_str(&kinds).unwrap_or_default(),
            created_at: moment(created_at),
            active: active != 0,
        };
        Ok(rows.into_iter().map(hook).collect())
    }

    /// Tells a program from now on. Returns it, and the secret by which it knows that it is told by this server.
    ///
    /// # Errors
    /// The address is none of HTTP, no kind is named, or there are too many.
    pub async fn add_hook(
        &self,
        url: &str,
        kinds: &[NoticeKind],
        secret: [u8; 24],
        now: Timestamp,
    ) -> Result<(Hook, String), HookError> {
        let invalid = |name, why: &str| HookError::Invalid { name, why: why.to_owned() };
        let parsed = reqwest::Url::parse(url).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
        if parsed.is_none_or(|url| url.host_str().is_none()) || url.len() > 2_000 {
            return Err(invalid("url", "must be an address as https://example.org/hook"));
        }
        if kinds.is_empty() {
            return Err(invalid("kinds", "must name what the program is told of"));
        }
        let (count,): (i64,) =
            sqlx::query_as("SELECT COUNT(*) FROM hooks").fetch_one(self.database.pool()).await?;
        if count >= MAX_HOOKS {
            return Err(invalid("url", "there are too many already: remove one"));
        }
        let hook = Hook {
            id: self.ids.next(now),
            url: url.to_owned(),
            kinds: kinds.to_vec(),
            created_at: now,
            active: true,
        };
        let secret = format!("whsec_{}", data_encoding::BASE64.encode(&secret));
        let add = || async {
            sqlx::query(
                "INSERT INTO hooks (id, url, secret, kinds, created_at, active) VALUES ($1, $2, $3, $4, $5, 1) ON CONFLICT (id) DO NOTHING",
            )
            .bind(&hook.id)
            .bind(&hook.url)
            .bind(&secret)
            .bind(serde_json::to_string(&hook.kinds).unwrap_or_default())
            .bind(micros(now))
            .execute(self.database.pool())
            .await?;
            Ok(())
        };
        self.database.patiently(add).await?;
        Ok((hook, secret))
    }

    /// Tells a program no more, and forgets what it was told.
    ///
    /// # Errors
    /// There is none.
    pub async fn remove_hook(&self, id: &str) -> Result<(), HookError> {
        let remove = || async {
            let done =
                sqlx::query("DELETE FROM hooks WHERE id = $1").bind(id).execute(self.database.pool()).await?;
            Ok(done.rows_affected())
        };
        match self.database.patiently(remove).await? {
            0 => Err(HookError::NotFound),
            _ => Ok(()),
        }
    }

    /// What a program was told, the newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn deliveries(&self, hook: &str) -> Result<Vec<Delivery>, StoreError> {
        let rows: Vec<DeliveryRow> = sqlx::query_as(
            "SELECT id, at, kind, body, tries, next_at, status, fault FROM deliveries WHERE hook_id = $1 ORDER BY id DESC LIMIT $2",
        )
        .bind(hook)
        .bind(LISTED)
        .fetch_all(self.database.pool())
        .await?;
        let delivery = |(id, at, kind, body, tries, next_at, status, fault): DeliveryRow| {
            let (at, next_at) = (moment(at), next_at.map(moment));
            Delivery { id, at, kind, body, tries, next_at, status, fault }
        };
        Ok(rows.into_iter().map(delivery).collect())
    }

    /// Notes what programs are to be told, in the transaction in which people are.
    pub(super) async fn deliver_to_hooks(
        &self,
        all: &mut Transaction<'static, Any>,
        news: &News<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT id, kinds FROM hooks WHERE active = 1").fetch_all(&mut **all).await?;
        for (hook, kinds) in rows {
            let kinds: Vec<NoticeKind> = serde_json::from_str(&kinds).unwrap_or_default();
            if !kinds.contains(&news.kind) {
                continue;
            }
            let id = match news.once {
                Some(once) => format!("{}:{once}:{hook}", news.kind.name()),
                None => self.ids.next(now),
            };
            let data = json!({"title": news.title, "link": news.link});
            let body = json!({"type": news.kind.name(), "timestamp": now.to_string(), "data": data});
            sqlx::query(
                "INSERT INTO deliveries (id, hook_id, at, kind, body, tries, next_at, status, fault) \
                 VALUES ($1, $2, $3, $4, $5, 0, $3, 0, '') ON CONFLICT (id) DO NOTHING",
            )
            .bind(id)
            .bind(&hook)
            .bind(micros(now))
            .bind(news.kind.name())
            .bind(body.to_string())
            .execute(&mut **all)
            .await?;
        }
        Ok(())
    }

    /// Tries what is to be sent by now. Returns how many were tried.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn deliver(&self, now: Timestamp) -> Result<usize, StoreError> {
        let due: Vec<DueRow> = sqlx::query_as(
            "SELECT d.id, d.hook_id, d.tries, d.body, h.url, h.secret FROM deliveries d JOIN hooks h ON h.id = d.hook_id \
             WHERE d.next_at <= $1 AND h.active = 1 ORDER BY d.next_at LIMIT $2",
        )
        .bind(micros(now))
        .bind(AT_ONCE)
        .fetch_all(self.database.pool())
        .await?;
        let tried = futures_util::future::join_all(due.iter().map(|one| self.try_once(one, now))).await;
        for outcome in tried {
            outcome?;
        }
        Ok(due.len())
    }

    async fn try_once(
        &self,
        (id, hook, tries, body, url, secret): &DueRow,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (status, fault) = self.send(id, body, (url, secret), now).await;
        let is_taken = (200..300).contains(&status);
        let pause = usize::try_from(*tries).ok().and_then(|tries| PAUSES.get(tries));
        let next = pause.filter(|_| !is_taken && status != GONE);
        let next = next.map(|seconds| micros(now + SignedDuration::from_secs(*seconds)));
        let note = || async {
            let mut all = self.database.begin().await?;
            sqlx::query(
                "UPDATE deliveries SET tries = $1, next_at = $2, status = $3, fault = $4 WHERE id = $5",
            )
            .bind(tries + 1)
            .bind(next)
            .bind(i64::from(status))
            .bind(&fault)
            .bind(id)
            .execute(&mut *all)
            .await?;
            if status == GONE {
                sqlx::query("UPDATE hooks SET active = 0 WHERE id = $1")
                    .bind(hook)
                    .execute(&mut *all)
                    .await?;
            }
            all.commit().await?;
            Ok(())
        };
        self.database.patiently(note).await
    }

    /// Sends once. Returns the answer's status, 0 without one, and what went wrong.
    async fn send(&self, id: &str, body: &str, (url, secret): (&str, &str), now: Timestamp) -> (u16, String) {
        let signed =
            Webhook::new(secret).and_then(|webhook| webhook.sign(id, now.as_second(), body.as_bytes()));
        let signature = match signed {
            Ok(signature) => signature,
            Err(error) => return (0, error.to_string()),
        };
        let request = self.http.post(url).body(body.to_owned()).header("content-type", "application/json");
        let request = request
            .header("webhook-id", id)
            .header("webhook-timestamp", now.as_second())
            .header("webhook-signature", signature);
        match request.send().await {
            Ok(reply) if reply.status().is_success() => (reply.status().as_u16(), String::new()),
            Ok(reply) => (reply.status().as_u16(), reply.status().to_string()),
            // Without the address: it may hold a secret of its own.
            Err(error) => {
                let mut fault = error.without_url().to_string();
                if fault.len() > MAX_FAULT {
                    fault = fault.chars().take(MAX_FAULT).collect();
                }
                (0, fault)
            }
        }
    }
}

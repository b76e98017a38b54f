//! Tries that failed: after a few, each next one has to wait twice as long.

use jiff::{SignedDuration, Timestamp};

use crate::accounts::{AccountError, Accounts};
use crate::database::{micros, moment};

/// How long failed tries are remembered.
pub const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// The longest wait.
const LONGEST: i64 = 15 * 60;

/// How often counting is begun anew when others count at the same time.
const MAX_RACES: usize = 20;

/// What is tried.
#[derive(Clone, Debug)]
pub struct Tried {
    key: String,
    /// Tries that may fail before one has to wait.
    free: i64,
}

impl Tried {
    /// To sign in under a name, whether anybody has it or not.
    pub fn login(login: &str) -> Self {
        Self { key: format!("login:{login}"), free: 5 }
    }

    /// To sign in from an address: many people may share one.
    pub fn address(address: &str) -> Self {
        Self { key: format!("address:{address}"), free: 30 }
    }

    /// Codes of a person's second factor.
    pub fn code(person: &str) -> Self {
        Self { key: format!("code:{person}"), free: 5 }
    }

    /// Seconds to wait after so many tries failed.
    fn wait(&self, times: i64) -> i64 {
        let over = times - self.free;
        if over < 0 { 0 } else { (1_i64 << over.min(20)).min(LONGEST) }
    }
}

impl Accounts {
    /// Counts a try, before it is known whether it fails: so that tries made at one time cannot slip through.
    ///
    /// # Errors
    /// It comes too soon after others that failed.
    pub async fn try_once(&self, tried: &Tried, now: Timestamp) -> Result<(), AccountError> {
        for _ in 0..MAX_RACES {
            if self.counted(tried, now).await? {
                return Ok(());
            }
        }
        // So many at one time are no person.
        Err(AccountError::Locked(1))
    }

    /// Counts a try, unless others were counted in between.
    async fn counted(&self, tried: &Tried, now: Timestamp) -> Result<bool, AccountError> {
        let row: Option<(i64, i64)> = sqlx::query_as("SELECT times, last_at FROM failures WHERE id = $1")
            .bind(&tried.key)
            .fetch_optional(self.database.pool())
            .await?;
        let Some((times, last_at)) = row else {
            let first =
                "INSERT INTO failures (id, times, last_at) VALUES ($1, 1, $2) ON CONFLICT (id) DO NOTHING";
            let first = sqlx::query(first).bind(&tried.key).bind(micros(now));
            return Ok(first.execute(self.database.pool()).await?.rows_affected() > 0);
        };
        let until = moment(last_at).as_second() + tried.wait(times);
        if until > now.as_second() {
            return Err(AccountError::Locked(until - now.as_second()));
        }
        let next =
            sqlx::query("UPDATE failures SET times = times + 1, last_at = $2 WHERE id = $1 AND times = $3")
                .bind(&tried.key)
                .bind(micros(now))
                .bind(times)
                .execute(self.database.pool())
                .await?;
        Ok(next.rows_affected() > 0)
    }

    /// Takes back the last try: it did not fail. `all`: and those before it.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn succeeded(&self, tried: &Tried, all: bool) -> Result<(), AccountError> {
        let statement = if all {
            "DELETE FROM failures WHERE id = $1"
        } else {
            "UPDATE failures SET times = times - 1 WHERE id = $1 AND times > 0"
        };
        sqlx::query(statement).bind(&tried.key).execute(self.database.pool()).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_waits_twice_as_long() {
        let waits: Vec<i64> = (3..18).map(|times| Tried::login("anna").wait(times)).collect();
        assert_eq!(waits, [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
    }
}

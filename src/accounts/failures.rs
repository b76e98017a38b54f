//! Tries that failed: after a few, each next one has to wait twice as long.

use std::net::IpAddr;

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
    /// Seconds after which one failure is forgiven.
    forgiven_after: i64,
}

/// A try that was counted.
#[derive(Clone, Debug)]
pub struct Counted {
    key: String,
    /// When it was made, and the one before it, in microseconds since 1970.
    at: i64,
    before: i64,
    /// How many were forgiven when it was made.
    forgiven: i64,
}

impl Tried {
    /// To sign in under a name from an address, whether anybody has the name or not: who guesses somewhere locks nobody out elsewhere.
    pub fn login(login: &str, address: &str) -> Self {
        Self { key: format!("login:{login}@{}", network(address)), free: 5, forgiven_after: 300 }
    }

    /// To sign in under a name from anywhere: guessing from many addresses ends as well.
    pub fn account(login: &str) -> Self {
        Self { key: format!("account:{login}"), free: 100, forgiven_after: 60 }
    }

    /// To sign in from an address: many people may share one.
    pub fn address(address: &str) -> Self {
        Self { key: format!("address:{}", network(address)), free: 30, forgiven_after: 30 }
    }

    /// To have a link sent.
    pub fn link(login: &str, address: &str) -> Self {
        Self { key: format!("link:{login}@{}", network(address)), free: 3, forgiven_after: 1_200 }
    }

    /// The password of a person who is signed in.
    pub fn password(person: &str) -> Self {
        Self { key: format!("password:{person}"), free: 5, forgiven_after: 300 }
    }

    /// To have a code mailed.
    pub fn mail(person: &str) -> Self {
        Self { key: format!("mail:{person}"), free: 3, forgiven_after: 600 }
    }

    /// Codes of a person's second factor, and codes mailed to him.
    pub fn code(person: &str) -> Self {
        Self { key: format!("code:{person}"), free: 5, forgiven_after: 300 }
    }

    /// What is tried, without whose.
    fn kind(&self) -> &str {
        self.key.split(':').next().unwrap_or_default()
    }

    /// How many failures count still, so many seconds after the last try.
    fn left(&self, times: i64, seconds: i64) -> i64 {
        (times - seconds.max(0) / self.forgiven_after).max(0)
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
    pub async fn try_once(&self, tried: &Tried, now: Timestamp) -> Result<Counted, AccountError> {
        for _ in 0..MAX_RACES {
            if let Some(counted) = self.counted(tried, now).await? {
                return Ok(counted);
            }
        }
        // So many at one time are no person.
        Err(AccountError::Locked(1))
    }

    /// Counts a try, unless others were counted in between.
    async fn counted(&self, tried: &Tried, now: Timestamp) -> Result<Option<Counted>, AccountError> {
        let at = micros(now);
        let counted = |before: i64, forgiven: i64| Counted { key: tried.key.clone(), at, before, forgiven };
        let row: Option<(i64, i64)> = sqlx::query_as("SELECT times, last_at FROM failures WHERE id = $1")
            .bind(&tried.key)
            .fetch_optional(self.database.pool())
            .await?;
        let Some((times, last_at)) = row else {
            let first =
                "INSERT INTO failures (id, times, last_at) VALUES ($1, 1, $2) ON CONFLICT (id) DO NOTHING";
            let first = sqlx::query(first).bind(&tried.key).bind(micros(now));
            let is_first = first.execute(self.database.pool()).await?.rows_affected() > 0;
            return Ok(is_first.then(|| counted(at, 0)));
        };
        let left = tried.left(times, now.as_second() - moment(last_at).as_second());
        let until = moment(last_at).as_second() + tried.wait(left);
        if until > now.as_second() {
            tracing::warn!(
                tried = tried.kind(),
                times = left,
                "too many tries failed: the next one has to wait"
            );
            return Err(AccountError::Locked(until - now.as_second()));
        }
        let next = sqlx::query(
            "UPDATE failures SET times = $4, last_at = $2 WHERE id = $1 AND times = $3 AND last_at = $5",
        )
        .bind(&tried.key)
        .bind(micros(now))
        .bind(times)
        .bind(left + 1)
        .bind(last_at)
        .execute(self.database.pool())
        .await?;
        Ok((next.rows_affected() > 0).then(|| counted(last_at, times - left)))
    }

    /// Takes back a try: it did not fail, and it is as if it had not been made.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn take_back(&self, counted: &Counted) -> Result<(), AccountError> {
        // When others were counted after it, the time that passed before it has forgiven what it has.
        sqlx::query(
            "UPDATE failures SET times = times - 1 + CASE WHEN last_at = $2 THEN $4 ELSE 0 END, \
             last_at = CASE WHEN last_at = $2 THEN $3 ELSE last_at END WHERE id = $1 AND times > 0",
        )
        .bind(&counted.key)
        .bind(counted.at)
        .bind(counted.before)
        .bind(counted.forgiven)
        .execute(self.database.pool())
        .await?;
        Ok(())
    }

    /// Forgets all tries of something: the right one was made.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn forgive(&self, counted: &Counted) -> Result<(), AccountError> {
        sqlx::query("DELETE FROM failures WHERE id = $1")
            .bind(&counted.key)
            .execute(self.database.pool())
            .await?;
        Ok(())
    }
}

/// The network of an address: of IPv6, where everybody has as many addresses as he likes, the first 64 bits.
pub fn network(address: &str) -> String {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::{Database, Place};
    use crate::settings::Settings;

    /// Time forgives once: what is taken back is as if it had not been, and does not count the same time again.
    #[tokio::test]
    async fn what_is_taken_back_forgives_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&Place::named("", folder.path())).await.unwrap();
        let accounts = Accounts::open(database, &Settings::default()).await.unwrap();
        let tried = Tried::address("192.0.2.1");
        let mut now = Timestamp::from_second(1_000_000).unwrap();
        let pass = |now: &mut Timestamp, seconds| {
            *now = now.checked_add(SignedDuration::from_secs(seconds)).unwrap()
        };
        for _ in 0..30 {
            accounts.try_once(&tried, now).await.unwrap();
        }
        // Somebody who knows his password comes in, again and again: within two forgiven, two failures are.
        for _ in 0..20 {
            pass(&mut now, 3);
            let counted = accounts.try_once(&tried, now).await.unwrap();
            accounts.take_back(&counted).await.unwrap();
        }
        let mut heard = 0;
        while accounts.try_once(&tried, now).await.is_ok() {
            heard += 1;
        }
        assert_eq!(heard, 2);
    }

    #[test]
    fn each_failure_waits_twice_as_long() {
        let waits: Vec<i64> = (3..18).map(|times| Tried::login("anna", "192.0.2.1").wait(times)).collect();
        assert_eq!(Tried::login("anna", "192.0.2.1").left(7, 650), 5);
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2:ffff::1"));
        assert_eq!(waits, [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
    }
}

//! Passwords: which are good enough, and how they are kept (Argon2id, RFC 9106).

use std::sync::{Arc, OnceLock};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use zxcvbn::Score;

use crate::accounts::{AccountError, Accounts};

/// The least characters of a password (NIST SP 800-63B-4 asks for 15 where it is the only factor, for 8 beside another).
pub const LEAST: usize = 12;

/// The most characters.
const MOST: usize = 256;

/// Words that everybody tries first here.
const OWN_WORDS: [&str; 4] = ["pharos", "pharos-kb", "маяк", "knowledge"];

/// Checks that a password is hard to guess: long enough, and not made of what is tried first (zxcvbn, Wheeler 2016). `about` is what others
/// know of the person.
///
/// # Errors
/// What is wrong with it.
pub fn check(password: &str, about: &[&str]) -> Result<(), AccountError> {
    let length = password.chars().count();
    let weak = |why: String| Err(AccountError::Invalid { name: "password", why });
    if !(LEAST..=MOST).contains(&length) {
        return weak(format!(
            "must have {LEAST} to {MOST} characters; a few words one after another are easy to remember"
        ));
    }
    let known: Vec<&str> = about.iter().chain(&OWN_WORDS).copied().filter(|word| word.len() > 2).collect();
    if zxcvbn::zxcvbn(password, &known).score() < Score::Three {
        return weak("is easy to guess; take a few words that do not belong together".to_owned());
    }
    Ok(())
}

impl Accounts {
    /// The hash of a password, as a PHC string.
    pub(super) async fn hash(&self, password: &str) -> Result<String, AccountError> {
        let password = password.to_owned();
        self.hashing(move || {
            let hash = Argon2::default().hash_password(password.as_bytes());
            hash.map(|hash| hash.to_string()).map_err(|error| AccountError::System(error.to_string()))
        })
        .await?
    }

    /// Whether a password is the one of a hash. Without a hash it takes as long, and is wrong: time does not tell who has an account.
    pub(super) async fn is_password(&self, password: &str, hash: Option<&str>) -> Result<bool, AccountError> {
        static NOBODYS: OnceLock<String> = OnceLock::new();
        let (password, hash) = (password.to_owned(), hash.map(str::to_owned));
        self.hashing(move || {
            let argon2 = Argon2::default();
            let nobodys = NOBODYS.get_or_init(|| {
                argon2.hash_password(b"nobody's password").map(|hash| hash.to_string()).unwrap_or_default()
            });
            let parsed = PasswordHash::new(hash.as_deref().unwrap_or(nobodys));
            let is_right =
                parsed.is_ok_and(|parsed| argon2.verify_password(password.as_bytes(), &parsed).is_ok());
            is_right && hash.is_some()
        })
        .await
    }

    async fn hashing<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AccountError> {
        let system = |error: &dyn std::fmt::Display| AccountError::System(error.to_string());
        let permit = Arc::clone(&self.hashing).acquire_owned().await.map_err(|error| system(&error))?;
        // The permit goes with the work, which goes on when nobody waits for it any more.
        let work = move || {
            let done = work();
            drop(permit);
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| system(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_first_is_no_password() {
        let about = ["anna.petrova", "Анна Петрова"];
        for weak in [
            "short",
            "password1234",
            "qwertyuiop123",
            "aaaaaaaaaaaaaaa",
            "anna.petrova1",
            "pharospharos",
            "йцукенйцукен",
        ] {
            assert!(check(weak, &about).is_err(), "{weak}");
        }
        for good in ["correct horse battery staple", "верблюд под зелёной скамейкой", "xK9#mQ2$vL7pZ!"]
        {
            assert!(check(good, &about).is_ok(), "{good}");
        }
    }
}

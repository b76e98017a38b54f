//! The second factor: codes that change with the time (TOTP, RFC 6238), and codes for when the device is lost.

use data_encoding::BASE32_NOPAD;
use jiff::Timestamp;
use qrcode::QrCode;
use qrcode::render::svg;
use serde::Serialize;
use totp_rs::{Builder, Secret, Totp};
use utoipa::ToSchema;

use crate::accounts::audit::Actor;
use crate::accounts::failures::Tried;
use crate::accounts::secrets::{digest, random};
use crate::accounts::{AccountError, Accounts};
use crate::database::micros;

/// Codes for recovery, each good once.
const RECOVERY_CODES: usize = 10;

/// What an app needs to make codes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Setup {
    /// To be typed in.
    pub secret: String,
    /// The same as an address (`otpauth:`).
    pub address: String,
    /// The same as a picture to be read by a camera (SVG).
    pub picture: String,
}

fn totp(secret: Vec<u8>, account: &str) -> Result<Totp, AccountError> {
    let fault = |error: &dyn std::fmt::Display| AccountError::System(error.to_string());
    // A colon parts issuer and account in the address.
    let account = account.replace(':', "_");
    let builder = Builder::new().with_secret(Secret::from(secret)).with_skew(1);
    let builder = builder.with_issuer(Some("Pharos")).with_account_name(account);
    builder.build().map_err(|error| fault(&error))
}

impl Accounts {
    /// Begins to set a second factor up; it counts once a code of it was shown.
    ///
    /// # Errors
    /// There is one already.
    pub async fn begin_second_factor(&self, person: &str, now: Timestamp) -> Result<Setup, AccountError> {
        let person = self.person(person).await?;
        if person.has_second_factor {
            return Err(AccountError::Conflict(
                "there is a second factor already; remove it first".to_owned(),
            ));
        }
        let bytes: [u8; 20] = random()?;
        let secret = BASE32_NOPAD.encode(&bytes);
        sqlx::query(
            "UPDATE people SET totp_secret = $2, totp_step = -1, updated_at = $3 WHERE id = $1 \
             AND (totp_secret IS NULL OR totp_step < 0)",
        )
        .bind(&person.id)
        .bind(&secret)
        .bind(micros(now))
        .execute(self.database.pool())
        .await?;
        let fault = |error: &dyn std::fmt::Display| AccountError::System(error.to_string());
        let address = totp(bytes.to_vec(), &person.login)?.to_url().map_err(|error| fault(&error))?;
        let code = QrCode::new(address.as_bytes()).map_err(|error| fault(&error))?;
        let picture = code.render::<svg::Color<'_>>().min_dimensions(200, 200).build();
        Ok(Setup { secret, address, picture })
    }

    /// Turns the second factor on that was begun, and gives codes for recovery, which are nowhere else.
    ///
    /// # Errors
    /// None was begun, or the code is wrong.
    pub async fn confirm_second_factor(
        &self,
        person: &str,
        code: &str,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Vec<String>, AccountError> {
        let counted = self.try_once(&Tried::code(person), now).await?;
        let row: Option<(Option<String>, Option<i64>)> =
            sqlx::query_as("SELECT totp_secret, totp_step FROM people WHERE id = $1")
                .bind(person)
                .fetch_optional(self.database.pool())
                .await?;
        if !matches!(row, Some((Some(_), Some(-1)))) {
            return Err(AccountError::Conflict("begin to set it up first".to_owned()));
        }
        if !self.is_totp(person, code, now).await? {
            return Err(AccountError::Wrong("the code is wrong; see that the clock of the device is right"));
        }
        self.forgive(&counted).await?;
        self.note(actor, "second-factor.added", Some(person), "", now).await?;
        self.forget_people(&[person]).await?;
        self.new_recovery_codes(person).await
    }

    async fn new_recovery_codes(&self, person: &str) -> Result<Vec<String>, AccountError> {
        let mut codes = Vec::new();
        let mut writing = self.database.begin().await?;
        sqlx::query("DELETE FROM recovery_codes WHERE person_id = $1")
            .bind(person)
            .execute(&mut *writing)
            .await?;
        for _ in 0..RECOVERY_CODES {
            let code = BASE32_NOPAD.encode(&random::<15>()?).to_lowercase();
            sqlx::query("INSERT INTO recovery_codes (id, person_id) VALUES ($1, $2)")
                .bind(digest(&code))
                .bind(person)
                .execute(&mut *writing)
                .await?;
            let parts: Vec<String> =
                code.as_bytes().chunks(4).map(|c| String::from_utf8_lossy(c).into_owned()).collect();
            codes.push(parts.join("-"));
        }
        writing.commit().await?;
        Ok(codes)
    }

    /// Removes the second factor.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn remove_second_factor(
        &self,
        person: &str,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        let mut writing = self.database.begin().await?;
        sqlx::query("UPDATE people SET totp_secret = NULL, totp_step = NULL, updated_at = $2 WHERE id = $1")
            .bind(person)
            .bind(micros(now))
            .execute(&mut *writing)
            .await?;
        sqlx::query("DELETE FROM recovery_codes WHERE person_id = $1")
            .bind(person)
            .execute(&mut *writing)
            .await?;
        writing.commit().await?;
        self.forget_people(&[person]).await?;
        self.note(actor, "second-factor.removed", Some(person), "", now).await
    }

    /// Whether a code is one of the second factor, or one for recovery. Either is good once.
    pub(super) async fn is_code(
        &self,
        person: &str,
        code: &str,
        now: Timestamp,
    ) -> Result<bool, AccountError> {
        let plain: String =
            code.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect();
        if plain.len() <= 8 {
            return self.is_totp(person, &plain, now).await;
        }
        let used = sqlx::query("DELETE FROM recovery_codes WHERE id = $1 AND person_id = $2")
            .bind(digest(&plain))
            .bind(person)
            .execute(self.database.pool())
            .await?;
        Ok(used.rows_affected() > 0)
    }

    /// Whether a code is that of a person's second factor now. Tries are counted.
    ///
    /// # Errors
    /// There were too many tries, or the store cannot be read.
    pub async fn prove_by_code(
        &self,
        person: &str,
        code: &str,
        now: Timestamp,
    ) -> Result<bool, AccountError> {
        let counted = self.try_once(&Tried::code(person), now).await?;
        let is_right = self.is_totp(person, code, now).await?;
        if is_right {
            self.forgive(&counted).await?;
        }
        Ok(is_right)
    }

    async fn is_totp(&self, person: &str, code: &str, now: Timestamp) -> Result<bool, AccountError> {
        let row: Option<(Option<String>,)> = sqlx::query_as("SELECT totp_secret FROM people WHERE id = $1")
            .bind(person)
            .fetch_optional(self.database.pool())
            .await?;
        let Some(secret) = row.and_then(|(secret,)| secret) else { return Ok(false) };
        let secret =
            BASE32_NOPAD.decode(secret.as_bytes()).map_err(|e| AccountError::System(e.to_string()))?;
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let Some(step) = totp(secret, "")?.check(code.trim(), seconds) else { return Ok(false) };
        // Codes of this step and earlier ones are used up, whoever comes second.
        let used = sqlx::query("UPDATE people SET totp_step = $2 WHERE id = $1 AND totp_step < $2")
            .bind(person)
            .bind(i64::try_from(step).unwrap_or(i64::MAX))
            .execute(self.database.pool())
            .await?;
        Ok(used.rows_affected() > 0)
    }
}

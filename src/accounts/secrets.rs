//! Secrets: made at random, kept as digests.

use data_encoding::BASE64URL_NOPAD;
use subtle::ConstantTimeEq;

use crate::accounts::AccountError;

/// Bytes of a secret: 256 bits cannot be guessed.
const BYTES: usize = 32;

/// Random bytes of the system.
///
/// # Errors
/// The system gives none.
pub fn random<const N: usize>() -> Result<[u8; N], AccountError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| AccountError::System(format!("no random numbers: {error}")))?;
    Ok(bytes)
}

/// A new secret, in characters that may stand in an address, a cookie and a header.
///
/// # Errors
/// The system gives no random numbers.
pub fn secret() -> Result<String, AccountError> {
    Ok(BASE64URL_NOPAD.encode(&random::<BYTES>()?))
}

/// A code of six digits, for people to type: it is good for minutes and few tries.
///
/// # Errors
/// The system gives no random numbers.
pub fn digits() -> Result<String, AccountError> {
    Ok(format!("{:06}", u64::from_le_bytes(random()?) % 1_000_000))
}

/// What is kept of a secret (BLAKE3, in hexadecimal). Secrets are random, so that no slow hash is needed.
pub fn digest(secret: &str) -> String {
    blake3::hash(secret.as_bytes()).to_hex().to_string()
}

/// Whether two texts are the same, in a time that does not tell where they differ.
pub fn is_same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

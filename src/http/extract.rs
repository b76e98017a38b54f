//! Extractors whose rejections are problems, and the parameters that many routes take.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::content::yaml::parse_date;
use crate::http::problem::{Code, FieldError, Problem};

/// The query string, read into a type whose fields are optional texts; [`Reader`] checks them.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    #[expect(clippy::disallowed_types, reason = "this is the extractor with our rejection")]
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let found = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        let axum::extract::Query(value) =
            found.map_err(|rejection| Problem::new(Code::InvalidParameter, rejection.body_text()))?;
        Ok(Self(value))
    }
}

/// The rest of the path behind a route: an id, which may hold slashes.
#[derive(Debug)]
pub struct Id(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    #[expect(clippy::disallowed_types, reason = "this is the extractor with our rejection")]
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let found = axum::extract::Path::<String>::from_request_parts(parts, state).await;
        let axum::extract::Path(id) =
            found.map_err(|rejection| Problem::new(Code::NotFound, rejection.body_text()))?;
        // Ids are in normal form C, as `files::id_of` makes them.
        Ok(Self(if is_nfc(&id) { id } else { id.nfc().collect() }))
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<axum::body::Bytes, Problem> {
    axum::body::Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::BodyTooLarge, rejection.body_text()),
        _ => Problem::new(Code::InvalidBody, rejection.body_text()),
    })
}

/// A body of any bytes. It says so (`application/octet-stream`), which pages of other sites cannot without asking first.
#[derive(Debug)]
pub struct Bytes(pub Vec<u8>);

impl<S: Send + Sync> FromRequest<S> for Bytes {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        must_be(&request, "application/octet-stream")?;
        Ok(Self(read(request, state).await?.to_vec()))
    }
}

fn must_be(request: &Request, wanted: &str) -> Result<(), Problem> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    match kind.split(';').next() {
        Some(kind) if kind.trim().eq_ignore_ascii_case(wanted) => Ok(()),
        _ => Err(Problem::new(Code::InvalidBody, format!("send the body as content-type: {wanted}"))),
    }
}

/// A JSON body.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        // Pages of other sites can send any other kind through a reader's browser without asking first.
        must_be(&request, "application/json")?;
        let bytes = read(request, state).await?;
        if memchr::memmem::find(&bytes, b"\\u0000").is_some() {
            return Err(Problem::new(Code::InvalidBody, "there must be no character of code 0"));
        }
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| Problem::new(Code::InvalidBody, error.to_string()))
    }
}

/// Reads optional texts as what they should be, and collects everything that is wrong with them.
#[derive(Debug, Default)]
pub struct Reader {
    errors: Vec<FieldError>,
}

impl Reader {
    fn wrong(&mut self, name: &str, message: String) {
        self.errors.push(FieldError { name: name.to_owned(), message });
    }

    /// A whole number within bounds.
    pub fn number(&mut self, name: &str, text: Option<&str>, default: usize, most: usize) -> usize {
        let Some(text) = given(text) else { return default };
        match text.parse::<usize>() {
            Ok(number) if number <= most => number,
            _ => {
                self.wrong(name, format!("`{text}` is not a whole number from 0 to {most}"));
                default
            }
        }
    }

    /// Yes or no; no when it is not given.
    pub fn flag(&mut self, name: &str, text: Option<&str>) -> bool {
        let choices = [("true", true), ("1", true), ("false", false), ("0", false)];
        self.choice(name, text, &choices).unwrap_or(false)
    }

    /// A day.
    pub fn date(&mut self, name: &str, text: Option<&str>, default: Date) -> Date {
        let Some(text) = given(text) else { return default };
        parse_date(text).unwrap_or_else(|why| {
            self.wrong(name, why);
            default
        })
    }

    /// A moment.
    pub fn moment(&mut self, name: &str, text: Option<&str>) -> Option<Timestamp> {
        let text = given(text)?;
        let moment = text.parse().ok();
        if moment.is_none() {
            self.wrong(name, format!("`{text}` is no moment; write it as 2026-12-31T23:59:00Z"));
        }
        moment
    }

    /// One of a few names.
    pub fn choice<T: Copy>(&mut self, name: &str, text: Option<&str>, choices: &[(&str, T)]) -> Option<T> {
        self.choices(name, text, choices).into_iter().next()
    }

    /// Some of a few names, parted by commas.
    pub fn choices<T: Copy>(&mut self, name: &str, text: Option<&str>, choices: &[(&str, T)]) -> Vec<T> {
        let mut found = Vec::new();
        for text in list(text) {
            match choices.iter().find(|(known, _)| *known == text) {
                Some((_, value)) => found.push(*value),
                None => {
                    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
                    self.wrong(name, format!("`{text}` is none of: {}", names.join(", ")));
                }
            }
        }
        found
    }

    /// Fails if anything was wrong.
    ///
    /// # Errors
    /// All that was wrong.
    pub fn finish(self, code: Code) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid(code, self.errors)) }
    }
}

/// A text that is given: an empty one is not.
pub fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// Texts parted by commas.
pub fn list(text: Option<&str>) -> Vec<String> {
    text.map_or_else(Vec::new, |text| {
        text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
    })
}

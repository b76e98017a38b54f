//! The one HTTP error: RFC 9457 problem details, or a page with a way back.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::AccountError;
use crate::database::StoreError;

/// A parameter or field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub message: String,
}

/// Everything that can go wrong, with its status and title. The names are stable; docs/api.md explains each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A parameter or field is wrong.
    InvalidParameter,
    /// The query is too long.
    QueryTooLong,
    /// The body is no JSON of the expected form.
    InvalidBody,
    /// The body is too large.
    BodyTooLarge,
    /// There is no such thing.
    NotFound,
    /// Nobody is signed in, or not any more.
    SignInNeeded,
    /// Who asks may not do this.
    Forbidden,
    /// The request comes from another site, or without what shows that it does not.
    ForeignRequest,
    /// The name or the password, the code or the link is wrong or has expired.
    WrongSecret,
    /// A second factor is needed.
    SecondFactorNeeded,
    /// Too many tries or requests; later again.
    TooManyRequests,
    /// It is there already, or something else stands against it.
    Conflict,
    /// Others must approve it first.
    ApprovalNeeded,
    /// The path is served, but not by this method.
    MethodNotAllowed,
    /// A value does not fit the template.
    InvalidValue,
    /// The content is being loaded.
    Loading,
    /// Too many requests at one time.
    Busy,
    /// The request took too long.
    Timeout,
    /// The store does not answer.
    StoreUnavailable,
    /// A fault of the program; the log tells more.
    Internal,
}

impl Code {
    /// All codes.
    pub const ALL: [Self; 20] = [
        Self::InvalidParameter,
        Self::QueryTooLong,
        Self::InvalidBody,
        Self::BodyTooLarge,
        Self::NotFound,
        Self::SignInNeeded,
        Self::Forbidden,
        Self::ForeignRequest,
        Self::WrongSecret,
        Self::SecondFactorNeeded,
        Self::TooManyRequests,
        Self::Conflict,
        Self::ApprovalNeeded,
        Self::MethodNotAllowed,
        Self::InvalidValue,
        Self::Loading,
        Self::Busy,
        Self::Timeout,
        Self::StoreUnavailable,
        Self::Internal,
    ];

    /// Name, status and title.
    pub fn parts(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::InvalidParameter => ("invalid-parameter", StatusCode::BAD_REQUEST, "A parameter is wrong"),
            Self::QueryTooLong => ("query-too-long", StatusCode::BAD_REQUEST, "The query is too long"),
            Self::InvalidBody => ("invalid-body", StatusCode::BAD_REQUEST, "The body is wrong"),
            Self::BodyTooLarge => ("body-too-large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::NotFound => ("not-found", StatusCode::NOT_FOUND, "There is no such thing"),
            Self::SignInNeeded => ("sign-in-needed", StatusCode::UNAUTHORIZED, "Sign in first"),
            Self::Forbidden => ("forbidden", StatusCode::FORBIDDEN, "This is not permitted"),
            Self::ForeignRequest => {
                ("foreign-request", StatusCode::FORBIDDEN, "The request comes from another site")
            }
            Self::WrongSecret => ("wrong-secret", StatusCode::FORBIDDEN, "That is not right"),
            Self::SecondFactorNeeded => {
                ("second-factor-needed", StatusCode::FORBIDDEN, "A second factor is needed")
            }
            Self::TooManyRequests => {
                ("too-many-requests", StatusCode::TOO_MANY_REQUESTS, "Too many requests or tries")
            }
            Self::Conflict => ("conflict", StatusCode::CONFLICT, "Something stands against it"),
            Self::ApprovalNeeded => {
                ("approval-needed", StatusCode::FORBIDDEN, "Others must approve it first")
            }
            Self::MethodNotAllowed => {
                ("method-not-allowed", StatusCode::METHOD_NOT_ALLOWED, "This method is not served here")
            }
            Self::InvalidValue => ("invalid-value", StatusCode::UNPROCESSABLE_ENTITY, "A value does not fit"),
            Self::Loading => ("loading", StatusCode::SERVICE_UNAVAILABLE, "The content is being loaded"),
            Self::Busy => ("busy", StatusCode::SERVICE_UNAVAILABLE, "Too many requests at one time"),
            Self::Timeout => ("timeout", StatusCode::GATEWAY_TIMEOUT, "The request took too long"),
            Self::StoreUnavailable => {
                ("store-unavailable", StatusCode::SERVICE_UNAVAILABLE, "The store does not answer")
            }
            Self::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong"),
        }
    }
}

/// An error on its way to the client. It becomes JSON or a page in [`crate::http::layers::observe`], which knows the request.
#[derive(Clone, Debug)]
pub struct Problem {
    /// What went wrong.
    pub code: Code,
    /// What exactly.
    pub detail: String,
    /// Parameters or fields that are wrong.
    pub errors: Vec<FieldError>,
    /// Seconds after which the same may succeed.
    pub retry_after: Option<u64>,
}

/// The JSON form of a [`Problem`] (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemDetails {
    /// Where the problem is explained.
    #[serde(rename = "type")]
    pub kind: String,
    /// What went wrong, in general.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong, in particular.
    pub detail: String,
    /// A stable name.
    pub code: String,
    /// Parameters or fields that are wrong.
    pub errors: Vec<FieldError>,
    /// The request, as in the log.
    pub request_id: String,
}

impl Problem {
    /// A problem with a particular.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), retry_after: None }
    }

    /// No such thing.
    pub fn not_found(what: &str, id: &str) -> Self {
        Self::new(Code::NotFound, format!("there is no {what} `{id}`"))
    }

    /// Parameters or fields that are wrong.
    pub fn invalid(code: Code, errors: Vec<FieldError>) -> Self {
        let detail =
            errors.iter().map(|e| format!("`{}`: {}", e.name, e.message)).collect::<Vec<_>>().join("; ");
        Self { code, detail, errors, retry_after: None }
    }

    /// A fault of the program: told to the log, not to the client.
    pub fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(Code::Internal, "the fault is in the program or its data; the log tells more")
    }

    /// The JSON form.
    pub fn details(&self, request_id: &str) -> ProblemDetails {
        let (name, status, title) = self.code.parts();
        ProblemDetails {
            kind: format!("/docs/api#{name}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.detail.clone(),
            code: name.to_owned(),
            errors: self.errors.clone(),
            request_id: request_id.to_owned(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (_, status, _) = self.code.parts();
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                tracing::error!(%error, "a request failed");
                Self::new(Code::StoreUnavailable, "what you sent may not be kept; try again")
            }
            // A data exception of PostgreSQL: a character of code 0 in a text.
            StoreError::Failed(sqlx::Error::Database(why))
                if why.code().is_some_and(|code| code.starts_with("22")) =>
            {
                Self::new(Code::InvalidParameter, "a text has characters that cannot be kept")
            }
            error => Self::internal(&error),
        }
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        let detail = error.to_string();
        match error {
            AccountError::Store(error) => error.into(),
            AccountError::Invalid { name, why } => {
                Self::invalid(Code::InvalidBody, vec![FieldError { name: name.to_owned(), message: why }])
            }
            AccountError::NotFound(_) => Self::new(Code::NotFound, detail),
            AccountError::Conflict(_) => Self::new(Code::Conflict, detail),
            AccountError::Wrong(_) => Self::new(Code::WrongSecret, detail),
            AccountError::SecondFactorNeeded => Self::new(Code::SecondFactorNeeded, detail),
            AccountError::Locked(seconds) => {
                let retry_after = Some(seconds.unsigned_abs());
                Self { retry_after, ..Self::new(Code::TooManyRequests, detail) }
            }
            AccountError::System(_) => Self::internal(&error),
        }
    }
}

impl From<tantivy::TantivyError> for Problem {
    fn from(error: tantivy::TantivyError) -> Self {
        Self::internal(&error)
    }
}

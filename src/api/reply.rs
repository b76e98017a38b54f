//! JSON replies.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A value as a JSON reply.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
            Err(error) => crate::http::problem::Problem::internal(&error).into_response(),
        }
    }
}

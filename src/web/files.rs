//! Pictures and documents that lie beside the articles.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::accounts::permissions::Permission;
use crate::app::snapshot::Folders;
use crate::content::files::resolve;
use crate::content::pictures::kept;
use crate::http::asker::Asker;
use crate::http::extract::Id;
use crate::http::problem::Problem;
use crate::http::state::AppState;

/// What may be served from the articles folder, and as what. No type in it can run scripts under our policy, and drawings are served without.
const TYPES: &[(&str, &str)] = &[
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("avif", "image/avif"),
    ("svg", "image/svg+xml"),
    ("pdf", "application/pdf"),
];

/// A file beside the articles, read from disk as it is now.
pub async fn file(State(state): State<AppState>, asker: Asker, Id(path): Id) -> Result<Response, Problem> {
    let not_found = || Problem::not_found("file", &path);
    // Only plain paths: nothing hidden, nothing above the folder.
    let is_plain = resolve("", &path).as_deref() == Some(path.as_str())
        && !path.contains(['\\', '\0'])
        && path.split('/').all(|part| !part.starts_with('.'));
    let extension = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let kind = TYPES.iter().find(|(known, _)| *known == extension).map(|(_, kind)| *kind);
    let kind = kind.filter(|_| is_plain).ok_or_else(not_found)?;
    let folder = Folders::of(&state.settings).articles;
    let full = folder.root.join(&path);
    let (clearance, wanted) = (asker.identity.clearance.clone(), path.clone());
    // Who edits sees what he has just put beside an article.
    let may_edit = asker.may(Permission::Edit);
    let read = state.run(move |snapshot| {
        if !may_edit && !snapshot.may_see_file(&wanted, &clearance) {
            return Ok(None);
        }
        let is_small =
            std::fs::metadata(&full).is_ok_and(|m| m.is_file() && m.len() <= folder.max_file_bytes);
        let bytes = if is_small { std::fs::read(&full).ok() } else { None };
        // Whoever may write to the folder need not know what drawings can hold.
        let is_drawing = kind == "image/svg+xml";
        Ok(bytes.and_then(|bytes| if is_drawing { Some(kept(bytes).ok()?.bytes) } else { Some(bytes) }))
    });
    let bytes = read.await?.ok_or_else(not_found)?;
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "private, no-cache")];
    Ok((headers, bytes).into_response())
}

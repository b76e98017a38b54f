//! Scripts, styles and the icon, embedded; their address holds a hash of them all, so browsers may keep them for ever.

use std::sync::OnceLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use crate::http::problem::Problem;

#[derive(RustEmbed)]
#[folder = "src/web/assets"]
struct Assets;

/// The address of an asset.
pub fn url(path: &str) -> String {
    format!("/assets/{}/{path}", hash())
}

fn hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| {
        let mut names: Vec<_> = Assets::iter().collect();
        names.sort();
        let mut hasher = blake3::Hasher::new();
        for file in names.iter().filter_map(|name| Assets::get(name)) {
            hasher.update(&file.data);
        }
        hasher.finalize().to_hex()[..12].to_owned()
    })
}

/// An asset. An address of another version is answered with this one, not to be kept.
pub async fn asset(uri: axum::http::Uri) -> Result<Response, Problem> {
    let rest = uri.path().trim_start_matches("/assets/");
    let (asked, path) = rest.split_once('/').unwrap_or(("", rest));
    let file = Assets::get(path).ok_or_else(|| Problem::not_found("asset", path))?;
    let kept = if asked == hash() { "public, max-age=31536000, immutable" } else { "no-cache" };
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let tag = format!("\"{}\"", hash());
    let headers = [
        (header::CONTENT_TYPE, kind.as_ref().to_owned()),
        (header::CACHE_CONTROL, kept.to_owned()),
        (header::ETAG, tag),
    ];
    Ok((headers, file.data.into_owned()).into_response())
}

/// The icon under the name browsers ask for.
pub async fn icon() -> Result<Response, Problem> {
    let file = Assets::get("icon.svg").ok_or_else(|| Problem::not_found("asset", "icon.svg"))?;
    let headers = [(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "public, max-age=86400")];
    Ok((headers, file.data.into_owned()).into_response())
}

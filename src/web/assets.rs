//! Scripts, styles and icons, embedded; their address holds a hash of them all, so browsers may keep them for ever.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::OnceLock;

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;

use crate::http::problem::Problem;

#[derive(RustEmbed)]
#[folder = "src/web/assets"]
struct Assets;

/// The worker that keeps pages for times without network. It is served from the root, as its scope must be.
const WORKER: &str = "worker.js";

/// The script that a page of another site puts in to show the panel.
const EMBED: &str = "embed.js";

/// What stands in the worker for the hash of all assets.
const VERSION_MARK: &str = "ASSETS_VERSION";

/// The address of an asset.
pub fn url(path: &str) -> String {
    format!("/assets/{}/{path}", hash())
}

/// The addresses of the scripts that others import.
pub fn modules() -> Vec<String> {
    let mut names: Vec<_> =
        Assets::iter().filter_map(|name| name.strip_prefix("parts/").map(|_| url(&name))).collect();
    names.sort();
    names
}

/// A hash of all assets: another one means another version of the program.
pub fn hash() -> &'static str {
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
pub async fn asset(uri: axum::http::Uri, headers: HeaderMap) -> Result<Response, Problem> {
    let rest = uri.path().trim_start_matches("/assets/");
    let (asked, path) = rest.split_once('/').unwrap_or(("", rest));
    let file = Assets::get(path).ok_or_else(|| Problem::not_found("asset", path))?;
    let kept = if asked == hash() { "public, max-age=31536000, immutable" } else { "no-cache" };
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let tag = format!("\"{}\"", hash());
    let told = [
        (header::CONTENT_TYPE, kind.as_ref().to_owned()),
        (header::CACHE_CONTROL, kept.to_owned()),
        (header::ETAG, tag),
    ];
    let accepted =
        headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match packed().get(path).filter(|_| accepted.contains("gzip")) {
        Some(bytes) => {
            let packed = [(header::CONTENT_ENCODING, "gzip"), (header::VARY, "accept-encoding")];
            Ok((told, packed, bytes.clone()).into_response())
        }
        None => Ok((told, file.data.into_owned()).into_response()),
    }
}

/// Scripts and styles, packed once as small as can be; replies that are packed for one request are packed fast instead.
fn packed() -> &'static BTreeMap<String, Bytes> {
    static PACKED: OnceLock<BTreeMap<String, Bytes>> = OnceLock::new();
    PACKED.get_or_init(|| {
        let texts = Assets::iter().filter(|name| !name.ends_with(".png"));
        let pack = |name: &str| {
            let file = Assets::get(name)?;
            let mut out = GzEncoder::new(Vec::new(), Compression::best());
            out.write_all(&file.data).and_then(|()| out.finish()).ok().map(Bytes::from)
        };
        texts.filter_map(|name| Some((name.to_string(), pack(&name)?))).collect()
    })
}

/// The icon under the name browsers ask for.
pub async fn icon() -> Result<Response, Problem> {
    named("icon.svg", "image/svg+xml", "public, max-age=86400")
}

/// The worker, with the version it keeps.
pub async fn worker() -> Result<Response, Problem> {
    let file = Assets::get(WORKER).ok_or_else(|| Problem::not_found("asset", WORKER))?;
    let text = String::from_utf8_lossy(&file.data).replace(VERSION_MARK, hash());
    let headers = [(header::CONTENT_TYPE, "text/javascript"), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, text).into_response())
}

/// The script for pages of other sites.
pub async fn embed() -> Result<Response, Problem> {
    named(EMBED, "text/javascript", "no-cache")
}

/// What makes the page installable.
pub async fn manifest(headers: HeaderMap) -> Response {
    let ui = crate::web::words::Ui::of(&headers);
    let icon = |size: &str| serde_json::json!({"src": url(&format!("icon-{size}.png")), "sizes": format!("{size}x{size}"), "type": "image/png", "purpose": "any maskable"});
    let manifest = serde_json::json!({
        "id": "/", "start_url": "/", "scope": "/", "display": "standalone",
        "name": format!("Pharos · {}", ui.t("title")), "short_name": "Pharos", "lang": ui.lang.code(),
        "background_color": "#f6f7f9", "theme_color": "#0f2a43",
        "icons": [{"src": url("icon.svg"), "sizes": "any", "type": "image/svg+xml"}, icon("192"), icon("512")],
        "shortcuts": [{"name": ui.t("whats-new"), "url": "/new"}, {"name": ui.t("compare"), "url": "/compare"}],
    });
    let headers = [(header::CONTENT_TYPE, "application/manifest+json"), (header::CACHE_CONTROL, "no-cache")];
    (headers, manifest.to_string()).into_response()
}

fn named(name: &str, kind: &'static str, kept: &'static str) -> Result<Response, Problem> {
    let file = Assets::get(name).ok_or_else(|| Problem::not_found("asset", name))?;
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, kept)];
    Ok((headers, file.data.into_owned()).into_response())
}

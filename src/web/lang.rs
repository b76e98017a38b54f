//! The switch between the languages of the interface.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};

use crate::content::catalog::Lang;
use crate::http::extract::Id;
use crate::http::problem::Problem;
use crate::web::words::LANG_COOKIE;

/// Remembers a language in a cookie for a year and goes back to the page it was chosen on.
pub async fn choose(headers: HeaderMap, Id(code): Id) -> Result<Response, Problem> {
    let lang = Lang::of(&code).ok_or_else(|| Problem::not_found("language", &code))?;
    let cookie = format!("{LANG_COOKIE}={}; Path=/; Max-Age=31536000; SameSite=Lax", lang.code());
    let from = headers.get(header::REFERER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut response = Redirect::to(path_of(from)).into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The path and query of an address: never another site.
fn path_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or("", |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    if path.starts_with("//") || path.contains('\\') || path.starts_with("/lang/") { "/" } else { path }
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn the_way_back_stays_on_this_site() {
        for (address, path) in [
            ("http://localhost:8080/?q=a&open=b", "/?q=a&open=b"),
            ("http://localhost:8080//evil.example/", "/"),
            ("http://localhost/lang/en", "/"),
            ("nonsense", "/"),
            ("", "/"),
        ] {
            assert_eq!(path_of(address), path);
        }
    }
}

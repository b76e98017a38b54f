//! What happens around every request: its id, its time, its limits, its headers, its errors.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use tracing::Instrument;

use crate::accounts::identity::Identity;
use crate::http::asker::Asker;
use crate::http::problem::{Code, Problem};
use crate::http::state::AppState;

/// Names a request in the log and in problems; taken from the client when it sends a sane one.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest request id taken from a client.
const MAX_REQUEST_ID: usize = 64;

/// Pages and scripts come from here only, nothing is inline, and `ancestors` alone may show a page inside their own.
pub fn content_security_policy(ancestors: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; connect-src 'self'; \
         font-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors {ancestors}"
    )
}

/// How an error becomes a page.
pub type ErrorPage = fn(&Problem, &str, &HeaderMap) -> Response;

/// Names, times, bounds and logs each request, and gives its errors their form.
pub async fn observe(
    State((state, error_page)): State<(AppState, ErrorPage)>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let id = request_id(&request);
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let target = request.uri().path_and_query().map_or_else(|| path.clone(), ToString::to_string);
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", %method, path, id);
    let headers = request.headers().clone();
    let timeout = Duration::from_secs(state.settings.request_timeout_seconds);
    let mut response = async {
        let Ok(_permit) = state.requests.try_acquire() else {
            return Problem::new(Code::Busy, "try again in a moment").into_response();
        };
        match tokio::time::timeout(timeout, next.run(request)).await {
            Ok(response) => response,
            Err(_) => Problem::new(Code::Timeout, format!("no answer within {} s", timeout.as_secs()))
                .into_response(),
        }
    }
    .instrument(span.clone())
    .await;
    if response.status() == StatusCode::METHOD_NOT_ALLOWED && response.extensions().get::<Problem>().is_none()
    {
        let allow = response.headers().get(header::ALLOW).cloned();
        response =
            Problem::new(Code::MethodNotAllowed, format!("{method} is not served at {path}")).into_response();
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
    }
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let allow = response.headers_mut().remove(header::ALLOW);
        let is_page = !wants_json(&path);
        response = match problem.code {
            // A part of a page that is fetched is told; whoever goes somewhere is sent to sign in first.
            Code::SignInNeeded if is_page && method == Method::GET && is_navigation(&headers) => {
                to_sign_in(&target)
            }
            // Without what is a duty first there is nothing but one's own account.
            Code::SecondFactorNeeded if is_page && method == Method::GET && is_navigation(&headers) => {
                Redirect::to("/account").into_response()
            }
            _ if is_page => error_page(&problem, &id, &headers),
            _ => problem_json(&problem, &id),
        };
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
    }
    add_headers(&mut response, &id);
    let status = response.status();
    let elapsed = started.elapsed();
    // What clients invent as methods must not become metrics.
    let known = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS];
    let label = if known.contains(&method) { method.to_string() } else { "other".to_owned() };
    let labels = [("method", label), ("route", route), ("status", status.as_u16().to_string())];
    metrics::counter!("pharos_http_requests_total", &labels).increment(1);
    metrics::histogram!("pharos_http_request_seconds", &labels[..2]).record(elapsed.as_secs_f64());
    span.in_scope(|| {
        let took_us = elapsed.as_micros();
        if status.is_server_error() {
            tracing::warn!(status = status.as_u16(), took_us, "answered");
        } else {
            tracing::debug!(status = status.as_u16(), took_us, "answered");
        }
    });
    response
}

fn is_navigation(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-mode").is_none_or(|mode| mode == "navigate")
}

fn to_sign_in(target: &str) -> Response {
    let next = percent_encoding::utf8_percent_encode(target, percent_encoding::NON_ALPHANUMERIC);
    Redirect::to(&format!("/sign-in?next={next}")).into_response()
}

fn request_id(request: &Request) -> String {
    let sent = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let is_sane = |id: &&str| {
        !id.is_empty()
            && id.len() <= MAX_REQUEST_ID
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    sent.filter(is_sane).map_or_else(|| format!("{:016x}", fastrand::u64(..)), str::to_owned)
}

fn wants_json(path: &str) -> bool {
    ["/api/", "/scim/", "/health/", "/metrics"].iter().any(|prefix| path.starts_with(prefix))
}

fn problem_json(problem: &Problem, id: &str) -> Response {
    let (_, status, _) = problem.code.parts();
    let body = serde_json::to_string(&problem.details(id)).unwrap_or_default();
    let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
    let is_soon = matches!(problem.code, Code::Loading | Code::Busy);
    if let Some(seconds) = problem.retry_after.or(is_soon.then_some(1)) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if problem.code == Code::SignInNeeded {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn add_headers(response: &mut Response, id: &str) {
    let headers = response.headers_mut();
    // A page with a policy of its own says there who may show it.
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        static POLICY: LazyLock<String> = LazyLock::new(|| content_security_policy("'none'"));
        if let Ok(policy) = HeaderValue::from_str(&POLICY) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        // Where TLS ends before the server, browsers see this over TLS, and elsewhere pass it over (RFC 6797).
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        // What is not said to be kept is kept by nobody.
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
}

/// Lets clients keep replies that depend only on the content and the day: `ETag` and 304.
pub async fn revalidate(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let Some(snapshot) = state.app.snapshot().filter(|_| is_read) else {
        return next.run(request).await;
    };
    // What is for one is not for another: who asks is part of it.
    let asker = request.extensions().get::<Asker>();
    let whose = asker.map_or(0, |asker| {
        let mut hasher = DefaultHasher::new();
        let Identity { clearance, region, permissions, who: _, must_add_factor: _ } = &*asker.identity;
        (clearance, region, permissions).hash(&mut hasher);
        hasher.finish()
    });
    let today = state.app.clock.today();
    let tag = format!("W/\"{:x}-{}-{today}-{whose:x}\"", state.boot, snapshot.generation);
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    let is_known = known.is_some_and(|known| known.split(',').any(|k| k.trim() == tag));
    let mut response =
        if is_known { StatusCode::NOT_MODIFIED.into_response() } else { next.run(request).await };
    if (response.status().is_success() || is_known)
        && let Ok(tag) = HeaderValue::from_str(&tag)
    {
        response.headers_mut().insert(header::ETAG, tag);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("cookie, authorization"));
    }
    response
}

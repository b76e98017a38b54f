//! The pages of who is not signed in: signing in, the first start, a link that lets one in, and the way to the company's sign-on.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use cookie::{Cookie, SameSite};
use serde::Deserialize;

use crate::accounts::sign_on::SignOnError;
use crate::http::asker::{Asker, cookie, with_session};
use crate::http::extract::{Query, given};
use crate::http::problem::{Code, Problem};
use crate::http::state::AppState;
use crate::web::words::Ui;
use crate::web::{filters, html};

/// The cookie by which a browser that comes back from the sign-on shows that it went there from here.
const UNDER_WAY: &str = "pharos-sign-on";

/// The longest address one is sent on to.
const MAX_NEXT: usize = 2_000;

/// Where to go afterwards.
#[derive(Debug, Default, Deserialize)]
pub struct NextParams {
    /// A page of this server.
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    ui: Ui,
    next: String,
    /// What the button to the company's sign-on says; none when there is none.
    sign_on: Option<String>,
    has_mail: bool,
}

#[derive(Template)]
#[template(path = "setup.html")]
struct SetupPage {
    ui: Ui,
}

#[derive(Template)]
#[template(path = "welcome.html")]
struct WelcomePage {
    ui: Ui,
}

/// A path on this site, or else the first page: never another site.
fn own_path(path: Option<&str>) -> String {
    let path = given(path).filter(|path| {
        path.len() <= MAX_NEXT
            && path.starts_with('/')
            && !path.starts_with("//")
            && !path.contains(['\\', '\n', '\r', '\t'])
            && !path.starts_with("/sign-")
    });
    path.unwrap_or("/").to_owned()
}

/// The page to sign in on.
pub async fn page(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Query(params): Query<NextParams>,
) -> Result<Response, Problem> {
    let next = own_path(params.next.as_deref());
    if state.accounts.is_open() || asker.identity.person().is_some() && params.next.is_none() {
        return Ok(Redirect::to("/").into_response());
    }
    let name = state.settings.sign_on_name.clone();
    let sign_on = state.sign_on.is_there().then_some(name);
    let has_mail = state.accounts.mail().is_some();
    Ok(html(SignInPage { ui: Ui::of(&headers).with(&asker), next, sign_on, has_mail }.render()))
}

/// The page of the first start.
pub async fn setup(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !state.accounts.is_open() {
        return Ok(Redirect::to("/sign-in").into_response());
    }
    Ok(html(SetupPage { ui: Ui::of(&headers).with(&asker) }.render()))
}

/// The page a link leads to. What lets one in stands behind `#`, and never reaches the server but in a body.
pub async fn welcome(asker: Asker, headers: HeaderMap) -> Response {
    html(WelcomePage { ui: Ui::of(&headers).with(&asker) }.render())
}

fn sign_on_problem(error: SignOnError) -> Problem {
    match error {
        SignOnError::None => Problem::new(Code::NotFound, "there is no company's sign-on here"),
        SignOnError::Account(error) => error.into(),
        SignOnError::Refused(_) => {
            tracing::warn!(%error, "a sign-in by the company's sign-on was refused");
            Problem::new(Code::WrongSecret, error.to_string())
        }
        SignOnError::Provider(_) => {
            tracing::error!(%error, "the company's sign-on failed");
            Problem::new(
                Code::StoreUnavailable,
                "the company's sign-on does not answer; try again, or sign in with a password",
            )
        }
    }
}

/// Sends the browser to the company's sign-on.
pub async fn begin_sign_on(
    State(state): State<AppState>,
    Query(params): Query<NextParams>,
) -> Result<Response, Problem> {
    if state.accounts.is_open() {
        return Err(Problem::new(
            Code::Conflict,
            "make the first administrator before others come from the company's sign-on",
        ));
    }
    let next = own_path(params.next.as_deref());
    let begun = state.sign_on.begin(&state.accounts, &next, state.app.clock.now()).await;
    let begun = begun.map_err(sign_on_problem)?;
    let mut response = Redirect::to(&begun.address).into_response();
    under_way(&mut response, &begun.state, 600, &state);
    Ok(response)
}

fn under_way_name(state: &AppState) -> String {
    let prefix = if state.settings.plain_http { "" } else { "__Host-" };
    format!("{prefix}{UNDER_WAY}")
}

fn under_way(response: &mut Response, value: &str, seconds: i64, state: &AppState) {
    let cookie =
        Cookie::build((under_way_name(state), value)).path("/").http_only(true).same_site(SameSite::Lax);
    let cookie = cookie.secure(!state.settings.plain_http).max_age(cookie::time::Duration::seconds(seconds));
    if let Ok(value) = HeaderValue::from_str(&cookie.build().to_string()) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}

/// What the company's sign-on sends back.
#[derive(Debug, Default, Deserialize)]
pub struct BackParams {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// Completes a sign-in by the company's sign-on.
pub async fn complete_sign_on(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Query(params): Query<BackParams>,
) -> Result<Response, Problem> {
    let refused = |why: String| sign_on_problem(SignOnError::Refused(why));
    if !state.sign_on.is_there() {
        return Err(sign_on_problem(SignOnError::None));
    }
    let Some(sent) = params.state else { return Err(refused("it was not begun here".to_owned())) };
    // A sign-in that another browser began would sign this one in as somebody else.
    if cookie(&headers, &under_way_name(&state)) != Some(sent.as_str()) {
        return Err(refused("it was not begun in this browser".to_owned()));
    }
    if let Some(error) = params.error {
        let why = params.error_description.unwrap_or(error);
        return Err(refused(why.chars().filter(|c| !c.is_control()).take(200).collect()));
    }
    let Some(code) = params.code else { return Err(refused("there is no code".to_owned())) };
    let now = state.app.clock.now();
    let done = state.sign_on.complete(&state.accounts, &sent, &code, &asker.client, now).await;
    let (opened, next) = done.map_err(sign_on_problem)?;
    if let Ok((person, session)) = asker.person() {
        let _ = state.accounts.end_session(person, session).await;
    }
    let mut response = with_session(Redirect::to(&next).into_response(), &opened, &state.settings);
    under_way(&mut response, "", 0, &state);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn one_is_sent_on_within_this_site_only() {
        for (asked, path) in [
            (Some("/articles/a?x=1#y"), "/articles/a?x=1#y"),
            (Some("//evil.example/"), "/"),
            (Some("https://evil.example/"), "/"),
            (Some("/\\evil.example"), "/"),
            (Some("/\t/evil.example"), "/"),
            (Some("/sign-in?next=/sign-in"), "/"),
            (None, "/"),
        ] {
            assert_eq!(own_path(asked), path);
        }
    }
}

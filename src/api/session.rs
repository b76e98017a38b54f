//! Signing in and out, the first administrator, and links that let somebody in.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use std::time::Duration;

use crate::accounts::AccountError;
use crate::accounts::audit::Actor;
use crate::accounts::failures::Tried;
use crate::accounts::identity::Who;
use crate::accounts::links::Purpose;
use crate::accounts::people::{NewPerson, fold_login};
use crate::accounts::permissions::Role;
use crate::accounts::secrets::is_same;
use crate::accounts::sessions::{Opened, ProvedBy};
use crate::accounts::sign_in::Credentials;
use crate::api::reply::Json;
use crate::http::asker::{Asker, with_session, without_session};
use crate::http::extract::Body;
use crate::http::problem::{Code, Problem, ProblemDetails};
use crate::http::state::AppState;

/// How long the company's sign-on has time to say where one signs out.
const PROVIDER_PATIENCE: Duration = Duration::from_secs(2);

/// What to sign in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The name to sign in with.
    #[schema(max_length = 100)]
    login: String,
    /// The password.
    #[schema(max_length = 256)]
    password: String,
    /// The code of the second factor, or one for recovery.
    code: Option<String>,
}

/// Who is signed in now.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignedIn {
    /// The person's id.
    pub person: String,
}

/// The reply to who is signed in from now on: the cookie is in it.
///
/// The session that was there before, if any, ends: what somebody may have put into this browser is worth nothing.
pub(super) async fn opened(state: &AppState, asker: &Asker, opened: &Opened) -> Result<Response, Problem> {
    if let Who::Person { id, session, .. } = &asker.identity.who {
        // It may have ended already.
        let _ = state.accounts.end_session(id, session).await;
    }
    let reply = Json(SignedIn { person: opened.person.clone() }).into_response();
    Ok(with_session(reply, opened, &state.settings))
}

/// Signs in with a password, and a code where a second factor is set up. The reply sets a cookie.
#[utoipa::path(post, operation_id = "sign_in", path = "/api/v1/session", tag = "people", request_body = SignIn, responses(
    (status = 200, description = "Signed in", body = SignedIn),
    (status = 403, description = "Wrong, or a code is needed", body = ProblemDetails, content_type = "application/problem+json"),
    (status = 429, description = "Too many tries failed", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn sign_in(
    State(state): State<AppState>,
    asker: Asker,
    Body(body): Body<SignIn>,
) -> Result<Response, Problem> {
    let SignIn { login, password, code } = body;
    let credentials = Credentials { login, password, code };
    let session = state.accounts.sign_in(&credentials, &asker.client, state.app.clock.now()).await?;
    opened(&state, &asker, &session).await
}

/// Where to go after signing out.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignedOut {
    /// The address at the company's sign-on where one signs out as well, if one signed in there.
    pub then: Option<String>,
}

/// Signs out.
#[utoipa::path(delete, operation_id = "sign_out", path = "/api/v1/session", tag = "people", responses(
    (status = 200, description = "Signed out", body = SignedOut),
))]
pub async fn sign_out(State(state): State<AppState>, asker: Asker) -> Result<Response, Problem> {
    let mut then = None;
    if let Who::Person { id, session, .. } = &asker.identity.who {
        let token = state.accounts.provider_token(session).await?;
        let ended = state.accounts.end_session(id, session).await;
        if ended.is_ok() {
            state.accounts.note(&asker.actor(), "sign-out", Some(id), "", state.app.clock.now()).await?;
        }
        if let Some(token) = token {
            // One is signed out here, whether the company's sign-on answers or not.
            let asked = tokio::time::timeout(PROVIDER_PATIENCE, state.sign_on.sign_out(&token)).await;
            then = asked.ok().flatten();
        }
    }
    Ok(without_session(Json(SignedOut { then }).into_response(), &state.settings))
}

/// The first administrator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetUp {
    /// The code that stands in the server's log.
    code: String,
    /// The name to sign in with.
    login: String,
    /// What others call the person.
    name: String,
    /// The password.
    password: String,
}

/// Makes the first administrator, as long as nobody has an account, and signs him in.
#[utoipa::path(post, operation_id = "set_up", path = "/api/v1/setup", tag = "people", request_body = SetUp, responses(
    (status = 200, description = "Made and signed in", body = SignedIn),
    (status = 403, description = "The code is wrong", body = ProblemDetails, content_type = "application/problem+json"),
    (status = 409, description = "There are accounts already", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn set_up(
    State(state): State<AppState>,
    asker: Asker,
    Body(body): Body<SetUp>,
) -> Result<Response, Problem> {
    let now = state.app.clock.now();
    let (accounts, _one_at_a_time) = (&state.accounts, state.setting_up.lock().await);
    if accounts.has_people().await? {
        return Err(Problem::new(Code::Conflict, "there are accounts already; sign in"));
    }
    if state.setup_code.is_empty() || !is_same(&body.code, &state.setup_code) {
        return Err(Problem::new(
            Code::WrongSecret,
            "the code is wrong; the right one stands in the server's log",
        ));
    }
    let new = NewPerson {
        login: body.login,
        name: body.name,
        roles: vec![Role::Administrator],
        ..NewPerson::default()
    };
    let actor = Actor { address: asker.client.address.clone(), name: "first start".to_owned(), id: None };
    // All of it or nothing: an administrator without a password could not come in.
    let person = accounts.add_person_with_password(&new, &body.password, &actor, now).await?;
    let session = accounts.open_session(&person.id, ProvedBy::Password, &asker.client, None, now).await?;
    opened(&state, &asker, &session).await
}

/// A link that is used up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UseLink {
    /// What stands in the link behind `#`.
    secret: String,
    /// The password chosen; without one it is only told whose link it is.
    password: Option<String>,
}

/// Whose link it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invited {
    /// The name to sign in with.
    pub login: String,
    /// What others call the person.
    pub name: String,
}

/// What using a link comes to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum LinkReply {
    /// Nothing was chosen yet: whose it is.
    Invited(Invited),
    /// The password is chosen, and one is signed in.
    SignedIn(SignedIn),
    /// The password is chosen, and one signs in with it and the second factor.
    Chosen(SignedOut),
}

/// Tells whose an invitation is, or takes it up: the person has this password, and is signed in.
#[utoipa::path(post, operation_id = "use_link", path = "/api/v1/link", tag = "people", request_body = UseLink, responses(
    (status = 200, description = "Whose it is, or signed in, or chosen", body = LinkReply),
    (status = 403, description = "The link is good no more", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn use_link(
    State(state): State<AppState>,
    asker: Asker,
    Body(body): Body<UseLink>,
) -> Result<Response, Problem> {
    let now = state.app.clock.now();
    match body.password {
        None => {
            let person = state.accounts.person_of_link(&body.secret, now).await?;
            let invited = Invited { login: person.login, name: person.name };
            Ok(Json(LinkReply::Invited(invited)).into_response())
        }
        Some(password) => {
            match state.accounts.use_link(&body.secret, &password, &asker.client, now).await {
                Ok(session) => opened(&state, &asker, &session).await,
                // The password is chosen; a link alone does not stand for both factors.
                Err(AccountError::SecondFactorNeeded) => {
                    let chosen = SignedOut { then: Some("/sign-in".to_owned()) };
                    Ok(Json(LinkReply::Chosen(chosen)).into_response())
                }
                Err(error) => Err(error.into()),
            }
        }
    }
}

/// Who forgot the password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Forgotten {
    /// The name to sign in with.
    login: String,
}

/// Sends a link to choose another password, if there is such a person with an address of mail. The reply does not tell.
#[utoipa::path(post, operation_id = "forgot_password", path = "/api/v1/forgotten", tag = "people", request_body = Forgotten, responses(
    (status = 202, description = "If there is such a person, mail is under way"),
))]
pub async fn forgotten(
    State(state): State<AppState>,
    asker: Asker,
    Body(body): Body<Forgotten>,
) -> Result<StatusCode, Problem> {
    let now = state.app.clock.now();
    let login: String = body.login.chars().take(100).collect();
    let _counted =
        state.accounts.try_once(&Tried::link(&fold_login(&login), &asker.client.address), now).await?;
    // Done beside the reply, so that its time does not tell either.
    tokio::spawn(async move {
        let accounts = &state.accounts;
        let Ok(Some(person)) = accounts.person_by_login(&login).await else { return };
        // Who signs in at the company's sign-on has no password to forget.
        if person.email.is_none() || accounts.mail().is_none() || !person.active || !person.has_password {
            return;
        }
        let actor = Actor { id: None, name: String::new(), address: asker.client.address.clone() };
        let sent = super::people::send_link(&state, &person, Purpose::Reset, &actor).await;
        if let Err(problem) = sent {
            tracing::warn!(detail = problem.detail, "mail could not be sent");
        }
    });
    Ok(StatusCode::ACCEPTED)
}

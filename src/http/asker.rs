//! Who is asking: found out once for each request, and given to handlers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN, SET_COOKIE, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use cookie::{Cookie, SameSite};
use jiff::civil::Date;

use crate::accounts::audit::Actor;
use crate::accounts::failures::network;
use crate::accounts::identity::{Identity, Who};
use crate::accounts::permissions::Permission;
use crate::accounts::sessions::{Client, Opened};
use crate::http::problem::{Code, Problem};
use crate::http::state::AppState;
use crate::search::filter::Filter;
use crate::settings::{Settings, WithoutAccounts};

/// Who is asking.
#[derive(Clone, Debug)]
pub struct Asker {
    /// Who it is.
    pub identity: Arc<Identity>,
    /// Where the request comes from.
    pub client: Client,
    /// How much who asks was told and has not seen.
    pub unseen: usize,
}

impl Asker {
    /// What is in force on a day for who asks, in the region that is meant where none is named.
    pub fn filter(&self, day: Date) -> Filter {
        let region = self.identity.region.as_deref().map(str::to_owned);
        Filter { home: region.clone(), region, ..Filter::on(day) }.with(self.identity.clearance.clone())
    }

    /// Who asks, for the audit log.
    pub fn actor(&self) -> Actor {
        Actor::of(&self.identity, &self.client.address)
    }

    /// Whether something is permitted.
    pub fn may(&self, permission: Permission) -> bool {
        self.identity.may(permission)
    }

    /// The person who asks, in a session or by a token of his own.
    ///
    /// # Errors
    /// Nobody does.
    pub fn somebody(&self) -> Result<&str, Problem> {
        self.identity.person().ok_or_else(|| Problem::new(Code::SignInNeeded, "sign in first"))
    }

    /// The person who asks, in a session: tokens do not stand for persons where it is about the person himself.
    ///
    /// # Errors
    /// Nobody is signed in.
    pub fn person(&self) -> Result<(&str, &str), Problem> {
        match &self.identity.who {
            Who::Person { id, session, .. } => Ok((id, session)),
            _ => Err(Problem::new(Code::SignInNeeded, "sign in on a page first")),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Asker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let found = parts.extensions.get::<Self>().cloned();
        found.ok_or_else(|| Problem::internal(&"a route is served outside the layer that tells who asks"))
    }
}

/// Finds out who asks, refuses what other sites send through a reader's browser, and bounds how much one may ask.
pub async fn identify(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match asker(&state, &parts).await {
        Ok(asker) => {
            parts.extensions.insert(asker);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(problem) => problem.into_response(),
    }
}

async fn asker(state: &AppState, request: &Parts) -> Result<Asker, Problem> {
    let (headers, settings) = (&request.headers, &*state.settings);
    let peer = request.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |ip| ip.to_canonical());
    let is_proxy = settings.trusted_proxies.contains(&peer);
    let address = if is_proxy { forwarded(headers, settings).unwrap_or(peer) } else { peer };
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let client = Client { address: address.to_string(), agent: agent.to_owned() };
    let is_safe = matches!(request.method, Method::GET | Method::HEAD | Method::OPTIONS);
    if !is_safe && let Err(foreign) = must_be_own(headers, settings) {
        count(state, &Identity::nobody([]), &client, request.uri.path())?;
        tracing::warn!(address = client.address, "a request of another site is refused");
        return Err(foreign);
    }
    let identity = match bearer(headers) {
        Some(token) => {
            let found = state.accounts.token(token, state.app.clock.now()).await?;
            if found.is_none() {
                count(state, &Identity::nobody([]), &client, request.uri.path())?;
                tracing::warn!(address = client.address, "a token is wrong, or good no more");
            }
            found.ok_or_else(|| Problem::new(Code::SignInNeeded, "the token is wrong, or good no more"))?
        }
        None => by_browser(state, headers, &client, is_proxy).await?,
    };
    count(state, &identity, &client, request.uri.path())?;
    let unseen = match &identity.who {
        Who::Person { id, .. } => state.notices.unseen(id).await.unwrap_or_default(),
        _ => 0,
    };
    Ok(Asker { identity, client, unseen })
}

async fn by_browser(
    state: &AppState,
    headers: &HeaderMap,
    client: &Client,
    is_proxy: bool,
) -> Result<Arc<Identity>, Problem> {
    let now = state.app.clock.now();
    if state.accounts.is_open() {
        must_be_this_machine(headers, client, &state.settings)?;
        // Another server on the same store may have made the first account.
        if !state.accounts.has_people_lately(now).await? {
            return Ok(Arc::clone(&state.open_identity));
        }
    }
    if let Some(identity) = by_header(state, headers, client, is_proxy).await? {
        return Ok(identity);
    }
    let secret = cookie(headers, cookie_name(&state.settings));
    let found = match secret {
        Some(secret) => state.accounts.session(secret, now).await?,
        None => None,
    };
    Ok(found.unwrap_or_else(|| Arc::new(Identity::nobody([]))))
}

/// Who a trusted proxy says is asking.
async fn by_header(
    state: &AppState,
    headers: &HeaderMap,
    client: &Client,
    is_proxy: bool,
) -> Result<Option<Arc<Identity>>, Problem> {
    let settings = &state.settings;
    if settings.sign_on_header.is_empty() || !is_proxy {
        return Ok(None);
    }
    // Of two, one may be the client's own.
    if [&settings.sign_on_header, &settings.sign_on_header_groups]
        .iter()
        .any(|name| !name.is_empty() && headers.get_all(name.as_str()).iter().count() > 1)
    {
        return Err(Problem::new(Code::ForeignRequest, "the header of the sign-on is there twice"));
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let Some(login) = text(&settings.sign_on_header).filter(|login| !login.is_empty()) else {
        return Ok(None);
    };
    let groups = text(&settings.sign_on_header_groups).unwrap_or_default();
    let groups: Vec<String> =
        groups.split(',').map(|group| group.trim().to_owned()).filter(|g| !g.is_empty()).collect();
    let identity =
        state.sign_on.by_header(&state.accounts, login, &groups, client, state.app.clock.now()).await?;
    Ok(Some(identity))
}

/// Counts the request against the bound of who makes it. Scripts, styles and whether the process lives cost nothing.
fn count(state: &AppState, identity: &Identity, client: &Client, path: &str) -> Result<(), Problem> {
    let is_free = ["/assets/", "/health/", "/favicon.ico", "/worker.js", "/manifest.webmanifest"];
    if state.accounts.is_open() || is_free.iter().any(|free| path.starts_with(free)) {
        return Ok(());
    }
    let limits = state.accounts.limits();
    let counted = match &identity.who {
        Who::Nobody => limits.count_unknown(&network(&client.address)),
        Who::Person { id, .. } => limits.count(id),
        Who::Token { id, .. } => limits.count(id),
    };
    counted.map_err(|seconds| Problem {
        retry_after: Some(seconds),
        ..Problem::new(Code::TooManyRequests, format!("again in {seconds} s"))
    })
}

/// Where a request came from, by the proxies before the server: the last address that is none of them.
fn forwarded(headers: &HeaderMap, settings: &Settings) -> Option<IpAddr> {
    let all = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let told: Vec<&str> = all.flat_map(|value| value.split(',')).map(str::trim).collect();
    for one in told.into_iter().rev() {
        // What cannot be read is not passed over: behind it stands what a client may have made up.
        let address =
            one.parse::<IpAddr>().or_else(|_| one.parse::<SocketAddr>().map(|address| address.ip()));
        let address = address.ok()?.to_canonical();
        if !settings.trusted_proxies.contains(&address) {
            return Some(address);
        }
    }
    None
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A cookie of a request.
pub fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find_map(|(known, value)| (known == name).then_some(value))
}

/// Refuses a request that changes something and comes from a page of another site (OWASP: Fetch Metadata and Origin). Programs that are no
/// browsers send neither, and have no cookies that a page could use.
fn must_be_own(headers: &HeaderMap, settings: &Settings) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let foreign = || Problem::new(Code::ForeignRequest, "it must come from a page of this server");
    match text("sec-fetch-site") {
        Some("same-origin" | "none") => return Ok(()),
        Some(_) => return Err(foreign()),
        None => {}
    }
    match text(ORIGIN.as_str()) {
        Some(origin) if !settings.public_url.is_empty() && origin == settings.public_url => Ok(()),
        Some(origin) => {
            let site = origin.split_once("://").map(|(_, site)| site);
            if site.is_some() && site == text(HOST.as_str()) { Ok(()) } else { Err(foreign()) }
        }
        None if cookie(headers, cookie_name(settings)).is_some() => Err(foreign()),
        None => Ok(()),
    }
}

/// Without accounts a server of this machine answers only this machine, by its own names: a page of another site, whose name was made to
/// lead here, must not read it (DNS rebinding).
fn must_be_this_machine(headers: &HeaderMap, client: &Client, settings: &Settings) -> Result<(), Problem> {
    if settings.without_accounts == WithoutAccounts::AnyoneMayRead {
        return Ok(());
    }
    // A proxy before the server lets in whom it likes.
    let is_forwarded =
        ["forwarded", "x-forwarded-for", "x-real-ip", "via"].iter().any(|name| headers.contains_key(*name));
    let is_near = client.address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if is_forwarded || !is_near {
        let detail = "as long as nobody has an account, only this machine is answered; add an administrator \
            (`pharos people add NAME --role administrator`), or say without_accounts = \"anyone-may-read\"";
        return Err(Problem::new(Code::ForeignRequest, detail));
    }
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else { return Ok(()) };
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let name = name.map_or(host, |(name, _)| name);
    let is_here = name.eq_ignore_ascii_case("localhost")
        || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if is_here {
        return Ok(());
    }
    let detail =
        format!("as long as nobody has an account, this server answers to localhost, and not to {name}");
    Err(Problem::new(Code::ForeignRequest, detail))
}

/// The cookie of a session. `__Host-`: from this very host, over TLS, for all of it.
pub fn cookie_name(settings: &Settings) -> &'static str {
    if settings.plain_http { "pharos-session" } else { "__Host-pharos-session" }
}

/// Gives a browser the secret of a session.
pub fn with_session(mut response: Response, opened: &Opened, settings: &Settings) -> Response {
    let cookie = Cookie::build((cookie_name(settings), opened.secret.as_str()))
        .max_age(cookie::time::Duration::seconds(opened.lasts.as_secs()));
    set(&mut response, cookie, settings);
    response
}

/// Takes the secret of its session from a browser, and what the browser keeps of this site.
pub fn without_session(mut response: Response, settings: &Settings) -> Response {
    set(
        &mut response,
        Cookie::build((cookie_name(settings), "")).max_age(cookie::time::Duration::ZERO),
        settings,
    );
    response.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"cache\", \"storage\""));
    response
}

fn set(response: &mut Response, cookie: cookie::CookieBuilder<'_>, settings: &Settings) {
    let cookie =
        cookie.path("/").http_only(true).secure(!settings.plain_http).same_site(SameSite::Lax).build();
    if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}

/// What who is not signed in may do as long as nobody has an account.
pub fn open_identity(settings: &Settings) -> Identity {
    let reading = [Permission::Read, Permission::TellGaps];
    // Who sits at the machine has its files at hand.
    let at_hand = [Permission::SeeProblems, Permission::SeeGaps, Permission::SeeHealth];
    let is_here = settings.without_accounts == WithoutAccounts::LoopbackOnly;
    Identity::nobody(reading.into_iter().chain(at_hand.into_iter().filter(|_| is_here)))
}

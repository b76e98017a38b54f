//! The company's sign-on: OpenID Connect (code flow with PKCE), or a header of a trusted proxy.
//!
//! Who comes from there has an account from the first time on; groups say what he is here.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AuthorizationCode, Client as OidcClient, ClientId, ClientSecret, CsrfToken,
    EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields, IssuerUrl,
    LogoutRequest, Nonce, PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl,
    ProviderMetadataWithLogout, RedirectUrl, Scope, StandardErrorResponse, StandardTokenResponse,
    TokenResponse,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::accounts::audit::Actor;
use crate::accounts::identity::{Identity, Who};
use crate::accounts::people::{NewPerson, Origin, Person, PersonChange};
use crate::accounts::permissions::Role;
use crate::accounts::secrets::digest;
use crate::accounts::sessions::{Client, Opened, ProvedBy, Standing};
use crate::accounts::teams::TeamChange;
use crate::accounts::{AccountError, Accounts};
use crate::database::{micros, moment};
use crate::settings::{Settings, SignOnGroup};

/// How long a sign-in may be under way at the provider.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(10);

/// How long the provider has time to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long what the provider says of itself is remembered.
const REMEMBERED: Duration = Duration::from_secs(300);

/// Where the provider sends people back to.
pub const BACK: &str = "/sign-on/back";

/// Claims besides the standard ones.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Claims {
    #[serde(flatten)]
    all: HashMap<String, Value>,
}

impl AdditionalClaims for Claims {}

type Tokens = StandardTokenResponse<
    IdTokenFields<
        Claims,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

type Provider = OidcClient<
    Claims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Why somebody could not be signed on.
#[derive(Debug, thiserror::Error)]
pub enum SignOnError {
    /// There is no sign-on here.
    #[error("settings name no sign-on")]
    None,
    /// The provider cannot be reached, or says what cannot be.
    #[error("the sign-on does not answer as it should: {0}")]
    Provider(String),
    /// What came back does not belong to a sign-in that is under way here, or is not to be believed.
    #[error("the sign-on was not completed: {0}")]
    Refused(String),
    /// The account.
    #[error(transparent)]
    Account(#[from] AccountError),
}

/// What the provider says of somebody.
#[derive(Clone, Debug)]
struct Told {
    /// Issuer and subject, which are never given to another.
    subject: String,
    login: String,
    /// The login, if it is the name that the provider gives the person.
    preferred: Option<String>,
    name: String,
    email: Option<String>,
    is_email_verified: bool,
    groups: BTreeSet<String>,
}

/// A sign-in that was begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Where the browser goes.
    pub address: String,
    /// What the browser has to show when it comes back.
    pub state: String,
}

/// The company's sign-on, as settings describe it.
#[derive(Debug)]
pub struct SignOn {
    issuer: String,
    client_id: String,
    client_secret: String,
    public_url: String,
    groups_claim: String,
    groups: Vec<SignOnGroup>,
    metadata: Mutex<Option<(Instant, ProviderMetadataWithLogout)>>,
}

impl SignOn {
    /// The sign-on of settings.
    pub fn new(settings: &Settings) -> Self {
        Self {
            issuer: settings.sign_on_issuer.clone(),
            client_id: settings.sign_on_client_id.clone(),
            client_secret: settings.sign_on_client_secret.clone(),
            public_url: settings.public_url.clone(),
            groups_claim: settings.sign_on_groups_claim.clone(),
            groups: settings.sign_on_groups.clone(),
            metadata: Mutex::default(),
        }
    }

    /// Whether there is a provider.
    pub fn is_there(&self) -> bool {
        !self.issuer.is_empty()
    }

    fn http() -> Result<reqwest::Client, SignOnError> {
        // A redirect could lead the server to addresses that only it can reach.
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE);
        client.build().map_err(|error| SignOnError::Provider(error.to_string()))
    }

    /// What the provider says of itself (OpenID Connect Discovery 1.0).
    async fn metadata(&self, anew: bool) -> Result<ProviderMetadataWithLogout, SignOnError> {
        if !self.is_there() {
            return Err(SignOnError::None);
        }
        let mut known = self.metadata.lock().await;
        if let Some((at, metadata)) = known.as_ref().filter(|(at, _)| !anew && at.elapsed() < REMEMBERED) {
            let _ = at;
            return Ok(metadata.clone());
        }
        let issuer = IssuerUrl::new(self.issuer.clone()).map_err(|e| SignOnError::Provider(e.to_string()))?;
        let found = ProviderMetadataWithLogout::discover_async(issuer, &Self::http()?).await;
        let found = found.map_err(|error| SignOnError::Provider(chain(&error)))?;
        *known = Some((Instant::now(), found.clone()));
        Ok(found)
    }

    fn provider(&self, metadata: ProviderMetadataWithLogout) -> Result<Provider, SignOnError> {
        let secret =
            Some(self.client_secret.clone()).filter(|secret| !secret.is_empty()).map(ClientSecret::new);
        let back = RedirectUrl::new(format!("{}{BACK}", self.public_url));
        let back = back.map_err(|error| SignOnError::Provider(error.to_string()))?;
        let client =
            OidcClient::from_provider_metadata(metadata, ClientId::new(self.client_id.clone()), secret);
        Ok(client.set_redirect_uri(back))
    }

    /// Begins a sign-in at the provider.
    ///
    /// # Errors
    /// There is none, or it does not answer.
    pub async fn begin(
        &self,
        accounts: &Accounts,
        back_to: &str,
        now: Timestamp,
    ) -> Result<Begun, SignOnError> {
        let metadata = self.metadata(false).await?;
        let offers_groups = metadata
            .scopes_supported()
            .is_some_and(|scopes| scopes.iter().any(|scope| scope.as_str() == self.groups_claim));
        let provider = self.provider(metadata)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = provider
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scope(Scope::new("profile".to_owned()))
            .add_scope(Scope::new("email".to_owned()));
        if offers_groups {
            request = request.add_scope(Scope::new(self.groups_claim.clone()));
        }
        let (address, state, nonce) = request.set_pkce_challenge(challenge).url();
        let expires_at = now.checked_add(UNDER_WAY).unwrap_or(now);
        sqlx::query(
            "INSERT INTO sign_ins (id, nonce, verifier, back_to, expires_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(digest(state.secret()))
        .bind(nonce.secret())
        .bind(verifier.secret())
        .bind(back_to)
        .bind(micros(expires_at))
        .execute(accounts.database.pool())
        .await
        .map_err(AccountError::from)?;
        Ok(Begun { address: address.to_string(), state: state.secret().clone() })
    }

    /// Completes a sign-in: returns the session, and where the person was going.
    ///
    /// # Errors
    /// It was not begun here, has expired or was completed; or the provider's answer is not to be believed.
    pub async fn complete(
        &self,
        accounts: &Accounts,
        state: &str,
        code: &str,
        client: &Client,
        now: Timestamp,
    ) -> Result<(Opened, String), SignOnError> {
        // Whoever takes it out first has it: neither state nor code is good a second time.
        let row: Option<(String, String, String, i64)> = sqlx::query_as(
            "DELETE FROM sign_ins WHERE id = $1 RETURNING nonce, verifier, back_to, expires_at",
        )
        .bind(digest(state))
        .fetch_optional(accounts.database.pool())
        .await
        .map_err(AccountError::from)?;
        let refused = |why: &str| SignOnError::Refused(why.to_owned());
        let (nonce, verifier, back_to, expires_at) = row.ok_or_else(|| refused("it is not under way"))?;
        if moment(expires_at) <= now {
            return Err(refused("it took too long; begin again"));
        }
        let provider = self.provider(self.metadata(false).await?)?;
        let tokens = provider
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| SignOnError::Provider(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier))
            .request_async(&Self::http()?)
            .await
            .map_err(|error| SignOnError::Refused(chain(&error)))?;
        let id_token = tokens.id_token().ok_or_else(|| refused("there is no ID token"))?;
        let nonce = Nonce::new(nonce);
        let claims = match id_token.claims(&provider.id_token_verifier(), &nonce) {
            Ok(claims) => claims.clone(),
            // The provider may have taken new keys meanwhile.
            Err(_) => {
                let provider = self.provider(self.metadata(true).await?)?;
                let verified = id_token.claims(&provider.id_token_verifier(), &nonce);
                verified.map_err(|error| SignOnError::Refused(chain(&error)))?.clone()
            }
        };
        let mut groups = groups_of(claims.additional_claims(), &self.groups_claim);
        if groups.is_empty() && !self.groups.is_empty() {
            groups = self.groups_of_user_info(&provider, &tokens, &claims).await;
        }
        let subject = claims.subject().as_str();
        let email = claims.email().map(|email| email.as_str().to_owned());
        let preferred = claims.preferred_username().map(|name| name.as_str().to_owned());
        let login = preferred.clone().or_else(|| email.clone()).unwrap_or_else(|| subject.to_owned());
        let name = claims.name().and_then(|name| name.get(None)).map(|name| name.as_str().to_owned());
        let told = Told {
            subject: format!("{}#{subject}", self.issuer),
            name: name.unwrap_or_else(|| login.clone()),
            login,
            preferred,
            is_email_verified: claims.email_verified() == Some(true),
            email,
            groups,
        };
        let person = self.person(accounts, &told, client, now).await?;
        if !person.active {
            return Err(refused("the account is locked"));
        }
        let opened = accounts
            .open_session(&person.id, ProvedBy::SignOn, client, Some(&id_token.to_string()), now)
            .await?;
        let actor = Actor { id: Some(person.id.clone()), name: person.name, address: client.address.clone() };
        accounts.note(&actor, "sign-in", Some(&person.id), "by the company's sign-on", now).await?;
        Ok((opened, back_to))
    }

    async fn groups_of_user_info(
        &self,
        provider: &Provider,
        tokens: &Tokens,
        claims: &openidconnect::IdTokenClaims<Claims, CoreGenderClaim>,
    ) -> BTreeSet<String> {
        use openidconnect::OAuth2TokenResponse;
        let subject = Some(claims.subject().clone());
        let (Ok(request), Ok(http)) =
            (provider.user_info(tokens.access_token().clone(), subject), Self::http())
        else {
            return BTreeSet::new();
        };
        let found: Result<openidconnect::UserInfoClaims<Claims, CoreGenderClaim>, _> =
            request.request_async(&http).await;
        match found {
            Ok(found) => groups_of(found.additional_claims(), &self.groups_claim),
            Err(error) => {
                tracing::warn!(error = chain(&error), "the sign-on does not tell the groups of a person");
                BTreeSet::new()
            }
        }
    }

    /// Where one signs out at the provider as well.
    pub async fn sign_out(&self, id_token: &str) -> Option<String> {
        let metadata = self.metadata(false).await.ok()?;
        let endpoint = metadata.additional_metadata().end_session_endpoint.clone()?;
        let back = PostLogoutRedirectUrl::new(format!("{}/sign-in", self.public_url)).ok()?;
        let request = LogoutRequest::from(endpoint).set_post_logout_redirect_uri(back);
        let request = request.set_client_id(ClientId::new(self.client_id.clone()));
        let mut address = request.http_get_url();
        address.query_pairs_mut().append_pair("id_token_hint", id_token);
        Some(address.to_string())
    }

    /// The person of what the sign-on tells: found, or made; and what his groups make of him.
    async fn person(
        &self,
        accounts: &Accounts,
        told: &Told,
        client: &Client,
        now: Timestamp,
    ) -> Result<Person, AccountError> {
        let actor = Actor { id: None, name: "sign-on".to_owned(), address: client.address.clone() };
        let found = match accounts.person_by_subject(&told.subject).await? {
            Some(person) => Some(person),
            None => {
                let expected = self.expected(accounts, told).await?;
                if let Some(person) = &expected {
                    accounts.note(&actor, "person.linked", Some(&person.id), &told.subject, now).await?;
                }
                expected
            }
        };
        let person = match found {
            Some(person) => person,
            None => {
                let roles = if self.groups.is_empty() { vec![Role::Operator] } else { Vec::new() };
                let new = NewPerson {
                    login: told.login.clone(),
                    name: told.name.clone(),
                    email: told.email.clone(),
                    roles,
                    subject: Some(told.subject.clone()),
                    from_directory: true,
                    ..NewPerson::default()
                };
                accounts.add_person(&new, &actor, now).await?
            }
        };
        self.bring_up_to_date(accounts, person, told, &actor, now).await
    }

    /// Somebody who has an account before he first comes, and nothing to prove by who he is: put in by the company's directory, or invited.
    async fn expected(&self, accounts: &Accounts, told: &Told) -> Result<Option<Person>, AccountError> {
        let is_free =
            |person: &Person| person.subject.is_none() && !person.has_password && !person.has_second_factor;
        let is_of_directory = |person: &Person| is_free(person) && person.origin == Origin::Directory;
        // Some directories call people by the same ids as their sign-ons.
        let (_, subject) = told.subject.split_once('#').unwrap_or_default();
        if let Some(person) = accounts.person_by_external_id(subject).await?.filter(is_of_directory) {
            return Ok(Some(person));
        }
        // The directory gives the names it tells; names that people choose for themselves prove nothing of who was invited.
        let preferred = told.preferred.as_deref().unwrap_or_default();
        if let Some(person) = accounts.person_by_login(preferred).await?.filter(is_of_directory) {
            return Ok(Some(person));
        }
        let email = told.email.as_deref().filter(|_| told.is_email_verified).unwrap_or_default();
        let invited = accounts.person_by_login(email).await?;
        Ok(invited.filter(|person| is_free(person) && person.login.eq_ignore_ascii_case(email)))
    }

    /// What the sign-on tells of a person, and what his groups make of him.
    async fn bring_up_to_date(
        &self,
        accounts: &Accounts,
        person: Person,
        told: &Told,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Person, AccountError> {
        let mut change = PersonChange {
            name: Some(told.name.clone()),
            subject: Some(told.subject.clone()),
            ..PersonChange::default()
        };
        let own: Vec<&SignOnGroup> = self.groups.iter().filter(|g| told.groups.contains(&g.group)).collect();
        if !self.groups.is_empty() {
            let roles: BTreeSet<Role> =
                own.iter().flat_map(|g| &g.roles).filter_map(|role| Role::of(role)).collect();
            change.roles = Some(roles.into_iter().collect());
            change.region = Some(own.iter().find_map(|g| g.region.clone()).unwrap_or_default());
            self.put_into_teams(accounts, &person.id, &own, actor, now).await?;
        }
        match accounts.change_person(&person.id, &change, actor, now).await {
            // The last administrator stays one, whatever his groups say.
            Err(AccountError::Conflict(why)) if change.roles.is_some() => {
                tracing::warn!(login = person.login, why, "the roles of groups are not taken over");
                let change = PersonChange { roles: None, ..change };
                accounts.change_person(&person.id, &change, actor, now).await
            }
            changed => changed,
        }
    }

    /// Puts somebody into the teams of his groups, and takes him out of those of other groups; other teams are nothing to groups.
    async fn put_into_teams(
        &self,
        accounts: &Accounts,
        person: &str,
        own: &[&SignOnGroup],
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        let wanted: BTreeSet<&String> = own.iter().filter_map(|group| group.team.as_ref()).collect();
        let managed: BTreeSet<&String> = self.groups.iter().filter_map(|group| group.team.as_ref()).collect();
        let current = accounts.teams_of(person).await?;
        let me = [person.to_owned()];
        for team in current.iter().filter(|team| managed.contains(&team.name) && !wanted.contains(&team.name))
        {
            accounts.change_members(&team.id, &[], &me, actor, now).await?;
        }
        for name in wanted.into_iter().filter(|name| current.iter().all(|team| team.name != **name)) {
            let team = match accounts.team_by_name(name).await? {
                Some(team) => team,
                None => {
                    let new = TeamChange { name: Some(name.clone()), ..TeamChange::default() };
                    accounts.add_team(&new, actor, now).await?
                }
            };
            accounts.change_members(&team.id, &me, &[], actor, now).await?;
        }
        Ok(())
    }

    /// Who a trusted proxy says is asking.
    ///
    /// # Errors
    /// The store fails, or the account is locked.
    pub async fn by_header(
        &self,
        accounts: &Accounts,
        login: &str,
        groups: &[String],
        client: &Client,
        now: Timestamp,
    ) -> Result<Arc<Identity>, AccountError> {
        accounts.notice_changes(now).await;
        let key = digest(&format!("header\n{login}\n{}", groups.join("\n")));
        if let Some(known) = accounts.remembered(&key, now) {
            return Ok(known);
        }
        let changes = accounts.change_count();
        let told = Told {
            subject: format!("header#{login}"),
            login: login.to_owned(),
            preferred: None,
            name: login.to_owned(),
            email: None,
            is_email_verified: false,
            groups: groups.iter().cloned().collect(),
        };
        let actor = Actor { id: None, name: "sign-on".to_owned(), address: client.address.clone() };
        // The proxy vouches for whoever has this login; what is known of him here stays.
        let mut known = accounts.person_by_login(login).await?;
        if known.is_none() {
            match self.person(accounts, &told, client, now).await {
                // Two first requests at one time.
                Ok(_) | Err(AccountError::Conflict(_)) => known = accounts.person_by_login(login).await?,
                Err(error) => return Err(error),
            }
        }
        let known = known.ok_or(AccountError::NotFound("person"))?;
        let own =
            Told { subject: known.subject.clone().unwrap_or(told.subject), name: known.name.clone(), ..told };
        let person = self.bring_up_to_date(accounts, known, &own, &actor, now).await?;
        if !person.active {
            return Err(AccountError::Wrong("the account is locked"));
        }
        let who = Who::Person {
            id: person.id.as_str().into(),
            name: person.name.as_str().into(),
            session: "header".into(),
        };
        let standing = Standing {
            person: person.id,
            roles: person.roles,
            audiences: person.audiences,
            region: person.region,
            lacks_factor: false,
        };
        let identity = Arc::new(accounts.identity(who, standing, None).await?);
        accounts.remember(key, &identity, Timestamp::MAX, now, changes);
        Ok(identity)
    }
}

/// The groups in a claim: a list of texts, or one text.
fn groups_of(claims: &Claims, name: &str) -> BTreeSet<String> {
    match claims.all.get(name) {
        Some(Value::Array(groups)) => groups.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(group)) => [group.clone()].into(),
        _ => BTreeSet::new(),
    }
}

/// An error with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

//! SCIM 2.0 (RFC 7643, RFC 7644): a company's directory keeps people and teams here. Enough of it for the flows that Okta and Entra describe.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::accounts::people::{NewPerson, Origin, Person, PersonChange};
use crate::accounts::permissions::Role;
use crate::accounts::teams::{Team, TeamChange};
use crate::accounts::{AccountError, Accounts};
use crate::http::asker::Asker;
use crate::http::extract::{Id, Query};
use crate::http::problem::{Code, Problem};
use crate::http::state::AppState;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// The most things in one list.
const MAX_COUNT: usize = 200;

/// The most operations of one PATCH.
const MAX_OPERATIONS: usize = 1_000;

/// Why a request of a directory failed, as SCIM tells it (RFC 7644, 3.12).
#[derive(Debug)]
pub struct ScimError {
    status: StatusCode,
    kind: Option<&'static str>,
    detail: String,
}

impl ScimError {
    fn invalid(kind: &'static str, detail: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, kind: Some(kind), detail: detail.into() }
    }
}

impl From<AccountError> for ScimError {
    fn from(error: AccountError) -> Self {
        let detail = error.to_string();
        match error {
            AccountError::NotFound(_) => Self { status: StatusCode::NOT_FOUND, kind: None, detail },
            AccountError::Conflict(_) => {
                Self { status: StatusCode::CONFLICT, kind: Some("uniqueness"), detail }
            }
            AccountError::Invalid { .. } => Self::invalid("invalidValue", detail),
            other => {
                let problem = Problem::from(other);
                let (_, status, _) = problem.code.parts();
                Self { status, kind: None, detail: problem.detail }
            }
        }
    }
}

impl IntoResponse for ScimError {
    fn into_response(self) -> Response {
        let mut body =
            json!({"schemas": [ERROR], "status": self.status.as_u16().to_string(), "detail": self.detail});
        if let Some(kind) = self.kind {
            body["scimType"] = json!(kind);
        }
        reply(self.status, &body)
    }
}

fn reply(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/scim+json")], body.to_string()).into_response()
}

type Result<T> = std::result::Result<T, ScimError>;

fn read(bytes: &Bytes) -> Result<Value> {
    let body: Value = serde_json::from_slice(bytes)
        .map_err(|error| ScimError::invalid("invalidSyntax", error.to_string()))?;
    if memchr::memmem::find(bytes, b"\\u0000").is_some() || !body.is_object() {
        return Err(ScimError::invalid(
            "invalidSyntax",
            "the body must be an object without characters of code 0",
        ));
    }
    Ok(body)
}

/// A value of an object, by a name in any case (RFC 7643, 2.1).
fn get<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    object.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn text(object: &Value, name: &str) -> Option<String> {
    get(object, name)?.as_str().map(str::to_owned)
}

/// Yes or no; Entra writes it as a text.
fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(yes) => Some(*yes),
        Value::String(text) => text.to_ascii_lowercase().parse().ok(),
        _ => None,
    }
}

/// What a directory says of a person.
#[derive(Debug, Default)]
struct Described {
    login: Option<String>,
    name: Option<String>,
    email: Option<String>,
    external_id: Option<String>,
    active: Option<bool>,
}

impl Described {
    fn of(body: &Value) -> Self {
        let name = get(body, "name");
        let part = |part: &str| name.and_then(|name| text(name, part));
        let whole =
            [part("givenName"), part("familyName")].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let named = text(body, "displayName").or_else(|| part("formatted")).or(Some(whole));
        let emails = get(body, "emails").and_then(Value::as_array);
        let is_primary = |email: &&Value| get(email, "primary").and_then(flag) == Some(true);
        let email = emails.and_then(|emails| emails.iter().find(is_primary).or_else(|| emails.first()));
        Self {
            login: text(body, "userName"),
            name: named.filter(|name| !name.trim().is_empty()),
            email: email.and_then(|email| text(email, "value")),
            external_id: text(body, "externalId"),
            active: get(body, "active").and_then(flag),
        }
    }

    fn change(self) -> PersonChange {
        let Self { login, name, email, external_id, active } = self;
        PersonChange { login, name, email, external_id, active, ..PersonChange::default() }
    }
}

fn moment(at: jiff::Timestamp) -> String {
    at.to_string()
}

async fn user(accounts: &Accounts, person: &Person, url: &str) -> Result<Value> {
    let teams = accounts.teams_of(&person.id).await?;
    let groups: Vec<Value> =
        teams.iter().map(|team| json!({"value": team.id, "display": team.name})).collect();
    let mut shown = json!({
        "schemas": [USER],
        "id": person.id,
        "userName": person.login,
        "displayName": person.name,
        "name": {"formatted": person.name},
        "active": person.active,
        "groups": groups,
        "roles": person.roles.iter().map(|role| json!({"value": role.name()})).collect::<Vec<_>>(),
        "meta": {
            "resourceType": "User",
            "created": moment(person.created_at),
            "lastModified": moment(person.updated_at),
            "location": format!("{url}/scim/v2/Users/{}", person.id),
        },
    });
    if let Some(email) = &person.email {
        shown["emails"] = json!([{"value": email, "type": "work", "primary": true}]);
    }
    if let Some(id) = &person.external_id {
        shown["externalId"] = json!(id);
    }
    Ok(shown)
}

async fn group(accounts: &Accounts, team: &Team, url: &str) -> Result<Value> {
    let members: Vec<Value> =
        accounts.members(&team.id).await?.into_iter().map(|id| json!({"value": id})).collect();
    let mut shown = json!({
        "schemas": [GROUP],
        "id": team.id,
        "displayName": team.name,
        "members": members,
        "meta": {
            "resourceType": "Group",
            "created": moment(team.created_at),
            "lastModified": moment(team.updated_at),
            "location": format!("{url}/scim/v2/Groups/{}", team.id),
        },
    });
    if let Some(id) = &team.external_id {
        shown["externalId"] = json!(id);
    }
    Ok(shown)
}

/// What a list is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListParams {
    filter: Option<String>,
    start_index: Option<String>,
    count: Option<String>,
}

impl ListParams {
    /// The place of the first, from 1, and how many.
    fn page(&self) -> (usize, usize) {
        let number =
            |text: &Option<String>| text.as_deref().and_then(|text| text.trim().parse::<usize>().ok());
        (
            number(&self.start_index).unwrap_or(1).max(1),
            number(&self.count).unwrap_or(MAX_COUNT).min(MAX_COUNT),
        )
    }

    /// `attribute eq "value"`: what directories look people up by. The attribute in small letters.
    fn equals(&self) -> Result<Option<(String, String)>> {
        let Some(filter) = self.filter.as_deref().map(str::trim).filter(|filter| !filter.is_empty()) else {
            return Ok(None);
        };
        let wrong = || ScimError::invalid("invalidFilter", "only `attribute eq \"value\"` is understood");
        let mut parts = filter.splitn(3, char::is_whitespace);
        let (Some(name), Some(operator), Some(value)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong());
        };
        let value: String = serde_json::from_str(value.trim()).map_err(|_| wrong())?;
        if operator.eq_ignore_ascii_case("eq") {
            Ok(Some((name.to_ascii_lowercase(), value)))
        } else {
            Err(wrong())
        }
    }
}

fn listed(resources: &[Value], total: usize, start: usize) -> Response {
    let body = json!({
        "schemas": [LIST],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    });
    reply(StatusCode::OK, &body)
}

/// Lists people.
pub async fn list_users(State(state): State<AppState>, Query(params): Query<ListParams>) -> Result<Response> {
    let (accounts, url) = (&state.accounts, &state.settings.public_url);
    let (start, count) = params.page();
    let (people, total) = match params.equals()? {
        None => accounts.people("", None, count, start - 1).await?,
        Some((name, value)) => {
            let found = match name.as_str() {
                "username" => accounts.person_by_login(&value).await?,
                "externalid" => accounts.person_by_external_id(&value).await?,
                "id" => accounts.person(&value).await.ok(),
                other => {
                    return Err(ScimError::invalid(
                        "invalidFilter",
                        format!("`{other}` cannot be looked up by"),
                    ));
                }
            };
            let people: Vec<Person> = found.into_iter().collect();
            let total = people.len();
            (people, total)
        }
    };
    let mut resources = Vec::with_capacity(people.len());
    for person in &people {
        resources.push(user(accounts, person, url).await?);
    }
    Ok(listed(&resources, total, start))
}

/// A person.
pub async fn get_user(State(state): State<AppState>, Id(id): Id) -> Result<Response> {
    let person = state.accounts.person(&id).await?;
    Ok(reply(StatusCode::OK, &user(&state.accounts, &person, &state.settings.public_url).await?))
}

/// Adds a person.
pub async fn add_user(State(state): State<AppState>, asker: Asker, body: Bytes) -> Result<Response> {
    let (accounts, now) = (&state.accounts, state.app.clock.now());
    let described = Described::of(&read(&body)?);
    let login = described.login.ok_or_else(|| ScimError::invalid("invalidValue", "`userName` is missing"))?;
    // Where groups give the roles, a person begins with none.
    let roles = if state.settings.sign_on_groups.is_empty() { vec![Role::Operator] } else { Vec::new() };
    let new = NewPerson {
        login,
        name: described.name.unwrap_or_default(),
        email: described.email,
        roles,
        external_id: described.external_id,
        from_directory: true,
        ..NewPerson::default()
    };
    let mut person = accounts.add_person(&new, &asker.actor(), now).await?;
    if described.active == Some(false) {
        let change = PersonChange { active: Some(false), ..PersonChange::default() };
        person = accounts.change_person(&person.id, &change, &asker.actor(), now).await?;
    }
    Ok(reply(StatusCode::CREATED, &user(accounts, &person, &state.settings.public_url).await?))
}

/// Refuses to change who is kept here: who may change his address could have a link sent, and be him.
async fn must_be_of_directory(accounts: &Accounts, id: &str) -> Result<()> {
    if accounts.person(id).await?.origin == Origin::Directory {
        return Ok(());
    }
    Err(ScimError::invalid("mutability", "this person was added here, and is not the directory's to change"))
}

/// Refuses to change teams that make administrators: that is for administrators.
async fn must_not_administer(accounts: &Accounts, id: &str) -> Result<()> {
    if !accounts.team(id).await?.roles.contains(&Role::Administrator) {
        return Ok(());
    }
    Err(ScimError::invalid("mutability", "this team makes its members administrators, and is kept here"))
}

/// Puts what a directory says of a person in the place of what it said before.
pub async fn replace_user(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
    body: Bytes,
) -> Result<Response> {
    let described = Described::of(&read(&body)?);
    let now = state.app.clock.now();
    must_be_of_directory(&state.accounts, &id).await?;
    let person = state.accounts.change_person(&id, &described.change(), &asker.actor(), now).await?;
    Ok(reply(StatusCode::OK, &user(&state.accounts, &person, &state.settings.public_url).await?))
}

/// One operation of a PATCH (RFC 7644, 3.5.2).
struct Operation {
    op: String,
    path: String,
    value: Value,
}

fn operations(body: &Value) -> Result<Vec<Operation>> {
    let list = get(body, "Operations").and_then(Value::as_array);
    let list = list.ok_or_else(|| ScimError::invalid("invalidSyntax", "`Operations` is missing"))?;
    if list.len() > MAX_OPERATIONS {
        return Err(ScimError::invalid("tooMany", format!("{MAX_OPERATIONS} operations at most")));
    }
    let read = |one: &Value| {
        let op = text(one, "op").map(|op| op.to_ascii_lowercase()).unwrap_or_default();
        if !["add", "replace", "remove"].contains(&op.as_str()) {
            return Err(ScimError::invalid("invalidSyntax", "`op` must be add, replace or remove"));
        }
        let value = get(one, "value").cloned().unwrap_or(Value::Null);
        Ok(Operation { op, path: text(one, "path").unwrap_or_default(), value })
    };
    list.iter().map(read).collect()
}

/// Changes a person.
pub async fn patch_user(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
    body: Bytes,
) -> Result<Response> {
    let (accounts, now) = (&state.accounts, state.app.clock.now());
    let mut merged = Map::new();
    for Operation { op, path, value } in operations(&read(&body)?)? {
        let value = if op == "remove" { Value::String(String::new()) } else { value };
        match (path.as_str(), value) {
            ("", Value::Object(values)) => {
                for (name, value) in values {
                    put(&mut merged, &name, value);
                }
            }
            ("", _) => {
                return Err(ScimError::invalid("noTarget", "an operation without `path` needs an object"));
            }
            (path, value) => put(&mut merged, path, value),
        }
    }
    let described = Described::of(&Value::Object(merged));
    must_be_of_directory(accounts, &id).await?;
    let person = accounts.change_person(&id, &described.change(), &asker.actor(), now).await?;
    Ok(reply(StatusCode::OK, &user(accounts, &person, &state.settings.public_url).await?))
}

/// Puts a value where a path of a person leads: `name.givenName`, `emails[type eq "work"].value`.
fn put(object: &mut Map<String, Value>, path: &str, value: Value) {
    let path = path.strip_prefix(&format!("{USER}:")).unwrap_or(path);
    let lower = path.to_ascii_lowercase();
    if lower.starts_with("emails[") || lower == "emails.value" {
        object.insert("emails".to_owned(), json!([{"value": value}]));
    } else if let Some((outer, inner)) = path.split_once('.') {
        let inside = object.entry(outer.to_owned()).or_insert_with(|| json!({}));
        if let Value::Object(inside) = inside {
            inside.insert(inner.to_owned(), value);
        }
    } else {
        object.insert(path.to_owned(), value);
    }
}

/// Takes a person out: the account is erased.
pub async fn remove_user(State(state): State<AppState>, asker: Asker, Id(id): Id) -> Result<StatusCode> {
    must_be_of_directory(&state.accounts, &id).await?;
    state.accounts.erase_person(&id, &asker.actor(), state.app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists teams.
pub async fn list_groups(
    State(state): State<AppState>,
    Query(params): Query<ListParams>,
) -> Result<Response> {
    let (accounts, url) = (&state.accounts, &state.settings.public_url);
    let (start, count) = params.page();
    let mut teams = accounts.teams().await?;
    if let Some((name, value)) = params.equals()? {
        match name.as_str() {
            "displayname" => teams.retain(|team| team.name == value),
            "externalid" => teams.retain(|team| team.external_id.as_deref() == Some(&value)),
            "id" => teams.retain(|team| team.id == value),
            other => {
                return Err(ScimError::invalid("invalidFilter", format!("`{other}` cannot be looked up by")));
            }
        }
    }
    let total = teams.len();
    let mut resources = Vec::new();
    for team in teams.iter().skip(start - 1).take(count) {
        resources.push(group(accounts, team, url).await?);
    }
    Ok(listed(&resources, total, start))
}

/// A team.
pub async fn get_group(State(state): State<AppState>, Id(id): Id) -> Result<Response> {
    let team = state.accounts.team(&id).await?;
    Ok(reply(StatusCode::OK, &group(&state.accounts, &team, &state.settings.public_url).await?))
}

/// Ids of people in a list of members.
fn member_ids(value: &Value) -> Vec<String> {
    let one = |value: &Value| text(value, "value").or_else(|| value.as_str().map(str::to_owned));
    match value {
        Value::Array(list) => list.iter().filter_map(one).collect(),
        value => one(value).into_iter().collect(),
    }
}

/// Makes a team.
pub async fn add_group(State(state): State<AppState>, asker: Asker, body: Bytes) -> Result<Response> {
    let (accounts, now) = (&state.accounts, state.app.clock.now());
    let body = read(&body)?;
    let name = text(&body, "displayName")
        .ok_or_else(|| ScimError::invalid("invalidValue", "`displayName` is missing"))?;
    let new =
        TeamChange { name: Some(name), external_id: text(&body, "externalId"), ..TeamChange::default() };
    let team = accounts.add_team(&new, &asker.actor(), now).await?;
    let members = get(&body, "members").map(member_ids).unwrap_or_default();
    accounts.change_members(&team.id, &members, &[], &asker.actor(), now).await?;
    Ok(reply(
        StatusCode::CREATED,
        &group(accounts, &accounts.team(&team.id).await?, &state.settings.public_url).await?,
    ))
}

/// Puts what a directory says of a team in the place of what it said before.
pub async fn replace_group(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
    body: Bytes,
) -> Result<Response> {
    let (accounts, now) = (&state.accounts, state.app.clock.now());
    let body = read(&body)?;
    let change = TeamChange {
        name: text(&body, "displayName"),
        external_id: text(&body, "externalId"),
        ..TeamChange::default()
    };
    must_not_administer(accounts, &id).await?;
    let team = accounts.change_team(&id, &change, &asker.actor(), now).await?;
    if let Some(members) = get(&body, "members") {
        set_members(&state, &asker, &team.id, &member_ids(members)).await?;
    }
    Ok(reply(StatusCode::OK, &group(accounts, &team, &state.settings.public_url).await?))
}

async fn set_members(state: &AppState, asker: &Asker, team: &str, wanted: &[String]) -> Result<()> {
    let (accounts, now) = (&state.accounts, state.app.clock.now());
    let current = accounts.members(team).await?;
    let added: Vec<String> = wanted.iter().filter(|id| !current.contains(*id)).cloned().collect();
    let removed: Vec<String> = current.into_iter().filter(|id| !wanted.contains(id)).collect();
    accounts.change_members(team, &added, &removed, &asker.actor(), now).await?;
    Ok(())
}

/// Changes a team: its name, who comes and who goes.
pub async fn patch_group(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
    body: Bytes,
) -> Result<Response> {
    let (accounts, actor, now) = (&state.accounts, asker.actor(), state.app.clock.now());
    must_not_administer(accounts, &id).await?;
    for Operation { op, path, value } in operations(&read(&body)?)? {
        let lower = path.to_ascii_lowercase();
        match (op.as_str(), lower.as_str()) {
            ("add", "members") => accounts.change_members(&id, &member_ids(&value), &[], &actor, now).await?,
            ("replace", "members") => set_members(&state, &asker, &id, &member_ids(&value)).await?,
            ("remove", "members") if value.is_null() => set_members(&state, &asker, &id, &[]).await?,
            ("remove", "members") => {
                accounts.change_members(&id, &[], &member_ids(&value), &actor, now).await?
            }
            // `members[value eq "…"]`
            ("remove", filtered) if filtered.starts_with("members[") => {
                let one = path.split('"').nth(1).unwrap_or_default().to_owned();
                accounts.change_members(&id, &[], &[one], &actor, now).await?;
            }
            ("add" | "replace", "" | "displayname" | "externalid") => {
                let named = |name: &str| {
                    if lower.is_empty() {
                        text(&value, name)
                    } else {
                        value.as_str().map(str::to_owned).filter(|_| lower.eq_ignore_ascii_case(name))
                    }
                };
                let change = TeamChange {
                    name: named("displayName"),
                    external_id: named("externalId"),
                    ..TeamChange::default()
                };
                accounts.change_team(&id, &change, &actor, now).await?;
                if let Some(members) = get(&value, "members").filter(|_| lower.is_empty()) {
                    set_members(&state, &asker, &id, &member_ids(members)).await?;
                }
            }
            _ => {
                return Err(ScimError::invalid(
                    "invalidPath",
                    format!("`{op}` of `{path}` is not understood"),
                ));
            }
        }
    }
    Ok(reply(StatusCode::OK, &group(accounts, &accounts.team(&id).await?, &state.settings.public_url).await?))
}

/// Removes a team.
pub async fn remove_group(State(state): State<AppState>, asker: Asker, Id(id): Id) -> Result<StatusCode> {
    must_not_administer(&state.accounts, &id).await?;
    state.accounts.remove_team(&id, &asker.actor(), state.app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is to be had here (RFC 7643, 5).
pub async fn configuration() -> Response {
    let no = json!({"supported": false});
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": {"supported": true},
        "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": true, "maxResults": MAX_COUNT},
        "changePassword": no,
        "sort": no,
        "etag": no,
        "authenticationSchemes": [{"type": "oauthbearertoken", "name": "Token", "description": "A token with the scope `provision`"}],
    });
    reply(StatusCode::OK, &body)
}

/// What is kept here (RFC 7643, 6).
pub async fn resource_types() -> Response {
    let kinds = [("User", "/Users", USER), ("Group", "/Groups", GROUP)].map(|(name, endpoint, schema)| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": name, "name": name, "endpoint": endpoint, "schema": schema,
        })
    });
    listed(&kinds, kinds.len(), 1)
}

/// Told where SCIM asks for what is not here.
pub async fn nothing() -> Problem {
    Problem::new(Code::NotFound, "SCIM serves Users, Groups, ServiceProviderConfig and ResourceTypes")
}

//! The people who have an account.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::{Any, AssertSqlSafe, Transaction};
use utoipa::ToSchema;

use crate::accounts::audit::{Actor, capital, like};
use crate::accounts::permissions::{Permission, Role, permitted};
use crate::accounts::{AccountError, Accounts, checked_names, checked_text, from_json, passwords, to_json};
use crate::database::{micros, moment};
use crate::language::words;

/// The longest name.
const MAX_NAME: usize = 100;

/// How people come to have an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// An administrator added them here.
    Local,
    /// They came from the sign-on of the company, or were put in by its directory.
    Directory,
}

/// Somebody who has an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Person {
    /// The id.
    pub id: String,
    /// The name to sign in with, folded: no two differ in case alone.
    pub login: String,
    /// What others call the person.
    pub name: String,
    /// Where mail goes.
    pub email: Option<String>,
    /// The roles given to the person; teams may give more.
    pub roles: Vec<Role>,
    /// The audiences the person belongs to; teams may give more.
    pub audiences: Vec<String>,
    /// The region that is meant where none is named; without one, the team's.
    pub region: Option<String>,
    /// How the person came to have an account.
    pub origin: Origin,
    /// What the company's directory calls the person.
    pub external_id: Option<String>,
    /// What the company's sign-on knows the person by.
    pub subject: Option<String>,
    /// Whether the person may sign in.
    pub active: bool,
    /// Whether there is a password.
    pub has_password: bool,
    /// Whether a second factor is asked for.
    pub has_second_factor: bool,
    /// When the account was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// When the person was last seen, to within a few minutes.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub seen_at: Option<Timestamp>,
}

/// A person to be added.
#[derive(Clone, Debug, Default)]
pub struct NewPerson {
    /// The name to sign in with; an address of mail does.
    pub login: String,
    /// What others call the person.
    pub name: String,
    /// Where mail goes.
    pub email: Option<String>,
    /// The roles.
    pub roles: Vec<Role>,
    /// The audiences.
    pub audiences: Vec<String>,
    /// The region.
    pub region: Option<String>,
    /// Whether the company's directory answers for the person, and what it calls him.
    pub external_id: Option<String>,
    /// What the company's sign-on knows the person by.
    pub subject: Option<String>,
    /// Whether the person came from there.
    pub from_directory: bool,
}

/// What may be changed of a person; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct PersonChange {
    /// The name to sign in with.
    pub login: Option<String>,
    /// What others call the person.
    pub name: Option<String>,
    /// Where mail goes; an empty one is none.
    pub email: Option<String>,
    /// The roles.
    pub roles: Option<Vec<Role>>,
    /// The audiences.
    pub audiences: Option<Vec<String>>,
    /// The region; an empty one is none.
    pub region: Option<String>,
    /// Whether the person may sign in.
    pub active: Option<bool>,
    /// What the company's directory calls the person.
    pub external_id: Option<String>,
    /// What the company's sign-on knows the person by.
    pub subject: Option<String>,
}

/// What is read of a person.
const COLUMNS: &str = "id, login, name, email, roles, audiences, region, source, external_id, active, \
     CASE WHEN password IS NULL THEN 0 ELSE 1 END, CASE WHEN totp_secret IS NOT NULL AND totp_step >= 0 THEN 1 ELSE 0 END, created_at, updated_at, seen_at, subject";

type Row = (
    String,
    String,
    String,
    Option<String>,
    String,
    String,
    Option<String>,
    String,
    Option<String>,
    i64,
    i64,
    i64,
    i64,
    i64,
    Option<i64>,
    Option<String>,
);

fn person(row: Row) -> Person {
    let (id, login, name, email, roles, audiences, region, source, external_id, active, ..) = row;
    let (has_password, has_second_factor, created_at, updated_at, seen_at) =
        (row.10, row.11, row.12, row.13, row.14);
    Person {
        id,
        login,
        name,
        email,
        roles: from_json(&roles),
        audiences: from_json(&audiences),
        region,
        origin: if source == "local" { Origin::Local } else { Origin::Directory },
        external_id,
        subject: row.15,
        active: active != 0,
        has_password: has_password != 0,
        has_second_factor: has_second_factor != 0,
        created_at: moment(created_at),
        updated_at: moment(updated_at),
        seen_at: seen_at.map(moment),
    }
}

/// A name to sign in with, as it is compared.
pub fn fold_login(login: &str) -> String {
    words::fold(login.trim())
}

fn checked_login(login: &str) -> Result<String, AccountError> {
    let login = fold_login(&checked_text("login", login, MAX_NAME)?);
    if login.chars().any(char::is_whitespace) {
        return Err(AccountError::Invalid {
            name: "login",
            why: "must be one word, as anna or anna@example.org".to_owned(),
        });
    }
    Ok(login)
}

fn checked_email(email: &str) -> Result<Option<String>, AccountError> {
    let email = email.trim();
    if email.is_empty() {
        return Ok(None);
    }
    match email.parse::<lettre::Address>() {
        Ok(address) => Ok(Some(address.to_string())),
        Err(_) => Err(AccountError::Invalid { name: "email", why: "is no address of mail".to_owned() }),
    }
}

pub(super) fn checked_region(region: &str) -> Result<Option<String>, AccountError> {
    if region.trim().is_empty() { Ok(None) } else { checked_text("region", region, MAX_NAME).map(Some) }
}

impl Accounts {
    /// Adds a person, who cannot sign in before there is a password or another way to prove it.
    ///
    /// # Errors
    /// A field is wrong, or somebody has the login.
    pub async fn add_person(
        &self,
        new: &NewPerson,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Person, AccountError> {
        self.add(new, None, actor, now).await
    }

    /// Adds a person who has a password.
    ///
    /// # Errors
    /// A field is wrong, the password is too weak, or somebody has the login.
    pub async fn add_person_with_password(
        &self,
        new: &NewPerson,
        password: &str,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Person, AccountError> {
        passwords::check(password, &[&new.login, &new.name])?;
        let hash = self.hash(password).await?;
        self.add(new, Some(hash), actor, now).await
    }

    async fn add(
        &self,
        new: &NewPerson,
        password: Option<String>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Person, AccountError> {
        let login = checked_login(&new.login)?;
        let name =
            checked_text("name", if new.name.trim().is_empty() { &new.login } else { &new.name }, MAX_NAME)?;
        let email = checked_email(new.email.as_deref().unwrap_or_default())?;
        let audiences = checked_names("audiences", &new.audiences)?;
        let region = checked_region(new.region.as_deref().unwrap_or_default())?;
        let mut roles = new.roles.clone();
        roles.sort();
        roles.dedup();
        let id = self.ids.next(now);
        let added = sqlx::query(
            "INSERT INTO people (id, login, name, email, roles, audiences, region, source, external_id, active, created_at, updated_at, password, subject) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $10, $11, $12) ON CONFLICT (login) DO NOTHING",
        )
        .bind(&id)
        .bind(&login)
        .bind(&name)
        .bind(email)
        .bind(to_json(&roles))
        .bind(to_json(&audiences))
        .bind(region)
        .bind(if new.from_directory { "directory" } else { "local" })
        .bind(new.external_id.as_deref())
        .bind(micros(now))
        .bind(password)
        .bind(new.subject.as_deref())
        .execute(self.database.pool())
        .await?;
        if added.rows_affected() == 0 {
            return Err(AccountError::Conflict(format!("somebody has the login `{login}` already")));
        }
        self.note(actor, "person.added", Some(&id), &format!("{login}, {name}"), now).await?;
        if self.is_open() {
            // Until now nobody was anybody.
            self.has_people().await?;
            self.forget_everybody().await?;
        }
        self.person(&id).await
    }

    /// A person by id.
    ///
    /// # Errors
    /// There is none.
    pub async fn person(&self, id: &str) -> Result<Person, AccountError> {
        self.one_person("id", id).await?.ok_or(AccountError::NotFound("person"))
    }

    /// A person by login.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn person_by_login(&self, login: &str) -> Result<Option<Person>, AccountError> {
        self.one_person("login", &fold_login(login)).await
    }

    /// A person by what the company's directory calls him.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn person_by_external_id(&self, id: &str) -> Result<Option<Person>, AccountError> {
        self.one_person("external_id", id).await
    }

    /// A person by what the company's sign-on knows him by.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn person_by_subject(&self, subject: &str) -> Result<Option<Person>, AccountError> {
        self.one_person("subject", subject).await
    }

    async fn one_person(&self, column: &str, value: &str) -> Result<Option<Person>, AccountError> {
        let statement = format!("SELECT {COLUMNS} FROM people WHERE {column} = $1");
        let read = || async {
            let query = sqlx::query_as::<_, Row>(AssertSqlSafe(statement.clone())).bind(value);
            Ok(query.fetch_optional(self.database.pool()).await?)
        };
        Ok(self.database.patiently(read).await?.map(person))
    }

    /// People with all words of a text in their names, by name; and how many there are in all. `team`: only those of it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn people(
        &self,
        text: &str,
        team: Option<&str>,
        limit: usize,
        offset: usize,
    ) -> Result<(Vec<Person>, usize), AccountError> {
        let words: Vec<String> = text.split_whitespace().take(8).map(str::to_owned).collect();
        let mut clauses = String::from(" WHERE 1 = 1");
        let mut values: Vec<String> = Vec::new();
        for word in &words {
            // SQLite folds only Latin letters: names are looked for as they are written, and with a capital.
            let patterns = [word.clone(), words::fold(word), capital(word)];
            let alternatives: Vec<String> = patterns
                .iter()
                .map(|pattern| {
                    values.push(format!("%{}%", like(pattern)));
                    format!(
                        "(name || ' ' || login || ' ' || COALESCE(email, '')) LIKE ${} ESCAPE '!'",
                        values.len()
                    )
                })
                .collect();
            clauses.push_str(&format!(" AND ({})", alternatives.join(" OR ")));
        }
        if let Some(team) = team {
            values.push(team.to_owned());
            clauses.push_str(&format!(
                " AND id IN (SELECT person_id FROM team_members WHERE team_id = ${})",
                values.len()
            ));
        }
        let count = format!("SELECT COUNT(*) FROM people{clauses}");
        let mut query = sqlx::query_scalar::<_, i64>(AssertSqlSafe(count));
        for value in &values {
            query = query.bind(value);
        }
        let total = query.fetch_one(self.database.pool()).await?;
        let list = format!(
            "SELECT {COLUMNS} FROM people{clauses} ORDER BY name, id LIMIT ${} OFFSET ${}",
            values.len() + 1,
            values.len() + 2
        );
        let mut query = sqlx::query_as::<_, Row>(AssertSqlSafe(list));
        for value in &values {
            query = query.bind(value);
        }
        let bound = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let rows = query.bind(bound(limit)).bind(bound(offset)).fetch_all(self.database.pool()).await?;
        Ok((rows.into_iter().map(person).collect(), usize::try_from(total).unwrap_or_default()))
    }

    /// Changes a person.
    ///
    /// # Errors
    /// A field is wrong, there is no such person, or no administrator would be left.
    pub async fn change_person(
        &self,
        id: &str,
        change: &PersonChange,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Person, AccountError> {
        let before = self.person(id).await?;
        let mut after = before.clone();
        if let Some(login) = &change.login {
            after.login = checked_login(login)?;
        }
        if let Some(name) = &change.name {
            after.name = checked_text("name", name, MAX_NAME)?;
        }
        if let Some(email) = &change.email {
            after.email = checked_email(email)?;
        }
        if let Some(roles) = &change.roles {
            after.roles.clone_from(roles);
            after.roles.sort();
            after.roles.dedup();
        }
        if let Some(audiences) = &change.audiences {
            after.audiences = checked_names("audiences", audiences)?;
        }
        if let Some(region) = &change.region {
            after.region = checked_region(region)?;
        }
        if let Some(external_id) = &change.external_id {
            after.external_id = Some(external_id.clone()).filter(|id| !id.is_empty());
        }
        if let Some(subject) = &change.subject {
            after.subject = Some(subject.clone());
        }
        after.active = change.active.unwrap_or(before.active);
        if after == before {
            return Ok(before);
        }
        if before.login != after.login
            && let Some(other) = self.person_by_login(&after.login).await?
            && other.id != id
        {
            return Err(AccountError::Conflict(format!("somebody has the login `{}` already", after.login)));
        }
        let loses = !after.active || !after.roles.contains(&Role::Administrator);
        let mut changing = self.database.begin().await?;
        if loses && before.active && before.roles.contains(&Role::Administrator) {
            must_leave_an_administrator(&mut changing, id).await?;
        }
        let changed = sqlx::query(
            "UPDATE people SET login = $2, name = $3, email = $4, roles = $5, audiences = $6, region = $7, external_id = $8, \
             active = $9, updated_at = $10, subject = $12 WHERE id = $1 AND updated_at = $11",
        )
        .bind(id)
        .bind(&after.login)
        .bind(&after.name)
        .bind(after.email.as_deref())
        .bind(to_json(&after.roles))
        .bind(to_json(&after.audiences))
        .bind(after.region.as_deref())
        .bind(after.external_id.as_deref())
        .bind(i64::from(after.active))
        // In microseconds: a change at the same instant as the one before must differ from it.
        .bind(micros(now).max(micros(before.updated_at) + 1))
        .bind(micros(before.updated_at))
        .bind(after.subject.as_deref())
        .execute(&mut *changing)
        .await?;
        if changed.rows_affected() == 0 {
            let why = "somebody else changed the account at the same time; look at it again";
            return Err(AccountError::Conflict(why.to_owned()));
        }
        changing.commit().await?;
        self.forget_people(&[id]).await?;
        if !after.active || before.email != after.email {
            self.remove_links(id).await?;
        }
        if !after.active {
            self.end_sessions(id, None).await?;
        }
        self.note(actor, "person.changed", Some(id), &told(&before, &after), now).await?;
        self.person(id).await
    }

    /// Erases a person with everything that belongs to him. Of what he did, the log keeps what was done, but not by whom.
    ///
    /// # Errors
    /// There is no such person, or no administrator would be left.
    pub async fn erase_person(&self, id: &str, actor: &Actor, now: Timestamp) -> Result<(), AccountError> {
        let gone = self.person(id).await?;
        let mut erasing = self.database.begin().await?;
        if gone.active && gone.roles.contains(&Role::Administrator) {
            must_leave_an_administrator(&mut erasing, id).await?;
        }
        for statement in [
            "DELETE FROM sessions WHERE person_id = $1",
            "DELETE FROM links WHERE person_id = $1",
            "DELETE FROM recovery_codes WHERE person_id = $1",
            "DELETE FROM tokens WHERE person_id = $1",
            "DELETE FROM belongings WHERE person_id = $1",
            "DELETE FROM team_members WHERE person_id = $1",
            "UPDATE audit SET actor_name = '', address = '' WHERE actor = $1",
            "UPDATE audit SET details = '', address = '' WHERE subject = $1",
            // What was written stays; who wrote it is not known any more. (It is done here, so that all of it is done or nothing.)
            "UPDATE revisions SET author = NULL, author_name = '' WHERE author = $1",
            "UPDATE publications SET author = NULL, author_name = '' WHERE author = $1",
            "DELETE FROM verdicts WHERE person_id = $1",
            "DELETE FROM remarks WHERE person_id = $1",
            "DELETE FROM notices WHERE person_id = $1",
            "DELETE FROM notice_choices WHERE person_id = $1",
            "DELETE FROM acknowledgements WHERE person_id = $1",
            "DELETE FROM reading_codes WHERE person_id = $1",
            "UPDATE must_reads SET author = NULL, author_name = '' WHERE author = $1",
            "UPDATE threads SET person_id = NULL, person_name = '' WHERE person_id = $1",
            "UPDATE posts SET person_id = NULL, person_name = '' WHERE person_id = $1",
            "DELETE FROM people WHERE id = $1",
        ] {
            sqlx::query(AssertSqlSafe(statement)).bind(id).execute(&mut *erasing).await?;
        }
        sqlx::query("UPDATE audit SET details = '', address = '' WHERE action = 'sign-in.failed' AND details LIKE $1 ESCAPE '!'")
            .bind(format!("%`{}`%", like(&gone.login)))
            .execute(&mut *erasing)
            .await?;
        sqlx::query("DELETE FROM failures WHERE id LIKE $1 ESCAPE '!' OR id LIKE $2 ESCAPE '!'")
            .bind(format!("%:{}%", like(&gone.login)))
            .bind(format!("%:{}%", like(id)))
            .execute(&mut *erasing)
            .await?;
        erasing.commit().await?;
        self.forget_people(&[id]).await?;
        let own = Actor { id: actor.id.clone(), ..Actor::default() };
        // Who erases himself leaves no name behind.
        let actor = if actor.id.as_deref() == Some(id) { &own } else { actor };
        self.note(actor, "person.erased", Some(id), "", now).await
    }

    /// Whether somebody may do something by his own roles and those of his teams, though he does not ask himself.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn may(&self, id: &str, permission: Permission) -> Result<bool, AccountError> {
        let person = match self.person(id).await {
            Err(AccountError::NotFound(_)) => return Ok(false),
            found => found?,
        };
        let teams = self.teams_of(id).await?;
        let roles: Vec<Role> =
            person.roles.into_iter().chain(teams.into_iter().flat_map(|team| team.roles)).collect();
        Ok(person.active && permitted(&roles).contains(&permission))
    }
}

/// Refuses what would leave nobody who can let others in. Of two who go at one time, the second one is refused: the first update holds all
/// administrators until the transaction ends.
async fn must_leave_an_administrator(
    transaction: &mut Transaction<'static, Any>,
    without: &str,
) -> Result<(), AccountError> {
    sqlx::query("UPDATE people SET active = active WHERE active = 1 AND roles LIKE '%administrator%'")
        .execute(&mut **transaction)
        .await?;
    let others: Vec<(String,)> = sqlx::query_as("SELECT roles FROM people WHERE active = 1 AND id <> $1")
        .bind(without)
        .fetch_all(&mut **transaction)
        .await?;
    let is_one = |(roles,): &(String,)| from_json::<Role>(roles).contains(&Role::Administrator);
    if others.iter().any(is_one) {
        return Ok(());
    }
    Err(AccountError::Conflict(
        "there would be no administrator left; make somebody else one first".to_owned(),
    ))
}

/// What was changed, in words, without what is nobody's business.
fn told(before: &Person, after: &Person) -> String {
    let roles = |person: &Person| person.roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(" ");
    let fields = [
        ("login", before.login.clone(), after.login.clone()),
        ("name", before.name.clone(), after.name.clone()),
        ("email", before.email.clone().unwrap_or_default(), after.email.clone().unwrap_or_default()),
        ("roles", roles(before), roles(after)),
        ("audiences", before.audiences.join(" "), after.audiences.join(" ")),
        ("region", before.region.clone().unwrap_or_default(), after.region.clone().unwrap_or_default()),
        ("active", before.active.to_string(), after.active.to_string()),
    ];
    let changed = fields.into_iter().filter(|(_, was, is)| was != is);
    changed.map(|(name, was, is)| format!("{name}: `{was}` → `{is}`")).collect::<Vec<_>>().join(", ")
}

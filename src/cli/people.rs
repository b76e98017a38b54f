//! `pharos people`: accounts from the command line, for the first administrator and for when nobody can sign in.

use std::process::ExitCode;

use clap::Subcommand;

use super::{runtime, say};
use crate::accounts::Accounts;
use crate::accounts::audit::Actor;
use crate::accounts::links::Purpose;
use crate::accounts::people::{NewPerson, PersonChange};
use crate::accounts::permissions::Role;
use crate::clock::Clock;
use crate::database::{Database, Place};
use crate::settings::Settings;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add a person, and print the link by which a password is chosen
    Add {
        /// The name to sign in with
        login: String,
        /// What others call the person
        #[arg(long, default_value = "")]
        name: String,
        /// Where mail goes
        #[arg(long)]
        email: Option<String>,
        /// operator, consultant, editor, reviewer, lead or administrator; may be given again
        #[arg(long, value_parser = role)]
        role: Vec<Role>,
        /// An audience the person belongs to; may be given again
        #[arg(long)]
        audience: Vec<String>,
        /// The region that is meant where none is named
        #[arg(long)]
        region: Option<String>,
    },
    /// Print a link by which a person chooses another password
    Link {
        /// The name to sign in with
        login: String,
    },
    /// Let a person sign in no more, and end all sessions
    Lock {
        /// The name to sign in with
        login: String,
    },
    /// Let a person sign in again
    Unlock {
        /// The name to sign in with
        login: String,
    },
    /// Remove the second factor of a person who lost it
    RemoveSecondFactor {
        /// The name to sign in with
        login: String,
    },
    /// List people
    List,
}

fn role(name: &str) -> Result<Role, String> {
    let known: Vec<&str> = Role::NAMES.iter().map(|(name, _)| *name).collect();
    // The short form that everybody types.
    let name = if name == "admin" { "administrator" } else { name };
    Role::of(name).ok_or_else(|| format!("there is no role `{name}`; use one of: {}", known.join(", ")))
}

pub(super) fn run(settings: &Settings, args: &Args) -> anyhow::Result<ExitCode> {
    runtime()?.block_on(run_on(settings, args))
}

async fn run_on(settings: &Settings, args: &Args) -> anyhow::Result<ExitCode> {
    let database = Database::open(&Place::named(&settings.database, &settings.data)).await?;
    let accounts = Accounts::open(database.clone(), settings).await?;
    let (actor, now) = (Actor::command_line(), Clock::system(settings.zone()).now());
    let find = async |login: &str| {
        let found = accounts.person_by_login(login).await?;
        found.ok_or_else(|| anyhow::anyhow!("nobody has the login `{login}`"))
    };
    let say_link = |secret: &str| {
        let url = match settings.public_url.is_empty() {
            true => format!("http://{}", settings.listen),
            false => settings.public_url.clone(),
        };
        say(&format!("{url}/welcome#{secret}"));
    };
    match &args.command {
        Command::Add { login, name, email, role, audience, region } => {
            let new = NewPerson {
                login: login.clone(),
                name: name.clone(),
                email: email.clone(),
                roles: role.clone(),
                audiences: audience.clone(),
                region: region.clone(),
                ..NewPerson::default()
            };
            let person = accounts.add_person(&new, &actor, now).await?;
            say("The password is chosen here (the link is good for a week, once):");
            say_link(&accounts.link(&person.id, Purpose::Invitation, &actor, now).await?);
        }
        Command::Link { login } => {
            let person = find(login).await?;
            say_link(&accounts.link(&person.id, Purpose::Reset, &actor, now).await?);
        }
        Command::Lock { login } | Command::Unlock { login } => {
            let active = Some(matches!(args.command, Command::Unlock { .. }));
            let change = PersonChange { active, ..PersonChange::default() };
            accounts.change_person(&find(login).await?.id, &change, &actor, now).await?;
        }
        Command::RemoveSecondFactor { login } => {
            accounts.remove_second_factor(&find(login).await?.id, &actor, now).await?;
        }
        Command::List => {
            let (people, total) = accounts.people("", None, 10_000, 0).await?;
            for person in people {
                let roles: Vec<&str> = person.roles.iter().map(|role| role.name()).collect();
                let locked = if person.active { "" } else { "\tlocked" };
                say(&format!("{}\t{}\t{}{locked}", person.login, person.name, roles.join(" ")));
            }
            say(&format!("{total} in all"));
        }
    }
    database.close().await;
    Ok(ExitCode::SUCCESS)
}

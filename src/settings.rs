//! Settings: resolved once at the start from pharos.toml, the environment and flags, in rising order.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use figment::providers::{Env, Format, Serialized, Toml};
use figment::{Figment, Source};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// The settings file that is read when none is named.
pub const DEFAULT_FILE: &str = "pharos.toml";

/// How changes of the files are noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum WatchSetting {
    /// By the system's events, and by polling where they cannot be had.
    Auto,
    /// By comparing at intervals: for network folders.
    Poll,
    /// Not at all.
    Off,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What holds as long as nobody has an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WithoutAccounts {
    /// The server is only at addresses of this machine.
    LoopbackOnly,
    /// Whoever reaches the server reads what is for everybody.
    AnyoneMayRead,
}

/// What members of a group of the company's sign-on are here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignOnGroup {
    /// The group, as the sign-on calls it.
    pub group: String,
    /// Roles its members have.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The team its members belong to; it is made when the first one comes.
    #[serde(default)]
    pub team: Option<String>,
    /// The region its members mean where none is named.
    #[serde(default)]
    pub region: Option<String>,
}

/// How a source of a feed is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum FeedFormat {
    /// Lines of fields parted by a character.
    Csv,
    /// A workbook of Excel.
    Xlsx,
    /// JSON.
    Json,
}

/// What becomes of products that a feed does not name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum MissingProducts {
    /// They stay as they are.
    #[default]
    Leave,
    /// They are archived.
    Archive,
}

/// What a column of a feed says of a product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedColumn {
    /// The column's heading; in JSON the key, or a pointer (`/price/retail`).
    pub column: String,
    /// `id`, `title.ru`, `title.en`, `region`, `audience`, `from`, `to`, an attribute of the family, or `attribute.max`, `attribute.en`.
    pub sets: String,
    /// The regions its values hold for; none: everywhere.
    #[serde(default)]
    pub regions: Vec<String>,
    /// The audience its values are for; none: everybody.
    #[serde(default)]
    pub audience: Vec<String>,
    /// The first day its values hold, `2026-12-01`.
    #[serde(default)]
    pub from: String,
    /// The last day its values hold.
    #[serde(default)]
    pub to: String,
}

/// A feed: products and their values, from another system into a family of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FeedSettings {
    /// What it is called: small Latin letters, digits and hyphens.
    pub name: String,
    /// A file, a folder (its newest file), or an address (`https://…`).
    pub source: String,
    /// The family of the catalogue that it feeds.
    pub family: String,
    /// How the source is written; none: it is told by its bytes.
    pub format: Option<FeedFormat>,
    /// The encoding, as `windows-1251`; empty: it is told by the bytes.
    pub encoding: String,
    /// What parts fields of CSV, as `;`, or `tab`; empty: it is told by the first lines.
    pub delimiter: String,
    /// The sheet of a workbook; empty: the first.
    pub sheet: String,
    /// Where the list of rows stands in JSON, as a pointer (`/data/items`); empty: the document is the list.
    pub rows: String,
    /// What columns say.
    pub columns: Vec<FeedColumn>,
    /// Minutes between runs; 0: not at intervals. A file or folder is taken up when it changes in any case.
    pub every_minutes: u32,
    /// Times of day at which it runs, `06:30`.
    pub at: Vec<String>,
    /// Per cent that a price may move; more waits for a person.
    pub max_price_change: u32,
    /// Per cent of the family's products that may be missing; more waits for a person.
    pub max_removed: u32,
    /// Per cent of the rows that may be wrong; more waits for a person.
    pub max_bad_rows: u32,
    /// What becomes of products that are missing.
    pub missing: MissingProducts,
    /// The most the source may weigh, in megabytes.
    pub max_megabytes: u32,
    /// How long an address may take, in seconds.
    pub timeout_seconds: u32,
}

impl Default for FeedSettings {
    fn default() -> Self {
        Self {
            name: String::new(),
            source: String::new(),
            family: String::new(),
            format: None,
            encoding: String::new(),
            delimiter: String::new(),
            sheet: String::new(),
            rows: String::new(),
            columns: Vec::new(),
            every_minutes: 0,
            at: Vec::new(),
            max_price_change: 30,
            max_removed: 5,
            max_bad_rows: 1,
            missing: MissingProducts::Leave,
            max_megabytes: 32,
            timeout_seconds: 30,
        }
    }
}

impl FeedSettings {
    /// Whether the source is an address.
    pub fn is_remote(&self) -> bool {
        let scheme = self.source.split_once("://").map_or("", |(scheme, _)| scheme);
        scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")
    }

    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.name.is_empty() || self.name.len() > 60 || !self.name.chars().all(is_name) {
            faults.push("`name` must be small Latin letters, digits and hyphens".to_owned());
        }
        for (name, value) in [("source", &self.source), ("family", &self.family)] {
            if value.is_empty() {
                faults.push(format!("`{name}` is missing"));
            }
        }
        if self.source.contains("://") && !self.is_remote() {
            faults
                .push("`source` must be a file, a folder, or an address with https:// or http://".to_owned());
        }
        if self.columns.iter().filter(|column| column.sets == "id").count() != 1 {
            faults.push("one of `columns` must set `id`".to_owned());
        }
        let bounds = [
            ("max_megabytes", self.max_megabytes, 1, 1_024),
            ("timeout_seconds", self.timeout_seconds, 1, 600),
        ];
        for (name, value, least, most) in bounds {
            if !(least..=most).contains(&value) {
                faults.push(format!("`{name}` must be {least} to {most}"));
            }
        }
        for time in &self.at {
            if jiff::civil::Time::strptime("%H:%M", time).is_err() {
                faults.push(format!("`at`: `{time}` is no time of day; write 06:30"));
            }
        }
        faults.into_iter().map(|fault| format!("- `feeds`, `{}`: {fault}", self.name)).collect()
    }
}

/// All settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Folder of the articles and the catalogue.
    pub articles: PathBuf,
    /// Folder of the answer templates.
    pub templates: PathBuf,
    /// Folder of what is derived: the search index.
    pub index: PathBuf,
    /// Folder of what is kept and cannot be derived: what changed, what was not found.
    pub data: PathBuf,
    /// The store: `postgres://user:password@host/name`, or the path of a file; empty for `pharos.db` in the data folder.
    pub database: String,
    /// Address to serve at.
    pub listen: SocketAddr,
    /// IANA time zone that decides which day it is; empty for the system's.
    pub time_zone: String,
    /// How changes of the files are noticed.
    pub watch: WatchSetting,
    /// Quiet time after a change before files are read, in milliseconds.
    pub debounce_ms: u64,
    /// Interval of the walk that finds what events lost, in seconds.
    pub rescan_seconds: u64,
    /// Interval of polling, in seconds.
    pub poll_seconds: u64,
    /// Files above this size are reported and not read, in bytes.
    pub max_file_bytes: u64,
    /// Requests answered at one time; more are told to try again.
    pub max_concurrent_requests: usize,
    /// Searches run at one time; 0 for twice the cores.
    pub max_concurrent_searches: usize,
    /// Time a request may take, in seconds.
    pub request_timeout_seconds: u64,
    /// Size a request's body may have, in bytes.
    pub max_body_bytes: usize,
    /// Sites whose pages may show the panel, as `https://crm.example.org`.
    pub embed_origins: Vec<String>,
    /// Where people reach the server, as `https://pharos.example.org`: for links in mail, and for the company's sign-on.
    pub public_url: String,
    /// What holds as long as nobody has an account.
    pub without_accounts: WithoutAccounts,
    /// Whether people may sign in without TLS: whoever is on the way can read their passwords.
    pub plain_http: bool,
    /// Addresses of proxies before the server: what they say of where a request comes from is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Minutes without use after which a session ends.
    pub session_idle_minutes: u32,
    /// Days after which a session ends, used or not.
    pub session_days: u32,
    /// Roles whose people may do nothing with a password alone: they set up a second factor first.
    pub second_factor_roles: Vec<String>,
    /// Requests a minute of one person or token; 0 for any number.
    pub requests_per_minute: u32,
    /// Days that entries of the audit log are kept.
    pub audit_days: u32,
    /// Days that what readers did not find is kept.
    pub gap_days: u32,
    /// The mail server, as `smtps://user:password@mail.example.org`; without one, links are shown to administrators.
    pub smtp: String,
    /// What mail comes from, as `Pharos <pharos@example.org>`.
    pub mail_from: String,
    /// When what nobody saw is mailed, by the clock of `time_zone`, as `08:00`.
    pub digest_at: String,
    /// The company's sign-on (OpenID Connect): its issuer, as `https://login.example.org`; empty for none.
    pub sign_on_issuer: String,
    /// The id that the sign-on knows this server by.
    pub sign_on_client_id: String,
    /// The secret that goes with it.
    pub sign_on_client_secret: String,
    /// What the button to it says.
    pub sign_on_name: String,
    /// The claim that holds the groups of a person.
    pub sign_on_groups_claim: String,
    /// What members of groups are here.
    pub sign_on_groups: Vec<SignOnGroup>,
    /// The header in which a trusted proxy names who asks; empty for none.
    pub sign_on_header: String,
    /// The header in which it names the groups of who asks, parted by commas.
    pub sign_on_header_groups: String,
    /// The most bytes of a file that is imported over the web.
    pub max_import_bytes: u64,
    /// Whether publications become commits where the content lies in a git work tree.
    pub git: bool,
    /// What brings products and their values into the catalogue.
    pub feeds: Vec<FeedSettings>,
    /// What is logged: a filter as `info` or `pharos=debug`.
    pub log: String,
    /// How the log is written.
    pub log_format: LogFormat,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            articles: "articles".into(),
            templates: "templates".into(),
            index: "index".into(),
            data: "data".into(),
            database: String::new(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            time_zone: String::new(),
            watch: WatchSetting::Auto,
            debounce_ms: 15,
            rescan_seconds: 30,
            poll_seconds: 2,
            max_file_bytes: 8 << 20,
            max_concurrent_requests: 512,
            max_concurrent_searches: 0,
            request_timeout_seconds: 10,
            max_body_bytes: 256 << 10,
            embed_origins: Vec::new(),
            public_url: String::new(),
            without_accounts: WithoutAccounts::LoopbackOnly,
            plain_http: false,
            trusted_proxies: Vec::new(),
            session_idle_minutes: 12 * 60,
            session_days: 7,
            second_factor_roles: Vec::new(),
            requests_per_minute: 1_200,
            audit_days: 365,
            gap_days: 365,
            smtp: String::new(),
            mail_from: "Pharos <pharos@localhost>".to_owned(),
            digest_at: "08:00".to_owned(),
            sign_on_issuer: String::new(),
            sign_on_client_id: String::new(),
            sign_on_client_secret: String::new(),
            sign_on_name: String::new(),
            sign_on_groups_claim: "groups".to_owned(),
            sign_on_groups: Vec::new(),
            sign_on_header: String::new(),
            sign_on_header_groups: String::new(),
            max_import_bytes: 1 << 30,
            git: true,
            feeds: Vec::new(),
            log: "info".to_owned(),
            log_format: LogFormat::Text,
        }
    }
}

/// Settings given as flags; absent ones do not count.
#[derive(Clone, Debug, Default, Serialize, clap::Args)]
pub struct Flags {
    /// Folder of the articles and the catalogue
    #[arg(long, global = true, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub articles: Option<PathBuf>,
    /// Folder of the answer templates
    #[arg(long, global = true, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub templates: Option<PathBuf>,
    /// Folder of the search index, which is derived and can be deleted
    #[arg(long, global = true, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<PathBuf>,
    /// Folder of what is kept and cannot be derived: what changed, what was not found
    #[arg(long, global = true, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    /// What is logged: error, warn, info, debug, or a filter as pharos=debug
    #[arg(long, global = true, value_name = "FILTER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// Address to serve at
    #[arg(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// How changes of the files are noticed
    #[arg(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watch: Option<WatchSetting>,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file or value is wrong; all faults are listed.
    #[error("the settings cannot be used:\n{0}")]
    Wrong(String),
    /// The file that was named does not exist.
    #[error("there is no settings file {0}")]
    NoFile(PathBuf),
}

/// A setting, its value, and where that came from.
#[derive(Clone, Debug, Serialize)]
pub struct Resolved {
    /// The setting.
    pub name: String,
    /// Its value as in TOML.
    pub value: String,
    /// The file, variable or flag it came from.
    pub from: String,
}

impl Settings {
    /// Resolves the settings. `file`: the one named, which must exist; else pharos.toml if there is one.
    ///
    /// # Errors
    /// A file cannot be read or a value cannot be used.
    pub fn load(file: Option<&Path>, flags: &Flags) -> Result<(Self, Vec<Resolved>), SettingsError> {
        if let Some(path) = file.filter(|path| !path.is_file()) {
            return Err(SettingsError::NoFile(path.to_owned()));
        }
        let defaults = serde_json::to_value(Self::default()).unwrap_or_default();
        let names: Vec<String> =
            defaults.as_object().map(|o| o.keys().cloned().collect()).unwrap_or_default();
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let file = file.unwrap_or(Path::new(DEFAULT_FILE));
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if file.is_file() {
            figment = figment.merge(Toml::file_exact(file));
        }
        let figment = figment.merge(Env::prefixed("PHAROS_").only(&known)).merge(Serialized::globals(flags));
        let settings: Self = figment.extract().map_err(|error| {
            let faults: Vec<String> = error.into_iter().map(|fault| format!("- {fault}")).collect();
            SettingsError::Wrong(faults.join("\n"))
        })?;
        settings.check()?;
        let values = serde_json::to_value(&settings).unwrap_or_default();
        let resolved = names
            .iter()
            .map(|name| Resolved {
                name: name.clone(),
                value: shown(name, &values[name]),
                from: figment.find_metadata(name).map_or_else(String::new, |m| match &m.source {
                    Some(Source::File(path)) => path.display().to_string(),
                    _ if m.name.contains("environment") => format!("PHAROS_{}", name.to_uppercase()),
                    _ if m.name.contains("Flags") => format!("--{}", name.replace('_', "-")),
                    _ => "default".to_owned(),
                }),
            })
            .collect();
        Ok((settings, resolved))
    }

    fn check(&self) -> Result<(), SettingsError> {
        let mut faults = Vec::new();
        if !self.time_zone.is_empty() && TimeZone::get(&self.time_zone).is_err() {
            faults.push(format!(
                "- `time_zone`: there is no time zone `{}`; write it as Europe/Moscow",
                self.time_zone
            ));
        }
        for (name, value) in [
            ("poll_seconds", self.poll_seconds),
            ("rescan_seconds", self.rescan_seconds),
            ("request_timeout_seconds", self.request_timeout_seconds),
            ("max_concurrent_requests", self.max_concurrent_requests as u64),
            ("session_idle_minutes", u64::from(self.session_idle_minutes)),
            ("session_days", u64::from(self.session_days)),
            ("audit_days", u64::from(self.audit_days)),
            ("gap_days", u64::from(self.gap_days)),
        ] {
            if value == 0 {
                faults.push(format!("- `{name}` must be at least 1"));
            }
        }
        if !self.public_url.is_empty() && !is_origin(&self.public_url) {
            faults.push(format!(
                "- `public_url`: `{}` is no origin; write it as https://pharos.example.org, without a path",
                self.public_url
            ));
        }
        if self.digest_at.parse::<Time>().is_err() {
            faults.push(format!("- `digest_at`: `{}` is no time; write it as 08:00", self.digest_at));
        }
        if !self.sign_on_issuer.is_empty() {
            for (name, value) in
                [("public_url", &self.public_url), ("sign_on_client_id", &self.sign_on_client_id)]
            {
                if value.is_empty() {
                    faults.push(format!("- `sign_on_issuer` needs `{name}` as well"));
                }
            }
        }
        let known = ["operator", "consultant", "editor", "reviewer", "lead", "administrator"];
        let of_groups = self.sign_on_groups.iter().flat_map(|group| &group.roles);
        let named = of_groups.map(|role| ("sign_on_groups", role));
        for (name, role) in named.chain(self.second_factor_roles.iter().map(|r| ("second_factor_roles", r))) {
            if !known.contains(&role.as_str()) {
                faults
                    .push(format!("- `{name}`: there is no role `{role}`; use one of: {}", known.join(", ")));
            }
        }
        if !self.smtp.is_empty() && self.public_url.is_empty() {
            faults.push("- `smtp` needs `public_url` as well: links in mail must lead somewhere".to_owned());
        }
        if !self.sign_on_header.is_empty() && self.trusted_proxies.is_empty() {
            faults.push(
                "- `sign_on_header` needs `trusted_proxies`: else anybody could say he is somebody"
                    .to_owned(),
            );
        }
        faults.extend(self.feeds.iter().flat_map(FeedSettings::faults));
        let mut names: Vec<&str> = self.feeds.iter().map(|feed| feed.name.as_str()).collect();
        names.sort_unstable();
        if let Some(two) = names.windows(2).find(|two| two[0] == two[1]) {
            faults.push(format!("- `feeds`: two are called `{}`", two[0]));
        }
        for origin in self.embed_origins.iter().filter(|origin| !is_origin(origin)) {
            faults.push(format!(
                "- `embed_origins`: `{origin}` is no origin; write it as https://crm.example.org, without a path"
            ));
        }
        if faults.is_empty() { Ok(()) } else { Err(SettingsError::Wrong(faults.join("\n"))) }
    }

    /// When what nobody saw is mailed.
    pub fn digest_time(&self) -> Time {
        self.digest_at.parse().unwrap_or_default()
    }

    /// The time zone that decides which day it is.
    pub fn zone(&self) -> TimeZone {
        if self.time_zone.is_empty() {
            return TimeZone::system();
        }
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }
}

/// A value for people: secrets and passwords are left out.
fn shown(name: &str, value: &serde_json::Value) -> String {
    let text = value.to_string();
    if name.ends_with("_secret") && text.len() > 2 {
        "\"…\"".to_owned()
    } else {
        harmless(value).to_string()
    }
}

/// A value whose addresses are without passwords.
fn harmless(value: &serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::String(text) => without_password(text).into(),
        serde_json::Value::Array(all) => all.iter().map(harmless).collect(),
        serde_json::Value::Object(all) => {
            all.iter().map(|(key, value)| (key.clone(), harmless(value))).collect()
        }
        other => other.clone(),
    }
}

/// An address without its password, for logs and messages.
pub fn without_password(address: &str) -> String {
    // Parameters may hold anything.
    let (address, rest) = match address.split_once('?') {
        Some((before, _)) if before.contains("://") => (before, "?…"),
        _ => (address, ""),
    };
    format!("{}{rest}", without_user_password(address))
}

fn without_user_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let Some((user, host)) = rest.rsplit_once('@') else { return address.to_owned() };
    let name = user.split_once(':').map_or(user, |(name, _)| name);
    format!("{scheme}://{name}@{host}")
}

/// Whether a text names one site: scheme, host and perhaps a port. It goes into a header as it is, so nothing else may pass.
fn is_origin(text: &str) -> bool {
    let Some((scheme @ ("https" | "http"), site)) = text.split_once("://") else { return false };
    let (host, port) = site.split_once(':').map_or((site, None), |(host, port)| (host, Some(port)));
    // Browsers leave the usual port out: with it, a message would never seem to come from there.
    let usual = if scheme == "https" { 443 } else { 80 };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port != 0 && port != usual);
    let is_letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-');
    !host.is_empty() && host.bytes().all(is_letter) && port.is_none_or(is_port)
}

#[cfg(test)]
mod tests {
    use super::is_origin;

    #[test]
    fn an_origin_is_a_site_and_no_more() {
        assert!(is_origin("https://crm.example.org") && is_origin("http://localhost:8090"));
        for wrong in [
            "*",
            "https://a.b:443",
            "https://a:b:1",
            "https://::",
            "crm.example.org",
            "https://a.b/",
            "https://a.b; script-src *",
            "https://",
            "https://a b",
        ] {
            assert!(!is_origin(wrong), "{wrong}");
        }
    }
}

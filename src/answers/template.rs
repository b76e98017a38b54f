//! One answer template: its head and its bodies.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use crate::content::article;
use crate::content::catalog::Lang;
use crate::content::files;
use crate::content::front_matter::{Located, Status};
use crate::content::problem::{Position, Problem, Report, did_you_mean};
use crate::content::validity::{Standpoint, Validity};
use crate::content::yaml::{self, Fields, Node};
use crate::language::{morphology, words};

/// Where an answer goes.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// A chat or messenger.
    Chat,
    /// An SMS: no formatting, counted in segments.
    Sms,
    /// An e-mail.
    Email,
    /// Said aloud.
    Voice,
}

impl Channel {
    /// All channels by name.
    pub const NAMES: &[(&'static str, Self)] =
        &[("chat", Self::Chat), ("sms", Self::Sms), ("email", Self::Email), ("voice", Self::Voice)];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, c)| *c == self).map_or("", |(name, _)| name)
    }

    /// Whether its bodies are Markdown.
    pub fn is_markdown(self) -> bool {
        matches!(self, Self::Chat | Self::Email)
    }
}

/// What a variable holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum VariableType {
    /// Words.
    Text,
    /// One of a few texts.
    Choice,
    /// An amount in roubles.
    Money,
    /// A number.
    Number,
    /// A day.
    Date,
    /// A phone number.
    Phone,
    /// Yes or no.
    #[serde(rename = "yes/no")]
    YesNo,
}

impl VariableType {
    const NAMES: &[(&'static str, Self)] = &[
        ("text", Self::Text),
        ("choice", Self::Choice),
        ("money", Self::Money),
        ("number", Self::Number),
        ("date", Self::Date),
        ("phone", Self::Phone),
        ("yes/no", Self::YesNo),
    ];
}

/// A variable an operator fills in.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Variable {
    /// Its name in the bodies.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: VariableType,
    /// What the operator is asked.
    pub label: String,
    /// Whether the answer must not go out without it.
    pub required: bool,
    /// What stands when nothing is filled in.
    pub default: Option<String>,
    /// What may be chosen.
    pub choices: Vec<String>,
}

/// The body for one channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// Where it goes.
    pub channel: Channel,
    /// Jinja source.
    pub source: String,
    /// Its first line in the file.
    pub line: u32,
}

/// An answer template.
#[derive(Clone, Debug)]
pub struct Template {
    /// Its path below the templates folder without `.md`.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Its language.
    pub lang: Lang,
    /// Products it is about.
    pub products: Vec<Located>,
    /// Articles it belongs to.
    pub articles: Vec<Located>,
    /// Tags.
    pub tags: Vec<String>,
    /// Where and when it may be used.
    pub validity: Validity,
    /// Whether it may be used.
    pub status: Status,
    /// Who answers for it.
    pub owner: Option<String>,
    /// What is asked.
    pub variables: Vec<Variable>,
    /// Its bodies.
    pub bodies: Vec<Body>,
    /// Words of title, tags and bodies and their lemmas, to be found by.
    lemmas: BTreeSet<String>,
    /// Those of the title alone.
    title_lemmas: BTreeSet<String>,
}

impl Template {
    /// Reads a template; `None` when an error was reported.
    pub fn parse(folder: &str, path: &str, text: &str) -> (Option<Self>, Vec<Problem>) {
        let mut report = Report::new(&format!("{folder}/{path}"));
        let template = Self::read(path, text, &mut report).filter(|_| !report.has_errors());
        (template, report.into_problems())
    }

    fn read(path: &str, text: &str, report: &mut Report) -> Option<Self> {
        let (head, head_line, body, body_line) = yaml::split_or_report(text, report)?;
        let id = files::id_of(path);
        let node = yaml::parse(head, head_line, report)?;
        let mut fields = Fields::of(node, "front matter", report);
        let title = fields.text("title").map(|t| t.0);
        let lang = fields.choice("lang", Lang::NAMES);
        let locate = |list: Vec<(String, Position)>| {
            list.into_iter().map(|(text, at)| Located { text: text.into(), at }).collect::<Vec<_>>()
        };
        let products = locate(fields.list("products"));
        let articles = locate(fields.list("articles"));
        let tags = fields.texts("tags");
        let validity = fields.validity_of_file();
        let status = fields.choice("status", Status::NAMES).unwrap_or_default();
        let owner = fields.text("owner").map(|t| t.0);
        let variables =
            fields.node("variables").map(|n| read_variables(n, fields.report)).unwrap_or_default();
        fields.finish("front matter");
        let bodies = split_bodies(body, body_line, report);
        let title = title.unwrap_or_else(|| {
            report.warning(
                "no-title",
                Position { line: 1, column: 1 },
                "the template has no title",
                "add `title: …`",
            );
            id.rsplit('/').next().unwrap_or(&id).to_owned()
        });
        let lang =
            lang.or_else(|| article::folder_lang(&id)).unwrap_or_else(|| article::lang_of(&title, body));
        let title_lemmas = lemmas_of([title.as_str()]);
        let texts = tags.iter().map(String::as_str).chain(bodies.iter().map(|b| b.source.as_str()));
        let lemmas = lemmas_of(texts.chain([title.as_str()]));
        Some(Self {
            id,
            title,
            lang,
            products,
            articles,
            tags,
            validity,
            status,
            owner,
            variables,
            bodies,
            lemmas,
            title_lemmas,
        })
    }

    /// Whether somebody may use it on a day in a region.
    pub fn in_force(&self, at: Standpoint<'_>) -> bool {
        self.status == Status::Active && self.validity.in_force(at)
    }

    /// The body for a channel.
    pub fn body(&self, channel: Channel) -> Option<&Body> {
        self.bodies.iter().find(|b| b.channel == channel)
    }

    /// How much of a query it answers: each word counts 1, and 3 when it stands in the title.
    pub fn affinity(&self, query: &str) -> usize {
        let words = words::words(query).into_iter();
        let counted = words.map(|word| {
            let lemma = morphology::lemma(&word.form);
            match (self.title_lemmas.contains(&lemma), self.lemmas.contains(&lemma)) {
                (true, _) => 3,
                (_, true) => 1,
                _ => 0,
            }
        });
        counted.sum()
    }

    /// Whether it holds every word of a query, the last one perhaps still being typed.
    pub fn matches(&self, query: &str) -> bool {
        let forms: Vec<String> = words::words(query).into_iter().map(|w| w.form).collect();
        forms.iter().enumerate().all(|(at, form)| {
            let lemma = morphology::lemma(form);
            self.lemmas.contains(&lemma)
                || at + 1 == forms.len()
                    && self
                        .lemmas
                        .range(form.clone()..)
                        .next()
                        .is_some_and(|next| next.starts_with(form.as_str()))
        })
    }
}

/// The words of texts and their lemmas.
fn lemmas_of<'t>(texts: impl IntoIterator<Item = &'t str>) -> BTreeSet<String> {
    let mut lemmas = BTreeSet::new();
    for text in texts {
        words::for_each_word(text, |_, form| {
            lemmas.insert(form.to_owned());
            lemmas.insert(morphology::lemma(form));
        });
    }
    lemmas
}

fn read_variables(node: Node, report: &mut Report) -> Vec<Variable> {
    let mut fields = Fields::of(node, "`variables`", report);
    let entries = fields.rest();
    let mut variables = Vec::new();
    for (key, value) in entries {
        let name = key.text().unwrap_or_default();
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !is_name {
            report.error(
                "bad-id",
                key.at,
                format!("`{name}` cannot name a variable"),
                "use Latin letters, digits and _",
            );
        }
        let mut fields = Fields::of(value, "a variable", report);
        let kind = fields.choice("type", VariableType::NAMES).unwrap_or(VariableType::Text);
        let variable = Variable {
            label: fields.text("label").map_or_else(|| name.clone(), |t| t.0),
            required: fields.flag("required").unwrap_or(false),
            default: fields.text("default").map(|t| t.0),
            choices: fields.texts("choices"),
            kind,
            name,
        };
        let at = fields.at;
        fields.finish("a variable");
        check_choices(&variable, at, report);
        variables.push(variable);
    }
    variables
}

fn check_choices(variable: &Variable, at: Position, report: &mut Report) {
    if variable.kind != VariableType::Choice {
        return;
    }
    if variable.choices.is_empty() {
        report.error(
            "missing-key",
            at,
            format!("`{}` has no `choices`", variable.name),
            "add `choices: [one, two]`",
        );
    } else if let Some(default) = &variable.default
        && !variable.choices.contains(default)
    {
        let near = did_you_mean(default, variable.choices.iter().map(String::as_str));
        report.error(
            "unknown-choice",
            at,
            format!("the default `{default}` is none of the choices{near}"),
            "correct it",
        );
    }
}

/// Parts the bodies by their headings of the first level.
fn split_bodies(text: &str, first_line: u32, report: &mut Report) -> Vec<Body> {
    let mut bodies: Vec<Body> = Vec::new();
    let mut in_fence = false;
    for (line, number) in text.lines().zip(first_line..) {
        in_fence ^= line.trim_start().starts_with("```");
        let heading = line.strip_prefix("# ").map(str::trim).filter(|_| !in_fence);
        let at = Position { line: number, column: 1 };
        match heading {
            Some(name) => match Channel::NAMES.iter().find(|(known, _)| *known == name) {
                Some((_, channel)) if bodies.iter().any(|b| b.channel == *channel) => {
                    report.error(
                        "duplicate-id",
                        at,
                        format!("the channel `{name}` has two bodies"),
                        "remove one of them",
                    );
                }
                Some((_, channel)) => {
                    bodies.push(Body { channel: *channel, source: String::new(), line: number + 1 });
                }
                None => {
                    let near = did_you_mean(name, Channel::NAMES.iter().map(|(n, _)| *n));
                    report.error(
                        "unknown-channel",
                        at,
                        format!("`{name}` is no channel{near}"),
                        "use # chat, # sms, # email or # voice; headings inside a body begin with ##",
                    );
                }
            },
            None => match bodies.last_mut() {
                Some(body) => {
                    body.source.push_str(line);
                    body.source.push('\n');
                }
                None if line.trim().is_empty() => {}
                None => {
                    report.error("no-channel", at, "text before the first channel", "put `# chat` above it");
                    return bodies;
                }
            },
        }
    }
    if bodies.is_empty() {
        report.error(
            "no-channel",
            Position { line: first_line, column: 1 },
            "the template has no body",
            "add `# chat` and a text",
        );
    }
    for body in &mut bodies {
        let blank = body.source.len() - body.source.trim_start_matches('\n').len();
        body.line += u32::try_from(blank).unwrap_or(0);
        body.source = body.source.trim().to_owned();
        if body.source.is_empty() {
            let at = Position { line: body.line, column: 1 };
            report.error(
                "no-channel",
                at,
                format!("the body for {} is empty", body.channel.name()),
                "write it or remove the heading",
            );
        }
    }
    bodies
}

//! `pharos new`: an article or template from a skeleton.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, ensure};

use super::say;
use crate::content::files;
use crate::settings::Settings;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// A new article
    Article(Named),
    /// A new answer template
    Template(Named),
}

#[derive(Debug, clap::Args)]
struct Named {
    /// Its id: the path below the folder without .md, as sms/monthly
    id: String,
    /// Its title
    #[arg(long)]
    title: Option<String>,
}

const ARTICLE: &str = "---\ntitle: {title}\nkind: procedure\nstatus: draft\nproducts: []\ntags: []\naliases: []\n---\n\nThe answer in one or two sentences.\n\n## Steps {#steps}\n\n1. First.\n2. Second.\n\n## If it does not work {#trouble}\n\nWhat to check, and whom to ask.\n";

const TEMPLATE: &str = "---\ntitle: {title}\nstatus: draft\nproducts: []\narticles: []\nvariables:\n  name: {type: text, label: Customer's name, required: true}\n---\n\n# chat\n\n{{ name }}, the answer for a chat.\n\n# sms\n\nThe answer in 70 characters.\n";

pub(super) fn run(settings: &Settings, args: &Args) -> anyhow::Result<ExitCode> {
    let (folder, named, skeleton) = match &args.what {
        What::Article(named) => (&settings.articles, named, ARTICLE),
        What::Template(named) => (&settings.templates, named, TEMPLATE),
    };
    let id = named.id.trim_end_matches(".md").trim_matches('/');
    ensure!(
        !id.is_empty() && files::resolve("", id).as_deref() == Some(id),
        "`{}` is no id: write a path as sms/monthly",
        named.id
    );
    let title = named.title.clone().unwrap_or_else(|| id.rsplit('/').next().unwrap_or(id).replace('-', " "));
    let path = folder.join(format!("{id}.md"));
    // JSON strings are YAML strings, whatever is in the title.
    write_new(&path, &skeleton.replace("{title}", &serde_json::to_string(&title)?))?;
    say(&format!("{} is written as a draft; set `status: active` when it is ready", path.display()));
    Ok(ExitCode::SUCCESS)
}

fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let file = std::fs::File::options().write(true).create_new(true).open(path);
    let mut file = file.with_context(|| format!("cannot write {} (is it there already?)", path.display()))?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    Ok(())
}

//! The pages of imports: the form that sends a file, and what would become of it.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use clap::ValueEnum;

use crate::app::imports::{ImportState, ImportView};
use crate::http::asker::Asker;
use crate::http::extract::Id;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::importing::Format;
use crate::web::words::Ui;
use crate::web::{filters, private};

#[derive(Template)]
#[template(path = "imports.html")]
struct ImportsPage {
    ui: Ui,
    imports: Vec<ImportView>,
    /// Values of the API, and what people call them.
    formats: Vec<(String, &'static str)>,
    /// The most bytes of a file.
    most: u64,
}

impl ImportsPage {
    fn state(&self, import: &ImportView) -> &str {
        state_word(&self.ui, import)
    }
}

fn state_word<'a>(ui: &'a Ui, import: &ImportView) -> &'a str {
    ui.t(match import.state {
        ImportState::Sending => "import-sending",
        ImportState::Reading => "import-reading",
        ImportState::Waiting => "import-waiting",
        ImportState::Writing => "import-writing",
        ImportState::Done => "import-done",
        ImportState::Failed => "import-failed",
    })
}

/// The form, and one's imports.
pub async fn list(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let named = |format: &Format| {
        let value = format.to_possible_value()?;
        Some((value.get_name().to_owned(), format.name()))
    };
    let page = ImportsPage {
        ui: Ui::of(&headers).with(&asker),
        imports: state.imports.list(asker.somebody()?),
        formats: Format::value_variants().iter().filter_map(named).collect(),
        most: state.settings.max_import_bytes,
    };
    Ok(private(page.render()))
}

#[derive(Template)]
#[template(path = "import.html")]
struct ImportPage {
    ui: Ui,
    import: ImportView,
}

impl ImportPage {
    fn state(&self) -> &str {
        state_word(&self.ui, &self.import)
    }

    fn is_busy(&self) -> bool {
        matches!(self.import.state, ImportState::Sending | ImportState::Reading | ImportState::Writing)
    }

    /// What is counted: the word, how many the source has, how many are carried.
    fn counts(&self) -> Vec<(&'static str, usize, usize)> {
        let Some(outcome) = &self.import.outcome else { return Vec::new() };
        let (had, carried) = (outcome.had, outcome.carried);
        let all = [
            ("import-headings", had.headings, carried.headings),
            ("import-links", had.links, carried.links),
            ("import-images", had.images, carried.images),
            ("import-tables", had.tables, carried.tables),
            ("import-items", had.items, carried.items),
            ("import-code", had.code, carried.code),
        ];
        all.into_iter().filter(|(_, had, _)| *had > 0).collect()
    }

    /// Articles by what becomes of them.
    fn lists(&self) -> Vec<(&'static str, &[String])> {
        let Some(outcome) = &self.import.outcome else { return Vec::new() };
        let lists = [
            ("import-edited", &outcome.edited),
            ("import-updated", &outcome.updated),
            ("import-new", &outcome.new),
            ("import-gone", &outcome.gone),
        ];
        lists.into_iter().map(|(word, paths)| (word, paths.as_slice())).collect()
    }

    fn loss<'a>(&'a self, kind: &'a str) -> &'a str {
        let key = format!("import-loss-{kind}");
        match self.ui.t(&key) {
            "?" => kind,
            word => word,
        }
    }
}

/// An import: how far it is, and what becomes of what.
pub async fn one(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Id(id): Id,
) -> Result<Response, Problem> {
    let import = state.imports.get(asker.somebody()?, &id)?;
    Ok(private(ImportPage { ui: Ui::of(&headers).with(&asker), import }.render()))
}

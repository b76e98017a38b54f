//! The page of a guided flow: one step, its choices, the path taken and a note of it.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::civil::Date;
use serde::Deserialize;

use crate::api::flows::{self, ChoiceView, FlowView, StepView};
use crate::api::parameters::FilterParams;
use crate::app::snapshot::Snapshot;
use crate::content::markdown::encode_path;
use crate::http::asker::Asker;
use crate::http::extract::{Id, Query};
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::search::filter::Filter;
use crate::web::words::Ui;
use crate::web::{filters, html};

/// Choices remembered of a path; a flow that goes round longer forgets how it began.
const MAX_TAKEN: usize = 60;

/// What parts the choices of a path in an address, and the flow, step and choice of one.
const BETWEEN: char = '~';
const INSIDE: char = '|';

/// Where in the flow.
#[derive(Debug, Default, Deserialize)]
pub struct FlowParams {
    /// The step; the first one by default.
    step: Option<String>,
    /// The choices taken so far.
    taken: Option<String>,
    /// Present: the flow alone, to be put into the desk.
    part: Option<String>,
    #[serde(flatten)]
    filter: FilterParams,
}

/// A choice that was taken.
struct Taken {
    question: String,
    choice: String,
    /// Back to the question, with the choices taken before it.
    href: String,
}

struct Offer {
    choice: ChoiceView,
    href: String,
}

struct Shown {
    flow: FlowView,
    step: StepView,
    taken: Vec<Taken>,
    offers: Vec<Offer>,
    /// The path as a text for the customer's record.
    note: String,
    restart: String,
    link: String,
}

#[derive(Template)]
#[template(path = "flow_page.html")]
struct FlowPage {
    ui: Ui,
    shown: Shown,
}

#[derive(Template)]
#[template(path = "flow.html")]
struct FlowPart {
    ui: Ui,
    shown: Shown,
}

/// A step of a flow as a page, or as a part of the desk.
pub async fn page(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Id(id): Id,
    Query(params): Query<FlowParams>,
) -> Result<Response, Problem> {
    let today = state.app.clock.today();
    let filter = params.filter.filter(&asker, today)?;
    let (step, taken) = (params.step, params.taken.unwrap_or_default());
    let shown =
        state.run(move |snapshot| show(snapshot, &id, step.as_deref(), &taken, &filter, today)).await?;
    let ui = Ui::of(&headers).with(&asker);
    Ok(match params.part {
        Some(_) => html(FlowPart { ui, shown }.render()),
        None => html(FlowPage { ui, shown }.render()),
    })
}

fn show(
    snapshot: &Snapshot,
    id: &str,
    step: Option<&str>,
    path: &str,
    filter: &Filter,
    today: Date,
) -> Result<Shown, Problem> {
    let mut flow = flows::view(snapshot, id, filter)?;
    let asked = step.filter(|step| !step.is_empty()).unwrap_or(&flow.start);
    let at = flow.steps.iter().position(|step| step.step == asked);
    let step = flow.steps.swap_remove(at.ok_or_else(|| Problem::not_found("step", asked))?);
    let mut taken: Vec<Taken> = Vec::new();
    let mut walked: Vec<&str> = Vec::new();
    let mut flows = Flows { snapshot, filter, today, read: BTreeMap::new() };
    let parts: Vec<&str> = path.split(BETWEEN).filter(|part| !part.is_empty()).collect();
    for part in &parts[parts.len().saturating_sub(MAX_TAKEN)..] {
        // A step or a choice that is gone since is left out of the path; what is asked now still stands.
        if let Some((question, choice, href)) = flows.retrace(part, &walked) {
            taken.push(Taken { question, choice, href });
            walked.push(part);
        }
    }
    let address = |id: &str, step: &str, path: &[&str]| address(id, step, path, filter, today);
    let offers = step.choices.iter().map(|choice| {
        let mut path = walked.clone();
        let own = format!("{id}{INSIDE}{}{INSIDE}{}", step.step, name_of(choice));
        path.push(&own);
        let href = address(&choice.flow, &choice.step, &path);
        let choice = ChoiceView {
            label: choice.label.clone(),
            note: choice.note.clone(),
            flow: choice.flow.clone(),
            step: choice.step.clone(),
        };
        // Where the other article is no flow, it is read.
        let is_flow =
            snapshot.engine.library.find(&choice.flow).is_some_and(|(_, a)| a.matter.flow.is_some());
        let href =
            if is_flow { href } else { format!("/articles/{}#{}", encode_path(&choice.flow), choice.step) };
        Offer { choice, href }
    });
    let offers = offers.collect();
    let mut note = format!("{}\n", flow.title);
    for (number, taken) in taken.iter().enumerate() {
        note.push_str(&format!("{}. {} — {}\n", number + 1, taken.question, taken.choice));
    }
    note.push_str(&format!("{}. {}", taken.len() + 1, step.heading));
    let restart = address(id, "", &[]);
    let link = address(id, &step.step, &[]);
    Ok(Shown { flow, step, taken, offers, note, restart, link })
}

/// The flows that a path leads through, each read once.
struct Flows<'s> {
    snapshot: &'s Snapshot,
    filter: &'s Filter,
    today: Date,
    read: BTreeMap<String, Option<FlowView>>,
}

impl Flows<'_> {
    /// The question, the choice and the way back of one part of a path.
    fn retrace(&mut self, part: &str, before: &[&str]) -> Option<(String, String, String)> {
        let mut fields = part.split(INSIDE);
        let (id, step, name) = (fields.next()?, fields.next()?, fields.next()?);
        let read = self.read.entry(id.to_owned());
        let flow = read.or_insert_with(|| flows::view(self.snapshot, id, self.filter).ok()).as_ref()?;
        let step = flow.steps.iter().find(|known| known.step == step)?;
        let choice = step.choices.iter().find(|choice| name_of(choice) == name)?;
        let href = address(id, &step.step, before, self.filter, self.today);
        Some((step.heading.clone(), choice.label.clone(), href))
    }
}

/// What a choice is called in an address: by what it says and where it leads, not by its place, which an editor or another region may change.
fn name_of(choice: &ChoiceView) -> String {
    let said = format!("{}\n{}#{}", choice.label, choice.flow, choice.step);
    blake3::hash(said.as_bytes()).to_hex()[..8].to_owned()
}

fn address(id: &str, step: &str, path: &[&str], filter: &Filter, today: Date) -> String {
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let mut address = format!("/flows/{}", encode_path(id));
    let mut mark = '?';
    let taken = path.join(&BETWEEN.to_string());
    let day = if filter.day == today { String::new() } else { filter.day.to_string() };
    let region = filter.region_in_address();
    for (name, value) in [("step", step), ("taken", &taken), ("region", region), ("as_of", &day)] {
        if !value.is_empty() {
            address.push_str(&format!("{mark}{name}={}", encode(value)));
            mark = '&';
        }
    }
    address
}

//! What one is told, in which ways; and for administrators the programs that are told.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::http::asker::Asker;
use crate::http::extract::{Query, given};
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::notices::hooks::{Delivery, Hook};
use crate::notices::{Notice, NoticeChoice, NoticeKind};
use crate::web::words::Ui;
use crate::web::{Zoned, filters, private};

#[derive(Template)]
#[template(path = "notices.html")]
struct NoticesPage {
    ui: Ui,
    zone: Zoned,
    notices: Vec<Notice>,
    choices: Vec<NoticeChoice>,
    has_mail: bool,
}

impl NoticesPage {
    /// The same choice with one way the other way round.
    fn turned(&self, choice: &NoticeChoice, way: &str) -> String {
        let mut turned = *choice;
        match way {
            "mail" => turned.by_mail = !turned.by_mail,
            _ => turned.on_desk = !turned.on_desk,
        }
        serde_json::to_string(&turned).unwrap_or_default()
    }

    fn seen(&self, notice: &Notice) -> String {
        serde_json::json!({"id": notice.id}).to_string()
    }
}

/// What one is told.
pub async fn page(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (person, _) = asker.person()?;
    let page = NoticesPage {
        ui: Ui::of(&headers).with(&asker),
        zone: Zoned::of(&state),
        notices: state.notices.of(person).await?,
        choices: state.notices.choices(person).await?,
        has_mail: state.accounts.mail().is_some(),
    };
    Ok(private(page.render()))
}

/// Whose deliveries are shown.
#[derive(Debug, Default, Deserialize)]
pub struct HookParams {
    hook: Option<String>,
}

#[derive(Template)]
#[template(path = "admin_hooks.html")]
struct HooksPage {
    ui: Ui,
    zone: Zoned,
    hooks: Vec<Hook>,
    kinds: Vec<NoticeKind>,
    shown: Option<Hook>,
    deliveries: Vec<Delivery>,
}

/// The programs that are told.
pub async fn hooks(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Query(params): Query<HookParams>,
) -> Result<Response, Problem> {
    let hooks = state.notices.hooks().await?;
    let shown = given(params.hook.as_deref()).and_then(|id| hooks.iter().find(|hook| hook.id == id));
    let deliveries = match shown {
        Some(hook) => state.notices.deliveries(&hook.id).await?,
        None => Vec::new(),
    };
    let page = HooksPage {
        ui: Ui::of(&headers).with(&asker),
        zone: Zoned::of(&state),
        kinds: NoticeKind::NAMES.iter().map(|(_, kind)| *kind).collect(),
        shown: shown.cloned(),
        deliveries,
        hooks,
    };
    Ok(private(page.render()))
}

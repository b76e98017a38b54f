//! The filters that many routes take.

use jiff::civil::Date;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::content::catalog::Lang;
use crate::content::front_matter::{Kind, Status};
use crate::http::asker::Asker;
use crate::http::extract::{Reader, given, list};
use crate::http::problem::{Code, Problem};
use crate::search::filter::{ALL_REGIONS, Filter};

/// Filters on articles. Several values are parted by commas.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FilterParams {
    /// Kinds of article: product, procedure, manual, faq, news, script.
    kind: Option<String>,
    /// Products the article is about.
    product: Option<String>,
    /// Only what is in force in this region; `all` for every region. Without it, the region of who asks.
    region: Option<String>,
    /// Language: ru or en.
    lang: Option<String>,
    /// Tags the article has.
    tag: Option<String>,
    /// active or archived.
    status: Option<String>,
    /// The day on which it is in force, as 2026-12-31; today by default.
    #[param(value_type = Option<String>, format = Date)]
    as_of: Option<String>,
}

impl FilterParams {
    /// The filter asked for, where nothing else is.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn filter(&self, asker: &Asker, today: Date) -> Result<Filter, Problem> {
        let mut reader = Reader::default();
        let filter = self.read(asker, today, &mut reader);
        reader.finish(Code::InvalidParameter)?;
        Ok(filter)
    }

    /// The filter asked for; what is wrong goes to the reader.
    pub fn read(&self, asker: &Asker, today: Date, reader: &mut Reader) -> Filter {
        const STATUSES: &[(&str, Status)] = &[("active", Status::Active), ("archived", Status::Archived)];
        let own = asker.filter(today);
        Filter {
            kinds: reader.choices("kind", self.kind.as_deref(), Kind::NAMES),
            products: list(self.product.as_deref()),
            region: asked_region(self.region.as_deref(), own.region),
            lang: reader.choice("lang", self.lang.as_deref(), Lang::NAMES),
            tags: list(self.tag.as_deref()),
            status: reader.choice("status", self.status.as_deref(), STATUSES),
            day: reader.date("as_of", self.as_of.as_deref(), today),
            home: own.home,
            clearance: own.clearance,
        }
    }
}

/// The region asked for, where a reader's own is meant by saying nothing.
pub fn asked_region(asked: Option<&str>, own: Option<String>) -> Option<String> {
    match given(asked) {
        None => own,
        Some(ALL_REGIONS) => None,
        Some(region) => Some(region.to_owned()),
    }
}

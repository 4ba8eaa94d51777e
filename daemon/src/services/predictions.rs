//! What an attempt took from models: single predictions, added up for each model.

use fanlight_shared::event::{MAX_MODELS, Prediction};
use fanlight_shared::sanitise;
use fanlight_shared::value::cut;

use super::MAX_MESSAGE;

/// The predictions of an attempt so far.
#[derive(Debug, Default)]
pub(crate) struct Predictions {
    totals: Vec<Prediction>,
}

impl Predictions {
    /// Adds one. Returns what was taken from its model in all; `None` of one model too many.
    pub(crate) fn add(&mut self, one: &Prediction) -> Option<Prediction> {
        let name = |name: &str| cut(&sanitise::line(name), MAX_MESSAGE);
        let (provider, model) = (name(&one.provider), name(&one.model));
        let of = |known: &Prediction| known.provider == provider && known.model == model;
        let at = self.totals.iter().position(of).unwrap_or(self.totals.len());
        if at == MAX_MODELS {
            return None;
        }
        if at == self.totals.len() {
            self.totals.push(Prediction { provider, model, ..Prediction::default() });
        }
        let total = &mut self.totals[at];
        total.input_tokens = total.input_tokens.saturating_add(one.input_tokens);
        total.output_tokens = total.output_tokens.saturating_add(one.output_tokens);
        if let Some(cost) = cost(one) {
            *total.cost_usd.get_or_insert(0.0) += cost;
        }
        Some(total.clone())
    }
}

/// What a prediction cost, if that is an amount of money.
pub(crate) fn cost(one: &Prediction) -> Option<f64> {
    one.cost_usd.filter(|usd| usd.is_finite() && *usd >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(model: &str, cost_usd: Option<f64>) -> Prediction {
        let (provider, model) = ("local".to_owned(), model.to_owned());
        Prediction { provider, model, input_tokens: 100, output_tokens: 10, cost_usd }
    }

    #[test]
    fn predictions_of_a_model_are_added_up() {
        let mut all = Predictions::default();
        all.add(&one("a", None));
        all.add(&one("b\u{1b}[2J", Some(1.0)));
        all.add(&one("a", Some(f64::NAN)));
        all.add(&one("a", Some(0.5)));
        let total = all.add(&one("a", Some(0.25))).unwrap();
        assert_eq!((total.input_tokens, total.output_tokens, total.cost_usd), (400, 40, Some(0.75)));
        assert_eq!(all.add(&one("b", None)).unwrap().cost_usd, Some(1.0));
    }

    #[test]
    fn models_without_end_take_no_memory() {
        let mut all = Predictions::default();
        let told = (0..1_000).filter(|number| all.add(&one(&number.to_string(), None)).is_some()).count();
        assert_eq!(told, MAX_MODELS);
    }
}

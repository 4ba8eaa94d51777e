//! The use that an attempt makes of models: its predictions, added up by model.

use fanlight_shared::event::{MAX_MODELS, Prediction};
use fanlight_shared::sanitise;
use fanlight_shared::spent::is_cost;
use fanlight_shared::value::{Value, cut};
use indexmap::IndexMap;

use super::MAX_MESSAGE;

/// The provider and the model of the entry for all models after the first ones.
const OTHER_MODELS: (&str, &str) = ("other", "models");

/// The predictions of an attempt so far, with at most [`MAX_MODELS`] entries.
#[derive(Debug, Default)]
pub(crate) struct Predictions {
    totals: Vec<Prediction>,
}

impl Predictions {
    /// Adds a prediction. Returns the sum of its model, or of the other models if there are too many.
    pub(crate) fn add(&mut self, one: &Prediction) -> Prediction {
        let name = |name: &str| cut(&sanitise::line(name), MAX_MESSAGE);
        let total = self.of_model(name(&one.provider), name(&one.model));
        total.input_tokens = total.input_tokens.saturating_add(one.input_tokens);
        total.output_tokens = total.output_tokens.saturating_add(one.output_tokens);
        if let Some(cost) = cost(one) {
            *total.cost_usd.get_or_insert(0.0) += cost;
        }
        total.clone()
    }

    /// Returns the sums, by model.
    pub(crate) fn totals(&self) -> &[Prediction] {
        &self.totals
    }

    fn of_model(&mut self, provider: String, model: String) -> &mut Prediction {
        let at = self.totals.iter().position(|known| known.provider == provider && known.model == model);
        if at.is_none() && self.totals.len() >= MAX_MODELS - 1 && (&*provider, &*model) != OTHER_MODELS {
            return self.of_model(OTHER_MODELS.0.to_owned(), OTHER_MODELS.1.to_owned());
        }
        let at = at.unwrap_or_else(|| {
            self.totals.push(Prediction { provider, model, ..Prediction::default() });
            self.totals.len() - 1
        });
        &mut self.totals[at]
    }
}

/// Returns the use of a model as a value.
pub(crate) fn usage(one: &Prediction) -> Value {
    let count = |tokens: u64| Value::Int(i64::try_from(tokens).unwrap_or(i64::MAX));
    let mut object = IndexMap::from([
        ("provider".to_owned(), Value::from(one.provider.as_str())),
        ("model".to_owned(), Value::from(one.model.as_str())),
        ("input_tokens".to_owned(), count(one.input_tokens)),
        ("output_tokens".to_owned(), count(one.output_tokens)),
    ]);
    if let Some(cost) = one.cost_usd {
        object.insert("cost_usd".to_owned(), Value::Float(cost));
    }
    Value::Object(object)
}

/// Returns the cost of a prediction, if it has a valid one.
pub(crate) fn cost(one: &Prediction) -> Option<f64> {
    one.cost_usd.filter(|usd| is_cost(*usd))
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
        let total = all.add(&one("a", Some(0.25)));
        assert_eq!((total.input_tokens, total.output_tokens, total.cost_usd), (400, 40, Some(0.75)));
        assert_eq!(all.add(&one("b", None)).cost_usd, Some(1.0));
    }

    #[test]
    fn any_number_of_models_is_counted_in_a_bounded_number_of_entries() {
        let mut all = Predictions::default();
        (0..1_000).for_each(|number| drop(all.add(&one(&number.to_string(), Some(0.5)))));
        assert_eq!(all.totals.len(), MAX_MODELS);
        assert_eq!(all.totals.iter().map(|it| it.input_tokens).sum::<u64>(), 100_000);
        let other = all.add(&one("1000", None));
        assert_eq!((other.provider.as_str(), other.model.as_str()), OTHER_MODELS);
        assert_eq!((other.input_tokens, other.cost_usd), (97_000, Some(484.5)));
        assert_eq!(all.add(&one("0", None)).input_tokens, 200, "the first models keep their entries");
    }
}

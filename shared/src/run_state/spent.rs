//! What attempts took from models, and what they cost.

use std::fmt;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::is_zero;
use crate::event::NodeUpdate;

/// What attempts took from models, and what they cost: the sum over those that have ended. Values that a run reuses cost it
/// nothing.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Spent {
    /// In US dollars; absent while nothing is known of a cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// The number of input tokens of all models.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub input_tokens: u64,
    /// The number of output tokens of all models.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub output_tokens: u64,
}

impl Spent {
    /// Returns whether nothing was spent, as far as is known.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what an attempt spent, with the event of its end. Returns whether that changed something.
    pub(super) fn fold(&mut self, update: &NodeUpdate) -> bool {
        // Each attempt ends once.
        if update.ended.is_none() {
            return false;
        }
        let before = *self;
        let predictions = update.activity.iter().flat_map(|activity| &activity.predictions);
        let mut attempt = Self { cost_usd: update.cost_usd, ..Self::default() };
        for prediction in predictions {
            attempt.input_tokens = attempt.input_tokens.saturating_add(prediction.input_tokens);
            attempt.output_tokens = attempt.output_tokens.saturating_add(prediction.output_tokens);
        }
        self.add(&attempt);
        *self != before
    }

    /// Adds what another one spent.
    pub fn add(&mut self, other: &Self) {
        if let Some(cost) = other.cost_usd {
            *self.cost_usd.get_or_insert(0.0) += cost;
        }
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
    }

    /// Returns the later of two reports of the same thing: it only grows.
    #[must_use]
    pub fn later(self, other: Self) -> Self {
        Self {
            cost_usd: match (self.cost_usd, other.cost_usd) {
                (Some(one), Some(two)) => Some(one.max(two)),
                (one, two) => one.or(two),
            },
            input_tokens: self.input_tokens.max(other.input_tokens),
            output_tokens: self.output_tokens.max(other.output_tokens),
        }
    }
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cost = self.cost_usd.map(|usd| format!("${usd:.4}"));
        let tokens = (self.input_tokens > 0 || self.output_tokens > 0)
            .then(|| format!("{} tokens in · {} out", self.input_tokens, self.output_tokens));
        let parts: Vec<String> = cost.into_iter().chain(tokens).collect();
        f.write_str(&parts.join(" · "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Activity, Prediction};
    use crate::item::ItemPath;
    use crate::run::{AttemptEnd, NodeStatus};
    use crate::time::Time;

    #[test]
    fn every_attempt_that_ends_is_counted_however_it_ends() {
        let one = |model: &str| Prediction {
            provider: "local".into(),
            model: model.into(),
            input_tokens: 100,
            output_tokens: 10,
            cost_usd: Some(0.25),
        };
        let mut update = NodeUpdate::new("a", ItemPath::WHOLE, NodeStatus::Running, Time(0));
        let mut spent = Spent::default();
        assert!(!spent.fold(&update) && spent.is_nothing());
        update.activity =
            Some(Box::new(Activity { predictions: vec![one("a"), one("b")], ..Activity::default() }));
        update.cost_usd = Some(0.75);
        for end in [AttemptEnd::Failed, AttemptEnd::Parked, AttemptEnd::Completed] {
            update.ended = Some(end);
            assert!(spent.fold(&update));
        }
        let all = Spent { cost_usd: Some(2.25), input_tokens: 600, output_tokens: 60 };
        assert_eq!(spent, all, "what predictions cost is part of what the attempt cost");
        assert_eq!(all.to_string(), "$2.2500 · 600 tokens in · 60 out");
        assert_eq!(Spent::default().later(all).later(Spent::default()), all);
    }
}

//! What requests take from a model.

use std::sync::{Arc, Mutex, PoisonError};

use fanlight_shared::event::Prediction;

use super::Asker;
use crate::llm::Provider;
use crate::llm::reply::Usage;
use crate::services::DaemonServices;

/// What the requests of an attempt took so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    usage: Usage,
    /// Whether a request took something whose cost is not known.
    unpriced: bool,
}

impl Spent {
    /// Returns the tokens, and the cost if all of it is known.
    pub(super) fn in_all(self) -> Usage {
        Usage { cost_usd: self.usage.cost_usd.filter(|_| !self.unpriced), ..self.usage }
    }
}

/// Reports what a request took, also if it fails or is cancelled: what was spent is spent.
pub(super) struct Meter {
    services: DaemonServices,
    provider: Provider,
    model: String,
    spent: Arc<Mutex<Spent>>,
    /// Whether its tokens have prices that no table here has, such as those of sound.
    priced_apart: bool,
    /// Whether an answer has begun, so that the provider charges for it.
    pub(super) charged: bool,
    pub(super) usage: Usage,
}

impl Drop for Meter {
    fn drop(&mut self) {
        let by_table = Some(&self.usage).filter(|usage| !self.priced_apart || usage.cost_usd.is_some());
        let cost_usd = by_table.and_then(|usage| self.provider.cost(&self.model, usage));
        if !self.usage.is_empty() {
            self.services.prediction(&Prediction {
                provider: self.provider.name.clone(),
                model: self.model.clone(),
                input_tokens: self.usage.input,
                output_tokens: self.usage.output,
                cost_usd,
            });
        }
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.unpriced |= self.charged && cost_usd.is_none();
        spent.usage.input = spent.usage.input.saturating_add(self.usage.input);
        spent.usage.output = spent.usage.output.saturating_add(self.usage.output);
        if let Some(cost) = cost_usd {
            *spent.usage.cost_usd.get_or_insert(0.0) += cost;
        }
    }
}

impl Asker {
    /// Returns the meter of one request. `priced_apart`: whether its tokens have prices that no table has.
    pub(super) fn meter(&self, priced_apart: bool) -> Meter {
        let (services, provider) = (self.services.clone(), self.provider.clone());
        let (model, spent) = (self.model.clone(), Arc::clone(&self.spent));
        Meter { services, provider, model, spent, priced_apart, charged: false, usage: Usage::default() }
    }
}

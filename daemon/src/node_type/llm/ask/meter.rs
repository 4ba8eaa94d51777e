//! What requests take from a model.

use std::sync::{Arc, Mutex, PoisonError};

use fanlight_shared::event::Prediction;

use super::Asker;
use crate::llm::Provider;
use crate::llm::reply::Usage;
use crate::services::DaemonServices;

/// Reports what a request took, also if it fails or is cancelled: what was spent is spent.
pub(super) struct Meter {
    services: DaemonServices,
    provider: Provider,
    model: String,
    spent: Arc<Mutex<Usage>>,
    has_audio: bool,
    pub(super) usage: Usage,
}

impl Drop for Meter {
    fn drop(&mut self) {
        if self.usage.is_empty() {
            return;
        }
        // Sound has a price of its own, which no table here has.
        let by_table = Some(&self.usage).filter(|usage| !self.has_audio || usage.cost_usd.is_some());
        let cost_usd = by_table.and_then(|usage| self.provider.cost(&self.model, usage));
        self.services.prediction(&Prediction {
            provider: self.provider.name.clone(),
            model: self.model.clone(),
            input_tokens: self.usage.input,
            output_tokens: self.usage.output,
            cost_usd,
        });
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.input = spent.input.saturating_add(self.usage.input);
        spent.output = spent.output.saturating_add(self.usage.output);
        if let Some(cost) = cost_usd {
            *spent.cost_usd.get_or_insert(0.0) += cost;
        }
    }
}

impl Asker {
    /// Returns the meter of one request.
    pub(super) fn meter(&self, has_audio: bool) -> Meter {
        let (services, provider) = (self.services.clone(), self.provider.clone());
        let (model, spent) = (self.model.clone(), Arc::clone(&self.spent));
        Meter { services, provider, model, spent, has_audio, usage: Usage::default() }
    }
}

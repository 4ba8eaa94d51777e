//! The outputs of the failed attempts of an instance that has not ended.

use fanlight_shared::run::AttemptEnd;
use fanlight_shared::run_state::InstanceState;
use fanlight_shared::value::{Value, Values};
use indexmap::IndexMap;

use super::made::Made;

/// The outputs of failed attempts of an instance, by port.
#[derive(Default)]
pub(in crate::engine) struct Earlier(pub(in crate::engine) IndexMap<String, (Value, Made)>);

impl Earlier {
    /// Returns what an earlier daemon stored for an instance that has not ended.
    pub(in crate::engine) fn restored(values: Values, seen: &InstanceState) -> Option<Box<Self>> {
        let mut failed = seen.attempts.iter().filter(|it| it.end == Some(AttemptEnd::Failed));
        let made = match (failed.next(), failed.next()) {
            (Some(only), None) => Made { number: only.number, cost_usd: only.cost_usd, ..Made::default() },
            // It is not stored which of them made it.
            _ => Made::default(),
        };
        let outputs: IndexMap<_, _> = values.into_iter().map(|(port, value)| (port, (value, made))).collect();
        (!outputs.is_empty()).then(|| Box::new(Self(outputs)))
    }
}

//! `util.sleep`

use std::time::Duration;

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;
use tokio::time::Instant;

use super::build::Build;
use super::typed_inputs::TypedInputs;
use super::{Made, NodeCall, NodeType, Runner};

/// At most ten reports a second, and at most a hundred in total.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

pub(super) fn node_type() -> NodeType {
    Build::new("util.sleep", "Waits for some time, with progress, and passes a value through.")
        .input("seconds", Type::Float, "The time to wait, in seconds.")
        .range(0.0, 86_400.0)
        .input("value", Type::Any, "The value to pass through.")
        .optional()
        .output("value", Type::Any, "The input `value`; absent if none was given.")
        .run(Runner::daemon(run))
}

async fn run(call: NodeCall) -> Made {
    let total = Duration::from_secs_f64(call.inputs.float("seconds")?);
    let begin = Instant::now();
    let step = PROGRESS_INTERVAL.max(total / 100);
    while begin.elapsed() < total {
        let wait = step.min(total.saturating_sub(begin.elapsed()));
        tokio::select! {
            () = call.services.cancel().cancelled() => return Err("cancelled".into()),
            () = tokio::time::sleep(wait) => {}
        }
        let fraction = (begin.elapsed().as_secs_f64() / total.as_secs_f64()).min(1.0);
        call.services.progress(Some(fraction), None);
    }
    let value = call.inputs.maybe("value").cloned();
    Ok((value.map(|value| ("value".to_owned(), value)).into_iter().collect::<Values>(), Vec::new()))
}

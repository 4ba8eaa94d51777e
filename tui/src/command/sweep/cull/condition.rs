//! The condition of `--where`.

use fanlight_shared::expression::{Expression, Root, Scope, truthy};
use fanlight_shared::problem::{Span, near};
use fanlight_shared::run::Run;
use fanlight_shared::value::{Value, cut};

use super::ranking::Measured;
use crate::failure::Failure;

const METRICS: &str = "metrics";
const RUN_FIELDS: [&str; 3] = ["number", "label", "state"];
const NAMES: &str =
    "the names here are `params.NAME`, `metrics.NAME`, `run.number`, `run.label` and `run.state`";

/// A condition on runs.
#[derive(Debug)]
pub(super) struct Condition {
    expression: Expression,
}

impl Condition {
    /// Reads a condition.
    pub(super) fn read(text: &str) -> Result<Self, Failure> {
        let expression = Expression::parse(text, Span::default()).map_err(|problems| {
            let message = problems.into_iter().next().map(|problem| problem.message).unwrap_or_default();
            Failure::usage(format!("`--where`: {message}")).hint(NAMES)
        })?;
        if expression.asks_outcome() {
            let message = "`--where` can't call `success()`, `failure()` or `always()`";
            return Err(Failure::usage(message).hint(NAMES));
        }
        for reference in expression.references() {
            let field = reference.port.as_deref().unwrap_or_default();
            let (unknown, near) = match &reference.root {
                Root::Params => continue,
                Root::Run if RUN_FIELDS.contains(&field) => continue,
                Root::Node(name) if name == METRICS => continue,
                Root::Run => (format!("run.{field}"), near(field, RUN_FIELDS)),
                root => (root.name().to_owned(), None),
            };
            let hint = near.map_or_else(|| NAMES.to_owned(), |near| format!("did you mean `run.{near}`?"));
            let message = format!("`--where`: `{}` is not known here", cut(&unknown, 60));
            return Err(Failure::usage(message).hint(hint));
        }
        Ok(Self { expression })
    }

    /// Returns the metrics that it reads.
    pub(super) fn metrics(&self) -> impl Iterator<Item = &str> {
        let metrics = self.expression.references().iter().filter(|it| it.root.name() == METRICS);
        metrics.filter_map(|it| it.port.as_deref())
    }

    /// Checks that it reads no param that none of the runs has.
    pub(super) fn check_params(&self, runs: &[Run]) -> Result<(), Failure> {
        // The params of such a run are not all known.
        if runs.iter().any(|run| run.params_short) {
            return Ok(());
        }
        let read = self.expression.references().iter().filter(|it| it.root == Root::Params);
        let mut read = read.filter_map(|it| it.port.as_deref());
        let Some(unknown) = read.find(|name| runs.iter().all(|run| !run.params.contains_key(*name))) else {
            return Ok(());
        };
        let known = runs.iter().flat_map(|run| run.params.keys().map(String::as_str));
        let hint = near(unknown, known).map(|near| format!("did you mean `params.{near}`?"));
        let message = format!("`--where`: no run of the sweep has a param `{}`", cut(unknown, 60));
        Err(Failure::usage(message).maybe_hint(hint))
    }

    /// Returns whether it is true for a run; if it reads something that the run doesn't have, it is not.
    pub(super) fn holds(&self, run: &Run, measured: &Measured) -> Result<bool, Failure> {
        let reads_params = self.expression.references().iter().any(|it| it.root == Root::Params);
        if reads_params && run.params_short {
            return Err(Failure::failed(format!("the params of {} are too long for `--where`", run.name())));
        }
        let value = self.expression.evaluate(&RunScope { run, measured }).map_err(Failure::usage)?;
        Ok(value.is_some_and(|value| truthy(&value)))
    }
}

struct RunScope<'a> {
    run: &'a Run,
    measured: &'a Measured,
}

impl Scope for RunScope<'_> {
    fn get(&self, root: &Root, field: Option<&str>) -> Option<Value> {
        match (root, field?) {
            (Root::Params, name) => self.run.params.get(name).cloned(),
            (Root::Run, "number") => Some(Value::Int(self.run.number.into())),
            (Root::Run, "label") => Some(Value::from(self.run.label.as_str())),
            (Root::Run, "state") => Some(Value::from(self.run.state.word())),
            (Root::Node(name), metric) if name == METRICS => {
                self.measured.last(self.run.id, metric).map(|point| Value::Float(point.value))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use fanlight_shared::run::RunStatus;

    use super::*;
    use crate::ui::testing::run;

    fn holds(text: &str) -> Result<bool, Failure> {
        let mut run = run(3, RunStatus::Running);
        run.params.insert("rate".into(), Value::Float(0.5));
        Condition::read(text)?.holds(&run, &Measured::default())
    }

    #[test]
    fn a_condition_reads_params_metrics_and_the_run() {
        assert!(holds("params.rate >= 0.5 and run.number == 3 and run.state == 'running'").unwrap());
        assert!(!holds("params.rate > 0.5").unwrap());
        assert!(!holds("metrics.loss > 2").unwrap(), "it has not reported one");
        assert!(!holds("not (metrics.loss > 2)").unwrap());
    }

    #[test]
    fn a_param_that_no_run_has_is_named() {
        let mut one = run(3, RunStatus::Running);
        one.params.insert("rate".into(), Value::Float(0.5));
        let runs = [run(2, RunStatus::Running), one];
        let check = |text: &str| Condition::read(text).unwrap().check_params(&runs);
        check("params.rate > 1 or run.number == 3").unwrap();
        let why = format!("{:?}", check("params.rat > 1").unwrap_err());
        assert!(why.contains("has a param `rat`") && why.contains("did you mean `params.rate`?"), "{why}");
    }

    #[test]
    fn other_names_are_not_known() {
        let refused = |text: &str| format!("{:?}", holds(text).unwrap_err());
        assert!(refused("loss > 2").contains("`loss` alone is not a value"));
        assert!(refused("loss.x > 2").contains("`loss` is not known here"));
        assert!(refused("run.nunber > 2").contains("did you mean `run.number`?"));
        assert!(refused("params.rate >").contains("--where"));
        assert!(refused("secrets.x").contains("`secrets` is not known here"));
    }
}

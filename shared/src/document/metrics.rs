//! `metrics:` of commands.

use super::reading::Reading;
use super::yaml::{Kind, Node as Part};
use crate::metric::Goal;
use crate::value::cut;
use crate::workflow::{MetricSource, Metrics};

const KEYS: [&str; 6] = ["file", "stdout", "tensorboard", "columns", "step", "goal"];

impl Reading<'_> {
    /// Reads `metrics:` of a command: one source, or a list of them.
    pub(super) fn metrics(&mut self, node: &Part) -> Vec<Metrics> {
        let items = match &node.kind {
            Kind::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        items.iter().filter_map(|item| self.metrics_of(item)).collect()
    }

    fn metrics_of(&mut self, node: &Part) -> Option<Metrics> {
        let wanted = "a map such as `{ file: log.csv }` or `{ stdout: 'loss=(?<loss>\\S+)' }`";
        let fields = self.map(node, "`metrics`", wanted)?;
        let mut sources = Vec::new();
        let (mut columns, mut step, mut goals) = (Vec::new(), None, Vec::new());
        let (mut place_of_columns, mut place_of_pattern, mut place_of_step) = (None, node.span, node.span);
        for field in fields {
            let (value, what) = (&field.value, format!("`{}` of `metrics`", cut(&field.key, 60)));
            match field.key.as_str() {
                "file" | "tensorboard" => {
                    let path = self.plain_text(value, &what)?;
                    if !self.is_below(value, &what, &path) {
                        return None;
                    }
                    let is_file = field.key == "file";
                    sources.push(if is_file {
                        MetricSource::File(path)
                    } else {
                        MetricSource::TensorBoard(path)
                    });
                }
                "stdout" => {
                    let pattern = self.plain_text(value, &what)?;
                    place_of_pattern = value.span;
                    sources.push(MetricSource::Stdout(pattern));
                }
                "columns" => {
                    place_of_columns = Some(field.key_span);
                    columns = self.names(value, &what, "a list such as `[loss, accuracy]`", Self::any_name);
                }
                "step" => {
                    place_of_step = field.key_span;
                    step = self.plain_text(value, &what);
                }
                "goal" => {
                    let words = [("min", Goal::Min), ("max", Goal::Max)];
                    let wanted = "a map such as `{ loss: min }`";
                    for goal in self.map(value, &what, wanted)? {
                        let of = format!("the goal of `{}`", cut(&goal.key, 60));
                        goals.extend(self.word(&goal.value, &of, &words).map(|it| (goal.key.clone(), it)));
                    }
                }
                _ => self.unknown_key(field, "`metrics`", &KEYS, None),
            }
        }
        match (sources.pop(), sources.is_empty()) {
            (Some(MetricSource::Stdout(_)), true) if place_of_columns.is_some() => {
                let span = place_of_columns.unwrap_or(node.span);
                let hint = "name the groups of the pattern, such as `(?<loss>\\S+)`";
                self.error_hint("not_here", span, "`columns` belongs to `file` of `metrics`", hint);
                None
            }
            (Some(MetricSource::TensorBoard(_)), true) if step.is_some() => {
                let hint = "leave it out: events of TensorBoard have their own steps";
                let message = "`step` belongs to `file` and `stdout` of `metrics`";
                self.error_hint("not_here", place_of_step, message, hint);
                None
            }
            (Some(source), true) => {
                let metrics = Metrics { source, columns, step, goals: goals.into_iter().collect() };
                match check_pattern(&metrics) {
                    Ok(()) => Some(metrics),
                    Err((message, hint)) => {
                        let message = format!("`stdout` of `metrics` {message}");
                        self.error_hint("bad_pattern", place_of_pattern, message, hint);
                        None
                    }
                }
            }
            (Some(_), false) => {
                let message = "`metrics` takes one of `file`, `stdout` and `tensorboard`";
                let hint = "write a list: `metrics: [{ file: … }, { stdout: … }]`";
                self.error_hint("wrong_kind", node.span, message, hint);
                None
            }
            (None, _) => {
                let message = "`metrics` needs `file`, `stdout` or `tensorboard`";
                self.error_hint("missing_key", node.span, message, format!("write {wanted}"));
                None
            }
        }
    }

    /// Checks the path of a file below the folder of a command.
    fn is_below(&mut self, node: &Part, what: &str, path: &str) -> bool {
        let shown = cut(path, 60);
        let problem = if path.trim().is_empty() {
            "is empty".to_owned()
        } else if path.starts_with(['/', '~']) {
            format!("is absolute: `{shown}`")
        } else if path.split('/').any(|part| part == "..") {
            format!("climbs out of the folder of the command: `{shown}`")
        } else {
            return true;
        };
        let hint = "write a file below the folder in which the command runs, such as `log.csv`";
        self.error_hint("bad_path", node.span, format!("{what} {problem}"), hint);
        false
    }

    fn any_name(&mut self, node: &Part, what: &str, name: &str) -> bool {
        let empty = name.trim().is_empty();
        if empty {
            self.error("bad_name", node.span, format!("{what} holds an empty name"));
        }
        !empty
    }
}

/// Checks a pattern that finds numbers in lines.
fn check_pattern(metrics: &Metrics) -> Result<(), (String, &'static str)> {
    let MetricSource::Stdout(pattern) = &metrics.source else { return Ok(()) };
    let hint = "write a group with the name of each metric, such as `loss=(?<loss>\\S+)`";
    match regex::Regex::new(pattern) {
        Err(error) => {
            // The last line says what is wrong; those before repeat the pattern.
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Err((format!("is not a regular expression: {reason}"), hint))
        }
        Ok(regex) if regex.capture_names().flatten().all(|name| name == metrics.step_name()) => {
            Err(("has no named group for a metric".to_owned(), hint))
        }
        Ok(_) => Ok(()),
    }
}

//! `retry:`.

use super::reading::Reading;
use super::yaml::Node;
use crate::workflow::Retry;

const KEYS: [&str; 4] = ["times", "backoff", "factor", "max"];

impl Reading<'_> {
    pub(super) fn retry(&mut self, node: &Node) -> Retry {
        let mut retry = Retry::default();
        let Some(entries) = self.map(node, "`retry`", "a map such as `{ times: 3, backoff: 1s }`") else {
            return retry;
        };
        let mut times = None;
        for entry in entries {
            let what = format!("`retry.{}`", entry.key);
            match entry.key.as_str() {
                "times" => {
                    times = Some(());
                    retry.times = self
                        .int(&entry.value, &what, 0, 1000)
                        .and_then(|it| u32::try_from(it).ok())
                        .unwrap_or(0);
                }
                "backoff" => retry.backoff = self.duration(&entry.value, &what).unwrap_or(retry.backoff),
                "max" => retry.max = self.duration(&entry.value, &what).unwrap_or(retry.max),
                "factor" => match self.float(&entry.value, &what) {
                    Some(factor) if (1.0..=100.0).contains(&factor) => retry.factor = factor,
                    Some(factor) => {
                        self.error(
                            "out_of_range",
                            entry.value.span,
                            format!("{what} must be within 1..100, got {factor}"),
                        );
                    }
                    None => {}
                },
                "attempts" | "max_attempts" | "limit" | "count" => {
                    self.unknown_key(
                        entry,
                        "`retry`",
                        &KEYS,
                        Some("write `times:`, the tries after the first"),
                    );
                }
                "delay" | "wait" | "interval" => {
                    self.unknown_key(entry, "`retry`", &KEYS, Some("write `backoff:`"));
                }
                _ => self.unknown_key(entry, "`retry`", &KEYS, None),
            }
        }
        if times.is_none() {
            self.error_hint("bad_retry", node.span, "`retry` does not say how many times", "add `times: 3`");
        }
        retry
    }
}

//! The limits of a sweep, and why it is paused.

use std::fmt;
use std::time::Duration;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spent::MAX_TOKENS;
use crate::time::{human_duration, read_duration};
use crate::value::cut;

/// The limits of a sweep. One that is reached pauses it: its active runs continue, and nothing is lost.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// How many of its runs may fail; the last of them pauses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_failures: Option<u32>,
    /// The cost of its runs, in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// The sum of the times of its runs, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_ms: Option<u64>,
    /// The input and output tokens of its runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
}

/// What the runs of a sweep have used.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Used {
    /// How many have failed.
    pub failures: u32,
    /// In US dollars.
    pub cost_usd: f64,
    /// The sum of their times, in milliseconds.
    pub time_ms: u64,
    /// Input and output tokens.
    pub tokens: u64,
}

impl Used {
    /// Returns what was used since `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            failures: self.failures.saturating_sub(before.failures),
            cost_usd: (self.cost_usd - before.cost_usd).max(0.0),
            time_ms: self.time_ms.saturating_sub(before.time_ms),
            tokens: self.tokens.saturating_sub(before.tokens),
        }
    }
}

/// Why a sweep is paused.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Pause {
    /// A person paused it.
    Person,
    /// As many runs failed as may.
    Failures {
        /// How many failed.
        failures: u32,
        /// The limit.
        limit: u32,
    },
    /// Its budget of money is used up.
    Cost {
        /// What was spent, in US dollars.
        cost_usd: f64,
        /// The limit.
        limit: f64,
    },
    /// Its budget of time is used up.
    Time {
        /// What was used, in milliseconds.
        time_ms: u64,
        /// The limit.
        limit: u64,
    },
    /// Its budget of tokens is used up.
    Tokens {
        /// What was used.
        tokens: u64,
        /// The limit.
        limit: u64,
    },
    /// The runs of its search complete without a value to learn from.
    Unmeasured,
    /// Its search can't propose another run; the log of the daemon says why.
    Stuck,
}

impl Pause {
    /// Returns whether the daemon paused it, because of a limit or of its search.
    #[must_use]
    pub fn is_limit(&self) -> bool {
        *self != Self::Person
    }
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |ms: u64| human_duration(Duration::from_millis(ms));
        match *self {
            Self::Person => f.write_str("a person paused it"),
            Self::Failures { failures: 1, limit: 1 } => f.write_str("1 run failed"),
            Self::Failures { failures, limit } => write!(f, "{failures} of at most {limit} runs failed"),
            Self::Cost { cost_usd, limit } => {
                write!(f, "the runs cost ${cost_usd:.4} of at most ${limit:.4}")
            }
            Self::Time { time_ms, limit } => {
                write!(f, "the runs took {} of at most {}", time(time_ms), time(limit))
            }
            Self::Unmeasured => f.write_str("its runs complete without a value for the search"),
            Self::Stuck => {
                f.write_str("the search can't propose another run; the log of the daemon says why")
            }
            Self::Tokens { tokens, limit } => write!(f, "the runs used {tokens} of at most {limit} tokens"),
        }
    }
}

impl Limits {
    /// Returns whether there are none.
    #[must_use]
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the first limit that is reached.
    #[must_use]
    pub fn reached(&self, used: &Used) -> Option<Pause> {
        let Used { failures, cost_usd, time_ms, tokens } = *used;
        let failures = self
            .max_failures
            .filter(|limit| failures >= *limit)
            .map(|limit| Pause::Failures { failures, limit });
        let cost =
            self.cost_usd.filter(|limit| cost_usd >= *limit).map(|limit| Pause::Cost { cost_usd, limit });
        let time = self.time_ms.filter(|limit| time_ms >= *limit).map(|limit| Pause::Time { time_ms, limit });
        let tokens =
            self.tokens.filter(|limit| tokens >= *limit).map(|limit| Pause::Tokens { tokens, limit });
        failures.or(cost).or(time).or(tokens)
    }

    /// Checks limits that a client sent.
    ///
    /// # Errors
    /// A sentence: one of them is not more than 0.
    pub fn check(&self) -> Result<(), String> {
        let cost = self.cost_usd.is_some_and(|usd| !usd.is_finite() || usd <= 0.0);
        if cost || self.max_failures == Some(0) || self.time_ms == Some(0) || self.tokens == Some(0) {
            return Err("the limits of a sweep must be more than 0".into());
        }
        Ok(())
    }

    /// Adds a budget: `cost=5usd,time=2h,tokens=2M`, or some of these.
    ///
    /// # Errors
    /// A sentence: it can't be read, a unit is missing, or something is given twice.
    pub fn add_budget(&mut self, text: &str) -> Result<(), String> {
        const WRITE: &str = "write `cost=5usd`, `time=2h` or `tokens=2M`";
        for part in text.split(',') {
            let shown = cut(part, 60);
            let (what, amount) =
                part.split_once('=').ok_or_else(|| format!("`{shown}` is not a budget; {WRITE}"))?;
            let (what, amount) = (what.trim(), amount.trim());
            let twice = || format!("the budget of `{what}` is given twice");
            let given = match what {
                "cost" => self.cost_usd.replace(usd(amount)?).is_some(),
                "time" => {
                    let time = read_duration(amount)
                        .map_err(|why| format!("the budget `{shown}`: {why}; {WRITE}"))?;
                    let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
                    self.time_ms.replace(ms).is_some()
                }
                "tokens" => self.tokens.replace(tokens(amount)?).is_some(),
                _ => return Err(format!("there is no budget of `{}`; {WRITE}", cut(what, 60))),
            };
            if given {
                return Err(twice());
            }
        }
        self.check()
    }
}

fn usd(text: &str) -> Result<f64, String> {
    let shown = cut(text, 60);
    let number = text.strip_suffix("usd").or_else(|| text.strip_prefix('$'));
    let number = number.ok_or_else(|| match text.trim().parse::<f64>() {
        Ok(_) => format!("the cost `{shown}` has no unit; write `cost=5usd`"),
        Err(_) => format!("the cost `{shown}` is not in dollars; write `cost=5usd`"),
    })?;
    let usd: Result<f64, _> = number.trim().parse();
    usd.ok()
        .filter(|usd| usd.is_finite())
        .ok_or_else(|| format!("`{shown}` is not a cost; write `cost=5usd`"))
}

fn tokens(text: &str) -> Result<u64, String> {
    let wrong =
        || format!("`{}` is not a number of tokens; write `tokens=500k` or `tokens=2M`", cut(text, 60));
    let (number, factor) = match text.strip_suffix(['k', 'K']) {
        Some(number) => (number, 1e3),
        None => text.strip_suffix('M').map_or((text, 1.0), |number| (number, 1e6)),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    // Rounded, because 4.1 million is not whole as a product of floats; the quotient tells whether it was meant.
    let tokens = (number * factor).round();
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    if (0.0..=MAX_TOKENS as f64).contains(&tokens) && tokens / factor == number {
        Ok(tokens as u64)
    } else {
        Err(wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(text: &str) -> Result<Limits, String> {
        let mut limits = Limits::default();
        limits.add_budget(text).map(|()| limits)
    }

    #[test]
    fn a_budget_has_units() {
        let all = budget("cost=5usd, time=2h,tokens=2M").unwrap();
        let expected = Limits {
            cost_usd: Some(5.0),
            time_ms: Some(7_200_000),
            tokens: Some(2_000_000),
            max_failures: None,
        };
        assert_eq!(all, expected);
        assert_eq!(budget("cost=$0.5").unwrap().cost_usd, Some(0.5));
        for (text, tokens) in [("1.5k", 1500), ("4.1M", 4_100_000), ("16.1k", 16_100), ("2000", 2000)] {
            assert_eq!(budget(&format!("tokens={text}")).unwrap().tokens, Some(tokens));
        }
        assert!(budget("tokens=1.5").is_err() && budget("tokens=1.0005k").is_err());
        for (bad, why) in [
            ("cost=5", "has no unit"),
            ("cost=5eur", "is not in dollars"),
            ("time=2", "has no unit"),
            ("time=2days", "is not a unit of time"),
            ("money=5usd", "there is no budget of `money`"),
            ("5usd", "is not a budget"),
            ("cost=xusd", "is not a cost"),
            ("tokens=2G", "is not a number of tokens"),
            ("tokens=-5", "is not a number of tokens"),
            ("cost=0usd", "must be more than 0"),
            ("cost=NaNusd", "is not a cost"),
            ("time=1h,time=2h", "is given twice"),
            ("", "is not a budget"),
        ] {
            let error = budget(bad).unwrap_err();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }

    #[test]
    fn a_limit_that_is_reached_says_so_in_words() {
        let limits = Limits { max_failures: Some(2), ..budget("cost=5usd,time=1m,tokens=10").unwrap() };
        assert_eq!(limits.reached(&Used::default()), None);
        let reached = |used: Used| limits.reached(&used).unwrap().to_string();
        assert_eq!(reached(Used { failures: 2, ..Used::default() }), "2 of at most 2 runs failed");
        assert_eq!(
            reached(Used { cost_usd: 5.5, ..Used::default() }),
            "the runs cost $5.5000 of at most $5.0000"
        );
        assert_eq!(
            reached(Used { time_ms: 61_000, ..Used::default() }),
            "the runs took 1:01 of at most 1:00"
        );
        assert_eq!(reached(Used { tokens: 10, ..Used::default() }), "the runs used 10 of at most 10 tokens");
    }
}

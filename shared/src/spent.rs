//! The cost of attempts, and the tokens that they used.

use std::fmt;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most tokens that a sum holds: every reader of JSON has integers up to this one.
pub const MAX_TOKENS: u64 = (1 << 53) - 1;

/// Stands for a sum of which nothing is known but that there is one.
const UNKNOWN: &str = "cost not known";

/// The largest cost of one report, in US dollars. It keeps every sum of costs finite.
const MAX_COST_USD: f64 = 1e9;

/// Returns whether a number can be a cost in US dollars.
#[must_use]
pub fn is_cost(usd: f64) -> bool {
    (0.0..=MAX_COST_USD).contains(&usd)
}

/// The cost and the tokens of attempts that have ended. Values that a run takes over from an earlier one add nothing.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Spent {
    /// In US dollars; absent while no cost is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// The input tokens of all models; at most 2^53 - 1.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub input_tokens: u64,
    /// The output tokens of all models; at most 2^53 - 1.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub output_tokens: u64,
    /// Whether some of these tokens have a cost that is not known, so that the cost is only the least that it can be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unpriced: bool,
}

/// Returns whether a count is zero; zeros are not serialised.
fn is_zero(tokens: &u64) -> bool {
    *tokens == 0
}

impl Spent {
    /// Returns whether neither a cost nor tokens are known.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Adds another sum. JSON has no infinite numbers, so the cost stays finite.
    pub fn add(&mut self, other: &Self) {
        if let Some(cost) = other.cost_usd.filter(|usd| usd.is_finite()) {
            self.cost_usd = Some((self.cost_usd.unwrap_or_default() + cost).min(f64::MAX));
        }
        let tokens = |one: u64, two: u64| one.saturating_add(two).min(MAX_TOKENS);
        self.input_tokens = tokens(self.input_tokens, other.input_tokens);
        self.output_tokens = tokens(self.output_tokens, other.output_tokens);
        self.unpriced |= other.unpriced;
    }

    /// Returns the later of two sums of the same attempts: sums only grow.
    #[must_use]
    pub fn later(self, other: Self) -> Self {
        Self {
            cost_usd: match (self.cost_usd, other.cost_usd) {
                (Some(one), Some(two)) => Some(one.max(two)),
                (one, two) => one.or(two),
            },
            input_tokens: self.input_tokens.max(other.input_tokens),
            output_tokens: self.output_tokens.max(other.output_tokens),
            unpriced: self.unpriced || other.unpriced,
        }
    }
}

impl Spent {
    /// Returns its cost in a few columns, or its tokens while no cost is known: `$0.0125`, `1.2k tok`. `$?` if nothing is
    /// known of what was spent; `None` if nothing was.
    #[must_use]
    pub fn brief(&self) -> Option<String> {
        if let Some(usd) = self.cost_usd.filter(|usd| *usd > 0.0) {
            let least = if self.unpriced { "≥" } else { "" };
            return Some(format!("{least}{}", dollars(usd)));
        }
        match self.tokens() {
            0 => self.unpriced.then(|| "$?".to_owned()),
            tokens => Some(format!("{} tok", count(tokens))),
        }
    }

    /// Returns its cost and its tokens on a line: `$0.0125 · 1.2k tokens`. `None` if nothing was spent.
    #[must_use]
    pub fn short(&self) -> Option<String> {
        let cost = self.cost_usd.filter(|usd| *usd > 0.0).map(|usd| self.at_least(dollars(usd)));
        let tokens =
            Some(self.tokens()).filter(|tokens| *tokens > 0).map(|it| format!("{} tokens", count(it)));
        let parts: Vec<String> = cost.into_iter().chain(tokens).collect();
        if parts.is_empty() {
            return self.unpriced.then(|| UNKNOWN.to_owned());
        }
        Some(parts.join(" · "))
    }

    /// Returns an amount with the words that say whether it is all.
    fn at_least(&self, amount: String) -> String {
        if self.unpriced { format!("at least {amount}") } else { amount }
    }

    fn tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }
}

/// Returns an amount with the digits that matter.
fn dollars(usd: f64) -> String {
    if usd < 10.0 { format!("${usd:.4}") } else { format!("${usd:.2}") }
}

/// Returns a count in at most five characters: `950`, `1.2k`, `37k`, `4.1M`.
fn count(tokens: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    let Some((unit, name)) = UNITS.into_iter().find(|(unit, _)| tokens >= *unit) else {
        return tokens.to_string();
    };
    // Cut, not rounded, so that 999,999 is not 1000k.
    match tokens * 10 / unit {
        tenths @ 0..100 => format!("{}.{}{name}", tenths / 10, tenths % 10),
        tenths => format!("{}{name}", tenths / 10),
    }
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cost = self.cost_usd.map(|usd| self.at_least(format!("${usd:.4}")));
        let tokens = (self.input_tokens > 0 || self.output_tokens > 0)
            .then(|| format!("{} tokens in · {} out", self.input_tokens, self.output_tokens));
        let parts: Vec<String> = cost.into_iter().chain(tokens).collect();
        match parts.is_empty() && self.unpriced {
            true => f.write_str(UNKNOWN),
            false => f.write_str(&parts.join(" · ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_amount_of_money_is_a_cost() {
        assert!([0.0, 0.25, 1e9].into_iter().all(is_cost));
        assert!(![-0.01, 1e10, f64::MAX, f64::INFINITY, f64::NAN].into_iter().any(is_cost));
    }

    #[test]
    fn a_sum_is_written_in_words_and_the_later_one_wins() {
        let all = Spent { cost_usd: Some(2.25), input_tokens: 600, output_tokens: 60, unpriced: false };
        assert_eq!(all.to_string(), "$2.2500 · 600 tokens in · 60 out");
        assert_eq!(Spent::default().later(all).later(Spent::default()), all);
    }

    #[test]
    fn a_sum_fits_into_a_few_columns() {
        let of = |cost_usd, input_tokens| Spent { cost_usd, input_tokens, ..Spent::default() };
        let brief = |cost, tokens| of(cost, tokens).brief().unwrap_or_default();
        assert_eq!(brief(Some(0.0125), 1_000), "$0.0125");
        assert_eq!(brief(Some(12.345), 1_000), "$12.35");
        assert_eq!(brief(Some(0.0), 950), "950 tok", "what is free is counted in tokens");
        assert_eq!(brief(None, 1_299), "1.2k tok");
        assert_eq!(brief(None, 999_999), "999k tok");
        assert_eq!(brief(None, 4_100_000), "4.1M tok");
        assert_eq!(brief(None, 0), "");
        assert_eq!(of(Some(0.5), 37_000).short().as_deref(), Some("$0.5000 · 37k tokens"));
        assert_eq!(of(None, MAX_TOKENS).short().as_deref(), Some("9007199G tokens"));
        assert_eq!(of(None, 0).short(), None);
    }

    #[test]
    fn a_sum_with_a_part_that_has_no_price_is_the_least_that_it_can_be() {
        let mut sum = Spent { cost_usd: Some(0.25), input_tokens: 10, ..Spent::default() };
        sum.add(&Spent { input_tokens: 990, unpriced: true, ..Spent::default() });
        assert_eq!(sum.to_string(), "at least $0.2500 · 1000 tokens in · 0 out");
        assert_eq!(sum.short().as_deref(), Some("at least $0.2500 · 1.0k tokens"));
        assert_eq!(sum.brief().as_deref(), Some("≥$0.2500"));
        let no_price = Spent { input_tokens: 990, unpriced: true, ..Spent::default() };
        assert_eq!(no_price.to_string(), "990 tokens in · 0 out", "no cost is shown at all");
        assert!(Spent::default().later(no_price).unpriced);
        let unknown = Spent { unpriced: true, ..Spent::default() };
        assert_eq!(unknown.to_string(), "cost not known");
        assert_eq!(
            (unknown.short().as_deref(), unknown.brief().as_deref()),
            (Some("cost not known"), Some("$?"))
        );
    }

    #[test]
    fn a_sum_can_always_be_sent_as_json() {
        let most = Spent {
            cost_usd: Some(f64::MAX),
            input_tokens: u64::MAX,
            output_tokens: u64::MAX,
            unpriced: false,
        };
        let mut sum = Spent::default();
        for added in [most, most, Spent { cost_usd: Some(f64::NAN), ..most }] {
            sum.add(&added);
        }
        let all = Spent { input_tokens: MAX_TOKENS, output_tokens: MAX_TOKENS, ..most };
        assert_eq!(sum, all);
        assert_eq!(serde_json::from_str::<Spent>(&serde_json::to_string(&sum).unwrap()).unwrap(), all);
    }

    #[test]
    fn a_cost_of_nothing_is_known_and_no_cost_is_not() {
        let mut sum = Spent::default();
        sum.add(&Spent::default());
        assert_eq!((sum.cost_usd, sum.is_nothing()), (None, true));
        sum.add(&Spent { cost_usd: Some(0.0), ..Spent::default() });
        assert_eq!((sum.cost_usd, sum.is_nothing()), (Some(0.0), false));
    }
}

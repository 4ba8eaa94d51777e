//! What requests cost. An unknown price gives no cost: it is never 0.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::reply::Usage;
use crate::config::{Price, ProviderSettings};

type Table = BTreeMap<String, BTreeMap<String, Price>>;

/// Returns what a request cost in US dollars: what the provider said, else by the price of its config, else by the
/// built-in one.
pub(super) fn cost(name: &str, settings: &ProviderSettings, model: &str, usage: &Usage) -> Option<f64> {
    if let Some(cost) = usage.cost_usd {
        return Some(cost);
    }
    if usage.is_empty() || usage.cache_written > 0 {
        return None;
    }
    let built_in = || built_in().get(name)?.get(model).filter(|_| settings.is_original);
    let price = settings.prices.get(model).or_else(built_in)?;
    if price.up_to.is_some_and(|most| usage.input > most) {
        return None;
    }
    let fresh = usage.input.saturating_sub(usage.cached) as f64 * price.input;
    let cached = usage.cached.min(usage.input) as f64 * price.cached_input.unwrap_or(price.input);
    Some((fresh + cached + usage.output as f64 * price.output) / 1e6)
}

/// Returns the prices that are compiled in.
fn built_in() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| read(include_str!("../../assets/model-prices.toml")))
}

/// Reads a table of prices; a line that is not one has no price. A test reads all of the built-in one.
fn read(text: &str) -> Table {
    let number = |value: &toml::Value| value.as_float().or_else(|| value.as_integer().map(|it| it as f64));
    let price = |value: &toml::Value| {
        Some(Price {
            input: number(value.get("input")?)?,
            output: number(value.get("output")?)?,
            cached_input: value.get("cached_input").and_then(number),
            up_to: value.get("up_to").and_then(toml::Value::as_integer).and_then(|it| it.try_into().ok()),
        })
    };
    let all: toml::Table = text.parse().unwrap_or_default();
    let tables = all.into_iter().filter_map(|(name, models)| Some((name, models.as_table()?.clone())));
    let models = |models: toml::Table| {
        models.into_iter().filter_map(|(model, value)| Some((model, price(&value)?))).collect()
    };
    tables.map(|(name, table)| (name, models(table))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(input: u64, output: u64, cached: u64) -> Usage {
        Usage { input, output, cached, ..Usage::default() }
    }

    #[test]
    fn every_built_in_price_is_of_a_known_provider_and_says_where_it_is_from() {
        let all: toml::Table = include_str!("../../assets/model-prices.toml").parse().unwrap();
        assert!(all["date"].as_str().unwrap().starts_with("20") && all["source"].as_str().is_some());
        let tables = all.iter().filter(|(_, value)| value.is_table());
        for (name, models) in tables {
            assert!(ProviderSettings::built_in(name).is_some(), "{name}");
            assert_eq!(built_in()[name].len(), models.as_table().unwrap().len(), "{name}");
        }
        let whole = built_in().values().flat_map(BTreeMap::values);
        assert!(
            whole
                .into_iter()
                .all(|it| it.input > 0.0 && it.cached_input.is_none_or(|cached| cached < it.input))
        );
    }

    #[test]
    fn a_cost_follows_from_the_price_of_the_config_or_the_built_in_one() {
        let mut settings = ProviderSettings::built_in("openai").unwrap();
        let of =
            |settings: &ProviderSettings, model: &str, usage: Usage| cost("openai", settings, model, &usage);
        assert_eq!(of(&settings, "gpt-4o-mini", usage(1_000_000, 1_000_000, 0)), Some(0.75));
        assert_eq!(of(&settings, "gpt-4o-mini", usage(1_000_000, 0, 1_000_000)), Some(0.075));
        let price = Price { input: 2.0, output: 0.0, cached_input: None, up_to: Some(10) };
        settings.prices.insert("gpt-4o-mini".into(), price);
        assert_eq!(of(&settings, "gpt-4o-mini", usage(10, 5, 5)), Some(2e-5));
        assert_eq!(of(&settings, "gpt-4o-mini", usage(11, 5, 0)), None, "another tariff");
        let said = Usage { cost_usd: Some(0.5), ..usage(11, 5, 0) };
        assert_eq!(of(&settings, "gpt-4o-mini", said), Some(0.5));
    }

    #[test]
    fn a_price_that_is_not_known_gives_no_cost() {
        let mut settings = ProviderSettings::built_in("openai").unwrap();
        assert_eq!(cost("openai", &settings, "my-own", &usage(5, 5, 0)), None);
        assert_eq!(
            cost("openai", &settings, "gpt-4o-mini", &Usage::default()),
            None,
            "nobody said how many tokens"
        );
        settings.is_original = false;
        assert_eq!(
            cost("openai", &settings, "gpt-4o-mini", &usage(5, 5, 0)),
            None,
            "another server's prices"
        );
    }
}

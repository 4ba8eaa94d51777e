//! `list.sample`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::MAX_ITEMS;
use crate::node_type::build::Build;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner};
use fanlight_shared::rng::Rng;

pub(super) fn node_type() -> NodeType {
    Build::new("list.sample", "Draws random items, none twice; the same seed draws the same items.")
        .input("items", Type::Any.list(), "The items to draw from.")
        .input("count", Type::Int, "The number of items to draw; all by default, and if there are fewer.")
        .optional()
        .range(0.0, MAX_ITEMS as f64)
        .input("seed", Type::Int, "The seed of the random numbers.")
        .default(1_i64)
        .input(
            "shuffle",
            Type::Bool,
            "Whether to return the items in random order; otherwise they keep the order of the list.",
        )
        .default(false)
        .output("items", Type::Any.list(), "The drawn items.")
        .output("rest", Type::Any.list(), "The other items, in order.")
        .output("indexes", Type::Int.list(), "The positions of the drawn items, from 0.")
        .max_bytes(64 << 20)
        .run(Runner::handles(run))
}

fn run(inputs: Values) -> Result<Values, String> {
    let items = inputs.list("items")?;
    let count = inputs.maybe("count").and_then(Value::as_int);
    let count = count.and_then(|it| usize::try_from(it).ok()).unwrap_or(usize::MAX).min(items.len());
    let mut places: Vec<usize> = (0..items.len()).collect();
    let mut rng = Rng::new(inputs.int("seed")?);
    for place in 0..count {
        places.swap(place, place + rng.below(items.len() - place));
    }
    let (drawn, rest) = places.split_at_mut(count);
    if !inputs.flag("shuffle")? {
        drawn.sort_unstable();
    }
    rest.sort_unstable();
    let of = |places: &[usize]| Value::List(places.iter().map(|place| items[*place].clone()).collect());
    let indexes: Vec<Value> =
        drawn.iter().map(|it| Value::Int(i64::try_from(*it).unwrap_or(i64::MAX))).collect();
    let outputs = [("items", of(drawn)), ("rest", of(rest)), ("indexes", indexes.into())];
    Ok(outputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::node_type::fixture::made;

    fn sample(of: i64, count: Option<i64>, seed: i64, shuffle: bool) -> Vec<i64> {
        let items: Vec<Value> = (0..of).map(Value::Int).collect();
        let mut given =
            vec![("items", items.into()), ("seed", Value::Int(seed)), ("shuffle", shuffle.into())];
        given.extend(count.map(|count| ("count", Value::Int(count))));
        let made = made(&node_type(), &given).unwrap();
        let numbers = |port: &str| {
            made[port].as_list().unwrap().iter().map(|it| it.as_int().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(numbers("items"), numbers("indexes"));
        let mut all = [numbers("items"), numbers("rest")].concat();
        all.sort_unstable();
        assert_eq!(all, (0..of).collect::<Vec<_>>(), "every item is drawn or left");
        numbers("items")
    }

    #[test]
    fn a_seed_always_draws_the_same_items() {
        assert_eq!(sample(100, Some(5), 7, false), sample(100, Some(5), 7, false));
        assert_ne!(sample(100, Some(5), 7, false), sample(100, Some(5), 8, false));
        assert!(sample(100, Some(50), 7, false).is_sorted() && !sample(100, Some(50), 7, true).is_sorted());
        assert_eq!(sample(3, Some(9), 1, false), [0, 1, 2]);
        assert_eq!(
            (
                sample(3, Some(0), 1, false).len(),
                sample(3, None, 1, true).len(),
                sample(0, None, 1, true).len()
            ),
            (0, 3, 0)
        );
    }

    #[test]
    fn every_item_has_the_same_chance() {
        let mut drawn: HashMap<i64, u32> = HashMap::new();
        for seed in 0..4_000 {
            *drawn.entry(sample(4, Some(1), seed, false)[0]).or_default() += 1;
        }
        assert!(drawn.values().all(|times| (900..1_100).contains(times)), "{drawn:?}");
    }

    #[test]
    fn a_seed_draws_the_same_items_in_every_version() {
        assert_eq!(sample(100, Some(5), 7, true), [1, 90, 59, 46, 27]);
        assert_eq!(sample(10, Some(3), -1, true), [9, 2, 5]);
    }
}

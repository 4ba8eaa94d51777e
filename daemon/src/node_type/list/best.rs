//! `list.best`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use crate::node_type::build::Build;
use crate::node_type::typed_inputs::{TypedInputs, check_lengths};
use crate::node_type::{NodeType, Runner};

pub(super) fn node_type() -> NodeType {
    Build::new("list.best", "Picks the item with the best score; the first one of equals.")
        .input("items", Type::Any.list(), "The items to pick from.")
        .input("scores", Type::Float.list(), "The score of each item.")
        .input("order", Type::Choice, "Which score is the best.")
        .default("highest")
        .choices(&["highest", "lowest"])
        .output("item", Type::Any, "The best item.")
        .output("index", Type::Int, "Its position in the list, from 0.")
        .output("score", Type::Float, "Its score.")
        .run(Runner::handles(run))
}

fn run(inputs: Values) -> Result<Values, String> {
    let (items, scores) = (inputs.list("items")?, inputs.list("scores")?);
    check_lengths(("items", items), ("scores", scores))?;
    let lowest = inputs.text("order")? == "lowest";
    let mut best: Option<(usize, f64)> = None;
    for (index, score) in scores.iter().enumerate() {
        // A dropped item leaves a gap in both lists.
        let Some(score) = score.as_float().filter(|it| !it.is_nan()) else { continue };
        let better = best.is_none_or(|(_, top)| if lowest { score < top } else { score > top });
        if better {
            best = Some((index, score));
        }
    }
    let (index, score) = best.ok_or("there is no item with a score to pick from")?;
    Ok(Values::from([
        ("item".to_owned(), items[index].clone()),
        ("index".to_owned(), Value::Int(i64::try_from(index).unwrap_or(i64::MAX))),
        ("score".to_owned(), Value::Float(score)),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(scores: &[f64], order: &str) -> Result<(Value, i64), String> {
        let items: Vec<Value> = ["a", "b", "c"].into_iter().map(Value::from).collect();
        let inputs = Values::from([
            ("items".to_owned(), items.into()),
            ("scores".to_owned(), scores.iter().copied().map(Value::Float).collect::<Vec<_>>().into()),
            ("order".to_owned(), order.into()),
        ]);
        run(inputs).map(|made| (made["item"].clone(), made["index"].as_int().unwrap()))
    }

    #[test]
    fn the_first_of_the_best_wins() {
        assert_eq!(best(&[1.0, 3.0, 3.0], "highest").unwrap(), ("b".into(), 1));
        assert_eq!(best(&[1.0, 3.0, 0.5], "lowest").unwrap(), ("c".into(), 2));
        assert_eq!(best(&[f64::NAN, 0.0, -1.0], "highest").unwrap(), ("b".into(), 1));
    }

    #[test]
    fn an_infinite_score_counts() {
        let scores = [1.0, f64::INFINITY, f64::NEG_INFINITY];
        assert_eq!(best(&scores, "highest").unwrap(), ("b".into(), 1));
        assert_eq!(best(&scores, "lowest").unwrap(), ("c".into(), 2));
    }

    #[test]
    fn lists_must_have_equal_lengths_and_a_score() {
        assert!(best(&[1.0], "highest").unwrap_err().contains("`scores` has 1"));
        assert!(best(&[f64::NAN; 3], "highest").unwrap_err().contains("no item"));
    }
}

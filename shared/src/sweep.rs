//! Expands sweeps: turns values per param into one set of params per run.

mod limits;

use indexmap::IndexMap;

pub use limits::{Limits, Pause, Used};

use crate::value::Value;

/// The ways to combine several swept params.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Combine {
    /// Every value with every other.
    #[default]
    Product,
    /// The first with the first, the second with the second.
    Zip,
}

/// The most runs that a submission may have.
pub const RUN_LIMIT: usize = 100_000;

/// The most characters of the name that a user gives to a sweep.
const NAME_LIMIT: usize = 60;

/// Checks the name that a user gives to a sweep. Names with a `/` are those that Fanlight gives.
///
/// # Errors
/// A sentence that says what is allowed.
pub fn check_name(name: &str) -> Result<(), String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let begins_well = name.starts_with(|first: char| first.is_ascii_alphanumeric());
    if !begins_well || !name.chars().all(fits) || name.len() > NAME_LIMIT {
        return Err(format!(
            "`{}` can't be the name of a sweep: a name has 1 to {NAME_LIMIT} letters, digits, `-`, `_` or `.`, and begins \
             with a letter or a digit",
            crate::value::cut(name, NAME_LIMIT)
        ));
    }
    if name == "last" {
        return Err("`last` can't be the name of a sweep: it stands for the newest one".into());
    }
    Ok(())
}

/// Returns the sets of params of a sweep; the last param varies fastest. Without swept params there is one empty set.
///
/// # Errors
/// The lists of a zip have different lengths, a list is empty, or there are too many runs.
pub fn expand(
    axes: &IndexMap<String, Vec<Value>>,
    combine: Combine,
) -> Result<Vec<IndexMap<String, Value>>, String> {
    if let Some((name, _)) = axes.iter().find(|(_, values)| values.is_empty()) {
        return Err(format!("the sweep over `{name}` has no values"));
    }
    match combine {
        Combine::Zip => {
            let Some((first, values)) = axes.first() else { return Ok(vec![IndexMap::new()]) };
            if let Some((other, more)) = axes.iter().find(|(_, more)| more.len() != values.len()) {
                let (a, b) = (values.len(), more.len());
                return Err(format!(
                    "`--zip` needs lists of equal length: `{first}` has {a}, `{other}` has {b}"
                ));
            }
            limit(values.len())?;
            let set =
                |at: usize| axes.iter().map(|(name, values)| (name.clone(), values[at].clone())).collect();
            Ok((0..values.len()).map(set).collect())
        }
        Combine::Product => {
            limit(
                axes.values()
                    .try_fold(1usize, |all, values| all.checked_mul(values.len()))
                    .unwrap_or(usize::MAX),
            )?;
            let mut sets = vec![IndexMap::new()];
            for (name, values) in axes {
                sets = sets
                    .iter()
                    .flat_map(|set| {
                        values.iter().map(move |value| {
                            let mut set = set.clone();
                            set.insert(name.clone(), value.clone());
                            set
                        })
                    })
                    .collect();
            }
            Ok(sets)
        }
    }
}

fn limit(runs: usize) -> Result<(), String> {
    if runs > RUN_LIMIT {
        return Err(format!("this sweep would make {runs} runs; at most {RUN_LIMIT} are accepted at once"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes(list: &[(&str, i64)]) -> IndexMap<String, Vec<Value>> {
        list.iter().map(|(name, n)| ((*name).to_owned(), (1..=*n).map(Value::Int).collect())).collect()
    }

    #[test]
    fn a_product_varies_the_last_param_fastest() {
        let sets = expand(&axes(&[("a", 2), ("b", 3)]), Combine::Product).unwrap();
        let pairs: Vec<_> =
            sets.iter().map(|set| (set["a"].as_int().unwrap(), set["b"].as_int().unwrap())).collect();
        assert_eq!(pairs, [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]);
    }

    #[test]
    fn names_of_sweeps_are_plain_words() {
        for good in ["lr-scan", "2026.11", "A_b"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in ["", "last", "poster/3", "-x", "a b", "a#1", "ü", &"x".repeat(61)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_zip_requires_equal_lengths() {
        assert_eq!(expand(&axes(&[("a", 2), ("b", 2)]), Combine::Zip).unwrap().len(), 2);
        assert!(expand(&axes(&[("a", 2), ("b", 3)]), Combine::Zip).unwrap_err().contains("`b` has 3"));
    }

    #[test]
    fn no_sweep_is_one_run_and_too_many_runs_are_refused() {
        assert_eq!(expand(&axes(&[]), Combine::Product).unwrap().len(), 1);
        assert!(expand(&axes(&[("a", 1000), ("b", 1000)]), Combine::Product).is_err());
    }
}

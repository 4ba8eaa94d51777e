//! Sweeps: their names, the combinations of params that they run, and their limits.

mod combinations;
mod limits;

pub use combinations::{Combinations, Combine, Matrix, RUN_LIMIT, Sample};
pub use limits::{Limits, Pause, Used};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_sweeps_are_plain_words() {
        for good in ["lr-scan", "2026.11", "A_b"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in ["", "last", "poster/3", "-x", "a b", "a#1", "ü", &"x".repeat(61)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}

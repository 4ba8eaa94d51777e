//! Labels: what tells a run from its siblings, made once, at submit.

use indexmap::IndexMap;

use crate::value::Value;

/// What a label is made from.
#[derive(Debug)]
pub struct Labelled<'a> {
    /// What the workflow's file calls itself.
    pub title: &'a str,
    /// The defaults of its params.
    pub defaults: &'a IndexMap<String, Option<Value>>,
    /// The params of this run, defaults included.
    pub params: &'a IndexMap<String, Value>,
    /// The params that differ between the runs of the submission, in order.
    pub swept: &'a [String],
    /// `(2, 6)` for the second of six repetitions.
    pub repeat: Option<(u32, u32)>,
}

/// Longest text of one value in a label, in characters.
const VALUE_LIMIT: usize = 24;

/// The label: swept params first, then those that differ from their defaults; the title where nothing differs.
#[must_use]
pub fn label(of: &Labelled<'_>) -> String {
    let differs = |name: &String| match of.defaults.get(name) {
        Some(Some(default)) => of.params.get(name) != Some(default),
        _ => true,
    };
    let rest = of.params.keys().filter(|name| !of.swept.contains(name) && differs(name));
    let mut parts: Vec<String> = of
        .swept
        .iter()
        .chain(rest)
        .filter_map(|name| Some(format!("{name}={}", of.params.get(name)?.summary(VALUE_LIMIT))))
        .collect();
    if let Some((nth, all)) = of.repeat {
        parts.push(format!("{nth} of {all}"));
    }
    if parts.is_empty() { of.title.to_owned() } else { parts.join(" · ") }
}

/// The params whose values are not the same in all these sets, in the order in which they first appear.
#[must_use]
pub fn swept(sets: &[IndexMap<String, Value>]) -> Vec<String> {
    let Some(first) = sets.first() else { return Vec::new() };
    let mut names: Vec<&String> = Vec::new();
    for name in sets.iter().flat_map(IndexMap::keys) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
        .into_iter()
        .filter(|name| sets.iter().any(|set| set.get(*name) != first.get(*name)))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(list: &[(&str, Value)]) -> IndexMap<String, Value> {
        list.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    fn of(params: &[(&str, Value)], swept: &[&str], repeat: Option<(u32, u32)>) -> String {
        let defaults = [("place", Value::from("Brighton")), ("seed", Value::Int(1))];
        let defaults = defaults.into_iter().map(|(n, v)| (n.to_owned(), Some(v))).collect();
        let swept: Vec<String> = swept.iter().map(ToString::to_string).collect();
        label(&Labelled {
            title: "Seaside poster",
            defaults: &defaults,
            params: &map(params),
            swept: &swept,
            repeat,
        })
    }

    #[test]
    fn swept_params_come_first() {
        let params = [("place", Value::from("Hove")), ("seed", Value::Int(7))];
        assert_eq!(of(&params, &["seed"], None), "seed=7 · place=Hove");
        assert_eq!(
            of(&[("place", Value::from("Brighton")), ("seed", Value::Int(1))], &["seed"], None),
            "seed=1"
        );
    }

    #[test]
    fn nothing_differs_is_the_title_and_repeats_count() {
        let same = [("place", Value::from("Brighton")), ("seed", Value::Int(1))];
        assert_eq!(of(&same, &[], None), "Seaside poster");
        assert_eq!(of(&same, &[], Some((2, 6))), "2 of 6");
    }

    #[test]
    fn only_what_differs_is_swept() {
        let sets = [
            map(&[("a", Value::Int(1)), ("b", Value::Int(1))]),
            map(&[("a", Value::Int(1)), ("b", Value::Int(2))]),
        ];
        assert_eq!(swept(&sets), ["b"]);
    }
}

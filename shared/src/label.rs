//! Labels, by which people tell runs apart. They are made once, at submission.

use std::collections::HashMap;

use indexmap::IndexMap;

use crate::value::Value;

/// The input of a label.
#[derive(Debug)]
pub struct Labelled<'a> {
    /// The label that the user gave to the whole submission.
    pub own: Option<&'a str>,
    /// The title in the workflow's file.
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

/// The longest text of one value in a label, in characters.
const VALUE_LIMIT: usize = 24;

/// Returns the label: the user's own label and the swept params; without one, the swept params and then those that
/// differ from their defaults; if nothing differs, the title.
#[must_use]
pub fn label(of: &Labelled<'_>) -> String {
    let differs = |name: &String| match of.defaults.get(name) {
        Some(Some(default)) => of.params.get(name) != Some(default),
        _ => true,
    };
    let others =
        of.params.keys().filter(|name| of.own.is_none() && !of.swept.contains(name) && differs(name));
    let values = of.swept.iter().chain(others);
    let values = values.filter_map(|name| Some(format!("{name}={}", short(of.params.get(name)?))));
    let repeat = of.repeat.map(|(nth, all)| format!("{nth} of {all}"));
    let parts: Vec<String> = of.own.map(str::to_owned).into_iter().chain(values).chain(repeat).collect();
    if parts.is_empty() { of.title.to_owned() } else { parts.join(" · ") }
}

/// Numbers equal labels within one submission: `x · 1 of 2`, `x · 2 of 2`.
pub fn number_equal<'a>(labels: impl Iterator<Item = &'a mut String>) {
    let mut seen: HashMap<String, (usize, usize)> = HashMap::new();
    let labels: Vec<&mut String> = labels.collect();
    for label in &labels {
        seen.entry((*label).clone()).or_default().1 += 1;
    }
    for label in labels {
        if let Some((nth, all)) = seen.get_mut(label).filter(|(_, all)| *all > 1) {
            *nth += 1;
            *label = format!("{label} · {nth} of {all}");
        }
    }
}

/// Writes a value as one short line. A long path keeps its end, which is what distinguishes files; a long text keeps
/// both ends.
fn short(value: &Value) -> String {
    let text = match value {
        Value::Text(text) => text.as_str(),
        Value::Media(media) => media.name.as_str(),
        list @ Value::List(_) if !list.has_media() => &list.to_json().to_string(),
        other => return other.summary(VALUE_LIMIT),
    };
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let length = text.chars().count();
    if length <= VALUE_LIMIT {
        return text;
    }
    let is_path = text.contains('/') && !text.contains(' ');
    let head = if is_path { 0 } else { VALUE_LIMIT / 2 };
    let tail: String = text.chars().skip(length - (VALUE_LIMIT - 1 - head)).collect();
    let whole_names = tail.find('/').filter(|_| is_path).unwrap_or(0);
    text.chars().take(head).chain(['…']).chain(tail[whole_names..].chars()).collect()
}

/// Returns the params whose values differ between these sets, in the order in which they first appear.
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
        with_own(None, params, swept, repeat)
    }

    fn with_own(
        own: Option<&str>,
        params: &[(&str, Value)],
        swept: &[&str],
        repeat: Option<(u32, u32)>,
    ) -> String {
        let defaults = [("place", Value::from("Brighton")), ("seed", Value::Int(1))];
        let defaults = defaults.into_iter().map(|(n, v)| (n.to_owned(), Some(v))).collect();
        let swept: Vec<String> = swept.iter().map(ToString::to_string).collect();
        label(&Labelled {
            own,
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
    fn without_differences_the_label_is_the_title_and_repeats_are_counted() {
        let same = [("place", Value::from("Brighton")), ("seed", Value::Int(1))];
        assert_eq!(of(&same, &[], None), "Seaside poster");
        assert_eq!(of(&same, &[], Some((2, 6))), "2 of 6");
    }

    #[test]
    fn a_label_of_the_user_keeps_the_swept_values() {
        let params = [("place", Value::from("Hove")), ("seed", Value::Int(3))];
        assert_eq!(with_own(Some("batch"), &params, &["seed"], None), "batch · seed=3");
        assert_eq!(with_own(Some("batch"), &params, &[], None), "batch");
        assert_eq!(with_own(Some("batch"), &params, &[], Some((1, 2))), "batch · 1 of 2");
    }

    #[test]
    fn long_values_are_distinguished_by_their_ends() {
        let label = |text: &str| of(&[("place", Value::from(text))], &["place"], None);
        let folder = "/home/someone/data/set/of/2026";
        assert_eq!(label(&format!("{folder}/first.png")), "place=…/set/of/2026/first.png");
        assert_ne!(label(&format!("{folder}/first.png")), label(&format!("{folder}/other.png")));
        let prompt = "a lighthouse at dusk in the style of a woodcut, variant";
        assert_eq!(label(&format!("{prompt} 1")), "place=a lighthouse…, variant 1");
        assert_ne!(label(&format!("{prompt} 1")), label(&format!("{prompt} 2")));
        assert_eq!(label("two\nlines"), "place=two lines");
        let list = Value::List((0..20).map(Value::Int).collect());
        assert_eq!(of(&[("place", list)], &["place"], None), "place=[0,1,2,3,4,5…6,17,18,19]");
    }

    #[test]
    fn equal_labels_are_numbered() {
        let mut labels = ["a", "b", "a"].map(str::to_owned);
        number_equal(labels.iter_mut());
        assert_eq!(labels, ["a · 1 of 2", "b", "a · 2 of 2"]);
    }

    #[test]
    fn only_params_that_differ_are_swept() {
        let sets = [
            map(&[("a", Value::Int(1)), ("b", Value::Int(1))]),
            map(&[("a", Value::Int(1)), ("b", Value::Int(2))]),
        ];
        assert_eq!(swept(&sets), ["b"]);
    }
}

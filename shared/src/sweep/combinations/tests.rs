use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

fn axes(list: &[(&str, i64)]) -> IndexMap<String, Vec<Value>> {
    list.iter().map(|(name, n)| ((*name).to_owned(), (1..=*n).map(Value::Int).collect())).collect()
}

fn over(list: &[(&str, i64)]) -> Combinations {
    Combinations { axes: axes(list), ..Combinations::default() }
}

fn set(params: &[(&str, i64)]) -> Values {
    params.iter().map(|(name, value)| ((*name).to_owned(), Value::Int(*value))).collect()
}

/// Returns the sets as text, such as `a=1 b=2`.
fn written(of: &Combinations) -> Vec<String> {
    let sets = of.expand().unwrap();
    assert_eq!(of.count(), Ok(sets.len()));
    let line = |set: &Values| {
        let pairs = set.iter().map(|(name, value)| format!("{name}={}", value.to_text().unwrap()));
        pairs.collect::<Vec<_>>().join(" ")
    };
    sets.iter().map(line).collect()
}

#[test]
fn a_product_varies_the_last_param_fastest() {
    let all = ["a=1 b=1", "a=1 b=2", "a=1 b=3", "a=2 b=1", "a=2 b=2", "a=2 b=3"];
    assert_eq!(written(&over(&[("a", 2), ("b", 3)])), all);
}

#[test]
fn a_zip_requires_equal_lengths() {
    let zip = |list| Combinations { combine: Combine::Zip, ..over(list) };
    assert_eq!(written(&zip(&[("a", 2), ("b", 2)])), ["a=1 b=1", "a=2 b=2"]);
    assert!(zip(&[("a", 2), ("b", 3)]).expand().unwrap_err().contains("`b` has 3"));
}

#[test]
fn no_sweep_is_one_run() {
    assert_eq!(written(&over(&[])), [""]);
    let fixed = Combinations { fixed: set(&[("a", 5)]), ..Combinations::default() };
    assert_eq!(written(&fixed), ["a=5"]);
}

#[test]
fn too_many_runs_are_refused_before_any_of_them_exists() {
    let many = over(&[("a", 1000), ("b", 1000), ("c", 1000)]);
    assert!(many.expand().unwrap_err().contains("1000000000 runs; at most 100000"));
    assert!(many.are_too_many());
    let names: Vec<String> = (0..30).map(|nth| format!("p{nth}")).collect();
    let list: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 1000)).collect();
    assert!(over(&list).expand().unwrap_err().contains("uncountably many runs"));
}

#[test]
fn rows_are_combined_with_the_other_params() {
    let rows = Some(vec![set(&[("a", 1), ("b", 10)]), set(&[("a", 2)])]);
    let product = Combinations { rows, fixed: set(&[("z", 0)]), ..over(&[("c", 2)]) };
    let all = ["z=0 a=1 b=10 c=1", "z=0 a=1 b=10 c=2", "z=0 a=2 c=1", "z=0 a=2 c=2"];
    assert_eq!(written(&product), all);
    let zip = Combinations { combine: Combine::Zip, ..product };
    assert_eq!(written(&zip), ["z=0 a=1 b=10 c=1", "z=0 a=2 c=2"]);
    let uneven = Combinations { axes: axes(&[("c", 3)]), ..zip };
    assert!(uneven.expand().unwrap_err().contains("`the rows` has 2, `c` has 3"));
}

#[test]
fn combinations_are_excluded_by_some_of_their_values_and_included_once() {
    let sweep = over(&[("a", 2), ("b", 2)]);
    let exclude = vec![set(&[("a", 1), ("b", 2)])];
    let include = vec![set(&[("a", 9)]), set(&[("a", 9)]), set(&[("a", 2), ("b", 2)])];
    let of = Combinations { exclude, include, ..sweep.clone() };
    assert_eq!(written(&of), ["a=1 b=1", "a=2 b=1", "a=2 b=2", "a=9"]);
    // What is included explicitly runs, even if it is excluded as a combination.
    let back = Combinations { include: vec![set(&[("a", 1), ("b", 2)])], ..of.clone() };
    assert_eq!(written(&back).last().unwrap(), "a=1 b=2");
    let none = Combinations { exclude: vec![set(&[("a", 1)]), set(&[("a", 2)])], ..sweep };
    assert!(none.expand().unwrap_err().contains("leaves no combination"));
    let alone = Combinations { include: vec![set(&[("a", 3)]), set(&[("a", 4)])], ..Combinations::default() };
    assert_eq!(written(&alone), ["a=3", "a=4"], "without axes there is no combination to add them to");
}

#[test]
fn a_sample_of_very_many_combinations_takes_no_time() {
    let sample = |seed, count| Combinations {
        sample: Some(Sample { count, seed }),
        ..over(&[("a", 1000), ("b", 1000), ("c", 1000)])
    };
    let sets = written(&sample(1, 50));
    assert_eq!(sets.iter().collect::<HashSet<_>>().len(), 50);
    assert_eq!(written(&sample(1, 50)), sets);
    assert_ne!(written(&sample(2, 50)), sets);
    let larger = written(&sample(1, 60));
    assert!(sets.iter().all(|set| larger.contains(set)), "a larger sample has all of a smaller one");
}

#[test]
fn a_sample_that_is_too_large_says_how_many_combinations_there_are() {
    let of = |count| Combinations {
        sample: Some(Sample { count, seed: 1 }),
        exclude: vec![set(&[("a", 2)])],
        ..over(&[("a", 2), ("b", 3)])
    };
    assert_eq!(written(&of(3)), ["a=1 b=1", "a=1 b=2", "a=1 b=3"]);
    assert!(of(4).expand().unwrap_err().contains("more than the 3 combinations"));
    assert!(of(RUN_LIMIT + 1).expand().unwrap_err().contains("too large"));
}

proptest! {
    #[test]
    fn a_sample_has_no_repetitions_and_nothing_that_the_whole_does_not_have(
        (a, b) in (1..6_i64, 1..6_i64), share in 0.0..1.0_f64, seed: i64
    ) {
        let whole = over(&[("a", a), ("b", b)]);
        let all = whole.expand().unwrap();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let count = 1 + (share * (all.len() - 1) as f64) as usize;
        let some = Combinations { sample: Some(Sample { count, seed }), ..whole }.expand().unwrap();
        prop_assert_eq!(some.len(), count);
        let places: Vec<usize> =
            some.iter().map(|set| all.iter().position(|it| it == set).unwrap()).collect();
        prop_assert!(places.is_sorted_by(|a, b| a < b));
    }
}

#[test]
fn an_included_set_with_another_value_of_a_fixed_param_is_added() {
    let of = Combinations {
        fixed: set(&[("a", 1)]),
        include: vec![set(&[("a", 2), ("b", 1)])],
        ..over(&[("b", 2)])
    };
    assert_eq!(written(&of).len(), 3, "{:?}", written(&of));
}

//! Searches: what they propose, what they prune, what they refuse.

use proptest::prelude::*;

use super::*;
use crate::document::{self, read};
use crate::node_type::Catalogue;
use crate::workflow::Workflow;

fn workflow() -> Workflow {
    let text = "params:\n  lr: { type: float, min: 0, default: 0.1 }\n  layers: { type: int, default: 2 }\n  act: \
                { type: choice, choices: [relu, gelu], default: relu }\n  size: { type: int, default: 8 }\nnodes:\n  a: { run: \
                echo }\noutputs: { text: '${{ a.stdout }}' }\n";
    read(text, &Catalogue::default()).unwrap().workflow
}

fn range(name: &str, text: &str) -> Result<Range, String> {
    document::search::range(text, &workflow().params[name])
}

fn search(sampler: Sampler) -> Search {
    let space = [("lr", "log:1e-5..1e-1"), ("layers", "2..8"), ("act", "relu,gelu"), ("size", "log:8..1024")];
    Search {
        space: space.map(|(name, text)| (name.to_owned(), range(name, text).unwrap())).into_iter().collect(),
        objectives: vec![Objective { name: "loss".into(), goal: Goal::Min }],
        trials: Some(60),
        sampler,
        pruner: None,
        seed: 1,
        parallel: None,
    }
}

fn completed(params: Values, values: &[f64]) -> Trial {
    let values = values.iter().map(|value| Number(*value)).collect();
    Trial { params, outcome: Some(Outcome::Completed { values }) }
}

/// Returns a number that is smallest at a learning rate of 0.001 with 5 layers.
fn loss(params: &Values) -> f64 {
    let rate = params["lr"].as_float().unwrap().log10() + 3.0;
    let layers = params["layers"].as_float().unwrap() - 5.0;
    rate * rate + layers * layers / 10.0
}

fn run(search: &Search, trials: u32) -> Vec<Trial> {
    let mut known = Vec::new();
    for number in 0..trials {
        let params = search.propose(number, &known).unwrap();
        let value = loss(&params);
        known.push(completed(params, &[value]));
    }
    known
}

fn best(search: &Search, trials: &[Trial]) -> f64 {
    loss(&trials[search.best(trials)[0]].params)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_proposal_is_outside_of_the_space(
        seed: i64, sampler in 0..4usize, number in 0..56u32, outcomes in prop::collection::vec((0..5u8, any::<f64>()), 0..40)
    ) {
        let search = Search { seed, ..search(Sampler::ALL[sampler].1) };
        let known: Vec<Trial> = outcomes.into_iter().zip(0..).map(|((kind, value), nth)| {
            let params = search.propose(nth, &[]).unwrap();
            let outcome = match kind {
                0 => None,
                1 => Some(Outcome::Failed),
                2 => Some(Outcome::Pruned { step: 4, value: Number(value) }),
                3 => Some(Outcome::Cancelled),
                _ => Some(Outcome::Completed { values: vec![Number(value)] }),
            };
            Trial { params, outcome }
        }).collect();
        let params = search.propose(number, &known).unwrap();
        let whole = document::ranges::check_params(&workflow(), &params).unwrap();
        prop_assert_eq!(params.len(), 4);
        for (name, range) in &search.space {
            prop_assert!(range.coordinate(&whole[name]).is_some(), "{}: {:?}", name, whole[name]);
        }
        prop_assert_eq!(&search.propose(number, &known).unwrap(), &params);
    }

    #[test]
    fn a_value_is_found_again_at_its_coordinate(at in 0.0..=1.0f64) {
        for (name, range) in &search(Sampler::Tpe).space {
            let value = range.value(range.axis().at(at));
            let coordinate = range.coordinate(&value).unwrap();
            prop_assert_eq!(range.value(coordinate), value, "{}", name);
        }
    }

    #[test]
    fn any_range_has_values_within_it(from in -1e9..1e9f64, span in 0.0..1e9f64, at in 0.0..=1.0f64) {
        let range = Range::Float { from, to: from + span, log: false };
        let value = range.value(at).as_float().unwrap();
        prop_assert!((from..=from + span).contains(&value));
    }
}

#[test]
fn tpe_learns_from_its_trials() {
    let (tpe, random) = (search(Sampler::Tpe), search(Sampler::Random));
    let of = |search: &Search| {
        let seeds = (0..9).map(|seed| Search { seed, ..search.clone() });
        let mut all: Vec<f64> = seeds.map(|search| best(&search, &run(&search, 60))).collect();
        all.sort_by(f64::total_cmp);
        all[4]
    };
    let (learnt, chance) = (of(&tpe), of(&random));
    assert!(learnt < chance / 4.0, "{learnt} instead of {chance}");
}

#[test]
fn trials_are_proposed_again_from_the_same_completions() {
    let search = search(Sampler::Tpe);
    let trials = run(&search, 30);
    for number in 0..30 {
        let again = search.propose(u32::try_from(number).unwrap(), &trials[..number]).unwrap();
        assert_eq!(again, trials[number].params);
    }
    let other = Search { seed: 2, ..search };
    assert_ne!(other.propose(0, &[]), Some(trials[0].params.clone()));
}

#[test]
fn open_trials_keep_others_away() {
    let search = search(Sampler::Tpe);
    let mut known = run(&search, 20);
    let first = search.propose(20, &known).unwrap();
    known.extend((0..20).map(|_| Trial { params: first.clone(), outcome: None }));
    let rate = |params: &Values| params["lr"].as_float().unwrap().log10();
    let others: Vec<Values> = (20..30).map(|number| search.propose(number, &known).unwrap()).collect();
    assert!(others.iter().any(|other| (rate(other) - rate(&first)).abs() > 0.2));
}

#[test]
fn a_grid_has_each_point_once_and_then_ends() {
    let mut search = search(Sampler::Grid);
    search.space.retain(|name, _| name == "layers" || name == "act");
    search.trials = None;
    assert_eq!(search.length(), 14);
    let points: Vec<Values> = (0..14).map(|number| search.propose(number, &[]).unwrap()).collect();
    assert!(points.iter().enumerate().all(|(at, point)| !points[..at].contains(point)));
    assert_eq!(search.propose(14, &[]), None);
    search.trials = Some(5);
    let some: Vec<Values> = (0..5).map(|number| search.propose(number, &[]).unwrap()).collect();
    assert!(some.iter().all(|point| points.contains(point)) && some != points[..5]);
}

#[test]
fn the_best_of_several_objectives_are_those_that_nothing_beats() {
    let mut search = search(Sampler::Tpe);
    search.objectives.push(Objective { name: "accuracy".into(), goal: Goal::Max });
    let values = [[1.0, 0.5], [2.0, 0.9], [2.0, 0.8], [0.5, 0.1], [f64::NAN, 1.0]];
    let trials: Vec<Trial> = values.iter().map(|it| completed(Values::new(), it)).collect();
    assert_eq!(search.best(&trials), [0, 1, 3]);
    search.objectives.truncate(1);
    assert_eq!(search.best(&trials), [3]);
}

#[test]
fn runs_with_other_params_are_no_observations() {
    let search = search(Sampler::Tpe);
    let mut known = run(&search, 20);
    let next = search.propose(20, &known);
    let mut outside = known[0].params.clone();
    outside.insert("lr".into(), crate::value::Value::Float(0.5));
    known.push(completed(outside, &[-100.0]));
    known.push(completed(Values::new(), &[-100.0]));
    assert_eq!(search.propose(20, &known), next);
}

#[test]
fn asha_lets_the_best_quarter_continue() {
    let search = Search { pruner: Some("asha:2".parse().unwrap()), ..search(Sampler::Random) };
    let pruner = search.pruner.unwrap();
    let decisions: Vec<_> = [1, 2, 7, 8, 31, 32].map(|step| pruner.decision(step)).to_vec();
    assert_eq!(decisions, [None, Some(2), Some(2), Some(8), Some(8), Some(32)]);
    let report = |trial, value| Report { trial, step: 2, value };
    let before: Vec<Report> = [5.0, 4.0, 6.0, 7.0, 3.0, 8.0, 9.0]
        .into_iter()
        .zip(0..)
        .map(|(value, trial)| report(trial, value))
        .collect();
    assert!(!search.prunes(&[], &report(9, 100.0)));
    assert!(search.prunes(&before[..1], &report(9, 5.5)) && !search.prunes(&before[..1], &report(9, 4.5)));
    // Of eight, two continue.
    assert!(!search.prunes(&before, &report(9, 3.5)) && search.prunes(&before, &report(9, 4.5)));
    assert!(search.prunes(&before, &report(9, f64::NAN)));
}

#[test]
fn the_median_needs_five_others() {
    let mut search = Search { pruner: Some("median".parse().unwrap()), ..search(Sampler::Random) };
    search.objectives[0].goal = Goal::Max;
    let report = |trial: u32, value| Report { trial, step: 3, value };
    let before: Vec<Report> = (0..6).map(|trial| report(trial, f64::from(trial))).collect();
    assert!(!search.prunes(&before[..4], &report(9, -1.0)));
    assert!(search.prunes(&before, &report(9, 2.0)) && !search.prunes(&before, &report(9, 2.5)));
    let pruner = search.pruner.unwrap();
    let decisions: std::collections::BTreeSet<u64> =
        (0..10_000).filter_map(|step| pruner.decision(step)).collect();
    assert!(decisions.len() < 300 && (1..=32).all(|step| decisions.contains(&step)));
    assert!((0..10_000).all(|step| pruner.decision(step).is_none_or(|at| at <= step)));
}

#[test]
fn what_no_search_can_do_is_refused_with_a_sentence() {
    for (name, text, why) in [
        ("lr", "1..0.5", "`1..0.5` is empty"),
        ("lr", "log:0..1", "begins above 0"),
        ("lr", "log:0.1,0.2", "is not a range of numbers"),
        ("lr", "a..b", "`a` in `a..b` is not a number"),
        ("lr", "-1..1", "-1 is less than 0"),
        ("lr", "0..inf", "finite"),
        ("lr", "", "there is no value"),
        ("layers", "1..2.5", "is not a whole number"),
        ("act", "relu,tanh", "tanh"),
    ] {
        let error = range(name, text).unwrap_err();
        assert!(error.contains(why), "{text}: {error}");
    }
    let refused = |change: fn(&mut Search)| {
        let mut search = search(Sampler::Tpe);
        change(&mut search);
        document::search::check(&search, &workflow()).unwrap_err()
    };
    assert_eq!(document::search::check(&search(Sampler::Tpe), &workflow()), Ok(()));
    assert!(refused(|it| it.space.clear()).contains("has no params to choose"));
    assert!(refused(|it| it.objectives.clear()).contains("has no objective"));
    assert!(refused(|it| it.trials = None).contains("has no number of trials"));
    assert!(refused(|it| it.trials = Some(10_001)).contains("at most 10000 trials"));
    assert!(refused(|it| it.parallel = Some(0)).contains("1 at once"));
    assert!(refused(|it| it.objectives.push(it.objectives[0].clone())).contains("twice"));
    assert!(
        refused(|it| drop(it.space.insert("sede".into(), Range::Int { from: 1, to: 2, log: false })))
            .contains("`sede`")
    );
    assert!(
        "median:x".parse::<Pruner>().is_err()
            && "hyperband".parse::<Pruner>().is_err()
            && "cmaes".parse::<Sampler>().is_err()
    );
}

#[test]
fn a_search_is_the_same_after_the_wire() {
    let search = Search { pruner: Some(Pruner::Asha { first: 3 }), ..search(Sampler::Sobol) };
    let text = serde_json::to_string(&search).unwrap();
    assert!(text.contains("\"asha:3\""), "{text}");
    assert_eq!(serde_json::from_str::<Search>(&text).unwrap(), search);
}

#[test]
fn a_file_proposes_a_search() {
    let text = "params: { lr: { type: float }, act: { type: text } }\nsearch:\n  space: { lr: 'log:1e-5..1e-1', act: [relu, gelu] }\n  \
                maximize: accuracy\n  minimize: [loss]\n  trials: 20\n  sampler: sobol\n  seed: 3\n  parallel: 2\nnodes: { a: { run: echo } }\n";
    let search = read(text, &Catalogue::default()).unwrap().workflow.search.unwrap();
    assert_eq!(search.space["lr"], Range::Float { from: 1e-5, to: 1e-1, log: true });
    assert_eq!(search.space["act"], Range::Choice { values: vec!["relu".into(), "gelu".into()] });
    let objectives: Vec<_> = search.objectives.iter().map(|it| (it.name.as_str(), it.goal)).collect();
    assert_eq!(objectives, [("accuracy", Goal::Max), ("loss", Goal::Min)]);
    assert_eq!(
        (search.trials, search.sampler, search.seed, search.parallel),
        (Some(20), Sampler::Sobol, 3, Some(2))
    );
    for (bad, why) in [
        ("space: { rl: 1..2 }", "`search` names `rl`, which is not a param"),
        ("space: { lr: 2..1 }", "the search of `lr`: `2..1` is empty"),
        ("space: { lr: null }", "expected a range"),
        ("sampler: cmaes", "`sampler` of `search`"),
        ("pruner: hyperband", "there is no pruner `hyperband`"),
        ("trials: 0", "`trials` of `search`"),
        ("trails: 3", "trails"),
    ] {
        let text = format!(
            "params: {{ lr: {{ type: float }} }}\nsearch: {{ {bad} }}\nnodes: {{ a: {{ run: echo }} }}\n"
        );
        let problems = read(&text, &Catalogue::default()).unwrap_err();
        assert!(problems[0].message.contains(why), "{bad}: {}", problems[0].message);
    }
}

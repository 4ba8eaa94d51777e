//! What searches find: the median of the best values after 60 trials, over 50 seeds, on standard functions; and how many steps
//! ASHA saves on simulated learning curves. `benches/search_optuna.py` prints the same for Optuna.

#![allow(clippy::print_stdout, clippy::expect_used)]

use std::f64::consts::{E, PI, TAU};

use fanlight_shared::metric::Goal;
use fanlight_shared::search::{Objective, Outcome, Pruner, Range, Report, Sampler, Search, Trial};
use fanlight_shared::value::float::Number;
use fanlight_shared::value::{Value, Values};

const TRIALS: u32 = 60;
const SEEDS: i64 = 50;
const STEPS: u64 = 64;

type Function = fn(&[f64]) -> f64;

fn main() {
    println!("{:<14} {:>9} {:>9} {:>9}", "", "tpe", "sobol", "random");
    let samplers = [Sampler::Tpe, Sampler::Sobol, Sampler::Random];
    for (name, space, function) in functions() {
        let found =
            samplers.map(|sampler| median((0..SEEDS).map(|seed| best(&space, function, sampler, seed))));
        println!("{name:<14} {:>9.4} {:>9.4} {:>9.4}", found[0], found[1], found[2]);
    }
    let asha: Vec<(f64, f64)> = (0..SEEDS).map(curves).collect();
    let (steps, found) = (median(asha.iter().map(|it| it.0)), median(asha.iter().map(|it| it.1)));
    println!("asha: {:.1} % of the steps, best {found:.4}", steps * 100.0);
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    f64::midpoint(values[values.len() / 2], values[(values.len() - 1) / 2])
}

fn search(space: &[Range], sampler: Sampler, seed: i64) -> Search {
    Search {
        space: space.iter().enumerate().map(|(at, range)| (format!("x{at}"), range.clone())).collect(),
        objectives: vec![Objective { name: "loss".into(), goal: Goal::Min }],
        trials: Some(TRIALS),
        sampler,
        pruner: Some(Pruner::Asha { first: 1 }),
        seed,
        parallel: None,
    }
}

fn numbers(params: &Values) -> Vec<f64> {
    params.values().map(|value| value.as_float().unwrap_or_default()).collect()
}

fn best(space: &[Range], function: Function, sampler: Sampler, seed: i64) -> f64 {
    let search = search(space, sampler, seed);
    let (mut known, mut best) = (Vec::new(), f64::INFINITY);
    for number in 0..TRIALS {
        let params = search.propose(number, &known).expect("the search has an end");
        let value = function(&numbers(&params));
        best = best.min(value);
        known.push(Trial { params, outcome: Some(Outcome::Completed { values: vec![Number(value)] }) });
    }
    best
}

/// Trains with ASHA. A curve falls from 1 towards a value that depends on two params. Returns the part of the steps that were
/// made, and the best last value.
fn curves(seed: i64) -> (f64, f64) {
    let space = [float(0.0, 1.0), float(0.0, 1.0)];
    let search = search(&space, Sampler::Random, seed);
    let pruner = search.pruner.expect("the search has a pruner");
    let (mut reports, mut steps, mut best) = (Vec::new(), 0, f64::INFINITY);
    for trial in 0..TRIALS {
        let params = numbers(&search.propose(trial, &[]).expect("the search has an end"));
        let (mut decided, mut pruned, mut loss) = (None, false, 1.0);
        for step in 1..=STEPS {
            steps += 1;
            loss = curve(&params, step);
            let decision = pruner.decision(step).filter(|at| decided.is_none_or(|last| *at > last));
            if let Some(at) = decision {
                decided = Some(at);
                let report = Report { trial, step: at, value: loss };
                pruned = search.prunes(&reports, &report);
                reports.push(report);
            }
            if pruned {
                break;
            }
        }
        best = if pruned { best } else { best.min(loss) };
    }
    (f64::from(steps) / (f64::from(TRIALS) * STEPS as f64), best)
}

fn curve(params: &[f64], step: u64) -> f64 {
    let end = (params[0] - 0.3).powi(2) + (params[1] - 0.7).powi(2);
    end + (1.0 - end) * (-(step as f64) * (0.05 + 0.1 * params[1])).exp()
}

fn float(from: f64, to: f64) -> Range {
    Range::Float { from, to, log: false }
}

fn functions() -> Vec<(&'static str, Vec<Range>, Function)> {
    let act = (0..4).map(Value::Int).collect();
    let mixed = vec![
        Range::Float { from: 1e-5, to: 1e-1, log: true },
        Range::Int { from: 2, to: 16, log: false },
        Range::Choice { values: act },
        float(0.0, 0.8),
    ];
    vec![
        ("sphere, 5", vec![float(-5.0, 5.0); 5], |x| x.iter().map(|x| (x - 1.0).powi(2)).sum()),
        ("rosenbrock, 2", vec![float(-2.0, 2.0); 2], |x| {
            100.0 * (x[1] - x[0] * x[0]).powi(2) + (1.0 - x[0]).powi(2)
        }),
        ("branin, 2", vec![float(-5.0, 10.0), float(0.0, 15.0)], |x| {
            (x[1] - 5.1 / (4.0 * PI * PI) * x[0] * x[0] + 5.0 / PI * x[0] - 6.0).powi(2)
                + 10.0 * (1.0 - 1.0 / (8.0 * PI)) * x[0].cos()
                + 10.0
        }),
        ("hartmann, 6", vec![float(0.0, 1.0); 6], hartmann),
        ("ackley, 4", vec![float(-10.0, 10.0); 4], |x| {
            let mean = |part: fn(f64) -> f64| x.iter().map(|x| part(x - 2.0)).sum::<f64>() / x.len() as f64;
            20.0 + E - 20.0 * (-0.2 * mean(|x| x * x).sqrt()).exp() - mean(|x| (TAU * x).cos()).exp()
        }),
        ("rastrigin, 3", vec![float(-5.12, 5.12); 3], |x| {
            x.iter().map(|x| x - 1.0).map(|x| x * x - 10.0 * (TAU * x).cos() + 10.0).sum()
        }),
        ("mixed, 4", mixed, |x| {
            let (rate, layers, act) = (x[0].log10() + 2.5, x[1] - 9.0, [0.3, 0.0, 0.15, 0.5][x[2] as usize]);
            rate * rate * 0.2
                + (layers / 7.0).powi(2) * 0.5
                + act * (1.0 + rate.abs() * 0.2)
                + (x[3] - 0.3 - 0.02 * layers).powi(2) * 2.0
        }),
    ]
}

fn hartmann(x: &[f64]) -> f64 {
    const A: [[f64; 6]; 4] = [
        [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
        [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
        [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
        [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
    ];
    const P: [[f64; 6]; 4] = [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ];
    let term = |(a, p): (&[f64; 6], &[f64; 6])| {
        let sum: f64 = a.iter().zip(p).zip(x).map(|((a, p), x)| a * (x - p).powi(2)).sum();
        (-sum).exp()
    };
    -A.iter().zip(&P).map(term).zip([1.0, 1.2, 3.0, 3.2]).map(|(term, alpha)| alpha * term).sum::<f64>()
}

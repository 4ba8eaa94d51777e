//! The columns of a table.

use std::collections::{HashMap, HashSet};

use crate::metric::{Goal, SYSTEM};
use crate::sanitise;

/// The columns that every run has.
pub(super) const OF_RUN: [&str; 7] = ["run", "state", "label", "time", "cost", "tokens", "id"];

/// What a column shows, in the order of the columns.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// A property of the run: its name, state, label, its time in seconds, its cost in US dollars, its tokens, its id.
    Run,
    /// A param.
    Param,
    /// An output.
    Output,
    /// The last value of a metric.
    Last,
    /// The best value of a metric.
    Best,
}

impl Kind {
    /// Returns its word, before the name of a column whose short name is not unique.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Param => "param",
            Self::Output => "output",
            Self::Last => "metric",
            Self::Best => "best",
        }
    }
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// What it shows.
    pub kind: Kind,
    /// Its name, sanitised and unique.
    pub name: String,
    /// The direction in which its values get better, if that is known.
    pub goal: Option<Goal>,
    /// The name of the param, output or metric; of a metric with its node.
    full: String,
}

impl Column {
    /// Returns whether it shows the time of runs, in seconds.
    #[must_use]
    pub fn is_time(&self) -> bool {
        self.kind == Kind::Run && self.full == "time"
    }

    /// Returns whether it shows a metric that Fanlight measures itself.
    #[must_use]
    pub fn is_system(&self) -> bool {
        self.metric().is_some_and(|metric| metric.starts_with(SYSTEM))
    }

    /// Returns the name of the metric without its node.
    fn metric(&self) -> Option<&str> {
        let is_metric = matches!(self.kind, Kind::Last | Kind::Best);
        self.full.split_once('.').filter(|_| is_metric).map(|(_, metric)| metric)
    }

    pub(super) fn new(kind: Kind, name: &str) -> Self {
        let full = sanitise::line(name);
        Self { kind, name: full.clone(), goal: None, full }
    }
}

/// Gives columns names: the shortest one that no other column has. `acc`, else `train.acc`, else `metric.train.acc`; the best
/// value of a metric is always `best.acc`.
pub(super) fn name(columns: &mut [Column]) {
    let short = |column: &Column| column.metric().unwrap_or(&column.full).to_owned();
    let candidates: Vec<[String; 3]> = columns
        .iter()
        .map(|column| match column.kind {
            Kind::Best => [format!("best.{}", short(column)), format!("best.{}", column.full), String::new()],
            kind => [short(column), column.full.clone(), format!("{}.{}", kind.word(), column.full)],
        })
        .collect();
    let mut firsts: HashMap<&str, usize> = HashMap::new();
    for candidate in &candidates {
        *firsts.entry(&candidate[0]).or_default() += 1;
    }
    let mut used = HashSet::new();
    for (column, [first, second, third]) in columns.iter_mut().zip(&candidates) {
        let is_free = |name: &str| firsts.get(name).copied().unwrap_or(0) == 0;
        column.name = match column.kind {
            Kind::Run => first.clone(),
            _ if firsts.get(first.as_str()) == Some(&1) => first.clone(),
            Kind::Best => second.clone(),
            Kind::Last if is_free(second) => second.clone(),
            _ => third.clone(),
        };
        // The name of a metric may be anything.
        while !used.insert(column.name.clone()) {
            column.name.push('_');
        }
    }
}

//! Combinations of params: from the values of each param to the params of each run.

use std::collections::HashMap;

use indexmap::IndexMap;

use crate::rng::Rng;
use crate::value::{Value, Values};

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

/// How many combinations may be drawn for a sample: more than it takes, because some are excluded.
const DRAW_LIMIT: usize = 10 * RUN_LIMIT;

/// `matrix:`: the sweep that a file proposes.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Matrix {
    /// The values of each swept param.
    pub axes: IndexMap<String, Vec<Value>>,
    /// Combinations with all the values of one of these are left out.
    pub exclude: Vec<Values>,
    /// Further combinations.
    pub include: Vec<Values>,
}

impl Matrix {
    /// Returns whether it proposes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.axes.is_empty() && self.include.is_empty()
    }
}

/// A random subset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sample {
    /// How many combinations.
    pub count: usize,
    /// Equal seeds choose the same ones.
    pub seed: i64,
}

/// The params of the runs of a sweep. Without anything, it is one run without params.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Combinations {
    /// The params that all runs have.
    pub fixed: Values,
    /// Rows, each with the values of several params. They are combined with the axes, and vary slowest.
    pub rows: Option<Vec<Values>>,
    /// The values of each swept param; the last one varies fastest.
    pub axes: IndexMap<String, Vec<Value>>,
    /// How rows and axes are combined.
    pub combine: Combine,
    /// Combinations with all the values of one of these are left out.
    pub exclude: Vec<Values>,
    /// Further combinations, each once.
    pub include: Vec<Values>,
    /// Only some of all these.
    pub sample: Option<Sample>,
}

impl Combinations {
    /// Returns the params of each run.
    ///
    /// # Errors
    /// The lists of a zip have different lengths, a list is empty, there are too many combinations or, for a sample, too
    /// few, or all are excluded.
    pub fn expand(&self) -> Result<Vec<Values>, String> {
        let space = Space::new(self)?;
        Ok(space.chosen()?.into_iter().map(|at| space.at(at)).collect())
    }

    /// Returns how many runs it has.
    ///
    /// # Errors
    /// Those of [`Combinations::expand`].
    pub fn count(&self) -> Result<usize, String> {
        Ok(Space::new(self)?.chosen()?.len())
    }

    /// Returns whether there are more combinations than a submission may have.
    #[must_use]
    pub fn are_too_many(&self) -> bool {
        Space::new(self).is_ok_and(|space| space.all() > RUN_LIMIT)
    }

    /// Returns whether a param has a value in it.
    #[must_use]
    pub fn has(&self, param: &str) -> bool {
        self.fixed.contains_key(param)
            || self.axes.contains_key(param)
            || self.rows.iter().flatten().any(|row| row.contains_key(param))
    }
}

/// All combinations, none of which exists until it is asked for: rows and axes first, then the included ones.
struct Space<'a> {
    of: &'a Combinations,
    /// How many are combined from rows and axes.
    combined: usize,
    include: Vec<Values>,
}

impl<'a> Space<'a> {
    fn new(of: &'a Combinations) -> Result<Self, String> {
        if let Some((name, _)) = of.axes.iter().find(|(_, values)| values.is_empty()) {
            return Err(format!("the sweep over `{name}` has no values"));
        }
        if of.rows.as_ref().is_some_and(Vec::is_empty) {
            return Err("there are no rows".into());
        }
        let mut space = Self { of, combined: 0, include: Vec::new() };
        space.combined = space.size()?;
        for entry in &of.include {
            let mut set = of.fixed.clone();
            set.extend(entry.clone());
            if !space.include.contains(&set) && !space.combines(&set) {
                space.include.push(set);
            }
        }
        Ok(space)
    }

    /// Returns the lists that are combined, each with a name and its length.
    fn lists(&self) -> impl DoubleEndedIterator<Item = (&'a str, usize)> {
        let rows = self.of.rows.iter().map(|rows| ("the rows", rows.len()));
        rows.chain(self.of.axes.iter().map(|(name, values)| (name.as_str(), values.len())))
    }

    fn size(&self) -> Result<usize, String> {
        let Some((first, length)) = self.lists().next() else {
            // Included combinations stand alone.
            return Ok(usize::from(self.of.include.is_empty()));
        };
        match self.of.combine {
            Combine::Zip => match self.lists().find(|(_, other)| *other != length) {
                Some((other, more)) => Err(format!(
                    "`--zip` needs lists of equal length: `{first}` has {length}, `{other}` has {more}"
                )),
                None => Ok(length),
            },
            // What can't be counted is certainly too much.
            Combine::Product => Ok(self
                .lists()
                .try_fold(1_usize, |all, (_, length)| all.checked_mul(length))
                .unwrap_or(usize::MAX / 2)),
        }
    }

    fn all(&self) -> usize {
        self.combined + self.include.len()
    }

    /// Returns the params at this place.
    fn at(&self, place: usize) -> Values {
        if let Some(included) = place.checked_sub(self.combined) {
            return self.include.get(included).cloned().unwrap_or_default();
        }
        let mut places = Vec::new();
        let mut rest = place;
        for (_, length) in self.lists().rev() {
            match self.of.combine {
                Combine::Zip => places.push(place),
                Combine::Product => {
                    places.push(rest % length);
                    rest /= length;
                }
            }
        }
        let mut set = self.of.fixed.clone();
        if let Some(rows) = &self.of.rows {
            let row = places.pop().and_then(|place| rows.get(place));
            set.extend(row.cloned().unwrap_or_default());
        }
        for ((name, values), place) in self.of.axes.iter().zip(places.into_iter().rev()) {
            set.insert(name.clone(), values[place].clone());
        }
        set
    }

    /// Returns whether this set is one of those that are combined from rows and axes, and is not excluded.
    fn combines(&self, set: &Values) -> bool {
        let row_fits = |row: &Values| contains(set, row);
        let is_known = |name: &String, row: Option<&Values>| {
            self.of.axes.contains_key(name)
                || row.is_some_and(|row| row.contains_key(name))
                || self.of.fixed.get(name) == set.get(name)
        };
        let fits = |row: Option<&Values>| set.keys().all(|name| is_known(name, row));
        let place_fits =
            |place: usize| self.of.axes.iter().all(|(name, values)| set.get(name) == values.get(place));
        let has_values = || {
            let mut axes = self.of.axes.iter();
            axes.all(|(name, values)| set.get(name).is_some_and(|value| values.contains(value)))
        };
        let is_combined = match (&self.of.rows, self.of.combine) {
            _ if self.combined == 0 => false,
            (None, Combine::Product) => fits(None) && has_values(),
            (None, Combine::Zip) => fits(None) && (0..self.combined).any(place_fits),
            (Some(rows), Combine::Product) => {
                has_values() && rows.iter().any(|row| row_fits(row) && fits(Some(row)))
            }
            (Some(rows), Combine::Zip) => rows
                .iter()
                .enumerate()
                .any(|(place, row)| row_fits(row) && fits(Some(row)) && place_fits(place)),
        };
        is_combined && !self.excludes(set)
    }

    fn excludes(&self, set: &Values) -> bool {
        self.of.exclude.iter().any(|entry| contains(set, entry))
    }

    fn is_excluded(&self, place: usize) -> bool {
        place < self.combined && !self.of.exclude.is_empty() && self.excludes(&self.at(place))
    }

    /// Returns the places of the combinations that run.
    fn chosen(&self) -> Result<Vec<usize>, String> {
        let chosen = match self.of.sample {
            Some(sample) => self.draw(sample)?,
            None if self.all() > RUN_LIMIT => {
                let runs = self.all();
                let runs = if runs >= usize::MAX / 2 { "uncountably many".into() } else { runs.to_string() };
                return Err(format!(
                    "this sweep would make {runs} runs; at most {RUN_LIMIT} are accepted at once"
                ));
            }
            None => (0..self.all()).filter(|place| !self.is_excluded(*place)).collect(),
        };
        if chosen.is_empty() {
            return Err("`exclude` leaves no combination".into());
        }
        Ok(chosen)
    }

    /// Draws places without repetition, and returns them in their order.
    fn draw(&self, Sample { count, seed }: Sample) -> Result<Vec<usize>, String> {
        if count > RUN_LIMIT {
            return Err(format!(
                "a sample of {count} is too large; at most {RUN_LIMIT} runs are accepted at once"
            ));
        }
        let all = self.all();
        let mut rng = Rng::new(seed);
        // The list of all places is shuffled from its beginning; only the places that moved are stored.
        let mut moved: HashMap<usize, usize> = HashMap::new();
        let mut drawn = Vec::new();
        for nth in 0..all.min(DRAW_LIMIT) {
            if drawn.len() == count {
                break;
            }
            let pick = nth + rng.below(all - nth);
            let here = moved.remove(&nth).unwrap_or(nth);
            let place = if pick == nth { here } else { moved.insert(pick, here).unwrap_or(pick) };
            if !self.is_excluded(place) {
                drawn.push(place);
            }
        }
        match drawn.len() {
            found if found == count => {
                drawn.sort_unstable();
                Ok(drawn)
            }
            found if all > DRAW_LIMIT => Err(format!(
                "nearly all combinations are excluded: of {DRAW_LIMIT} that were drawn, {found} are left for a sample \
                 of {count}"
            )),
            1 => Err(format!("a sample of {count} is more than the 1 combination that there is")),
            found => Err(format!("a sample of {count} is more than the {found} combinations that there are")),
        }
    }
}

/// Returns whether a set has all values of `part`.
fn contains(set: &Values, part: &Values) -> bool {
    part.iter().all(|(name, value)| set.get(name) == Some(value))
}

#[cfg(test)]
mod tests;

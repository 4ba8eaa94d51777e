//! The page with the metrics of a node: a small curve of each.

use std::time::Duration;

use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::metrics::{Curve, Series};
use fanlight_shared::time::Time;

use super::content::Text;
use crate::text::number;
use crate::ui::braille::{self, Canvas};
use crate::ui::effect::{Effect, MetricsOf};
use crate::ui::message::Measured;
use crate::ui::theme::Theme;

/// Rows of a curve.
const HEIGHT: usize = 5;
/// Columns of the labels before it.
const LABEL_WIDTH: usize = 11;
/// The most columns of a curve.
const MAX_WIDTH: u16 = 100;
/// The least time between two requests for the same curves: the daemon stores points once a second.
const READ_INTERVAL: Duration = Duration::from_secs(1);

/// The metrics of an instance.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Curves {
    of: Option<(Instance, u16)>,
    /// What was read last.
    read: Measured,
    /// Why they could not be read since.
    error: Option<String>,
    /// Whether something was reported since.
    stale: bool,
    waiting: bool,
    asked_at: Time,
}

/// The instance, its attempt, and whether that has ended.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Instance {
    pub(super) run: RunId,
    pub(super) node: String,
    pub(super) item: ItemPath,
    pub(super) attempt: u32,
    pub(super) ended: bool,
}

impl Curves {
    /// Requests the curves of an instance for a page of this many columns, if they are not there or something was reported.
    pub(super) fn follow(&mut self, of: Instance, columns: u16, now: Time) -> Option<Effect> {
        let of = (of, columns.saturating_sub(LABEL_WIDTH as u16 + 1).clamp(4, MAX_WIDTH));
        if self.of.as_ref() != Some(&of) {
            let same = self.of.as_ref().is_some_and(|known| {
                (known.0.run, &known.0.node, known.0.item) == (of.0.run, &of.0.node, of.0.item)
            });
            if !same {
                (self.read, self.error) = (Measured::default(), None);
            }
            (self.of, self.stale, self.waiting, self.asked_at) = (Some(of), true, false, Time(0));
        }
        if !self.stale || self.waiting || now.since(self.asked_at) < READ_INTERVAL {
            return None;
        }
        let (instance, width) = self.of.as_ref()?;
        (self.stale, self.waiting, self.asked_at) = (false, true, now);
        Some(Effect::ReadMetrics(MetricsOf {
            run: instance.run,
            node: instance.node.clone(),
            item: instance.item,
            width: u32::from(*width) * 2,
        }))
    }

    /// Something was reported.
    pub(super) fn grew(&mut self) {
        self.stale = true;
    }

    /// Returns after how many milliseconds it is time for another request, if one is needed.
    pub(super) fn due_in(&self, now: Time) -> Option<u64> {
        let left = READ_INTERVAL.saturating_sub(now.since(self.asked_at));
        (self.stale && !self.waiting).then(|| u64::try_from(left.as_millis()).unwrap_or(0).max(1))
    }

    /// They came.
    pub(super) fn response(&mut self, of: &MetricsOf, read: &Measured) {
        if self.is_of(of) {
            self.waiting = false;
            (self.read, self.error) = (read.clone(), None);
        }
    }

    /// They could not be read.
    pub(super) fn failed(&mut self, of: &MetricsOf, error: &str) {
        if self.is_of(of) {
            self.waiting = false;
            self.error = Some(error.to_owned());
        }
    }

    fn is_of(&self, of: &MetricsOf) -> bool {
        let known = self.of.as_ref();
        known.is_some_and(|(it, _)| (it.run, &it.node, it.item) == (of.run, &of.node, of.item))
    }

    /// Returns why they could not be read.
    pub(super) fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Returns the page.
    pub(super) fn lines(&self, theme: &Theme) -> Vec<Text> {
        let Some((_, columns)) = &self.of else { return Vec::new() };
        if self.read.curves.is_empty() {
            let words = match (&self.error, self.waiting || self.stale) {
                (Some(_), _) => return Vec::new(),
                (None, true) => "the curves are on their way",
                (None, false) => "nothing was stored",
            };
            return vec![(words.to_owned(), theme.dim)];
        }
        let curves = self.read.curves.iter();
        let further =
            self.read.further.then(|| ("further metrics: `fanlight metrics`".to_owned(), theme.dim));
        curves
            .flat_map(|(series, curve)| one(series, curve, usize::from(*columns), theme))
            .chain(further)
            .collect()
    }
}

fn one(series: &Series, curve: &Curve, columns: usize, theme: &Theme) -> Vec<Text> {
    let unit = series.unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
    let mut head = format!("{}  {}{unit}", series.name, number(series.last.value));
    if let Some(best) = series.best() {
        head.push_str(&format!("  best {} at {}", number(best.value), best.step));
    }
    let mut lines = vec![(head, theme.accent)];
    if let Some(range) = braille::range(curve.buckets.iter()) {
        let mut canvas = Canvas::new(columns, HEIGHT);
        #[allow(clippy::cast_precision_loss)]
        canvas.curve(&curve.buckets, (curve.from as f64, curve.to as f64), range);
        for (row, dots) in canvas.rows().enumerate() {
            let label = match row {
                0 => number(range.1),
                row if row + 1 == HEIGHT => number(range.0),
                _ => String::new(),
            };
            lines.push((format!("{label:>LABEL_WIDTH$} {dots}"), theme.text));
        }
    }
    let (from, to) = (curve.from.to_string(), curve.to.to_string());
    let gap = columns.saturating_sub(from.len() + to.len());
    lines.push((format!("{:LABEL_WIDTH$} {from}{:gap$}{to}", "", ""), theme.dim));
    lines.push((String::new(), theme.text));
    lines
}

//! Ticks at round numbers along an axis.

/// Round numbers at equal distances.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Ticks {
    pub(super) values: Vec<f64>,
    step: f64,
}

/// The least range of an axis, as a share of its numbers: floats have hardly any numbers between nearer ones.
const MIN_SHARE: f64 = 1e-13;
/// The least range of an axis at 0.
const MIN_SPAN: f64 = 1e-100;

/// The least number with commas: years have none.
const MIN_GROUPED: f64 = 10_000.0;
/// The most decimals of a number with a unit.
const MAX_UNIT_DECIMALS: usize = 3;

/// Returns the least round distance of which `span` has at most about `count`.
fn round_step(span: f64, count: usize) -> f64 {
    let rough = span / count.max(1) as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let share = rough / power;
    let round = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|it| share <= it * 1.000_001).unwrap_or(10.0);
    // A quarter of 1 or 10 would need a digit more.
    let round = if round == 2.5 && power <= 1.0 { 5.0 } else { round };
    round * power
}

impl Ticks {
    /// Returns about `count` of them over a range, with one at or beyond either end.
    pub(super) fn around(low: f64, high: f64, count: usize) -> Self {
        let (low, high) = widened(low, high);
        let step = round_step(high - low, count);
        let (first, last) = ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil());
        Self::numbered(first, last, step)
    }

    /// Returns about `count` of them within a range.
    pub(super) fn within(low: f64, high: f64, count: usize) -> Self {
        let (low, high) = widened(low, high);
        let step = round_step(high - low, count);
        let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
        Self::numbered(first, last, step)
    }

    fn numbered(first: f64, last: f64, step: f64) -> Self {
        let count = (last - first).clamp(0.0, 1_000.0) as u32;
        // Multiplied, not added up: the tenth of 0.1 is 1.
        let values =
            (0..=count).map(|nth| (first + f64::from(nth)) * step).map(|it| rounded(it, step)).collect();
        Self { values, step }
    }

    pub(super) fn low(&self) -> f64 {
        self.values.first().copied().unwrap_or_default()
    }

    pub(super) fn high(&self) -> f64 {
        self.values.last().copied().unwrap_or_default()
    }

    pub(super) fn labels(&self) -> Vec<String> {
        let most = self.values.iter().fold(0.0_f64, |most, it| most.max(it.abs()));
        self.values.iter().map(|value| label(*value, self.step, most)).collect()
    }
}

/// Returns whether two numbers are so near to each other that they count as one.
pub(super) fn is_single(low: f64, high: f64) -> bool {
    high - low < (low.abs().max(high.abs()) * MIN_SHARE).max(MIN_SPAN)
}

/// Returns a range that is wide enough for ticks.
fn widened(low: f64, high: f64) -> (f64, f64) {
    if !is_single(low, high) {
        return (low, high);
    }
    let around = if low.abs() < MIN_SPAN { 1.0 } else { low.abs() * 0.1 };
    (low - around, high + around)
}

/// Returns the number without the digits that arithmetic added after the last one of the step.
fn rounded(value: f64, step: f64) -> f64 {
    format!("{value:.*}", decimals(step)).parse().unwrap_or(value)
}

/// Returns the number of decimals of a step.
fn decimals(step: f64) -> usize {
    // The step is 1, 2, 2.5 or 5 times a power of ten.
    let whole = (-step.log10() + 1e-9).floor().clamp(0.0, 120.0) as i32;
    (whole..whole + 3)
        .find(|digits| {
            let shifted = step * 10_f64.powi(*digits);
            shifted >= 0.5 && (shifted - shifted.round()).abs() < 1e-6 * shifted
        })
        .unwrap_or(whole + 3) as usize
}

/// Returns a tick as people read it: `1,200`, `3.5M`, `2e-7`. Ticks at different numbers have different labels.
fn label(value: f64, step: f64, most: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let Some((unit, sign)) = unit(most) else {
        let digits = value.abs().log10().floor() - step.log10().floor() + 1.0;
        return exponential(value, digits.clamp(0.0, 20.0) as usize);
    };
    // `1.700001B` is harder to read than the whole number.
    let (unit, sign) = if decimals(step / unit) > MAX_UNIT_DECIMALS { (1.0, "") } else { (unit, sign) };
    let number = format!("{:.*}", decimals(step / unit), value / unit);
    format!("{}{sign}", if most / unit < MIN_GROUPED { signed(&number) } else { grouped(&number) })
}

/// Returns the unit of numbers up to this size; `None` if they are too small or too large for one.
fn unit(size: f64) -> Option<(f64, &'static str)> {
    Some(match size {
        it if !(1e-4..1e15).contains(&it) => return None,
        it if it >= 1e12 => (1e12, "T"),
        it if it >= 1e9 => (1e9, "B"),
        it if it >= 1e6 => (1e6, "M"),
        _ => (1.0, ""),
    })
}

fn exponential(value: f64, digits: usize) -> String {
    signed(&format!("{:e}", format!("{value:.digits$e}").parse::<f64>().unwrap_or(value)))
}

/// Returns a number with a minus sign instead of a hyphen.
fn signed(number: &str) -> String {
    number.strip_prefix('-').map_or_else(|| number.to_owned(), |it| format!("−{it}"))
}

/// Returns a number with the digits before its point in groups of three.
fn grouped(number: &str) -> String {
    let number = signed(number);
    let (sign, digits) = number.strip_prefix('−').map_or(("", number.as_str()), |it| ("−", it));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, it)| (whole, Some(it)));
    let mut out = sign.to_owned();
    for (nth, digit) in whole.chars().enumerate() {
        if nth > 0 && (whole.len() - nth) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + &fraction.map(|it| format!(".{it}")).unwrap_or_default()
}

/// Returns the label of a single number: whole numbers below a million in full, others with three digits.
pub(super) fn short(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        return "0".into();
    }
    let Some((unit, sign)) = unit(size) else { return exponential(value, 3) };
    let group = |number: &str| if size / unit < MIN_GROUPED { signed(number) } else { grouped(number) };
    let scaled = value / unit;
    if unit == 1.0 && scaled.fract() == 0.0 {
        return group(&format!("{scaled:.0}"));
    }
    let digits = (2.0 - scaled.abs().log10().floor()).clamp(0.0, 6.0) as usize;
    let text = format!("{scaled:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{}{sign}", group(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(low: f64, high: f64) -> Vec<String> {
        Ticks::around(low, high, 6).labels()
    }

    #[test]
    fn ticks_are_round_and_enclose_the_data() {
        assert_eq!(around(0.0, 97.0), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(around(0.0, 1.0), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(around(-3.0, 8.0), ["−4", "−2", "0", "2", "4", "6", "8"]);
        assert_eq!(around(0.0, 12_345.0), ["0", "2,500", "5,000", "7,500", "10,000", "12,500"]);
        assert_eq!(around(0.0, 4.2e6), ["0", "1M", "2M", "3M", "4M", "5M"]);
        assert_eq!(around(1.1e6, 1.9e6), ["1.0M", "1.2M", "1.4M", "1.6M", "1.8M", "2.0M"]);
        assert_eq!(around(0.0, 3e-7), ["0", "5e-8", "1e-7", "1.5e-7", "2e-7", "2.5e-7", "3e-7"]);
        assert_eq!(around(0.1, 0.3), ["0.10", "0.15", "0.20", "0.25", "0.30"]);
        assert_eq!(around(1000.0, 5000.0), ["1000", "2000", "3000", "4000", "5000"]);
    }

    #[test]
    fn near_ticks_have_different_labels() {
        for (low, span) in [
            (1.7e9, 500.0),
            (1.7e12, 0.5),
            (1.7e18, 1e9),
            (-1.7e18, 1e9),
            (1.0, 1e-12),
            (1e-7, 1e-15),
            (1e99, 1e88),
            (-2e-60, 3e-60),
        ] {
            let labels = around(low, low + span);
            let mut different = labels.clone();
            different.sort_unstable();
            different.dedup();
            assert!(labels.len() > 2 && different.len() == labels.len(), "{labels:?}");
        }
    }

    #[test]
    fn a_single_number_has_ticks_too() {
        for number in [0.0, 5.0, -2.0, 1e12, 1e-9] {
            let ticks = Ticks::around(number, number, 6);
            assert!(ticks.low() < number && number < ticks.high() && ticks.values.len() > 2, "{ticks:?}");
        }
        assert_eq!(Ticks::within(3.0, 17.0, 5).values, [5.0, 10.0, 15.0]);
    }

    #[test]
    fn numbers_beside_bars_are_short() {
        let shown = [0.0, 3.0, 1234.0, 12_345.4, 12.345, 0.123_456, 2_345_678.0, -7.5].map(short);
        assert_eq!(shown, ["0", "3", "1234", "12,345", "12.3", "0.123", "2.35M", "−7.5"]);
    }
}

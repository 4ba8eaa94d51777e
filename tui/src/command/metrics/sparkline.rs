//! A curve in one line of text.

use fanlight_shared::rpc::metrics::Curve;

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Returns the last values of the buckets as bars, between the smallest and the largest of them. A column without a value,
/// or whose value is not finite, is blank.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn of(curve: &Curve, width: u32) -> String {
    let values = || curve.buckets.iter().map(|bucket| bucket.last).filter(|value| value.is_finite());
    let (Some(min), Some(max)) = (values().reduce(f64::min), values().reduce(f64::max)) else {
        return String::new();
    };
    let mut columns = vec![' '; width as usize];
    let places = (curve.to - curve.from) as f64 + 1.0;
    for bucket in curve.buckets.iter().filter(|bucket| bucket.last.is_finite()) {
        let column = (bucket.x - curve.from as f64) / places * f64::from(width);
        let share = if max > min { (bucket.last / 2.0 - min / 2.0) / (max / 2.0 - min / 2.0) } else { 0.5 };
        let level = (share * LEVELS.len() as f64) as usize;
        if let Some(cell) = columns.get_mut(column as usize) {
            *cell = LEVELS[level.min(LEVELS.len() - 1)];
        }
    }
    columns.into_iter().collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fanlight_shared::id::RunId;
    use fanlight_shared::item::ItemPath;
    use fanlight_shared::rpc::metrics::Bucket;

    fn line(values: &[f64], to: u64) -> String {
        let bucket = |(at, last): (usize, &f64)| Bucket { x: at as f64, last: *last, min: *last, max: *last };
        let buckets = values.iter().enumerate().map(bucket).collect();
        let (run_id, node, item) = (RunId::new(), "a".to_owned(), ItemPath::WHOLE);
        let (attempt, reported, damaged) = (1, values.len() as u64, None);
        of(&Curve { run_id, node, item, from: 0, to, attempt, reported, damaged, buckets }, 8)
    }

    #[test]
    fn a_curve_goes_from_the_lowest_to_the_highest_bar() {
        assert_eq!(line(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 7), "▁▂▃▄▅▆▇█");
        assert_eq!(line(&[1.0, 1.0], 7), "▅▅");
        assert_eq!(line(&[f64::MAX, f64::MIN], 7), "█▁", "no difference overflows");
    }

    #[test]
    fn gaps_are_blank() {
        assert_eq!(line(&[0.0, f64::NAN, f64::INFINITY, 1.0], 7), "▁  █");
        assert_eq!(line(&[f64::NAN], 7), "");
        assert_eq!(line(&[], 7), "");
    }
}

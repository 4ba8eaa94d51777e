use super::*;

#[test]
fn the_points_of_all_metrics_that_wait_for_a_slow_disk_are_bounded_together() {
    let mut state = State::default();
    let rounds = 2 * MAX_WAITING / MAX_NAMES;
    for round in 0..rounds {
        for name in 0..MAX_NAMES {
            let (name, value) = (format!("m{name}"), (round % 10) as f64);
            let measured = Measurement { name, value, unit: None, step: None, at: None, goal: None };
            state.add(measured).unwrap();
        }
        assert!(state.points <= MAX_WAITING);
    }
    let waiting: usize = state.series.values().map(|series| series.points.len()).sum();
    assert_eq!(state.points, waiting);
    let sent = state.take();
    assert_eq!(sent.len(), MAX_NAMES);
    for new in sent {
        assert_eq!((new.before, new.after), (0, rounds as u64), "every report is counted");
        assert_eq!(new.points.last().map(|last| last.step), Some(rounds as u64 - 1));
    }
}

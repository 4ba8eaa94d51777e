//! Metrics: what commands measure, kept as series.

use crate::support::{Fanlight, wait_for};

/// Reports ten points of two metrics; fails at first if it is asked to.
const MEASURES: &str = "params: { flaky: { type: bool, default: false } }
nodes:
  train:
    retry: { times: 1 }
    with: { flaky: \"${{ params.flaky }}\" }
    shell: python
    run: |
      import json, os
      def tell(**event):
          with open(os.environ['FANLIGHT_EVENTS'], 'a') as events:
              events.write(json.dumps({'type': 'metric', **event}) + '\\n')
      first = not os.path.exists(os.environ['FANLIGHT_PROJECT'] + '/tried')
      open(os.environ['FANLIGHT_PROJECT'] + '/tried', 'w').close()
      if first and os.environ['flaky'] == 'true':
          for step in range(50):
              tell(name='loss', value=9, step=step)
          tell(name='only_once', value=1)
          raise SystemExit(1)
      for step in range(10):
          tell(name='loss', value=float('nan') if step == 4 else 10 - step, step=step * 100, goal='min')
          tell(name='accuracy', value=step / 10, unit='%')
";

fn points(fanlight: &Fanlight, run: &str, name: &str) -> Vec<(u64, serde_json::Value)> {
    let points = fanlight.say(&["metrics", run, "--name", name, "--json"]).exits(0).json();
    points.into_iter().map(|it| (it["step"].as_u64().unwrap(), it["value"].clone())).collect()
}

#[test]
fn every_point_of_a_metric_is_kept_and_shown() {
    let fanlight = Fanlight::new();
    fanlight.file("measures.yaml", MEASURES);
    fanlight.say(&["run", "measures.yaml"]).exits(0);
    let shown = fanlight.say(&["metrics", "last"]).exits(0).out;
    let loss = shown.lines().find(|line| line.contains("train.loss")).unwrap();
    for part in ["measures#1", "  1  ", "1 at 900", "  10  ", "█"] {
        assert!(loss.contains(part), "no `{part}` in {loss}");
    }
    assert!(shown.contains("0.9 %"), "{shown}");
    let loss = points(&fanlight, "measures#1", "loss");
    assert_eq!(loss.len(), 10);
    assert_eq!((loss[4].0, loss[4].1.as_str()), (400, Some("NaN")));
    assert_eq!((loss[9].0, loss[9].1.as_f64()), (900, Some(1.0)));
    assert_eq!(points(&fanlight, "last", "accuracy").len(), 10, "steps are counted where none is given");
    let csv = fanlight.say(&["metrics", "last", "--name", "loss", "--csv"]).exits(0).out;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!((lines.len(), lines[0]), (11, "run,node,item,name,step,time,value"));
    assert!(
        lines[5].starts_with("measures#1,train,,loss,400,") && lines[5].ends_with(",NaN"),
        "{}",
        lines[5]
    );
    fanlight
        .say(&["metrics", "last", "--name", "nothing"])
        .exits(0)
        .complains("reported no metric `nothing`");
    fanlight.say(&["delete", "last", "--yes"]).exits(0);
    fanlight.say(&["metrics", "measures#1"]).exits(1);
    fanlight.say(&["doctor", "--deep"]).exits(0);
}

#[test]
fn a_retry_starts_the_series_of_its_node_again() {
    let fanlight = Fanlight::new();
    fanlight.file("measures.yaml", MEASURES);
    fanlight.say(&["run", "measures.yaml", "-p", "flaky=true"]).exits(0);
    assert_eq!(points(&fanlight, "last", "loss").len(), 10);
    let shown = fanlight.say(&["metrics", "last"]).exits(0).out;
    assert!(!shown.contains("only_once"), "{shown}");
}

/// Reports points until `go` exists beside it, and then some more.
const LONG: &str = "nodes:
  train:
    dir: .
    shell: python
    run: |
      import json, os, time
      def tell(step):
          with open(os.environ['FANLIGHT_EVENTS'], 'a') as events:
              events.write(json.dumps({'type': 'metric', 'name': 'loss', 'value': step, 'step': step}) + '\\n')
      for step in range(3000):
          tell(step)
      open('half', 'w').close()
      while not os.path.exists('go'):
          time.sleep(0.05)
      for step in range(3000, 6000):
          tell(step)
";

#[test]
fn a_daemon_that_is_killed_neither_loses_nor_doubles_points() {
    let fanlight = Fanlight::new();
    fanlight.file("long.yaml", LONG);
    fanlight.say(&["run", "long.yaml", "--detach"]).exits(0);
    wait_for("the first half", || fanlight.path("half").exists());
    wait_for("stored points", || points(&fanlight, "last", "loss").len() >= 1000);
    fanlight.kill_daemon();
    std::fs::write(fanlight.path("go"), "").unwrap();
    fanlight.say(&["watch", "last"]).exits(0);
    let found = points(&fanlight, "last", "loss");
    let steps: Vec<u64> = found.iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, (0..6000).collect::<Vec<_>>());
}

#[test]
fn steps_that_go_back_replace_points_and_the_user_is_told() {
    let fanlight = Fanlight::new();
    let epochs = "nodes:
  train:
    run: |
      for epoch in 1 2 3; do for step in 0 1 2; do
        echo '{\"type\":\"metric\",\"name\":\"loss\",\"value\":'$epoch',\"step\":'$step'}' >> \"$FANLIGHT_EVENTS\"
      done; done
      echo '{\"type\":\"metric\",\"name\":\"loss\",\"value\":1,\"step\":1.5}' >> \"$FANLIGHT_EVENTS\"
";
    fanlight.file("epochs.yaml", epochs);
    fanlight.say(&["run", "epochs.yaml"]).exits(0);
    fanlight.say(&["metrics", "last"]).exits(0).complains("6 points were replaced");
    let kept = points(&fanlight, "last", "loss");
    assert_eq!(
        kept.iter().map(|(step, value)| (*step, value.as_f64().unwrap())).collect::<Vec<_>>(),
        [(0, 3.0), (1, 3.0), (2, 3.0)]
    );
    let log = fanlight.say(&["logs", "last"]).exits(0);
    assert!(format!("{}{}", log.out, log.err).contains("1.5 is not a whole number"), "{}", log.out);
}

#[test]
fn metrics_are_read_from_a_file_and_from_the_output_without_changing_the_program() {
    let fanlight = Fanlight::new();
    let logged = "nodes:
  train:
    run: |
      echo step,loss,phase > log.csv
      for step in 1 2 3; do
        echo $step,0.$((9 - step)),train >> log.csv
        echo epoch $step: rate=0.0$step
      done
    metrics:
      - { file: log.csv, columns: [loss, accuracy], goal: { loss: min } }
      - { stdout: 'epoch (?<step>\\d+): rate=(?<rate>\\S+)' }
";
    fanlight.file("logged.yaml", logged);
    fanlight.say(&["run", "logged.yaml"]).exits(0);
    let steps = |name: &str| {
        let points = points(&fanlight, "last", name).into_iter();
        points.map(|(step, value)| (step, value.as_f64().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(steps("loss"), [(1, 0.8), (2, 0.7), (3, 0.6)]);
    assert_eq!(steps("rate"), [(1, 0.01), (2, 0.02), (3, 0.03)]);
    assert!(fanlight.say(&["metrics", "last"]).exits(0).out.contains("0.6 at 3"));
    let log = fanlight.say(&["logs", "last"]).exits(0);
    let log = format!("{}{}", log.out, log.err);
    assert!(log.contains("`log.csv`: there is no column `accuracy`; it has step, loss, phase"), "{log}");
}

#[test]
fn scalars_are_read_from_the_event_files_of_tensorboard() {
    const EVENTS: &[u8] =
        include_bytes!("../../../daemon/src/command/metrics/tensorboard/fixtures/tensorboardx.tfevents");
    let fanlight = Fanlight::new();
    let logged = "nodes:
  train:
    run: |
      mkdir -p runs/Nov28_21-05-09_box
      cat \"$FANLIGHT_PROJECT/events\" > runs/Nov28_21-05-09_box/events.out.tfevents.1.box
    metrics: { tensorboard: runs, goal: { train/loss: min } }
";
    fanlight.file("logged.yaml", logged);
    std::fs::write(fanlight.path("events"), EVENTS).unwrap();
    fanlight.say(&["run", "logged.yaml"]).exits(0);
    let loss = points(&fanlight, "last", "train/loss");
    assert_eq!((loss.len(), loss[4].0, loss[4].1.as_f64()), (6, 40, Some(0.2f32.into())));
    assert!(fanlight.say(&["metrics", "last"]).exits(0).out.contains("at 40"));
    fanlight.file("stepped.yaml", &logged.replace("goal:", "step: epoch, goal:"));
    fanlight.say(&["run", "stepped.yaml"]).exits(2).complains("`step` belongs to `file` and `stdout`");
}

#[test]
#[cfg(target_os = "linux")]
fn what_a_command_uses_is_measured_while_it_runs() {
    let fanlight = Fanlight::new();
    fanlight.file("busy.yaml", "nodes:\n  work:\n    dir: .\n    run: while [ ! -e go ]; do true; done\n");
    fanlight.say(&["run", "busy.yaml", "--detach"]).exits(0);
    let cpu = || points(&fanlight, "last", "system/cpu");
    wait_for("two samples", || cpu().len() >= 2);
    fanlight.file("go", "");
    fanlight.say(&["watch", "last"]).exits(0);
    assert!(cpu().iter().any(|(_, percent)| percent.as_f64().unwrap() > 1.0), "{:?}", cpu());
    assert!(points(&fanlight, "last", "system/memory")[0].1.as_f64().unwrap() > 0.1);
}

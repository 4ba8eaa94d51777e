use std::io::Write as _;

use fanlight_shared::id::AttemptId;
use fanlight_shared::metric::Goal;
use indexmap::IndexMap;

use super::*;

/// A command with one source of metrics.
struct Fixture {
    _temp: tempfile::TempDir,
    folder: Folder,
    source: Source,
    found: Vec<(String, Option<u64>, f64)>,
}

fn of(source: MetricSource) -> Metrics {
    Metrics { source, columns: Vec::new(), step: None, goals: IndexMap::from([("loss".into(), Goal::Min)]) }
}

fn file() -> Metrics {
    of(MetricSource::File("log.csv".into()))
}

fn stdout(pattern: &str) -> Metrics {
    of(MetricSource::Stdout(pattern.into()))
}

fn fixture(of: &Metrics) -> Fixture {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::of(temp.path(), AttemptId::new());
    folder.make().unwrap();
    Fixture { _temp: temp, folder, source: Source::new(of), found: Vec::new() }
}

impl Fixture {
    /// Appends text to the source, and reads what is new.
    fn append(&mut self, text: &str) {
        let path = match &self.source.of.source {
            MetricSource::File(path) => self.folder.work().join(path),
            MetricSource::Stdout(_) | MetricSource::TensorBoard(_) => self.folder.path().join("stdout"),
        };
        let mut file = fs::File::options().append(true).create(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        self.read();
    }

    fn read(&mut self) {
        let found = &mut self.found;
        self.source.read(&self.folder, None, &mut |event| take(found, event));
    }

    /// Ends the command. Returns what the log of the node says.
    fn finish(&mut self) -> Vec<String> {
        self.read();
        let found = &mut self.found;
        self.source.finish(&mut |event| take(found, event))
    }

    fn names(&self) -> Vec<&str> {
        self.found.iter().map(|(name, ..)| name.as_str()).collect()
    }
}

fn take(found: &mut Vec<(String, Option<u64>, f64)>, event: CommandEvent) {
    let CommandEvent::Metric { name, value, step, goal, .. } = event else { panic!("{event:?}") };
    assert_eq!(goal, (name == "loss").then_some(Goal::Min));
    found.push((name, step, value));
}

#[test]
fn the_columns_of_a_csv_file_are_metrics_as_it_grows() {
    let mut at = fixture(&file());
    at.read();
    at.append("step,loss,phase,\"a \"\"b\"\"\"\n0,0.5,train,1\n10,0.");
    assert_eq!(at.found.len(), 2);
    at.append("25,train,\n20,nan,test,3");
    assert_eq!(at.finish(), [""; 0]);
    let loss: Vec<_> = at.found.iter().filter(|(name, ..)| name == "loss").collect();
    assert_eq!((loss[0].1, loss[0].2, loss[1].1, loss[1].2), (Some(0), 0.5, Some(10), 0.25));
    assert!(loss[2].2.is_nan());
    assert!(!at.names().contains(&"phase"), "it holds words");
    assert_eq!(at.found.last().unwrap(), &("a \"b\"".to_owned(), Some(20), 3.0));
}

#[test]
fn wanted_columns_that_are_missing_or_hold_no_numbers_are_named() {
    let mut at = fixture(&Metrics {
        columns: vec!["loss".into(), "acc".into()],
        step: Some("epoch".into()),
        ..file()
    });
    at.append("epoch,loss,lr\n1,0.5,0.1\nx,oops,0.1\n");
    let said = at.finish();
    assert_eq!(
        said,
        [
            "metrics: `log.csv`: there is no column `acc`; it has epoch, loss, lr",
            "metrics: `log.csv`: line 3: `x` in the column `epoch` is not a step, a whole number from 0 on",
            "metrics: `log.csv`: line 3: `oops` in the column `loss` is not a number",
        ]
    );
    assert_eq!(at.found, [("loss".to_owned(), Some(1), 0.5)]);
}

#[test]
fn many_bad_cells_are_counted() {
    let mut at = fixture(&Metrics { columns: vec!["loss".into()], ..file() });
    at.append("loss\n1\n");
    (0..20).for_each(|_| at.append("bad\n"));
    let said = at.finish();
    assert_eq!((said.len(), said[5].as_str()), (6, "metrics: `log.csv` has 20 such problems in all"));
}

#[test]
fn the_file_of_an_earlier_attempt_is_not_read() {
    let mut at = fixture(&file());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.csv");
    fs::write(&path, "loss\n9\n").unwrap();
    let earlier = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    File::options().write(true).open(&path).unwrap().set_modified(earlier).unwrap();
    let read = |at: &mut Fixture| {
        let found = &mut at.found;
        at.source.read(&at.folder, Some(&dir.path().to_owned()), &mut |event| take(found, event));
    };
    read(&mut at);
    assert_eq!(at.found, []);
    fs::write(&path, "loss\n1\n").unwrap();
    read(&mut at);
    assert_eq!(at.found, [("loss".to_owned(), Some(0), 1.0)]);
}

#[test]
fn a_file_that_is_replaced_is_read_from_its_header_and_its_rows_have_the_same_steps() {
    let mut at = fixture(&Metrics { step: Some("epoch".into()), ..file() });
    at.append("loss\n3\n2\n");
    let path = at.folder.work().join("log.csv");
    let new = at.folder.work().join("new.csv");
    fs::write(&new, "acc,loss\n0.1,3\n0.2,2\n0.3,1\n").unwrap();
    fs::rename(&new, &path).unwrap();
    at.read();
    let loss = |at: &Fixture| -> Vec<_> {
        at.found
            .iter()
            .filter(|(name, ..)| name == "loss")
            .map(|(_, step, value)| (step.unwrap(), *value))
            .collect()
    };
    assert_eq!(loss(&at), [(0, 3.0), (1, 2.0), (0, 3.0), (1, 2.0), (2, 1.0)]);

    at.found.clear();
    File::create(&path).unwrap();
    at.read();
    at.append("loss\n3\n");
    assert_eq!(loss(&at), [(0, 3.0)]);
    assert_eq!(at.finish(), ["metrics: `log.csv`: there is no column `epoch`; it has loss"]);
}

#[test]
fn json_lines_are_read_with_nested_fields() {
    let mut at = fixture(&of(MetricSource::File("log.jsonl".into())));
    at.append(
        "{\"step\": 3, \"loss\": NaN, \"train\": {\"acc\": 0.5}, \"tag\": \"a\"}\n[1]\n{\"loss\": 1}\n",
    );
    assert_eq!(at.finish(), ["metrics: `log.jsonl`: line 2: it is not a JSON object"]);
    assert_eq!(at.names(), ["loss", "train.acc", "loss"]);
    assert_eq!((at.found[1].1, at.found[2].1), (Some(3), None));
}

#[test]
fn named_groups_find_numbers_in_lines_of_output() {
    let mut at = fixture(&stdout(r"(?:step (?<step>\d+) )?loss=(?<loss>\S+)(?: acc=(?<acc>\S+))?"));
    at.append("hello\nstep 5 loss=0.5, acc=80%\r");
    at.append("step 6 loss=0.25, \rloss=inf\nloss=much\n");
    assert_eq!(at.finish(), ["metrics: stdout: `much` of the group `loss` is not a number"]);
    assert_eq!(at.names(), ["loss", "acc", "loss", "loss"]);
    assert_eq!((at.found[1].1, at.found[1].2, at.found[3].1), (Some(5), 80.0, None));
}

#[test]
fn a_source_without_any_number_says_so() {
    assert_eq!(
        fixture(&file()).finish(),
        ["metrics: `log.csv` did not appear, is empty, or was not written by this attempt"]
    );
    let mut words = fixture(&file());
    words.append("phase\ntrain\n");
    assert_eq!(words.finish(), ["metrics: `log.csv` has no numbers"]);
    let mut silent = fixture(&stdout("loss=(?<loss>.*)"));
    silent.append("hello\n");
    assert_eq!(silent.finish(), ["metrics: stdout has no line that matches the pattern"]);
}

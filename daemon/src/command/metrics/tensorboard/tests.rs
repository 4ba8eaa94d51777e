use std::fs;
use std::io::Write as _;

use fanlight_shared::id::AttemptId;
use fanlight_shared::metric::Goal;
use fanlight_shared::workflow::MetricSource;
use indexmap::IndexMap;

use super::super::Source;
use super::*;

/// As tensorboardX 2.6 wrote it: five losses, one that is not a number, a text and a histogram.
const TENSORBOARDX: &[u8] = include_bytes!("fixtures/tensorboardx.tfevents");
/// As TensorBoard 2.20 wrote it, with scalars as tensors.
const TENSORBOARD: &[u8] = include_bytes!("fixtures/tensorboard.tfevents");

/// A command that writes event files into `runs`.
struct Fixture {
    _temp: tempfile::TempDir,
    folder: Folder,
    source: Source,
    found: Vec<(String, Option<u64>, f64)>,
}

fn fixture(columns: &[&str]) -> Fixture {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::of(temp.path(), AttemptId::new());
    folder.make().unwrap();
    let metrics = Metrics {
        source: MetricSource::TensorBoard("runs".into()),
        columns: columns.iter().map(|it| (*it).to_owned()).collect(),
        step: None,
        goals: IndexMap::from([("loss".into(), Goal::Min)]),
    };
    Fixture { _temp: temp, folder, source: Source::new(&metrics), found: Vec::new() }
}

impl Fixture {
    /// Appends bytes to an event file, and reads what is new.
    fn append(&mut self, name: &str, bytes: &[u8]) {
        let path = self.folder.work().join("runs").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = File::options().append(true).create(true).open(path).unwrap();
        file.write_all(bytes).unwrap();
        self.read();
    }

    fn read(&mut self) {
        let found = &mut self.found;
        self.source.read(&self.folder, None, &mut |event| take(found, event));
    }

    fn finish(&mut self) -> Vec<String> {
        self.read();
        let found = &mut self.found;
        self.source.finish(&mut |event| take(found, event))
    }
}

fn take(found: &mut Vec<(String, Option<u64>, f64)>, event: CommandEvent) {
    let CommandEvent::Metric { name, value, step, time, .. } = event else { panic!("{event:?}") };
    assert!(time.is_some_and(|time| time >= 1.7e9));
    found.push((name, step, value));
}

/// Returns a record with a scalar.
fn scalar(tag: &str, step: u8, value: f32) -> Vec<u8> {
    let message =
        |number: u8, data: &[u8]| [&[number << 3 | 2, u8::try_from(data.len()).unwrap()], data].concat();
    let value = [&message(1, tag.as_bytes())[..], &[0x15], &value.to_le_bytes()].concat();
    let time = 1.7e9f64.to_le_bytes();
    records::framed(&[&[0x09][..], &time, &[0x10, step], &message(5, &message(1, &value))].concat())
}

#[test]
fn files_that_tensorboardx_and_tensorboard_wrote_are_read() {
    let mut at = fixture(&[]);
    at.append("events.out.tfevents.1.host", TENSORBOARDX);
    at.append("eval/events.out.tfevents.2.host", TENSORBOARD);
    assert_eq!(at.finish(), [""; 0]);
    let losses: Vec<_> = at.found.iter().filter(|(name, ..)| name == "train/loss").collect();
    assert_eq!(losses.len(), 6);
    assert_eq!((losses[1].1, losses[1].2), (Some(10), 0.5));
    assert!(losses[5].2.is_nan());
    let epochs: Vec<_> = at.found.iter().filter(|(name, ..)| name == "eval/epoch_loss").collect();
    assert_eq!(
        epochs.iter().map(|it| (it.1, it.2)).take(2).collect::<Vec<_>>(),
        [(Some(0), 0.5), (Some(1), 0.25)]
    );
    assert_eq!(at.found.len(), 9, "{:?}", at.found);
}

#[test]
fn a_file_is_followed_byte_by_byte() {
    let mut at = fixture(&[]);
    for byte in TENSORBOARD {
        at.append("events.out.tfevents.1.host", &[*byte]);
    }
    assert_eq!((at.found.len(), at.finish()), (3, Vec::new()));
}

#[test]
fn damage_is_named_and_never_read_as_a_number() {
    let mut at = fixture(&[]);
    let mut wrong = scalar("loss", 1, 9.0);
    let last = wrong.len() - 5;
    wrong[last] ^= 1;
    at.append("a.tfevents.1", &[scalar("loss", 0, 1.0), wrong, scalar("loss", 2, 3.0)].concat());
    let mut lost = scalar("loss", 4, 9.0);
    lost[0] ^= 1;
    at.append("a.tfevents.1", &[scalar("loss", 3, 4.0), lost, scalar("loss", 5, 6.0)].concat());
    let cut = scalar("loss", 6, 7.0);
    at.append("b.tfevents.2", &cut[..cut.len() - 1]);
    assert_eq!(at.found.iter().map(|it| it.2).collect::<Vec<_>>(), [1.0, 3.0, 4.0]);
    let notes = at.finish().join("\n");
    assert!(notes.contains("the record at byte 42 of `runs/a.tfevents.1` is damaged"), "{notes}");
    assert!(notes.contains("damaged at byte 168, or is not an event file; its rest is not read"), "{notes}");
    assert!(notes.contains("`runs/b.tfevents.2` ends within a record"), "{notes}");
}

#[test]
fn a_record_of_a_hostile_length_is_skipped_without_memory_for_it() {
    let mut at = fixture(&[]);
    let huge = records::framed(&[]);
    // A length beyond every file, with its right checksum: that of the fixture is of a record of no bytes.
    let mut head = (u64::MAX - 3).to_le_bytes().to_vec();
    head.extend_from_slice(&huge[8..12]);
    at.append("a.tfevents.1", &head);
    let notes = at.finish().join("\n");
    assert!(notes.contains("damaged at byte 0"), "{notes}");

    let mut at = fixture(&[]);
    let large = records::framed(&vec![0; 17 << 20]);
    at.append("a.tfevents.1", &large[..100]);
    at.append("a.tfevents.1", &large[100..]);
    at.append("a.tfevents.1", &scalar("loss", 1, 2.0));
    assert_eq!(at.found, [("loss".to_owned(), Some(1), 2.0)]);
    assert_eq!(at.finish(), ["metrics: a record of 17 MiB of `runs/a.tfevents.1` is left out"]);
}

#[test]
fn wanted_scalars_that_are_missing_are_named() {
    let mut at = fixture(&["loss", "accuracy"]);
    at.append("a.tfevents.1", &[scalar("loss", 0, 1.0), scalar("other", 0, 1.0)].concat());
    assert_eq!(at.finish(), ["metrics: `runs` has no scalar `accuracy`"]);
    assert_eq!(at.found.len(), 1);
    assert_eq!(fixture(&[]).finish(), ["metrics: `runs` has no event files that this attempt wrote"]);
}

#[test]
fn folders_that_are_named_by_their_date_are_not_part_of_a_name() {
    assert_eq!(prefix(Path::new("Nov28_21-05-09_box/train/events.tfevents.1")), "train/");
    assert_eq!(prefix(Path::new("events.tfevents.1")), "");
    assert!(!is_dated("Nov28") && !is_dated("version_0"));
}

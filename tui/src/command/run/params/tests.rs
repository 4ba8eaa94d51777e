use clap::Parser as _;

use super::*;
use crate::cli::{Cli, Command};

const FILE: &str = "params:
  place: { type: text, default: Brighton }
  seed: { type: int, default: 1, min: 0 }
  rate: { type: float, default: 0.1 }
  photo: { type: image }
matrix: { seed: 1..3 }
nodes:
  title:
    uses: text.template
    with: { template: \"{{ place }}\", place: \"${{ params.place }}\" }
";

/// A folder with a picture, and what a command line in it makes of the params.
struct Shell {
    folder: tempfile::TempDir,
    workflow: Workflow,
}

impl Shell {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("photo.png"), "not looked at here").unwrap();
        let checked = fanlight_shared::document::read(FILE, &crate::embedded::catalogue());
        Self { folder, workflow: checked.expect("the file is good").workflow }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().canonicalize().unwrap().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    fn bare(&self, more: &[&str]) -> Result<Vec<ParamSet>, Failure> {
        let line = ["fanlight", "run", "x"].into_iter().chain(more.iter().copied());
        let Some(Command::Run(args)) = Cli::try_parse_from(line).unwrap().command else {
            panic!("this is `run`")
        };
        sets(&args, &self.workflow)
    }

    fn sets(&self, more: &[&str]) -> Result<Vec<ParamSet>, Failure> {
        let photo = format!("photo={}", self.path("photo.png"));
        let mut line = vec!["-p", photo.as_str()];
        line.extend(more);
        self.bare(&line)
    }

    fn seeds(&self, more: &[&str]) -> Vec<i64> {
        let sets = self.sets(more).unwrap();
        sets.iter().map(|set| set.params["seed"].as_int().unwrap()).collect()
    }

    fn refused(&self, more: &[&str]) -> String {
        let failure = self.sets(more).unwrap_err();
        assert_eq!(failure.code(), 2, "{failure:?}");
        format!("{failure:?}")
    }
}

#[test]
fn a_range_includes_both_ends_and_the_last_sweep_varies_fastest() {
    let shell = Shell::new();
    assert_eq!(shell.seeds(&["--sweep", "seed=1..6"]), [1, 2, 3, 4, 5, 6]);
    let sets = shell.sets(&["--sweep", "seed=1..2", "--sweep", "rate=0..1/0.25"]).unwrap();
    assert_eq!(sets.len(), 10);
    assert_eq!(sets[0].params["seed"], sets[4].params["seed"]);
    assert_eq!(sets[4].params["rate"], Value::Float(1.0));
}

#[test]
fn a_zip_pairs_values_and_needs_equal_lengths() {
    let shell = Shell::new();
    let sets = shell.sets(&["--sweep", "seed=1..2", "--sweep", "place=Hove,Lewes", "--zip"]).unwrap();
    assert_eq!(sets.len(), 2);
    assert_eq!(sets[1].params["place"], Value::from("Lewes"));
    assert!(
        shell.refused(&["--sweep", "seed=1..3", "--sweep", "place=a,b", "--zip"]).contains("equal length")
    );
}

#[test]
fn the_command_line_overrides_the_matrix_of_the_file() {
    let shell = Shell::new();
    assert_eq!(shell.seeds(&["--matrix"]), [1, 2, 3]);
    assert_eq!(shell.seeds(&["--matrix", "--sweep", "seed=8,9"]), [8, 9]);
    assert_eq!(shell.seeds(&["--matrix", "-p", "seed=4"]), [4]);
}

#[test]
fn repeats_are_counted() {
    let sets = Shell::new().sets(&["--sweep", "seed=1..2", "--repeat", "3"]).unwrap();
    let counted: Vec<_> = sets.iter().map(|set| set.repeat.unwrap()).map(|it| (it.nth, it.of)).collect();
    assert_eq!(counted, [(1, 3), (2, 3), (3, 3), (1, 3), (2, 3), (3, 3)]);
    assert!(Shell::new().sets(&["--repeat", "1"]).unwrap()[0].repeat.is_none());
}

#[test]
fn files_give_texts_and_lines() {
    let shell = Shell::new();
    let place = format!("place=@{}", shell.write("place", "Hove\nby the sea\n"));
    let set = &shell.sets(&["-p", &place]).unwrap()[0];
    assert_eq!(set.params["place"], Value::from("Hove\nby the sea\n"));
    let seed = format!("seed=@{}", shell.write("seed", "7\n"));
    assert_eq!(shell.seeds(&["-p", &seed]), [7]);
    let seeds = format!("seed=@{}", shell.write("seeds", "3\n\n5\n"));
    assert_eq!(shell.seeds(&["--sweep", &seeds]), [3, 5]);
    assert_eq!(shell.sets(&["-p", "place=@@home"]).unwrap()[0].params["place"], Value::from("@home"));
}

#[test]
fn media_is_an_absolute_path() {
    let shell = Shell::new();
    let set = &shell.sets(&[]).unwrap()[0];
    assert_eq!(set.params["photo"], Value::from(shell.path("photo.png")));
    let failure = shell.bare(&["-p", "photo=nowhere.png"]).unwrap_err();
    assert!(format!("{failure:?}").contains("nowhere.png"));
}

#[test]
fn errors_are_reported() {
    let shell = Shell::new();
    assert!(shell.refused(&["-p", "seed=abc"]).contains("abc"));
    assert!(shell.refused(&["-p", "seed=-1"]).contains("less than 0"));
    assert!(shell.refused(&["-p", "sede=1"]).contains("did you mean `seed`?"));
    assert!(shell.refused(&["--sweep", "nothing=1..2"]).contains("no param `nothing`"));
    assert!(shell.refused(&["--sweep", "seed=a..b"]).contains("seed"));
    assert!(shell.refused(&["-p", "seed=1", "--sweep", "seed=1..2"]).contains("twice"));
    assert!(shell.refused(&["-p", "seed"]).contains("names no value"));
    assert!(shell.refused(&["-p", "place=@nowhere"]).contains("nowhere"));
    assert!(shell.refused(&["--sweep", "seed=1..1000", "--sweep", "rate=0..1/0.0001"]).contains("at most"));
    let failure = shell.bare(&[]).unwrap_err();
    assert!(format!("{failure:?}").contains("required"));
}

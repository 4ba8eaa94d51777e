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
        sets(&args.params, &self.workflow, Values::new())
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
fn rows_come_from_a_file_and_are_combined_with_sweeps() {
    let shell = Shell::new();
    let file = shell.write("rows.csv", "seed,place\n3,Hove\n5,\n");
    assert_eq!(shell.seeds(&["--rows", &file, "--sweep", "rate=1,2"]), [3, 3, 5, 5]);
    let sets = shell.sets(&["--rows", &file]).unwrap();
    assert_eq!(sets[0].params["place"], Value::from("Hove"));
    assert!(!sets[1].params.contains_key("place"));
    assert_eq!(shell.seeds(&["--rows", &file, "--matrix"]), [3, 5], "a column overrides the matrix");
    assert!(shell.refused(&["--rows", &file, "-p", "seed=1"]).contains("`seed` is given twice"));
    assert!(shell.refused(&["--rows", &file, "--sweep", "place=a,b"]).contains("`place` is given twice"));
}

#[test]
fn all_errors_of_a_file_with_rows_are_reported_with_their_lines() {
    let shell = Shell::new();
    let file = shell.write("rows.csv", "seed,plaice\nx,a\n1,b\n-1,c\n");
    let said = shell.refused(&["--rows", &file]);
    for part in ["line 1: there is no param `plaice`", "line 2: param `seed`", "line 4: param `seed`"] {
        assert!(said.contains(part), "{said}");
    }
    let photos = format!("photo,seed\n{},1\nnowhere.png,2\n,3\n", shell.path("photo.png"));
    let file = shell.write("photos.csv", &photos);
    let said = format!("{:?}", shell.bare(&["--rows", &file]).unwrap_err());
    assert!(said.contains("line 3: param `photo`: the file `nowhere.png` can't be read"), "{said}");
    let file = shell.write("photos.csv", &photos.replace("nowhere.png", &shell.path("photo.png")));
    let said = format!("{:?}", shell.bare(&["--rows", &file]).unwrap_err());
    assert!(said.contains("line 4: param `photo` has no value and no default"), "{said}");
    assert!(shell.refused(&["--rows", "nowhere.csv"]).contains("no file `nowhere.csv`"));
}

#[test]
fn combinations_are_excluded_and_included() {
    let shell = Shell::new();
    let line = ["--sweep", "seed=1..3", "--sweep", "place=Hove,Lewes"];
    let with = |more: &[&str]| shell.seeds(&[&line[..], more].concat());
    assert_eq!(with(&["--exclude", "seed=2", "--exclude", "seed=3,place=Hove"]), [1, 1, 3]);
    assert_eq!(with(&["--include", "seed=9,rate=0.5"]), [1, 1, 2, 2, 3, 3, 9]);
    assert!(
        shell.refused(&["--sweep", "seed=1..3", "--exclude", "place=Hove"]).contains("has no values here")
    );
    assert!(shell.refused(&["--include", "sede=9"]).contains("did you mean `seed`?"));
    assert!(shell.refused(&["-p", "seed=1", "--include", "seed=9"]).contains("twice"));
}

#[test]
fn a_sample_is_reproducible() {
    let shell = Shell::new();
    let sample = |more: &[&str]| {
        let line = ["--sweep", "seed=1..100000", "--sweep", "rate=0..1/0.0001", "--sample", "5"];
        shell.seeds(&[&line[..], more].concat())
    };
    assert_eq!(sample(&[]).len(), 5);
    assert_eq!(sample(&[]), sample(&["--seed", "1"]));
    assert_ne!(sample(&[]), sample(&["--seed", "-2"]));
    assert!(
        shell.refused(&["--sweep", "seed=1..3", "--sample", "4"]).contains("more than the 3 combinations")
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
    let many = shell.refused(&["--sweep", "seed=1..100000", "--sweep", "rate=0..1/0.0001"]);
    assert!(many.contains("1000100000 runs; at most 100000") && many.contains("--sample N"), "{many}");
    let failure = shell.bare(&[]).unwrap_err();
    assert!(format!("{failure:?}").contains("required"));
}

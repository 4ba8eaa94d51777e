//! Products of past runs, arranged by two params.

use std::fs;

use serde_json::json;

use crate::support::Fanlight;
use crate::support::png_size;

const POSTER: &str = "params:
  seed: { type: int, default: 1 }
  style: { type: choice, choices: [calm, wild], default: calm }
  broken: { type: bool, default: false }
nodes:
  sky: { uses: image.generate, with: { width: 64, height: 32, seed: \"${{ params.seed }}\" } }
  said:
    run: test \"$broken\" = false && echo \"$style <$seed>\"
    with: { style: \"${{ params.style }}\", seed: \"${{ params.seed }}\", broken: \"${{ params.broken }}\" }
outputs: { sky: \"${{ sky.image }}\", said: \"${{ said.stdout }}\" }
";

fn posters() -> Fanlight {
    let fanlight = Fanlight::new();
    fanlight.file("poster.yaml", POSTER);
    fanlight.say(&["run", "poster.yaml", "--sweep", "seed=1..3", "--sweep", "style=calm,wild"]).exits(0);
    fanlight.say(&["run", "poster.yaml", "-p", "seed=10", "-p", "broken=true"]).exits(1);
    fanlight.say(&["run", "poster.yaml", "-p", "seed=2"]).exits(0);
    fanlight
}

#[test]
fn products_of_past_runs_become_one_picture() {
    let fanlight = posters();
    let sheet = ["sheet", "poster", "--x", "seed", "--y", "style", "--output", "sky", "--out", "sheet.png"];
    assert_eq!(fanlight.say(&sheet).exits(0).out, "sheet.png\n");
    let (width, height) = png_size(&fanlight.path("sheet.png"));
    assert!(width > 4 * 256 && height > 2 * 128, "{width} × {height}");
    fanlight.say(&sheet).exits(2).complains("`sheet.png` exists already; it was left as it is");
    let large = [&sheet[..9], &["large.png", "--width", "300"]].concat();
    fanlight.say(&large).exits(0);
    assert!(png_size(&fanlight.path("large.png")).0 > width);
    let texts = ["sheet", "poster/1", "--x", "seed", "--output", "said.stdout", "--out", "texts.png"];
    fanlight.say(&texts).exits(0);
    assert_eq!(fs::read_dir(fanlight.path("")).unwrap().count(), 4, "nothing temporary is left");
}

#[test]
fn a_cell_is_the_newest_completed_run_with_its_values() {
    let fanlight = posters();
    let sheet = ["sheet", "poster", "--x", "seed", "--y", "style", "--output", "said"];
    let shown = fanlight.say(&sheet).exits(0).out;
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].contains("seed=1") && lines[0].contains("seed=10"), "{shown}");
    assert!(lines[1].contains("style=calm") && lines[1].contains("calm <2> · poster#8 (+1)"), "{shown}");
    assert!(lines[1].contains("failed: poster#7") && lines[2].contains("no run"), "{shown}");

    let cells = fanlight.say(&[&sheet[..], &["--json"]].concat()).exits(0).json();
    assert_eq!(cells.len(), 8);
    assert_eq!(cells[1]["x"], 2);
    assert_eq!((cells[1]["run"].as_str(), cells[1]["others"].as_u64()), (Some("poster#8"), Some(1)));
    assert_eq!(cells[1]["value"], "calm <2>");
    assert_eq!((cells[3]["state"].as_str(), cells[7]["run"].as_str()), (Some("failed"), None));
    let some = fanlight.say(&[&sheet[..], &["--json", "--where", "seed<2"]].concat()).exits(0).json();
    assert_eq!(some.len(), 2);
}

#[test]
fn values_of_a_sheet_are_whole_however_long_they_are() {
    let fanlight = Fanlight::new();
    image::RgbImage::new(8, 8).save(fanlight.path("sky.png")).unwrap();
    fanlight.file(
        "odd.yaml",
        "params:
  prompt: { type: text, default: '' }
  notes: { type: text, default: '' }
  photo: { type: image, default: sky.png }
nodes:
  said: { each: [a, b], run: 'echo \"$v\"', with: { v: \"${{ item }}\" } }
  long: { run: seq -w 1 2000 }
outputs: { photo: \"${{ params.photo }}\" }
",
    );
    let prompt = "p".repeat(300);
    let param = format!("prompt={prompt}");
    fanlight.say(&["run", "odd.yaml", "-p", &param]).exits(0);
    fanlight.say(&["run", "odd.yaml", "-p", &param, "-p", &format!("notes={}", "n".repeat(5_000))]).exits(0);
    let cells = |output: &str| {
        fanlight.say(&["sheet", "odd", "--x", "prompt", "--output", output, "--json"]).exits(0).json()
    };
    let said = cells("said.stdout");
    assert_eq!((said.len(), said[0]["others"].as_u64()), (1, Some(1)), "a shortened prompt is no other one");
    assert_eq!((said[0]["x"].as_str(), &said[0]["value"]), (Some(prompt.as_str()), &json!(["a", "b"])));
    let long = cells("long.stdout");
    assert!(long[0]["value"].as_str().unwrap().ends_with("1999\n2000"), "{}", long[0]["value"]);
    // No node has made this picture.
    fanlight.say(&["sheet", "odd", "--x", "prompt", "--out", "sheet.png"]).exits(0);
}

#[test]
fn what_makes_no_sheet_gets_a_sentence() {
    let fanlight = posters();
    let sheet = |more: &[&str]| fanlight.say(&[&["sheet", "poster"], more].concat());
    let several = sheet(&["--x", "seed", "--y", "style"]).exits(2);
    several.complains("there are several outputs: `sky`, `said`").complains("choose one with `--output`");
    sheet(&["--x", "sede"]).exits(2).complains("did you mean `seed`?");
    sheet(&["--x", "seed", "--y", "seed"]).exits(2).complains("need different params");
    sheet(&["--x", "seed", "--output", "sea"]).exits(2).complains("no completed run has an output `sea`");
    sheet(&["--x", "seed", "--output", "sky.imag"]).exits(1).complains("has a value of `sky.imag`");
    sheet(&["--x", "seed", "--output", "sky", "--out", "a.jpg"]).exits(2).complains("ends in `.png`");
    sheet(&["--x", "seed", "--output", "sky", "--out", "a.png", "--width", "2"])
        .exits(2)
        .complains("48 to 1024");
    sheet(&["--x", "seed", "--output", "sky", "--where", "seed>99"]).exits(1).complains("no run meets");

    // A picture that was deleted leaves its place, and the others are there.
    let assets = fanlight.say(&["assets", "list", "--json"]).exits(0).json();
    let picture = assets.iter().find(|asset| asset["run"] == "poster#8" && asset["kind"] == "image").unwrap();
    fanlight.say(&["assets", "rm", picture["id"].as_str().unwrap(), "--yes"]).exits(0);
    let without = sheet(&["--x", "seed", "--output", "sky", "--out", "without.png"]).exits(1);
    without.complains("poster#8: its picture was deleted").complains("the sheet lacks 1 picture");
    assert!(fanlight.path("without.png").is_file());
}

#[test]
fn a_report_of_two_params_has_their_sheet() {
    let fanlight = posters();
    fanlight.say(&["report", "poster/1", "page"]).exits(0);
    let page = fs::read_to_string(fanlight.path("page/index.html")).unwrap();
    assert!(page.contains("<h2>Sheet of sky</h2>") && page.contains("<th>seed=3</th>"));
    let sheet = page.split("id=\"sheet\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert_eq!(sheet.matches("<img ").count(), 6, "{sheet}");
    let said = ["report", "poster/1", "texts", "--x", "seed", "--y", "style", "--output", "said"];
    fanlight.say(&said).exits(0);
    let page = fs::read_to_string(fanlight.path("texts/index.html")).unwrap();
    assert!(page.contains("<h2>Sheet of said</h2>") && page.contains("calm &lt;2&gt;"));
    fanlight.say(&["report", "poster/1", "no", "--x", "sede"]).exits(2).complains("did you mean `seed`?");
    assert!(!fanlight.path("no").exists());
}

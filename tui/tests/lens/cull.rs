//! Twenty-four runs of a sweep: compared, the best kept, the rest gone.

use crate::support::Fanlight;
use crate::ui;
use crate::workflows::GRADE;

/// Returns the seeds of the runs in the order in which the queue shows them.
fn order(text: &str) -> Vec<u32> {
    let of_line = |line: &str| line.rsplit_once("seed=")?.1.split_whitespace().next()?.parse().ok();
    text.lines().skip(1).filter(|line| line.contains("✓ #")).filter_map(of_line).collect()
}

#[test]
fn a_sweep_is_compared_and_culled() {
    let fanlight = Fanlight::new();
    fanlight.file("grade.yaml", GRADE);
    fanlight.say(&["queue", "--max", "4"]).exits(0);
    let mut ui = ui(&fanlight);
    ui.wait_for("grade.yaml");
    ui.press(&["r"]);
    ui.wait_for("1 run ");
    ui.press(&["backspace"]);
    ui.type_text("1..24");
    ui.wait_for("24 runs");
    ui.press(&["enter"]);
    ui.wait_for_all(&["Running 4", "Enqueued 20", "4 of 4"]);

    // The lens stays on the first while others start and end: it does not run away.
    let title = |text: &str, run: &str| text.lines().next().is_some_and(|line| line.contains(run));
    ui.wait("the lens on the first", |screen| title(&screen.contents(), "#1 seed=1"));
    let before = ui.bytes();
    fanlight.file("go-2", "").file("go-3", "");
    ui.wait_for_all(&["Running 4", "Enqueued 18", "Done 2"]);
    assert!(ui.frames_since(before).iter().all(|frame| title(frame, "#1 seed=1")), "the lens ran away");
    fanlight.file("go", "");
    ui.wait_for("Done 24");

    // Marked and compared: the param that differs, pictures, numbers; flickered.
    ui.press(&["2", "g", "g", "j", "space", "space"]);
    ui.wait_for("c compare");
    ui.press(&["c"]);
    ui.wait_for_all(&["Compare 2", "seed", "sky.image"]);
    ui.press(&["f"]);
    ui.wait_for("grade#23 is shown");
    ui.press(&["f"]);
    ui.wait_for("grade#24 is shown");
    ui.press(&["l"]);
    ui.wait_for("grade.score");
    ui.press(&["esc"]);
    ui.wait_for_all(&["2 marked", "c compare"]);
    ui.press(&["esc"]);
    ui.wait_gone("2 marked");

    // Sorted by the number that the runs put out.
    for _ in 0..8 {
        if ui.line("2 Queue").is_some_and(|line| line.contains("by score")) {
            break;
        }
        let before = ui.line("2 Queue");
        ui.press(&["o"]);
        ui.wait("another order", |screen| {
            screen.contents().lines().find(|it| it.contains("2 Queue")).map(str::to_owned) != before
        });
    }
    ui.press(&["g", "g"]);
    ui.wait("the best on top", |screen| {
        let score = |seed: u32| (seed * 7) % 25 + 10;
        let seen = order(&screen.contents());
        seen.len() > 5 && seen.windows(2).all(|pair| score(pair[0]) >= score(pair[1]))
    });

    // The best is starred, the rest deleted with one question that names the count.
    ui.press(&["j", "enter"]);
    ui.wait("the lens kept on the best", |screen| {
        let text = screen.contents();
        title(&text, "#7 seed=7") && title(&text, "pinned")
    });
    ui.press(&["3", "*"]);
    crate::support::wait_for("a star on the picture of the best", || {
        let starred = fanlight.say(&["assets", "list", "--json"]).exits(0).json();
        starred.iter().any(|asset| {
            asset["starred"] == true && asset["run"].as_str().is_some_and(|it| it.ends_with("#7"))
        })
    });
    ui.press(&["2", "g", "g", "space", "j", "space", "D"]);
    ui.wait_for("Delete 23 runs?");
    ui.press(&["y"]);
    ui.wait_for("Done 1");
    assert_eq!(fanlight.runs().len(), 1);
}

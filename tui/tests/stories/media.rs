//! Media from models, played by stand-ins.

use std::fs;

use crate::support::{Fanlight, png_size};

#[test]
fn a_meeting_becomes_notes_with_action_items() {
    let fanlight = Fanlight::new();
    fanlight.say(&["run", "meeting_notes", "--out", "notes"]).exits(0);
    let folder = fanlight.path("notes/meeting_notes-1");
    let notes = fs::read_to_string(folder.join("notes.txt")).unwrap();
    assert!(notes.contains("- [ ] **Ben**: Write the text of the page (Tuesday)\n"), "{notes}");
    assert!(notes.contains("0.0 s  Anna: The new lamp ships"), "{notes}");
    assert!(fs::read(folder.join("speech.flac")).unwrap().starts_with(b"fLaC"));
}

#[test]
fn a_table_becomes_a_page_with_its_charts() {
    let fanlight = Fanlight::new();
    fanlight.say(&["run", "csv-report", "-p", "least=5000", "--out", "report"]).exits(0);
    let folder = fanlight.path("report/csv-report-1");
    let page = fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(
        page.contains("<td>Walnut desk</td>") && page.matches("data:image/svg+xml").count() == 2,
        "{page}"
    );
    // Without the orders below that revenue.
    assert!(page.contains("21 orders"), "{page}");
    for chart in ["trend.png", "products.png"] {
        assert!(png_size(&folder.join(chart)).0 >= 400, "{chart}");
    }
}

#[test]
fn a_series_of_pictures_gets_its_captions() {
    let fanlight = Fanlight::new();
    fanlight.say(&["run", "captions", "--out", "sheet"]).exits(0);
    let folder = fanlight.path("sheet/captions-1");
    assert_eq!(fs::read_to_string(folder.join("captions-3.txt")).unwrap(), "Footsteps and nobody");
    let (width, height) = png_size(&folder.join("sheet.png"));
    assert!(width == 2 * 512 + 3 * 32 && height > 1000, "{width} {height}");
}

#[test]
fn a_graph_over_seeds_becomes_a_sheet() {
    let fanlight = Fanlight::new();
    fanlight.say(&["run", "comfy_seeds", "--out", "seeds"]).exits(0);
    let (width, height) = png_size(&fanlight.path("seeds/comfy_seeds-1/sheet.png"));
    assert!(width == 2 * 384 + 3 * 16 && height > 768, "{width} {height}");
    let nowhere = "nodes:\n  a:\n    uses: comfy.run\n    with:\n      retries: 0\n      graph: { '1': { class_type: SaveImage, inputs: {} } }\n";
    fanlight.file("nowhere.yaml", nowhere);
    let nobody = "[provider.comfy]\nurl = \"http://127.0.0.1:1\"\n";
    fanlight.say(&["daemon", "stop"]).exits(0);
    fs::create_dir_all(fanlight.path("../h/config")).unwrap();
    fs::write(fanlight.path("../h/config/config.toml"), nobody).unwrap();
    fanlight.say(&["run", "nowhere.yaml"]).exits(1).complains("http://127.0.0.1:1 can't be reached");
}

#[test]
fn a_graph_of_comfyui_is_converted_and_runs() {
    let fanlight = Fanlight::new();
    let graph = r#"{"3": {"class_type": "KSampler", "inputs": {"seed": 1, "latent_image": ["5", 0]}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 48}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["3", 0]}}}"#;
    fanlight.file("fox.json", graph);
    fanlight.say(&["convert", "fox.json", "fox.yaml"]).exits(0);
    fanlight.say(&["convert", "fox.json", "fox.yaml"]).exits(1).complains("`fox.yaml` exists already");
    fanlight.say(&["check", "fox.yaml"]).exits(0);
    let run = ["run", "fox.yaml", "-p", "provider=offline", "--sweep", "seed=1..2", "--out", "foxes"];
    fanlight.say(&run).exits(0);
    fanlight.file("old.json", r#"{"nodes": [{"id": 1, "type": "Odd", "widgets_values": [3]}], "links": []}"#);
    fanlight.say(&["convert", "old.json"]).exits(1).complains("the values of node 1 (Odd)");
    fanlight.file("other.json", "{}");
    fanlight.say(&["convert", "other.json"]).exits(1).complains("neither a workflow of NodeTool");
}

#[test]
fn without_a_key_a_model_is_not_asked_and_the_variable_is_named() {
    let fanlight = Fanlight::new();
    fanlight.file(
        "fox.yaml",
        "nodes:\n  fox:\n    uses: image.create\n    with: { provider: openai, model: m, prompt: A fox }\n",
    );
    fanlight.say(&["run", "fox.yaml"]).exits(1).complains("set `OPENAI_API_KEY`");
}

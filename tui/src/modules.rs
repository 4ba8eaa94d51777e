//! Tests that the modules of this crate form layers without cycles.

use std::path::Path;

use fanlight_shared::modules;

/// Modules whose own modules use each other: parts of one thing that is too large for a file.
const WHOLE: [&str; 3] = ["tui/ui/grid/update", "tui/ui/layer/form", "tui/ui/layer/inspector"];

#[test]
fn no_module_uses_one_that_uses_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let of_tests = ["tests", "testing", "blocks", "modules"];
    let found = modules::all_cycles(&source, "tui", &of_tests).unwrap();
    let (known, new): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|(parent, _)| WHOLE.contains(&parent.as_str()));
    assert_eq!(new, []);
    let known: Vec<String> = known.into_iter().map(|(parent, _)| parent).collect();
    assert_eq!(known, WHOLE, "what has no cycle any more is removed from the list");
}

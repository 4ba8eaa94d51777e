//! Tests that the modules of this crate, and those of the crate `shared`, form layers without cycles.

use std::path::Path;

use fanlight_shared::modules;

/// The module whose own modules use each other: parts of one thing that is too large for a file.
const WHOLE: [&str; 1] = ["daemon/engine"];

#[test]
fn no_module_uses_one_that_uses_it() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let of_tests = ["tests", "fake", "fixture", "modules", "testing"];
    let found = ["daemon", "shared"]
        .into_iter()
        .flat_map(|name| modules::all_cycles(&workspace.join(name).join("src"), name, &of_tests).unwrap());
    let (known, new): (Vec<_>, Vec<_>) = found.partition(|(parent, _)| WHOLE.contains(&parent.as_str()));
    assert_eq!(new, []);
    let known: Vec<String> = known.into_iter().map(|(parent, _)| parent).collect();
    assert_eq!(known, WHOLE, "what has no cycle any more is removed from the list");
}

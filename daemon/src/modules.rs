//! Tests that the modules of this crate, and those of the crate `shared`, form layers without cycles.

use std::path::Path;

use fanlight_shared::modules;

#[test]
fn no_module_uses_one_that_uses_it() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let of_tests = ["tests", "fake", "fixture", "modules", "testing"];
    let found: Vec<_> = ["daemon", "shared"]
        .into_iter()
        .flat_map(|name| modules::all_cycles(&workspace.join(name).join("src"), name, &of_tests).unwrap())
        .collect();
    assert_eq!(found, []);
}

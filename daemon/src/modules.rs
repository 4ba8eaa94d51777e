//! Tests that the modules of this crate form layers without cycles, and those of the crate `shared`.

use std::path::Path;

use fanlight_shared::modules;

#[test]
fn no_module_uses_one_that_uses_it() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let of_tests = ["tests", "fake", "fixture", "modules"];
    for name in ["daemon", "shared"] {
        let source = workspace.join(name).join("src");
        assert_eq!(modules::cycles(&source, &[], &of_tests).unwrap(), [""; 0], "{name}");
    }
}

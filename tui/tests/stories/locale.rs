//! Output where the locale is not UTF-8.

use crate::QUICK;
use crate::support::Fanlight;

#[test]
fn in_a_locale_without_utf8_people_read_ascii_and_programs_the_text_as_it_is() {
    let fanlight = Fanlight::new();
    fanlight.file("quick.yaml", QUICK);
    let ran = crate::support::output(
        fanlight
            .command(&["run", "quick.yaml", "-p", "place=Malmö", "--sweep", "seed=1,2"])
            .env("LC_ALL", "C"),
    );
    assert!(ran.status.success());
    assert!(ran.stderr.is_ascii(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert!(String::from_utf8_lossy(&ran.stdout).contains("Malmö 1"), "no value is changed for a program");
    // The flag applies to all output; JSON loses nothing.
    let listed = fanlight.say(&["ps", "--all", "--ascii"]).exits(0);
    assert!(listed.out.is_ascii() && listed.out.contains("Malm?"), "{}", listed.out);
    let json = fanlight.say(&["ps", "--all", "--ascii", "--json"]).exits(0);
    assert!(json.out.is_ascii());
    assert_eq!(json.json()[0]["params"]["place"], "Malmö");
}
